"""The columns of a file: which field each seems to hold, and which field it is read into."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_sdk.models.values import EMAIL_PATTERN

from ...data.queries.query import fold
from ...files.table import Table
from ...languages.negotiation import SHIPPED
from ...nouns.entities import Entity
from ...problems import Problem, invalid
from ...serving import Members
from ..contacts.files.header_words import CALLED
from ..contacts.files.headers import header_of
from ..objects.describing import label_of
from .fields import Field, Fields
from .words import SYNONYMS

_MOST = 90
"""So many of a hundred values are e-mail addresses in a column of such."""
_SHOWN = 5
_LONGEST = 200
_CONFIDENCE: Mapping[str, int] = {"exact": 100, "label": 95, "synonym": 85, "values": 70, "previous": 60}
_PEOPLE = frozenset({"contact", "lead"})
_OF_ALL = frozenset({
    "phone", "email", "website", "tags", "owner_id", "source", "external_id", "language", "timezone", "description",
})  # fmt: skip
"""The fields whose other words are the same for every entity, not for people alone."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column and the field that it is read into."""

    key: str
    """The name of the column in the rows."""
    header: str
    """What the file calls it."""
    number: int
    field: Field
    transform: str = "trim"
    default: str | None = None

    def mapping(self, *, by_number: bool) -> dict[str, Any]:
        """Return the column as an entry of a mapping; `by_number` where another has the same header."""
        said = {"column": str(self.number) if by_number else self.header, "field": self.field.name}
        return said | {"transform": self.transform, "default": self.default}


def words_of(text: str) -> str:
    """Return the words of a header, without case, accents and marks."""
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text[:_LONGEST])
    return " ".join(re.sub(r"[^\w]+|_", " ", fold(split)).split())


class Suggestions:
    """What the columns of files seem to hold."""

    def __init__(self, entity: Entity, fields: Fields, previous: Callable[[Sequence[str]], Sequence[Members]]) -> None:
        self._entity = entity
        self._fields = fields
        self._previous = previous
        self._exact: dict[str, str] = {}
        self._labels: dict[str, str] = {}
        self._synonyms: dict[str, str] = {}
        for one in fields.importable():
            short = one.name.partition(".")[2] if one.name.startswith("fields.") else one.name
            self._exact |= {words_of(name): one.name for name in (one.name, short)}
            for label in (one.label, *(label_of(language, one.name) for language in SHIPPED)):
                self._labels.setdefault(words_of(label), one.name)
            for word in (*SYNONYMS.get(f"{entity.name}.{one.name}", ()), *SYNONYMS.get(one.name, ())):
                self._synonyms.setdefault(words_of(word), one.name)
        for words, name in CALLED.items():
            place = f"billing_{name}" if entity.name == "account" and name.startswith("address.") else name
            if entity.name in _PEOPLE or place in _OF_ALL or place.startswith("billing_"):
                known = fields.find(place)
                if known is not None and not known.read_only:
                    self._synonyms.setdefault(words, known.name)

    def by_header(self, header: str) -> tuple[str, str] | None:
        """Return the field that a header names, and the reason; None where it names none."""
        words = words_of(header)
        if not words:
            return None
        free = self._fields.find(header) if header.startswith(("custom_fields.", "customFields.")) else None
        if free is not None:
            return free.name, "exact"
        for names, reason in ((self._exact, "exact"), (self._labels, "label"), (self._synonyms, "synonym")):
            if words in names:
                return names[words], reason
        found = header_of(header) if self._entity.name in _PEOPLE else None
        known = self._fields.find(found.field) if found is not None else None
        return (known.name, "synonym") if known is not None and not known.read_only else None

    def score(self, cells: Sequence[str]) -> int:
        """Return how many cells of a line name fields."""
        return len({found[0] for cell in cells if (found := self.by_header(cell)) is not None})

    def of(self, table: Table) -> list[dict[str, Any]]:
        """Return what each column of a file holds; each field is suggested once, for the column that fits best."""
        headers = headers_of(table)
        columns: list[dict[str, Any]] = [
            {"column": header, "index": number + 1, **_seen_cells(table, key), "suggested_field": None, "reason": None,
             "confidence": 0, "transform": "trim"}
            for number, (key, header) in enumerate(zip(table.columns, headers, strict=True))
        ]  # fmt: skip
        found: list[tuple[int, int, str, str]] = []
        for number, (key, header) in enumerate(zip(table.columns, headers, strict=True)):
            named = self.by_header(header) if table.headers or not header.isdigit() else None
            if named is not None and named[0] == "id" and not self._are_ids(table, key):
                named = ("external_id", "synonym") if self._fields.find("external_id") is not None else None
            if named is not None:
                found.append((-_CONFIDENCE[named[1]], number, named[0], named[1]))
            elif _are_addresses(table, key) and (email := self._fields.find("email")) is not None:
                found.append((-_CONFIDENCE["values"], number, email.name, "values"))
            found += [
                (-_CONFIDENCE["previous"], number, str(entry["field"]), "previous")
                for entry in self._previous(headers) if entry["column"] in (header, str(number + 1))
            ]  # fmt: skip
        taken, given = set[str](), set[int]()
        for confidence, number, name, reason in sorted(found):
            one = self._fields.find(name)
            if one is None or one.read_only or one.name in taken or number in given:
                continue
            taken.add(one.name)
            given.add(number)
            columns[number] |= {
                "suggested_field": one.name, "reason": reason, "confidence": -confidence, "transform": one.transform,
            }  # fmt: skip
        return columns

    def _are_ids(self, table: Table, key: str) -> bool:
        """Return whether a column has ids of ours; those of another system are external ids."""
        cells = [text for row in table.rows if not isinstance(row, str) and (text := _plain(row.get(key)))]
        return any(text.startswith(self._entity.prefixes) for text in cells)


def headers_of(table: Table) -> list[str]:
    """Return what a file calls its columns; one without a header is called by its number."""
    return [
        (table.headers[number] if number < len(table.headers) else "") or key
        for number, key in enumerate(table.columns)
    ]


def _seen_cells(table: Table, key: str) -> dict[str, Any]:
    cells = [text for row in table.rows if not isinstance(row, str) and (text := _plain(row.get(key)))]
    different = dict.fromkeys(cells)
    return {
        "filled": len(cells),
        "distinct": len(different),
        "samples": [text[:_LONGEST] for text in list(different)[:_SHOWN]],
    }


def _plain(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _are_addresses(table: Table, key: str) -> bool:
    cells = [text for row in table.rows if not isinstance(row, str) and (text := _plain(row.get(key)))]
    right = sum(re.match(EMAIL_PATTERN, text) is not None for text in cells)
    return bool(cells) and right * 100 >= len(cells) * _MOST


def place_of(table: Table, named: str, path: str) -> int:
    """Return the position of a column that is named by its header or its number, from 0.

    Raises: 422 for a column that there is not, and for a header that several columns have.
    """
    headers = headers_of(table)
    same = [number for number, header in enumerate(headers) if header == named]
    same = same or [number for number, header in enumerate(headers) if fold(header) == fold(named)]
    if len(same) > 1:
        message = f"{len(same)} columns are called {named!r}: name the one you mean by its number"
        raise invalid(path, "unique", message, columns=[number + 1 for number in same])
    if same:
        return same[0]
    if named.isdigit() and len(named) < 6 and 1 <= int(named) <= len(headers):
        return int(named) - 1
    raise invalid(path, "choice", f"the file has no column {named!r}", choices=headers[:100])


def mapped_columns(table: Table, fields: Fields, mapping: Sequence[Members]) -> tuple[list[Column], list[Problem]]:
    """Return the columns of a mapping, and what is wrong with it."""
    columns: list[Column] = []
    problems: list[Problem] = []
    headers = headers_of(table)
    filled: dict[str, int] = {}
    for number, entry in enumerate(mapping):
        path = f"mapping.{number}"
        try:
            field = fields.checked(entry["field"], f"{path}.field")
            if field.name in filled:
                message = f"{field.name} is filled by mapping.{filled[field.name]} already"
                raise invalid(f"{path}.field", "unique", message)
            filled[field.name] = number
            at = place_of(table, entry["column"], f"{path}.column")
        except Problem as problem:
            problems.append(problem)
            continue
        transform = entry.get("transform") or "trim"
        columns.append(Column(table.columns[at], headers[at], at + 1, field, transform, entry.get("default")))
    return columns, problems


def suggested_columns(table: Table, fields: Fields, suggestions: Sequence[Members], without: set[int]) -> list[Column]:
    """Return the columns with the fields that are suggested for them, but those at some positions."""
    headers = headers_of(table)
    return [
        Column(table.columns[at], headers[at], at + 1, field, one["transform"])
        for at, one in enumerate(suggestions)
        if at not in without and one["suggested_field"] and (field := fields.find(one["suggested_field"])) is not None
    ]


def as_mapping(table: Table, columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Return columns as a mapping that is ready to be sent; by number where a header is not the only one."""
    headers = headers_of(table)
    twice = {header for header in headers if headers.count(header) > 1}
    return [one.mapping(by_number=one.header in twice) for one in columns]
