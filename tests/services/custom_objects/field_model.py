"""The plain model of fields: which values each type takes, what a definition may become, and what records hold."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

TEXTS, NUMBERS, SELECTS = ("text", "long_text", "email", "phone", "url"), ("integer", "decimal", "currency"), (
    "select", "multi_select",
)  # fmt: skip
TYPES = (*TEXTS, *NUMBERS, *SELECTS, "boolean", "date", "datetime", "reference", "auto_number")
WIDER = {
    "text": ("long_text",), "integer": ("decimal", "currency"), "decimal": ("currency",), "select": ("multi_select",),
    "date": ("datetime",),
}  # fmt: skip
GIVEN: list[Any] = [
    None, "", [], "a", "abc", "A", 7, 0, -3, 7.5, 7.125, 10**16, True, False, "2026-02-28", "2026-02-30", "1776-07-04",
    "2026-02-28T09:00:00Z", "2026-02-28T09:00:00", "Ada@Example.COM", "ada@example.com", "+49 30 901820",
    "https://example.com/a", "red", "green", ["red", "blue", "red"], ["red", "pink"], ["blue"], "contact_123", "nobody",
]  # fmt: skip
"""What records are given: each is a value of some type, and none of another."""


class WrongValueError(Exception):
    """A value that a field refuses, by the rule in its argument."""


def check(holds: bool, rule: str) -> None:
    if not holds:
        raise WrongValueError(rule)


@dataclass(frozen=True)
class Field:
    """A field; `options` are the values that can be chosen, and whether they still can."""

    name: str
    type: str
    required: bool = False
    unique: bool = False
    default: Any = None
    min_value: int | None = None
    max_value: int | None = None
    precision: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    options: tuple[tuple[str, bool], ...] = ()

    @property
    def given(self) -> dict[str, Any]:
        """The field as the API has it."""
        plain = {name: value for name, value in vars(self).items() if value is not None and name != "options"}
        plain |= {"api_name": plain.pop("name"), "label": "Label"}
        plain |= {"reference_to": "contact"} if self.type == "reference" else {}
        return plain | ({"options": shown(self.options)} if self.type in SELECTS else {})

    def read(self, value: Any, held: Any = None) -> Any:
        """Return the form in which a value is kept; None for none. Raises: WrongValueError."""
        if value in (None, "", []):
            check(self.type != "auto_number" or held is None, "read_only")
            return None
        if self.type in NUMBERS:
            return self._number(value)
        if self.type in TEXTS:
            return self._text(value)
        if self.type in ("date", "datetime"):
            return self._time(value)
        if self.type == "boolean":
            check(isinstance(value, bool), "type")
        elif self.type == "auto_number":
            check(value == held, "read_only")
        elif self.type == "reference":
            ids = listed(value)
            check(all(isinstance(id, str) for id in ids), "type")
            check(ids == ["contact_123"], "reference")
        elif self.type == "select":
            return self._choice(value, held)
        else:
            check(isinstance(value, list), "type")
            return list(dict.fromkeys(self._choice(one, held) for one in listed(value)))
        return value

    def _choice(self, value: Any, held: Any) -> str:
        check(isinstance(value, str), "type")
        check((value, True) in self.options or value in listed(held), "choice")
        return str(value)

    def _number(self, value: Any) -> Any:
        check(isinstance(value, (int, float)) and not isinstance(value, bool), "type")
        check(value < 10**15, "max")
        check(self.type != "integer" or value == int(value), "type")
        check(self.min_value is None or value >= self.min_value, "min")
        check(self.max_value is None or value <= self.max_value, "max")
        usual = 2 if self.type == "currency" else 8
        places = 0 if self.type == "integer" else usual if self.precision is None else self.precision
        check(round(Decimal(value), places) == value, "format")
        return value

    def _text(self, value: Any) -> str:
        check(isinstance(value, str), "type")
        if self.type == "email":
            check("@" in value, "format")
            value = value.lower()
        elif self.type == "url":
            check(value.startswith("https://"), "format")
        elif self.type == "phone" and value.startswith("+"):
            value = value.replace(" ", "")
        check(self.min_length is None or len(value) >= self.min_length, "length")
        check(self.max_length is None or len(value) <= self.max_length, "length")
        check(self.pattern is None or re.fullmatch(self.pattern, value) is not None, "format")
        return str(value)

    def _time(self, value: Any) -> str:
        check(isinstance(value, str), "type")
        form = r"2026-02-28|1776-07-04" if self.type == "date" else r"2026-02-28T\d\d:00:00Z"
        check(re.fullmatch(form, value) is not None, "format")
        check(not value.startswith("1776"), "min")
        return str(value)

    def wrong(self, value: Any, held: Any = None) -> str | None:
        """Return the rule that refuses a value; None for one that is fine."""
        try:
            self.read(value, held)
        except WrongValueError as wrong:
            return str(wrong)
        return None

    def is_fine(self) -> bool:
        """Tell whether the field is one in itself: its bounds are in order, its default is a value of it."""
        pairs = ((self.min_value, self.max_value), (self.min_length, self.max_length))
        ordered = all(low is None or high is None or low <= high for low, high in pairs)
        return ordered and (self.type not in SELECTS or bool(self.options)) and self.wrong(self.default) is None

    def widened(self, type: str) -> Field:
        return replace(self, type=type, default=converted(self, type, self.default))

    def broken_by(self, values: Iterable[Any]) -> bool:
        """Tell whether the values of records, None for none, break the rules of the field."""
        held = list(values)
        there = [value for value in held if value is not None]
        same = {key_of(value) for value in there}
        return (
            (self.required and self.type != "auto_number" and len(there) < len(held))
            or any(self.wrong(value, value) for value in there)
            or (self.unique and len(same) < len(there))
        )


def listed(value: Any) -> list[Any]:
    """Return the values that a value has: itself, unless it is a list."""
    return [*value] if isinstance(value, list) else [value]


def shown(options: Iterable[tuple[str, bool]]) -> list[dict[str, Any]]:
    """Return options as the API has them."""
    return [{"value": value, "label": value, "active": active} for value, active in options]


def key_of(value: Any) -> Any:
    """Return what is the same for values that a unique field takes for equal."""
    if isinstance(value, list):
        return tuple(sorted(listed(value)))
    return value.casefold() if isinstance(value, str) else value


def converted(field: Field, type: str, value: Any) -> Any:
    """Return a value as one of a wider type: a day begins at midnight in New York, where the company is."""
    if value is not None and (field.type, type) == ("select", "multi_select"):
        return [value]
    return f"{value}T05:00:00Z" if value is not None and (field.type, type) == ("date", "datetime") else value
