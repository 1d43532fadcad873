"""The figures of deals: their computed members and named filters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from crm_sdk.wire import is_object

from ...data.document import Document
from ...request.access.permissions import readable
from ...serving import Collections, Context, Members, completes
from .probability import STAGE_BASE, recent_of, weigh
from .signals import evidence

HOT = 70
"""The least probability of a hot open deal."""
CLOSING_SOON = timedelta(days=30)
"""The time to its expected close within which an open deal closes soon."""

_TYPES: Mapping[str, str] = {"event": "meeting", "call": "call", "email": "email", "note": "note"}

# -- what happened on a deal -----------------------------------------------------------------------------------------


def activities_of(call: Context, deal_id: str) -> list[dict[str, Any]]:
    """Return the activities of a deal, newest first."""
    return past_activities(call.collection("activity").find("deal_id", deal_id), call.now)


def activity_of(activity: Members) -> dict[str, Any] | None:
    """Return an activity as a deal activity; None for a task or another kind that is not one."""
    own: Members = activity.get("deal_activity") or {}
    kind = str(activity.get("kind"))
    if kind not in _TYPES:
        return None
    demo = kind == "event" and activity.get("type") == "demo"
    outcome: Any = own.get("outcome") or activity.get("outcome")
    if is_object(outcome):  # a meeting's
        outcome = outcome.get("summary")
    texts = (activity.get("description"), activity.get("body"), activity.get("body_text"), activity.get("title"))
    return {
        "id": activity["id"],
        "type": own.get("type") or ("demo" if demo else _TYPES[kind]),
        "date": activity.get("occurred_at") or activity["created_at"],
        "description": next((text for text in texts if text), ""),
        "outcome": outcome,
        "next_step": own.get("next_step") or activity.get("next_step"),
    }


def past_activities(activities: Iterable[Members], now: datetime) -> list[dict[str, Any]]:
    """Return the past activities of a deal, newest first, without tasks."""
    found = [
        told
        for activity in activities
        if (told := activity_of(activity)) is not None and (told["date"] <= now or "deal_activity" in activity)
    ]
    return sorted(found, key=lambda entry: (entry["date"], entry["id"]), reverse=True)


# -- what is computed ------------------------------------------------------------------------------------------------


def computed_members(call: Context, deal: Members) -> dict[str, Any]:
    """Return the present computed members of a stored deal."""
    return complete(deal, activities_of(call, deal["id"]), stage_of(call, deal), call.now)


def complete(deal: Members, activities: Sequence[Members], stage: Members | None, now: datetime) -> dict[str, Any]:
    """Return the computed members of a deal, from its activities and its stage."""
    told = evidence(activities, now)
    closed, override = deal["status"] != "open", deal.get("probability_override")
    signals, risks = [found.label for found in told.signals], [found.label for found in told.risks]
    rival = told.competitor.label if told.competitor is not None else None
    weighed = weigh(
        stage["probability"] if stage is not None else STAGE_BASE.get(deal["stage"], 0),
        signals,
        risks,
        rival,
        recent=recent_of((entry["date"] for entry in activities), now),
        closed=closed,
        stage=deal["stage"],
    )
    probability = weighed.probability if closed or override is None else override
    moved = deal.get("stage_changed_at") or deal["created_at"]
    last = max(
        [
            deal.get("last_activity") or deal.get("created_date") or deal["created_at"],
            *(entry["date"] for entry in activities if entry["date"] <= now),
        ]
    )
    rots = stage.get("rotten_days") if stage is not None else None
    return {
        "probability": probability,
        "confidence": weighed.confidence,
        "weighted_value": Decimal(deal["value"]) * probability / 100,
        "risk_factors": risks,
        "positive_signals": signals,
        "competitor_mentioned": rival,
        "last_activity": last,
        "days_in_stage": 0 if closed else max((now - moved).days, 0),
        "is_rotten": not closed and rots is not None and now - last > timedelta(days=rots),
    }


@completes("deal")
def with_figures(doc: Document, collections: Collections, now: datetime) -> Document:
    """Return a stored deal with its computed members, by its activities and its stage."""
    happened = past_activities(collections("activity").find("deal_id", doc["id"]), now)
    return doc | complete(doc, happened, collections("stage").get(doc["stage_id"]), now)


def with_current_figures(call: Context, deal: Document) -> Document:
    """Return a stored deal with its present computed members, some of which change with time alone."""
    return deal.with_members(computed_members(call, deal))


def all_seen(call: Context) -> list[Document]:
    """Return every deal that the caller may read with its present computed members."""
    return [with_current_figures(call, deal) for deal in readable(call, "deal")]


def stage_of(call: Context, deal: Members) -> Document | None:
    """Return the stage a deal is in."""
    return call.collection("stage").get(deal["stage_id"]) if deal.get("stage_id") else None


# -- the filters -----------------------------------------------------------------------------------------------------


def is_hot(deal: Members) -> bool:
    """Tell whether a deal is likely to be won."""
    return bool(deal["status"] == "open" and deal["probability"] >= HOT)


def is_at_risk(deal: Members, today: date) -> bool:
    """Return whether a deal is overdue, rotten, or has more risks (a competitor is one) than signals."""
    if deal["status"] != "open":
        return False
    risks = len(deal["risk_factors"]) + (deal["competitor_mentioned"] is not None)
    return is_overdue(deal, today) or bool(deal["is_rotten"]) or risks > len(deal["positive_signals"])


def is_overdue(deal: Members, today: date) -> bool:
    """Return whether the expected close date of an open deal has passed."""
    closing = deal.get("expected_close_date")
    return bool(deal["status"] == "open" and closing is not None and closing < today)


def closes_soon(deal: Members, today: date) -> bool:
    """Tell whether a deal is expected to close within the next days."""
    closing = deal.get("expected_close_date")
    return bool(deal["status"] == "open" and closing is not None and today <= closing <= today + CLOSING_SOON)


def filter_by_name(docs: Sequence[Document], name: str | None, on: date) -> Sequence[Document]:
    """Keep the deals of a named filter: ``all``, ``hot``, ``at-risk`` or ``closing-soon``."""
    tests: Mapping[str, Callable[[Document], bool]] = {
        "hot": is_hot,
        "at-risk": lambda deal: is_at_risk(deal, on),
        "closing-soon": lambda deal: closes_soon(deal, on),
    }
    test = tests.get(name or "all")
    return [deal for deal in docs if test(deal)] if test is not None else docs
