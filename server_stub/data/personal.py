"""The members of records that tell of a person, by the marks of their models, and what an emptied one holds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from crm_sdk.models.marks import Personal
from crm_sdk.models.record import Model
from crm_sdk.wire import is_array, is_object

ERASED = "[erased]"
"""What a text becomes of which it stays known that there was one."""


@cache
def personal_members(model: type[Model]) -> Mapping[str, bool]:
    """Return the personal members of a model, and whether ``[erased]`` stays in place of each."""
    found: dict[str, bool] = {}
    for name, info in model.model_fields.items():
        mark = next((mark for mark in info.metadata if isinstance(mark, Personal)), None)
        if mark is not None:
            found[name] = mark.text or info.is_required()
    return found


def emptied_members(model: type[Model], doc: Mapping[str, Any]) -> dict[str, Any]:
    """Return the personal members of a record that hold something, each with what an emptied one holds."""
    found: dict[str, Any] = {}
    for name, stays in personal_members(model).items():
        value = doc.get(name)
        if value in (None, "", [], {}):
            continue
        empty = _empty(value, stays=stays)
        if value != empty:
            found[name] = empty
    return found


def _empty(value: object, *, stays: bool) -> Any:
    if is_array(value):
        return []
    if is_object(value):
        # an object that a record must have keeps its members, without their values
        return {name: ERASED if isinstance(one, str) else None for name, one in value.items()} if stays else None
    return ERASED if stays else None
