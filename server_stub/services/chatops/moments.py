"""Times of meetings in words, on the user's clock."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from crm_sdk.wire import instant

from ...data.queries.query import fold
from ...data.queries.relative_dates import Calendar
from ...problems import Problem
from ..calendar.working_time import user_of, zone_of
from .tokens import Token
from .turns import Turn

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY_WORDS = ("day", "days", "tag", "tagen", "dia", "dias")
_FILLING = ("at", "on", "um", "am", "el", "next")


def times_of(turn: Turn, words: Sequence[Token]) -> dict[str, Any] | None:
    """Return when a meeting is to be: at a moment, or on a day at the first time that is free.

    None for other words, and for a day that is over.
    """
    start = moment_of(turn, words)
    if start is not None:
        return {"startTime": instant(start)}
    given = [token.word for token in words if token.word not in _FILLING[:-1]]
    zone, today = _clock_of(turn)
    if len(given) == 3 and given[0] in ("in", "en") and given[1].isdigit() and given[2] in _DAY_WORDS:
        given = [(today + timedelta(days=int(given[1][:4]))).isoformat()]
    try:
        day = _day(given[0], today) if len(given) == 1 else None
    except ValueError:
        day = None
    if day is not None:
        begin, end = (datetime.combine(day + timedelta(days=more), time(), zone) for more in (0, 1))
    else:
        try:
            begin, end = Calendar(turn.call.now, zone).span(fold("_".join(given)), "when")
        except Problem:
            return None
    begin = max(begin, turn.call.now)
    return {"earliest": instant(begin), "latest": instant(end)} if begin < end else None


def moment_of(turn: Turn, words: Sequence[Token]) -> datetime | None:
    """Return the moment that words name on the user's clock: ``tomorrow 14:00``; None for other words."""
    given = [token.word for token in words if token.word not in _FILLING]
    if not given or len(given) > 2:
        return None
    zone, today = _clock_of(turn)
    try:
        if len(given) == 1 and "t" in given[0]:
            at = datetime.fromisoformat(given[0].upper())
            return at if at.tzinfo is not None else at.replace(tzinfo=zone)
        clock = _CLOCK.fullmatch(given[-1])
        if clock is None:
            return None
        day = _day(given[0], today) if len(given) == 2 else today
        return datetime.combine(day, time(int(clock[1]), int(clock[2])), zone) if day is not None else None
    except ValueError:
        return None


def _clock_of(turn: Turn) -> tuple[tzinfo, date]:
    zone = zone_of(turn.call, user_of(turn.call, turn.call.caller.user_id))
    return zone, turn.call.now.astimezone(zone).date()


def _day(word: str, today: date) -> date | None:
    ahead = {"today": 0, "heute": 0, "hoy": 0, "tomorrow": 1, "morgen": 1, "manana": 1}.get(word)
    if ahead is not None:
        return today + timedelta(days=ahead)
    if word in _DAYS:
        return today + timedelta(days=(_DAYS.index(word) - today.weekday()) % 7)
    return date.fromisoformat(word)
