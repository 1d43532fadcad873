"""Metrics of sales and of those who sell: the figures of the owners, compared, summed up by team, ranked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from crm_sdk.resources.analytics import AnalyticsMetrics
from crm_sdk.wire import snake

from ...data.document import Document
from ...problems import invalid
from ...request.access.permissions import readable
from ...serving import Context, Members, serves
from .. import company, ranges
from ..deals import figures as deal_figures
from ..deals import history as deal_history
from ..deals.achievement import performance_of
from ..deals.forecast import weighted_sum
from ..deals.scope import Scope, rate, sum_of
from .comparing import Figures, Number, metrics

_UNITS: Mapping[str, str] = {
    "revenue": "currency",
    "won_deals": "count",
    "lost_deals": "count",
    "new_deals": "count",
    "open_deals": "count",
    "pipeline_value": "currency",
    "weighted_pipeline": "currency",
    "avg_deal_size": "currency",
    "win_rate": "rate",
    "avg_cycle_days": "days",
    "quota_attainment": "rate",
}
_MONEY = ("won_value", "open_value", "weighted_value", "avg_deal_size", "quota")
"""The amounts in the results of an owner."""
_RANKED = (
    "won_value", "deals_won", "deals_lost", "deals_created", "open_value", "weighted_value", "avg_deal_size",
    "win_rate", "avg_cycle_days", "activities", "attainment",
)  # fmt: skip
"""What owners can be ranked by."""
_MOMENT = timedelta(microseconds=1)


@serves(AnalyticsMetrics.sales)
def sales(
    call: Context,
    compare_to: str,
    currency: str | None,
    start_date: date | None,
    end_date: date | None,
    period: str | None,
    pipeline_id: str | None,
    owner_id: str | None,
    team_id: str | None,
) -> dict[str, Any]:
    """Compute the sales of a range, and compare them with those of another."""
    priced = company.from_base(call.tenant, currency or call.tenant["base_currency"])
    whole, scope = ranges.last_year(call, start_date, end_date), Scope(pipeline_id, owner_id, team_id)
    other, spans = ranges.compared_span(call, whole, compare_to), ranges.periods(call, whole, period or "month")
    results = performance_of(call, whole, scope)
    before = performance_of(call, other, scope)["totals"] if other is not None else None
    won = [course for course in scope.courses(call) if course.kind == "won" and whole.has(course.closed_at)]

    parts = ranges.divided_items(spans, won, lambda course: course.closed_at)

    def revenue(span: ranges.Span) -> Decimal:
        return priced(sum_of(call, (course.worth for course in parts[span])))

    def won_deals(span: ranges.Span) -> Decimal:
        return Decimal(len(parts[span]))

    return {
        **metrics(
            _UNITS,
            _figures(call, whole, scope, results["totals"], priced),
            _figures(call, other, scope, before, priced) if other is not None and before is not None else None,
        ),
        "series": [ranges.series("revenue", spans, revenue), ranges.series("won_deals", spans, won_deals)],
        "by_owner": [
            {name: priced(value) if name in _MONEY and value is not None else value for name, value in row.items()}
            for row in results["owners"]
        ],
        "currency": currency or results["currency"],
        "start_date": whole.start,
        "end_date": whole.end,
        "compared_start_date": other and other.start,
        "compared_end_date": other and other.end,
    }


def _figures(
    call: Context, span: ranges.Span, scope: Scope, totals: Members, priced: Callable[[Decimal], Decimal]
) -> Figures:
    opened = _open_deals(call, span, scope)
    found: dict[str, Number] = {
        "revenue": totals["won_value"],
        "won_deals": totals["deals_won"],
        "lost_deals": totals["deals_lost"],
        "new_deals": totals["deals_created"],
        "open_deals": len(opened),
        "pipeline_value": sum_of(call, opened),
        "weighted_pipeline": weighted_sum(call, opened),
        "avg_deal_size": totals["avg_deal_size"],
        "win_rate": totals["win_rate"],
        "avg_cycle_days": totals["avg_cycle_days"],
        "quota_attainment": totals["attainment"] or 0,
    }
    return {name: priced(Decimal(value)) if _UNITS[name] == "currency" else value for name, value in found.items()}


def _open_deals(call: Context, span: ranges.Span, scope: Scope) -> list[Document]:
    """Return the deals that were open at the end of a range, as they were then; now while it lasts."""
    if span.ends_at > call.now:
        deals = [deal_figures.with_current_figures(call, deal) for deal in readable(call, "deal")]
    else:
        states = deal_history.all_states(call).values()
        last = span.ends_at - _MOMENT
        deals = [state for mine in states if (state := deal_history.state_at(mine, last)) is not None]
    is_in = scope.of(call)
    return [deal for deal in deals if deal["status"] == "open" and is_in(deal)]


# -- the owners and their teams --------------------------------------------------------------------------------------


@serves(AnalyticsMetrics.performance)
def performance(
    call: Context,
    sort: str,
    start_date: date | None,
    end_date: date | None,
    period: str | None,
    pipeline_id: str | None,
    owner_id: str | None,
    team_id: str | None,
) -> dict[str, Any]:
    """Rank the owners by a figure, and sum up the figures of the members of each team."""
    name, whole = snake(sort), ranges.last_year(call, start_date, end_date)
    if name not in _RANKED:
        raise invalid("sort", "choice", f"must be one of {', '.join(_RANKED)}")
    results = performance_of(call, whole, Scope(pipeline_id, owner_id, team_id))
    owners = sorted(results["owners"], key=lambda row: -(row[name] or 0))  # equal ones by the value won, as they come
    is_in = company.owned_by(call, owner_id, None)
    teams = [
        _team(call, team, owners)
        for team in call.collection("team")
        if team_id in (None, team["id"]) and any(map(is_in, company.members_of(call, team["id"])))
    ]
    return {
        "owners": [row | {"rank": place} for place, row in enumerate(owners, 1)],
        "teams": sorted(teams, key=lambda row: (-row["won_value"], row["team_name"], row["team_id"])),
        "totals": results["totals"],
        "currency": results["currency"],
        "start_date": whole.start,
        "end_date": whole.end,
    }


def _team(call: Context, team: Document, owners: Sequence[Members]) -> dict[str, Any]:
    members = company.members_of(call, team["id"])
    rows = [row for row in owners if row["owner_id"] in members]
    won, lost = (sum(row[name] for row in rows) for name in ("deals_won", "deals_lost"))
    won_value, open_value = (company.total(row[name] for row in rows) for name in ("won_value", "open_value"))
    quota = company.total(row["quota"] for row in rows if row["quota"] is not None)
    return {
        "team_id": team["id"],
        "team_name": team["name"],
        "members": len(members),
        "won_value": won_value,
        "open_value": open_value,
        "won": won,
        "lost": lost,
        "win_rate": rate(won, won + lost),
        "attainment": rate(float(won_value), float(quota)) if quota else None,
    }
