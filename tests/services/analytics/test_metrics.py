"""Metrics: every figure follows from the records, moves with them, and is compared with the right time."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused
from stub_data import plain, some, stored

from crm_sdk import CrmClient
from crm_sdk.models import Pipeline
from server_stub import StubServer
from server_stub.clock import TICK
from server_stub.services.analytics.comparing import metric

from .conftest import Make, Wait, part

TODAY = date(2026, 1, 15)
DAY = timedelta(days=1)
WEEK: Any = {"start_date": TODAY - 3 * DAY, "end_date": TODAY + 3 * DAY, "period": "day"}
NAMES = ("sales", "leads", "activities", "performance")


# -- a figure and its change -----------------------------------------------------------------------------------------


def test_a_change_is_a_share_of_what_was() -> None:
    cases: list[tuple[Any, Any, float | None, str]] = [
        (3, 2, 0.5, "increase"),
        (1, 4, -0.75, "decrease"),
        (2, 2, 0.0, "none"),
        (0, 0, 0.0, "none"),
        (5, 0, None, "increase"),
        (0, 9, -1.0, "decrease"),
        (5, None, None, "none"),
        (0.25, 0.2, 0.25, "increase"),
    ]
    for value, previous, change, change_type in cases:
        found = metric("count", value, previous)
        assert (found["change"], found["change_type"], found["value"]) == (change, change_type, Decimal(str(value))), (
            value
        )


@given(st.decimals(0, 10**15, places=2), st.decimals(0, 10**15, places=2))
def test_the_direction_of_a_change_is_its_sign(value: Decimal, previous: Decimal) -> None:
    found = metric("currency", value, previous)
    assert found["change_type"] == ("increase" if value > previous else "decrease" if value < previous else "none")


def test_a_range_is_compared_with_another(platform: CrmClient) -> None:
    cases: list[tuple[str, date, date, tuple[date | None, ...]]] = [
        ("previous_period", date(2026, 1, 10), date(2026, 1, 14), (date(2026, 1, 5), date(2026, 1, 9))),
        ("previous_period", date(2026, 1, 15), date(2026, 1, 15), (date(2026, 1, 14), date(2026, 1, 14))),
        ("previous_year", date(2026, 1, 10), date(2026, 1, 14), (date(2025, 1, 10), date(2025, 1, 14))),
        ("previous_year", date(2024, 2, 29), date(2024, 2, 29), (date(2023, 2, 28), date(2023, 2, 28))),
        ("none", date(2026, 1, 10), date(2026, 1, 14), (None, None)),
    ]
    for compare_to, start, end, before in cases:
        found = platform.analytics.metrics.sales(start_date=start, end_date=end, compare_to=compare_to)
        assert (found.compared_start_date, found.compared_end_date) == before, compare_to
        assert (found.revenue.previous is None) is (compare_to == "none"), compare_to


def test_a_range_ends_after_it_starts(platform: CrmClient) -> None:
    for name in NAMES:
        call = getattr(platform.analytics.metrics, name)
        error = refused(partial(call, start_date=TODAY, end_date=TODAY - DAY))
        assert (error.status, error.fields[0].field) == (422, "end_date"), name


@pytest.mark.parametrize("name", ["sales", "leads", "activities"])
def test_the_calendar_has_a_beginning(platform: CrmClient, name: str) -> None:
    call = getattr(platform.analytics.metrics, name)
    for compare_to in ("previous_period", "previous_year"):
        given: Any = {"start_date": date(1, 1, 5), "end_date": date(1, 3, 1), "compare_to": compare_to}
        assert refused(partial(call, **given)).status == 422
    assert refused(lambda: call(compare_to="yesterday")).fields[0].rule == "choice"


# -- sales -----------------------------------------------------------------------------------------------------------


def test_sales_follow_the_deals(platform: CrmClient, pipe: Pipeline, deal: Make) -> None:
    def seen(**more: Any) -> Any:
        return platform.analytics.metrics.sales(pipeline_id=pipe.id, **WEEK, **more)

    won, lost, opened = deal(value=300), deal(value=50), deal(value=1_000)
    assert part(seen(), "open_deals", "pipeline_value", "weighted_pipeline", "new_deals") == (3, 1_350, 540, 3)
    platform.deals.move_stage(won.id, "won")
    platform.deals.move_stage(lost.id, "lost", lost_reason="price")
    found = seen()
    assert part(found, "revenue", "won_deals", "lost_deals", "win_rate", "open_deals") == (300, 1, 1, 0.5, 1)
    assert part(found, "avg_deal_size", "pipeline_value", "weighted_pipeline") == (300, 1_000, 400)
    platform.deals.update(won.id, {"value": 900})  # what it was won with counts
    assert part(seen(), "revenue") == (300,)
    series = {line.name: {p.period: float(p.value) for p in line.points if p.value} for line in seen().series}
    assert series == {"revenue": {"2026-01-15": 300}, "won_deals": {"2026-01-15": 1}}
    assert [len(line.points) for line in seen().series] == [7, 7]
    platform.deals.move_stage(won.id, "start")
    assert part(seen(), "revenue", "won_deals", "open_deals", "pipeline_value") == (0, 0, 2, 1_900)
    platform.deals.delete(opened.id)
    assert part(seen(), "open_deals", "new_deals") == (1, 2)


def test_open_deals_are_those_of_the_end_of_the_range(
    platform: CrmClient, pipe: Pipeline, deal: Make, wait: Wait
) -> None:
    first = deal(value=100)
    wait(10)
    platform.deals.update(first.id, {"value": 700})
    deal(value=30)
    now = platform.analytics.metrics.sales(
        pipeline_id=pipe.id, start_date=TODAY + 6 * DAY, end_date=TODAY + 12 * DAY
    )  # compared with the week that ended when the first was worth 100
    assert part(now, "open_deals", "pipeline_value") == (2, 730)
    assert plain(now.open_deals.previous, now.pipeline_value.previous, now.weighted_pipeline.previous) == (1, 100, 40)


def test_quota_is_attained_by_what_was_won(platform: CrmClient, pipe: Pipeline, deal: Make) -> None:
    platform.deals.move_stage(deal(value=5_000, owner_id="user_sam").id, "won")
    january: Any = {"start_date": date(2026, 1, 1), "end_date": date(2026, 1, 31), "pipeline_id": pipe.id}
    found = platform.analytics.metrics.sales(owner_id="user_sam", **january)
    assert part(found, "quota_attainment") == (0.1,)  # a month's quota is 50,000
    assert [(row.owner_id, float(row.won_value)) for row in found.by_owner] == [("user_sam", 5_000)]


def test_sums_are_in_the_currency_asked_for(platform: CrmClient, pipe: Pipeline, deal: Make) -> None:
    platform.deals.move_stage(deal(value=108).id, "won")
    platform.deals.move_stage(deal(value=100, currency="EUR").id, "won")
    deal(value=54)
    euros = platform.analytics.metrics.sales(pipeline_id=pipe.id, currency="EUR", **WEEK)
    assert part(euros, "revenue", "pipeline_value", "avg_deal_size", "won_deals") == (200, 50, 100, 2)
    assert (euros.currency, float(sum(p.value for p in euros.series[0].points))) == ("EUR", 200)
    assert sum(float(row.won_value) for row in euros.by_owner) == 200
    assert part(platform.analytics.metrics.sales(pipeline_id=pipe.id, **WEEK), "revenue") == (216,)
    error = refused(lambda: platform.analytics.metrics.sales(currency="XXX"))
    assert (error.fields[0].field, error.fields[0].rule) == ("currency", "choice")


def test_sales_are_those_of_the_analytics_of_deals(platform: CrmClient) -> None:
    sales, deals = platform.analytics.metrics.sales(), platform.deals.analytics.performance()
    assert sales.by_owner == deals.owners
    assert plain(sales.revenue.value, sales.won_deals.value) == (deals.totals.won_value, deals.totals.deals_won)
    assert sum(p.value for p in sales.series[0].points) == sales.revenue.value


# -- performance -----------------------------------------------------------------------------------------------------


def test_a_user_in_two_teams_counts_in_both_and_once_in_the_totals(
    platform: CrmClient, stub: StubServer, pipe: Pipeline, deal: Make
) -> None:
    users, teams = (stub.store.collection("tenant_acme", kind) for kind in ("user", "team"))
    sales = teams.get("team_acme_sales")
    sam = users.get("user_sam")
    assert sales is not None and sam is not None
    teams.put(sales | {"id": "team_two", "name": "Two"})
    users.put(sam | {"team_ids": ["team_acme_sales", "team_two"]})
    platform.deals.move_stage(deal(value=400, owner_id="user_sam").id, "won")
    platform.deals.move_stage(deal(value=100, owner_id="user_mia").id, "won")
    platform.deals.move_stage(deal(value=7, owner_id="user_mia").id, "lost", lost_reason="price")
    deal(value=9, owner_id="user_sam")
    found = platform.analytics.metrics.performance(pipeline_id=pipe.id, **WEEK)
    rows = {row.team_id: row for row in found.teams}
    assert [row.team_id for row in found.teams] == ["team_acme_sales", "team_two"]
    assert plain(rows["team_two"].members, rows["team_two"].won_value, rows["team_two"].open_value) == (1, 400, 9)
    whole = rows["team_acme_sales"]
    assert plain(whole.won, whole.lost, whole.win_rate, whole.won_value, whole.members) == (2, 1, 0.6667, 500, 4)
    assert plain(found.totals.won_value, found.totals.deals_won) == (500, 2)
    assert [row.team_id for row in platform.analytics.metrics.performance(owner_id="user_mia").teams] == [sales["id"]]
    assert [row.team_id for row in platform.analytics.metrics.performance(team_id="team_two").teams] == ["team_two"]


def test_owners_are_ranked_by_a_figure(platform: CrmClient) -> None:
    cases: list[str | None] = ["deals_won", "activities", "win_rate", "attainment", "open_value", None]
    for sort in cases:
        found = platform.analytics.metrics.performance(sort=sort) if sort else platform.analytics.metrics.performance()
        figures = [getattr(row, sort or "won_value") or 0 for row in found.owners]
        assert figures == sorted(figures, reverse=True) and len(set(figures)) > 1, sort
        assert [row.rank for row in found.owners] == list(range(1, len(found.owners) + 1)), sort
        if sort is None:
            assert found.owners == platform.deals.analytics.performance().owners
        assert refused(lambda: platform.analytics.metrics.performance(sort="owner")).fields[0].field == "sort", sort


# -- leads -----------------------------------------------------------------------------------------------------------


def test_leads_are_counted_by_what_became_of_them(platform: CrmClient, wait: Wait) -> None:
    def seen(**more: Any) -> Any:
        return platform.analytics.metrics.leads(source="metrics", **WEEK, **more)

    ids = [
        platform.leads.create({"name": f"Lead {n}", "source": "metrics", "owner_id": "user_ada"}).id for n in range(4)
    ]
    platform.leads.update(ids[0], {"status": "qualified"})
    platform.leads.convert(ids[1])
    platform.leads.update(ids[3], {"owner_id": "user_sam"})
    platform.leads.update(ids[2], {"owner_id": None})
    found = seen()
    assert part(found, "total_leads", "new_leads", "qualified_leads", "converted_leads") == (4, 4, 2, 1)
    assert part(found, "conversion_rate", "qualification_rate", "unassigned_leads") == (0.25, 0.5, 1)
    assert found.source_breakdown == {"metrics": 4}
    assert found.status_breakdown == {"converted": 1, "new": 2, "qualified": 1}
    assert sum(found.rating_breakdown.values()) == 4
    scores = [platform.leads.get(id).score or 0 for id in ids]
    assert part(found, "avg_score") == (round(sum(scores) / 4, 2),)
    assert [float(sum(p.value for p in line.points)) for line in found.series] == [4, 2, 1]
    assert part(seen(owner_id="user_sam"), "new_leads") == (1,)
    platform.leads.delete(ids[0])
    assert part(seen(), "total_leads", "qualified_leads") == (3, 1)
    wait(7)
    later = platform.analytics.metrics.leads(source="metrics", start_date=TODAY + 4 * DAY, end_date=TODAY + 10 * DAY)
    assert part(later, "total_leads", "new_leads", "conversion_rate") == (3, 0, 0)
    assert plain(later.new_leads.previous, later.total_leads.previous) == (3, 3)


def test_a_response_is_what_goes_out_first(platform: CrmClient, stub: StubServer, wait: Wait) -> None:
    cases: list[str] = ["call", "email", "message", "inbound"]
    fresh = stub.snapshot()
    for door in cases:
        stub.restore(fresh)
        lead = platform.leads.create({"name": "Waits", "source": "response"})
        platform.leads.create({"name": "Never answered", "source": "response"})
        wait(0.5)
        at = stub.clock.now()
        if door == "call":
            platform.activities.calls.create({"title": "Hello", "lead_id": lead.id, "start_time": at})
        elif door == "email":
            mail: Any = {"subject": "Hi", "to": [{"email": "a@example.com"}], "body_text": "Hi", "sent_at": at}
            platform.activities.emails.create(mail | {"lead_id": lead.id})
        elif door == "message":
            stub.client(dialects="mvp").messages.create({"lead_id": lead.id, "content": "Hello"})
        else:
            platform.activities.calls.create({"title": "They", "lead_id": lead.id, "direction": "inbound"})
        found = platform.analytics.metrics.leads(source="response", **WEEK)
        (minutes,) = part(found, "avg_response_minutes")
        assert minutes == (0 if door == "inbound" else pytest.approx(720, abs=0.1)), door


def test_a_call_that_is_planned_is_a_response_from_its_very_time_on(platform: CrmClient, stub: StubServer) -> None:
    lead = platform.leads.create({"name": "Waits", "source": "response"})
    at = some(lead.created_at) + timedelta(minutes=90)
    platform.activities.calls.create({"title": "Later", "lead_id": lead.id, "start_time": at})
    seen: list[float | None] = []
    for before in (2 * TICK, TICK):  # a request is a tick after the one before it
        stub.clock.advance((at - before - stub.clock.now()).total_seconds())
        seen += part(platform.analytics.metrics.leads(source="response", **WEEK), "avg_response_minutes")
    assert seen == [0, 90]


# -- activities ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "rate"), [(-1, 0), (0, 0), (1, 1)])
def test_a_reply_in_a_thread_comes_after_what_it_answers(
    platform: CrmClient, stub: StubServer, seconds: int, rate: float
) -> None:
    noon = datetime(2001, 5, 6, 12, tzinfo=UTC)
    mail: Any = {"subject": "One", "to": [{"email": "ada@acme.test"}], "body_text": "Hello"}
    for direction, after in (("outbound", 0), ("inbound", seconds)):
        given = mail | {"direction": direction, "sent_at": noon + timedelta(seconds=after)}
        made = platform.activities.emails.create(given)
        stored(stub, "activity", made.id, thread_id="thread_1")
    found = platform.analytics.metrics.activities(start_date=date(2001, 5, 6), end_date=date(2001, 5, 6))
    assert part(found, "emails_sent", "emails_received", "email_reply_rate") == (1, 1, rate)


def test_activities_are_counted_by_when_they_happened(platform: CrmClient, stub: StubServer) -> None:
    noon = datetime(2001, 5, 4, 12, tzinfo=UTC)
    hour, days = timedelta(hours=1), {"start_date": date(2001, 5, 3), "end_date": date(2001, 5, 5), "period": "day"}

    def seen(**more: Any) -> Any:
        return platform.analytics.metrics.activities(**{**days, **more})

    contact = platform.contacts.create({"name": "Af"}).id
    add: Any = platform.activities
    base: Any = {"contact_id": contact, "start_time": noon}
    add.calls.create({**base, "title": "a", "outcome": "connected"})
    add.calls.create({**base, "title": "b", "outcome": "no_answer", "owner_id": "user_sam"})
    add.calls.create({**base, "title": "c", "outcome": "connected", "direction": "inbound"})
    add.calls.create({**base, "title": "d", "status": "queued"})
    mail: Any = {"contact_id": contact, "to": [{"email": "a@example.com"}], "body_text": "Hi", "sent_at": noon}
    sent = add.emails.create({**mail, "subject": "One", "message_id": "<one@acme.test>"})
    add.emails.create({**mail, "subject": "Two"})
    add.events.create({**base, "title": "m", "end_time": noon + hour, "status": "completed"})
    add.events.create({**base, "title": "n", "end_time": noon + hour, "status": "no-show"})
    add.events.create({**base, "title": "o", "end_time": noon + hour, "status": "completed", "type": "demo"})
    task = add.tasks.create({**base, "title": "t", "due_at": noon + hour})
    add.notes.create({"contact_id": contact, "body": "today's"})
    found = seen()
    assert found.by_kind == {"task": 1, "event": 3, "call": 4, "email": 2, "note": 0}
    assert part(found, "total", "completed", "overdue_tasks", "meetings_held", "no_shows") == (10, 5, 1, 1, 1)
    assert part(found, "calls_made", "calls_connected", "emails_sent", "emails_received") == (2, 1, 2, 0)
    assert part(found, "email_open_rate", "email_click_rate", "email_reply_rate") == (0, 0, 0)
    rows = {row.owner_id: row for row in found.by_owner}
    ada, sam = rows["user_ada"], rows["user_sam"]
    assert (ada.total, ada.calls, ada.emails, ada.meetings, ada.tasks_completed) == (9, 3, 2, 2, 0)
    assert (sam.total, sam.calls, found.by_owner[0].owner_id) == (1, 1, "user_ada")
    assert rows["user_mia"].total == 0 and "user_rita" not in rows
    assert part(seen(owner_id="user_sam"), "total") == (1,)
    assert part(seen(kind="email"), "total") == (2,)
    assert [row.owner_id for row in seen(team_id="team_nobody").by_owner] == []

    reply: Any = {"contact_id": contact, "subject": "Re: One", "to": [{"email": "ada@acme.test"}], "body_text": "Yes"}
    add.emails.create({**reply, "direction": "inbound", "sent_at": noon + hour, "in_reply_to": sent.message_id})
    records = stub.store.collection("tenant_acme", "activity")
    kept = records.get(sent.id)
    assert kept is not None
    records.put(kept | {"tracking": {"opens": 2, "clicks": 0}})
    platform.activities.update(task.id, {"status": "completed"})
    after = seen()
    assert part(after, "email_open_rate", "email_click_rate", "email_reply_rate") == (0.5, 0, 0.5)
    assert part(after, "overdue_tasks", "completed", "emails_received") == (0, 6, 1)
    moved = seen(start_date=date(2001, 5, 6), end_date=date(2001, 5, 8))
    assert (moved.total.value, moved.total.previous, moved.total.change) == (0, 11, -1)
    assert {line.name: float(sum(p.value for p in line.points)) for line in after.series} == {
        "total": 11, "completed": 6,
    }  # fmt: skip


# -- who may ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*NAMES, "real_time"])
def test_metrics_are_of_one_company(platform: CrmClient, globex: CrmClient, deal: Make, name: str) -> None:
    def figures() -> Any:
        found = getattr(globex.analytics.metrics, name)().model_dump(exclude={"as_of", "api_requests_last_minute"})
        return found

    before = figures()
    platform.deals.move_stage(deal(value=77).id, "won")
    platform.leads.create({"name": "Acme's"})
    platform.activities.calls.create({"title": "Acme's", "lead_id": platform.leads.list(limit=1).items[0].id})
    assert figures() == before


@pytest.mark.parametrize("name", NAMES)
def test_the_async_client_reads_the_same(stub: StubServer, platform: CrmClient, name: str) -> None:
    async def read() -> object:
        async with stub.async_client(dialects="platform") as crm:
            return await getattr(crm.analytics.metrics, name)()

    assert asyncio.run(read()) == getattr(platform.analytics.metrics, name)()
