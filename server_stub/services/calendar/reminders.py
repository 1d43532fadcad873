"""Reminders of what is planned: of events a day, an hour and a quarter of an hour before, unless
the company, a team or the owner has set another time, on the stub's clock.

The time of a company's next reminder is stored in its own document, so that requests without a due reminder read
nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from ...data.document import Document
from ...request.settings import value_for
from ...serving import Collections, Context, Members
from ...timetable import Appointment, apart, falls_due, plan
from ..activities.privacy import as_published
from ..activities.recurrence import first_start
from ..notifications import notify
from .working_time import zone_of

MINUTES_BEFORE = (1_440, 60, 15)
GRACE = timedelta(minutes=1)
"""A reminder that was due so long before its event was made is sent at once; an older one never."""
AHEAD = frozenset({"scheduled", "confirmed", "not_started", "in_progress", "waiting", "deferred", "queued"})
"""What an event, a task or a call must be to be reminded of."""
REMINDED = ("event", "task", "call")
"""The kinds of activities that are reminded of."""
_INSTANT = timedelta(microseconds=1)
_LABELS: Mapping[int, str] = {1_440: "in 1 day", 60: "in 1 hour"}
_PRIORITIES: Mapping[int, str] = {1_440: "low", 60: "medium"}

Due = tuple[datetime, str, int]
"""When, the id of the activity, and which of its reminders."""


def unsent_reminders(now: datetime, minutes_before: Iterable[int] = MINUTES_BEFORE) -> dict[str, Any]:
    """Return the usual reminders of an event, all to be sent, but for those that were due before `now`."""
    reminders = [{"minutes_before": minutes, "channel": "in_app", "sent_at": None} for minutes in minutes_before]
    return {"reminders": reminders, "reminders_since": now}


def sent_again(doc: Members, now: datetime) -> dict[str, Any]:
    """Return the reminders of an activity, all to be sent, but for those that were due before `now`."""
    return {"reminders": [entry | {"sent_at": None} for entry in doc["reminders"]], "reminders_since": now}


def moment_of(doc: Members) -> datetime | None:
    """Return when it is that an activity is reminded of: when it begins, or for a task when it is due."""
    moment: datetime | None = doc.get("due_at") if doc.get("kind") == "task" else doc.get("start_time")
    return moment


def reminder_members(call: Context, members: Members, whole: Members, before: Members | None) -> dict[str, Any]:
    """Return the reminders of an activity that was written; another time sets them again."""
    if members.get("reminders") or (before is not None and members.get("reminders") is not None):
        known = {(old["minutes_before"], old["channel"]): old for old in (before or {}).get("reminders") or ()}
        entries: list[dict[str, Any]] = []
        for given in members["reminders"]:
            entry = {"minutes_before": given["minutes_before"], "channel": given.get("channel") or "in_app"}
            old = known.get((entry["minutes_before"], entry["channel"]), {})
            entries.append({**entry, "sent_at": old.get("sent_at")})
        whole = {**whole, "reminders": entries}
        if before is not None and entries == before["reminders"] and moment_of(whole) == moment_of(before):
            return {"reminders": entries}
    elif before is None:
        usual: Iterable[int] = value_for(call, whole.get("owner_id"), "activities.reminder_minutes")
        return unsent_reminders(call.now, usual) if whole["kind"] == "event" else {}
    on_again = before is not None and whole.get("status") in AHEAD and before.get("status") not in AHEAD
    if before is not None and moment_of(whole) == moment_of(before) and not on_again:
        return {"reminders": whole["reminders"], "reminders_since": call.now} if "reminders" in members else {}
    return sent_again(whole, call.now)


def reminder_times(activities: Iterable[Document]) -> Iterator[Due]:
    """Give every reminder that is still to be sent; of a series those of its next occurrence."""
    for doc in activities:
        since, moment = doc.get("reminders_since"), moment_of(doc)
        if moment is None or since is None or doc.get("status") not in AHEAD:
            continue
        for number, reminder in enumerate(doc.get("reminders") or ()):
            before, sent = timedelta(minutes=reminder["minutes_before"]), reminder.get("sent_at")
            if doc.get("kind") == "event" and doc.get("recurrence"):
                first = sent + _INSTANT if sent is not None and sent >= since else since - GRACE
                following = first_start(doc, first + before)
                if following is None:
                    continue
                moment = following
            elif sent is not None:
                continue
            if moment - before >= since - GRACE:
                yield max(moment - before, since), doc["id"], number


def _planned_reminders(collections: Collections) -> list[Document]:
    activities = collections("activity")
    return [doc for kind in REMINDED for doc in activities.find("kind", kind) if doc.get("reminders")]


def _times(collections: Collections) -> Iterator[datetime]:
    return (due[0] for due in reminder_times(_planned_reminders(collections)))


REMINDERS = Appointment("calendar.remind", _times)


def schedule_next(call: Context) -> None:
    """Note when the next reminder of the caller's company is due; whatever writes activities calls this."""
    plan(call.collection, REMINDERS)


@falls_due(REMINDERS)
def send_due(call: Context) -> None:
    """Send every reminder that is due."""
    activities = call.collection("activity")
    for due, id, number in sorted(reminder_times(_planned_reminders(call.collection))):
        doc = activities.get(id)
        if due <= call.now and doc is not None:
            with apart(call, doc):
                reminder = doc["reminders"][number]
                sent = [*doc["reminders"]]
                sent[number] = reminder | {"sent_at": call.now}
                # Nobody has edited it: its version stays.
                activities.put(doc | {"reminders": sent})
                minutes = reminder["minutes_before"]
                _send(call, doc, minutes, due + timedelta(minutes=minutes))


def _send(call: Context, doc: Document, minutes: int, moment: datetime) -> None:
    """Notify those of the company who take part."""
    guests = [guest for guest in doc.get("attendees") or () if guest.get("status") != "declined"]
    people = dict.fromkeys((doc.get("owner_id"), *(guest.get("user_id") for guest in guests)))
    for user_id in people:
        user = call.collection("user").get(user_id) if user_id is not None else None
        preferred: Mapping[str, Any] = (user.get("preferences") if user is not None else None) or {}
        if user is not None and preferred.get("notifications") is not False:
            _notify(call, doc, minutes, user, moment)
    if doc["kind"] == "event":
        call.emit("event.reminder", "activity", as_published(doc), metadata={"id": doc["id"], "minutes_until": minutes})


def _notify(call: Context, doc: Document, minutes: int, user: Document, moment: datetime) -> None:
    when = _LABELS.get(minutes, f"in {minutes} minutes")
    whom = f" with {doc['contact_name']}" if doc.get("contact_name") else ""
    verb = "is due" if doc["kind"] == "task" else "begins"
    at = moment.astimezone(zone_of(call, user))
    notify(
        call,
        user["id"],
        "task_due" if doc["kind"] == "task" else "meeting_reminder",
        f"{doc['title']} {verb} {when}",
        f"{doc['title']}{whom} {verb} at {at:%H:%M on %Y-%m-%d}.",
        priority="high" if doc.get("priority") == "high" else _PRIORITIES.get(minutes, "high"),
        about=(doc["kind"], doc["id"]),
        data={"minutesUntil": minutes, "startTime": moment},
        expires_at=doc.get("end_time") or moment + timedelta(days=1),
    )
