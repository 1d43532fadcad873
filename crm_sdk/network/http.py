"""The links that send requests over httpx.

A request is given directly to an `httpx` transport of one connection, from a stack of idle ones: without cookies,
redirects and proxies of the environment, and without a pool that is searched for every request. `clients` has the ways
by an `httpx.Client`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from queue import Empty
from typing import TYPE_CHECKING, Any, Protocol

import httpx

from ..errors import (
    ConfigurationError,
    DeadlineExceededError,
    NetworkError,
)
from ..exchange import Reply, Request, running_loop
from .bodies import AsyncBodyStream, BodyStream, headers_of, raise_as_ours, read_body
from .clients import (
    AsyncClientLink,
    ClientLink,
    is_async_replaced,
    is_replaced,
    send_by_async_client,
    send_by_client,
)
from .prepared import Remaining, build
from .stack import AsyncStack, Stack
from .transports import async_transports, sync_transports

if TYPE_CHECKING:
    from ..options import Options


class HttpClient(Protocol):
    """The type of `http_client=`: an `httpx.Client`, an `httpx2.Client`, or an httpx transport."""

    def close(self) -> object:
        """Close the client; the SDK never calls this."""
        ...


class AsyncHttpClient(Protocol):
    """The type of `http_client=`: an `httpx.AsyncClient`, an `httpx2.AsyncClient`, or an async httpx transport."""

    async def aclose(self) -> object:
        """Close the client; the SDK never calls this."""
        ...


def open_link(options: Options, http_client: Any) -> DirectLink | ClientLink:
    """Return what a sync client sends through."""
    limit, most = options.max_connections, options.max_response_bytes
    if http_client is None:
        make = sync_transports(options.base_url, options.proxy)
        made = DirectLink(make, limit, most)
        _take_sockets(made, make)
        return made
    if hasattr(http_client, "handle_request"):
        link = DirectLink(lambda: http_client, limit, most, owned=False)
        _take_sockets(link, http_client)
        return link
    if hasattr(http_client, "build_request") and not hasattr(http_client, "aclose"):
        return ClientLink(http_client, most)
    raise ConfigurationError(f"http_client must be an httpx.Client or an httpx transport, not {http_client!r}")


def open_async_link(options: Options, http_client: Any) -> AsyncDirectLink | AsyncClientLink:
    """Return what an async client sends through."""
    limit, most = options.max_connections, options.max_response_bytes
    if http_client is None:
        make = async_transports(options.base_url, options.proxy)
        made = AsyncDirectLink(make, limit, most)
        _take_sockets(made, make)
        return made
    if hasattr(http_client, "handle_async_request"):
        link = AsyncDirectLink(lambda: http_client, limit, most, owned=False)
        _take_sockets(link, http_client)
        return link
    if hasattr(http_client, "build_request") and hasattr(http_client, "aclose"):
        return AsyncClientLink(http_client, most)
    raise ConfigurationError(f"http_client must be an httpx.AsyncClient or an async transport, not {http_client!r}")


def _take_sockets(link: Any, transport: Any) -> None:
    # A transport to an in-process server (the stub's), or its factory, opens WebSockets as well.
    if hasattr(transport, "open_socket"):
        link.open_socket = transport.open_socket


class DirectLink:
    """Sends over its own transports, or (not `owned`) over the user's, which it never closes."""

    def __init__(
        self, make: Callable[[], httpx.BaseTransport], limit: int, most: float = math.inf, *, owned: bool = True
    ) -> None:
        self._make, self._limit, self._most, self._owned = make, limit, most, owned
        self.leads_outside: bool = owned and not hasattr(make, "open_socket")
        """Whether its connections are its own, to a server in another process."""
        self._stacks: dict[int, Stack[httpx.BaseTransport]] = {}

    def _begin(self, pid: int) -> Stack[httpx.BaseTransport]:
        stack = self._stacks.setdefault(pid, Stack(self._limit, self._make))  # atomic: threads may begin together
        for other in [other for other in self._stacks if other != pid]:
            self._stacks.pop(other, None)
        return stack

    def send(self, request: Request, timeout: float) -> Reply:
        """Send, or raise a `NetworkError`."""
        pid = os.getpid()
        stack = self._stacks.get(pid) or self._begin(pid)
        timeouts = Remaining(timeout)
        try:
            transport = stack.take(timeout)
        except Empty:
            raise DeadlineExceededError(
                f"all {stack.limit} connections were busy for {timeout:g} s", sent=False
            ) from None

        def release() -> None:
            overdue = stack.give(transport)
            if overdue is not None and self._owned:
                overdue.close()

        body: BodyStream | None = None
        try:
            built = build(request, timeouts)
            if self._owned and is_replaced():
                response = send_by_client(built, transport)
            else:
                response = transport.handle_request(built)
            body = BodyStream(response, request, timeouts, self._most, release)
            if body.streamed:
                return Reply(response.status_code, headers_of(response), body=body)
            return Reply(response.status_code, headers_of(response), b"".join(body))
        except Exception as error:
            raise_as_ours(error, request)
        finally:
            if body is None:
                try:
                    if self._owned:  # an interrupt may leave a connection that nobody can use or gives up
                        transport.close()
                finally:
                    release()

    def close(self) -> None:
        """Close every idle connection; a later call opens a new one."""
        stack = self._stacks.get(os.getpid())
        while stack is not None and self._owned and stack.idle:
            try:
                _, transport = stack.idle.pop()
            except IndexError:  # another thread was faster
                return
            transport.close()


class AsyncDirectLink:
    """Sends over its own transports on the running event loop, or (not `owned`) over the user's."""

    def __init__(
        self, make: Callable[[], httpx.AsyncBaseTransport], limit: int, most: float = math.inf, *, owned: bool = True
    ) -> None:
        self._make, self._limit, self._most, self._owned = make, limit, most, owned
        self.leads_outside: bool = owned and not hasattr(make, "open_socket")
        """Whether its connections are its own, to a server in another process."""
        self._stacks: dict[tuple[int, object], AsyncStack[httpx.AsyncBaseTransport]] = {}

    def _stack(self) -> AsyncStack[httpx.AsyncBaseTransport]:
        owner = (os.getpid(), running_loop())
        stack = self._stacks.get(owner)
        if stack is None:
            for other in list(self._stacks):
                ended: Callable[[], bool] | None = getattr(other[1], "is_closed", None)
                if other[0] != owner[0] or ended is None or ended():
                    self._stacks.pop(other, None)
            stack = self._stacks[owner] = AsyncStack(self._limit, self._make)
        return stack

    async def send(self, request: Request, timeout: float) -> Reply:
        """Send, or raise a `NetworkError`."""
        import anyio

        stack = self._stack()
        timeouts = Remaining(timeout)
        transport: httpx.AsyncBaseTransport | None = None
        body: AsyncBodyStream | None = None
        try:
            with anyio.fail_after(timeout):
                transport = taken = await stack.take()
                built = build(request, timeouts)
                if self._owned and is_async_replaced():
                    response = await send_by_async_client(built, transport)
                else:
                    response = await transport.handle_async_request(built)
                body = AsyncBodyStream(response, request, timeouts, self._most, lambda: stack.give(taken), stack.lose)
                if body.streamed:
                    return Reply(response.status_code, headers_of(response), body=body)
                reply = await read_body(response, body)
        except TimeoutError as error:
            if isinstance(error, NetworkError):
                raise
            if transport is None:
                raise DeadlineExceededError(
                    f"all {stack.limit} connections were busy for {timeout:g} s", sent=False
                ) from None
            raise DeadlineExceededError(f"{request.place} timed out") from error
        except Exception as error:
            raise_as_ours(error, request)
        finally:
            if transport is not None and body is None:
                try:
                    if self._owned:  # a call that was cancelled may leave a connection that nobody can use or gives up
                        with anyio.CancelScope(shield=True):
                            await transport.aclose()
                finally:
                    stack.give(transport)
        overdue = stack.overdue()
        if overdue is not None and self._owned:
            await overdue.aclose()
        return reply

    async def aclose(self) -> None:
        """Close every idle connection; a later call opens a new one."""
        stack = self._stacks.get((os.getpid(), running_loop()))
        while stack is not None and self._owned and stack.idle:
            stack.open -= 1
            await stack.idle.pop()[1].aclose()
