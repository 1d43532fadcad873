"""Days where a query asks for a time: ``?start=2026-03-02`` is the midnight with which that day begins."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, get_args
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime

from crm_sdk.operation import Operation
from crm_sdk.route import Route
from crm_sdk.wire import instant

from ...serving import Context

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def with_midnights(
    call: Context, operation: Operation[..., Any], route: Route, query: dict[str, str]
) -> dict[str, str]:
    """Return the parameters of a query with the beginning of a day, in the caller's zone, for a day without a time."""
    if not any(map(_DAY.fullmatch, query.values())):
        return query
    zone = _zone(call)
    found = dict(query)
    for name in _times(operation) & {name for name in operation.arguments.types if route.has(name)}:
        given = query.get(route.wire_name(name))
        if given is not None and _DAY.fullmatch(given):
            try:
                midnight = datetime.fromisoformat(given).replace(tzinfo=zone)
                found[route.wire_name(name)] = instant(midnight.astimezone(UTC))
            except (ValueError, OverflowError):
                pass  # no such day: it is refused as it came
    return found


def _zone(call: Context) -> ZoneInfo:
    user = call.find_one("user", call.caller.user_id or "")
    own: str | None = user.get("timezone") if user is not None else None
    return ZoneInfo(own or call.tenant.get("timezone") or "UTC")


@lru_cache(maxsize=1024)
def _times(operation: Operation[..., Any]) -> frozenset[str]:
    """Return the arguments of a call that are times."""
    hints = operation.arguments.types
    return frozenset(name for name, hint in hints.items() if AwareDatetime in (hint, *get_args(hint)))
