"""The members of a new record with their default values, from its model."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from crm_sdk.models.marks import Default
from crm_sdk.models.record import Model, Record
from crm_sdk.wire import is_array, is_object


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


def in_full(kind: Any, value: Any) -> Any:
    """Return a value of a declared type with every member that its objects can have, as a record shows it.

    So lists of objects, which a write replaces as a whole, are equal where they say the same.
    """
    if get_origin(kind) is Annotated:
        return in_full(get_args(kind)[0], value)
    if get_origin(kind) in (Union, UnionType):
        models = [part for part in get_args(kind) if isinstance(part, type) and issubclass(part, Model)]
        return in_full(models[0], value) if models else value
    if get_origin(kind) is list and is_array(value):
        return [in_full(get_args(kind)[0], item) for item in value]
    if isinstance(kind, type) and get_origin(kind) is None and issubclass(kind, Model) and is_object(value):
        fields = kind.model_fields
        given = {name: in_full(info.annotation, value[name]) for name, info in fields.items() if name in value}
        return {**blank(kind), **value, **given}
    return value


def lists_in_full(model: type[Model], members: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the members that are lists of objects, in full."""
    lists = {name: info.annotation for name, info in model.model_fields.items() if get_origin(info.annotation) is list}
    return {name: in_full(lists[name], value) for name, value in members.items() if name in lists and is_array(value)}
