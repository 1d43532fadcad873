"""What a rule sees of a request, and how it says which declared operation it serves.

A rule is a function in ``services/<noun>.py``::

    @serves(Leads.create)
    def create(call: Context, lead: Members) -> Document: ...

It gets every declared argument by name, validated and with snake_case members, but for paging: the core cuts the page
out of the sequence a list rule returns.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, cast

from crm_sdk.operation import Operation
from crm_sdk.wire import read_instant

from . import audit
from .data.collection import Collection
from .data.document import Document
from .problems import Problem

if TYPE_CHECKING:
    from .core import StubServer

Members: TypeAlias = Mapping[str, Any]
"""The members of a body as they were sent: absent ones are absent, null is None."""
Collections: TypeAlias = Callable[[str], Collection]
"""Returns the records of a kind of one company."""
Rule = TypeVar("Rule", bound=Callable[..., Any])

PAGING = frozenset({"limit", "offset", "page"})
STAMPS = frozenset({"id", "created_at", "updated_at", "created_by", "version", "deleted_at"})
"""The members of a record that only the server writes."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking."""

    tenant_id: str
    actor_id: str
    """``user_…``, ``apikey_…``, ``app_…`` or ``system``; what `created_by` of a record holds."""
    user_id: str | None
    """The user behind it; None where there is none."""
    role: str
    name: str = ""
    email: str | None = None
    auth: Literal["token", "api_key", "none"] = "token"
    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a rule returns where the declared status or the headers do not say it all."""

    value: Any
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """A file to download, piece by piece."""

    name: str
    content_type: str
    chunks: Iterable[bytes]
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


class Context:
    """One request on its way through a rule: who asks, when, and the data of their company."""

    __slots__ = ("caller", "dialect", "ignored", "now", "operation", "reason", "request_id", "server", "source")

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
    ) -> None:
        self.server = server
        self.caller = caller
        self.now = now
        self.dialect = dialect
        self.operation = operation
        self.request_id = request_id
        self.source = source
        """What the audit trail says of the request: dialect, method, path."""
        self.ignored: Mapping[str, Any] = ignored or {}
        """The members of a body that a fetched record has and no write may set, by name, as they were sent."""
        self.reason = reason
        """Why the caller does this, as the audit trail is to say; None: the rule says so, where it knows."""

    def acting_as(self, caller: Caller) -> Context:
        """Return this call as one of somebody else's, such as the user a sign-in turned out to be of."""
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
        )

    # -- data --------------------------------------------------------------------------------------------------

    def collection(self, kind: str) -> Collection:
        """Return the records of a kind of the caller's company."""
        return self.server.store.collection(self.caller.tenant_id, kind)

    def found(self, kind: str, id: str) -> Document | None:
        """Return a live record of the caller's company, or None; the id of a merged record gives its survivor."""
        records = self.collection(kind)
        doc = records.get(id, deleted=True)
        while doc is not None and doc.get("deleted_at") is not None:
            doc = records.get(doc["merged_into"], deleted=True) if doc.get("merged_into") else None
        return doc

    def record(self, kind: str, id: str) -> Document:
        """Return a live record of the caller's company. Raises the 404 that also another company's record gets."""
        doc = self.found(kind, id)
        if doc is None:
            raise Problem("NOT_FOUND", f"no {kind.replace('_', ' ')} has the id {id!r}", details={"id": id})
        return doc

    def reference(self, kind: str, id: str | None, field: str, held: object = None) -> Document | None:
        """Return the record a body refers to; the id of a merged record means its survivor. Raises 422.

        `held` is what the member holds already, an id or a list of them: it may be sent back though its record was
        deleted since, and is returned as it was.
        """
        if id is None:
            return None
        doc = self.found(kind, id)
        if doc is None and _holds(held, id):
            doc = self.collection(kind).get(id, deleted=True)
        if doc is None:
            raise Problem(
                "REFERENCE_NOT_FOUND", f"no {kind.replace('_', ' ')} has the id {id!r}", field=field, rule="reference"
            )
        return doc

    def resolved(self, kind: str, value: Any, field: str, held: object = None) -> Any:
        """Return an id of a body, or a list of ids, as it is stored: with survivors in place of merged records.

        Raises: 422 for a record that is not there, unless its id is among those that are `held` already.
        """
        if isinstance(value, (list, tuple)):
            ids = cast("Sequence[str]", value)
            return list(
                dict.fromkeys(self.resolved(kind, id, f"{field}.{index}", held) for index, id in enumerate(ids))
            )
        if value is None or (_holds(held, value) and self.found(kind, value) is None):
            return value
        doc = self.reference(kind, value, field)
        return doc["id"] if doc is not None else None

    @property
    def tenant(self) -> Document:
        """Return the caller's company, with its ``base_currency``, ``country``, ``plan``, ``lead_assignment``."""
        return self.server.tenant(self.caller.tenant_id)

    def new_id(self, prefix: str) -> str:
        """Return an id that nothing else has."""
        return self.server.store.new_id(prefix)

    def create(self, kind: str, prefix: str, members: Members) -> Document:
        """Store a new record with its id, times, creator and version 1, whatever `members` has for those."""
        stamp = {
            "id": self.new_id(prefix),
            "created_at": self.now,
            "updated_at": self.now,
            "created_by": self.caller.actor_id,
            "version": 1,
        }
        return self.collection(kind).put(Document({**stamp, **members, **stamp}))

    def update(self, kind: str, doc: Document, changes: Members) -> Document:
        """Store a record with changes, one version later."""
        stamp = {"updated_at": self.now, "version": doc.get("version", 0) + 1}
        return self.collection(kind).put(doc | changes | stamp)

    def delete(self, kind: str, doc: Document) -> Document:
        """Delete a record: it is gone for every call, but stays in the audit trail until it is purged."""
        return self.update(kind, doc, {"deleted_at": self.now})

    def lock(self, doc: Document, version: int | None = None) -> None:
        """Raise 409 where the caller knows another version of the record than there is.

        It knows one by number, or by the ``updatedAt`` of a fetched record that is sent back.
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
        reason: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Document:
        """Write what happened: to the company's audit trail, and to the log that live connections and webhooks are fed
        from.
        """
        written = audit.write(
            self, event, entity_type, entity, changes=changes, reason=self.reason or reason, metadata=metadata or {}
        )
        self.server.record_event(self, written, entity)
        for react in self.server.reactions.get(event, ()):
            react(self, written)
        return written

    def tell(self, event: str, entity_type: str, entity: Mapping[str, Any]) -> None:
        """Write to the log alone what follows from a deed: the audit trail has the deed."""
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


def changes_between(before: Members, after: Members) -> list[dict[str, Any]]:
    """Return what a write changed, field by field; bookkeeping left out."""
    skipped = {"updated_at", "version", "deleted_at"}
    return [
        {"field": name, "before": before.get(name), "after": after.get(name)}
        for name in after
        if name not in skipped and before.get(name) != after.get(name)
    ]


@dataclass(frozen=True, slots=True)
class RecordType:
    """Records of a kind and the model they are shown as, also in events; a service has one at the top of a module."""

    kind: str
    model: Any
    in_dialect: Callable[[str, Members], Mapping[str, Any]] | None = None
    """Returns a record as a dialect spells its values; None where all spell them alike."""


def serves(operation: Operation[..., Any]) -> Callable[[Rule], Rule]:
    """Mark a function as the rule of a declared operation. Its arguments are checked now, at import.

    One that hands all of them on takes ``**given``.
    """

    def mark(rule: Rule) -> Rule:
        code: Any = getattr(rule, "__code__")  # noqa: B009 # a rule is a plain function, which its type does not say
        taken = set(code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount])
        declared = set(operation.signature.parameters) - PAGING
        if taken != declared and not code.co_flags & inspect.CO_VARKEYWORDS:
            raise TypeError(
                f"the rule {rule.__module__}.{rule.__name__} takes {', '.join(sorted(taken)) or 'nothing'}, but "
                f"{operation.id} declares {', '.join(sorted(declared)) or 'nothing'}"
            )
        vars(rule)["__operation__"] = operation  # read by the collector
        return rule

    return mark


def runs(kind: str) -> Callable[[Rule], Rule]:
    """Mark a function as one step of the jobs of a kind: it gets (call, job) and returns the job's new members."""

    def mark(rule: Rule) -> Rule:
        vars(rule)["__job_kind__"] = kind  # read by the collector
        return rule

    return mark


Completion = TypeVar("Completion", bound=Callable[[Document, Collections, datetime], Document])


def completes(kind: str) -> Callable[[Completion], Completion]:
    """Mark a function as what gives stored records of a kind the members that are computed from other records.

    It gets the record, a function that returns the records of a kind, and the time. Demo data are completed with it.
    """

    def mark(completion: Completion) -> Completion:
        vars(completion)["__completes__"] = kind  # read by the collector
        return completion

    return mark


Reaction = TypeVar("Reaction", bound=Callable[[Context, Document], None])


def reacts(*events: str) -> Callable[[Reaction], Reaction]:
    """Mark a function as what follows events, whatever they came from: it gets the call and the entry of the trail."""

    def mark(reaction: Reaction) -> Reaction:
        vars(reaction)["__reacts__"] = frozenset(events)  # read by the collector
        return reaction

    return mark
