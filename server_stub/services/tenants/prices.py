"""What plans cost, and what is paid for a part of a period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from ...serving import Members
from ..ranges import later

_CURRENCIES: Mapping[str, str] = {"us": "USD", "eu": "EUR", "ap": "USD"}
"""The currency of the invoices of a region."""
_PER_SEAT: Mapping[str, Mapping[str, int]] = {
    "USD": {"free": 0, "pro": 29, "enterprise": 79},
    "EUR": {"free": 0, "pro": 27, "enterprise": 73},
}
"""What a seat costs a month."""
_ANNUAL = 10
"""A year costs as much as so many months."""
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Terms:
    """What is paid for: a plan, by the month or the year, for so many seats."""

    plan: str
    cycle: str
    seats: int

    def unit_price(self, currency: str) -> Decimal:
        """Return what one seat costs for a whole period."""
        months = _ANNUAL if self.cycle == "annual" else 1
        return Decimal(_PER_SEAT[currency][self.plan] * months).quantize(CENT)

    def price(self, currency: str) -> Decimal:
        """Return what a whole period costs."""
        return self.unit_price(currency) * self.seats

    def line(self, currency: str) -> dict[str, Any]:
        """Return the line of an invoice for a whole period."""
        seats = f"{self.seats} seat{'s' if self.seats != 1 else ''}"
        return {
            "description": f"{self.plan.capitalize()}, {self.cycle}, {seats}",
            "quantity": self.seats,
            "unit_amount": self.unit_price(currency),
            "amount": self.price(currency),
            "proration": False,
        }


def currency_of(tenant: Members) -> str:
    """Return the currency of a company's invoices."""
    return _CURRENCIES[tenant["region"]]


def period_after(start: datetime, cycle: str, zone: ZoneInfo) -> datetime:
    """Return when a period ends that begins at an instant: at the same time of the day, a month or a year later."""
    local = start.astimezone(zone)
    day = later(local.date(), "year" if cycle == "annual" else "month", 1)
    return local.replace(year=day.year, month=day.month, day=day.day).astimezone(start.tzinfo)


def rest_of(start: datetime, end: datetime, now: datetime, zone: ZoneInfo) -> tuple[int, int]:
    """Return how many days of a period are left, the present one included, and how many it has."""
    first, last, today = (at.astimezone(zone).date() for at in (start, end, now))
    return max((last - today).days, 0), max((last - first).days, 1)


def part_of(amount: Decimal, left: int, total: int) -> Decimal:
    """Return what a part of a period costs, by days, to the cent."""
    return (amount * left / total).quantize(CENT, "ROUND_HALF_UP")
