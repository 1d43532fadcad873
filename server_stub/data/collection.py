"""A collection: the documents of one company and one kind, in order of insertion, with indexes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from .document import Document
from .table import Table

if TYPE_CHECKING:
    from .store import Store


class Change(NamedTuple):
    """A changed document; None for a removed one."""

    tenant_id: str
    kind: str
    id: str
    document: Document | None
    sequence: int
    """The position of the document in its collection."""


class Collection:
    """The documents of one company and one kind, in order of insertion."""

    __slots__ = ("_before", "_store", "_table", "_touched", "kind", "tenant_id", "writes")

    def __init__(self, store: Store, tenant_id: str, kind: str) -> None:
        self.tenant_id = tenant_id
        self.kind = kind
        self._store = store
        self._table = EMPTY
        self._touched: dict[str, None] = {}
        self._before: Table | None = None  # the table before the first restore since the last `drain`
        self.writes = 0
        """The number of writes; while it stays the same, nothing has changed."""

    @property
    def table(self) -> Table:
        """The documents with their indexes, for reading."""
        return self._table

    def get(self, id: str, *, deleted: bool = False) -> Document | None:
        """Return a document, or None; a softly deleted one only with `deleted`."""
        table = self._table
        doc = table.docs.get(id)
        if doc is None or deleted or id not in table.dead:
            return doc
        return None

    def put(self, doc: Mapping[str, Any]) -> Document:
        """Insert a document, or replace the one with its id."""
        new = doc if type(doc) is Document else Document(doc)
        self._note(new["id"])
        self._own().set(new)
        return new

    def remove(self, id: str) -> None:
        """Remove a document permanently. Raises: KeyError where there is none."""
        if id not in self._table.docs:
            raise KeyError(id)
        self._note(id)
        self._own().drop(id)

    def all(self) -> list[Document]:
        """Return the live documents."""
        return self._table.live()

    def first(self) -> Document | None:
        """Return the document that was inserted first, deleted or not; None in an empty collection."""
        return next(iter(self._table.in_order().values()), None)

    def last(self) -> Document | None:
        """Return the document that was inserted last, deleted or not; None in an empty collection."""
        return next(self.backwards(), None)

    def backwards(self) -> Iterator[Document]:
        """Yield the documents, deleted or not, in reverse order of insertion."""
        return reversed(self._table.in_order().values())

    def find(self, field: str, value: object) -> list[Document]:
        """Return the live documents whose field has a value, or a list with the value, without regard to case.

        ``contact_roles.contact_id`` is the member of the objects in a list.
        None finds documents without a value. The index of the field is built at its first use.
        """
        table = self._table
        ids = table.index(field, exact=False).ids(value)
        docs = table.docs
        return [docs[id] for id in sorted(ids, key=table.sequence.__getitem__)]

    def __len__(self) -> int:
        return len(self._table.docs) - len(self._table.dead)

    def __iter__(self) -> Iterator[Document]:
        return iter(self.all())

    def __contains__(self, id: str) -> bool:
        return id in self._table.docs and id not in self._table.dead

    def __repr__(self) -> str:
        return f"<Collection {self.tenant_id}/{self.kind}: {len(self)} documents>"

    # -- interface for the store and its transactions ----------------------------------------------------------

    def _own(self) -> Table:
        """Return the table to write to."""
        self.writes += 1
        if self._table.is_shared:
            self._table = self._table.fork()
        return self._table

    def _note(self, id: str) -> None:
        """Note that a document is about to change: in the log of a transaction, else for `drain`."""
        log = self._store.log
        if log is None:
            self._touched[id] = None
        else:
            log.append((self, id, self._table.docs.get(id), self._table.sequence.get(id, -1)))

    def undo(self, id: str, previous: Document | None, sequence: int) -> None:
        """Restore a document as it was before a write; for the transaction."""
        table = self._own()
        if previous is None:
            table.next = table.sequence[id]
            table.drop(id)
        else:
            table.set(previous, sequence)

    def touch(self, id: str) -> None:
        """Note that a document changed; for the transaction."""
        self._touched[id] = None

    def load(self, doc: Document, sequence: int) -> None:
        """Add a document from a state file; `Store.changes` does not report it."""
        self._own().set(doc, sequence)

    def drain(self) -> list[Change]:
        """Return the changes since the last call."""
        table, before = self._table, self._before
        if before is not None:
            self._before = None
            for id in {**before.docs, **table.docs}:
                if before.docs.get(id) is not table.docs.get(id) or before.sequence.get(id) != table.sequence.get(id):
                    self._touched[id] = None
        changed = [
            Change(self.tenant_id, self.kind, id, table.docs.get(id), table.sequence.get(id, -1))
            for id in self._touched
        ]
        self._touched.clear()
        return changed

    def snapshot(self) -> Table:
        """Return the present table; later writes copy it first."""
        self._table.is_shared = True
        return self._table

    def restore(self, table: Table) -> None:
        """Restore a table; documents that differ count as changed."""
        self.writes += 1
        if self._before is None:
            self._before = self._table
        self._table = table


EMPTY = Table()
EMPTY.is_shared = True
"""The empty table, shared by all collections without writes."""
