"""Scheduled work of the stub. The times are stored as records, so that they survive snapshots and restarts.

Work at a fixed interval is marked `recurs`; work at times that follow from the data, such as reminders, is marked
`falls_due`. Both run for each company as the system, at their scheduled time, each run in its own transaction. A run
that fails is undone and logged; it does not hold up other work, and runs again at its next time. A run that looks at
one record after the other does so with each `apart`, so that one that fails does not undo the others.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

from .caller import Caller
from .data.collection import Collection
from .data.document import Document
from .data.store import Store
from .problems import LOG
from .serving import Collections, Context

if TYPE_CHECKING:
    from .core import StubServer

KIND = "timetable"
"""The kind of the records with the next time of scheduled work, one per company and name."""
MADE_UP = 24
"""The number of missed runs that are made up for when the clock was moved far; earlier ones are skipped."""
_MADE_UP_WITHIN = timedelta(days=7)
"""The time within which missed runs of recurring work are made up for: a later run finds what an earlier one would."""
_AGAIN, _AGAIN_AT_MOST = timedelta(minutes=5), timedelta(days=1)
"""The wait before failed work of an appointment is tried again, doubled with each failure in a row, and its limit."""

Run = TypeVar("Run", bound=Callable[[Context], None])
Work: TypeAlias = Callable[[Context], None]


@dataclass(frozen=True, slots=True)
class Idleness:
    """A check for runs of recurring work that would change nothing, to skip them when the clock was moved far.

    It is called for the last missed run: if that is idle, all runs before it are skipped until a record is written. An
    effect of time alone must therefore last for at least as many runs as are made up for.
    """

    is_idle: Callable[[Context], bool]
    """Returns whether a run at the time of the call would change nothing."""
    but: frozenset[str]
    """The kinds of records that the work does not depend on."""


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """Recurring work."""

    name: str
    every: timedelta
    idleness: Idleness | None = field(default=None, compare=False)
    """None where no run is skipped."""

    @property
    def made_up(self) -> int:
        """The number of missed runs that are made up for."""
        return max(min(MADE_UP, _MADE_UP_WITHIN // self.every), 1)


@dataclass(frozen=True, slots=True)
class Appointment:
    """Work at times that follow from the data. A rule that writes data used by `times` calls `plan` afterwards."""

    name: str
    times: Callable[[Collections], Iterable[datetime]]
    """Returns when something is due, in any order; what has been done is not due any more."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """The scheduled work of all services."""

    recurring: Mapping[Entry, Work]
    appointments: Mapping[Appointment, Work]


class Task(NamedTuple):
    """Work that is due now. Tasks are ordered by time, then by rank, name and company, which no two have in common."""

    at: datetime
    rank: int
    """0 for appointments, 1 for jobs and recurring work."""
    name: str
    tenant_id: str
    run: Callable[[], None]


def recurs(name: str, *, every: timedelta, idleness: Idleness | None = None) -> Callable[[Run], Run]:
    """Mark a function as recurring work, which is called for each company at an interval."""

    def mark(run: Run) -> Run:
        vars(run)["__recurs__"] = Entry(name, every, idleness)  # read by the collector
        return run

    return mark


def falls_due(appointment: Appointment) -> Callable[[Run], Run]:
    """Mark a function as the work of an appointment, which is called for a company when it is due."""

    def mark(run: Run) -> Run:
        vars(run)["__falls_due__"] = appointment  # read by the collector
        return run

    return mark


def plan(collections: Collections, appointment: Appointment) -> None:
    """Store when the work of an appointment is due next, according to the present records of a company."""
    times = collections(KIND)
    known = times.get(appointment.name)
    planned = _next_time(collections, appointment, known or Document(id=appointment.name, next_at=None, failures=0))
    if known is None or known["next_at"] != planned["next_at"]:
        times.put(planned)


def _next_time(collections: Collections, appointment: Appointment, known: Document) -> Document:
    """Return when the work of an appointment is due next; what was late at its last run is when that is tried again."""
    late: datetime | None = known.get("late_until")
    times = (known["again_at"] if late is not None and at <= late else at for at in appointment.times(collections))
    soonest: datetime | None = min(times, default=None)
    return known | {"next_at": soonest}


def planned_tasks(server: StubServer, now: datetime) -> Iterator[Task]:
    """Yield what is next of each kind of work; recurring work is first due after its interval has passed once."""
    table, store = server.timetable, server.store
    for times in store.across(KIND):
        for appointment in table.appointments:
            known = times.get(appointment.name)
            if known is not None and known["next_at"] is not None:
                run = partial(_keep_appointment, server, times, appointment, known)
                yield Task(known["next_at"], 0, appointment.name, times.tenant_id, run)
    for tenants in store.across("tenant"):
        times = store.collection(tenants.tenant_id, KIND)
        for tenant in tenants:
            if tenant.get("status") == "cancelled":
                continue
            for entry in table.recurring:
                known = times.get(entry.name)
                at = known["due_at"] if known else max(server.clock.start, tenant["created_at"]) + entry.every
                if at <= now:
                    missed = (now - at) // entry.every
                    at += max(missed + 1 - entry.made_up, 0) * entry.every
                yield Task(at, 1, entry.name, tenants.tenant_id, partial(_recur, server, times, entry, at))


def _keep_appointment(server: StubServer, times: Collection, appointment: Appointment, known: Document) -> None:
    """Carry out the work of an appointment at its time, and store when it is due next."""
    at: datetime = known["next_at"]
    call = system_call(server, times.tenant_id, at, appointment.name)

    def note() -> None:
        done = times.get(appointment.name) or known
        failures, later = 0, dict[str, Any](late_until=None, again_at=None)
        if any(due <= at for due in appointment.times(call.collection)):
            # It failed, or is still due: it is tried again later, so that it is not repeated without end.
            failures = done.get("failures", 0) + 1
            later = {"late_until": at, "again_at": at + min(_AGAIN * 2 ** (failures - 1), _AGAIN_AT_MOST)}
        times.put(_next_time(call.collection, appointment, done | {"failures": failures, **later}))

    with isolate(server.store, f"{appointment.name} of {times.tenant_id}"):
        server.timetable.appointments[appointment](call)
        note()
    planned = times.get(appointment.name) or known
    if planned["next_at"] is not None and planned["next_at"] <= at:  # undone, with all that was done
        note()


def _recur(server: StubServer, times: Collection, entry: Entry, at: datetime) -> None:
    """Carry out recurring work at its time, and store when it is due next."""

    def call_at(time: datetime) -> Context:
        return system_call(server, times.tenant_id, time, f"timetable:{entry.name}")

    what, done = f"{entry.name} of {times.tenant_id}", Document(id=entry.name, due_at=at + entry.every, last_run=at)
    if not _is_passed_over(server, times, entry, at):
        with isolate(server.store, what):
            server.timetable.recurring[entry](call_at(at))
            times.put(done)
        with isolate(server.store, what):
            _look_ahead(server, times, entry, at, call_at)
    if times.get(entry.name) != done:
        times.put(done)


def _is_passed_over(server: StubServer, times: Collection, entry: Entry, at: datetime) -> bool:
    writes, until = server.idle.get((times.tenant_id, entry.name), (-1, at))
    return entry.idleness is not None and at <= until and writes == _writes(server, times, entry.idleness)


def _look_ahead(
    server: StubServer, times: Collection, entry: Entry, at: datetime, call_at: Callable[[datetime], Context]
) -> None:
    """Find how many of the following missed runs change nothing: halve the number until the last run is idle."""
    if entry.idleness is not None:
        count = (server.clock.now() - at) // entry.every
        while count and not entry.idleness.is_idle(call_at(at + count * entry.every)):
            count //= 2
        known = _writes(server, times, entry.idleness), at + count * entry.every
        server.idle[times.tenant_id, entry.name] = known


def _writes(server: StubServer, times: Collection, idleness: Idleness) -> int:
    return server.store.writes(times.tenant_id, but=idleness.but | {KIND})


def apart(call: Context, doc: Mapping[str, Any]) -> AbstractContextManager[None]:
    """Undo what is written about one of the records that work looks at if that fails, and log it; the others go on."""
    return isolate(call.server.store, f"{call.operation} of {doc['id']}")


@contextmanager
def isolate(store: Store, what: str) -> Generator[None]:
    """Undo the writes of the block if it raises an exception, and log the exception."""
    try:
        with store.transaction():
            yield
    except Exception:  # no caller waits for an answer: a failure of a rule is only logged
        LOG.exception("%s failed and was undone", what)


def system_call(server: StubServer, tenant_id: str, at: datetime, operation: str) -> Context:
    """Return the context of a call by the system for a company."""
    caller = Caller(tenant_id, "system", None, "system", "the timetable", auth="none")
    source: dict[str, Any] = {"dialect": "system"}
    return Context(server, caller, at, dialect="system", operation=operation, request_id=operation, source=source)
