"""Check the values of arguments: no unknown words of closed enumerations, no times and numbers nothing follows from."""

from __future__ import annotations

import types
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from typing_extensions import get_type_hints, is_typeddict

from crm_sdk.models.marks import OpenVocabulary
from crm_sdk.models.values import LARGEST_NUMBER
from crm_sdk.reading import choices_of
from crm_sdk.wire import is_array, is_object, snake

from ...problems import FieldError


def unlikely_values(value: Any, path: str, errors: list[FieldError]) -> None:
    """Note every time and number from which nothing could be reckoned.

    A time may be so far away that what follows from it (an end, a local time) has no date any more; a number may be
    none (NaN), without end, or so large or small that a sum with it cannot be written.
    """
    if isinstance(value, date):
        if not 1900 <= value.year < 3000:
            errors.append(FieldError(path, "min" if value.year < 1900 else "max", "must be in the years 1900 to 2999"))
    elif isinstance(value, (int, float, Decimal)):
        if not -LARGEST_NUMBER < value < LARGEST_NUMBER:  # NaN is not between them either
            rule = "min" if value < 0 else "max" if value > 0 else "type"
            errors.append(FieldError(path, rule, "must be a number between -10^24 and 10^24"))
    elif is_object(value) or is_array(value):
        for name, item in value.items() if is_object(value) else enumerate(value):
            unlikely_values(item, f"{path}.{name}".lstrip("."), errors)


def unknown_words(hint: Any, value: Any, path: str, errors: list[FieldError]) -> None:
    """Add an error for every value that is not in its enumeration, unless the enumeration is open."""
    check = _vocabulary(hint)
    if check is not None:
        check(value, path, errors)


@lru_cache(maxsize=4096)
def _vocabulary(hint: Any) -> Any:
    """Return a function that checks the enumerations within a value of a type; None where there are no closed ones."""
    if get_origin(hint) is Annotated:
        inner, *marks = get_args(hint)
        return None if any(isinstance(mark, OpenVocabulary) for mark in marks) else _vocabulary(inner)
    if str(get_origin(hint)) in ("typing.Required", "typing_extensions.Required", "typing.NotRequired"):
        return _vocabulary(get_args(hint)[0])
    if is_typeddict(hint):
        return _open[hint] if hint in _open else _record_check(hint)
    args = get_args(hint)
    if get_origin(hint) in (Union, types.UnionType, Literal):
        words = choices_of(hint) if str in args or get_origin(hint) is Literal else ()
        inner_checks = [check for arg in args if get_origin(hint) is not Literal and (check := _vocabulary(arg))]
        if words and len(words) == len(choices_of(hint)) and _is_closed(hint):
            return _word_check(words)
        return inner_checks[0] if inner_checks else None
    if args and get_origin(hint) is not dict:
        each = _vocabulary(args[0])
        return each and _list_check(each)
    return None


def _is_closed(hint: Any) -> bool:
    """Return whether no part of a union of enumerations is marked open."""
    if get_origin(hint) is Annotated:
        inner, *marks = get_args(hint)
        return not any(isinstance(mark, OpenVocabulary) for mark in marks) and _is_closed(inner)
    return get_origin(hint) is Literal or all(_is_closed(arg) for arg in get_args(hint))


def _word_check(words: tuple[str, ...]) -> Any:
    def check(value: Any, path: str, errors: list[FieldError]) -> None:
        if isinstance(value, str) and value not in words:
            message = f"{value!r} is not one of {', '.join(words)}"
            errors.append(FieldError(path, "choice", message, details={"choices": list(words)}))

    return check


def _list_check(each: Any) -> Any:
    def check(values: Any, path: str, errors: list[FieldError]) -> None:
        if isinstance(values, (list, tuple)):
            for n, value in enumerate(cast("list[Any]", values)):
                each(value, f"{path}.{n}".lstrip("."), errors)

    return check


_open: dict[Any, Any] = {}
"""The inputs whose checks are being built, each with the function that will check it."""


@contextmanager
def _within(kind: Any, check: Any) -> Generator[None]:
    _open[kind] = check
    try:
        yield
    finally:
        del _open[kind]


def _record_check(kind: Any) -> Any:
    checks: dict[str, Any] = {}
    hints = get_type_hints(kind, include_extras=True)

    def nested(value: Any, path: str, errors: list[FieldError]) -> None:  # an input may contain itself
        check(value, path, errors)

    with _within(kind, nested):
        found = {name: _vocabulary(hint) for name, hint in hints.items()}
    checks |= {name: inner for name, inner in found.items() if inner is not None}

    def check(value: Any, path: str, errors: list[FieldError]) -> None:
        if isinstance(value, Mapping):
            members = cast("Mapping[str, Any]", value)
            for name, inner in checks.items():
                if name in members:
                    value = members[name]
                    value = snake(value) if name == "sort" and isinstance(value, str) else value  # its wire name, too
                    inner(value, f"{path}.{name}".lstrip("."), errors)

    return check
