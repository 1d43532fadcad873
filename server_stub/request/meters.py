"""The figures of the requests of each company: counts, durations, and the minutes of each service.

They are of this process, as those of a real server are: they begin at its start, and no state file has them.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Any, TypeVar

from .access import permissions
from .http import Reply

Key = TypeVar("Key")
Figures = TypeVar("Figures")
_COUNTED = ("_requests", "_durations", "_limited", "_minutes")
_KEPT = 10_000
"""The number of the latest durations of a company of which quantiles are computed."""
_MINUTES = 24 * 60
"""The number of minutes of a service that are kept."""
_IN_A_MINUTE = 1_000
"""The number of durations that are kept of one minute of a service."""


@dataclass(slots=True)
class Minute:
    """The requests of one minute to one service."""

    at: datetime
    requests: int = 0
    failures: int = 0
    durations: list[float] = field(default_factory=list[float])

    def __add__(self, other: Minute) -> Minute:
        return Minute(
            min(self.at, other.at), self.requests + other.requests, self.failures + other.failures,
            [*self.durations, *other.durations],
        )  # fmt: skip


class Durations:
    """How long requests took, in seconds."""

    __slots__ = ("count", "latest", "sum")

    def __init__(self) -> None:
        self.count, self.sum = 0, 0.0
        self.latest: deque[float] = deque(maxlen=_KEPT)

    def copy(self) -> Durations:
        """Return a copy, which counts on by itself."""
        copied = Durations()
        copied.count, copied.sum, copied.latest = self.count, self.sum, self.latest.copy()
        return copied

    def add(self, seconds: float) -> None:
        """Add one."""
        self.count += 1
        self.sum += seconds
        self.latest.append(seconds)


def quantile(values: Iterable[float], share: float) -> float | None:
    """Return the least value that a share of the values does not exceed; None where there are no values."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else None


class Meters:
    """What is counted of the requests of each company.

    A snapshot shares what was counted until then; it is copied, company by company, when the next request is counted.
    """

    def __init__(self, start: datetime) -> None:
        self.start = start
        self._requests: dict[str, Counter[tuple[str, int]]] = {}
        self._durations: dict[str, Durations] = {}
        self._limited: dict[str, Counter[str]] = {}
        self._minutes: dict[tuple[str, str], deque[Minute]] = {}
        self._own: set[int] = set()
        """The identities of what no snapshot shares."""

    def count(self, tenant_id: str, operation: str, reply: Reply, at: datetime, seconds: float) -> None:
        """Count a request of a company; a delay that a fault made counts as if the server had been slow."""
        if reply.fault is not None and reply.fault.kind == "delay":
            seconds += reply.fault.seconds
        requests = self._figures_of(self._requests, tenant_id, Counter[tuple[str, int]], Counter[tuple[str, int]].copy)
        requests[operation, reply.status] += 1
        self._figures_of(self._durations, tenant_id, Durations, Durations.copy).add(seconds)
        key = (tenant_id, permissions.resource_of(operation))
        minutes = self._figures_of(self._minutes, key, _no_minutes, _copied_minutes)
        begin = at.replace(second=0, microsecond=0)
        if not minutes or minutes[-1].at != begin:
            minutes.append(Minute(begin))
        last = minutes[-1]
        last.requests += 1
        last.failures += reply.status >= 500
        if len(last.durations) < _IN_A_MINUTE:
            last.durations.append(seconds)

    def count_limited(self, tenant_id: str, kind: str) -> None:
        """Count a request that was refused for a rate limit of a class."""
        self._figures_of(self._limited, tenant_id, Counter[str], Counter[str].copy)[kind] += 1

    def _figures_of(
        self, held: dict[Key, Figures], key: Key, make: Callable[[], Figures], copy: Callable[[Figures], Figures]
    ) -> Figures:
        """Return the figures of a key, which no snapshot shares."""
        found = held.get(key)
        if found is None or id(found) not in self._own:
            found = held[key] = make() if found is None else copy(found)
            self._own.add(id(found))
        return found

    def requests(self, tenant_id: str) -> Sequence[tuple[str, int, int]]:
        """Return the counts of a company's requests by operation and status."""
        counts = self._requests.get(tenant_id, Counter[tuple[str, int]]())
        return [(operation, status, n) for (operation, status), n in sorted(counts.items())]

    def durations(self, tenant_id: str) -> Durations:
        """Return how long a company's requests took."""
        return self._durations.get(tenant_id) or Durations()

    def refused_counts(self, tenant_id: str) -> Sequence[tuple[str, int]]:
        """Return the counts of the requests that were refused for rate limits, by class."""
        return sorted(self._limited.get(tenant_id, Counter[str]()).items())

    def minutes(self, tenant_id: str, service: str, since: datetime) -> list[Minute]:
        """Return the minutes of a service with requests from a company, oldest first."""
        begin = since - timedelta(minutes=1)
        return [minute for minute in self._minutes.get((tenant_id, service), ()) if minute.at > begin]

    def snapshot(self) -> dict[str, Any]:
        """Return the present state, for `restore`."""
        self._own = set()
        return {"start": self.start, **{name: getattr(self, name).copy() for name in _COUNTED}}

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a snapshot."""
        self.start, self._own = state["start"], set()
        for name in _COUNTED:
            setattr(self, name, state[name].copy())


def _no_minutes() -> deque[Minute]:
    return deque(maxlen=_MINUTES)


def _copied_minutes(minutes: deque[Minute]) -> deque[Minute]:
    """Return a copy of minutes of which the last, the only one that changes, is one of its own."""
    copied = minutes.copy()
    copied[-1] = replace(copied[-1], durations=[*copied[-1].durations])
    return copied
