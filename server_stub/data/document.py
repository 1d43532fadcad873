"""A stored record: a dict that does not change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn


def _refuse(*args: Any, **kwargs: Any) -> NoReturn:
    raise TypeError(
        'a stored document does not change in place; put a new document: collection.put(doc | {"name": "new"})'
    )


class Document(dict[str, Any]):
    """A stored record. It never changes: ``collection.put(doc | {"name": "new"})`` stores a new one in its place.

    So what follows from its members alone is worked out once and kept with it.
    """

    __slots__ = ("folded", "written")

    folded: dict[tuple[str, ...], str]
    """Its texts as searches see them, by the fields they are of."""
    written: dict[object, bytes]
    """Its JSON, by what wrote it."""

    __setitem__ = _refuse
    __delitem__ = _refuse
    __ior__ = _refuse
    update = _refuse
    setdefault = _refuse
    pop = _refuse
    popitem = _refuse
    clear = _refuse

    def __or__(self, other: Mapping[str, Any], /) -> Document:  # type: ignore[override] # dict's is generic in the other's types
        new = Document(self)
        super(Document, new).update(other)
        return new

    def copy(self) -> Document:
        """Return the document itself, which is as good as a copy."""
        return self

    def __reduce__(self) -> tuple[type[Document], tuple[dict[str, Any]]]:
        return Document, (dict(self),)
