"""What the plan of a company includes: the greatest number of things of a kind."""

from __future__ import annotations

from collections.abc import Mapping

from ..problems import Problem
from ..serving import Members

LIMITS: Mapping[str, Mapping[str, int]] = {
    "users": {"free": 3, "pro": 50},
    "custom_objects": {"free": 0, "pro": 10, "enterprise": 100},
    "workflows": {"free": 0, "pro": 50, "enterprise": 500},
    "custom_fields_per_object": {"free": 0, "pro": 100, "enterprise": 500},
    "emails_per_day": {"free": 100, "pro": 5_000, "enterprise": 50_000},
}
"""The limit of each kind by plan; a plan that is not named has none."""


def check_limit(tenant: Members, key: str, used: int) -> None:
    """Raise 403 LIMIT_EXCEEDED where a company has as many things of a kind as it may have.

    A limit of its own replaces that of its plan.
    """
    own: Mapping[str, int] = tenant.get("limits") or {}
    limit = own.get(key, LIMITS[key].get(tenant["plan"]))
    if limit is not None and used >= limit:
        message = f"the plan allows {limit} {key.replace('_', ' ')}, and all are used"
        raise Problem("LIMIT_EXCEEDED", message, details={"key": key, "limit": limit, "used": used})
