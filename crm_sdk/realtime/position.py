"""Where a subscriber stands in a feed: what is new, what came before, what is missing. No I/O."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any, Generic, TypeVar

from ..errors import EventGap

T = TypeVar("T")

GRACE = 0.25
"""Seconds an event that came too early is held for the ones before it, before they are asked for."""
AHEAD = 512
"""How many such events are held."""
TRIES = 8
"""How often the same missing events are asked for before they are given up."""
REMEMBERED = 4096
"""How many ids are remembered of events that have no number."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a feed, to be kept and given back as ``since=``."""

    seq: int
    epoch: str | None = None

    def __str__(self) -> str:
        return f"{self.epoch or ''}:{self.seq}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Read what `str` made of a cursor. Raises: ValueError."""
        epoch, _, seq = text.rpartition(":")
        return cls(int(seq), epoch or None)


def number(value: object) -> int | None:
    """Return what may be the number of an event; a truth value is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def text(value: object) -> str | None:
    """Return what may be a name."""
    return value if isinstance(value, str) else None


class Position(Generic[T]):
    """Passes on each event of a feed once and in order, and says when the feed has to be resumed.

    `deliver` takes an event, or returns False where there is no room for it now: then it and those after it are left
    to be fetched again by a resume. `report` takes a gap that cannot be filled.
    """

    def __init__(
        self, deliver: Callable[[T], bool], report: Callable[[EventGap], None], since: Cursor | None = None
    ) -> None:
        self._deliver = deliver
        self._report = report
        self.seq: int | None = since.seq if since else None
        self.epoch: str | None = since.epoch if since else None
        self.first: Cursor | None = since
        """The place it began at; None where this server does not number its events, or nothing was heard yet."""
        self.blocked: bool = False
        """There was no room: the feed has to be resumed when there is."""
        self.passed_on: int = 0
        """How many events were delivered."""
        self._ahead: dict[int, T] = {}
        self._missing_since: float | None = None
        self._tries = 0
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._broken = False

    @property
    def cursor(self) -> Cursor | None:
        """The place of the last event that was passed on; None where this server does not number them."""
        return Cursor(self.seq, self.epoch) if self.seq is not None else None

    def begin(self, seq: int, epoch: str | None, gap: Mapping[str, Any] | None) -> None:
        """Take up a feed where the server says that it goes on: after `seq`, with what is lost before that."""
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
        """Take an event as it comes. False where it has no number and there is no room: offer it again later."""
        if seq is None:
            return self._take_unnumbered(event, id)
        if self.epoch is not None and epoch is not None and epoch != self.epoch:  # the server was set back meanwhile
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
        """Learn the number of the feed's newest event: what has not come by now is missing."""
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
        """Note that something unreadable came, which may have been an event."""
        if self.seq is None:
            self._report(EventGap(None, None, "unnumbered"))
        elif self._missing_since is None:
            self._missing_since = now

    def broke(self) -> None:
        """Note that the link was lost."""
        self._broken = True
        self._count_try()
        self._ahead.clear()

    def note_restored(self) -> None:
        """Note that the link is back: without numbers nobody can tell what was missed."""
        if self._broken and self.seq is None:
            self._report(EventGap(None, None, "unnumbered"))
        self._broken = False

    def wants_resume(self, now: float, *, room: bool) -> bool:
        """Tell whether the feed has to be asked for what is missing."""
        if self.blocked:
            return room
        return self._missing_since is not None and now - self._missing_since >= GRACE

    @property
    def waiting(self) -> bool:
        """Whether events are held that came before others."""
        return self._missing_since is not None

    def quiet(self) -> None:
        """Note that nothing came for `GRACE` seconds: what is missing is not on its way."""
        if self._missing_since is not None:
            self._missing_since = -inf

    def begin_resuming(self) -> Cursor | None:
        """Return the place to resume from, and count the try."""
        self._count_try()
        self.blocked = False
        return self.cursor

    def _count_try(self) -> None:
        # A link is left in order to ask for what is missing, or is lost before it came: both are answered by a resume.
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
        self._tries = 0  # it came; whether there is room for it is another matter
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
