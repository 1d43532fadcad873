"""The order of documents by a member: kept while they change, so that a list need not sort them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from .document import Document
from .query import Key, folded

Entry: TypeAlias = tuple[Any, str, Document]
"""What a document is sorted by, its id, and the document, which is never compared: no two have the same id."""

_LONGEST = 512
"""Entries of a chunk before it is split in two. A change copies one chunk, and the list of chunks."""


class Chunk:
    """Some entries in ascending order."""

    __slots__ = ("_texts", "entries")

    def __init__(self, entries: tuple[Entry, ...]) -> None:
        self.entries = entries
        self._texts: dict[tuple[str, ...], tuple[list[str], str]] = {}

    def texts(self, fields: tuple[str, ...]) -> tuple[list[str], str]:
        """Return the folded texts of the documents, in the order of the entries, and all of them in one."""
        found = self._texts.get(fields)
        if found is None:
            texts = [folded(entry[2], fields) for entry in self.entries]
            found = self._texts[fields] = (texts, "\n".join(texts))
        return found


class Run:
    """Entries in ascending order, in chunks. It never changes: a change makes another one, which shares the chunks."""

    __slots__ = ("_chunks", "_count", "_lasts")

    def __init__(self, chunks: tuple[Chunk, ...], lasts: tuple[Entry, ...], count: int) -> None:
        self._chunks = chunks
        self._lasts = lasts
        """The greatest entry of each chunk, by which one is found."""
        self._count = count

    @staticmethod
    def of(entries: list[Entry]) -> Run:
        """Return the run of some entries; sorts the list. Raises TypeError where they cannot be compared."""
        entries.sort()
        size = _LONGEST // 2
        parts = [tuple(entries[start : start + size]) for start in range(0, len(entries), size)]
        return Run(tuple(map(Chunk, parts)), tuple([part[-1] for part in parts]), len(entries))

    def __len__(self) -> int:
        return self._count

    def chunks(self, *, descending: bool) -> Iterator[Chunk]:
        """Give the entries piece by piece; within a piece they ascend in any case."""
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

    def with_entry(self, entry: Entry) -> Run:
        """Return the run with one more entry, or with this one in the place of its like."""
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
            return self._replaced(number, (entries,), count)
        half = len(entries) // 2
        return self._replaced(number, (entries[:half], entries[half:]), count)

    def without(self, value: Any, id: str) -> Run:
        """Return the run without the entry of an id, whose value tells where it is."""
        number = bisect_left(self._lasts, (value, id))
        entries = self._chunks[number].entries
        at = bisect_left(entries, (value, id))
        entries = entries[:at] + entries[at + 1 :]
        return self._replaced(number, (entries,) if entries else (), self._count - 1)

    def _replaced(self, number: int, parts: tuple[tuple[Entry, ...], ...], count: int) -> Run:
        return Run(
            self._chunks[:number] + tuple(map(Chunk, parts)) + self._chunks[number + 1 :],
            self._lasts[:number] + tuple([part[-1] for part in parts]) + self._lasts[number + 1 :],
            count,
        )


class Order:
    """All documents of a collection in the order of a key; those without a value come last in both directions.

    It never changes: whoever holds it sees the documents as they were.
    """

    __slots__ = ("_key", "_valued", "_void")

    def __init__(self, key: Key, valued: Run, void: Run) -> None:
        self._key = key
        self._valued = valued
        self._void = void

    @staticmethod
    def of(docs: Iterable[Document], key: Key) -> Order:
        """Return the order of some documents. Raises TypeError where their keys cannot be compared."""
        valued: list[Entry] = []
        void: list[Entry] = []
        for doc in docs:
            value = key(doc)
            (void if value is None else valued).append((value, doc["id"], doc))
        return Order(key, Run.of(valued), Run.of(void))

    def __len__(self) -> int:
        return len(self._valued) + len(self._void)

    def chunks(self, *, descending: bool) -> Iterator[Chunk]:
        """Give the entries piece by piece, those without a value last; within a piece they ascend in any case."""
        yield from self._valued.chunks(descending=descending)
        yield from self._void.chunks(descending=descending)

    def slice(self, start: int, stop: int, *, descending: bool) -> list[Document]:
        """Return the documents from one place up to another; negative places are not meant."""
        first, count = self._valued.slice(start, stop, descending=descending), len(self._valued)
        if stop <= count:
            return first
        return first + self._void.slice(max(0, start - count), stop - count, descending=descending)

    def changed(self, old: Document | None, new: Document | None) -> Order:
        """Return the order after a document was put in the place of another; None stands for no document.

        Raises TypeError where the new key cannot be compared with the others.
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
