"""A channel: what comes on it, to iterate over, and what is pushed to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from ..errors import ConnectionFailedError, DeadlineExceededError, PushRefusedError
from ..models.channels import Push, read_push
from .hub import AsyncHub, AsyncSeat, Hub, Seat
from .phoenix import Answer, Membership
from .stream import AsyncStream, Raw, Stream

if TYPE_CHECKING:
    from ..client import Client
    from .cursors import CursorMap
    from .presence import Presence

Payload = Mapping[str, Any] | bytes


class _Both:
    """What both channels have."""

    _member: Membership

    @property
    def topic(self) -> str:
        """The channel's name."""
        return self._member.topic

    @property
    def presence(self) -> Presence:
        """Who is in the channel too."""
        return self._member.presence

    @property
    def cursors(self) -> CursorMap:
        """Where the others' cursors are."""
        return self._member.cursors

    def move_cursor(self, **place: Any) -> None:
        """Show the others where your cursor is: ``move_cursor(x=3, y=14, field="amount")``.

        Nothing is kept and nothing is confirmed: of several moves in a short time only the newest is sent.
        """
        self._member.throttle.offer(place)


def _reader(topic: str) -> Callable[[Raw], Push]:
    return lambda item: read_push(topic, item["event"], item["payload"])


def _outcome(topic: str, event: str, answer: Answer, timeout: float) -> Payload:
    if not answer.done:
        raise DeadlineExceededError(f"{event} on {topic} got no reply within {timeout:g} s")
    if answer.error is not None:
        raise answer.error
    if answer.status != "ok":
        response = answer.response if isinstance(answer.response, Mapping) else {}
        reason = response.get("reason")
        raise PushRefusedError(
            f"{event} on {topic} was refused: {reason or answer.status}",
            reason=reason if isinstance(reason, str) else None,
            response=response,
        )
    return answer.response


def _not_joined(topic: str, timeout: float) -> ConnectionFailedError:
    return ConnectionFailedError(f"{topic} was not joined for {timeout:g} s; nothing was sent", sent=False)


class Channel(_Both, Stream[Push]):
    """A channel: ``with client.channels.join("user:user_1:deals") as channel: for push in channel: ...``.

    It is joined again when the link was lost or the channel crashed, and what was missed is fetched. Each event comes
    once and in order. Raises `EventGap` where events are lost for good; iterating goes on after it.
    """

    def __init__(self, client: Client[Any], hub: Callable[[], Hub], member: Membership) -> None:
        self._member = member
        self._seat = Seat(hub, member)
        super().__init__(client, member, member.mailbox, _reader(member.topic), member.topic, self._seat)

    def push(self, event: str, payload: Payload | None = None, *, timeout: float = 10.0) -> Payload:
        """Push an event and return what the server replies: an object, or bytes where it replies in binary.

        Raises: PushRefusedError, DeadlineExceededError (no reply within `timeout` seconds), ConnectionFailedError.
        """
        answer = self._send(event, payload, timeout)
        self._until(lambda: answer.done, timeout)
        return _outcome(self.topic, event, answer, timeout)

    def send(self, event: str, payload: Payload | None = None, *, timeout: float = 10.0) -> None:
        """Push an event and wait for no reply. Raises: ConnectionFailedError where the channel is down for `timeout`."""
        self._send(event, payload, timeout)

    def _send(self, event: str, payload: Payload | None, timeout: float) -> Answer:
        self.start()
        joined = self._until(lambda: self._member.up or self._mailbox.closed, timeout)
        hub = self._seat.hub
        if not joined or hub is None or hub.driver is None or self._mailbox.closed:
            raise _not_joined(self.topic, timeout)
        data, answer, wait = hub.line.push(self._member, event, payload if payload is not None else {})
        if wait > 0:
            self._client.clock.sleep(wait)
        hub.driver.send(data)
        return answer


class AsyncChannel(_Both, AsyncStream[Push]):
    """A channel: ``async with client.channels.join("user:user_1:deals") as channel: async for push in channel: ...``.

    As `Channel`, on asyncio or trio.
    """

    def __init__(self, client: Client[Any], hub: Callable[[], AsyncHub], member: Membership) -> None:
        self._member = member
        self._seat = AsyncSeat(hub, member)
        super().__init__(client, member, member.mailbox, _reader(member.topic), member.topic, self._seat)

    async def push(self, event: str, payload: Payload | None = None, *, timeout: float = 10.0) -> Payload:
        """Push an event and return what the server replies: an object, or bytes where it replies in binary.

        Raises: PushRefusedError, DeadlineExceededError (no reply within `timeout` seconds), ConnectionFailedError.
        """
        answer = await self._send(event, payload, timeout)
        await self._until(lambda: answer.done, timeout)
        return _outcome(self.topic, event, answer, timeout)

    async def send(self, event: str, payload: Payload | None = None, *, timeout: float = 10.0) -> None:
        """Push an event and wait for no reply. Raises: ConnectionFailedError where the channel is down for `timeout`."""
        await self._send(event, payload, timeout)

    async def _send(self, event: str, payload: Payload | None, timeout: float) -> Answer:
        await self.start()
        joined = await self._until(lambda: self._member.up or self._mailbox.closed, timeout)
        hub = self._seat.hub
        if not joined or hub is None or hub.driver is None or self._mailbox.closed:
            raise _not_joined(self.topic, timeout)
        data, answer, wait = hub.line.push(self._member, event, payload if payload is not None else {})
        if wait > 0:
            await self._client.clock.sleep_async(wait)
        await hub.driver.send(data)
        return answer
