"""The stores of deliveries: across processes, after a crash, and when they fail."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fakeredis
import pytest
from patience import HANG
from webhook_corpus import SECRET
from webhook_processes import deliver_many, die_of_it
from webhook_receiving import Ticking, counting, receive

from crm_sdk import ConfigurationError
from crm_sdk.webhooks import (
    EventStore,
    MemoryEventStore,
    RedisEventStore,
    SqliteEventStore,
    Webhooks,
)

pytest_plugins = ["webhook_stores"]

DAY = 86_400.0


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
    assert [key for (key,) in file._connection().execute("SELECT key FROM webhook_delivery")] == ["last"]
    file.close()


@pytest.mark.thorough
def test_processes_run_it_once(tmp_path: Path) -> None:
    ids = [f"evt_{n}" for n in range(25)]
    spawn = multiprocessing.get_context("spawn")
    arguments = (str(tmp_path / "s.db"), str(tmp_path / "log"), ids)
    processes = [spawn.Process(target=deliver_many, args=arguments) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(HANG)
        assert process.exitcode == 0
    assert sorted((tmp_path / "log").read_text().split()) == sorted(ids)


def test_what_a_process_died_of_runs_again_after_the_lease(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=die_of_it, args=(str(tmp_path / "s.db"),))
    process.start()
    process.join(HANG)
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
    opened = store._db
    child = os.fork()
    if child == 0:
        # Nothing of the test's own machinery may run on in the child.
        right = (store.claim("parent", "c", 60), store.claim("child", "c", 60)) == ("running", "claimed")
        kept = any(db is opened for db in store._left_behind)  # closed it would be closed for the parent, too
        os._exit(0 if right and kept and store._db is not opened else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store.claim("child", "p", 60) == "running"
    store.close()


def test_receivers_of_other_names_share_a_store(store: EventStore) -> None:
    for name in ("billing", "mail"):
        hooks = Webhooks(SECRET, store=store, name=name)
        counting(hooks)
        assert [receive(hooks).result for _ in range(2)] == ["done", "duplicate"]


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
