"""The position of a subscriber in a feed: which events are new, duplicates or missing. No I/O."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any, Generic, TypeVar

from ..errors import EventGap

T = TypeVar("T")

GRACE = 0.25
"""Seconds to hold an early event and wait for the events before it, before the feed is resumed."""
AHEAD = 512
"""The greatest number of held events."""
TRIES = 8
"""The number of resumes for the same missing events, after which they count as lost."""
REMEMBERED = 4096
"""The number of ids that are remembered of events without a sequence number."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in a feed, to be stored and passed as ``since=`` later."""

    seq: int
    epoch: str | None = None

    def __str__(self) -> str:
        return f"{self.epoch or ''}:{self.seq}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Parse the text of a cursor, as `str` returns it. Raises: ValueError."""
        epoch, _, seq = text.rpartition(":")
        return cls(int(seq), epoch or None)


def number(value: object) -> int | None:
    """Return a value that can be a sequence number, else None; a bool cannot."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def text(value: object) -> str | None:
    """Return a non-empty text, else None."""
    return value if isinstance(value, str) else None


class Position(Generic[T]):
    """Passes on each event of a feed once and in order, and decides when the feed has to be resumed.

    `deliver` accepts an event, or returns False where there is no room: that event and the following ones are then
    fetched again by a resume. `report` receives each gap that cannot be filled.
    """

    def __init__(
        self, deliver: Callable[[T], bool], report: Callable[[EventGap], None], since: Cursor | None = None
    ) -> None:
        self._deliver = deliver
        self._report = report
        self.seq: int | None = since.seq if since else None
        self.epoch: str | None = since.epoch if since else None
        self.first: Cursor | None = since
        """The position at the beginning; None where it is not known yet, or the server does not number its events."""
        self.blocked: bool = False
        """Whether there was no room for an event: the feed has to be resumed when there is."""
        self.passed_on: int = 0
        """The number of events that were passed on."""
        self._ahead: dict[int, T] = {}
        self._missing_since: float | None = None
        self._tries = 0
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._broken = False

    @property
    def cursor(self) -> Cursor | None:
        """The position of the last event that was passed on; None where the server does not number its events."""
        return Cursor(self.seq, self.epoch) if self.seq is not None else None

    def begin(self, seq: int, epoch: str | None, gap: Mapping[str, Any] | None) -> None:
        """Begin at the position that the server tells: after `seq`, with the `gap` of events lost before it."""
        self.blocked = False
        self._missing_since = None
        self._ahead.clear()
        self._broken = False
        if self.seq is None:
            self.seq, self.epoch = seq, epoch
            self.first = self.cursor
            return
        if gap is not None or (self.epoch is not None and epoch != self.epoch) or seq > self.seq:
            anew = (gap or {}).get("reason") == "epoch" or (self.epoch is not None and epoch != self.epoch)
            reason = "epoch" if anew else str((gap or {}).get("reason") or "expired")
            self._lose(None if anew else seq, reason)
            self.seq = seq
        self.epoch = epoch

    def take(self, event: T, now: float, *, seq: int | None, epoch: str | None, id: str | None) -> bool:
        """Process an event; return False where it has no number and there is no room: offer it again later."""
        if seq is None:
            return self._take_unnumbered(event, id)
        if self.epoch is not None and epoch is not None and epoch != self.epoch:  # the server was reset in the meantime
            self._lose(None, "epoch")
            self.seq, self._missing_since = seq - 1, None
            self._ahead.clear()
        self.epoch = epoch or self.epoch
        if self.seq is None:
            self.seq = seq - 1
        if seq <= self.seq or self.blocked:
            return True
        if seq > self.seq + 1:
            if len(self._ahead) < AHEAD:
                self._ahead[seq] = event
            if self._tries >= TRIES:
                self._give_up(min(self._ahead))
            elif self._missing_since is None:
                self._missing_since = now
            return True
        self._pass_on(event)
        self._drain()
        return True

    def mark(self, seq: int, epoch: str | None, now: float) -> None:
        """Note the number of the feed's newest event: events up to it that have not come are missing."""
        if self.seq is None:
            self.seq, self.epoch = seq, epoch
        elif epoch is not None and epoch != self.epoch:
            self._missing_since = -inf
        elif seq > self.seq and not self.blocked:
            if self._tries >= TRIES:
                self._give_up(min([*self._ahead, seq + 1]))
            else:
                self._missing_since = -inf

    def suspect(self, now: float) -> None:
        """Note that an unreadable message came, which may have been an event."""
        if self.seq is None:
            self._report(EventGap(None, None, "unnumbered"))
        elif self._missing_since is None:
            self._missing_since = now

    def broke(self) -> None:
        """Note that the connection was lost."""
        self._broken = True
        self._count_try()
        self._ahead.clear()

    def note_restored(self) -> None:
        """Note that the connection is back; events without numbers that were missed cannot be counted."""
        if self._broken and self.seq is None:
            self._report(EventGap(None, None, "unnumbered"))
        self._broken = False

    def wants_resume(self, now: float, *, room: bool) -> bool:
        """Return whether the feed has to be resumed to fetch missing events."""
        if self.blocked:
            return room
        return self._missing_since is not None and now - self._missing_since >= GRACE

    @property
    def waiting(self) -> bool:
        """Whether events are held until the events before them come."""
        return self._missing_since is not None

    def quiet(self) -> None:
        """Note that nothing came for `GRACE` seconds: missing events will not come without a resume."""
        if self._missing_since is not None:
            self._missing_since = -inf

    def begin_resuming(self) -> Cursor | None:
        """Return the position to resume from, and count the attempt."""
        self._count_try()
        self.blocked = False
        return self.cursor

    def _count_try(self) -> None:
        # Both a connection that is closed in order to resume, and one that is lost before the events came, are counted.
        if self._missing_since is not None:
            self._tries += 1
        self._missing_since = None

    def _take_unnumbered(self, event: T, id: str | None) -> bool:
        if id is not None and id in self._ids:
            return True
        if not self._deliver(event):
            return False
        self.passed_on += 1
        if id is not None:
            self._ids[id] = None
            if len(self._ids) > REMEMBERED:
                self._ids.popitem(last=False)
        return True

    def _pass_on(self, event: T) -> None:
        self._tries = 0  # the event has come, even if there is no room for it
        if not self._deliver(event):
            self.blocked, self._missing_since = True, None
            self._ahead.clear()
            return
        self.seq = (self.seq or 0) + 1
        self.passed_on += 1

    def _drain(self) -> None:
        while not self.blocked and self.seq is not None and (self.seq + 1) in self._ahead:
            self._pass_on(self._ahead.pop(self.seq + 1))
        if not self.blocked:
            self._ahead = {seq: event for seq, event in self._ahead.items() if self.seq is None or seq > self.seq}
            if not self._ahead:
                self._missing_since = None

    def _give_up(self, next_seq: int) -> None:
        self._lose(next_seq - 1, "lost")
        self.seq, self._tries, self._missing_since = next_seq - 1, 0, None
        self._drain()

    def _lose(self, to: int | None, reason: str) -> None:
        self._report(EventGap(None if self.seq is None else self.seq + 1, to, reason))
