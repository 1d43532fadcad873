"""The drivers that run a session: in a thread for the sync client, in a task for the async client."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, suppress
from typing import TYPE_CHECKING, Any

import anyio

from ..errors import ConnectionFailedError
from ..exchange import Refresh, Steps, SystemClock
from . import sockets
from .background import Background
from .session import PASSING, Alive, HangUp, Keeping, Open, Opening, Pause, Ping, Receive, Renew, Step, Transmit
from .sockets import AsyncSocket, Data, Socket, SocketClosedError, SocketRefusedError

if TYPE_CHECKING:
    from ..client import Client

Ended = Callable[[Exception | None], None]
_NETWORK = (*PASSING, SocketClosedError, SocketRefusedError)
_RENEWAL_SECONDS = 30.0


def _renewal(client: Client[Any], stale: str) -> Steps[bool]:
    """Renew the client's tokens, unless another call has; return whether the access token is now another one."""
    terms = client.terms()
    credentials, refresh = terms.credentials, terms.refresh
    if credentials.access == stale and refresh is not None and credentials.renewable:
        yield Refresh(credentials, stale, _RENEWAL_SECONDS, lambda: refresh(_RENEWAL_SECONDS))
    return credentials.access not in (None, stale)


def _not_connected() -> ConnectionFailedError:
    return ConnectionFailedError("the link is down; it is being connected again", sent=False)


class Driver:
    """Runs a session in its own thread."""

    def __init__(self, client: Client[Any], steps: Keeping, *, over_http: bool = False) -> None:
        self._client = client
        self._steps = steps
        self._over_http = over_http
        self._socket: Socket | None = None
        self._open: AbstractContextManager[Socket] | None = None
        self._connecting = False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="crm-sdk-live", daemon=True)

    def start(self, ended: Ended) -> None:
        """Begin; `ended` is told why it ended, None where it was stopped."""
        self._ended = ended
        self._thread.start()

    def send(self, data: Data) -> None:
        """Send a message, from any thread. Raises: ConnectionFailedError where there is no connection."""
        socket = self._socket
        if socket is None:
            raise _not_connected()
        try:
            socket.send(data)
        except SocketClosedError:
            raise _not_connected() from None

    def stop(self) -> None:
        """End it, and close the link."""
        self._stopped.set()
        socket = self._socket
        if socket is not None:
            socket.close()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(0.1 if self._connecting else 2.0)  # a connection that is still being opened closes itself

    def _run(self) -> None:
        error: Exception | None = None
        try:
            step = next(self._steps)
            while not self._stopped.is_set():
                try:
                    outcome = self._do(step)
                except _NETWORK as failure:
                    step = self._steps.throw(failure)
                else:
                    step = self._steps.send(outcome)
        except Exception as failure:
            error = failure
        self._hang_up()
        self._ended(None if self._stopped.is_set() else error)

    def _do(self, step: Step) -> Any:
        socket = self._socket
        match step:
            case Open(opening):
                self._connect(opening)
            case Pause(seconds):
                self._pause(seconds)
            case Renew(stale):
                return self._client._run(_renewal(self._client, stale))  # pyright: ignore[reportPrivateUsage] # the client's own machinery
            case HangUp():
                self._hang_up()
            case _ if socket is None:
                raise SocketClosedError(None, "it was closed")
            case Transmit(data):
                socket.send(data)
            case Receive(timeout):
                return socket.receive(timeout)
            case Ping():
                socket.ping()
            case Alive():
                return socket.ponged

    def _connect(self, opening: Opening) -> None:
        link = self._client._shared.link  # pyright: ignore[reportPrivateUsage] # the client's own machinery
        opened: AbstractContextManager[Socket]
        if self._over_http:
            from .http_socket import open_http

            opened = open_http(link, opening.url, opening.headers)
        else:
            opener: sockets.Opener = getattr(link, "open_socket", None) or sockets.open_socket
            timeout = self._client.terms().timeout
            opened = opener(opening.url, opening.headers, opening.subprotocols, timeout)
        self._connecting = True
        try:
            self._socket = opened.__enter__()
        finally:
            self._connecting = False
        self._open = opened

    def _hang_up(self) -> None:
        opened, self._open, self._socket = self._open, None, None
        if opened is not None:
            with suppress(*_NETWORK):
                opened.__exit__(None, None, None)

    def _pause(self, seconds: float) -> None:
        clock = self._client.clock
        if isinstance(clock, SystemClock):
            self._stopped.wait(seconds)
        else:
            clock.sleep(seconds)
            self._stopped.wait(0.001)  # with a clock that is moved by hand, other threads must get their turn here


class AsyncDriver:
    """Runs a session in its own task."""

    def __init__(self, client: Client[Any], steps: Keeping, *, over_http: bool = False) -> None:
        self._client = client
        self._steps = steps
        self._over_http = over_http
        self._socket: AsyncSocket | None = None
        self._open: AbstractAsyncContextManager[AsyncSocket] | None = None
        self._connecting = False
        self._task: Background | None = None
        self._stopped = False
        self._waiting: anyio.CancelScope | None = None

    async def start(self, ended: Ended) -> None:
        """Begin; `ended` is told why it ended, None where it was stopped."""
        self._ended = ended
        self._task = Background(self._run)

    async def send(self, data: Data) -> None:
        """Send a message. Raises: ConnectionFailedError where there is no connection."""
        socket = self._socket
        if socket is None:
            raise _not_connected()
        try:
            await socket.send(data)
        except SocketClosedError:
            raise _not_connected() from None

    async def stop(self) -> None:
        """End it, and close the link."""
        self._stopped = True
        if self._waiting is not None:
            self._waiting.cancel()
        if self._task is not None:
            await (self._task.stop() if self._connecting else self._task.wait_ended())

    async def _run(self) -> None:
        error: Exception | None = None
        try:
            step = next(self._steps)
            while not self._stopped:
                try:
                    outcome = await self._do_or_stop(step)
                except _NETWORK as failure:
                    step = self._steps.throw(failure)
                else:
                    step = self._steps.send(outcome)
        except Exception as failure:
            error = failure
        finally:
            try:
                await self._hang_up()
            finally:
                self._ended(None if self._stopped else error)

    async def _do_or_stop(self, step: Step) -> Any:
        if isinstance(step, (Open, HangUp)):  # steps that open or close a scope must not be cancelled halfway
            return await self._do(step)
        with anyio.CancelScope() as self._waiting:
            return await self._do(step)

    async def _do(self, step: Step) -> Any:
        socket = self._socket
        match step:
            case Open(opening):
                await self._connect(opening)
            case Pause(seconds):
                await self._client.clock.sleep_async(seconds)
            case Renew(stale):
                return await self._client._run(_renewal(self._client, stale))  # pyright: ignore[reportPrivateUsage] # the client's own machinery
            case HangUp():
                await self._hang_up()
            case _ if socket is None:
                raise SocketClosedError(None, "it was closed")
            case Transmit(data):
                await socket.send(data)
            case Receive(timeout):
                return await socket.receive(timeout)
            case Ping():
                await socket.ping()
            case Alive():
                return socket.ponged

    async def _connect(self, opening: Opening) -> None:
        link = self._client._shared.link  # pyright: ignore[reportPrivateUsage] # the client's own machinery
        opened: AbstractAsyncContextManager[AsyncSocket]
        if self._over_http:
            from .http_socket import open_async_http

            opened = open_async_http(link, opening.url, opening.headers)
        else:
            opener: sockets.AsyncOpener = getattr(link, "open_socket", None) or sockets.open_async_socket
            timeout = self._client.terms().timeout
            opened = opener(opening.url, opening.headers, opening.subprotocols, timeout)
        self._connecting = True
        try:
            self._socket = await opened.__aenter__()
        finally:
            self._connecting = False
        self._open = opened

    async def _hang_up(self) -> None:
        opened, self._open, self._socket = self._open, None, None
        if opened is not None:
            with suppress(*_NETWORK):
                await opened.__aexit__(None, None, None)
