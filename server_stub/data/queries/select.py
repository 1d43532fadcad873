"""Select and sort the records of a collection by its indexes, for every list rule."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Sized
from collections.abc import Set as AbstractSet
from typing import Any, cast, overload

from ..collection import Collection as Records
from ..document import Document
from ..order import Entry, Order, Range
from ..table import Table
from . import query

Tests = Sequence[Callable[[Document], bool]]

_PAGE = 50
_SORTING = 10
"""The cost of sorting a document, relative to skipping one in a sorted order."""


def select(
    records: Records,
    *,
    equal: Mapping[str, object] = {},
    ranges: Mapping[str, Range] = {},
    tags: Collection[str] = (),
    tests: Tests = (),
    text: str | None = None,
    searched: Sequence[str] = (),
    sort: str | None = None,
    order: str | None = None,
    sorts: Collection[str] = (),
    default: str = "created_at",
    key: Callable[[str], Callable[[Document], Any]] | None = None,
) -> Sequence[Document]:
    """Return the live documents that match every filter, sorted; without a `sort`, by `default`, the latest first.

    `equal` maps members to the value that they have, or contain as a list; None stands for no value, a list for any of
    its values. `ranges` maps members to the range of their values. A document must have all the `tags`, without regard
    to case. `tests` must hold as well. Every word of `text` must occur in one of the `searched` members, without
    regard to case and accents. `sorts` names the members to sort by beside id, created_at and updated_at; for computed
    members, `key` returns the function that computes the sort key of a document. Documents without a value are last in
    both directions; equal ones are sorted by id in the same direction.
    Later writes do not change the result; its length and single pages are cheap to compute.
    Raises: 422 for an unknown `sort` or `order`.
    """
    field, descending = query.sort_field(sort, order, sorts, default)
    table = records.table
    ids = _with_values(table, equal, tags)
    words = query.words_of(text)
    stored = key is None or field in query.ALWAYS_SORTABLE
    spans = {member: table.order(member).within(wanted) for member, wanted in ranges.items()}
    if spans and (
        ids is not None or len(spans) > 1 or not stored or (_are_few(spans.values(), table) and field not in spans)
    ):
        ids = _in_spans(table, ids, spans, ranges)
    if not stored and key is not None:
        computed = key(field)
        docs = _fitting(_documents(table, ids), tests, words, searched)
        return query.in_order(docs, lambda doc: query.sort_key(computed(doc)), descending=descending)
    # A few documents are looked up and sorted; for many, it is faster to go through the existing sorted order.
    if ids is not None and _are_few((ids,), table):
        docs = _fitting(_documents(table, ids), tests, words, searched)
        return query.in_order(docs, query.key_of(field), descending=descending)
    found = spans[field] if field in spans else table.order(field)
    passed = [_in_range(member, ranges[member]) for member in spans if ids is None and member != field]
    if tests or words:
        return _matching(found, descending, ids, (*passed, *tests), words, tuple(searched))
    if ids is not None:
        fixed = frozenset(ids)
        return _Ordered(found, descending, len(fixed), lambda entry: entry[1] in fixed)
    count = min((len(span) for span in spans.values()), default=len(found))
    test = passed[0] if passed else None
    return _Ordered(found, descending, count, (lambda entry: test(entry[2])) if test is not None else None)


def _are_few(found: Iterable[Sized], table: Table) -> bool:
    """Tell whether the smallest of what was found is so small that sorting it is cheap."""
    return _SORTING * min(map(len, found)) ** 2 < _PAGE * (len(table.docs) - len(table.dead))


def _in_range(member: str, wanted: Range) -> Callable[[Document], bool]:
    return lambda doc: doc.get(member) in wanted


def _in_spans(
    table: Table, ids: AbstractSet[str] | None, spans: Mapping[str, Order], ranges: Mapping[str, Range]
) -> AbstractSet[str]:
    """Return which of some ids, or of all, are of documents whose values are in every range."""
    least = min(spans, key=lambda member: len(spans[member]))
    if ids is not None and len(ids) < len(spans[least]):
        docs = _documents(table, ids)
        tests = [_in_range(member, ranges[member]) for member in spans]
    else:
        docs = spans[least].slice(0, len(spans[least]), descending=False)
        tests = [_in_range(member, ranges[member]) for member in spans if member != least]
        if ids is not None:
            known = ids
            tests.append(lambda doc: doc["id"] in known)
    return {doc["id"] for doc in _fitting(docs, tests, (), ())}


def _with_values(table: Table, equal: Mapping[str, object], tags: Collection[str]) -> AbstractSet[str] | None:
    """Return the ids of the documents that have all the values, by index; None for all documents."""
    found: list[AbstractSet[str]] = [table.index("tags", exact=False).ids(tag) for tag in tags if tag]
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
        docs = [doc for doc in docs if word in query.folded_text(doc, of)]
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
    rarest, *others = sorted(words, key=len, reverse=True) or ("",)  # probably: the longest
    for chunk in order.chunks(descending=descending):
        if words:
            texts, all_texts = chunk.texts(searched)
            if not all(word in all_texts for word in words):
                continue
            pairs = [pair for pair in zip(chunk.entries, texts, strict=True) if rarest in pair[1]]
            for word in others:
                pairs = [pair for pair in pairs if word in pair[1]]
            docs = [entry[2] for entry, _ in pairs]
        else:
            docs = [entry[2] for entry in chunk.entries]
        if ids is not None:
            docs = [doc for doc in docs if doc["id"] in ids]
        docs = _fitting(docs, tests, (), ())
        found += docs[::-1] if descending else docs
    return found


class _Ordered(Sequence[Document]):
    """The documents of an order, or those that pass a test, evaluated lazily."""

    __slots__ = ("_count", "_descending", "_fits", "_order")

    def __init__(self, order: Order, descending: bool, count: int, fits: Callable[[Entry], bool] | None) -> None:
        self._order = order
        self._descending = descending
        self._count = count  # of those that pass
        self._fits = fits

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Document]:
        return iter(self._slice(0, len(self)))

    def _slice(self, start: int, stop: int) -> list[Document]:
        fits = self._fits
        if fits is None:
            return self._order.slice(start, stop, descending=self._descending)
        found: list[Document] = []
        for chunk in self._order.chunks(descending=self._descending):
            if len(found) >= stop:
                break
            docs = [entry[2] for entry in chunk.entries if fits(entry)]
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
