"""The transports a client makes for itself: TLS, proxies, and a deadline for every read of a sync connection."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpcore
import httpx

from ..errors import ConfigurationError
from .stack import IDLE_SECONDS

if TYPE_CHECKING:
    import ssl

    from .prepared import Remaining

_ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=IDLE_SECONDS)


def _ssl_context(base_url: str) -> ssl.SSLContext | bool:
    # Loading the certificate authorities takes longer than a call: only where there is TLS, and once for all.
    if base_url.lower().startswith("http:"):
        return False
    for name, exists in (("SSL_CERT_FILE", os.path.isfile), ("SSL_CERT_DIR", os.path.isdir)):
        path = os.environ.get(name)
        if path and not exists(path):
            raise ConfigurationError(f"{name} names {path!r}, which is not there: no certificate can be checked")
    try:
        return httpx.create_ssl_context()
    except OSError as error:  # an ssl.SSLError is one
        raise ConfigurationError(f"the certificate authorities cannot be loaded: {error}") from error


def proxy_for(base_url: str, proxy: str | None) -> str | None:
    """Return the URL of the proxy that leads to a server; None where none does.

    That is `proxy`, else what ``CRM_PROXY`` says, else the usual variables: ``HTTPS_PROXY``, ``HTTP_PROXY``,
    ``ALL_PROXY``, unless ``NO_PROXY`` names the host. An empty `proxy` or ``CRM_PROXY`` says that there is none.
    """
    own = proxy if proxy is not None else os.environ.get("CRM_PROXY")
    if own is not None:
        return own or None
    from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined] # not in the stubs

    known = getproxies_environment()
    parts = urlsplit(base_url)
    found = known.get(parts.scheme) or known.get("all")
    if not found or proxy_bypass_environment(parts.netloc.rpartition("@")[2], known):
        return None
    return found if "://" in found else f"http://{found}"


def _proxy(base_url: str, proxy: str | None) -> httpx.Proxy | None:
    url = proxy_for(base_url, proxy)
    if url is None:
        return None
    shown = f"{urlsplit(url).scheme}://{urlsplit(url).netloc.rpartition('@')[2]}"
    try:
        return httpx.Proxy(url)
    except (ValueError, httpx.InvalidURL) as error:
        raise ConfigurationError(f"the proxy {shown!r} cannot be used: {error}") from None


def sync_transports(base_url: str, proxy: str | None) -> Callable[[], httpx.BaseTransport]:
    """Return what makes a transport of one connection. The stub's `intercept()` puts itself here."""
    made: list[Any] = []

    def make() -> httpx.BaseTransport:
        if not made:
            made[:] = _ssl_context(base_url), _proxy(base_url, proxy)
        try:
            return DeadlineTransport(verify=made[0], proxy=made[1], limits=_ONE, trust_env=False)
        except ImportError as error:
            raise ConfigurationError(f"the proxy cannot be used: {error}") from None

    return make


def async_transports(base_url: str, proxy: str | None) -> Callable[[], httpx.AsyncBaseTransport]:
    """Return what makes an async transport of one connection. The stub's `intercept()` puts itself here."""
    made: list[Any] = []

    def make() -> httpx.AsyncBaseTransport:
        if not made:
            made[:] = _ssl_context(base_url), _proxy(base_url, proxy)
        try:
            return httpx.AsyncHTTPTransport(verify=made[0], proxy=made[1], limits=_ONE, trust_env=False)
        except ImportError as error:
            raise ConfigurationError(f"the proxy cannot be used: {error}") from None

    return make


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

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.connect_unix_socket(path, timeout, socket_options), self._transport)

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, transport: DeadlineTransport) -> None:
        self._inner, self._transport = inner, transport
        self.write, self.close = inner.write, inner.close  # type: ignore[method-assign] # as they are, without a detour
        self.get_extra_info = inner.get_extra_info  # type: ignore[method-assign] # as above

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        timeouts = self._transport.timeouts
        if timeouts is not None:
            left = timeouts.left()
            if left <= 0:
                raise httpcore.ReadTimeout("the call's deadline has passed")
            timeout = left if timeout is None else min(timeout, left)
        return self._inner.read(max_bytes, timeout)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, timeout), self._transport)
