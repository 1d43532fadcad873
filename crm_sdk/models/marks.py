"""Marks of members: who may extend an enumeration, which value a new record has, how a value that came is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema

from ..wire import camel


@dataclass(frozen=True, slots=True)
class OpenVocabulary:
    """Mark an enumeration that a caller may extend with words of their own."""


OPEN: Final = OpenVocabulary()


@dataclass(frozen=True, slots=True)
class Format:
    """Name what a text has to be, where only a server can check it."""

    name: str


@dataclass(frozen=True, slots=True)
class Default:
    """Mark a member of a record with the value that a new record has where none is given.

    It is what the server stores; the model itself reads an absent member as None.
    """

    value: str | int | bool


INPUT: Final = ConfigDict(
    alias_generator=camel,
    validate_by_name=True,
    validate_by_alias=True,
    extra="forbid",
    defer_build=True,
)
"""How every input is read: snake_case or camelCase members, unknown ones refused."""


@dataclass(frozen=True, slots=True)
class DocumentedAs:
    """Say that the document of a dialect has another type for a member, which is read as ours."""

    dialect: str
    kind: Any


@dataclass(frozen=True, slots=True)
class ReadAs:
    """Read a value as `target`, where type checkers are shown a wider type (an amount may be given as an int)."""

    target: Any
    before: Callable[[Any], Any] | None = None

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        target = Annotated[self.target, BeforeValidator(self.before)] if self.before else self.target
        return handler.generate_schema(target)
