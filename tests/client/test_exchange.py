"""The exchange, driven by hand: what is sent, what is sent again, after how long, and when it ends."""

from __future__ import annotations

import random
from typing import Any

import pytest
from canned_answers import Standing
from driven import KEY, Drive, answer

from crm_sdk.credentials import Credentials
from crm_sdk.errors import ConnectionFailedError, DeadlineExceededError, NetworkError
from crm_sdk.exchange import Habits, Reply, Request, Steps, exchange

REFUSED = ConnectionFailedError("refused", sent=False)
RESET = ConnectionFailedError("reset", sent=True)
LATE = DeadlineExceededError("late", sent=True)
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


@pytest.mark.parametrize(("seconds", "slept"), [(29.25, [0.5]), (29.5, []), (29.75, [])])
def test_a_failure_is_not_waited_for_beyond_the_deadline(
    monkeypatch: pytest.MonkeyPatch, seconds: float, slept: list[float]
) -> None:
    monkeypatch.setattr("random.uniform", lambda a, b: b)
    drive = Drive("GET", RESET, RESET, seconds=seconds)
    with pytest.raises(ConnectionFailedError):
        drive.run()
    assert drive.slept == slept and len(drive.sent) == 1 + len(slept)


@pytest.mark.parametrize(("seconds", "told"), [(30.0, "sent once"), (29.0, "late")])
def test_an_attempt_that_took_all_of_the_time_is_the_calls_own(seconds: float, told: str) -> None:
    drive = Drive("POST", LATE, seconds=seconds)
    with pytest.raises(DeadlineExceededError, match=told) as raised:
        drive.run()
    assert raised.value.sent and raised.value.idempotency_key == KEY


def test_one_that_was_not_sent_is_not_counted() -> None:
    drive = Drive("POST", DeadlineExceededError("busy", sent=False), seconds=30.0)
    with pytest.raises(DeadlineExceededError, match="sent never") as raised:
        drive.run()
    assert not raised.value.sent
    drive = Drive("POST", answer(429, retry_after="0"), DeadlineExceededError("busy", sent=False), seconds=16.0)
    with pytest.raises(DeadlineExceededError, match="sent once") as raised:
        drive.run()
    assert raised.value.sent, "an earlier attempt was"


@pytest.mark.parametrize(("method", "terms", "writes"), [
    ("GET", {}, 0), ("HEAD", {}, 0), ("POST", {}, 1), ("PUT", {}, 1), ("DELETE", {}, 1), ("POST", {"safe": True}, 0),
])  # fmt: skip
def test_what_may_have_changed_a_record_is_counted_once_a_call(method: str, terms: Any, writes: int) -> None:
    drive = Drive(method, SOON, OK, **terms)
    drive.run()
    assert drive.habits.writes == writes


def test_without_a_token_there_is_one_before_the_first_attempt_and_once() -> None:
    drive = with_refresh("GET", answer(502), OK)
    drive.credentials.replace(None, "refresh")
    assert drive.run() is OK and bearers(drive) == ["Bearer newer"] * 2
    (step,) = drive.refreshed
    assert (step.stale, step.timeout) == (None, 30.0)
    drive = with_refresh("GET", answer(401))
    drive.credentials.replace(None, "refresh")
    drive.renew = lambda: None  # type: ignore[method-assign] # the outcome of the test
    assert (
        drive.run().status == 401 and len(drive.refreshed) == 1 and "Authorization" not in drive.sent[0].request.headers
    )


def test_a_credential_of_the_call_itself_stays() -> None:
    drive = Drive("GET", OK)
    request = Request("GET", "http://h/x", {"Authorization": "Basic x"})
    step: Any = next(exchange(request, drive.terms))
    assert step.request is request


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


@pytest.mark.parametrize("status", [500, 502, 429])
def test_without_a_budget_an_answer_is_given_at_once_unless_it_asks_to_wait(status: int) -> None:
    habits = Habits()
    while habits.budget.take(1000.0):
        pass
    drive = Drive("GET", answer(status), OK, habits=habits)
    assert (drive.run().status, len(drive.slept)) == ((200, 1) if status == 429 else (status, 0))


@pytest.mark.parametrize(("status", "pays"), [(200, True), (399, True), (400, False), (404, False)])
def test_what_pays_for_a_repetition_is_an_answer_that_is_no_error(status: int, pays: bool) -> None:
    habits = Habits()
    while habits.budget.take(1000.0):
        pass
    for _ in range(5):
        Drive("GET", answer(status), habits=habits).run()
    assert habits.budget.take(1000.0) is pays
