"""What else is in an `httpx.Client`: hooks, an `auth=`, and the functions that tools put in the place of its own."""

from __future__ import annotations

import functools
import inspect
import threading
import time
from collections.abc import Callable, Generator
from typing import Any

import httpx
import httpx2
import pytest
import respx
from canned_answers import LEAD, TOLD
from loopback import Connection, Loopback
from patience import HANG

from crm_sdk import (
    AsyncCrmClient,
    CrmClient,
    CrmError,
    DeadlineExceededError,
    InvalidResponseError,
    NetworkError,
    NotFoundError,
)
from crm_sdk.network.clients import ToolWatch

Call = Callable[[Any], Any]
Hook = Callable[[Any], Any]


@pytest.fixture
def hooked(net: Loopback, mode: str, call: Call) -> Generator[Callable[..., Any]]:
    """Return what makes a client whose own `httpx.Client` has a hook."""
    made: list[Any] = []

    def client(hook: Hook | None = None, library: Any = httpx, **options: Any) -> Any:
        async def hook_async(response: Any) -> None:
            assert hook is not None
            if inspect.isawaitable(rest := hook(response)):
                await rest

        hooks = {"response": [hook if mode == "sync" else hook_async]} if hook is not None else {}
        own = (library.Client if mode == "sync" else library.AsyncClient)(event_hooks=hooks, **options)
        made.append(own)
        kind: Any = CrmClient if mode == "sync" else AsyncCrmClient
        return kind(net.url, "key", dialects="mvp", http_client=own, timeout=HANG, max_retries=0)

    yield client
    for own in made:
        call(own.close() if mode == "sync" else own.aclose())


def use_up(response: Any) -> Any:
    """Read the body without keeping it."""
    if isinstance(response.stream, httpx.SyncByteStream | httpx2.SyncByteStream):
        return [None for _ in response.iter_bytes()] and None

    async def finish() -> None:
        async for _ in response.aiter_bytes():
            pass

    return finish()


def close(response: Any) -> Any:
    is_sync = isinstance(response.stream, httpx.SyncByteStream | httpx2.SyncByteStream)
    return response.close() if is_sync else response.aclose()


@pytest.mark.parametrize("hook", [use_up, close])
@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_a_body_that_a_hook_used_up_is_told_at_once(
    hooked: Callable[..., Any], call: Call, library: Any, hook: Hook
) -> None:
    begun = time.monotonic()
    with pytest.raises(InvalidResponseError, match="has used up the body; let it call read") as raised:
        call(hooked(hook, library).leads.get("l1"))
    assert raised.value.status == 200 and time.monotonic() - begun < HANG / 2


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_a_hook_that_raises_for_a_status_makes_it_our_error(
    hooked: Callable[..., Any], call: Call, net: Loopback, library: Any
) -> None:
    net.rules["/l1"] = lambda connection: connection.answer(b"{}", 404)
    with pytest.raises(NotFoundError):
        call(hooked(lambda response: response.raise_for_status(), library).leads.get("l1"))


def failing(error: Exception) -> Hook:
    def hook(response: Any) -> None:
        raise error

    return hook


ELSEWHERE = httpx.Request("POST", "https://log.example.com")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError("no log", request=ELSEWHERE), NetworkError),
        (httpx.ConnectError("no log"), NetworkError),
        (httpx.ReadTimeout("slow log", request=ELSEWHERE), DeadlineExceededError),
        (httpx.HTTPStatusError("no", request=ELSEWHERE, response=httpx.Response(404, request=ELSEWHERE)), CrmError),
        (httpx.ResponseNotRead(), CrmError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_a_hook_fails_of_is_ours_and_repeats_nothing(
    hooked: Callable[..., Any], call: Call, net: Loopback, error: Exception, kind: type[CrmError]
) -> None:
    client = hooked(failing(error)).with_options(max_retries=3)
    with pytest.raises(kind) as raised:
        call(client.leads.create({"name": "Ada"}))
    assert not isinstance(raised.value, NotFoundError) and getattr(raised.value, "sent", True)
    assert len(net.seen) == 1, "the lead is there: another request would make a second one"


def test_an_error_of_a_hook_that_is_not_httpx_stays_what_it_is(hooked: Callable[..., Any], call: Call) -> None:
    with pytest.raises(ZeroDivisionError):
        call(hooked(failing(ZeroDivisionError())).leads.get("l1"))


# -- auth= -------------------------------------------------------------------------------------------------------------


def token_auth(library: Any) -> Any:
    class TokenAuth(library.Auth):  # type: ignore[misc] # a base that is known at run time
        requires_response_body = True

        def auth_flow(self, request: Any) -> Generator[Any, Any, None]:
            answer = yield library.Request("GET", f"{request.url.scheme}://{request.url.netloc.decode()}/token")
            request.headers["Authorization"] = "Bearer somebody-elses"
            request.headers["X-Signature"] = str(len(answer.content))
            yield request

    return TokenAuth()


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
@pytest.mark.parametrize("auth", [("user", "password"), token_auth], ids=["basic", "steps"])
def test_the_clients_auth_leaves_our_bearer(
    hooked: Callable[..., Any], call: Call, net: Loopback, library: Any, auth: Any
) -> None:
    seen: list[tuple[str, str | None, str | None]] = []

    def answer(connection: Connection) -> None:
        head = connection.headers
        seen.append((connection.path, head.get("authorization"), head.get("x-signature")))
        connection.lead()

    net.rules[""] = answer
    client = hooked(library=library, auth=auth(library) if callable(auth) else auth)
    assert call(client.leads.get("l1")).id == "l1"
    assert seen[-1][:2] == ("/api/leads/l1", "Bearer key")
    if callable(auth):
        assert seen[0][:2] == ("/token", None) and int(seen[1][2] or 0) > 0


# -- tools that replace what httpx's clients do ------------------------------------------------------------------------


def test_a_tool_in_the_place_of_send_sees_the_calls_of_a_client_that_is_there(
    net: Loopback, mode: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    client: Any = (CrmClient if mode == "sync" else AsyncCrmClient)(net.url, "key", dialects=TOLD)
    assert call(client.leads.get("l1")).name == "connection 1"
    seen: list[str] = []
    kind: Any = httpx.Client if mode == "sync" else httpx.AsyncClient
    real = kind.send

    def send(self: Any, request: Any, **options: Any) -> Any:
        seen.append(f"{request.method} {request.url.path}")
        request.headers["traceparent"] = "00-1"
        return real(self, request, **options)

    with monkeypatch.context() as patch:
        patch.setattr(kind, "send", send)
        assert call(client.leads.get("l2")).name == "connection 1"  # over the connection that is there
        assert call(call(client.contacts.export()).read()).startswith(b"{")
        refused = type(client)("http://127.0.0.1:9", "key", dialects="mvp", max_retries=0)
        with pytest.raises(NetworkError):
            call(refused.leads.get("l3"))
    assert seen == ["GET /api/leads/l2", "GET /v1/contacts/export", "GET /api/leads/l3"]
    assert call(client.leads.get("l4")).id == "l4" and len(seen) == 3
    call(client.close())


def test_respx_answers_in_the_place_of_httpx_too(mode: str, call: Call) -> None:
    client: Any = (CrmClient if mode == "sync" else AsyncCrmClient)("https://crm.test", "key", dialects=TOLD)
    with respx.mock(base_url="https://crm.test", using="httpx") as mock:
        mock.get("/api/leads/lead_1").respond(json=LEAD)
        assert call(client.leads.get("lead_1")).name == "Ada"
    call(client.close())


def test_a_hook_that_has_read_the_body_leaves_its_error_to_us(
    hooked: Callable[..., Any], mode: str, call: Call, net: Loopback
) -> None:
    body = b'{"error": {"code": "LEAD_GONE", "message": "it is gone"}}'
    net.rules["/l1"] = lambda connection: connection.answer(body, 404)

    def read(response: Any) -> Any:
        if mode == "sync":
            response.read()
            return response.raise_for_status()

        async def finish() -> None:
            await response.aread()
            response.raise_for_status()

        return finish()

    with pytest.raises(NotFoundError) as raised:
        call(hooked(read).leads.get("l1"))
    assert (raised.value.code, raised.value.message) == ("LEAD_GONE", "it is gone")


def test_a_call_without_a_bearer_has_that_of_the_clients_auth(
    hooked: Callable[..., Any], mode: str, call: Call, net: Loopback
) -> None:
    own = hooked(auth=("user", "password"))
    seen: list[str | None] = []

    def answer(connection: Connection) -> None:
        seen.append(connection.headers.get("authorization"))
        connection.answer(b'{"id": "u1"}')

    net.rules[""] = answer
    bare = type(own)(net.url, http_client=own._shared.link._client, dialects="mvp")
    call(bare.request("GET", "/api/odd"))
    assert seen == ["Basic dXNlcjpwYXNzd29yZA=="]


@pytest.mark.parametrize("way", ["own", "tool"])
def test_a_download_by_an_httpx_client_begins_before_it_is_there(
    net: Loopback, mode: str, call: Call, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")  # which leads nowhere, and is not asked for
    goes_on = threading.Event()

    def halves(connection: Connection) -> None:
        connection.send_response(200)
        connection.send_header("Content-Length", "2")
        connection.end_headers()
        connection.wfile.write(b"a")
        goes_on.wait(HANG)
        connection.wfile.write(b"b")

    net.rules["/export"] = halves
    kind: Any = httpx.Client if mode == "sync" else httpx.AsyncClient
    own = kind(trust_env=False) if way == "own" else None
    real = kind.send
    with monkeypatch.context() as patch:
        if way == "tool":
            patch.setattr(kind, "send", lambda self, request, **options: real(self, request, **options))
        client: Any = (CrmClient if mode == "sync" else AsyncCrmClient)(
            net.url, "key", dialects=TOLD, proxy="", http_client=own, timeout=HANG
        )
        download = call(client.contacts.export())
        goes_on.set()
        assert call(download.read()) == b"ab"
    call(client.close())
    if own is not None:
        call(own.close() if mode == "sync" else own.aclose())


def test_without_a_tool_a_call_goes_straight(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = ToolWatch(httpx.Client)
    assert not watch()
    with monkeypatch.context() as patch:
        patch.setattr(httpx.Client, "send", functools.partial(httpx.Client.send))
        assert watch()
    assert not watch()
