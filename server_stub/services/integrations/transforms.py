"""Convert values between a field of another system and a member of our records, by a mapping's transform."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from crm_sdk.wire import is_array

from ...data.merging import EMPTY
from ...problems import Problem, invalid
from ...serving import Members
from ..contacts.files.cells import read_number

_TEXTS = frozenset({"trim", "lower", "upper", "title", "join", "template"})
_RESULTS: Mapping[str, str] = {
    **dict.fromkeys(_TEXTS, "text"),
    "date": "date", "number": "number", "boolean": "boolean", "split": "list", "lookup": "any",
}  # fmt: skip
_WORDS: Mapping[str, bool] = {
    **dict.fromkeys(("true", "yes", "y", "1", "on"), True),
    **dict.fromkeys(("false", "no", "n", "0", "off"), False),
}
PLACE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
"""A field in a template: ``{{name}}``."""
_INVERSE: Mapping[str, str] = {"split": "join", "join": "split"}


def places_of(template: str) -> list[str]:
    """Return the names of the fields in a template."""
    return PLACE.findall(template)


def result_type(transform: str, source: str) -> str:
    """Return the type of what a transform makes of values of a type."""
    return _RESULTS.get(transform, source)


def outward(transform: str) -> str:
    """Return the transform for the way out: a list that was split is joined again."""
    return _INVERSE.get(transform, transform)


def is_one_way(mapping: Members) -> bool:
    """Return whether a mapping of both directions cannot bring values out: a text does not tell what it is made of."""
    return (mapping["transform"], mapping["direction"]) == ("template", "bidirectional")


def inbound(mapping: Members, record: Members) -> Any:
    """Return the value for our member, from a record of the other system. Raises: 422, naming our member."""
    return _converted_value(
        mapping, record, record.get(mapping["source_field"]), mapping["target_field"], inverse=False
    )


def outbound(mapping: Members, record: Members, value: Any) -> Any:
    """Return the value for the other system's field, from ours. Raises: 422, naming the field."""
    mapping = mapping if mapping["direction"] == "outbound" else {**mapping, "default": None}
    return _converted_value(mapping, record, value, mapping["source_field"], inverse=True)


def _converted_value(mapping: Members, record: Members, value: Any, field: str, *, inverse: bool) -> Any:
    transform = str(mapping["transform"])
    if transform == "template":
        texts = [str(record.get(name)) for name in places_of(mapping["template"]) if record.get(name) not in EMPTY]
        value = _filled_template(mapping["template"], record) if texts else None
        found = value if value is not None else mapping["default"]
    elif transform == "lookup":
        found = _looked_up(mapping, value, field, inverse=inverse)
    else:
        value = value if value not in EMPTY else mapping["default"]
        found = _plain(outward(transform) if inverse else transform, value, field) if value not in EMPTY else None
    if found in EMPTY and mapping["required"]:
        raise invalid(field, "required", f"the mapping to {field} requires a value")
    return found if found not in ("", []) else None


def _filled_template(template: str, record: Members) -> str:
    def text(match: re.Match[str]) -> str:
        value = record.get(match[1])
        return "" if value is None else str(value)

    return PLACE.sub(text, template).strip()


def _looked_up(mapping: Members, value: Any, field: str, *, inverse: bool) -> Any:
    words: Mapping[str, str] = mapping["lookup"] or {}
    words = {ours: theirs for theirs, ours in reversed([*words.items()])} if inverse else words
    if value in EMPTY:
        return mapping["default"]
    found = words.get(str(value), mapping["default"])
    if found is None:
        raise Problem(
            "VALIDATION_ERROR", f"the lookup has no {str(value)!r}", field=field, rule="choice",
            details={"choices": sorted(words)},
        )  # fmt: skip
    return found


def _plain(transform: str, value: Any, field: str) -> Any:
    if transform == "none":
        return value
    if transform == "split":
        return value if is_array(value) else _parts(str(value))
    if transform == "join":
        return ", ".join(map(str, value)) if is_array(value) else str(value)
    if transform == "number":
        is_number = isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
        return value if is_number else read_number(str(value), field)
    if transform == "boolean":
        word = str(value).strip().lower()
        if word not in _WORDS:
            raise invalid(field, "type", f"{str(value)!r} is neither yes nor no")
        return _WORDS[word]
    text = value.isoformat() if isinstance(value, date) else str(value)
    if transform == "date":
        return _day(text.strip(), field)
    return text.strip() if transform == "trim" else getattr(text, transform)()


def _parts(text: str) -> list[str]:
    return [part for part in (part.strip() for part in re.split(r"[,;|]", text)) if part]


def _day(text: str, field: str) -> str:
    try:
        return datetime.fromisoformat(text).date().isoformat()
    except ValueError:
        raise invalid(field, "format", f"{text!r} is not a date like YYYY-MM-DD") from None
