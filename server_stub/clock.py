"""The stub's own time: stands still until it is moved, or runs along with the real one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

TICK = timedelta(milliseconds=1)


class Clock:
    """Tell the stub's time; tests move it with `advance` instead of waiting."""

    __slots__ = ("_anchor", "_lock", "_moved", "_now", "moved", "running", "start")

    def __init__(self, start: datetime, *, running: bool = False) -> None:
        if start.tzinfo is None:
            raise ValueError(f"a clock cannot start at {start!r}, which has no time zone; give an aware datetime")
        self.start = start
        self.running = running
        self._moved = timedelta()
        self._now = start
        self._anchor = time.monotonic()
        self._lock = threading.Lock()  # clients under test sleep in their own threads
        self.moved: Callable[[], None] | None = None
        """What is told that the clock was advanced: the server, which does what has come due."""

    def now(self) -> datetime:
        """Return the stub's present time."""
        if self.running:
            return self._now + timedelta(seconds=time.monotonic() - self._anchor)
        return self._now

    def monotonic(self) -> float:
        """Return the seconds since the start, advances included."""
        return (self.now() - self.start).total_seconds()

    def advance(self, seconds: float) -> None:
        """Move the time forward."""
        if seconds < 0:
            raise ValueError(f"a clock cannot go back by {-seconds} s; restore a snapshot instead")
        self._move(timedelta(seconds=seconds))
        if self.moved is not None:
            self.moved()

    def tick(self) -> None:
        """Move a standing clock by a millisecond, so that no two requests have the same time."""
        if not self.running:
            self._move(TICK)

    def sleep(self, seconds: float) -> None:
        """Advance instead of waiting; hand this to a client under test as its way to sleep."""
        self.advance(max(seconds, 0.0))

    async def sleep_async(self, seconds: float) -> None:
        """Advance instead of waiting, and let other tasks run."""
        import anyio  # here, because a stub without async clients has no use for it

        self.advance(max(seconds, 0.0))
        await anyio.sleep(0)

    @property
    def offset(self) -> timedelta:
        """How far the clock was moved, real time not included; what a durable state keeps."""
        return self._moved

    @offset.setter
    def offset(self, moved: timedelta) -> None:
        with self._lock:
            self._moved = moved
            self._now = self.start + moved

    def snapshot(self) -> timedelta:
        """Return the time since the start, for `restore`."""
        return self.now() - self.start

    def restore(self, elapsed: timedelta) -> None:
        """Go to the time of a snapshot; a running clock runs on from there."""
        real = timedelta(seconds=time.monotonic() - self._anchor) if self.running else timedelta()
        self.offset = elapsed - real

    def _move(self, by: timedelta) -> None:
        with self._lock:
            self._moved += by
            self._now += by
