"""The connection that all channels of a client share, open from the first join to the last leave."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio

from ..errors import InvalidInputError, NetworkError
from .drivers import AsyncDriver, Driver, Ended
from .membership import Membership
from .phoenix import Phoenix
from .session import Backoff, keep
from .sockets import Data

if TYPE_CHECKING:
    from ..client import Client


GOODBYE_SECONDS = 0.5
"""The longest time in seconds for leaving a channel."""


class _Shared:
    """The base class of both hubs: the line and its channels."""

    def __init__(self, client: Client[Any]) -> None:
        self.client: Client[Any] = client
        self.line: Phoenix = Phoenix(client)

    def _begin_anew(self) -> None:
        self.line = Phoenix(self.client)  # a new line: the end of an earlier connection must not end the next one

    def _add(self, member: Membership) -> Data | None:
        if self.line.has(member.topic):
            raise InvalidInputError(f"this client is in {member.topic} already; use that channel, or close it first")
        return self.line.add(member)


class Hub(_Shared):
    """The connection of a sync client's channels."""

    driver: Driver | None = None

    def __init__(self, client: Client[Any]) -> None:
        super().__init__(client)
        self._lock = threading.Lock()

    def add(self, member: Membership) -> None:
        """Join a channel, over a new link if there is none."""
        with self._lock:
            driver = self.driver
            if driver is None:
                self._begin_anew()
            data = self._add(member)
            if driver is None:
                self.driver = Driver(self.client, keep(self.line, self.client.clock, Backoff()))
                self.driver.start(partial(self._on_end, self.line))
        if driver is not None and data is not None:
            with suppress(NetworkError):  # it is joined when the connection is up again
                driver.send(data)

    def remove(self, member: Membership) -> None:
        """Leave a channel, and close the link after the last."""
        with self._lock:
            data, driver = self.line.remove(member), self.driver
            last = self.line.empty
            if last:
                self.driver = None
        if driver is not None and data is not None:
            with suppress(NetworkError):
                driver.send(data)
        if driver is not None and last:
            driver.stop()

    def _on_end(self, line: Phoenix, error: Exception | None) -> None:
        with self._lock:
            if self.line is line:
                self.driver = None
        line.end(error)


class AsyncHub(_Shared):
    """The connection of an async client's channels."""

    driver: AsyncDriver | None = None

    async def add(self, member: Membership) -> None:
        """Join a channel, over a new link if there is none."""
        driver = self.driver
        if driver is None:
            self._begin_anew()
        data = self._add(member)
        if driver is None:
            self.driver = AsyncDriver(self.client, keep(self.line, self.client.clock, Backoff()))
            await self.driver.start(partial(self._on_end, self.line))
        elif data is not None:
            with suppress(NetworkError):
                await driver.send(data)

    async def remove(self, member: Membership) -> None:
        """Leave a channel, and close the link after the last."""
        data, driver = self.line.remove(member), self.driver
        last = self.line.empty
        if last:
            self.driver = None
        if driver is not None and data is not None:
            with suppress(NetworkError), anyio.move_on_after(GOODBYE_SECONDS):
                await driver.send(data)
        if driver is not None and last:
            await driver.stop()

    def _on_end(self, line: Phoenix, error: Exception | None) -> None:
        if self.line is line:
            self.driver = None
        line.end(error)


class Seat:
    """A channel's place in the hub: what starts and stops its stream."""

    def __init__(self, hub: Callable[[], Hub], member: Membership) -> None:
        self._find = hub
        self.member: Membership = member
        self.hub: Hub | None = None

    def start(self, ended: Ended) -> None:
        """Join. The hub itself tells the mailbox how it ended."""
        hub = self._find()
        hub.add(self.member)
        self.hub = hub

    def stop(self) -> None:
        """Leave."""
        hub, self.hub = self.hub, None
        if hub is not None:
            hub.remove(self.member)


class AsyncSeat:
    """A channel's place in the hub: what starts and stops its stream."""

    def __init__(self, hub: Callable[[], AsyncHub], member: Membership) -> None:
        self._find = hub
        self.member: Membership = member
        self.hub: AsyncHub | None = None

    async def start(self, ended: Ended) -> None:
        """Join. The hub itself tells the mailbox how it ended."""
        hub = self._find()
        await hub.add(self.member)
        self.hub = hub

    async def stop(self) -> None:
        """Leave."""
        hub, self.hub = self.hub, None
        if hub is not None:
            await hub.remove(self.member)
