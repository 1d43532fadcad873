"""When a request may be repeated and after which time, and how many repetitions a client has."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from hypothesis import given
from hypothesis import strategies as st

from crm_sdk.errors import ConnectionFailedError
from crm_sdk.network.retry import Retry, RetryBudget, may_repeat_answer, may_repeat_failure, retry_after

REFUSED = ConnectionFailedError("refused", sent=False)


def test_the_jitter_is_drawn_from_the_whole_of_a_growing_window() -> None:
    waits = [[Retry().wait(attempt) for _ in range(400)] for attempt in range(8)]
    for attempt, found in enumerate(waits):
        most = min(8.0, 0.5 * 2**attempt)
        assert 0 <= min(found) < most * 0.1
        assert most * 0.9 < max(found) <= most
    assert Retry(limit=5000).wait(4000) <= 8.0


def test_retry_after_is_read_in_both_forms() -> None:
    now = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
    later = format_datetime(now + timedelta(seconds=90), usegmt=True)
    assert retry_after({"retry-after": later}, now) == 90
    assert retry_after({"retry-after": format_datetime(now - timedelta(days=1), usegmt=True)}, now) == 0
    assert retry_after({"retry-after": " 2.5 "}) == 2.5
    assert retry_after({"retry-after": "-3"}) == 0
    for odd in ("", "soon", "nan", "inf", "1e999", "Mon, 99 Foo 2026", "Mon, 01 Jan 2026 00:00:00 +99999999999999"):
        assert retry_after({"retry-after": odd}, now) is None
    assert retry_after({}) is None


@given(st.text())
def test_no_retry_after_breaks_a_call(text: str) -> None:
    seconds = retry_after({"retry-after": text})
    assert seconds is None or 0 <= seconds < float("inf")


def test_the_rules_agree_with_themselves() -> None:
    for method in ("GET", "PUT", "DELETE", "POST", "PATCH"):
        assert may_repeat_answer(method, 429, None, harmless=False)
        assert may_repeat_failure(method, REFUSED, harmless=False)
        for status in (200, 400, 401, 403, 404, 409, 422, 501):
            assert not may_repeat_answer(method, status, 1.0, harmless=True)


def test_the_budget_is_of_30_and_grows_by_2_a_second_and_by_a_fifth_with_each_success() -> None:
    def taken(at: float) -> int:
        return next(number for number in range(99) if not budget.take(at))

    budget = RetryBudget()
    assert taken(5.0) == 30
    assert taken(4.0) == 0, "a clock that goes back takes nothing away"
    assert [taken(4.5), taken(5.5), taken(6.75)] == [1, 2, 2]
    assert taken(6.75) == 0
    for successes, found in ((3, 1), (4, 0), (1, 1)):  # half of one was left
        for _ in range(successes):
            budget.succeed()
        assert taken(6.75) == found
    assert taken(1_000.0) == 30, "and never to more"
    fresh = RetryBudget()
    for _ in range(9):
        fresh.succeed()
    assert sum(fresh.take(0.0) for _ in range(40)) == 30
    assert sum(pickle.loads(pickle.dumps(budget)).take(0.0) for _ in range(1)) == 1


def test_a_time_in_retry_after_is_one_from_now_and_of_utc_where_it_does_not_say() -> None:
    seconds = retry_after({"retry-after": format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)})
    assert seconds is not None and 3_500 < seconds <= 3_600
    now = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
    assert retry_after({"retry-after": "Thu, 15 Jan 2026 09:01:00 -0000"}, now) == 60
    assert retry_after({"retry-after": "Thu, 15 Jan 2026 11:01:00 +0200"}, now) == 60
