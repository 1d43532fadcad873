"""A company's time zone and its days, and what amounts are worth in its currency."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from ..data.document import Document
from ..problems import invalid
from ..serving import Context, Members


def zone(call: Context) -> ZoneInfo:
    """Return the time zone of the caller's company."""
    return ZoneInfo(call.tenant.get("timezone") or "UTC")


def today(call: Context) -> date:
    """Return the present day in the company's time zone."""
    return call.now.astimezone(zone(call)).date()


def midnight(call: Context, day: date) -> datetime:
    """Return when a day begins in the company's time zone, in UTC."""
    return datetime.combine(day, time(), zone(call)).astimezone(UTC)


def quarter(day: date) -> tuple[date, date]:
    """Return the first and the last day of the quarter of a day."""
    first = date(day.year, day.month - (day.month - 1) % 3, 1)
    beyond = date(first.year + (first.month == 10), (first.month + 2) % 12 + 1, 1)
    return first, beyond - timedelta(days=1)


def members_of(call: Context, team_id: str) -> set[str]:
    """Return the ids of the users in a team."""
    return {user["id"] for user in call.collection("user") if team_id in (user.get("team_ids") or ())}


def users_with(call: Context, role: str) -> list[Document]:
    """Return the users who have a role, as the first one or another."""
    return [user for user in call.collection("user") if any(held["key"] == role for held in user["roles"])]


def owned_by(call: Context, owner_id: str | None, team_id: str | None) -> Callable[[str | None], bool]:
    """Return what tells whether the owner of a record is a user, or in a team; without both every record is."""
    team = members_of(call, team_id) if team_id is not None else None
    return lambda owner: owner_id in (None, owner) and (team is None or owner in team)


def worth_in(tenant: Members) -> Callable[[Members], Decimal]:
    """Return a function that gives the `value` of a record in the company's base currency.

    A record without a currency has it in the base currency. One in a currency without a rate is worth nothing that
    could be added up: 0.
    """
    base = tenant["base_currency"]
    rates = {entry["currency"]: Decimal(entry["rate"]) for entry in tenant.get("currencies") or ()}
    rates[base] = Decimal(1)
    return lambda record: Decimal(record.get("value") or 0) * rates.get(record.get("currency") or base, Decimal())


def from_base(tenant: Members, currency: str) -> Callable[[Decimal], Decimal]:
    """Return a function that gives an amount of the base currency in another, to the cent.

    Raises 422 for a currency without a rate.
    """
    rate = worth_in(tenant)({"value": 1, "currency": currency})
    if not rate:
        raise invalid("currency", "choice", f"the company has no rate for {currency}")
    return lambda amount: (amount / rate).quantize(Decimal("0.01"), "ROUND_HALF_UP")


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Return the sum of amounts."""
    return sum(amounts, Decimal())


def sum_worth(call: Context, records: Iterable[Members]) -> Decimal:
    """Return what records are worth together in the company's base currency, to the cent."""
    return total(map(worth_in(call.tenant), records)).quantize(Decimal("0.01"), "ROUND_HALF_UP")
