"""JSON lines as rows: an object on each line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NoReturn

from .table import Row

_DEEPEST = 20
_DIGITS = 60
"""The digits a number may have, and the powers of ten of its exponent."""


def read(text: str) -> Iterator[Row]:
    """Yield the object of each line, or why the line is none."""
    for line in text.split("\n"):  # a text may hold other line breaks, such as U+2028
        if not line.strip():
            continue
        try:
            found = json.loads(line, parse_float=_number, parse_int=_integer, parse_constant=_refuse)
        except RecursionError:
            yield "the line is nested too deeply"
            continue
        except ValueError as error:
            yield f"the line is not JSON: {error}"
            continue
        if not isinstance(found, dict):
            yield "the line is not a JSON object"
        elif _is_deeper(found, _DEEPEST):
            yield "the line is nested too deeply"
        else:
            yield found


def _integer(text: str) -> int:
    if len(text) > _DIGITS:
        raise ValueError(f"a number of {len(text):,} digits")
    return int(text)


def _number(text: str) -> Decimal:
    if len(text) > _DIGITS:
        raise ValueError(f"a number of {len(text):,} digits")
    number = Decimal(text)
    if abs(number.adjusted()) > _DIGITS:
        raise ValueError(f"{text} is too large or too small")
    return number


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number")


def _is_deeper(value: Any, levels: int) -> bool:
    """Return whether lists and objects are nested more than `levels` deep; iterative, as the nesting may be deep."""
    layer = [value]
    for _ in range(levels):
        layer = [inner for outer in layer for inner in (outer.values() if isinstance(outer, dict) else outer)
                 if isinstance(inner, (dict, list))]  # fmt: skip
        if not layer:
            return False
    return True
