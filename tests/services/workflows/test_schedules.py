"""The times of schedules: each frequency, in a time zone, over changes of the clocks and the ends of months."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_stub.data.schedules import next_time, next_time_of_last

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 1, 15, 9, tzinfo=UTC)  # a Thursday


def times(schedule: Any, count: int, after: datetime = START) -> list[str]:
    """Return the next times of a schedule in Berlin."""
    found: list[str] = []
    at: datetime | None = after
    while at is not None and len(found) < count and (at := next_time(schedule, at, BERLIN)) is not None:
        found.append(at.astimezone(BERLIN).strftime("%a %Y-%m-%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ({"frequency": "hourly", "at": "00:20"}, ["Thu 2026-01-15 10:20", "Thu 2026-01-15 11:20"]),
        ({"frequency": "daily", "at": "03:00"}, ["Fri 2026-01-16 03:00", "Sat 2026-01-17 03:00"]),
        ({"frequency": "daily"}, ["Fri 2026-01-16 00:00", "Sat 2026-01-17 00:00"]),
        ({"frequency": "weekly", "weekday": 0, "at": "09:00"}, ["Mon 2026-01-19 09:00", "Mon 2026-01-26 09:00"]),
        ({"frequency": "weekly", "weekday": 6}, ["Sun 2026-01-18 00:00", "Sun 2026-01-25 00:00"]),
        ({"frequency": "monthly", "day_of_month": 31}, ["Sat 2026-01-31 00:00", "Sat 2026-02-28 00:00"]),
        ({"frequency": "monthly"}, ["Sun 2026-02-01 00:00", "Sun 2026-03-01 00:00"]),
        ({"frequency": "cron", "cron": "30 8 * * 1-5"}, ["Fri 2026-01-16 08:30", "Mon 2026-01-19 08:30"]),
        ({"frequency": "cron", "cron": "0 0 29 2 *"}, ["Tue 2028-02-29 00:00", "Sun 2032-02-29 00:00"]),
        ({"frequency": "once", "start_date": date(2026, 1, 16), "at": "12:00"}, ["Fri 2026-01-16 12:00"]),
        ({"frequency": "once", "start_date": date(2026, 1, 14)}, []),
        ({"frequency": "daily", "start_date": date(2026, 3, 1)}, ["Sun 2026-03-01 00:00", "Mon 2026-03-02 00:00"]),
        ({"frequency": "daily", "at": "09:00", "timezone": "America/New_York"}, ["Thu 2026-01-15 15:00"]),
    ],
)
def test_the_next_times(schedule: Any, expected: list[str]) -> None:
    assert times(schedule, max(len(expected), 1)) == expected


def test_the_clocks_change() -> None:
    spring, autumn = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)
    for schedule in (
        {"frequency": "daily", "at": "02:30"},
        {"frequency": "weekly", "weekday": 6, "at": "02:30"},
        {"frequency": "monthly", "day_of_month": 29, "at": "02:30"},
        {"frequency": "cron", "cron": "30 2 29 3 *"},
        {"frequency": "once", "start_date": date(2026, 3, 29), "at": "02:30"},
    ):
        assert times(schedule, 1, spring) == ["Sun 2026-03-29 03:30"], "02:30 does not exist on that day"
    gap = datetime(2026, 3, 29, 1, 10, tzinfo=UTC)
    assert times({"frequency": "daily", "at": "02:30"}, 2, gap) == ["Sun 2026-03-29 03:30", "Mon 2026-03-30 02:30"]
    both: Any = {"frequency": "cron", "cron": "30 2,3 * * *"}
    assert times(both, 3, spring) == ["Sun 2026-03-29 03:30", "Mon 2026-03-30 02:30", "Mon 2026-03-30 03:30"]
    assert times({"frequency": "daily", "at": "02:30"}, 2, autumn) == ["Sun 2026-10-25 02:30", "Mon 2026-10-26 02:30"]
    hours = [next_time({"frequency": "hourly"}, spring + timedelta(hours=n), BERLIN) for n in range(24)]
    assert all(later - earlier == timedelta(hours=1) for earlier, later in pairwise(hours) if earlier and later)


@given(
    st.sampled_from(["hourly", "daily", "weekly", "monthly", "cron"]),
    st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Chatham"]),
    st.integers(1, 31),
    st.times(),
)
def test_the_next_time_is_later_and_there_is_none_between(
    frequency: str, after: datetime, zone: str, day: int, at: Any
) -> None:
    schedule = {
        "frequency": frequency, "timezone": zone, "day_of_month": day, "weekday": day % 7, "at": f"{at:%H:%M}",
        "cron": f"{at.minute} {at.hour} * * *",
    }  # fmt: skip
    following = next_time(schedule, after, BERLIN)
    assert following is not None and after < following < after + timedelta(days=63)
    middle = after + (following - after) / 2
    assert next_time(schedule, middle, BERLIN) == following


def test_what_was_missed_is_passed_over_but_for_the_last() -> None:
    daily = {"frequency": "daily", "timezone": "UTC"}
    for days, expected in ((0, 1), (2, 1), (3, 1), (5, 3), (10, 8)):
        at = next_time_of_last(daily, START, START + timedelta(days=days), BERLIN, most=3)
        assert at is not None and (at.date() - START.date()).days == expected
    once = {"frequency": "once", "start_date": date(2026, 1, 20), "timezone": "UTC"}
    assert next_time_of_last(once, START, START + timedelta(days=9), BERLIN, most=3) == datetime(
        2026, 1, 20, tzinfo=UTC
    )
    assert next_time_of_last(once, START + timedelta(days=8), START + timedelta(days=9), BERLIN, most=3) is None
