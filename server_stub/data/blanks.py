"""The members of a new record with their default values, from its model."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from crm_sdk.models.marks import Default
from crm_sdk.models.record import Model, Record


def blank(model: type[Model]) -> dict[str, Any]:
    """Return all members of a new record of a model.

    A member has the value of its `Default` mark, else the model's value for an absent member, else None. Every call
    returns new lists and objects.
    """
    # Shared lists would let a faulty rule that changes the list of one record change those of all.
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
