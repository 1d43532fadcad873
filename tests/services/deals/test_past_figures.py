"""The figures of what deals went through, of a past that is written into the data: no time has to pass."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from stub_data import idle, some, stored

from crm_sdk import CrmClient
from crm_sdk.models import Pipeline
from server_stub import StubServer

from .conftest import STAGES, Make, plain

DAY = timedelta(days=1)
TODAY, NOON = date(2026, 1, 15), datetime(2026, 1, 15, 12, tzinfo=UTC)
MINE: Any = {"owner_id": "user_rita"}
"""Of whom all deals of these tests are, and nobody else's."""


class Past:
    """Deals with the stays and states that are written for them; days are so many before noon."""

    def __init__(self, stub: StubServer, make: Make, pipes: Mapping[str, Pipeline]) -> None:
        stub.clock.advance((NOON - stub.clock.now()).total_seconds())
        self.stub, self.make = stub, make
        self.stages = {f"{pipe}.{one.key}": one for pipe, whole in pipes.items() for one in whole.stages}
        self.pipes = {f"{name}.{one.key}": whole.id for name, whole in pipes.items() for one in whole.stages}

    def deal(self, *stays: tuple[str, float], worth: float = 100, **members: Any) -> str:
        """Make a deal that came to stages so many days ago; each stay is worth what is said, the deal what it is."""
        last = stays[-1][0]
        given = {"stage": self.stages[last].key, "pipeline_id": self.pipes[last], **MINE, **members}
        id = self.make(**given).id
        stored(self.stub, "deal", id, created_at=NOON - stays[0][1] * DAY)
        changes = self.stub.store.collection("tenant_acme", "stage_change")
        (first,) = changes.find("deal_id", id)
        times = [NOON - days * DAY for _, days in stays]
        for number, (name, _) in enumerate(stays):
            stage = self.stages[name]
            changes.put(first | {
                "id": f"stay_{id}_{number}", "pipeline_id": self.pipes[name], "to_stage": stage.key,
                "to_stage_id": stage.id, "kind": str(stage.kind), "entered_at": times[number],
                "left_at": times[number + 1] if number + 1 < len(times) else None, "value": worth,
                "closed_at": times[number] if stage.kind != "open" else None,
                "direction": "forward" if number else "initial", "owner_id": MINE["owner_id"],
            })  # fmt: skip
        changes.remove(first["id"])
        return id

    def states(self, id: str, *states: tuple[datetime, dict[str, Any]]) -> None:
        """Let a deal have been this from these times on."""
        kept = self.stub.store.collection("tenant_acme", "deal_state")
        (first,) = kept.find("deal_id", id)
        kept.remove(first["id"])
        members = {**first}
        for number, (at, changed) in enumerate(states):
            members |= changed
            kept.put(first | members | {"id": f"state_{id}_{number}", "at": at})


@pytest.fixture
def other(platform: CrmClient) -> Pipeline:
    given: Any = {"name": "Other", "stages": STAGES}
    return platform.pipelines.create(given)


@pytest.fixture
def past(stub: StubServer, make: Make, pipe: Pipeline, other: Pipeline) -> Past:
    return Past(stub, make, {"own": pipe, "other": other})


@pytest.fixture
def five(past: Past) -> list[str]:
    """Deals: one won, one lost after going back, one open, one in another pipeline now, one that was born won."""
    return [
        past.deal(("own.start", 40), ("own.middle", 20), ("own.won", 10), worth=500, value=1, source="partner"),
        past.deal(("own.start", 40), ("own.late", 35), ("own.start", 30), ("own.lost", 5), worth=80, source="event"),
        past.deal(("own.start", 20), worth=7, value=300, source="partner"),
        past.deal(("own.start", 40), ("other.late", 15), worth=7, value=60, source="partner"),
        past.deal(("own.won", 2), worth=250, value=1),
    ]


def test_a_cohort_came_within_the_range_and_its_stages_are_told_by_what_came_after(
    platform: CrmClient, pipe: Pipeline, other: Pipeline, five: list[str]
) -> None:
    early: Any = {"start_date": TODAY - 50 * DAY, "end_date": TODAY - 25 * DAY, **MINE}

    def seen(**of: Any) -> tuple[tuple[Any, ...], dict[str, tuple[Any, ...]]]:
        found = platform.deals.analytics.conversion(**of)
        rows = {
            ("" if one.stage_id in own else "other ") + one.stage: (
                one.entered, one.advanced, one.lost, one.open, one.conversion_rate, one.avg_days,
            )
            for one in found.stages
            if one.entered
        }  # fmt: skip
        assert (found.start_date, found.end_date, found.currency) == (of["start_date"], of["end_date"], "USD")
        return (found.entered, found.won, found.lost, found.open, found.conversion_rate, found.win_rate), rows

    own = {stage.id for stage in pipe.stages}
    start, late = (3, 2, 0, 1, 0.6667, 25.0), (1, 0, 1, 0, 0.0, 5.0)
    whole = (3, 1, 1, 1, 0.3333, 0.5)
    assert seen(**early, pipeline_id=pipe.id) == (whole, {"start": start, "late": late})
    assert seen(**early) == (whole, {"start": start, "late": late}), "another pipeline is no later stage"
    assert seen(**early, pipeline_id=pipe.id, source="partner") == (
        (2, 1, 0, 1, 0.5, 1.0), {"start": (2, 1, 0, 1, 0.5, 22.5)},
    )  # fmt: skip
    assert seen(**early, pipeline_id=pipe.id, source="referral") == ((0, 0, 0, 0, 0.0, 0.0), {})
    lately = early | {"start_date": TODAY - 24 * DAY, "end_date": TODAY}
    assert seen(**lately, pipeline_id=pipe.id) == (
        (2, 1, 0, 1, 0.5, 1.0),
        {"start": (1, 0, 0, 1, 0.0, 20.0), "middle": (1, 1, 0, 0, 1.0, 10.0), "won": (2, 0, 0, 0, 0.0, 6.0),
         "lost": (1, 0, 0, 0, 0.0, 5.0)},
    )  # fmt: skip
    assert seen(**lately, pipeline_id=other.id) == ((1, 0, 0, 1, 0.0, 0.0), {"other late": (1, 0, 0, 1, 0.0, 15.0)})
    listed = platform.deals.analytics.conversion(**early, pipeline_id=pipe.id).stages
    assert [(one.stage, one.entered) for one in listed] == [
        ("start", 3), ("middle", 0), ("late", 1), ("won", 0), ("lost", 0),
    ]  # fmt: skip
    every = [one.stage_id for one in platform.deals.analytics.conversion(**early).stages]
    assert every[-10:] == [stage.id for stage in (*pipe.stages, *other.stages)]


def test_the_speed_is_of_the_deals_that_were_in_play_and_those_that_were_closed(
    platform: CrmClient, pipe: Pipeline, five: list[str]
) -> None:
    def seen(first: float, last: float, **of: Any) -> Any:
        range: Any = {"start_date": TODAY - first * DAY, "end_date": TODAY - last * DAY}
        return platform.deals.analytics.velocity(pipeline_id=pipe.id, **range, **MINE, **of)

    found = seen(50, 0)
    # what is open is worth what it is, what was closed what it was worth then
    assert plain(found.opportunities, found.avg_value, found.win_rate) == (5, 238, 0.6667)
    assert plain(found.avg_cycle_days, found.median_cycle_days, found.currency) == (15, 15, "USD")
    assert float(found.velocity_per_day) == round(238 * 5 * 0.6667 / 15, 2)
    assert [(one.stage, one.deals, one.avg_days, one.median_days, one.p90_days) for one in found.stages] == [
        ("start", 4, 23.75, 22.5, 28.5), ("middle", 1, 10.0, 10.0, 10.0), ("late", 1, 5.0, 5.0, 5.0),
    ]  # fmt: skip
    series = {one.name: [plain(point.period, point.start, point.value) for point in one.points] for one in found.series}
    months = (("2025-11", date(2025, 11, 26)), ("2025-12", date(2025, 12, 1)), ("2026-01", date(2026, 1, 1)))
    assert series == {
        name: [(period, start, value) for (period, start), value in zip(months, values, strict=True)]
        for name, values in {
            "won_deals": (0, 0, 2), "won_value": (0, 0, 750), "avg_cycle_days": (0, 0, 15),
        }.items()
    }  # fmt: skip
    weeks = [point.period for point in seen(14, 0, period="week").series[0].points]
    assert weeks == ["2026-W01", "2026-W02", "2026-W03"]
    for first, last, playing, wins, cycle in (
        (50, 25, 3, 0.0, None), (50, 21, 3, 0.0, None), (50, 20, 4, 0.0, None), (9, 0, 3, 0.5, 0.0),
        (4, 0, 2, 1.0, 0.0), (4, 3, 1, 0.0, None), (60, 41, 0, 0.0, None), (30, 10, 4, 1.0, 30.0),
    ):  # fmt: skip
        found = seen(first, last)
        assert (found.opportunities, found.win_rate, found.avg_cycle_days, found.median_cycle_days) == (
            playing, wins, cycle, cycle,
        )  # fmt: skip
        assert (found.velocity_per_day > 0) is bool(cycle), "what takes no time has no speed"


def test_a_deal_counts_by_its_last_close_as_it_was_then(platform: CrmClient, pipe: Pipeline, past: Past) -> None:
    past.deal(("own.lost", 20), ("own.late", 10), ("own.won", 4), worth=800, value=1)
    past.deal(("own.won", 20), ("own.late", 10), worth=800, value=1)
    lost = past.deal(("own.start", 9), ("own.lost", 5), worth=60, value=1)
    stored(past.stub, "deal", lost, lost_reason=None, competitor_mentioned="Zoho", created_at=NOON - 4 * DAY)

    def seen(first: float, last: float) -> Any:
        range: Any = {"start_date": TODAY - first * DAY, "end_date": TODAY - last * DAY}
        return platform.deals.analytics.win_loss(pipeline_id=pipe.id, **range, **MINE)

    found = seen(30, 0)
    assert plain(found.won, found.lost, found.won_value, found.lost_value, found.win_rate) == (1, 1, 800, 60, 0.5)
    assert (found.avg_days_won, found.avg_days_lost) == (16.0, 0.0), "no time is less than none"
    assert [plain(one.reason, one.count, one.value, one.share) for one in found.reasons] == [("unknown", 1, 60, 1.0)]
    assert [(one.name, one.won, one.lost, one.win_rate) for one in found.competitors] == [("Zoho", 0, 1, 0.0)]
    assert [plain(one.key, one.won, one.lost, one.win_rate, one.won_value) for one in found.groups] == [
        ("user_rita", 1, 1, 0.5, 800)
    ]
    assert [(one.won, one.lost) for one in (seen(30, 5), seen(4, 0), seen(30, 6))] == [(0, 1), (1, 0), (0, 0)]


def test_a_forecast_is_compared_as_it_stood_on_the_first_day_of_each_period(
    platform: CrmClient, pipe: Pipeline, past: Past
) -> None:
    def at(month: int, day: int, year: int = 2025) -> datetime:
        return datetime(year, month, day, 12, tzinfo=UTC)

    def closing(month: int, day: int, year: int = 2025, **more: Any) -> dict[str, Any]:
        return {"expected_close_date": date(year, month, day), **more}

    usual = {"status": "open", "currency": "USD", **MINE}
    sure = past.deal(("own.late", 87), ("own.won", 62), worth=1_200)
    past.states(
        sure, (datetime(2025, 11, 1, 4, tzinfo=UTC), closing(11, 30, value=1_000, probability=80, **usual)),
        (at(11, 14), {"status": "won", "value": 1_200}), (at(12, 30), closing(3, 1, 2026)),
    )  # fmt: skip
    slips = past.deal(("own.middle", 82), value=2_000)
    past.states(
        slips, (at(10, 25), closing(11, 10, value=2_000, probability=50, **usual)), (at(11, 14), closing(11, 25)),
        (at(11, 15), closing(1, 10, 2026)), (at(12, 20), closing(2, 1, 2026)), (at(12, 21), closing(3, 1, 2026)),
    )  # fmt: skip
    others = past.deal(("own.middle", 82), value=2_000)
    past.states(
        others, (at(10, 25), closing(11, 10, value=4_000, probability=50, **usual | {"owner_id": "user_sam"})),
        (at(11, 15), closing(12, 31, **MINE)), (at(12, 20), closing(1, 1, 2026)),
    )  # fmt: skip
    past.deal(("own.won", 2), worth=300)

    def seen(last: date, period: str = "month", **of: Any) -> Any:
        of = {"pipeline_id": pipe.id, **MINE, **of}
        return platform.deals.analytics.forecast(start_date=date(2025, 11, 1), end_date=last, period=period, **of)

    found = seen(TODAY - DAY)
    assert [plain(one.period, one.forecast, one.actual, one.accuracy, one.variance) for one in found.periods] == [
        ("2025-11", 1_800, 1_200, 0.6667, -600), ("2025-12", 2_000, 0, 0.0, -2_000),
        ("2026-01", 2_000, 300, 0.15, -1_700),
    ], "what is overdue is forecast still"  # fmt: skip
    assert (found.mean_accuracy, found.bias, found.currency) == (0.2722, 0.7414, "USD")
    first, second = sorted([slips, others])
    rows = {
        slips: (slips, "Deal", date(2025, 11, 25), date(2026, 2, 1), 2, 2_000),
        others: (others, "Deal", date(2025, 11, 10), date(2026, 1, 1), 2, 2_000),
    }

    def slipped(found: Any) -> list[tuple[Any, ...]]:
        return [
            plain(one.deal_id, one.title, one.from_date, one.to_date, one.times, one.value) for one in found.slipped
        ]

    assert slipped(found) == [rows[first], rows[second]]
    stored(past.stub, "deal", second, value=2_001)
    found = seen(TODAY, period="quarter")
    assert [one.period for one in found.periods] == ["2025-Q4"], "the present one is not over"
    assert plain(found.periods[0].forecast, found.periods[0].actual) == (1_800, 1_200)
    assert [(one.deal_id, one.times) for one in found.slipped] == [(second, 1), (first, 1)], "the greatest first"
    short = seen(date(2025, 12, 31))
    assert {one.deal_id: (one.to_date, one.times) for one in short.slipped} == {
        slips: (date(2026, 1, 10), 1), others: (date(2026, 1, 1), 2),
    }  # fmt: skip
    nobodys = seen(TODAY - DAY, owner_id="user_sam")
    assert plain(nobodys.periods[0].forecast, nobodys.periods[0].actual, nobodys.slipped) == (2_000, 0, [])
    empty = seen(TODAY - DAY, owner_id="user_mia")
    assert [plain(one.forecast, one.actual, one.accuracy, one.variance) for one in empty.periods] == [(0, 0, 1, 0)] * 3
    assert (empty.mean_accuracy, empty.bias) == (0.0, 0.0)


def test_owners_are_ranked_by_what_they_won_then_by_how_many_then_by_name(
    platform: CrmClient, pipe: Pipeline, past: Past
) -> None:
    ranked: Any = platform.deals.analytics.performance
    nobody = ranked(pipeline_id=pipe.id)
    assert "user_rita" not in {one.owner_id for one in nobody.owners}, "who may not own deals is no owner"
    assert plain(nobody.totals.deals_won, nobody.totals.won_value, nobody.totals.rank) == (0, 0, 0)
    for owner, worths in (("user_sam", (200, 200)), ("user_ada", (400,)), ("user_gone", (400,)), ("user_mia", (500,))):
        for worth in worths:
            id = past.deal(("own.start", 12), ("own.won", 2), worth=worth)
            stored(past.stub, "stage_change", f"stay_{id}_1", owner_id=owner)
    late = past.deal(("own.start", 12), value=90)
    stored(past.stub, "deal", late, owner_id=None)
    elsewhere = past.deal(("own.start", 12), ("other.late", 3), value=70)
    gone = some(past.stub.store.collection("tenant_acme", "user").get("user_mia"))
    stored(past.stub, "user", "user_mia", deleted_at=NOON)
    found = ranked(pipeline_id=pipe.id, start_date=TODAY - 5 * DAY, end_date=TODAY)
    rows = [
        plain(one.rank, one.owner_name, one.deals_created, one.deals_won, one.won_value, one.avg_cycle_days)
        for one in found.owners
    ]  # fmt: skip
    assert rows[:4] == [
        (1, gone["name"], 0, 1, 500, 10.0), (2, "Sam Okonkwo", 0, 2, 400, 10.0), (3, "Ada Lindqvist", 0, 1, 400, 10.0),
        (4, "user_gone", 0, 1, 400, 10.0),
    ]  # fmt: skip
    names = [row[1] for row in rows[4:]]
    assert names == sorted(names) and "Rita" in " ".join(names), "who owns some is there, who could own some as well"
    assert plain(found.totals.deals_won, found.totals.open_value, found.totals.won_value) == (5, 90, 1_700)
    assert platform.deals.get(elsewhere).value == 70


def test_a_stage_has_the_mean_days_of_all_its_stays(stub: StubServer, platform: CrmClient) -> None:
    idle(stub)
    pipe = platform.pipelines.get("pipeline_acme")

    def make(**members: Any) -> Any:
        given: Any = {"title": "x", "value": 100, **members}
        return platform.deals.create(given)

    past = Past(stub, make, {"main": pipe})
    past.deal(("main.prospect", 30), ("main.qualified", 20), ("main.prospect", 14), probability_override=21)
    past.deal(("main.prospect", 9), ("main.closed-won", 3), value=50, currency="EUR")
    past.deal(("main.prospect", 2), value=50)
    flow = stub.client(dialects="flow")
    assert [
        plain(one.stage, one.count, one.total_value, one.avg_probability, one.avg_days_in_stage)
        for one in flow.deals.stage_stats()
    ] == [
        ("prospect", 2, 150, 15.5, 8.0), ("qualified", 0, 0, 0, 6.0), ("proposal", 0, 0, 0, 0),
        ("negotiation", 0, 0, 0, 0), ("closed-won", 1, 54, 100.0, 0), ("closed-lost", 0, 0, 0, 0),
    ]  # fmt: skip
