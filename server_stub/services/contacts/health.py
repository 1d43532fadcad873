"""How well things go with a contact: health, churn risk and sentiment, from what was said and from the deals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from ...data.document import Document
from ...request.access.permissions import limits, readable
from ...serving import Collections, Context, Members, changes_between, completes
from .. import company, sentiment
from .talks import communication, communications_of, said_by_contact, said_with

HIGH_VALUE = Decimal(25_000)
"""From this value of deals on, in the company's currency, a contact is worth special care."""
AT_RISK = 60
"""From this churn risk on a contact is about to leave."""
RECENT = timedelta(days=7)
"""A contact is recent if there was contact within this time."""
CHURN_START = 25
"""The churn risk of a contact without any data."""
SUMS = ("total_deals", "total_value", "open_deals")
"""The members that count a contact's deals and add them up."""
SILENCE = timedelta(days=30)
"""Without a follow-up planned, so much silence wants one."""

_HALF_LIFE = timedelta(days=30)
_PARTS = ("contact_id", "contact_roles.contact_id")
"""Where a deal names a contact."""


def mood(communications: Sequence[Members], now: datetime) -> float:
    """Return the mean tone, -1..1: what was said last counts most, and half as much every thirty days."""
    weights = weight = 0.0
    for entry in said_by_contact(communications)[:10]:
        age = max(now - entry["date"], timedelta())
        share = 0.5 ** (age / _HALF_LIFE)
        tone = sentiment.tone(f"{entry.get('subject') or ''}. {entry.get('summary') or ''}").score
        weights += share * (tone or {"positive": 0.5, "negative": -0.5}.get(str(entry.get("sentiment")), 0.0))
        weight += share
    return weights / weight if weight else 0.0


# -- the figures -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Factor:
    """One thing that moved a score."""

    points: int
    label: str


def complete(
    doc: Members,
    communications: Iterable[Members],
    deals: Sequence[Members],
    now: datetime,
    tenant: Members,
) -> dict[str, Any]:
    """Return the computed members of a contact; `communications` are activities, or events of its history."""
    talks = _talks(communications, now)
    tone = mood(talks, now)
    risk = churn_risk(doc, talks, deals, now, tone=tone)
    return {**but_churn_risk(doc, talks, deals, now, tenant, tone=tone), "churn_risk": risk}


def but_churn_risk(
    doc: Members, talks: Sequence[Members], deals: Sequence[Members], now: datetime, tenant: Members,
    *, tone: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return the computed members of a contact without its churn risk; the arguments are those of `churn_risk`."""
    dated, tone = _with_last_contact(doc, talks), mood(talks, now) if tone is None else tone
    health = _sum_in_bounds(50, health_factors(dated, talks, deals, now, tone=tone))
    return {
        "relationship_health": "high" if health >= 70 else "medium" if health >= 40 else "low",
        "health_score": health,
        "sentiment": sentiment.name_of_score(tone),
        "last_contact": dated["last_contact"],
        **sums_of_deals(deals, tenant),
    }


def sums_of_deals(deals: Sequence[Members], tenant: Members) -> dict[str, Any]:
    """Return the members of a contact that count deals and add them up."""
    live = [deal for deal in deals if deal.get("status") in ("open", "won")]
    return {
        "total_deals": len(deals),
        "total_value": company.total(map(company.worth_in(tenant), live)),
        "currency": tenant["base_currency"],
        "open_deals": sum(deal.get("status") == "open" for deal in deals),
    }


def with_sums_seen(call: Context, contact: Document) -> Document:
    """Return a contact with the figures of those of its deals that the caller may read; the stored ones are of all."""
    if not limits(call, "deal"):
        return contact
    return contact.with_members(sums_of_deals(readable(call, "deal", deals_of(call, contact["id"])), call.tenant))


def churn_risk(
    doc: Members, talks: Sequence[Members], deals: Sequence[Members], now: datetime, *, tone: float | None = None
) -> int:
    """Return how likely it is that a contact leaves, in percent.

    `talks` is its communication history, newest first; `tone` is their `mood`, where it is known.
    """
    return _sum_in_bounds(CHURN_START, churn_factors(_with_last_contact(doc, talks), talks, deals, now, tone=tone))


def _with_last_contact(doc: Members, talks: Sequence[Members]) -> Members:
    """Return a contact with the time of its newest talk, or of what it did on a social network since."""
    last = talks[0]["date"] if talks else doc.get("last_contact")
    engaged = doc.get("engaged_at")
    return {**doc, "last_contact": max(last, engaged) if last is not None and engaged is not None else last or engaged}


@completes("contact")
def with_health(doc: Document, collections: Collections, now: datetime) -> Document:
    """Return a stored contact with its computed members, by what was said with it and its deals."""
    talks = said_with(doc["id"], collections, now)
    (tenant,) = collections("tenant").all()
    return doc | complete(doc, talks, collections("deal").find("contact_id", doc["id"]), now, tenant)


def health_factors(
    doc: Members, talks: Sequence[Members], deals: Sequence[Members], now: datetime, *, tone: float | None = None
) -> list[Factor]:
    """Return what makes a relationship good or bad. `tone` is the `mood` of the talks, where it is known."""
    quiet = _days_of_silence(doc, now)
    steps = ((7, 20), (14, 15), (30, 10), (60, 0), (90, -10), (180, -20))
    tone = mood(talks, now) if tone is None else tone
    points = next((points for days, points in steps if quiet <= days), -30)
    # That somebody was angry yesterday is no better than that they were silent.
    found = [Factor(min(points, 0) if tone <= -sentiment.LIMIT else points, _silence(doc, quiet))]
    recent = [entry for entry in talks if now - entry["date"] <= timedelta(days=90)]
    # However many messages it has, a conversation is one.
    lately = len({entry.get("conversation_id") or entry["id"] for entry in recent})
    if lately:
        found.append(Factor(min(lately, 5) * 2, f"{lately} conversations in the last 90 days"))
    if abs(tone) >= 0.05:
        found.append(Factor(round(tone * 25), f"{sentiment.name_of_score(tone)} tone of late"))
    counts = {status: sum(deal.get("status") == status for deal in deals) for status in ("open", "won", "lost")}
    for status, points in (("open", 4), ("won", 5), ("lost", -4)):
        if counts[status]:
            found.append(Factor(min(counts[status], 3) * points, f"{counts[status]} {status} deals"))
    if _is_overdue(doc, now):
        found.append(Factor(-5, "the follow-up is overdue"))
    if doc.get("status") in ("inactive", "archived"):
        found.append(Factor(-10, f"the contact is {doc['status']}"))
    return found


def churn_factors(
    doc: Members, talks: Sequence[Members], deals: Sequence[Members], now: datetime, *, tone: float | None = None
) -> list[Factor]:
    """Return what makes it likely or unlikely that a contact leaves. `tone` is as for `health_factors`."""
    quiet = _days_of_silence(doc, now)
    steps = ((14, -10), (30, 0), (60, 15), (90, 25), (180, 35))
    found = [Factor(next((points for days, points in steps if quiet <= days), 45), _silence(doc, quiet))]
    tone = mood(talks, now) if tone is None else tone
    if abs(tone) >= 0.05:
        found.append(Factor(round(tone * -30), f"{sentiment.name_of_score(tone)} tone of late"))
    if trend(talks) == "declining":
        found.append(Factor(10, "the tone is getting worse"))
    words = [
        word
        for entry in said_by_contact(talks)[:5]
        for word in sentiment.words_of_leaving(str(entry.get("summary") or ""))
    ]
    if words:
        found.append(Factor(20, f"talk of leaving: {', '.join(dict.fromkeys(words))}"))
    lost = sum(deal.get("status") == "lost" for deal in deals)
    kept = sum(deal.get("status") in ("open", "won") for deal in deals)
    if lost:
        found.append(Factor(min(lost, 3) * 6, f"{lost} lost deals"))
    if kept:
        found.append(Factor(min(kept, 3) * -5, f"{kept} open or won deals"))
    if _is_overdue(doc, now):
        found.append(Factor(5, "the follow-up is overdue"))
    return found


def trend(talks: Sequence[Members]) -> str:
    """Return whether the tone is ``improving``, ``stable`` or ``declining``: the newer half against the older."""
    scores = [sentiment.tone(str(entry.get("summary") or "")).score for entry in said_by_contact(talks)[:10]]
    if len(scores) < 4:
        return "stable"
    half = len(scores) // 2
    moved = sum(scores[:half]) / half - sum(scores[half:]) / (len(scores) - half)
    return "improving" if moved > 0.25 else "declining" if moved < -0.25 else "stable"


def _talks(communications: Iterable[Members], now: datetime) -> list[Members]:
    entries = [communication(entry, now) if "kind" in entry else entry for entry in communications]
    return sorted((entry for entry in entries if entry is not None), key=lambda entry: entry["date"], reverse=True)


def _sum_in_bounds(start: int, factors: Iterable[Factor]) -> int:
    return max(0, min(100, start + sum(factor.points for factor in factors)))


def _days_of_silence(doc: Members, now: datetime) -> int:
    """Return the days since the last contact; somebody never contacted counts as silent for a month before."""
    if doc.get("last_contact") is not None:
        since, before = doc["last_contact"], 0
    else:
        since, before = doc.get("created_at") or now, 31
    days: int = (now - since).days
    return max(days, 0) + before


def _silence(doc: Members, days: int) -> str:
    return f"last contact {days} days ago" if doc.get("last_contact") is not None else "never contacted"


def _is_overdue(doc: Members, now: datetime) -> bool:
    return doc.get("next_follow_up") is not None and doc["next_follow_up"] < now


# -- the filters -----------------------------------------------------------------------------------------------------


def is_high_value(doc: Members) -> bool:
    """Tell whether a contact's deals are worth special care."""
    return Decimal(doc.get("total_value") or 0) >= HIGH_VALUE


def is_at_risk(doc: Members) -> bool:
    """Tell whether a contact is about to leave."""
    return (doc.get("churn_risk") or 0) >= AT_RISK


def is_recent(doc: Members, now: datetime) -> bool:
    """Tell whether there was contact of late."""
    return doc.get("last_contact") is not None and now - doc["last_contact"] <= RECENT


def needs_follow_up(doc: Members, now: datetime) -> bool:
    """Tell whether a follow-up is due: the planned time has come, or there is no plan and much silence."""
    if doc.get("status") == "archived" or doc.get("do_not_contact"):
        return False
    if doc.get("next_follow_up") is not None:
        return bool(doc["next_follow_up"] <= now)
    last = doc.get("last_contact") or doc.get("created_at")
    return last is not None and now - last > SILENCE


def named_filter(name: str, now: datetime) -> Callable[[Document], bool]:
    """Return the test of a named filter: ``all``, ``high-value``, ``at-risk`` or ``recent``."""
    tests: Mapping[str, Callable[[Document], bool]] = {
        "high-value": is_high_value,
        "at-risk": is_at_risk,
        "recent": lambda doc: is_recent(doc, now),
    }
    return tests.get(name, lambda doc: True)


# -- of stored contacts ----------------------------------------------------------------------------------------------


def deals_of(call: Context, contact_id: str) -> list[Document]:
    """Return the deals a contact takes part in, in whatever role."""
    deals = call.collection("deal")
    found = {deal["id"]: deal for path in _PARTS for deal in deals.find(path, contact_id)}
    return list(found.values())


def computed_members(call: Context, doc: Members) -> dict[str, Any]:
    """Return the computed members of a contact as they are now."""
    return complete(doc, communications_of(call, doc["id"]), deals_of(call, doc["id"]), call.now, call.tenant)


def refresh(call: Context, contact_id: str | None) -> Document | None:
    """Compute a contact anew: whatever writes activities, messages and deals calls this for the contact they are of.

    Its version stays, since nobody has edited it.
    """
    doc = call.collection("contact").get(contact_id) if contact_id is not None else None
    return store_computed(call, doc, computed_members(call, doc)) if doc is not None else None


def store_computed(call: Context, doc: Document, members: Members) -> Document:
    """Store what was computed of a contact, and tell if its health moved."""
    if all(doc.get(name) == value for name, value in members.items()):
        return doc
    new = call.collection("contact").put(doc | members)
    if new["health_score"] != doc.get("health_score"):
        tell_health(call, doc, new)
    return new


def tell_health(call: Context, before: Members, after: Members) -> None:
    """Tell that a contact's health moved."""
    moved = changes_between({"health_score": before.get("health_score")}, {"health_score": after["health_score"]})
    call.emit("contact.health_changed", "contact", after, changes=moved)
