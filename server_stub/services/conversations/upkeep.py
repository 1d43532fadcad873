"""What the timetable does for conversations: once a day, where their mood goes."""

from __future__ import annotations

from datetime import timedelta

from ...data.document import Document
from ...serving import Context, changes_between
from ...timetable import recurs
from ..notifications import notify
from . import state as state

_KEPT = timedelta(days=14)
"""How long the owner is told that a mood has turned."""


@recurs("conversation sentiment trends", every=timedelta(days=1))
def analyse_trends(call: Context) -> None:
    """Find where the mood of each conversation goes, and tell whoever has it when it has turned for the worse."""
    for doc in call.collection("conversation").all():
        found = {"sentiment_trend": state.trend(state.messages_of(call, doc["id"]), call.now)}
        # Nobody has edited it: its version stays.
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
