"""Stacks of idle connections, with a limit of connections in use.

A stack belongs to one process, an async one to one event loop: after a `fork()`, or in another loop, a link makes a new
stack and does not use the connections of the old one.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

T = TypeVar("T")

IDLE_SECONDS = 15.0  # longer than most pauses between calls, shorter than most servers keep an idle connection open


class Stack(Generic[T]):
    """At most `limit` transports of one connection each, for threads; the one used last is taken first."""

    def __init__(self, limit: int, make: Callable[[], T]) -> None:
        self.limit = limit
        self._make = make
        self.idle: list[tuple[float, T]] = []
        # One token for each transport that may be in use. Unlike a semaphore, a SimpleQueue is reentrant: the garbage
        # collector may put a token back at any moment.
        self._tokens: SimpleQueue[None] = SimpleQueue()
        for _ in range(limit):
            self._tokens.put(None)

    def take(self, timeout: float) -> T:
        """Take the transport used last, or a new one. Raises: `queue.Empty` if all are busy for `timeout` seconds."""
        self._tokens.get(timeout=timeout)
        try:
            return self.idle.pop()[1]
        except IndexError:
            pass
        try:
            return self._make()
        except BaseException:
            self._tokens.put(None)
            raise

    def give(self, transport: T) -> T | None:
        """Put a transport back; return one that has been idle for too long and is to be closed."""
        now = time.monotonic()
        overdue = None
        self.idle.append((now, transport))
        try:
            if now - self.idle[0][0] > IDLE_SECONDS:
                overdue = self.idle.pop(0)[1]
        except IndexError:
            pass  # another thread was faster
        self._tokens.put(None)
        return overdue


class AsyncStack(Generic[T]):
    """At most `limit` transports of one connection each, for tasks; the one used last is taken first."""

    def __init__(self, limit: int, make: Callable[[], T]) -> None:
        self.limit = limit
        self._make = make
        self.idle: list[tuple[float, T]] = []
        self.open: int = 0
        self._waiting: deque[list[Any]] = deque()

    async def take(self) -> T:
        """Take the transport used last, or a new one; wait while all are busy."""
        if self.idle:
            return self.idle.pop()[1]
        if self.open < self.limit:
            transport = self._make()
            self.open += 1
            return transport
        import anyio

        turn = anyio.Event()
        place: list[Any] = [turn, None]
        self._waiting.append(place)
        try:
            await turn.wait()
        except BaseException:
            if place[1] is not None:  # it was given a transport at the moment it was cancelled
                self.give(place[1])
            else:
                self._waiting.remove(place)
            raise
        handed: T = place[1]
        return handed

    def give(self, transport: T) -> None:
        """Put a transport back, or give it to the task that has waited longest."""
        if self._waiting:
            place = self._waiting.popleft()
            place[1] = transport
            place[0].set()
        else:
            self.idle.append((time.monotonic(), transport))

    def lose(self) -> None:
        """Replace a transport that cannot be closed any more by a new one."""
        self.give(self._make())

    def overdue(self) -> T | None:
        """Return a transport that has been idle for too long and is to be closed."""
        if self.idle and time.monotonic() - self.idle[0][0] > IDLE_SECONDS:
            self.open -= 1
            return self.idle.pop(0)[1]
        return None
