"""The store by itself: what a transaction undoes and keeps, what was written, and what a state file has of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from server_stub.data.collection import Change, Collection
from server_stub.data.document import Document
from server_stub.data.durable import Durable, StateFileError
from server_stub.data.store import Store, Transaction
from server_stub.data.table import Table


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def leads(store: Store) -> Collection:
    return store.collection("t", "lead")


def ids(leads: Collection) -> list[str]:
    return [doc["id"] for doc in leads.all()]


def fail(store: Store, *writes: Callable[[], object]) -> None:
    """Carry out a transaction that is undone."""

    def carry_out() -> None:
        with store.transaction():
            for write in writes:
                write()
            raise KeyError("on purpose")

    with pytest.raises(KeyError, match="on purpose"):
        carry_out()


def test_numbers_of_series(store: Store) -> None:
    assert (store.last_count("n"), store.count("n"), store.count("n"), store.last_count("n")) == (0, 1, 2, 2)
    store.reach("n", 7)
    store.reach("n", 7)
    store.reach("n", 3)
    assert (store.last_count("n"), store.count("other")) == (7, 1)
    fail(store, lambda: store.reach("n", 9), lambda: store.count("n"), lambda: store.reach("n", 5))
    assert store.last_count("n") == 7
    store.reach("zero", 0)
    fail(store, lambda: store.reach("new", 9))
    fail(store, lambda: store.count("newer"))
    assert store.counters == {"n": 7, "other": 1}, "a series that began then has not begun"
    counters = store.counters
    counters["n"] = 1
    assert store.last_count("n") == 7
    store.counters = {"m": 3}
    assert (store.counters, store.count("m")) == ({"m": 3}, 4)
    with store.transaction():
        store.reach("m", 9)
    assert store.last_count("m") == 9


def test_what_lies_outside_of_the_store_is_taken_back_with_a_transaction(store: Store, leads: Collection) -> None:
    done: list[str] = []
    store.undo_with(lambda: done.append("outside"))
    fail(
        store, lambda: store.undo_with(lambda: done.append("first")), lambda: leads.put({"id": "1"}),
        lambda: store.undo_with(lambda: done.append(f"second of {len(leads)}")),
    )  # fmt: skip
    assert done == ["second of 1", "first"], "in reverse order, outside of a transaction never"
    with store.transaction():
        store.undo_with(lambda: done.append("kept"))
        fail(store, lambda: store.undo_with(lambda: done.append("inner")))
    assert done[2:] == ["inner"] and store.undoings == []
    fail(store)
    assert done[3:] == []


def test_what_is_kept_though_the_transaction_is_undone(store: Store, leads: Collection) -> None:
    attempts = store.collection("t", "attempt")

    def keep() -> None:
        with store.keep_despite_rollback():
            attempts.put({"id": "a"})
        leads.put({"id": "2"})

    def keep_nothing() -> None:
        with store.keep_despite_rollback():
            attempts.put({"id": "b"})
            raise KeyError("on purpose")

    store.changes()
    fail(store, lambda: leads.put({"id": "1"}), keep)
    assert (ids(leads), ids(attempts)) == ([], ["a"])
    assert [change.id for change in store.changes()] == ["a"]
    fail(store, lambda: leads.put({"id": "1"}), keep_nothing)
    assert (ids(leads), ids(attempts), store.log) == ([], ["a"], None)


def test_the_end_of_a_transaction_is_a_part_of_it(store: Store, leads: Collection) -> None:
    seen: list[list[str]] = []

    def before_commit(log: list[Any]) -> None:
        seen.append([id for _, id, _, _ in log])
        leads.put({"id": "last"})
        if len(seen) > 1:
            raise KeyError("on purpose")

    store.before_commit = before_commit
    with store.transaction():
        with store.transaction():
            leads.put({"id": "1"})
        store.count("n")
    assert (seen, ids(leads)) == ([["1", "n"]], ["1", "last"]), "once, at the end of the outermost"
    store.changes()

    def write() -> None:
        with store.transaction():
            leads.remove("1")
            leads.put({"id": "2"})

    with pytest.raises(KeyError, match="on purpose"):
        write()
    assert (ids(leads), store.log, store.changes()) == (["1", "last"], None, [])
    fail(store, lambda: leads.put({"id": "3"}))
    assert len(seen) == 2, "what is undone has no such end"
    ended = Transaction(store)
    ended.__enter__()
    ended.__exit__(KeyError, KeyError(), None)
    with pytest.raises(RuntimeError, match="the transaction has ended already"):
        ended.__exit__(None, None, None)


def test_writes_are_counted_by_company(store: Store, leads: Collection) -> None:
    assert (leads.writes, store.writes("t", but=())) == (0, 0)
    leads.put({"id": "1"})
    leads.put({"id": "1", "name": "A"})
    store.collection("t", "deal").put({"id": "2"})
    store.collection("u", "lead").put({"id": "3"})
    leads.remove("1")
    assert (leads.writes, store.writes("t", but=()), store.writes("t", but={"lead"})) == (3, 4, 1)
    assert store.writes("u", but=("deal",)) == 1 and store.writes("none", but=()) == 0
    before = leads.writes
    leads.restore(leads.snapshot())
    assert leads.writes == before + 1
    leads.find("id", "1")
    assert leads.writes == before + 1, "what is read is not written"
    assert {each.kind for each in store.of_company("t")} == {"lead", "deal"}
    assert [each.kind for each in store.of_company("u")] == ["lead"]
    assert repr(leads) == "<Collection t/lead: 0 documents>"


def test_documents_are_copied_for_who_shares_them_alone(store: Store, leads: Collection) -> None:
    leads.put({"id": "1"})
    table = leads.table
    leads.put({"id": "2"})
    assert leads.table is table
    store.snapshot()
    leads.put({"id": "3"})
    assert leads.table is not table and list(table.docs) == ["1", "2"]
    table = leads.table
    leads.remove("3")
    assert leads.table is table


def test_a_document_that_comes_back_is_in_its_place(store: Store, leads: Collection) -> None:
    for id in ("a", "b", "c"):
        leads.put({"id": id})
    assert leads.first() == {"id": "a"} and leads.last() == {"id": "c"}
    fail(store, lambda: leads.remove("a"), lambda: leads.put({"id": "d"}), lambda: leads.remove("c"))
    assert ids(leads) == ["a", "b", "c"]
    leads.put({"id": "e"})
    store.changes()
    fail(store, lambda: leads.put({"id": "f"}))
    leads.put({"id": "g"})
    assert [(change.id, change.sequence) for change in store.changes()] == [("g", 4)], "an undone one has no place"
    leads.remove("e")
    (gone,) = store.changes()
    assert gone == Change("t", "lead", "e", None, -1)
    assert store.collection("t", "none").first() is None and store.collection("t", "none").last() is None


def test_what_a_restored_state_has_changed(store: Store, leads: Collection) -> None:
    for id in ("a", "b", "c"):
        leads.put({"id": id})
    state = store.snapshot()
    store.changes()
    leads.put({"id": "b", "name": "B"})
    leads.remove("c")
    leads.put({"id": "d"})
    changed = store.snapshot()
    store.changes()
    store.restore(state)
    store.restore(changed)
    store.restore(state)
    found = {change.id: change.document for change in store.changes()}
    assert found == {"b": {"id": "b"}, "c": {"id": "c"}, "d": None}, "what is as it was saved is not saved again"
    leads.remove("a")
    leads.put({"id": "a"})
    store.changes()
    store.restore(state)
    assert [change.id for change in store.changes()] == ["a"], "in another place it is another one"


def test_what_is_read_late(store: Store) -> None:
    reads: list[str] = []

    def read(kind: str) -> Any:
        def of() -> list[Change]:
            reads.append(kind)
            return [Change("t", kind, "2", Document(id="2"), 5), Change("t", kind, "1", None, 3),
                    Change("t", kind, "0", Document(id="0"), 2)]  # fmt: skip

        return of

    store.collection("t", "lead").put({"id": "before"})
    store.load({("t", kind): read(kind) for kind in ("lead", "deal", "note")})
    assert ids(store.collection("t", "lead")) == ["0", "2"] and reads == ["lead"]
    store.collection("t", "lead").put({"id": "9"})
    assert [change.sequence for change in store.changes()] == [6]
    assert [each.tenant_id for each in store.across("deal")] == ["t"] and reads == ["lead", "deal"]
    assert store.across("none") == []
    assert len(store.of_company("t")) == 3 and reads == ["lead", "deal", "note"]

    def broken() -> list[Change]:
        raise OSError("unreadable")

    store.load({("t", "lead"): broken})
    for _ in range(2):
        with pytest.raises(OSError, match="unreadable"):
            store.collection("t", "lead")


# -- tables ------------------------------------------------------------------------------------------------------------


def test_an_order_of_a_fork_is_that_of_its_own_documents() -> None:
    table = Table()
    for number in range(40):
        table.set(Document(id=f"x{number:02}", size=number % 5, name=f"N {number}"))
    table.order("size"), table.words(("name",))
    table.is_shared = True
    fork = table.fork()
    fork.set(Document(id="x00", size=9))
    fork.set(Document(id="x07", size=1, deleted_at="then"))
    fork.drop("x08")
    fork.set(Document(id="y", size=-1))
    again = fork.fork()
    again.set(Document(id="z", size=10))
    for one, first, last, count in ((fork, "y", "x00", 39), (again, "y", "z", 40), (table, "x00", "x39", 40)):
        for field in ("size", "id"):
            found = [doc["id"] for doc in one.order(field).slice(0, 99, descending=False)]
            expected = sorted((doc[field], doc["id"]) for doc in one.live())
            assert found == [id for _, id in expected] and len(found) == count
        assert (one.order("size").slice(0, 1, descending=False)[0]["id"], one.live()[-1]["id"] in ("y", "z", last)) == (
            first, True,
        )  # fmt: skip
    odd = table.fork()
    odd.set(Document(id="odd", size="large"))
    with pytest.raises(TypeError):
        odd.order("size")
    odd.drop("odd")
    assert len(odd.order("size")) == 40


# -- state files -------------------------------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def test_values_come_back_with_their_types(path: Path) -> None:
    values = {
        "at": datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), "day": date(2026, 1, 2), "amount": Decimal("1.50"),
        "bytes": b"\x00\xff", "nested": [{"day": date(2026, 1, 3)}, None, True, 1.5, {"v": 1}],
    }  # fmt: skip
    store = Store()
    store.collection("t", "lead").put({"id": "1", **values})
    with Durable(path) as file:
        assert file.new and file.meta == {} and not file.load(Store())
        file.save(store.changes(), {"start": values["at"], "counters": {}})
        assert file.meta == {"start": values["at"], "counters": {}} and file.load(Store())
        with pytest.raises(TypeError, match="a set cannot be kept in a state file"):
            file.save([], {"start": {1}})
    again = Store()
    with Durable(path) as file:
        assert not file.new and file.load(again) and file.meta["start"] == values["at"]
        found = again.collection("t", "lead").get("1")
        assert found == {"id": "1", **values} and type(found) is Document
        assert type(found["day"]) is date and again.counters == {}


def test_the_file_can_be_written_until_it_is_closed(path: Path) -> None:
    file = Durable(path)
    assert file.can_write() and file.can_write()
    assert file.meta == {}, "trying leaves nothing"
    file.save([], {"n": 1})
    file.close()
    assert not file.can_write()
    with Durable(path) as again:
        assert again.meta == {"n": 1}


def test_a_save_that_fails_half_way_saves_nothing(path: Path) -> None:
    Durable(path).close()
    db = sqlite3.connect(path)
    db.execute("CREATE TRIGGER no BEFORE INSERT ON document WHEN new.id = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END")
    db.commit()
    db.close()
    store = Store()
    store.collection("t", "lead").put({"id": "1"})
    with Durable(path) as file:
        file.save(store.changes(), {"n": 1})
        store.collection("t", "lead").remove("1")
        for id in ("2", "bad"):
            store.collection("t", "lead").put({"id": id})
        with pytest.raises(sqlite3.IntegrityError, match="no"):
            file.save(store.changes(), {"n": 2})
        assert file.meta == {"n": 1}
        again = Store()
        file.load(again)
        assert ids(again.collection("t", "lead")) == ["1"]
        again.collection("t", "lead").put({"id": "3"})
        file.save(again.changes(), {"n": 3})
        file.load(again)
        assert ids(again.collection("t", "lead")) == ["1", "3"] and file.meta == {"n": 3}


def test_what_was_removed_is_nowhere_in_a_compact_file(path: Path) -> None:
    store, leads = Store(), "lead"
    store.collection("t", leads).put({"id": "1", "name": "removed-text"})
    with Durable(path) as file:
        file.save(store.changes(), {})
        store.collection("t", leads).remove("1")
        file.save(store.changes(), {})
        file.compact()
        files = list(path.parent.iterdir())
        assert files and not any(b"removed-text" in one.read_bytes() for one in files)


@pytest.mark.parametrize(
    ("pragmas", "says"),
    [
        ([], None),
        (["user_version = 5"], "of another program"),
        (["application_id = 5"], "of another program"),
        (["application_id = 1129467219", "user_version = 2"], "has format 2, this version reads up to 1"),
    ],
)
def test_which_files_are_ours(path: Path, pragmas: list[str], says: str | None) -> None:
    db = sqlite3.connect(path)
    for pragma in pragmas:
        db.execute(f"PRAGMA {pragma}")
    db.commit()
    db.close()
    if says is None:
        Durable(path).close()
    else:
        before = path.read_bytes()
        with pytest.raises(StateFileError, match=says):
            Durable(path)
        assert path.read_bytes() == before
    db = sqlite3.connect(path, timeout=0, isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")  # it is free again
    db.execute("COMMIT")
    if says is None:
        marks = [
            db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version", "journal_mode")
        ]
        assert marks == [int.from_bytes(b"CRMS", "big"), 1, "wal"]
    db.close()


def test_a_file_that_is_there_keeps_its_rights(path: Path) -> None:
    path.touch(0o640)
    path.chmod(0o640)
    with Durable(path) as file:
        assert file.new
    assert path.stat().st_mode & 0o777 == 0o640
    with pytest.raises(StateFileError, match=r"cannot be opened: Is a directory"):
        Durable(path.parent)
