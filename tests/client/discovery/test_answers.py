"""What an answer shows about the dialects of a server, and what it does not."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import httpx
import one_dialect
import pytest
from canned_answers import LEAD, Canned
from one_dialect import NOWHERE, SERVERS

from crm_sdk import (
    AuthenticationError,
    CrmError,
    InvalidResponseError,
    NotFoundError,
    PermissionDeniedError,
    UnsupportedOperationError,
)
from crm_sdk.dialects import RICHEST_FIRST
from server_stub import StubServer

Call = Callable[[Any], Any]
Make = Callable[..., Any]


@pytest.mark.parametrize(
    ("dialect", "get"),
    [
        ("platform", lambda crm: crm.leads.get("none")),
        ("flow", lambda crm: crm.calendar.events.get("none")),
    ],
)
def test_a_record_that_is_missing_confirms_the_dialect(asking: Make, call: Call, dialect: str, get: Any) -> None:
    server = SERVERS[dialect]()
    client = asking(server)
    with pytest.raises(NotFoundError, match=f"NOT_FOUND.*; tried {dialect}]") as raised:
        call(get(client))
    assert raised.value.dialects == (dialect,)
    assert len(server.requests) == 1
    assert client.dialects == RICHEST_FIRST
    assert client.finding.spoken == (dialect,)


def test_a_record_that_is_missing_ends_the_search_where_it_is_told(asking: Make, call: Call) -> None:
    server = one_dialect.mvp()
    client = asking(server)
    with pytest.raises(NotFoundError, match="tried platform, mvp") as raised:
        call(client.leads.get("none"))
    assert (raised.value.code, raised.value.dialects) == ("NOT_FOUND", ("platform", "mvp"))
    assert client.dialects == ("flow", "mvp")
    assert call(client.leads.get("lead_123")).id == "lead_123"
    assert server.asked[2:] == ["GET /api/leads/lead_123"]


@pytest.mark.parametrize("nowhere", NOWHERE)
def test_a_spoken_dialect_that_lacks_a_noun_is_not_struck_off(asking: Make, call: Call, nowhere: str) -> None:
    wide, narrow = one_dialect.platform(), one_dialect.flow(nowhere)

    def server(request: httpx.Request) -> httpx.Response:
        return (narrow if "contacts" in request.url.path else wide)(request)

    client = asking(server)
    call(client.leads.list())
    if nowhere.startswith("gateway"):  # then it is the caller who is refused
        with pytest.raises((AuthenticationError, PermissionDeniedError)):
            call(client.contacts.list())
        return
    for _ in range(2):
        assert call(client.contacts.list())[0].health_score == 80
        call(client.leads.list())
    assert call(client.contacts.get("contact_1")).health_score == 80
    assert narrow.asked == [
        "GET /v1/contacts",
        "GET /api/contacts",
        "GET /api/contacts",
        "GET /api/contacts/contact_1",
    ]
    assert client.dialects == RICHEST_FIRST


def test_a_noun_that_was_answered_is_not_looked_for_in_another_dialect(asking: Make, call: Call) -> None:
    wide, narrow = one_dialect.platform(), one_dialect.mvp()

    def server(request: httpx.Request) -> httpx.Response:
        return (
            httpx.Response(404)
            if request.method == "DELETE"
            else (wide if "/v1" in str(request.url) else narrow)(request)
        )

    client = asking(server)
    call(client.leads.list())
    with pytest.raises(NotFoundError, match="tried platform]"):
        call(client.leads.delete("lead_1"))
    assert narrow.requests == []
    assert client.dialects == RICHEST_FIRST


@pytest.mark.parametrize("status", [400, 409, 422, 429, 500, 503, 301])
def test_other_answers_show_nothing(asking: Make, call: Call, server: Canned, status: int) -> None:
    client = asking(server.says({"message": "?"}, status), max_retries=0)
    with pytest.raises(Exception, match=str(status)):
        call(client.leads.list())
    assert len(server.requests) == 1
    assert (client.dialects, client.finding.spoken) == (RICHEST_FIRST, ())


@pytest.mark.parametrize("nowhere", NOWHERE)
def test_nothing_is_kept_of_an_outage(asking: Make, call: Call, nowhere: str) -> None:
    wide = one_dialect.platform()
    down = [NOWHERE[nowhere]]
    client = asking(lambda request: (down[0] if down else wide)(request))
    for attempt in (
        client.leads.list,
        client.calendar.events.list,
        client.contacts.list,
        lambda: client.leads.get("lead_1"),
    ):
        with pytest.raises(CrmError):
            call(attempt())
    down.clear()
    if nowhere == "its own word":  # that is no gateway's: a server has said that it does not have them
        with pytest.raises(UnsupportedOperationError):
            call(client.leads.list())
        return
    assert call(client.leads.list())[0].tags == ["vip"]
    assert client.dialects == RICHEST_FIRST


def test_a_gateway_that_refuses_everybody_strikes_nothing_off(asking: Make, call: Call) -> None:
    server = one_dialect.platform("gateway 401")
    client = asking(server)
    call(client.leads.list())
    for _ in range(2):
        with pytest.raises(AuthenticationError) as raised:
            call(client.calendar.events.list())  # the key may not be one for these
        assert raised.value.dialects == ("flow",)
    assert client.dialects == RICHEST_FIRST


READS = [
    lambda crm: crm.leads.list(),
    lambda crm: crm.leads.get("lead_1"),
    lambda crm: crm.leads.create({"name": "Ada"}),
    lambda crm: crm.leads.delete("lead_1"),
]


@pytest.mark.parametrize(
    ("attempt", "kind"),
    [
        *((attempt, kind) for attempt in READS for kind in ("text/html; charset=utf-8", "text/plain")),
        (lambda crm: crm.contacts.export(), "text/html"),
    ],
)
def test_a_page_of_html_is_an_error_that_says_what_to_do(
    asking: Make, call: Call, server: Canned, attempt: Any, kind: str
) -> None:
    client = asking(server.says(content=b"<!doctype html><div id=app></div>", content_type=kind), max_connections=1)
    for _ in range(2):
        with pytest.raises(InvalidResponseError, match="dialects="):
            call(attempt(client))
    assert len(server.requests) == 2
    assert (client.dialects, client.finding.spoken) == (RICHEST_FIRST, ())


def test_an_unreadable_answer_says_what_to_do_only_while_the_dialect_is_in_doubt(
    asking: Make, call: Call, server: Canned
) -> None:
    server.says([1]).says({"success": True, "data": LEAD}).says([1])
    client = asking(server)
    with pytest.raises(InvalidResponseError, match="dialects="):
        call(client.leads.get("lead_1"))
    assert call(client.leads.get("lead_1")).name == "Ada"
    with pytest.raises(InvalidResponseError) as raised:
        call(client.leads.get("lead_1"))
    assert "dialects=" not in str(raised.value)


def test_a_call_no_dialect_is_left_for_is_refused_before_anything_is_sent(asking: Make, call: Call) -> None:
    server = one_dialect.mvp()
    client = asking(server)
    call(client.leads.list())
    with pytest.raises(NotFoundError, match="tried flow"):
        call(client.calendar.events.list())
    asked = len(server.requests)
    assert client.dialects == ("mvp",)
    for attempt, able in (
        (client.calendar.events.list, ("flow",)),
        (lambda: client.leads.convert("lead_123"), ("platform",)),
        (lambda: client.leads.update("lead_123", {"tags": ["a"]}), ("platform",)),
        (lambda: client.contacts.get("contact_123"), ("flow", "platform")),
    ):
        with pytest.raises(UnsupportedOperationError, match=f"in {' and '.join(able)}") as raised:
            call(attempt())
        assert raised.value.dialects == able
        assert f"dialects={able[0]!r}" in str(raised.value)
    assert len(server.requests) == asked


def test_without_any_dialect_left_every_call_says_so(asking: Make, call: Call, server: Canned) -> None:
    client = asking(server.does(NOWHERE["its own word"]))
    for attempt in (client.leads.list, client.calendar.events.list):
        with pytest.raises(NotFoundError):
            call(attempt())
    assert client.dialects == ()
    with pytest.raises(UnsupportedOperationError, match="no dialect is left"):
        call(client.leads.list())


def test_an_argument_that_keeps_a_call_from_the_servers_dialect_is_named(asking: Make, call: Call) -> None:
    client = asking(one_dialect.flow())
    with pytest.raises(NotFoundError, match=r"flow does not document limit; .*tried platform]"):
        call(client.contacts.list(limit=5))
    call(client.contacts.list())
    with pytest.raises(UnsupportedOperationError) as raised:
        call(client.contacts.list(limit=5))
    assert raised.value.lacking == {"flow": ["limit"], "mvp": ["limit"]}
    assert raised.value.dialects == ("platform",)


@pytest.mark.parametrize(
    ("listen", "dialect"),
    [
        (lambda crm: crm.events.listen(), "mvp"),
        (lambda crm: crm.channels.join("user:user_1:deals"), "flow"),
    ],
)
def test_a_live_link_is_a_call_of_its_document(make: Make, asking: Make, call: Call, listen: Any, dialect: str) -> None:
    listen(asking(one_dialect.platform()))  # it may be there: to try is to connect
    lacking = asking(one_dialect.platform())
    for attempt in (lacking.leads.list, lacking.agents.list, lacking.calendar.events.list):
        with contextlib.suppress(NotFoundError):
            call(attempt())
    for client in (lacking, make("http://crm.test/v1", dialects=None), make(dialects="platform")):
        with pytest.raises(UnsupportedOperationError, match=f"dialects='{dialect}' has it") as raised:
            listen(client)
        assert raised.value.dialects == (dialect,)


def test_files_and_jobs_are_had_in_the_dialect_that_has_them(stub: StubServer, mode: str, call: Call) -> None:
    crm: Any = (stub.client if mode == "sync" else stub.async_client)()
    assert call(call(crm.contacts.export(format="csv")).read()).startswith(b"id,")
    job = call(crm.contacts.imports.create(("people.csv", b"name,email\nZoe,zoe@zander.test\n")))
    assert len(call(job.wait()).created_ids) == 1
    assert crm.finding.spoken == ("platform",)
