"""The noun of the records of custom objects, and what follows when one, or what it links, is written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from crm_sdk.models.custom_records import CustomRecord
from crm_sdk.resources.custom_objects import CustomRecords

from ...data.document import Document
from ...noun import Check, Noun
from ...problems import Problem
from ...serving import Collections, Context, Members, changes_between, completes, reacts
from .checking import record_form
from .definitions import (
    CORE,
    REFERABLE,
    holds_many,
    ids_in,
    is_link,
    keys_of,
    linked_record,
    object_named,
    records_of,
    relationships_of,
    target_of,
    values_of,
)
from .finding import found_by, has_id, linking, members_of

_KEPT_APART = frozenset({"fields", "links", "values", "name", "related"})


class _Records(Noun):
    """The noun of records: their values are checked by their object, which events have as the type of the entity."""

    def stored_form(
        self, call: Context, given: Members, before: Document | None = None, *, check: Check | None = None
    ) -> dict[str, Any]:
        """Return the stored form of members, with values checked against the object; a new one has its `object_id`."""
        return record_form(self, call, given, before)

    def publish(
        self,
        call: Context,
        verb: str,
        doc: Document,
        *,
        before: Document | None = None,
        metadata: Members | None = None,
        reason: str | None = None,
    ) -> None:
        """Publish ``record.<verb>`` of a record of a custom object."""
        changes: list[dict[str, Any]] = []
        if before is not None:
            changes = [entry for entry in changes_between(before, doc) if entry["field"] not in _KEPT_APART]
            old, new = before["fields"], doc["fields"]
            changes += [
                {"field": f"fields.{name}", "before": old.get(name), "after": new.get(name)}
                for name in dict.fromkeys((*old, *new))
                if old.get(name) != new.get(name)
            ]
        said = {"object_id": doc["object_id"], **(metadata or {})}
        call.emit(f"record.{verb}", doc["object"], doc, changes=changes, metadata=said, reason=reason)


@completes("record")
def complete(doc: Document, collections: Collections, now: datetime) -> Document:
    """Return a record of the demo data with the members by which it is found."""
    kinds = ("field", "object_relationship")
    keys = {key["api_name"]: key for kind in kinds for key in collections(kind).find("object_id", doc["object_id"])}
    return doc | found_by(keys, doc["fields"])


def rewrite(call: Context, object_id: str, change: Callable[[dict[str, Any]], object], **said: str) -> None:
    """Change the values of all records of an object, each in place; each record that differs is written and told of."""
    for doc in records_of(call, object_id):
        _set(call, object_id, doc, change, said)


def _noun_of(call: Context, object_id: str, doc: Document) -> Noun:
    """Return the noun of a record of a custom object, or of a kind of the CRM itself that has further fields."""
    entity = call.server.entities.find(call, object_id) if object_id in CORE else None
    return entity.noun_of(doc) if entity is not None else RECORDS


def _set(
    call: Context,
    object_id: str,
    doc: Document,
    change: Callable[[dict[str, Any]], object],
    said: Members | None = None,
) -> None:
    values = dict(values_of(doc, object_id))
    change(values)
    if object_id in CORE:
        held = {name: value for name, value in values.items() if value is not None}
        _noun_of(call, object_id, doc).change(call, doc, {"custom_fields": held}, metadata=said)
        return
    found = object_named(call, object_id)
    if found is not None and values != doc["fields"]:
        RECORDS.change(call, doc, members_of(call, found, values), metadata=said)


# -- what follows a write ----------------------------------------------------------------------------------------------


def _follow(call: Context, before: Document | None, after: Document | None) -> None:
    """Write the links on their other side, and what is to happen to those that link a deleted record."""
    if after is None:
        if before is not None:
            _let_go(call, before["id"])
        return
    for relationship in relationships_of(call, after["object_id"]):
        inverse = call.collection("object_relationship").get(relationship.get("inverse_id") or "")
        if inverse is None:
            continue
        name = relationship["api_name"]
        old, new = (ids_in(doc["fields"].get(name)) if doc is not None else [] for doc in (before, after))
        for id in (*old, *new):
            if (id in old) != (id in new):
                _mirror(call, id, inverse, after["id"], linked=id in new)


def _mirror(call: Context, id: str, inverse: Members, other_id: str, *, linked: bool) -> None:
    """Write a link, or take it away, where it is seen from the other side."""
    doc = call.collection("record").get(id)
    name = inverse["api_name"]
    if doc is None or has_id(doc["fields"].get(name), other_id) is linked:
        return

    def change(values: dict[str, Any]) -> None:
        if linked:
            values[name] = [*ids_in(values.get(name)), other_id] if holds_many(inverse) else other_id
        else:
            _take(values, name, other_id)

    _set(call, doc["object_id"], doc, change)


def _take(values: dict[str, Any], name: str, id: str, instead: str | None = None) -> None:
    """Take an id out of the value of a link, or put another in its place."""
    value = values[name]
    if isinstance(value, list):
        kept = [instead if one == id else one for one in ids_in(value)]
        values[name] = list(dict.fromkeys(one for one in kept if one is not None)) or None
    else:
        values[name] = instead


def _refuse_held(call: Context, doc: Members) -> None:
    """Raise 409 where a record is held by what links it: ``on_delete="restrict"``."""
    holding = [
        one["id"]
        for one, keys in linking(call, doc["id"])
        if one["id"] != doc["id"] and any(key["on_delete"] == "restrict" for key in keys)
    ]
    if holding:
        named = doc.get("name") or doc.get("title") or doc["id"]
        message = f"{named} cannot be deleted while {', '.join(holding[:3])} refer to it"
        raise Problem("RECORD_REFERENCED", message, details={"record_ids": holding[:20]})


def _let_go(call: Context, id: str) -> None:
    """Delete what links a deleted record with ``cascade``, and take the link out of the others."""
    for one, keys in linking(call, id):
        object_id = keys[0]["object_id"]
        noun = _noun_of(call, object_id, one)
        doc = call.collection(noun.collection).get(one["id"])
        if doc is None:  # deleted by an earlier one
            continue
        if any(key["on_delete"] == "cascade" for key in keys):
            _take_along(call, noun, doc)
            continue

        def change(values: dict[str, Any], keys: list[Document] = keys) -> None:
            for key in keys:
                _take(values, key["api_name"], id)

        _set(call, object_id, doc, change)


def _take_along(call: Context, noun: Noun, doc: Document) -> None:
    """Delete what links a deleted record; what cannot be deleted itself holds it. Raises: 409."""
    try:
        noun.remove(call, doc)
    except Problem as problem:
        message = f"{doc['id']} would be deleted with it, but: {problem.message}"
        raise Problem("RECORD_REFERENCED", message, details={"record_ids": [doc["id"]]}) from problem


@reacts(*(f"{kind}.deleted" for kind in REFERABLE))
def let_go(call: Context, entry: Document) -> None:
    """Do with the records that link a deleted record of the CRM what their fields say; they may hold it."""
    kind, id = entry["action"].partition(".")[0], entry["entity"]["id"]
    doc = call.collection(kind).get(id, deleted=True)
    if doc is not None and doc.get("merged_into") is None:
        _refuse_held(call, doc)
        _let_go(call, id)


@reacts("contact.merged", "lead.merged", "account.merged")
def link_survivor(call: Context, entry: Document) -> None:
    """Link the survivor of a merge in place of those that were merged into it."""
    kind, id = entry["action"].partition(".")[0], entry["entity"]["id"]
    survivor = call.collection(kind).get(id)
    for merged in survivor["merged_ids"] if survivor is not None else ():
        for one, keys in linking(call, merged):

            def change(values: dict[str, Any], keys: list[Document] = keys, merged: str = merged) -> None:
                for key in keys:
                    _take(values, key["api_name"], merged, id)

            _set(call, keys[0]["object_id"], one, change)


def with_related(call: Context, doc: Document) -> Document:
    """Return a record with the records that it links, in the order of its fields."""
    found: list[dict[str, Any]] = []
    for name, key in keys_of(call, doc["object_id"]).items():
        for id in ids_in(doc["fields"].get(name)) if is_link(key) else ():
            other = linked_record(call, target_of(key), id)
            if other is not None:
                found.append(
                    {"type": target_of(key), "id": other["id"], "name": other.get("name") or other.get("title")}
                )
    return doc | {"related": list({(ref["type"], ref["id"]): ref for ref in found}.values())}


RECORDS = _Records(
    resource=CustomRecords,
    kind="record",
    model=CustomRecord,
    own=("create", "get", "update", "delete", "list"),
    refers={"owner_id": "user"},
    defaults={"owner_id": lambda call: call.caller.user_id},
    follow=_follow,
    may_delete=_refuse_held,
    shown=with_related,
)
