"""The rules of the dashboard, as a caller meets them: each figure moves with the data."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from crm_sdk import CrmClient, NotFoundError
from crm_sdk.models.dashboard import ActionItem
from crm_sdk.models.deals import Deal
from server_stub import StubServer

DAY = 24 * 3_600


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="flow", max_retries=0, strict=True)


@pytest.fixture
def deal(client: CrmClient) -> Deal:
    return client.deals.create(
        {"title": "Fleet", "contact_id": "contact_123", "value": Decimal(900_000), "stage": "proposal"}
    )


def about(client: CrmClient, text: str) -> list[ActionItem]:
    return [item for item in client.dashboard.action_items.list() if text in item.title]


@pytest.mark.thorough
def test_the_forecast_follows_the_quarter(client: CrmClient, stub: StubServer) -> None:
    before = client.dashboard.forecast()
    made = client.deals.create({"title": "x", "value": Decimal(1_000), "stage": "proposal"})
    deals = stub.store.collection("tenant_acme", "deal")
    doc = deals.get(made.id)
    assert doc is not None
    deals.put(doc | {"source": "partner"})
    after = client.dashboard.forecast()
    assert (after.period, int(after.revenue - before.revenue)) == ("2026-Q1", 500)
    shares = [{share.source: share.amount for share in found.breakdown} for found in (before, after)]
    assert shares[1]["partner"] - shares[0].get("partner", Decimal()) == 1_000
    client.deals.move_stage(made.id, "closed-won")
    assert client.dashboard.forecast().revenue - before.revenue == 1_000
    client.deals.update(made.id, {"stage": "proposal", "expected_close_date": date(2026, 4, 1)})
    assert client.dashboard.forecast().revenue == before.revenue
    stub.clock.advance(90 * DAY)
    assert client.dashboard.forecast().period == "2026-Q2"


def test_the_forecasts_confidence_is_that_of_its_deals(client: CrmClient, deal: Deal) -> None:
    assert (deal.confidence, client.dashboard.forecast().confidence) == ("low", "low")
    client.deals.move_stage(deal.id, "closed-won")
    assert client.dashboard.forecast().confidence == "high"


@pytest.mark.thorough
def test_the_summary_counts(client: CrmClient, deal: Deal, stub: StubServer) -> None:
    before = client.dashboard.summary()
    assert before.deals[0].id == deal.id and len(before.deals) == len(before.contacts) == 10
    assert before.at_risk_contacts == client.contacts.stats().at_risk
    client.deals.update(deal.id, {"value": Decimal(950_000), "stage": "negotiation"})
    client.contacts.communication.create(
        "contact_123", {"type": "note", "date": stub.clock.now(), "summary": "Talked."}
    )
    after = client.dashboard.summary()
    assert after.total_deals_value - before.total_deals_value == 50_000
    assert after.high_probability_deals - before.high_probability_deals == 1
    assert after.contacts[0].id == "contact_123"
    stub.clock.advance(90 * DAY)
    assert client.dashboard.summary().at_risk_contacts > after.at_risk_contacts


@pytest.mark.thorough
def test_deals_ask_for_what_they_need(client: CrmClient, deal: Deal, stub: StubServer) -> None:
    assert about(client, "Fleet") == []
    stub.clock.advance(15 * DAY)
    assert [(item.type, item.title) for item in about(client, "Fleet")] == [
        ("suggestion", "No activity on Fleet for 15 days")
    ]
    client.deals.update(deal.id, {"expected_close_date": date(2026, 2, 10)})
    assert [item.type for item in about(client, "Fleet closes on 2026-02-10")] == ["opportunity"]
    client.deals.move_stage(deal.id, "prospect")
    assert [item.type for item in about(client, "Fleet closes on 2026-02-10")] == ["warning"]
    stub.clock.advance(15 * DAY)
    assert [item.type for item in about(client, "Fleet should have closed")] == ["warning"]
    client.deals.move_stage(deal.id, "closed-lost")
    assert about(client, "Fleet") == []


def test_contacts_at_risk_are_named(client: CrmClient) -> None:
    at_risk = {contact.name for contact in client.contacts.list(filter="at-risk")}
    assert {item.title.partition(" may be")[0] for item in about(client, "may be about to leave")} == at_risk != set()
    assert len(about(client, "may be about to leave")) == client.dashboard.summary().at_risk_contacts


@pytest.mark.thorough
def test_what_is_dismissed_is_gone_for_one(client: CrmClient, stub: StubServer, deal: Deal) -> None:
    stub.clock.advance(15 * DAY)
    item = about(client, "Fleet")[0]
    assert [action.type for action in item.actions] == ["primary", "secondary", "dismiss"]
    client.dashboard.action_items.dismiss(item.id)
    client.dashboard.action_items.dismiss(item.id)
    assert about(client, "Fleet") == []
    other = stub.client(dialects="flow", api_key="acme-sales")
    assert [found.id for found in about(other, "Fleet")] == [item.id]
    with pytest.raises(NotFoundError):
        client.dashboard.action_items.dismiss("action_nope")
    client.deals.activities.create(deal.id, {"type": "call", "date": stub.clock.now(), "description": "Talked."})
    stub.clock.advance(15 * DAY)
    assert len(about(client, "Fleet")) == 1  # a new occasion


def test_an_item_is_dismissed_once_and_by_who_sees_it(client: CrmClient, stub: StubServer) -> None:
    item = about(client, "may be about to leave")[0]
    dismissed = stub.store.collection("tenant_acme", "dismissal")
    before = len(dismissed)
    for _ in range(2):
        client.dashboard.action_items.dismiss(item.id)
    assert len(dismissed) == before + 1 and item.id not in [one.id for one in client.dashboard.action_items.list()]
    other = stub.client(dialects="flow", api_key="acme-sales", max_retries=0)
    assert item.id in [one.id for one in other.dashboard.action_items.list()]
    for crm in (client, stub.client(dialects="flow", api_key="globex-admin", max_retries=0)):
        with pytest.raises(NotFoundError) as caught:
            crm.dashboard.action_items.dismiss("action_none" if crm is client else item.id)
        assert caught.value.code == "NOT_FOUND"
    assert len(dismissed) == before + 1
