"""What a company has changed about standard fields: what they are called, whether they are required, their options."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...data.document import Document
from ...serving import Context, Members

KIND = "field_override"
_SHOWN = ("help_text", "required", "default", "hidden", "personal")
"""The members that a description has as they were changed."""


def override_of(call: Context, entity: str, name: str) -> Document | None:
    """Return the changes of a standard field; None for none."""
    return call.collection(KIND).get(f"{entity}/{name}")


def overrides_of(call: Context, entity: str) -> dict[str, Document]:
    """Return the changed standard fields of an entity by their names."""
    docs = call.collection(KIND)
    return {doc["field"]: doc for doc in docs if doc["entity"] == entity} if len(docs) else {}


def with_overrides(call: Context, entity: str, fields: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the descriptions of fields with what the company has changed about them, in the order it gave them."""
    changed = overrides_of(call, entity)
    if not changed:
        yield from fields
        return
    found = [with_override(call, field, changed.get(field["name"], {})) for field in fields]
    moved = {name: doc["position"] for name, doc in changed.items() if doc.get("position") is not None}
    kept = [field for field in found if field["name"] not in moved]
    for field in sorted((one for one in found if one["name"] in moved), key=lambda one: moved[one["name"]]):
        kept.insert(moved[field["name"]], field)
    yield from kept


def with_override(call: Context, field: dict[str, Any], changed: Members) -> dict[str, Any]:
    """Return the description of a field with what the company has changed about it."""
    given = {name: changed[name] for name in _SHOWN if changed.get(name) is not None}
    options: list[Mapping[str, Any]] = changed.get("options") or []
    if options:
        values = {option["value"] for option in options}
        given["options"] = [*options, *(one for one in field["options"] if one["value"] not in values)]
    said = label_in(call, changed)
    return {**field, **given, **({"label": said, "labelled": True} if said is not None else {})}


def label_in(call: Context, definition: Members) -> str | None:
    """Return what a field is called in the language of the answer; None where nothing else is said."""
    labels: Mapping[str, str] = definition.get("labels") or {}
    label: str | None = labels.get(call.language) or definition.get("label")
    return label
