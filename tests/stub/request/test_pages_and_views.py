"""The page of a list that is answered, and a list as a layout has it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.request.http import Request
from server_stub.request.reading.views import View, in_order_of

COUNT = 60


@pytest.fixture(scope="module")
def shared() -> StubServer:
    """A server with sixty leads of one kind more."""
    stub = StubServer()
    leads = stub.store.collection("tenant_acme", "lead")
    like = leads.all()[0]
    for number in range(COUNT):
        id = f"lead_new{number:02}"
        new = {"id": id, "name": f"New {number:02}", "campaign": "C", "score": number % 7, "tags": ["paged"]}
        leads.put(like | new | {"external_id": None})
    return stub


@pytest.fixture
def stub(restored: StubServer) -> StubServer:
    return restored


def ask(stub: StubServer, path: str, method: str = "GET", body: Any = None) -> tuple[int, Any]:
    headers = {"authorization": "Bearer acme-admin", "content-type": "application/json"}
    path, _, query = path.partition("?")
    reply = stub.handle(Request(method, path, query, headers, json.dumps(body).encode() if body is not None else b""))
    return reply.status, json.loads(reply.body)


def listed(stub: StubServer, query: str) -> Any:
    words = ("tags=paged", "sort=name", query)
    status, answer = ask(stub, f"/v1/leads?{'&'.join(filter(None, words))}")
    assert status == 200, answer
    return answer


def test_the_page_that_is_answered(stub: StubServer) -> None:
    for query, limit, first, count in (
        ("", 50, 0, 50), ("limit=7", 7, 0, 7), ("page=2", 50, 50, 10), ("limit=7&page=3", 7, 14, 7),
        ("limit=7&page=9", 7, 56, 4), ("limit=7&page=10", 7, 63, 0), ("limit=200", 200, 0, 60),
        ("limit=5&page=1", 5, 0, 5),
    ):  # fmt: skip
        answer = listed(stub, query)
        names = [f"New {number:02}" for number in range(first, first + count)]
        assert [one["name"] for one in answer["data"]] == names, query
        assert answer["meta"]["pagination"] == {
            "page": first // limit + 1, "limit": limit, "total": COUNT, "hasNext": first + limit < COUNT,
            "hasPrev": first > 0,
        }, query  # fmt: skip


def test_how_many_records_a_page_has_is_a_setting(stub: StubServer) -> None:
    stub.client(dialects="platform").configuration.settings.update({"records.page_size": 10})
    assert [len(listed(stub, query)["data"]) for query in ("", "limit=12", "page=6", "page=7")] == [10, 12, 10, 0]
    others = ask(stub, "/mvp/api/leads")[1]
    assert len(others["leads"]) == min(50, others["total"]) != 10, "of the platform alone"


ORDERS: list[tuple[list[tuple[str, str]], str]] = [
    ([], "badce"),
    ([("n", "asc")], "bdace"),
    ([("n", "desc")], "cadbe"),
    ([("m", "asc"), ("n", "desc")], "dbace"),
    ([("n", "asc"), ("m", "desc")], "bdace"),
    ([("k", "asc"), ("n", "asc")], "bdace"),
    ([("k", "asc"), ("n", "desc")], "acdbe"),
    ([("k", "desc"), ("n", "asc")], "bdcae"),
    ([("m", "desc")], "cabde"),
    ([("name", "asc")], "abcde"),
    ([("name", "desc")], "edcba"),
]
"""Equals by all keys are in the order of ids, the way the first key goes; what has no value comes last."""


def test_the_order_of_a_layout() -> None:
    docs = [
        Document(id=id, n=n, m=m, k=1, name=name)
        for id, n, m, name in (
            ("b", 1, 2, "B"), ("a", 3, 9, "Á"), ("d", 2, 1, "d"), ("c", 3, 9, "c"), ("e", None, None, "é"),
        )
    ]  # fmt: skip

    def ordered(order: list[tuple[str, str]]) -> str:
        return "".join(doc["id"] for doc in in_order_of(docs, [{"key": key, "order": way} for key, way in order]))

    assert [(order, ordered(order)) for order, _ in ORDERS] == ORDERS


def layout(stub: StubServer, **members: Any) -> str:
    body = {
        "entity": "lead",
        "kind": "list",
        "name": "V",
        "columns": [{"field": "name"}, {"field": "score"}],
        **members,
    }
    status, answer = ask(stub, "/v1/customization/layouts", "POST", body)
    assert status == 201, answer
    return str(answer["data"]["id"])


def test_a_list_through_a_view(stub: StubServer) -> None:
    few = [{"filters": [{"field": "score", "op": "gte", "value": 5}, {"field": "campaign", "op": "eq", "value": "C"}]}]
    id = layout(stub, filterGroups=few, sort=[{"key": "score", "order": "desc"}, {"key": "name", "order": "asc"}])

    def seen(query: str = "") -> list[dict[str, Any]]:
        status, answer = ask(stub, f"/v1/leads?view={id}&limit=100{query}")
        assert status == 200, answer
        found: list[dict[str, Any]] = answer["data"]
        return found

    wanted = [(number % 7, f"New {number:02}") for number in range(COUNT) if number % 7 >= 5]
    found = seen()
    assert [(one["score"], one["name"]) for one in found] == sorted(wanted, key=lambda one: (-one[0], one[1]))
    assert {frozenset(one) for one in found} == {frozenset({"id", "version", "name", "score"})}
    by_name = [one["name"] for one in seen("&sort=name")]
    assert by_name == sorted(name for _, name in wanted), "the call says itself what it is sorted by"
    assert {"email"} <= {name for one in seen("&fields=email") for name in one}
    assert len(seen("&search=new%2005")) == 1
    for path, view in (("/v1/contacts", id), ("/v1/leads", "layout_none")):
        status, answer = ask(stub, f"{path}?view={view}")
        (wrong,) = answer["errors"]
        assert (status, wrong["code"], wrong["field"]) == (422, "REFERENCE_NOT_FOUND", "view")
        assert wrong["message"].endswith(f"has the id {view!r}")
    others = ask(stub, f"/mvp/api/leads?view={id}")
    assert others[0] == 200 and others[1]["total"] > COUNT, "only the platform has views"


def test_the_columns_of_a_view_that_are_of_its_records(stub: StubServer) -> None:
    """A field of a custom object is there by its own name; what other records have is read from there."""
    columns = [{"field": name} for name in ("id", "ownerId", "size", "account.name", "fields.size")]
    known: Any = ({"fields.size": "number"}, None)
    view = View(Document(columns=columns), known, [stub.nouns["record"]], sorted=False)
    assert view.fields == ["id", "ownerId", "fields.size", "fields.size"]
