"""The computed members of the demo data, by the same rules that keep them up to date later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ..data.collection import Collection
from ..data.document import Document
from ..services.calendar import preparation as meeting_preparation
from ..services.contacts import health as contact_health
from ..services.conversations import state as conversation_state
from ..services.deals import figures as deal_figures
from ..services.leads import records as leads


def with_computed_members(
    kind: str, doc: Document, collections: Callable[[str], Collection], now: datetime
) -> Document:
    """Return a record of the demo data with its computed members."""
    if kind == "lead":
        return doc | leads.complete(kind, doc, now, collections)
    if kind == "deal":
        happened = deal_figures.past_activities(collections("activity").find("deal_id", doc["id"]), now)
        return doc | deal_figures.complete(doc, happened, collections("stage").get(doc["stage_id"]), now)
    if kind == "contact":
        talk = contact_health.said_with(doc["id"], collections, now)
        return doc | contact_health.complete(doc, talk, collections("deal").find("contact_id", doc["id"]), now)
    if kind == "conversation":
        messages = collections("message").find("conversation_id", doc["id"])
        history = sorted(messages, key=lambda message: message["timestamp"])
        return doc | {"sentiment_trend": conversation_state.trend(history, now), "trend_as_of": now}
    if kind == "activity" and doc["kind"] == "event":
        return doc | meeting_preparation.computed_from_records(doc, collections, now)
    return doc
