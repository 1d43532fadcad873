"""Descriptions of the fields that the company has defined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...data.queries.filter_groups import OPERATORS, FieldType
from ...nouns.entities import Entity
from ...serving import Context
from ..custom_objects.definitions import CORE, fields_of, holds_many, is_link, prefix_of, target_of
from ..customization.overrides import label_in

_OWN_TYPES: Mapping[str, str] = {
    "number": "decimal", "long_text": "long_text", "boolean": "boolean", "lookup": "reference",
}  # fmt: skip
"""What the fields of custom objects are called here, where that is another word."""


def own_fields(
    call: Context, entity: Entity, filters: Mapping[str, FieldType], *, writes: bool
) -> Iterator[dict[str, Any]]:
    """Yield the fields that the company has defined."""
    object_id = entity.object["id"] if entity.object is not None else entity.name
    for one in fields_of(call, object_id) if entity.object is not None or entity.name in CORE else ():
        name = f"{prefix_of(object_id)}.{one['api_name']}"
        word = _OWN_TYPES.get(one["type"], one["type"])
        automatic = one["type"] == "auto_number"
        described = {
            "name": name, "label": label_in(call, one), "type": word, "item_type": None, "custom": True,
            "field_id": one["id"], "required": bool(one["required"]), "read_only": automatic,
            "nullable": not one["required"], "unique": bool(one["unique"]), "default": one.get("default"),
            "options": list(one.get("options") or ()), "open": False,
            "min_value": one.get("min_value"), "max_value": one.get("max_value"),
            "min_length": one.get("min_length"), "max_length": one.get("max_length"), "pattern": one.get("pattern"),
            "reference_to": [target_of(one)] if is_link(one) else [],
            "operators": sorted(OPERATORS[filters[name]]) if name in filters else [],
            "sortable": not holds_many(one) and one["type"] != "multi_select",
            "searchable": bool(one.get("searchable")), "groupable": word in ("select", "boolean", "reference", "text"),
            "personal": bool(one.get("personal")), "hidden": bool(one.get("hidden")),
            "help_text": one.get("help_text"), "position": 0,
        }  # fmt: skip
        yield {**described, **access(described, writes)}


def access(described: Mapping[str, Any], writes: bool) -> dict[str, str]:
    """Return what the caller may do with a field."""
    return {"access": "write" if writes and not described["read_only"] else "read"}
