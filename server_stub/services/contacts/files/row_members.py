"""The cells of a row together: what of several columns is one member, and which of them counts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any, cast

from crm_sdk.models.values import EMAIL_PATTERN
from crm_sdk.wire import camel, is_array, snake

from ....files import values
from ....files.countries import country_code
from ....problems import invalid
from ....serving import Members
from .cells import Cells, Warn
from .columns import LISTS, Column

_MOBILE = re.compile(r"(?i)mobil|cell|handy|portable|m[oó]vil|iphone|celular")
_NO_PHONE = re.compile(r"(?i)fax|pager|telex|beeper")
_MOST = {"tags": 50, "secondaryEmails": 10}
"""The most items of the lists that are bounded."""


def members_of(row: Members, columns: Sequence[Column], cells: Cells, warn: Warn) -> dict[str, Any]:
    """Return the members of a row in wire names, without empty cells. Raises: 422 for a cell that loses the row."""
    row_of = _Row(row, cells, warn)
    for column in sorted(columns, key=lambda column: column.rank):
        row_of.add(column)
    return row_of.members()


class _Row:
    def __init__(self, row: Members, cells: Cells, warn: Warn) -> None:
        self._row = row
        self._cells = cells
        self._warn = warn
        self._out: dict[str, Any] = {}
        self._addresses: dict[str, dict[str, tuple[Column, Any]]] = {}
        self._birthday: dict[str, str] = {}
        self._own: dict[str, Any] = {}

    def add(self, column: Column) -> None:
        """Read the cell of a column."""
        value = self._cells.read(self._row.get(column.column), column, self._warn)
        if value is None:
            return
        head, _, rest = column.field.partition(".")
        if head == "custom_fields":
            self._add_own(column, rest, value)
        elif head == "address":
            self._add_place(column, rest, value)
        elif head in LISTS:
            self._add_items(column, camel(head), value if is_array(value) else [value])
        elif head == "email":
            self._add_email(column, value)
        elif head == "birthday" and rest:
            self._birthday[rest] = str(value)
        else:
            self._add_text(column, self._member(column, head), value)

    def _member(self, column: Column, head: str) -> str | None:
        """Return the member of a value whose type another column tells; None where it is none of a contact's."""
        label = str(self._row.get(column.label) or "") if column.label is not None else ""
        if head != "phone" or not label:
            return camel(head)
        return None if _NO_PHONE.search(label) else "mobile" if _MOBILE.search(label) else "phone"

    def _add_text(self, column: Column, name: str | None, value: Any) -> None:
        if name is None:
            label = self._row.get(column.label or "")
            self._warn(column, value, f"is a {label}, for which a contact has no place")
        elif name not in self._out:
            self._out[name] = value
        elif _plain(self._out[name]) != _plain(value):
            self._warn(column, value, f"was not taken: {name} is {str(self._out[name])[:80]!r} by another column")

    def _add_items(self, column: Column, name: str, items: Sequence[Any]) -> None:
        """Add the items of a list; numbers are texts, and what is beyond its longest is told."""
        texts = [str(item) if type(item) in (int, Decimal) else item for item in items]
        kept = [*self._out.get(name, []), *texts]
        most = _MOST.get(name, len(kept))
        if len(kept) > most:
            self._warn(column, kept[most:], f"were left out: a contact has at most {most}")
        self._out[name] = kept[:most]

    def _add_email(self, column: Column, value: Any) -> None:
        text = re.sub(r"(?i)\A\s*mailto:", "", str(value))
        found = [text] if re.match(EMAIL_PATTERN, text) else values.read_addresses(text)
        if not found:
            self._out.setdefault("email", text)
            return
        if (name := values.name_before_address(text)) is not None:
            self._out.setdefault("_name", name)
        first = self._out.setdefault("email", found[0])
        others = [address for address in found if address.lower() != str(first).lower()]
        if others:
            self._add_items(column, "secondaryEmails", others)

    def _add_own(self, column: Column, rest: str, value: Any) -> None:
        if rest:
            self._own[rest] = value
            return
        if isinstance(value, str) and value.startswith("{"):
            with suppress(ValueError, RecursionError):
                value = json.loads(value)
        if not isinstance(value, Mapping):
            raise invalid("custom_fields", "type", "must be an object: name a column custom_fields.NAME for each field")
        self._own |= cast("Members", value)

    def _add_place(self, column: Column, rest: str, value: Any) -> None:
        parts = self._addresses.setdefault(column.family, {})
        if isinstance(value, Mapping):
            for part, text in cast("Members", value).items():
                if text not in (None, ""):
                    read = country_code(text) or text if part == "country" and isinstance(text, str) else text
                    parts.setdefault(snake(str(part)), (column, read))
        else:
            part = rest or "street"
            if _plain(parts.setdefault(part, (column, value))[1]) != _plain(value):
                self._warn(column, value, f"was not taken: {column.field} is {str(parts[part][1])[:80]!r} already")

    def members(self) -> dict[str, Any]:
        """Return the members, of which several columns made one."""
        out = self._out
        families = list(self._addresses.values())
        for parts in families:
            # One text with the whole address says the same as its parts where there are such columns, too.
            if (whole := parts.pop("whole", None)) is not None:
                parts.setdefault("street", whole)
        if families:
            out["address"] = {camel(part): value for part, (_, value) in families[0].items()}
            for other in families[1:]:
                for part, (column, value) in other.items():
                    if _plain(out["address"].get(camel(part))) != _plain(value):
                        self._warn(column, value, "was not taken: a contact has one address, and another comes first")
        if self._own:
            out["customFields"] = self._own
        if middle := out.pop("middleName", None):
            if out.get("firstName"):
                out["firstName"] = f"{out['firstName']} {middle}"
            else:
                out["firstName"] = middle
        if {"year", "month", "day"} <= self._birthday.keys():
            year, month, day = (self._birthday[part].strip() for part in ("year", "month", "day"))
            if all(part.isdigit() and len(part) <= 4 for part in (year, month, day)):
                with suppress(ValueError):
                    out["birthday"] = date(int(year), int(month), int(day)).isoformat()
        return out


def _plain(value: Any) -> str:
    return re.sub(r"\W+", "", str(value)).lower()
