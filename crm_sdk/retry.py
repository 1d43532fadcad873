"""When a request may be repeated, and after which time."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from .errors import NetworkError

_ALWAYS_SAFE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
_TRANSIENT = frozenset({502, 503, 504})


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


def may_repeat_answer(method: str, status: int, retry_after: float | None, *, harmless: bool) -> bool:
    """Return whether a request that was answered with `status` may be repeated.

    `harmless` tells that a repetition has no second effect, since the request has an idempotency key that the server
    honours. A POST that only reads counts as a GET.
    """
    if status == 429:
        return True
    if method in _ALWAYS_SAFE:
        return status in _TRANSIENT
    if status == 503 and retry_after is not None:
        return True  # the server refused the request before processing it
    return harmless and (status in _TRANSIENT or status == 500)


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
