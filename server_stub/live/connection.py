"""One live connection, without I/O: `receive` gets the client's messages, `next` returns the messages to send."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from ..caller import Caller
from ..request.access.ratelimit import MINUTE

if TYPE_CHECKING:
    from ..faults.links import LiveFault
    from .hub import Live
    from .reading import Entry

Data: TypeAlias = str | bytes
"""A message: a text frame or a binary one."""

POSITION = timedelta(seconds=15)
"""The time without an event after which the position of the feed is sent."""
MESSAGES_PER_MINUTE = 1_000
_WAITING = 5_000
"""The greatest number of waiting messages that belong to no feed, such as replies and cursors."""


class Close:
    """Close codes."""

    NORMAL = 1000
    GOING = 1001
    UNSUPPORTED = 1003
    RULE = 1008
    RESTART = 1012
    EXPIRED = 4401


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a connection; without a close code it was lost."""

    code: int | None
    reason: str = ""


@dataclass(slots=True, eq=False)
class Reader:
    """The position of a connection in a feed."""

    feed: str
    seq: int
    write: Callable[[Entry], Data]
    """Makes the message that shows an event."""
    position: Callable[[], Data] | None = None
    """Makes the message that tells the position; None where the client did not ask for it."""
    passed: Callable[[Entry], Data] | None = None
    """Makes the message in place of an event that the caller may not see; None where the client did not ask for it."""
    quiet_since: datetime = field(default=datetime.max)


class Connection(ABC):
    """A client's connection. All methods are called within the server's lock."""

    idle_after: timedelta | None = None
    """The time without a message after which a client counts as gone; None where there is no limit."""

    def __init__(self, live: Live, caller: Caller, expires_at: datetime | None) -> None:
        self.live = live
        live.opened += 1
        self.name = f"c{live.opened}"
        self.caller = caller
        self._reads_as = caller
        """The caller with the rights of the moment at which a message is handled or written."""
        self.expires_at = expires_at
        self.log = live.log_of(caller.tenant_id)
        self.epoch = live.epoch_of(caller.tenant_id)
        """The numbering that the numbers of events belong to; the connection ends with it."""
        self.now = live.clock.now()
        self.readers: list[Reader] = []
        self.ended: Ended | None = None
        """Set at the end of the connection; waiting messages are still sent."""
        self.wake: Callable[[], None] = _nothing
        """Set by the carrier; called when there may be more to send."""
        self.cut: Callable[[], None] = _nothing
        """Set by a carrier over a network; called when the connection is to be lost or to fall silent."""
        self.due: datetime | None = None
        """When `next` has to be called again even if nothing has happened."""
        self.silent = False
        """Whether nothing is sent any more: no message, no reply, no close (the fault ``half_open``)."""
        self.stalled_until: datetime | None = None
        """Until when nothing is sent (the fault ``stall``)."""
        self._waiting: deque[Data] = deque()
        self._late: list[tuple[datetime, Data]] = []
        self._heard = self.now
        self._minute = (self.now, 0)

    # -- interface for the carrier -----------------------------------------------------------------------------

    def receive(self, data: Data) -> None:
        """Process a message of the client, within its rate limit."""
        if self.ended is not None or self.silent:
            return
        self.now = self._heard = self.live.clock.now()
        began, count = self._minute
        if (self.now - began).total_seconds() >= MINUTE:
            began, count = self.now, 0
        self._minute = began, count + 1
        if count >= MESSAGES_PER_MINUTE and self.live.enforces:
            self.close(Close.RULE, f"more than {MESSAGES_PER_MINUTE} messages in a minute")
        else:
            with self._without_hidden():
                self.handle(data)
        self.live.wake(self)

    def _without_hidden(self) -> AbstractContextManager[None]:
        """Leave out of what is written what the caller's roles hide at this moment."""
        self._reads_as = self.live.present(self.caller)
        return self.live.hidden_from(self._reads_as)

    def next(self) -> Data | None:
        """Return the next message to send; None where there is none now, or no more where `ended` is set."""
        self.now = self.live.clock.now()
        self._keep_time()
        with self._without_hidden():
            data = None if self._held_back() else self._next()
        self.due = self._due() if data is None else None
        return data

    def client_left(self) -> None:
        """Note that the client closed the connection, or was lost."""
        self.end(Ended(Close.NORMAL, "the client left"))

    # -- interface for subclasses ------------------------------------------------------------------------------

    @abstractmethod
    def handle(self, data: Data) -> None:
        """Process a message of the client."""

    def say(self, data: Data) -> None:
        """Queue a message that belongs to no feed."""
        if self.ended is not None:
            return
        self._waiting.append(data)
        if len(self._waiting) > _WAITING:
            self.end(Ended(Close.RULE, "reads too slowly"))
        self.live.wake(self)

    def close(self, code: int, reason: str = "") -> None:
        """Close the connection after the waiting messages; after a violation of a rule they are dropped."""
        if self.ended is None:
            self.ended = Ended(code, reason)
            if code == Close.RULE:
                self.readers.clear()
            self.live.remove(self)
            self.live.wake(self)

    def end(self, ended: Ended) -> None:
        """End the connection at once."""
        self.readers.clear()
        self._waiting.clear()
        self._late.clear()
        self.silent, self.stalled_until = False, None
        self.ended = self.ended or ended
        self.live.remove(self)
        self.cut()
        self.live.wake(self)

    def forget(self) -> None:  # noqa: B027 # most connections have nothing to release
        """Release the connection's channels and presence; called once, at its end."""

    def _held_back(self) -> bool:
        return self.silent or (self.stalled_until is not None and self.now < self.stalled_until)

    def _next(self) -> Data | None:
        for at, (when, data) in enumerate(self._late):
            if when <= self.now:
                del self._late[at]
                return data
        if self._waiting:
            return self._waiting.popleft()
        while (found := self._next_unread()) is not None:
            reader, entry = found
            reader.seq += 1
            reader.quiet_since = self.now
            if (written := self._write(reader, entry)) is None:
                continue
            fault = self.live.faults.take(entry.event["type"])
            if fault is None:
                return written
            kept = self._suffer(fault, written)
            if kept is not None or self._held_back():
                return kept
        return None

    def _write(self, reader: Reader, entry: Entry) -> Data | None:
        """Return the message that shows an event, or that it is passed over: the caller may not see it."""
        if self.live.is_shown(self._reads_as, entry.event):
            return reader.write(entry)
        return reader.passed(entry) if reader.passed is not None else None

    def _next_unread(self) -> tuple[Reader, Entry] | None:
        """Return the oldest event of the log that a reader of this connection has not seen."""
        first: tuple[Reader, Entry] | None = None
        try:
            for reader in self.readers:
                entry = self.log.after(reader.feed, reader.seq)
                if entry is not None and (first is None or entry.place < first[1].place):
                    first = reader, entry
        except LookupError:
            self.end(Ended(Close.RESTART, "too far behind"))
            return None
        return first

    def _suffer(self, fault: LiveFault, data: Data) -> Data | None:
        """Apply a fault to an event; return the message to send now in its place."""
        match fault.kind:
            case "duplicate":
                self._waiting.appendleft(data)
                return data
            case "delay":
                self._late.append((self.now + timedelta(seconds=fault.seconds), data))
            case "reorder":
                following = self._next_unread()
                if following is None:
                    self._late.append((self.now + timedelta(seconds=fault.seconds), data))
                    return None
                reader, entry = following
                reader.seq += 1
                self._waiting.appendleft(data)
                return self._write(reader, entry)
            case "corrupt":
                return self.corrupt(data)
            case "stall":
                self._waiting.appendleft(data)
                self.stalled_until = self.now + timedelta(seconds=fault.seconds)
            case "abort":
                self.end(Ended(None, "aborted"))
            case "half_open":
                self.half_open()
            case "close":
                self.readers.clear()
                self.close(fault.code, "the test closes it")
            case "refuse":
                self.live.refuse(fault.seconds)
                self.end(Ended(None, "aborted"))
            case _:  # drop
                pass
        return None

    def corrupt(self, data: Data) -> Data:
        """Return a corrupted message."""
        return data[: len(data) // 2]

    def half_open(self) -> None:
        """End the connection for the server only: the client is not notified."""
        self.silent = True
        self.live.remove(self)
        self.cut()

    # -- time --------------------------------------------------------------------------------------------------

    def _keep_time(self) -> None:
        if self.ended is not None or self.silent:
            return
        if self.expires_at is not None and self.now >= self.expires_at:
            self.close(Close.EXPIRED, "the credential expired")
        elif self.idle_after is not None and self.now >= self._heard + self.idle_after:
            self.close(Close.NORMAL, "idle")
        else:
            for reader in self.readers:
                if reader.position is not None and self.now >= reader.quiet_since + POSITION:
                    if self.log.newest(reader.feed) == reader.seq:  # otherwise there are events to send
                        self._waiting.append(reader.position())
                    reader.quiet_since = self.now

    def _due(self) -> datetime | None:
        if self.ended is not None or self.silent:
            return None
        times = [when for when, _ in self._late]
        if self.stalled_until is not None and self.now < self.stalled_until:
            times.append(self.stalled_until)
        if self.expires_at is not None:
            times.append(self.expires_at)
        if self.idle_after is not None:
            times.append(self._heard + self.idle_after)
        times += [reader.quiet_since + POSITION for reader in self.readers if reader.position is not None]
        return min(times, default=None)


def _nothing() -> None:
    pass
