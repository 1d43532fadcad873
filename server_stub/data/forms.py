"""The stored forms of members by their names, the same for every noun that has the member."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from ..problems import FieldError, Problem, invalid, validation
from . import normalise

if TYPE_CHECKING:
    from ..serving import Context

Form: TypeAlias = Callable[["Context", Any], object]
"""Returns the stored form of a given value. Raises: 422 for an invalid value."""


def required_text(name: str) -> Form:
    """Return the form of a text that must not be empty, without surrounding whitespace."""

    def form(call: Context, value: Any) -> object:
        text = value.strip() if isinstance(value, str) else value
        if not text:
            raise invalid(name, "length", "must not be empty")
        return text

    return form


def _phone(call: Context, value: Any) -> object:
    return normalise.phone(value, call.tenant.get("country"))


def _addresses(call: Context, values: Sequence[str] | None) -> object:
    kept: dict[str, None] = {}
    wrong: list[FieldError] = []
    for number, value in enumerate(values or ()):
        try:
            address = normalise.email(value, f"secondary_emails.{number}")
        except Problem as problem:
            wrong += problem.entries
        else:
            if address is not None:
                kept[address] = None
    if wrong:
        raise validation(wrong)
    return list(kept)


def known_currency(name: str) -> Form:
    """Return the form of a currency that amounts of the company can be in."""

    def form(call: Context, value: Any) -> object:
        known = {call.tenant["base_currency"], *(rate["currency"] for rate in call.tenant.get("currencies") or ())}
        if value is not None and value not in known:
            words = sorted(known)
            message = f"the company has no rate for {value!r}; it has {', '.join(words)}"
            raise invalid(name, "choice", message, choices=words)
        return value

    return form


def _known_country(name: str) -> Form:
    return lambda call, value: normalise.address(value, name)


FORMS: Mapping[str, Form] = {
    "email": lambda call, value: normalise.email(value),
    "secondary_emails": _addresses,
    "phone": _phone,
    "mobile": _phone,
    **{name: _known_country(name) for name in ("address", "billing_address", "shipping_address")},
    "tags": lambda call, value: normalise.tags(value or ()),
    "language": lambda call, value: normalise.language(value),
    "timezone": lambda call, value: normalise.timezone(value),
    "currency": known_currency("currency"),
    "external_id": lambda call, value: value or None,  # an empty text is stored as None, which need not be unique
}
