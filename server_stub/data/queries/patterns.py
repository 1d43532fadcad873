"""Regular expressions of customers: matched in linear time, whatever the expression and the text are."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import SchemaError


class PatternError(ValueError):
    """The text is not a regular expression, or has what cannot be matched in linear time, such as a back-reference."""


@lru_cache(maxsize=256)
def _matcher(pattern: str) -> TypeAdapter[str]:
    # pydantic's engine is that of Rust, which knows no backtracking.
    return TypeAdapter(Annotated[str, Field(pattern=pattern)])


def _whole(pattern: str) -> str:
    return rf"\A(?:{pattern})\z"


def check(pattern: str) -> None:
    """Raise PatternError for what cannot be a pattern."""
    try:
        _matcher(pattern)  # by itself: what closes a bracket of ours is not a pattern
        _matcher(_whole(pattern))
    except SchemaError as error:
        *_, last = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise PatternError(last.removeprefix("SchemaError: ").removeprefix("error: ").rstrip(".")) from None


def matches(pattern: str, text: str) -> bool:
    """Tell whether a whole text matches a pattern."""
    try:
        _matcher(_whole(pattern)).validate_python(text)
    except ValidationError:
        return False
    return True
