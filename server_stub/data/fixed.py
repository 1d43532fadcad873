"""Members that are given when a record is created and not changed later: whether one came back as it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from typing_extensions import get_type_hints, is_typeddict

from crm_sdk.wire import camel, is_array, is_object


def came_back(hint: Any, sent: object, *there: object) -> bool:
    """Tell whether a value that was sent is one of those that are there, as far as it can be given.

    `hint` is the type of the member in the input. Of parts that are records of their own, what is computed does not
    count: the sums of a stage are other ones as soon as a deal is written. Null is as good as absent.
    """
    names = frozenset(camel(name) for kind in inputs_of(hint) for name in get_type_hints(kind))
    return any(_given_part(sent, names) == _given_part(value, names) for value in there)


def inputs_of(hint: Any) -> Iterator[Any]:
    """Yield the inputs in a type: that of an item of a list, of an object."""
    if is_typeddict(hint):
        yield hint
    for inner in get_args(hint):
        yield from inputs_of(inner)


def _given_part(value: object, names: frozenset[str]) -> object:
    if is_array(value):
        return [_given_part(item, names) for item in value]
    if is_object(value) and names:
        return {name: _given_part(item, names) for name, item in value.items() if name in names and item is not None}
    return value
