"""The interface of rules: the context of a request, and the marks that connect functions to the server.

A rule is a function in ``services/<noun>.py``::

    @serves(Leads.create)
    def create(call: Context, lead: Members) -> Document: ...

It gets every declared argument by name, validated and with snake_case members, except paging: the core cuts the page
out of the sequence that a list rule returns.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from crm_sdk.methods import DeclaredMethod
from crm_sdk.operation import Operation
from crm_sdk.wire import read_instant

from .caller import Caller
from .data.collection import Collection
from .data.document import Document
from .history import audit
from .languages.negotiation import language_for
from .problems import Problem, missing

if TYPE_CHECKING:
    from .core import StubServer

Members: TypeAlias = Mapping[str, Any]
"""The members of a body as sent: absent members are absent, null is None."""
Collections: TypeAlias = Callable[[str], Collection]
"""A function that returns the records of a kind of one company."""
Rule = TypeVar("Rule", bound=Callable[..., Any])

PAGING = frozenset({"limit", "offset", "page"})
STAMPS = frozenset({"id", "created_at", "updated_at", "created_by", "version", "deleted_at"})
"""The members of a record that only the server writes."""


_AHEAD = timedelta(minutes=5)
"""So far ahead of ours the clock of a caller may be."""


class Context:
    """The context of a request for its rule: the caller, the time, and the data of the caller's company."""

    __slots__ = (
        "caller", "dialect", "headers", "ignored", "now", "operation", "reason", "request_id", "server", "source",
    )  # fmt: skip

    def __init__(
        self,
        server: StubServer,
        caller: Caller,
        now: datetime,
        *,
        dialect: str,
        operation: str,
        request_id: str,
        source: Mapping[str, Any],
        ignored: Mapping[str, Any] | None = None,
        reason: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.server = server
        self.caller = caller
        self.now = now
        self.dialect = dialect
        self.operation = operation
        self.request_id = request_id
        self.source = source
        """The request in the audit trail: dialect, method, path."""
        self.ignored: Mapping[str, Any] = ignored or {}
        """The read-only members of a record in the body, by name, as sent."""
        self.reason = reason
        """The caller's reason, for the audit trail; None where the rule may give one."""
        self.headers: Mapping[str, str] = headers or {}
        """The headers of the request, with names in lower case."""

    def acting_as(self, caller: Caller) -> Context:
        """Return this call with another caller, such as the user who has just signed in."""
        return Context(
            self.server,
            caller,
            self.now,
            dialect=self.dialect,
            operation=self.operation,
            request_id=self.request_id,
            source=self.source,
            ignored=self.ignored,
            reason=self.reason,
            headers=self.headers,
        )

    @property
    def language(self) -> str:
        """The language of the answer."""
        return language_for(self.server, self.caller, self.headers.get("accept-language", ""))

    @property
    def soon(self) -> datetime:
        """The latest time that counts as now: the clocks of callers may be some minutes ahead."""
        return self.now + _AHEAD

    # -- data --------------------------------------------------------------------------------------------------

    def collection(self, kind: str) -> Collection:
        """Return the records of a kind of the caller's company, or those that all companies share."""
        return self.server.collection(self.caller.tenant_id, kind)

    def find_one(self, kind: str, id: str) -> Document | None:
        """Return a live record of the caller's company, or None; the id of a merged record returns its survivor."""
        records = self.collection(kind)
        doc = records.get(id, deleted=True)
        while doc is not None and doc.get("deleted_at") is not None:
            doc = records.get(doc["merged_into"], deleted=True) if doc.get("merged_into") else None
        return doc

    def record(self, kind: str, id: str) -> Document:
        """Return a live record that the caller may read. Raises: 404, also for a record of another company."""
        doc = self.find_one(kind, id)
        if doc is None or not self.sees(kind, doc):
            raise missing(kind, id)
        return doc

    def sees(self, kind: str, doc: Members) -> bool:
        """Return whether a record of a kind is among those that the caller has the permission to read, by its owner."""
        if (noun := self.server.nouns.get(kind)) is not None:
            return noun.in_sight(self, doc)
        entity = self.server.entities.of_collection(kind)
        return entity is None or entity.sees(self, doc)

    def reference(self, kind: str, id: str | None, field: str, held: object = None) -> Document | None:
        """Return the record a body refers to; the id of a merged record means its survivor. Raises 422.

        `held` is what the member holds already, an id or a list of them: it may be sent back though its record was
        deleted since, or is none that the caller may read, and is returned as it was.
        """
        if id is None:
            return None
        doc = self.find_one(kind, id)
        if doc is None and _holds(held, id):
            doc = self.collection(kind).get(id, deleted=True)
        if doc is None or not (_holds(held, id) or self.sees(kind, doc)):
            raise Problem(
                "REFERENCE_NOT_FOUND", f"no {kind.replace('_', ' ')} has the id {id!r}", field=field, rule="reference"
            )
        return doc

    def resolve(self, kind: str, value: Any, field: str, held: object = None) -> Any:
        """Return an id of a body, or a list of ids, as it is stored: with survivors in place of merged records.

        Raises: 422 for a record that is not there, unless its id is among those that are `held` already.
        """
        if isinstance(value, (list, tuple)):
            ids = cast("Sequence[str]", value)
            return list(dict.fromkeys(self.resolve(kind, id, f"{field}.{index}", held) for index, id in enumerate(ids)))
        if value is None or (_holds(held, value) and self.find_one(kind, value) is None):
            return value
        doc = self.reference(kind, value, field, held)
        return doc["id"] if doc is not None else None

    @property
    def tenant(self) -> Document:
        """Return the caller's company, with its ``base_currency``, ``country``, ``plan``, ``lead_assignment``."""
        return self.server.tenant(self.caller.tenant_id)

    def new_id(self, prefix: str) -> str:
        """Return a new unique id."""
        return self.server.store.new_id(prefix)

    def create(self, kind: str, prefix: str, members: Members) -> Document:
        """Store a new record with its id, times, creator and version 1, which replace those in `members`."""
        stamp = {
            "id": self.new_id(prefix),
            "created_at": self.now,
            "updated_at": self.now,
            "created_by": self.caller.actor_id,
            "version": 1,
        }
        return self.collection(kind).put(Document({**stamp, **members, **stamp}))

    def update(self, kind: str, doc: Document, changes: Members) -> Document:
        """Store a record with changes, and raise its version by one."""
        stamp = {"updated_at": self.now, "version": doc.get("version", 0) + 1}
        return self.collection(kind).put(doc | changes | stamp)

    def delete(self, kind: str, doc: Document) -> Document:
        """Delete a record softly: calls do not find it any more, but it stays stored until it is purged."""
        return self.update(kind, doc, {"deleted_at": self.now})

    def lock(self, doc: Document, version: int | None = None) -> None:
        """Raise 409 where the caller's version of the record is not the present one.

        The caller's version is `version`, or the ``updatedAt`` of a fetched record that is sent back.
        """
        current = doc.get("version")
        if version is not None and version != current:
            message = f"the record is at version {current}, not {version}: fetch it again"
            raise Problem("VERSION_CONFLICT", message, details={"current_version": current})
        at, written = read_instant(self.ignored.get("updated_at")), doc.get("updated_at")
        if (
            at is not None
            and written is not None
            and at < written.replace(microsecond=written.microsecond // 1000 * 1000)
        ):
            message = f"the record was changed at {written.isoformat()}, after the copy you sent: fetch it again"
            raise Problem("VERSION_CONFLICT", message, details={"current_version": current})

    # -- the trail ---------------------------------------------------------------------------------------------

    def emit(
        self,
        event: str,
        entity_type: str,
        entity: Mapping[str, Any],
        *,
        changes: Iterable[Mapping[str, Any]] = (),
        initial: Iterable[Mapping[str, Any]] = (),
        reason: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Document:
        """Write an event to the company's audit trail and to its log of events, for live connections and webhooks."""
        written = audit.write(
            self, event, entity_type, entity, changes=changes, initial=initial,
            reason=self.reason or reason, metadata=metadata or {},
        )  # fmt: skip
        self.server.record_event(self, written, entity)
        for react in (*self.server.reactions.get(event, ()), *self.server.reactions.get("*", ())):
            react(self, written)
        return written

    def tell(self, event: str, entity_type: str, entity: Mapping[str, Any]) -> None:
        """Write an event to the log of events only, for a consequence of an action that the audit trail already has."""
        last = self.collection(audit.KIND).last()
        entry: dict[str, Any] = {
            "action": event,
            "sequence": last["sequence"] if last is not None else 0,
            "occurred_at": self.now,
            "entity": {"type": entity_type},
            "changes": [],
            "metadata": {},
            "actor": {"type": "system", "id": "system", "name": "", "email": None, "session_id": None},
        }
        self.server.record_event(self, Document(entry), entity)


def _holds(held: object, id: str) -> bool:
    return id == held or (isinstance(held, (list, tuple)) and id in held)


def initial_values(doc: Members) -> list[dict[str, Any]]:
    """Return the values that a new record has, field by field, as changes from nothing."""
    return [
        {"field": name, "before": None, "after": value}
        for name, value in doc.items()
        if name not in STAMPS and value not in (None, "", [], {})
    ]


def changes_between(before: Members, after: Members) -> list[dict[str, Any]]:
    """Return the changes of a write, field by field, without `updated_at`, `version` and `deleted_at`."""
    skipped = {"updated_at", "version", "deleted_at"}
    return [
        {"field": name, "before": before.get(name), "after": after.get(name)}
        for name in after
        if name not in skipped and before.get(name) != after.get(name)
    ]


@dataclass(frozen=True, slots=True)
class RecordType:
    """A kind of records and the model that renders them in answers and events, declared at the top of a module."""

    kind: str
    model: Any
    in_dialect: Callable[[str, Members], Mapping[str, Any]] | None = None
    """Returns a record with the values of a dialect; None where all dialects have the same values."""


def paging_of(operation: Operation[Any, Any]) -> frozenset[str]:
    """Return the arguments by which the core cuts a page out of what a rule returns; none for a call without pages."""
    return PAGING if operation.kind == "page" else frozenset()


def serves(*methods: DeclaredMethod[..., Any]) -> Callable[[Rule], Rule]:
    """Mark a function as the rule of declared calls. Its arguments are checked now, at import.

    One that hands all of them on takes ``**given``.
    """

    def mark(rule: Rule) -> Rule:
        code: Any = getattr(rule, "__code__")  # noqa: B009 # a rule is a plain function, which its type does not tell
        operations = [method.operation for method in methods]
        taken = set(code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount])
        for operation in operations:
            declared = set(operation.signature.parameters) - paging_of(operation)
            if taken != declared and not code.co_flags & inspect.CO_VARKEYWORDS:
                raise TypeError(
                    f"the rule {rule.__module__}.{rule.__name__} takes {', '.join(sorted(taken)) or 'nothing'}, but "
                    f"{operation.id} declares {', '.join(sorted(declared)) or 'nothing'}"
                )
        vars(rule)["__operations__"] = operations  # read by the collector
        return rule

    return mark


def runs(kind: str) -> Callable[[Rule], Rule]:
    """Mark a function as the step of jobs of a kind: it gets (call, job) and returns the job's new members."""

    def mark(rule: Rule) -> Rule:
        vars(rule)["__job_kind__"] = kind  # read by the collector
        return rule

    return mark


Completion = TypeVar("Completion", bound=Callable[[Document, Collections, datetime], Document])


def completes(kind: str) -> Callable[[Completion], Completion]:
    """Mark a function that adds to records of a kind the members computed from other records, for the demo data.

    It gets the record, a function that returns the records of a kind, and the time.
    """

    def mark(completion: Completion) -> Completion:
        vars(completion)["__completes__"] = kind  # read by the collector
        return completion

    return mark


Erasing = TypeVar("Erasing", bound=Callable[[Context], int])


def erases_again(rule: Erasing) -> Erasing:
    """Mark a function that erases persons whom restored data have brought back; it returns how many."""
    vars(rule)["__erases_again__"] = True  # read by the collector
    return rule


Reaction = TypeVar("Reaction", bound=Callable[[Context, Document], None])


def reacts(*events: str) -> Callable[[Reaction], Reaction]:
    """Mark a function as a reaction to events, whatever causes them: it gets the call and the audit entry.

    ``*`` is every event; these reactions come after those to the event itself.
    """

    def mark(reaction: Reaction) -> Reaction:
        vars(reaction)["__reacts__"] = frozenset(events)  # read by the collector
        return reaction

    return mark
