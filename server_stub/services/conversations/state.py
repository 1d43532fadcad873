"""The state of a conversation that follows from its messages: sentiment, trend, follow-ups; and new messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ...data.document import Document
from ...problems import Problem
from ...request.access import permissions
from ...serving import Collections, Context, Members, changes_between, completes
from .. import sentiment
from ..contacts import health as contact_health
from ..leads.records import LEADS
from ..messages import reading as message_reading
from ..messages.reading import Situation

UNANSWERED = timedelta(days=1)
"""The time after which an unanswered incoming message needs a follow-up."""
UNHEARD = timedelta(days=3)
"""The time after which an unanswered question of ours needs a follow-up."""
_DELIVERY = timedelta(minutes=1)
_FADING = 0.7
_MOVED = 0.25
"""The least change of the mean tone by which a sentiment improves or declines."""
_SETTLED = timedelta(days=30)
"""The time without incoming messages after which the trend is stable."""
_BOOKKEEPING = frozenset({"priority_set"})


# -- who and what ----------------------------------------------------------------------------------------------------


def person_of(call: Context, conversation: Members) -> Document | None:
    """Return the contact of a conversation, or its lead that is not converted; None where neither exists any more."""
    contact_id = contact_of(call, conversation)
    if contact_id is not None:
        return call.find_one("contact", contact_id)
    return call.collection("lead").get(conversation.get("lead_id") or "")


def contact_of(call: Context, conversation: Members) -> str | None:
    """Return the id of the contact of a conversation; of a lead's conversation, that of its converted contact."""
    if conversation.get("contact_id") is not None or conversation.get("lead_id") is None:
        return conversation.get("contact_id")
    lead = call.collection("lead").get(conversation["lead_id"])
    return lead.get("converted_contact_id") if lead is not None else None


def writable(call: Context, conversation_id: str) -> Document:
    """Return a conversation that the caller may change. Raises: 404; 403 where its person has another owner."""
    conversation = call.record("conversation", conversation_id)
    permit(call, person_of(call, conversation))
    return conversation


def permit(call: Context, person: Members | None) -> None:
    """Raise 403 where a caller may not change conversations with a lead or contact of this owner."""
    scope = permissions.scope_for(call.caller, "conversations", "update")
    if scope is not None and not permissions.permits(call.caller, "conversations", "update", person):
        role = call.caller.role
        raise Problem("FORBIDDEN", f"this conversation is somebody else's; the role {role} writes in its own only")


def messages_of(call: Context, conversation_id: str) -> list[Document]:
    """Return the messages of a conversation, the oldest first."""
    docs = call.collection("message").find("conversation_id", conversation_id)
    return sorted(docs, key=lambda doc: doc["timestamp"])


def is_important(person: Members | None) -> bool:
    """Return whether a person is important: a contact of high value or at risk, or a hot lead."""
    if person is None:
        return False
    return contact_health.is_high_value(person) or contact_health.is_at_risk(person) or person.get("rating") == "hot"


def situation_of(
    call: Context, conversation: Members, message: Members, history: Sequence[Members]
) -> message_reading.Situation:
    """Return the situation of a message: its sender, and the messages before it."""
    before = [doc for doc in history if doc["timestamp"] <= message["timestamp"] and doc["id"] != message["id"]]
    return Situation(
        name=message.get("sender_name"),
        unanswered=count_unanswered(before),
        important=is_important(person_of(call, conversation)),
        before=[doc["content"] for doc in before],
    )


def count_unanswered(history: Sequence[Members]) -> int:
    """Count the messages at the end of a history to which we have not answered."""
    count = 0
    for doc in reversed(history):
        if doc["sender_type"] != "contact":
            break
        count += 1
    return count


def judgement(content: str, subject: str | None) -> dict[str, Any]:
    """Return the members of a message with its sentiment."""
    tone = sentiment.tone(f"{subject}. {content}" if subject else content)
    return {"sentiment": tone.sentiment, "confidence": tone.confidence}


@completes("message")
def with_judgement(doc: Document, collections: Collections, now: datetime) -> Document:
    """Return a stored message with its sentiment."""
    return doc | judgement(doc["content"], doc.get("subject"))


@completes("conversation")
def with_trend(doc: Document, collections: Collections, now: datetime) -> Document:
    """Return a stored conversation with its sentiment trend, and the priority of its last incoming message."""
    history = sorted(collections("message").find("conversation_id", doc["id"]), key=lambda entry: entry["timestamp"])
    found = {"sentiment_trend": trend(history, now), "trend_as_of": now}
    last = max((n for n, entry in enumerate(history) if entry["sender_type"] == "contact"), default=None)
    if last is not None:
        known = Situation(unanswered=count_unanswered(history[:last]))
        found["priority"] = message_reading.urgency_of(history[last]["content"], known)
    return doc | found


# -- sentiment and follow-ups ----------------------------------------------------------------------------------------


def overall_mood(history: Sequence[Members]) -> str:
    """Return the sentiment of the incoming messages; the latest count most."""
    scores = _scores(history)[-10:]
    weights = [_FADING**age for age in range(len(scores))]
    total = sum(score * weight for score, weight in zip(reversed(scores), weights, strict=True))
    return sentiment.name_of_score(total / sum(weights)) if scores else "neutral"


def trend(history: Sequence[Members], now: datetime) -> str:
    """Return the trend of the sentiment: recent incoming messages compared with earlier ones."""
    scores, last = _scores(history)[-10:], [doc["timestamp"] for doc in history if doc["sender_type"] == "contact"][-1:]
    if len(scores) < 2 or now - last[0] > _SETTLED:
        return "stable"
    middle = len(scores) // 2
    moved = sum(scores[middle:]) / (len(scores) - middle) - sum(scores[:middle]) / middle
    return "improving" if moved > _MOVED else "declining" if moved < -_MOVED else "stable"


def trend_of(conversation: Members, history: Sequence[Members], now: datetime) -> str:
    """Return the sentiment trend of a conversation: that of the daily analysis, until there is a new message."""
    as_of = conversation.get("trend_as_of")
    if as_of is not None and (not history or history[-1]["timestamp"] <= as_of):
        return str(conversation["sentiment_trend"])
    return trend(history, now)


def _scores(history: Sequence[Members]) -> list[float]:
    return [sentiment.tone(doc["content"]).score for doc in history if doc["sender_type"] == "contact"]


def summary(name: str, history: Sequence[Members], direction: str) -> str:
    """Return a summary of a conversation in a few sentences."""
    if not history:
        return f"Nothing has been written with {name} yet."
    theirs = [doc["content"] for doc in history if doc["sender_type"] == "contact"]
    topics = list(dict.fromkeys(topic for text in reversed(theirs[-5:]) for topic in message_reading.topics_of(text)))
    parts = [f"{name} wrote {len(theirs)} of {len(history)} messages"]
    if topics:
        parts.append(f", on {', '.join(topics[:3])}")
    parts.append(f". The mood is {overall_mood(history)} and {direction}. ")
    waiting = count_unanswered(history)
    last = f"{history[-1]['timestamp']:%Y-%m-%d}"
    parts.append(f"{waiting} without an answer since {last}." if waiting else f"We wrote last, on {last}.")
    return "".join(parts)


def needs_follow_up(conversation: Members, history: Sequence[Members], now: datetime) -> bool:
    """Return whether an incoming message, or a question of ours, has been unanswered for too long."""
    if conversation["archived"] or not history:
        return False
    last = history[-1]
    silence = now - last["timestamp"]
    if last["sender_type"] == "contact":
        return bool(silence > UNANSWERED)
    return bool(silence > UNHEARD and "?" in last["content"])


def response_times(history: Sequence[Members]) -> Iterator[timedelta]:
    """Yield the time of each of our answers, from the first message that it answers."""
    asked: datetime | None = None
    for doc in history:
        if doc["sender_type"] == "contact":
            asked = asked or doc["timestamp"]
        elif asked is not None:
            yield doc["timestamp"] - asked
            asked = None


# -- as the documents show it ----------------------------------------------------------------------------------------


def shown_message(message: Members, now: datetime) -> dict[str, Any]:
    """Return a message with its computed members: a message of ours is delivered after a minute."""
    theirs = message["sender_type"] == "contact"
    arrived = message["status"] == "sent" and now - message["timestamp"] >= _DELIVERY
    return {
        **message,
        "sender": "lead" if theirs else "agent",
        "status": "delivered" if arrived else message["status"],
    }


def with_computed_members(call: Context, conversation: Members, history: Sequence[Members]) -> dict[str, Any]:
    """Return a conversation with the members computed from its messages, without the messages."""
    person = person_of(call, conversation)
    name = person["name"] if person is not None else conversation["contact_name"]
    last, direction = history[-1] if history else None, trend_of(conversation, history, call.now)
    return {
        **conversation,
        "contact_id": contact_of(call, conversation),
        "contact_name": name,
        "contact_company": person.get("company") if person is not None else conversation["contact_company"],
        "lead_name": name if conversation["lead_id"] is not None else None,
        "last_message": last and {
            "content": last["content"],
            "timestamp": last["timestamp"],
            "sender": shown_message(last, call.now)["sender"],
        },
        "status": "archived" if conversation["archived"] else "active",
        "overall_sentiment": overall_mood(history),
        "sentiment_trend": direction,
        "ai_summary": summary(name, history, direction),
    }  # fmt: skip


# -- a new message ---------------------------------------------------------------------------------------------------


def begin(call: Context, person: Document, link: str = "lead_id") -> Document:
    """Open the conversation with a lead, or with a contact by the link ``contact_id``."""
    return call.create(
        "conversation",
        "conv_",
        {
            "lead_id": None,
            "contact_id": None,
            link: person["id"],
            "contact_name": person["name"],
            "contact_company": person.get("company"),
            "unread_count": 0,
            "last_message_at": None,
            "tags": [],
            "priority": "low",
            "priority_set": False,
            "archived": False,
            "sentiment_trend": "stable",
            "trend_as_of": None,
        },
    )


def write(
    call: Context, conversation: Document, *, theirs: bool, content: str, type: str, subject: str | None
) -> Document:
    """Store a message, and update the conversation, the messages before it, and the lead or contact."""
    history = messages_of(call, conversation["id"])
    person = person_of(call, conversation)
    user = call.collection("user").get(call.caller.user_id or "")
    ours = (call.caller.user_id or call.caller.actor_id, user["name"] if user is not None else call.caller.name)
    contact = (contact_of(call, conversation) or conversation["lead_id"], conversation["contact_name"])
    sender_id, sender_name = contact if theirs else ours
    message = call.create(
        "message",
        "msg_",
        {
            "conversation_id": conversation["id"],
            "lead_id": conversation["lead_id"],
            "sender_id": sender_id,
            "sender_name": person["name"] if theirs and person is not None else sender_name,
            "sender_type": "contact" if theirs else "user",
            "content": content,
            "timestamp": call.now,
            "type": type,
            "subject": subject,
            **judgement(content, subject),
            "attachments": [],
            "status": "delivered" if theirs else "sent",
        },
    )
    _answer(call, history, theirs)
    changes: dict[str, Any] = {
        "unread_count": conversation["unread_count"] + 1 if theirs else 0,
        "last_message_at": call.now,
        "archived": False,
    }
    if theirs:
        urgency = message_reading.urgency_of(content, situation_of(call, conversation, message, history))
        if urgency == "high" or not conversation["priority_set"]:
            changes |= {"priority": urgency, "priority_set": False}
    facts = {name: message[name] for name in ("lead_id", "conversation_id", "content", "sender_type")}
    call.emit("message.received" if theirs else "message.sent", "message", message, metadata=facts)
    change(call, conversation, changes)
    _note(call, conversation["lead_id"], theirs)
    contact_health.refresh(call, contact_of(call, conversation))
    return message


def change(call: Context, conversation: Document, changes: Members) -> Document:
    """Store changes to a conversation and publish them; return the same document where nothing differs."""
    if all(conversation.get(name) == value for name, value in changes.items()):
        return conversation
    new = call.update("conversation", conversation, changes)
    told = [entry for entry in changes_between(conversation, new) if entry["field"] not in _BOOKKEEPING]
    call.emit("conversation.updated", "conversation", {**new, "name": new["contact_name"]}, changes=told)
    if new["unread_count"] != conversation["unread_count"]:
        call.tell("conversation.unread_count", "conversation", new)
    return new


def _answer(call: Context, history: Sequence[Document], theirs: bool) -> None:
    """Mark the messages of the other side as read, and the last one as replied to."""
    waiting: list[Document] = []
    for doc in reversed(history):
        if (doc["sender_type"] == "contact") == theirs:
            break
        waiting.append(doc)
    states: Mapping[bool, str] = {True: "replied", False: "read"}
    for at, doc in enumerate(waiting):
        call.collection("message").put(doc | {"status": states[at == 0]})


def _note(call: Context, lead_id: str | None, theirs: bool) -> None:
    """Update the latest activity of the lead, and with our first answer its `first_response_at`."""
    lead = call.collection("lead").get(lead_id or "")
    if lead is None:
        return
    changes: dict[str, Any] = {"last_activity_at": call.now}
    if not theirs and lead.get("first_response_at") is None:
        changes["first_response_at"] = call.now
    LEADS.change(call, lead, changes)
