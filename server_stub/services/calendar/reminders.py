"""Reminders of events: a day, an hour and a quarter of an hour before, each sent once, on the stub's clock.

The time of a company's next reminder is stored in its own document, so that requests without a due reminder read
nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from ...data.document import Document
from ...serving import Collections, Context
from ...timetable import Appointment, falls_due, isolate, plan
from ..notifications import notify
from .working_time import zone_of

MINUTES_BEFORE = (1_440, 60, 15)
GRACE = timedelta(minutes=1)
"""A reminder that was due within this time before its event was created is sent at once; an older one is not sent."""
AHEAD = frozenset({"scheduled", "confirmed"})
"""The statuses of events with reminders."""
_LABELS: Mapping[int, str] = {1_440: "in 1 day", 60: "in 1 hour"}
_PRIORITIES: Mapping[int, str] = {1_440: "low", 60: "medium"}

Due = tuple[datetime, str, int]
"""When, the id of the event, minutes before."""


def unsent_reminders(now: datetime) -> dict[str, Any]:
    """Return the members of an event with all reminders unsent, except those that were due before `now`."""
    reminders = [{"minutes_before": minutes, "channel": "in_app", "sent_at": None} for minutes in MINUTES_BEFORE]
    return {"reminders": reminders, "reminders_since": now}


def reminder_times(events: Iterable[Document]) -> Iterator[Due]:
    """Yield every reminder that is still to be sent."""
    for doc in events:
        if doc.get("status") not in AHEAD:
            continue
        since = doc.get("reminders_since")
        for reminder in doc.get("reminders") or ():
            at = doc["start_time"] - timedelta(minutes=reminder["minutes_before"])
            if reminder.get("sent_at") is None and since is not None and at >= since - GRACE:
                yield max(at, since), doc["id"], reminder["minutes_before"]


def next_reminder(collections: Collections) -> datetime | None:
    """Return when the next reminder of a company is due."""
    return min((due[0] for due in reminder_times(collections("activity").find("kind", "event"))), default=None)


REMINDERS = Appointment("calendar.remind", next_reminder)


def schedule_next(call: Context) -> None:
    """Store when the next reminder of the caller's company is due; called after every write of events."""
    plan(call.collection, REMINDERS)


@falls_due(REMINDERS)
def send_due(call: Context) -> None:
    """Send every reminder that is due. One that cannot be sent is lost, and holds up no other."""
    activities = call.collection("activity")
    for due, event_id, minutes in sorted(reminder_times(activities.find("kind", "event"))):
        event = activities.get(event_id)
        if due <= call.now and event is not None:
            sent = [
                reminder | {"sent_at": call.now} if reminder["minutes_before"] == minutes else reminder
                for reminder in event["reminders"]
            ]
            # Nobody has edited the event: its version stays.
            activities.put(event | {"reminders": sent})
            with isolate(call.server.store, f"the reminder {minutes} minutes before {event_id}"):
                _send(call, event, minutes)


def _send(call: Context, event: Document, minutes: int) -> None:
    """Notify the attendees who are users of the company."""
    guests = [guest for guest in event.get("attendees") or () if guest.get("status") != "declined"]
    people = dict.fromkeys((event.get("owner_id"), *(guest.get("user_id") for guest in guests)))
    for user_id in people:
        user = call.collection("user").get(user_id) if user_id is not None else None
        preferred: Mapping[str, Any] = (user.get("preferences") if user is not None else None) or {}
        if user is not None and preferred.get("notifications") is not False:
            _notify(call, event, minutes, user)
    said = {"id": event["id"], "minutes_until": minutes}
    call.emit("event.reminder", "activity", event, metadata=said)


def _notify(call: Context, event: Document, minutes: int, user: Document) -> None:
    when = _LABELS.get(minutes, f"in {minutes} minutes")
    whom = f" with {event['contact_name']}" if event.get("contact_name") else ""
    notify(
        call,
        user["id"],
        "meeting_reminder",
        f"{event['title']} begins {when}",
        f"{event['title']}{whom} begins at {event['start_time'].astimezone(zone_of(call, user)):%H:%M on %Y-%m-%d}.",
        priority="high" if event.get("priority") == "high" else _PRIORITIES.get(minutes, "high"),
        about=("event", event["id"]),
        data={"minutesUntil": minutes, "startTime": event["start_time"]},
        expires_at=event["end_time"],
    )
