"""Carry live connections over a real port: WebSockets and event streams of an ASGI server (uvicorn)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..request.http import Reply, Request
from .connection import Close, Connection, Ended
from .waiting import AsyncWaiter

if TYPE_CHECKING:
    from ..core import StubServer

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class Carrier:
    """The carrier of the live connections of one port."""

    def __init__(self, server: StubServer) -> None:
        self._server = server
        self._open: set[Connection] = set()
        self._transports: dict[object, asyncio.Transport] = {}

    def protocol(self) -> type[asyncio.Protocol]:
        """Return uvicorn's WebSocket protocol with access to the transport, which is needed to lose a connection."""
        from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

        transports = self._transports

        class Protocol(WebSocketsSansIOProtocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                super().connection_made(transport)
                transports[self.client] = self.transport

            def connection_lost(self, exc: Exception | None) -> None:
                transports.pop(self.client, None)
                super().connection_lost(exc)

        return Protocol

    def stop(self) -> None:
        """End all connections, since the port is closed."""
        with self._server.lock:
            for connection in self._open:
                connection.end(Ended(Close.RESTART, "the server stops"))

    # -- WebSockets ----------------------------------------------------------------------------------------------

    async def websocket(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Carry one WebSocket from its request to its end."""
        transport = self._transports.pop(scope["client"], None)
        await receive()  # websocket.connect
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        reply = self._server.handle(
            Request("GET", scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1"), headers)
        )
        connection = reply.live
        if reply.fault is not None and reply.fault.kind in ("refuse", "drop"):
            if connection is not None:
                connection.client_left()
            if transport is not None:
                transport.abort()
            return
        if connection is None:
            await _refuse(reply, send)
            return
        self._open.add(connection)
        if reply.fault is not None and reply.fault.kind == "delay":
            await asyncio.sleep(reply.fault.seconds)
        if transport is not None:
            connection.cut = _cutter(connection, transport)
        try:
            await send({"type": "websocket.accept", "subprotocol": reply.headers.get("Sec-WebSocket-Protocol")})
            async with asyncio.TaskGroup() as tasks:
                reader = tasks.create_task(self._read(connection, receive))
                await self._write(connection, send)
                reader.cancel()
        except* OSError:
            pass  # the client left while a message was sent: uvicorn raises an OSError
        finally:
            self._open.discard(connection)
            with self._server.lock:
                connection.client_left()

    async def _read(self, connection: Connection, receive: Receive) -> None:
        while not connection.silent:
            message = await receive()
            with self._server.lock:
                if message["type"] == "websocket.disconnect":
                    connection.client_left()
                    return
                text: str | None = message.get("text")
                connection.receive(text if text is not None else message["bytes"])

    async def _write(self, connection: Connection, send: Send) -> None:
        waiter = AsyncWaiter(self._server, connection)
        while (data := await waiter.take(None)) is not None:
            await send({"type": "websocket.send", "text" if isinstance(data, str) else "bytes": data})
        ended = connection.ended
        if ended is not None and ended.code is not None:
            await send({"type": "websocket.close", "code": ended.code, "reason": ended.reason})

    # -- server-sent events --------------------------------------------------------------------------------------

    async def events(self, reply: Reply, receive: Receive, send: Send) -> None:
        """Carry one stream of server-sent events."""
        connection = reply.live
        assert connection is not None, "the reply is one that stays"
        self._open.add(connection)
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
        try:
            await send({"type": "http.response.start", "status": reply.status, "headers": headers})
            # At once, so that the client receives the headers before the body begins.
            await send({"type": "http.response.body", "body": b"", "more_body": True})
            async with asyncio.TaskGroup() as tasks:
                watcher = tasks.create_task(self._watch(connection, receive))
                waiter = AsyncWaiter(self._server, connection)
                while (data := await waiter.take(None)) is not None:
                    body = data if isinstance(data, bytes) else data.encode()
                    await send({"type": "http.response.body", "body": body, "more_body": True})
                watcher.cancel()
            ended = connection.ended
            if ended is not None and ended.code is None:
                raise ConnectionAbortedError(f"the stream is broken off: {ended.reason}")
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._open.discard(connection)
            with self._server.lock:
                connection.client_left()

    async def _watch(self, connection: Connection, receive: Receive) -> None:
        """Wait until the client leaves."""
        while (await receive())["type"] != "http.disconnect":
            pass
        with self._server.lock:
            connection.client_left()


def _cutter(connection: Connection, transport: asyncio.Transport) -> Callable[[], None]:
    """Return a function that loses a WebSocket or lets it fall silent: nothing is read any more, not even a ping."""
    loop = asyncio.get_running_loop()

    def cut() -> None:
        if connection.silent:
            transport.pause_reading()
        elif connection.ended is not None and connection.ended.code is None:
            transport.abort()

    return lambda: _soon(loop, cut)


def _soon(loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(act)


async def _refuse(reply: Reply, send: Send) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
    headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "websocket.http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": reply.body})
