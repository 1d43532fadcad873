"""Channels: join a topic of the Phoenix Channels protocol, receive and send pushes, and follow its presence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..realtime.declared import joined
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from ..realtime.channel import Channel
    from ..realtime.mailbox import Overflow
    from ..realtime.position import Cursor


class Channels(Resource[Mode]):
    """Topics to join over Phoenix Channels: a user's deals, messages, calendar, contacts and notifications."""

    @joined
    def join(
        self,
        topic: str,
        *,
        params: Mapping[str, Any] | None = None,
        since: Cursor | str | int | None = None,
        capacity: int = 1000,
        overflow: Overflow = "block",
    ) -> Channel:
        """Join a channel: ``with client.channels.join("user:user_1:deals") as channel: for push in channel: ...``.

        Topics are ``user:{id}:deals``, ``:messages``, ``:calendar``, ``:contacts`` and ``:notifications``;
        ``record:{kind}:{id}`` and ``company:{id}`` show which users are present and where their cursors are. `params`
        is the payload of the join. `since`, `capacity` and `overflow` are those of `events.listen`. All channels of a
        client share one connection.

        Raises, when the ``with`` block is entered: PushRefusedError (reason ``unauthorized``, ``unmatched topic``),
        AuthenticationError, ConnectionFailedError. Document: 004, "Real-time Updates"; the topics of records and
        companies are our own.
        """
        from ..realtime.listening import join

        channel: Channel = join(self, topic, params or {}, since, capacity, overflow)
        return channel
