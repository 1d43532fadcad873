"""The databases that a copy of the CRM can be kept in: a batch is in them whole, or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from crm_sdk.errors import ConflictError
from crm_sdk.models import Lead
from crm_sdk.sync import DatabaseStore, DuckDbStore, MemoryStore, SqliteStore, Syncing
from crm_sdk.sync.state import Batch, Row, SyncChange, SyncState
from server_stub import StubServer

STORES: Sequence[Any] = (SqliteStore, DuckDbStore)


@pytest.mark.parametrize("kind", STORES)
def test_a_batch_that_fails_is_not_there_and_comes_again(
    stub: StubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Callable[[Path], Any]
) -> None:
    client = stub.client(dialects="platform")
    path = tmp_path / "copy.db"
    with kind(path) as store:
        assert sum(1 for _ in client.sync.changes(store, entities=["account"]))
        held, state = store.records("account"), store.load()
        changed = client.accounts.create({"name": "Looms"})
        write = type(store)._execute

        def fail(self: Any, statement: str, *values: Any) -> Any:
            if "INTO crm_sync" in statement:
                raise OSError("the disk is full")
            return write(self, statement, *values)

        with monkeypatch.context() as patch:
            patch.setattr(type(store), "_execute", fail)
            with pytest.raises(OSError, match="full"):
                list(client.sync.changes(store))
        assert (store.records("account"), store.load()) == (held, state)
    with kind(path) as store:
        assert [change.id for change in client.sync.changes(store)] == [changed.id]
        assert store.records("account").keys() - held.keys() == {changed.id}


def opened(kind: Callable[..., Any], path: Path) -> Any:
    return kind() if kind is MemoryStore else kind(path)


def batch(generation: int, *rows: tuple[str, int], **more: Any) -> Batch:
    records = [Row("lead", id, version, {"id": id, "version": version}) for id, version in rows]
    return Batch(SyncState(("lead",), generation=generation), records, **more)


def versions(store: Any) -> dict[str, int]:
    return {id: record["version"] for id, record in store.records("lead").items()}


@pytest.mark.parametrize("kind", [MemoryStore, *STORES])
def test_a_copy_keeps_the_latest_version_of_each_record_within_one_scan(
    request: pytest.FixtureRequest, tmp_path: Path, kind: Callable[..., Any]
) -> None:
    store = opened(kind, tmp_path / "copy.db")
    request.addfinalizer(getattr(store, "close", lambda: None))
    assert store.load() is None
    first = batch(1, ("a", 5), ("b", 5), ("c", 5), ("d", 5))
    assert list(store.save(first)) == [] and store.load() == first.state
    store.save(batch(1, ("a", 4), ("b", 5), ("c", 6)))
    assert versions(store) == {"a": 5, "b": 5, "c": 6, "d": 5}
    gone = [("lead", "a", 4), ("lead", "b", 5), ("lead", "c", None), ("lead", "missing", 9), ("deal", "d", 9)]
    store.save(batch(1, gone=gone))
    assert versions(store) == {"a": 5, "d": 5}
    store.save(batch(2, ("a", 1)))
    assert versions(store) == {"a": 1, "d": 5}, "an earlier scan says nothing of what is later"
    store.save(Batch(SyncState(("lead",), generation=2), [Row("deal", "a", 3, {"id": "a"})], finished="account"))
    assert list(store.save(batch(2, finished="lead"))) == [("lead", "d")]
    assert versions(store) == {"a": 1} and store.records("deal") == {"a": {"id": "a"}}
    assert list(store.save(batch(3, finished="lead"))) == [("lead", "a")]
    assert store.load() == SyncState(("lead",), generation=3)
    assert SyncState.from_json(SyncState(("lead",), ("lead",), "x", "y").to_json()).generation == 1


@pytest.mark.parametrize("kind", STORES)
def test_a_copy_in_a_file_is_closed_at_the_end_of_the_block(tmp_path: Path, kind: Callable[[Path], Any]) -> None:
    with kind(tmp_path / "copy.db") as store, ThreadPoolExecutor(1) as pool:
        store.save(batch(1, ("a", 1)))
        assert pool.submit(versions, store).result() == {"a": 1}, "other threads may read it"
    with pytest.raises(Exception, match=r"(?i)closed"):
        store.load()
    with kind(tmp_path / "copy.db") as again:
        assert versions(again) == {"a": 1}


def test_a_change_without_a_record_is_of_one_that_is_gone_and_a_state_is_kept_in_a_text() -> None:
    assert SyncChange("deleted", "lead", "a").is_gone is True
    assert SyncChange("updated", "lead", "a", 2, {}).is_gone is False
    first = SyncState()
    assert (first.entities, first.scanning, first.after, first.cursor, first.generation) == ((), (), None, None, 1)
    state = SyncState(("lead", "deal"), ("deal",), "deal_1", "c9", 3)
    assert SyncState.from_json(state.to_json()) == state


class Expiring:
    """A client whose feed has forgotten the position once, and of whose leads one is gone since."""

    def __init__(self, code: str = "CURSOR_EXPIRED") -> None:
        self.objects = self.changes = self
        self.code, self.scans = code, list[tuple[str, Any]]()
        self.slept: list[float] = []
        self.clock = self

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if len(self.slept) > 1:
            raise KeyboardInterrupt

    def scan(self, *, entity: str, after: str | None, limit: int) -> Any:
        self.scans.append((entity, after))
        number = len(self.scans)
        ids = {1: ("a", "b"), 2: ("c",)}.get(number, ("a", "c"))
        items = [Lead.model_validate({"id": id, "name": id, "status": "new", "version": number}) for id in ids]
        return SimpleNamespace(items=items, next="b" if number == 1 else None, cursor=f"at{number}")

    def list(self, *, cursor: str | None, entity_types: Any, limit: int) -> Any:
        if cursor == "at1":
            raise ConflictError("gone", status=410, code=self.code)
        return SimpleNamespace(items=[], cursor="now", has_more=False)


def test_a_position_that_has_expired_begins_a_new_scan_and_what_that_lacks_is_missing() -> None:
    client, store = Expiring(), MemoryStore()
    told = [(change.kind, change.id) for change in Syncing(client).changes(store, entities=["lead"])]  # type: ignore[arg-type] # what it uses of one
    assert told == [("scanned", id) for id in "abcac"] + [("missing", "b")]
    assert client.scans == [("lead", None), ("lead", "b"), ("lead", None)] and not client.slept
    state = store.load()
    assert state == SyncState(("lead",), (), None, "now", 2) and versions(store).keys() == {"a", "c"}
    with pytest.raises(KeyboardInterrupt):
        list(Syncing(client).changes(store, live=2.5))  # type: ignore[arg-type] # what it uses of one
    assert client.slept == [2.5, 2.5]
    with pytest.raises(ConflictError):
        list(Syncing(Expiring("OTHER")).changes(MemoryStore(), entities=["lead"]))  # type: ignore[arg-type] # what it uses of one


def test_a_copy_in_memory_is_not_a_file_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with SqliteStore(":memory:") as store:
        store.save(batch(1, ("a", 1)))
    assert list(tmp_path.iterdir()) == []


def test_a_database_of_another_driver_has_its_own_placeholder() -> None:
    class Cursor:
        def __init__(self, inner: Any) -> None:
            self.fetchone, self.fetchall, self._inner = inner.fetchone, inner.fetchall, inner

        def execute(self, statement: str, values: Sequence[Any] = ()) -> None:
            assert "?" not in statement
            self._inner.execute(statement.replace("%s", "?"), values)

    class Connection:
        def __init__(self) -> None:
            self._inner = sqlite3.connect(":memory:")
            self.commit, self.rollback, self.close = self._inner.commit, self._inner.rollback, self._inner.close

        def cursor(self) -> Cursor:
            return Cursor(self._inner.cursor())

    connection = Connection()
    store = DatabaseStore(connection, mark="%s")
    store.save(batch(1, ("a", 1)))
    assert versions(store) == {"a": 1}
    connection.close()
