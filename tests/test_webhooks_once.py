"""Each delivery is acted on once: across threads, processes and stores, and again where acting failed."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fakeredis
import pytest
import trio
from webhook_corpus import BODY, NOW, SECRET, documented, headers_of

from crm_sdk import ConfigurationError, WebhookPayloadError, WebhookSignatureError, WebhookTimestampError
from crm_sdk.webhooks import (
    EventStore,
    LeadCreated,
    MemoryEventStore,
    Outcome,
    RedisEventStore,
    SqliteEventStore,
    Webhooks,
    embed,
    sign,
)

DAY = 86_400.0


class Ticking:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticking() -> Ticking:
    return Ticking()


@pytest.fixture(params=["memory", "sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path, ticking: Ticking) -> Iterator[EventStore]:
    if request.param == "memory":
        yield MemoryEventStore(clock=ticking)
    elif request.param == "sqlite":
        kept = SqliteEventStore(tmp_path / "deliveries.db", clock=ticking)
        yield kept
        kept.close()
    else:
        client = fakeredis.FakeRedis()
        yield RedisEventStore(client)
        client.close()


def receive(hooks: Webhooks, headers: Any = None, body: bytes = BODY) -> Outcome:
    return hooks.handle(headers_of(body) if headers is None else headers, body, received_at=NOW)


def counting(hooks: Webhooks, failing: int = 0) -> list[str]:
    """Count the events that are handled; the first ones fail."""
    ran: list[str] = []

    @hooks.on("lead.created")
    def created(event: LeadCreated) -> None:
        ran.append(event.data.id)
        if len(ran) <= failing:
            raise RuntimeError("not today")

    return ran


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
        assert went_on.wait(30)

    async def main() -> Outcome:
        asyncio.get_running_loop().call_soon(went_on.set)
        return await hooks.handle_async(headers_of(), BODY, received_at=NOW)

    assert asyncio.run(main()).result == "done"


def test_the_claim_of_who_died_ends_with_its_lease(store: EventStore, ticking: Ticking) -> None:
    assert store.claim("k", "dead", 60) == "claimed" and store.claim("k", "a", 60) == "running"
    later(store, ticking, "k", 60)
    assert store.claim("k", "a", 60) == "claimed" and store.claim("k", "b", 60) == "running"
    store.release("k", "dead")  # it was only slow: what is another's now stays so
    assert store.claim("k", "b", 60) == "running"
    store.finish("k", "dead", DAY)  # and what it did is done
    assert store.claim("k", "b", 60) == "done"
    later(store, ticking, "k", DAY)
    assert store.claim("k", "b", 60) == "claimed"
    store.release("k", "b")
    assert store.claim("k", "c", 60) == "claimed"


def later(store: EventStore, ticking: Ticking, key: str, seconds: float) -> None:
    """Let so much time pass as the store's entry had left."""
    ticking.now += seconds
    if isinstance(store, RedisEventStore):
        client: Any = store._redis
        left = client.pttl(f"crm:webhook:{key}")
        assert seconds * 1000 - 5000 <= left <= seconds * 1000
        client.delete(f"crm:webhook:{key}")


def test_what_is_long_past_is_swept(ticking: Ticking, tmp_path: Path) -> None:
    memory, file = MemoryEventStore(clock=ticking), SqliteEventStore(tmp_path / "s.db", clock=ticking)
    for n in range(10):
        for store in (memory, file):
            store.claim(f"k{n}", "a", 60)
            store.finish(f"k{n}", "a", DAY)
    ticking.now += DAY
    for store in (memory, file):
        store.finish("last", "a", DAY)
    assert list(memory._entries) == ["last"]
    assert [key for (key,) in file._connected().execute("SELECT key FROM webhook_delivery")] == ["last"]
    file.close()


def _deliver_many(path: str, log: str, ids: list[str]) -> None:
    hooks = Webhooks(SECRET, store=SqliteEventStore(path))

    @hooks.on("lead.created")
    def created(event: LeadCreated) -> None:
        handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, f"{event.id}\n".encode())
        os.close(handle)

    for id in ids:
        body = json.dumps({"event": "lead.created", "id": id, "data": {"id": "x", "name": "n"}}).encode()
        outcome = receive(hooks, documented(body), body)
        assert outcome.status in (200, 503), outcome
    hooks.store.close()  # type: ignore[attr-defined] # it is the SQLite one


def test_processes_run_it_once(tmp_path: Path) -> None:
    ids = [f"evt_{n}" for n in range(25)]
    spawn = multiprocessing.get_context("spawn")
    arguments = (str(tmp_path / "s.db"), str(tmp_path / "log"), ids)
    processes = [spawn.Process(target=_deliver_many, args=arguments) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    assert sorted((tmp_path / "log").read_text().split()) == sorted(ids)


def _die_of_it(path: str) -> None:
    hooks = Webhooks(SECRET, store=SqliteEventStore(path))
    hooks.on("lead.created")(lambda event: os._exit(9))
    receive(hooks)


def test_what_a_process_died_of_runs_again_after_the_lease(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_die_of_it, args=(str(tmp_path / "s.db"),))
    process.start()
    process.join(120)
    assert process.exitcode == 9
    for seconds, result in ((0, "running"), (301, "done"), (301, "duplicate")):
        store = SqliteEventStore(tmp_path / "s.db", clock=lambda seconds=seconds: time.time() + seconds)  # type: ignore[misc] # mypy infers no defaults
        hooks = Webhooks(SECRET, store=store)
        counting(hooks)
        assert receive(hooks).result == result
        store.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_opens_the_file_itself(tmp_path: Path) -> None:
    store = SqliteEventStore(tmp_path / "s.db")
    assert store.claim("parent", "p", 60) == "claimed"
    child = os.fork()
    if child == 0:
        # Nothing of the test's own machinery may run on in the child.
        os._exit(0 if (store.claim("parent", "c", 60), store.claim("child", "c", 60)) == ("running", "claimed") else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store.claim("child", "p", 60) == "running"
    store.close()


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


def test_receivers_of_other_names_share_a_store(store: EventStore) -> None:
    for name in ("billing", "mail"):
        hooks = Webhooks(SECRET, store=store, name=name)
        counting(hooks)
        assert [receive(hooks).result for _ in range(2)] == ["done", "duplicate"]


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


class Broken:
    """A store that fails at one of its methods."""

    def __init__(self, method: str) -> None:
        self._inner, self._method = MemoryEventStore(), method

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name == self._method:
            raise OSError("the store is gone")
        return getattr(self._inner, name)  # type: ignore[no-any-return] # whatever the method is


@pytest.mark.parametrize(("method", "failing", "status"), [("claim", 0, 503), ("finish", 0, 200), ("release", 1, 500)])
def test_a_store_that_fails_is_no_error_of_the_sender(
    method: str, failing: int, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    hooks = Webhooks(SECRET, store=Broken(method))
    counting(hooks, failing=failing)
    assert receive(hooks).status == status
    assert "the store is gone" in caplog.text


def test_what_cannot_work_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for make in (
        lambda: Webhooks(""),
        lambda: Webhooks([]),
        lambda: Webhooks(SECRET, lease=0),
        lambda: Webhooks(SECRET, keep=float("inf")),
        lambda: Webhooks(SECRET, tolerance=-1),
        lambda: SqliteEventStore(tmp_path / "missing" / "s.db"),
        lambda: SqliteEventStore(tmp_path),
        lambda: RedisEventStore("https://example.com"),
    ):
        with pytest.raises(ConfigurationError):
            make()
    (tmp_path / "no.db").write_text("this is a text, and it is longer than SQLite's header needs to be " * 10)
    with pytest.raises(ConfigurationError):
        SqliteEventStore(tmp_path / "no.db")
    monkeypatch.setitem(__import__("sys").modules, "redis", None)
    with pytest.raises(ConfigurationError, match="crm-sdk\\[redis\\]"):
        RedisEventStore("redis://localhost")


def test_a_redis_is_reached_by_its_url() -> None:
    store = RedisEventStore("redis://localhost:1/0")
    outcome = receive(hooks := Webhooks(SECRET, store=store))
    assert outcome.result == "ignored"
    counting(hooks)
    assert receive(hooks).status == 503  # nobody is there


def test_a_redis_client_may_decode_its_answers() -> None:
    client = fakeredis.FakeRedis(decode_responses=True)
    hooks = Webhooks(SECRET, store=RedisEventStore(client))
    counting(hooks)
    assert [receive(hooks).result for _ in range(2)] == ["done", "duplicate"]
    client.close()
