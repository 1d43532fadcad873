"""Merge a write into a stored record: objects are merged member by member, and equal values are no change."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, get_args, get_origin

from crm_sdk.models.record import Model
from crm_sdk.wire import is_array, is_object


@cache
def free_members(model: type[Model]) -> frozenset[str]:
    """Return the free-form members of a model, such as custom fields, whose keys callers choose."""
    return frozenset(
        name
        for name, field in model.model_fields.items()
        if dict in (get_origin(field.annotation), *map(get_origin, get_args(field.annotation)))
    )


@cache
def list_members(model: type[Model]) -> frozenset[str]:
    """Return the names of the list members of a model; a cleared list is empty."""
    return frozenset(name for name, field in model.model_fields.items() if get_origin(field.annotation) is list)


def merge_values(
    members: Mapping[str, Any], before: Mapping[str, Any] | None, free: Collection[str] = ()
) -> dict[str, Any]:
    """Return the members of a write, with every object merged into the stored one, at every depth.

    A null clears a member of an object; in a free-form object (the names in `free`: custom fields, metadata) it removes
    the key. An object without members becomes None, a free-form object ``{}``.
    """
    out: dict[str, Any] = {}
    for name, value in members.items():
        stored = before.get(name) if before is not None else None
        if name in free:
            out[name] = _merge(stored, value) if value is not None else {}
        elif is_object(value):
            out[name] = _merge(stored, value) or None
        else:
            out[name] = value
    return out


def _merge(stored: object, given: Mapping[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = (
        {name: value for name, value in stored.items() if value is not None} if is_object(stored) else {}
    )
    for name, value in given.items():
        if value is None:
            out.pop(name, None)
        else:
            out[name] = _merge(out.get(name), value) if is_object(value) else value
    return out


def missing_members(
    doc: Mapping[str, Any], given: Mapping[str, Any], *, amounts: Collection[str] = ()
) -> dict[str, Any]:
    """Return the given members that a record lacks; what it has stays.

    An amount comes with its currency. `amounts` names the members whose currency is that of the record: where the given
    ones are in another currency they are taken with it by a record that has none of them, and by no other.
    """
    missing = {name: value for name, value in given.items() if doc.get(name) in EMPTY and value not in EMPTY}
    if given.get("currency") != doc.get("currency") and not missing.keys().isdisjoint(amounts):
        if given.get("currency") in EMPTY or any(doc.get(name) not in EMPTY for name in amounts):
            return {name: value for name, value in missing.items() if name not in amounts}
        missing["currency"] = given["currency"]
    return missing


EMPTY: tuple[Any, ...] = (None, "", [], {})
"""What is as good as no value."""


def differences(doc: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes that differ from a record; an empty list or object equals None."""
    return {name: value for name, value in changes.items() if not _same(doc.get(name), value)}


def _same(stored: object, value: object) -> bool:
    if stored == value or (stored in (None, [], {}) and value in (None, [], {})):
        return True
    both = stored, value
    return (all(map(is_object, both)) or all(map(is_array, both))) and _without_nulls(stored) == _without_nulls(value)


def _without_nulls(value: object) -> object:
    """Return a value without the null members of its objects, at every depth: an answer has them all."""
    if is_object(value):
        return {name: _without_nulls(own) for name, own in value.items() if own is not None}
    return [_without_nulls(own) for own in value] if is_array(value) else value
