"""What the AI notices about a contact: risks, opportunities, trends and suggestions, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from ...serving import Context, Members
from ..activities.privacy import may_read
from ..insight_shape import insight
from ..sentiment import words_of_leaving
from . import health as health
from .talks import communications_of, said_by_contact


def insights_of(
    call: Context, doc: Members, talks: Sequence[Members] | None = None, *, deals: Sequence[Members] | None = None
) -> list[dict[str, Any]]:
    """Return the insights about a stored contact, made of what the caller may read.

    `talks` is its communication history, `deals` are the deals it takes part in, where these are known already.
    """
    said = talks_seen(call, doc["id"]) if talks is None else talks
    known = health.deals_of(call, doc["id"]) if deals is None else deals
    return insights(doc, said, [deal for deal in known if call.sees("deal", deal)], call.now)


def talks_seen(call: Context, contact_id: str) -> list[Mapping[str, Any]]:
    """Return what the caller may read of the communication history of a contact, newest first."""
    return [talk for talk in communications_of(call, contact_id) if may_read(call, talk["id"])]


def insights(doc: Members, talks: Sequence[Members], deals: Sequence[Members], now: datetime) -> list[dict[str, Any]]:
    """Return what is worth knowing about a contact, the surest first.

    `talks` is the communication history, newest first. The same data gives the same insights, ids included.
    """
    theirs = said_by_contact(talks)
    found = [*_risks(doc, theirs, now), *_opportunities(doc, deals), *_trends(theirs), *_suggestions(doc, now)]
    return sorted(found, key=lambda insight: -insight["confidence"])


def turning_points(doc: Members, said: Iterable[Members]) -> Iterator[datetime]:
    """Yield when time alone changes which insights about a contact there are; `said` is what its talks are made of."""
    since = (doc.get("last_contact"), doc.get("created_at"))
    yield from (time + health.SILENCE + datetime.resolution for time in since if time is not None)
    if doc.get("next_follow_up") is not None:
        yield doc["next_follow_up"]
    meetings = (each for each in said if each.get("kind") == "event")
    yield from (meeting["start_time"] for meeting in meetings if meeting.get("start_time") is not None)


def _risks(doc: Members, talks: Sequence[Members], now: datetime) -> Iterator[dict[str, Any]]:
    last = doc.get("last_contact")
    if last is not None and now - last > health.SILENCE:
        days = (now - last).days
        yield insight(
            doc, "risk", "silence", f"No contact for {days} days", "The longer the silence, the likelier a loss.",
            min(50 + days // 4, 95), last + health.SILENCE, "Get in touch this week",
        )  # fmt: skip
    if talks and talks[0]["sentiment"] == "negative":
        yield insight(
            doc, "risk", f"negative-{talks[0]['id']}", "The last conversation went badly", talks[0]["summary"],
            75, talks[0]["date"], "Call back and settle what went wrong",
        )  # fmt: skip
    for entry in talks[:5]:
        words = words_of_leaving(str(entry.get("summary") or ""))
        if words:
            yield insight(
                doc, "risk", f"leaving-{entry['id']}", "May be about to leave",
                f"Talked of: {', '.join(dict.fromkeys(words))}", 85, entry["date"], "Offer a review with the owner",
            )  # fmt: skip
            break


def _opportunities(doc: Members, deals: Sequence[Members]) -> Iterator[dict[str, Any]]:
    opened = [deal for deal in deals if deal.get("status") == "open"]
    won = [deal for deal in deals if deal.get("status") == "won"]
    health_score = doc.get("health_score") or 0
    if opened and doc.get("sentiment") != "negative":
        best = max(opened, key=lambda deal: Decimal(deal.get("value") or 0))
        yield insight(
            doc, "opportunity", f"deal-{best['id']}", f"Good moment for {best['title']}",
            f"{len(opened)} open deals, and the relationship is {doc.get('relationship_health')}.",
            min(45 + health_score // 2, 95), best["updated_at"], "Suggest the next step of the deal",
        )  # fmt: skip
    elif won and not opened and health_score >= 60:
        newest = max(won, key=lambda deal: deal["updated_at"])
        yield insight(
            doc, "opportunity", f"upsell-{newest['id']}", "Ready for more",
            f"Bought {newest['title']} and is content; no deal is open.", min(40 + health_score // 2, 90),
            newest["updated_at"], "Propose an extension",
        )  # fmt: skip


def _trends(talks: Sequence[Members]) -> Iterator[dict[str, Any]]:
    direction = health.trend(talks)
    if direction != "stable":
        yield insight(
            talks[0], "trend", direction, f"The tone is {direction}",
            f"Seen over the last {min(len(talks), 10)} conversations.", 70, talks[0]["date"], None,
        )  # fmt: skip


def _suggestions(doc: Members, now: datetime) -> Iterator[dict[str, Any]]:
    planned = doc.get("next_follow_up")
    if planned is not None and planned <= now:
        yield insight(
            doc, "suggestion", "overdue", "The follow-up is overdue", f"It was planned for {planned:%Y-%m-%d}.",
            90, planned, "Follow up today",
        )  # fmt: skip
    elif planned is None and health.needs_follow_up(doc, now):
        since = (doc.get("last_contact") or doc["created_at"]) + health.SILENCE
        yield insight(
            doc, "suggestion", "unplanned", "No follow-up is planned", "Nothing is planned with this contact.",
            60, since, "Plan a follow-up",
        )  # fmt: skip
    missing = [label for name, label in (("email", "e-mail address"), ("phone", "phone number")) if not doc.get(name)]
    if missing:
        yield insight(
            doc, "suggestion", "incomplete", f"No {' and no '.join(missing)}", "It is hard to reach this contact.",
            55, doc["created_at"], f"Find out the {' and the '.join(missing)}",
        )  # fmt: skip
