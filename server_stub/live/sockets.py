"""WebSockets between a client and a stub server in the same process, without a network."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crm_sdk.errors import ConnectionFailedError
from crm_sdk.realtime.sockets import AsyncSocket, Socket, SocketClosedError, SocketRefusedError

from ..request.http import Request
from .connection import Connection, Data, Ended
from .waiting import AsyncWaiter, Waiter

if TYPE_CHECKING:
    from ..core import StubServer


def _connect(
    server: StubServer, url: str, headers: Mapping[str, str], subprotocols: Sequence[str], timeout: float
) -> Connection:
    """Open the server's end of a WebSocket."""
    parts = urlsplit(url)
    sent = {name.lower(): value for name, value in headers.items()} | {"upgrade": "websocket"}
    if subprotocols:
        sent["sec-websocket-protocol"] = ", ".join(subprotocols)
    reply = server.handle(Request("GET", parts.path, parts.query, sent))
    fault = reply.fault
    late = fault is not None and fault.kind == "delay" and fault.seconds > timeout
    if late or (fault is not None and fault.kind in ("refuse", "drop")):
        if reply.live is not None:
            reply.live.client_left()
        why = "the test delayed the answer" if late else "the test refused the connection"
        raise ConnectionFailedError(f"{url.partition('?')[0]} failed: {why}", sent=False)
    if reply.live is None:
        raise SocketRefusedError(
            reply.status, {name.lower(): value for name, value in reply.headers.items()}, reply.body
        )
    return reply.live


class _Ends:
    """The base class of the sync and the async socket: the operations that do not wait."""

    def __init__(self, server: StubServer, connection: Connection) -> None:
        self._server = server
        self._connection = connection
        self._pinged_silent = False

    def _send(self, data: Data) -> None:
        with self._server.lock:
            if self._connection.ended is not None:
                raise _closed_error(self._connection.ended)
            self._connection.receive(data)

    def _ping(self) -> None:
        with self._server.lock:
            if self._connection.ended is not None:
                raise _closed_error(self._connection.ended)
            self._pinged_silent = self._connection.silent

    @property
    def ponged(self) -> bool:
        return not self._pinged_silent

    def _close(self) -> None:
        with self._server.lock:
            self._connection.client_left()

    def _over(self) -> SocketClosedError | None:
        ended = self._connection.ended
        return _closed_error(ended) if ended is not None else None


def _closed_error(ended: Ended) -> SocketClosedError:
    return SocketClosedError(ended.code, ended.reason)


class _SyncSocket(_Ends):
    def __init__(self, server: StubServer, connection: Connection) -> None:
        super().__init__(server, connection)
        self._waiter = Waiter(server, connection)

    def send(self, data: Data) -> None:
        self._send(data)

    def receive(self, timeout: float) -> Data | None:
        data = self._waiter.take(timeout)
        over = self._over() if data is None else None
        if over is not None:
            raise over
        return data

    def ping(self) -> None:
        self._ping()

    def close(self, code: int = 1000) -> None:
        self._close()


class _AsyncSocket(_Ends):
    def __init__(self, server: StubServer, connection: Connection) -> None:
        super().__init__(server, connection)
        self._waiter = AsyncWaiter(server, connection)

    async def send(self, data: Data) -> None:
        self._send(data)

    async def receive(self, timeout: float) -> Data | None:
        data = await self._waiter.take(timeout)
        over = self._over() if data is None else None
        if over is not None:
            raise over
        return data

    async def ping(self) -> None:
        self._ping()

    async def close(self, code: int = 1000) -> None:
        self._close()


@contextmanager
def open_socket(
    server: StubServer, url: str, headers: Mapping[str, str], subprotocols: Sequence[str], timeout: float
) -> Generator[Socket]:
    """Open a WebSocket to a stub server."""
    socket = _SyncSocket(server, _connect(server, url, headers, subprotocols, timeout))
    try:
        yield socket
    finally:
        socket.close()


@asynccontextmanager
async def open_async_socket(
    server: StubServer, url: str, headers: Mapping[str, str], subprotocols: Sequence[str], timeout: float
) -> AsyncGenerator[AsyncSocket]:
    """Open a WebSocket to a stub server on asyncio or trio."""
    socket = _AsyncSocket(server, _connect(server, url, headers, subprotocols, timeout))
    try:
        yield socket
    finally:
        await socket.close()
