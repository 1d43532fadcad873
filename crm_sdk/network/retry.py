"""When a request may be repeated, and after which time."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ..errors import NetworkError

_ALWAYS_SAFE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
_REFUSED_UNREAD = frozenset({425, 429})
"""The server did nothing (RFC 8470, 5.2; RFC 6585, 4)."""
_PERMANENT = frozenset({501, 505})
_LEAST = 0.05
"""So many seconds are waited whatever the server says, so that no loop runs without a pause."""


@dataclass(frozen=True, slots=True)
class Retry:
    """The number of repetitions of a call, and the waits between them.

    The n-th wait is a random number from 0 to ``min(cap, first * 2**n)`` seconds ("full jitter"), so that clients that
    failed at the same time do not repeat at the same time. ``Retry-After`` of the server takes precedence.
    """

    limit: int = 2
    first: float = 0.5
    cap: float = 8.0

    def wait(self, attempt: int) -> float:
        """Return the seconds to wait before the attempt after number `attempt` (0-based)."""
        return random.uniform(0, min(self.cap, self.first * 2 ** min(attempt, 30)))

    def wait_as_asked(self, asked: float) -> float:
        """Return the seconds to wait where the server asked for some: those and up to a tenth more, or `first`."""
        return max(asked, _LEAST) + random.uniform(0, max(asked / 10, self.first))


class RetryBudget:
    """How many repetitions a client may still send, over all its calls.

    Where a server is down, repeating every call would send it a multiple of its load when it comes back. A budget of 30
    is used up by repetitions and grows by 2 a second and by 0.2 with each call that succeeds.
    """

    SIZE = 30.0
    PER_SECOND = 2.0
    PER_SUCCESS = 0.2

    def __init__(self) -> None:
        self._left = self.SIZE
        self._at: float | None = None
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, object]:
        return {}

    def __setstate__(self, state: object) -> None:
        self.__init__()  # type: ignore[misc] # what was spent elsewhere is not spent here

    def take(self, now: float) -> bool:
        """Take one repetition; tell whether there was one left."""
        with self._lock:
            if self._at is not None:
                self._left = min(self.SIZE, self._left + max(0.0, now - self._at) * self.PER_SECOND)
            self._at = now
            if self._left < 1:
                return False
            self._left -= 1
            return True

    def succeed(self) -> None:
        """Note that a call succeeded."""
        if self._left < self.SIZE:
            with self._lock:
                self._left = min(self.SIZE, self._left + self.PER_SUCCESS)


def may_repeat_answer(method: str, status: int, retry_after: float | None, *, harmless: bool) -> bool:
    """Return whether a request that was answered with `status` may be repeated.

    `harmless` tells that a repetition has no second effect, since the request has an idempotency key that the server
    honours. A POST that only reads counts as a GET.
    """
    if status in _REFUSED_UNREAD or (status == 503 and retry_after is not None):
        return True
    transient = status == 408 or (status >= 500 and status not in _PERMANENT)
    return transient and (method in _ALWAYS_SAFE or harmless)


def may_repeat_failure(method: str, failure: NetworkError, *, harmless: bool) -> bool:
    """Return whether a request that got no answer may be repeated."""
    return not failure.sent or method in _ALWAYS_SAFE or harmless


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Read ``Retry-After`` (seconds or an HTTP date) as seconds from now; None where it is missing or unreadable."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        from email.utils import parsedate_to_datetime  # imported here: it takes 10 ms, and most servers send seconds

        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError):
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    return max(0.0, seconds) if seconds == seconds and seconds != float("inf") else None
