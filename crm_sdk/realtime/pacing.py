"""Pacing: limit the number of messages in any minute to what the server accepts."""

from __future__ import annotations

from collections import deque


class Pacer:
    """Computes how long to wait before a message, so that no window of `per` seconds has more than `limit` messages.

    Urgent messages do not wait, but they count. `spare` messages of the limit are reserved for them (by default one in
    a hundred): the limit holds for all messages together while no window has more urgent ones than that.
    """

    def __init__(self, limit: int = 1000, per: float = 60.0, *, spare: int | None = None) -> None:
        self._limit = limit
        self._per = per
        self._spare = limit // 100 if spare is None else spare
        if not 0 <= self._spare < limit or per <= 0:
            raise ValueError(f"no message would ever pass: limit={limit}, per={per}, spare={self._spare}")
        self._last = float("-inf")
        self._paced: deque[float] = deque()
        self._urgent: deque[float] = deque()

    def reserve(self, now: float, *, urgent: bool = False) -> float:
        """Return the number of seconds that a message has to wait, and count it as sent after that time.

        `now` is the time of a monotonic clock in seconds. Messages keep their order.
        """
        at = max(now, self._last)
        if urgent:
            self._forget(at)
            self._urgent.append(now)
            return 0.0
        self._forget(at)
        while len(self._paced) + max(self._spare, len(self._urgent)) >= self._limit:
            at = min(times[0] for times in (self._paced, self._urgent) if times) + self._per
            self._forget(at)
        self._paced.append(at)
        self._last = at
        return at - now

    def _forget(self, at: float) -> None:
        """Drop the messages before the window that ends at a time; no later message is sent before that time."""
        for times in (self._paced, self._urgent):
            while times and times[0] + self._per <= at:  # not `times[0] <= at - per`, which is rounded differently
                times.popleft()
