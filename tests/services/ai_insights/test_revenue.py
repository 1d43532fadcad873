"""Predicted revenue: the weighted pipeline, what the trend of past revenue adds, and the range around it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient
from crm_sdk.models import Deal, Pipeline, RevenuePoint

from .conftest import plain

TODAY = date(2026, 1, 15)


def revenue(crm: CrmClient, pipe: Pipeline, **given: Any) -> list[RevenuePoint]:
    return crm.ai_insights.predictions.revenue(pipeline_id=pipe.id, **given).points


def test_without_a_past_revenue_is_the_weighted_pipeline(
    crm: CrmClient, pipe: Pipeline, make: Callable[..., Deal]
) -> None:
    make(expected_close_date=date(2025, 6, 1))  # overdue
    make(stage="sure", expected_close_date=date(2026, 1, 31))
    make(stage="won", value=70)
    make(currency="EUR", expected_close_date=date(2026, 2, 1))
    make(expected_close_date=date(2026, 4, 1))  # beyond
    made = crm.ai_insights.predictions.revenue(pipeline_id=pipe.id)
    assert (made.method, made.currency, made.horizon) == ("weighted_pipeline", "USD", 3)
    assert [point.period for point in made.points] == ["2026-01", "2026-02", "2026-03"]
    january, february, march = made.points
    assert plain(january.expected, january.committed, january.deal_count) == (400 + 800 + 70, 870, 3)
    assert plain(february.expected, february.committed, february.deal_count) == (432, 0, 1)
    assert plain(march.expected, march.low, march.high, made.total_expected) == (0, 0, 0, 1_702)
    assert (february.start, february.end) == (date(2026, 2, 1), date(2026, 2, 28))
    spread = 1.2815515655446004 * (1000**2 * 0.4 * 0.6 + 1000**2 * 0.8 * 0.2) ** 0.5
    assert float(january.high) == pytest.approx(1270 + spread, abs=0.01)
    assert float(january.low) == pytest.approx(1270 - spread, abs=0.01)
    wide = revenue(crm, pipe, confidence_level=0.99)[0]
    assert wide.low == 70 and wide.high > january.high, "what was won is sure"


def test_the_trend_of_won_revenue_takes_part(crm: CrmClient, pipe: Pipeline, make: Callable[..., Deal]) -> None:
    for month, value in ((12, 300), (11, 200), (10, 100)):
        deal = make(value=value)
        crm.deals.move_stage(deal.id, "won", closed_at=f"2025-{month}-10T12:00:00Z")  # type: ignore[arg-type] # as on the wire
        if month > 10:
            assert crm.ai_insights.predictions.revenue(pipeline_id=pipe.id).method == "weighted_pipeline"
    make(expected_close_date=date(2026, 2, 10))
    made = crm.ai_insights.predictions.revenue(pipeline_id=pipe.id, horizon=2)
    assert made.method == "weighted_pipeline_and_trend"
    january, february = made.points
    assert plain(january.expected, january.low, january.high) == (200, 200, 200)  # half of 400; the line fits exactly
    assert float(february.expected) == pytest.approx(400 / 3 + 500 * 2 / 3, abs=0.01)
    make(value=500, stage="won")
    assert revenue(crm, pipe, horizon=1)[0].expected == 500, "more was won than the trend has"


def test_the_less_past_revenue_fits_the_trend_the_wider_is_the_range(
    crm: CrmClient, pipe: Pipeline, make: Callable[..., Deal]
) -> None:
    for month, value in ((10, 100), (11, 200), (12, 600)):
        crm.deals.move_stage(make(value=value).id, "won", closed_at=f"2025-{month}-10T12:00:00Z")  # type: ignore[arg-type] # as on the wire
    make(expected_close_date=date(2026, 1, 20))
    made = crm.ai_insights.predictions.revenue(pipeline_id=pipe.id, horizon=2)
    far, factor = 15_000**0.5, 1.2815515655446004  # from 50, 300 and 550
    for point, expected, reach in zip(
        made.points, (1000 * 0.4 / 2 + 800 / 2, 1050 * 2 / 3),
        ((1000**2 * 0.4 * 0.6 / 4 + (far / 2) ** 2) ** 0.5, far * 2 / 3), strict=True,
    ):  # fmt: skip
        assert float(point.expected) == pytest.approx(expected, abs=0.01)
        assert float(point.high) == pytest.approx(expected + factor * reach, abs=0.01)
        assert float(point.low) == pytest.approx(expected - factor * reach, abs=0.01)


def test_periods_follow_the_present_one(crm: CrmClient) -> None:
    cases: list[tuple[str, list[str]]] = [
        ("day", ["2026-01-15", "2026-01-16"]),
        ("week", ["2026-W03", "2026-W04"]),
        ("quarter", ["2026-Q1", "2026-Q2"]),
        ("year", ["2026", "2027"]),
    ]
    for period, names in cases:
        made = crm.ai_insights.predictions.revenue(horizon=2, period=period)
        assert [point.period for point in made.points] == names
        assert all(
            point.low <= point.expected <= point.high and point.committed <= point.expected for point in made.points
        )


def test_revenue_has_a_scope(crm: CrmClient, pipe: Pipeline, make: Callable[..., Deal]) -> None:
    make(owner_id="user_sam", expected_close_date=TODAY)
    make(owner_id="user_mia", value=Decimal(500), expected_close_date=TODAY)
    assert [plain(point.expected)[0] for point in revenue(crm, pipe, horizon=1, owner_id="user_sam")] == [400]
    assert [plain(point.expected)[0] for point in revenue(crm, pipe, horizon=1, team_id="team_acme_sales")] == [600]
    for name in ("pipeline_id", "owner_id", "team_id"):
        given: Any = {name: "nobody"}
        error = refused(lambda given=given: crm.ai_insights.predictions.revenue(**given))  # type: ignore[misc] # bound now
        assert (error.code, error.fields[0].field) == ("REFERENCE_NOT_FOUND", name)
