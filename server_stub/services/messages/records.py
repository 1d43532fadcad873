"""The rules of messages: messages with leads, analysis, suggestions, templates and figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from crm_sdk.resources.messages import Messages

from ...data.document import Document
from ...data.queries.query import filter_by_values
from ...serving import Context, Members, serves
from ..conversations import state as state
from ..conversations.records import filter_by_name, text_of, threads
from .reading import analyse
from .writing import compose

_THEIRS = frozenset({"lead"})
_MOODS = ("positive", "neutral", "negative")


@serves(Messages.list)
def list_(call: Context, lead_id: str) -> list[dict[str, Any]]:
    """Return the messages with a lead, the oldest first."""
    call.record("lead", lead_id)
    docs = sorted(call.collection("message").find("lead_id", lead_id), key=lambda doc: doc["timestamp"])
    return [state.shown_message(doc, call.now) for doc in docs]


@serves(Messages.create)
def create(call: Context, message: Members) -> dict[str, Any]:
    """Record a message with a lead; the first one opens the conversation."""
    lead = call.reference("lead", message["lead_id"], "lead_id")
    assert lead is not None, "the id is required"
    state.permit(call, lead)
    content, theirs = text_of(message), message.get("sender") in _THEIRS
    known = call.collection("conversation").find("lead_id", lead["id"])
    conversation = known[0] if known else state.begin(call, lead)
    made = state.write(call, conversation, theirs=theirs, content=content, type="chat", subject=None)
    return state.shown_message(made, call.now)


@serves(Messages.analysis)
def analysis(call: Context, message_id: str) -> dict[str, Any]:
    """Return the analysis of a message, in the context of its conversation."""
    message = call.record("message", message_id)
    conversation = call.record("conversation", message["conversation_id"])
    history = state.messages_of(call, conversation["id"])
    return analyse(message["content"], state.situation_of(call, conversation, message, history))


@serves(Messages.smart_compose)
def smart_compose(call: Context, conversation_id: str, draft_content: str) -> dict[str, Any]:
    """Return suggestions for the next message of a conversation."""
    conversation = call.reference("conversation", conversation_id, "conversation_id")
    assert conversation is not None, "the id is required"
    history = state.messages_of(call, conversation_id)
    last = next((doc for doc in reversed(history) if doc["sender_type"] == "contact"), None)
    user = call.collection("user").get(call.caller.user_id or "")
    person = state.person_of(call, conversation)
    name = person["name"] if person is not None else conversation["contact_name"]
    facts: dict[str, str | None] = {
        "contact_name": name,
        "first_name": (person.get("first_name") if person is not None else None) or name.partition(" ")[0],
        "company": person.get("company") if person is not None else conversation["contact_company"],
        "sender_name": user["name"] if user is not None else None,
        "our_company": call.tenant["name"],
    }
    return compose(
        draft_content,
        [doc["content"] for doc in history],
        last_in=last["content"] if last is not None else None,
        facts=facts,
        templates=templates_of(call),
        situation=state.situation_of(call, conversation, last, history) if last is not None else None,
    )


@serves(Messages.templates)
def templates(call: Context, category: str | None) -> Sequence[Document]:
    """Return the templates, by name."""
    return filter_by_values(templates_of(call), category=category)


@serves(Messages.stats)
def stats(call: Context) -> dict[str, Any]:
    """Return the figures of the conversations."""
    found = threads(call)
    times = [taken for _, history in found for taken in state.response_times(history)]
    average = sum(times, timedelta()) / len(times) if times else timedelta()
    return {
        "total": len(found),
        "unread": len(filter_by_name(call, found, "unread")),
        "high_priority": len(filter_by_name(call, found, "high-priority")),
        "needs_follow_up": len(filter_by_name(call, found, "follow-up")),
        "average_response_time": round(average.total_seconds() / 60, 1),
    }


@serves(Messages.sentiment_overview)
def sentiment_overview(call: Context) -> dict[str, int]:
    """Return the share of each sentiment among the incoming messages, in per cent."""
    moods = [doc["sentiment"] for _, history in threads(call) for doc in history if doc["sender_type"] == "contact"]
    return shares({mood: moods.count(mood) for mood in _MOODS})


def shares(counts: dict[str, int]) -> dict[str, int]:
    """Return counts in per cent that add up to 100: what rounding leaves goes to the largest remainders."""
    total = sum(counts.values())
    if not total:
        return {mood: 100 if mood == "neutral" else 0 for mood in counts}
    whole = {mood: count * 100 // total for mood, count in counts.items()}
    left = 100 - sum(whole.values())
    for mood in sorted(counts, key=lambda mood: -(counts[mood] * 100 % total))[:left]:
        whole[mood] += 1
    return whole


def templates_of(call: Context) -> list[Document]:
    """Return the templates for e-mail that are in use, by name."""
    docs = sorted(call.collection("template").find("channel", "email"), key=lambda doc: doc["name"])
    return [doc for doc in docs if doc["active"]]
