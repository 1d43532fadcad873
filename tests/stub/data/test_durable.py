"""The state file: nothing that was saved is lost, nothing that is not ours is touched."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from server_stub.data.durable import Durable, StateFileError, StateFileInUse
from server_stub.data.store import Store

WRITER = """
import sys
from server_stub.data.durable import Durable
from server_stub.data.store import Store

store, file = Store(), Durable(sys.argv[1])
file.load(store)
while True:
    with store.transaction():
        pair = [store.new_id("lead_"), store.new_id("lead_")]
        for id in pair:
            store.collection("t", "lead").put({"id": id, "twin": pair, "notes": "x" * 2000})
    file.save(store.changes(), {"counters": store.counters})
    print(pair[1], flush=True)
"""


def test_everything_comes_back_as_it_was(tmp_path: Path) -> None:
    store = Store()
    leads = store.collection("tenant_a", "lead")
    doc = {
        "id": "lead_b",
        "at": datetime(2026, 11, 21, 9, 0, 0, 123456, tzinfo=UTC),
        "day": date(2026, 11, 21),
        "value": Decimal("0.10"),
        "tags": ["ä", "\ud800"],
        "nested": {"deep": [Decimal(1), None, True, 1.5]},
    }
    leads.put(doc)
    leads.put({"id": "lead_a"})
    leads.put({"id": "lead_gone"})
    id = store.new_id("lead_")
    with Durable(tmp_path / "state.db") as file:
        assert file.load(Store()) is False
        file.save(store.changes(), {"counters": store.counters, "offset": 1.5})
        leads.remove("lead_gone")
        leads.put({"id": "lead_a", "name": "Ada"})
        file.save(store.changes(), {"counters": store.counters, "offset": 2.5})
    again = Store()
    with Durable(tmp_path / "state.db") as file:
        assert file.load(again) is True
        assert file.meta["offset"] == 2.5
        assert again.collection("tenant_a", "lead").all() == [doc, {"id": "lead_a", "name": "Ada"}]
    assert again.changes() == []
    assert again.new_id("lead_") not in (id, "lead_a")


@pytest.fixture
def saved(tmp_path: Path) -> Iterator[Store]:
    """Return a store whose documents are in a file and were not asked for yet; their ids do not tell their order."""
    store = Store()
    for kind in ("lead", "deal"):
        for id in ("c", "a", "b"):
            store.collection("t", kind).put({"id": id, "kind": kind})
    store.collection("t", "lead").put({"id": "c", "kind": "lead", "changed": True})
    with Durable(tmp_path / "state.db") as file:
        file.save(store.changes(), {"counters": store.counters})
    again = Store()
    with Durable(tmp_path / "state.db") as file:
        file.load(again)
        yield again


def order(store: Store, kind: str = "lead") -> list[str]:
    return [doc["id"] for doc in store.collection("t", kind).all()]


def test_what_is_loaded_late_is_in_its_order(saved: Store) -> None:
    assert order(saved) == ["c", "a", "b"]
    saved.collection("t", "lead").put({"id": "0"})
    assert [doc["id"] for doc in saved.collection("t", "lead").backwards()] == ["0", "b", "a", "c"]


def test_a_snapshot_has_what_was_not_asked_for_yet(saved: Store) -> None:
    other = Store()
    other.restore(saved.snapshot())
    assert order(other) == order(other, "deal") == ["c", "a", "b"]


def test_what_was_not_asked_for_yet_is_set_back_as_well(saved: Store, tmp_path: Path) -> None:
    """It is replaced, and the file is told so, as of what was read."""
    saved.restore(Store().snapshot())
    assert order(saved) == order(saved, "deal") == []
    gone = {(change.kind, change.id) for change in saved.changes() if change.document is None}
    assert gone == {(kind, id) for kind in ("lead", "deal") for id in "abc"}


def test_a_failed_save_changes_nothing(tmp_path: Path) -> None:
    store = Store()
    with Durable(tmp_path / "state.db") as file:
        store.collection("t", "lead").put({"id": "1"})
        store.collection("t", "lead").put({"id": "2", "odd": object()})
        with pytest.raises(TypeError, match="object"):
            file.save(store.changes(), {"counters": {}})
        store.collection("t", "lead").put({"id": "3"})
        file.save(store.changes()[-1:], {"counters": {}})
        again = Store()
        file.load(again)
        assert [doc["id"] for doc in again.collection("t", "lead")] == ["3"]


@pytest.mark.parametrize("calls", [20, 21, 22])
def test_a_killed_process_loses_nothing_it_answered(tmp_path: Path, calls: int) -> None:
    path = tmp_path / "state.db"
    answered: list[str] = []
    for _ in range(2):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        with writer.stdout as answers:
            for _ in range(calls):
                answered.append(answers.readline().strip())
            writer.kill()  # it goes on writing all the while
            answered.extend(line.strip() for line in answers if line.endswith("\n"))
            writer.wait()
    store = Store()
    with Durable(path) as file:
        assert file.load(store)
        leads = store.collection("t", "lead")
        leads.all()
    assert all(id in leads for id in answered)
    assert len(set(answered)) == len(answered), "no id was given twice"
    assert all(twin in leads for doc in leads for twin in doc["twin"]), "a call is saved whole or not at all"


def test_a_second_process_waits_and_is_told(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    try:
        writer.stdout.readline()
        with pytest.raises(StateFileInUse, match=r"state\.db is in use by another process"):
            Durable(path, wait=0.05)
    finally:
        writer.kill()
        writer.communicate()
    Durable(path, wait=5).close()


def test_a_file_that_was_closed_is_free(tmp_path: Path) -> None:
    first = Durable(tmp_path / "state.db")
    with pytest.raises(StateFileInUse):
        Durable(tmp_path / "state.db", wait=0)
    first.close()
    Durable(tmp_path / "state.db", wait=0).close()


def _foreign(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE other (x)")
    db.close()


def _newer(path: Path) -> None:
    Durable(path).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()


def _unreadable(path: Path) -> None:
    Durable(path).close()
    db = sqlite3.connect(path)
    db.execute('INSERT INTO meta VALUES (\'start\', \'{"\\u0000": "complex", "v": "1j"}\')')
    db.commit()
    db.close()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path.write_text("dear diary, " * 500), "not a state file"),
        (lambda path: path.write_text("x"), "not a state file"),
        (lambda path: path.write_bytes(b"SQLite format 3\0" + bytes(5000)), "not a state file"),
        (_foreign, "another program"),
        (_newer, "format 99"),
        (_unreadable, "unknown type 'complex'"),
    ],
)
def test_a_file_that_is_not_ours_is_left_alone(tmp_path: Path, make: object, says: str) -> None:
    path = tmp_path / "state.db"
    assert callable(make)
    make(path)
    before = path.read_bytes()
    with pytest.raises(StateFileError, match=says) as caught:
        Durable(path)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StateFileError, match="nowhere"):
        Durable(tmp_path / "nowhere" / "state.db")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such rights")
def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    store, file = Store(), Durable(tmp_path / "state.db")
    store.collection("t", "lead").put({"id": "lead_a"})
    file.save(store.changes(), {})
    rights = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.iterdir()}
    assert rights and not any(rights.values()), rights
    file.close()
