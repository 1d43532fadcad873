"""Reads in the audit trail: single records that hold personal data, and long lists of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast, get_args

from crm_sdk.models.activities import ActivityRecord, CalendarEvent, Call, Email, Note, Task
from crm_sdk.models.contacts import Contact
from crm_sdk.models.conversations import Conversation
from crm_sdk.models.leads import Lead
from crm_sdk.models.messages import Message
from crm_sdk.models.users import User
from crm_sdk.operation import Operation
from crm_sdk.resource import Sync

from ..data.document import Document
from ..history import audit

if TYPE_CHECKING:
    from ..serving import Context

LONG = 100
"""Of a list with more records than these there is an entry."""
_NAMES: Mapping[Any, str] = {
    Contact: "contact", Lead: "lead", Conversation: "conversation", Message: "message", User: "user",
    ActivityRecord: "activity", CalendarEvent: "event", Task: "task", Call: "call", Email: "email", Note: "note",
}  # fmt: skip
"""The models of records with personal data, and what their reads are called: ``contact.read``."""
_ACTIVITIES = frozenset({"activity", "event", "task", "call", "email", "note"})
_TOGETHER: Mapping[str, str] = {
    "contact": "contacts", "lead": "leads", "conversation": "conversations", "message": "messages", "user": "users",
    "activity": "activities",
}  # fmt: skip
"""The entities whose records hold personal data, and the id that stands for many of them."""
_OF_EVERY_NOUN = frozenset({"objects.scan", "objects.batch_get", "changes.list"})


def note(call: Context, operation: Operation[..., Any], answer: Any, arguments: Mapping[str, Any]) -> None:
    """Write to the audit trail that the caller was answered a record with personal data, or a long list of them."""
    if not (operation.reads and call.server.log_reads and call.caller.tenant_id):
        return
    if operation.id in _OF_EVERY_NOUN:
        answer = answer["items"]
    names = _names(operation)
    if isinstance(answer, Sequence):
        items = cast("Sequence[Mapping[str, Any]]", answer)  # a page may be made as it is read
        if len(items) > LONG:
            _note_list(call, operation, items, arguments)
    elif names and answer["id"] != call.caller.user_id:  # who reads about himself reads nothing of others
        kind = answer.get("kind")
        _note_record(call, kind if kind in names else names[0], answer)


def note_included(call: Context, records: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Write to the audit trail which records came with an answer, each under its name, as if it had been asked for.

    Of more than `LONG` of an entity there is one entry, as of a list of them.
    """
    if not (call.server.log_reads and call.caller.tenant_id):
        return
    of: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for name, record in records:
        if name in _NAMES.values() and record["id"] != call.caller.user_id:
            of.setdefault(_entity(name), []).append((name, record))
    for entity, some in of.items():
        if len(some) > LONG and entity in _TOGETHER:
            _note_many(call, entity, [str(record["id"]) for _, record in some])
            continue
        for name, record in some:
            _note_record(call, name, record)


def _note_record(call: Context, name: str, record: Mapping[str, Any]) -> None:
    noun = call.server.nouns.get(name)
    told = noun.published(Document(record)) if noun is not None else record
    audit.write(call, f"{name}.read", _entity(name), told, reason=call.reason, metadata={})


def _note_list(
    call: Context, operation: Operation[..., Any], answer: Sequence[Mapping[str, Any]], arguments: Mapping[str, Any]
) -> None:
    """Write an entry for each entity of which a list has records; it has their ids."""
    of = {_entity(name) for name in _names(operation)}
    only = of.pop() if len(of) == 1 else arguments.get("entity")
    ids: dict[str, list[str]] = {}
    for item in answer:
        about: Mapping[str, Any] = item["entity"] if operation.id == "changes.list" else item
        entity = only or _entity(str(about.get("type")))
        if entity in _TOGETHER and about["id"]:
            ids.setdefault(entity, []).append(str(about["id"]))
    for entity, some in ids.items():
        _note_many(call, entity, some)


def _note_many(call: Context, entity: str, ids: Sequence[str]) -> None:
    many, said = {"id": _TOGETHER[entity]}, {"count": len(ids), "ids": ids}
    audit.write(call, f"{entity}.read", entity, many, reason=call.reason, metadata=said)


def _entity(name: str) -> str:
    return "activity" if name in _ACTIVITIES else name


@lru_cache(maxsize=1024)
def _names(operation: Operation[..., Any]) -> tuple[str, ...]:
    """Return what the records that a call answers are called, where they hold personal data."""
    return tuple(_NAMES[model] for model in _models(operation.arguments.content(Sync)) if model in _NAMES)


def _models(annotation: Any) -> Iterator[Any]:
    """Yield the models of a type: itself, those of a union or a list, and the records of hits."""
    yield annotation
    parts: Mapping[str, Any] = getattr(annotation, "__pydantic_generic_metadata__", {})
    for argument in (*get_args(annotation), *parts.get("args", ())):
        yield from _models(argument)
