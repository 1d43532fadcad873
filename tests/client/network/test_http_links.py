"""The links of a client by themselves: whose connections they are, when one is closed, and whose stack it is of."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from types import SimpleNamespace as Of
from typing import Any

import httpx
import pytest
from canned_answers import LEAD

from crm_sdk import AsyncCrmClient, CrmClient, DeadlineExceededError
from crm_sdk.errors import ConnectionFailedError
from crm_sdk.exchange import Request
from crm_sdk.network.http import AsyncDirectLink, DirectLink
from crm_sdk.network.prepared import Remaining, build

Call = Callable[[Any], Any]
ASKED = Request("GET", "http://crm.test/leads", {})


class Transport(httpx.MockTransport):
    """A connection that notes how often it was closed."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        super().__init__(answer)
        self.closed = 0

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1


def fine(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=LEAD)


def reset(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("reset")


class Scene:
    """A link of either kind, and the connections it has made."""

    def __init__(self, mode: str, call: Call, *, limit: int = 1, owned: bool = True, answer: Any = fine) -> None:
        self.made: list[Transport] = []
        self.answer, self.call = answer, call
        kind: Any = DirectLink if mode == "sync" else AsyncDirectLink
        self.link = kind(self.make, limit, owned=owned)

    def make(self) -> Transport:
        self.made.append(Transport(lambda request: self.answer(request)))
        return self.made[-1]

    def send(self, request: Request = ASKED, timeout: float = 5.0) -> Any:
        return self.call(self.link.send(request, timeout))

    def close(self) -> None:
        self._close(self.link)

    def finish(self, reply: Any) -> None:
        """Close what has been left unread of an answer."""
        if reply.body is not None:
            self._close(reply.body)

    def _close(self, thing: Any) -> None:
        self.call(thing.close() if hasattr(thing, "close") else thing.aclose())

    @property
    def closed(self) -> list[int]:
        return [transport.closed for transport in self.made]


@pytest.fixture
def scene(mode: str, call: Call) -> Callable[..., Scene]:
    return lambda **options: Scene(mode, call, **options)


@pytest.mark.parametrize("owned", [True, False])
def test_a_connection_is_used_again_and_closed_with_the_link_where_it_is_the_links(
    scene: Callable[..., Scene], owned: bool
) -> None:
    made = scene(owned=owned)
    assert [made.send().status for _ in range(3)] == [200] * 3 and made.closed == [0]
    made.close()
    made.close()
    assert made.closed == [int(owned)]
    assert made.send().status == 200 and len(made.made) == 1 + owned


@pytest.mark.parametrize("owned", [True, False])
def test_a_connection_that_failed_is_closed_and_gives_its_place_back(scene: Callable[..., Scene], owned: bool) -> None:
    made = scene(owned=owned, answer=reset)
    for _ in range(2):
        with pytest.raises(ConnectionFailedError):
            made.send()
    assert sum(made.closed) == 2 * owned
    made.answer = fine
    assert made.send().status == 200


@pytest.mark.parametrize(("owned", "closed"), [(True, 1), (False, 0)])
def test_one_that_was_idle_for_too_long_is_closed_where_it_is_the_links(
    scene: Callable[..., Scene], monkeypatch: pytest.MonkeyPatch, owned: bool, closed: int
) -> None:
    monkeypatch.setattr("crm_sdk.network.stack.IDLE_SECONDS", -1.0)
    made = scene(owned=owned)
    assert made.send().status == 200 and made.closed == [closed]
    assert made.send().status == 200


def test_all_may_be_busy(scene: Callable[..., Scene]) -> None:
    made = scene()
    held = made.send(Request("GET", "http://crm.test/export", {}, stream=True))
    assert held.body is not None and held.content == b""
    with pytest.raises(DeadlineExceededError, match=r"all 1 connections were busy for 0\.01 s") as raised:
        made.send(timeout=0.01)
    assert not raised.value.sent
    made.finish(held)
    assert made.send().status == 200 and len(made.made) == 1


@pytest.mark.parametrize("status", [200, 299, 300, 404])
def test_an_answer_is_left_unread_where_it_is_to_be_streamed_and_no_error(
    scene: Callable[..., Scene], status: int
) -> None:
    made = scene(answer=lambda request: httpx.Response(status, content=b"text"))
    reply = made.send(Request("GET", "http://crm.test/export", {}, stream=True))
    assert (reply.body is not None, reply.content) == ((True, b"") if status < 300 else (False, b"text"))
    made.finish(reply)
    assert made.send().content == b"text"


def test_whose_connections_they_are(scene: Callable[..., Scene]) -> None:
    made = scene()
    assert made.link.leads_outside and not scene(owned=False).link.leads_outside
    inside: Any = lambda: None  # noqa: E731 # what makes connections to a server in this process
    inside.open_socket = None
    assert not type(made.link)(inside, 1).leads_outside


@pytest.mark.parametrize("is_inside", [False, True])
def test_a_server_in_this_process_opens_sockets_too(mode: str, is_inside: bool) -> None:
    transport: Any = Transport(fine)
    if is_inside:
        transport.open_socket = object()
    client: Any = (CrmClient if mode == "sync" else AsyncCrmClient)("http://crm.test", "key", http_client=transport)
    assert getattr(client._shared.link, "open_socket", None) is (transport.open_socket if is_inside else None)
    assert not client._shared.link.leads_outside


def test_what_stands_in_for_the_network_opens_sockets_too(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    maker: Any = lambda: Transport(fine)  # noqa: E731 # what makes connections
    maker.open_socket = object()
    for name in ("sync_transports", "async_transports"):
        monkeypatch.setattr(f"crm_sdk.network.http.{name}", lambda url, proxy: maker)
    client: Any = (CrmClient if mode == "sync" else AsyncCrmClient)("http://crm.test", "key")
    assert client._shared.link.open_socket is maker.open_socket and not client._shared.link.leads_outside


def test_a_forked_child_forgets_the_connections_of_its_parent(
    scene: Callable[..., Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = scene()
    made.send()
    child = Of(getpid=lambda: os.getpid() + 1)
    with monkeypatch.context() as patch:
        patch.setattr("crm_sdk.network.http.os", child)
        made.send()
        made.send()
        assert (len(made.made), len(made.link._stacks)) == (2, 1)
        made.close()
        assert made.closed == [0, 1], "its parent's are not its to close"


def test_a_loop_that_goes_on_keeps_its_connections() -> None:
    link = AsyncDirectLink(httpx.AsyncHTTPTransport, 2)

    async def opened() -> object:
        return link._stack()

    with asyncio.Runner() as first, asyncio.Runner() as second:
        one, two = first.run(opened()), second.run(opened())
        assert one is not two and first.run(opened()) is one and second.run(opened()) is two
        assert len(link._stacks) == 2
    asyncio.run(opened())
    assert len(link._stacks) == 1


# -- what a transport is given -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "host", "port", "target"),
    [
        ("http://crm.test", b"crm.test", None, b"/"),
        ("http://crm.test/", b"crm.test", None, b"/"),
        ("https://crm.test:8443/v1/leads?a=b%20c", b"crm.test:8443", 8443, b"/v1/leads?a=b%20c"),
        ("http://[::1]:80/x", b"[::1]", None, b"/x"),
    ],
)
def test_a_url_is_what_httpx_makes_of_it(url: str, host: bytes, port: int | None, target: bytes) -> None:
    built, theirs = build(Request("GET", url, {}), Remaining(5.0)).url, httpx.URL(url)
    assert (built.netloc, built.port, built.raw_path) == (host, port, target)
    assert (built.raw_scheme, built.raw_host) == (theirs.raw_scheme, theirs.raw_host)
    assert (built.path, built.scheme, built.query, str(built)) == (
        theirs.path, theirs.scheme, theirs.query, str(theirs)
    )  # fmt: skip
    with pytest.raises(AttributeError):
        built.nothing  # type: ignore[attr-defined] # noqa: B018 # that it is not there is what is tested
    bare: Any = object.__new__(type(built))
    with pytest.raises(AttributeError, match="nothing"):
        bare.nothing  # noqa: B018 # as above


def test_each_step_has_what_is_left_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("crm_sdk.network.prepared.time", Of(monotonic=lambda: now[0]))
    left = Remaining(5.0)
    assert [left.get(step) for step in ("connect", "read", "write", "pool")] == [5.0] * 4
    now[0] = 103.0
    assert (left.get("read"), left.seconds_left(), left.until) == (2.0, 2.0, 105.0)
    now[0] = 200.0
    assert (left.get("read"), left.seconds_left()) == (0.001, -95.0), "httpx takes 0 for no limit"


@pytest.mark.parametrize("files", [None, {"file": ("a.csv", b"a,b")}], ids=["bytes", "parts"])
def test_a_request_keeps_its_headers_and_its_time(files: Any) -> None:
    left = Remaining(5.0)
    content = None if files else b"{}"
    built = build(Request("POST", "http://crm.test/x", {"X-A": "1"}, content, files), left)
    assert (built.method, built.headers["x-a"], built.extensions["timeout"]) == ("POST", "1", left)
    assert (b"\r\n\r\na,b\r\n" in built.read()) if files else (built.read() == b"{}")
