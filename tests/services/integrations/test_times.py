"""When an integration is synchronised: by its frequency, from its last time on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from server_stub.services.integrations.times import frequency_in, interval_of, next_time, time_after
from server_stub.timetable import MADE_UP

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_a_frequency_has_its_interval_and_mvp_a_week_of_its_own() -> None:
    for config, frequency in (
        (None, None), ({}, None), ({"syncFrequency": "daily"}, "daily"), ({"sync_frequency": "hourly"}, "hourly"),
        ({"syncFrequency": "daily", "sync_frequency": "hourly"}, "daily"),
    ):  # fmt: skip
        assert frequency_in(config) == frequency
    weekly = {"syncFrequency": "weekly"}
    for doc, every in (
        ({"sync_frequency": "hourly"}, HOUR), ({"sync_frequency": "daily"}, DAY), ({"sync_frequency": "manual"}, None),
        ({"sync_frequency": "real-time"}, None), ({}, None), ({"sync_frequency": "manual", "config": weekly}, 7 * DAY),
        ({"sync_frequency": "hourly", "config": weekly}, HOUR),
        ({"sync_frequency": "real-time", "config": weekly}, None),
    ):  # fmt: skip
        assert interval_of(doc) == every, doc
        whole: dict[str, Any] = {**doc, "status": "connected"}
        for last, at in (
            (None, every and NOW + every), (NOW, every and NOW + every),
            (NOW - HOUR / 2, every and NOW + every - HOUR / 2),
            (NOW - 30 * DAY, every and NOW),
        ):  # fmt: skip
            assert next_time({**whole, "last_sync": last}, NOW) == at, (doc, last)
        assert next_time({**whole, "status": "error", "last_sync": NOW}, NOW) is None
        for missed in (0, 1, MADE_UP, MADE_UP + 1, MADE_UP + 5):
            left = max(missed - MADE_UP, 0)
            after = every and NOW - missed * every + (1 + left) * every
            assert time_after(doc, NOW - missed * every if every else NOW, NOW) == after, (doc, missed)
