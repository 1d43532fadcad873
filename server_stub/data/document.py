"""A stored record: an immutable dict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")


def _refuse(*args: Any, **kwargs: Any) -> NoReturn:
    raise TypeError(
        'a stored document does not change in place; put a new document: collection.put(doc | {"name": "new"})'
    )


def _has(doc: Mapping[str, Any], members: Mapping[str, Any]) -> bool:
    return all(name in doc and doc[name] == value for name, value in members.items())


class Document(dict[str, Any]):
    """An immutable stored record; ``collection.put(doc | {"name": "new"})`` replaces it by a new one.

    Since it never changes, values computed from its members are cached in it.
    """

    __slots__ = ("completed", "derived", "folded", "words", "written")

    completed: tuple[Mapping[str, Any], Document]
    """The members that `with_members` was given last, and what it made of them."""

    derived: dict[Callable[[Any], Any], Any]
    """What functions made of the document; see `derive`."""
    folded: dict[tuple[str, ...], str]
    """Cached folded texts for searches, by fields."""
    words: tuple[tuple[str, ...], Sequence[tuple[str, Sequence[tuple[str, ...]]]]]
    """The members whose words were asked for last, and the words of the texts of those that have any."""
    written: dict[object, bytes]
    """Cached JSON, by its form; see `write_once`."""

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

    def with_members(self, members: Mapping[str, Any]) -> Document:
        """Return the document with members that are computed when it is read.

        While they are those of the last time, it is the document of the last time, with what is kept with that.
        """
        if _has(self, members):
            return self
        last: tuple[Mapping[str, Any], Document] | None = getattr(self, "completed", None)
        if last is None or last[0] != members:
            last = self.completed = dict(members), self | members
        return last[1]

    def write_once(self, form: object, write: Callable[[Document], bytes]) -> bytes:
        """Return what a function writes of the document in a form; what it once wrote stays with the document."""
        try:
            return self.written[form]
        except AttributeError:
            self.written = {}
        except KeyError:
            pass
        content = self.written[form] = write(self)
        return content

    def derive(self, make: Callable[[Document], T]) -> T:
        """Return what a function makes of the document; it is called once, and all who ask get the same object."""
        if not hasattr(self, "derived"):
            self.derived = {}
        if make not in self.derived:
            self.derived[make] = make(self)
        made: T = self.derived[make]
        return made

    def copy(self) -> Document:
        """Return the document itself, since it is immutable."""
        return self

    def __reduce__(self) -> tuple[type[Document], tuple[dict[str, Any]]]:
        return Document, (dict(self),)
