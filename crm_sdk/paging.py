"""Pages of records, and the iteration over all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from .errors import ConfigurationError, FieldError, InvalidInputError, InvalidResponseError

T = TypeVar("T")

DEFAULT_LIMIT = 50
"""The documents' default of `limit`."""


@dataclass(frozen=True, slots=True)
class Window:
    """The position of a page in the list, as far as its dialect tells."""

    limit: int | None = None
    offset: int = 0
    total: int | None = None
    has_next: bool = False


class _PageOf(Generic[T]):
    """The base class of the sync and the async page."""

    def __init__(self, items: list[T], window: Window, fetch: Callable[[int, int], Any] | None) -> None:
        self.items: list[T] = items
        """The records of this page."""
        self.limit: int | None = window.limit
        """The greatest number of records on a page; None where the dialect does not page this list."""
        self.offset: int = window.offset
        """The number of records before this page."""
        self.total: int | None = window.total
        """The number of records in the whole list; None where the dialect does not tell."""
        self.has_next: bool = window.has_next
        self._fetch = fetch

    @property
    def page(self) -> int:
        """The number of this page, from 1."""
        return self.offset // self.limit + 1 if self.limit else 1

    @property
    def has_prev(self) -> bool:
        """Whether there are records before this page."""
        return self.offset > 0

    def _request_next(self) -> Any:
        if self._fetch is None:
            raise ConfigurationError("this page was unpickled and has no client: list again to go on")
        return self._fetch(self.offset + (self.limit or len(self.items)), self.limit or DEFAULT_LIMIT)

    def _after(self, following: Any) -> Any:
        if following.offset <= self.offset and following.items:
            raise InvalidResponseError(
                f"the server answered the page at {following.offset} again instead of the one after {self!r}"
            )
        return following

    def __repr__(self) -> str:
        whole = "?" if self.total is None else self.total
        first = self.offset + 1 if self.items else self.offset
        return f"<{type(self).__name__} {first}-{self.offset + len(self.items)} of {whole}>"

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_fetch": None}


class Page(_PageOf[T]):
    """One page of records. Iteration continues over the following pages, and fetches each when it is reached."""

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
        if not self.has_next or not self.items:
            return None
        page: Page[T] = self._after(self._request_next())
        return page


class AsyncPage(_PageOf[T]):
    """One page of records. ``async for`` continues over the following pages, and fetches each when it is reached."""

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
        if not self.has_next or not self.items:
            return None
        page: AsyncPage[T] = self._after(await self._request_next())
        return page


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
