"""The payloads of calendar events on feeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from crm_sdk.models.activities import Activity

from ...live.feeds import Event, Feeds, shows
from ...serving import RecordType

ACTIVITIES = RecordType("activity", Activity)


def calendar_owners(entry: Mapping[str, Any], event: Mapping[str, Any]) -> Iterable[str | None]:
    """Return the ids of the users who have an event in their calendar, or had it before the change."""
    yield event.get("owner_id")
    for guest in event.get("attendees") or ():
        yield guest.get("user_id")
    for change in entry["changes"]:
        if change["field"] == "owner_id":
            yield change["before"]
        elif change["field"] == "attendees":
            for guest in change["before"] or ():
                yield guest.get("user_id")


@shows("event.created", channel="calendar", name="event:created", audience=calendar_owners)
def created_payload(feeds: Feeds, event: Event) -> Mapping[str, Any]:
    """Return the event."""
    return {"event": feeds.render_record(event, "flow")}


@shows("event.updated", channel="calendar", name="event:updated", audience=calendar_owners)
def updated_payload(feeds: Feeds, event: Event) -> Mapping[str, Any]:
    """Return what changed."""
    return feeds.update_payload(event)


@shows("event.reminder", channel="calendar", name="event:reminder", audience=calendar_owners)
def reminder_payload(feeds: Feeds, event: Event) -> Mapping[str, Any]:
    """Return how soon the event begins."""
    return {"id": event["entity"]["id"], "minutesUntil": event["metadata"]["minutes_until"]}


@shows("event.reminder")
def reminder_data(feeds: Feeds, event: Event) -> Mapping[str, Any]:
    """Return the event, and how soon it begins."""
    return {**feeds.render_record(event, "mvp"), **reminder_payload(feeds, event)}
