"""What owners are notified of: messages that come in, and, by a daily analysis, sentiment that declines."""

from __future__ import annotations

from datetime import timedelta

from ...data.document import Document
from ...serving import Context, changes_between, reacts
from ...timetable import apart, recurs
from ..notifications import notify
from . import state as state

_KEPT = timedelta(days=14)
"""The time until a notification about a conversation expires."""
_SHOWN = 200
"""So much of a message its notification shows."""


@reacts("message.received")
def tell_owner(call: Context, entry: Document) -> None:
    """Notify the owner of the lead or contact that somebody has written."""
    conversation = call.find_one("conversation", entry["metadata"]["conversation_id"])
    person = state.person_of(call, conversation) if conversation is not None else None
    if (
        conversation is not None
        and person is not None
        and call.find_one("user", person.get("owner_id") or "") is not None
    ):
        notify(
            call,
            person["owner_id"],
            "message_received",
            f"Message from {person['name']}",
            entry["metadata"]["content"][:_SHOWN],
            priority=conversation["priority"],
            about=("conversation", conversation["id"]),
            expires_at=call.now + _KEPT,
        )


@recurs("conversation sentiment trends", every=timedelta(days=1))
def analyse_trends(call: Context) -> None:
    """Compute the sentiment trend of each conversation, and notify the owner of one that has begun to decline."""
    for doc in call.collection("conversation").all():
        with apart(call, doc):
            found = {"sentiment_trend": state.trend(state.messages_of(call, doc["id"]), call.now)}
            # No caller has changed it: its version stays.
            new = call.collection("conversation").put(doc | found | {"trend_as_of": call.now})
            if new["sentiment_trend"] != doc.get("sentiment_trend", "stable"):
                named = {**new, "name": new["contact_name"]}
                call.emit("conversation.updated", "conversation", named, changes=changes_between(doc, doc | found))
                if new["sentiment_trend"] == "declining" and not new["archived"]:
                    _warn(call, new)


def _warn(call: Context, conversation: Document) -> None:
    person = state.person_of(call, conversation)
    if person is None or not person.get("owner_id"):
        return
    notify(
        call,
        person["owner_id"],
        "ai_insight",
        f"The mood of {person['name']} is declining",
        "What was written lately is less friendly than what was written before.",
        about=("conversation", conversation["id"]),
        expires_at=call.now + _KEPT,
    )
