"""When somebody wants to meet: the day and the time that a text names, on the clock of who wrote it."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from ..ai.phrases import named_span, part_of_day

_IN_DAYS = (
    (r"\b(?:day after tomorrow|ubermorgen|pasado manana)\b", 2),
    (r"\b(?:tomorrow|(?<!am )(?<!guten )morgen|(?<!por la )(?<!de la )(?<!la )manana)\b", 1),
    (r"\b(?:today|heute|hoy)\b", 0),
)
_NEXT_WEEK = re.compile(
    r"\b(?:next week|nachste(?:n|r)? woche|kommende(?:n|r)? woche|proxima semana|semana que viene)\b"
)
_CLOCK = re.compile(
    r"\b(?P<hour>[01]?\d|2[0-3])(?:[:.h](?P<minute>[0-5]\d))? ?(?P<half>[ap]\.?m\b|uhr\b)"
    r"|\b(?:at|um|a las?|by|gegen) (?P<hour2>[01]?\d|2[0-3])(?:[:.h](?P<minute2>[0-5]\d))?\b(?! ?(?:%|[a-z]*ro|usd))"
    r"|\b(?P<hour3>[01]?\d|2[0-3]):(?P<minute3>[0-5]\d)\b"
)
_ISO = re.compile(r"\b(\d{4}-\d{2}-\d{2})(?:[t ](\d{2}):(\d{2}))?\b")
_FIRST_HOUR = {6: 10, 12: 14, 18: 18}
"""When to meet in a part of the day, by the hour at which it begins."""
USUAL_HOUR = 14


def working_day(day: date) -> date:
    """Return a day, or the Monday after it where it is of a weekend."""
    return day + timedelta(days=max(0, 7 - day.weekday())) if day.weekday() >= 5 else day


def wished_time(text: str, now: datetime) -> datetime | None:
    """Return the time that a folded text names, the next one after `now`, which has the writer's zone.

    A day without a time is meant at 14:00, a morning at 10:00. None where the text names neither day nor time.
    """
    clock, span = _clock(text), _span(text, now)
    if span is None:
        if clock is None:
            return None
        at = datetime.combine(now.date(), clock, now.tzinfo)
        return at if at > now else datetime.combine(working_day(now.date() + timedelta(days=1)), clock, now.tzinfo)
    start, end = span
    begin, _ = part_of_day(text, start, end)
    if clock is None:
        clock = time(_FIRST_HOUR.get(begin.hour, USUAL_HOUR))
    elif clock.hour < 8 and begin.hour >= 12:
        clock = clock.replace(hour=clock.hour + 12)  # "in the afternoon at 3"
    day = start.date() if end - start <= timedelta(days=1, hours=1) else working_day(max(start, now).date())
    at = datetime.combine(day, clock, now.tzinfo)
    if at <= now:  # the day of the week is today, and its time has passed
        at = datetime.combine(day + timedelta(days=7), clock, now.tzinfo)
    return at


def _span(text: str, now: datetime) -> tuple[datetime, datetime] | None:
    """Return the day, the week or the month that a text names."""
    today = datetime.combine(now.date(), time(), now.tzinfo)
    if found := _ISO.search(text):
        try:
            day = datetime.combine(date.fromisoformat(found[1]), time(), now.tzinfo)
        except ValueError:
            return None
        return (day, day + timedelta(days=1)) if day >= today else None
    if (named := named_span(text, now)) is not None:
        return named[1], named[2]
    for words, days in _IN_DAYS:
        if re.search(words, text):
            return today + timedelta(days=days), today + timedelta(days=days + 1)
    if _NEXT_WEEK.search(text):
        monday = today + timedelta(days=7 - today.weekday())
        return monday, monday + timedelta(days=5)
    return None


def _clock(text: str) -> time | None:
    found = _CLOCK.search(text)
    if found is None:
        return None
    hour = int(found["hour"] or found["hour2"] or found["hour3"])
    minute = int(found["minute"] or found["minute2"] or found["minute3"] or 0)
    half = (found["half"] or "")[:1]
    if half == "p" and hour < 12:
        hour += 12
    elif half == "a" and hour == 12:
        hour = 0
    elif not half and found["hour2"] and found["minute2"] is None and 1 <= hour <= 6:
        hour += 12  # nobody meets "at 3" in the night
    return time(hour, minute)
