"""The rules of analytics and achievements: figures that move with the data."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from crm_sdk import CrmClient
from crm_sdk.models.achievements import Achievement
from crm_sdk.resources.analytics import Analytics
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.services.analytics.summary import percentages
from server_stub.timetable import system_call


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="mvp", strict=True)


def won(stub: StubServer, value: int, *, days_ago: float = 0, currency: str = "USD", owner: str = "user_ada") -> None:
    at = stub.clock.now() - timedelta(days=days_ago)
    members: dict[str, Any] = {"title": "T", "stage": "closed-won", "status": "won", "closed_at": at}
    members["updated_at"] = stub.clock.now()  # it was changed since, which moves no figure
    id = stub.store.new_id("test_")
    doc = Document(members, id=id, value=Decimal(value), currency=currency, owner_id=owner, created_at=at)
    stub.store.collection("tenant_acme", "deal").put(doc)


def achievement(client: CrmClient, title: str) -> Achievement:
    return next(found for found in client.achievements.list().achievements if found.title == title)


def test_leads_are_counted(client: CrmClient) -> None:
    before = client.analytics.dashboard()
    assert before.summary.total_leads == len(list(client.leads.list(limit=200)))
    first = client.leads.create({"name": "One", "source": "advertising"})
    client.leads.create({"name": "Two", "source": "advertising"})
    client.leads.update(first.id, {"status": "qualified"})
    after = client.analytics.dashboard()
    assert after.summary.total_leads == before.summary.total_leads + 2
    assert after.summary.qualified_leads == before.summary.qualified_leads + 1
    assert after.summary.conversion_rate == round(after.summary.qualified_leads / after.summary.total_leads, 4)
    assert after.trends.leads_this_month == before.trends.leads_this_month + 2
    assert after.trends.leads_growth > before.trends.leads_growth
    assert sum(after.source_breakdown.values()) == 100
    counts = Counter(lead.source or "other" for lead in client.leads.list(limit=200))
    assert after.source_breakdown == percentages(counts) and len(counts) > 5
    client.leads.delete(first.id)
    assert client.analytics.dashboard().summary.qualified_leads == before.summary.qualified_leads


def test_what_comes_in_at_this_moment_is_of_this_month_and_what_is_to_come_is_not(
    client: CrmClient, stub: StubServer
) -> None:
    before = client.analytics.dashboard().trends
    lead = stub.store.collection("tenant_acme", "lead").all()[0]
    for number, ticks in enumerate((1, 2)):  # a request is a millisecond after the last
        at = stub.clock.now() + timedelta(milliseconds=ticks)
        stub.store.collection("tenant_acme", "lead").put(lead | {"id": f"lead_tick{number}", "created_at": at})
    assert client.analytics.dashboard().trends.leads_this_month == before.leads_this_month + 1


def test_revenue_is_of_deals_won_in_the_companys_currency(client: CrmClient, stub: StubServer) -> None:
    before = client.analytics.dashboard()
    won(stub, 10_000, currency="EUR")
    after = client.analytics.dashboard()
    assert after.summary.total_revenue == before.summary.total_revenue + 10_800
    assert after.trends.revenue_this_month == before.trends.revenue_this_month + 10_800
    assert after.trends.revenue_growth > before.trends.revenue_growth
    won(stub, 10_000_000, days_ago=31)
    later = client.analytics.dashboard()
    assert later.trends.revenue_this_month == after.trends.revenue_this_month
    assert later.trends.revenue_growth < 0
    assert later.summary.avg_deal_size > after.summary.avg_deal_size


def test_a_month_is_compared_with_as_much_of_the_one_before(stub: StubServer) -> None:
    """Both begin at midnight of the company; the moment that is asked at belongs to them, what is later does not."""
    little, leads = timedelta(microseconds=1), 0
    before, start = datetime(2026, 6, 1, 4, tzinfo=UTC), datetime(2026, 7, 1, 4, tzinfo=UTC)
    records = stub.store.collection("tenant_acme", "lead")
    lead, deal = (
        records.all()[0],
        next(one for one in stub.store.collection("tenant_acme", "deal").all() if one["status"] == "won"),
    )

    def figures(at: datetime) -> list[Any]:
        call = system_call(stub, "tenant_acme", at, "test")
        trends = stub.rules[Analytics.dashboard.operation](call)["trends"]
        return [trends[name] for name in ("leads_this_month", "leads_growth", "revenue_this_month", "revenue_growth")]

    def put(*times: datetime) -> None:
        nonlocal leads
        for at in times:
            leads += 1
            records.put(Document(lead | {"id": f"lead_t{leads}", "created_at": at}))
            won = {"id": f"deal_t{leads}", "closed_at": at, "value": Decimal(100), "currency": "USD"}
            stub.store.collection("tenant_acme", "deal").put(Document(deal | won))

    at = start + timedelta(days=3, hours=5)
    assert figures(at) == [0, 0.0, 0, 0.0]
    put(start, at, at + little)
    assert figures(at) == [2, 1.0, 200, 1.0]
    put(before - little, before, before + (at - start), before + (at - start) + little)
    assert figures(at) == [2, 0.0, 200, 0.0]
    put(start + timedelta(days=1), start - little)
    assert figures(at) == [3, 0.5, 300, 0.5]
    late = datetime(2026, 8, 1, 3, 59, tzinfo=UTC)
    assert figures(late) == [4, 0.0, 400, 0.0], "June has a day less: nothing of July counts twice"


def test_percentages_add_up() -> None:
    cases: list[tuple[dict[str, int], dict[str, int]]] = [
        ({}, {}),
        ({"a": 1, "b": 1, "c": 1}, {"a": 34, "b": 33, "c": 33}),
        ({"a": 2, "b": 1}, {"a": 67, "b": 33}),
        ({"a": 199, "b": 1}, {"a": 100, "b": 0}),
    ]
    for counts, expected in cases:
        assert percentages(counts) == expected, counts


def test_agents_are_measured_by_what_they_did(client: CrmClient) -> None:
    (before,), overall = client.analytics.ai_performance().agents, client.analytics.ai_performance().overall
    usage = client.agents.execute("agent_123", {"input": "Qualify lead_456"}).usage
    assert usage is not None
    (after,), later = client.analytics.ai_performance().agents, client.analytics.ai_performance().overall
    assert after.metrics.total_interactions == before.metrics.total_interactions + 1
    assert after.metrics.successful_interactions == before.metrics.successful_interactions + 1
    assert after.metrics.lead_qualification_rate > before.metrics.lead_qualification_rate
    assert after.metrics.cost_per_interaction < before.metrics.cost_per_interaction
    assert later.total_cost == overall.total_cost + usage.total_cost
    assert later.total_savings > overall.total_savings
    assert later.automation_rate > overall.automation_rate
    made = client.agents.create({"name": "New", "type": "sales"})
    new = next(agent for agent in client.analytics.ai_performance().agents if agent.agent_id == made.id)
    assert new.metrics.total_interactions == new.metrics.cost_per_interaction == 0


def test_achievements_are_counted_for_each_user(client: CrmClient, stub: StubServer) -> None:
    before = client.achievements.list()
    fish = achievement(client, "Big Fish")
    assert (fish.unlocked_at, fish.progress.percentage) == (None, 0)
    won(stub, 30_000, owner="user_sam")
    assert achievement(client, "Big Fish").unlocked_at is None
    won(stub, 30_000, days_ago=1)
    fish = achievement(client, "Big Fish")
    assert fish.unlocked_at is not None
    assert stub.clock.now() - fish.unlocked_at > timedelta(hours=23)
    assert (fish.progress.current, fish.progress.percentage) == (1, 100)
    after = client.achievements.list().progress
    assert after.total_unlocked == before.progress.total_unlocked + 1
    assert after.points == before.progress.points + 200
    assert after.total_available == len(before.achievements)
    figures = achievement(client, "Six Figures").progress
    assert 30_000 < figures.current < figures.target


def test_the_first_sale_is_the_first(client: CrmClient, stub: StubServer) -> None:
    newcomer = stub.client(dialects="mvp,flow", api_key="none")
    newcomer.auth.login("rita@acme.test", "demo-password")
    first = newcomer.with_options(dialects="mvp").achievements.list()
    reached = [one.title for one in first.achievements if one.unlocked_at is not None]
    assert reached == ["Well Connected"], "the whole company has connected its integrations"
    assert (first.progress.total_unlocked, first.progress.points) == (1, 100)
    won(stub, 100, days_ago=2, owner="user_rita")
    won(stub, 100, days_ago=1, owner="user_rita")
    sale = achievement(newcomer.with_options(dialects="mvp"), "First Sale")
    assert (sale.id, sale.progress.current) == ("achievement_123", 1)
    assert sale.unlocked_at is not None and stub.clock.now() - sale.unlocked_at > timedelta(days=1, hours=23)


def test_asking_an_agent_is_an_achievement(client: CrmClient) -> None:
    assert achievement(client, "Assisted").unlocked_at is None
    client.agents.execute("agent_123", {"input": "Schedule a demo"})
    assert achievement(client, "Assisted").unlocked_at is not None
    assert achievement(client, "Delegator").progress.percentage == 4


def test_an_achievement_is_told_once_to_who_reached_it(client: CrmClient, stub: StubServer) -> None:
    def told(key: str) -> list[str]:
        found = stub.client(dialects="mvp", api_key=key).notifications.list(limit=100)
        return sorted(entry.title.partition(": ")[2] for entry in found if entry.title.startswith("Achievement"))

    def sell(value: int) -> str:
        flow = stub.client(dialects="platform,flow", api_key="acme-admin")
        return flow.deals.create({"title": "Big", "value": value, "stage": "closed-won"}).id

    had = {one.title for one in stub.client(dialects="mvp", api_key="acme-admin").achievements.list().achievements
           if one.unlocked_at}  # fmt: skip
    assert "First Sale" in had and "Big Fish" not in had
    sell(24_999)
    assert told("acme-admin") == []  # the first sale was long ago
    big = sell(30_000)
    assert told("acme-admin") == ["Big Fish"]
    flow = stub.client(dialects="flow", api_key="acme-admin")
    flow.deals.move_stage(big, "proposal")
    flow.deals.move_stage(big, "closed-won")
    sell(40_000)
    assert told("acme-admin").count("Big Fish") == 1
    assert told("acme-sales") == []
    sam = stub.client(dialects="mvp", api_key="acme-sales")
    for _ in range(2):
        sam.agents.execute("agent_123", {"input": "Schedule a demo"})
    assert told("acme-sales") == ["Assisted"]
