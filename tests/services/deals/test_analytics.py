"""The figures of deals: every one follows from what the deals went through, and moves with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from newcomers import signed_in
from refusals import refused

from crm_sdk import CrmClient
from crm_sdk.models import Deal, Pipeline
from crm_sdk.models.deal_analytics import StageConversion
from server_stub import StubServer

from .conftest import Make, plain

Wait = Callable[[float], None]
TODAY = date(2026, 1, 15)


def lost(platform: CrmClient, deal: Deal, reason: str = "price") -> None:
    platform.deals.move_stage(deal.id, "lost", lost_reason=reason)


# -- forecast and board --------------------------------------------------------------------------------------------


def test_each_deal_counts_in_its_period(platform: CrmClient, pipe: Pipeline, make: Make) -> None:
    make(value=1_000, expected_close_date=date(2025, 11, 1))  # overdue
    make(value=2_000, stage="middle", expected_close_date=date(2026, 2, 10))
    make(value=4_000, stage="late", expected_close_date=date(2026, 7, 1))  # beyond the quarter
    make(value=100, currency="EUR", stage="won")
    make(value=50, stage="lost")
    seen = platform.deals.forecast(pipeline_id=pipe.id)
    assert plain(seen.total_pipeline, seen.weighted_forecast) == (7_000, 100 + 1_000 + 3_200)
    assert plain(seen.deals_closing_this_month, seen.monthly_forecast, seen.currency) == (1, 100, "USD")
    assert (seen.start_date, seen.end_date) == (date(2026, 1, 1), date(2026, 3, 31))
    rows = {row.period: row for row in seen.periods}
    assert list(rows) == ["2026-01", "2026-02", "2026-03"]
    january = rows["2026-01"]
    assert plain(january.deal_count, january.total, january.weighted) == (2, 1_108, 208)
    assert plain(january.categories.pipeline, january.categories.closed) == (1_000, 108)
    assert plain(rows["2026-02"].categories.best_case, rows["2026-03"].deal_count) == (2_000, 0)
    assert seen.categories is not None
    assert plain(seen.categories.closed, seen.categories.commit) == (108, 0)


def test_a_range_has_its_periods(platform: CrmClient) -> None:
    cases: list[tuple[Any, list[str]]] = [
        ({"period": "quarter"}, ["2026-Q1"]),
        ({"period": "year"}, ["2026"]),
        (
            {"start_date": date(2026, 1, 30), "end_date": date(2026, 2, 9), "period": "week"},
            [
                "2026-W05",
                "2026-W06",
                "2026-W07",
            ],
        ),
        (
            {"start_date": date(2026, 1, 30), "end_date": date(2026, 1, 31), "period": "day"},
            [
                "2026-01-30",
                "2026-01-31",
            ],
        ),
        ({"start_date": date(2025, 12, 31), "end_date": date(2026, 1, 1)}, ["2025-12", "2026-01"]),
    ]
    for given, names in cases:
        assert [row.period for row in platform.deals.forecast(**given).periods] == names


def test_a_range_ends_after_it_starts(platform: CrmClient) -> None:
    analytics = platform.deals.analytics
    calls: list[Any] = [platform.deals.forecast, analytics.forecast, analytics.conversion, analytics.velocity]
    for call in (*calls, analytics.win_loss, analytics.performance):
        error = refused(partial(call, start_date=TODAY, end_date=TODAY - timedelta(days=1)))
        assert (error.status, error.fields[0].field) == (422, "end_date")
        assert call(start_date=TODAY, end_date=TODAY) is not None


def test_figures_are_of_who_may_read_analytics(platform: CrmClient, stub: StubServer) -> None:
    held: Any = [{"resource": "deals", "action": "read", "scope": "all"}]
    platform.security.roles.create({"key": "half", "name": "Half", "permissions": held})
    _, half = signed_in(stub, platform, "half", strict=False)
    analytics: Any = half.deals.analytics
    for call in (half.deals.forecast, analytics.forecast, analytics.conversion, analytics.velocity, analytics.win_loss,
                 analytics.performance):  # fmt: skip
        error = refused(call)
        assert (error.status, error.code) == (403, "FORBIDDEN"), call
    assert half.deals.list(limit=1).total and half.deals.by_pipeline("pipeline_acme").deal_count


def test_too_many_periods_are_refused(platform: CrmClient) -> None:
    error = refused(
        lambda: platform.deals.forecast(start_date=date(1900, 1, 1), end_date=date(2999, 12, 31), period="day")
    )
    assert (error.status, error.fields[0].field) == (422, "period")


def test_a_board_has_every_open_stage(platform: CrmClient, pipe: Pipeline, make: Make) -> None:
    for value in (10, 20, 30):
        make(value=value)
    make(value=40, stage="won")
    board = platform.deals.by_pipeline(pipe.id, limit_per_stage=2, sort="value", order="desc")
    assert [(column.stage, column.deal_count) for column in board.stages] == [("start", 3), ("middle", 0), ("late", 0)]
    assert plain(board.deal_count, board.total_value, board.weighted_value) == (3, 60, 6)
    first = board.stages[0]
    assert [deal.value for deal in first.deals] == [30, 20] and first.has_more
    whole = platform.deals.by_pipeline(pipe.id, status="all")
    assert [column.kind for column in whole.stages] == ["open"] * 3 + ["won", "lost"] and whole.total_value == 100
    assert [column.stage for column in platform.deals.by_pipeline(pipe.id, status="won").stages] == ["won"]
    assert platform.deals.by_pipeline(pipe.id, owner_id="user_sam").deal_count == 0
    assert refused(lambda: platform.deals.by_pipeline("pipeline_none")).status == 404


# -- conversion and velocity ---------------------------------------------------------------------------------------


def stages(platform: CrmClient, pipe: Pipeline, **given: Any) -> dict[str, StageConversion]:
    return {one.stage: one for one in platform.deals.analytics.conversion(pipeline_id=pipe.id, **given).stages}


def test_each_deal_of_a_stage_advanced_was_lost_or_is_open(platform: CrmClient, pipe: Pipeline, make: Make) -> None:
    waiting, back, won, gone = (make() for _ in range(4))
    platform.deals.move_stage(back.id, "late")
    platform.deals.move_stage(back.id, "start")
    platform.deals.move_stage(won.id, "won")
    platform.deals.move_stage(gone.id, "middle")
    lost(platform, gone)
    seen = platform.deals.analytics.conversion(pipeline_id=pipe.id)
    assert (seen.entered, seen.won, seen.lost, seen.open) == (4, 1, 1, 2)
    assert (seen.conversion_rate, seen.win_rate) == (0.25, 0.5)
    rows = stages(platform, pipe)
    assert [(rows[k].entered, rows[k].advanced, rows[k].lost, rows[k].open) for k in ("start", "middle", "late")] == [
        (4, 3, 0, 1), (1, 0, 1, 0), (1, 0, 0, 1),
    ]  # fmt: skip
    assert (rows["won"].entered, rows["lost"].entered, rows["start"].conversion_rate) == (1, 1, 0.75)
    platform.deals.delete(waiting.id)
    assert stages(platform, pipe)["start"].entered == 3


# -- won and lost --------------------------------------------------------------------------------------------------


def test_wins_and_losses_have_groups_reasons_and_competitors(
    platform: CrmClient, stub: StubServer, pipe: Pipeline, make: Make
) -> None:
    account = platform.accounts.create({"name": "Firm", "industry": "steam"})
    won = make(value=300, source="event", account_id=account.id, owner_id="user_sam")
    stub.client(dialects="flow").deals.activities.create(
        won.id, {"type": "call", "date": stub.clock.now(), "description": "They look at our competitor Blue Ocean."}
    )
    platform.deals.move_stage(won.id, "won")
    for value, reason in ((100, "price"), (200, "timing"), (400, "price")):
        lost(platform, make(value=value, type="renewal"), reason)

    def groups(by: str) -> list[tuple[str, str, int, int]]:
        found = platform.deals.analytics.win_loss(pipeline_id=pipe.id, group_by=by).groups
        return [(one.key, one.name, one.won, one.lost) for one in found]

    seen = platform.deals.analytics.win_loss(pipeline_id=pipe.id)
    assert [plain(one.reason, one.count, one.value, one.share) for one in seen.reasons] == [
        ("price", 2, 500, 0.6667), ("timing", 1, 200, 0.3333),
    ]  # fmt: skip
    assert [(one.name, one.won, one.lost) for one in seen.competitors] == [("Blue Ocean", 1, 0)]
    assert plain(seen.avg_won_value, seen.avg_lost_value, seen.win_rate) == (300, Decimal("233.33"), 0.25)
    assert groups("owner") == [("user_ada", "Ada Lindqvist", 0, 3), ("user_sam", "Sam Okonkwo", 1, 0)]
    assert groups("source") == [("", "No source", 0, 3), ("event", "event", 1, 0)]
    assert groups("type") == [("renewal", "renewal", 0, 3), ("new_business", "new_business", 1, 0)]
    assert groups("industry") == [("", "No industry", 0, 3), ("steam", "steam", 1, 0)]
    assert groups("pipeline") == [(pipe.id, "Own", 1, 3)]
    assert refused(lambda: groups("weather")).status == 422


# -- forecasts and owners ------------------------------------------------------------------------------------------


@pytest.mark.thorough
def test_a_past_forecast_is_as_it_stood(platform: CrmClient, pipe: Pipeline, make: Make, wait: Wait) -> None:
    sure = make(value=1_000, stage="late", expected_close_date=date(2026, 2, 20))
    slips = make(value=2_000, stage="middle", expected_close_date=date(2026, 2, 10))
    wait(30)  # 14 February
    platform.deals.update(sure.id, {"value": 1_200})
    platform.deals.move_stage(sure.id, "won")
    platform.deals.update(slips.id, {"expected_close_date": date(2026, 2, 25)})  # within its period
    platform.deals.update(slips.id, {"expected_close_date": date(2026, 4, 1)})
    wait(30)  # 16 March
    platform.deals.update(slips.id, {"expected_close_date": date(2026, 5, 1)})
    seen = platform.deals.analytics.forecast(pipeline_id=pipe.id)
    rows = {row.period: row for row in seen.periods}
    assert "2026-03" not in rows, "it is not over"
    assert rows["2026-01"].forecast == rows["2026-01"].actual == 0 and rows["2026-01"].accuracy == 1
    february = rows["2026-02"]
    assert plain(february.forecast, february.actual, february.variance) == (1_800, 1_200, -600)
    assert (february.accuracy, seen.mean_accuracy, seen.bias) == (0.6667, 0.6667, 0.3333)
    (slip,) = seen.slipped
    assert plain(slip.deal_id, slip.from_date, slip.to_date, slip.times, slip.value) == (
        slips.id, date(2026, 2, 25), date(2026, 4, 1), 1, 2_000,
    )  # fmt: skip
    wide = platform.deals.analytics.forecast(pipeline_id=pipe.id, end_date=date(2026, 6, 30)).slipped[0]
    assert (wide.to_date, wide.times) == (date(2026, 5, 1), 2), "April is in the range"
    assert platform.deals.analytics.forecast(pipeline_id=pipe.id, period="year").slipped == []


# -- lists ---------------------------------------------------------------------------------------------------------


def test_lists_filter_and_sort_by_what_deals_are_now(
    platform: CrmClient, pipe: Pipeline, make: Make, wait: Wait
) -> None:
    first, late, won = make(title="A", value=300), make(title="B", value=100, stage="late"), make(stage="won")
    late_id = next(stage.id for stage in pipe.stages if stage.key == "late")

    def found(**given: Any) -> list[str]:
        return [deal.id for deal in platform.deals.list(pipeline_id=pipe.id, **given)]

    assert found(sort="stage") == [first.id, late.id, won.id] and found(sort="stage", order="desc")[0] == won.id
    assert found(sort="probability", order="desc")[0] == won.id
    assert found(stage=late_id) == found(stage="late") == found(filter="hot") == [late.id]
    assert found(min_value=Decimal(200), max_value=Decimal(300)) == [first.id]
    assert found(closing_after=date(2026, 3, 31), closing_before=date(2026, 4, 1), status="open") == [late.id, first.id]
    platform.pipelines.stages.update(pipe.id, late_id, {"rotten_days": 5})
    assert found(is_rotten=True) == []
    wait(6)
    assert found(is_rotten=True) == found(filter="at-risk") == [late.id]
    assert found(is_rotten=False) == [won.id, first.id]
    listed = next(deal for deal in platform.deals.list(pipeline_id=pipe.id) if deal.id == late.id)
    assert (listed.is_rotten, listed.days_in_stage, listed.ai_insights) == (True, 6, [])


# -- the demo data -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["stage_change", "deal_state"])
def test_the_past_of_the_demo_deals_is_kept_as_it_is_written(stub: StubServer, make: Make, kind: str) -> None:
    make()
    seeded, *_, written = stub.store.collection("tenant_acme", kind)
    assert seeded.keys() - {"deleted_at"} == written.keys() - {"deleted_at"}


@pytest.mark.parametrize("tenant_id", ["tenant_acme", "tenant_globex"])
def test_the_demo_deals_have_a_past_that_fits_them(stub: StubServer, tenant_id: str) -> None:
    deals = stub.store.collection(tenant_id, "deal").all()
    assert len({deal["pipeline_id"] for deal in deals}) == 2
    found: set[str] = set()
    for deal in deals:
        stays = stub.store.collection(tenant_id, "stage_change").find("deal_id", deal["id"])
        states = stub.store.collection(tenant_id, "deal_state").find("deal_id", deal["id"])
        assert stays[0]["entered_at"] == deal["created_at"] and stays[-1]["left_at"] is None
        assert all(one["left_at"] == two["entered_at"] >= one["entered_at"] for one, two in pairwise(stays))
        for name, member in (("to_stage_id", "stage_id"), ("value", "value"), ("closed_at", "closed_at")):
            assert stays[-1][name] == deal[member]
        assert states[-1]["expected_close_date"] == deal["expected_close_date"]
        found |= {stay["direction"] for stay in stays} | {deal["status"]}
        found |= {"slipped" for one, two in pairwise(states) if one["expected_close_date"] < two["expected_close_date"]}
    assert found >= {"won", "lost", "open", "slipped", "initial", "forward", "backward"}
    assert "reopened" in found or tenant_id == "tenant_globex"
