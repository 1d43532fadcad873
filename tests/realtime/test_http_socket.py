"""A streamed answer as a socket: what it brings, why it ends, and that whoever waits for it learns of its closing."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest
from patience import HANG, until, until_async

from crm_sdk.errors import ConnectionFailedError, InvalidResponseError
from crm_sdk.exchange import Reply
from crm_sdk.realtime.http_socket import open_async_http, open_http
from crm_sdk.realtime.sockets import SocketClosedError, SocketRefusedError

STREAM = {"content-type": "Text/Event-Stream; charset=utf-8"}
PIECES = (b"a", b"b")


class Body:
    """A body that brings some pieces, then fails, ends, or waits until it is closed."""

    def __init__(self, end: Exception | str | None) -> None:
        self.end = end
        self.closed = 0
        self._left = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        yield from PIECES
        if isinstance(self.end, Exception):
            raise self.end
        if self.end == "waits":
            self._left.wait(HANG)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in PIECES:
            yield piece
        if isinstance(self.end, Exception):
            raise self.end
        if self.end == "waits":
            await anyio.sleep_forever()

    def close(self) -> None:
        self.closed += 1
        self._left.set()

    async def aclose(self) -> None:
        await anyio.sleep(0.001)  # as a connection that is closed does
        self.close()


class Endless(Body):
    """A body without an end, which counts the pieces that were taken."""

    taken = 0

    def __iter__(self) -> Iterator[bytes]:
        while not self.closed:
            self.taken += 1
            yield b"a"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while not self.closed:
            self.taken += 1
            yield b"a"
            await anyio.sleep(0)


class Link:
    """Answers with a body, and notes what was asked."""

    def __init__(self, body: Body | None, status: int = 200, kind: str = STREAM["content-type"]) -> None:
        self.body = body
        self.reply = Reply(status, {"content-type": kind, "retry-after": "3"}, b"why", body)
        self.asked: list[Any] = []


class SyncLink(Link):
    def send(self, request: Any, timeout: float) -> Reply:
        self.asked.append(request)
        return self.reply


class AsyncLink(Link):
    async def send(self, request: Any, timeout: float) -> Reply:
        self.asked.append(request)
        return self.reply


ENDS: list[tuple[Exception | None, str]] = [
    (None, "lost: the answer ended"),
    (ConnectionFailedError("it was reset"), "lost: it was reset"),
    (OSError("no route"), "lost: no route"),
]


@pytest.mark.parametrize(("end", "said"), ENDS)
def test_the_pieces_come_and_then_why_there_are_no_more(end: Exception | None, said: str) -> None:
    link = SyncLink(Body(end))
    with open_http(link, "http://crm.test/stream", {"A": "b"}) as socket:
        assert [socket.receive(HANG), socket.receive(HANG)] == list(PIECES)
        with pytest.raises(SocketClosedError) as ended:
            socket.receive(HANG)
        with pytest.raises(TypeError, match="nothing can be sent"):
            socket.send("x")
        socket.ping()
        assert socket.ponged
    assert (ended.value.code, str(ended.value)) == (None, said)
    (request,) = link.asked
    assert (request.method, request.url, request.headers, request.stream) == (
        "GET", "http://crm.test/stream", {"A": "b"}, True
    )  # fmt: skip
    assert link.body is not None and link.body.closed


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize(("end", "said"), ENDS)
def test_the_pieces_come_to_tasks_too(end: Exception | None, said: str, backend: str) -> None:
    link = AsyncLink(Body(end))

    async def main() -> None:
        async with open_async_http(link, "http://crm.test/stream", {}) as socket:
            assert [await socket.receive(HANG), await socket.receive(HANG)] == list(PIECES)
            with pytest.raises(SocketClosedError) as ended:
                await socket.receive(HANG)
            with pytest.raises(TypeError, match="nothing can be sent"):
                await socket.send("x")
            await socket.ping()
            assert socket.ponged and (ended.value.code, str(ended.value)) == (None, said)

    anyio.run(main, backend=backend)
    assert link.body is not None and link.body.closed


def test_who_waits_for_a_piece_learns_that_it_was_closed() -> None:
    body = Body("waits")
    with open_http(SyncLink(body), "http://crm.test/stream", {}) as socket:
        assert [socket.receive(HANG), socket.receive(HANG), socket.receive(0.01)] == [*PIECES, None]
        socket.close()
        with pytest.raises(SocketClosedError):
            socket.receive(1)
        until(lambda: body.closed > 0)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_task_that_reads_is_ended_with_its_socket(backend: str) -> None:
    body = Body("waits")

    async def main() -> None:
        async with open_async_http(AsyncLink(body), "http://crm.test/stream", {}) as socket:
            assert [await socket.receive(HANG), await socket.receive(HANG)] == list(PIECES)
            assert await socket.receive(0.01) is None and not body.closed
        await until_async(lambda: body.closed > 0)

    anyio.run(main, backend=backend)


def reading_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "crm-sdk-sse"]


def test_what_nobody_reads_is_left_where_it_is_and_no_thread_stays() -> None:
    until(lambda: not reading_threads())
    body = Endless(None)
    with open_http(SyncLink(body), "http://crm.test/stream", {}) as socket:
        until(lambda: body.taken >= 257)
        (thread,) = reading_threads()
        thread.join(0.05)
        assert (body.taken, thread.daemon) == (257, True)
        assert socket.receive(HANG) == b"a"
        until(lambda: body.taken == 258)
    thread.join(HANG)
    assert not thread.is_alive() and body.taken == 258 and body.closed


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_what_no_task_reads_is_left_where_it_is(backend: str) -> None:
    body = Endless(None)

    async def main() -> None:
        async with open_async_http(AsyncLink(body), "http://crm.test/stream", {}) as socket:
            await until_async(lambda: body.taken >= 257)
            await anyio.sleep(0.02)
            assert body.taken == 257
            assert await socket.receive(HANG) == b"a"
            await until_async(lambda: body.taken == 258)
        assert body.closed and body.taken == 258

    anyio.run(main, backend=backend)


def test_a_body_that_can_be_interrupted_is(monkeypatch: pytest.MonkeyPatch) -> None:
    body, interrupted = Body("waits"), list[int]()

    def interrupt() -> None:
        interrupted.append(body.closed)
        body._left.set()

    monkeypatch.setattr(body, "interrupt", interrupt, raising=False)
    with open_http(SyncLink(body), "http://crm.test/stream", {}):
        pass
    until(lambda: body.closed == 1)
    assert interrupted == [0], "its thread closes it"


@pytest.mark.parametrize("has_body", [True, False])
@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (200, "application/json", InvalidResponseError),
        (201, "text/event-stream", SocketRefusedError),
        (503, "text/event-stream", SocketRefusedError),
    ],
)
def test_an_answer_that_is_no_stream_is_said_and_closed(
    status: int, kind: str, error: type[Exception], has_body: bool
) -> None:
    def bodies() -> Body | None:
        return Body(None) if has_body else None

    link, other = SyncLink(bodies(), status, kind), AsyncLink(bodies(), status, kind)

    async def main() -> None:
        async with open_async_http(other, "http://crm.test/stream?token=x", {}):
            raise AssertionError("it was opened")

    if not has_body:
        error = SocketRefusedError
    with pytest.raises(error) as raised, open_http(link, "http://crm.test/stream?token=x", {}):
        raise AssertionError("it was opened")
    with pytest.raises(error):
        anyio.run(main)
    for made in (link, other):
        assert made.body is None or made.body.closed == 1
    if isinstance(raised.value, SocketRefusedError):
        assert (raised.value.status, raised.value.body) == (status, b"why")
        assert raised.value.headers["retry-after"] == "3"
    else:
        assert str(raised.value).startswith("http://crm.test/stream answers 'application/json', not text/event-stream")
