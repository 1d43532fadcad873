"""Select and sort the records of a collection by its indexes, for every list rule."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, cast, overload

from . import query
from .collection import Collection as Records
from .document import Document
from .order import Order
from .table import Table

Tests = Sequence[Callable[[Document], bool]]

_PAGE = 50
_SORTING = 10
"""The cost of sorting a document, relative to skipping one in a sorted order."""


def select(
    records: Records,
    *,
    equal: Mapping[str, object] = {},
    tests: Tests = (),
    text: str | None = None,
    searched: Sequence[str] = (),
    sort: str | None = None,
    order: str | None = None,
    sorts: Collection[str] = (),
    key: Callable[[str], Callable[[Document], Any]] | None = None,
) -> Sequence[Document]:
    """Return the live documents that match every filter, sorted; without a `sort`, the newest first.

    `equal` maps members to the value that they have, or contain as a list; None stands for no value, a list for any of
    its values. `tests` must hold as well. Every word of `text` must occur in one of the `searched` members, without
    regard to case and accents. `sorts` names the members to sort by beside id, created_at and updated_at; for computed
    members, `key` returns the function that computes the sort key of a document. Documents without a value are last in
    both directions; equal ones are sorted by id in the same direction.
    Later writes do not change the result; its length and single pages are cheap to compute.
    Raises: 422 for an unknown `sort` or `order`.
    """
    field, descending = query.sort_field(sort, order, sorts)
    table = records.table
    ids = _with_values(table, equal)
    words = query.words_of(text)
    if key is not None and field not in query.ALWAYS_SORTABLE:
        computed = key(field)
        docs = _fitting(_documents(table, ids), tests, words, searched)
        return query.in_order(docs, lambda doc: query.sort_key(computed(doc)), descending=descending)
    # A few documents are looked up and sorted; for many, it is faster to go through the existing sorted order.
    if ids is not None and _SORTING * len(ids) ** 2 < _PAGE * len(records):
        docs = _fitting(_documents(table, ids), tests, words, searched)
        return query.in_order(docs, query.key_of(field), descending=descending)
    found = table.order(field)
    if tests or words:
        return _matching(found, descending, ids, tests, words, tuple(searched))
    return _Ordered(found, descending, frozenset(ids) if ids is not None else None)


def _with_values(table: Table, equal: Mapping[str, object]) -> AbstractSet[str] | None:
    """Return the ids of the documents that have all the values, by index; None for all documents."""
    found: list[AbstractSet[str]] = []
    for field, wanted in equal.items():
        index = table.index(field, exact=True)
        if isinstance(wanted, (list, tuple, set, frozenset)):
            found.append(set[str]().union(*map(index.ids, cast("Iterable[object]", wanted))))
        else:
            found.append(index.ids(wanted))
    found.sort(key=len)
    ids = found[0] if found else None
    for other in found[1:]:
        ids = ids & other if ids is not None else other
    return ids


def _documents(table: Table, ids: Iterable[str] | None) -> list[Document]:
    docs = table.docs
    return table.live() if ids is None else [docs[id] for id in ids]


def _fitting(docs: list[Document], tests: Tests, words: Sequence[str], searched: Sequence[str]) -> list[Document]:
    for test in tests:
        docs = [doc for doc in docs if test(doc)]
    of = tuple(searched)
    for word in words:
        docs = [doc for doc in docs if word in query.folded(doc, of)]
    return docs


def _matching(
    order: Order,
    descending: bool,
    ids: AbstractSet[str] | None,
    tests: Tests,
    words: Sequence[str],
    searched: tuple[str, ...],
) -> list[Document]:
    """Return the matching documents of an order, in this order."""
    found: list[Document] = []
    for chunk in order.chunks(descending=descending):
        if words:
            texts, all_texts = chunk.texts(searched)
            if not all(word in all_texts for word in words):
                continue
            docs = [entry[2] for entry, text in zip(chunk.entries, texts, strict=True) if words[0] in text]
            docs = _fitting(docs, (), words[1:], searched)
        else:
            docs = [entry[2] for entry in chunk.entries]
        if ids is not None:
            docs = [doc for doc in docs if doc["id"] in ids]
        docs = _fitting(docs, tests, (), ())
        found += docs[::-1] if descending else docs
    return found


class _Ordered(Sequence[Document]):
    """The documents of an order, or those with certain ids, evaluated lazily."""

    __slots__ = ("_descending", "_ids", "_order")

    def __init__(self, order: Order, descending: bool, ids: frozenset[str] | None) -> None:
        self._order = order
        self._descending = descending
        self._ids = ids

    def __len__(self) -> int:
        return len(self._order) if self._ids is None else len(self._ids)

    def __iter__(self) -> Iterator[Document]:
        return iter(self._slice(0, len(self)))

    def _slice(self, start: int, stop: int) -> list[Document]:
        ids = self._ids
        if ids is None:
            return self._order.slice(start, stop, descending=self._descending)
        found: list[Document] = []
        for chunk in self._order.chunks(descending=self._descending):
            if len(found) >= stop:
                break
            docs = [entry[2] for entry in chunk.entries if entry[1] in ids]
            found += docs[::-1] if self._descending else docs
        return found[start:stop]

    @overload
    def __getitem__(self, index: int) -> Document: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Document]: ...
    def __getitem__(self, index: int | slice) -> Document | Sequence[Document]:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            return self._slice(start, stop) if step == 1 else list(self)[index]
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(index)
        return self._slice(place, place + 1)[0]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(cast("Sequence[object]", other))

    __hash__ = None  # type: ignore[assignment] # it is compared by what is in it, like a list
