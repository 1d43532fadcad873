"""WebSockets for the drivers, over the library `websockets`, which only this module imports."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from typing import Any, Protocol, TypeAlias
from urllib.parse import urlsplit

from ..errors import ConnectionFailedError, InvalidInputError
from ..exchange import running_loop
from ..network.bodies import reason_of
from ..network.transports import ssl_context

Data: TypeAlias = str | bytes
"""A message: a text frame or a binary one."""
LARGEST = 16 * 1024 * 1024
"""The longest message that is accepted, in bytes."""


class SocketClosedError(Exception):
    """The WebSocket was closed or lost; `code` is None where no close frame came."""

    def __init__(self, code: int | None, reason: str = "") -> None:
        self.code = code
        self.reason = reason
        super().__init__(f"closed with {code} {reason}".rstrip() if code is not None else f"lost: {reason}")


class SocketRefusedError(Exception):
    """The server answered the upgrade request with an HTTP status. Header names are in lower case."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        self.status = status
        self.headers = headers
        self.body = body
        super().__init__(f"refused with {status}")


class Socket(Protocol):
    """An open WebSocket. Other threads may send and close while one receives."""

    def send(self, data: Data) -> None:
        """Send a message. Raises: SocketClosedError."""
        ...

    def receive(self, timeout: float) -> Data | None:
        """Return the next message; None where none came within `timeout` seconds. Raises: SocketClosedError."""
        ...

    def ping(self) -> None:
        """Send a ping; `ponged` tells whether it was answered."""
        ...

    @property
    def ponged(self) -> bool:
        """Whether the last ping was answered; true before the first."""
        ...

    def close(self, code: int = 1000) -> None:
        """Close it; never raises and never waits long."""
        ...


class AsyncSocket(Protocol):
    """An open WebSocket. Other tasks may send while one receives."""

    async def send(self, data: Data) -> None:
        """Send a message. Raises: SocketClosedError."""
        ...

    async def receive(self, timeout: float) -> Data | None:
        """Return the next message; None where none came within `timeout` seconds. Raises: SocketClosedError."""
        ...

    async def ping(self) -> None:
        """Send a ping; `ponged` tells whether it was answered."""
        ...

    @property
    def ponged(self) -> bool:
        """Whether the last ping was answered; true before the first."""
        ...

    async def close(self, code: int = 1000) -> None:
        """Close it; never raises and never waits long."""
        ...


class Opener(Protocol):
    """Opens WebSockets for a sync client: ``with open_socket(...) as socket``.

    Raises: SocketRefusedError; ConnectionFailedError where there was no answer.
    """

    def __call__(
        self, url: str, headers: Mapping[str, str], subprotocols: Sequence[str], timeout: float
    ) -> AbstractContextManager[Socket]:
        """Open a WebSocket; `url` begins with ws or wss."""
        ...


class AsyncOpener(Protocol):
    """Opens WebSockets for an async client: ``async with open_socket(...) as socket``."""

    def __call__(
        self, url: str, headers: Mapping[str, str], subprotocols: Sequence[str], timeout: float
    ) -> AbstractAsyncContextManager[AsyncSocket]:
        """Open a WebSocket; `url` begins with ws or wss."""
        ...


# At DEBUG `websockets` logs the headers and the sub-protocol, which hold the credential: a logger of ours does not.
_log = logging.getLogger("crm_sdk.websockets")
_log.setLevel(logging.INFO)


def _options(url: str, headers: Mapping[str, str], subprotocols: Sequence[str], timeout: float) -> dict[str, Any]:
    return {
        "ssl": ssl_context(url) if url.startswith("wss:") else None,  # as calls: the same authorities are trusted
        "additional_headers": dict(headers),
        "subprotocols": list(subprotocols) or None,
        "open_timeout": timeout,
        "close_timeout": 0.2,  # the answer to a close frame is hardly waited for
        "ping_interval": None,  # the session sends pings, by the client's clock
        "max_size": LARGEST,
        "logger": _log,
        "user_agent_header": headers.get("User-Agent"),
        "proxy": None,  # what goes through a proxy is SSE
    }


# No redirect is followed: the sub-protocol, which has the credential, would be sent to another server.
def _connect_socket(url: str, timeout: float) -> socket.socket:
    """Return a connected socket for the sync client, which follows no redirects when it is given a socket."""
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port or (443 if parts.scheme == "wss" else 80)), timeout)


def _without_redirects(opening: Any) -> Any:
    """Return an async connection attempt that follows no redirects."""
    opening.process_redirect = _raise_redirect
    return opening


def _raise_redirect(error: Exception) -> Exception:
    return error


def _connect_error(error: Exception, url: str) -> Exception:
    """Return our exception for an error of `websockets` while connecting."""
    from websockets.exceptions import InvalidStatus, WebSocketException

    status = error.__cause__ if isinstance(error, ValueError) else error  # a redirect that was not followed
    if isinstance(status, InvalidStatus):
        response = status.response
        headers = {name.lower(): value for name, value in response.headers.raw_items()}
        return SocketRefusedError(response.status_code, headers, bytes(response.body or b""))
    where = url.partition("?")[0]
    if isinstance(error, TimeoutError):
        return ConnectionFailedError(f"{where} did not answer in time", sent=False)
    if isinstance(error, UnicodeError):
        return InvalidInputError(f"{where} cannot be the address of a server")
    if isinstance(error, (OSError, WebSocketException, EOFError)) or type(error).__name__ == "BrokenResourceError":
        return ConnectionFailedError(f"{where} failed: {reason_of(error)}", sent=False)  # the last is trio's
    return error


def _closed_error(error: Any) -> SocketClosedError:
    frame = error.rcvd
    return SocketClosedError(frame.code, frame.reason) if frame is not None else SocketClosedError(None, str(error))


class _SyncSocket:
    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._pong: Any = None

    def send(self, data: Data) -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            self._connection.send(data)
        except ConnectionClosed as error:
            raise _closed_error(error) from None

    def receive(self, timeout: float) -> Data | None:
        from websockets.exceptions import ConnectionClosed

        try:
            return self._connection.recv(timeout)  # type: ignore[no-any-return] # text or bytes
        except TimeoutError:
            return None
        except ConnectionClosed as error:
            raise _closed_error(error) from None

    def ping(self) -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            self._pong = self._connection.ping()
        except ConnectionClosed as error:
            raise _closed_error(error) from None

    @property
    def ponged(self) -> bool:
        return self._pong is None or self._pong.is_set()

    def close(self, code: int = 1000) -> None:
        self._connection.close(code)


@contextmanager
def open_socket(url: str, headers: Mapping[str, str], subprotocols: Sequence[str], timeout: float) -> Generator[Socket]:
    """Open a WebSocket. The stub's `intercept()` replaces this function."""
    from websockets.sync.client import connect

    begin: Any = connect  # its overloads do not take options that are in a dict
    options = _options(url, headers, subprotocols, timeout)
    try:
        opening = begin(url, sock=_connect_socket(url, timeout), **options)
        connection = opening.__enter__()
    except Exception as error:
        raise _connect_error(error, url) from None
    try:
        yield _SyncSocket(connection)
    finally:
        opening.__exit__(None, None, None)


class _AsyncSocket:
    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._pong: Any = None

    async def send(self, data: Data) -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            await self._connection.send(data)
        except ConnectionClosed as error:
            raise _closed_error(error) from None

    async def receive(self, timeout: float) -> Data | None:
        import anyio
        from websockets.exceptions import ConnectionClosed

        try:
            with anyio.move_on_after(timeout):
                return await self._connection.recv()  # type: ignore[no-any-return] # text or bytes
        except ConnectionClosed as error:
            raise _closed_error(error) from None
        return None

    async def ping(self) -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            self._pong = await self._connection.ping()
        except ConnectionClosed as error:
            raise _closed_error(error) from None

    @property
    def ponged(self) -> bool:
        if self._pong is None:
            return True
        done = getattr(self._pong, "done", None) or self._pong.is_set  # asyncio's future, or trio's event
        return bool(done())

    async def close(self, code: int = 1000) -> None:
        close = getattr(self._connection, "aclose", None) or self._connection.close  # trio's, or asyncio's
        await close(code)


@asynccontextmanager
async def open_async_socket(
    url: str, headers: Mapping[str, str], subprotocols: Sequence[str], timeout: float
) -> AsyncGenerator[AsyncSocket]:
    """Open a WebSocket on asyncio or trio. The stub's `intercept()` replaces this function."""
    import anyio

    trio: Any = sys.modules.get("trio")
    if trio is not None and type(running_loop()).__name__ == "TrioToken":
        from websockets.trio.client import connect
    else:
        from websockets.asyncio.client import connect  # type: ignore[assignment] # the same class for the other loop

    opening = _without_redirects(connect(url, **_options(url, headers, subprotocols, timeout)))
    try:
        connection = await opening.__aenter__()
    except Exception as error:
        await anyio.sleep(0)  # asyncio closes the connection in the next iteration of its loop
        raise _connect_error(error, url) from None
    try:
        yield _AsyncSocket(connection)
    finally:
        await opening.__aexit__(None, None, None)
