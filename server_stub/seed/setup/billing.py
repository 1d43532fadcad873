"""What the demo companies pay for: their payment methods, and the invoices of past periods."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from ...data.document import Document
from ...data.store import Store
from .company import ACME, Plan

_MONTHLY, _ANNUAL = timedelta(days=30), timedelta(days=365)
_SEATS = 10


def put_billing(store: Store, plan: Plan, now: datetime) -> None:
    """Put a company's billing, and the invoices that it has paid."""
    annual = plan is ACME
    cycle, length = ("annual", _ANNUAL) if annual else ("monthly", _MONTHLY)
    unit = Decimal("790.00") if annual else Decimal("27.00")
    began = now - timedelta(days=600)
    starts = list(_starts(began, now, length))[-6:]
    for number, start in enumerate(starts, 1):
        store.count(f"invoice of {plan.slug}")
        store.collection(plan.id, "invoice").put(_invoice(plan, cycle, unit, number, start, start + length))
    store.collection(plan.id, "billing").put(
        Document(
            id="billing",
            cycle=cycle,
            seats=_SEATS,
            payment_method={"type": "card", "brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2034},
            billing_email=f"billing@{plan.slug}.test",
            billing_name=plan.name,
            billing_address={"city": "New York" if annual else "Berlin", "country": plan.country},
            tax_id=None if annual else "DE123456789",
            period_start=starts[-1],
            period_end=starts[-1] + length,
            period_cycle=cycle,
            period_amount=unit * _SEATS,
            change=None,
            credit=Decimal("0.00"),
            version=1,
            created_at=began,
            updated_at=began,
        )
    )


def _starts(began: datetime, now: datetime, length: timedelta) -> Iterator[datetime]:
    while began <= now:
        yield began
        began += length


def _invoice(plan: Plan, cycle: str, unit: Decimal, number: int, start: datetime, end: datetime) -> dict[str, Any]:
    total = unit * _SEATS
    line = {
        "description": f"{plan.plan.capitalize()}, {cycle}, {_SEATS} seats",
        "quantity": _SEATS,
        "unit_amount": unit,
        "amount": total,
        "proration": False,
    }
    return {
        "id": f"invoice_{plan.slug}_{number}",
        "created_at": start,
        "updated_at": start,
        "created_by": "system",
        "version": 1,
        "deleted_at": None,
        "number": f"{plan.slug.upper()}-{number:04}",
        "status": "paid",
        "period_start": start.date(),
        "period_end": end.date(),
        "lines": [line],
        "subtotal": total,
        "tax": Decimal("0.00"),
        "total": total,
        "amount_due": Decimal("0.00"),
        "currency": "EUR" if plan.region == "eu" else "USD",
        "due_date": start.date(),
        "paid_at": start,
    }
