"""The rules for fields: which members a type has, which changes it allows, and which stored values a rule breaks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from crm_sdk.models.custom_fields import CustomField

from ...data.blanks import blank
from ...data.document import Document
from ...data.queries import patterns
from ...problems import FieldError, Problem, validation
from ...serving import Context, Members
from .definitions import CORE, LINKED, REFERABLE, ids_in, keys_of, object_named, records_of, values_of
from .values import (
    DECIMALS,
    LONGEST,
    NUMBERS,
    SELECTS,
    TEXTS,
    WIDER,
    converted_value,
    is_number_format,
    stored_value,
    term,
)

_OF_TYPES: Mapping[str, Sequence[str]] = {
    "options": SELECTS,
    "min_value": NUMBERS,
    "max_value": NUMBERS,
    "precision": DECIMALS,
    "min_length": TEXTS,
    "max_length": TEXTS,
    "pattern": TEXTS,
    "currency": ("currency",),
    "reference_to": ("reference",),
    "format": ("auto_number",),
}
"""The members that only fields of some types have."""
_STRICT = ("type", "required", "unique", *_OF_TYPES)
"""The members that say which values a field takes."""
_MOST = 20
"""How many of the records that a rule breaks are named."""


class Conflict(Problem):
    """A 409 for a field because of stored records."""

    def __init__(self, code: str, message: str, ids: Sequence[str], **details: Any) -> None:
        super().__init__(code, message, details={"record_ids": list(ids)[:_MOST], "record_count": len(ids), **details})
        self.ids = tuple(ids)


def check(call: Context, members: dict[str, Any], before: Document | None) -> Mapping[str, Any]:
    """Return the members of a field that follow from those given. Raises: 422; 409 for what stored records forbid."""
    whole, errors = examined_field(call, members, before)
    if errors:
        raise validation(errors)
    for problem in conflicts(call, whole, before):
        raise problem
    return {name: whole[name] for name in (*_OF_TYPES, "default", "position") if name in whole}


def examined_field(call: Context, members: Members, before: Document | None) -> tuple[dict[str, Any], list[FieldError]]:
    """Return a whole field as it would be stored, and what is wrong with it in itself."""
    whole: dict[str, Any] = {**blank(CustomField), **(before or {}), **members}
    errors = list(chain(_stray(members, whole), _options(whole), _bounds(whole), _reference(call, whole)))
    if whole["type"] == "currency" and whole["currency"] is None:
        whole["currency"] = call.tenant["base_currency"]
    if whole["type"] == "auto_number":
        whole["format"] = whole["format"] or "{0000}"
        if not is_number_format(whole["format"]):
            errors.append(FieldError("format", "format", "must have one place for the number, as in INV-{0000}"))
    if whole["position"] is None:
        others = call.collection("field").find("object_id", whole["object_id"])
        whole["position"] = max((field["position"] + 1 for field in others), default=0)
    if not errors and whole["default"] is not None and widens(whole, before):
        try:
            if before is not None and "default" not in members:
                whole["default"] = converted_value(call, before["type"], whole["type"], whole["default"])
            whole["default"] = stored_value(call, whole, whole["default"], "default")
        except Problem as problem:
            errors += problem.entries
    return whole, errors


def widens(field: Members, before: Members | None) -> bool:
    """Tell whether a field keeps its type, or takes one that stored values can be converted to."""
    return before is None or field["type"] in (before["type"], *WIDER.get(before["type"], ()))


def _stray(members: Members, whole: Members) -> Iterator[FieldError]:
    for name, types in _OF_TYPES.items():
        if members.get(name) not in (None, []) and whole["type"] not in types:
            message = f"a field of the type {whole['type']} has no {name}; {' and '.join(types)} have"
            yield FieldError(name, "choice", message)


def _options(whole: dict[str, Any]) -> Iterator[FieldError]:
    if whole["type"] not in SELECTS:
        return
    if not whole["options"]:
        yield FieldError("options", "required", "a select field needs at least one option")
    seen: set[str] = set()
    for index, option in enumerate(whole["options"]):
        if option["value"] in seen:
            yield FieldError(f"options.{index}.value", "unique", f"{option['value']!r} is an option already")
        seen.add(option["value"])
    plain: dict[str, Any] = {"color": None, "active": True}
    listed: list[dict[str, Any]] = [
        {**plain, **option, "position": index if option.get("position") is None else option["position"]}
        for index, option in enumerate(whole["options"])
    ]
    whole["options"] = sorted(listed, key=lambda option: option["position"])


def _bounds(whole: Members) -> Iterator[FieldError]:
    for low, high in (("min_value", "max_value"), ("min_length", "max_length")):
        if whole[low] is not None and whole[high] is not None and whole[low] > whole[high]:
            yield FieldError(high, "min", f"must not be less than {low}")
    longest = LONGEST.get(whole["type"])
    if longest is not None and (whole["max_length"] or 0) > longest:
        yield FieldError("max_length", "max", f"a field of the type {whole['type']} has at most {longest:,} characters")
    if whole["pattern"] is not None:
        try:
            patterns.check(whole["pattern"])
        except patterns.PatternError as error:
            yield FieldError("pattern", "format", f"is not a regular expression that can be used: {error}")


def _reference(call: Context, whole: dict[str, Any]) -> Iterator[FieldError]:
    if whole["type"] != "reference":
        return
    target = whole["reference_to"]
    if target is None:
        yield FieldError("reference_to", "required", "say what the field refers to")
        return
    if target not in REFERABLE:
        found = object_named(call, target)
        if found is None:
            message = f"{target!r} is neither an entity type nor a custom object"
            yield FieldError("reference_to", "reference", message, "REFERENCE_NOT_FOUND")
            return
        whole["reference_to"] = found["api_name"]
    elif whole["on_delete"] != "set_null" and target not in LINKED:
        message = f"what happens to {target}s decides nothing else; that is for {', '.join(LINKED)} and custom objects"
        yield FieldError("on_delete", "choice", message)


# -- what stored records forbid ----------------------------------------------------------------------------------------


def conflicts(call: Context, field: Members, before: Document | None) -> Iterator[Problem]:
    """Yield a 409 for each thing that forbids a field: its name, its type, or the values that records have."""
    label, docs = field["label"], records_of(call, field["object_id"])
    if before is None:
        if "cardinality" in keys_of(call, field["object_id"]).get(field["api_name"], Document()):
            yield Problem(
                "FIELD_EXISTS", f"a relationship is called {field['api_name']}", field="api_name", rule="unique"
            )
        if docs and field["required"] and field["default"] is None and field["type"] != "auto_number":
            ids = [doc["id"] for doc in docs]
            yield Conflict("FIELD_NEEDS_DEFAULT", f"{len(ids)} records would lack {label}: give a default", ids)
        if len(docs) > 1 and field["unique"] and field["default"] is not None:
            ids = [doc["id"] for doc in docs]
            yield Conflict("FIELD_HAS_CONFLICTS", f"{len(ids)} records would all have the default of {label}", ids)
        broken = _broken(call, field, None, docs) if field["object_id"] in CORE else []
        if broken:
            yield Conflict("FIELD_HAS_CONFLICTS", f"{len(broken)} records have values that {label} refuses", broken)
        return
    if field["type"] != before["type"]:
        owner = call.collection("custom_object").get(field["object_id"])
        primary = owner is not None and owner["primary_field"] == field["api_name"]
        if primary or not widens(field, before):
            wider: Sequence[str] = () if primary else WIDER.get(before["type"], ())
            message = f"{label} is {before['type']}" + (
                f" and only becomes {' or '.join(wider)}" if wider else ", and stays it"
            )
            details = {"type": before["type"], "allowed": list(wider)}
            yield Problem("FIELD_TYPE_CHANGE", message, field="type", details=details)
            return
    gone = {option["value"] for option in before["options"]} - {option["value"] for option in field["options"]}
    name = field["api_name"]
    holding = (
        [doc["id"] for doc in docs if gone & set(ids_in(values_of(doc, field["object_id"]).get(name)))] if gone else []
    )
    if holding:
        message = f"{len(holding)} records have {', '.join(sorted(gone))}: make the options inactive instead"
        yield Conflict("OPTION_IN_USE", message, holding, options=sorted(gone))
    if any(field[rule] != before[rule] for rule in _STRICT):
        broken = [id for id in _broken(call, field, before, docs) if id not in holding]
        if broken:
            yield Conflict("FIELD_HAS_CONFLICTS", f"{len(broken)} records break the new rules of {label}", broken)


def _broken(call: Context, field: Members, before: Members | None, docs: Sequence[Document]) -> list[str]:
    """Return the ids of the records whose values a changed field, or a new one, would refuse."""
    name, number = field["api_name"], field["type"] == "auto_number"
    held: dict[str, Any] = {doc["id"]: values_of(doc, field["object_id"]).get(name) for doc in docs}
    old = before["type"] if before is not None else field["type"]
    values = {id: converted_value(call, old, field["type"], value) for id, value in held.items()}
    moved = before is None or field["reference_to"] != before["reference_to"]
    shared: dict[str, list[str]] = {}
    broken: dict[str, None] = {}
    for id, value in values.items():
        if value is None:
            if field["required"] and not number and before is not None:
                broken[id] = None
            continue
        shared.setdefault(term(name, value).casefold(), []).append(id)
        try:
            stored_value(call, field, value, name, None if moved else value)
        except Problem:
            broken[id] = None
    if field["unique"]:
        broken |= dict.fromkeys(id for ids in shared.values() if len(ids) > 1 for id in ids)
    return list(broken)
