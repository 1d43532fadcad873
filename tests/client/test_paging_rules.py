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


def scripted(*windows: tuple[list[Any], Window]) -> tuple[Page[Any], list[tuple[int, int]]]:
    """Return the first of some pages, which a server answers one after another, and what it is asked for."""
    left, asked = list(windows), list[tuple[int, int]]()

    def fetch(offset: int, limit: int) -> Page[Any]:
        asked.append((offset, limit))
        return Page(*left.pop(0), fetch)

    return Page(*left.pop(0), fetch), asked


@pytest.mark.parametrize("times", [1, 8, 9])
def test_a_page_may_come_8_times_again(times: int) -> None:
    items = named(4)
    again = (items[:1], Window(1, 0, None, True))
    page, _ = scripted(again, *[again] * times, (items, Window(4, 0)))
    if times < 9:
        assert list(page) == items
        return
    with pytest.raises(InvalidResponseError, match="answers what it did before instead of the page after <Page 1-1"):
        list(page)


@pytest.mark.parametrize(("times", "number"), [(100, 0), (101, 0), (102, 1), (103, 1)])
def test_so_many_pages_may_have_nothing_new(times: int, number: int) -> None:
    items = named(6)
    begin = [(items[:2], Window(2, 0, None, True)), *[(items[1:4], Window(3, 1, None, True))][:number]]
    known = [([begin[-1][0][-1 - at % 2]], Window(1, 0, None, True)) for at in range(times)]
    page, _ = scripted(*begin, *known, (items[2 * number :], Window(6, 2 * number)))
    if times <= 100 + 2 * number:
        assert list(page) == items
        return
    with pytest.raises(InvalidResponseError, match="answers what it did before"):
        list(page)


@pytest.mark.parametrize(
    ("limit", "asked"), [(1, (0, 2)), (50, (49, 51)), (199, (198, 200)), (200, (199, 200)), (None, (1, 51))]
)
def test_a_window_is_one_longer_than_its_page_as_far_as_a_page_may_be(
    limit: int | None, asked: tuple[int, int]
) -> None:
    items = named(limit or 2)
    page, noted = scripted((items, Window(limit, 0, None, True)), (items[-1:], Window(limit, 0, None)))
    assert page.next_page() is None and noted == [asked]


@pytest.mark.parametrize("items", [["a", "b"], [Of(id=None), Of(id="")], [Of(id=1), Of(id=2)]], ids=["a", "", "1"])
def test_what_has_no_id_is_known_by_nothing(items: list[Any]) -> None:
    page, asked = scripted((items, Window(2, 0, None, True)), (items[:1], Window(2, 2)))
    assert list(page) == [*items, items[0]] and asked == [(2, 2)]


@pytest.mark.parametrize(("total", "asked"), [(4, [(2, 2)]), (3, [(2, 2), (0, 2)])])
def test_who_counts_pages_is_asked_for_an_earlier_one_where_the_total_shrank(
    total: int, asked: list[tuple[int, int]]
) -> None:
    items = named(4)
    page, noted = scripted(
        (items[:2], Window(2, 0, 4, True, True)),
        (items[4 - total + 2 :], Window(2, 2, total, False, True)),
        (items[1:3], Window(2, 0, total, True, True)),
        (items[3:], Window(2, 2, total, False, True)),
    )
    following = page.next_page()
    assert following is not None and noted == asked
    assert [item.id for item in following] == ["r2", "r3"]


@pytest.mark.parametrize(
    ("found", "asks_again", "following"), [([1], False, []), ([0, 2], False, [2]), ([0], True, [2]), ([2], True, [2])]
)
def test_a_window_joins_where_nothing_can_be_left_out_before_it(
    found: list[int], asks_again: bool, following: list[int]
) -> None:
    items = named(3)
    first, window = (items[:2], Window(2, 0, None, True)), ([items[at] for at in found], Window(2, 1))
    page, noted = scripted(first, window, (items, Window(3, 0)))
    assert [item.id for item in page.next_page() or ()] == [f"r{at}" for at in following]
    assert noted == [(1, 3), (0, 3)][: 1 + asks_again]


@pytest.mark.parametrize(("writes", "asked"), [(0, (2, 2)), (1, (0, 2))])
def test_a_page_is_asked_for_again_after_a_write_where_no_window_can_overlap(
    writes: int, asked: tuple[int, int]
) -> None:
    items, written, noted = named(4), [0], list[tuple[int, int]]()

    def fetch(offset: int, limit: int) -> Page[Any]:
        noted.append((offset, limit))
        return Page(items[offset : offset + limit], Window(2, offset, 4, offset < 2, True), fetch, lambda: written[0])

    page = fetch(0, 2)
    written[0] += writes
    following = page.next_page()
    assert following is not None and [item.id for item in following.items] == ["r2", "r3"]
    assert noted == [(0, 2), asked, (2, 2)][: 2 + writes]


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
    assert by_page({"offset": 5, "limit": 1}) == {"limit": 1, "page": 6}
    assert by_page({"offset": DEFAULT_LIMIT}) == {"limit": DEFAULT_LIMIT, "page": 2} and by_page({"page": 1}) == {
        "page": 1
    }
    for count, wrong in (
        (by_offset, {"page": 0}), (by_page, {"offset": -1}), (by_page, {"page": 1, "offset": 0}),
        (by_page, {"offset": 5, "limit": 0}), (by_page, {"offset": 8, "limit": 7}),
    ):  # fmt: skip
        with pytest.raises(InvalidInputError):
            count(wrong)
