"""The databases that a copy of the CRM can be kept in: a batch is in them whole, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from crm_sdk.sync import DuckDbStore, SqliteStore
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
