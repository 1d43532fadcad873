"""Wait for the messages of a connection: in a thread by the server's lock, in a task by an event."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from crm_sdk.exchange import running_loop

from .connection import Connection, Data

if TYPE_CHECKING:
    from ..core import StubServer


class Waiter:
    """Takes the messages of a connection in a thread. Other threads may send and close at the same time."""

    def __init__(self, server: StubServer, connection: Connection) -> None:
        self._server = server
        self._connection = connection
        self._changed = threading.Condition(server.lock)
        with server.lock:
            connection.wake = self._changed.notify_all

    def take(self, timeout: float | None) -> Data | None:
        """Return the next message; None where none came in time, or the connection ended."""
        until = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while True:
                data = self._connection.next()
                if data is not None or self._connection.ended is not None:
                    return data
                left = None if until is None else until - time.monotonic()
                if left is not None and left <= 0:
                    return None
                self._changed.wait(_shorter(left, due_in(self._server, self._connection)))


class AsyncWaiter:
    """Takes the messages of a connection in a task of asyncio or trio."""

    def __init__(self, server: StubServer, connection: Connection) -> None:
        import anyio

        self._server = server
        self._connection = connection
        self._event = anyio.Event()
        loop: Any = running_loop()
        self._schedule: Callable[[Callable[[], None]], object] = (
            loop.run_sync_soon if hasattr(loop, "run_sync_soon") else loop.call_soon_threadsafe
        )
        with server.lock:
            connection.wake = self._wake

    def _wake(self) -> None:
        """Set the event, from any thread."""
        event = self._event
        if not event.is_set():
            try:
                self._schedule(event.set)
            except RuntimeError:  # the event loop has ended: no task waits
                self._connection.wake = _nothing

    async def take(self, timeout: float | None) -> Data | None:
        """Return the next message; None where none came in time, or the connection ended."""
        import anyio

        until = None if timeout is None else time.monotonic() + timeout
        while True:
            with self._server.lock:
                data = self._connection.next()
                if data is not None or self._connection.ended is not None:
                    return data
                self._event = anyio.Event()
                due = due_in(self._server, self._connection)
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                return None
            with anyio.move_on_after(_shorter(left, due)):
                await self._event.wait()


def due_in(server: StubServer, connection: Connection) -> float | None:
    """Return the seconds until `next` has to be called again; None where only advancing the clock has an effect."""
    if connection.due is None or not server.clock.running:
        return None
    return max((connection.due - server.clock.now()) / timedelta(seconds=1), 0.0)


def _shorter(*times: float | None) -> float | None:
    given = [time for time in times if time is not None]
    return min(given, default=None)


def _nothing() -> None:
    pass
