"""What was said and written with a contact: its communication history, of its activities and its messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from ...data.document import Document
from ...serving import Collections, Context, Members
from .. import sentiment

_NO_TALK = frozenset({"cancelled", "no-show"})
_KNOWN = ("email", "call", "event", "note")


def message_as_communication(message: Members) -> Mapping[str, Any]:
    """Return a message as an event of the communication history, which has no other word than e-mail for it."""
    judged = analysis(message["subject"], message["content"])
    return {
        "id": message["id"],
        "type": "email",
        "date": message["timestamp"],
        "subject": message["subject"],
        "summary": message["content"],
        "sentiment": message["sentiment"],
        "ai_analysis": judged["ai_analysis"],
        "conversation_id": message["conversation_id"],
        "ours": message["sender_type"] == "user",
    }


def said_by_contact(talks: Iterable[Members]) -> list[Members]:
    """Return the communications that came from the contact: without the messages we wrote ourselves."""
    return [entry for entry in talks if not entry.get("ours")]


def communication(activity: Members, now: datetime) -> Mapping[str, Any] | None:
    """Return an activity as an event of the communication history; None for one that is not a communication."""
    if not _is_communication(activity, _date_of(activity), now):
        return None
    return activity.derive(_as_communication) if isinstance(activity, Document) else _as_communication(activity)


def _as_communication(activity: Members) -> Mapping[str, Any]:
    kind, date = activity.get("kind"), _date_of(activity)
    outcome: Members = activity.get("outcome") if isinstance(activity.get("outcome"), Mapping) else {}  # type: ignore[assignment] # a call's is a word
    texts = (outcome.get("summary"), activity.get("description"), activity.get("body"), activity.get("body_text"))
    summary = next((text for text in texts if text), None) or activity.get("subject") or activity.get("title") or ""
    judged = activity.get("sentiment") and activity.get("ai_analysis")
    members = {
        "id": activity["id"],
        "type": "meeting" if kind == "event" else kind,
        "date": date,
        "subject": activity.get("subject") or (activity.get("title") if kind != "note" else None),
        "summary": summary,
    }
    if judged:
        return members | {"sentiment": activity["sentiment"], "ai_analysis": activity["ai_analysis"]}
    return {**members, **analysis(members["subject"], summary)}


def _date_of(activity: Members) -> datetime | None:
    """Return when an activity took place."""
    date: datetime | None = (
        activity.get("sent_at") or activity.get("received_at") or activity.get("start_time")
        or activity.get("occurred_at") or activity.get("created_at")
    )  # fmt: skip
    return date


def _is_communication(activity: Members, date: datetime | None, now: datetime) -> bool:
    """Tell whether an activity is an e-mail, a call, a note or a meeting that took place."""
    kind, status = activity.get("kind"), activity.get("status")
    if kind != "event":
        return kind in _KNOWN
    return status not in _NO_TALK and (status == "completed" or (date is not None and date <= now))


@lru_cache(maxsize=4096)
def analysis(subject: str | None, summary: str) -> Mapping[str, str]:
    """Return the sentiment of a communication, and a sentence on how it was found."""
    text = f"{subject}. {summary}" if subject and subject != summary else summary
    tone, leaving = sentiment.tone(text), sentiment.words_of_leaving(text)
    told = f" ({', '.join(dict.fromkeys(tone.words))})" if tone.words else ""
    sentence = f"{tone.sentiment.capitalize()} tone{told}, {tone.confidence} % sure."
    if leaving:
        sentence += f" May be about to leave: {', '.join(dict.fromkeys(leaving))}."
    return MappingProxyType({"sentiment": tone.sentiment, "ai_analysis": sentence})


def communications_of(call: Context, contact_id: str) -> list[Mapping[str, Any]]:
    """Return the communication history of a contact, newest first."""
    return said_with(contact_id, call.collection, call.now)


def said_with(contact_id: str, collections: Collections, now: datetime) -> list[Mapping[str, Any]]:
    """Return what was said and written with a contact, newest first: its activities and its messages."""
    said = (
        communication(doc, now) if "kind" in doc else doc.derive(message_as_communication)
        for doc in documents_of(collections, contact_id)
    )
    talks = [entry for entry in said if entry is not None]
    return sorted(talks, key=lambda entry: (entry["date"], entry["id"]), reverse=True)


def documents_of(collections: Collections, contact_id: str) -> list[Document]:
    """Return the activities and the messages with a contact."""
    found = collections("activity").find("contact_id", contact_id)
    for conversation in collections("conversation").find("contact_id", contact_id):
        found += collections("message").find("conversation_id", conversation["id"])
    return found


def talks_since(call: Context, contact_id: str, since: datetime) -> int:
    """Return how many communications a contact's history has from a time on, without writing the history."""
    activities = call.collection("activity").find("contact_id", contact_id)
    dates = ((activity, _date_of(activity)) for activity in activities)
    count = sum(date is not None and date >= since and _is_communication(doc, date, call.now) for doc, date in dates)
    for conversation in call.collection("conversation").find("contact_id", contact_id):
        messages = call.collection("message").find("conversation_id", conversation["id"])
        count += sum(message["timestamp"] >= since for message in messages)
    return count
