"""A streamed HTTP answer as a one-way socket, for SSE."""

from __future__ import annotations

import queue
import threading
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import AsyncExitStack, ExitStack, aclosing, asynccontextmanager, contextmanager, suppress
from typing import Any

import anyio

from ..errors import CrmError, InvalidResponseError
from ..exchange import Reply, Request
from .background import Background
from .feed import SILENCE
from .sockets import AsyncSocket, Data, Socket, SocketClosedError, SocketRefusedError

_PIECES = 256
"""The number of unread chunks at which reading from the connection pauses."""


def _request(url: str, headers: Mapping[str, str]) -> Request:
    return Request("GET", url, headers, stream=True)


def _is_event_stream(reply: Reply, url: str) -> bool:
    """Return whether a reply is a stream of events; False for an error status.

    Raises: InvalidResponseError for a successful reply of another content type.
    """
    if reply.status != 200 or reply.body is None:
        return False
    kind = reply.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() != "text/event-stream":
        raise InvalidResponseError(f"{url.partition('?')[0]} answers {kind!r}, not text/event-stream", status=200)
    return True


class _HttpSocket:
    def __init__(self, body: Any) -> None:
        self._body = body
        self._pieces: queue.Queue[bytes | None] = queue.Queue(_PIECES)
        self._reason = "the answer ended"
        self._closed = False
        threading.Thread(target=self._pump, name="crm-sdk-sse", daemon=True).start()

    ponged = True

    def _pump(self) -> None:
        try:
            for piece in self._body:
                if not self._hand_over(piece):
                    return
        except CrmError as error:
            self._reason = str(error)
        except OSError as error:
            self._reason = str(error)
        finally:
            self._hand_over(None)
            with suppress(Exception):  # the connection is abandoned: an error while closing it does not matter
                self._body.close()

    def _hand_over(self, piece: bytes | None) -> bool:
        while not self._closed:
            try:
                self._pieces.put(piece, timeout=0.5)
            except queue.Full:
                continue
            return True
        return False

    def send(self, data: Data) -> None:
        raise TypeError("nothing can be sent over SSE")

    def receive(self, timeout: float) -> Data | None:
        try:
            piece = self._pieces.get(timeout=max(timeout, 0.001))
        except queue.Empty:
            return None
        if piece is None:
            raise SocketClosedError(None, self._reason)
        return piece

    def ping(self) -> None:
        """Do nothing: an SSE server sends comments by itself."""

    def close(self, code: int = 1000) -> None:
        self._closed = True
        with suppress(queue.Full):
            self._pieces.put_nowait(None)
        with suppress(Exception):  # as above
            getattr(self._body, "interrupt", self._body.close)()


@contextmanager
def open_http(link: Any, url: str, headers: Mapping[str, str]) -> Generator[Socket]:
    """Ask for an endless answer."""
    reply = link.send(_request(url, headers), SILENCE)
    with ExitStack() as closing:
        if reply.body is not None:
            closing.callback(reply.body.close)
        if not _is_event_stream(reply, url):
            raise SocketRefusedError(reply.status, reply.headers, reply.content)
        closing.pop_all()  # the socket closes it
    socket = _HttpSocket(reply.body)
    try:
        yield socket
    finally:
        socket.close()


class _AsyncHttpSocket:
    def __init__(self, body: Any) -> None:
        self._body = body
        self._inlet, self._outlet = anyio.create_memory_object_stream[bytes](_PIECES)
        self._reason = "the answer ended"
        self._task = Background(self._pump)

    ponged = True

    async def _pump(self) -> None:
        try:
            async with aclosing(aiter(self._body)) as pieces:
                async for piece in pieces:
                    try:
                        # Without a chance to be cancelled here: what is cancelled while it reads ends all the
                        # generators that the pieces come through, and leaves none to the garbage collector.
                        self._inlet.send_nowait(piece)
                    except anyio.WouldBlock:
                        await self._inlet.send(piece)
        except (CrmError, OSError) as error:
            self._reason = str(error)
        except anyio.BrokenResourceError:
            pass  # nobody reads any more
        finally:
            self._inlet.close()
            with anyio.move_on_after(1.0, shield=True), suppress(Exception):  # it is of no use any more
                await self._body.aclose()

    async def send(self, data: Data) -> None:
        raise TypeError("nothing can be sent over SSE")

    async def receive(self, timeout: float) -> Data | None:
        try:
            with anyio.move_on_after(timeout):
                return await self._outlet.receive()
        except anyio.EndOfStream:
            raise SocketClosedError(None, self._reason) from None
        return None

    async def ping(self) -> None:
        """Do nothing: an SSE server sends comments by itself."""

    async def close(self, code: int = 1000) -> None:
        try:
            await self._task.stop()
        finally:  # also where the task that closes it is cancelled meanwhile
            self._outlet.close()


@asynccontextmanager
async def open_async_http(link: Any, url: str, headers: Mapping[str, str]) -> AsyncGenerator[AsyncSocket]:
    """Ask for an endless answer."""
    reply = await link.send(_request(url, headers), SILENCE)
    async with AsyncExitStack() as closing:
        if reply.body is not None:
            closing.push_async_callback(reply.body.aclose)
        if not _is_event_stream(reply, url):
            raise SocketRefusedError(reply.status, reply.headers, reply.content)
        closing.pop_all()  # the socket closes it
    socket = _AsyncHttpSocket(reply.body)
    try:
        yield socket
    finally:
        await socket.close()
