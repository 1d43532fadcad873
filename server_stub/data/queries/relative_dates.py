"""Relative dates in filters: ``today``, ``-30d``, ``+1w``, ``this_month``, ``last_quarter``."""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime, timedelta, tzinfo

from ...problems import invalid

_RELATIVE = re.compile(r"([+-])(\d{1,4})([hdwmqy])")
_PERIOD = re.compile(r"(this|last|next)_(day|week|month|quarter|year)")
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_MONTHS = {"m": 1, "q": 3, "y": 12, "month": 1, "quarter": 3, "year": 12}


class Calendar:
    """Parses the dates of filters, including relative ones, in a company's time zone."""

    def __init__(self, now: datetime, zone: tzinfo) -> None:
        self._now = now.astimezone(zone)
        self._today = self._now.date()
        self._zone = zone

    def instant(self, value: object) -> datetime | None:
        """Return the instant of a date or instant in a document."""
        if isinstance(value, datetime):
            return value
        return self._midnight(value) if isinstance(value, date) else None

    def span(self, value: object, path: str) -> tuple[datetime, datetime]:
        """Return the start and the end of the day, month or hour that a value names; equal for an instant."""
        try:
            if isinstance(value, datetime):
                at = value if value.tzinfo else value.replace(tzinfo=self._zone)
                return at, at
            if isinstance(value, date):
                return self._days(value, value + timedelta(days=1))
            if isinstance(value, str):
                return self._read(value.strip())
        except (ValueError, OverflowError):
            pass
        raise invalid(
            path,
            "format",
            f"{value!r} is not a date; use 2026-11-21, an ISO 8601 time, today, -30d, +1w, this_month or last_quarter",
        )

    def _read(self, text: str) -> tuple[datetime, datetime]:
        if text in _DAYS:
            day = self._today + timedelta(days=_DAYS[text])
            return self._days(day, day + timedelta(days=1))
        if match := _RELATIVE.fullmatch(text):
            amount = int(match[1] + match[2])
            if match[3] == "h":
                at = self._now + timedelta(hours=amount)
                return at, at
            day = (
                _months_later(self._today, amount * _MONTHS[match[3]])
                if match[3] in _MONTHS
                else self._today + timedelta(days=amount * (7 if match[3] == "w" else 1))
            )
            return self._days(day, day + timedelta(days=1))
        if match := _PERIOD.fullmatch(text):
            return self._period(match[2], {"last": -1, "this": 0, "next": 1}[match[1]])
        if len(text) == 10:
            return self.span(date.fromisoformat(text), "")
        return self.span(datetime.fromisoformat(text), "")

    def _period(self, unit: str, by: int) -> tuple[datetime, datetime]:
        if unit in ("day", "week"):
            length = 7 if unit == "week" else 1
            start = self._today - timedelta(days=self._today.weekday() if unit == "week" else 0)
            start += timedelta(days=by * length)
            return self._days(start, start + timedelta(days=length))
        months = _MONTHS[unit]
        first = self._today.replace(day=1)
        start = _months_later(first, by * months - (first.month - 1) % months)
        return self._days(start, _months_later(start, months))

    def _days(self, start: date, end: date) -> tuple[datetime, datetime]:
        return self._midnight(start), self._midnight(end)

    def _midnight(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=self._zone)


def _months_later(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
