"""The score of a lead: points for its data and its recent activities, and the history of scores.

The score is the sum of the points of all reasons. How the company scores (its own rules, features that do not count,
the model) is its `Scheme`; where the model is in use, it is one more reason, which moves the score of the rules towards
the probability of the model.
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
from ..ai_insights.scheme import Fit, Scheme, scheme_of

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


def assess(doc: Members, activities: Iterable[Members], now: datetime, scheme: Scheme) -> list[dict[str, Any]]:
    """Return the reasons of a lead's score, whose points add up to the score."""
    lately = _lately(doc, activities, now, scheme.config["decay_days"])
    reasons = [*_person(doc), *_business(doc), *_qualification(doc, now), *lately]
    reasons = [reason for reason in (*reasons, *scheme.rule_reasons(doc)) if scheme.has(reason["feature"])]
    reasons = [reason for reason in reasons if reason["points"]]
    total = sum(reason["points"] for reason in reasons)
    bound = min(max(total, 0), 100)
    if bound != total:
        reasons.append(_reason("bounds", "A score is between 0 and 100", total, bound - total))
    return reasons if scheme.fit is None else [*reasons, _of_model(doc, scheme, scheme.fit, bound)]


def _of_model(doc: Members, scheme: Scheme, fit: Fit, by_rules: int) -> dict[str, Any]:
    """Return the reason that moves the score of the rules towards the probability of the model, by its weight."""
    likely = 100 * fit.probability([name for name in features(doc) if scheme.has(name)])
    weight: float = scheme.config["model_weight"]
    points = round(weight * likely + (1 - weight) * by_rules) - by_rules
    return _reason("model", f"How likely it converts by model {scheme.version}", round(likely), points)


def features(doc: Members) -> dict[str, str]:
    """Return the features of a lead that a model can be trained on, with their labels.

    They are those reasons for points that are known before a lead is qualified, and its industry and country.
    """
    found = {
        f"{reason['feature']}={reason['label'].casefold()}": f"{reason['feature']}: {reason['label']}"
        for reason in _person(doc)
    }
    for name in ("company", "annual_revenue"):
        if doc.get(name):
            found[f"{name}=given"] = f"{name.replace('_', ' ')}: given"
    for name, steps in (("value", _VALUES), ("employees", _SIZES)):
        least = next((least for least, _ in steps if (doc.get(name) or 0) >= least), None)
        if least is not None:
            found[f"{name}={least}+"] = f"{name}: {least:,} or more"
    place: Members = doc.get("address") or {}
    words = {"source": doc.get("source"), "industry": doc.get("industry"), "country": place.get("country")}
    for name, word in words.items():
        if word:
            found[f"{name}={word.casefold()}"] = f"{name}: {word}"
    return found


def score_members(doc: Members, activities: Iterable[Members], now: datetime, scheme: Scheme) -> dict[str, Any]:
    """Return the score, its reasons and the rating of a lead; a score set by hand stays."""
    held = doc.get("score_override")
    if held is not None:
        reasons = [_reason("manual", doc.get("score_override_reason") or "Set by hand", held, held)]
    else:
        reasons = assess(doc, activities, now, scheme)
    score = sum(reason["points"] for reason in reasons)
    return {"score": score, "score_reasons": reasons, "rating": scheme.rating(score)}


def current_score_members(call: Context, doc: Members, scheme: Scheme | None = None) -> dict[str, Any]:
    """Return the present score members of a stored lead, from its data and its activities."""
    scheme = scheme or scheme_of(call.collection, call.now)
    return score_members(doc, call.collection("activity").find("lead_id", doc["id"]), call.now, scheme)


def score_source(doc: Members, scheme: Scheme) -> dict[str, Any]:
    """Return what a score comes from, and the version of the model."""
    if doc.get("score_override") is not None:
        return {"source": "manual", "model_version": None}
    return {"source": scheme.source, "model_version": scheme.version}


def remember_score(
    call: Context, doc: Document, before: Members | None, reason: str | None = None, scheme: Scheme | None = None
) -> Document:
    """Add a score to the history if it differs from the last one, and return the newest entry.

    A call writes at most one entry: an entry that it wrote before is updated.
    """
    origin = score_source(doc, scheme or scheme_of(call.collection, call.now))
    history = call.collection("lead_score")
    newest = max(history.find("lead_id", doc["id"]), key=lambda entry: entry["sequence"], default=None)
    why = {**origin, "reasons": doc["score_reasons"]}
    present = {"score": doc["score"], "rating": doc["rating"], "reason": reason, "source": origin["source"]}
    if newest is not None and all(newest[name] == value for name, value in present.items()):
        return newest | why  # with the present reasons
    given = {**present, **why}
    if newest is not None and newest["scored_at"] == call.now:
        return history.put(newest | given)
    earlier = newest or (before if before is not None and before["score"] != doc["score"] else None)
    entry = {
        "id": call.new_id("score_"),
        "sequence": 0 if newest is None else newest["sequence"] + 1,
        "lead_id": doc["id"],
        "previous_score": earlier["score"] if earlier is not None else None,
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


def _lately(doc: Members, activities: Iterable[Members], now: datetime, decay_days: int) -> Iterable[dict[str, Any]]:
    if doc.get("last_activity_at") is not None:
        points = round(10 * _share_left(doc["last_activity_at"], now, decay_days))
        yield _reason("last_activity_at", "When something happened last", doc["last_activity_at"], points)
    happened = [
        weight * _share_left(activity["occurred_at"], now, decay_days)
        for activity in activities
        if activity.get("occurred_at") is not None
        and activity["occurred_at"] <= now
        and (weight := _HAPPENED.get((activity["kind"], activity.get("direction")), 0))
    ]
    if happened:
        points = min(round(sum(happened)), _MOST_ACTIVITY)
        yield _reason("activities", "What was said and written", len(happened), points)


def _share_left(at: datetime, now: datetime, decay_days: int) -> float:
    """Return the share 0..1 of its points that an activity of this age still has; it halves every `decay_days`."""
    return float(0.5 ** (max((now - at) / timedelta(days=1), 0.0) / decay_days))
