"""Sending through an `httpx.Client`: the user's own, or one of ours where a tool has replaced what it does."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Generator
from types import FunctionType
from typing import Any, Final

import httpx

from ..errors import DeadlineExceededError, NetworkError
from ..exchange import Reply, Request
from .bodies import AsyncBodyStream, BodyStream, headers_of, is_read, raise_as_ours, read_body
from .prepared import Remaining


class ClientLink:
    """Sends through the user's own `httpx.Client` (or httpx2's), with its proxies, certificates, hooks and mounts."""

    def __init__(self, client: Any, most: float = math.inf) -> None:
        self._client, self._most = client, most

    def send(self, request: Request, timeout: float) -> Reply:
        """Send, or raise a `NetworkError`."""
        timeouts = Remaining(timeout)
        try:
            built = _built_by(self._client, request, timeouts)
            response = self._client.send(built, stream=True, **_auth(self._client, request))
        except Exception as error:
            return _raised_by_a_hook(error, timeouts) or raise_as_ours(error, request, timeouts)
        body = BodyStream(response, request, timeouts, self._most, _nothing)
        if body.streamed:
            return Reply(response.status_code, headers_of(response), body=body)
        return Reply(response.status_code, headers_of(response), b"".join(body))

    def close(self) -> None:
        """Leave the client open: it is the user's."""


class AsyncClientLink:
    """Sends through the user's own `httpx.AsyncClient` (or httpx2's)."""

    def __init__(self, client: Any, most: float = math.inf) -> None:
        self._client, self._most = client, most

    async def send(self, request: Request, timeout: float) -> Reply:
        """Send, or raise a `NetworkError`."""
        import anyio

        timeouts = Remaining(timeout)
        try:
            with anyio.fail_after(timeout):
                built = _built_by(self._client, request, timeouts)
                response = await self._client.send(built, stream=True, **_auth(self._client, request))
                body = AsyncBodyStream(response, request, timeouts, self._most, _nothing, _nothing)
                if body.streamed:
                    return Reply(response.status_code, headers_of(response), body=body)
                return await read_body(response, body)
        except TimeoutError as error:
            if isinstance(error, NetworkError):
                raise
            raise DeadlineExceededError(f"{request.place} timed out") from error
        except Exception as error:
            return _raised_by_a_hook(error, timeouts) or raise_as_ours(error, request, timeouts)

    async def aclose(self) -> None:
        """Leave the client open: it is the user's."""


def _built_by(client: Any, request: Request, timeouts: Remaining) -> Any:
    built = client.build_request(
        request.method, request.url, headers=request.headers, content=request.content, files=request.files
    )
    built.extensions["timeout"] = timeouts
    return built


def _nothing() -> None:
    """Do nothing: the user's client manages its own connections."""


def _raised_by_a_hook(error: Exception, timeouts: Remaining) -> Reply | None:
    """Return the answer for which a hook called `raise_for_status()`: the body is there if the hook has read it."""
    response: Any = getattr(error, "response", None)
    if response is None or response.request.extensions.get("timeout") is not timeouts:
        return None
    return Reply(response.status_code, headers_of(response), response.content if is_read(response) else b"")


# -- the `auth=` of the user's client ----------------------------------------------------------------------------------


def _auth(client: Any, request: Request) -> dict[str, Any]:
    """Return the argument that keeps the request's bearer where the client has an `auth=`, which may do all else."""
    bearer, auth = request.headers.get("Authorization"), getattr(client, "auth", None)
    if bearer is None or auth is None:
        return {}
    base = next(kind for kind in type(auth).__mro__ if kind.__name__ == "Auth")  # httpx's, or httpx2's
    kind = type("KeepsBearer", (_KeepsBearer, base), {})
    kept = kind()
    kept.auth, kept.bearer = auth, bearer
    kept.requires_request_body, kept.requires_response_body = auth.requires_request_body, auth.requires_response_body
    return {"auth": kept}


class _KeepsBearer:
    auth: Any
    bearer: str

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """Do what the other does. Only our own request gets the bearer, not one that fetches a token elsewhere."""
        flow = self.auth.sync_auth_flow(request)
        try:
            sent = next(flow)
            while True:
                self._keep(sent, request)
                sent = flow.send((yield sent))
        except StopIteration:
            return
        finally:
            flow.close()

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        """Do what the other does, as `sync_auth_flow` does."""
        flow = self.auth.async_auth_flow(request)
        try:
            sent = await anext(flow)
            while True:
                self._keep(sent, request)
                sent = await flow.asend((yield sent))
        except StopAsyncIteration:
            return
        finally:
            await flow.aclose()

    def _keep(self, sent: Any, request: Any) -> None:
        if sent is request:
            sent.headers["Authorization"] = self.bearer


# -- tools that replace what a client does -----------------------------------------------------------------------------


class ToolWatch:
    """Tells whether a tool (Sentry, ddtrace, New Relic, respx) has replaced how a class of httpx's clients sends.

    It looks at each call, since tools come and go: a comparison of three functions with those it judged last.
    """

    def __init__(self, kind: type[Any]) -> None:
        self._kind = kind
        self._file = _file(kind.build_request)
        self._judged: tuple[object, ...] = ()
        self._replaced: bool

    def __call__(self) -> bool:
        """Tell whether one of the functions by which it sends is not httpx's own."""
        kind = self._kind
        found = (kind.send, getattr(kind, "_send_single_request", None), getattr(kind, "_transport_for_url", None))
        if found != self._judged:
            self._replaced = any(each is not None and _file(each) != self._file for each in found)
            self._judged = found
        return self._replaced


def _file(function: Any) -> str | None:
    """Return the file in which a plain function is written: a wrapper may have the names of what it wraps."""
    return function.__code__.co_filename if type(function) is FunctionType else None


is_replaced: Final = ToolWatch(httpx.Client)
is_async_replaced: Final = ToolWatch(httpx.AsyncClient)


class _Handing(httpx.BaseTransport):
    """Hands a request to the transport that it names."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        transport: httpx.BaseTransport = request.extensions["transport"]
        return transport.handle_request(request)


class _AsyncHanding(httpx.AsyncBaseTransport):
    """Hands a request to the transport that it names."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        transport: httpx.AsyncBaseTransport = request.extensions["transport"]
        return await transport.handle_async_request(request)


def send_by_client(request: httpx.Request, transport: httpx.BaseTransport) -> httpx.Response:
    """Send by way of `httpx.Client.send`, as a tool has replaced it, over one of our own transports."""
    request.extensions["transport"] = transport
    return httpx.Client(transport=_Handing(), trust_env=False).send(request, stream=True)


async def send_by_async_client(request: httpx.Request, transport: httpx.AsyncBaseTransport) -> httpx.Response:
    """Send by way of `httpx.AsyncClient.send`, as a tool has replaced it, over one of our own transports."""
    request.extensions["transport"] = transport
    return await httpx.AsyncClient(transport=_AsyncHanding(), trust_env=False).send(request, stream=True)
