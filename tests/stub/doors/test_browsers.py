"""What pages, proxies and tests in other languages ask of a port: HEAD, OPTIONS, CORS, compression, control routes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from patience import HANG

from server_stub import StubServer
from server_stub.doors import asgi

pytestmark = pytest.mark.thorough
KEY = {"Authorization": "Bearer acme-admin"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    stub = StubServer()
    stub.live.test_mode = True
    with stub.serve() as port:
        yield port.url


@pytest.fixture
def http(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, headers=KEY, timeout=HANG) as client:
        client.post("/_test/reset")
        yield client


@pytest.mark.parametrize("path", ["/v1/leads", "/v1/contacts/export?format=csv", "/v1/leads/nobody", "/openapi.json"])
def test_head_answers_what_get_does_without_its_body(http: httpx.Client, path: str) -> None:
    whole, head = http.get(path), http.head(path)
    assert (head.status_code, head.content) == (whole.status_code, b"")
    assert head.headers["content-type"] == whole.headers["content-type"]


def test_options_names_the_methods(http: httpx.Client) -> None:
    reply = http.options("/v1/leads")
    assert (reply.status_code, reply.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    assert http.options("/v1/nothing").status_code == 404


@pytest.mark.parametrize(
    ("origin", "may"), [("http://localhost:3000", True), ("http://[::1]:5173", True), ("https://app.example", False)]
)
def test_pages_of_this_machine_may_ask(http: httpx.Client, origin: str, may: bool) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "If-Match"}
    preflight = http.options("/v1/leads/lead_123", headers=asked)
    assert preflight.is_success is may
    assert (preflight.headers.get("access-control-allow-origin") == origin) is may
    reply = http.get("/v1/leads", headers={"Origin": origin})
    assert (reply.headers.get("access-control-allow-origin") == origin) is may
    assert not may or "X-Request-ID" in reply.headers["access-control-expose-headers"]


def test_other_origins_may_ask_where_they_are_named() -> None:
    server = asgi._uvicorn(StubServer(), ["https://app.example"])
    transport = httpx.ASGITransport(server.config.app)  # type: ignore[arg-type] # uvicorn's type is wider

    async def ask(origin: str) -> str | None:
        async with httpx.AsyncClient(transport=transport, base_url="http://stub.test", headers=KEY) as client:
            reply = await client.get("/v1/leads", headers={"Origin": origin})
            found: str | None = reply.headers.get("access-control-allow-origin")
            return found

    import asyncio

    assert asyncio.run(ask("https://app.example")) == "https://app.example"
    assert asyncio.run(ask("http://localhost:3000")) is None


def test_long_answers_are_compressed_for_whoever_takes_it(http: httpx.Client) -> None:
    compressed = http.get("/v1/leads", headers={"Accept-Encoding": "gzip"})
    plain = http.get("/v1/leads", headers={"Accept-Encoding": "identity"})
    assert compressed.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    assert compressed.json()["data"] == plain.json()["data"]


def test_a_target_may_be_a_whole_url(url: str) -> None:
    place = urlsplit(url)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=HANG) as line:
        line.sendall(
            f"GET {url}/v1/leads?limit=1 HTTP/1.1\r\nHost: {place.netloc}\r\n"
            "Authorization: Bearer acme-admin\r\nConnection: close\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: line.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200")


def test_a_body_beyond_measure_is_refused(http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "MOST_BYTES", 1000)
    reply = http.post("/v1/leads", json={"name": "x" * 1001})
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == (413, "CONTENT_TOO_LARGE")


def test_a_connection_without_a_request_is_closed(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "_HEADERS_WITHIN", 2)
    place = urlsplit(url)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=HANG) as line:
        line.sendall(b"GET /v1/leads HTTP/1.1\r\nHost: ")
        assert line.recv(100) == b""


# -- test mode -----------------------------------------------------------------------------------------------------


def test_a_port_can_be_made_to_fail(http: httpx.Client) -> None:
    fault = {"kind": "status", "status": 503, "operation": "leads.list", "times": 1, "retryAfter": 2}
    assert http.post("/_test/faults", json=fault).json()["retryAfter"] == 2
    assert [one["operation"] for one in http.get("/_test/faults").json()] == ["leads.list"]
    failed = http.get("/v1/leads")
    assert (failed.status_code, failed.headers["retry-after"]) == (503, "2")
    assert http.get("/v1/leads").status_code == 200
    http.post("/_test/faults", json={"kind": "drop", "pathPrefix": "/v1/"})
    with pytest.raises(httpx.RemoteProtocolError):
        http.get("/v1/leads")
    http.delete("/_test/faults")
    assert http.get("/v1/leads").status_code == 200


def test_a_port_can_be_moved_in_time_and_set_back(http: httpx.Client) -> None:
    before = http.get("/_test/clock").json()["now"]
    assert http.post("/_test/clock", json={"advance": 86_400}).json()["now"] > before
    http.post("/_test/snapshot", json={"name": "with one"})
    made = http.post("/v1/leads", json={"name": "Ada"}).json()["data"]["id"]
    assert http.get(f"/v1/leads/{made}").status_code == 200
    http.post("/_test/restore", json={"name": "with one"})
    assert http.get(f"/v1/leads/{made}").status_code == 404
    assert [entry["status"] for entry in http.get("/_test/journal").json()][-1:] == [404]
    http.post("/_test/reset")
    assert http.get("/_test/clock").json()["now"] < before.replace(before[:4], str(int(before[:4]) + 1))


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("faults", {"kind": "nonsense"}, "nonsense"),
        ("faults", {"kind": "drop", "sometimes": 1}, "needs a kind"),
        ("faults", {"kind": "drop", "times": "x"}, ""),
        ("clock", {"advance": -1}, "advance is a number of seconds"),
        ("clock", {"advance": "1"}, "advance is a number of seconds"),
        ("clock", [1], "JSON object"),
        ("restore", {"name": "nothing"}, "no state was kept"),
        ("snapshot", {"name": ""}, "1 to 100"),
    ],
)
def test_a_wrong_control_request_says_what_is_wrong(http: httpx.Client, path: str, body: Any, says: str) -> None:
    reply = http.post(f"/_test/{path}", json=body)
    assert reply.status_code == 422 and says in reply.json()["error"]
    assert "POST /_test/clock" in http.get("/_test/nothing").json()["error"]


def test_without_test_mode_there_are_no_control_routes() -> None:
    with StubServer().serve() as port:
        assert httpx.post(f"{port.url}/_test/reset", timeout=HANG).status_code == 404


def test_the_other_side_of_an_integration_is_read_and_written(http: httpx.Client) -> None:
    place = "/_test/remotes/demo_crm/contact"
    assert http.get(place).json() == []
    made = http.post(place, json={"name": "Ada", "amount": 1.5}).json()
    changed = http.post(place, json={"id": made["id"], "email": "ada@x.example"}).json()
    assert http.get(place).json() == [changed] and (changed["name"], changed["amount"]) == ("Ada", 1.5)
    assert http.get(place.replace("contact", "deal")).json() == []
    for wrong in ({"colour": "red"}, {"id": "nobody", "name": "x"}):
        assert http.post(place, json=wrong).status_code == 422
    assert http.post("/_test/remotes/demo_crm", json={"answers": False}).json() == {"answers": False}
    assert http.post("/_test/remotes/demo_crm", json={"answers": True}).json() == {"answers": True}
    http.request("DELETE", place, json={"id": made["id"]})
    assert http.get(place).json() == []
    assert len(http.request("GET", "/_test/remotes/hubspot/contact", json={"tenant": "tenant_globex"}).json()) == 12
