"""The times of a Schedule (002, Workflows): once, hourly, daily, weekly, monthly, or by a cron expression."""

from __future__ import annotations

import calendar
import re
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from ..problems import Problem
from . import normalise

_FIELDS = 5
"""The fields of a cron expression; cronsim would take a sixth, for seconds."""

_FIXED = re.compile(r"\s*[\d,-]+\s+[\d,-]+\s")
"""How a cron expression begins that names minutes and hours."""


def check_schedule(schedule: Mapping[str, Any], path: str) -> None:
    """Raise 422 INVALID_SCHEDULE for a schedule without the times it needs, or with a cron expression that has none."""
    frequency = schedule["frequency"]
    if frequency == "cron":
        text = schedule.get("cron") or ""
        if len(text.split()) != _FIELDS:
            raise _invalid(f"{path}.cron", f"{text!r} does not have {_FIELDS} fields, like '0 9 * * 1'")
        try:
            CronSim(text, datetime(2000, 1, 1, tzinfo=UTC))
        except CronSimError as error:
            raise _invalid(f"{path}.cron", f"{text!r} is not a cron expression: {error}") from None
    if frequency == "once" and schedule.get("start_date") is None:
        raise _invalid(f"{path}.start_date", "a schedule that happens once needs its day")
    normalise.timezone(schedule.get("timezone"), f"{path}.timezone")


def _invalid(field: str, message: str) -> Problem:
    return Problem("INVALID_SCHEDULE", message, field=field, rule="format")


def next_time(schedule: Mapping[str, Any], after: datetime, zone: tzinfo) -> datetime | None:
    """Return the first time of a schedule after a moment; None where there is none. `zone` is the company's."""
    return next(_times(schedule, after, zone), None)


def next_time_of_last(
    schedule: Mapping[str, Any], after: datetime, now: datetime, zone: tzinfo, *, most: int
) -> datetime | None:
    """Return the first time after a moment, passing over all but the last `most` that were missed until now."""
    missed: deque[datetime] = deque(maxlen=most)
    for at in _times(schedule, after, zone):
        if at > now:
            return missed[0] if missed else at
        missed.append(at)
    return missed[0] if missed else None


def _times(schedule: Mapping[str, Any], after: datetime, company_zone: tzinfo) -> Iterator[datetime]:
    """Yield the times of a schedule after a moment, in UTC. A local time that the clocks skip is an hour later."""
    zone = ZoneInfo(schedule["timezone"]) if schedule.get("timezone") else company_zone
    at = time.fromisoformat(schedule.get("at") or "00:00")
    first: date | None = schedule.get("start_date")
    frequency = schedule["frequency"]
    if frequency == "once":
        if first is not None and (moment := _moment(first, at, zone)) > after:
            yield moment
        return
    begin = after if first is None else max(after, _moment(first, time(), zone) - timedelta(seconds=1))
    if frequency == "monthly":
        yield from _monthly(schedule.get("day_of_month") or 1, at, begin, zone)
        return
    expression = {
        "hourly": f"{at.minute} * * * *",
        "daily": f"{at.minute} {at.hour} * * *",
        "weekly": f"{at.minute} {at.hour} * * {((schedule.get('weekday') or 0) + 1) % 7}",
    }.get(frequency, schedule.get("cron") or "")
    if _FIXED.match(expression):
        yield from _at_fixed_times(expression, begin, zone)
        return
    for moment in CronSim(expression, begin.astimezone(zone)):
        yield moment.astimezone(UTC)


def _at_fixed_times(expression: str, begin: datetime, zone: tzinfo) -> Iterator[datetime]:
    """Yield the times of an expression that names hours and minutes: those of the clock on the wall."""
    last = begin
    for local in CronSim(expression, begin.astimezone(zone).replace(tzinfo=None) - timedelta(days=1)):
        moment = _moment(local.date(), local.time(), zone)
        if moment > last:
            yield moment
            last = moment


def _monthly(day: int, at: time, begin: datetime, zone: tzinfo) -> Iterator[datetime]:
    local = begin.astimezone(zone).date()
    year, month = local.year, local.month
    while year < date.max.year:
        moment = _moment(date(year, month, min(day, calendar.monthrange(year, month)[1])), at, zone)
        if moment > begin:
            yield moment
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def _moment(day: date, at: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)
