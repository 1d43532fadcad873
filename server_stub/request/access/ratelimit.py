"""Rate limits: the class of a call, and the number of calls that a caller has left, by the stub's clock."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from crm_sdk.route import RateGroup

Dialect: TypeAlias = Literal["mvp", "flow", "platform"]

MINUTE, HOUR = 60, 3600


@dataclass(frozen=True, slots=True)
class RateClass:
    """A limit of calls in a number of seconds."""

    name: str
    limit: int
    window_seconds: int


PLANS: Mapping[str, RateClass] = {
    "free": RateClass("free", 1_000, HOUR),
    "pro": RateClass("pro", 10_000, HOUR),
    "enterprise": RateClass("enterprise", 100_000, HOUR),
}
"""The limits of the mvp dialect, by the company's plan."""

OWN_QUOTAS: Mapping[str, str] = {"api_requests_per_hour": "calls", "bulk_requests_per_hour": "bulk"}
"""The limits of a company to all its calls of an hour, each with what the meter counts for it."""

_FLOW: Mapping[RateGroup, RateClass] = {
    "auth": RateClass("auth", 5, MINUTE),
    "ai": RateClass("ai", 20, MINUTE),
    "bulk": RateClass("standard", 100, MINUTE),
    "standard": RateClass("standard", 100, MINUTE),
    "none": RateClass("standard", 100, MINUTE),
}
_BULK = RateClass("bulk", 100, HOUR)
_INTEGRATION = RateClass("integration", 10_000, HOUR)
_PREMIUM = RateClass("premium", 5_000, HOUR)
_STANDARD = RateClass("standard", 1_000, HOUR)


def rate_class(dialect: Dialect, group: RateGroup, *, plan: str = "free", api_key: bool = False) -> RateClass:
    """Return the rate class of a call; for a call without a caller (sign-in) `plan` and `api_key` have defaults."""
    if dialect == "mvp":
        return PLANS[plan]
    if dialect == "flow":
        return _FLOW[group]
    if group == "bulk":
        return _BULK
    if group == "ai":
        return _FLOW["ai"]
    if api_key:
        return _INTEGRATION
    return _STANDARD if plan == "free" else _PREMIUM


CLASSES = tuple(
    dict.fromkeys(kind.name for kind in (*PLANS.values(), *_FLOW.values(), _BULK, _INTEGRATION, _PREMIUM, _STANDARD))
)
"""The names of all rate classes, each of which can be configured."""


@dataclass(frozen=True, slots=True)
class Quota:
    """The quota of a caller after a call."""

    limit: int
    remaining: int
    reset_at: int
    """When the window ends, as a Unix time, for ``X-RateLimit-Reset``."""
    retry_after: int | None = None
    """Seconds until the window ends if this call exceeded the limit, else None."""


class RateLimits:
    """Counts calls in fixed windows; a window begins with the first call after the end of the last one."""

    __slots__ = ("_numbers", "_windows")

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], tuple[float, int]] = {}
        self._numbers: dict[str, tuple[int, int | None]] = {}

    def configure(self, name: str, limit: int, *, window_seconds: int | None = None) -> None:
        """Set the limit of a class such as ``bulk``, and its window; without `window_seconds` that stays.

        Raises: ValueError for an unknown class.
        """
        if name not in CLASSES:
            raise ValueError(f"there is no rate class {name!r}; use one of {', '.join(CLASSES)}")
        self._numbers[name] = (limit, window_seconds)

    def of(self, kind: RateClass) -> RateClass:
        """Return a class with its configured limit and window."""
        limit, window = self._numbers.get(kind.name, (kind.limit, None))
        return RateClass(kind.name, limit, kind.window_seconds if window is None else window)

    def check(self, key: tuple[str, str], limit: int, window_seconds: int, now: datetime) -> Quota:
        """Count a call and return the quota of its caller.

        This does not refuse a call beyond the limit, nor does such a call lengthen the window.
        """
        at = now.timestamp()
        end, count = self._windows.get(key, (at, 0))
        if at >= end:
            end, count = at + window_seconds, 0
        count += 1
        self._windows[key] = (end, count)
        if count > limit:
            return Quota(limit, 0, math.ceil(end), max(1, math.ceil(end - at)))
        return Quota(limit, limit - count, math.ceil(end))

    def snapshot(self) -> dict[tuple[str, str], tuple[float, int]]:
        """Return the present counts, for `restore`."""
        return dict(self._windows)

    def restore(self, windows: Mapping[tuple[str, str], tuple[float, int]]) -> None:
        """Restore the counts of a snapshot; an empty mapping resets all."""
        self._windows = dict(windows)
