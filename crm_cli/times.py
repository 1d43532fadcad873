"""Times and dates as people type them: ``2026-01-31``, ``yesterday``, ``7d`` (seven days ago), ``in 7d``."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

from .failures import MisuseError

_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_SPAN = re.compile(r"(?P<ahead>\+|in )?(?P<count>[0-9]{1,5}) ?(?P<unit>min|h|d|w)(?P<ago> ago)?")
_UNITS = {"min": "minutes", "h": "hours", "d": "days", "w": "weeks"}

_SECONDS = {"min": 60, "s": 1, "m": 60, "h": 3600, "d": 86400}


def read_time(text: str) -> Any:
    """Read a time: without a zone it is local, a date is its midnight. Other texts are left to the SDK to refuse.

    ``yesterday`` is its midnight; ``7d``, ``12h`` and ``30min`` are so long ago, ``+7d`` and ``in 7d`` so far ahead.
    """
    span = _span(text)
    if span is not None:
        return datetime.now().astimezone().replace(microsecond=0) + span
    if text.lower() == "now":
        return datetime.now().astimezone().replace(microsecond=0)
    try:
        read = datetime.fromisoformat(_day(text) or text)
    except ValueError:
        return text
    return read if read.tzinfo is not None else read.astimezone()


def read_date(text: str) -> str:
    """Read a day, as `read_time` does; other texts are left to the SDK to refuse."""
    span = _span(text)
    if span is not None:
        return (datetime.now() + span).date().isoformat()
    return _day(text) or text


def checked_day(text: str, flag: str, *, room: int = 1) -> date:
    """Return a day that is typed as `read_date` reads it. Raises: MisuseError, which names the option.

    `room`: so many days have to be before and after it in the calendar.
    """
    try:
        day = date.fromisoformat(read_date(text))
    except ValueError:
        day = date.min
    if not date.min + timedelta(room) < day < date.max - timedelta(room):
        raise MisuseError(f"{flag} must be a day such as 2026-01-31, yesterday, tomorrow or 7d, not {text!r}")
    return day


def _day(text: str) -> str | None:
    days = _DAYS.get(text.lower())
    return None if days is None else (date.today() + timedelta(days=days)).isoformat()


def _span(text: str) -> timedelta | None:
    found = _SPAN.fullmatch(text.lower())
    if found is None or (found["ahead"] and found["ago"]):
        return None
    span = timedelta(**{_UNITS[found["unit"]]: int(found["count"])})
    return span if found["ahead"] else -span


def seconds_of(text: str) -> float:
    """Return the seconds of a length of time: ``90``, ``90s``, ``10m``, ``1.5h``. Raises: ValueError."""
    unit = next((unit for unit in _SECONDS if text.endswith(unit)), "")
    return float(text.removesuffix(unit)) * _SECONDS.get(unit, 1)
