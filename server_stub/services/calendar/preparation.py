"""The rules of meeting preparation: talking points, recent interactions, the deal, and insights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from crm_sdk.resources.ai import Ai

from ...data.document import Document
from ...request.access.permissions import readable
from ...serving import Collections, Context, Members, completes, serves
from .. import sentiment
from ..contacts import health as health
from ..contacts.insights import talks_seen
from ..contacts.talks import analysis, communication, said_with
from .reminders import GRACE, unsent_reminders
from .working_time import OVER

_POINTS: Mapping[str, tuple[str, ...]] = {
    "demo": ("Show the two or three things {who} asked for, not everything", "Agree on who evaluates, and by when"),
    "follow-up": ("Go through what was agreed last time", "Settle the next step and its date"),
    "meeting": ("Agree on the goal of the meeting with {who}", "Close with who does what by when"),
    "call": ("Say in one sentence why you call {who}", "Ask for the next appointment before hanging up"),
    "internal": ("Collect decisions that are due", "Note owners and dates"),
    "personal": (),
}
_DOCUMENTS: Mapping[str, tuple[str, ...]] = {
    "demo": ("Product overview", "Demo script"),
    "follow-up": ("Minutes of the last meeting",),
    "meeting": ("Agenda",),
    "internal": ("Agenda",),
}
_STAGES: Mapping[str, tuple[str, str]] = {
    "prospect": ("Find out the need behind «{title}» and who decides", "Company profile"),
    "qualified": ("Confirm budget and timing of «{title}»", "Case study"),
    "proposal": ("Walk through the proposal for «{title}» and collect objections", "Proposal: {title}"),
    "negotiation": ("Settle the open terms of «{title}» and the date of signature", "Draft contract: {title}"),
    "closed-won": ("Ask how the start of «{title}» went, and for a reference", "Onboarding plan: {title}"),
    "closed-lost": ("Ask what would have changed the decision on «{title}»", "What is new since the offer"),
}
_LATELY = 5
_BIRTHDAY_AHEAD = 14  # days
_HINT = {"negative": "Begin with what went wrong: {subject}", "positive": "Build on the good mood: {subject}"}


def deal_behind(deals: Iterable[Members], deal: Members | None) -> Members | None:
    """Return the deal a meeting is about: the one that is named, else the largest open one of the contact."""
    opened = [found for found in deals if found.get("status") == "open"]
    return deal or max(opened, key=lambda found: (Decimal(found.get("value") or 0), found["id"]), default=None)


def prepare(
    event_type: str, contact: Members | None, deal: Members | None, talks: Sequence[Members], now: datetime
) -> dict[str, Any]:
    """Return the preparation of a meeting; `talks` is the communication history, newest first."""
    who = (contact or {}).get("name") or "everybody"
    points = [point.format(who=who) for point in _POINTS.get(event_type, _POINTS["meeting"])]
    documents = list(_DOCUMENTS.get(event_type, ()))
    if talks and (hint := _HINT.get(str(talks[0].get("sentiment")))):
        points.append(hint.format(subject=talks[0].get("subject") or talks[0].get("summary")))
    rivals: list[str] = []
    if deal is not None:
        point, document = _STAGES.get(str(deal.get("stage")), ("Agree on the next step of «{title}»", "Notes: {title}"))
        points.append(point.format(title=deal["title"]))
        documents.append(document.format(title=deal["title"]))
        points += [f"Address the risk: {risk}" for risk in deal.get("risk_factors") or ()]
        if deal.get("next_step"):
            points.append(f"Check the planned next step: {deal['next_step']}")
        if deal.get("competitor_mentioned"):
            rival = deal["competitor_mentioned"]
            rivals.append(f"{rival} is in the running for {deal['title']}")
            points.append(f"Say what sets us apart from {rival}")
            documents.append(f"Comparison with {rival}")
    for entry in talks[:_LATELY]:
        words = sentiment.words_of_leaving(str(entry.get("summary") or ""))
        if words:
            rivals.append(f"{_day(entry)}{who} talked of: {', '.join(dict.fromkeys(words))}")
    return {
        "suggested_talking_points": points,
        "recent_interactions": [_interaction(entry) for entry in talks[:_LATELY]],
        "deal_context": _deal_context(deal) if deal is not None else None,
        "competitor_intel": rivals or None,
        "personal_notes": _personal(contact, now) if contact is not None else [],
        "documents_to_share": documents,
    }


def _day(entry: Members) -> str:
    said = entry.get("date")
    return f"{said:%Y-%m-%d}: " if isinstance(said, datetime) else f"{said}: " if said else ""


def _interaction(entry: Members) -> str:
    kind, subject, summary = (str(entry.get(name) or "") for name in ("type", "subject", "summary"))
    text = f"{subject} – {summary}" if subject and summary and subject != summary else subject or summary
    mood = f" ({entry['sentiment']})" if entry.get("sentiment") in ("positive", "negative") else ""
    return f"{_day(entry)}{kind + ', ' if kind else ''}{text}{mood}"


def _deal_context(deal: Members) -> str:
    value = f"{Decimal(deal.get('value') or 0):,} {deal.get('currency') or ''}".strip()
    parts = [f"{deal['title']}: {deal.get('stage')}, {value}, {deal.get('probability') or 0} % likely"]
    if deal.get("expected_close_date") and deal.get("status") == "open":
        parts.append(f"expected to close on {deal['expected_close_date']:%Y-%m-%d}")
    for label, name in (("risks", "risk_factors"), ("signals", "positive_signals")):
        if deal.get(name):
            parts.append(f"{label}: {', '.join(deal[name])}")
    if deal.get("competitor_mentioned"):
        parts.append(f"competitor: {deal['competitor_mentioned']}")
    return "; ".join(parts)


def _personal(contact: Members, now: datetime) -> list[str]:
    notes: list[str] = list(contact.get("notes") or ())
    role = ", ".join(part for part in (contact.get("title"), contact.get("company")) if part)
    if role:
        notes.append(f"{contact['name']} is {role}")
    if contact.get("language"):
        notes.append(f"Speaks {contact['language']}")
    if contact.get("tags"):
        notes.append(f"Tagged {', '.join(contact['tags'])}")
    born = contact.get("birthday")
    if born is not None:
        ahead = (date(2000, born.month, born.day) - date(2000, now.month, now.day)).days % 366
        if ahead <= _BIRTHDAY_AHEAD:
            notes.append(f"Birthday on {born:%d %B}")
    return notes


# -- of stored events ------------------------------------------------------------------------------------------------


def computed_members(
    doc: Members, contact: Members | None, deals: Sequence[Members], talks: Sequence[Members], now: datetime
) -> dict[str, Any]:
    """Return the computed members of an event; `deals` are its own first, then those of its contact."""
    deal = deal_behind(deals, next((found for found in deals if found["id"] == doc.get("deal_id")), None))
    before = [entry for entry in talks if entry["id"] != doc["id"] and entry["date"] < doc["start_time"]]
    return {
        "preparation": prepare(str(doc.get("type") or "meeting"), contact, deal, before, now),
        "ai_insights": _insights(doc, contact, deal, before, now),
    }


def computed_from_records(doc: Members, collections: Collections, now: datetime) -> dict[str, Any]:
    """Return the computed members of a stored event, whose contact and deal are looked up."""
    contact_id, deal_id = doc.get("contact_id"), doc.get("deal_id")
    contact = collections("contact").get(contact_id) if contact_id else None
    own = collections("deal").get(deal_id) if deal_id else None
    others = collections("deal").find("contact_id", contact_id) if contact_id else []
    talks = said_with(contact_id, collections, now) if contact_id else []
    return computed_members(doc, contact, [own, *others] if own is not None else others, talks, now)


@completes("activity")
def with_preparation(doc: Document, collections: Collections, now: datetime) -> Document:
    """Return a stored event with its preparation, its UID, and reminders that are due from `now` on; others judged."""
    if doc["kind"] != "event":
        said = communication(doc, now)
        return doc | {name: said[name] for name in ("sentiment", "ai_analysis")} if said is not None else doc
    planned = {} if doc["reminders"] else unsent_reminders(now + 2 * GRACE)  # so that none is due at `now` itself
    return doc | computed_from_records(doc, collections, now) | planned | {"uid": uid_of(doc)}


def uid_of(doc: Members) -> str:
    """Return the iCalendar UID of an event."""
    return str(doc.get("uid") or f"{doc['id']}@crm.invalid")


def with_current_preparation(call: Context, doc: Document) -> Document:
    """Return an event with its preparation and insights as they are now, made of what the caller may read."""
    contact = _readable(call, "contact", doc.get("contact_id"))
    own = _readable(call, "deal", doc.get("deal_id"))
    others = readable(call, "deal", call.collection("deal").find("contact_id", contact["id"])) if contact else []
    talks = talks_seen(call, contact["id"]) if contact is not None else []
    return doc | computed_members(doc, contact, [own, *others] if own is not None else others, talks, call.now)


def _readable(call: Context, kind: str, id: str | None) -> Document | None:
    """Return a live record that the caller may read."""
    doc = call.collection(kind).get(id) if id else None
    return doc if doc is not None and call.sees(kind, doc) else None


def _insights(
    doc: Members, contact: Members | None, deal: Members | None, talks: Sequence[Members], now: datetime
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def note(type: str, title: str, description: str, confidence: int, action: str | None) -> None:
        digest = blake2b(f"{doc['id']}/{type}/{title}".encode(), digest_size=6).hexdigest()
        found.append(
            {
                "id": f"insight_{digest}",
                "type": type,
                "title": title,
                "description": description,
                "confidence": confidence,
                "actionable": action is not None,
                "suggested_action": action,
            }
        )

    if contact is not None and health.is_at_risk(contact):
        risk = contact["churn_risk"]
        note("risk", f"{contact['name']} may leave", f"The churn risk is {risk}.", risk, "Ask how satisfied they are")
    if talks and talks[0].get("sentiment") == "negative":
        note("risk", "The last conversation went badly", str(talks[0]["summary"]), 75, "Settle it first")
    if deal is not None:
        risks: list[str] = deal.get("risk_factors") or []
        signals: list[str] = deal.get("positive_signals") or []
        if risks:
            note("risk", f"{deal['title']} is at risk", ", ".join(risks), min(55 + 10 * len(risks), 95), "Address it")
        if deal.get("competitor_mentioned"):
            rival = deal["competitor_mentioned"]
            note("risk", f"{rival} competes", f"Named for {deal['title']}.", 80, "Bring the comparison")
        chance = int(deal.get("probability") or 0)
        if deal.get("status") == "open" and (signals or chance >= 70):
            why = ", ".join(signals) or f"It is {chance} % likely."
            note("opportunity", f"{deal['title']} can move on", why, max(chance, 50), "Ask for the next step")
    over = doc.get("status") in OVER
    if not over and now <= doc["start_time"] <= now + timedelta(days=1) and not doc.get("description"):
        note("preparation", "No agenda yet", "It begins within a day.", 70, "Send an agenda")
    if not over and doc["end_time"] < now:
        note("follow-up", "What came of it?", "It is over, and no outcome is noted.", 85, "Note the outcome")
    outcome: Members = doc.get("outcome") or {}
    if outcome.get("follow_up_required"):
        note("follow-up", "A follow-up was agreed", outcome["summary"], 90, "Prepare the follow-up")
    return sorted(found, key=lambda insight: -insight["confidence"])


@serves(Ai.meeting_preparation)
def meeting_preparation(
    call: Context,
    event_type: str,
    contact_id: str | None,
    deal_id: str | None,
    communication_history: Sequence[str | Members] | None,
) -> dict[str, Any]:
    """Prepare a meeting that is not in the calendar; a given history replaces the contact's own."""
    contact = call.reference("contact", contact_id, "contact_id")
    deal = call.reference("deal", deal_id, "deal_id")
    if contact is None and deal is not None and deal.get("contact_id"):
        contact = _readable(call, "contact", deal["contact_id"])
    own = readable(call, "deal", health.deals_of(call, contact["id"])) if contact is not None else []
    if communication_history is not None:
        talks: Sequence[Members] = [_as_communication(entry) for entry in communication_history]
    else:
        talks = talks_seen(call, contact["id"]) if contact is not None else []
    return prepare(event_type, contact, deal_behind(own, deal), talks, call.now)


def _as_communication(entry: str | Members) -> Members:
    """Return a communication a caller gave, with its sentiment where the caller gave none."""
    said: dict[str, Any] = {"summary": entry} if isinstance(entry, str) else dict(entry)
    summary = str(said.get("summary") or said.get("content") or said.get("text") or "")
    judged = said.get("sentiment") or analysis(said.get("subject"), summary)["sentiment"]
    return said | {"summary": summary, "sentiment": judged}
