"""The records of custom objects: checked against the definition as it is now, listed and found by its fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm_sdk.models.custom_records import CustomRecord
from crm_sdk.resources.custom_objects import CustomRecords

from ...data.document import Document
from ...data.filter_groups import FieldType, search
from ...data.filters import Test, filter_fields, filter_plans, sought_by
from ...data.query import member
from ...data.select import select
from ...problems import FieldError, Problem, invalid, missing, refuse_any, validation
from ...serving import Context, Members, serves
from .. import company
from .definitions import fields_of, holds_many, ids_in, is_link, keys_of, open_object, records_of
from .stored import RECORDS, equals_of, members_of, refuse_second_link
from .values import WORDS, filter_type, numbered, stored_value

_OWN: Mapping[str, FieldType] = {
    name: kind
    for name, kind in filter_fields(CustomRecord).items()
    if name in ("id", "name", "owner_id", "tags", "created_at", "updated_at", "created_by", "version")
}
"""The members of every record that conditions can name."""


def record_form(call: Context, object: Document, given: Members, before: Document | None = None) -> dict[str, Any]:
    """Return the stored form of a record's members, with the values of its fields.

    Raises: 422 with every wrong member; otherwise the first conflict (409).
    """
    values, problems = _checked_values(call, object, given.get("fields") or {}, before)
    plain = {name: value for name, value in given.items() if name != "fields"}
    members, more = RECORDS.checked(call, plain, before)
    refuse_any([*problems, *more])
    if before is None:
        members |= {"object_id": object["id"], "object": object["api_name"]}
        values |= assigned_numbers(call, object)
    return {**members, **members_of(call, object, values)}


def _checked_values(
    call: Context, object: Document, given: Mapping[str, Any], before: Document | None
) -> tuple[dict[str, Any], list[Problem]]:
    """Return the values of a record after a write, and what is wrong with those that are given."""
    keys = keys_of(call, object["id"])
    held: Mapping[str, Any] = before["fields"] if before is not None else {}
    usual = {name: key["default"] for name, key in keys.items() if key.get("default") is not None}
    values: dict[str, Any] = {**(usual if before is None else {}), **held}
    problems: list[Problem] = []
    for name, value in given.items():
        if name not in keys:
            wrong = FieldError(f"fields.{name}", "unknown", f"{object['label']} has no field of this name")
            problems.append(validation([wrong]))
            continue
        try:
            values[name] = stored_value(call, keys[name], value, f"fields.{name}", held.get(name))
        except Problem as problem:
            problems.append(problem)
    wrong_names = {
        name for problem in problems for entry in problem.entries for name in (entry.field or "").split(".")[1:2]
    }
    for name, key in keys.items():
        if name in wrong_names or (before is not None and name not in given) or key.get("type") == "auto_number":
            continue
        if values.get(name) is None:
            if key["required"]:
                problems.append(invalid(f"fields.{name}", "required", f"{key['label']} is required"))
        elif values[name] != held.get(name):
            problems += _conflicts(call, key, values[name], before)
    return values, problems


def _conflicts(call: Context, key: Members, value: Any, before: Document | None) -> list[Problem]:
    """Return what is in the way of a new value: another record that has it, or links the same record."""
    own_id, name = before["id"] if before is not None else None, f"fields.{key['api_name']}"
    if is_link(key):
        try:
            refuse_second_link(call, key, ids_in(value), own_id)
        except Problem as problem:
            return [problem]
    if not key.get("unique"):
        return []
    others = [doc for doc in equals_of(call, key["object_id"], key["api_name"], value) if doc["id"] != own_id]
    return [
        Problem(
            "DUPLICATE_VALUE", f"{doc['id']} has this {key['label']} already", field=name, rule="unique",
            details={"existing_id": doc["id"]},
        )
        for doc in others[:1]
    ]  # fmt: skip


def assigned_numbers(call: Context, object: Members) -> dict[str, str]:
    """Return the next automatic number of each field that has them. None is ever given twice."""
    found: dict[str, str] = {}
    for field in fields_of(call, object["id"]):
        if field["type"] == "auto_number":
            count = (field.get("numbers_given") or 0) + 1
            call.collection("field").put(field | {"numbers_given": count})
            found[field["api_name"]] = numbered(field["format"], count)
    return found


def _found(call: Context, object: Document, id: str) -> Document:
    doc = RECORDS.found(call, id)
    if doc["object_id"] != object["id"]:
        raise missing("record", id)
    return doc


# -- calls -------------------------------------------------------------------------------------------------------------


@serves(CustomRecords.create)
def create(call: Context, object_id: str, record: Members) -> Document:
    """Create a record."""
    return RECORDS.add(call, record_form(call, open_object(call, object_id), record))


@serves(CustomRecords.get)
def get(call: Context, object_id: str, record_id: str, include: Sequence[str] | None) -> Document:
    """Return a record, with what it links where that is to be included."""
    doc = _found(call, open_object(call, object_id), record_id)
    return RECORDS.answer(call, doc) if include else doc


@serves(CustomRecords.update)
def update(call: Context, object_id: str, record_id: str, changes: Members, version: int | None) -> Document:
    """Change a record."""
    found = open_object(call, object_id)
    doc = RECORDS.writable(call, _found(call, found, record_id)["id"])
    call.lock(doc, version)
    return RECORDS.change(call, doc, record_form(call, found, changes, doc))


@serves(CustomRecords.delete)
def delete(call: Context, object_id: str, record_id: str, version: int | None) -> None:
    """Delete a record."""
    doc = RECORDS.writable(call, _found(call, open_object(call, object_id), record_id)["id"], "delete")
    call.lock(doc, version)
    RECORDS.remove(call, doc)


def _linking(call: Context, id: str) -> Test:
    """Return the test for records that link a record; the id of a merged one means the survivor."""
    found = next((doc for kind in ("contact", "lead", "account") if (doc := call.found(kind, id)) is not None), None)
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


def _sort_key(name: str) -> Any:
    own = name in ("name", "created_at", "updated_at", "id")
    return lambda doc: doc[name] if own else doc["fields"].get(name)


@serves(CustomRecords.search)
def find(call: Context, object_id: str, query: Members) -> Sequence[Document]:
    """Return the records that match words and conditions."""
    found = open_object(call, object_id)
    include: Sequence[str] = query.get("include") or ()
    for number, name in enumerate(include):
        if name != "related":
            raise invalid(f"include.{number}", "choice", f"there is no {name!r} to include; use related")
    keys = keys_of(call, found["id"])
    own: dict[str, FieldType] = {name: filter_type(key) for name, key in keys.items()}
    types = {**_OWN, **{f"fields.{name}": kind for name, kind in own.items()}, **own}

    def resolve(doc: Document, path: str) -> object:
        name = path.removeprefix("fields.")
        return doc["fields"].get(name) if name in keys else member(doc, path)

    sort = query.get("sort")
    docs = search(
        records_of(call, found["id"]), {**query, "sort": f"fields.{sort}" if sort in keys else sort}, types,
        text=searched_in(call, found), now=call.now, zone=company.zone(call), resolve=resolve,
        sortable=("name", *(f"fields.{name}" for name in _sortable(call, found))),
    )  # fmt: skip
    return RECORDS.including(call, docs, include)
