"""The documents of one company and one kind: immutable, in order, found by index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from .document import Document

if TYPE_CHECKING:
    from .store import Store


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
