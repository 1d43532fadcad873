"""What the deals may bring: the forecast by periods, a pipeline as a board, and the figures of the stages."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from crm_sdk.resources.deals import Deals

from ...data.document import Document
from ...request.access.permissions import readable
from ...serving import Context, Members, serves
from .. import company, ranges
from . import figures as figures
from . import stages as deal_stages
from .history import all_stays
from .records import DEALS
from .scope import Scope, cents, check_rights, mean, sum_of

_CATEGORIES = ("pipeline", "best_case", "commit", "closed", "omitted")


@serves(Deals.forecast)
def forecast(
    call: Context,
    start_date: date | None,
    end_date: date | None,
    period: str | None,
    pipeline_id: str | None,
    owner_id: str | None,
    team_id: str | None,
) -> dict[str, Any]:
    """Sum up the open deals, and what each period of a range may bring; what is overdue counts in the present one."""
    check_rights(call)
    whole = _range(call, start_date, end_date, period)
    spans = ranges.periods(call, whole, period or "month")
    today = company.today(call)
    is_in = Scope(pipeline_id, owner_id, team_id).of(call)
    docs = [figures.with_current_figures(call, deal) for deal in readable(call, "deal") if is_in(deal)]
    opened = [deal for deal in docs if deal["status"] == "open"]
    won = [deal for deal in docs if deal["status"] == "won"]
    last = today.replace(day=monthrange(today.year, today.month)[1])
    month = [deal for deal in opened if deal["expected_close_date"] <= last]
    rows = [
        _period(
            call,
            span,
            [deal for deal in opened if span.start <= max(deal["expected_close_date"], today) <= span.end],
            [deal for deal in won if span.has(deal["closed_at"])],
        )
        for span in spans
    ]
    return {
        "total_pipeline": sum_of(call, opened),
        "weighted_forecast": weighted_sum(call, opened),
        "deals_closing_this_month": len(month),
        "monthly_forecast": weighted_sum(call, month),
        "currency": call.tenant["base_currency"],
        "start_date": whole.start,
        "end_date": whole.end,
        "periods": rows,
        "categories": {name: sum((row["categories"][name] for row in rows), Decimal()) for name in _CATEGORIES},
    }


def _range(call: Context, start: date | None, end: date | None, period: str | None) -> ranges.Span:
    """Return the days that were asked for, by default this quarter; a year where the periods are years."""
    unit = "year" if period == "year" else "quarter"
    first = start or ranges.beginning(min(end or company.today(call), company.today(call)), unit)
    last = ranges.later(ranges.beginning(max(first, company.today(call)), unit), unit, 1) - timedelta(days=1)
    return ranges.span(call, first, end or last)


def _period(call: Context, span: ranges.Span, opened: Sequence[Document], won: Sequence[Document]) -> dict[str, Any]:
    return {
        "period": span.name,
        "start": span.start,
        "end": span.end,
        "deal_count": len(opened) + len(won),
        "total": sum_of(call, [*opened, *won]),
        "weighted": weighted_sum(call, [*opened, *won]),
        "categories": {
            name: sum_of(call, (deal for deal in (*opened, *won) if deal["forecast_category"] == name))
            for name in _CATEGORIES
        },
    }


def weighted_sum(call: Context, deals: Sequence[Members]) -> Decimal:
    """Return what deals, or their states, are worth by their probability, in the company's currency."""
    worth = company.worth_in(call.tenant)
    return cents(company.total(worth(deal) * deal["probability"] / 100 for deal in deals))


@serves(Deals.by_pipeline)
def by_pipeline(
    call: Context,
    pipeline_id: str,
    limit_per_stage: int,
    status: str | None,
    owner_id: str | None,
    search: str | None,
    sort: str | None,
    order: str | None,
) -> dict[str, Any]:
    """Return a pipeline's open stages with their deals; with ``all`` the closed ones as well, or those of one kind."""
    pipeline = call.record("pipeline", pipeline_id)
    given = {"pipeline_id": pipeline["id"], "owner_id": owner_id, "search": search, "sort": sort, "order": order}
    columns: dict[str, list[Document]] = {}
    for deal in DEALS.select(call, given):
        columns.setdefault(deal["stage_id"], []).append(deal)
    stages = [
        _column(call, stage, columns.get(stage["id"], []), limit_per_stage)
        for stage in deal_stages.stages(call, pipeline["id"])
        if status == "all" or stage["kind"] == (status or "open")
    ]
    return {
        "pipeline_id": pipeline["id"],
        "name": pipeline["name"],
        "currency": call.tenant["base_currency"],
        "deal_count": sum(stage["deal_count"] for stage in stages),
        "total_value": sum((stage["total_value"] for stage in stages), Decimal()),
        "weighted_value": sum((stage["weighted_value"] for stage in stages), Decimal()),
        "stages": stages,
    }


def _column(call: Context, stage: Document, deals: Sequence[Document], limit: int) -> dict[str, Any]:
    return {
        "stage_id": stage["id"],
        "stage": stage["key"],
        "name": stage["name"],
        "kind": stage["kind"],
        "deal_count": len(deals),
        "total_value": sum_of(call, deals),
        "weighted_value": weighted_sum(call, deals),
        "deals": deals[:limit],
        "has_more": len(deals) > limit,
    }


@serves(Deals.stage_stats)
def stage_stats(call: Context) -> list[dict[str, Any]]:
    """Return the figures of every stage of the default pipeline; the days are those of all stays, past and present."""
    pipeline = deal_stages.pipeline_of(call, None)
    worth, docs = company.worth_in(call.tenant), figures.all_seen(call)
    days: dict[str, list[float]] = {}
    stays = all_stays(call)
    for deal in docs:
        for stay in stays.get(deal["id"], ()):
            stayed = (stay["left_at"] or call.now) - stay["entered_at"]
            days.setdefault(stay["to_stage_id"], []).append(stayed / timedelta(days=1))
    stats: list[dict[str, Any]] = []
    for stage in deal_stages.stages(call, pipeline["id"]):
        inside = [deal for deal in docs if deal["stage_id"] == stage["id"]]
        stays_here = days.get(stage["id"], []) if stage["kind"] == "open" else []
        stats.append(
            {
                "stage": stage["key"],
                "count": len(inside),
                "total_value": company.total(worth(deal) for deal in inside),
                "avg_probability": mean([deal["probability"] for deal in inside], 1),
                "avg_days_in_stage": mean(stays_here, 1),
            }
        )
    return stats
