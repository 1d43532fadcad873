"""Where a rule of deals begins and ends in time: what rots, what closes when, whose activities count."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from refusals import refused
from stub_data import idle, some, stored

from crm_sdk import CrmClient
from crm_sdk.models import Pipeline
from server_stub import StubServer
from server_stub.clock import TICK

from .conftest import Make, plain

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.fixture
def flow(stub: StubServer) -> CrmClient:
    return stub.client(dialects="flow", max_retries=0, strict=True)


def test_an_owner_is_told_once_that_a_deal_rots_until_something_happens(stub: StubServer, platform: CrmClient) -> None:
    idle(stub)
    stages: Any = [{"name": "Slow", "probability": 10, "rotten_days": 9}, {"name": "Free", "probability": 20},
                   {"name": "Won", "kind": "won"}, {"name": "Lost", "kind": "lost"}]  # fmt: skip
    pipe = platform.pipelines.create({"name": "Slow", "stages": stages})
    start, ids = stub.clock.now(), {}
    for name, more in (
        ("told", {}), ("free", {"stage": "free"}), ("nobody", {}), ("won", {"stage": "won"}), ("fresh", {}),
    ):  # fmt: skip
        given: Any = {"title": name, "value": 1, "pipeline_id": pipe.id, **more}
        ids[name] = platform.deals.create(given).id
        if name != "fresh":
            stored(stub, "deal", ids[name], last_activity=start - 20 * DAY)
    stored(stub, "deal", ids["nobody"], owner_id=None)

    def told_after_a_day() -> list[str]:
        stub.clock.advance(86_401)
        platform.deals.list(limit=1)
        notes = stub.store.collection("tenant_acme", "notification").find("type", "deal_update")
        found = [doc for doc in notes if doc["title"].startswith("Deal is rotting")]
        for doc in found:
            assert (doc["title"], doc["user_id"], doc["priority"]) == ("Deal is rotting: told", "user_ada", "medium")
            assert doc["expires_at"] - doc["created_at"] == timedelta(days=30)
        return [doc["message"] for doc in found]

    once = told_after_a_day()
    assert once == ["Nothing has happened for 20 days; in slow it should be 9 at most."] == told_after_a_day()
    stored(stub, "deal", ids["told"], last_activity=start - 10 * DAY)
    twice = [*once, "Nothing has happened for 12 days; in slow it should be 9 at most."]
    assert sorted(told_after_a_day()) == sorted(twice)
    stored(stub, "deal", ids["told"], last_activity=start - 9 * DAY)
    platform.configuration.settings.update({"deals.rotten_notify": False})
    assert len(told_after_a_day()) == 2


def test_of_a_deal_of_nobody_whom_an_app_moves_nobody_is_told(
    stub: StubServer, platform: CrmClient, make: Make
) -> None:
    app = platform.marketplace.apps.create({
        "name": "Mover", "tagline": "Moves", "description": "Moves deals.", "category": "productivity",
        "support_email": "help@mover.example", "privacy_url": "https://mover.example/privacy",
        "permissions": ["deals:read", "deals:update"],
    })  # fmt: skip
    stub.clock.advance(3_600)
    made = platform.marketplace.apps.install(app.id, granted_permissions=["deals:read", "deals:update"])
    mover = stub.client(api_key=made.access_token, dialects="platform", max_retries=0)
    notes = stub.store.collection("tenant_acme", "notification")
    for owner in ("user_sam", None):
        deal = make()
        stored(stub, "deal", deal.id, owner_id=owner)
        before = {one["id"] for one in notes.all()}
        assert mover.deals.move_stage(deal.id, "won").status == "won"
        told = [one for one in notes.all() if one["id"] not in before and one["type"] == "deal_update"]
        assert [(one["user_id"], one["title"]) for one in told] == [(owner, "Deal won: Deal")] * (owner is not None)


def test_insights_have_the_date_of_their_occasion(
    stub: StubServer, platform: CrmClient, flow: CrmClient, make: Make
) -> None:
    deal = make(probability_override=50)
    zone = ZoneInfo("America/New_York")
    today = stub.clock.now().astimezone(zone).date()

    def midnight(days: int) -> datetime:
        return datetime.combine(today + days * DAY, time(), zone)

    def about(**members: Any) -> list[tuple[Any, ...]]:
        stored(stub, "deal", deal.id, **members)
        found = flow.deals.get(deal.id).ai_insights
        return [(one.type, one.title, one.impact, one.confidence, one.date, one.suggested_action) for one in found]

    created = stub.clock.now() - 100 * DAY
    plan, agree = "Set a new date with the customer", "Agree on what is left to do"
    quiet: Any = {"created_at": created, "stage_changed_at": created, "next_step": None}
    assert about(**quiet, expected_close_date=today - DAY) == [
        ("risk", "The close date has passed", "high", 90, midnight(0), plan)
    ]
    for days, impact in ((0, "high"), (7, "high"), (8, "medium"), (30, "medium")):
        assert about(expected_close_date=today + days * DAY) == [
            ("suggestion", f"Closes in {days} days", impact, 70, midnight(days - 30), agree)
        ]
    assert about(expected_close_date=today + 31 * DAY) == about(expected_close_date=None) == []
    now = stub.clock.now()
    assert about(created_at=now, expected_close_date=today, next_step="Call") == [
        ("suggestion", "Closes in 0 days", "high", 70, now, "Call")
    ]
    assert about(**quiet, probability_override=70, expected_close_date=None) == [
        ("opportunity", "70 % likely", "high", 70, created, "Ask for the signature")
    ]
    assert about(probability_override=99, stage_changed_at=None, next_step="Call") == [
        ("opportunity", "99 % likely", "high", 95, created, "Call")
    ]
    rotten = {"probability_override": 50, "last_activity": now - 10 * DAY + SECOND, "next_step": None}
    stored(stub, "stage", some(deal.stage_id), rotten_days=10)
    assert about(**rotten) == []
    for days, confidence in ((10, 60), (44, 94), (50, 95)):
        last = now - days * DAY - SECOND
        assert about(last_activity=last) == [
            ("suggestion", f"Nothing happened for {days} days", "medium", confidence, last, "Get in touch this week")
        ]
    stored(stub, "deal", deal.id, status="won")
    assert about(expected_close_date=today - DAY) == []


def test_insights_say_when_their_reason_was_heard(stub: StubServer, flow: CrmClient, make: Make) -> None:
    deal, at = make(expected_close_date=stub.clock.now().date() + 90 * DAY), stub.clock.now() - 3 * DAY
    for text in ("Budget approved.", "They are on hold.", "We compare with HubSpot."):
        flow.deals.activities.create(deal.id, {"type": "note", "date": at, "description": text})
    found = flow.deals.get(deal.id).ai_insights
    day = f"on {at:%Y-%m-%d}"
    assert [(one.type, one.title, one.description, one.impact, one.confidence, one.date) for one in found] == [
        ("competitor", "Competes with: HubSpot", f"Mentioned {day}.", "high", 85, at),
        ("risk", "Delayed", f"Heard {day}; it takes probability from the deal.", "medium", 80, at),
        ("opportunity", "Budget approved", f"Heard {day}; it adds probability to the deal.", "high", 75, at),
    ]
    assert [one.suggested_action for one in found] == [
        "Say what sets the offer apart", "Agree a date that the customer needs", None,
    ]  # fmt: skip


def test_an_insight_weighs_and_advises_by_its_topic(stub: StubServer, flow: CrmClient, make: Make) -> None:
    ahead = stub.clock.now().date() + 90 * DAY
    for text, title, type, impact, action in (
        ("No budget.", "Budget in doubt", "risk", "high", "Show what it saves, or offer a smaller start"),
        ("The champion left.", "Decision maker missing", "risk", "high", "Find out who decides, and meet them"),
        ("They have doubts.", "Concerns raised", "risk", "medium", "Answer the concerns one by one"),
        ("No response.", "No response", "risk", "medium", "Call instead of writing, or ask somebody else there"),
        ("A legal review.", "Held up by review", "risk", "medium", "Offer to meet the reviewers"),
        ("A missing feature.", "Feature missing", "risk", "medium", "Show the way around it, or when it comes"),
        ("Ready to sign.", "Ready to sign", "opportunity", "high", None),
        ("The CFO agrees.", "Decision maker on board", "opportunity", "medium", None),
        ("A great demo.", "Demo convinced", "opportunity", "medium", None),
    ):  # fmt: skip
        deal = make(expected_close_date=ahead)
        flow.deals.activities.create(deal.id, {"type": "note", "date": stub.clock.now(), "description": text})
        (found,) = flow.deals.get(deal.id).ai_insights
        assert (found.title, found.type, found.impact, found.suggested_action) == (title, type, impact, action)
        assert (found.confidence, found.actionable) == (80 if type == "risk" else 75, action is not None)
        flow.deals.move_stage(deal.id, "lost")
        assert flow.deals.get(deal.id).ai_insights == [], "of a closed deal there are none"


def test_deals_are_found_by_the_day_they_close(
    stub: StubServer, platform: CrmClient, pipe: Pipeline, make: Make
) -> None:
    today = stub.clock.now().date()
    made = [make(title=str(days), expected_close_date=today + days * DAY).id for days in range(3)]
    made.append(make(title="None").id)
    stored(stub, "deal", made[3], expected_close_date=None)

    def found(**given: Any) -> list[str]:
        return sorted(one.title for one in platform.deals.list(pipeline_id=pipe.id, **given))

    middle = today + DAY
    assert found(closing_after=middle) == ["1", "2"]
    assert found(closing_before=middle) == ["0"]
    assert found(closing_after=middle, closing_before=middle + DAY) == ["1"]


def test_an_owners_activities_are_their_own_within_the_range(
    stub: StubServer, platform: CrmClient, pipe: Pipeline, make: Make
) -> None:
    now = stub.clock.now()
    whole: Any = {"start_date": now.date() - 10 * DAY, "end_date": now.date() + 10 * DAY, "pipeline_id": pipe.id}
    deal = make(owner_id="user_sam")
    other = platform.deals.create({"title": "Elsewhere", "value": 1})
    for owner_id, at, deal_id in (
        ("user_sam", now, deal.id), ("user_sam", now - DAY, deal.id), ("user_ada", now, deal.id),
        ("user_sam", now - 11 * DAY, deal.id), ("user_sam", now, other.id),
    ):  # fmt: skip
        note = platform.activities.notes.create({"body": "Asked", "deal_id": deal_id})
        stored(stub, "activity", note.id, owner_id=owner_id, occurred_at=at)
    task = platform.activities.tasks.create({"title": "Ask", "deal_id": deal.id, "owner_id": "user_sam"})
    stored(stub, "activity", task.id, occurred_at=now)
    later = platform.activities.notes.create({"body": "Later", "deal_id": deal.id, "owner_id": "user_sam"})
    stored(stub, "activity", later.id, occurred_at=now + DAY)

    def counted(**of: Any) -> tuple[dict[str | None, int], int]:
        shown = platform.deals.analytics.performance(**whole, **of)
        return {one.owner_id: one.activities for one in shown.owners if one.activities}, shown.totals.activities

    assert counted() == ({"user_sam": 2, "user_ada": 1}, 3)
    assert counted(owner_id="user_sam") == ({"user_sam": 2}, 2)
    del whole["pipeline_id"]
    mine, total = counted(owner_id="user_sam")
    assert (mine, total) == ({"user_sam": total}, total) and total >= 3


def test_what_is_recorded_on_a_deal_has_happened_or_is_planned(
    stub: StubServer, platform: CrmClient, flow: CrmClient, make: Make
) -> None:
    deal, now, soon = make(), stub.clock.now(), timedelta(minutes=5)
    for type, ahead, status in (
        ("meeting", soon, "completed"), ("meeting", soon + TICK, "scheduled"), ("demo", -DAY, "completed"),
        ("call", DAY, "completed"),
    ):  # fmt: skip
        at = stub.clock.now() + TICK + ahead
        said: Any = {"type": type, "date": at, "description": " Asked.\nAnd answered. ", "outcome": "Good"}
        made = flow.deals.activities.create(deal.id, said)
        kept = some(stub.store.collection("tenant_acme", "activity").get(made.id))
        assert (made.description, made.outcome, made.next_step) == ("Asked.\nAnd answered.", "Good", None)
        assert (kept["title"], kept["status"], kept["deal_id"], kept["owner_id"]) == (
            "Asked.", status, deal.id, "user_ada",
        )  # fmt: skip
    ahead = timedelta(days=3_660)
    assert flow.deals.activities.create(deal.id, {"type": "note", "date": now + ahead, "description": "x"}).date
    error = refused(
        lambda: flow.deals.activities.create(deal.id, {"type": "note", "date": now + ahead + DAY, "description": "x"})
    )
    assert [(one.field, one.rule, one.message) for one in error.fields] == [
        ("date", "max", "an activity is at most 3660 days ahead")
    ]
    proposal = flow.deals.activities.create(deal.id, {"type": "proposal", "date": now, "description": "Offer"})
    assert some(stub.store.collection("tenant_acme", "activity").get(proposal.id))["tags"] == ["proposal"]


def test_a_forecast_is_of_the_days_deals_close_and_overdue_ones_are_of_today(
    stub: StubServer, platform: CrmClient, pipe: Pipeline, make: Make
) -> None:
    for closing in (date(2025, 12, 1), date(2026, 1, 15), date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 28),
                    date(2026, 3, 1), date(2026, 3, 31), date(2026, 4, 1)):  # fmt: skip
        make(value=100, probability_override=50, expected_close_date=closing)
    won = make(value=40)
    platform.deals.move_stage(won.id, "won")

    def seen(**given: Any) -> tuple[Any, ...]:
        found = platform.deals.forecast(pipeline_id=pipe.id, **given)
        return (
            found.total_pipeline, found.weighted_forecast, found.deals_closing_this_month, found.monthly_forecast,
            found.start_date, found.end_date, [one.period for one in found.periods],
        )  # fmt: skip

    first, last = date(2026, 1, 1), date(2026, 3, 31)
    assert seen() == (800, 400, 3, 150, first, last, ["2026-01", "2026-02", "2026-03"])
    assert seen(period="quarter")[4:] == (first, last, ["2026-Q1"])
    assert seen(period="year")[4:] == (first, date(2026, 12, 31), ["2026"])
    assert seen(start_date=date(2026, 2, 1))[4:] == (date(2026, 2, 1), last, ["2026-02", "2026-03"])
    assert seen(end_date=date(2026, 2, 28))[4:] == (first, date(2026, 2, 28), ["2026-01", "2026-02"])
    rows = platform.deals.forecast(pipeline_id=pipe.id).periods
    assert [plain(row.deal_count, row.total, row.weighted) for row in rows] == [
        (4, 340, 190), (2, 200, 100), (2, 200, 100),
    ]  # fmt: skip
    assert [sum(row.categories.model_dump().values()) for row in rows] == [row.total for row in rows]
