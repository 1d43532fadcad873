"""The values of custom fields: read by their types, and checked against the rules of their fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from crm_sdk.models.custom_fields import MAX_LONG_TEXT, MAX_PRECISION, MAX_TEXT
from crm_sdk.models.values import LARGEST_AMOUNT, URL_PATTERN
from crm_sdk.wire import instant, is_array, number

from ...data import normalise
from ...data.queries import patterns
from ...data.queries.field_types import custom_type
from ...data.queries.filter_groups import FieldType
from ...problems import Problem, invalid
from ...serving import Context, Members
from .. import company
from ..deals.records import rounded_amount
from .definitions import holds_many, ids_in, is_link, linked_record, target_of

NUMBERS, DECIMALS = ("integer", "decimal", "currency"), ("decimal", "currency")
TEXTS = ("text", "long_text", "email", "phone", "url")
SELECTS = ("select", "multi_select")
WORDS = (*TEXTS, *SELECTS, "auto_number")
"""The types of fields in which `search` can look."""
LONGEST: Mapping[str, int] = {"text": MAX_TEXT, "long_text": MAX_LONG_TEXT, "email": 254, "phone": 50, "url": 2_048}
WIDER: Mapping[str, tuple[str, ...]] = {
    "text": ("long_text",),
    "integer": DECIMALS,
    "decimal": ("currency",),
    "select": ("multi_select",),
    "date": ("datetime",),
}
"""The types that each type widens to."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_COUNTER = re.compile(r"\{(0+)\}")


def filter_type(key: Members) -> FieldType:
    """Return how conditions compare the values of a field or relationship."""
    if is_link(key):
        return "list" if holds_many(key) else "text"
    return custom_type(key["type"])


def stored_value(call: Context, key: Members, value: Any, path: str, held: Any = None) -> Any:
    """Return the stored form of a value of a field or relationship; None for no value.

    `held` is what the record holds already: an option or a reference that cannot be chosen any more may be sent back.

    Raises: 422 with the path; 409 CARDINALITY_VIOLATION for several links where there can be one.
    """
    empty = value in (None, "", [])
    if not is_link(key) and key["type"] == "auto_number" and not (empty and held is None):
        if value != held:
            raise invalid(path, "read_only", "the number is assigned by the server")
        return held
    if empty:
        return None
    if is_link(key):
        return _links(call, key, value, path, held)
    stored = _READERS[key["type"]](call, key, value, path, held)
    if key["type"] in NUMBERS:
        _check_number(key, stored, path)
    elif key["type"] in TEXTS and stored is not None:
        _check_text(key, stored, path)
    return stored


def converted_value(call: Context, old: str, new: str, value: Any) -> Any:
    """Return a stored value as one of a wider type."""
    if value is not None and (old, new) == ("select", "multi_select"):
        return [value]
    if value is not None and (old, new) == ("date", "datetime"):
        return company.midnight(call, value)
    return value


def term(name: str, value: Any) -> str:
    """Return the text by which records with a value of a field are found; equal values have the same one."""
    if is_array(value):
        text = ",".join(sorted(map(str, value)))
    elif isinstance(value, datetime):
        text = instant(value)
    elif isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        text = str(number(Decimal(value)))
    else:
        text = str(value)
    return f"{name}={text if len(text) <= MAX_TEXT else sha256(text.casefold().encode()).hexdigest()}"


def automatic_number(format: str, count: int) -> str:
    """Return an automatic number: the form ``INV-{0000}`` gives INV-0001."""
    return _COUNTER.sub(lambda match: str(count).zfill(len(match[1])), format)


def is_number_format(format: str) -> bool:
    """Tell whether the form of an automatic number has one place for the number."""
    return len(_COUNTER.findall(format)) == 1 and not set("{}") & set(_COUNTER.sub("", format))


# -- by type -----------------------------------------------------------------------------------------------------------


def _text(call: Context, key: Members, value: Any, path: str, held: Any) -> str:
    if not isinstance(value, str):
        raise invalid(path, "type", "must be a text")
    return value


def _email(call: Context, key: Members, value: Any, path: str, held: Any) -> str | None:
    return normalise.email(_text(call, key, value, path, held), path)


def _phone(call: Context, key: Members, value: Any, path: str, held: Any) -> str | None:
    return normalise.phone(_text(call, key, value, path, held), call.tenant.get("country"))


def _url(call: Context, key: Members, value: Any, path: str, held: Any) -> str:
    text = _text(call, key, value, path, held).strip()
    if re.fullmatch(URL_PATTERN, text) is None:
        raise invalid(path, "format", "must be a URL, like https://example.com")
    return text


def _decimal(call: Context, key: Members, value: Any, path: str, held: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise invalid(path, "type", "must be a number")
    amount = Decimal(str(value))
    if not -LARGEST_AMOUNT < amount < LARGEST_AMOUNT:
        raise invalid(path, "min" if amount < 0 else "max", "must be a number between -10^15 and 10^15")
    return amount


def _integer(call: Context, key: Members, value: Any, path: str, held: Any) -> int:
    amount = _decimal(call, key, value, path, held)
    if amount != int(amount):
        raise invalid(path, "type", "must be a whole number")
    return int(amount)


def _boolean(call: Context, key: Members, value: Any, path: str, held: Any) -> bool:
    if not isinstance(value, bool):
        raise invalid(path, "type", "must be true or false")
    return value


def _in_reach(day: date, path: str) -> None:
    if not 1900 <= day.year < 3000:
        raise invalid(path, "min" if day.year < 1900 else "max", "must be in the years 1900 to 2999")


def _date(call: Context, key: Members, value: Any, path: str, held: Any) -> date:
    day = value
    if isinstance(value, str):
        try:
            day = date.fromisoformat(value) if _DAY.fullmatch(value) else None
        except ValueError:
            day = None
        if day is None:
            raise invalid(path, "format", f"{value!r} is not a date such as 2026-01-31")
    if not isinstance(day, date) or isinstance(day, datetime):
        raise invalid(path, "type", "must be a date as a text, such as 2026-01-31")
    _in_reach(day, path)
    return day


def _datetime(call: Context, key: Members, value: Any, path: str, held: Any) -> datetime:
    at = value
    if isinstance(value, str):
        try:
            at = datetime.fromisoformat(value) if not _DAY.fullmatch(value) else None
        except ValueError:
            at = None
        if at is None or at.tzinfo is None:
            raise invalid(path, "format", f"{value!r} is no time with its zone, such as 2026-01-31T09:00:00Z")
    if not isinstance(at, datetime):
        raise invalid(path, "type", "must be a time as a text, such as 2026-01-31T09:00:00Z")
    _in_reach(at, path)
    at = at.astimezone(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)  # as it is answered


def _select(call: Context, key: Members, value: Any, path: str, held: Any) -> str:
    text = _text(call, key, value, path, held)
    options = [option["value"] for option in key["options"] if option["active"]]
    if text not in options and text not in ids_in(held):
        raise invalid(path, "choice", f"{text!r} is not one of {', '.join(options)}", choices=options)
    return text


def _multi_select(call: Context, key: Members, value: Any, path: str, held: Any) -> list[str]:
    if not is_array(value):
        raise invalid(path, "type", "must be a list of texts")
    return list(dict.fromkeys(_select(call, key, item, path, held) for item in value))


_READERS: Mapping[str, Callable[[Context, Members, Any, str, Any], Any]] = {
    "text": _text,
    "long_text": _text,
    "integer": _integer,
    "decimal": _decimal,
    "currency": _decimal,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "email": _email,
    "phone": _phone,
    "url": _url,
    "select": _select,
    "multi_select": _multi_select,
}


def _links(call: Context, key: Members, value: Any, path: str, held: Any) -> Any:
    """Return the ids of a link: a list of them where it holds many, else one."""
    given: list[Any] = list(dict.fromkeys(ids_in(value)))
    if not given or not all(isinstance(id, str) for id in given):
        raise invalid(path, "type", "must be an id, or a list of ids" if holds_many(key) else "must be an id")
    kept = ids_in(held)
    ids: dict[str, None] = {}
    for id in given:
        doc = linked_record(call, target_of(key), id)
        if doc is None and id not in kept:
            message = f"no {target_of(key).replace('_', ' ')} has the id {id!r}"
            raise Problem("REFERENCE_NOT_FOUND", message, field=path, rule="reference")
        ids[doc["id"] if doc is not None else id] = None
    if holds_many(key):
        return list(ids)
    if len(ids) > 1:
        message = f"{key['label']} links with one record only"
        raise Problem("CARDINALITY_VIOLATION", message, field=path, details={"record_ids": list(ids)})
    return next(iter(ids))


# -- by rule -----------------------------------------------------------------------------------------------------------


def _check_number(key: Members, value: Decimal, path: str) -> None:
    low, high, precision = key["min_value"], key["max_value"], key["precision"]
    if low is not None and value < low:
        raise invalid(path, "min", f"must be at least {number(low)}")
    if high is not None and value > high:
        raise invalid(path, "max", f"must be at most {number(high)}")
    if key["type"] == "currency" and precision is None:
        exact = rounded_amount(Decimal(value), key["currency"])
        if exact != value:
            raise invalid(path, "format", "has more decimals than its currency")
    elif key["type"] in DECIMALS:
        places = MAX_PRECISION if precision is None else precision
        if round(Decimal(value), places) != value:
            raise invalid(path, "format", f"must have at most {places} decimals")


def _check_text(key: Members, value: str, path: str) -> None:
    low, longest = key["min_length"], LONGEST[key["type"]]
    high = longest if key["max_length"] is None else min(longest, key["max_length"])
    if low is not None and len(value) < low:
        raise invalid(path, "length", f"must have at least {low} characters")
    if len(value) > high:
        raise invalid(path, "length", f"must have at most {high} characters")
    if key["pattern"] is not None and not patterns.matches(key["pattern"], value):
        raise invalid(path, "format", f"must match {key['pattern']}")
