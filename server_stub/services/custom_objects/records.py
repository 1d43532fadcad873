"""The calls of the records of custom objects: written one by one, listed and found by their object's fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crm_sdk.models.custom_records import CustomRecord
from crm_sdk.resources.custom_objects import CustomRecords

from ...answers import Answer
from ...data.document import Document
from ...data.queries.filter_groups import FieldType, search
from ...data.queries.filters import Test, filter_fields, filter_plans, sought_by
from ...data.queries.query import member
from ...data.queries.select import select
from ...problems import Problem, invalid, missing
from ...request.access.permissions import readable, sight
from ...serving import Context, Members, serves
from .. import company
from .definitions import fields_of, holds_many, keys_of, open_object, records_of
from .stored import RECORDS
from .values import WORDS, filter_type

_OWN: Mapping[str, FieldType] = {
    name: kind
    for name, kind in filter_fields(CustomRecord).items()
    if name in ("id", "name", "owner_id", "tags", "created_at", "updated_at", "created_by", "version")
}
"""The members of every record that conditions can name."""


def _found_record(call: Context, object: Document, id: str) -> Document:
    doc = RECORDS.find_one(call, id)
    if doc["object_id"] != object["id"]:
        raise missing("record", id)
    return doc


# -- calls -------------------------------------------------------------------------------------------------------------


@serves(CustomRecords.create)
def create(call: Context, object_id: str, record: Members) -> Document:
    """Create a record."""
    given = {**record, "object_id": open_object(call, object_id, "create")["id"]}
    return RECORDS.add(call, RECORDS.stored_form(call, given))


@serves(CustomRecords.get)
def get(call: Context, object_id: str, record_id: str, include: Sequence[str] | None) -> Document:
    """Return a record, with what it links where that is to be included."""
    doc = _found_record(call, open_object(call, object_id), record_id)
    return RECORDS.answer(call, doc) if include else doc


@serves(CustomRecords.update)
def update(call: Context, object_id: str, record_id: str, changes: Members, version: int | None) -> Document:
    """Change a record."""
    doc = RECORDS.writable(call, _found_record(call, open_object(call, object_id), record_id)["id"])
    call.lock(doc, version)
    return RECORDS.change(call, doc, RECORDS.stored_form(call, changes, doc))


@serves(CustomRecords.delete)
def delete(call: Context, object_id: str, record_id: str, version: int | None) -> None:
    """Delete a record."""
    doc = RECORDS.writable(call, _found_record(call, open_object(call, object_id), record_id)["id"], "delete")
    call.lock(doc, version)
    RECORDS.remove(call, doc)


def _linking(call: Context, id: str) -> Test:
    """Return the test for records that link a record; the id of a merged one means the survivor."""
    found = next((doc for kind in ("contact", "lead", "account") if (doc := call.find_one(kind, id)) is not None), None)
    wanted = found["id"] if found is not None else id
    return lambda doc: wanted in doc["links"]


_PLANS = filter_plans(
    ("owner_id", "tags", "related_id", "created_after", "created_before", "updated_after", "updated_before"),
    CustomRecord.model_fields,
    {"related_id": _linking},
    where="custom_objects.records.list",
)


@serves(CustomRecords.list)
def list_(call: Context, object_id: str, **given: Any) -> Sequence[Document]:
    """Return the records of an object that match the given arguments, sorted."""
    found = open_object(call, object_id)
    sought = sought_by(_PLANS, call, given)
    sought.tests += sight(call.caller, RECORDS.word)
    return select(
        call.collection("record"), equal={**sought.equal, "object_id": found["id"]}, ranges=sought.ranges,
        tags=sought.tags, tests=sought.tests, text=given.get("search"), searched=searched_in(call, found),
        sort=given.get("sort"), order=given.get("order"), sorts=("name", *_sortable(call, found)), key=_sort_key,
    )  # fmt: skip


def searched_in(call: Context, object: Document) -> list[str]:
    """Return the paths of the fields of an object in which `search` looks."""
    fields = fields_of(call, object["id"])
    return [f"fields.{field['api_name']}" for field in fields if field["searchable"] and field["type"] in WORDS]


def _sortable(call: Context, object: Document) -> list[str]:
    keys = keys_of(call, object["id"])
    return [name for name, key in keys.items() if not holds_many(key) and key.get("type") != "multi_select"]


def _sort_key(name: str) -> Callable[[Document], Any]:
    own = name in ("name", "created_at", "updated_at", "id")
    return lambda doc: doc[name] if own else doc["fields"].get(name)


@serves(CustomRecords.search)
def find(call: Context, object_id: str, query: Members) -> Answer:
    """Return the records that match words and conditions.

    Conditions, `sort` and `fields` name a field of the object by its API name, with or without ``fields.`` before it.
    """
    found = open_object(call, object_id)
    include: Sequence[str] = query.get("include") or ()
    for number, name in enumerate(include):
        if name != "related":
            raise invalid(f"include.{number}", "choice", f"there is no {name!r} to include; use related")
    keys = keys_of(call, found["id"])
    own: dict[str, FieldType] = {name: filter_type(key) for name, key in keys.items()}
    types: dict[str, FieldType] = {**_OWN, **{f"fields.{name}": kind for name, kind in own.items()}, **own}

    def resolve(doc: Document, path: str) -> object:
        name = path.removeprefix("fields.")
        return doc["fields"].get(name) if name in keys else member(doc, path)

    sort, seen = query.get("sort"), readable(call, "record", records_of(call, found["id"]))
    docs = search(
        seen, {**query, "sort": f"fields.{sort}" if sort in keys else sort}, types,
        text=searched_in(call, found), now=call.now, zone=company.zone(call), resolve=resolve,
        sortable=("name", *(f"fields.{name}" for name in _sortable(call, found))),
    )  # fmt: skip
    shown: Sequence[str] = query.get("fields") or ()
    for number, name in enumerate(shown):
        if name.startswith("fields.") and name not in types:
            message = f"there is no member {name!r}"
            raise Problem("UNKNOWN_FIELD", message, field=f"fields.{number}", rule="choice", details={"field": name})
    picked = [*(f"fields.{name}" if name in own and name not in _OWN else name for name in shown), *include]
    return Answer(RECORDS.including(call, docs, include), fields=picked if shown else ())
