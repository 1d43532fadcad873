"""The cells of a row as members of a contact: what is clear is taken, what is not is left empty and told."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from crm_sdk.models.values import LANGUAGE_PATTERN, URL_PATTERN

from ....files import values
from ....files.countries import country_code, language_code
from ....files.marked import is_nothing, read_list, read_value, unmark
from ....problems import Problem, invalid
from ....serving import Context
from .columns import LISTS, Column
from .labels import KEYS, LABELS

Warn = Callable[[Column, Any, str], None]
"""Notes a warning about a cell: its column, its value, and what became of it."""

_NAMES = frozenset({"name", "first_name", "last_name", "middle_name"})
"""What may be a word that says elsewhere that there is nothing: people are called Null and Na."""
_FLAGS = frozenset({"do_not_contact", "email_opt_out", "sms_opt_out"})
_LONGEST_TAG = 50


@dataclass(frozen=True, slots=True)
class Cells:
    """Reads the cells of one import."""

    call: Context
    zone: tzinfo
    pattern: str | None
    """The format of dates, where one was given."""
    exact: bool
    """Whether the format has types: then texts are what they are, without the marks of spreadsheets."""

    def read(self, value: Any, column: Column, warn: Warn) -> Any:
        """Return the value of a cell for its member; None where it has none.

        Raises: 422 where a transform that the mapping asks for cannot be made.
        """
        field = column.field
        if isinstance(value, str):
            value = self._text(value, column)
        if value is None or value == [] or value == {}:
            return column.default
        if isinstance(value, str) and column.transform not in ("none", "trim"):
            return self._transform(value, column)
        if field.startswith("custom_fields.") and isinstance(value, str) and not self.exact:
            return unmark(value) if column.mapped else read_value(value)
        reader = _READERS.get(field)
        if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
            return value
        if reader is None:
            return str(value)
        found = reader(self, str(value), column, partial(warn, column, value))
        return column.default if found is None else found

    def _text(self, value: str, column: Column) -> str | None:
        text = value if column.transform == "none" else value.strip()
        head = column.field.partition(".")[0]
        free = head in _NAMES
        if self.exact:  # there nothing is null: only where no such word can be meant, it says that there is nothing
            free = head in LISTS or column.field == "source" or column.field not in (*_READERS, "email")
        if not text.strip() or (not free and is_nothing(text)):
            return None
        return text if self.exact or head == "custom_fields" else unmark(text)

    def _transform(self, text: str, column: Column) -> Any:
        match column.transform:
            case "lower" | "upper" | "title":
                return getattr(text, column.transform)()
            case "number":
                return read_number(text, column.field)
            case "date":
                found = values.read_date(text, self.pattern, column.day_first)
                if found is None:
                    like = self.pattern or "YYYY-MM-DD"
                    message = f"{text[:80]!r} is not a date like {like}"
                    raise Problem("VALIDATION_ERROR", message, field=column.field, rule="format")
                return found.isoformat()
            case _:
                return read_list(text)


# -- members of their own kinds ----------------------------------------------------------------------------------------


def _birthday(cells: Cells, text: str, column: Column, warn: Callable[[str], None]) -> str | None:
    found = values.read_date(text, cells.pattern, column.day_first)
    if found is None and not values.is_no_date(text):
        warn(f"is not a date like {cells.pattern}" if cells.pattern else "is not a clear date: give date_format")
    return found.isoformat() if found is not None else None


def _time(cells: Cells, text: str, column: Column, warn: Callable[[str], None]) -> str | None:
    found = values.read_time(text, cells.zone, cells.pattern, column.day_first)
    if found is None and not values.is_no_date(text):
        warn("is not a clear time: give date_format")
    return found.isoformat() if found is not None else None


def _flag(cells: Cells, text: str, column: Column, warn: Callable[[str], None]) -> bool | None:
    found = values.read_flag(text)
    if found is None:
        warn("is neither yes nor no")
    return found


def _label(cells: Cells, text: str, column: Column, warn: Callable[[str], None]) -> str:
    if column.field == "source" and column.column == "source":
        return text  # a company has sources of its own
    return values.key_of_label(text, KEYS[column.field], LABELS[column.field]) or text


def _owner(cells: Cells, text: str, column: Column, warn: Callable[[str], None]) -> str | None:
    users = cells.call.collection("user")
    if users.get(text) is not None:
        return text
    address = next(iter(values.read_addresses(text)), text).lower()
    plain = " ".join(text.lower().split())
    same = [user for user in users.all() if str(user.get("email") or "").lower() == address]
    same = same or [user for user in users.all() if " ".join(str(user.get("name") or "").lower().split()) == plain]
    if len(same) != 1:
        warn("is the name of several users: give the address" if same else "is no user's id, address or name")
        return None
    return str(same[0]["id"])


def _website(cells: Cells, text: str, column: Column, warn: Callable[[str], None]) -> str:
    first, *others = re.split(r"\s*(?::::|[;\n]|,\s)\s*", text)
    if re.match(URL_PATTERN, text) or not first:
        return text
    if others:
        warn("has several addresses: the first counts")
    return first if re.match(URL_PATTERN, first) else values.read_website(first) or text


def _country(cells: Cells, text: str, column: Column, warn: Callable[[str], None]) -> str:
    return country_code(text) or text


def _language(cells: Cells, text: str, column: Column, warn: Callable[[str], None]) -> str:
    plain = text.replace("_", "-")
    return plain if re.match(LANGUAGE_PATTERN, plain) else language_code(text) or text


def _phone(cells: Cells, text: str, column: Column, warn: Callable[[str], None]) -> str | None:
    if cells.exact:
        return text
    parts = [part for part in re.split(r"\s*(?::::|[;\n])\s*", text) if part]
    if not parts:
        return None  # there is nothing between its separators
    first, *others = parts
    if values.lost_digits(first):
        warn("was written with an exponent, and its last digits are lost")
        return None
    if others:
        warn("has several numbers: the first counts")
    return first


def _list(cells: Cells, text: str, column: Column, warn: Callable[[str], None]) -> list[str]:
    if column.field == "notes":
        return [text] if cells.exact else read_list(text, whole=True)
    found = read_list(text)
    if column.field == "secondary_emails":
        return [address for part in found for address in values.read_addresses(part) or [part]]
    star = "* " if " ::: " in text and not text.startswith('"') else ""  # Google's, before its own groups
    kept = [part for part in (part.removeprefix(star) for part in found) if part and len(part) <= _LONGEST_TAG]
    if len(kept) < len(found):
        warn(f"has tags of more than {_LONGEST_TAG} characters: they were left out")
    return kept


def _profiles(cells: Cells, text: str, column: Column, warn: Callable[[str], None]) -> list[dict[str, Any]]:
    network = column.field.partition(".")[2]
    return [_profile(part, network) for part in read_list(text)]


def _profile(text: str, network: str) -> dict[str, Any]:
    """Return a profile: ``linkedin https://… handle`` as an export writes it, an address, or a handle."""
    own = re.fullmatch(r"(\S[^:/]{0,99}?) ([a-zA-Z][a-zA-Z0-9+.-]*://\S+)(?: (.*))?", text, re.DOTALL)
    if own is not None:
        return {"network": own[1], "url": own[2], **({"handle": own[3]} if own[3] else {})}
    if not re.match(URL_PATTERN, text):
        handle = text.removeprefix("@")
        text = values.read_website(text) or f"https://{network or 'www'}.com/{handle}"
    try:
        host = urlsplit(text).hostname or ""
    except ValueError:
        host = ""
    known = {"x.com": "twitter", "twitter.com": "twitter", "youtu.be": "youtube"}
    plain = host.removeprefix("www.")
    return {
        "network": network or known.get(plain) or (plain.split(".")[-2] if "." in plain else "website"),
        "url": text,
    }


_Reader: TypeAlias = Callable[[Cells, str, Column, Callable[[str], None]], Any]
_READERS: Mapping[str, _Reader] = {
    "birthday": _birthday,
    "next_follow_up": _time,
    **dict.fromkeys(_FLAGS, _flag),
    **dict.fromkeys(LABELS, _label),
    "owner_id": _owner,
    "website": _website,
    "avatar": _website,
    "address.country": _country,
    "language": _language,
    **dict.fromkeys(("phone", "mobile"), _phone),
    **dict.fromkeys(("tags", "notes", "secondary_emails"), _list),
    **dict.fromkeys(("social_profiles", *(f"social_profiles.{name}" for name in ("linkedin", "twitter", "facebook"))),
                    _profiles),
}  # fmt: skip
"""How the texts of cells are read that are not taken as they stand."""


def read_number(text: str, field: str) -> int | Decimal:
    """Return the number in a text: ``1.234,50``. Raises: 422 where it is none, or no custom field can hold it."""
    plain = re.sub(r"[\s'_]", "", text[:100])
    if "," in plain:  # the last of the two is the decimal point
        plain = (
            plain.replace(".", "").replace(",", ".") if plain.rfind(",") > plain.rfind(".") else plain.replace(",", "")
        )
    try:
        number = Decimal(plain)
    except InvalidOperation:
        raise invalid(field, "type", f"{text[:80]!r} is not a number") from None
    if not number.is_finite() or abs(number.adjusted()) > 24:
        raise invalid(field, "max", f"{text[:80]!r} is not a number between -10^24 and 10^24")
    return int(number) if number == number.to_integral_value() else number
