"""The state of each service: what the requests of a company in the last minutes show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import reduce
from hashlib import sha256
from operator import add
from typing import Any

from crm_sdk.vocabulary.codes import REQUIRED, SWITCHABLE

from ...problems import missing
from ...request.meters import Minute, quantile
from ...serving import Context

SERVICES = tuple(sorted(REQUIRED | SWITCHABLE))
"""The words of all services."""
WINDOW = timedelta(minutes=5)
"""The time over which a service is judged."""
STATES = ("operational", "degraded", "partial_outage", "major_outage")
"""The states of a service, the best one first."""
_IMPACTS = ("none", "minor", "major", "critical")
_MAJOR, _PARTIAL, _DEGRADED = 0.5, 0.1, 0.01
_ENOUGH = 10
"""The number of requests from which a major outage can be told."""
_SLOW = 0.2
"""The seconds that 95 of 100 requests may take."""
_GOOD = 5
"""The number of good minutes after which an incident is over."""


def check_service(name: str) -> None:
    """Raise 404 for a service that there is not."""
    if name not in SERVICES:
        raise missing("service", name)


def state_of(minute: Minute) -> str:
    """Return the state that some requests show."""
    rate = minute.failures / minute.requests if minute.requests else 0.0
    if rate >= _MAJOR and minute.requests >= _ENOUGH:
        return "major_outage"
    if rate >= _PARTIAL:
        return "partial_outage"
    slow = quantile(minute.durations, 0.95)
    return "degraded" if rate >= _DEGRADED or (slow is not None and slow > _SLOW) else "operational"


def states(call: Context, names: Iterable[str]) -> list[dict[str, Any]]:
    """Return the state of services over the last five minutes."""
    since = max(call.now - WINDOW, call.server.meters.start)
    found: list[dict[str, Any]] = []
    for name in names:
        minutes = call.server.meters.minutes(call.caller.tenant_id, name, since)
        whole = reduce(add, minutes, Minute(since))
        p95 = quantile(whole.durations, 0.95)
        found.append(
            {
                "service": name,
                "status": state_of(whole),
                "requests": whole.requests,
                "error_rate": round(whole.failures / whole.requests, 4) if whole.requests else 0.0,
                "p95_ms": round(p95 * 1_000, 3) if p95 is not None else None,
                "since": since,
            }
        )
    return found


def indicator(services: Iterable[dict[str, Any]]) -> str:
    """Return the worst of some services; three major outages are critical."""
    found = [STATES.index(service["status"]) for service in services]
    if sum(level == 3 for level in found) >= 3:
        return "critical"
    return ("none", "minor", "minor", "major")[max(found, default=0)]


def incidents(call: Context, names: Sequence[str], since: datetime) -> list[dict[str, Any]]:
    """Return what was worse than operational and had not ended before a time, newest first."""
    found = [one for name in names for one in _incidents_of(call, name)]
    kept = [one for one in found if one["resolved_at"] is None or one["resolved_at"] >= since]
    return sorted(kept, key=lambda one: (one["started_at"], one["id"]), reverse=True)


def _incidents_of(call: Context, name: str) -> list[dict[str, Any]]:
    """Return the incidents of a service: each begins with a bad minute, and ends with the fifth good one after it."""
    found: list[dict[str, Any]] = []
    good = timedelta(minutes=_GOOD)
    last_bad: datetime | None = None
    for minute in call.server.meters.minutes(call.caller.tenant_id, name, call.server.meters.start):
        level = STATES.index(state_of(minute))
        if level == 0:
            continue
        if last_bad is None or minute.at > last_bad + good:
            if found and last_bad is not None:
                found[-1]["resolved_at"] = last_bad + timedelta(minutes=1) + good
            found.append(_incident(call, name, minute))
        found[-1]["impact"] = _IMPACTS[max(level, _IMPACTS.index(found[-1]["impact"]))]
        last_bad = minute.at
    if found and last_bad is not None and call.now >= (end := last_bad + timedelta(minutes=1) + good):
        found[-1]["resolved_at"] = end
    return found


def _incident(call: Context, name: str, minute: Minute) -> dict[str, Any]:
    digest = sha256(f"{call.caller.tenant_id}/{name}/{minute.at.isoformat()}".encode()).hexdigest()[:16]
    failed = f"{minute.failures} of {minute.requests} requests failed"
    message = failed if minute.failures else "requests took longer than usual"
    return {
        "id": f"incident_{digest}",
        "service": name,
        "impact": "minor",
        "started_at": minute.at,
        "resolved_at": None,
        "message": f"{name.replace('_', ' ')}: {message}",
    }
