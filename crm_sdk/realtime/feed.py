"""The company's event feed over ``/ws`` or SSE, on one connection. No I/O.

The events are those of 003, "WebSocket Events"; the wire format with sequence numbers is in docs/realtime.md.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast
from urllib.parse import urlencode

from ..dialects import DIALECTS
from ..errors import CrmError
from ..wire import is_object
from .mailbox import Mailbox
from .position import GRACE, Cursor, Position, number, text
from .session import Opening
from .sockets import Data, SocketClosedError, SocketRefusedError
from .sse import EventStreamParser, EventTooLongError

if TYPE_CHECKING:
    from ..client import Client

Over: TypeAlias = Literal["ws", "sse"]
Raw: TypeAlias = Mapping[str, Any]
"""A message as received; the reader of the stream parses it into a typed event."""

UNTOLD = 0.5
"""Seconds to wait for the server's message with the position of its feed; without it, the feed begins then."""
SILENCE = 45.0
"""Seconds without data after which an SSE connection counts as dead; servers send a comment every 15 seconds."""
_PASSED = "stream.passed"
"""The type of the message in place of an event about a record that the user may not read."""
_ABOUT = ("agentId", "metric", "dealId", "conversationId")
"""The members that identify the record of an event without an `id`."""


class Feed:
    """The company's event feed on one connection."""

    def __init__(
        self,
        client: Client[Any],
        mailbox: Mailbox[Raw],
        *,
        over: Over,
        types: Collection[str] | None,
        since: Cursor | None,
        heartbeat: float,
    ) -> None:
        self._client = client
        self._mailbox = mailbox
        self._over: Over = over
        self._types = frozenset(types) if types is not None else None
        self._held: deque[Raw] = deque()
        self._ready: Callable[[], None] = lambda: None
        self._heard = self._opened = 0.0
        self.heartbeat: float = heartbeat if over == "ws" else 0.0
        self.position: Position[Raw] = Position(self._deliver, mailbox.put, since)
        self.last_error: CrmError | None = None
        self.asked: float = 0.0
        self.up: bool = False
        """Whether the feed is being received."""
        self._parser = EventStreamParser()

    def when_ready(self, ready: Callable[[], None]) -> None:
        """Call `ready` whenever the feed has begun."""
        self._ready = ready

    @property
    def progress(self) -> int:
        """The number of events that were passed on."""
        return self.position.passed_on

    # -- the interface that the session uses (`Line`) ------------------------------------------------------------

    def opening(self) -> Opening:
        """Return the address to connect to, with the position to resume from."""
        client, dialect = self._client, DIALECTS["mvp"]
        bearer = client.terms().credentials.access
        headers = {"User-Agent": client.user_agent, **dialect.headers(client.tenant_id)}
        if bearer is not None:
            headers["Authorization"] = f"Bearer {bearer}"
        query: dict[str, str | int] = {"resume": 1}
        cursor = self.position.begin_resuming()
        if cursor is not None:
            query["since"] = cursor.seq
            if cursor.epoch is not None:
                query["epoch"] = cursor.epoch
        if self._over == "ws":
            url = dialect.url(client.base_url, "/ws").replace("http", "ws", 1)
        else:
            url = dialect.url(client.base_url, "/api/events/stream")
            headers["Accept"] = "text/event-stream"
            if cursor is not None:
                headers["Last-Event-ID"] = str(cursor)
        return Opening(f"{url}?{urlencode(query)}", headers, bearer=bearer)

    def opened(self, now: float) -> Iterable[Data]:
        """Note that the connection is open."""
        self._heard = self._opened = now
        self.up, self.last_error = False, None
        self._parser = EventStreamParser()
        return ()

    def received(self, data: Data, now: float) -> Iterable[Data]:
        """Process a message of ``/ws``, or a chunk of an SSE stream."""
        self._heard = now
        if self._over == "ws":
            self._message(data, now)
        else:
            try:
                told = self._parser.feed(data if isinstance(data, bytes) else data.encode())
            except EventTooLongError as error:
                raise SocketClosedError(None, str(error)) from None
            self.asked = self.asked if self._parser.retry is None else self._parser.retry
            for event in told:
                self._message(event.data, now)
        return ()

    def idle(self) -> None:
        """Note that no message came within `patience`."""
        self.position.quiet()

    def due(self, now: float) -> Iterable[Data]:
        """Offer the events that had no room to the mailbox again; nothing is sent."""
        if not self.up and now - self._opened >= UNTOLD:
            self._begin()
        while self._held and self.position.take(self._held[0], now, seq=None, epoch=None, id=_id(self._held[0])):
            self._held.popleft()
        if self._over == "sse" and now - self._heard >= SILENCE:
            raise SocketClosedError(None, f"no sign of life for {now - self._heard:.0f} s")
        return ()

    def wants_anew(self, now: float) -> bool:
        """Return whether events are missing, which a new connection fetches."""
        return self.position.wants_resume(now, room=self._mailbox.room)

    def patience(self, now: float) -> float:
        """Return how long to listen: shortly while the mailbox is full or events are late."""
        return GRACE if self.position.waiting else 1.0 if self.up and not self.position.blocked else 0.05

    @property
    def full(self) -> bool:
        """Whether no event can be accepted now: an event without a number cannot be fetched again later."""
        return bool(self._held)

    def lost(self) -> None:
        """Note that the connection was lost."""
        self.up = False
        self.position.broke()

    def failed(self, error: CrmError) -> None:
        """Keep the error, for callers that wait for the feed to begin."""
        self.last_error = error

    def refusal(self, refused: SocketRefusedError) -> CrmError:
        """Return the error for a refused connection."""
        return DIALECTS["mvp"].error(refused.status, refused.headers, refused.body, "events.listen")

    def _begin(self) -> None:
        self.position.note_restored()
        self.up = True
        self._ready()

    # -- messages ------------------------------------------------------------------------------------------------

    def _message(self, data: Data, now: float) -> None:
        try:
            found: object = json.loads(data)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            self.position.suspect(now)
            return
        message = cast("dict[str, Any]", found)
        kind, content = message.get("type"), message.get("data")
        if kind in ("stream.ready", "stream.position") and isinstance(content, dict):
            self._place(kind, cast("dict[str, Any]", content), now)
            return
        if not isinstance(kind, str):
            self.position.suspect(now)
            return
        if not self.up:
            self._begin()
        seq, epoch = number(message.get("seq")), text(message.get("epoch"))
        if seq is None and "seq" in message and self.position.cursor is not None:
            self.position.suspect(now)  # an event of this feed without a valid number
        elif not self.position.take(message, now, seq=seq, epoch=epoch, id=_id(message)):
            self._held.append(message)

    def _place(self, kind: object, place: dict[str, Any], now: float) -> None:
        seq, epoch, gap = number(place.get("seq")), text(place.get("epoch")), place.get("gap")
        if seq is None:
            return
        if kind == "stream.ready":
            self.position.begin(seq, epoch, cast("dict[str, Any]", gap) if isinstance(gap, dict) else None)
            if not self.up:
                self._begin()
        else:
            self.position.mark(seq, epoch, now)

    def _deliver(self, message: Raw) -> bool:
        if message["type"] == _PASSED:
            return True
        if self._types is not None and message["type"] not in self._types:
            return True
        return self._mailbox.offer(message)


def record_of(message: Raw) -> object:
    """Return the id of the record of an event or a push; None where it has none. Coalescing keeps one per record."""
    data: object = message.get("data", message.get("payload"))
    if not is_object(data):
        return None
    parts = [data, *filter(is_object, data.values())]
    about = next((part["id"] for part in parts if isinstance(part.get("id"), str)), None)
    about = about or next((data[name] for name in _ABOUT if isinstance(data.get(name), str)), None)
    return (message.get("type", message.get("event")), about) if about is not None else None


def _id(message: Raw) -> str | None:
    return text(message.get("id"))
