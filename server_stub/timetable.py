"""What the stub does by itself at a time. The times are state in the store: they survive snapshots and restarts.

Work that is done every so often is marked `recurs`; work that is due when the data say so, such as reminders, is marked
`falls_due`. Both are done company by company, as the system, at their own time, each in a transaction of its own. What
fails is undone and logged, and is done again at its next time; it holds up nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from .data.collection import Collection
from .data.document import Document
from .data.store import Store
from .problems import LOG
from .serving import Caller, Collections, Context

if TYPE_CHECKING:
    from .core import StubServer

KIND = "timetable"
"""The kind of the records that say when something is due next, one per company and name."""
MADE_UP = 24
"""How many missed runs are made up for when the clock was moved far; earlier ones are passed over."""
_AGAIN, _AGAIN_AT_MOST = timedelta(minutes=5), timedelta(days=1)
"""How long to wait before work that fell due and failed is tried again; doubled with each failure in a row."""

Run = TypeVar("Run", bound=Callable[[Context], None])
Work: TypeAlias = Callable[[Context], None]


@dataclass(frozen=True, slots=True)
class Idleness:
    """When a run of recurring work would change nothing, so that it is passed over where the clock was moved far.

    It is asked about the last of the missed runs; where that is idle, so are those before it until a record is written.
    What comes of time alone must therefore stay for as long as `MADE_UP` runs take.
    """

    is_idle: Callable[[Context], bool]
    """Tells whether a run at the time of the call would change nothing."""
    but: frozenset[str]
    """The kinds of records that it does not look at."""


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """Something that is done every so often."""

    name: str
    every: timedelta
    idleness: Idleness | None = field(default=None, compare=False)
    """None where each run is done."""


@dataclass(frozen=True, slots=True)
class Appointment:
    """Something that is done when the data say so. Whoever writes what `next_at` looks at calls `plan` afterwards."""

    name: str
    next_at: Callable[[Collections], datetime | None]
    """Returns when it is due next, None for never."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """What services have the stub do by itself."""

    recurring: Mapping[Entry, Work]
    appointments: Mapping[Appointment, Work]


@dataclass(frozen=True, slots=True, order=True)
class Task:
    """Something that is due now. Tasks are done in the order of their times, then ranks, names and companies."""

    at: datetime
    rank: int
    """0 for what fell due, 1 for jobs and recurring work."""
    name: str
    tenant_id: str
    run: Callable[[], None] = field(compare=False)


def recurs(name: str, *, every: timedelta, idleness: Idleness | None = None) -> Callable[[Run], Run]:
    """Mark a function as what is done every so often for each company."""

    def mark(run: Run) -> Run:
        vars(run)["__recurs__"] = Entry(name, every, idleness)  # read by the collector
        return run

    return mark


def falls_due(appointment: Appointment) -> Callable[[Run], Run]:
    """Mark a function as what is done for a company at the time of its appointment."""

    def mark(run: Run) -> Run:
        vars(run)["__falls_due__"] = appointment  # read by the collector
        return run

    return mark


def plan(collections: Collections, appointment: Appointment) -> None:
    """Note when work is due next, by the records of a company as they are now."""
    next_at, times = appointment.next_at(collections), collections(KIND)
    known = times.get(appointment.name)
    if known is None or known["next_at"] != next_at:
        times.put(Document(id=appointment.name, next_at=next_at, failures=0))


def due(server: StubServer, now: datetime) -> Iterator[Task]:
    """Give what is due by now; recurring work for the first time when its interval has passed once."""
    table, store = server.timetable, server.store
    for times in store.across(KIND):
        for appointment in table.appointments:
            known = times.get(appointment.name)
            if known is not None and known["next_at"] is not None and known["next_at"] <= now:
                run = _appointment_run(server, times, appointment, known)
                yield Task(known["next_at"], 0, appointment.name, times.tenant_id, run)
    for tenants in store.across("tenant"):
        times = store.collection(tenants.tenant_id, KIND)
        for tenant in tenants:
            for entry in table.recurring:
                known = times.get(entry.name)
                at = known["due_at"] if known else max(server.clock.start, tenant["created_at"]) + entry.every
                if at <= now:
                    missed = (now - at) // entry.every
                    at += max(missed + 1 - MADE_UP, 0) * entry.every
                    yield Task(at, 1, entry.name, tenants.tenant_id, _entry_run(server, times, entry, at))


def _appointment_run(
    server: StubServer, times: Collection, appointment: Appointment, known: Document
) -> Callable[[], None]:
    def run() -> None:
        at: datetime = known["next_at"]
        with isolate(server.store, f"{appointment.name} of {times.tenant_id}"):
            call = system_call(server, times.tenant_id, at, appointment.name)
            server.timetable.appointments[appointment](call)
            plan(call.collection, appointment)
        after = times.get(appointment.name)
        if after is None or after["next_at"] is None or after["next_at"] > at:
            return
        # It failed, or there is as much to do as before: later, so that it is not tried for ever.
        failures = after.get("failures", 0)
        wait = min(_AGAIN * 2**failures, _AGAIN_AT_MOST)
        times.put(after | {"next_at": at + wait, "failures": failures + 1})

    return run


def _entry_run(server: StubServer, times: Collection, entry: Entry, at: datetime) -> Callable[[], None]:
    def call_at(time: datetime) -> Context:
        return system_call(server, times.tenant_id, time, f"timetable:{entry.name}")

    def run() -> None:
        what = f"{entry.name} of {times.tenant_id}"
        if not _is_passed_over(server, times, entry, at):
            with isolate(server.store, what):
                server.timetable.recurring[entry](call_at(at))
            with isolate(server.store, what):
                _look_ahead(server, times, entry, at, call_at)
        times.put(Document(id=entry.name, due_at=at + entry.every, last_run=at))

    return run


def _is_passed_over(server: StubServer, times: Collection, entry: Entry, at: datetime) -> bool:
    writes, until = server.idle.get((times.tenant_id, entry.name), (-1, at))
    return entry.idleness is not None and at <= until and writes == _writes(server, times, entry.idleness)


def _look_ahead(
    server: StubServer, times: Collection, entry: Entry, at: datetime, call_at: Callable[[datetime], Context]
) -> None:
    """Note how many of the missed runs after one change nothing: halved until the last of them does not."""
    if entry.idleness is not None:
        count = (server.clock.now() - at) // entry.every
        while count and not entry.idleness.is_idle(call_at(at + count * entry.every)):
            count //= 2
        known = _writes(server, times, entry.idleness), at + count * entry.every
        server.idle[times.tenant_id, entry.name] = known


def _writes(server: StubServer, times: Collection, idleness: Idleness) -> int:
    return server.store.writes(times.tenant_id, but=idleness.but | {KIND})


@contextmanager
def isolate(store: Store, what: str) -> Generator[None]:
    """Undo what the block has written where it raises anything, and log it, so that what comes next is done."""
    try:
        with store.transaction():
            yield
    except Exception:  # whatever a rule raises is that rule's failure, and nobody has asked for an answer
        LOG.exception("%s failed and was undone", what)


def system_call(server: StubServer, tenant_id: str, at: datetime, operation: str) -> Context:
    """Return the call of a company that nobody made: the stub acts by itself."""
    caller = Caller(tenant_id, "system", None, "system", "the timetable", auth="none")
    source: dict[str, Any] = {"dialect": "system"}
    return Context(server, caller, at, dialect="system", operation=operation, request_id=operation, source=source)
