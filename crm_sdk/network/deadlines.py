"""The deadline of a call, kept to in every read of a sync connection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import httpcore
import httpx

if TYPE_CHECKING:
    import ssl

    from .prepared import Remaining


class DeadlineTransport(httpx.HTTPTransport):
    """A transport of one connection, none of whose reads outlasts the deadline of the call it is part of.

    httpcore gives every read of an answer's head the same time anew, so that a server that drips is waited for without
    an end.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.timeouts: Remaining | None = None
        """The timeouts of the request that is under way."""
        pool: Any = self._pool
        pool._network_backend = _Backend(pool._network_backend, self)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request whose ``timeout`` extension has the deadline."""
        self.timeouts = request.extensions.get("timeout")
        return super().handle_request(request)


class _Backend(httpcore.NetworkBackend):
    def __init__(self, inner: httpcore.NetworkBackend, transport: DeadlineTransport) -> None:
        self._inner, self._transport = inner, transport

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        return _Stream(stream, self._transport)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, transport: DeadlineTransport) -> None:
        self._inner, self._transport = inner, transport
        self.write, self.close = inner.write, inner.close  # type: ignore[method-assign] # as they are, without a detour
        self.get_extra_info = inner.get_extra_info  # type: ignore[method-assign] # as above

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        timeouts = self._transport.timeouts
        if timeouts is not None:
            left = timeouts.seconds_left()
            if left <= 0:
                raise httpcore.ReadTimeout("the call's deadline has passed")
            timeout = left if timeout is None else min(timeout, left)
        return self._inner.read(max_bytes, timeout)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, timeout), self._transport)
