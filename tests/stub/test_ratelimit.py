"""Rate limits: the documents' numbers, counted on the stub's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from crm_sdk.route import RateGroup
from server_stub.request.access.ratelimit import CLASSES, Dialect, Quota, RateLimits, rate_class

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
KEY = ("user_1", "auth")


@pytest.mark.parametrize(
    ("dialect", "group", "plan", "api_key", "limit", "seconds"),
    [
        ("mvp", "standard", "free", False, 1_000, 3600),
        ("mvp", "auth", "pro", True, 10_000, 3600),
        ("mvp", "standard", "enterprise", False, 100_000, 3600),
        ("flow", "auth", "enterprise", True, 5, 60),
        ("flow", "ai", "pro", False, 20, 60),
        ("flow", "standard", "pro", False, 100, 60),
        ("platform", "standard", "enterprise", True, 10_000, 3600),
        ("platform", "standard", "pro", False, 5_000, 3600),
        ("platform", "auth", "free", False, 1_000, 3600),
        ("platform", "bulk", "enterprise", True, 100, 3600),
    ],
)
def test_the_documented_limits(
    dialect: Dialect, group: RateGroup, plan: str, api_key: bool, limit: int, seconds: int
) -> None:
    found = rate_class(dialect, group, plan=plan, api_key=api_key)
    assert (found.limit, found.window_seconds) == (limit, seconds)


def test_calls_count_down_and_the_window_refills() -> None:
    limits, end = RateLimits(), int(NOW.timestamp()) + 60
    seen = [limits.check(KEY, 3, 60, NOW + timedelta(seconds=second)) for second in (0, 10, 20, 30, 59.5)]
    assert seen == [
        Quota(3, 2, end),
        Quota(3, 1, end),
        Quota(3, 0, end),
        Quota(3, 0, end, retry_after=30),
        Quota(3, 0, end, retry_after=1),
    ]
    waited = NOW + timedelta(seconds=60)
    assert limits.check(KEY, 3, 60, waited) == Quota(3, 2, end + 60), "waiting as long as told is long enough"


def test_callers_and_classes_do_not_share() -> None:
    limits = RateLimits()
    for _ in range(4):
        limits.check(KEY, 3, 60, NOW)
    assert limits.check(("user_2", "auth"), 3, 60, NOW).remaining == 2
    assert limits.check(("user_1", "ai"), 20, 60, NOW).remaining == 19


def test_counts_are_part_of_a_snapshot() -> None:
    limits = RateLimits()
    limits.check(KEY, 3, 60, NOW)
    snap = limits.snapshot()
    for _ in range(2):
        assert limits.check(KEY, 3, 60, NOW).remaining == 1
        limits.restore(snap)


def test_every_class_can_have_other_numbers() -> None:
    limits = RateLimits()
    for name in CLASSES:
        limits.configure(name, 3, window_seconds=7)
    for dialect in get_args(Dialect):
        for group in get_args(RateGroup):
            kind = limits.of(rate_class(dialect, group))
            assert (kind.limit, kind.window_seconds) == (3, 7)
    with pytest.raises(ValueError, match="there is no rate class 'gold'"):
        limits.configure("gold", 1)
