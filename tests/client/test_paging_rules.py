"""The rules of pages by themselves: what follows, when a server repeats itself, which windows are asked for."""

from __future__ import annotations

import asyncio
import itertools
from types import SimpleNamespace as Of
from typing import Any

import pytest

from crm_sdk import AsyncPage, InvalidInputError, InvalidResponseError, Page
from crm_sdk.paging import DEFAULT_LIMIT, Window, by_offset, by_page


class Server:
    """A list of so many records in windows, which notes what it is asked for."""

    def __init__(self, items: list[Any], *, ends: bool = True, by_page: bool = False) -> None:
        self.items, self.ends, self.by_page = items, ends, by_page
        self.asked: list[tuple[int, int]] = []

    def window(self, offset: int, limit: int) -> tuple[list[Any], Window]:
        found = self.items[offset : offset + limit]
        more = offset + limit < len(self.items)
        if not self.ends:
            found, more = self.items[:limit], True
        return found, Window(limit, offset, None, more, self.by_page)

    def page(self, offset: int, limit: int) -> Page[Any]:
        self.asked.append((offset, limit))
        return Page(*self.window(offset, limit), self.page)

    async def async_page(self, offset: int, limit: int) -> AsyncPage[Any]:
        self.asked.append((offset, limit))
        return AsyncPage(*self.window(offset, limit), self.async_page)


def named(count: int) -> list[Any]:
    return [Of(id=f"r{number}") for number in range(count)]


def test_windows_begin_with_the_last_known_record_where_records_are_known_by_ids() -> None:
    server = Server(named(7))
    assert [item.id for item in server.page(0, 3)] == [f"r{number}" for number in range(7)]
    assert server.asked == [(0, 3), (2, 4), (5, 4)]
    server = Server(["a", "b", "c", "d", "e"])
    assert list(server.page(0, 2)) == ["a", "b", "c", "d", "e"] and server.asked == [(0, 2), (2, 2), (4, 2)]
    server = Server(named(5), by_page=True)
    assert [item.id for item in server.page(0, 2)] == [f"r{number}" for number in range(5)]
    assert server.asked == [(0, 2), (2, 2), (4, 2)]


@pytest.mark.parametrize("items", [["a", "b"], named(2)], ids=["texts", "records"])
def test_a_server_that_repeats_itself_is_found_out(items: list[Any]) -> None:
    server = Server(items, ends=False)
    with pytest.raises(InvalidResponseError, match="answers what it did before"):
        list(itertools.islice(server.page(0, 2), 500))
    assert len(server.asked) < 400
    others = Server(items, ends=False)

    async def main() -> None:
        async for _ in await others.async_page(0, 2):
            assert len(others.asked) < 400

    with pytest.raises(InvalidResponseError, match="answers what it did before"):
        asyncio.run(main())
    assert len(others.asked) == len(server.asked)


def test_texts_that_are_equal_are_read_as_often_as_they_come() -> None:
    assert list(Server(["a", "a", "b", "a", "a", "c"]).page(0, 2)) == ["a", "a", "b", "a", "a", "c"]


def test_a_page_knows_its_number_and_what_is_before_it() -> None:
    server = Server(named(5))
    pages = list(server.page(0, 2).pages())
    assert [(page.page, page.has_prev, page.has_next, len(page)) for page in pages] == [
        (1, False, True, 2), (2, True, True, 2), (3, True, False, 1),
    ]  # fmt: skip
    assert [repr(page) for page in pages] == ["<Page 1-2 of ?>", "<Page 3-4 of ?>", "<Page 5-5 of ?>"]
    empty: Page[Any] = Page([], Window(None, 0, 0), None)
    assert (empty.page, empty.has_prev, empty.next_page(), repr(empty)) == (1, False, None, "<Page 0-0 of 0>")


def test_pages_and_offsets_are_counted_into_one_another() -> None:
    assert by_offset({"page": 3}) == {"limit": DEFAULT_LIMIT, "offset": 2 * DEFAULT_LIMIT}
    assert by_offset({"page": 1, "limit": 7}) == {"limit": 7, "offset": 0} and by_offset({"offset": 5}) == {"offset": 5}
    assert by_page({"offset": 0}) == {} and by_page({"offset": 14, "limit": 7}) == {"limit": 7, "page": 3}
    assert by_page({"offset": DEFAULT_LIMIT}) == {"limit": DEFAULT_LIMIT, "page": 2} and by_page({"page": 1}) == {
        "page": 1
    }
    for count, wrong in (
        (by_offset, {"page": 0}), (by_page, {"offset": -1}), (by_page, {"page": 1, "offset": 0}),
        (by_page, {"offset": 5, "limit": 0}), (by_page, {"offset": 8, "limit": 7}),
    ):  # fmt: skip
        with pytest.raises(InvalidInputError):
            count(wrong)
