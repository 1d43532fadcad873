"""Functions for list rules: filter, search and sort documents."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeAlias, cast

from crm_sdk.wire import snake

from ...problems import invalid
from ..document import Document

Key: TypeAlias = Callable[[Document], Any]
"""Returns the sort key of a document; None where it has no value."""
Resolve: TypeAlias = Callable[[Document, str], object]

_NO_DECOMPOSITION = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "\N{COMBINING DOT ABOVE}": ""}
)


def fold(text: str) -> str:
    """Return a text without case and accents, for searching and sorting (``Łukasz Müßig`` -> ``lukasz mussig``)."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(mark for mark in apart if not unicodedata.combining(mark)).translate(_NO_DECOMPOSITION)


@lru_cache(maxsize=1024)
def words_of(text: str | None) -> tuple[str, ...]:
    """Return the folded words of a search text, each once."""
    return tuple(dict.fromkeys(fold(text).split())) if text else ()


def member(doc: Mapping[str, Any], field: str) -> object:
    """Return the value at a dotted path such as ``address.city``; for a path through a list, the list of values."""
    value: object = doc
    for part in field.split("."):
        if isinstance(value, dict):
            value = cast("dict[str, object]", value).get(part)
        elif isinstance(value, list):
            value = [
                cast("dict[str, object]", item).get(part)
                for item in cast("list[object]", value)
                if isinstance(item, dict)
            ]
        else:
            return None
    return value


def matches(doc: Document, text: str | None, fields: Iterable[str], resolve: Resolve = member) -> bool:
    """Return whether every word of a text occurs in one of the fields, without regard to case and accents."""
    words = words_of(text)
    if not words:
        return True
    haystack = folded_text(doc, tuple(fields)) if resolve is member else _fold_fields(doc, fields, resolve)
    return all(word in haystack for word in words)


def folded_text(doc: Document, fields: tuple[str, ...]) -> str:
    """Return the folded text in which `matches` searches; it is cached in the document."""
    try:
        return doc.folded[fields]
    except AttributeError:
        doc.folded = {}
    except KeyError:
        pass
    text = doc.folded[fields] = _fold_fields(doc, fields, member)
    return text


def _fold_fields(doc: Document, fields: Iterable[str], resolve: Resolve) -> str:
    parts: list[str] = []
    for field in fields:
        value = doc.get(field) if "." not in field else resolve(doc, field)
        if isinstance(value, str):
            parts.append(value)
        elif isinstance(value, list):
            parts.extend(item for item in cast("list[object]", value) if isinstance(item, str))
    return fold("\n".join(parts))


def filter_by_text(docs: Sequence[Document], text: str | None, fields: Sequence[str]) -> Sequence[Document]:
    """Keep the documents that contain a text, see `matches`."""
    of = tuple(fields)
    for word in words_of(text):
        docs = [doc for doc in docs if word in folded_text(doc, of)]
    return docs


def filter_by_values(docs: Sequence[Document], **values: object) -> Sequence[Document]:
    """Keep the documents whose fields have these values; None does not filter, a list accepts any of its values."""
    for field, wanted in values.items():
        if wanted is None:
            continue
        allowed: Collection[object] = (
            cast("list[object]", wanted) if isinstance(wanted, (list, tuple, set, frozenset)) else (wanted,)
        )
        docs = [doc for doc in docs if doc.get(field) in allowed]
    return docs


def filter_by_dates(
    docs: Sequence[Document],
    *,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
    updated_after: datetime | None = None,
    updated_before: datetime | None = None,
) -> Sequence[Document]:
    """Keep the documents created and updated at ``…_after`` or later, and before ``…_before``."""
    docs = filter_by_span(docs, "created_at", created_after, created_before)
    return filter_by_span(docs, "updated_at", updated_after, updated_before)


def filter_by_span(
    docs: Sequence[Document], field: str, after: datetime | None, before: datetime | None
) -> Sequence[Document]:
    """Keep the documents whose instant in a field is at `after` or later, and before `before`."""
    if after is not None:
        docs = [doc for doc in docs if (at := doc.get(field)) is not None and at >= after]
    if before is not None:
        docs = [doc for doc in docs if (at := doc.get(field)) is not None and at < before]
    return docs


def filter_by_tags(docs: Sequence[Document], tags: Iterable[str] | str | None) -> Sequence[Document]:
    """Keep the documents that have all the tags, without regard to case."""
    wanted = {tag.strip().casefold() for tag in (tags.split(",") if isinstance(tags, str) else tags or ())} - {""}
    if not wanted:
        return docs
    return [doc for doc in docs if wanted <= {tag.casefold() for tag in doc.get("tags") or ()}]


ALWAYS_SORTABLE = ("id", "created_at", "updated_at")
"""The members that every list of records can be sorted by."""


def sort_field(
    sort: str | None,
    order: str | None,
    allowed: Iterable[str],
    default: str = "created_at",
    always: Iterable[str] = ALWAYS_SORTABLE,
) -> tuple[str, bool]:
    """Return the field to sort by, and whether descending.

    Without `sort` it is `default`, descending; a given field is sorted ascending unless the order is ``desc``.
    Raises: 422 for a field that is neither in `allowed` nor in `always`, and for an unknown order.
    """
    if order not in (None, "asc", "desc"):
        raise invalid("order", "choice", f"{order!r} is not an order; use asc or desc", allowed=["asc", "desc"])
    if sort is None:
        return default, order != "asc"
    names = sorted({*allowed, *always})
    field = sort if sort in names else snake(sort)
    if field not in names:
        raise invalid("sort", "choice", f"cannot sort by {sort!r}; use one of {', '.join(names)}", allowed=names)
    return field, order == "desc"


def sort_key(value: object) -> Any:
    """Return the sort key of a value: a text without case and accents; None for an empty text."""
    return (fold(value) or None) if isinstance(value, str) else value


def key_of(field: str, resolve: Resolve = member) -> Key:
    """Return a function that returns the sort key of a document by a field."""
    if "." in field:
        return lambda doc: sort_key(resolve(doc, field))
    return lambda doc: sort_key(doc.get(field))


def sort_documents(
    docs: Iterable[Document],
    sort: str | None,
    order: str | None,
    allowed: Iterable[str],
    default: str = "created_at",
    resolve: Resolve = member,
    always: Iterable[str] = ALWAYS_SORTABLE,
) -> list[Document]:
    """Sort documents by a field, see `sort_field`; equal ones by id, and those without a value last."""
    field, descending = sort_field(sort, order, allowed, default, always)
    return in_order(docs, key_of(field, resolve), descending=descending)


def in_order(docs: Iterable[Document], key: Key, *, descending: bool) -> list[Document]:
    """Sort documents by a key, equal ones by id in the same direction; those without a value are always last."""
    valued: list[tuple[Any, str, Document]] = []
    void: list[Document] = []
    for doc in docs:
        value = key(doc)
        if value is None:
            void.append(doc)
        else:
            valued.append((value, doc["id"], doc))
    valued.sort(key=itemgetter(0, 1), reverse=descending)
    void.sort(key=itemgetter("id"), reverse=descending)
    return [doc for _, _, doc in valued] + void
