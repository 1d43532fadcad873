"""The dashboards of a company that has just begun, whole: its forecast, its action items, and its figures."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from backing_up import Founded, found
from stub_data import some

from server_stub import StubServer

DAY = timedelta(days=1)


@pytest.fixture
def hooli(stub: StubServer) -> Founded:
    return found(stub, "Hooli")


def put(stub: StubServer, hooli: Founded, kind: str, id: str, **members: Any) -> None:
    records = stub.store.collection(hooli.id, kind)
    records.put(some(records.get(id)) | members)


def wire(client: Any, path: str) -> Any:
    reply = client.request("GET", path)
    assert reply.status == 200, reply.content
    return reply.json()


def test_the_figures_of_a_company_grow_from_nothing(stub: StubServer, hooli: Founded) -> None:
    crm, mvp = hooli.crm, hooli.crm.with_options(dialects="mvp")
    nothing = mvp.analytics.dashboard()
    assert nothing.model_dump() == {
        "summary": {"total_leads": 0, "qualified_leads": 0, "conversion_rate": 0.0, "total_revenue": 0,
                    "avg_deal_size": 0},
        "trends": {"leads_this_month": 0, "leads_growth": 0.0, "revenue_this_month": 0, "revenue_growth": 0.0},
        "source_breakdown": {},
    }  # fmt: skip
    now = stub.clock.now()
    last_month = now - 31 * DAY
    leads = [crm.leads.create({"name": name, "source": "website"}).id for name in "abc"]
    put(stub, hooli, "lead", leads[0], status="qualified")
    put(stub, hooli, "lead", leads[1], source=None)
    deals = [crm.deals.create({"title": name, "value": 100}).id for name in "abc"]
    for id, value in zip(deals[:2], (Decimal("100.01"), Decimal(300)), strict=True):
        put(stub, hooli, "deal", id, status="won", closed_at=now, value=value)
    first = mvp.analytics.dashboard()
    assert first.model_dump() == {
        "summary": {"total_leads": 3, "qualified_leads": 1, "conversion_rate": 0.3333,
                    "total_revenue": Decimal("400.01"), "avg_deal_size": Decimal("200.01")},
        "trends": {"leads_this_month": 3, "leads_growth": 1.0, "revenue_this_month": Decimal("400.01"),
                   "revenue_growth": 1.0},
        "source_breakdown": {"website": 67, "other": 33},
    }  # fmt: skip
    put(stub, hooli, "lead", leads[2], created_at=last_month)
    put(stub, hooli, "deal", deals[0], closed_at=last_month)
    later = mvp.analytics.dashboard().trends
    assert (later.leads_this_month, later.leads_growth) == (2, 1.0)
    assert (float(later.revenue_this_month), later.revenue_growth) == (300, 1.9997)
    put(stub, hooli, "deal", deals[0], closed_at=last_month + 3 * DAY)  # later in its month than it is now
    put(stub, hooli, "lead", leads[0], created_at=now - 14 * DAY - timedelta(hours=10))
    ended = mvp.analytics.dashboard().trends
    assert (ended.revenue_growth, ended.leads_this_month, ended.leads_growth) == (1.0, 1, 0.0)


def test_the_forecast_is_of_what_is_won_and_what_is_to_come_this_quarter(stub: StubServer, hooli: Founded) -> None:
    flow = hooli.crm.with_options(dialects="flow")
    empty = flow.dashboard.forecast()
    assert (float(empty.revenue), empty.period, empty.confidence) == (0, "2026-Q1", "low") and not empty.breakdown
    last, now = date(2026, 3, 31), stub.clock.now()
    deals = [hooli.crm.deals.create({"title": name, "value": 1_000}).id for name in "abcdefg"]
    stages = {deals[4]: "closed-won", deals[5]: "closed-won", deals[6]: "closed-lost"}
    for id, stage in stages.items():
        hooli.crm.deals.move_stage(id, stage, lost_reason="price" if "lost" in stage else None)
    given: tuple[dict[str, Any], ...] = (
        {"expected_close_date": last, "source": "web"}, {"expected_close_date": last + DAY}, {},
        {"expected_close_date": date(2025, 1, 1), "value": Decimal(300)},
        {"source": "web", "value": Decimal(3_000)}, {"closed_at": now - 30 * DAY}, {},
    )  # fmt: skip
    for id, members in zip(deals, given, strict=True):
        put(stub, hooli, "deal", id, **{"expected_close_date": None, "source": None, **members})
    chance = {id: int(hooli.crm.deals.get(id).probability or 0) for id in deals}
    shown = flow.dashboard.forecast()
    assert chance[deals[4]] == 100 and chance[deals[0]] == chance[deals[3]] > 0
    assert shown.revenue == 3_000 + Decimal(13 * chance[deals[0]])
    assert [(one.source, float(one.amount), one.probability) for one in shown.breakdown] == [
        ("web", 4_000, round((300_000 + 1_000 * chance[deals[0]]) / 4_000)), ("other", 300, chance[deals[3]]),
    ]  # fmt: skip
    assert shown.confidence == "medium", "3,000 of 4,300 are sure"
    put(stub, hooli, "deal", deals[4], value=Decimal(1_000))
    assert flow.dashboard.forecast().confidence == "medium"
    put(stub, hooli, "deal", deals[4], value=Decimal(700))
    assert flow.dashboard.forecast().confidence == "low", "700 of 2,000 are"
    put(stub, hooli, "deal", deals[4], value=Decimal(3_900))
    assert flow.dashboard.forecast().confidence == "high", "3,900 of 5,200 are, which is three quarters"


def test_the_action_items_of_deals_are_the_most_urgent_of_each(stub: StubServer, hooli: Founded) -> None:
    flow, now = hooli.crm.with_options(dialects="flow"), stub.clock.now()
    deals = {name: hooli.crm.deals.create({"title": name}).id for name in ("a", "b", "c", "d", "e", "f", "g")}
    soon: dict[str, Any] = {"created_at": now - 60 * DAY, "last_activity": now - DAY, "created_date": None}
    idle = now - 14 * DAY - timedelta(seconds=1)
    given: dict[str, dict[str, Any]] = {
        "a": {"expected_close_date": date(2026, 1, 14)}, "b": {"expected_close_date": date(2026, 1, 15)},
        "c": {"expected_close_date": date(2026, 1, 22), "probability_override": 50},
        "d": {"expected_close_date": date(2026, 1, 22), "probability_override": 49},
        "e": {"expected_close_date": None, "last_activity": idle},
        "f": {"expected_close_date": None, "last_activity": now - 14 * DAY + timedelta(minutes=1)},
        "g": {"expected_close_date": date(2026, 1, 14), "status": "lost"},
    }  # fmt: skip
    for name, members in given.items():
        put(stub, hooli, "deal", deals[name], **{**soon, **members})
    items = {item["title"]: item for item in wire(flow, "/api/dashboard/action-items")}
    chance = {name: hooli.crm.deals.get(id).probability for name, id in deals.items()}
    assert {title: (item["type"], item["icon"], [one["label"] for one in item["actions"]], item["timestamp"][:19])
            for title, item in items.items()} == {
        "a should have closed on 2026-01-14": (
            "warning", "calendar-x", ["Set a new date", "View deal", "Dismiss"], "2026-01-15T00:00:00"),
        f"b closes on 2026-01-15, {chance['b']} % likely": (
            "warning", "clock", ["Contact customer", "View deal", "Dismiss"], "2025-12-16T00:00:00"),
        "c closes on 2026-01-22, 50 % likely": (
            "opportunity", "trending-up", ["Contact customer", "View deal", "Dismiss"], "2025-12-23T00:00:00"),
        "d closes on 2026-01-22, 49 % likely": (
            "warning", "clock", ["Contact customer", "View deal", "Dismiss"], "2025-12-23T00:00:00"),
        "No activity on e for 14 days": (
            "suggestion", "phone", ["Plan a call", "View deal", "Dismiss"], "2026-01-15T08:59:59"),
    }  # fmt: skip


def test_agents_are_measured_by_their_share_of_what_was_said(stub: StubServer, hooli: Founded) -> None:
    mvp, crm = hooli.crm.with_options(dialects="mvp"), hooli.crm
    nothing = mvp.analytics.ai_performance()
    assert not nothing.agents and nothing.overall.model_dump() == {
        "total_cost": 0, "total_savings": 0, "automation_rate": 0.0,
    }  # fmt: skip
    agents = stub.store.collection(hooli.id, "agent")
    one = some(stub.store.collection("tenant_acme", "agent").first())
    agents.put(one | {
        "id": "agent_a", "name": "A", "performance": {"total_interactions": 7, "success_rate": 0.6,
                                                      "avg_response_time": 1.5},
        "usage": {"cost": Decimal("0.10"), "qualifications": 3, "qualified": 2},
    })  # fmt: skip
    agents.put(one | {"id": "agent_b", "name": "B", "performance": None, "usage": None})
    contact = crm.contacts.create({"name": "Eve"}).id
    at, kinds = stub.clock.now(), ("call", "call", "note", "task", "task", "event", "email")
    given: dict[str, Any] = {
        "call": {"title": "C"}, "note": {"body": "N"}, "task": {"title": "T"},
        "event": {"title": "E", "start_time": at, "end_time": at + DAY},
        "email": {"subject": "S", "to": [{"email": "a@x.example"}], "sent_at": at},
    }  # fmt: skip
    for kind in kinds:
        body: Any = {"kind": kind, "contact_id": contact, **given[kind]}
        crm.activities.create(body)
    found = mvp.analytics.ai_performance()
    assert [agent.model_dump() for agent in found.agents] == [
        {"agent_id": "agent_a", "name": "A", "metrics": {
            "total_interactions": 7, "successful_interactions": 4, "avg_response_time": 1.5,
            "cost_per_interaction": Decimal("0.014286"), "lead_qualification_rate": 0.6667}},
        {"agent_id": "agent_b", "name": "B", "metrics": {
            "total_interactions": 0, "successful_interactions": 0, "avg_response_time": 0.0,
            "cost_per_interaction": 0, "lead_qualification_rate": 0.0}},
    ]  # fmt: skip
    assert found.overall.model_dump() == {
        "total_cost": Decimal("0.10"), "total_savings": 48, "automation_rate": round(4 / (7 + 4), 4),
    }  # fmt: skip
