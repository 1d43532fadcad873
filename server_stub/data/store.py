"""The stub's data: immutable documents per company and kind, with indexes, transactions and snapshots."""

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
    """The state of a store: its tables themselves, which nobody writes to any more."""

    collections: Mapping[tuple[str, str], Table]
    counters: Mapping[str, int]


Entry = tuple[Collection | None, str, Document | None, int]  # None for a collection: the counter of a series


class Store:
    """The documents of all companies."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, Collection]] = {}
        self._counters: dict[str, int] = {}
        self._unread: dict[tuple[str, str], Callable[[], Iterable[Change]]] = {}
        self.log: list[Entry] | None = None
        """What the transaction under way has to undo; None outside of one."""

    def collection(self, tenant_id: str, kind: str) -> Collection:
        """Return one company's documents of a kind; an unknown company or kind has none yet."""
        companies = self._kinds.get(kind)
        if companies is None:
            companies = self._kinds[kind] = {}
        collection = companies.get(tenant_id)
        if collection is None:
            collection = companies[tenant_id] = Collection(self, tenant_id, kind)
            read = self._unread.pop((tenant_id, kind), None)
            for change in read() if read is not None else ():
                if change.document is not None:
                    collection.load(change.document, change.sequence)
        return collection

    def across(self, kind: str) -> list[Collection]:
        """Return a kind's collections of every company; for signing in, where the company is not known yet."""
        for tenant_id, waiting in list(self._unread):
            if waiting == kind:
                self.collection(tenant_id, kind)
        return list(self._kinds.get(kind, {}).values())

    def writes(self, tenant_id: str, *, but: Container[str]) -> int:
        """Return how often anything of a company was written, but documents of some kinds."""
        found = 0
        for kind, companies in self._kinds.items():
            if kind not in but and tenant_id in companies:
                found += companies[tenant_id].writes
        return found

    def transaction(self) -> Transaction:
        """Undo every put, remove and new id within the ``with`` block when it ends in an exception; may be nested."""
        return Transaction(self)

    @contextmanager
    def keep_despite_rollback(self) -> Generator[None]:
        """Let what is written within the block stay though the transaction is undone, such as the note of a failure.

        Nothing of the same kinds may have been written before in the transaction.
        """
        log, self.log = self.log, None
        try:
            yield
        finally:
            self.log = log

    def new_id(self, prefix: str) -> str:
        """Make an id such as ``lead_k3jq7m2x4vza``: the same sequence in every store, in no order that shows."""
        digest = blake2b(f"{prefix}{self.count(prefix)}".encode(), digest_size=10).digest()
        return prefix + b32encode(digest)[:12].decode().lower()

    def count(self, name: str) -> int:
        """Return the next number of a series, from 1 on; a transaction that is undone gives its numbers back."""
        count = self._counters.get(name, 0)
        self._counters[name] = count + 1
        if self.log is not None:
            self.log.append((None, name, None, count))
        return count + 1

    def last_count(self, name: str) -> int:
        """Return the number of a series that was given last; 0 before the first."""
        return self._counters.get(name, 0)

    @property
    def counters(self) -> dict[str, int]:
        """How far each series was counted, such as the ids of a prefix; what a durable state keeps."""
        return dict(self._counters)

    @counters.setter
    def counters(self, counters: Mapping[str, int]) -> None:
        self._counters = dict(counters)

    def changes(self) -> list[Change]:
        """Return the documents put or removed since the last time this was called, each once."""
        return [
            change
            for companies in self._kinds.values()
            for collection in companies.values()
            for change in collection.drain()
        ]

    def load(self, saved: Mapping[tuple[str, str], Callable[[], Iterable[Change]]]) -> None:
        """Take in what was saved before, by company and kind; each is read when it is first looked into.

        It does not count as changed.
        """
        self._unread = dict(saved)

    def _read_all(self) -> None:
        for tenant_id, kind in list(self._unread):
            self.collection(tenant_id, kind)

    def snapshot(self) -> StoreSnapshot:
        """Return the present state, to be restored any number of times."""
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
        """Go back to a state, also one of another store."""
        if self.log is not None:
            raise RuntimeError("a store cannot be restored within a transaction")
        self._read_all()
        present = [(tenant_id, kind) for kind, companies in self._kinds.items() for tenant_id in companies]
        for tenant_id, kind in dict.fromkeys([*snap.collections, *present]):
            self.collection(tenant_id, kind).restore(snap.collections.get((tenant_id, kind), EMPTY))
        self._counters = dict(snap.counters)

    def rewind(self, log: list[Entry], mark: int) -> None:
        """Undo what the log has after a mark, last first; for the transaction."""
        while len(log) > mark:
            collection, id, previous, number = log.pop()
            if collection is not None:
                collection.undo(id, previous, number)
            elif number:
                self._counters[id] = number
            else:
                del self._counters[id]


class Transaction:
    """All or nothing, see `Store.transaction`."""

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
        if kind is not None:
            self._store.rewind(log, self._mark)
        if self._outermost:
            for collection, id, _, _ in log:
                if collection is not None:
                    collection.touch(id)
            self._store.log = None
