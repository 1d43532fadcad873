"""Each delivery is acted on once, and again where acting failed; and what is answered."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import trio
from patience import HANG
from webhook_corpus import BODY, NOW, SECRET, documented, headers_of
from webhook_receiving import counting, receive

from crm_sdk import ConfigurationError, WebhookPayloadError, WebhookSignatureError, WebhookTimestampError
from crm_sdk.webhooks import (
    EventStore,
    LeadCreated,
    Outcome,
    Webhooks,
    embed,
    sign,
)

pytest_plugins = ["webhook_stores"]


def test_thirty_two_threads_run_it_once(store: EventStore) -> None:
    hooks, barrier = Webhooks(SECRET, store=store), threading.Barrier(32)
    ran = counting(hooks)

    def deliver(_: int) -> str:
        barrier.wait()
        return receive(hooks).result

    with ThreadPoolExecutor(32) as pool:
        results = list(pool.map(deliver, range(32)))
    assert ran == ["lead_123"]
    assert results.count("done") == 1 and set(results) <= {"done", "duplicate", "running"}
    assert receive(hooks) == Outcome(200, "duplicate", receive(hooks).event, headers=receive(hooks).headers)


def test_thirty_two_tasks_run_it_once(store: EventStore) -> None:
    hooks, ran = Webhooks(SECRET, store=store), list[str]()

    @hooks.on("lead.created")
    async def created(event: LeadCreated) -> None:
        await asyncio.sleep(0)
        ran.append(event.data.id)

    async def deliver() -> list[Outcome]:
        return await asyncio.gather(*(hooks.handle_async(headers_of(), BODY, received_at=NOW) for _ in range(32)))

    results = [outcome.result for outcome in asyncio.run(deliver())]
    assert ran == ["lead_123"] and results.count("done") == 1


def test_who_comes_while_it_runs_is_asked_to_come_again(store: EventStore) -> None:
    hooks, meanwhile = Webhooks(SECRET, store=store), list[Outcome]()

    @hooks.on("lead.created")
    def created(event: LeadCreated) -> None:
        meanwhile.append(receive(hooks))

    assert receive(hooks).result == "done"
    (outcome,) = meanwhile
    assert (outcome.status, outcome.result) == (503, "running")
    assert int(dict(outcome.headers)["Retry-After"]) > 0
    assert receive(hooks).result == "duplicate"


def test_what_failed_runs_again(store: EventStore, caplog: pytest.LogCaptureFixture) -> None:
    hooks = Webhooks(SECRET, store=store)
    ran = counting(hooks, failing=2)
    outcomes = [receive(hooks) for _ in range(4)]
    assert [(o.status, o.result) for o in outcomes] == [
        (500, "failed"),
        (500, "failed"),
        (200, "done"),
        (200, "duplicate"),
    ]
    assert len(ran) == 3 and isinstance(outcomes[0].error, RuntimeError)
    assert "not today" in caplog.text


def test_a_coroutine_that_failed_runs_again(store: EventStore) -> None:
    hooks, ran = Webhooks(SECRET, store=store), list[str]()

    @hooks.on("lead.created")
    async def created(event: LeadCreated) -> None:
        await asyncio.sleep(0)
        ran.append(event.data.id)
        if len(ran) == 1:
            raise StopIteration

    assert [receive(hooks).result for _ in range(3)] == ["failed", "done", "duplicate"]


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_was_broken_off_runs_again(store: EventStore, end: type[BaseException]) -> None:
    hooks, ran = Webhooks(SECRET, store=store), list[str]()

    @hooks.on("lead.created")
    def created(event: LeadCreated) -> None:
        ran.append(event.data.id)
        if len(ran) == 1:
            raise end

    with pytest.raises(end):
        receive(hooks)
    assert [receive(hooks).result for _ in range(2)] == ["done", "duplicate"]


def test_what_was_cancelled_runs_again(store: EventStore) -> None:
    hooks, ran = Webhooks(SECRET, store=store), list[str]()

    @hooks.on("lead.created")
    async def created(event: LeadCreated) -> None:
        ran.append(event.data.id)
        if len(ran) == 1:
            await asyncio.Event().wait()

    async def main() -> list[str]:
        task = asyncio.ensure_future(hooks.handle_async(headers_of(), BODY, received_at=NOW))
        while not ran:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return [(await hooks.handle_async(headers_of(), BODY, received_at=NOW)).result for _ in range(2)]

    assert asyncio.run(main()) == ["done", "duplicate"]


@pytest.mark.parametrize("fails", [False, True])
def test_a_thread_is_not_left_behind_by_who_is_cancelled(store: EventStore, fails: bool) -> None:
    """The task may go; what it claimed is done, or can be claimed again, only when its handler has ended."""
    hooks, goes_on, acting = Webhooks(SECRET, store=store), threading.Event(), threading.Event()
    ended: list[str] = []

    @hooks.on("lead.created")
    def created(event: LeadCreated) -> None:
        acting.set()
        assert goes_on.wait(HANG)
        ended.append(event.data.id)
        if fails and len(ended) == 1:
            raise ValueError("not yet")

    async def main() -> list[str]:
        first = asyncio.ensure_future(hooks.handle_async(headers_of(), BODY, received_at=NOW))
        while not acting.is_set():
            await asyncio.sleep(0.001)
        first.cancel()
        await asyncio.sleep(0)
        second = await hooks.handle_async(headers_of(), BODY, received_at=NOW)
        assert not ended
        goes_on.set()
        with pytest.raises(asyncio.CancelledError):
            await first
        return [second.result, (await hooks.handle_async(headers_of(), BODY, received_at=NOW)).result]

    assert asyncio.run(main()) == ["running", "done" if fails else "duplicate"]
    assert len(ended) == 1 + fails


def test_what_is_done_stays_done_where_the_answer_was_cancelled(store: EventStore) -> None:
    hooks = Webhooks(SECRET, store=store)

    async def main() -> list[str]:
        @hooks.on("lead.created")
        async def created(event: LeadCreated) -> None:
            task.cancel()

        task = asyncio.ensure_future(hooks.handle_async(headers_of(), BODY, received_at=NOW))
        with pytest.raises(asyncio.CancelledError):
            await task
        return [(await hooks.handle_async(headers_of(), BODY, received_at=NOW)).result]

    assert asyncio.run(main()) == ["duplicate"]


def test_it_runs_under_trio_too() -> None:
    hooks, ran = Webhooks(SECRET), list[str]()

    @hooks.on("lead.created")
    async def created(event: LeadCreated) -> None:
        await trio.lowlevel.checkpoint()
        ran.append(event.data.id)

    async def main() -> Outcome:
        return await hooks.handle_async(headers_of(), BODY, received_at=NOW)

    assert trio.run(main).result == "done" and ran == ["lead_123"]


def test_a_coroutine_within_a_loop_needs_the_other_method() -> None:
    hooks = Webhooks(SECRET)

    @hooks.on("lead.created")
    async def created(event: LeadCreated) -> None: ...

    async def main() -> Outcome:
        return receive(hooks)

    outcome = asyncio.run(main())
    assert outcome.result == "failed" and isinstance(outcome.error, ConfigurationError)


def test_a_handler_that_is_no_coroutine_does_not_hold_the_loop() -> None:
    hooks, went_on = Webhooks(SECRET), threading.Event()

    @hooks.on("lead.created")
    def created(event: LeadCreated) -> None:
        assert went_on.wait(HANG)

    async def main() -> Outcome:
        asyncio.get_running_loop().call_soon(went_on.set)
        return await hooks.handle_async(headers_of(), BODY, received_at=NOW)

    assert asyncio.run(main()).result == "done"


def test_a_copy_without_its_other_headers_is_the_same_delivery(store: EventStore) -> None:
    hooks = Webhooks(SECRET, store=store)
    ran = counting(hooks)
    body = embed(BODY, SECRET)
    spaced = json.dumps(json.loads(body), indent=1).encode()
    assert receive(hooks, headers_of(body), body).result == "done"
    assert receive(hooks, documented(body), body).result == "duplicate"
    assert receive(hooks, {}, body).result == "duplicate"
    assert receive(hooks, {}, spaced).result == "duplicate"
    assert len(ran) == 1


def test_the_key_is_the_webhook_id_then_the_events_then_what_is_signed(store: EventStore) -> None:
    hooks = Webhooks(SECRET, store=store)
    ran = counting(hooks)
    named = BODY[:-1] + b',"id":"evt_1"}'
    for headers, body, result in (
        (sign(BODY, SECRET, id="m1", timestamp=NOW), BODY, "done"),
        (sign(BODY, SECRET, id="m2", timestamp=NOW), BODY, "done"),
        (sign(BODY + b" ", SECRET, id="m1", timestamp=NOW), BODY + b" ", "duplicate"),
        (documented(named), named, "done"),
        (documented(named + b"\n"), named + b"\n", "duplicate"),
        (sign(named, SECRET, id="evt_1", timestamp=NOW), named, "duplicate"),
        (documented(BODY.replace(b"Jane", b"June")), BODY.replace(b"Jane", b"June"), "done"),
    ):
        assert receive(hooks, headers, body).result == result
    assert len(ran) == 4


def test_what_is_refused_reaches_neither_store_nor_handler() -> None:
    class Untouchable:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(name)

    hooks = Webhooks(SECRET, store=Untouchable())
    counting(hooks)
    for outcome, status, error in (
        (receive(hooks, {}), 401, WebhookSignatureError),
        (receive(hooks, sign(BODY, SECRET, timestamp=0)), 400, WebhookTimestampError),
        (receive(hooks, headers_of(b"{}"), b"{}"), 400, WebhookPayloadError),
        (
            receive(hooks, documented(broken := BODY.replace(b'{"id"', b'7,"x":{"id"')), broken),
            400,
            WebhookPayloadError,
        ),
    ):
        assert (outcome.status, outcome.result, type(outcome.error)) == (status, "refused", error)
        assert json.loads(outcome.body) == {"result": "refused"}


def test_other_events_are_acknowledged_or_go_to_the_star() -> None:
    hooks, seen = Webhooks(SECRET), list[str]()
    body = b'{"event":"deal.won","data":{}}'
    assert (receive(hooks, None, body).status, receive(hooks, None, body).result) == (200, "ignored")

    @hooks.on("*")
    def anything(event: Any) -> None:
        seen.append(event.type)

    assert receive(hooks, None, body).result == "done" and seen == ["deal.won"]
    with pytest.raises(ConfigurationError):
        hooks.on("*")(print)
