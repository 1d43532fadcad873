"""The figures of sales in exact values, of deals whose past is written into the data: no time has to pass."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from stub_data import some, stored

from crm_sdk import CrmClient
from crm_sdk.models import Pipeline
from server_stub import StubServer

from .conftest import Make, plain

DAY = timedelta(days=1)


def aged(stub: StubServer, deal_id: str, days: float) -> str:
    """Let a deal have been created so many days ago, and its first stay have begun then."""
    stays = stub.store.collection("tenant_acme", "stage_change")
    born = stub.clock.now() - days * DAY
    stored(stub, "deal", deal_id, created_at=born)
    first = min(stays.find("deal_id", deal_id), key=lambda stay: stay["entered_at"])
    stays.put(first | {"entered_at": born})
    return deal_id


def closed(
    platform: CrmClient, stub: StubServer, make: Make, days: float, stage: str = "won", **members: Any
) -> str:  # fmt: skip
    deal = make(**members)
    more: Any = {"lost_reason": "price"} if stage == "lost" else {}
    platform.deals.move_stage(deal.id, stage, **more)
    return aged(stub, deal.id, days)


def test_a_cycle_is_from_creation_to_the_close(
    platform: CrmClient, stub: StubServer, pipe: Pipeline, make: Make
) -> None:
    for days, stage, value in ((10, "won", 300), (4, "won", 100), (40, "lost", 800), (1, "won", 200)):
        closed(platform, stub, make, days, stage, value=value)
    still = aged(stub, make(value=1_000, stage="middle").id, 6)
    back = closed(platform, stub, make, 3, value=600)
    platform.deals.move_stage(back, "late")
    aged(stub, make(value=50, stage="won", owner_id="user_sam").id, 0)
    analytics: Any = platform.deals.analytics
    now = stub.clock.now()
    whole: Any = {"pipeline_id": pipe.id, "start_date": now.date() - 300 * DAY, "end_date": now.date()}
    seen = analytics.velocity(**whole)
    assert plain(seen.opportunities, seen.win_rate, seen.currency) == (7, 0.8, "USD")
    assert (round(some(seen.avg_cycle_days), 3), round(some(seen.median_cycle_days), 3)) == (3.75, 2.5)
    assert round(float(seen.avg_value), 2) == round((300 + 100 + 800 + 200 + 1_000 + 600 + 50) / 7, 2)
    speed = float(seen.avg_value) * 7 * 0.8 / some(seen.avg_cycle_days)
    assert abs(float(seen.velocity_per_day) - speed) < 0.1
    stages = {row.stage: (row.deals, round(row.avg_days), round(row.median_days), round(row.p90_days, 1))
              for row in seen.stages}  # fmt: skip
    assert stages == {
        "start": (5, 12, 4, 28.0), "middle": (1, 6, 6, 6.0), "late": (1, 0, 0, 0.0),
    }  # fmt: skip
    loss = analytics.win_loss(**whole, group_by="owner")
    assert plain(loss.won, loss.lost, loss.win_rate, loss.won_value, loss.lost_value) == (4, 1, 0.8, 650, 800)
    assert plain(loss.avg_won_value, loss.avg_lost_value) == (162.5, 800)
    assert (round(loss.avg_days_won, 2), round(loss.avg_days_lost, 2)) == (3.75, 40.0)
    assert [(one.reason, one.count, int(one.value), one.share) for one in loss.reasons] == [("price", 1, 800, 1.0)]
    assert [(one.key, one.won, one.lost, one.win_rate, int(one.won_value)) for one in loss.groups] == [
        ("user_ada", 3, 1, 0.75, 600), ("user_sam", 1, 0, 1.0, 50),
    ]  # fmt: skip
    ranked = analytics.performance(**whole)
    rows = {row.owner_id: row for row in ranked.owners}
    ada, sam = rows["user_ada"], rows["user_sam"]
    assert plain(ada.rank, ada.deals_created, ada.deals_won, ada.deals_lost, ada.won_value) == (1, 6, 3, 1, 600)
    assert plain(ada.open_value, ada.weighted_value, ada.avg_deal_size) == (1_600, 500 + 480, 200)
    assert (ada.win_rate, round(ada.avg_cycle_days, 2)) == (0.75, 5.0)
    assert plain(sam.rank, sam.deals_won, sam.won_value, sam.open_value, sam.avg_cycle_days) == (2, 1, 50, 0, 0)
    totals = ranked.totals
    assert plain(totals.deals_created, totals.deals_won, totals.won_value, totals.open_value) == (7, 4, 650, 1_600)
    assert (totals.win_rate, round(totals.avg_cycle_days, 2), totals.rank, totals.owner_id) == (0.8, 3.75, 0, None)
    assert platform.deals.get(still).days_in_stage == 0, "it was moved just now"
    conversion = analytics.conversion(**whole)
    assert (conversion.entered, conversion.won, conversion.lost, conversion.open) == (7, 4, 1, 2)
    assert (conversion.conversion_rate, conversion.win_rate) == (round(4 / 7, 4), 0.8)
    assert {row.stage: (row.entered, row.advanced, row.lost, row.open, row.conversion_rate)
            for row in conversion.stages} == {
        "start": (5, 4, 1, 0, 0.8), "middle": (1, 0, 0, 1, 0.0), "late": (1, 0, 0, 1, 0.0), "won": (5, 0, 0, 0, 0.0),
        "lost": (1, 0, 0, 0, 0.0),
    }  # fmt: skip


def test_a_quota_is_of_its_months_and_attained_by_what_was_won(
    platform: CrmClient, stub: StubServer, make: Make, pipe: Pipeline
) -> None:
    stored(stub, "user", "user_sam", monthly_quota="100", quota_currency="EUR")
    stored(stub, "user", "user_ada", monthly_quota="1000", quota_currency="USD")
    make(value=600, stage="won")
    make(value=27, stage="won", owner_id="user_sam")
    now = stub.clock.now().date()
    first = now.replace(day=1)
    end = (first + 31 * DAY).replace(day=1) - DAY
    ranked = platform.deals.analytics.performance(pipeline_id=pipe.id, start_date=first, end_date=end)
    rows = {row.owner_id: row for row in ranked.owners}
    assert plain(rows["user_ada"].quota, rows["user_ada"].attainment) == (1_000, 0.6)
    assert plain(rows["user_sam"].quota, rows["user_sam"].attainment) == (108, 0.25)
    assert plain(ranked.totals.quota) == (sum(row.quota for row in ranked.owners if row.quota is not None),)
    assert {row.attainment for row in ranked.owners if row.quota is None} <= {None}


def test_a_board_shows_the_stages_of_one_pipeline(platform: CrmClient, pipe: Pipeline, make: Make) -> None:
    for stage, value, title in (
        ("start", 1, "b"),
        ("start", 3, "a"),
        ("start", 2, "c"),
        ("late", 10, "d"),
        ("won", 7, "e"),
    ):
        make(stage=stage, value=value, title=title)
    board: Any = platform.deals.by_pipeline

    def shown(**given: Any) -> tuple[Any, ...]:
        found = board(pipe.id, **given)
        columns = {
            one.stage: (
                one.deal_count, int(one.total_value), float(one.weighted_value),
                "".join(deal.title for deal in one.deals), one.has_more,
            )
            for one in found.stages
        }  # fmt: skip
        return found.deal_count, int(found.total_value), float(found.weighted_value), columns

    columns: Any = {
        "start": (3, 6, 0.6, "abc", False),
        "middle": (0, 0, 0, "", False),
        "late": (1, 10, 8.0, "d", False),
    }
    assert shown(sort="title") == (4, 16, 8.6, columns)
    assert shown(sort="value", order="desc")[3]["start"][3] == "acb"
    assert shown(sort="title", limit_per_stage=2)[3]["start"] == (3, 6, 0.6, "ab", True)
    assert shown(sort="title", limit_per_stage=3)[3]["start"][4] is False
    closed_ones = {"won": (1, 7, 7.0, "e", False), "lost": (0, 0, 0, "", False)}
    assert shown(sort="title", status="all") == (5, 23, 15.6, columns | closed_ones)
    assert shown(status="won") == (1, 7, 7.0, {"won": closed_ones["won"]})
    assert shown(owner_id="user_sam")[0] == 0
    assert shown(search="no such deal")[0] == 0


def test_the_stages_of_the_default_pipeline_have_their_figures(stub: StubServer) -> None:
    platform, flow = stub.client(dialects="platform"), stub.client(dialects="flow")
    before = {one.stage: one for one in flow.deals.stage_stats()}
    given: Any = {"title": "x", "value": 100, "stage": "negotiation"}
    platform.deals.create(given)
    after = {one.stage: one for one in flow.deals.stage_stats()}
    assert list(after) == ["prospect", "qualified", "proposal", "negotiation", "closed-won", "closed-lost"]
    one, two = before["negotiation"], after["negotiation"]
    assert (two.count, two.total_value) == (one.count + 1, one.total_value + 100)
    assert abs(two.avg_probability * two.count - one.avg_probability * one.count - 75) < 1.5
    assert {name: after[name].count for name in after if name != "negotiation"} == {
        name: before[name].count for name in before if name != "negotiation"
    }
    assert [after[name].avg_days_in_stage for name in ("closed-won", "closed-lost")] == [0, 0]


def test_who_could_own_deals_of_a_team_is_ranked_without_any(platform: CrmClient, pipe: Pipeline) -> None:
    team = platform.users.teams.create({"name": "Team", "member_ids": ["user_sam"]}).id
    ranked = platform.deals.analytics.performance(pipeline_id=pipe.id, team_id=team)
    assert [(row.owner_id, row.rank, row.deals_created) for row in ranked.owners] == [("user_sam", 1, 0)]
    assert [row.owner_id for row in platform.deals.analytics.performance(owner_id="user_sam").owners] == ["user_sam"]
