"""The figures of an app over all companies: installs, uninstalls, and what it earned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from crm_sdk.resources.marketplace import MarketplaceApps

from ...data.document import Document
from ...data.store import EVERY_COMPANY
from ...serving import Context, Members, serves
from .. import company
from ..ranges import Span, last_year, later, periods, series
from .apps import APPS, require_own
from .installations import USE


@serves(MarketplaceApps.analytics)
def analytics(
    call: Context, app_id: str, start_date: date | None, end_date: date | None, period: str | None
) -> dict[str, Any]:
    """Count who had an app in a range, and what became due."""
    app = require_own(call, APPS.find_one(call, app_id))
    whole = last_year(call, start_date, end_date)
    spans = periods(call, whole, period or "month")
    uses = call.server.store.collection(EVERY_COMPANY, USE).find("app_id", app["id"])
    installs, uninstalls = _count(uses, "installed_at", whole), _count(uses, "uninstalled_at", whole)
    active = [use for use in uses if _has(use, whole.ends_at)]
    had = sum(_has(use, whole.begins_at) for use in uses) + installs
    pricing = app["pricing"]
    due = sum(1 for use in uses for day in _due(call, pricing, use, whole.end) if whole.start <= day)
    figures: dict[str, Callable[[Span], Decimal]] = {
        "installs": lambda span: Decimal(_count(uses, "installed_at", span)),
        "uninstalls": lambda span: Decimal(_count(uses, "uninstalled_at", span)),
        "active": lambda span: Decimal(sum(_has(use, span.ends_at) for use in uses)),
    }
    return {
        "app_id": app["id"],
        "start_date": whole.start,
        "end_date": whole.end,
        "installs": installs,
        "uninstalls": uninstalls,
        "active_installs": len(active),
        "churn_rate": uninstalls / had if had else 0.0,
        "revenue": Decimal(due) * Decimal(pricing.get("amount") or 0),
        "currency": pricing.get("currency") or call.tenant["base_currency"],
        "rating": app["rating"],
        "rating_count": app["rating_count"],
        "series": [series(name, spans, value_of) for name, value_of in figures.items()],
        "by_version": dict(Counter(use["app_version"] for use in active)),
        "by_plan": dict(Counter(use["plan"] for use in active)),
    }


def _count(uses: Sequence[Document], member: str, span: Span) -> int:
    return sum(span.has(use[member]) for use in uses)


def _has(use: Document, at: datetime) -> bool:
    """Tell whether a company has an app right before an instant."""
    return use["installed_at"] < at and (use["uninstalled_at"] is None or use["uninstalled_at"] >= at)


def _due(call: Context, pricing: Members, use: Document, end: date) -> Iterator[date]:
    """Yield the days up to `end`, and to today, on which a company pays for an app, after its trial."""
    if pricing["model"] not in ("subscription", "one_time"):
        return
    zone = company.zone(call)
    gone = use["uninstalled_at"].astimezone(zone).date() if use["uninstalled_at"] is not None else date.max
    first = use["installed_at"].astimezone(zone).date() + timedelta(days=pricing.get("trial_days") or 0)
    end, number, day = min(end, company.today(call)), 0, first
    while day <= end and day < gone:
        yield day
        number += 1
        if pricing["model"] == "one_time":
            return
        day = later(first, pricing.get("interval") or "month", number)
