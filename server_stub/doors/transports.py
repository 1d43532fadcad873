"""httpx transports that answer from a stub server, in the same process."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar, cast

import httpx

from crm_sdk.exchange import Reply as Got
from crm_sdk.exchange import Request as Sent
from crm_sdk.realtime.sockets import AsyncSocket, Socket

from ..faults.requests import Fault
from ..live.bodies import LiveBody
from ..live.connection import Connection
from ..live.sockets import open_async_socket, open_socket
from ..request.answering.chunks import BrokenOffError
from ..request.http import Reply, Request
from ..request.reading.multipart import Form, FormReader, is_form

if TYPE_CHECKING:
    from ..core import StubServer

_MOST = 1000
"""So many requests of clients that were created before an interception may be under way."""
Made = TypeVar("Made")
Opens = TypeVar("Opens")


def _server_request(request: httpx.Request, body: bytes = b"", form: Form | None = None) -> Request:
    headers = {name.lower(): value for name, value in request.headers.items()}
    raw_path, _, query = request.url.raw_path.partition(b"?")
    return Request(request.method, raw_path.decode(), query.decode(), headers, body, form=form)


def _form_reader(request: httpx.Request) -> FormReader | None:
    kind: str = request.headers.get("content-type", "")
    return FormReader(kind) if is_form(kind) else None


def _client_response(server: StubServer, reply: Reply, request: httpx.Request) -> httpx.Response:
    if reply.fault is not None:
        _lose(reply.fault, request)
    headers = list(reply.headers.items())
    if reply.live is not None:
        return httpx.Response(reply.status, headers=headers, stream=_Live(server, reply.live, request))
    if reply.chunks is not None:
        return httpx.Response(reply.status, headers=headers, stream=_Chunks(reply.chunks, request))
    body = b"<html>garbled</html>" if reply.fault is not None and reply.fault.kind == "garble" else reply.body
    return httpx.Response(reply.status, headers=headers, content=body)


def _lose(fault: Fault, request: httpx.Request) -> None:
    if fault.kind == "refuse":
        raise httpx.ConnectError("the test refused the connection", request=request)
    if fault.kind == "drop":
        raise httpx.ReadError("the test dropped the answer", request=request)
    timeouts: dict[str, float] = request.extensions.get("timeout", {})
    timeout = timeouts.get("read")
    if fault.kind == "delay" and timeout is not None and fault.seconds > timeout:
        raise httpx.ReadTimeout(f"the test delayed the answer by {fault.seconds:g} s", request=request)


class _Chunks(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of a file, for sync and async clients."""

    def __init__(self, chunks: Iterable[bytes], request: httpx.Request) -> None:
        self._chunks = iter(chunks)
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._chunks
        except BrokenOffError as error:
            raise httpx.ReadError(str(error), request=self._request) from None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk


class _Live(LiveBody, httpx.SyncByteStream, httpx.AsyncByteStream):
    """The events of a live connection, for sync and async clients."""

    def __init__(self, server: StubServer, connection: Connection, request: httpx.Request) -> None:
        timeouts: dict[str, float | None] = request.extensions.get("timeout", {})
        super().__init__(
            server,
            connection,
            timeouts.get("read"),
            lambda reason: httpx.ReadError(reason, request=request),
            lambda reason: httpx.ReadTimeout(reason, request=request),
        )


class StubTransport(httpx.BaseTransport):
    """Answers from a stub server."""

    def __init__(self, server: StubServer) -> None:
        self._server = server

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        reader = _form_reader(request)
        if reader is None:
            made = _server_request(request, request.read())
        else:
            for piece in cast("Iterable[bytes]", request.stream):
                reader.feed(piece)
            made = _server_request(request, form=reader.finish())
        return _client_response(self._server, self._server.handle(made), request)

    def open_socket(
        self, url: str, headers: Mapping[str, str], subprotocols: Sequence[str], timeout: float
    ) -> AbstractContextManager[Socket]:
        """Open a WebSocket; `url` begins with ws or wss."""
        return open_socket(self._server, url, headers, subprotocols, timeout)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a stub lives in one process: pickle its snapshot, not its transport")


class AsyncStubTransport(httpx.AsyncBaseTransport):
    """Answers from a stub server, on the event loop."""

    def __init__(self, server: StubServer) -> None:
        self._server = server

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        reader = _form_reader(request)
        if reader is None:
            made = _server_request(request, await request.aread())
        else:
            async for piece in cast("AsyncIterable[bytes]", request.stream):
                reader.feed(piece)
            made = _server_request(request, form=reader.finish())
        return _client_response(self._server, self._server.handle(made), request)

    def open_socket(
        self, url: str, headers: Mapping[str, str], subprotocols: Sequence[str], timeout: float
    ) -> AbstractAsyncContextManager[AsyncSocket]:
        """Open a WebSocket; `url` begins with ws or wss."""
        return open_async_socket(self._server, url, headers, subprotocols, timeout)


@dataclass(frozen=True, slots=True)
class _Maker(Generic[Made, Opens]):
    """A factory of transports and WebSockets for an intercepted client, which stays connected after the block."""

    make: Callable[[], Made]
    open_socket: Opens

    def __call__(self) -> Made:
        return self.make()


@contextmanager
def intercept_clients(server: StubServer) -> Generator[StubServer]:
    """Connect every client to the server, whatever its base URL: those created within the block, and those before it.

    One that was created before goes back to its own server and clock at the end of the block. One with an
    ``http_client=`` of its own is left alone.
    """
    from unittest import mock  # imported here: it imports asyncio, which a stub does not need otherwise

    from crm_sdk.exchange import SystemClock
    from crm_sdk.network.http import AsyncDirectLink, DirectLink

    make = _Maker(server.transport, server.transport().open_socket)
    make_async = _Maker(server.async_transport, server.async_transport().open_socket)
    link, async_link = DirectLink(make, _MOST), AsyncDirectLink(make_async, _MOST)
    sync_send, async_send = DirectLink.send, AsyncDirectLink.send

    def send(used: DirectLink, request: Sent, timeout: float) -> Got:
        return sync_send(link if used.leads_outside else used, request, timeout)

    async def send_async(used: AsyncDirectLink, request: Sent, timeout: float) -> Got:
        return await async_send(async_link if used.leads_outside else used, request, timeout)

    with (
        mock.patch("crm_sdk.network.http.sync_transports", return_value=make),
        mock.patch("crm_sdk.network.http.async_transports", return_value=make_async),
        mock.patch("crm_sdk.realtime.sockets.open_socket", server.transport().open_socket),
        mock.patch("crm_sdk.realtime.sockets.open_async_socket", server.async_transport().open_socket),
        mock.patch("crm_sdk.client.SystemClock", return_value=server.clock),
        mock.patch.object(DirectLink, "send", send),
        mock.patch.object(AsyncDirectLink, "send", send_async),
        mock.patch.multiple(
            SystemClock,
            monotonic=staticmethod(server.clock.monotonic),
            sleep=staticmethod(server.clock.sleep),
            sleep_async=staticmethod(server.clock.sleep_async),
        ),
    ):
        yield server
