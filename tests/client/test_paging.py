"""Pages: in each dialect's own counting, there and back, and what happens between them."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import json
import pickle
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from canned_answers import LEAD, Canned
from hypothesis import given
from hypothesis import strategies as st

from crm_sdk import (
    AsyncPage,
    AsyncPages,
    ConfigurationError,
    CrmClient,
    InvalidInputError,
    InvalidResponseError,
    Page,
    ServerError,
)
from crm_sdk.declare import paginated
from crm_sdk.models import Lead
from crm_sdk.paging import by_offset, by_page
from crm_sdk.resource import Mode, Resource
from server_stub import StubServer

Make = Callable[..., Any]
Call = Callable[[Any], Any]


class Bells(Resource[Mode]):
    """A list that the flow document pages."""

    @paginated(flow="GET /api/bells limit offset", mvp="GET /api/bells -")
    def list(self, *, limit: int | None = None, offset: int | None = None, page: int | None = None) -> Page[Lead]:  # type: ignore[empty-body] # a declaration has none
        """List bells."""


def records(count: int) -> list[dict[str, Any]]:
    return [{**LEAD, "id": f"l{n}", "email": "a@b.co"} for n in range(count)]


def paged(count: int, dialect: str) -> Callable[[httpx.Request], httpx.Response]:
    """Answer as a server with so many records does."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked: dict[str, Any] = dict(request.url.params) or json.loads(request.content or b"{}")
        limit = min(int(asked.get("limit", 50)), 200)
        offset = (int(asked.get("page", 1)) - 1) * limit if dialect == "platform" else int(asked.get("offset", 0))
        items, more = records(count)[offset : offset + limit], offset + limit < count
        bodies: dict[str, Any] = {
            "mvp": {"leads": items, "total": count, "pagination": {"limit": limit, "offset": offset, "hasMore": more}},
            "flow": items,
            "platform": {
                "data": items,
                "meta": {"pagination": {"page": offset // limit + 1, "limit": limit, "total": count, "hasNext": more}},
            },
        }
        return httpx.Response(200, json=bodies[dialect])

    return answer


def first(call: Call, pages: Any) -> Any:
    async def awaited() -> Any:
        return await pages

    return call(awaited()) if inspect.isawaitable(pages) else pages


@pytest.mark.parametrize("dialect", ["mvp", "platform"])
def test_all_records_come_page_by_page(make: Make, call: Call, mode: str, server: Canned, dialect: str) -> None:
    server.does(paged(23, dialect))
    pages = make(dialects=dialect).leads.list(limit=10, status="new")
    assert isinstance(pages, Page if mode == "sync" else AsyncPages)
    assert [lead.id for lead in call(pages)] == [f"l{n}" for n in range(23)]
    windows = {
        "mvp": ["limit=10", "limit=11&offset=9", "limit=11&offset=19"],  # each begins with a record that is known
        "platform": ["limit=10", "limit=10&page=2", "limit=10&page=3"],
    }
    assert ["limit" + path.partition("limit")[2] for path in server.paths] == windows[dialect]
    assert all("status=new" in path for path in server.paths)


@pytest.mark.parametrize("dialect", ["mvp", "platform"])
def test_a_page_knows_where_it_stands(make: Make, call: Call, server: Canned, dialect: str) -> None:
    server.does(paged(23, dialect))
    leads = make(dialects=dialect).leads
    page = first(call, leads.list(limit=10, page=2))
    assert (len(page.items), page.limit, page.offset, page.page, page.total) == (10, 10, 10, 2, 23)
    assert (page.has_prev, page.has_next) == (True, True)
    assert repr(page).endswith("Page 11-20 of 23>")
    last = first(call, page.next_page())
    assert (len(last.items), last.page, last.has_next) == (3, 3, False)
    assert first(call, last.next_page()) is None
    beyond = first(call, leads.list(limit=10, page=9))
    assert (beyond.items, beyond.total, first(call, beyond.next_page())) == ([], 23, None)
    by_offset_too = first(call, leads.list(limit=10, offset=10))
    assert [lead.id for lead in by_offset_too.items] == [lead.id for lead in page.items]
    assert first(call, by_offset_too.next_page()).page == 3


def test_pages_one_by_one(make: Make, call: Call, mode: str, server: Canned) -> None:
    server.does(paged(5, "mvp"))
    pages = make().leads.list(limit=2)

    async def lengths() -> list[int]:
        return [len(page.items) async for page in pages.pages()]

    found = [len(page.items) for page in pages.pages()] if mode == "sync" else call(lengths())
    assert found == [2, 2, 1]


def test_nothing_is_fetched_before_it_is_reached(make: Make, server: Canned, mode: str) -> None:
    server.does(paged(23, "mvp"))
    pages = make().leads.list(limit=10)

    async def take(count: int) -> None:
        async for _ in pages:
            count -= 1
            if not count:
                return

    if mode == "async":
        assert server.requests == [], "a list that nobody awaits asks nothing"
        asyncio.run(take(10))
    else:
        for n, _ in enumerate(pages):
            if n == 9:
                break
    assert len(server.requests) == 1


def test_an_async_list_can_be_gone_through_again(make: Make, call: Call, mode: str, server: Canned) -> None:
    server.does(paged(3, "mvp"))
    pages = make().leads.list()
    assert len(call(pages)) == len(call(pages)) == 3
    assert len(server.requests) == (1 if mode == "sync" else 2)


def test_a_search_carries_its_page_in_its_body(make: Make, call: Call, server: Canned) -> None:
    server.does(paged(5, "platform"))
    found = call(
        make().contacts.search({"q": "x", "limit": 2, "filterGroups": [{"filters": [{"field": "a", "op": "eq"}]}]})
    )
    assert len(found) == 5
    assert [server.body(n).get("page") for n in range(3)] == [None, 2, 3]
    groups = [{"filters": [{"field": "a", "op": "eq"}]}]
    assert all(
        server.body(n) | {"page": 0} == {"q": "x", "limit": 2, "filterGroups": groups, "page": 0} for n in range(3)
    )


def test_where_no_page_tells_of_more_a_full_one_is_followed(make: Make, call: Call, server: Canned) -> None:
    server.does(paged(120, "flow"))
    bells: Any = Bells(make(dialects="flow"))
    assert len(call(bells.list())) == 120
    assert server.paths == ["/api/bells?limit=50", "/api/bells?limit=51&offset=49", "/api/bells?limit=51&offset=99"]
    page = first(call, bells.list(page=2, limit=30))
    assert (page.offset, page.page, page.total, page.has_next) == (30, 2, None, True)
    server.requests.clear()
    assert len(call(bells.list(limit=40))) == 120
    assert len(server.requests) == 4, "the last full page may be followed by another: it is asked for"


def test_a_list_without_pages_is_one_page(make: Make, call: Call, server: Canned) -> None:
    server.says({"bells": records(3)})
    page = first(call, Bells(make(dialects="mvp")).list())
    assert (page.limit, page.page, page.total, page.has_next, len(page.items)) == (None, 1, None, False, 3)
    assert server.paths == ["/api/bells"]


def test_a_server_that_gives_the_same_page_again_is_found_out(make: Make, call: Call, server: Canned) -> None:
    server.says({"leads": records(2), "total": 9, "pagination": {"limit": 2, "offset": 0, "hasMore": True}})
    with pytest.raises(InvalidResponseError, match="what it did before"):
        call(make().leads.list())
    assert len(server.requests) < 25


def test_a_failure_on_the_way_is_the_callers(make: Make, call: Call, server: Canned) -> None:
    server.does(paged(30, "mvp")).says({"error": {"code": "X", "message": "m"}}, 500)
    with pytest.raises(ServerError):
        call(make().leads.list(limit=10))


def test_the_next_page_comes_from_the_same_dialect(make: Make, call: Call, server: Canned) -> None:
    server.does(paged(23, "platform"))
    assert len(call(make().leads.list(limit=10, search="x"))) == 23
    assert all(path.startswith("/v1/leads?") for path in server.paths)


def test_an_unpickled_page_has_its_records_and_no_client(make: Make, call: Call, mode: str, server: Canned) -> None:
    server.does(paged(23, "mvp"))
    page = first(call, make().leads.list(limit=10))
    again = pickle.loads(pickle.dumps(page))
    assert isinstance(again, Page if mode == "sync" else AsyncPage)
    assert (again.items, again.total, again.has_next) == (page.items, 23, True)
    with pytest.raises(ConfigurationError, match="list again"):
        first(call, again.next_page())


def test_counting_in_records() -> None:
    assert by_offset({"page": 3, "limit": 20, "a": 1}) == {"offset": 40, "limit": 20, "a": 1}
    assert by_offset({"page": 2}) == {"offset": 50, "limit": 50}
    assert by_offset({"offset": 7}) == {"offset": 7}
    assert by_offset({}) == {}


def test_counting_in_pages() -> None:
    assert by_page({"offset": 40, "limit": 20, "a": 1}) == {"page": 3, "limit": 20, "a": 1}
    assert by_page({"offset": 100}) == {"page": 3, "limit": 50}
    assert by_page({"offset": 0, "limit": 7}) == {"limit": 7}
    assert by_page({"page": 4}) == {"page": 4}


@pytest.mark.parametrize("translate", [by_offset, by_page])
@pytest.mark.parametrize(
    ("given", "field"),
    [({"page": 1, "offset": 0}, "page"), ({"page": 0}, "page"), ({"page": -2}, "page"), ({"offset": -50}, "offset")],
)
def test_what_is_no_page_is_refused(translate: Any, given: dict[str, int], field: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        translate(given)
    assert [wrong.field for wrong in raised.value.fields] == [field]


@pytest.mark.parametrize("given", [{"offset": 7, "limit": 5}, {"offset": 10}])
def test_an_offset_between_two_pages_is_refused_by_who_counts_pages(
    make: Make, call: Call, server: Canned, given: dict[str, int]
) -> None:
    with pytest.raises(InvalidInputError, match="counts in pages") as raised:
        call(make(dialects="platform").leads.list(**given))
    assert [wrong.field for wrong in raised.value.fields] == ["offset"]
    assert server.requests == []


class Living:
    """A list of records as a server of a dialect pages it, which changes between two requests."""

    def __init__(self, dialect: str, count: int, changes: list[tuple[str, int]]) -> None:
        self.dialect, self.ids, self.made = dialect, [f"l{n}" for n in range(count)], count
        self.changes, self.gone = changes, set[str]()
        self.asked = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.asked and self.changes:
            self.change(*self.changes.pop(0))
        self.asked += 1
        asked: dict[str, Any] = dict(request.url.params)
        limit = int(asked.get("limit", 50))
        offset = (int(asked.get("page", 1)) - 1) * limit if self.dialect == "platform" else int(asked.get("offset", 0))
        items, more = self.ids[offset : offset + limit], offset + limit < len(self.ids)
        listed = [{**LEAD, "id": id, "email": "a@b.co"} for id in items]
        total = len(self.ids)
        if self.dialect == "platform":
            page = {"page": offset // limit + 1, "limit": limit, "total": total, "hasNext": more}
            return httpx.Response(200, json={"data": listed, "meta": {"pagination": page}})
        return httpx.Response(200, json={"leads": listed, "total": total, "pagination": {"hasMore": more}})

    def change(self, what: str, at: int) -> None:
        if what == "create":
            self.made += 1
            self.ids.insert(at % (len(self.ids) + 1), f"l{self.made}")
            return
        for _ in range(8):
            if self.ids:
                self.gone.add(self.ids.pop((at * 7) % len(self.ids)))


@given(
    dialect=st.sampled_from(["mvp", "platform"]),
    count=st.integers(0, 60),
    limit=st.integers(1, 12),
    changes=st.lists(st.tuples(st.sampled_from(["create", "delete"]), st.integers(0, 59)), max_size=8),
)
def test_what_lives_is_reached_once_while_others_change_the_list(
    dialect: str, count: int, limit: int, changes: list[tuple[str, int]]
) -> None:
    if dialect == "platform":  # its pages do not overlap: only a smaller total shows that records have moved up
        changes = [change for change in changes if change[0] == "delete"]
    server = Living(dialect, count, list(changes))
    client = CrmClient("http://crm.test", "k", dialects=dialect, http_client=httpx.MockTransport(server))
    reached = [lead.id for lead in client.leads.list(limit=limit)]
    assert len(reached) == len(set(reached))
    assert {f"l{n}" for n in range(count)} - server.gone <= set(reached)


@pytest.mark.parametrize("dialect", ["mvp", "platform"])
@pytest.mark.parametrize("what", ["leave the filter", "move to the end", "delete"])
def test_each_record_can_be_changed_as_it_comes(stub: StubServer, dialect: str, what: str) -> None:
    client = stub.client(dialects=dialect)
    for n in range(70):
        client.leads.create({"name": f"New {n}"})
    listing: dict[str, Any] = {"status": "new", "limit": 25}
    if what == "move to the end" and dialect == "platform":
        listing |= {"sort": "updated_at", "order": "asc"}
    before = {lead.id for lead in client.leads.list(**listing)}
    reached: list[str] = []
    for lead in client.leads.list(**listing):
        reached.append(lead.id)
        if what == "delete":
            client.leads.delete(lead.id)
        else:
            client.leads.update(lead.id, {"status": "contacted"} if what == "leave the filter" else {"company": "Acme"})
    assert (set(reached), len(reached)) == (before, len(before))


def test_an_empty_page_that_others_follow_is_an_error(make: Make, call: Call, server: Canned) -> None:
    server.says({"leads": [], "pagination": {"hasMore": True}})
    with pytest.raises(InvalidResponseError, match="more follows"):
        call(make(dialects="mvp").leads.list())


def test_a_server_without_an_end_is_found_out(make: Make, call: Call, server: Canned) -> None:
    asked = itertools.count()
    window = {"pagination": {"hasMore": True}}
    server.does(lambda request: httpx.Response(200, json={"leads": [records(3)[next(asked) % 3]], **window}))
    with pytest.raises(InvalidResponseError, match="what it did before"):
        call(make(dialects="mvp").leads.list(limit=1))
    assert len(server.requests) < 400


def test_a_page_is_a_sequence_of_its_own_records(make: Make, call: Call, server: Canned) -> None:
    server.does(paged(23, "mvp"))
    page = first(call, make().leads.list(limit=10))
    assert (len(page), bool(page), page[0].id, page[-1].id) == (10, True, "l0", "l9")
    assert [lead.id for lead in page[:2]] == ["l0", "l1"]
    assert not first(call, make().leads.list(limit=10, offset=30))
