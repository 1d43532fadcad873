"""Indexes: the ids of the documents that have a value, for every value of a member."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from copy import copy
from typing import Any, Self, cast

from .document import Document

_NOBODY: frozenset[str] = frozenset()


class Index:
    """The ids of the documents that have a value, for every value of a member, or of one of the objects in a list."""

    __slots__ = ("_buckets", "_own", "_part", "exact", "field")

    def __init__(self, field: str, *, exact: bool) -> None:
        self.field, _, self._part = field.partition(".")  # the latter: the member of objects in a list
        self.exact = exact
        """Whether the case of texts matters."""
        self._buckets: dict[Any, str | set[str]] = {}  # most values belong to one document: its id alone needs no set
        self._own: set[Any] | None = None  # the values with sets of this index alone; None for all values

    def fork(self) -> Self:
        """Return a copy to write to."""
        new = copy(self)
        new._buckets = dict(self._buckets)
        new._own = set()
        return new

    def ids(self, value: object) -> AbstractSet[str]:
        """Return the ids of the documents with a value; the set changes with later writes."""
        found = self._buckets.get(value.casefold() if isinstance(value, str) and not self.exact else value)
        if found is None:
            return _NOBODY
        return {found} if isinstance(found, str) else found

    def values(self) -> Iterable[Any]:
        """Return the values that documents have."""
        return self._buckets.keys()

    def change(self, old: Document | None, new: Document | None) -> None:
        """Update the index after a document was replaced by another; None stands for no document."""
        if old is not None and new is not None and not self._differ(old, new):
            return
        if old is not None:
            self.leave(old)
        if new is not None:
            self.enter(new)

    def enter(self, doc: Mapping[str, Any]) -> None:
        """Add the values of a document."""
        id = doc["id"]
        for key in self._keys_of(doc):
            bucket = self._buckets.get(key)
            if bucket is None:
                self._buckets[key] = id
                self._enter(key)
            elif isinstance(bucket, str):
                self._buckets[key] = {bucket, id}
                if self._own is not None:
                    self._own.add(key)
            else:
                self._own_bucket(key, bucket).add(id)

    def leave(self, doc: Mapping[str, Any]) -> None:
        """Remove the values of a document."""
        for key in self._keys_of(doc):
            bucket = self._buckets[key]
            if isinstance(bucket, str) or len(bucket) == 1:
                del self._buckets[key]
            else:
                self._own_bucket(key, bucket).discard(doc["id"])

    def _own_bucket(self, key: Any, bucket: set[str]) -> set[str]:
        if self._own is not None and key not in self._own:
            bucket = self._buckets[key] = set(bucket)
            self._own.add(key)
        return bucket

    def _differ(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        return bool(old.get(self.field) != new.get(self.field))

    def _enter(self, key: Any) -> None:
        """Note that a key is new; for an index that keeps its keys in order."""

    def _keys_of(self, doc: Mapping[str, Any]) -> Iterable[Any]:
        """Return the keys of a document in the index; objects have none."""
        value = doc.get(self.field)
        if isinstance(value, str):
            return (value if self.exact else value.casefold(),)
        if isinstance(value, (list, tuple)):
            items = cast("Iterable[Any]", value)
            if self._part:
                items = [item.get(self._part) for item in items]
            return {
                item.casefold() if isinstance(item, str) and not self.exact else item
                for item in items
                if not isinstance(item, (dict, list))
            }
        return () if isinstance(value, dict) else (value,)
