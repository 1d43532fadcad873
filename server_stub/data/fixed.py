"""Members that are given when a record is created and not changed later: whether one came back as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, get_args

from typing_extensions import get_type_hints, is_typeddict

from crm_sdk.models.values import EntityRefInput
from crm_sdk.wire import camel, is_array, is_object


def came_back(hint: Any, sent: object, *there: object) -> bool:
    """Tell whether a value that was sent is one of those that are there, as far as it can be given.

    `hint` is the type of the member in the input. Of parts that are records of their own, what is computed does not
    count: the sums of a stage are other ones as soon as a deal is written. Null is as good as absent.
    """
    names = frozenset(camel(name) for kind in inputs_of(hint) for name in _compared(kind))
    return any(_given_part(sent, names) == _given_part(value, names) for value in there)


def _compared(kind: Any) -> Iterable[str]:
    """Return the members of an input by which it is another one: a record is named by its type and id alone."""
    return ("type", "id") if kind is EntityRefInput else get_type_hints(kind)


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
