"""A state file that cannot be written or read: nothing is acknowledged that is not there, nothing shown as empty."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from crm_sdk import CrmClient, NotFoundError, ServerError
from server_stub import StubServer
from server_stub.data.durable import Durable

NEW: Any = {"name": "Victim", "email": "victim@example.com"}


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "state.db")


def fill(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every write to the state file fail as on a full disk."""

    def save(self: Durable, changes: Iterable[Any], meta: Mapping[str, Any]) -> None:
        list(changes)
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Durable, "save", save)


@pytest.mark.thorough
@pytest.mark.parametrize("write", ["create", "update", "delete"])
def test_a_write_that_was_not_saved_has_not_happened(
    file: str, write: str, monkeypatch: pytest.MonkeyPatch, failures: list[logging.LogRecord]
) -> None:
    stub = StubServer(db=file)
    client = stub.client(max_retries=0)
    known = client.leads.create({"name": "Known"})
    before = list(client.leads.list(limit=200))

    def act(client: CrmClient) -> object:
        if write == "create":
            return client.leads.create(NEW)
        return client.leads.update(known.id, {"name": "Other"}) if write == "update" else client.leads.delete(known.id)

    with monkeypatch.context() as full:
        fill(full)
        keyed = client.with_options(idempotency_key="the-key")
        with pytest.raises(ServerError, match=r"nothing was written.*disk is full"):
            act(keyed)
    assert list(client.leads.list(limit=200)) == before
    act(keyed)
    stub.close()
    again = StubServer(db=file)
    names = [lead.name for lead in again.client().leads.list(limit=200)]
    assert ("Victim" in names, "Other" in names) == (write == "create", write == "update")
    if write == "delete":
        with pytest.raises(NotFoundError):
            again.client().leads.get(known.id)
    again.close()
    assert any("was not saved" in record.getMessage() for record in failures)
    failures.clear()


def test_a_document_that_is_damaged_is_said_each_time_and_never_shown_as_nothing(
    file: str, failures: list[logging.LogRecord]
) -> None:
    StubServer(db=file).close()
    with sqlite3.connect(file) as db:
        (id,) = db.execute("SELECT id FROM document WHERE kind = 'lead' AND tenant_id = 'tenant_acme'").fetchone()
        db.execute("UPDATE document SET body = '{broken' WHERE id = ?", (id,))
    db.close()
    stub = StubServer(db=file)
    client = stub.client(max_retries=0)
    for _ in range(3):
        with pytest.raises(ServerError, match="StateFileError"):
            client.leads.list()
        with pytest.raises(ServerError, match="StateFileError"):
            client.leads.create(NEW)
    stub.close()
    failures.clear()


def test_what_a_server_begins_with_is_saved_before_any_call(file: str) -> None:
    with StubServer(db=file) as stub:
        leads = [lead["id"] for lead in stub.store.collection("tenant_acme", "lead")]
    with StubServer(db=file, demo=False) as again:
        assert [lead["id"] for lead in again.store.collection("tenant_acme", "lead")] == leads
        assert len(leads) > 5 and again.client().leads.get(leads[0]).id == leads[0]


def test_what_several_threads_write_is_saved_by_each(file: str) -> None:
    with StubServer(db=file) as stub, ThreadPoolExecutor(3) as threads:
        names = [f"Thread {number}" for number in range(6)]
        made = list(threads.map(lambda name: stub.client(max_retries=0).leads.create({"name": name}).id, names))
    with StubServer(db=file, demo=False) as again:
        assert [again.client().leads.get(id).name for id in made] == names
