"""Deleted records of any entity: which there are, and how they come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from crm_sdk.resources.objects import DeletedObjects, Objects
from crm_sdk.wire import camel, is_array

from ...bulk import carry_out, error_of
from ...data.document import Document
from ...data.keys import taken_values
from ...data.mapped import Mapped
from ...data.queries.query import matches, sort_documents
from ...files.storing import FILE, VERSION
from ...history import trash
from ...noun import Noun
from ...nouns.entities import Entity
from ...nouns.references import target_of
from ...problems import Problem, missing
from ...request.access import permissions
from ...serving import Context, serves
from ..audit.purging import DELETED, holds
from ..audit.retention import policies_of
from ..files.limits import require_storage
from .reading import some
from .relationships import NEEDED
from .showing import shown_as

_DAYS = 30
"""So long deleted records are kept where no policy says otherwise."""


@serves(DeletedObjects.list)
def list_(
    call: Context,
    entity: str,
    search: str | None,
    deleted_by: str | None,
    since: datetime | None,
    until: datetime | None,
    restorable: bool | None,
    sort: str | None,
    order: str | None,
) -> Sequence[Document]:
    """Return the deleted records of an entity, the last deleted first."""
    found = call.server.entities.named(call, entity, "delete", "restore")
    docs = [
        shown
        for doc in call.collection(found.collection).backwards()
        if doc.get("deleted_at") is not None
        and not doc.get("merged_into")
        and found.has(doc)
        and permissions.permits(call.caller, found.word, "delete", doc)
        and (since is None or doc["deleted_at"] >= since)
        and (until is None or doc["deleted_at"] < until)
        and matches(shown := _view(call, found, doc), search, ("name",))
        and deleted_by in (None, shown["deleted_by"])
    ]
    found_ones = sort_documents(docs, sort, order, ("deleted_at", "name"), default="deleted_at")
    if restorable is None:
        return Mapped(found_ones, lambda one: _with_obstacles(call, found, one))
    return [one for one in (_with_obstacles(call, found, doc) for doc in found_ones) if one["restorable"] is restorable]


def _view(call: Context, entity: Entity, doc: Document) -> Document:
    note = call.collection(trash.KIND).get(doc["id"])
    return Document(
        id=doc["id"],
        created_at=doc.get("created_at"),
        updated_at=doc.get("updated_at"),
        entity=entity.name,
        name=doc.get("name") or doc.get("title") or doc.get("subject"),
        deleted_at=doc["deleted_at"],
        deleted_by=note["deleted_by"] if note is not None else "system",
        purge_at=_purge_at(call, entity.collection, doc),
    )


def _purge_at(call: Context, kind: str, doc: Document) -> datetime | None:
    """Return when a record is deleted for good: by the policy of deleted records; None while it is held."""
    policies = policies_of(call)
    policy = next((one for one in policies if one["entity_type"] == DELETED and one["enabled"]), None)
    if holds(call, policies)((DELETED, kind, str(doc.get("object"))), doc):
        return None
    days = policy["retain_days"] if policy is not None else _DAYS
    at: datetime = doc["deleted_at"]
    return at + timedelta(days=days)


def _with_obstacles(call: Context, entity: Entity, shown: Document) -> Document:
    doc = call.collection(entity.collection).get(shown["id"], deleted=True)
    blocked = [error_of(problem, call.language) for problem in _obstacles(call, entity, doc)] if doc is not None else []
    return shown | {"restorable": not blocked, "blocked_by": blocked}


def _obstacles(call: Context, entity: Entity, doc: Document) -> list[Problem]:
    """Return what is in the way of a restore: a unique value that another record has meanwhile, a limit of the plan."""
    noun = entity.noun_of(doc)
    own = {"external_id": "DUPLICATE_VALUE"} if "external_id" in noun.model.model_fields else {}
    scope = noun.within[0] if noun.within is not None else None
    found: list[Problem] = []
    for problem in taken_values(noun.records(call), doc, None, {**own, **noun.unique}, noun.places, scope):
        details = {"field": camel(problem.field or ""), "existing_id": problem.details["existing_id"]}
        message = f"it cannot be restored: {problem.message}"
        found.append(Problem("RESTORE_CONFLICT", message, field=problem.field, rule="unique", details=details))
    try:
        _require_room(call, noun, doc)
    except Problem as problem:
        found.append(problem)
    return found


def _require_room(call: Context, noun: Noun, doc: Document) -> None:
    """Raise 403 LIMIT_EXCEEDED where the company may not have a record more, or not the bytes of a file."""
    noun.require_room(call)
    if noun.collection == FILE:
        require_storage(call, sum(version["size"] for version in call.collection(VERSION).find("file_id", doc["id"])))


@serves(Objects.restore)
def restore(call: Context, entity: str, ids: Sequence[str], atomic: bool) -> dict[str, Any]:
    """Restore deleted records."""
    found = call.server.entities.named(call, entity, "delete", "restore")
    permissions.check(call.caller, found.word, "create")
    some(ids, "ids")
    show = shown_as(call, found)

    def bring_back(id: str) -> Any:
        doc = call.collection(found.collection).get(id, deleted=True)
        if doc is None or not found.has(doc) or not found.sees(call, doc):
            raise missing(found.name, id)
        if doc.get("deleted_at") is None:
            raise Problem("NOT_DELETED", f"{id} is not deleted", details={"id": id})
        if doc.get("merged_into"):
            message = f"{id} was merged into {doc['merged_into']}"
            raise Problem("RECORD_MERGED", message, details={"survivor_id": doc["merged_into"]})
        permissions.check(call.caller, found.word, "delete", doc)
        for problem in _obstacles(call, found, doc):
            raise problem
        return show(_restored_record(call, found, doc))

    return carry_out(call, ids, bring_back, field="ids", id_of=str, atomic=atomic)


def _restored_record(call: Context, entity: Entity, doc: Document) -> Document:
    """Restore a record, what its delete took elsewhere, and the figures that follow; publish the event."""
    noun = entity.noun_of(doc)
    new = call.update(noun.collection, doc, {"deleted_at": None, **_lost_references(call, noun, doc)})
    for kind, before, after in trash.give_back(call, doc["id"]):
        _publish(call, kind, before, after, of=doc["id"])
    new = call.collection(noun.collection).get(new["id"]) or new
    if noun.follow is not None:
        new = noun.follow(call, new, new) or call.collection(noun.collection).get(new["id"]) or new
    noun.publish(call, "restored", new)
    return new


def _publish(call: Context, kind: str, before: Document, after: Document, *, of: str) -> None:
    """Publish that a record came back with another, or is as it was before that was deleted; no part of that one."""
    noun = call.server.nouns[kind]
    if noun.within is not None and after[noun.within[0]] == of:
        return
    back = before.get("deleted_at") is not None
    noun.publish(call, "restored" if back and noun.within is None else "updated", after, before=before)


def _lost_references(call: Context, noun: Noun, doc: Mapping[str, Any]) -> dict[str, Any]:
    """Return the references of a record whose records are gone meanwhile as null, or as the survivor of a merge."""
    found: dict[str, Any] = {}
    nouns = call.server.nouns
    given = ((name, target_of(name, noun.kind, noun.refers, nouns.__contains__)) for name in noun.create_hints)
    refers = {name: nouns[kind].collection for name, kind in given if kind and kind in nouns and kind not in NEEDED}
    for name, kind in {**refers, **noun.refers}.items():
        value = doc.get(name)
        if isinstance(value, str):
            other = call.find_one(kind, value)
            if (other["id"] if other is not None else None) != value:
                found[name] = other["id"] if other is not None else None
        elif is_array(value):
            ids = [other["id"] for id in value if (other := call.find_one(kind, str(id))) is not None]
            if ids != value:
                found[name] = ids
    return found
