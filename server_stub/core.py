"""The stub server: it turns a request into a reply. Synchronous, without I/O; one lock, one state."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from crm_sdk.operation import Operation

from . import mail
from .clock import Clock
from .collected import contributions
from .data.collection import Collection
from .data.document import Document
from .data.durable import Durable
from .data.past import Past
from .data.store import EVERY_COMPANY, Store
from .doors.opening import Doors, require_extra
from .faults.requests import Faults
from .files.contents import Contents
from .history.audit import is_read
from .history.change_log import ChangeLog
from .history.journal import Journal
from .jobs import Rest, run_due
from .jsonapi.visit import visit_of
from .live import log
from .live.hub import Live
from .nouns.entities import Entities
from .outside.mailboxes import Mailboxes
from .outside.outbox import Outbox
from .outside.remotes import Remotes
from .problems import LOG, Problem
from .request.access import identity
from .request.access.keys import KeyUses
from .request.access.ratelimit import RateLimits
from .request.http import Reply, Request
from .request.meters import Meters
from .request.reading.multipart import is_form, read_whole
from .request.router import routers
from .request.usage import Meter
from .serving import Context
from .webhooks.receivers import Webhooks
from .webhooks.records import enqueue

DEMO_START = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
"""The start of a standing clock, so that the demo data are the same in every test."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A stored state of the server, for `restore`."""

    parts: Mapping[str, Any]


class StubServer(Doors):
    """A CRM server in memory, with demo data of two companies.

    `db` is a SQLite file in which the state is stored. `enforce_limits` decides whether calls beyond a rate limit are
    refused; by default they are on a real port only, and counted in the headers in any case. `log_reads` decides
    whether the audit trail has who read personal data. `running` lets the clock run; by default it moves by a
    millisecond per request, and by `clock.advance`. `start` sets the clock. Without `demo` there are no data.
    """

    checks_answers: ClassVar[bool] = False
    """Whether an answer that its declaration does not have raises an error; our own tests set it."""

    def __init__(
        self,
        *,
        db: str | None = None,
        enforce_limits: bool | None = None,
        log_reads: bool = True,
        running: bool = False,
        start: datetime | None = None,
        demo: bool = True,
    ) -> None:
        require_extra(find_spec)
        self._durable = Durable(db) if db is not None else None
        with ExitStack() as failing:
            failing.callback(self.close)  # a state that cannot be read is not held open
            self.lock = threading.RLock()
            self.store = Store()
            self.contents = Contents(Path(f"{db}.files") if db is not None else None)
            """The contents of the files; with a state file they are in a folder beside it."""
            self.url = "http://stub.test"
            """Where the server is reached: links to it begin so."""
            known = self._durable is not None and self._durable.load(self.store)
            meta = self._durable.meta if self._durable is not None and known else {}
            # A running clock shows the present time, a standing one continues. Demo data begin at its start.
            present = datetime.now(UTC).replace(microsecond=0)
            self.clock = Clock(start or (present if running else meta.get("start", DEMO_START)), running=running)
            self.clock.offset = timedelta(seconds=meta.get("offset", 0.0))
            self.tokens = identity.Tokens(self.clock)
            self.journal = Journal()
            self.faults = Faults()
            self._past = Past()
            self._forgets = False
            self.limits = RateLimits()
            self.meter = Meter(meta.get("meter"))
            """The number of calls that each company makes."""
            self.meters = Meters(self.clock.now())
            """The figures of the requests of each company."""
            self.enforce_limits = enforce_limits
            self.log_reads = log_reads
            """Whether reads of personal data are written to the audit trail."""
            self.key_uses = KeyUses(meta.get("key_uses", {}))
            """How often each API key was used."""
            self._requests = meta.get("requests", 0)
            # A running server without a state file must not continue the event numbers of an earlier process.
            self.epoch: int = meta.get("epoch", int(present.timestamp()) if running else 1)
            """The numbering of events; it changes when a state is restored."""
            self.followers: list[Callable[[], None]] = []
            """Called within the lock after each request and whenever time has passed, to look for new events."""
            self.origin = "http://stub.test"
            """The URL that the latest request came to, for the links in its answer."""
            self.live = Live(self)
            """The live connections and their faults."""
            self.rest: Rest | None = None  # until when no scheduled work is due, where that is known
            self._busy = False
            self.webhooks = Webhooks(self)
            """The receivers of webhooks in this process, and the log of deliveries."""
            self.remotes = Remotes(self)
            """The systems that the integrations of the first demo company synchronise with."""
            self.mailboxes = Mailboxes(self)
            """The mailboxes of the integrations of the first demo company."""
            given = contributions()
            self.nouns = given.nouns
            """The nouns of the data, by kind."""
            self._shared = frozenset(kind for kind, noun in self.nouns.items() if noun.shared)
            self.rules, self.steps, self.reactions = given.rules, given.steps, given.reactions
            self.timetable, self.feeds, self.links = given.timetable, given.feeds, given.links
            self.erasing = given.erasing
            self.write_checks = given.write_checks
            self.view_fields = given.view_fields
            self.outbox = Outbox(self.store)
            """The messages that left the company by e-mail, SMS, push and chat, and the services that take them."""
            self.entities = Entities(self, given.feeds.models)
            """The nouns, and the records of custom objects, as the calls for every noun name them."""
            self.change_log = ChangeLog(self)
            """Writes an entry for every version of a record."""
            self.idle: dict[tuple[str, str], tuple[int, datetime]] = {}
            """For a company and recurring work: the count of writes for which it changes nothing until a time."""
            self.routers = routers()
            self.clock.moved = self.catch_up
            if not known and demo:
                from .seed.companies import seed

                for content in seed(self.store, self.clock, given):
                    self.contents.keep_bytes(content)
            self.store.before_commit = self.change_log.write
            self._save()
            self._sweep()
            self._options_of_start: dict[str, Any] = {
                "running": running,
                "demo": demo,
                "start": None if running else start,
            }
            # With a state file the initial state is the demo data: a snapshot, which would read the file, is not taken.
            self._first = self.snapshot() if self._durable is None else None
            failing.pop_all()

    # -- public interface --------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Return the whole state: data, time, limits, journal, faults."""
        with self.lock:
            return Snapshot(
                {name: part.snapshot() for name, part in self._parts().items()} | {"requests": self._requests}
            )

    def restore(self, snapshot: Snapshot) -> None:
        """Restore the state of a snapshot."""
        with self.lock:
            for name, part in self._parts().items():
                part.restore(snapshot.parts[name])
            self._requests = snapshot.parts["requests"]
            self._past = Past()
            self.epoch += 1
            self._settle()

    def reset(self) -> None:
        """Restore the initial state of the server: the demo data."""
        self.restore(self._first or StubServer(**self._options_of_start).snapshot())

    def _parts(self) -> dict[str, Any]:
        return {
            "store": self.store,
            "contents": self.contents,
            "clock": self.clock,
            "limits": self.limits,
            "meter": self.meter,
            "key_uses": self.key_uses,
            "meters": self.meters,
            "journal": self.journal,
            "faults": self.faults,
            "live": self.live.faults,
            "webhooks": self.webhooks,
            "outbox": self.outbox,
        }

    def audit(self, tenant: str = "tenant_acme", *, reads: bool = False) -> list[Document]:
        """Return a company's audit trail, oldest first; the entries of reads only with `reads`."""
        entries = self.store.collection(tenant, "audit").all()
        return entries if reads else [one for one in entries if not is_read(one)]

    @property
    def mails(self) -> list[mail.Mail]:
        """The mails that the platform itself has sent (verification, password reset, invitation), oldest first."""
        return mail.outbox(self.store)

    def close(self) -> None:
        """Close the state file."""
        if self._durable is not None:
            self._durable.close()
            self._durable = None

    def __enter__(self) -> StubServer:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # -- interface for rules -----------------------------------------------------------------------------------

    def tenant(self, tenant_id: str) -> Document:
        """Return a company's record."""
        doc = self.store.collection(tenant_id, "tenant").get(tenant_id)
        if doc is None:
            raise Problem("UNAUTHORIZED", "the company of this credential does not exist any more")
        return doc

    def collection(self, tenant_id: str, kind: str) -> Collection:
        """Return a company's records of a kind, or those that all companies share."""
        return self.store.collection(EVERY_COMPANY if kind in self._shared else tenant_id, kind)

    def can_write(self) -> bool:
        """Return whether what is written now would be kept."""
        return self._durable is None or self._durable.can_write()

    @property
    def folder(self) -> str | None:
        """The folder of the state file; None where there is no state file."""
        return str(self._durable.path.resolve().parent) if self._durable is not None else None

    def has_rule(self, operation: Operation[..., Any]) -> bool:
        """Return whether an operation has a rule; one without answers 501."""
        return operation in self.rules

    def epoch_of(self, tenant_id: str) -> str:
        """Return the numbering of a company's changes and events: of the server's state, and of the company's own."""
        restored = self.store.last_count(f"epoch:{tenant_id}")
        return f"{self.epoch}r{restored}" if restored else str(self.epoch)

    def begin_epoch(self, tenant_id: str) -> None:
        """Begin a new numbering of a company's changes and events: its positions and live connections end."""
        self.store.count(f"epoch:{tenant_id}")

    def record_event(self, call: Context, entry: Document, entity: Mapping[str, Any]) -> None:
        """Write an event to the log of events, with its webhook deliveries."""
        enqueue(call, log.record(call, entry, entity))

    # -- one request -------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Reply:
        """Answer a request; webhooks that it causes are posted to receivers in this process before this returns."""
        kind = request.headers.get("content-type", "")
        if request.form is None and request.body and is_form(kind):
            request = replace(request, body=b"", form=read_whole(kind, (request.body,)))
        try:
            reply = self._handle(request)
        finally:
            if request.form is not None:
                request.form.close()
        self.webhooks.deliver()
        return reply

    def _handle(self, request: Request) -> Reply:
        with self.lock:
            began = time.perf_counter()
            self.clock.tick()
            self._requests += 1
            self._busy = True
            try:
                run_due(self)
                self._note_state()
                self.origin = f"http://{request.headers.get('host') or 'stub.test'}"
                visit = visit_of(self, request, self.clock.now(), f"req_{self._requests:08x}")
                reply = visit.reply()
                visit.count(reply)
            finally:
                self._busy = False
            try:
                self._settle()
            except sqlite3.Error as error:
                reply = visit.not_saved(error)
            taken = time.perf_counter() - began
            if visit.operation is not None:
                self.meters.count(visit.caller.tenant_id, visit.operation.id, reply, visit.now, taken)
            self.journal.record(
                visit.now,
                visit.face.name,
                request.method,
                request.path,
                request.query,
                visit.operation.id if visit.operation else None,
                visit.caller.tenant_id or None,
                reply.status,
                visit.request_id,
                request.headers.get("idempotency-key"),
                int(taken * 1_000_000),
                visit.caller.user_id,
            )
            return reply

    def catch_up(self) -> None:
        """Carry out everything that is due; called when the clock is advanced, and repeatedly while it runs."""
        with self.lock:
            if self._busy:  # a request moved the clock: the next request carries out what is due
                return
            self._busy = True
            try:
                run_due(self)
            finally:
                self._busy = False
            try:
                self._settle()
            except sqlite3.Error:
                LOG.exception("what was due was not saved: it is carried out again")
        self.webhooks.deliver()

    @contextmanager
    def behind(self, seconds: float) -> Generator[None]:
        """Let rules see the data as they were so many seconds ago; what they write within the block is lost."""
        present = self.store
        self.store = self._past.at(self.clock.now(), seconds)
        try:
            yield
        finally:
            self.store = present

    def forget_past(self) -> None:
        """Drop the earlier states that a lagging search sees, and with the next save those in the state file."""
        self._past = Past()
        self._forgets = True

    def _note_state(self) -> None:
        self._past.note(self.store, self.clock.now(), self.faults.longest_lag)

    def _settle(self) -> None:
        self._save()
        if self.contents.doubtful:
            self._sweep()
        self._note_state()
        for follow in tuple(self.followers):
            follow()

    def _sweep(self) -> None:
        """Remove the contents of files that no record names, which was saved before."""
        versions = (version for each in self.store.across("file_version") for version in each.backwards())
        self.contents.sweep({version["checksum"] for version in versions})

    def _save(self) -> None:
        if self._durable is not None:
            meta = {
                "counters": self.store.counters,
                "start": self.clock.start,
                "offset": self.clock.offset.total_seconds(),
                "requests": self._requests,
                "epoch": self.epoch,
                "meter": self.meter.present,
                "key_uses": self.key_uses.snapshot(),
            }
            try:
                self._durable.save(self.store.changes(), meta)
                if self._forgets:
                    self._durable.compact()
                    self._forgets = False
            except sqlite3.Error:
                # What is not on the disk has not happened: nobody may read it, and no repetition acknowledge it.
                self._durable.load(self.store)
                self.epoch += 1
                raise
