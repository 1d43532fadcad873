"""Clients and transports of the user's own, and mocks of the network."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import httpx
import httpx2
import pytest
import respx
from canned_answers import LEAD, TOLD, Canned
from loopback import Loopback, drip

from crm_sdk import (
    AsyncCrmClient,
    ConfigurationError,
    ConnectionFailedError,
    CrmClient,
    DeadlineExceededError,
    InvalidResponseError,
    NetworkError,
)

Make = Callable[..., Any]
Call = Callable[[Any], Any]


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_a_client_of_the_users_own(net: Loopback, mode: str, call: Call, library: Any) -> None:
    net.rules["/slow"] = drip(400, 0.02)
    own = library.Client() if mode == "sync" else library.AsyncClient()
    kind: Any = CrmClient if mode == "sync" else AsyncCrmClient
    made = kind(net.url, "key", dialects=TOLD, http_client=own, max_retries=0)
    assert call(made.leads.get("l1")).id == "l1"
    assert call(made.leads.create({"name": "x"})).status == "new"
    assert call(call(made.contacts.export()).read()).startswith(b"{")
    with pytest.raises(DeadlineExceededError):
        call(made.with_options(timeout=0.3).leads.get("slow"))
    refused = kind("http://127.0.0.1:9", "key", http_client=own, max_retries=0)
    with pytest.raises(ConnectionFailedError) as raised:
        call(refused.leads.get("x"))
    assert not raised.value.sent
    call(made.close())
    assert not own.is_closed, "it is the user's"
    call(own.close() if mode == "sync" else own.aclose())
    with pytest.raises(ConfigurationError, match="closed"):
        call(made.leads.get("l1"))


class Watched(httpx.MockTransport):
    closed = 0

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1


def test_a_transport_of_the_users_own_is_never_closed(
    make: Make, call: Call, server: Canned, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport = Watched(server.says(LEAD))
    client = make(http_client=transport, max_connections=2)
    monkeypatch.setattr("crm_sdk.network.stack.IDLE_SECONDS", -1.0)
    for _ in range(3):
        assert call(client.leads.get("l")).id == "lead_1"
    call(client.close())
    assert transport.closed == 0


@pytest.mark.parametrize("wrapped", [False, True], ids=["transport", "client"])
@pytest.mark.parametrize("kind", [DeadlineExceededError, ConnectionFailedError])
def test_an_error_of_ours_that_a_transport_raises_stays_as_it_is(
    make: Make, call: Call, mode: str, kind: type[NetworkError], wrapped: bool
) -> None:
    def give_up(request: httpx.Request) -> httpx.Response:
        raise kind("the queue of the gateway is full", sent=False)

    given: Any = httpx.MockTransport(give_up)
    if wrapped:
        given = httpx.Client(transport=given) if mode == "sync" else httpx.AsyncClient(transport=given)
    with pytest.raises(kind, match=r"^the queue of the gateway is full$") as raised:
        call(make(http_client=given, max_retries=0).leads.create({"name": "Jo"}))
    assert not raised.value.sent
    if wrapped:
        call(given.close() if mode == "sync" else given.aclose())


@pytest.mark.parametrize("base_url", ["http://crm.test", "https://crm.test"])
def test_respx_answers_a_client_of_our_own(mode: str, call: Call, base_url: str) -> None:
    with respx.mock(base_url=base_url) as mock:
        mock.get("/api/leads/lead_1").respond(json=LEAD)
        route = mock.post("/api/leads").respond(json=LEAD, status_code=201)
        client: Any = (CrmClient if mode == "sync" else AsyncCrmClient)(base_url, "key", dialects=TOLD)
        assert call(client.leads.get("lead_1")).name == "Ada"
        assert call(client.leads.create({"name": "Ada"})).id == "lead_1"
        assert json.loads(route.calls.last.request.content) == {"name": "Ada"}
        assert route.calls.last.request.headers["authorization"] == "Bearer key"
        call(client.close())


@pytest.mark.parametrize("wrong", [object(), "http://x", socket.socket, 5])
def test_what_is_no_client_is_refused(mode: str, wrong: object) -> None:
    made: Any = CrmClient if mode == "sync" else AsyncCrmClient
    with pytest.raises(ConfigurationError, match="http_client must be"):
        made("http://crm.test", "key", http_client=wrong)


def test_a_client_of_the_other_kind_is_refused() -> None:
    for library in (httpx, httpx2):
        with pytest.raises(ConfigurationError):
            CrmClient("http://crm.test", http_client=library.AsyncClient())
        with pytest.raises(ConfigurationError), library.Client() as own:
            AsyncCrmClient("http://crm.test", http_client=own)


@pytest.mark.parametrize(
    ("method", "content", "length"),
    [
        ("GET", None, None), ("DELETE", None, None), ("DELETE", b"{}", "2"),
        ("POST", None, "0"), ("PUT", None, "0"), ("PATCH", None, "0"), ("POST", b"a,b", "3"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("own", [{}, {"Accept-Encoding": "br"}], ids=["", "accept"])
def test_the_heads_of_requests_say_what_follows_and_what_may_be_packed(
    make: Make, call: Call, server: Canned, method: str, content: bytes | None, length: str | None, own: dict[str, str]
) -> None:
    server.says({})
    call(make().request(method, "/x", content=content, headers=own))
    sent = server.requests[0].headers
    assert (sent.get("content-length"), sent["host"]) == (length, "crm.test")
    assert sent.get_list("accept-encoding") == [own.get("Accept-Encoding", "gzip, deflate")]


def test_an_answer_may_have_exactly_so_many_bytes(make: Make, call: Call, server: Canned) -> None:
    size = len(json.dumps(LEAD, separators=(",", ":")))
    server.does(lambda request: httpx.Response(200, content=json.dumps(LEAD, separators=(",", ":"))))
    assert call(make(max_response_bytes=size).leads.get("lead_1")).id == "lead_1"
    with pytest.raises(InvalidResponseError, match=f"more than {size - 1} bytes"):
        call(make(max_response_bytes=size - 1).leads.get("lead_1"))
    download = call(make(max_response_bytes=1).contacts.export())
    assert len(call(download.read())) == size


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (httpx.ReadError(""), ConnectionFailedError, "GET http://crm.test/api/leads/l failed: ReadError"),
        (httpx.ReadError("reset"), ConnectionFailedError, "GET http://crm.test/api/leads/l failed: reset"),
        (httpx.ReadTimeout("slow"), DeadlineExceededError, "GET http://crm.test/api/leads/l timed out (ReadTimeout)"),
        (RuntimeError("the client is closed"), ConfigurationError, "cannot be sent: the client is closed"),
        (RuntimeError("odd"), RuntimeError, "odd"),
        (ValueError("closed"), ValueError, "closed"),
    ],
    ids=repr,
)
def test_what_a_transport_raises_is_ours(
    make: Make, call: Call, server: Canned, error: Exception, kind: type[Exception], message: str
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error

    server.does(answer)
    with pytest.raises(kind) as raised:
        call(make(max_retries=0).leads.get("l"))
    assert type(raised.value) is kind and message in str(raised.value)
