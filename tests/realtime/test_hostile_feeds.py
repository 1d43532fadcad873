"""A feed whose server says what no server should: garbage, wrong types, what cannot be had, answers of other kinds."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any

import pytest
from blocking import MODES, client_of, opened
from patience import HANG, can_take_less_than, until
from websocket_server import serving
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection

from crm_sdk import AsyncCrmClient, CrmClient
from crm_sdk.errors import CrmError, EventGap, InvalidResponseError
from server_stub import StubServer

pytestmark = pytest.mark.thorough


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@contextmanager
def saying(*messages: str | bytes) -> Generator[str]:
    """Serve these messages to whoever comes by WebSocket, and keep the link."""

    def handle(connection: ServerConnection) -> None:
        try:
            for message in messages:
                connection.send(message)
            for _ in connection:
                pass
        except (ConnectionClosed, OSError):
            return

    with serving(handle) as place:
        yield f"http://{place}"


@contextmanager
def answering(
    body: bytes, status: int = 200, kind: str | None = "text/event-stream", **headers: str
) -> Generator[tuple[str, list[float]]]:
    """Serve one short answer to everything by HTTP; gives the URL, and when it was asked for."""
    asked: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(time.monotonic())
            self.send_response(status)
            if kind is not None:
                headers["Content-Type"] = kind
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join(HANG)


def client_at(url: str, mode: str, **options: Any) -> Any:
    return (CrmClient if mode == "sync" else AsyncCrmClient)(url, "key", **options)


def listening(**options: Any) -> Callable[[Any], Any]:
    return lambda client: client.events.listen(**options)


def ready(seq: object = 0, epoch: object = "e1", gap: object = None) -> str:
    return json.dumps({"type": "stream.ready", "data": {"seq": seq, "epoch": epoch, "gap": gap}})


def event(seq: object, epoch: object = "e1", **members: object) -> str:
    return json.dumps({"type": "t", "data": {"n": seq}, "seq": seq, "epoch": epoch, "id": f"evt_{seq}", **members})


def test_an_event_that_never_comes_is_lost_after_it_was_asked_for_often_enough(mode: str) -> None:
    stub = StubServer()
    user = stub.client()
    with opened(client_of(stub, mode, None), listening(types=["lead.created"]), mode) as stream:
        stub.live.add("drop", event="lead.created", times=100)
        user.leads.create({"name": "never"})
        stub.clock.advance(16)
        with pytest.raises(EventGap) as caught:
            stream.wait(HANG)
        assert caught.value.reason == "lost" and caught.value.from_seq == caught.value.to_seq
        assert 8 <= stub.live.faults.fault_counts["drop"] <= 10


@pytest.mark.parametrize(
    "odd",
    [
        "[" * 100_000,
        '{"type": "t", "data": ' + "[" * 100_000,
        "\ud800".encode("utf-8", "surrogatepass"),
        b"\xff\xfe",
        "9" * 5000,
        '{"type": "stream.position", "data": {"seq": "x", "epoch": 7}}',
        '{"type": "stream.position", "data": {"seq": 0}}',
        '{"type": "stream.ready", "data": {"seq": 0, "epoch": "e1", "gap": 5}}',
        '{"type": 7, "seq": 1}',
        event("1"),
        event(True),
        "null",
    ],
    ids=range(12),
)
def test_what_is_no_event_does_no_harm(odd: str | bytes) -> None:
    with saying(ready(), odd, event(1), event(2)) as url, client_at(url, "sync").events.listen() as stream:
        got: list[Any] = []
        while len(got) < 2:
            found = stream.wait(HANG)
            assert found is not None
            got.append(found.seq)
        assert got == [1, 2] and stream.wait(0.4) is None and str(stream.cursor) == "e1:2"


def test_what_is_no_event_stream_is_said_and_not_asked_for_again(mode: str) -> None:
    page = b"<!doctype html><title>Sign in</title>"
    with answering(page, kind="text/html; charset=utf-8") as (url, asked):
        with (
            pytest.raises(InvalidResponseError, match="text/html") as raised,
            opened(client_at(url, mode, timeout=HANG), listening(over="sse"), mode),
        ):
            raise AssertionError("it began")
        assert len(asked) == 1 and raised.value.status == 200


def test_a_server_that_has_no_more_to_say_is_left_alone(mode: str) -> None:
    with answering(b"", 204, kind=None) as (url, asked):
        client = client_at(url, mode, timeout=HANG, max_connections=1)
        with pytest.raises(CrmError, match="204"), opened(client, listening(over="sse"), mode):
            raise AssertionError("it began")
        assert len(asked) == 1


def test_the_time_that_an_event_stream_asks_for_is_given(mode: str) -> None:
    with answering(f"retry: 700\nid: e1:0\ndata: {ready()}\n\n".encode()) as (url, asked):
        pauses: list[float] = []

        def pause() -> float:
            asked.clear()
            with opened(client_at(url, mode, timeout=HANG), listening(over="sse"), mode):
                until(lambda: len(asked) == 2)
            pauses.append(asked[1] - asked[0])
            return pauses[-1]

        assert can_take_less_than(1.0, pause) and min(pauses) >= 0.7


def test_an_event_stream_that_ends_at_once_is_asked_for_ever_less_often(mode: str) -> None:
    with answering(f"id: e1:0\ndata: {ready()}\n\n".encode()) as (url, asked):
        with opened(client_at(url, mode, timeout=HANG), listening(over="sse"), mode):
            until(lambda: len(asked) >= 4)
        pauses = [later - earlier for earlier, later in pairwise(asked[:4])]
        assert all(pause >= least for pause, least in zip(pauses, (0.05, 0.1, 0.2), strict=True)), pauses
