"""Reminders of events: a day, an hour and a quarter of an hour before, each sent once, on the stub's clock.

The time of a company's next reminder is kept in a document of its own, so that a request which has none to send looks
at nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ...data.collection import Collection
from ...data.document import Document
from ...serving import Caller, Context
from ..notifications import notify

if TYPE_CHECKING:
    from ...core import StubServer

MINUTES_BEFORE = (1_440, 60, 15)
GRACE = timedelta(minutes=1)
"""A reminder that was due so long before its event was made is sent at once; an older one never."""
AHEAD = frozenset({"scheduled", "confirmed"})
"""What an event must be to be reminded of."""
_LABELS: Mapping[int, str] = {1_440: "in 1 day", 60: "in 1 hour"}
_PRIORITIES: Mapping[int, str] = {1_440: "low", 60: "medium"}

Due = tuple[datetime, str, int]
"""When, the id of the event, minutes before."""


def unsent_reminders(now: datetime) -> dict[str, Any]:
    """Return the members of an event whose reminders are all to be sent, but for those that were due before `now`."""
    reminders = [{"minutes_before": minutes, "channel": "in_app", "sent_at": None} for minutes in MINUTES_BEFORE]
    return {"reminders": reminders, "reminders_since": now}


def timetable(events: Iterable[Document]) -> Iterator[Due]:
    """Give every reminder that is still to be sent."""
    for doc in events:
        if doc.get("status") not in AHEAD:
            continue
        since = doc.get("reminders_since")
        for reminder in doc.get("reminders") or ():
            at = doc["start_time"] - timedelta(minutes=reminder["minutes_before"])
            if reminder.get("sent_at") is None and since is not None and at >= since - GRACE:
                yield max(at, since), doc["id"], reminder["minutes_before"]


def reschedule(activities: Collection, timetables: Collection) -> None:
    """Note when the next reminder of a company is due; whatever writes events calls this."""
    next_at = min((due[0] for due in timetable(activities.find("kind", "event"))), default=None)
    known = timetables.get("reminders")
    if known is None or known["next_at"] != next_at:
        timetables.put(Document(id="reminders", next_at=next_at))


def schedule_next(call: Context) -> None:
    """Note when the next reminder of the caller's company is due."""
    reschedule(call.collection("activity"), call.collection("timetable"))


def due_reminders(server: StubServer, until: datetime | None = None) -> None:
    """Send every reminder that is due, all companies' in the order of time, each in its own transaction."""
    now = until or server.clock.now()
    while True:
        waiting: list[tuple[datetime, str, Collection]] = []
        for timetables in server.store.across("timetable"):
            doc = timetables.get("reminders")
            if doc is not None and doc["next_at"] is not None and doc["next_at"] <= now:
                waiting.append((doc["next_at"], timetables.tenant_id, timetables))
        if not waiting:
            return
        at, tenant_id, timetables = min(waiting, key=lambda entry: entry[:2])
        activities = server.store.collection(tenant_id, "activity")
        with server.store.transaction():
            for due, event_id, minutes in sorted(timetable(activities.find("kind", "event"))):
                event = activities.get(event_id)
                if due <= at and event is not None:
                    _send(_call(server, tenant_id, at), event, minutes)
            reschedule(activities, timetables)


def _call(server: StubServer, tenant_id: str, at: datetime) -> Context:
    caller = Caller(tenant_id, "system", None, "system", "the reminders", auth="none")
    return Context(
        server, caller, at, dialect="system", operation="calendar.remind", request_id=f"reminders_{at:%Y%m%d%H%M}",
        source={},
    )  # fmt: skip


def _send(call: Context, event: Document, minutes: int) -> None:
    """Notify those of the company who take part, and note on the event that this was done."""
    sent = [
        reminder | {"sent_at": call.now} if reminder["minutes_before"] == minutes else reminder
        for reminder in event["reminders"]
    ]
    # Nobody has edited the event: its version stays.
    call.collection("activity").put(event | {"reminders": sent})
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
    preferred: Mapping[str, Any] = user.get("preferences") or {}
    zone = ZoneInfo(preferred.get("timezone") or user.get("timezone") or "UTC")
    when = _LABELS.get(minutes, f"in {minutes} minutes")
    whom = f" with {event['contact_name']}" if event.get("contact_name") else ""
    notify(
        call,
        user["id"],
        "meeting_reminder",
        f"{event['title']} begins {when}",
        f"{event['title']}{whom} begins at {event['start_time'].astimezone(zone):%H:%M on %Y-%m-%d}.",
        priority="high" if event.get("priority") == "high" else _PRIORITIES.get(minutes, "high"),
        action_url=f"/calendar/events/{event['id']}",
        # Free-form: its keys are the wire's own.
        data={"eventId": event["id"], "minutesUntil": minutes, "startTime": event["start_time"]},
        expires_at=event["end_time"],
    )
