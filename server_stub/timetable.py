"""What the stub does again and again: the times are state in the store, so that they survive snapshots and restarts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from .data.document import Document
from .serving import Caller, Context

if TYPE_CHECKING:
    from .core import StubServer

KIND = "timetable"
"""The kind of the records that say when something is due next, one per company and entry."""
MADE_UP = 24
"""How many missed runs are made up for when the clock was moved far; earlier ones are passed over."""


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """Something that is done every so often."""

    name: str
    every: timedelta


Run = TypeVar("Run", bound=Callable[[Context], None])
Timetable: TypeAlias = Mapping[Entry, Callable[[Context], None]]


def recurs(name: str, *, every: timedelta) -> Callable[[Run], Run]:
    """Mark a function as what is done every so often for each company, as the system and in its own transaction."""

    def mark(run: Run) -> Run:
        vars(run)["__recurs__"] = Entry(name, every)  # read by the core, which collects the timetable
        return run

    return mark


def due_entries(server: StubServer, timetable: Timetable, now: datetime) -> Iterator[tuple[datetime, str, Entry]]:
    """Yield the entries that are due, with their time and company; each first when its interval has passed once."""
    for tenants in server.store.across("tenant"):
        times = server.store.collection(tenants.tenant_id, KIND)
        for tenant in tenants:
            for entry in timetable:
                known = times.get(entry.name)
                at = known["due_at"] if known else max(server.clock.start, tenant["created_at"]) + entry.every
                if at <= now:
                    missed = (now - at) // entry.every
                    yield at + max(missed + 1 - MADE_UP, 0) * entry.every, tenants.tenant_id, entry


def carry_out(server: StubServer, timetable: Timetable, at: datetime, tenant_id: str, entry: Entry) -> None:
    """Do what is due, at its own time, and enter when it is due again."""
    with server.store.transaction():
        timetable[entry](system_call(server, tenant_id, at, f"timetable:{entry.name}"))
        times = server.store.collection(tenant_id, KIND)
        times.put(Document(id=entry.name, due_at=at + entry.every, last_run=at))


def system_call(server: StubServer, tenant_id: str, at: datetime, operation: str) -> Context:
    """Return the call of a company that nobody made: the stub acts by itself."""
    caller = Caller(tenant_id, "system", None, "system", "the timetable", auth="none")
    source: dict[str, Any] = {"dialect": "system"}
    return Context(server, caller, at, dialect="system", operation=operation, request_id=operation, source=source)
