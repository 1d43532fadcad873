"""The members of a new record, read from its model: each at the value it has where none was given."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from crm_sdk.models.marks import Default
from crm_sdk.models.record import Model, Record


def blank(model: type[Model]) -> dict[str, Any]:
    """Return every member that a new record of a model has.

    A member has the value of its `Default` mark, else the one the model itself has for an absent member, else None.
    Lists and objects are new ones in every call.
    """
    # A rule that changes a list of one record by mistake must not change that of every other.
    return {name: value.copy() if isinstance(value, (list, dict)) else value for name, value in _members(model).items()}


@cache
def _members(model: type[Model]) -> Mapping[str, Any]:
    members: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        marked = next((mark for mark in field.metadata if isinstance(mark, Default)), None)
        if marked is not None:
            members[name] = marked.value
        else:
            members[name] = None if field.is_required() else field.get_default(call_default_factory=True)
    if issubclass(model, Record):
        members |= {"created_by": "system", "version": 1}
    return members
