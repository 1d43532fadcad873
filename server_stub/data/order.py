"""Sorted orders of documents by a member, which are kept up to date, so that lists need not sort."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from .document import Document
from .queries.query import Key, folded_text

Entry: TypeAlias = tuple[Any, str, Document]
"""The sort key, the id and the document, which is never compared, since ids are unique."""

_LONGEST = 512
"""The greatest number of entries in a chunk. A change copies one chunk and the list of chunks."""


_LAST_ID = "\U0010ffff"
"""Comes after every id."""


@dataclass(frozen=True, slots=True)
class Range:
    """The values from one bound up to another; None is no bound. Not of texts, which orders hold folded."""

    low: Any = None
    high: Any = None
    closed: bool = True
    """Whether `high` itself is one of them."""

    def __contains__(self, value: Any) -> bool:
        if value is None or (self.low is not None and value < self.low):
            return False
        return self.high is None or value < self.high or (self.closed and value == self.high)

    def __and__(self, other: Range) -> Range:
        """Return the values that are in both."""
        low = max((bound for bound in (self.low, other.low) if bound is not None), default=None)
        ends = [(one.high, one.closed) for one in (self, other) if one.high is not None]
        return Range(low, *min(ends, default=(None, True)))


class Chunk:
    """Some entries in ascending order."""

    __slots__ = ("_texts", "entries")

    def __init__(self, entries: tuple[Entry, ...]) -> None:
        self.entries = entries
        self._texts: dict[tuple[str, ...], tuple[list[str], str]] = {}

    def texts(self, fields: tuple[str, ...]) -> tuple[list[str], str]:
        """Return the folded texts of the documents, in the order of the entries, and all texts joined."""
        found = self._texts.get(fields)
        if found is None:
            texts = [folded_text(entry[2], fields) for entry in self.entries]
            found = self._texts[fields] = (texts, "\n".join(texts))
        return found


class Run:
    """Entries in ascending order, in chunks. It is immutable: a change returns a new run that shares other chunks."""

    __slots__ = ("_chunks", "_count", "_lasts")

    def __init__(self, chunks: tuple[Chunk, ...], lasts: tuple[Entry, ...], count: int) -> None:
        self._chunks = chunks
        self._lasts = lasts
        """The greatest entry of each chunk, to find the chunk of an entry."""
        self._count = count

    @staticmethod
    def of(entries: list[Entry]) -> Run:
        """Return a run of entries; sorts the list. Raises: TypeError where entries cannot be compared."""
        entries.sort()
        size = _LONGEST // 2
        parts = [tuple(entries[start : start + size]) for start in range(0, len(entries), size)]
        return Run(tuple(map(Chunk, parts)), tuple([part[-1] for part in parts]), len(entries))

    def __len__(self) -> int:
        return self._count

    def chunks(self, *, descending: bool) -> Iterator[Chunk]:
        """Yield the chunks in the given direction; within a chunk, entries are always ascending."""
        return reversed(self._chunks) if descending else iter(self._chunks)

    def slice(self, start: int, stop: int, *, descending: bool) -> list[Document]:
        """Return the documents from one place up to another; negative places are not meant."""
        found: list[Document] = []
        for chunk in self.chunks(descending=descending):
            length = len(chunk.entries)
            if start < length:
                entries = chunk.entries[::-1] if descending else chunk.entries
                found += [entry[2] for entry in entries[start:stop]]
            start, stop = max(0, start - length), stop - length
            if stop <= 0:
                break
        return found

    def within(self, range: Range) -> Run:
        """Return the entries whose values are in a range. Raises TypeError where they cannot be compared with it."""
        start = (0, 0) if range.low is None else self._place((range.low, ""))
        end = (len(self._chunks), 0)
        if range.high is not None:
            end = self._place((range.high, _LAST_ID if range.closed else ""))
        if end <= start:
            return _NO_ENTRIES
        (first, before), (last, after) = start, end
        chunks = [*self._chunks[first:last]]
        lasts = [*self._lasts[first:last]]
        if after:
            chunks.append(Chunk(self._chunks[last].entries[:after]))
            lasts.append(self._chunks[last].entries[after - 1])
        if before:
            chunks[0] = Chunk(chunks[0].entries[before:])
        return Run(tuple(chunks), tuple(lasts), sum([len(chunk.entries) for chunk in chunks]))

    def _place(self, key: tuple[Any, str]) -> tuple[int, int]:
        """Return where the entries from a key on begin: the number of the chunk, and the place in it."""
        number = bisect_left(self._lasts, key)
        return (number, bisect_left(self._chunks[number].entries, key)) if number < len(self._chunks) else (number, 0)

    def with_entry(self, entry: Entry) -> Run:
        """Return the run with an entry added, which replaces an entry with the same key and id."""
        if not self._chunks:
            return Run((Chunk((entry,)),), (entry,), 1)
        place = entry[:2]
        number = min(bisect_left(self._lasts, place), len(self._chunks) - 1)
        entries = self._chunks[number].entries
        at = bisect_left(entries, place)
        there = at < len(entries) and entries[at][:2] == place
        entries = (*entries[:at], entry, *entries[at + there :])
        count = self._count + (not there)
        if len(entries) <= _LONGEST:
            return self._replace(number, (entries,), count)
        half = len(entries) // 2
        return self._replace(number, (entries[:half], entries[half:]), count)

    def without(self, value: Any, id: str) -> Run:
        """Return the run without the entry with a value and an id."""
        number = bisect_left(self._lasts, (value, id))
        entries = self._chunks[number].entries
        at = bisect_left(entries, (value, id))
        entries = entries[:at] + entries[at + 1 :]
        return self._replace(number, (entries,) if entries else (), self._count - 1)

    def _replace(self, number: int, parts: tuple[tuple[Entry, ...], ...], count: int) -> Run:
        return Run(
            self._chunks[:number] + tuple(map(Chunk, parts)) + self._chunks[number + 1 :],
            self._lasts[:number] + tuple([part[-1] for part in parts]) + self._lasts[number + 1 :],
            count,
        )


_NO_ENTRIES = Run((), (), 0)


class Order:
    """All documents of a collection, sorted by a key; those without a value are last in both directions.

    It is immutable: later changes of the collection return a new order.
    """

    __slots__ = ("_key", "_valued", "_void")

    def __init__(self, key: Key, valued: Run, void: Run) -> None:
        self._key = key
        self._valued = valued
        self._void = void

    @staticmethod
    def of(docs: Iterable[Document], key: Key) -> Order:
        """Return the order of documents. Raises: TypeError where their keys cannot be compared."""
        valued: list[Entry] = []
        void: list[Entry] = []
        for doc in docs:
            value = key(doc)
            (void if value is None else valued).append((value, doc["id"], doc))
        return Order(key, Run.of(valued), Run.of(void))

    def __len__(self) -> int:
        return len(self._valued) + len(self._void)

    def chunks(self, *, descending: bool) -> Iterator[Chunk]:
        """Yield the chunks, those without a value last; within a chunk, entries are always ascending."""
        yield from self._valued.chunks(descending=descending)
        yield from self._void.chunks(descending=descending)

    def slice(self, start: int, stop: int, *, descending: bool) -> list[Document]:
        """Return the documents from one place up to another; negative places are not meant."""
        first, count = self._valued.slice(start, stop, descending=descending), len(self._valued)
        if stop <= count:
            return first
        return first + self._void.slice(max(0, start - count), stop - count, descending=descending)

    def within(self, range: Range) -> Order:
        """Return the order of the documents whose values are in a range.

        Raises TypeError where a value cannot be compared with it.
        """
        return Order(self._key, self._valued.within(range), _NO_ENTRIES)

    def changed(self, old: Document | None, new: Document | None) -> Order:
        """Return the order after a document was replaced by another; None stands for no document.

        Raises: TypeError where the new key cannot be compared with the others.
        """
        valued, void = self._valued, self._void
        before = self._key(old) if old is not None else None
        after = self._key(new) if new is not None else None
        if old is not None and (new is None or before != after):
            if before is None:
                void = void.without(None, old["id"])
            else:
                valued = valued.without(before, old["id"])
        if new is not None and after is None:
            void = void.with_entry((None, new["id"], new))
        elif new is not None:
            valued = valued.with_entry((after, new["id"], new))
        return Order(self._key, valued, void)
