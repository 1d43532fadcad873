"""Live connections on a real port: WebSockets and event streams, refusals, lost connections, and a prompt end."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from patience import HANG
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from server_stub import StubServer
from server_stub.doors.asgi import Port
from server_stub.request.http import Request

pytestmark = pytest.mark.thorough

ADMIN = {"Authorization": "Bearer acme-admin"}
WAIT = HANG


@pytest.fixture
def port(stub: StubServer) -> Iterator[Port]:
    with stub.serve() as port:
        yield port


@contextmanager
def opened(port: Port, target: str = "/ws?resume=1", **options: Any) -> Iterator[ClientConnection]:
    url = f"ws://127.0.0.1:{port.number}{target}"
    with connect(url, additional_headers=ADMIN, ping_interval=None, **options) as wire:
        yield wire


def heard(wire: ClientConnection) -> Any:
    return json.loads(wire.recv(WAIT))


def settled(stub: StubServer, count: int) -> bool:
    until = time.monotonic() + WAIT
    while len(stub.live.connections) != count and time.monotonic() < until:
        time.sleep(0.005)
    return len(stub.live.connections) == count


def test_what_calls_do_is_heard(stub: StubServer, port: Port) -> None:
    with opened(port) as wire, opened(port, "/ws/websocket?vsn=2.0.0") as channels:
        channels.send('["1","1","user:user_ada:deals","phx_join",{}]')
        assert heard(channels)[4]["status"] == "ok"
        assert heard(wire)["type"] == "stream.ready"
        httpx.post(f"{port.url}/api/leads", json={"name": "Over the wire"}, headers=ADMIN)
        assert heard(wire)["data"]["name"] == "Over the wire"
        deal = stub.client().deals.list().items[0]
        stub.client().deals.update(deal.id, {"title": "From the process"})
        assert heard(channels)[3] == "deal:updated"
    assert settled(stub, 0)


def test_what_comes_due_is_heard_without_a_call(stub: StubServer, port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
    start = stub.clock.now() + timedelta(hours=2)
    stub.client().calendar.events.create({"title": "Soon", "start_time": start, "end_time": start + timedelta(hours=1)})
    with opened(port) as wire:
        assert heard(wire)["type"] == "stream.ready"
        monkeypatch.setattr(stub.clock, "moved", None)  # so that only the port can see that time has passed
        stub.clock.advance(2 * 3600 - 10)
        kinds = (heard(wire)["type"] for _ in range(100))
        assert next(kind for kind in kinds if kind != "stream.position") == "event.reminder"


def test_refusals_are_http_answers(stub: StubServer, port: Port) -> None:
    for target, status, body in (("/ws", 401, b"UNAUTHORIZED"), ("/ws/websocket?vsn=2.0.0", 403, b"")):
        with pytest.raises(InvalidStatus) as refused, connect(f"ws://127.0.0.1:{port.number}{target}"):
            pass
        response = refused.value.response
        assert response.status_code == status
        assert body in (response.body or b"") and bool(response.body) == bool(body)


def test_what_is_no_upgrade_is_a_call(stub: StubServer, port: Port) -> None:
    """The header `Upgrade` alone makes no WebSocket, and only a GET can."""
    for method, status, code in (("GET", 404, "ROUTE_NOT_FOUND"), ("POST", 405, "METHOD_NOT_ALLOWED")):
        with httpx.Client() as client:
            answer = client.request(method, f"{port.url}/ws", headers=ADMIN | {"Upgrade": "websocket"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert stub.handle(Request("POST", "/ws", "", {"upgrade": "websocket"})).status == 405
    assert stub.live.opened == 0


def test_a_connection_is_lost_whoever_it_says_it_is(stub: StubServer, port: Port) -> None:
    named = ADMIN | {"X-Forwarded-For": "192.0.2.1"}
    with connect(f"ws://127.0.0.1:{port.number}/ws", additional_headers=named, ping_interval=None) as wire:
        assert stub.live.abort() == 1
        with pytest.raises(ConnectionClosed) as lost:
            wire.recv(WAIT)
        assert lost.value.rcvd is None


def test_a_sub_protocol_is_answered(port: Port) -> None:
    with opened(port, "/ws/websocket?vsn=2.0.0", subprotocols=["phoenix", "base64url.bearer.phx.eA"]) as wire:
        assert wire.subprotocol == "phoenix"


def test_a_lost_connection_has_no_close_frame(stub: StubServer, port: Port) -> None:
    with opened(port) as wire:
        heard(wire)
        stub.live.abort()
        with pytest.raises(ConnectionClosed) as lost:
            heard(wire)
        assert lost.value.rcvd is None


def test_a_closed_one_has(stub: StubServer, port: Port) -> None:
    stub.live.accept_and_close(code=1001)
    with opened(port) as wire:
        assert heard(wire)["type"] == "stream.ready"
        with pytest.raises(ConnectionClosed) as closed:
            heard(wire)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1001


def test_a_half_open_one_answers_no_ping(stub: StubServer, port: Port) -> None:
    with opened(port, close_timeout=0.1) as wire:
        heard(wire)
        assert wire.ping().wait(WAIT)
        stub.live.half_open()
        stub.client().leads.create({"name": "x"})
        time.sleep(0.05)
        assert not wire.ping().wait(0.1)
        with pytest.raises(TimeoutError):
            wire.recv(0)


def test_a_stalled_one_answers_pings_and_goes_on(stub: StubServer, port: Port) -> None:
    with opened(port) as wire:
        heard(wire)
        stub.live.stall(3600)
        stub.client().leads.create({"name": "x"})
        assert wire.ping().wait(WAIT)
        with pytest.raises(TimeoutError):
            wire.recv(0.1)
        stub.clock.advance(3600)
        assert heard(wire)["data"]["name"] == "x"


def test_refused_for_a_while(stub: StubServer, port: Port) -> None:
    began = time.monotonic()
    stub.live.refuse(0.2)
    while True:
        try:
            with opened(port):
                break
        except (OSError, InvalidMessage):
            time.sleep(0.01)
    assert 0.19 < time.monotonic() - began < WAIT


def test_a_reader_that_does_not_read_holds_nobody_up(stub: StubServer, port: Port) -> None:
    client = stub.client()
    with opened(port, max_queue=1) as slow:
        heard(slow)
        for _ in range(300):
            client.leads.update("lead_123", {"notes": [str(time.monotonic()) * 100]})
        (connection,) = stub.live.connections
        assert len(connection._waiting) == 0  # events wait in the log, not here
        client.leads.update("lead_123", {"name": "the last one"})
        while heard(slow)["data"]["name"] != "the last one":
            pass


def test_events_are_streamed_until_the_client_goes(stub: StubServer, port: Port) -> None:
    with httpx.stream("GET", f"{port.url}/api/events/stream", headers=ADMIN) as reply:
        assert reply.headers["content-type"] == "text/event-stream"
        texts = reply.iter_text()
        assert "event: stream.ready" in next(texts)
        stub.client().leads.create({"name": "x"})
        assert "event: lead.created" in next(texts)
        assert settled(stub, 1)
    assert settled(stub, 0)


def test_a_stream_that_is_lost_breaks_off(stub: StubServer, port: Port) -> None:
    with httpx.stream("GET", f"{port.url}/api/events/stream", headers=ADMIN) as reply:
        texts = reply.iter_text()
        next(texts)
        stub.live.abort()
        with pytest.raises(httpx.RemoteProtocolError):
            next(texts)


def test_a_client_that_vanishes_is_forgotten(stub: StubServer, port: Port) -> None:
    with opened(port) as wire:
        heard(wire)
        wire.socket.shutdown(socket.SHUT_RDWR)
        assert settled(stub, 0)


def has_ended(port: Port) -> bool:
    """Tell whether what served the port has ended: closing gives up on it after a while."""
    return f"stub-{port.number}" not in {thread.name for thread in threading.enumerate()}


def test_closing_the_port_closes_them_promptly(stub: StubServer) -> None:
    with (
        stub.serve() as port,
        opened(port) as wire,
        opened(port, close_timeout=0.1) as silent,
        httpx.stream("GET", f"{port.url}/api/events/stream", headers=ADMIN) as reply,
    ):
        heard(wire), heard(silent)
        texts = reply.iter_text()
        next(texts)
        connection = stub.live.connections[1]
        with stub.lock:
            connection.half_open()
        closing = threading.Thread(target=port.close)
        closing.start()
        with pytest.raises(ConnectionClosed) as closed:
            heard(wire)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1012
        assert list(texts) == []
        closing.join()
        assert has_ended(port)
    assert stub.live.connections == []


@pytest.mark.parametrize("flags", [(), ("--test-mode",)])
def test_nobody_says_who_they_are_but_in_test_mode(flags: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "server_stub", "--port", "0", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = next(word for word in process.stdout.readline().split() if word.startswith("http"))
        target = f"{url.replace('http', 'ws')}/ws/websocket?vsn=2.0.0&user_id=zoe"
        try:
            if not flags:
                with pytest.raises(InvalidStatus), connect(target):
                    pass
                return
            with connect(target, additional_headers={}) as wire:
                wire.send('["1","1","room:lobby","phx_join",{}]')
                assert [heard(wire)[3] for _ in range(3)] == ["phx_reply", "presence_diff", "presence_state"]
                wire.send('["1","2","room:lobby","test:echo",{"n":1}]')
                assert heard(wire)[4] == {"status": "ok", "response": {"n": 1}}
        finally:
            process.terminate()


def test_whoever_does_not_read_is_not_waited_for(stub: StubServer) -> None:
    with stub.serve() as port, socket.create_connection(("127.0.0.1", port.number)) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        request = f"GET /api/events/stream HTTP/1.1\r\nHost: x\r\nAuthorization: {ADMIN['Authorization']}\r\n\r\n"
        deaf.sendall(request.encode())
        assert settled(stub, 1)
        for n in range(300):
            stub.client().leads.update("lead_123", {"notes": [str(n) * 10_000]})
        port.close()
        assert has_ended(port)
        assert stub.live.connections == []


def test_a_server_that_keeps_nothing_begins_another_history() -> None:
    with StubServer(running=True, demo=False) as one:
        assert one.epoch > datetime(2026, 1, 1, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("kind", ["refuse", "drop"])
def test_what_a_fault_cuts_off_at_its_beginning_is_no_connection(stub: StubServer, port: Port, kind: Any) -> None:
    stub.faults.add(kind, path_prefix="/ws", times=1)
    with pytest.raises((ConnectionClosed, InvalidMessage, OSError)), opened(port):
        pass
    assert settled(stub, 0)
    with opened(port) as wire:
        assert heard(wire)["type"] == "stream.ready" and len(stub.live.connections) == 1
