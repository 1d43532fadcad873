"""The times of scheduled synchronisations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from ... import timetable
from ...data.document import Document
from ...serving import Collections, Members
from ...timetable import MADE_UP, Appointment

_EVERY: Mapping[str, timedelta] = {"hourly": timedelta(hours=1), "daily": timedelta(days=1)}
_WEEK = timedelta(days=7)
FREQUENCIES = ("real-time", "hourly", "daily", "manual")


def frequency_in(config: Members | None) -> Any:
    """Return the frequency that a configuration names; None where it names none."""
    return (config or {}).get("syncFrequency", (config or {}).get("sync_frequency"))


def interval_of(integration: Members) -> timedelta | None:
    """Return the time between two scheduled synchronisations; None where none is scheduled."""
    every = _EVERY.get(str(integration.get("sync_frequency")))
    if every is None and frequency_in(integration.get("config")) == "weekly":  # a word of mvp's configuration only
        return _WEEK if integration.get("sync_frequency") == "manual" else None
    return every


def next_time(integration: Members, now: datetime) -> datetime | None:
    """Return when an integration is synchronised next, from its last synchronisation on."""
    every = interval_of(integration)
    if every is None or integration["status"] != "connected":
        return None
    last = integration.get("last_sync")
    return max(last + every, now) if last is not None else now + every


def time_after(integration: Members, at: datetime, now: datetime) -> datetime | None:
    """Return the time after one that has come; where the clock was moved far, the earlier ones are skipped."""
    every = interval_of(integration)
    if every is None:
        return None
    missed = (now - at) // every
    return at + (1 + max(missed - MADE_UP, 0)) * every


def _times(collections: Collections) -> Iterator[datetime]:
    docs: list[Document] = collections("integration").find("status", "connected")
    return (doc["next_sync_at"] for doc in docs if doc.get("next_sync_at") is not None)


SYNCHRONISATION = Appointment("integration sync", _times)


def plan(collections: Collections) -> None:
    """Store when the next integration is due."""
    timetable.plan(collections, SYNCHRONISATION)
