"""Recurring work for integrations: synchronise them, until a system refuses the credentials."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from crm_sdk.models.integrations import Integration

from ...data.document import Document
from ...live.feeds import Event, Feeds, shows
from ...serving import Context, RecordType, changes_between
from ...timetable import recurs

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_EVERY: Mapping[str, timedelta] = {"daily": _DAY, "weekly": 7 * _DAY}
"""The interval of each ``syncFrequency``; any other means every hour."""
_SHORT_LIVED = frozenset({"google", "microsoft", "hubspot"})
"""The systems whose access tokens expire after an hour, unless there is a refresh token."""


INTEGRATIONS = RecordType("integration", Integration)


@shows("integration.error")
def error_data(feeds: Feeds, event: Event) -> Mapping[str, Any]:
    """Return the integration, and what is wrong with it."""
    return feeds.record_and_facts(event)


@recurs("integration sync", every=_HOUR)
def synchronise(call: Context) -> None:
    """Synchronise each connected system that is due; one whose access has expired is an error."""
    for doc in call.collection("integration").find("status", "connected"):
        if _has_expired(call, doc):
            new = call.update("integration", doc, {"status": "error"})
            told = {"code": "TOKEN_EXPIRED", "message": f"{doc['name']} does not accept the access token any more"}
            changes = changes_between(doc, new)
            call.emit("integration.error", "integration", new, changes=changes, reason=told["message"], metadata=told)
        elif doc["last_sync"] is None or call.now - doc["last_sync"] >= _EVERY.get(_frequency(doc), _HOUR):
            call.collection("integration").put(doc | {"last_sync": call.now})


def _has_expired(call: Context, doc: Document) -> bool:
    given = doc["credentials"]
    lasting = doc["provider"] not in _SHORT_LIVED or "access_token" not in given or "refresh_token" in given
    return not lasting and call.now - doc["connected_at"] >= _HOUR


def _frequency(doc: Document) -> str:
    return str(doc["config"].get("syncFrequency", ""))
