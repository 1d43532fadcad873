"""Pages of records, and the iteration over all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Self, TypeVar, overload

from .errors import ConfigurationError, FieldError, InvalidInputError, InvalidResponseError

T = TypeVar("T")

DEFAULT_LIMIT = 50
"""The documents' default of `limit`."""


LARGEST_LIMIT = 200
"""The most records that a page can be asked to hold (002, "Lists")."""
_REPEATED = 8
"""So often in a row the same page may come again while records are created before it."""
_FRUITLESS = 100
"""After so many pages in a row without a new record, and two for each page before them, a server repeats itself."""


@dataclass(frozen=True, slots=True)
class Window:
    """The position of a page in the list, as far as its dialect tells."""

    limit: int | None = None
    offset: int = 0
    total: int | None = None
    has_next: bool = False
    by_page: bool = False
    """Whether the dialect counts pages, so that no window can begin between two of them."""
    meta: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The members of an answer's ``meta`` that are not about the page."""


class _PageOf(Generic[T]):
    """The base class of the sync and the async page."""

    def __init__(
        self,
        items: list[T],
        window: Window,
        fetch: Callable[[int, int], Any] | None,
        writes: Callable[[], int] = lambda: 0,
    ) -> None:
        self.items: list[T] = items
        """The records of this page; of a page that follows another, those that no page before it had."""
        self.limit: int | None = window.limit
        """The greatest number of records on a page; None where the dialect does not page this list."""
        self.offset: int = window.offset
        """The number of records before this page."""
        self.total: int | None = window.total
        """The number of records in the whole list; None where the dialect does not tell."""
        self.has_next: bool = window.has_next
        self.meta: dict[str, Any] = dict(window.meta)
        """What the answer says about the list beside the page, such as ``facets``; empty in dialects that have none."""
        self._window = window
        self._received: list[T] = items
        """The records as they came, those that an earlier page had too."""
        self._fetch = fetch
        self._writes = writes
        """How many requests that may change records the client has sent."""
        self._written = writes()
        self._number = 0
        """How many pages were read before this one."""
        self._first_seen: dict[str, int] = {}
        """The ids of the records of all pages that were read one after another, each with the number of its page."""
        self._enter(self._first_seen)

    @property
    def page(self) -> int:
        """The number of this page, from 1."""
        return self.offset // self.limit + 1 if self.limit else 1

    @property
    def has_prev(self) -> bool:
        """Whether there are records before this page."""
        return self.offset > 0

    def __len__(self) -> int:
        """Return how many records this page holds; `total` says how many there are in all."""
        return len(self.items)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        """Return records of this page by their position in it."""
        return self.items[index]

    # -- the way to the next page --------------------------------------------------------------------------------

    def _following(self) -> Generator[tuple[int, int], Self, Self | None]:
        """Yield offset and limit of each window to fetch; return the next page with something new, None at the end.

        Between two requests records are created, deleted and changed, so that what was at one place is at another. A
        window therefore begins with the last record that is known; where that is gone, or where a dialect counts pages
        and the total has become smaller, earlier windows are fetched until one holds a known record or is the first.
        """
        page, fruitless, repeated = self, 0, 0
        while page.has_next:
            found = yield from page._next_window()
            found._continue(self, page)
            repeated = repeated + 1 if found._received == page._received else 0
            if found.items and not (repeated and _id(found.items[0]) is None):
                return found
            fruitless += 1
            if found.has_next and (repeated > _REPEATED or fruitless > _FRUITLESS + 2 * self._number):
                raise InvalidResponseError(f"the server answers what it did before instead of the page after {self!r}")
            page = found
        return None

    def _next_window(self) -> Generator[tuple[int, int], Self, Self]:
        if not self._received:
            raise InvalidResponseError(f"the server says that more follows {self!r}, which is empty")
        limit = self.limit or DEFAULT_LIMIT
        start, size = self._window.offset + len(self._received), limit
        if self._window.by_page:
            # No window can begin one record earlier. What this client wrote may have moved any record.
            moved = self._writes() != self._written
            start = self._window.offset + (0 if moved else limit)
        else:
            moved = _id(self._received[-1]) is not None
            if moved:
                start, size = start - 1, max(limit, min(limit + 1, LARGEST_LIMIT))
        found = yield start, size
        shrank = self.total is not None and found.total is not None and found.total < self.total
        if moved or (self._window.by_page and (shrank or not found._received)):
            while start > 0 and not found._joins(self):
                start = max(0, start - limit)
                found = yield start, size
        return found

    def _which_are_known(self, last: Self) -> list[bool]:
        """Return of each record that was received whether a page up to `last` has it."""
        first_seen, number = last._first_seen, last._number
        return [first_seen.get(_id(item) or "", number + 1) <= number for item in self._received]

    def _joins(self, last: Self) -> bool:
        """Tell whether nothing is left out between the records that are known after a page and this window.

        It begins with a known record. Where that is not the page's last one, an unknown one has to follow: a record
        that was changed may be known and stand at the end of the list.
        """
        known = self._which_are_known(last)
        if not known or not known[0]:
            return False
        return not all(known) or _id(self._received[0]) == _id(last._received[-1])

    def _continue(self, last: Self, before: Self) -> None:
        """Become the page after another: without the records that it or a page before it had."""
        known = self._which_are_known(last)
        self.items = [item for item, is_known in zip(self._received, known, strict=True) if not is_known]
        self.limit = before.limit
        if self.items:
            self.offset = self._window.offset + known.index(False)
        self._number = last._number + 1
        self._enter(last._first_seen)

    def _enter(self, first_seen: dict[str, int]) -> None:
        self._first_seen = first_seen
        for item in self.items:
            if (id := _id(item)) is not None:
                first_seen[id] = self._number

    def _ask(self, offset: int, limit: int) -> Any:
        if self._fetch is None:
            raise ConfigurationError("this page was unpickled and has no client: list again to go on")
        return self._fetch(offset, limit)

    def __repr__(self) -> str:
        whole = "?" if self.total is None else self.total
        first = self.offset + 1 if self.items else self.offset
        return f"<{type(self).__name__} {first}-{self.offset + len(self.items)} of {whole}>"

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_fetch": None, "_writes": int}


def _id(item: object) -> str | None:
    """Return what a record is known by; None for what is not a record."""
    id: object = getattr(item, "id", None)
    return id if isinstance(id, str) and id else None


class Page(_PageOf[T]):
    """One page of records. Iterating goes on over the following pages, fetching each when it is reached.

    It reaches every record that is there from the first request to the last, and none twice, also while records are
    deleted or changed on the way. ``len(page)`` and ``page[0]`` are about this page alone.
    """

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page.items

    def pages(self) -> Iterator[Page[T]]:
        """Iterate over the pages, from this one on."""
        page: Page[T] | None = self
        while page is not None:
            yield page
            page = page.next_page()

    def next_page(self) -> Page[T] | None:
        """Fetch the next page; None after the last."""
        steps = self._following()
        try:
            window = next(steps)
            while True:
                window = steps.send(self._ask(*window))
        except StopIteration as end:
            found: Page[T] | None = end.value
            return found


class AsyncPage(_PageOf[T]):
    """One page of records. ``async for`` goes on over the following pages, fetching each when it is reached.

    It reaches every record that is there from the first request to the last, and none twice, also while records are
    deleted or changed on the way. ``len(page)`` and ``page[0]`` are about this page alone.
    """

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page.items:
                yield item

    async def pages(self) -> AsyncIterator[AsyncPage[T]]:
        """Iterate page by page, beginning with this one."""
        page: AsyncPage[T] | None = self
        while page is not None:
            yield page
            page = await page.next_page()

    async def next_page(self) -> AsyncPage[T] | None:
        """Fetch the next page; None after the last."""
        steps = self._following()
        try:
            window = next(steps)
            while True:
                window = steps.send(await self._ask(*window))
        except StopIteration as end:
            found: AsyncPage[T] | None = end.value
            return found


class AsyncPages(Awaitable[AsyncPage[T]]):
    """The result of a list call: ``await`` it for the first page, or use ``async for`` over all records."""

    def __init__(self, first: Callable[[], Awaitable[AsyncPage[T]]]) -> None:
        self._first = first

    def __await__(self) -> Generator[Any, Any, AsyncPage[T]]:
        return self._first().__await__()

    async def __aiter__(self) -> AsyncIterator[T]:
        async for item in await self._first():
            yield item

    async def pages(self) -> AsyncIterator[AsyncPage[T]]:
        """Iterate page by page."""
        async for page in (await self._first()).pages():
            yield page


def by_offset(given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments with ``limit``/``offset``, for a dialect that counts records."""
    given = _one_of(given)
    page = given.pop("page", None)
    if page is not None:
        given["limit"] = given.get("limit", DEFAULT_LIMIT)
        given["offset"] = (page - 1) * given["limit"]
    return given


def by_page(given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments with ``page``/``limit``, for a dialect that counts pages."""
    given = _one_of(given)
    offset = given.pop("offset", None)
    if offset:
        limit = given["limit"] = given.get("limit", DEFAULT_LIMIT)
        if limit < 1 or offset % limit:
            raise _invalid(
                "offset",
                f"{offset} is not a multiple of limit={limit}, and this server counts in pages: "
                "use page= and limit=, or an offset that is a whole number of pages",
            )
        given["page"] = offset // limit + 1
    return given


def _one_of(given: dict[str, Any]) -> dict[str, Any]:
    if "page" in given and "offset" in given:
        raise _invalid("page", "give page= or offset=, not both")
    for name, least in (("page", 1), ("offset", 0)):
        if given.get(name, least) < least:
            raise _invalid(name, f"{given[name]} is less than {least}", rule="min")
    return dict(given)


def _invalid(name: str, message: str, rule: str = "format") -> InvalidInputError:
    return InvalidInputError(f"{name}: {message}", fields=[FieldError(name, message, rule)])
