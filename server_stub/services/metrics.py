"""Tell those who watch that a figure of the dashboard moved: new leads of the day, and revenue."""

from __future__ import annotations

from decimal import Decimal

from ..document import Document
from ..serving import Call, Members
from .analytics import worth
from .deal_figures import today, zone

_KIND = "metric"
"""The kind of the records that hold a figure, so that it need not be counted at every write."""


def lead_came(call: Call) -> None:
    """Count a lead among those of the day."""
    _leads_today(call, 1)


def lead_went(call: Call, lead: Members) -> None:
    """Count a lead that was deleted no longer, where it came today."""
    if lead["created_at"].astimezone(zone(call)).date() == today(call):
        _leads_today(call, -1)


def _leads_today(call: Call, moved: int) -> None:
    day, figures = today(call), call.collection(_KIND)
    known = figures.get("leads_today")
    if known is not None and known["day"] == day:
        value = known["value"] + moved
    else:
        here = zone(call)
        value = sum(lead["created_at"].astimezone(here).date() == day for lead in call.collection("lead").all())
    figures.put(Document(id="leads_today", day=day, value=value))
    _tell(call, "leads_today", value, moved)


def deal_closed(call: Call, before: Members, after: Members) -> None:
    """Tell that the revenue moved where a deal was won, or is won no longer."""
    if (before["status"] == "won") != (after["status"] == "won"):
        won = [deal for deal in call.collection("deal").all() if deal["status"] == "won"]
        moved = worth(call, [Document(after)]) if after["status"] == "won" else -worth(call, [Document(before)])
        _tell(call, "total_revenue", worth(call, won), moved)


def _tell(call: Call, metric: str, value: Decimal | int, moved: Decimal | int) -> None:
    figure = {
        "id": metric,
        "metric": metric,
        "value": value,
        "change": f"{moved:+}",
        "change_type": "increase" if moved > 0 else "decrease",
    }
    call.tell("metrics.update", "metric", figure)
