"""Streamed bodies of replies, and the translation of httpx's exceptions."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any, NoReturn

from ..errors import (
    ConfigurationError,
    ConnectionFailedError,
    CrmError,
    DeadlineExceededError,
    InvalidInputError,
    InvalidResponseError,
)
from ..exchange import Request

_UNSENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol", "ProxyError"})


def raise_as_ours(error: Exception, request: Request) -> NoReturn:
    """Raise our error for an exception of httpx or httpx2, recognised by its name, since the two share no classes."""
    if isinstance(error, CrmError):
        raise error
    names = {cls.__name__ for cls in type(error).__mro__}
    where = request.place
    if names & {"LocalProtocolError", "InvalidURL", "UnicodeError"}:
        # Without the cause, which would show the header: it may be the credential.
        raise InvalidInputError(f"{where} cannot be sent: its URL or a header is not valid in HTTP") from None
    sent = not names & _UNSENT
    if "TimeoutException" in names:
        raise DeadlineExceededError(f"{where} timed out ({type(error).__name__})", sent=sent) from error
    if names & {"TransportError", "TooManyRedirects"}:
        raise ConnectionFailedError(f"{where} failed: {error or type(error).__name__}", sent=sent) from error
    if "DecodingError" in names:
        raise InvalidResponseError(f"{where}: the answer cannot be decoded: {error}") from error
    if isinstance(error, RuntimeError) and "closed" in str(error):
        raise ConfigurationError(f"{where} cannot be sent: {error}") from error
    raise error


def _late(request: Request) -> DeadlineExceededError:
    return DeadlineExceededError(f"{request.place} did not finish in time")


def _spent_body_error(request: Request) -> CrmError:
    return CrmError(f"{request.place}: the body was read or closed before; make the call again")


# A download may take longer than `timeout`, which then limits the time to the first byte and each pause. Any other body
# is part of the call and its deadline.
class BodyStream:
    """The body of a reply as it arrives. Close it, or read it to its end, to give the connection back."""

    def __init__(self, response: Any, request: Request, deadline: float, release: Callable[[], None]) -> None:
        self._response = response
        self._request = request
        self._deadline = deadline
        self._release: Callable[[], None] | None = release
        self._pid = os.getpid()

    def __iter__(self) -> Iterator[bytes]:
        if self._release is None:
            raise _spent_body_error(self._request)
        try:
            # A body without content encoding does not need the decoders of `iter_bytes`.
            response = self._response
            for chunk in response.iter_bytes() if "content-encoding" in response.headers else response.stream:
                if time.monotonic() > self._deadline:
                    raise _late(self._request)
                yield chunk
        except Exception as error:
            raise_as_ours(error, self._request)
        finally:
            self.close()

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


class AsyncBodyStream:
    """The body of a reply as it arrives. Close it, or read it to its end, to give the connection back."""

    def __init__(self, response: Any, request: Request, release: Callable[[], None], lose: Callable[[], None]) -> None:
        self._response = response
        self._request = request
        self._release: Callable[[], None] | None = release
        self._lose = lose
        self._pid = os.getpid()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._release is None:
            raise _spent_body_error(self._request)
        try:
            response = self._response
            async for chunk in response.aiter_bytes() if "content-encoding" in response.headers else response.stream:
                yield chunk
        except Exception as error:
            raise_as_ours(error, self._request)
        finally:
            await self.aclose()

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
