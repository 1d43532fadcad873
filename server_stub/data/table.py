"""Tables: the documents of a collection at one time, with indexes and orders; shared until the next write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from .document import Document
from .indexes import Index
from .order import Order
from .queries.query import key_of
from .queries.words import Words

Kind = TypeVar("Kind", bound=Index)

_CHANGING = 10
"""How many times as long it takes to change a document's place as to put it in order with all the others."""
_BEHIND = 256
"""The number of writes, beside half the number of documents, after which indexes do not stay behind any longer."""


@dataclass(slots=True)
class _Kept:
    """An index as a table keeps it: up to date but for the last writes, which are entered when it is asked for."""

    index: Any
    writes: int
    """How many of the writes since the table was made are in it."""
    is_own: bool
    """Whether no other table has it, so that the next writes can be entered in it and not in a copy."""


class Table:
    """The documents of a collection at one time.

    A table that is shared with a snapshot or another collection is not written to: a writer takes a `fork`. Indexes and
    orders are built at their first use, also in a shared table, so that all who share it can use them. A write costs
    no more for an index that nobody asks.
    """

    __slots__ = (
        "_changed", "_in_order", "_indexes", "_orders", "_origin", "_written", "dead", "docs", "is_shared", "next",
        "sequence",
    )  # fmt: skip

    def __init__(self) -> None:
        self.docs: dict[str, Document] = {}
        self.sequence: dict[str, int] = {}
        """The position of each document in the order of insertion."""
        self.next = 0
        self.dead: set[str] = set()
        """The ids of softly deleted documents."""
        self._in_order = True
        self.is_shared = False
        """Whether others have the table too, so that nobody writes to it any more."""
        self._indexes: dict[Any, _Kept] = {}  # of each kind by its own key
        self._written: list[tuple[Document | None, Document | None]] = []
        """The documents before and after each write that an index may not have yet; None where there was none."""
        self._orders: dict[str, Order] = {}
        self._origin: Table | None = None
        """A shared table with most of the documents, whose indexes and orders are the basis of those of its forks."""
        self._changed: set[str] = set()
        """The ids of the documents that may differ from those of the origin."""

    def fork(self) -> Table:
        """Return a copy to write to, which shares the documents."""
        new = Table()
        new.docs, new.sequence, new.next, new.dead = dict(self.docs), dict(self.sequence), self.next, set(self.dead)
        new._in_order = self._in_order
        # Another server may be adding an index to the same table: the lists are copied in one step.
        new._indexes = {key: replace(kept, is_own=False) for key, kept in list(self._indexes.items())}
        new._written = list(self._written)
        new._orders = dict(self._orders)
        # The origin never has an origin itself, and is given up once most documents differ: otherwise a chain of
        # snapshots would stay in memory.
        if self._origin is not None and len(self._changed) < len(self._origin.docs) // 2:
            new._origin, new._changed = self._origin, set(self._changed)
        elif self.docs:
            new._origin = self
        return new

    # -- reading -----------------------------------------------------------------------------------------------

    def in_order(self) -> dict[str, Document]:
        """Return the documents in order of insertion, restored where a removed document was put back."""
        if not self._in_order:
            self.docs = dict(sorted(self.docs.items(), key=lambda item: self.sequence[item[0]]))
            self._in_order = True
        return self.docs

    def live(self) -> list[Document]:
        """Return the documents that were not deleted, in order of insertion."""
        docs, dead = self.in_order(), self.dead
        return [doc for id, doc in docs.items() if id not in dead] if dead else list(docs.values())

    def index(self, field: str, *, exact: bool) -> Index:
        """Return the index by a member."""
        return self._index((field, exact), lambda: Index(field, exact=exact))

    def words(self, fields: tuple[str, ...]) -> Words:
        """Return the inverted index of the words in some members, given by their paths."""
        return self._index(fields, lambda: Words(fields))

    def _index(self, key: Any, make: Callable[[], Kind]) -> Kind:
        kept = self._indexes.get(key)
        if kept is None or kept.writes < len(self._written):
            # Another server may be doing the same with a shared table: what both put is the same.
            index = self._made(key, make) if kept is None else self._up_to_date(kept)
            kept = self._indexes[key] = _Kept(index, len(self._written), is_own=True)
        found: Kind = kept.index
        return found

    def _made(self, key: Any, make: Callable[[], Kind]) -> Kind:
        origin = self._near_origin()
        if origin is None:
            index = make()
            for doc in self.live():
                index.enter(doc)
        else:
            index = origin._index(key, make).fork()
            for old, new in self._differences(origin):
                index.change(old, new)
        return index

    def _up_to_date(self, kept: _Kept) -> Any:
        index = kept.index if kept.is_own and not self.is_shared else kept.index.fork()
        for old, new in self._written[kept.writes :]:
            index.change(old, new)
        return index

    def order(self, field: str) -> Order:
        """Return the order by a member or a dotted path. Raises: TypeError where values cannot be compared."""
        order = self._orders.get(field)
        if order is not None:
            return order
        try:
            order = self._derived_order(field)
        except TypeError:  # of the origin, perhaps
            order = Order.of(self.live(), key_of(field))
        self._orders[field] = order
        return order

    def _derived_order(self, field: str) -> Order:
        origin = self._near_origin()
        if origin is None:
            return Order.of(self.live(), key_of(field))
        order = origin.order(field)
        for old, new in self._differences(origin):
            order = order.changed(old, new)
        return order

    def _near_origin(self) -> Table | None:
        """Return the origin; None where so much is different that it is cheaper to start anew."""
        near = self._origin is not None and _CHANGING * len(self._changed) < len(self.docs)
        return self._origin if near else None

    def _differences(self, origin: Table) -> Iterator[tuple[Document | None, Document | None]]:
        """Give what became of each document of the origin that was written to: the two, None where it is not live."""
        for id in self._changed:
            yield origin._live(id), self._live(id)

    def _live(self, id: str) -> Document | None:
        return None if id in self.dead else self.docs.get(id)

    # -- writing -----------------------------------------------------------------------------------------------

    def set(self, new: Document, sequence: int = -1) -> None:
        """Store a document; `sequence` puts a removed one back to its position."""
        id = new["id"]
        old = self.docs.get(id)
        if old is None:
            if sequence < 0:
                sequence = self.next
            elif sequence < self.next:
                self._in_order = False
            self.next = max(self.next, sequence + 1)
            self.sequence[id] = sequence
        was = None if id in self.dead else old
        self.docs[id] = new
        if new.get("deleted_at") is None:
            self.dead.discard(id)
            self._change(id, was, new)
        else:
            self.dead.add(id)
            self._change(id, was, None)

    def drop(self, id: str) -> None:
        """Remove a document."""
        was = self._live(id)
        del self.docs[id], self.sequence[id]
        self.dead.discard(id)
        self._change(id, was, None)

    def _change(self, id: str, old: Document | None, new: Document | None) -> None:
        """Bring indexes and orders up to date."""
        if self._origin is not None:
            self._changed.add(id)
        if self._indexes:
            self._written.append((old, new))
            if len(self._written) > _BEHIND + len(self.docs) // 2:
                self._forget_writes()
        for field, order in list(self._orders.items()):
            try:
                self._orders[field] = order.changed(old, new)
            except TypeError:  # a value that cannot be compared with the others: the order is dropped
                del self._orders[field]

    def _forget_writes(self) -> None:
        """Forget the writes that indexes are behind by; those that nobody asked for long are given up with them."""
        asked = {key: kept for key, kept in self._indexes.items() if 2 * kept.writes > len(self._written)}
        self._indexes = {key: _Kept(self._up_to_date(kept), 0, is_own=True) for key, kept in asked.items()}
        self._written = []
