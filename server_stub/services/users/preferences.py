"""The preferences of users: their defaults, from the company's configuration, and what the users have chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...problems import FieldError, validation
from ...serving import Context, Members


def first_preferences(call: Context) -> dict[str, Any]:
    """Return the preferences of a new user."""
    tenant = call.tenant
    return {
        "theme": "light",
        "notifications": True,
        "timezone": tenant.get("timezone") or "UTC",
        "language": "en",
        "date_format": "YYYY-MM-DD",
        "time_format": "24h",
        "week_start": 0,
        "currency": tenant["base_currency"],
        "default_pipeline_id": None,
        "email_signature": None,
        "business_hours": None,
        "calendar_view": "week",
    }


def effective(call: Context, user: Mapping[str, Any]) -> dict[str, Any]:
    """Return the preferences of a user; what is not chosen is as for a new one, working hours as the company's.

    A currency that the company has no more is not chosen either.
    """
    known = {call.tenant["base_currency"], *(rate["currency"] for rate in call.tenant.get("currencies") or ())}
    chosen: dict[str, Any] = dict(user.get("preferences") or {})
    if chosen.get("currency") not in known:
        chosen["currency"] = None
    hours = call.tenant.get("business_hours")
    defaults = {**first_preferences(call), "business_hours": hours}
    return {**defaults, **{name: value for name, value in chosen.items() if value is not None}}


def check_hours(hours: Members, field: str) -> None:
    """Raise 422 that names each span of working hours that ends before it begins, or overlaps one before it."""
    wrong: list[FieldError] = []
    spans: list[Mapping[str, Any]] = list(hours.get("days") or ())
    for number, span in enumerate(spans):
        at = f"{field}.days.{number}"
        others = [other for other in spans[:number] if other["weekday"] == span["weekday"]]
        if span["end"] <= span["start"]:
            wrong.append(FieldError(f"{at}.end", "min", "must be later than the start"))
        elif any(other["start"] < span["end"] and span["start"] < other["end"] for other in others):
            wrong.append(FieldError(f"{at}.start", "unique", "overlaps another span of that weekday"))
    if wrong:
        raise validation(wrong)
