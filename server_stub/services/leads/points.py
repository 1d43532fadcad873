"""The score of a lead: points for its data and its recent activities, and the history of scores.

The score is the sum of the points of all reasons. The points of activities halve every `HALF_LIFE` days.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from ...data.document import Document
from ...data.normalise import FREE_MAIL
from ...serving import Context, Members

HOT, WARM = 70, 40
"""The least scores of a hot and of a warm lead."""

HALF_LIFE = 30
"""The number of days after which an activity counts half."""

_SOURCES = {"referral": 15, "partner": 12, "event": 8, "website": 6, "social": 4, "email": 4, "phone": 4}
_STATUSES = {"contacted": 5, "qualified": 20, "converted": 20, "unqualified": -40}
_VALUES = ((50_000, 20), (10_000, 12), (1_000, 6))
_SIZES = ((1_000, 10), (100, 6), (10, 3))
_TITLES = (
    ("Decides", 15, re.compile(r"\b(c[efimoprst]o|chief|founder|owner|president|partner|vp|geschäftsführer\w*)\b")),
    ("Decides with others", 10, re.compile(r"\b(head|director|direktor\w*|lead|principal)\b|leiter(in)?\b")),
    ("Has a say", 6, re.compile(r"\b(manager\w*|senior|team)\b")),
)
_HAPPENED = {
    ("email", "inbound"): 8,
    ("email", "outbound"): 2,
    ("call", "inbound"): 8,
    ("call", "outbound"): 4,
    ("event", None): 8,
    ("note", None): 2,
}
_MOST_ACTIVITY = 25
_SOON = timedelta(days=90)


def assess(doc: Members, activities: Iterable[Members], now: datetime) -> list[dict[str, Any]]:
    """Return the reasons of a lead's score, whose points add up to the score."""
    reasons = [*_person(doc), *_business(doc), *_qualification(doc, now), *_lately(doc, activities, now)]
    reasons = [reason for reason in reasons if reason["points"]]
    total = sum(reason["points"] for reason in reasons)
    if not 0 <= total <= 100:
        bound = min(max(total, 0), 100)
        reasons.append(_reason("bounds", "A score is between 0 and 100", total, bound - total))
    return reasons


def rating(score: int) -> str:
    """Return the rating of a score."""
    return "hot" if score >= HOT else "warm" if score >= WARM else "cold"


def score_members(doc: Members, activities: Iterable[Members], now: datetime) -> dict[str, Any]:
    """Return the score, its reasons and the rating of a lead; a score set by hand stays."""
    held = doc.get("score_override")
    if held is not None:
        reasons = [_reason("manual", doc.get("score_override_reason") or "Set by hand", held, held)]
    else:
        reasons = assess(doc, activities, now)
    score = sum(reason["points"] for reason in reasons)
    return {"score": score, "score_reasons": reasons, "rating": rating(score)}


def current_score_members(call: Context, doc: Members) -> dict[str, Any]:
    """Return the present score members of a stored lead, from its data and its activities."""
    return score_members(doc, call.collection("activity").find("lead_id", doc["id"]), call.now)


def remember_score(call: Context, doc: Document, before: Members | None, reason: str | None = None) -> Document:
    """Add a score to the history if it differs from the last one, and return the newest entry.

    A call writes at most one entry: an entry that it wrote before is updated.
    """
    source = "manual" if doc.get("score_override") is not None else "rules"
    history = call.collection("lead_score")
    newest = max(history.find("lead_id", doc["id"]), key=lambda entry: entry["sequence"], default=None)
    if newest is not None and (newest["score"], newest["source"], newest["reason"]) == (doc["score"], source, reason):
        return newest
    given = {
        "score": doc["score"],
        "rating": doc["rating"],
        "source": source,
        "reasons": doc["score_reasons"],
        "reason": reason,
    }
    if newest is not None and newest["scored_at"] == call.now:
        return history.put(newest | given)
    earlier = newest or (before if before is not None and before["score"] != doc["score"] else None)
    entry = {
        "id": call.new_id("score_"),
        "sequence": 0 if newest is None else newest["sequence"] + 1,
        "lead_id": doc["id"],
        "previous_score": earlier["score"] if earlier is not None else None,
        "model_version": None,
        "scored_at": call.now,
        "created_at": call.now,
        "updated_at": call.now,
        "scored_by": call.caller.actor_id,
        **given,
    }
    return history.put(Document(entry))


def _reason(feature: str, label: str, value: object, points: int) -> dict[str, Any]:
    return {"feature": feature, "label": label, "value": value, "points": points}


def _person(doc: Members) -> Iterable[dict[str, Any]]:
    email = doc.get("email")
    if email:
        free = email.rpartition("@")[2] in FREE_MAIL
        yield _reason("email", "Private address" if free else "Address at a company", email, 4 if free else 12)
    if doc.get("phone"):
        yield _reason("phone", "Can be called", doc["phone"], 8)
    title = (doc.get("title") or "").lower()
    for label, points, pattern in _TITLES:
        if pattern.search(title):
            yield _reason("title", label, doc["title"], points)
            break
    if doc.get("do_not_contact"):
        yield _reason("do_not_contact", "Must not be contacted", True, -30)
    if doc.get("email_opt_out"):
        yield _reason("email_opt_out", "Wants no e-mail", True, -10)


def _business(doc: Members) -> Iterable[dict[str, Any]]:
    if doc.get("company"):
        yield _reason("company", "Works for a company", doc["company"], 8)
    yield _reason("source", "Where the lead came from", doc.get("source"), _SOURCES.get(doc.get("source") or "", 0))
    yield _reason("value", "What the lead may be worth", doc.get("value"), _step(doc.get("value"), _VALUES))
    yield _reason("employees", "Size of the company", doc.get("employees"), _step(doc.get("employees"), _SIZES))


def _step(amount: Decimal | int | None, steps: tuple[tuple[int, int], ...]) -> int:
    return next((points for least, points in steps if amount is not None and amount >= least), 0)


def _qualification(doc: Members, now: datetime) -> Iterable[dict[str, Any]]:
    status = doc.get("status")
    yield _reason("status", "How far the lead is", status, _STATUSES.get(str(status), 0))
    known: Mapping[str, Any] = doc.get("qualification") or {}
    if known.get("budget"):
        yield _reason("budget", "Has a budget", known["budget"], 5)
    if known.get("authority") is not None:
        yield _reason("authority", "May decide", known["authority"], 5 if known["authority"] else -5)
    if known.get("need"):
        yield _reason("need", "Has a need", known["need"], 5)
    timeline = known.get("timeline")
    if timeline is not None and now.date() <= timeline <= (now + _SOON).date():
        yield _reason("timeline", "Decides within 90 days", timeline, 5)


def _lately(doc: Members, activities: Iterable[Members], now: datetime) -> Iterable[dict[str, Any]]:
    if doc.get("last_activity_at") is not None:
        points = round(10 * _share_left(doc["last_activity_at"], now))
        yield _reason("last_activity_at", "When something happened last", doc["last_activity_at"], points)
    happened = [
        weight * _share_left(activity["occurred_at"], now)
        for activity in activities
        if activity.get("occurred_at") is not None
        and activity["occurred_at"] <= now
        and (weight := _HAPPENED.get((activity["kind"], activity.get("direction")), 0))
    ]
    if happened:
        points = min(round(sum(happened)), _MOST_ACTIVITY)
        yield _reason("activities", "What was said and written", len(happened), points)


def _share_left(at: datetime, now: datetime) -> float:
    """Return the share 0..1 of its points that an activity of this age still has."""
    return float(0.5 ** (max((now - at) / timedelta(days=1), 0.0) / HALF_LIFE))
