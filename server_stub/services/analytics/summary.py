"""The rules of analytics: the figures of the dashboard, and the performance and cost of AI agents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from crm_sdk.resources.analytics import Analytics

from ...data.document import Document
from ...data.queries.relative_dates import Calendar
from ...request.access.permissions import readable
from ...serving import Context, Members, serves
from .. import company
from ..leads.records import was_qualified

_CENT, _FINE = Decimal("0.01"), Decimal("0.000001")
_SAVED = Decimal(12)
"""The savings by an interaction that an agent handles: 18 minutes of a person who costs 40 an hour."""


@serves(Analytics.dashboard)
def dashboard(call: Context) -> dict[str, Any]:
    """Count leads and revenue; a converted lead counts as qualified."""
    leads = readable(call, "lead")
    won = [deal for deal in readable(call, "deal") if deal.get("status") == "won"]
    qualified = sum(map(was_qualified, leads))
    revenue = company.sum_worth(call, won)
    this, before = _months(call)
    closed = [[deal for deal in won if _is_within(deal["closed_at"], month)] for month in (this, before)]
    sales = [company.sum_worth(call, deals) for deals in closed]
    new = [sum(_is_within(lead["created_at"], month) for lead in leads) for month in (this, before)]
    return {
        "summary": {
            "total_leads": len(leads),
            "qualified_leads": qualified,
            "conversion_rate": round(qualified / len(leads), 4) if leads else 0.0,
            "total_revenue": revenue,
            "avg_deal_size": (revenue / len(won)).quantize(_CENT, ROUND_HALF_UP) if won else Decimal(0),
        },
        "trends": {
            "leads_this_month": new[0],
            "leads_growth": _growth(*new),
            "revenue_this_month": sales[0],
            "revenue_growth": _growth(*sales),
        },
        "source_breakdown": percentages(Counter(lead.get("source") or "other" for lead in leads)),
    }


def percentages(counts: Mapping[str, int]) -> dict[str, int]:
    """Return whole per cent that add up to 100, the largest first; rounding favours those it would cost most."""
    total = sum(counts.values())
    if not total:
        return {}
    shares = {name: count * 100 / total for name, count in counts.items()}
    whole = {name: int(share) for name, share in shares.items()}
    lacking = 100 - sum(whole.values())
    for name in sorted(shares, key=lambda name: (whole[name] - shares[name], name))[:lacking]:
        whole[name] += 1
    return dict(sorted(whole.items(), key=lambda item: (-item[1], item[0])))


def _months(call: Context) -> tuple[tuple[datetime, datetime], tuple[datetime, datetime]]:
    """Return this month up to now, and as much of the month before."""
    calendar = Calendar(call.now, company.zone(call))
    start, _ = calendar.span("this_month", "month")
    before, end = calendar.span("last_month", "month")
    soon = call.now + timedelta(microseconds=1)
    return (start, soon), (before, min(before + (soon - start), end))


def _is_within(at: datetime, span: tuple[datetime, datetime]) -> bool:
    return span[0] <= at < span[1]


def _growth(now: Decimal | int, before: Decimal | int) -> float:
    """Return the growth as a share; from nothing to something is 1."""
    if not before:
        return 1.0 if now else 0.0
    return round(float((now - before) / before), 4)


# -- agents ------------------------------------------------------------------------------------------------------------


@serves(Analytics.ai_performance)
def ai_performance(call: Context) -> dict[str, Any]:
    """Return the figures of the agents, which are updated with each of their answers."""
    reports = [_report(agent) for agent in call.collection("agent").all()]
    asked = sum(report["metrics"]["total_interactions"] for report in reports)
    settled = sum(report["metrics"]["successful_interactions"] for report in reports)
    talks = sum(activity["kind"] in ("email", "call", "event") for activity in readable(call, "activity"))
    cost = sum((_usage(agent)["cost"] for agent in call.collection("agent").all()), Decimal(0))
    return {
        "agents": reports,
        "overall": {
            "total_cost": cost,
            "total_savings": settled * _SAVED,
            "automation_rate": round(settled / (asked + talks), 4) if asked + talks else 0.0,
        },
    }


def _report(agent: Document) -> dict[str, Any]:
    performance: Members = agent.get("performance") or {}
    usage = _usage(agent)
    count = int(performance.get("total_interactions", 0))
    tasks = usage["qualifications"]
    return {
        "agent_id": agent["id"],
        "name": agent["name"],
        "metrics": {
            "total_interactions": count,
            "successful_interactions": round(performance.get("success_rate", 0.0) * count),
            "avg_response_time": performance.get("avg_response_time", 0.0),
            "cost_per_interaction": (usage["cost"] / count).quantize(_FINE, ROUND_HALF_UP) if count else Decimal(0),
            "lead_qualification_rate": round(usage["qualified"] / tasks, 4) if tasks else 0.0,
        },
    }


def _usage(agent: Document) -> Members:
    return agent.get("usage") or {"cost": Decimal(0), "qualifications": 0, "qualified": 0}
