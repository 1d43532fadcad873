"""The stub on a real port: the same core behind uvicorn. Needs the extra ``server``."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from errno import EINVAL
from typing import TYPE_CHECKING, Any

from ..live.port import Carrier, Receive, Send
from ..request.http import Reply, Request
from ..request.reading.multipart import MOST_BYTES as MOST_OF_A_FORM
from ..request.reading.multipart import FormReader, is_form
from ..webhooks import courier as webhook_posting
from .browsers import for_browsers
from .control import PREFIX, Control

if TYPE_CHECKING:
    import uvicorn

    from ..core import StubServer

_TICK = 0.1
"""The seconds between two checks for work that is due."""
MOST_BYTES = 128 * 1024 * 1024
"""No body is larger, but forms with files, which are written to the disk."""
TOO_LARGE = Reply(
    413,
    {"Content-Type": "application/json", "Connection": "close"},
    b'{"success":false,"data":null,"errors":[{"code":"CONTENT_TOO_LARGE",'
    b'"message":"a body has at most 128 MiB, a form 512 MiB"}]}',
)
_HEADERS_WITHIN = 300
"""So many checks, 30 s of them, a connection gets to send the headers of its first request."""
_PATIENCE = 1.0
"""The seconds that connections get to end when the port is closed."""


class Application:
    """An ASGI application that passes every request to a stub server."""

    def __init__(self, server: StubServer) -> None:
        self._server = server
        self._carrier = Carrier(server)
        self._control = Control(server)
        self._waiting: dict[Any, int] = {}
        """The connections without a request, each with the number of checks that have found it so."""
        self.port: uvicorn.Server | None = None
        """The uvicorn server that runs the application."""

    @property
    def websocket_protocol(self) -> type[asyncio.Protocol]:
        """The class of uvicorn's WebSocket protocol."""
        return self._carrier.protocol()

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one connection's request."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._carrier.websocket(scope, receive, send)

    async def _http(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        method = scope["method"]
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        headers.pop("upgrade", None)  # not a valid WebSocket handshake: it is handled as a call
        kind = headers.get("content-type", "")
        reader = FormReader(kind) if is_form(kind) else None
        parts: list[bytes] = []
        size, more, most = 0, True, MOST_BYTES if reader is None else MOST_OF_A_FORM
        while more:
            message = await receive()
            piece = message.get("body", b"")
            size += len(piece)
            if message["type"] == "http.disconnect" or size > most:
                if reader is not None:
                    reader.close()
                return await _answer(TOO_LARGE, "POST", send) if size > most else None
            if reader is not None:
                reader.feed(piece)
            else:
                parts.append(piece)
            more = message.get("more_body", False)
        request = Request(
            "GET" if method == "HEAD" else method,
            scope["raw_path"].decode("latin-1"),
            scope["query_string"].decode("latin-1"),
            headers,
            b"".join(parts),
            (scope.get("client") or (None,))[0],
            reader.finish() if reader is not None else None,
        )
        is_control = self._server.live.test_mode and request.path.startswith(PREFIX)
        reply = self._control.handle(request) if is_control else self._server.handle(request)
        if reply.fault is not None and reply.fault.kind in ("refuse", "drop"):
            return await self._drop(scope, receive)
        if reply.fault is not None and reply.fault.kind == "delay":
            await asyncio.sleep(reply.fault.seconds)
        if reply.live is not None:
            await self._carrier.events(reply, receive, send)
        else:
            await _answer(reply, method, send)

    async def _drop(self, scope: Mapping[str, Any], receive: Receive) -> None:
        """Lose the connection of a request without an answer, as a test asked for."""
        for connection in tuple(self.port.server_state.connections) if self.port is not None else ():
            if getattr(connection, "scope", None) is scope or getattr(connection, "client", None) == scope["client"]:
                connection.transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        async with asyncio.TaskGroup() as tasks:
            clockwork = tasks.create_task(self._clockwork())
            while True:
                message = await receive()
                await send({"type": f"{message['type']}.complete"})
                if message["type"] == "lifespan.shutdown":
                    clockwork.cancel()
                    return

    async def _clockwork(self) -> None:
        """Carry out due work regularly, and end live connections when the port is closed."""
        patience = _PATIENCE
        while True:
            await asyncio.sleep(_TICK)
            self._server.catch_up()
            self._end_silent()
            if self.port is not None and self.port.should_exit:
                self._carrier.stop()
                patience -= _TICK
                for connection in tuple(self.port.server_state.connections) if patience <= 0 else ():
                    connection.transport.abort()  # uvicorn would wait for clients that do not read

    def _end_silent(self) -> None:
        """Close the connections whose first request does not come, so that they cannot use up what there is."""
        opened: set[Any] = self.port.server_state.connections if self.port is not None else set()
        silent = [one for one in opened if getattr(one, "cycle", self) is None]
        self._waiting = {one: self._waiting.get(one, 0) + 1 for one in silent}
        for connection, checks in self._waiting.items():
            if checks > _HEADERS_WITHIN:
                connection.transport.close()


async def _answer(reply: Reply, method: str, send: Send) -> None:
    if method == "OPTIONS" and reply.status == 405:  # what it asks is which methods there are
        allowed = {*reply.headers["Allow"].split(", "), "HEAD", "OPTIONS"}
        reply = Reply(204, {**reply.headers, "Allow": ", ".join(sorted(allowed))})
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
    body = b"<html>garbled</html>" if reply.fault is not None and reply.fault.kind == "garble" else reply.body
    if reply.chunks is None:
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    for chunk in (reply.chunks or ()) if method != "HEAD" else ():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": body if reply.chunks is None and method != "HEAD" else b""})


def _uvicorn(server: StubServer, origins: Sequence[str] | None = None) -> uvicorn.Server:
    try:
        import uvicorn
    except ImportError as error:
        raise RuntimeError("a real port needs uvicorn: pip install 'crm-sdk[server]'") from error
    application = Application(server)
    config = uvicorn.Config(
        for_browsers(application, origins),
        log_level="critical",
        lifespan="on",
        access_log=False,
        date_header=False,
        proxy_headers=False,  # the peer of the connection is the client, whatever forwarding headers tell
        ws=application.websocket_protocol,
        ws_ping_interval=None,
        ws_per_message_deflate=False,
    )
    made = uvicorn.Server(config)
    application.port = made
    return made


def _listen(host: str, port: int) -> socket.socket:
    # With an explicit protocol, since asyncio sets TCP_NODELAY only on such sockets. Without it every answer, which
    # uvicorn writes in two pieces, waits 40 ms for the client's delayed acknowledgement.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        number, why = (error.errno, error.strerror) if isinstance(error, OSError) else (EINVAL, "no such port")
        raise OSError(number, f"cannot listen on {host}:{port}: {why}") from None
    listener.listen(2048)
    return listener


def run(
    server: StubServer,
    host: str,
    port: int,
    ready: Callable[[str], object],
    *,
    origins: Sequence[str] | None = None,
) -> None:
    """Serve until the process is stopped; `ready` is called with the URL once connections are accepted.

    `origins` names the web pages that may call the port; None stands for those of this machine.
    """
    uvicorn_server = _uvicorn(server, origins)
    listener = _listen(host, port)
    server.origin = f"http://{host}:{listener.getsockname()[1]}"
    ready(server.origin)
    webhook_posting.start(server)
    try:
        uvicorn_server.run(sockets=[listener])
    finally:
        webhook_posting.stop(server)
        listener.close()
        server.close()


class Port:
    """A stub server on a port, served by a background thread: ``with stub.serve() as port: ...``."""

    def __init__(self, server: StubServer, host: str, port: int) -> None:
        server.clock.running = True
        if server.enforce_limits is None:
            server.enforce_limits = True
        self._uvicorn = _uvicorn(server)
        self._listener = _listen(host, port)
        self.number: int = self._listener.getsockname()[1]
        self.url = f"http://{host}:{self.number}"
        """The `base_url` for clients."""
        server.origin = self.url
        self._thread = threading.Thread(
            target=self._uvicorn.run, kwargs={"sockets": [self._listener]}, name=f"stub-{self.number}", daemon=True
        )
        self._thread.start()
        self._server = server
        self._closed = False
        webhook_posting.start(server)

    def close(self) -> None:
        """Stop serving; a second time is nothing."""
        if self._closed:
            return
        self._closed = True
        self._uvicorn.should_exit = True
        self._thread.join(timeout=10)
        webhook_posting.stop(self._server)
        self._listener.close()

    def __enter__(self) -> Port:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
