"""Check the JSON types of a body against its declaration: a text is not a number, a number is not a flag.

pydantic also accepts the text ``"5"`` for the number 5, as a query needs it; in a JSON body it is an error.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from pydantic import AwareDatetime
from typing_extensions import get_type_hints, is_typeddict

from crm_sdk.models.marks import ReadAs
from crm_sdk.wire import camel, is_array, is_object, snake

from ...problems import FieldError

_WORDS: Mapping[Any, str] = {
    int: "a whole number",
    float: "a number",
    Decimal: "a number",
    bool: "true or false",
    date: "a date as a text, such as 2026-01-31",
    datetime: "a time as a text, such as 2026-01-31T09:00:00Z",
    AwareDatetime: "a time as a text, such as 2026-01-31T09:00:00Z",
}
_TIMES = frozenset({date, datetime, AwareDatetime})
_A_NUMBER = re.compile(r"\s*[+-]?[0-9.]+\s*")
_Find = Callable[[Any, str], Iterator[FieldError]]


def wrong_types(hints: Mapping[str, Any], members: Mapping[str, Any], path: str = "") -> Iterator[FieldError]:
    """Yield an error for each member, by wire name, whose JSON type is not that of its declaration."""
    for name, value in members.items():
        hint = hints.get(snake(name))
        find = _finder(hint) if hint is not None and name in (camel(snake(name)), snake(name)) else None
        if find is not None:
            yield from find(value, f"{path}.{snake(name)}".lstrip("."))


def numbers_for_times(hints: Mapping[str, Any], texts: Mapping[str, Any]) -> Iterator[FieldError]:
    """Yield an error for each parameter of a query, by wire name, that is a number where a time is asked for."""
    for name, text in texts.items():
        if isinstance(text, str) and _A_NUMBER.fullmatch(text):
            kinds = {kind for kind in _choices(hints.get(snake(name))) if kind is not type(None)}
            if kinds and kinds <= _TIMES:
                yield FieldError(snake(name), "type", f"must be {_WORDS[next(iter(kinds))]}")


@lru_cache(maxsize=4096)
def _finder(hint: Any) -> _Find | None:
    """Return a function that finds wrong JSON types in a value of a type; None where there can be none."""
    kind = _plain(hint)
    if is_typeddict(kind):
        return lambda value, path: wrong_types(input_hints(kind), value, path) if is_object(value) else iter(())
    choices = tuple(_choices(kind))
    nested = [find for choice in choices if (find := _nested_finder(choice)) is not None]
    named = [choice for choice in choices if choice in _WORDS]
    others = [choice for choice in choices if choice not in _WORDS and choice is not type(None)]
    are_words = bool(named) and _TIMES.issuperset(named) and all(map(_is_text, others))
    if others and not are_words:
        # All other types take texts or objects, which pydantic distinguishes.
        return nested[0] if nested else None
    wanted = " or ".join(dict.fromkeys(_WORDS[choice] for choice in named))
    wanted += " or a word that stands for one" if others else ""

    def mistyped(value: Any, path: str) -> Iterator[FieldError]:
        if not any(_fits(choice, value) for choice in choices):
            yield FieldError(path, "type", f"must be {wanted}")

    return mistyped if wanted else None


def _is_text(kind: Any) -> bool:
    return kind is str or get_origin(kind) is Literal


def _choices(hint: Any) -> Iterator[Any]:
    """Yield the types of a union, at any depth."""
    kind = _plain(hint)
    if get_origin(kind) in (Union, types.UnionType):
        for each in get_args(kind):
            yield from _choices(each)
    else:
        yield kind


def _nested_finder(kind: Any) -> _Find | None:
    """Return a function that finds wrong JSON types within a list or an object."""
    if is_typeddict(kind):
        return _finder(kind)
    origin = get_origin(kind)
    inner = _finder(get_args(kind)[-1]) if origin in (list, Sequence, dict, Mapping) else None
    if inner is None:
        return None

    def find(value: Any, path: str) -> Iterator[FieldError]:
        if is_object(value) or is_array(value):
            for name, item in value.items() if is_object(value) else enumerate(cast("list[Any]", value)):
                yield from inner(item, f"{path}.{name}")

    return find


def _fits(kind: Any, value: Any) -> bool:
    if kind is type(None) or kind is None:
        return value is None
    if kind is bool:
        return isinstance(value, bool)
    if kind is int:
        return not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and value % 1 == 0))
    if kind in (float, Decimal):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, str) and _A_NUMBER.fullmatch(value) is None  # pydantic would read a number as seconds


@lru_cache(maxsize=1024)
@lru_cache(maxsize=1024)
def input_hints(kind: Any) -> Mapping[str, Any]:
    """Return the types of the members of an input."""
    return get_type_hints(kind, include_extras=True)


def is_list(hint: Any) -> bool:
    """Tell whether what has a type is a list, and nothing else."""
    return get_origin(_plain(hint)) in (list, Sequence)


def _plain(hint: Any) -> Any:
    """Return a type without its annotations; a type with `ReadAs` also accepts other forms."""
    while True:
        if get_origin(hint) is Annotated:
            inner, *marks = get_args(hint)
            if any(isinstance(mark, ReadAs) and mark.before is not None for mark in marks):
                return hint
            hint = inner
        elif str(get_origin(hint)).rpartition(".")[2] in ("Required", "NotRequired"):
            (hint,) = get_args(hint)
        else:
            return hint
