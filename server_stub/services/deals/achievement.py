"""How right the forecasts were, and what each owner of deals achieved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

from crm_sdk.resources.deals import DealAnalytics

from ...data.document import Document
from ...request.access.callers import has_permission
from ...serving import Context, Members, serves
from .. import company, ranges
from . import figures as figures
from .forecast import weighted_sum
from .history import all_states, state_at
from .scope import Course, Scope, average, cents, check_rights, mean, rate, sum_of


@serves(DealAnalytics.forecast)
def forecast(
    call: Context,
    start_date: date | None,
    end_date: date | None,
    period: str | None,
    pipeline_id: str | None,
    owner_id: str | None,
    team_id: str | None,
) -> dict[str, Any]:
    """Compare what was forecast on the first day of each period that is over with what was won in it."""
    check_rights(call)
    whole = ranges.last_year(call, start_date, end_date)
    spans, scope = ranges.periods(call, whole, period or "month"), Scope(pipeline_id, owner_id, team_id)
    is_in, courses = scope.of(call), scope.courses(call)
    states = all_states(call)
    rows: list[dict[str, Any]] = []
    for span in (span for span in spans if span.end < company.today(call)):
        then = [state for mine in states.values() if (state := state_at(mine, span.begins_at)) is not None]
        ahead = [
            state
            for state in then
            if state["status"] == "open" and is_in(state) and state["expected_close_date"] <= span.end
        ]
        won = [course.worth for course in courses if course.kind == "won" and span.has(course.closed_at)]
        rows.append(_accuracy(span, weighted_sum(call, ahead), sum_of(call, won)))
    spoken = [row for row in rows if row["forecast"] or row["actual"]]
    total, actual = (sum((row[name] for row in rows), Decimal()) for name in ("forecast", "actual"))
    return {
        "periods": rows,
        "mean_accuracy": mean([row["accuracy"] for row in spoken], 4),
        "bias": round(float((total - actual) / max(total, actual)), 4) if spoken else 0.0,
        "slipped": _slipped_deals(call, scope, states, whole, period or "month"),
        "currency": call.tenant["base_currency"],
    }


def _accuracy(span: ranges.Span, forecast: Decimal, actual: Decimal) -> dict[str, Any]:
    most = max(forecast, actual)
    return {
        "period": span.name,
        "forecast": forecast,
        "actual": actual,
        "accuracy": round(float(1 - abs(forecast - actual) / most), 4) if most else 1.0,
        "variance": actual - forecast,
    }


def _slipped_deals(
    call: Context, scope: Scope, states: dict[str, list[Document]], whole: ranges.Span, period: str
) -> list[dict[str, Any]]:
    """Return the deals whose close date was moved from a period of the range to a later one, the greatest first."""
    is_in, found = scope.of(call), list[dict[str, Any]]()
    for deal_id, mine in states.items():
        deal = call.record("deal", deal_id)
        moves = [
            (before["expected_close_date"], after["expected_close_date"])
            for before, after in pairwise(mine)
            if before["status"] == "open" and whole.start <= before["expected_close_date"] <= whole.end
        ]
        slips = [
            (before, after)
            for before, after in moves
            if ranges.beginning(after, period) > ranges.beginning(before, period)
        ]
        if slips and is_in(deal):
            row = {"deal_id": deal_id, "title": deal["title"], "from_date": slips[0][0], "to_date": slips[-1][1]}
            found.append(row | {"times": len(slips), "value": sum_of(call, [deal])})
    return sorted(found, key=lambda row: (-row["value"], row["deal_id"]))


# -- the owners ------------------------------------------------------------------------------------------------------


@serves(DealAnalytics.performance)
def performance(
    call: Context,
    start_date: date | None,
    end_date: date | None,
    period: str | None,
    pipeline_id: str | None,
    owner_id: str | None,
    team_id: str | None,
) -> dict[str, Any]:
    """Rank the owners by what they won within a range; whoever could own deals is there, whoever owned some as well."""
    check_rights(call)
    return performance_of(call, ranges.last_year(call, start_date, end_date), Scope(pipeline_id, owner_id, team_id))


def performance_of(call: Context, whole: ranges.Span, scope: Scope) -> dict[str, Any]:
    """Return the results of the owners in a scope within a range, and of all of them together."""
    courses, owner_id = scope.courses(call), scope.owner_id
    owners = {
        user["id"]
        for user in call.collection("user")
        if has_permission(call, user, "deals", "create")
        and owner_id in (None, user["id"])
        and (scope.team_id is None or scope.team_id in (user.get("team_ids") or ()))
    }
    owners |= {course.worth["owner_id"] for course in courses} - {None}
    talks = _talks(call, whole, scope.pipeline_id)
    rows = [_owner(call, id, courses, talks, whole) for id in sorted(owners)]
    rows.sort(key=lambda row: (-row["won_value"], -row["deals_won"], row["owner_name"], row["owner_id"]))
    quotas = [row["quota"] for row in rows if row["quota"] is not None]
    everything: dict[str, Any] = {
        **_row(call, courses, (), whole),
        "activities": sum(row["activities"] for row in rows),
    }
    return {
        "owners": [row | {"rank": place} for place, row in enumerate(rows, 1)],
        "totals": {
            "owner_id": None, "owner_name": None, "rank": 0, **everything,
            **_attainment(everything["won_value"], sum(quotas, Decimal()) if quotas else None),
        },
        "currency": call.tenant["base_currency"],
    }  # fmt: skip


def _talks(call: Context, whole: ranges.Span, pipeline_id: str | None) -> list[Document]:
    """Return what happened within a range: events, calls, e-mails, notes; in a pipeline what happened on its deals."""
    deals = call.collection("deal")
    return [
        activity
        for activity in call.collection("activity")
        if activity["kind"] != "task"
        and whole.has(at := activity["occurred_at"])
        and at <= call.now
        and (
            pipeline_id is None
            or ((deal := deals.get(activity.get("deal_id") or "")) is not None and deal["pipeline_id"] == pipeline_id)
        )
    ]


def _owner(
    call: Context, id: str, courses: Sequence[Course], talks: Sequence[Members], whole: ranges.Span
) -> dict[str, Any]:
    user: Members = call.collection("user").get(id, deleted=True) or {}
    mine = [course for course in courses if course.worth["owner_id"] == id]
    row = _row(call, mine, [talk for talk in talks if talk.get("owner_id") == id], whole)
    quota = None
    if user.get("monthly_quota") is not None:
        monthly = sum_of(call, [{"value": user["monthly_quota"], "currency": user.get("quota_currency")}])
        quota = cents(monthly * Decimal(whole.months))
    return {"owner_id": id, "owner_name": user.get("name") or id, **row, **_attainment(row["won_value"], quota)}


def _attainment(won_value: Decimal, quota: Decimal | None) -> dict[str, Any]:
    return {"quota": quota, "attainment": round(float(won_value / quota), 4) if quota else None}


def _row(call: Context, courses: Sequence[Course], talks: Sequence[Members], whole: ranges.Span) -> dict[str, Any]:
    closed = [course for course in courses if whole.has(course.closed_at)]
    won = [course for course in closed if course.kind == "won"]
    opened = [
        figures.with_current_figures(call, course.deal)
        for course in courses
        if course.kind == "open" and course.is_here
    ]
    won_value = sum_of(call, (course.worth for course in won))
    return {
        "deals_created": sum(whole.has(course.deal["created_at"]) for course in courses),
        "deals_won": len(won),
        "deals_lost": len(closed) - len(won),
        "won_value": won_value,
        "open_value": sum_of(call, opened),
        "weighted_value": weighted_sum(call, opened),
        "avg_deal_size": average(won_value, len(won)),
        "win_rate": rate(len(won), len(closed)),
        "avg_cycle_days": mean([course.cycle_days for course in won]),
        "activities": len(talks),
    }
