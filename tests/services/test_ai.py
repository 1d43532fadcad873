"""The rules of churn risk and insights, and whom they are told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from stub_data import idle

from crm_sdk import CrmClient, ValidationError
from server_stub import StubServer
from server_stub.data.document import Document


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="flow")


def talk(stub: StubServer, summary: str, days_ago: int = 1) -> dict[str, Any]:
    return {"type": "call", "date": (stub.clock.now() - timedelta(days=days_ago)).isoformat(), "summary": summary}


def test_a_contacts_risk_is_that_of_its_record_and_follows_it(client: CrmClient, stub: StubServer) -> None:
    made = client.contacts.create({"name": "Anna"})
    client.contacts.communication.create(
        made.id, {"type": "call", "date": stub.clock.now(), "summary": "A great call, thanks"}
    )
    content = client.ai.churn_risk(contact_id=made.id)
    assert content.churn_risk == client.contacts.get(made.id).churn_risk
    client.contacts.communication.create(
        made.id, {"type": "call", "date": stub.clock.now(), "summary": "Terrible. We cancel and go to a competitor."}
    )
    angry = client.ai.churn_risk(contact_id=made.id)
    assert angry.churn_risk == client.contacts.get(made.id).churn_risk
    assert angry.churn_risk > content.churn_risk
    assert any("leaving" in factor for factor in angry.risk_factors)
    assert "Offer a review with the account's owner before they decide" in angry.recommendations


def test_a_history_that_is_given_counts_instead(client: CrmClient, stub: StubServer) -> None:
    def risk(**given: Any) -> int:
        return client.ai.churn_risk(**given).churn_risk

    happy, angry = [talk(stub, "Excellent, we are thrilled")], [talk(stub, "Awful, we want a refund")]
    assert risk(communication_history=angry) > risk(communication_history=happy)
    assert risk(communication_history=[talk(stub, "Fine", 200)]) > risk(communication_history=[talk(stub, "Fine", 2)])
    assert risk(contact_id="contact_123", communication_history=happy) < risk(contact_id="contact_123")
    lost, won = [{"status": "lost"}, {"stage": "closed-lost"}], [{"stage": "closed-won"}]
    assert risk(communication_history=angry, deal_history=lost) > risk(communication_history=angry, deal_history=won)
    low, high = {"loginRate": 0.1, "supportTickets": 3}, {"loginRate": 90}
    assert risk(engagement_metrics=low) > risk(engagement_metrics={}) > risk(engagement_metrics=high)


def test_what_cannot_be_weighed_is_refused(client: CrmClient) -> None:
    for wrong in ({}, {"contact_id": "contact_nope"}, {"communication_history": [{"date": "soon"}]}):
        with pytest.raises(ValidationError):
            client.ai.churn_risk(**wrong)


def test_insights_of_a_contact_are_those_of_its_page(client: CrmClient) -> None:
    found = client.ai.generate_insights("contact", "contact_123")
    assert found and found == client.contacts.ai_insights("contact_123")
    risks = client.ai.generate_insights("contact", "contact_123", context={"focus": "risk"})
    assert {insight.type for insight in risks} == {"risk"}
    assert client.ai.generate_insights("contact", "contact_123", context={"limit": 1}) == found[:1]
    with pytest.raises(ValidationError) as unknown:
        client.ai.generate_insights("contact", "contact_nope")
    assert (unknown.value.code, unknown.value.fields[0].field) == ("REFERENCE_NOT_FOUND", "entity_id")
    with pytest.raises(ValidationError):
        client.ai.generate_insights("lead", "lead_123")


def test_insights_of_a_deal_follow_its_dates_and_talks(client: CrmClient, stub: StubServer) -> None:
    def titles() -> set[str]:
        return {insight.title for insight in client.ai.generate_insights("deal", made.id)}

    today = stub.clock.now().date()
    soon, later, past = today + timedelta(days=5), today + timedelta(days=90), today - timedelta(days=5)
    made = client.deals.create({"title": "Deal", "value": 1000, "stage": "proposal", "expected_close_date": later})
    quiet = titles()
    assert not quiet & {"Closes in 5 days", "The close date has passed"}
    client.deals.update(made.id, {"expected_close_date": soon})
    assert titles() - quiet == {"Closes in 5 days"}
    client.deals.update(made.id, {"expected_close_date": past})
    assert titles() - quiet == {"The close date has passed"}
    client.deals.activities.create(
        made.id, {"type": "call", "date": stub.clock.now(), "description": "No budget left, and Initech is cheaper"}
    )
    told = client.ai.generate_insights("deal", made.id)
    assert len([insight for insight in told if insight.type == "risk"]) >= 2
    assert {insight.type for insight in told} <= {"opportunity", "risk", "suggestion", "trend"}
    assert told == client.ai.generate_insights("deal", made.id)


def test_a_competitor_at_a_deal_is_told_as_a_risk_and_all_else_as_what_it_is(
    client: CrmClient, stub: StubServer
) -> None:
    deal = client.deals.create({"title": "Deal", "value": 1000, "stage": "proposal"}).id
    for said in ("They compare us with a competitor, Initech", "Budget approved"):
        client.deals.activities.create(deal, {"type": "call", "date": stub.clock.now(), "description": said})
    own = [(one.title, one.type) for one in client.deals.get(deal).ai_insights or ()]
    assert own == [("Competes with: Initech", "competitor"), ("Budget approved", "opportunity")]
    told = [(one.title, one.type) for one in client.ai.generate_insights("deal", deal)]
    assert told == [("Competes with: Initech", "risk"), ("Budget approved", "opportunity")]


def test_insights_of_the_hour_are_told(client: CrmClient, stub: StubServer) -> None:
    made = client.contacts.create({"name": "Anna"})
    contacts = stub.store.collection("tenant_acme", "contact")
    contacts.put((contacts.get(made.id) or Document()) | {"owner_id": "user_ada"})
    stub.clock.advance(1800)
    client.contacts.communication.create(
        made.id, {"type": "call", "date": stub.clock.now(), "summary": "Terrible. We cancel."}
    )

    def told() -> set[str]:
        found = client.notifications.list(limit=100)
        return {entry.title for entry in found if entry.metadata.get("contactId") == made.id}

    assert told() == set()
    at_first = stub.snapshot()
    stub.clock.advance(1800)
    assert "May be about to leave: Anna" in told()
    before = told()
    stub.clock.advance(7200)
    assert told() == before  # nothing is told twice
    stub.restore(at_first)
    assert told() == set()
    stub.clock.advance(1800)
    assert told() == before, "what is as it was is found again"


@pytest.mark.thorough
def test_a_contact_that_comes_to_be_at_risk_is_told_once(client: CrmClient, stub: StubServer) -> None:
    idle(stub)
    made = client.contacts.create({"name": "Anna"})
    contacts = stub.store.collection("tenant_acme", "contact")
    contacts.put((contacts.get(made.id) or Document()) | {"owner_id": "user_ada"})
    client.contacts.communication.create(
        made.id, {"type": "call", "date": stub.clock.now(), "summary": "The report is late, we are worried"}
    )
    risks: list[tuple[int, int]] = []
    for _ in range(5):
        stub.clock.advance(60 * 86_400)
        found = client.contacts.get(made.id)
        told = [entry for entry in stub.audit() if entry["action"] == "notification.created"]
        alerts = [entry for entry in told if entry["entity"]["name"] == "Anna is at risk"]
        risks.append((found.churn_risk or 0, len(alerts)))
    assert risks[0][0] < risks[-1][0]
    assert [count for risk, count in risks] == [int(risk >= 60) for risk, _ in risks]
    assert risks[-1][1] == 1


def test_metrics_move_the_risk_as_shares_and_as_cases(client: CrmClient, stub: StubServer) -> None:
    cases: list[Any] = [
        ({"usage": 1}, None, -8), ({"usage": 0.6}, None, -8), ({"usage": 0.59}, None, 0), ({"usage": 60}, None, -8),
        ({"usage": 0.25}, None, 0), ({"usage": 0.24}, "Usage is low", 12), ({"usage": 24}, "Usage is low", 12),
        ({"usage": 2}, "Usage is low", 12), ({"usage": 0}, "Usage is low", 12), ({"usage": True}, None, 0),
        ({"openTickets": 1}, "1 open support cases", 4), ({"openTickets": 5}, "5 open support cases", 20),
        ({"openTickets": 9}, "9 open support cases", 20), ({"openTickets": 0}, None, 0), ({"visits": 9}, None, 0),
    ]  # fmt: skip
    for metrics, factor, moves in cases:
        said = [talk(stub, "We met", 70)]
        before = client.ai.churn_risk(communication_history=said)
        found = client.ai.churn_risk(communication_history=said, engagement_metrics=metrics)
        assert found.churn_risk - before.churn_risk == moves, metrics
        new = [one for one in found.risk_factors if one not in before.risk_factors]
        assert new == ([factor] if factor else []), metrics


def test_what_was_heard_weighs_by_its_topic(stub: StubServer, client: CrmClient) -> None:
    cases: list[Any] = [
        ("Budget approved", "Budget approved", "opportunity", "high"),
        ("They are ready to sign", "Ready to sign", "opportunity", "high"),
        ("They are very interested", "Strong interest", "opportunity", "medium"),
        ("A great demo", "Demo convinced", "opportunity", "medium"),
        ("There is no budget", "Budget in doubt", "risk", "high"),
        ("The champion left", "Decision maker missing", "risk", "high"),
        ("It is on hold", "Delayed", "risk", "medium"),
        ("It is in legal review", "Held up by review", "risk", "medium"),
    ]
    for said, title, type, impact in cases:
        deal = client.deals.create({"title": "Deal", "value": 1000, "stage": "proposal"})
        client.deals.activities.create(deal.id, {"type": "call", "date": stub.clock.now(), "description": said})
        told = {one.title: (one.type, one.impact) for one in client.deals.get(deal.id).ai_insights or ()}
        assert told[title] == (type, impact), said
