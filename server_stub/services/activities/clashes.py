"""Who is busy when, and which times are free: what availability, scheduling and rescheduling ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

from ...data.document import Document
from ...problems import Problem
from ...serving import Context, Members
from ..calendar.working_time import Hours, busy, is_free, user_of, usual_room
from .privacy import is_hidden

STEP = timedelta(minutes=30)
"""Slots begin every half hour (002, H.9)."""
_SUGGESTED = 3
_SEARCHED = timedelta(days=14)
_BREATH = timedelta(minutes=15)


def busy_users(event: Members) -> list[str]:
    """Return the ids of the users whose time an event takes."""
    guests = [guest["user_id"] for guest in event.get("attendees") or () if guest.get("status") != "declined"]
    return [id for id in dict.fromkeys((event.get("owner_id"), *guests)) if id is not None]


def blocks(call: Context, user_id: str, begin: datetime, end: datetime) -> list[dict[str, Any]]:
    """Return the times that a user is busy at in a window; of what is private no more than that."""
    return [_block(call, doc) for doc in busy(call, user_id, window=(begin, end))]


def _block(call: Context, doc: Document) -> dict[str, Any]:
    title, id = (None, None) if is_hidden(call, doc) else (doc["title"], doc["id"])
    return {"start": doc["start_time"], "end": doc["end_time"], "title": title, "activity_id": id}


def check_free(call: Context, users: Sequence[str], event: Members, *, but: str | None = None) -> None:
    """Refuse a time at which users are busy, with something else than the event `but`, and suggest others."""
    start, end = event["start_time"], event["end_time"]
    found = [
        {"user_id": user_id, **_block(call, doc)}
        for user_id in users
        for doc in busy(call, user_id, window=(start, end))
        if doc["id"] != but
    ]
    if found:
        minutes = int((end - start).total_seconds() // 60)
        raise Problem(
            "SCHEDULE_CONFLICT",
            f"{found[0]['title'] or 'Another event'} is at that time",
            field="start_time",
            details={"conflicts": found, "suggestions": suggestions(call, users, start, minutes)},
        )


@dataclass(frozen=True)
class Person:
    """A user whose time is asked for: their hours, and what is in their calendar."""

    id: str
    hours: Hours
    taken: Sequence[Document]

    @staticmethod
    def of(call: Context, user_id: str, begin: datetime, end: datetime) -> Person:
        """Return a user with what takes their time in a window."""
        return Person(user_id, Hours.of(call, user_of(call, user_id)), busy(call, user_id, window=(begin, end)))

    @cached_property
    def a_day(self) -> Counter[date]:
        """How many events each day has on the user's clock."""
        return Counter(doc["start_time"].astimezone(self.hours.zone).date() for doc in self.taken)

    def is_free(self, start: datetime, end: datetime, room: timedelta = timedelta()) -> bool:
        """Tell whether nothing takes the user's time, with so much room before and after it."""
        return is_free(self.taken, start - room, end + room)


def slots(
    people: Sequence[Person],
    begin: datetime,
    end: datetime,
    length: timedelta,
    *,
    business_hours: bool,
    room: timedelta,
) -> Iterator[tuple[datetime, list[Person]]]:
    """Give the times in a window at which something can begin, with who is free then; the earliest first."""
    starts = _within_hours(people, begin, end, length) if business_hours else _around_the_clock(begin, end, length)
    for start in starts:
        free = [
            person
            for person in people
            if person.is_free(start, start + length, room)
            and (not business_hours or person.hours.contain(start, start + length))
        ]
        if free:
            yield start, free


def _around_the_clock(begin: datetime, end: datetime, length: timedelta) -> Iterator[datetime]:
    start = begin.astimezone(UTC)
    over = (start - datetime.min.replace(tzinfo=UTC)) % STEP
    start += STEP - over if over else over
    while start + length <= end:
        yield start
        start += STEP


def _within_hours(people: Sequence[Person], begin: datetime, end: datetime, length: timedelta) -> list[datetime]:
    minutes = int(length.total_seconds() // 60)
    found: set[datetime] = set()
    for person in people:
        day = begin.astimezone(person.hours.zone).date()
        last = end.astimezone(person.hours.zone).date()
        while day <= last:
            found.update(at for at in person.hours.starts(day, minutes) if begin <= at and at + length <= end)
            day += timedelta(days=1)
    return sorted(found)


def rate(call: Context, start: datetime, length: timedelta, free: Sequence[Person], asked: int) -> int:
    """Return how good a slot is, 0..100: soon, with room around it, on a day with little else, for many (002, H.9)."""
    points = 60 - min(max((start - call.now).days, 0), 14)
    roomy = all(person.is_free(start, start + length, _BREATH) for person in free)
    points += 10 if roomy else -5
    others = sum(person.a_day[start.astimezone(person.hours.zone).date()] for person in free)
    points -= round(2 * others / len(free))
    return max(0, min(100, round(points * len(free) / asked)))


def first_for_all(
    call: Context, users: Sequence[str], earliest: datetime, latest: datetime, minutes: int
) -> Iterator[datetime]:
    """Give the times within everybody's business hours at which all users are free, the earliest first."""
    room = max(usual_room(call, user_id) for user_id in users)
    people = [Person.of(call, user_id, earliest - room, latest + room) for user_id in users]
    length = timedelta(minutes=minutes)
    for start, free in slots(people, earliest, latest, length, business_hours=True, room=room):
        if len(free) == len(people):
            yield start


def suggestions(call: Context, users: Sequence[str], wanted: datetime, minutes: int) -> list[dict[str, datetime]]:
    """Return some times soon after a wanted one at which all users are free."""
    earliest, length = max(wanted, call.now), timedelta(minutes=minutes)
    found: list[dict[str, datetime]] = []
    for start in first_for_all(call, users, earliest, earliest + _SEARCHED, minutes):
        if not found or start >= found[-1]["end"]:
            found.append({"start": start, "end": start + length})
        if len(found) == _SUGGESTED:
            break
    return found
