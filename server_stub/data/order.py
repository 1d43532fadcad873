"""The order of documents: by a key, without one last, equals by id."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .document import Document

Key = Callable[[Document], Any]
"""Returns what a document is sorted by; None where it has no value."""


def in_order(docs: Iterable[Document], key: Key, *, descending: bool) -> list[Document]:
    """Sort documents by a key, equals by id in the same direction; those without a value come last either way."""
    keyed: list[tuple[Any, str, Document]] = []
    last: list[Document] = []
    for doc in docs:
        value = key(doc)
        if value is None:
            last.append(doc)
        else:
            keyed.append((value, doc["id"], doc))
    keyed.sort(key=lambda row: row[:2], reverse=descending)
    last.sort(key=lambda doc: doc["id"], reverse=descending)
    return [row[2] for row in keyed] + last
