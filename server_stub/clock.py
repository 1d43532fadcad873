"""The clock of the stub: it stands still until it is moved, or runs with real time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

TICK = timedelta(milliseconds=1)


class Clock:
    """The stub's time; tests move it with `advance` instead of waiting."""

    __slots__ = ("_anchor", "_began", "_lock", "_moved", "_now", "_real", "moved", "running", "start")

    def __init__(self, start: datetime, *, running: bool = False) -> None:
        if start.tzinfo is None:
            raise ValueError(f"a clock cannot start at {start!r}, which has no time zone; give an aware datetime")
        self.start = start
        self.running = running
        self._moved = timedelta()
        self._real = 0.0
        self._now = start
        self._anchor = time.monotonic()
        # A start within the present second is when that second began.
        behind = time.time() - start.timestamp()
        self._began = start.timestamp() if 0 <= behind < 1 else time.time()
        self._lock = threading.Lock()  # clients under test sleep in several threads
        self.moved: Callable[[], None] | None = None
        """Called when the clock was advanced: the server then does what is due."""

    def now(self) -> datetime:
        """Return the stub's present time."""
        return self._now + self._time_passed() if self.running else self._now

    def _time_passed(self) -> timedelta:
        """Return the real time since the start, that of a machine that slept too; it never goes back."""
        self._real = max(self._real, time.monotonic() - self._anchor, time.time() - self._began)
        return timedelta(seconds=self._real)

    def monotonic(self) -> float:
        """Return the seconds since the start, including those by `advance`."""
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
        """Advance the clock instead of waiting; a client under test with this clock sleeps by it."""
        self.advance(max(seconds, 0.0))

    async def sleep_async(self, seconds: float) -> None:
        """Advance the clock instead of waiting, and let other tasks run."""
        import anyio  # imported here: only async clients need it

        self.advance(max(seconds, 0.0))
        await anyio.sleep(0)

    @property
    def offset(self) -> timedelta:
        """By how much the clock was moved, without real time; a state file stores it."""
        return self._moved

    @offset.setter
    def offset(self, moved: timedelta) -> None:
        with self._lock:
            self._moved = moved
            self._now = self.start + moved

    def skew(self) -> float:
        """Return by how many seconds a running clock differs from the machine's; 0 for one that stands still."""
        return self.now().timestamp() - time.time() if self.running else 0.0

    def snapshot(self) -> timedelta:
        """Return the time since the start, for `restore`."""
        return self.now() - self.start

    def restore(self, elapsed: timedelta) -> None:
        """Set the clock to the time of a snapshot; a running clock continues from there."""
        self.offset = elapsed - (self._time_passed() if self.running else timedelta())

    def _move(self, by: timedelta) -> None:
        with self._lock:
            self._moved += by
            self._now += by
