"""The rules of limits and of use."""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from crm_sdk.resources.tenants import TenantLimitValues, Tenants

from ...problems import FieldError, Problem, validation
from ...request.access.plans import LIMITS, limit_of, plan_limit
from ...serving import Context, Members, serves
from .. import company, ranges
from ..agents.records import CALLS
from ..notifications.counting import sent_emails
from .counting import USED, resets_at
from .finding import store, tell, within, writable

_COUNTED = ("account", "activity", "conversation", "lead")
"""The kinds of records that are not limited, and counted all the same."""
_PLURALS = {"activity": "activities"}


@serves(TenantLimitValues.get)
def get(call: Context, tenant_id: str) -> dict[str, Any]:
    """Return the limits of a company."""
    return _shown_limits(within(call, tenant_id))


@serves(TenantLimitValues.update)
def update(call: Context, tenant_id: str, limits: Members) -> dict[str, Any]:
    """Set the limits of a company."""
    there = writable(call, tenant_id)
    tenant = there.tenant
    allowed = {key: plan_limit(tenant["plan"], key) for key in limits}
    above = [
        FieldError(key, "max", f"the plan {tenant['plan']} allows {most:,}", "LIMIT_ABOVE_PLAN", {"plan_limit": most})
        for key, value in limits.items()
        if value is not None and (most := allowed[key]) is not None and int(value) > most
    ]
    if above:
        raise validation(above)
    for key, value in limits.items():
        if value is not None and (used := USED[key](there)) > value:
            message = f"{used:,} {key.replace('_', ' ')} are used, more than {value:,}"
            raise Problem("LIMIT_BELOW_USAGE", message, field=key, details={"key": key, "limit": value, "used": used})
    before = {key: limit_of(tenant, key) for key in limits}
    set_before: Mapping[str, int] = tenant.get("limits") or {}
    own: dict[str, int | None] = {**set_before, **limits}
    if store(there, {"limits": {key: value for key, value in own.items() if value is not None}}):
        after = {key: limit_of(there.tenant, key) for key in limits}
        changes = [{"field": key, "before": before[key], "after": after[key]} for key in limits]
        tell(call, there, "tenant.limits_updated", changes=[one for one in changes if one["before"] != one["after"]])
    return _shown_limits(there)


def _shown_limits(there: Context) -> dict[str, Any]:
    return {"tenant_id": there.tenant["id"], "limits": limits_of(there)}


def limits_of(there: Context) -> list[dict[str, Any]]:
    """Return all limits of a company, with how much of each is used."""
    tenant = there.tenant

    def shown(key: str) -> dict[str, Any]:
        limit, used = limit_of(tenant, key), USED[key](there)
        return {
            "key": key,
            "limit": limit,
            "used": used,
            "remaining": max(limit - used, 0) if limit is not None else None,
            "plan_limit": plan_limit(tenant["plan"], key),
            "resets_at": resets_at(there, key),
        }

    return [shown(key) for key in LIMITS]


@serves(Tenants.usage)
def usage(
    call: Context, tenant_id: str, start_date: date | None, end_date: date | None, period: str | None
) -> dict[str, Any]:
    """Return what a company has, and the calls it made in a range of days."""
    there = within(call, tenant_id)
    whole = _range(there, start_date, end_date)
    spans = ranges.periods(there, whole, period or "day")
    hours = [
        hour for hour in there.server.meter.hours(there.server.store, there.tenant["id"]) if whole.has(hour["hour"])
    ]
    by_span = ranges.divided_items(spans, hours, lambda hour: hour["hour"])
    users, operations = Counter[str](), Counter[str]()
    for hour in hours:
        users.update(hour["users"])
        operations.update(hour["operations"])

    def calls_in(span: ranges.Span) -> Decimal:
        return Decimal(sum(hour["calls"] for hour in by_span[span]))

    return {
        "tenant_id": there.tenant["id"],
        "period_start": whole.start,
        "period_end": whole.end,
        "metrics": _metrics(there, whole, hours),
        "api_calls": ranges.series("", spans, calls_in)["points"],
        "api_calls_by_user": dict(users.most_common()),
        "api_calls_by_operation": dict(operations.most_common()),
        "rate_limited": sum(hour["limited"] for hour in hours),
    }


def _range(there: Context, start: date | None, end: date | None) -> ranges.Span:
    """Return the days that were asked for, by default those of the present month, or of that which is named."""
    day = start or end or company.today(there)
    first, last = day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])
    return ranges.span(there, start or first, end or last)


def _metrics(there: Context, whole: ranges.Span, hours: list[Any]) -> list[dict[str, Any]]:
    """Return the figures: of what is there, how much; of what is counted by time, how much in the range."""
    days = [(datetime.combine(date.fromisoformat(doc["id"]), time(), whole.begins_at.tzinfo), doc["calls"])
            for doc in there.collection(CALLS)]  # fmt: skip
    sent = Counter(at.astimezone(company.zone(there)).date() for at in sent_emails(there) if whole.has(at))
    passing = {
        "api_requests_per_hour": [hour["calls"] for hour in hours],
        "bulk_requests_per_hour": [hour["bulk"] for hour in hours],
        "agent_calls_per_day": [
            calls for at, calls in days if whole.begins_at - timedelta(days=1) < at < whole.ends_at
        ],
        "emails_per_day": list(sent.values()),
    }
    limited = [
        {
            "key": key,
            "used": sum(passing[key]) if key in passing else USED[key](there),
            "limit": limit_of(there.tenant, key),
            "peak": max(passing[key], default=0) if key in passing else None,
            "unit": "bytes" if key.endswith("_bytes") else "count",
        }
        for key in LIMITS
    ]
    counted = [
        {"key": _PLURALS.get(kind, f"{kind}s"), "used": len(there.collection(kind)), "limit": None, "peak": None,
         "unit": "count"}
        for kind in _COUNTED
    ]  # fmt: skip
    return [*limited, *counted]
