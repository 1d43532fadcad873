"""The store: immutable documents by company and kind, with indexes, transactions and snapshots."""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Callable, Container, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from types import TracebackType

from .collection import EMPTY, Change, Collection
from .document import Document
from .table import Table


@dataclass(frozen=True, slots=True)
class StoreSnapshot:
    """The state of a store: its tables, which are not written to any more."""

    collections: Mapping[tuple[str, str], Table]
    counters: Mapping[str, int]


EVERY_COMPANY = ""
"""In place of a company's id: documents that belong to no company, or to all of them."""

Entry = tuple[Collection | None, str, Document | None, int]  # None for a collection: the counter of a series
UNDOING = "undo_with"
"""In place of the name of a series: an entry of what `Store.undo_with` was given."""


class Store:
    """The documents of all companies."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, Collection]] = {}
        self._counters: dict[str, int] = {}
        self._unread: dict[tuple[str, str], Callable[[], Iterable[Change]]] = {}
        self.before_commit: Callable[[list[Entry]], None] | None = None
        """Called at the end of every transaction, as a part of it, with what it has written."""
        self.undoings: list[Callable[[], None]] = []
        """What `undo_with` was given in the current transaction, in the order of its entries in the log."""
        self.log: list[Entry] | None = None
        """The changes that the current transaction would undo; None outside of a transaction."""

    def collection(self, tenant_id: str, kind: str) -> Collection:
        """Return the collection of a company and kind, which may be empty."""
        companies = self._kinds.get(kind)
        if companies is None:
            companies = self._kinds[kind] = {}
        collection = companies.get(tenant_id)
        if collection is None:
            collection = Collection(self, tenant_id, kind)
            read = self._unread.get((tenant_id, kind))
            # What cannot be read raises each time anew: an empty collection would hide it.
            for change in read() if read is not None else ():
                if change.document is not None:
                    collection.load(change.document, change.sequence)
            self._unread.pop((tenant_id, kind), None)
            companies[tenant_id] = collection
        return collection

    def across(self, kind: str) -> list[Collection]:
        """Return the collections of a kind of all companies; for sign-in, before the company is known."""
        for tenant_id, waiting in list(self._unread):
            if waiting == kind:
                self.collection(tenant_id, kind)
        return list(self._kinds.get(kind, {}).values())

    def of_company(self, tenant_id: str) -> list[Collection]:
        """Return a company's collections, of every kind it has documents of."""
        self._read_all()
        return [companies[tenant_id] for companies in self._kinds.values() if tenant_id in companies]

    def writes(self, tenant_id: str, *, but: Container[str]) -> int:
        """Return the number of writes to a company's documents, without those of the kinds in `but`."""
        found = 0
        for kind, companies in self._kinds.items():
            if kind not in but and tenant_id in companies:
                found += companies[tenant_id].writes
        return found

    def transaction(self) -> Transaction:
        """Undo every put, remove and new id of the ``with`` block if it raises an exception; can be nested."""
        return Transaction(self)

    def undo_with(self, action: Callable[[], None]) -> None:
        """Call a function where the current transaction is undone: it takes back what is kept outside of the store."""
        if self.log is not None:
            self.undoings.append(action)
            self.log.append((None, UNDOING, None, 0))

    @contextmanager
    def keep_despite_rollback(self) -> Generator[None]:
        """Keep the writes of the block even if the transaction is undone, such as the record of a failed sign-in.

        The transaction must not have written documents of the same kinds before.
        """
        log, self.log = self.log, None
        try:
            with self.transaction():
                yield
        finally:
            self.log = log

    def new_id(self, prefix: str) -> str:
        """Return a new id such as ``lead_k3jq7m2x4vza``; every store has the same, unordered sequence."""
        digest = blake2b(f"{prefix}{self.count(prefix)}".encode(), digest_size=10).digest()
        return prefix + b32encode(digest)[:12].decode().lower()

    def count(self, name: str) -> int:
        """Return the next number of a series, from 1; an undone transaction returns its numbers."""
        count = self._counters.get(name, 0)
        self._counters[name] = count + 1
        if self.log is not None:
            self.log.append((None, name, None, count))
        return count + 1

    def last_count(self, name: str) -> int:
        """Return the last number of a series; 0 before the first."""
        return self._counters.get(name, 0)

    def reach(self, name: str, number: int) -> None:
        """Raise the last number of a series to at least a number; an undone transaction undoes that."""
        count = self._counters.get(name, 0)
        if number > count:
            self._counters[name] = number
            if self.log is not None:
                self.log.append((None, name, None, count))

    @property
    def counters(self) -> dict[str, int]:
        """The last number of each series, such as that of the ids of a prefix; a state file stores them."""
        return dict(self._counters)

    @counters.setter
    def counters(self, counters: Mapping[str, int]) -> None:
        self._counters = dict(counters)

    def changes(self) -> list[Change]:
        """Return the documents that were put or removed since the last call, each once."""
        return [
            change
            for companies in self._kinds.values()
            for collection in companies.values()
            for change in collection.drain()
        ]

    def load(self, saved: Mapping[tuple[str, str], Callable[[], Iterable[Change]]]) -> None:
        """Load saved documents by company and kind; each collection is read at its first use.

        They do not count as changed, and replace everything that was there.
        """
        self._kinds = {}
        self._unread = dict(saved)

    def _read_all(self) -> None:
        for tenant_id, kind in list(self._unread):
            self.collection(tenant_id, kind)

    def snapshot(self) -> StoreSnapshot:
        """Return the present state, which can be restored any number of times."""
        self._read_all()
        return StoreSnapshot(
            {
                (tenant_id, kind): collection.snapshot()
                for kind, companies in self._kinds.items()
                for tenant_id, collection in companies.items()
            },
            dict(self._counters),
        )

    def restore(self, snap: StoreSnapshot) -> None:
        """Restore a state, also that of another store."""
        if self.log is not None:
            raise RuntimeError("a store cannot be restored within a transaction")
        self._read_all()
        present = [(tenant_id, kind) for kind, companies in self._kinds.items() for tenant_id in companies]
        for tenant_id, kind in dict.fromkeys([*snap.collections, *present]):
            self.collection(tenant_id, kind).restore(snap.collections.get((tenant_id, kind), EMPTY))
        self._counters = dict(snap.counters)

    def rewind(self, log: list[Entry], mark: int) -> None:
        """Undo the entries of the log after a mark, in reverse order; for the transaction."""
        while len(log) > mark:
            collection, id, previous, number = log.pop()
            if collection is not None:
                collection.undo(id, previous, number)
            elif id == UNDOING:
                self.undoings.pop()()
            elif number:
                self._counters[id] = number
            else:
                del self._counters[id]


class Transaction:
    """A transaction, see `Store.transaction`."""

    __slots__ = ("_mark", "_outermost", "_store")

    def __init__(self, store: Store) -> None:
        self._store = store

    def __enter__(self) -> None:
        log = self._store.log
        self._outermost = log is None
        if log is None:
            self._store.log = []
            self._mark = 0
        else:
            self._mark = len(log)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        log = self._store.log
        if log is None:
            raise RuntimeError("the transaction has ended already")
        if kind is None and self._outermost and self._store.before_commit is not None:
            try:
                self._store.before_commit(log)
            except BaseException:
                self._store.rewind(log, self._mark)
                self._store.log = None
                raise
        if kind is not None:
            self._store.rewind(log, self._mark)
        if self._outermost:
            for collection, id, _, _ in log:
                if collection is not None:
                    collection.touch(id)
                elif id == UNDOING:
                    self._store.undoings.pop()
            self._store.log = None
