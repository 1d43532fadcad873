"""What the plan of a company includes: features, and the greatest number of things of a kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...problems import Problem

PLANS = ("free", "pro", "enterprise")
"""The plans, the smallest first."""
_GB, _MB = 1_000_000_000, 1_000_000
LIMITS: Mapping[str, tuple[int | None, ...]] = {
    "users": (3, 50, None),
    "contacts": (1_000, 100_000, None),
    "deals": (500, 50_000, None),
    "storage_bytes": (_GB, 100 * _GB, 1_000 * _GB),
    "file_size_bytes": (10 * _MB, 100 * _MB, 500 * _MB),
    "api_requests_per_hour": (1_000, 10_000, 100_000),
    "bulk_requests_per_hour": (100, 100, 100),
    "websocket_connections": (5, 25, 100),
    "agent_calls_per_day": (100, 1_000, 10_000),
    "custom_objects": (0, 10, 100),
    "custom_fields_per_object": (0, 100, 500),
    "workflows": (0, 50, 500),
    "emails_per_day": (100, 5_000, 50_000),
    "flags": (5, 100, 1_000),
    "layouts": (10, 200, 2_000),
    "api_keys": (2, 20, 200),
    "chat_messages_per_day": (50, 1_000, 10_000),
    "export_schedules": (0, 50, 500),
    "backups": (1, 7, 30),
}
"""The limits by their keys, each for the plans in the order of `PLANS`; None is no limit."""
_NOT_IN_FREE = frozenset(["custom_objects", "workflows", "marketplace", "social", "audit", "customization", "backups"])


def minimum_plan(feature: str) -> str:
    """Return the smallest plan that includes a feature."""
    return "pro" if feature in _NOT_IN_FREE else "free"


def includes(plan: str, feature: str) -> bool:
    """Tell whether a plan includes a feature."""
    return PLANS.index(plan) >= PLANS.index(minimum_plan(feature))


def has_feature(tenant: Mapping[str, Any], feature: str) -> bool:
    """Tell whether a company has a feature: its plan includes it, and it is not switched off."""
    switches: Mapping[str, bool] = tenant.get("features") or {}
    return includes(tenant["plan"], feature) and switches.get(feature, True)


def plan_limit(plan: str, key: str) -> int | None:
    """Return the limit of a plan; None for no limit."""
    return LIMITS[key][PLANS.index(plan)]


def limit_of(tenant: Mapping[str, Any], key: str) -> int | None:
    """Return the limit in force for a company: its own, but not above that of its plan; None for no limit."""
    own: Mapping[str, int] = tenant.get("limits") or {}
    return min((limit for limit in (own.get(key), plan_limit(tenant["plan"], key)) if limit is not None), default=None)


def check_limit(tenant: Mapping[str, Any], key: str, used: int, more: int = 1) -> None:
    """Raise 403 LIMIT_EXCEEDED where a company may not have more of a kind, of which it has used so many."""
    limit = limit_of(tenant, key)
    if limit is not None and used + more > limit:
        message = f"{limit:,} {key.replace('_', ' ')} are allowed, and {used:,} are used"
        raise Problem("LIMIT_EXCEEDED", message, details={"key": key, "limit": limit, "used": used})
