"""The cells of a row as values of fields: what cannot be read for certain fails the row, and nothing is guessed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from crm_sdk.wire import is_array

from ...files import values
from ...files.countries import country_code
from ...files.marked import is_nothing, read_list, read_value, unmark
from ...problems import invalid
from ...serving import Context
from .. import company
from ..contacts.files.labels import LABELS
from .fields import Field

COMMA_LANGUAGES = (
    "az be bg bs ca cs da de el es et eu fi fo fr gl hr hu id is it ka kk lt lv mk nb nl nn no pl pt ro ru sk sl sq sr "
    "sv tr uk uz vi"
)
"""The languages in which a comma stands before decimals."""
_POINT_COUNTRIES = frozenset({"CH", "LI", "MX", "GT", "HN", "NI", "PA", "PE", "PR", "SV", "DO", "US"})
"""Where they have a point all the same."""
_SPACES = "\u00a0\u202f\u2009 '\u2019"
_CURRENCY = re.compile(r"\A\s*[$€£¥₹]\s*|\s*[$€£¥₹]\s*\Z")
_LARGEST_POWER = 24


def decimal_mark(locale: str) -> str:
    """Return what a locale writes before decimals: ``,`` or ``.``."""
    language, *rest = re.split(r"[-_]", locale)
    country = next((part.upper() for part in rest if len(part) == 2), "")
    return "," if language.lower() in COMMA_LANGUAGES.split() and country not in _POINT_COUNTRIES else "."


def read_number(text: str, mark: str, field: str) -> int | Decimal:
    """Return the number in a text, with a `mark` before decimals; thousands may be in groups of three.

    Raises: 422 ``format`` for a text that is another number in another country, or none.
    """
    plain = _CURRENCY.sub("", text[:100]).strip()
    other = "." if mark == "," else ","
    grouped = rf"[+-]?\d{{1,3}}([{re.escape(other)}{_SPACES}])\d{{3}}(\1\d{{3}})*({re.escape(mark)}\d+)?"
    bare = rf"[+-]?(\d+({re.escape(mark)}\d*)?|{re.escape(mark)}\d+)([eE][+-]?\d{{1,2}})?"
    if not (re.fullmatch(grouped, plain) or re.fullmatch(bare, plain)):
        message = f"{text[:80]!r} is no number with {mark!r} before decimals, as the company's locale has them"
        raise invalid(field, "format", message)
    try:
        number = Decimal(re.sub(rf"[{re.escape(other)}{_SPACES}]", "", plain).replace(mark, "."))
    except InvalidOperation:
        raise invalid(field, "format", f"{text[:80]!r} is no number") from None
    if not number.is_finite() or abs(number.adjusted()) > _LARGEST_POWER:
        raise invalid(field, "max", f"{text[:80]!r} is not a number between -10^24 and 10^24")
    return int(number) if number == number.to_integral_value() else number


@dataclass(frozen=True, slots=True)
class Cells:
    """Reads the cells of one import."""

    call: Context
    pattern: str | None
    """The format of dates, where one was given."""
    typed: bool
    """Whether the format has types: then texts are what they are, without the marks of spreadsheets."""
    zone: tzinfo
    mark: str
    """What stands before decimals."""

    @staticmethod
    def of(call: Context, format: str, pattern: str | None) -> Cells:
        """Return what reads the cells of a file; a workbook has no time zones, so its times are UTC."""
        zone = UTC if format == "xlsx" else company.zone(call)
        return Cells(call, pattern, format in ("jsonl", "vcf"), zone, decimal_mark(str(call.tenant.get("locale"))))

    def read(self, value: Any, field: Field, transform: str) -> Any:
        """Return the value of a cell for a field; None for an empty one. Raises: 422 where it cannot be read."""
        if isinstance(value, str):
            value = self._text(value, field, transform)
        if value is None or value == []:
            return None
        if transform == "number" and isinstance(value, str):
            return read_number(value, self.mark, field.name)
        if transform == "date" and isinstance(value, str) and field.type != "datetime":
            return self.day(value, field.name)
        if transform == "split_tags" and isinstance(value, str):
            return [_option(text, field) for text in read_list(value)]
        reader = _READERS.get(field.type, _as_text)
        return reader(self, value, field)

    def _text(self, value: str, field: Field, transform: str) -> str | None:
        text = value if transform == "none" else value.strip()
        if not text.strip() or (not self.typed and field.type not in _FREE and is_nothing(text)):
            return None
        text = text if self.typed or field.type == "any" else unmark(text)
        return getattr(text, transform)() if transform in ("lower", "upper", "title") else text

    def day(self, text: str, name: str) -> str:
        """Return the day that a text names, as ISO writes it. Raises: 422 for another format than the given one."""
        found = None
        if self.pattern is not None:
            found = values.by_pattern(text, self.pattern)
        if found is None:
            try:
                found = date.fromisoformat(text) if re.match(r"\d{4}-", text) else None
            except ValueError:
                found = None
        if found is None:
            like = self.pattern or "YYYY-MM-DD; for another give date_format"
            raise invalid(name, "format", f"{text[:80]!r} is no date like {like}")
        return found.isoformat()


def _as_text(cells: Cells, value: Any, field: Field) -> Any:
    if field.name.rpartition(".")[2] == "country" and isinstance(value, str):
        return country_code(value) or value
    return str(value) if type(value) in (int, Decimal) else value


def _as_number(cells: Cells, value: Any, field: Field) -> Any:
    return read_number(value, cells.mark, field.name) if isinstance(value, str) else value


def _as_flag(cells: Cells, value: Any, field: Field) -> Any:
    if not isinstance(value, str) and type(value) is not int:
        return value
    found = values.read_flag(str(value))
    if found is None:
        raise invalid(field.name, "format", f"{str(value)[:80]!r} is neither yes nor no")
    return found


def _as_date(cells: Cells, value: Any, field: Field) -> Any:
    return cells.day(value, field.name) if isinstance(value, str) else value


def _as_time(cells: Cells, value: Any, field: Field) -> Any:
    if not isinstance(value, str):
        return value
    if cells.pattern is not None and (day := values.by_pattern(value, cells.pattern)) is not None:
        return datetime.combine(day, datetime.min.time(), cells.zone).astimezone(UTC).isoformat()
    try:
        found = datetime.fromisoformat(value) if re.match(r"\d{4}-", value) else None
        if found is not None:
            at = found if found.tzinfo is not None else found.replace(tzinfo=cells.zone)
            return at.astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        pass
    like = cells.pattern or "2026-11-21T09:00:00Z; for another give date_format"
    raise invalid(field.name, "format", f"{value[:80]!r} is no time like {like}")


def _as_email(cells: Cells, value: Any, field: Field) -> Any:
    return re.sub(r"(?i)\A\s*mailto:", "", value) if isinstance(value, str) else value


def _as_phone(cells: Cells, value: Any, field: Field) -> Any:
    text = str(value)
    if values.lost_digits(text):
        message = f"{text!r} was written with an exponent, and its last digits are lost: format the column as text"
        raise invalid(field.name, "format", message)
    return text if type(value) in (int, Decimal) else value


def _as_option(cells: Cells, value: Any, field: Field) -> Any:
    return _option(str(value), field) if isinstance(value, (str, int)) else value


def _option(text: str, field: Field) -> str:
    """Return the value of an enumeration that a text means, by itself or as a label; else the text."""
    labels = {re.sub(r"[\W_]+", "", label.casefold()): key for key, label in field.options.items()}
    return values.key_of_label(text, tuple(field.options), {**LABELS.get(field.name, {}), **labels}) or text


def _as_list(cells: Cells, value: Any, field: Field) -> Any:
    if is_array(value):
        return value
    text = str(value)
    if field.item_type == "object" or text.startswith("["):
        return _as_json(cells, text, field)
    found = read_list(text, whole=field.name == "notes")
    return [_option(one, field) for one in found] if field.options else found


def _as_json(cells: Cells, value: Any, field: Field) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise invalid(field.name, "format", f"{value[:80]!r} is not the JSON text of {field.name}") from None


def _as_reference(cells: Cells, value: Any, field: Field) -> Any:
    text = str(value)
    if tuple(field.reference_to) != ("user",) or not isinstance(value, str):
        return text if type(value) is int else value
    users = cells.call.collection("user")
    if users.get(text) is not None:
        return text
    address = next(iter(values.read_addresses(text)), text).casefold()
    same = users.find("email", address) or users.find("name", text)
    return str(same[0]["id"]) if len(same) == 1 else text


def _as_any(cells: Cells, value: Any, field: Field) -> Any:
    return read_value(value) if isinstance(value, str) and not cells.typed else value


_READERS: Mapping[str, Callable[[Cells, Any, Field], Any]] = {
    **dict.fromkeys(("integer", "decimal", "currency"), _as_number),
    "boolean": _as_flag, "date": _as_date, "datetime": _as_time, "email": _as_email, "phone": _as_phone,
    "select": _as_option, "multi_select": _as_list, "list": _as_list, "object": _as_json,
    "reference": _as_reference, "any": _as_any,
}  # fmt: skip
_FREE = frozenset({"text", "long_text", "any"})
"""Types in which a word for nothing may be meant as it stands."""
