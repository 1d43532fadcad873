"""A channel: its pushes to iterate over, pushes to the server, presence and live cursors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

from ..errors import ConnectionFailedError, DeadlineExceededError, NetworkError, PushRefusedError
from ..models.channels import Push, read_push
from ..wire import is_object
from .cursors import LiveCursor, LiveCursors
from .hub import AsyncHub, AsyncSeat, Hub, Seat
from .membership import Answer, Membership
from .presence import Joined, Left, Updated
from .stream import AsyncStream, Raw, Stream

if TYPE_CHECKING:
    from ..client import Client
    from .presence import Presence

Payload: TypeAlias = Mapping[str, Any] | bytes
ChannelEvent: TypeAlias = Push | Joined | Left | Updated | LiveCursor
"""An item of a channel: a push, a change of presence, or a cursor that moved."""


class _Both:
    """The base class of the sync and the async channel."""

    _member: Membership

    @property
    def topic(self) -> str:
        """The topic of the channel."""
        return self._member.topic

    @property
    def presence(self) -> Presence:
        """The users who are present in the channel."""
        return self._member.presence

    @property
    def cursors(self) -> LiveCursors:
        """The cursors of the other users."""
        return self._member.cursors

    def _not_sent(self, timeout: float) -> Exception:
        mailbox = self._member.mailbox
        why = "was left" if mailbox.closed else f"was not joined for {timeout:g} s"
        return mailbox.end or ConnectionFailedError(f"{self.topic} {why}; nothing was sent", sent=False)


def _reader(member: Membership) -> Callable[[Raw], ChannelEvent | None]:
    def read(item: Raw) -> ChannelEvent | None:
        if "event" in item:
            return read_push(member.topic, item["event"], item["payload"])
        if "presence" in item:
            change: Joined | Left | Updated = item["presence"]
            return change
        member.moved.discard(item["cursor"])
        return member.cursors.get(item["cursor"])  # the latest position; None where the cursor has expired

    return read


def _outcome(topic: str, event: str, answer: Answer, timeout: float) -> Payload:
    if not answer.done:
        raise DeadlineExceededError(f"{event} on {topic} got no reply within {timeout:g} s")
    if answer.error is not None:
        raise answer.error
    if answer.status != "ok":
        response: Mapping[str, Any] = answer.response if is_object(answer.response) else {}
        reason = response.get("reason")
        raise PushRefusedError(
            f"{event} on {topic} was refused: {reason or answer.status}",
            reason=reason if isinstance(reason, str) else None,
            response=response,
        )
    return answer.response


class Channel(_Both, Stream[ChannelEvent]):
    """A channel: ``with client.channels.join("user:user_1:deals") as channel: for push in channel: ...``.

    After a lost connection or a crash of the channel it is joined again, and missed events are fetched. Each event is
    delivered once and in order. Iteration raises `EventGap` where events are lost for good, and continues after it.
    """

    def __init__(self, client: Client[Any], hub: Callable[[], Hub], member: Membership) -> None:
        self._member = member
        self._seat = Seat(hub, member)
        super().__init__(client, member, member.mailbox, _reader(member), member.topic, self._seat)

    def push(self, event: str, payload: Payload | None = None, *, timeout: float = 10.0) -> Payload:
        """Push an event and return what the server replies: an object, or bytes where it replies in binary.

        Raises: PushRefusedError, DeadlineExceededError (no reply within `timeout` seconds), ConnectionFailedError.
        """
        answer = Answer()
        try:
            self._send(event, payload, timeout, answer)
            self._until(lambda: answer.done, timeout)
        finally:
            if self._seat.hub is not None and not answer.done:
                self._seat.hub.line.forget(answer)
        return _outcome(self.topic, event, answer, timeout)

    def send(self, event: str, payload: Payload | None = None, *, timeout: float = 10.0) -> None:
        """Push an event and wait for no reply.

        Raises: ConnectionFailedError where the channel is down for `timeout` seconds.
        """
        self._send(event, payload, timeout, None)

    def move_cursor(self, **place: Any) -> None:
        """Show the others where your cursor is, with whatever says it: x and y, the name of a field.

        Nothing is kept and nothing is confirmed: of several moves in a short time only the newest is sent.
        """
        hub = self._seat.hub
        data = hub.line.point(self._member, place) if hub is not None else None
        if hub is not None and hub.driver is not None and data is not None:
            with suppress(NetworkError):
                hub.driver.send(data)

    def _send(self, event: str, payload: Payload | None, timeout: float, answer: Answer | None) -> None:
        self.start()
        joined = self._until(lambda: self._member.up or self._mailbox.closed, timeout)
        hub = self._seat.hub
        driver = hub.driver if hub is not None else None
        if not joined or hub is None or driver is None or self._mailbox.closed:
            raise self._not_sent(timeout)
        data, wait = hub.line.push(self._member, event, payload if payload is not None else {}, answer)
        if wait > 0:
            self._client.clock.sleep(wait)
        driver.send(data)


class AsyncChannel(_Both, AsyncStream[ChannelEvent]):
    """A channel: ``async with client.channels.join("user:user_1:deals") as channel: async for push in channel: ...``.

    As `Channel`, on asyncio or trio.
    """

    def __init__(self, client: Client[Any], hub: Callable[[], AsyncHub], member: Membership) -> None:
        self._member = member
        self._seat = AsyncSeat(hub, member)
        super().__init__(client, member, member.mailbox, _reader(member), member.topic, self._seat)

    async def push(self, event: str, payload: Payload | None = None, *, timeout: float = 10.0) -> Payload:
        """Push an event and return what the server replies: an object, or bytes where it replies in binary.

        Raises: PushRefusedError, DeadlineExceededError (no reply within `timeout` seconds), ConnectionFailedError.
        """
        answer = Answer()
        try:
            await self._send(event, payload, timeout, answer)
            await self._until(lambda: answer.done, timeout)
        finally:
            if self._seat.hub is not None and not answer.done:
                self._seat.hub.line.forget(answer)
        return _outcome(self.topic, event, answer, timeout)

    async def send(self, event: str, payload: Payload | None = None, *, timeout: float = 10.0) -> None:
        """Push an event and wait for no reply.

        Raises: ConnectionFailedError where the channel is down for `timeout` seconds.
        """
        await self._send(event, payload, timeout, None)

    async def move_cursor(self, **place: Any) -> None:
        """Show the others where your cursor is, with whatever says it: x and y, the name of a field.

        Nothing is kept and nothing is confirmed: of several moves in a short time only the newest is sent.
        """
        hub = self._seat.hub
        data = hub.line.point(self._member, place) if hub is not None else None
        if hub is not None and hub.driver is not None and data is not None:
            with suppress(NetworkError):
                await hub.driver.send(data)

    async def _send(self, event: str, payload: Payload | None, timeout: float, answer: Answer | None) -> None:
        await self.start()
        joined = await self._until(lambda: self._member.up or self._mailbox.closed, timeout)
        hub = self._seat.hub
        driver = hub.driver if hub is not None else None
        if not joined or hub is None or driver is None or self._mailbox.closed:
            raise self._not_sent(timeout)
        data, wait = hub.line.push(self._member, event, payload if payload is not None else {}, answer)
        if wait > 0:
            await self._client.clock.sleep_async(wait)
        await driver.send(data)
