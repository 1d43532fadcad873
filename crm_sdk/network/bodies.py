"""Streamed bodies of replies, and the translation of httpx's exceptions."""

from __future__ import annotations

import math
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

from ..errors import (
    ConfigurationError,
    ConnectionFailedError,
    CrmError,
    DeadlineExceededError,
    InvalidInputError,
    InvalidResponseError,
)
from ..exchange import Reply, Request
from .decoding import decoder_for

if TYPE_CHECKING:
    from .prepared import Remaining

_UNSENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol", "ProxyError"})


def headers_of(response: Any) -> Mapping[str, str]:
    """Return the headers of a response, their names in lower case."""
    found: dict[str, str] = {}
    for raw_name, raw_value in response.headers.raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def raise_as_ours(error: Exception, request: Request, by_client: Remaining | None = None) -> NoReturn:
    """Raise our error for an exception of httpx or httpx2, recognised by its name, since the two share no classes.

    `by_client` are the timeouts of a request that was sent by a client of the user's: what its hooks raise of requests
    of their own says nothing of this one, which may have been carried out.
    """
    if isinstance(error, CrmError):
        raise error
    names = {cls.__name__ for cls in type(error).__mro__}
    where = request.place
    foreign = by_client is not None and _is_of_another_request(error, by_client)
    if names & {"LocalProtocolError", "InvalidURL", "UnicodeError"}:
        # Without the cause, which would show the header: it may be the credential.
        raise InvalidInputError(f"{where} cannot be sent: its URL or a header is not valid in HTTP") from None
    sent = foreign or not names & _UNSENT
    if "TimeoutException" in names:
        raise DeadlineExceededError(f"{where} timed out ({type(error).__name__})", sent=sent) from error
    if names & {"TransportError", "TooManyRedirects"}:
        raise ConnectionFailedError(f"{where} failed: {reason_of(error)}", sent=sent) from error
    if names & {"DecodingError", "DecodeError"}:
        raise InvalidResponseError(f"{where}: the answer cannot be decoded: {error}") from error
    if names & {"HTTPError", "StreamError"}:
        what = f"{where}: a hook or the auth= of http_client failed"
        raise CrmError(f"{what} ({type(error).__name__}): {error}") from error
    if isinstance(error, RuntimeError) and "closed" in str(error):
        raise ConfigurationError(f"{where} cannot be sent: {error}") from error
    raise error


def reason_of(error: BaseException) -> str:
    """Return what an error says; on trio only the cause of its own error tells what is wrong with TLS."""
    inner: BaseException | None = error
    while inner is not None and type(inner).__name__ != "BrokenResourceError":
        inner = inner.__cause__ or inner.__context__
    told = inner.__cause__ if inner is not None else None
    return str(error) or str(told or "") or type(error).__name__


def _is_of_another_request(error: Exception, timeouts: Remaining) -> bool:
    try:
        request: Any = getattr(error, "request", None)
    except RuntimeError:  # it has none
        return True
    return request is None or request.extensions.get("timeout") is not timeouts


def _late(request: Request) -> DeadlineExceededError:
    return DeadlineExceededError(f"{request.place} did not finish in time")


def _too_large(request: Request, response: Any, most: float) -> InvalidResponseError:
    """Return the error of a body that holds more bytes than it may."""
    return InvalidResponseError(
        f"{request.place}: the answer has more than {most:,.0f} bytes; max_response_bytes= lets it have more",
        status=response.status_code,
        request_id=response.headers.get("x-request-id"),
    )


def is_read(response: Any) -> bool:
    """Tell whether somebody has read the body: a hook, an `httpx.Auth` or a transport of the user's."""
    return getattr(response, "is_stream_consumed", False) is True and hasattr(response, "_content")


def _used_up(response: Any, request: Request) -> InvalidResponseError | None:
    """Return the error of a body that somebody has used up without keeping it: nothing more of it will come."""
    if hasattr(response, "_content") or not (response.is_stream_consumed or response.is_closed):
        return None
    return InvalidResponseError(
        f"{request.place}: a hook or transport of http_client has used up the body; let it call read() or aread()",
        status=response.status_code,
        request_id=response.headers.get("x-request-id"),
    )


def _spent_body_error(request: Request) -> CrmError:
    return CrmError(f"{request.place}: the body was read or closed before; make the call again")


class _Body:
    """What the body of a reply is, sync or async. A body of more than `most` bytes, decoded, is an error.

    A download (`streamed`) has any size, and may take longer than `timeout`, which then limits the time to the first
    byte and each pause. Any other body is part of the call and its deadline.
    """

    def __init__(
        self, response: Any, request: Request, timeouts: Remaining, most: float, release: Callable[[], None]
    ) -> None:
        self.streamed: bool = request.stream and response.status_code < 300
        if self.streamed:
            timeouts.until = most = math.inf
        self._response = response
        self._request = request
        self._deadline = timeouts.until
        self._most = most
        self._size = 0
        self._release: Callable[[], None] | None = release
        self._pid = os.getpid()

    def _count(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > self._most:
            raise _too_large(self._request, self._response, self._most)


class BodyStream(_Body):
    """The body of a reply as it arrives. Close it, or read it to its end, to give the connection back."""

    def __iter__(self) -> Iterator[bytes]:
        if self._release is None:
            raise _spent_body_error(self._request)
        try:
            if (error := _used_up(self._response, self._request)) is not None:
                raise error
            for chunk in self._chunks():
                if time.monotonic() > self._deadline:
                    raise _late(self._request)
                self._count(chunk)
                yield chunk
        except Exception as error:
            raise_as_ours(error, self._request)
        finally:
            self.close()

    def _chunks(self) -> Iterator[bytes]:
        response = self._response
        if is_read(response):
            yield response.content
        elif "content-encoding" not in response.headers:
            yield from response.stream
        elif (decoder := decoder_for(response.headers["content-encoding"])) is None:
            yield from response.iter_bytes()
        else:
            for piece in response.stream:
                yield from decoder.feed(piece)
            decoder.finish()

    def interrupt(self) -> None:
        """Shut the connection down, so that a thread that waits for the next chunk continues."""
        network = self._response.extensions.get("network_stream")
        connection = network.get_extra_info("socket") if network is not None else None
        if connection is None:
            self.close()
            return
        with suppress(OSError):  # it may have ended already
            connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the connection back."""
        release, self._release = self._release, None
        if release is not None and self._pid == os.getpid():  # a forked child must not use its parent's connection
            try:
                self._response.close()
            finally:
                release()

    def __del__(self) -> None:
        self.close()


class AsyncBodyStream(_Body):
    """The body of a reply as it arrives. Close it, or read it to its end, to give the connection back."""

    def __init__(
        self,
        response: Any,
        request: Request,
        timeouts: Remaining,
        most: float,
        release: Callable[[], None],
        lose: Callable[[], None],
    ) -> None:
        super().__init__(response, request, timeouts, most, release)
        self._lose = lose

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._release is None:
            raise _spent_body_error(self._request)
        try:
            if (error := _used_up(self._response, self._request)) is not None:
                raise error
            async for chunk in self._chunks():
                self._count(chunk)
                yield chunk
        except Exception as error:
            raise_as_ours(error, self._request)
        finally:
            await self.aclose()

    async def _chunks(self) -> AsyncIterator[bytes]:
        response = self._response
        if is_read(response):
            yield response.content
        elif "content-encoding" not in response.headers:
            async for piece in response.stream:
                yield piece
        elif (decoder := decoder_for(response.headers["content-encoding"])) is None:
            async for piece in response.aiter_bytes():
                yield piece
        else:
            async for piece in response.stream:
                for decoded in decoder.feed(piece):
                    yield decoded
            decoder.finish()

    async def aclose(self) -> None:
        """Give the connection back."""
        release, self._release = self._release, None
        if release is not None:
            try:
                await self._response.aclose()
            finally:
                release()

    def __del__(self) -> None:
        if self._release is not None and self._pid == os.getpid():
            self._lose()  # its closing cannot be awaited here


async def read_body(response: Any, body: AsyncBodyStream) -> Reply:
    """Return the whole reply of an async request."""
    try:
        content = b"".join([chunk async for chunk in body])
    finally:
        await body.aclose()
    return Reply(response.status_code, headers_of(response), content)
