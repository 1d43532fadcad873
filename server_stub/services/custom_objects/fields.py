"""The fields of custom objects: what a new, a changed or a deleted one does to the records, and trying one out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crm_sdk.models.custom_fields import CustomField, CustomFieldCreate, CustomFieldUpdate
from crm_sdk.resources.custom_objects import CustomFields
from crm_sdk.wire import camel

from ...data.blanks import blank
from ...data.document import Document
from ...problems import FieldError, Problem, validation
from ...request.access.plans import check_limit
from ...request.reading.intake import read_input
from ...request.reading.json_types import input_hints, wrong_types
from ...serving import Context, Members, changes_between, serves
from .definitions import CORE, OBJECTS, Definitions, fields_of, object_named, records_of, values_of
from .field_rules import Conflict, check, conflicts, examined_field
from .stored import rewrite
from .values import automatic_number, converted_value, stored_value


def _check(call: Context, members: dict[str, Any], before: Document | None) -> Mapping[str, Any]:
    if before is None:
        count = len(call.collection("field").find("object_id", members["object_id"]))
        check_limit(call.tenant, "custom_fields_per_object", count)
    return check(call, members, before)


def _follow(call: Context, before: Document | None, after: Document | None) -> Document | None:
    """Give the records what a new field has for them, convert their values to another type, and make room."""
    if after is None:
        return None
    name = after["api_name"]
    if before is None:
        after = _number_all(call, after) if after["type"] == "auto_number" else after
        if after["object_id"] in CORE:
            rewrite(call, after["object_id"], lambda values: _take_over(call, after, values))
        default = after["default"]
        if default is not None:
            rewrite(call, after["object_id"], lambda values: values.setdefault(name, default))
    elif before["type"] != after["type"]:
        old, new = before["type"], after["type"]
        rewrite(
            call,
            after["object_id"],
            lambda values: values.update({name: converted_value(call, old, new, values.get(name))}),
        )
    if before is None or before["position"] != after["position"]:
        _make_room(call, after)
    return after


def _take_over(call: Context, field: Members, values: dict[str, Any]) -> None:
    """Read what a record has had under the name of a new field, when nobody had defined it, as a value of the field."""
    name = field["api_name"]
    if values.get(name) is not None and field["type"] != "auto_number":
        values[name] = stored_value(call, field, values[name], name)


def _number_all(call: Context, field: Document) -> Document:
    """Number the records that are there, the oldest first."""
    count = 0

    def number(values: dict[str, Any]) -> None:
        nonlocal count
        count += 1
        values[field["api_name"]] = automatic_number(field["format"], count)

    rewrite(call, field["object_id"], number)
    return call.collection("field").put(field | {"numbers_given": count})


def _make_room(call: Context, field: Document) -> None:
    """Move the fields back that come after one at a position that was taken. Their versions stay."""
    others = [one for one in fields_of(call, field["object_id"]) if one["id"] != field["id"]]
    if any(one["position"] == field["position"] for one in others):
        for one in others:
            if one["position"] >= field["position"]:
                call.collection("field").put(one | {"position": one["position"] + 1})


class _Fields(Definitions):
    """The noun of fields; one of the CRM itself has events of its own."""

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
        """Publish ``field.<verb>``, or ``custom_object.field_<verb>``."""
        if doc["object_id"] not in CORE:
            super().publish(call, verb, doc, before=before, metadata=metadata, reason=reason)
            return
        changes = changes_between(before, doc) if before is not None else ()
        said = {"entity": doc["object_id"], "api_name": doc["api_name"], **(metadata or {})}
        call.emit(f"field.{verb}", "field", doc, changes=changes, metadata=said, reason=reason)


def _shown_field(call: Context, field: Document) -> Document:
    """Return a field with the kind of the records that have it."""
    id = field["object_id"]
    if id in CORE:
        return field | {"entity": id, "object_id": None}
    found = object_named(call, id)
    return field | {"entity": found["api_name"] if found is not None else None}


FIELDS = _Fields(
    resource=CustomFields,
    kind="field",
    model=CustomField,
    own=("delete",),
    within=("object_id", OBJECTS),
    events="custom_object.field_",
    order=("position", "asc"),
    unique={"api_name": "FIELD_EXISTS"},
    check=_check,
    follow=_follow,
    shown=_shown_field,
    listed=_shown_field,
)


def add_all(call: Context, object: Document, given: Sequence[Members]) -> None:
    """Make the fields of a new object: the primary one, unless it is among them, and those that are given.

    Raises: 422 and 409 as for each field, with its place in the path.
    """
    names, primary = [field["api_name"] for field in given], object["primary_field"]
    if primary not in names:
        label = primary.replace("_", " ").capitalize()
        system: Members = {"api_name": primary, "label": label, "type": "text", "is_system": True}
        _add(call, object, system)
    elif given[names.index(primary)]["type"] != "text":
        raise validation([FieldError("primary_field", "choice", "must be a text field")])
    errors: list[FieldError] = []
    for number, field in enumerate(given):
        try:
            _add(call, object, field)
        except Problem as problem:
            entries = [_within(entry, f"fields.{number}") for entry in problem.entries]
            if problem.status != 422:
                raise Problem(problem.code, problem.message, errors=entries) from None
            errors += entries
    if errors:
        raise validation(errors)


def _within(entry: FieldError, path: str) -> FieldError:
    field = f"{path}.{entry.field}" if entry.field else path
    return FieldError(field, entry.rule, entry.message, entry.code, entry.details)


def _add(call: Context, object: Document, field: Members) -> None:
    """Store a field of a new object, which has no records: the event of the object is its event."""
    members = FIELDS.stored_form(call, {**field, "object_id": object["id"]})
    doc = call.create("field", "field_", {**blank(CustomField), **members})
    _make_room(call, doc)


@serves(CustomFields.delete)
def delete(call: Context, object_id: str, field_id: str, force: bool) -> str:
    """Delete a field and return its id; with `force` the records' values are erased, and kept in the audit trail."""
    found = OBJECTS.find_one(call, object_id)
    field = FIELDS.writable(call, field_id, "delete", whole_id=found["id"])
    if field["is_system"] or field["api_name"] == found["primary_field"]:
        raise Problem("FIELD_PROTECTED", f"{field['label']} belongs to {found['label']} and cannot be deleted")
    erase(call, field, force=force)
    return str(field["id"])


def erase(call: Context, field: Document, *, force: bool, used_by: Sequence[Members] = ()) -> None:
    """Delete a field, with `force` also one that records have values of, or that definitions use. Raises: 409."""
    name, owner = field["api_name"], field["object_id"]
    holding = [doc["id"] for doc in records_of(call, owner) if values_of(doc, owner).get(name) is not None]
    if (holding or used_by) and not force:
        message = f"{len(holding)} records have a value: erase the values with force"
        if used_by:
            message = f"{', '.join(str(one['name']) for one in used_by[:3])} use it, and {message}"
        raise Conflict("FIELD_IN_USE", message, holding, values=len(holding), used_by=list(used_by))
    FIELDS.remove(call, field)
    rewrite(call, owner, lambda values: values.pop(name, None), field_id=field["id"])


@serves(CustomFields.validate)
def validate(call: Context, object_id: str, field: Members, field_id: str | None) -> dict[str, Any]:
    """Say what stands in the way of a new or changed field. Nothing is written."""
    found = OBJECTS.find_one(call, object_id)
    before = FIELDS.find_one(call, field_id, found["id"]) if field_id is not None else None
    entries, ids = _tried_draft(call, found, field, before)
    shown = [
        {"code": entry.code, "message": entry.message, "field": entry.field, "rule": entry.rule,
         "details": {camel(name): value for name, value in entry.details.items()}}
        for entry in entries
    ]  # fmt: skip
    return {
        "valid": not entries,
        "errors": shown,
        "warnings": _warnings(call, field, before),
        "affected_records": len(ids),
        "conflicts": ids[:20],
    }


def _tried_draft(
    call: Context, object: Document, draft: Members, before: Document | None
) -> tuple[list[FieldError], list[str]]:
    """Return what is wrong with a draft of a field, and the ids of the records that it would break."""
    kind = CustomFieldCreate if before is None else CustomFieldUpdate
    hints = input_hints(kind)
    fixed = [name for name in draft if name not in hints and name in CustomField.model_fields]
    given = {name: value for name, value in draft.items() if name not in fixed}
    entries = [
        FieldError(name, "read_only", "can be given only when the field is made")
        for name in fixed
        if before is not None and name == "api_name" and draft[name] != before[name]
    ]
    entries += wrong_types(hints, {camel(name): value for name, value in given.items()})
    try:
        members = read_input(kind, given)
    except Problem as problem:
        named = {entry.field for entry in entries}
        return [*entries, *(entry for entry in problem.entries if entry.field not in named)], []
    if entries:
        return entries, []
    members["object_id"] = object["id"]
    stored, problems = FIELDS.checked(call, members, before, check=lambda call, members, before: None)
    whole, errors = examined_field(call, stored, before)
    problems += [*conflicts(call, whole, before)] if not errors else []
    ids = {id: None for problem in problems if isinstance(problem, Conflict) for id in problem.ids}
    return [*errors, *(entry for problem in problems for entry in problem.entries)], list(ids)


def _warnings(call: Context, draft: Members, before: Document | None) -> list[dict[str, Any]]:
    """Return what is worth knowing before a field is changed."""
    return [
        {"code": code, "message": message, "field": name, "rule": None, "details": {}}
        for code, name, message in _worth_knowing(call, draft, before)
    ]


def _worth_knowing(call: Context, draft: Members, before: Document | None) -> Iterator[tuple[str, str, str]]:
    if before is None:
        return
    if draft.get("type", before["type"]) != before["type"]:
        yield "FIELD_TYPE_CHANGE", "type", f"the type never becomes {before['type']} again"
