"""Server-sent events: an incremental parser of ``text/event-stream`` (WHATWG HTML, 9.2 "Server-sent events")."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .sockets import LARGEST

_BOM = b"\xef\xbb\xbf"
_MOST_DIGITS = 12  # some thirty years of milliseconds; Python refuses to read thousands of digits


class EventTooLongError(ValueError):
    """An event of the stream is longer than the limit. Nothing more can be read from the stream."""


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event of a stream."""

    type: str
    """The type of the event; ``message`` where the stream gives none."""
    data: str
    last_event_id: str
    """The latest id up to this event; empty where there is none."""


class EventStreamParser:
    """Parses the bytes of one connection into events; the boundaries of chunks make no difference.

    An event is returned as soon as its last line is complete; an incomplete event at the end of the stream is dropped.
    `limit` is the greatest number of bytes of an event's data, and of a line.
    """

    def __init__(self, *, last_event_id: str = "", limit: int = LARGEST) -> None:
        self.last_event_id: str = last_event_id
        """The value for the header ``Last-Event-ID`` of the next connection."""
        self.retry: float | None = None
        """The seconds that the server asks to wait before the next connection; None where it does not tell."""
        self.comments: int = 0
        """The number of comments, which show that the connection is alive."""
        self._limit = limit
        self._too_long: EventTooLongError | None = None
        self._first = True
        self._after_cr = False
        self._line = bytearray()
        self._id = last_event_id
        self._type = ""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Return the events that these bytes complete.

        Raises: EventTooLongError, after the events before the long one have been returned.
        """
        if self._too_long is not None:
            raise self._too_long
        events: list[ServerSentEvent] = []
        try:
            for line in self._lines(chunk):
                event = self._take(line)
                if event is not None:
                    events.append(event)
        except EventTooLongError as error:
            self._too_long = error
            if not events:
                raise
        return events

    def _lines(self, chunk: bytes) -> Iterator[bytes]:
        """Return the complete lines without their ends: LF, CR, or CRLF, which may be split between chunks."""
        if not chunk:
            return
        if self._after_cr:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        for part in chunk.splitlines(keepends=True):
            text = part.rstrip(b"\r\n")
            if len(self._line) + len(text) > self._limit:
                raise EventTooLongError(f"a line of the stream is longer than {self._limit} bytes")
            self._line += text
            if len(part) == len(text):
                return  # the line continues in the next chunk
            line = bytes(self._line)
            self._line.clear()
            if self._first:
                line = line.removeprefix(_BOM)
                self._first = False
            yield line
        self._after_cr = chunk.endswith(b"\r")

    def _take(self, line: bytes) -> ServerSentEvent | None:
        if not line:
            return self._dispatch()
        name, colon, value = line.partition(b":")
        if colon and not name:
            self.comments += 1
            return None
        value = value.removeprefix(b" ")
        if name == b"data":
            self._size += len(value) + 1
            if self._size > self._limit:
                raise EventTooLongError(f"an event of the stream is longer than {self._limit} bytes")
            self._data.append(value)
        elif name == b"event":
            self._type = value.decode(errors="replace")
        elif name == b"id":
            if b"\0" not in value:
                self._id = value.decode(errors="replace")
        elif name == b"retry" and value.isdigit() and len(value) <= _MOST_DIGITS:
            self.retry = int(value) / 1000
        return None

    def _dispatch(self) -> ServerSentEvent | None:
        self.last_event_id = self._id
        kind, data = self._type or "message", self._data
        self._type, self._data, self._size = "", [], 0
        if not data:
            return None
        return ServerSentEvent(kind, b"\n".join(data).decode(errors="replace"), self._id)
