"""iCalendar (RFC 5545), in and out: what a file says of events and tasks, and events as a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from crm_sdk.wire import is_array

from ...problems import Problem
from ...serving import Members
from ..calendar.preparation import uid_of
from .recurrence import zone_of

_STATES: Mapping[str, str] = {"TENTATIVE": "scheduled", "CONFIRMED": "confirmed", "CANCELLED": "cancelled"}
_STATES_OUT: Mapping[str, str] = {"scheduled": "CONFIRMED", "cancelled": "CANCELLED"}
_TODO: Mapping[str, str] = {
    "NEEDS-ACTION": "not_started", "IN-PROCESS": "in_progress", "COMPLETED": "completed", "CANCELLED": "cancelled",
}  # fmt: skip
_TODO_OUT: Mapping[str, str] = {status: word for word, status in _TODO.items()}
_PRIORITIES: Mapping[str, int] = {"high": 1, "medium": 5, "low": 9}
_ANSWERS: Mapping[str, str] = {"ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "tentative"}
_ANSWERS_OUT: Mapping[str, str] = {word: answer for answer, word in _ANSWERS.items()}
_COMPONENTS = ("VEVENT", "VTODO")
_PRODUCT = "-//crm//calendar//EN"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A component of a file: an event or a task, with what it is matched by."""

    kind: str
    uid: str
    members: dict[str, Any]
    sequence: int = 0
    changed_at: datetime | None = None
    recurrence_id: datetime | None = None
    """Which occurrence of the series with the UID it stands for."""
    exdates: Sequence[datetime] = ()
    cancelled: bool = False
    problem: str | None = field(default=None)
    """Why it cannot be taken."""


def read(content: bytes | str, zone: ZoneInfo) -> list[Entry]:
    """Return the events and tasks of a file; times without a zone are those of `zone`. Raises 422 for no iCalendar."""
    from icalendar import Calendar  # here: it is needed for files only

    try:
        calendars: Any = Calendar.from_ical(content, multiple=True)
        cancels = [str(calendar.get("method", "")).upper() == "CANCEL" for calendar in calendars]
        found = [
            _entry(part, zone, cancelled=cancelled)
            for calendar, cancelled in zip(calendars, cancels, strict=True)
            for part in calendar.walk()
            if part.name in _COMPONENTS
        ]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:  # whatever a broken file makes of it
        raise Problem(
            "INVALID_FORMAT", f"the file is not an iCalendar: {error}", field="file_id", rule="format"
        ) from None
    if not calendars:
        raise Problem("INVALID_FORMAT", "the file is not an iCalendar: it is empty", field="file_id", rule="format")
    return found


def _entry(part: Any, zone: ZoneInfo, *, cancelled: bool) -> Entry:
    start = part.get("dtstart")
    kind = "event" if part.name == "VEVENT" else "task"
    problem = None
    members: dict[str, Any] = {
        "title": str(part.get("summary") or "Untitled")[:255],
        "description": str(part["description"])[:10_000] if part.get("description") else None,
        "tags": [text[:50] for text in _categories(part)][:50],
    }
    if kind == "task":
        due = part.get("due")
        members |= {
            "due_at": _moment(due.dt, zone) if due is not None else None,
            "start_time": _moment(start.dt, zone) if start is not None else None,
            "status": _TODO.get(str(part.get("status", "")).upper(), "not_started"),
        }
    elif start is None:
        problem = "an event begins at some time"
    else:
        members |= _event_members(part, start, zone)
    if part.get("rrule") is not None:
        members["recurrence"] = part["rrule"].to_ical().decode()
    changed = part.get("last-modified") or part.get("dtstamp")
    occurrence = part.get("recurrence-id")
    status = str(part.get("status", "")).upper()
    uid = str(part.get("uid") or "")
    return Entry(
        kind=kind,
        uid=uid,
        members=members,
        sequence=int(part.get("sequence") or 0),
        changed_at=_moment(changed.dt, zone) if changed is not None else None,
        recurrence_id=_moment(occurrence.dt, zone) if occurrence is not None else None,
        exdates=[_moment(entry.dt, zone) for each in _many(part.get("exdate")) for entry in each.dts],
        cancelled=cancelled or (kind == "event" and status == "CANCELLED"),
        problem=problem or (None if uid else "a component has a UID"),
    )


def _event_members(part: Any, start: Any, zone: ZoneInfo) -> dict[str, Any]:
    all_day = not isinstance(start.dt, datetime)
    begin, end = _moment(start.dt, zone), part.get("dtend")
    if end is not None:
        over = _moment(end.dt, zone)
    elif part.get("duration") is not None:
        over = begin + part["duration"].dt
    else:
        over = begin + (timedelta(days=1) if all_day else timedelta(minutes=30))
    name = getattr(getattr(start.dt, "tzinfo", None), "key", None) or str(start.params.get("TZID", ""))
    members: dict[str, Any] = {
        "start_time": begin,
        "end_time": over,
        "all_day": all_day,
        "timezone": name if _is_zone(name) else zone.key,
        "location": str(part["location"])[:255] if part.get("location") else None,
        "status": _STATES.get(str(part.get("status", "")).upper(), "scheduled"),
        "visibility": "private" if str(part.get("class", "")).upper() in ("PRIVATE", "CONFIDENTIAL") else "public",
        "busy": str(part.get("transp", "")).upper() != "TRANSPARENT",
        "reminders": list(_alarms(part)),
    }
    guests = list(_guests(part))
    return {**members, "attendees": guests} if guests else members


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return False
    return bool(name)


def _moment(value: Any, zone: ZoneInfo) -> datetime:
    """Return a date or a time as a moment in UTC."""
    if isinstance(value, datetime):
        return (value if value.tzinfo is not None else value.replace(tzinfo=zone)).astimezone(UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(), zone).astimezone(UTC)
    raise ValueError(f"{value!r} is no time")


def _many(value: Any) -> Iterable[Any]:
    return value if is_array(value) else [value] if value is not None else []


def _categories(part: Any) -> Iterator[str]:
    for value in _many(part.get("categories")):
        yield from (str(text).strip() for text in getattr(value, "cats", [value]) if str(text).strip())


def _alarms(part: Any) -> Iterator[dict[str, Any]]:
    for alarm in part.walk("VALARM"):
        before = getattr(alarm.get("trigger"), "dt", None)
        if isinstance(before, timedelta) and timedelta() <= -before <= timedelta(minutes=40_320):
            yield {"minutes_before": int(-before.total_seconds() // 60), "channel": "in_app"}


def _guests(part: Any) -> Iterator[dict[str, Any]]:
    host = str(part.get("organizer") or "").lower().removeprefix("mailto:")
    if "@" in host:
        yield {"email": host, "role": "host", "status": "accepted"}
    for guest in _many(part.get("attendee")):
        address = str(guest).lower().removeprefix("mailto:")
        if "@" in address and address != host:
            optional = str(guest.params.get("ROLE", "")).upper() == "OPT-PARTICIPANT"
            answer = _ANSWERS.get(str(guest.params.get("PARTSTAT", "")).upper(), "pending")
            name = str(guest.params.get("CN", ""))[:200] or None
            yield {"email": address, "role": "optional" if optional else "required", "status": answer, "name": name}


# -- out -------------------------------------------------------------------------------------------------------------


def write(
    events: Sequence[Members],
    *,
    method: str | None = None,
    beside: bytes | str | None = None,
    refresh: timedelta | None = None,
    tasks: Iterable[Members] = (),
) -> bytes:
    """Return events as an iCalendar file: series as rules in their zones, exceptions by RECURRENCE-ID.

    `tasks` are in it as to-dos. The file `beside` keeps what it has of other events; `refresh` is how often
    to read it again (RFC 7986).
    """
    from icalendar import Calendar

    calendar: Any = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    if method is not None:
        calendar.add("method", method)
    if refresh is not None:
        calendar.add("refresh-interval", refresh, parameters={"VALUE": "DURATION"})
    # What a file has as an event of its own it does not name among those that are left out (RFC 5545, 3.8.4.4).
    own = {(uid_of(event), event["original_start"]) for event in events if event.get("original_start")}
    for event in events:
        gone = [at for at in event.get("exdates") or () if (uid_of(event), at) not in own]
        calendar.add_component(_component({**event, "exdates": gone}))
    for task in tasks:
        calendar.add_component(_todo(task))
    known = {uid_of(event) for event in events}
    other: Any = Calendar.from_ical(beside) if beside else None
    for part in other.walk() if other is not None else ():
        if part.name in _COMPONENTS and str(part.get("uid")) not in known:
            calendar.add_component(part)
    if any(event.get("recurrence") for event in events) and hasattr(calendar, "add_missing_timezones"):
        calendar.add_missing_timezones()
    content: bytes = calendar.to_ical()
    return content


def _component(event: Members) -> Any:
    from icalendar import Event, vCalAddress, vRecur

    part: Any = Event()
    zone = zone_of(event)
    part.add("uid", uid_of(event))
    part.add("sequence", event.get("sequence") or 0)
    part.add("dtstamp", event["updated_at"])
    part.add("last-modified", event["updated_at"])
    part.add("summary", event["title"] or "Busy")
    for name, at in (("dtstart", event["start_time"]), ("dtend", event["end_time"])):
        part.add(name, at.astimezone(zone).date() if event.get("all_day") else at.astimezone(zone))
    for name, value in (("description", event.get("description")), ("location", event.get("location"))):
        if value:
            part.add(name, value)
    part.add("status", _STATES_OUT.get(event["status"], "CONFIRMED"))
    part.add("class", "PRIVATE" if event.get("visibility") == "private" else "PUBLIC")
    part.add("transp", "OPAQUE" if event.get("busy") is not False else "TRANSPARENT")
    if event.get("tags"):
        part.add("categories", list(event["tags"]))
    if event.get("recurrence"):
        part.add("rrule", vRecur.from_ical(event["recurrence"]))
    for gone in event.get("exdates") or ():
        part.add("exdate", gone.astimezone(zone))
    if event.get("original_start"):
        with_later = {"RANGE": "THISANDFUTURE"} if event.get("and_following") else None
        part.add("recurrence-id", event["original_start"].astimezone(zone), parameters=with_later)
    for guest in event.get("attendees") or ():
        person: Any = vCalAddress(f"mailto:{guest['email']}")
        if guest.get("name"):
            person.params["CN"] = guest["name"]
        if guest.get("role") == "host":
            part.add("organizer", person)
            continue
        person.params["PARTSTAT"] = _ANSWERS_OUT.get(guest["status"], "NEEDS-ACTION")
        person.params["ROLE"] = "OPT-PARTICIPANT" if guest.get("role") == "optional" else "REQ-PARTICIPANT"
        part.add("attendee", person)
    for reminder in event.get("reminders") or ():
        part.add_component(_alarm(reminder, event["title"] or "Busy"))
    return part


def _todo(task: Members) -> Any:
    from icalendar import Todo

    part: Any = Todo()
    part.add("uid", uid_of(task))
    part.add("dtstamp", task["updated_at"])
    part.add("last-modified", task["updated_at"])
    part.add("summary", task.get("title") or "")
    for name, value in (
        ("description", task.get("description")), ("due", task.get("due_at")), ("completed", task.get("completed_at")),
        ("status", _TODO_OUT.get(str(task.get("status")))), ("priority", _PRIORITIES.get(str(task.get("priority")))),
        ("categories", list(task.get("tags") or ())),
    ):  # fmt: skip
        if value:
            part.add(name, value)
    return part


def _alarm(reminder: Members, title: str) -> Any:
    from icalendar import Alarm

    alarm: Any = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", title)
    alarm.add("trigger", timedelta(minutes=-reminder["minutes_before"]))
    return alarm
