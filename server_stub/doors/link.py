"""Links between a client and a stub server in the same process, without httpx."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import TYPE_CHECKING, Any, NoReturn, cast
from urllib.parse import urlsplit

from crm_sdk.errors import ConnectionFailedError, DeadlineExceededError
from crm_sdk.exchange import Reply as Received
from crm_sdk.exchange import Request as Sent

from ..live.bodies import LiveBody
from ..live.sockets import open_async_socket, open_socket
from ..request.answering.chunks import BrokenOffError
from ..request.http import Reply, Request
from ..request.reading.multipart import Form, read_whole

if TYPE_CHECKING:
    from crm_sdk.realtime.sockets import AsyncSocket, Socket

    from ..core import StubServer
    from ..live.connection import Connection


def server_request(sent: Sent) -> Request:
    """Return a client's request as a request of the server."""
    parts = urlsplit(sent.url)
    headers = {name.lower(): value for name, value in sent.headers.items()}
    form = None
    if sent.files is not None:
        headers["content-type"], form = _form(sent.files)
    return Request(sent.method, parts.path, parts.query, headers, sent.content or b"", form=form)


def _form(files: Any) -> tuple[str, Form]:
    import httpx  # imported here: most calls have no file, and the import takes longer than a call

    request = httpx.Request("POST", "http://stub.test/", files=files)
    kind: str = request.headers["content-type"]
    return kind, read_whole(kind, cast("Iterable[bytes]", request.stream))


def client_reply(server: StubServer, reply: Reply, sent: Sent, timeout: float) -> Received:
    """Return the server's reply as a reply of the client; a fault raises its error."""
    fault = reply.fault
    where = f"{sent.method} {sent.url}"
    if fault is not None and fault.kind == "refuse":
        raise ConnectionFailedError(f"{where} failed: the test refused the connection", sent=False)
    if fault is not None and fault.kind == "drop":
        raise ConnectionFailedError(f"{where} failed: the test dropped the answer")
    if fault is not None and fault.kind == "delay" and fault.seconds > timeout:
        raise DeadlineExceededError(f"{where} timed out: the test delayed the answer by {fault.seconds:g} s")
    headers = {name.lower(): value for name, value in reply.headers.items()}
    if reply.live is not None:
        return Received(reply.status, headers, body=_live(server, reply.live, where, timeout))
    body = b"<html>garbled</html>" if fault is not None and fault.kind == "garble" else reply.body
    if reply.chunks is None:
        headers["content-length"] = str(len(body))
    if sent.stream and reply.status < 400:
        return Received(reply.status, headers, body=_Body(reply.chunks if reply.chunks is not None else (body,), where))
    return Received(reply.status, headers, b"".join(_Body(reply.chunks, where)) if reply.chunks is not None else body)


def _live(server: StubServer, connection: Connection, where: str, timeout: float) -> LiveBody:
    return LiveBody(
        server,
        connection,
        timeout if timeout < math.inf else None,
        lambda reason: ConnectionFailedError(f"{where} failed: {reason}"),
        lambda reason: DeadlineExceededError(f"{where} timed out: {reason}"),
    )


class _Body:
    """The body of a file, for sync and async clients."""

    def __init__(self, chunks: Iterable[bytes], where: str) -> None:
        self._chunks = iter(chunks)
        self._where = where

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._chunks
        except BrokenOffError as error:
            raise ConnectionFailedError(f"{self._where} failed: {error}") from None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk

    def close(self) -> None:
        """Leave the rest."""

    async def aclose(self) -> None:
        """Leave the rest."""


class StubLink:
    """The link of a sync client to a stub."""

    is_link = True

    def __init__(self, server: StubServer) -> None:
        self._server = server

    def send(self, request: Sent, timeout: float) -> Received:
        """Answer a request."""
        return client_reply(self._server, self._server.handle(server_request(request)), request, timeout)

    def open_socket(
        self, url: str, headers: Mapping[str, str], subprotocols: Sequence[str], timeout: float
    ) -> AbstractContextManager[Socket]:
        """Open a WebSocket; `url` begins with ws or wss."""
        return open_socket(self._server, url, headers, subprotocols, timeout)

    def close(self) -> None:
        """Leave the server as it is."""

    def __reduce__(self) -> NoReturn:
        raise TypeError("a stub lives in one process: pickle its snapshot, not its client's link")


class AsyncStubLink:
    """The link of an async client to a stub."""

    is_link = True

    def __init__(self, server: StubServer) -> None:
        self._server = server

    async def send(self, request: Sent, timeout: float) -> Received:
        """Answer a request."""
        return client_reply(self._server, self._server.handle(server_request(request)), request, timeout)

    def open_socket(
        self, url: str, headers: Mapping[str, str], subprotocols: Sequence[str], timeout: float
    ) -> AbstractAsyncContextManager[AsyncSocket]:
        """Open a WebSocket; `url` begins with ws or wss."""
        return open_async_socket(self._server, url, headers, subprotocols, timeout)

    async def aclose(self) -> None:
        """Leave the server as it is."""
