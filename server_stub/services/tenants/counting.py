"""What a company has of everything that is limited, counted from its records and its calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta

from ...request.access.plans import LIMITS, limit_of
from ...request.usage import hour_of
from ...serving import Context
from .. import company
from ..agents.records import CALLS
from ..backups.counting import counted_backups
from ..chatops.conversation import sent_today as chats_today
from ..files.limits import stored_bytes
from ..notifications.counting import sent_today
from ..security.api_keys import status_of
from .finding import members

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


def _agent_calls(there: Context) -> int:
    doc = there.collection(CALLS).get(there.now.date().isoformat())
    return int(doc["calls"]) if doc is not None else 0


def _fields(there: Context) -> int:
    return max(Counter(field["object_id"] for field in there.collection("field")).values(), default=0)


def _sizes(there: Context) -> list[int]:
    return [int(file.get("size") or 0) for file in there.collection("file")]


def _api_keys(there: Context) -> int:
    return sum(status_of(key, there.now) == "active" for key in there.collection("api_key"))


USED: Mapping[str, Callable[[Context], int]] = {
    "users": members,
    "contacts": lambda there: len(there.collection("contact")),
    "deals": lambda there: len(there.collection("deal")),
    "storage_bytes": stored_bytes,
    "file_size_bytes": lambda there: max(_sizes(there), default=0),
    "api_requests_per_hour": lambda there: there.server.meter.count(there.caller.tenant_id, there.now),
    "bulk_requests_per_hour": lambda there: there.server.meter.count(there.caller.tenant_id, there.now, "bulk"),
    "websocket_connections": lambda there: there.server.live.count(there.caller.tenant_id),
    "agent_calls_per_day": _agent_calls,
    "custom_objects": lambda there: len(there.collection("custom_object")),
    "custom_fields_per_object": _fields,
    "workflows": lambda there: len(there.collection("workflow")),
    "emails_per_day": sent_today,
    "flags": lambda there: len(there.collection("flag")),
    "layouts": lambda there: len(there.collection("layout")),
    "export_schedules": lambda there: len(there.collection("export_schedule")),
    "api_keys": _api_keys,
    "chat_messages_per_day": chats_today,
    "backups": lambda there: len(counted_backups(there)),
}
"""What is used of each limit now; of what is counted by the hour or day, in the present one."""
assert USED.keys() == LIMITS.keys()
PASSING = frozenset(
    ["file_size_bytes", "api_requests_per_hour", "bulk_requests_per_hour", "websocket_connections",
     "agent_calls_per_day", "emails_per_day", "chat_messages_per_day", "backups"]
)  # fmt: skip
"""The limits to what passes or is there once: a smaller plan can be had whatever is used of them."""


def resets_at(there: Context, key: str) -> datetime | None:
    """Return when the count of a limit begins again; None for what is not counted by time."""
    if key.endswith("_per_hour"):
        return hour_of(there.now) + _HOUR
    if key == "emails_per_day":
        return company.midnight(there, company.today(there) + _DAY)
    at = there.now.astimezone(UTC).date()
    return datetime.combine(at, time(), UTC) + _DAY if key.endswith("_per_day") else None


def exceeded_limits(there: Context, plan: str) -> list[dict[str, object]]:
    """Return the limits of another plan that are below what a company has."""
    tenant = there.tenant | {"plan": plan}
    found: list[dict[str, object]] = []
    for key in LIMITS:
        limit = limit_of(tenant, key)
        if key not in PASSING and limit is not None and (used := USED[key](there)) > limit:
            found.append({"key": key, "limit": limit, "used": used})
    return found
