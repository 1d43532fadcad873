"""The members of rows under their wire names, whichever way they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, get_args, get_origin

from typing_extensions import is_typeddict

from crm_sdk.wire import ExactFloat, camel, is_array, is_object, snake

from ...request.reading.json_types import input_hints


def as_sent(value: Any) -> Any:
    """Return a value as the JSON of a request has it, in which a number keeps every digit."""
    if isinstance(value, Decimal):
        return ExactFloat(str(value))
    if is_array(value):
        return [as_sent(one) for one in value]
    return {key: as_sent(one) for key, one in value.items()} if is_object(value) else value


def wire_members(kind: Any, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of an input with the names of the wire, at every depth; the keys of free objects stay."""
    hints = input_hints(kind)
    found: dict[str, Any] = {}
    for name, value in row.items():
        hint = hints.get(snake(name), hints.get(name))
        found[camel(name) if "_" in name else name] = _wire_value(hint, value) if hint is not None else value
    return found


def _wire_value(hint: Any, value: Any) -> Any:
    if is_object(value):
        inner = next((one for one in _parts(hint) if is_typeddict(one)), None)
        return wire_members(inner, value) if inner is not None else value
    if is_array(value):
        inner = next((one for one in _parts(hint) if get_origin(one) in (list, Sequence)), None)
        return [_wire_value(get_args(inner)[0], one) for one in value] if inner is not None else value
    return value


def _parts(hint: Any) -> list[Any]:
    """Return a type with those it is made of, but not those of the items of lists."""
    if get_origin(hint) in (list, Sequence, dict, Mapping):
        return [hint]
    return [hint, *(part for one in get_args(hint) for part in _parts(one))]
