"""The form of values on the wire: names in camelCase, numbers as JSON numbers, times as ISO 8601.

A *shape* lists the members of a record that one dialect documents, with their names. It is written as one line::

    @wire(mvp="id name email title:position last_contact:lastContactDate notes|text")
    class Contact(Record): ...

``title:position`` is the member `title` with the wire name ``position``; ``notes|text`` is a list of strings that is
sent as one string; ``avatar?`` is left out of an answer where it is null. A dialect without a line documents every
member under its camelCase name.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeGuard, TypeVar, cast

T = TypeVar("T")


@lru_cache(maxsize=4096)
def camel(name: str) -> str:
    """Return the wire name of a Python name: ``created_at`` -> ``createdAt``."""
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def member_name(kind: Any, name: str) -> str:
    """Return the wire name of a member of an input; that of one whose members are keys is the key as it is."""
    config: Mapping[str, Any] = getattr(kind, "__pydantic_config__", {"alias_generator": camel})
    return camel(name) if "alias_generator" in config else name


def snake(name: str) -> str:
    """Return the Python name of a wire name: ``createdAt`` -> ``created_at``."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


@dataclass(frozen=True, slots=True)
class Shape:
    """The members that one dialect documents: their wire names, the optional ones, and those sent as one string."""

    names: Mapping[str, str]
    optional: frozenset[str] = frozenset()
    text: frozenset[str] = frozenset()

    @staticmethod
    def parse(line: str) -> Shape:
        """Read the line of a declaration."""
        names: dict[str, str] = {}
        optional: set[str] = set()
        text: set[str] = set()
        for token in line.split():
            member, _, form = token.partition("|")
            name, _, wire_name = member.rstrip("?").partition(":")
            names[name] = wire_name or camel(name)
            if member.endswith("?"):
                optional.add(name)
            if form == "text":
                text.add(name)
        return Shape(names, frozenset(optional), frozenset(text))

    def encode(self, members: Mapping[str, Any]) -> dict[str, Any]:
        """Return members (camelCase or Python names) under this dialect's names, without those it does not have."""
        out: dict[str, Any] = {}
        for name, wire_name in self.names.items():
            for given in (name, camel(name)):
                if given in members:
                    value = members[given]
                    out[wire_name] = _one_text(value) if name in self.text else value
                    break
        return out

    def decode(self, members: Mapping[str, Any]) -> dict[str, Any]:
        """Return members with this dialect's names under their camelCase names; unknown members keep their names."""
        back = {wire_name: camel(name) for name, wire_name in self.names.items()}
        return {back.get(name, name): value for name, value in members.items()}


def _one_text(value: Any) -> Any:
    return "\n".join(cast("Iterable[str]", value)) if isinstance(value, (list, tuple)) else value


def wire(**lines: str) -> Callable[[type[T]], type[T]]:
    """Declare which members each dialect documents for a record or an input (see the module's docstring)."""

    def decorate(cls: type[T]) -> type[T]:
        cls.__shapes__ = {dialect: Shape.parse(line) for dialect, line in lines.items()}  # type: ignore[attr-defined] # a TypedDict or a model; read back by `shape_of`
        return cls

    return decorate


def shape_of(cls: object, dialect: str) -> Shape | None:
    """Return the shape of a record or an input in a dialect, or None where every member is documented."""
    shapes: Mapping[str, Shape] = getattr(cls, "__shapes__", {})
    return shapes.get(dialect)


def number(value: Any) -> Any:
    """Return an amount as a JSON number with every digit: an int, a float where it is exact, else the Decimal.

    What an answer had in place of an amount is returned as it is; NaN and infinities, which JSON has not, are null.
    """
    if not isinstance(value, Decimal):
        return value
    if not value.is_finite():
        return None
    if value.adjusted() > 300:
        return value  # as an int it would be written with hundreds of zeros
    if value == value.to_integral_value():
        return int(value)
    approximate = float(value)
    return approximate if Decimal(repr(approximate)) == value else value


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Tell whether something read from JSON is an object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Tell whether something read from JSON is an array."""
    return isinstance(value, list)


def instant(value: datetime) -> str:
    """Return an aware datetime as ISO 8601 in UTC, ending in ``Z``; milliseconds only where there are any."""
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone; use an aware datetime, for example datetime.now(timezone.utc)")
    utc = value.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds" if utc.microsecond else "seconds").replace("+00:00", "Z")


def read_instant(value: object) -> datetime | None:
    """Return the time that a text in ISO 8601 names, in UTC where it has no zone; None where it is not such a text."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found is not None and found.tzinfo is None else found


def _encode(value: object) -> object:
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (set, frozenset)):
        return sorted(cast("set[str]", value))
    dump: Any = getattr(value, "model_dump", None)
    if dump is not None:
        return dump(by_alias=True)
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON: {value!r}")


def encode_json(value: object, *, indent: int | None = None) -> bytes:
    """Write a value as JSON: amounts as numbers with every digit, instants in UTC with ``Z``."""
    separators = (",", ":") if indent is None else (",", ": ")
    mark = ""

    def default(value: object) -> object:
        nonlocal mark
        if not isinstance(value, Decimal):
            return _encode(value)
        exact = number(value)
        if not isinstance(exact, Decimal):
            return exact
        mark = mark or f"{secrets.token_hex(8)}:"  # marks a number that a float cannot hold; no text contains it
        return f"{mark}{exact}"

    text = json.dumps(value, default=default, ensure_ascii=False, separators=separators, indent=indent, allow_nan=False)
    if mark:
        text = re.sub(f'"{mark}(-?[0-9.Ee+-]+)"', r"\1", text)
    return text.encode("utf-8", "surrogatepass")


class ExactFloat(float):
    """A float that keeps its text, so that an amount can be read from it with every digit."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> ExactFloat:
        """Parse the number and keep its text."""
        self = super().__new__(cls, text)
        self.text = text
        return self

    def __repr__(self) -> str:
        return self.text

    __str__ = __repr__


def decode_json(content: bytes) -> Any:
    """Read JSON so that an amount keeps every digit (a number with a fraction becomes an `ExactFloat`).

    Raises: ValueError for anything that is not JSON.
    """
    try:
        return json.loads(content, parse_float=ExactFloat)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


_DIGITS = bytes(0x30 if byte in b"0123456789." else 0x20 for byte in range(256))
_MORE_THAN_A_FLOAT_HOLDS = b"0" * 17  # sixteen digits and a point


def has_long_numbers(content: bytes) -> bool:
    """Return whether JSON may have a number with more digits than a float holds, which `decode_json` keeps."""
    # Searching for bytes takes a fiftieth of the time of a regular expression.
    return _MORE_THAN_A_FLOAT_HOLDS in content.translate(_DIGITS)
