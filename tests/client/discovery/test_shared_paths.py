"""Where mvp and flow have the same method and path, the answer's shape tells which the server speaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import one_dialect
import pytest
from canned_answers import Canned
from one_dialect import NOWHERE, SERVERS

from crm_sdk import (
    UnsupportedOperationError,
)

Call = Callable[[Any], Any]
Make = Callable[..., Any]


@pytest.mark.parametrize("dialect", ["mvp", "flow"])
@pytest.mark.parametrize("noun", ["contacts", "conversations"])
def test_a_shared_path_is_read_by_its_shape(asking: Make, call: Call, dialect: str, noun: str) -> None:
    server = SERVERS[dialect]()
    client = asking(server)
    for _ in range(2):
        call(getattr(client, noun).list())
    assert [route for route in server.asked if "/v1" not in route] == [f"GET /api/{noun}"] * 2
    assert server.requests[-1].headers["x-crm-dialect"] == dialect
    assert client.finding.spoken == (dialect,)
    assert ("flow" in client.dialects) is (dialect == "flow")


def test_a_list_is_asked_for_again_where_the_dialects_ask_differently(asking: Make, call: Call) -> None:
    server = one_dialect.mvp()
    client = asking(server)
    for _ in range(2):
        assert call(client.notifications.list())[0].read is False
    asked = [request for request in server.requests if "/v1" not in request.url.path]
    assert [str(request.url.query, "ascii") for request in asked] == ["limit=50", "", ""]
    assert call(client.notifications.list(status="unread"))[0].metadata["leadId"] == "lead_123"


@pytest.mark.parametrize(
    ("dialect", "attempt", "able"),
    [
        ("mvp", lambda crm: crm.conversations.list(filter="unread"), ("flow",)),
        ("flow", lambda crm: crm.contacts.list(tags=["vip"]), ("mvp", "platform")),
    ],
)
def test_an_argument_that_the_server_would_pass_over_is_refused(
    asking: Make, call: Call, dialect: str, attempt: Any, able: tuple[str, ...]
) -> None:
    server = SERVERS[dialect]()
    client = asking(server)
    for _ in range(2):
        with pytest.raises(UnsupportedOperationError) as raised:
            call(attempt(client))
        assert raised.value.dialects == able
    assert [route for route in server.asked if "/v1" not in route][1:] == []


@pytest.mark.parametrize("dialect", ["mvp", "flow"])
@pytest.mark.parametrize("known", [False, True])
def test_what_is_written_to_a_shared_path_has_the_servers_names(
    asking: Make, call: Call, dialect: str, known: bool
) -> None:
    server = SERVERS[dialect]()
    client = asking(server)
    if known:
        call(client.contacts.list())
    for _ in range(2):
        call(client.contacts.create({"name": "Ada", "title": "CTO", "notes": ["first"]}))
    written = {"mvp": b'{"name":"Ada","position":"CTO","notes":"first"}', "flow": b'{"name":"Ada","title":"CTO",'}
    assert server.asked[-3:] == ["GET /api/contacts", "POST /api/contacts", "POST /api/contacts"]
    assert all(request.content.startswith(written[dialect]) for request in server.requests[-2:])


def test_where_the_list_tells_nothing_the_call_is_made_all_the_same(asking: Make, call: Call, server: Canned) -> None:
    server.does(NOWHERE["text"]).says({"error": {"code": "FORBIDDEN", "message": "no"}}, 403)
    server.says(one_dialect.FLOW_CONTACT, 201)
    assert call(asking(server).contacts.create({"name": "Ada", "title": "CTO"})).title == "CTO"
    assert [request.method for request in server.requests] == ["POST", "GET", "POST"]


def test_a_dialect_that_was_spoken_keeps_its_other_nouns(asking: Make, call: Call) -> None:
    mixed, lists = one_dialect.flow(), one_dialect.mvp()
    client = asking(lambda request: (lists if request.url.path == "/api/contacts" else mixed)(request))
    assert call(client.deals.list())[0].id == "deal_1"
    for _ in range(2):
        assert call(client.contacts.list())[0].id == "contact_123"
    with pytest.raises(UnsupportedOperationError, match="has no contacts in flow"):
        call(client.contacts.get("contact_123"))  # it would show the contact with other members
    assert call(client.deals.get("deal_1")).id == "deal_1"
    assert client.dialects == ("flow", "mvp")
