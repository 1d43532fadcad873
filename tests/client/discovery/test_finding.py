"""What was found out belongs to the server: views, copies and threads share it; what was chosen is fixed."""

from __future__ import annotations

import asyncio
import copy
import pickle
import threading
from collections.abc import Callable
from typing import Any

import httpx
import one_dialect
import pytest
from canned_answers import LEAD, Canned, Standing
from one_dialect import NOWHERE, SERVERS
from patience import HANG

from crm_sdk import (
    AsyncCrmClient,
    CrmClient,
    DeadlineExceededError,
    InvalidResponseError,
    NotFoundError,
    UnsupportedOperationError,
)
from crm_sdk.dialects import RICHEST_FIRST
from crm_sdk.discovery import Finding
from crm_sdk.operation import Operation

Call = Callable[[Any], Any]
Make = Callable[..., Any]


def test_the_finding_is_shared_by_all_views(asking: Make, call: Call) -> None:
    server = one_dialect.mvp()
    client = asking(server)
    view = client.with_options(timeout=5, tenant_id="acme")
    call(view.leads.list())
    assert client.dialects == view.dialects == client.with_options(api_key="other").dialects == ("flow", "mvp")
    call(client.leads.list())
    assert server.asked == ["GET /v1/leads", "GET /api/leads", "GET /api/leads"]
    assert "dialects='flow,mvp'" in repr(client)


@pytest.mark.parametrize("copied", [lambda client: pickle.loads(pickle.dumps(client)), copy.copy, copy.deepcopy])
def test_the_finding_travels(asking: Make, call: Call, copied: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server = one_dialect.mvp()
    monkeypatch.setenv("CRM_API_KEY", "key")
    for kind in ("sync", "async"):
        monkeypatch.setattr(f"crm_sdk.network.http.{kind}_transports", lambda *_: lambda: httpx.MockTransport(server))
    client = asking(server)
    call(client.leads.list())
    other = copied(client)
    assert other.dialects == ("flow", "mvp")
    call(other.leads.list())
    assert server.asked[2:] == ["GET /api/leads"]


def test_chosen_dialects_are_fixed_and_nothing_is_tried(
    make: Make, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = one_dialect.mvp()
    transport = httpx.MockTransport(server)
    monkeypatch.setenv("CRM_DIALECTS", "platform")
    for client in (
        make(dialects="platform", http_client=transport),
        make(dialects=("platform", "mvp"), http_client=transport),
        make(dialects=None, http_client=transport),
        make(dialects=("mvp",), http_client=transport).with_options(dialects="platform"),
    ):
        given = client.dialects
        with pytest.raises(NotFoundError, match="tried platform]"):
            call(client.leads.list())
        assert (client.dialects, client.finding) == (given, None)
    monkeypatch.delenv("CRM_DIALECTS")
    assert set(server.asked) == {"GET /v1/leads"}


def test_a_view_with_dialects_of_its_own_finds_nothing_out(asking: Make, call: Call) -> None:
    client = asking(one_dialect.mvp())
    with pytest.raises(NotFoundError):
        call(client.with_options(dialects="platform").leads.list())
    assert client.dialects == RICHEST_FIRST


def test_a_base_url_that_ends_in_v1_speaks_platform(make: Make, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    server = one_dialect.platform()
    options = {"dialects": None, "http_client": httpx.MockTransport(server)}
    client = make("http://crm.test/v1", **options)
    assert client.dialects == ("platform",)
    assert call(client.leads.list())[0].tags == ["vip"]
    with pytest.raises(UnsupportedOperationError, match="dialects='flow'"):
        call(client.calendar.events.list())
    monkeypatch.setenv("CRM_DIALECTS", "mvp")
    assert make("http://crm.test/v1", **options).dialects == ("mvp",)
    assert server.asked == ["GET /v1/leads"]


@pytest.mark.parametrize("base_url", ["http://crm.test", "http://crm.test/v1", "http://crm.test/here/v1"])
def test_a_raw_path_is_the_same_whatever_the_base_url_ends_in(
    make: Make, call: Call, server: Canned, base_url: str
) -> None:
    client = make(base_url, dialects=None)
    server.says({})
    for path in ("/v1/leads", "/api/leads", "/metrics"):
        call(client.request("GET", path))
    below = "/here" if "here" in base_url else ""
    assert server.paths == [f"{below}/v1/leads", f"{below}/api/leads", f"{below}/metrics"]


@pytest.mark.parametrize(("dialect", "refresh"), [("mvp", None), ("flow", "refresh_1"), ("platform", "refresh_1")])
def test_a_sign_in_brings_a_refresh_token_where_the_server_has_one(
    asking: Make, call: Call, dialect: str, refresh: str | None
) -> None:
    server = SERVERS[dialect]()
    client = asking(server, api_key=None)
    login = call(client.auth.login("ada@example.com", "secret"))
    assert login.refresh_token == refresh
    assert login.access_token
    assert len(server.requests) == (1 if dialect == "platform" else 2)


@pytest.mark.parametrize("dialect", ["flow", "platform"])
def test_an_expired_session_is_renewed_in_the_servers_dialect(asking: Make, call: Call, dialect: str) -> None:
    server = SERVERS[dialect]()

    def expiring(request: httpx.Request) -> httpx.Response:
        reply = server(request)
        if request.headers.get("authorization") == "Bearer token_1":
            return httpx.Response(401, json={"message": "expired"})
        return reply

    client = asking(expiring, api_key=None)
    call(client.auth.login("ada@example.com", "secret"))
    assert call(client.contacts.list())[0].id == "contact_1"
    renewals = [route for route in server.asked if "refresh" in route]
    assert renewals[-1] == {"flow": "POST /api/auth/refresh", "platform": "POST /v1/auth/token/refresh"}[dialect]
    assert server.requests[-1].headers["authorization"] == "Bearer token_2"


def test_later_pages_come_from_the_dialect_of_the_first(asking: Make, call: Call) -> None:
    def server(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url.raw_path, "ascii"))
        offset = int(request.url.params.get("offset", 0))
        if "/v1/" in request.url.path:
            return NOWHERE["text"](request)
        limit = int(request.url.params["limit"])
        leads = [{**LEAD, "id": f"lead_{n}"} for n in range(4)][offset : offset + limit]
        window = {"limit": limit, "offset": offset, "hasMore": offset + limit < 4}
        return httpx.Response(200, json={"leads": leads, "total": 4, "pagination": window})

    asked: list[str] = []
    assert len(call(asking(server).leads.list(limit=2))) == 4
    assert asked == ["/v1/leads?limit=2", "/api/leads?limit=2", "/api/leads?limit=3&offset=1"]


def test_the_deadline_is_for_all_dialects_together(asking: Make, call: Call, clock: Standing) -> None:
    def slow(request: httpx.Request) -> httpx.Response:
        timeouts.append(request.extensions["timeout"]["read"])
        clock.now += 4
        return NOWHERE["text"](request)

    timeouts: list[float] = []
    client = asking(slow, timeout=9)
    with pytest.raises(NotFoundError, match="tried platform, flow, mvp"):
        call(client.contacts.list())
    assert timeouts == [9, 5, 1]
    with pytest.raises(DeadlineExceededError, match="within 6 s"):
        call(client.with_options(timeout=6).contacts.list())


def test_the_deadline_begins_with_the_first_request(
    asking: Make, call: Call, clock: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Operation.plan

    def slow(*given: Any) -> Any:
        clock.now += 20  # the models are imported, or the stub's clock was moved
        return plan(*given)

    monkeypatch.setattr(Operation, "plan", slow)
    assert call(asking(one_dialect.platform(), timeout=10).leads.get("lead_1")).name == "Ada"


def test_threads_find_out_at_once() -> None:
    server = one_dialect.mvp()
    together = threading.Barrier(8, timeout=HANG)

    def slow(request: httpx.Request) -> httpx.Response:
        if "/v1/" in request.url.path:
            together.wait()  # nobody knows anything before all have asked
        return server(request)

    with CrmClient("http://crm.test", "key", http_client=httpx.MockTransport(slow)) as client:
        names: list[str] = []

        def work() -> None:
            names.append(client.leads.get("lead_123").name)
            names.extend(lead.name for lead in client.leads.list(limit=1).items)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert names == ["John Smith"] * 16
        assert client.dialects == ("flow", "mvp")
    assert sorted(server.asked) == sorted(
        ["GET /api/leads"] * 8 + ["GET /api/leads/lead_123"] * 8 + ["GET /v1/leads/lead_123"] * 8
    )


def test_tasks_find_out_at_once() -> None:
    server = one_dialect.flow()

    async def scene() -> list[Any]:
        waiting = asyncio.Event()

        async def slow(request: httpx.Request) -> httpx.Response:
            reply = server(request)
            if "/v1/" in request.url.path:
                if len(server.requests) == 8:
                    waiting.set()
                await waiting.wait()
            return reply

        client = AsyncCrmClient("http://crm.test", "key", http_client=httpx.MockTransport(slow))
        found = await asyncio.gather(*(client.contacts.get("contact_1") for _ in range(8)))
        assert client.dialects == ("flow", "mvp")
        return found

    assert [contact.title for contact in asyncio.run(scene())] == ["CTO"] * 8
    assert len(server.requests) == 16


@pytest.mark.parametrize("order", [1, -1])
def test_what_is_spoken_is_not_lacking_whichever_was_noted_first(order: int) -> None:
    finding = Finding()
    notes: list[Callable[[], None]] = [
        lambda: finding.note_answered("platform", "leads"),
        lambda: finding.note_passed(["platform"], "contacts"),
    ]
    for note in notes[::order]:
        note()
    assert finding.dialects == RICHEST_FIRST
    assert (finding.spoken, finding.lacking) == (("platform",), ())


def test_what_was_found_out_by_another_client_is_taken_on() -> None:
    finding = Finding(["flow", "morse"], ["mvp", "morse"])
    assert (finding.dialects, finding.spoken, finding.lacking) == (("platform", "flow"), ("flow",), ("mvp",))


def test_what_reads_is_asked_again_where_the_answer_is_of_another_dialect(asking: Make, call: Call) -> None:
    asked: list[str] = []

    def server(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path}")
        return httpx.Response(200, json=LEAD)

    client = asking(server)
    assert call(client.leads.get("lead_1")).id == LEAD["id"]
    assert asked == ["GET /v1/leads/lead_1", "GET /api/leads/lead_1"]
    assert "platform" not in client.dialects
    with pytest.raises(InvalidResponseError, match="has no member 'data'"):
        call(asking(server).leads.create({"name": "Ada"}))
    assert asked[2:] == ["POST /v1/leads"], "a write is not repeated: it may have been done"
