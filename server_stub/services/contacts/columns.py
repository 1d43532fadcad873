"""Map the columns of an imported file to members of contacts: by the given mapping, or by their headers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, cast

from typing_extensions import get_type_hints

from crm_sdk.wire import camel, snake

from ...data.query import fold
from ...problems import Problem, invalid
from ...serving import Members

_LISTS = frozenset({"tags", "secondary_emails", "notes"})
_CALLED: Mapping[str, str] = {
    name: field
    for field, names in {
        "name": "full name|contact|contact name|nombre completo",
        "first_name": "given name|vorname|nombre",
        "last_name": "surname|family name|nachname|apellidos|apellido",
        "email": "e mail|mail|email address|e mail address|correo|correo electronico",
        "phone": "telephone|tel|phone number|telefon|telefono",
        "mobile": "mobile phone|cell|cell phone|handy|movil",
        "company": "organization|organisation|company name|account|firma|unternehmen|empresa",
        "title": "position|job title|role|cargo",
        "notes": "note|comment|comments|notizen|notas",
        "tags": "tag|labels|categories|etiquetas",
        "website": "url|web|homepage",
        "birthday": "birth date|date of birth|geburtstag",
        "source": "lead source",
        "owner_id": "owner",
        "address.street": "street|strasse|calle",
        "address.city": "city|town|ort|stadt|ciudad",
        "address.state": "state|region|province|provincia",
        "address.postal_code": "zip|zip code|postcode|postal code|plz|codigo postal",
        "address.country": "country|country code|land|pais",
    }.items()
    for name in names.split("|")
}
"""Headers of columns, without case and accents, and their members."""


# The models are imported for the first file, so that the server starts faster.
@cache
def _members() -> frozenset[str]:
    from crm_sdk.models.contacts import ContactCreate

    return frozenset(get_type_hints(ContactCreate))


@cache
def _place() -> frozenset[str]:
    from crm_sdk.models.values import AddressInput

    return frozenset(get_type_hints(AddressInput))


@dataclass(frozen=True, slots=True)
class Column:
    """One column and its member."""

    column: str
    field: str
    transform: str = "trim"
    default: str | None = None


def check_mapping(mapping: Sequence[Members]) -> None:
    """Raise 422 for a mapping to a member that contacts do not have."""
    for number, entry in enumerate(mapping):
        if known_field(entry["field"]) is None:
            raise invalid(
                f"mapping.{number}.field",
                "choice",
                f"a contact has no member {entry['field']!r} that can be imported",
                choices=sorted(_members()),
            )


def known_field(field: str) -> str | None:
    """Return a member, or a path such as ``address.city``, in Python names; None where there is none to import."""
    head, _, rest = field.partition(".")
    name = snake(head)
    if name == "custom_fields":
        return f"{name}.{rest}" if rest else name
    if name == "address" and rest:
        return f"{name}.{snake(rest)}" if snake(rest) in _place() else None
    return name if (name in _members() or name == "id") and not rest else None


def plan(columns: Sequence[str], mapping: Sequence[Members] | None) -> tuple[list[Column], list[str]]:
    """Return the columns with their members, and the names of columns without one."""
    if mapping is None:
        found = [Column(name, field) for name in columns if (field := _by_header(name)) is not None]
    else:
        found = [
            Column(
                _column(columns, entry["column"], number),
                known_field(entry["field"]) or entry["field"],
                entry.get("transform", "trim"),
                entry.get("default"),
            )
            for number, entry in enumerate(mapping)
        ]
    used = {column.column for column in found}
    return found, [name for name in columns if name not in used]


def _by_header(name: str) -> str | None:
    squeezed = " ".join(re.sub(r"[^a-z0-9.]+", " ", fold(name)).split())
    return known_field(name.strip()) or known_field(squeezed.replace(" ", "_")) or _CALLED.get(squeezed)


def _column(columns: Sequence[str], named: str, number: int) -> str:
    if named in columns:
        return named
    if named.isdigit() and 1 <= int(named) <= len(columns):
        return columns[int(named) - 1]
    folded = [name for name in columns if fold(name) == fold(named)]
    if folded:
        return folded[0]
    raise invalid(f"mapping.{number}.column", "choice", f"the file has no column {named!r}", choices=list(columns))


def members_of(row: Members, columns: Sequence[Column], date_format: str | None) -> dict[str, Any]:
    """Return the members of a row in wire names, without empty cells. Raises: 422 for an invalid cell."""
    out: dict[str, Any] = {}
    for column in columns:
        value = row.get(column.column)
        if value is None or (isinstance(value, str) and not value.strip()):
            value = column.default
        if value is None or value == []:
            continue
        head, _, rest = column.field.partition(".")
        value = _cell(value, column, date_format)
        name = camel(head)
        if rest:
            out[name] = {**out.get(name, {}), camel(rest) if head == "address" else rest: value}
        elif head in _LISTS:
            out[name] = [*out.get(name, []), *(value if isinstance(value, list) else [value])]
        elif isinstance(value, Mapping) and head == "address":
            out[name] = {camel(str(part)): text for part, text in cast("Members", value).items()}
        else:
            out[name] = value
    return out


def _cell(value: Any, column: Column, date_format: str | None) -> Any:
    if not isinstance(value, str):
        return value
    text = value if column.transform == "none" else value.strip()
    match column.transform:
        case "lower" | "upper" | "title":
            return getattr(text, column.transform)()
        case "number":
            return _number(text, column.field)
        case "date":
            return _date(text, column.field, date_format)
        case "split_tags":
            return _split(text)
        case _:
            pass
    if column.field in ("tags", "secondary_emails"):
        return _split(text)
    return _date(text, column.field, date_format) if column.field == "birthday" and date_format else text


def _split(text: str) -> list[str]:
    return [part for part in (part.strip() for part in re.split(r"[,;|]", text)) if part]


def _number(text: str, field: str) -> int | Decimal:
    plain = re.sub(r"[\s'_]", "", text)
    if "," in plain:  # the last of the two is the decimal point
        plain = (
            plain.replace(".", "").replace(",", ".") if plain.rfind(",") > plain.rfind(".") else plain.replace(",", "")
        )
    try:
        number = Decimal(plain)
        return int(number) if number == number.to_integral_value() else number
    except (InvalidOperation, OverflowError, ValueError):
        raise invalid(field, "type", f"{text!r} is no number") from None


def _date(text: str, field: str, date_format: str | None) -> str:
    try:
        if date_format is None:
            return datetime.fromisoformat(text).date().isoformat()
        return datetime.strptime(text, _strptime(date_format)).date().isoformat()
    except ValueError:
        like = date_format or "YYYY-MM-DD"
        raise Problem("VALIDATION_ERROR", f"{text!r} is no date like {like}", field=field, rule="format") from None


def _strptime(pattern: str) -> str:
    """Return the `strptime` format for one such as ``DD.MM.YYYY``; one with percent signs is returned unchanged."""
    if "%" in pattern:
        return pattern
    for ours, theirs in (("YYYY", "%Y"), ("YY", "%y"), ("MM", "%m"), ("DD", "%d"), ("M", "%m"), ("D", "%d")):
        pattern = re.sub(rf"(?<!%){ours}", theirs, pattern)
    return pattern
