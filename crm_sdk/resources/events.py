"""Events: listen to the company's event feed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..realtime.declared import live
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from ..models.events import Event
    from ..realtime.feed import Over
    from ..realtime.mailbox import Overflow
    from ..realtime.position import Cursor
    from ..realtime.stream import Stream


class Events(Resource[Mode]):
    """The events of the company, as they happen."""

    @live
    def listen(
        self,
        *,
        types: Iterable[str] | None = None,
        since: Cursor | str | int | None = None,
        over: Over = "ws",
        capacity: int = 1000,
        overflow: Overflow = "block",
        heartbeat: float = 20.0,
    ) -> Stream[Event]:
        """Listen to the company's events: ``with client.events.listen() as stream: for event in stream: ...``.

        `types` keeps only events of these types (``lead.created``, …). `since` is the `cursor` of an earlier stream:
        the events after it are sent first. `over` is ``"ws"`` (WebSocket) or ``"sse"`` (Server-Sent Events, for
        networks that block WebSockets). Up to `capacity` events wait to be read. `overflow` decides what happens beyond
        that: ``"block"`` fetches the rest later and loses nothing; ``"drop_oldest"`` and ``"coalesce"`` discard events
        and count them in `dropped`. After `heartbeat` seconds of silence the server is asked for an answer; after as
        many seconds again without one the connection is renewed.

        The connection is kept open in the background; each event is delivered once and in order. Raises, while
        iterating: EventGap where events are lost for good. Raises, when the ``with`` block is entered:
        AuthenticationError, ConnectionFailedError, InvalidInputError. Document: 003, "WebSocket Events"; SSE, `since`
        and the sequence numbers are our own.
        """
        from ..realtime.listening import listen

        stream: Stream[Event] = listen(self._client, types, since, over, capacity, overflow, heartbeat)
        return stream
