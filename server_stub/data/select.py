"""Choose and sort the records of a collection: what every list rule needs, by the indexes of the collection."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, cast

from . import query
from .collection import Collection as Records
from .document import Document
from .order import in_order


def select(
    records: Records,
    *,
    equal: Mapping[str, object] = {},
    tests: Sequence[Callable[[Document], bool]] = (),
    text: str | None = None,
    searched: Sequence[str] = (),
    sort: str | None = None,
    order: str | None = None,
    sorts: Collection[str] = (),
    key: Callable[[str], Callable[[Document], Any]] | None = None,
) -> Sequence[Document]:
    """Return the live documents that fit every filter, sorted; the newest first without a `sort`.

    `equal` maps members to the value they have, or have in their list: None stands for no value, a list for any of
    its values. `tests` are whatever else has to hold. Every word of `text` has to occur in one of the `searched`
    members, in whatever case and accents. `sorts` names the members to sort by beside id, created_at and updated_at;
    where they are not stored but computed, `key` returns what computes one from a document. Documents without a
    value come last either way, equals are sorted by id in the same direction.
    Raises 422 where `sort` or `order` is none there is.
    """
    field, descending = query.sort_field(sort, order, sorts)
    docs: Sequence[Document] = records.all()
    for name, wanted in equal.items():
        values = cast("Collection[object]", wanted) if isinstance(wanted, (list, tuple, set, frozenset)) else (wanted,)
        docs = [doc for doc in docs if _has(doc.get(name), values)]
    docs = [doc for doc in docs if all(test(doc) for test in tests)] if tests else docs
    docs = [doc for doc in docs if query.matches(doc, text, searched)] if text else docs
    if key is not None and field not in query.ALWAYS_SORTABLE:
        computed = key(field)
        return in_order(docs, lambda doc: query.sort_key(computed(doc)), descending=descending)
    return in_order(docs, lambda doc: query.sort_key(query.member(doc, field)), descending=descending)


def _has(value: object, values: Collection[object]) -> bool:
    if isinstance(value, list):
        return any(item in values for item in cast("list[object]", value))
    return value in values
