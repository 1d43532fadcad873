"""Opening WebSockets, what a server may answer instead, and what an open one does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from blocking import MODES, Blocking, opened
from patience import HANG, until
from websocket_server import serving
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.server import ServerConnection

from crm_sdk import ApiError, AsyncCrmClient, ConnectionFailedError, CrmClient, InvalidInputError
from crm_sdk.realtime import sockets
from crm_sdk.realtime.sockets import SocketClosedError, SocketRefusedError


@contextmanager
def answering(status: int, **headers: str) -> Generator[tuple[str, list[str]]]:
    """Serve one answer to everything; gives the URL, and the credentials that came."""
    came: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            came.append(f"{self.headers.get('Authorization')} {self.headers.get('Sec-WebSocket-Protocol')}")
            self.send_response(status)
            for name, value in {"Content-Length": "0", "Connection": "close", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}", came
    finally:
        server.shutdown()
        server.server_close()
        thread.join(HANG)


@pytest.mark.thorough
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("what", ["events", "channels"])
def test_a_redirect_takes_no_credential_to_another_server(mode: str, what: str) -> None:
    kind = CrmClient if mode == "sync" else AsyncCrmClient
    with answering(403) as (other, leaked), answering(302, Location=f"ws://{other}/ws") as (here, came):
        client = kind(f"http://{here}", "secret", timeout=HANG)
        make = {
            "events": lambda client: client.events.listen(),
            "channels": lambda client: client.channels.join("user:user_ada:deals"),
        }[what]
        with pytest.raises(ApiError) as caught, opened(client, make, mode):
            raise AssertionError("it was opened")
        assert caught.value.status == 302
    assert leaked == [] and len(came) == 1 and "Bearer secret" in came[0]


@contextmanager
def socket_to(url: str, mode: str) -> Generator[Any]:
    """Open a WebSocket of a kind of client, used in one way."""
    if mode == "sync":
        with sockets.open_socket(url, {}, [], HANG) as made:
            yield made
        return
    with start_blocking_portal(mode) as portal:
        opening = sockets.open_async_socket(url, {}, [], HANG)
        with portal.wrap_async_context_manager(opening) as made:
            yield Blocking(portal, made)


@pytest.mark.parametrize("mode", MODES)
def test_what_is_sent_and_how_it_is_closed_arrives_at_the_other_end(mode: str) -> None:
    codes: list[int | None] = []

    def handle(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            for data in connection:
                connection.send(data)
        codes.append(connection.close_code)

    with serving(handle) as place:
        for code in ((), (4000,)):
            with socket_to(f"ws://{place}", mode) as opened:
                assert opened.receive(0.01) is None
                assert opened.ponged
                opened.send("text")
                assert opened.receive(HANG) == "text"
                opened.ping()
                opened.send(b"bytes")
                assert opened.receive(HANG) == b"bytes"
                until(lambda: opened.ponged)
                opened.close(*code)
        until(lambda: len(codes) == 2)
    assert codes == [1000, 4000]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("code", "text"), [(4401, "closed with 4401 expired"), (None, "lost: ")])
def test_what_the_other_end_closes_says_why(mode: str, code: int | None, text: str) -> None:
    def handle(connection: ServerConnection) -> None:
        if code is not None:
            connection.close(code, "expired")
        else:
            connection.socket.shutdown(socket.SHUT_RDWR)

    with serving(handle) as place, socket_to(f"ws://{place}", mode) as opened:
        for use in (lambda: opened.receive(HANG), lambda: opened.send("x"), opened.ping):
            with pytest.raises(SocketClosedError) as raised:
                use()
            assert (raised.value.code, raised.value.reason == "expired") == (code, code is not None)
            assert str(raised.value).startswith(text)


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (TimeoutError("slow"), ConnectionFailedError, "ws://h/ws did not answer in time"),
        (OSError("no route"), ConnectionFailedError, "ws://h/ws failed: no route"),
        (EOFError(), ConnectionFailedError, "ws://h/ws failed: EOFError"),
        (InvalidHandshake("odd"), ConnectionFailedError, "ws://h/ws failed: odd"),
        (UnicodeError("label too long"), InvalidInputError, "ws://h/ws cannot be the address of a server"),
        (ZeroDivisionError("a mistake"), ZeroDivisionError, "a mistake"),
    ],
    ids=repr,
)
def test_a_socket_that_cannot_be_opened_says_why_without_the_query(
    error: Exception, kind: type[Exception], text: str
) -> None:
    found = sockets._connect_error(error, "ws://h/ws?token=secret")
    assert (type(found), str(found)) == (kind, text)
    assert not getattr(found, "sent", False)


@pytest.mark.parametrize(
    ("url", "port"), [("ws://crm.test/x", 80), ("wss://crm.test/x", 443), ("wss://crm.test:8/x", 8)]
)
def test_a_socket_goes_to_the_port_of_its_scheme(monkeypatch: pytest.MonkeyPatch, url: str, port: int) -> None:
    asked: list[Any] = []

    def connect(address: Any, timeout: float) -> None:
        asked.append((address, timeout))
        raise OSError("no route")

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(ConnectionFailedError), sockets.open_socket(url, {}, [], 3.0):
        raise AssertionError("it was opened")
    assert asked == [(("crm.test", port), 3.0)]


@pytest.mark.parametrize("mode", MODES)
def test_a_refusal_has_its_status_its_headers_and_what_it_says(mode: str) -> None:
    with (
        answering(418, **{"X-Odd": "y"}) as (here, _),
        pytest.raises(SocketRefusedError) as raised,
        socket_to(f"ws://{here}", mode),
    ):
        raise AssertionError("it was opened")
    assert (raised.value.status, raised.value.headers["x-odd"], raised.value.body) == (418, "y", b"")
    assert str(raised.value) == "refused with 418"
