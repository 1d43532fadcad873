"""What need not be given in a search or a condition may be null, as in any other body."""

from __future__ import annotations

import json
from typing import Any

import pytest

from server_stub import StubServer
from server_stub.request.http import Reply, Request

EMPTY = dict.fromkeys(("q", "filterGroups", "fields", "include", "sort"))
SET = {"op": "is_set", "value": None, "highValue": None, "values": None}
SEARCHES = [
    ("/contacts/search", "name", {}),
    ("/custom-objects/onboarding/records/search", "name", {}),
    ("/audit/logs/search", "action", {}),
    ("/search/advanced", "name", {"types": ["contact"]}),
]


def ask(stub: StubServer, path: str, body: Any) -> Reply:
    sent = {"authorization": "Bearer acme-admin", "content-type": "application/json"}
    return stub.handle(Request("POST", f"/platform/v1{path}", "", sent, json.dumps(body).encode()))


@pytest.mark.parametrize(("path", "field", "more"), SEARCHES)
def test_a_search_with_nothing_is_the_bare_one(stub: StubServer, path: str, field: str, more: dict[str, Any]) -> None:
    def found(**query: Any) -> Any:
        reply = ask(stub, path, {"limit": 5, **more, **query})
        assert reply.status == 200, reply.body
        answer = json.loads(reply.body)["data"]
        return [one.get("record", one)["id"] for one in (answer if isinstance(answer, list) else answer["hits"])]

    assert found(**EMPTY) == found()
    groups = [{"filters": [{"field": field, **SET}]}]
    bare = [{"filters": [{"field": field, "op": "is_set"}]}]
    assert found(**EMPTY | {"filterGroups": groups}) == found(filterGroups=bare)


def test_conditions_and_captures(stub: StubServer) -> None:
    conditions = [{"filters": [{"field": "name", **SET}]}]
    rules = [{"field": "industry", "op": "eq", "value": "x", "values": None}]
    for path, body in (
        ("/workflows", {"name": "Any", "entityType": "lead", "conditions": conditions}),
        ("/configuration/territories", {"name": "Any", "rules": rules}),
        ("/leads/capture/web-form", {"email": "ada@mill.example", "customFields": None}),
        ("/leads/capture/email", {"fromEmail": "bob@mill.example", "subject": "S", "body": "B", "attachments": None}),
    ):
        assert ask(stub, path, body).status == 201, path


@pytest.mark.parametrize("kind", ["accounts", "activities", "contacts", "deals", "leads", "faceted"])
def test_a_null_sort_is_none(stub: StubServer, kind: str) -> None:
    """Of the searches whose body is not a query of its own, but their arguments."""
    body = {"q": "acme", **({"type": "contact"} if kind == "faceted" else {})}
    with_null, without = (ask(stub, f"/search/{kind}", {**body, **more}) for more in ({"sort": None}, {}))
    assert (with_null.status, without.status) == (200, 200), with_null.body
    found, bare = (json.loads(reply.body)["data"] for reply in (with_null, without))
    assert type(found) is type(bare) and len(found) == len(bare)
