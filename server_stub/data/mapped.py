"""A lazily mapped sequence of documents, for members that are computed only for the page that is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import overload

from .document import Document


class Mapped(Sequence[Document]):
    """The documents of a sequence, each passed through a function when it is read."""

    __slots__ = ("_docs", "_each")

    def __init__(self, docs: Sequence[Document], each: Callable[[Document], Document]) -> None:
        self._docs = docs
        self._each = each

    def __len__(self) -> int:
        return len(self._docs)

    def __iter__(self) -> Iterator[Document]:
        return map(self._each, self._docs)

    @overload
    def __getitem__(self, index: int) -> Document: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Document]: ...
    def __getitem__(self, index: int | slice) -> Document | Sequence[Document]:
        if isinstance(index, slice):
            return [self._each(doc) for doc in self._docs[index]]
        return self._each(self._docs[index])


def with_members(docs: Sequence[Document], names: Sequence[str], whole: Callable[[Document], Document]) -> Mapped:
    """Return documents with some of the members that a function adds to each."""

    def each(doc: Document) -> Document:
        found = whole(doc)
        return doc.with_members({name: found[name] for name in names})

    return Mapped(docs, each)
