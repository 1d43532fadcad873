"""Events: listen to what happens in the company."""

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
    """What happens in the company, as it happens."""

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

        `types` keeps only these (``lead.created``, …). `since` begins after a stream's `cursor` of another time: what
        was missed comes first. `over` is ``"ws"`` (WebSocket) or ``"sse"`` for networks that block WebSockets. As many
        as `capacity` events wait to be read; `overflow` says what happens beyond that: ``"block"`` fetches the rest
        later and loses nothing, ``"drop_oldest"`` and ``"coalesce"`` forget, and count it in `dropped`. `heartbeat` is
        the seconds of silence after which the server is asked for a sign of life; after as many again the link is dead.

        The link is kept up in the background, each event comes once and in order. Raises, while iterating: EventGap
        where events are lost for good. Raises, at its beginning: AuthenticationError, ConnectionFailedError,
        InvalidInputError. Document: 003, "WebSocket Events"; SSE, `since` and the numbers are ours.
        """
        from ..realtime.listening import listen

        stream: Stream[Event] = listen(self._client, types, since, over, capacity, overflow, heartbeat)
        return stream
