"""A company's time zone and its days, and what amounts are worth in its currency."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

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


def worth_in(tenant: Members) -> Callable[[Members], Decimal]:
    """Return a function that gives the `value` of a record in the company's base currency.

    A record without a currency has it in the base currency. One in a currency without a rate is worth nothing that
    could be added up: 0.
    """
    base = tenant["base_currency"]
    rates = {entry["currency"]: Decimal(entry["rate"]) for entry in tenant.get("currencies") or ()}
    rates[base] = Decimal(1)
    return lambda record: Decimal(record.get("value") or 0) * rates.get(record.get("currency") or base, Decimal())


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Return the sum of amounts."""
    return sum(amounts, Decimal())


def sum_worth(call: Context, records: Iterable[Members]) -> Decimal:
    """Return what records are worth together in the company's base currency, to the cent."""
    return total(map(worth_in(call.tenant), records)).quantize(Decimal("0.01"), "ROUND_HALF_UP")
