"""The network: the only module that touches httpx.

A call goes straight to an `httpx` transport, one connection each, from a stack of idle ones: no cookies, no redirects,
no proxies from the environment, and no pool that is searched at every request. A user's own `http_client=` (httpx or
httpx2) is used through its `send()`.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Protocol, TypeVar

import httpx

from .errors import ConfigurationError, ConnectionFailedError, DeadlineExceededError, NetworkError
from .exchange import Reply, Request

if TYPE_CHECKING:
    import ssl

TransportT = TypeVar("TransportT")

_IDLE_SECONDS = 15.0  # longer than most calls are apart, shorter than most servers keep a connection open
_UNSENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol", "ProxyError"})


class Stack(Generic[TransportT]):
    """At most `limit` transports of one connection each; the one used last is used next.

    After a `fork()`, and in another event loop, none of the old ones may be touched: `owner` tells them apart.
    """

    def __init__(self, limit: int, make: Callable[[], TransportT]) -> None:
        self.limit = limit
        self._make = make
        self.forget(None)

    def forget(self, owner: object) -> None:
        """Start anew, leaving what is open to whoever opened it."""
        self.owner = owner
        self.pid = os.getpid()
        self.idle: list[tuple[float, TransportT]] = []
        self.free = threading.BoundedSemaphore(self.limit)
        self.open = 0
        self.waiting: deque[Any] = deque()

    def top(self) -> TransportT:
        """Take the transport that was used last, or a new one."""
        try:
            return self.idle.pop()[1]
        except IndexError:
            self.open += 1
            return self._make()

    def put(self, transport: TransportT) -> TransportT | None:
        """Put a transport back; return one that has been idle for too long and should be closed."""
        now = time.monotonic()
        self.idle.append((now, transport))
        if now - self.idle[0][0] > _IDLE_SECONDS:
            try:
                return self.idle.pop(0)[1]
            except IndexError:  # another thread was faster
                return None
        return None


def _timeouts(seconds: float) -> dict[str, float]:
    return {"connect": seconds, "read": seconds, "write": seconds, "pool": seconds}


_origin = lru_cache(maxsize=64)(httpx.URL)


class _Url(httpx.URL):
    """A URL that is taken apart only if somebody looks: ours need no normalising, and that is most of httpx's work on it."""

    def __init__(self, text: str) -> None:
        end = text.index("/", 8) if text.count("/") > 2 else len(text)  # after "https://host:8000"
        self._text = text
        self._origin = _origin(text[:end])
        self._target = text[end:].encode("ascii") or b"/"

    @property
    def raw_scheme(self) -> bytes:
        return self._origin.raw_scheme

    @property
    def raw_host(self) -> bytes:
        return self._origin.raw_host

    @property
    def port(self) -> int | None:
        return self._origin.port

    @property
    def netloc(self) -> bytes:
        return self._origin.netloc

    @property
    def raw_path(self) -> bytes:
        return self._target

    def __getattr__(self, name: str) -> Any:
        if "_text" not in self.__dict__:
            raise AttributeError(name)
        self.__dict__.update(vars(httpx.URL(self._text)))
        try:
            return self.__dict__[name]
        except KeyError:
            raise AttributeError(name) from None


class _PreparedRequest(httpx.Request):
    """A request without the preparations of `httpx.Request`, which take longer than the call needs otherwise."""

    def __init__(self, request: Request, timeout: float) -> None:
        self.method = request.method
        self.url = _Url(request.url)
        self.extensions = {"timeout": _timeouts(timeout)}
        content = request.content or b""
        self.stream = httpx.ByteStream(content)
        self._content = content
        lines = [(b"Host", self.url.netloc), *((k.encode(), v.encode()) for k, v in request.headers.items())]
        if content or request.method in ("POST", "PUT", "PATCH"):
            lines.append((b"Content-Length", str(len(content)).encode()))
        self.headers = httpx.Headers(lines)


def _build(request: Request, timeout: float) -> httpx.Request:
    if request.files is None:
        return _PreparedRequest(request, timeout)
    return httpx.Request(
        request.method,
        request.url,
        headers=request.headers,
        files=request.files,
        extensions={"timeout": _timeouts(timeout)},
    )


def _failed(error: Exception, request: Request) -> NoReturn:
    """Raise one of ours for an exception of httpx or httpx2 (told by name: the two share no class)."""
    names = {cls.__name__ for cls in type(error).__mro__}
    if isinstance(error, NetworkError) or "TransportError" not in names:
        raise error
    sent = not names & _UNSENT
    where = f"{request.method} {request.url}"
    if "TimeoutException" in names:
        raise DeadlineExceededError(f"{where} timed out ({type(error).__name__})", sent=sent) from error
    raise ConnectionFailedError(f"{where} failed: {error or type(error).__name__}", sent=sent) from error


# A streamed body may take as long as it needs, as long as it moves: `timeout` then bounds the answer's first byte and
# each pause. Any other body is part of the call.
def _late(request: Request) -> DeadlineExceededError:
    return DeadlineExceededError(f"{request.method} {request.url} did not finish in time")


def _headers(response: Any) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for raw_name, raw_value in response.headers.raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _ssl_context(base_url: str) -> ssl.SSLContext | bool:
    # Loading the certificate authorities takes longer than a call: only where there is TLS, and once for all.
    return httpx.create_ssl_context() if base_url.startswith("https:") else False


_ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=_IDLE_SECONDS)


def sync_transports(base_url: str) -> Callable[[], httpx.BaseTransport]:
    """Return what makes a transport of one connection. (The stub's `intercept()` puts itself here.)"""
    context: list[Any] = []

    def make() -> httpx.BaseTransport:
        if not context:
            context.append(_ssl_context(base_url))
        return httpx.HTTPTransport(verify=context[0], limits=_ONE, trust_env=False)

    return make


def async_transports(base_url: str) -> Callable[[], httpx.AsyncBaseTransport]:
    """Return what makes an async transport of one connection. (The stub's `intercept()` puts itself here.)"""
    context: list[Any] = []

    def make() -> httpx.AsyncBaseTransport:
        if not context:
            context.append(_ssl_context(base_url))
        return httpx.AsyncHTTPTransport(verify=context[0], limits=_ONE, trust_env=False)

    return make


class BodyStream:
    """The body of a reply as it arrives. Close it, or read it to its end, to give the connection back."""

    def __init__(self, response: Any, request: Request, deadline: float, release: Callable[[], None]) -> None:
        self._response = response
        self._request = request
        self._deadline = deadline
        self._release: Callable[[], None] | None = release

    def __iter__(self) -> Iterator[bytes]:
        try:
            # What is not encoded needs none of the decoding that `iter_bytes` prepares for.
            response = self._response
            for chunk in response.iter_bytes() if "content-encoding" in response.headers else response.stream:
                yield chunk
                if time.monotonic() > self._deadline:
                    raise _late(self._request)
        except Exception as error:
            _failed(error, self._request)
        finally:
            self.close()

    def close(self) -> None:
        """Give the connection back."""
        release, self._release = self._release, None
        if release is not None:
            self._response.close()
            release()


class AsyncBodyStream:
    """The body of a reply as it arrives. Close it, or read it to its end, to give the connection back."""

    def __init__(
        self, response: Any, request: Request, deadline: float, release: Callable[[], Awaitable[None]]
    ) -> None:
        self._response = response
        self._request = request
        self._deadline = deadline
        self._release: Callable[[], Awaitable[None]] | None = release

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            response = self._response
            async for chunk in response.aiter_bytes() if "content-encoding" in response.headers else response.stream:
                yield chunk
                if time.monotonic() > self._deadline:
                    raise _late(self._request)
        except Exception as error:
            _failed(error, self._request)
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Give the connection back."""
        release, self._release = self._release, None
        if release is not None:
            await self._response.aclose()
            await release()


class HttpClient(Protocol):
    """What `http_client=` may be: an `httpx.Client`, an `httpx2.Client`, or an httpx transport."""

    def close(self) -> object:
        """Close it; it is never called by us."""
        ...


class AsyncHttpClient(Protocol):
    """What `http_client=` may be: an `httpx.AsyncClient`, an `httpx2.AsyncClient`, or an async httpx transport."""

    async def aclose(self) -> object:
        """Close it; it is never called by us."""
        ...


def open_link(base_url: str, http_client: Any, limit: int) -> DirectLink | ClientLink:
    """Return what a sync client sends through."""
    if http_client is None:
        return DirectLink(sync_transports(base_url), limit)
    if hasattr(http_client, "handle_request"):
        return DirectLink(lambda: http_client, limit)
    if hasattr(http_client, "build_request") and not hasattr(http_client, "aclose"):
        return ClientLink(http_client)
    raise ConfigurationError(f"http_client must be an httpx.Client or an httpx transport, not {http_client!r}")


def open_async_link(base_url: str, http_client: Any, limit: int) -> AsyncDirectLink | AsyncClientLink:
    """Return what an async client sends through."""
    if http_client is None:
        return AsyncDirectLink(async_transports(base_url), limit)
    if hasattr(http_client, "handle_async_request"):
        return AsyncDirectLink(lambda: http_client, limit)
    if hasattr(http_client, "build_request") and hasattr(http_client, "aclose"):
        return AsyncClientLink(http_client)
    raise ConfigurationError(f"http_client must be an httpx.AsyncClient or an async transport, not {http_client!r}")


class DirectLink:
    """Sends over transports of its own."""

    def __init__(self, make: Callable[[], httpx.BaseTransport], limit: int) -> None:
        self._stack = Stack(limit, make)

    def send(self, request: Request, timeout: float) -> Reply:
        """Send, or raise a `NetworkError`."""
        stack = self._stack
        if stack.pid != os.getpid():
            stack.forget(None)
        deadline = time.monotonic() + timeout
        if not stack.free.acquire(timeout=timeout):
            raise DeadlineExceededError(f"all {stack.limit} connections were busy for {timeout:g} s", sent=False)
        released = False

        def release() -> None:
            old = stack.put(transport)
            stack.free.release()
            if old is not None:
                old.close()

        transport = stack.top()
        try:
            response = transport.handle_request(_build(request, timeout))
            body = BodyStream(response, request, math.inf if request.stream else deadline, release)
            if request.stream and response.status_code < 400:
                released = True
                return Reply(response.status_code, _headers(response), body=body)
            released = True
            return Reply(response.status_code, _headers(response), b"".join(body))
        except Exception as error:
            _failed(error, request)
        finally:
            if not released:
                release()

    def close(self) -> None:
        """Close every idle connection; a later call opens a new one."""
        stack = self._stack
        if stack.pid == os.getpid():
            while stack.idle:
                stack.idle.pop()[1].close()


class AsyncDirectLink:
    """Sends over transports of its own, on the running event loop."""

    def __init__(self, make: Callable[[], httpx.AsyncBaseTransport], limit: int) -> None:
        self._stack = Stack(limit, make)

    async def send(self, request: Request, timeout: float) -> Reply:
        """Send, or raise a `NetworkError`."""
        stack = self._stack
        owner = _running_loop()
        if stack.pid != os.getpid() or stack.owner is not owner:
            stack.forget(owner)
        deadline = time.monotonic() + timeout
        import anyio

        transport: httpx.AsyncBaseTransport | None = None
        handed_over = False

        async def release() -> None:
            assert transport is not None
            self._give(stack, transport)

        try:
            with anyio.fail_after(timeout):
                transport = await self._take(stack)
                response = await transport.handle_async_request(_build(request, timeout))
                handed_over = True
                body = AsyncBodyStream(response, request, math.inf if request.stream else deadline, release)
                if request.stream and response.status_code < 400:
                    return Reply(response.status_code, _headers(response), body=body)
                try:
                    content = b"".join([chunk async for chunk in body])
                finally:
                    await body.aclose()
                return Reply(response.status_code, _headers(response), content)
        except TimeoutError as error:
            if isinstance(error, NetworkError):
                raise
            raise DeadlineExceededError(
                f"{request.method} {request.url} timed out", sent=transport is not None
            ) from error
        except Exception as error:
            _failed(error, request)
        finally:
            if transport is not None and not handed_over:
                self._give(stack, transport)

    async def _take(self, stack: Stack[httpx.AsyncBaseTransport]) -> httpx.AsyncBaseTransport:
        if stack.idle or stack.open < stack.limit:
            return stack.top()
        import anyio

        turn = anyio.Event()
        place: list[Any] = [turn, None]
        stack.waiting.append(place)
        try:
            await turn.wait()
        except BaseException:
            if place[1] is not None:  # handed a transport in the moment it gave up
                self._give(stack, place[1])
            else:
                stack.waiting.remove(place)
            raise
        transport: httpx.AsyncBaseTransport = place[1]
        return transport

    @staticmethod
    def _give(stack: Stack[httpx.AsyncBaseTransport], transport: httpx.AsyncBaseTransport) -> None:
        if stack.waiting:
            place = stack.waiting.popleft()
            place[1] = transport
            place[0].set()
        else:
            stack.idle.append((time.monotonic(), transport))

    async def aclose(self) -> None:
        """Close every idle connection; a later call opens a new one."""
        stack = self._stack
        if stack.pid == os.getpid() and stack.owner is _running_loop():
            while stack.idle:
                stack.open -= 1
                await stack.idle.pop()[1].aclose()


def _running_loop() -> object:
    """Return what connections belong to: the running asyncio loop, or None under trio (one run per client)."""
    import asyncio

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class ClientLink:
    """Sends through the user's own `httpx.Client` (or httpx2's): its proxies, certificates, hooks and mounts hold."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def send(self, request: Request, timeout: float) -> Reply:
        """Send, or raise a `NetworkError`."""
        deadline = time.monotonic() + timeout
        try:
            response = self._client.send(_built_by(self._client, request, timeout), stream=True)
        except Exception as error:
            _failed(error, request)
        body = BodyStream(response, request, math.inf if request.stream else deadline, _nothing)
        if request.stream and response.status_code < 400:
            return Reply(response.status_code, _headers(response), body=body)
        return Reply(response.status_code, _headers(response), b"".join(body))

    def close(self) -> None:
        """Leave the client open: it is the user's."""


class AsyncClientLink:
    """Sends through the user's own `httpx.AsyncClient` (or httpx2's)."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def send(self, request: Request, timeout: float) -> Reply:
        """Send, or raise a `NetworkError`."""
        deadline = time.monotonic() + timeout
        try:
            response = await self._client.send(_built_by(self._client, request, timeout), stream=True)
        except Exception as error:
            _failed(error, request)
        body = AsyncBodyStream(response, request, math.inf if request.stream else deadline, _nothing_async)
        if request.stream and response.status_code < 400:
            return Reply(response.status_code, _headers(response), body=body)
        return Reply(response.status_code, _headers(response), b"".join([chunk async for chunk in body]))

    async def aclose(self) -> None:
        """Leave the client open: it is the user's."""


def _built_by(client: Any, request: Request, timeout: float) -> Any:
    return client.build_request(
        request.method,
        request.url,
        headers=request.headers,
        content=request.content,
        files=request.files,
        timeout=timeout,
    )


def _nothing() -> None:
    """The user's client keeps its own connections."""


async def _nothing_async() -> None:
    """The user's client keeps its own connections."""
