"""Scheduled work for integrations: synchronise those that are due, and end the access of tokens that have expired."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ...data.document import Document
from ...live.feeds import Event, Feeds, shows
from ...serving import Context, Members
from ...timetable import Idleness, apart, falls_due, recurs
from . import runs, times
from .credentials import error_of
from .records import reschedule, tell_error
from .syncing import active_mappings, begin, change_of

_HOUR, _MINUTE = timedelta(hours=1), timedelta(minutes=1)
_SHORT_LIVED = frozenset({"google", "microsoft", "hubspot"})
"""The systems whose access tokens expire after an hour, unless there is a refresh token."""


@shows("integration.error")
def error_data(feeds: Feeds, event: Event) -> Mapping[str, Any]:
    """Return the integration, and what is wrong with it."""
    return feeds.record_and_facts(event)


@falls_due(times.SYNCHRONISATION)
def synchronise(call: Context) -> None:
    """Start a run of each integration that is due; one without active mappings only looks at its connection."""
    records = call.collection("integration")
    for doc in records.find("status", "connected"):
        at = doc.get("next_sync_at")
        if at is None or at > call.now:
            continue
        with apart(call, doc):
            doc = records.put(doc | {"next_sync_at": times.time_after(doc, at, call.server.clock.now())})
            if not active_mappings(call, doc, doc["direction"]):
                records.put(doc | {"last_sync": call.now})
            elif runs.current(call, doc["id"]) is None:
                begin(call, doc, trigger="scheduled")


def _real_time(call: Context) -> list[Document]:
    """Return the integrations that are synchronised with every change, and have no run under way."""
    connected = call.collection("integration").find("status", "connected")
    return [
        doc for doc in connected
        if doc["sync_frequency"] == "real-time" and runs.current(call, doc["id"]) is None
        and active_mappings(call, doc, doc["direction"])
    ]  # fmt: skip


def _nothing_changed(call: Context) -> bool:
    return all(change_of(call, doc) is None for doc in _real_time(call))


_UNSEEN = frozenset({"audit", "keyword", "mention", "notification", "social_feed"})
"""What a run does not depend on."""


@recurs("integration watch", every=_MINUTE, idleness=Idleness(_nothing_changed, _UNSEEN))
def watch(call: Context) -> None:
    """Start a run of each integration in real time where either side has changed something."""
    for doc in _real_time(call):
        with apart(call, doc):
            side = change_of(call, doc)
            if side is not None:
                begin(call, doc, trigger="webhook" if side == "remote" else "scheduled")


@recurs("integration access", every=_HOUR)
def end_access(call: Context) -> None:
    """Set the status ``error`` for integrations whose access token has expired."""
    for doc in call.collection("integration").find("status", "connected"):
        if _has_expired(call, doc):
            with apart(call, doc):
                error = error_of("TOKEN_EXPIRED", f"{doc['name']} does not accept the access token any more")
                new = reschedule(call, call.update("integration", doc, {"status": "error", "last_error": error}), doc)
                tell_error(call, new, error, before=doc)


def _has_expired(call: Context, doc: Document) -> bool:
    given: Members = doc.get("credentials") or {}
    since = doc.get("connected_at")
    lasting = doc["provider"] not in _SHORT_LIVED or "access_token" not in given or "refresh_token" in given
    return not lasting and since is not None and call.now - since >= _HOUR
