"""What a call streams as server-sent events: one connection that is kept open, and continued where it was lost. No I/O.

Unlike the company's feed, the events of such a stream need not be numbered without gaps: the server decides by the
header ``Last-Event-ID`` what a new connection has to be sent.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import CrmError, InvalidInputError
from ..resource import Sync
from ..secrecy import Given
from ..wire import encode_json, is_object
from .drivers import AsyncDriver, Driver
from .feed import SILENCE
from .listening import new_mailbox
from .mailbox import Mailbox
from .position import Cursor, Position
from .session import EXPIRED, Backoff, Opening, keep
from .sockets import Data, SocketClosedError, SocketRefusedError
from .sse import EventStreamParser, EventTooLongError, ServerSentEvent
from .stream import AsyncStream, Stream

if TYPE_CHECKING:
    from ..client import Client
    from ..operation import Operation
    from ..route import Plan

Raw = Mapping[str, Any]
_RESUME = "last_event_id"
"""The argument after which a stream continues."""
_CAPACITY = 1_000
_LISTEN, _FULL = 1.0, 0.05
"""Seconds to listen before looking at the clock again; less while the reader is behind."""
_UNSEEN = frozenset({"heartbeat"})
"""The events that only show that the connection is alive."""


def subscribe(operation: Operation[Any, Any], client: Client[Any], given: dict[str, Any]) -> Any:
    """Return the stream of a call, for the sync or the async client."""
    since = _cursor(given.pop(_RESUME, None))
    plan = operation.plan_quietly(Given(given), client.dialects)
    mailbox: Mailbox[Raw] = new_mailbox(_CAPACITY, "block")
    line = Subscription(client, operation, plan, mailbox, since)
    steps, read = keep(line, client.clock, Backoff()), _reader(operation, client)
    if client.mode is Sync:
        return Stream(client, line, mailbox, read, operation.id, Driver(client, steps, over_http=True))
    return AsyncStream(client, line, mailbox, read, operation.id, AsyncDriver(client, steps, over_http=True))


def _cursor(last_event_id: str | None) -> Cursor | None:
    if last_event_id is None:
        return None
    try:
        return Cursor.parse(last_event_id)
    except ValueError:
        message = f"{_RESUME} must be the id of an event, or a stream's cursor, not {last_event_id!r}"
        raise InvalidInputError(message) from None


def _reader(operation: Operation[Any, Any], client: Client[Any]) -> Callable[[Raw], Any]:
    """Return a function that reads an event as its documented type."""
    from ..reading import Reader, report

    reader: Reader[Any] = Reader(operation.arguments.content(client.mode))

    def read(raw: Raw) -> Any:
        event, mismatches = reader.read(encode_json(raw["body"]), strict=client.strict)
        if mismatches:
            report(operation.id, mismatches, client.habits.reported)
        return event

    return read


class Subscription:
    """The events of one call on one connection."""

    heartbeat: float = 0.0

    def __init__(
        self,
        client: Client[Any],
        operation: Operation[Any, Any],
        plan: Plan,
        mailbox: Mailbox[Raw],
        since: Cursor | None,
    ) -> None:
        self._client = client
        self._operation = operation
        self._plan = plan
        self._mailbox = mailbox
        self._last = str(since) if since is not None else ""
        self._held: deque[Raw] = deque()
        self._ready: Callable[[], None] = lambda: None
        self._parser = EventStreamParser()
        self._heard = 0.0
        self.position: Position[Raw] = Position(mailbox.offer, mailbox.put, since)
        self.last_error: CrmError | None = None
        self.asked: float = 0.0
        self.up: bool = False
        self.progress: int = 0
        """The number of events that came."""

    def when_ready(self, ready: Callable[[], None]) -> None:
        """Call `ready` whenever the stream has begun."""
        self._ready = ready

    # -- the interface that the session uses (`Line`) ------------------------------------------------------------

    def opening(self) -> Opening:
        """Return the request that opens the connection, after the last event that came."""
        client = self._client
        request = self._operation.request(self._plan, client)
        headers = {**request.headers, "Accept": "text/event-stream"}
        bearer = client.terms().credentials.access
        if bearer is not None:
            headers["Authorization"] = f"Bearer {bearer}"
        if self._last:
            headers["Last-Event-ID"] = self._last
        return Opening(request.url, headers, bearer=bearer)

    def opened(self, now: float) -> Iterable[Data]:
        """Note that the connection is open."""
        self._heard, self.up, self.last_error = now, True, None
        self._parser = EventStreamParser(last_event_id=self._last)
        self._ready()
        return ()

    def received(self, data: Data, now: float) -> Iterable[Data]:
        """Process a chunk of the stream."""
        self._heard = now
        try:
            events = self._parser.feed(data if isinstance(data, bytes) else data.encode())
        except EventTooLongError as error:
            raise SocketClosedError(None, str(error)) from None
        self.asked = self.asked if self._parser.retry is None else self._parser.retry
        for event in events:
            self._take(event)
        return ()

    def _take(self, event: ServerSentEvent) -> None:
        try:
            body: object = json.loads(event.data)
        except (ValueError, RecursionError):
            raise SocketClosedError(None, "an event cannot be read: the stream is continued") from None
        if event.type == "error":
            raise SocketClosedError(EXPIRED, "the credential expired")
        if not is_object(body):
            return
        self.progress += 1
        self._last = event.last_event_id or self._last
        if event.type in _UNSEEN:
            return
        self._held.append({"body": body, "type": event.type, **_place(self._last)})
        self._offer()

    def _offer(self) -> None:
        while self._held and self._mailbox.offer(self._held[0]):
            if self._held.popleft()["type"].endswith(".deleted"):
                self._mailbox.close()  # what was followed is gone: the stream ends here

    def idle(self) -> None:
        """Do nothing: events that do not come are none."""

    def due(self, now: float) -> Iterable[Data]:
        """Offer the events that had no room again; nothing is sent."""
        self._offer()
        if now - self._heard >= SILENCE:
            raise SocketClosedError(None, f"no sign of life for {now - self._heard:.0f} s")
        return ()

    def wants_anew(self, now: float) -> bool:
        """Return False: what is missing is not known."""
        return False

    def patience(self, now: float) -> float:
        """Return how long to listen."""
        return _FULL if self._held else _LISTEN

    @property
    def full(self) -> bool:
        """Whether no event can be accepted now."""
        return bool(self._held)

    def lost(self) -> None:
        """Note that the connection was lost."""
        self.up = False

    def failed(self, error: CrmError) -> None:
        """Keep the error, for callers that wait for the stream to begin."""
        self.last_error = error

    def refusal(self, refused: SocketRefusedError) -> CrmError:
        """Return the error for a refused connection."""
        dialect = self._plan.route.dialect
        return dialect.error(refused.status, refused.headers, refused.body, self._operation.id)


def _place(id: str) -> dict[str, Any]:
    """Return the number and the numbering of an event's id, as a stream's cursor has them."""
    epoch, _, seq = id.rpartition(":")
    return {"seq": int(seq), "epoch": epoch or None} if seq.isdigit() else {}
