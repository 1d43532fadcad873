"""What a record may hold: its values are checked against the definition of its object as it is now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...data.document import Document
from ...noun import Noun
from ...problems import FieldError, Problem, invalid, refuse_any, validation
from ...request.access.hiding import refuse_written
from ...serving import Context, Members
from .definitions import fields_of, ids_in, is_link, keys_of
from .finding import equals_of, members_of, refuse_second_link
from .values import automatic_number, stored_value


def record_form(noun: Noun, call: Context, given: Members, before: Document | None) -> dict[str, Any]:
    """Return the stored form of a record's members, with the values of its fields.

    Raises: 422 with every wrong member; otherwise the first conflict (409).
    """
    object = call.record("custom_object", before["object_id"] if before is not None else given["object_id"])
    refuse_written(call.caller, (object["api_name"],), given, before)
    values, problems = _checked_values(call, object, given.get("fields") or {}, before)
    plain = {name: value for name, value in given.items() if name not in ("fields", "object_id")}
    members, more = noun.checked(call, plain, before)
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
            found[field["api_name"]] = automatic_number(field["format"], count)
    return found
