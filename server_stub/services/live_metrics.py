"""Publish changes of the dashboard's metrics: new leads of the day, and revenue."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ..data.document import Document
from ..live.feeds import Event, Feeds, plain, shows
from ..request.access.hiding import active
from ..serving import Context, Members, reacts
from . import company

_KIND = "metric"
"""The kind of the records that store a metric, so that it is not counted anew at every write."""


@shows("metrics.update")
def metric_data(feeds: Feeds, event: Event) -> Mapping[str, Any]:
    """Return the metric without its id, which is not sent."""
    figure, hiding = event["entity"], active()
    hidden = ("value", "change", "change_type") if hiding is not None and hiding.hides_figure(figure["metric"]) else ()
    shown: dict[str, Any] = plain({name: value for name, value in figure.items() if name not in ("id", *hidden)})
    return shown


@reacts("lead.created", "lead.deleted")
def leads_today(call: Context, entry: Members) -> None:
    """Update the number of the day's leads after a lead was created or deleted."""
    came = entry["action"] == "lead.created"
    here, day = company.zone(call), company.today(call)
    lead = call.collection("lead").get(entry["entity"]["id"], deleted=True)
    if lead is None or lead["created_at"].astimezone(here).date() != day:
        return
    figures = call.collection(_KIND)
    known, moved = figures.get("leads_today"), 1 if came else -1
    if known is not None and known["day"] == day:
        value = known["value"] + moved
    else:
        value = sum(other["created_at"].astimezone(here).date() == day for other in call.collection("lead").all())
    figures.put(Document(id="leads_today", day=day, value=value))
    _tell(call, "leads_today", value, moved)


@reacts("deal.won", "deal.stage_changed")
def total_revenue(call: Context, entry: Members) -> None:
    """Update the revenue after a deal was won, or is no longer won."""
    left = any(change["field"] == "status" and change["before"] == "won" for change in entry["changes"])
    deal = call.collection("deal").get(entry["entity"]["id"])
    if deal is not None and (left or entry["action"] == "deal.won"):
        won = [other for other in call.collection("deal").all() if other["status"] == "won"]
        moved = company.sum_worth(call, [deal])
        _tell(call, "total_revenue", company.sum_worth(call, won), -moved if left else moved)


def _tell(call: Context, metric: str, value: Decimal | int, moved: Decimal | int) -> None:
    figure = {
        "id": metric,
        "metric": metric,
        "value": value,
        "change": f"{moved:+}",
        "change_type": "increase" if moved > 0 else "decrease",
    }
    call.tell("metrics.update", "metric", figure)
