"""Ranges of days and their periods: which days figures are of, and the days, weeks, months, quarters and years in them.

Days are those of the company's time zone; a range has its first and its last day.
"""

from __future__ import annotations

from bisect import bisect_right
from calendar import monthrange
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from ..problems import invalid
from ..serving import Context
from . import company

T = TypeVar("T")
MOST = 1_000
"""So many periods may be in a range."""
_MONTHS: Mapping[str, int] = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True, slots=True)
class Span:
    """Some days in a row, and the instants they begin and are over at."""

    name: str
    start: date
    end: date
    """The last day."""
    begins_at: datetime
    ends_at: datetime
    """When the day after it begins."""

    def has(self, at: datetime | None) -> bool:
        """Tell whether an instant is within."""
        return at is not None and self.begins_at <= at < self.ends_at

    @property
    def months(self) -> float:
        """How many months it is; of one that it has in part, that part."""
        total, day = 0.0, self.start
        while day <= self.end:
            length = monthrange(day.year, day.month)[1]
            last = min(self.end, day.replace(day=length))
            total += ((last - day).days + 1) / length
            day = last + timedelta(days=1)
        return total


def span(call: Context, start: date, end: date, name: str = "") -> Span:
    """Return the days from one to another. Raises 422 where there are none."""
    if start > end:
        raise invalid("end_date", "min", f"the range ends on {end}, before it starts on {start}")
    try:
        return Span(name, start, end, company.midnight(call, start), company.midnight(call, end + timedelta(days=1)))
    except OverflowError:
        raise invalid("end_date", "max", "the range ends with the calendar") from None


def periods(call: Context, whole: Span, period: str) -> list[Span]:
    """Return the days, weeks, months, quarters or years of a range, the first and the last as far as they are in it.

    Raises 422 for more than `MOST`.
    """
    found: list[Span] = []
    day = whole.start
    while day <= whole.end:
        if len(found) == MOST:
            raise invalid("period", "max", f"the range has more than {MOST:,} periods: choose longer ones")
        begin = beginning(day, period)
        last = min(later(begin, period, 1) - timedelta(days=1), whole.end)
        found.append(span(call, day, last, name_of(begin, period)))
        day = last + timedelta(days=1)
    return found


def last_year(call: Context, start: date | None, end: date | None) -> Span:
    """Return the days that were asked for, by default the twelve months that end with the present one."""
    today = company.today(call)
    end = end or (
        today.replace(day=monthrange(today.year, today.month)[1]) if start is None or start <= today else start
    )
    return span(call, start or beginning(later(end, "month", -11), "month"), end)


def compared_span(call: Context, whole: Span, compare_to: str) -> Span | None:
    """Return the days that those of a range are compared with: as many right before, or the same a year before.

    None for ``none``. Raises 422 where the calendar has no such days.
    """
    if compare_to == "none":
        return None
    try:
        if compare_to == "previous_year":
            return span(call, later(whole.start, "year", -1), later(whole.end, "year", -1))
        days = whole.end - whole.start + timedelta(days=1)
        return span(call, whole.start - days, whole.end - days)
    except OverflowError:
        raise invalid("start_date", "min", "there are no days before it to compare with") from None


def divided_items(
    spans: Sequence[Span], items: Iterable[T], at_of: Callable[[T], datetime | None]
) -> dict[Span, list[T]]:
    """Return for each period, in a row, what happened in it."""
    begins, found = [span.begins_at for span in spans], {span: list[T]() for span in spans}
    for item in items:
        at = at_of(item)
        place = bisect_right(begins, at) - 1 if at is not None else -1
        if place >= 0 and spans[place].has(at):
            found[spans[place]].append(item)
    return found


def series(name: str, spans: Sequence[Span], value_of: Callable[[Span], Decimal]) -> dict[str, Any]:
    """Return a figure of each period, zeros included."""
    points = [{"period": span.name, "start": span.start, "value": value_of(span)} for span in spans]
    return {"name": name, "points": points}


def beginning(day: date, period: str) -> date:
    """Return the first day of the period that a day is in."""
    if period in ("day", "week"):
        return day - timedelta(days=day.weekday() if period == "week" else 0)
    months = _MONTHS[period]
    return date(day.year, day.month - (day.month - 1) % months, 1)


def later(day: date, period: str, by: int) -> date:
    """Return the day so many periods later, or the last of its month. Raises 422 beyond the calendar."""
    try:
        if period in ("day", "week"):
            return day + timedelta(days=by * (7 if period == "week" else 1))
        years, month = divmod(day.month - 1 + by * _MONTHS[period], 12)
        year = day.year + years
        return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
    except (OverflowError, ValueError):
        raise invalid("end_date", "max", "the range ends with the calendar") from None


def name_of(day: date, period: str) -> str:
    """Return the name of the period that begins on a day: ``2026-11-21``, ``2026-W47``, ``2026-11``, ``2026-Q4``."""
    if period == "week":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02}"
    return {
        "day": f"{day.year:04}-{day.month:02}-{day.day:02}",
        "month": f"{day.year:04}-{day.month:02}",
        "quarter": f"{day.year:04}-Q{(day.month + 2) // 3}",
    }.get(period, f"{day.year:04}")
