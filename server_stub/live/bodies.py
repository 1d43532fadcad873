"""The endless body of a stream of server-sent events, for sync and async clients."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING

from .connection import Connection, Data
from .waiting import AsyncWaiter, Waiter

if TYPE_CHECKING:
    from ..core import StubServer


class LiveBody:
    """The events of a connection as they happen.

    `pause` is the longest time without data in seconds; `lost` and `late` make the exceptions for a lost connection and
    for a longer pause.
    """

    def __init__(
        self,
        server: StubServer,
        connection: Connection,
        pause: float | None,
        lost: Callable[[str], Exception],
        late: Callable[[str], Exception],
    ) -> None:
        self._server = server
        self._connection = connection
        self._pause = pause
        self._lost, self._late = lost, late
        self._waiter: Waiter | None = None
        self._async_waiter: AsyncWaiter | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._waiter is None:
            self._waiter = Waiter(self._server, self._connection)
        data = self._waiter.take(self._pause)
        if data is None:
            self._end()
            raise StopIteration
        return _bytes(data)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._async_waiter is None:
            self._async_waiter = AsyncWaiter(self._server, self._connection)
        data = await self._async_waiter.take(self._pause)
        if data is None:
            self._end()
            raise StopAsyncIteration
        return _bytes(data)

    def _end(self) -> None:
        ended = self._connection.ended
        self.close()
        if ended is None:
            raise self._late(f"no byte for {self._pause:g} s")
        if ended.code is None:
            raise self._lost(f"the stream broke off: {ended.reason}")

    def close(self) -> None:
        """Leave it."""
        with self._server.lock:
            self._connection.client_left()

    async def aclose(self) -> None:
        """Leave it."""
        self.close()


def _bytes(data: Data) -> bytes:
    return data if isinstance(data, bytes) else data.encode()
