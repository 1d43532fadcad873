"""The transports a client makes for itself: their certificates and their proxies."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import httpx

from ..errors import ConfigurationError
from .stack import IDLE_SECONDS

if TYPE_CHECKING:
    import ssl

T = TypeVar("T")

_ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=IDLE_SECONDS)


def ssl_context(base_url: str) -> ssl.SSLContext | bool:
    """Return the context that knows whose certificates are trusted; False where the way to a server is without TLS."""
    # Loading the certificate authorities takes longer than a call: only where there is TLS, and once for all.
    if base_url.lower().startswith("http:"):
        return False
    folder = os.environ.get("SSL_CERT_DIR")
    if folder and not Path(folder).is_dir():  # which OpenSSL would not tell
        raise ConfigurationError(f"SSL_CERT_DIR names {folder!r}, which is not there: no certificate can be checked")
    file = os.environ.get("SSL_CERT_FILE")
    try:
        return httpx.create_ssl_context()
    except OSError as error:  # an ssl.SSLError is one
        if file and isinstance(error, FileNotFoundError):
            what = f"SSL_CERT_FILE names {file!r}, which is not there"
        else:
            named = f" of SSL_CERT_FILE ({file!r})" if file else ""
            what = f"the certificate authorities{named} cannot be loaded ({error})"
        raise ConfigurationError(f"{what}: no certificate can be checked") from error


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

    def kind(**options: Any) -> httpx.BaseTransport:
        from .deadlines import DeadlineTransport  # here: httpcore is loaded with the first connection, not the client

        return DeadlineTransport(**options)

    return _maker(kind, base_url, proxy)


def async_transports(base_url: str, proxy: str | None) -> Callable[[], httpx.AsyncBaseTransport]:
    """Return what makes an async transport of one connection. The stub's `intercept()` puts itself here."""
    return _maker(httpx.AsyncHTTPTransport, base_url, proxy)


def _maker(kind: Callable[..., T], base_url: str, proxy: str | None) -> Callable[[], T]:
    loaded: dict[str, Any] = {}

    def make() -> T:
        if not loaded:
            loaded.update(verify=ssl_context(base_url), proxy=_proxy(base_url, proxy))
        try:
            return kind(**loaded, limits=_ONE, trust_env=False)
        except ImportError as error:
            raise ConfigurationError(f"the proxy cannot be used: {error}") from None

    return make
