"""Records as input: of a record that is written back, what the call takes of it."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin

from typing_extensions import get_type_hints, is_typeddict

from ..wire import is_array, is_object
from .record import Model, record_types

_NONE: Mapping[str, Any] = {}


def written(value: Any, hint: Any) -> Any:
    """Return a value with each record in it as the members that an input of the type `hint` has; others as they are.

    Of a record only the members are sent that its answer had, and no empty list of records: lists of records leave
    those within them out (``include``), which would delete them.
    """
    if isinstance(value, Model):
        members = _members_of(value, hint)
        if members is None:
            return value.model_dump(by_alias=False)
        have = {name: getattr(value, name) for name in members if name in value.model_fields_set}
        return {
            name: written(own, members[name])
            for name, own in have.items()
            if (own is not None or type(None) in union_members(members[name]))
            and not (own == [] and _has_records(type(value), name))
        }
    if is_object(value):
        hints: Mapping[str, Any] = next(map(_hints, _inputs(hint)), _NONE)
        return {name: written(own, hints.get(name, Any)) for name, own in value.items()}
    if is_array(value):
        item = next((get_args(choice)[0] for choice in union_members(hint) if get_args(choice)), Any)
        return [written(own, item) for own in value]
    return value


def _members_of(record: Model, hint: Any) -> Mapping[str, Any] | None:
    """Return the types of the members that an input has; where it is one of several, of the one that the record is."""
    inputs = [_hints(kind) for kind in _inputs(hint)]
    for members in inputs:
        words = {name: _words(own) for name, own in members.items()}
        if all(getattr(record, name, None) in known for name, known in words.items() if len(known) == 1):
            return members
    return inputs[0] if inputs else None


@lru_cache(maxsize=1024)
def _has_records(model: type[Model], name: str) -> bool:
    field = model.model_fields.get(name)
    return field is not None and any(map(record_types, get_args(field.annotation)))


def _inputs(hint: Any) -> list[Any]:
    return [choice for choice in union_members(hint) if is_typeddict(choice)]


@lru_cache(maxsize=1024)
def _hints(kind: Any) -> Mapping[str, Any]:
    return get_type_hints(kind, include_extras=True)


@lru_cache(maxsize=4096)
def _words(hint: Any) -> frozenset[Any]:
    """Return the words that a type allows, where it allows only words."""
    kinds = list(union_members(hint))
    if not all(get_origin(kind) is Literal for kind in kinds):
        return frozenset()
    return frozenset(word for kind in kinds for word in get_args(kind))


def is_model(kind: Any) -> bool:
    """Tell whether a type is that of an answer or of a part of one."""
    return isinstance(kind, type) and issubclass(kind, Model)


def union_members(annotation: Any) -> Iterator[Any]:
    """Yield the members of a union at any depth, without their annotations; of any other type itself."""
    origin = get_origin(annotation)
    if origin in (Annotated, Required, NotRequired):
        yield from union_members(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for each in get_args(annotation):
            yield from union_members(each)
    else:
        yield annotation
