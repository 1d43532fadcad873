"""The log of events: one ordered log per company, from which live connections and webhooks are fed.

An entry is written in the transaction of the call that caused it, beside the entry of the audit trail, with a copy of
the record at that time. The newest `KEPT` entries of a company are kept; a reader of older ones is sent a gap.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..data.document import Document

if TYPE_CHECKING:
    from ..serving import Context

KIND = "event"
"""The kind of the log's records."""
KEPT = 10_000
"""The number of entries that are kept of a company."""


def record(call: Context, entry: Document, entity: Mapping[str, Any]) -> Document:
    """Write an event to the log: the audit entry, and the present record."""
    log = call.collection(KIND)
    event = Document(
        id=call.new_id("evt_"),
        type=entry["action"],
        sequence=entry["sequence"],
        occurred_at=entry["occurred_at"],
        entity_type=entry["entity"]["type"],
        entity=dict(entity),
        changes=entry["changes"],
        metadata=entry["metadata"],
        actor=entry["actor"],
        feeds=call.server.feeds.number_on_feeds(call, entry, entity),
    )
    log.put(event)
    oldest = log.first() if len(log) > KEPT else None
    if oldest is not None:
        log.remove(oldest["id"])
    return event
