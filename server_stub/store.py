"""The stub's data: immutable documents per company and kind, with indexes, transactions and snapshots."""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from types import TracebackType
from typing import Any, NamedTuple, cast

from .document import Document


class Change(NamedTuple):
    """One document that was put, or (with None) removed."""

    tenant_id: str
    kind: str
    id: str
    document: Document | None
    sequence: int
    """Its place among the documents of its collection."""


Bucket = dict[int, Document]  # sequence -> document, so that a find keeps the order of insertion


class Collection:
    """The documents of one company and one kind, in order of insertion."""

    __slots__ = (
        "_dead",
        "_docs",
        "_indexes",
        "_jumbled",
        "_next",
        "_sequence",
        "_store",
        "_touched",
        "kind",
        "tenant_id",
    )

    def __init__(self, store: Store, tenant_id: str, kind: str) -> None:
        self.tenant_id = tenant_id
        self.kind = kind
        self._store = store
        self._docs: dict[str, Document] = {}
        self._sequence: dict[str, int] = {}
        self._next = 0
        self._dead: set[str] = set()
        self._indexes: dict[str, dict[Any, Bucket]] = {}
        self._touched: dict[str, None] = {}
        self._jumbled = False

    def get(self, id: str, *, deleted: bool = False) -> Document | None:
        """Return a document, or None; one that was deleted softly only with `deleted`."""
        doc = self._docs.get(id)
        if doc is None or deleted or id not in self._dead:
            return doc
        return None

    def put(self, doc: Mapping[str, Any]) -> Document:
        """Insert a document, or replace the one with its id."""
        new = doc if type(doc) is Document else Document(doc)
        id = new["id"]
        log = self._store.log
        if log is None:
            self._touched[id] = None
        else:
            log.append((self, id, self._docs.get(id), self._sequence.get(id, -1)))
        self._set(id, new)
        return new

    def remove(self, id: str) -> None:
        """Forget a document for good; KeyError where there is none."""
        old = self._docs[id]
        log = self._store.log
        if log is None:
            self._touched[id] = None
        else:
            log.append((self, id, old, self._sequence[id]))
        self._drop(id)

    def all(self) -> list[Document]:
        """Return the live documents."""
        self._settle()
        if not self._dead:
            return list(self._docs.values())
        dead = self._dead
        return [doc for id, doc in self._docs.items() if id not in dead]

    def first(self) -> Document | None:
        """Return the document that was inserted first, deleted or not; None in an empty collection."""
        self._settle()
        return next(iter(self._docs.values()), None)

    def last(self) -> Document | None:
        """Return the document that was inserted last, deleted or not; None in an empty collection."""
        return next(self.backwards(), None)

    def backwards(self) -> Iterator[Document]:
        """Give the documents, deleted or not, from the one that was inserted last."""
        self._settle()
        return reversed(self._docs.values())

    def find(self, field: str, value: object) -> list[Document]:
        """Return the live documents whose field has this value, or has it in its list; case does not matter.

        None finds those without a value. Uses an index, which is made at the first search by that field.
        """
        index = self._indexes.get(field)
        if index is None:
            index = self._indexes[field] = {}
            for doc in self.all():
                self._enter(index, field, doc, self._sequence[doc["id"]])
        bucket = index.get(value.casefold() if isinstance(value, str) else value)
        if not bucket:
            return []
        if len(bucket) == 1:
            return list(bucket.values())
        return [bucket[sequence] for sequence in sorted(bucket)]

    def __len__(self) -> int:
        return len(self._docs) - len(self._dead)

    def __iter__(self) -> Iterator[Document]:
        return iter(self.all())

    def __contains__(self, id: str) -> bool:
        return id in self._docs and id not in self._dead

    def __repr__(self) -> str:
        return f"<Collection {self.tenant_id}/{self.kind}: {len(self)} documents>"

    def _settle(self) -> None:
        """Sort again after a removed document came back or a file was read."""
        if self._jumbled:
            self._docs = dict(sorted(self._docs.items(), key=lambda item: self._sequence[item[0]]))
            self._jumbled = False

    @staticmethod
    def _enter(index: dict[Any, Bucket], field: str, doc: Document, sequence: int) -> None:
        for key in _keys(doc.get(field)):
            bucket = index.get(key)
            if bucket is None:
                index[key] = {sequence: doc}
            else:
                bucket[sequence] = doc

    @staticmethod
    def _leave(index: dict[Any, Bucket], field: str, doc: Document, sequence: int) -> None:
        for key in _keys(doc.get(field)):
            bucket = index.get(key)
            if bucket is not None:
                bucket.pop(sequence, None)
                if not bucket:
                    del index[key]

    def _set(self, id: str, new: Document, sequence: int = -1) -> None:
        """Store without a trace in the log; `sequence` puts a removed document back in its place."""
        old = self._docs.get(id)
        if old is None:
            if sequence < 0:
                sequence = self._next
            elif sequence < self._next:
                self._jumbled = True
            self._next = max(self._next, sequence + 1)
            self._sequence[id] = sequence
        else:
            sequence = self._sequence[id]
        live = new.get("deleted_at") is None
        was_live = old is not None and id not in self._dead
        for field, index in self._indexes.items():
            if was_live and old is not None:
                self._leave(index, field, old, sequence)
            if live:
                self._enter(index, field, new, sequence)
        self._docs[id] = new
        if live:
            self._dead.discard(id)
        else:
            self._dead.add(id)

    def _drop(self, id: str) -> None:
        old = self._docs.pop(id)
        sequence = self._sequence.pop(id)
        if id in self._dead:
            self._dead.discard(id)
        else:
            for field, index in self._indexes.items():
                self._leave(index, field, old, sequence)

    def undo(self, id: str, previous: Document | None, sequence: int) -> None:
        """Bring back what a document was before a write; for the transaction."""
        if previous is None:
            self._next = self._sequence[id]
            self._drop(id)
        else:
            self._set(id, previous, sequence)

    def touch(self, id: str) -> None:
        """Note that a document changed; for the transaction."""
        self._touched[id] = None

    def load(self, doc: Document, sequence: int) -> None:
        """Place a document that comes from a file, unnoticed by `Store.changes`."""
        self._set(doc["id"], doc, sequence)

    def drain(self) -> list[Change]:
        """Return what changed since the last time."""
        changed = [
            Change(self.tenant_id, self.kind, id, self._docs.get(id), self._sequence.get(id, -1))
            for id in self._touched
        ]
        self._touched.clear()
        return changed

    def snapshot(self) -> CollectionSnapshot:
        """Return the present state."""
        return CollectionSnapshot(
            dict(self._docs), dict(self._sequence), self._next, frozenset(self._dead), self._jumbled
        )

    def restore(self, snap: CollectionSnapshot) -> None:
        """Go back to a state; what differs counts as changed."""
        for id in {**self._docs, **snap.docs}:
            if self._docs.get(id) is not snap.docs.get(id) or self._sequence.get(id) != snap.sequence.get(id):
                self._touched[id] = None
        self._docs = dict(snap.docs)
        self._sequence = dict(snap.sequence)
        self._next = snap.next
        self._dead = set(snap.dead)
        self._jumbled = snap.jumbled
        self._indexes = {}


@dataclass(frozen=True, slots=True)
class CollectionSnapshot:
    """The state of a collection."""

    docs: Mapping[str, Document]
    sequence: Mapping[str, int]
    next: int
    dead: frozenset[str]
    jumbled: bool


@dataclass(frozen=True, slots=True)
class StoreSnapshot:
    """The state of a store: shallow copies, since documents do not change."""

    collections: Mapping[tuple[str, str], CollectionSnapshot]
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

    def transaction(self) -> Transaction:
        """Undo every put, remove and new id within the ``with`` block when it ends in an exception; may be nested."""
        return Transaction(self)

    @contextmanager
    def lasting(self) -> Generator[None]:
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

    def counted(self, name: str) -> int:
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
            self.collection(tenant_id, kind).restore(snap.collections.get((tenant_id, kind), _EMPTY))
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


_EMPTY = CollectionSnapshot({}, {}, 0, frozenset(), False)


def _keys(value: object) -> Iterable[Any]:
    """Return what a value is found by; objects cannot be searched for."""
    if value is None:
        return (None,)
    if isinstance(value, str):
        return (value.casefold(),)
    if isinstance(value, (list, tuple)):
        elements = cast("Iterable[object]", value)
        return {
            element.casefold() if isinstance(element, str) else element
            for element in elements
            if not isinstance(element, (dict, list))
        }
    if isinstance(value, dict):
        return ()
    return (value,)
