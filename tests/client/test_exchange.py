"""The exchange, driven by hand: what is sent, what is sent again, after how long, and when it ends."""

from __future__ import annotations

import pickle
import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from canned_answers import Standing
from hypothesis import given
from hypothesis import strategies as st

from crm_sdk.credentials import Credentials
from crm_sdk.errors import ConnectionFailedError, DeadlineExceededError, NetworkError
from crm_sdk.exchange import Habits, Refresh, Reply, Request, Send, Sleep, Steps, Terms, exchange
from crm_sdk.network.retry import Retry, RetryBudget, may_repeat_answer, may_repeat_failure, retry_after

REFUSED = ConnectionFailedError("refused", sent=False)
RESET = ConnectionFailedError("reset", sent=True)
LATE = DeadlineExceededError("late", sent=True)
KEY = "the-key"


def answer(status: int, **headers: str) -> Reply:
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()})


class Drive:
    """Carries out the steps with given outcomes, and notes what was asked for."""

    def __init__(self, method: str = "GET", *outcomes: Reply | NetworkError, **terms: Any) -> None:
        self.clock = Standing()
        self.habits = terms.pop("habits", None) or Habits()
        self.credentials: Credentials = terms.pop("credentials", None) or Credentials("token")
        self.seconds = terms.pop("seconds", 0.0)  # how long each attempt takes
        headers = {"Idempotency-Key": KEY} if method == "POST" and terms.pop("keyed", True) else {}
        retry = Retry(terms.pop("retries", 2))
        settings: dict[str, Any] = {"timeout": 30.0} | terms
        self.terms = Terms(retry=retry, clock=self.clock, credentials=self.credentials, habits=self.habits, **settings)
        self.sent: list[Send] = []
        self.slept: list[float] = []
        self.refreshed: list[Refresh] = []
        self.outcomes = list(outcomes)
        self.steps: Steps[Reply] = exchange(Request(method, "http://h/x?secret=1", headers, b"{}"), self.terms)

    def run(self) -> Reply:
        outcome: Any = None
        step: Any = next(self.steps)
        try:
            while True:
                failure: NetworkError | None = None
                outcome = None
                if isinstance(step, Send):
                    self.sent.append(step)
                    self.clock.now += self.seconds
                    found = self.outcomes.pop(0)
                    if isinstance(found, NetworkError):
                        failure = found
                    else:
                        outcome = found
                elif isinstance(step, Sleep):
                    self.slept.append(step.seconds)
                    self.clock.now += step.seconds
                else:
                    self.refreshed.append(step)
                    self.renew()
                step = self.steps.throw(failure) if failure else self.steps.send(outcome)
        except StopIteration as stop:
            reply: Reply = stop.value
            return reply

    def renew(self) -> None:
        self.credentials.replace("newer", "next")


OK = answer(200)
SOON = answer(503, retry_after="1")
OUTCOMES: dict[str, Reply | NetworkError] = {
    "refused": REFUSED, "reset": RESET, "timeout": LATE, "429": answer(429), "503+": SOON,
    **{str(status): answer(status) for status in (400, 404, 408, 409, 422, 425, *range(500, 531), 599)},
}  # fmt: skip
NEVER_ACTED = {"refused", "425", "429", "503+"}
AMBIGUOUS = {"reset", "timeout", "408", "599", *map(str, range(500, 531))} - {"501", "505"}
SAFE = NEVER_ACTED | AMBIGUOUS


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize(
    ("method", "options", "again"),
    [
        ("GET", {}, SAFE),
        ("PUT", {}, SAFE),
        ("DELETE", {}, SAFE),
        ("PATCH", {}, NEVER_ACTED),
        ("POST", {}, NEVER_ACTED),
        ("POST", {"safe": True}, SAFE),
        ("POST", {"idempotent_writes": True}, NEVER_ACTED | AMBIGUOUS),
        ("POST", {"habits": Habits(honours_keys=True)}, NEVER_ACTED | AMBIGUOUS),
        ("POST", {"idempotent_writes": True, "keyed": False}, NEVER_ACTED),
    ],
    ids=["get", "put", "delete", "patch", "post", "post-safe", "post-vouched", "post-echoed", "post-without-key"],
)
def test_what_is_sent_again(method: str, options: dict[str, Any], again: set[str], outcome: str) -> None:
    drive = Drive(method, OUTCOMES[outcome], OK, **options)
    if outcome in again:
        assert drive.run() is OK
        assert len(drive.sent) == 2
    elif isinstance(OUTCOMES[outcome], NetworkError):
        with pytest.raises(NetworkError) as raised:
            drive.run()
        assert raised.value is OUTCOMES[outcome], "the caller learns what happened, not that it was not repeated"
        assert len(drive.sent) == 1
    else:
        assert drive.run() is OUTCOMES[outcome]
        assert len(drive.sent) == 1


def test_a_server_that_echoes_the_key_of_a_failed_post_is_asked_again_at_once_and_later() -> None:
    habits = Habits()
    drive = Drive("POST", answer(500, idempotency_key=KEY), OK, habits=habits)
    assert drive.run() is OK
    assert habits.honours_keys
    assert Drive("POST", RESET, OK, habits=habits).run() is OK


def test_an_echo_of_another_key_shows_nothing() -> None:
    drive = Drive("POST", answer(500, idempotency_key="another"), OK)
    assert drive.run().status == 500
    assert not drive.habits.honours_keys


def test_every_attempt_of_a_call_has_the_same_key_and_body() -> None:
    drive = Drive("POST", REFUSED, SOON, OK)
    drive.run()
    assert {sent.request.headers["Idempotency-Key"] for sent in drive.sent} == {KEY}
    assert len({sent.request.content for sent in drive.sent}) == 1


@pytest.mark.parametrize("retries", [0, 1, 5])
def test_the_limit_counts_repetitions(retries: int) -> None:
    drive = Drive("GET", *[answer(502)] * 9, retries=retries)
    assert drive.run().status == 502
    assert len(drive.sent) == retries + 1
    assert len(drive.slept) == retries


def test_the_jitter_is_drawn_from_the_whole_of_a_growing_window() -> None:
    waits = [[Retry().wait(attempt) for _ in range(400)] for attempt in range(8)]
    for attempt, found in enumerate(waits):
        most = min(8.0, 0.5 * 2**attempt)
        assert 0 <= min(found) < most * 0.1
        assert most * 0.9 < max(found) <= most
    assert Retry(limit=5000).wait(4000) <= 8.0


def test_a_wait_is_that_of_its_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    def longest(low: float, high: float) -> float:
        assert low == 0
        return high

    monkeypatch.setattr(random, "uniform", longest)
    drive = Drive("GET", *[RESET] * 5, OK, retries=5)
    assert drive.run() is OK
    assert drive.slept == [0.5, 1, 2, 4, 8]


def test_the_server_says_how_long_to_wait() -> None:
    drive = Drive("GET", answer(429, retry_after="7"), answer(503, retry_after="0"), OK)
    assert drive.run() is OK
    assert 7 <= drive.slept[0] <= 7.7
    assert 0.05 <= drive.slept[1] <= 0.55, "a loop without a pause would be no help to the server"


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


def test_waiting_past_the_deadline_gives_the_answer_at_once() -> None:
    drive = Drive("GET", answer(429, retry_after="31"), OK)
    assert drive.run().status == 429
    assert drive.slept == []


@pytest.mark.parametrize(
    ("asked", "seconds", "slept"),
    [("20", 5.0, [22.0]), ("20", 7.0, [20.7]), ("20", 8.0, [20.0]), ("20", 10.0, []), ("19", 10.0, [19.0])],
)
def test_the_random_part_of_a_wait_takes_no_time_that_the_next_attempt_needs(
    monkeypatch: pytest.MonkeyPatch, asked: str, seconds: float, slept: list[float]
) -> None:
    monkeypatch.setattr("random.uniform", lambda a, b: b)
    drive = Drive("GET", answer(503, retry_after=asked), OK, seconds=seconds)
    assert drive.run().status == (200 if slept else 503) and drive.slept == pytest.approx(slept)


def test_each_attempt_gets_what_is_left_of_the_time() -> None:
    drive = Drive("GET", answer(503, retry_after="4"), answer(503, retry_after="6"), OK, seconds=5.0)
    assert drive.run() is OK
    left = [30, 25 - drive.slept[0], 20 - sum(drive.slept)]
    assert [sent.timeout for sent in drive.sent] == pytest.approx(left)


def test_the_deadline_holds_across_repetitions() -> None:
    drive = Drive("GET", LATE, LATE, OK, seconds=16.0, retries=9)
    with pytest.raises(DeadlineExceededError) as raised:
        drive.run()
    assert len(drive.sent) == 2
    message = str(raised.value)
    assert "GET http://h/x got no answer within 30 s (sent 2 times)" in message
    assert "secret" not in message
    assert raised.value.sent


def test_a_failure_with_no_time_left_is_told_as_it_is() -> None:
    drive = Drive("GET", RESET, OK, seconds=30.0)
    with pytest.raises(ConnectionFailedError):
        drive.run()
    assert len(drive.sent) == 1


def with_refresh(method: str, *outcomes: Reply | NetworkError, **terms: Any) -> Drive:
    def refresh(timeout: float) -> Steps[None]:
        raise AssertionError("the driver does it")
        yield

    credentials = Credentials("old", "refresh")
    return Drive(method, *outcomes, credentials=credentials, refresh=refresh, **terms)


def bearers(drive: Drive) -> list[str]:
    return [sent.request.headers["Authorization"] for sent in drive.sent]


def test_a_401_refreshes_once_and_sends_again_whatever_the_method() -> None:
    for method in ("GET", "POST"):
        drive = with_refresh(method, answer(401), OK, retries=0)
        assert drive.run() is OK
        assert len(drive.refreshed) == 1
        assert bearers(drive) == ["Bearer old", "Bearer newer"]


@pytest.mark.parametrize(
    "refused",
    [
        *(answer(status) for status in (400, 402, 403, 404, 409, 422)),
        *(
            Reply(401, {}, b'{"error": {"code": "%s"}}' % code)
            for code in (b"INVALID_MFA_CODE", b"INVALID_CREDENTIALS")
        ),
    ],
    ids=lambda reply: f"{reply.status} {reply.content.decode()}",
)
def test_what_another_token_would_not_change_refreshes_nothing(refused: Reply) -> None:
    drive = with_refresh("GET", refused, OK)
    assert drive.run() is refused and drive.refreshed == []


def test_a_second_401_is_the_answer() -> None:
    drive = with_refresh("GET", answer(401), answer(401), OK)
    assert drive.run().status == 401
    assert len(drive.refreshed) == 1


def test_a_refresh_has_what_is_left_of_the_time() -> None:
    drive = with_refresh("GET", answer(401), OK, seconds=12.0)
    drive.run()
    assert drive.refreshed[0].timeout == 18
    assert drive.sent[1].timeout == 18


@pytest.mark.parametrize("kept", ["old", None])
def test_a_failed_refresh_gives_the_original_401_without_another_request(kept: str | None) -> None:
    first = answer(401, x_request_id="first")
    drive = with_refresh("GET", first, OK)
    drive.renew = lambda: drive.credentials.replace(kept, None)  # type: ignore[method-assign] # the outcome of the test
    assert drive.run() is first
    assert len(drive.sent) == 1


def test_without_a_refresh_token_a_401_is_the_answer() -> None:
    assert Drive("GET", answer(401), OK).run().status == 401
    assert Drive("GET", answer(401), OK, credentials=Credentials("api-key")).run().status == 401


def test_a_call_without_a_bearer_sends_none() -> None:
    drive = Drive("GET", OK, credentials=Credentials())
    drive.run()
    assert "Authorization" not in drive.sent[0].request.headers


def test_steps_show_no_credential() -> None:
    drive = with_refresh("POST", answer(401), OK)
    drive.run()
    shown = repr([*drive.sent, *drive.refreshed, drive.terms, answer(200, set_cookie="old")])
    assert "old" not in shown
    assert "newer" not in shown
    assert "refresh'" not in shown


def test_the_rules_agree_with_themselves() -> None:
    for method in ("GET", "PUT", "DELETE", "POST", "PATCH"):
        assert may_repeat_answer(method, 429, None, harmless=False)
        assert may_repeat_failure(method, REFUSED, harmless=False)
        for status in (200, 400, 401, 403, 404, 409, 422, 501):
            assert not may_repeat_answer(method, status, 1.0, harmless=True)


def test_a_server_that_is_down_is_not_sent_a_multiple_of_its_load() -> None:
    habits, clock = Habits(), Standing()
    sent = 0
    for _ in range(500):
        drive = Drive("GET", *[RESET] * 3, habits=habits)
        drive.clock.now = clock.now
        with pytest.raises(NetworkError):
            drive.run()
        sent += len(drive.sent)
    assert sent <= 550
    assert len(drive.sent) == 1, "the budget is used up"
    later = Drive("GET", RESET, OK, habits=habits)
    later.clock.now = clock.now + 5
    assert later.run() is OK, "and is there again within 5 s"


def test_calls_that_succeed_pay_for_repetitions() -> None:
    habits = Habits()
    for _ in range(1_000):
        assert Drive("GET", *[OK] * 9, habits=habits).run() is OK
        assert Drive("GET", OK, habits=habits).run() is OK
        drive = Drive("GET", RESET, OK, habits=habits) if _ % 10 == 0 else Drive("GET", OK, habits=habits)
        assert drive.run() is OK


def test_being_asked_to_wait_costs_nothing_of_the_budget() -> None:
    habits = Habits()
    for _ in range(100):
        assert Drive("GET", answer(429, retry_after="1"), OK, habits=habits).run() is OK


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


@pytest.mark.parametrize(("outcomes", "times"), [([], "never"), ([answer(401)], "never")])
def test_a_call_whose_time_a_refresh_took_was_not_acted_on(outcomes: list[Reply | NetworkError], times: str) -> None:
    drive = with_refresh("POST", *outcomes)
    if not outcomes:
        drive.credentials.replace(None, "refresh")

    def renew() -> None:
        drive.credentials.replace("newer", "next")
        drive.clock.now += 30

    drive.renew = renew  # type: ignore[method-assign] # the outcome of the test
    with pytest.raises(DeadlineExceededError, match=f"within 30 s \\(sent {times}\\)") as raised:
        drive.run()
    assert not raised.value.sent and raised.value.idempotency_key == KEY
    assert len(drive.sent) == len(outcomes)
