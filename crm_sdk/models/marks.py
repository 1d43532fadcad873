"""Marks in the annotations of members: extensible enumerations, default values, and how values are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from ..wire import camel


@dataclass(frozen=True, slots=True)
class OpenVocabulary:
    """Mark an enumeration that callers may extend with values of their own."""


OPEN: Final = OpenVocabulary()


@dataclass(frozen=True, slots=True)
class Personal:
    """Mark a member that tells of a person: it is emptied when that person is erased (see `client.privacy`)."""

    text: bool = False
    """Whether it is a text of which it stays known that there was one: it becomes ``[erased]``."""


PERSONAL: Final = Personal()
PERSONAL_TEXT: Final = Personal(text=True)


@dataclass(frozen=True, slots=True)
class Format:
    """Name the format of a text that only a server can check, such as a time zone."""

    name: str


@dataclass(frozen=True, slots=True)
class Default:
    """Mark a member of a record with the value that a new record has by default.

    The server stores this value. The model itself reads an absent member as None.
    """

    value: str | int | float | bool


INPUT: Final = ConfigDict(
    alias_generator=camel,
    validate_by_name=True,
    validate_by_alias=True,
    extra="forbid",
    defer_build=True,
)
"""The pydantic configuration of all inputs: snake_case or camelCase members, unknown members refused."""


@dataclass(frozen=True, slots=True)
class DocumentedAs:
    """Mark a member for which the document of a dialect has another type; it is read as the type declared here."""

    dialect: str
    kind: Any


@dataclass(frozen=True, slots=True)
class ReadAs:
    """Validate a value as `target`, where type checkers see a wider type (an amount may be given as an int)."""

    target: Any
    before: Callable[[Any], Any] | None = None

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        target = Annotated[self.target, BeforeValidator(self.before)] if self.before else self.target
        return handler.generate_schema(target)


@dataclass(frozen=True, slots=True)
class TextFirst:
    """Take a text as it is before the other types of a union are tried: pydantic tries them all, at a price each."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.union_schema(
            [core_schema.str_schema(strict=True), handler(source)],
            mode="left_to_right",
        )
