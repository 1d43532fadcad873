"""The ways into a stub, each alone: an ASGI application, transports of httpx, and links without httpx."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from patience import HANG, until

from crm_sdk import ConfigurationError, ConnectionFailedError, CrmClient, DeadlineExceededError
from crm_sdk.exchange import Request as Sent
from crm_sdk.sign_in import ClientCredentials
from server_stub import StubServer
from server_stub.doors import asgi
from server_stub.doors.asgi import Application
from server_stub.doors.link import StubLink
from server_stub.faults.requests import Fault
from server_stub.request.http import Reply, Request

KEY = {"authorization": "Bearer acme-admin"}
FORM = "multipart/form-data; boundary=b"
PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'


@pytest.fixture
def seen(stub: StubServer, monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """Let the stub answer every request with a short body; return the requests."""
    requests: list[Request] = []

    def handle(request: Request) -> Reply:
        requests.append(request)
        if request.form is not None:
            request.form.close()
        return Reply(200, {"X-One": "1"}, b"body")

    monkeypatch.setattr(stub, "handle", handle)
    return requests


def called(stub: StubServer, *pieces: bytes, ends: bool = True, **scope: Any) -> list[dict[str, Any]]:
    """Call the application with a body in pieces; return what it sends."""
    whole = {
        "type": "http", "method": "POST", "raw_path": b"/v1/leads", "query_string": b"a=1", "headers": [], **scope,
    }  # fmt: skip
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": piece, "more_body": number < len(pieces) or not ends}
        for number, piece in enumerate(pieces, 1)
    ] or [{"type": "http.request"}]
    if not ends:
        messages.append({"type": "http.disconnect"})
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(Application(stub)(whole, receive, send))
    return sent


@pytest.mark.parametrize("make", ["client", "async_client"])
def test_a_client_of_a_stub_takes_nothing_from_the_environment(
    stub: StubServer, make: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "CRM_BASE_URL": "https://crm.example.com", "CRM_API_KEY": "live-key", "CRM_TENANT_ID": "tenant_live",
        "CRM_DIALECTS": "flow", "CRM_PROXY": "http://127.0.0.1:9",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    client = getattr(stub, make)()
    assert (client.base_url, client.tenant_id, client.secrets) == ("http://stub.test", None, ("acme-admin", None))
    assert client.dialects == ("platform", "flow", "mvp") and client.finding is not None
    assert getattr(stub, make)(api_key=None).secrets == (None, None)
    given = getattr(stub, make)(tenant_id="tenant_acme", dialects="mvp", api_key="globex-admin")
    assert (given.tenant_id, given.dialects, given.secrets[0]) == ("tenant_acme", ("mvp",), "globex-admin")
    way = ClientCredentials("demo-service", "demo-secret")
    assert getattr(stub, make)(auth=way).secrets == (None, None), "the demo key is no second way to sign in"
    with pytest.raises(ConfigurationError, match="give either api_key= or auth=, not both"):
        getattr(stub, make)(api_key="acme-admin", auth=way)


def test_a_request_is_handed_over_as_it_came(stub: StubServer, seen: list[Request]) -> None:
    headers = [(b"x-a", "ö".encode("latin-1")), (b"upgrade", b"websocket")]
    start, body = called(
        stub, b"one", b"", b"two", raw_path=b"/v1/a%2Fb", query_string=b"q=%20", headers=headers, client=("9.9.9.9", 5)
    )
    assert seen == [Request("POST", "/v1/a%2Fb", "q=%20", {"x-a": "ö"}, b"onetwo", "9.9.9.9")]
    assert (start["status"], start["headers"]) == (200, [(b"x-one", b"1"), (b"content-length", b"4")])
    assert body == {"type": "http.response.body", "body": b"body"}
    called(stub)
    called(stub, client=None)
    assert [request.peer for request in seen[1:]] == [None, None] and seen[1].body == b""


def test_who_asks_for_a_head_gets_no_body(stub: StubServer, seen: list[Request]) -> None:
    start, body = called(stub, method="HEAD")
    assert (seen[0].method, start["headers"][-1], body["body"]) == ("GET", (b"content-length", b"4"), b"")
    chunks = Reply(200, {}, chunks=[b"a", b"b"])
    for method, parts in (("HEAD", [b""]), ("GET", [b"a", b"b", b""])):
        stub.handle = lambda request: chunks  # type: ignore[method-assign] # what is tested is around it
        start, *bodies = called(stub, method=method)
        assert start["headers"] == [] and [each["body"] for each in bodies] == parts
        assert [each.get("more_body", False) for each in bodies] == [True] * (len(parts) - 1) + [False]


def test_options_are_the_methods_that_there_are(stub: StubServer) -> None:
    start, body = called(stub, method="OPTIONS", headers=[(b"authorization", b"Bearer acme-admin")])
    headers = dict(start["headers"])
    assert (start["status"], headers[b"allow"], body["body"]) == (204, b"GET, HEAD, OPTIONS, POST", b"")
    other, _ = called(stub, method="PATCH", headers=[(b"authorization", b"Bearer acme-admin")])
    assert other["status"] == 405 and b"HEAD" not in dict(other["headers"])[b"allow"]
    missing, _ = called(stub, method="OPTIONS", raw_path=b"/v1/nowhere")
    assert missing["status"] in (401, 404)


@pytest.mark.parametrize(("form", "most"), [(False, 6), (True, len(PART) + 10)])
def test_a_body_that_is_too_large_is_refused(
    stub: StubServer, seen: list[Request], monkeypatch: pytest.MonkeyPatch, form: bool, most: int
) -> None:
    monkeypatch.setattr(asgi, "MOST_OF_A_FORM" if form else "MOST_BYTES", most)
    headers = [(b"content-type", FORM.encode())] if form else []
    whole = PART + b"x\r\n--b--" if form else b"123456"
    whole += b"\r\n"[: most - len(whole)] if form else b""
    assert len(whole) == most
    start, *_ = called(stub, whole[:3], whole[3:], headers=headers)
    assert start["status"] == 200 and len(seen) == 1 and (seen[0].form is not None) is form
    start, body = called(stub, whole[:3], whole[3:] + b"x", headers=headers)
    assert (start["status"], len(seen)) == (413, 1) and b"CONTENT_TOO_LARGE" in body["body"]
    assert dict(start["headers"])[b"connection"] == b"close"


@pytest.mark.parametrize("form", [False, True])
def test_who_goes_away_gets_nothing(stub: StubServer, seen: list[Request], form: bool) -> None:
    headers = [(b"content-type", FORM.encode())] if form else []
    assert called(stub, PART, ends=False, headers=headers) == [] and seen == []


def test_a_fault_is_carried_out_by_the_application(stub: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asgi, "asyncio", SimpleNamespace(sleep=sleep))
    headers = [(b"authorization", b"Bearer acme-admin")]
    get: dict[str, Any] = {"method": "GET", "headers": headers, "raw_path": b"/v1/leads", "query_string": b""}
    stub.faults.add("delay", seconds=7, times=1)
    stub.faults.add("garble", times=1)
    assert called(stub, **get)[0]["status"] == 200 and slept == [7]
    start, body = called(stub, **get)
    assert body["body"] == b"<html>garbled</html>" and dict(start["headers"])[b"content-length"] == b"20"
    assert b"garbled" not in called(stub, **get)[1]["body"] and slept == [7]


def test_control_routes_are_there_in_test_mode_alone(stub: StubServer) -> None:
    get: dict[str, Any] = {"method": "GET", "raw_path": b"/_test/clock", "query_string": b""}
    assert called(stub, **get)[0]["status"] in (401, 404)
    stub.live.test_mode = True
    start, body = called(stub, **get)
    assert start["status"] == 200 and b"now" in body["body"]
    assert called(stub, **get | {"raw_path": b"/v1/_test/clock"})[0]["status"] in (401, 404)


def test_how_uvicorn_serves() -> None:
    config = asgi._uvicorn(StubServer()).config
    assert (config.lifespan, config.log_level, config.ws_ping_interval) == ("on", "critical", None)
    assert [config.access_log, config.date_header, config.proxy_headers, config.ws_per_message_deflate] == [False] * 4


# -- transports and links -------------------------------------------------------------------------------------------


def over(stub: StubServer, mode: str, timeout: float | None = 5) -> Callable[..., httpx.Response]:
    """Return what makes a request with a client of httpx over a transport of the stub."""

    async def ask_async(method: str, path: str, **given: Any) -> httpx.Response:
        client = httpx.AsyncClient(transport=stub.async_transport(), base_url="http://crm.test", timeout=timeout)
        async with client:
            return await client.request(method, path, headers=KEY, **given)

    def ask(method: str, path: str, **given: Any) -> httpx.Response:
        if mode == "async":
            return asyncio.run(ask_async(method, path, **given))
        with httpx.Client(transport=stub.transport(), base_url="http://crm.test", timeout=timeout) as client:
            return client.request(method, path, headers=KEY, **given)

    return ask


def test_a_fault_is_an_error_of_httpx(stub: StubServer, mode: str) -> None:
    ask = over(stub, mode)
    cases: list[tuple[Any, dict[str, Any], type[Exception], str]] = [
        ("refuse", {}, httpx.ConnectError, "the test refused the connection"),
        ("drop", {}, httpx.ReadError, "the test dropped the answer"),
        ("delay", {"seconds": 5.5}, httpx.ReadTimeout, r"the test delayed the answer by 5\.5 s"),
    ]
    for kind, more, error, message in cases:
        stub.faults.add(kind, times=1, **more)
        with pytest.raises(error, match=message) as caught:
            ask("GET", "/v1/leads")
        assert caught.value.request.url.path == "/v1/leads"  # type: ignore[attr-defined] # each has its request
    stub.faults.add("delay", seconds=5, times=1)
    assert ask("GET", "/v1/leads").status_code == 200, "as long as the client waits"
    stub.faults.add("delay", seconds=500, times=1)
    assert over(stub, mode, None)("GET", "/v1/leads").status_code == 200, "the client waits for ever"
    stub.faults.add("garble", times=1)
    assert ask("GET", "/v1/leads").text == "<html>garbled</html>"
    assert ask("GET", "/v1/leads?limit=1").json()["data"]


def test_a_form_and_a_body_and_an_encoded_path_arrive(stub: StubServer, mode: str) -> None:
    ask = over(stub, mode)
    made = ask("POST", "/v1/files/upload", files={"file": ("a.txt", b"what was said")})
    assert made.status_code == 201, made.text
    assert ask("GET", f"/v1/files/{made.json()['data']['id']}/download").content == b"what was said"
    lead = ask("POST", "/v1/leads", json={"name": "Ada"}).json()["data"]
    assert lead["name"] == "Ada" and len(ask("GET", "/v1/leads?limit=1").json()["data"]) == 1
    assert ask("GET", f"/v1/leads/{lead['id'].replace('_', '%5F')}").json()["data"]["id"] == lead["id"]


def test_a_fault_is_an_error_of_the_client(stub: StubServer, mode: str, call: Callable[[Any], Any]) -> None:
    client: Any = (stub.client if mode == "sync" else stub.async_client)(max_retries=0, timeout=5)
    cases: list[tuple[Any, dict[str, Any], type[Exception], str]] = [
        ("refuse", {}, ConnectionFailedError, "the test refused the connection"),
        ("drop", {}, ConnectionFailedError, "the test dropped the answer"),
        ("delay", {"seconds": 5.5}, DeadlineExceededError, "no answer within 5 s"),
    ]
    for kind, more, error, message in cases:
        stub.faults.add(kind, times=1, **more)
        with pytest.raises(error, match=message) as caught:
            call(client.leads.get("lead_123"))
        if kind != "delay":
            assert caught.value.sent is (kind == "drop")  # type: ignore[attr-defined] # an error of the network


@pytest.mark.parametrize(("seconds", "fails"), [(5, False), (5.1, True)])
def test_a_link_waits_as_long_as_it_is_to(stub: StubServer, seconds: float, fails: bool) -> None:
    stub.faults.add("delay", seconds=seconds, times=1)
    sent = Sent("GET", "http://crm.test/v1/leads?limit=1", {**KEY})
    if fails:
        with pytest.raises(DeadlineExceededError, match=r"GET http://crm\.test/v1/leads\?limit=1 timed out: "):
            StubLink(stub).send(sent, 5)
    else:
        reply = StubLink(stub).send(sent, 5)
        assert reply.status == 200 and reply.headers["content-length"] == str(len(reply.content))


def test_a_link_hands_over_the_whole_of_a_request(stub: StubServer, seen: list[Request]) -> None:
    sent = Sent("POST", "http://crm.test/v1/a%20b?c=d", {"X-One": "1"}, b"body")
    reply = StubLink(stub).send(sent, 5)
    assert seen == [Request("POST", "/v1/a%20b", "c=d", {"x-one": "1"}, b"body")]
    assert (reply.status, reply.headers, reply.content) == (200, {"x-one": "1", "content-length": "4"}, b"body")


def test_a_link_garbles_what_it_is_told_to(stub: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = Sent("GET", "http://crm.test/", {})
    for kind, body in (("garble", b"<html>garbled</html>"), ("status", b"body")):
        reply = Reply(200, {}, b"body", fault=Fault(kind))  # type: ignore[arg-type] # one of them
        monkeypatch.setattr(stub, "handle", lambda request, reply=reply: reply)
        got = StubLink(stub).send(sent, 5)
        assert (got.content, got.headers) == (body, {"content-length": str(len(body))})
    chunked = Reply(200, {}, chunks=[b"a", b"b"])
    monkeypatch.setattr(stub, "handle", lambda request: chunked)
    got = StubLink(stub).send(sent, 5)
    assert (got.content, got.headers) == (b"ab", {})


def test_a_stream_waits_for_ever_where_nobody_says_how_long(stub: StubServer) -> None:
    sent = Sent("GET", "http://crm.test/api/events/stream", {**KEY}, stream=True)
    body: Any = StubLink(stub).send(sent, math.inf).body
    got: list[bytes] = [next(body)]
    reader = threading.Thread(target=lambda: got.append(next(body)))
    reader.start()
    until(lambda: bool(body._waiter._changed._waiters) or not reader.is_alive())
    stub.client().leads.create({"name": "Ada"})
    reader.join(HANG)
    body.close()
    assert len(got) == 2 and b"event: lead.created" in got[1]
    body = StubLink(stub).send(sent, 0.05).body
    next(body)
    with pytest.raises(DeadlineExceededError, match=r"timed out: no byte for 0\.05 s"):
        next(body)


def test_a_file_is_read_in_pieces_and_an_error_whole(stub: StubServer) -> None:
    crm: CrmClient = stub.client(dialects="platform", max_retries=0)
    file = crm.files.upload(("a.txt", b"what was said"))
    download = crm.files.download(file.id)
    assert download.read() == b"what was said"
    download.close()
    with pytest.raises(Exception, match="file_none"):
        crm.files.download("file_none")


def test_no_part_of_a_stub_is_pickled(stub: StubServer) -> None:
    import pickle

    for part, what in ((stub.transport(), "transport"), (StubLink(stub), "client's link")):
        with pytest.raises(TypeError, match=f"a stub lives in one process: pickle its snapshot, not its {what}"):
            pickle.dumps(part)
