"""The working time of a user: time zone, business hours, week, and busy times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ...data.document import Document
from ...request.settings import value_for
from ...serving import Context, Members
from .. import company
from ..activities.recurrence import spans

_BACK, _AHEAD = timedelta(days=15), timedelta(days=75)
_OFFICE = tuple({"weekday": day, "start": "09:00", "end": "17:30"} for day in range(5))
OVER = frozenset({"cancelled", "no-show", "completed"})
"""The statuses of events that no longer take time."""


def user_of(call: Context, user_id: str | None) -> Members:
    """Return a user; an empty record where there is none, so that the company's settings hold."""
    doc = call.collection("user").get(user_id) if user_id is not None else None
    return doc if doc is not None else {}


def zone_of(call: Context, user: Members) -> ZoneInfo:
    """Return the time zone a user works in: the preferred one, else the user's, else the company's."""
    preferred: Members = user.get("preferences") or {}
    name = preferred.get("timezone") or user.get("timezone")
    return ZoneInfo(name) if name else company.zone(call)


def week_of(call: Context, user: Members, now: datetime) -> tuple[datetime, datetime]:
    """Return the beginning and the end of a user's present week, which a change of clocks makes an hour off."""
    preferred: Members = user.get("preferences") or {}
    zone = zone_of(call, user)
    today = now.astimezone(zone).date()
    first = today - timedelta(days=(today.weekday() - int(preferred.get("week_start") or 0)) % 7)
    start, end = (datetime.combine(day, time(), zone) for day in (first, first + timedelta(days=7)))
    return start, end


class Hours:
    """The business hours of a user."""

    def __init__(self, zone: ZoneInfo, hours: Members | None) -> None:
        self.zone = zone
        self._days: Sequence[Members] = (hours or {}).get("days") or _OFFICE
        self._holidays: frozenset[date] = frozenset((hours or {}).get("holidays") or ())

    @staticmethod
    def of(call: Context, user: Members) -> Hours:
        """Return a user's own hours, else the company's, on the clock of the user."""
        preferred: Members = user.get("preferences") or {}
        own: Members | None = preferred.get("business_hours")
        if own is None:
            return Hours(zone_of(call, user), call.tenant.get("business_hours"))
        return Hours(ZoneInfo(own["timezone"]) if own.get("timezone") else zone_of(call, user), own)

    def spans(self, day: date) -> list[tuple[datetime, datetime]]:
        """Return the spans of a day in which there is work, on the clock of that day."""
        if day in self._holidays:
            return []
        return [
            (self._at(day, entry["start"]), self._at(day, entry["end"]))
            for entry in self._days
            if entry["weekday"] == day.weekday()
        ]

    def _at(self, day: date, clock: str) -> datetime:
        return datetime.combine(day, time.fromisoformat(clock), self.zone)

    def contain(self, start: datetime, end: datetime) -> bool:
        """Return whether a whole span of time is within business hours."""
        day = start.astimezone(self.zone).date()
        return any(_seconds(start, begin) >= 0 and _seconds(close, end) >= 0 for begin, close in self.spans(day))

    def starts(self, day: date, minutes: int, step: int = 30) -> Iterator[datetime]:
        """Give the moments of a day at which something of so many minutes can begin, in UTC."""
        for begin, close in self.spans(day):
            start, last = as_utc(begin), as_utc(close) - timedelta(minutes=minutes)
            while start <= last:
                yield start
                start += timedelta(minutes=step)


def as_utc(moment: datetime) -> datetime:
    """Return a moment in UTC: only there do sums of hours hold across a change of the clocks."""
    return moment.astimezone(ZoneInfo("UTC"))


def _seconds(later: datetime, earlier: datetime) -> float:
    return (as_utc(later) - as_utc(earlier)).total_seconds()


def is_in_calendar(doc: Members, user_id: str | None) -> bool:
    """Tell whether an event is in a user's calendar: theirs, or one they are invited to and did not decline."""
    if user_id is None or doc.get("owner_id") == user_id:
        return True
    return any(
        guest.get("user_id") == user_id and guest.get("status") != "declined" for guest in doc.get("attendees") or ()
    )


def is_invited(doc: Members, user_id: str) -> bool:
    """Tell whether a user takes part in an event, or was asked to."""
    return doc.get("owner_id") == user_id or any(
        guest.get("user_id") == user_id for guest in doc.get("attendees") or ()
    )


def events(call: Context, user_id: str | None) -> list[Document]:
    """Return the events of a user's calendar, the earliest first; everybody's where there is no user."""
    found = [doc for doc in call.collection("activity").find("kind", "event") if is_in_calendar(doc, user_id)]
    return sorted(found, key=lambda doc: (doc["start_time"], doc["id"]))


def busy(
    call: Context,
    user_id: str | None,
    contact_id: str | None = None,
    window: tuple[datetime, datetime] | None = None,
) -> list[Document]:
    """Return the events that take a user's time, or a contact's, the earliest first; a series once for each occurrence.

    Without a window those of the coming months.
    """
    found = [
        doc
        for doc in call.collection("activity").find("kind", "event")
        if takes_time(doc) and (is_in_calendar(doc, user_id) or (contact_id is not None and _attends(doc, contact_id)))
    ]
    begin, end = window or (call.now - _BACK, call.now + _AHEAD)
    single = [doc for doc in found if window is None and not doc.get("recurrence")]
    series = [doc for doc in found if window is not None or doc.get("recurrence")]
    expanded = [doc | {"start_time": at, "end_time": over} for at, over, doc in spans(series, begin, end)]
    return sorted([*single, *expanded], key=lambda doc: (doc["start_time"], doc["id"]))


def takes_time(doc: Members) -> bool:
    """Tell whether an event takes the time of those who take part."""
    return doc.get("status") not in OVER and doc.get("busy") is not False


def _attends(doc: Members, contact_id: str) -> bool:
    return doc.get("contact_id") == contact_id or any(
        guest.get("contact_id") == contact_id for guest in doc.get("attendees") or ()
    )


def usual_minutes(call: Context, user_id: str | None) -> int:
    """Return how long a user's meetings are where nothing else is said: ``calendar.meeting_minutes``."""
    return int(value_for(call, user_id, "calendar.meeting_minutes"))


def usual_room(call: Context, user_id: str | None) -> timedelta:
    """Return how much time stays free before and after a user's meetings: ``calendar.buffer_minutes``."""
    return timedelta(minutes=int(value_for(call, user_id, "calendar.buffer_minutes")))


def is_free(taken: Sequence[Members], start: datetime, end: datetime, room: timedelta = timedelta()) -> bool:
    """Return whether no event overlaps a span of time, with some room before and after it."""
    return all(doc["end_time"] <= start - room or doc["start_time"] >= end + room for doc in taken)


def first_free(
    hours: Hours, taken: Sequence[Members], earliest: datetime, minutes: int, room: timedelta = timedelta()
) -> datetime:
    """Return the first free time within business hours; `earliest` itself where nobody works for a year."""
    local = earliest.astimezone(hours.zone)
    if hours.contain(local, as_utc(earliest) + timedelta(minutes=minutes)) and is_free(
        taken, earliest, earliest + timedelta(minutes=minutes), room
    ):
        return as_utc(earliest)
    for days in range(366):
        for start in hours.starts(local.date() + timedelta(days=days), minutes):
            if start >= earliest and is_free(taken, start, start + timedelta(minutes=minutes), room):
                return start
    return as_utc(earliest)
