"""The rules of deals, as a caller meets them: what is computed moves with the data."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from refusals import refused

from crm_sdk import CrmClient, InvalidInputError
from crm_sdk.models.deals import Deal
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.services.deals import probability as table
from server_stub.services.deals import signals as deal_signals

DAY = 24 * 3_600


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="flow", max_retries=0, strict=True)


@pytest.fixture
def deal(client: CrmClient) -> Deal:
    return client.deals.create(
        {"title": "Fleet", "contact_id": "contact_123", "value": Decimal(1_000), "stage": "proposal"}
    )


def told(client: CrmClient, stub: StubServer, deal: Deal, text: str, *, days_ago: float = 0) -> Deal:
    at = stub.clock.now() - timedelta(days=days_ago)
    client.deals.activities.create(deal.id, {"type": "call", "date": at, "description": text})
    return client.deals.get(deal.id)


def ids(client: CrmClient, filter: str) -> set[str]:
    return {found.id for found in client.deals.list(filter=filter)}


def stored(stub: StubServer, kind: str, id: str | None) -> Document:
    doc = stub.store.collection("tenant_acme", kind).get(id or "")
    assert doc is not None
    return doc


# -- a deal's life -------------------------------------------------------------------------------------------------


def test_a_deal_begins_with_what_is_known(client: CrmClient) -> None:
    made = client.deals.create({"title": " Fleet ", "contact_id": "contact_123"})
    assert (made.title, made.stage, made.probability, int(made.value)) == ("Fleet", "prospect", 10, 0)
    assert (made.contact_name, made.company) == ("Alice Johnson", "Innovation Inc")
    assert made.expected_close_date == date(2026, 3, 31)
    assert next(iter(client.deals.list())).id == made.id
    assert [found.id for found in client.deals.list(search="fleet alice")] == [made.id]


def test_changes_are_computed_anew(client: CrmClient, deal: Deal) -> None:
    changed = client.deals.update(deal.id, {"stage": "negotiation", "contact_id": None, "tags": ["Big", "big"]})
    assert (changed.stage, changed.probability, changed.contact_name, changed.tags) == (
        "negotiation",
        75,
        None,
        ["Big"],
    )
    assert changed.title == deal.title
    client.deals.delete(deal.id)
    assert refused(lambda: client.deals.get(deal.id)).status == 404


def test_what_cannot_be_is_refused(client: CrmClient, stub: StubServer, deal: Deal) -> None:
    assert refused(lambda: client.deals.create({"title": "x", "contact_id": "contact_nope"})).code == (
        "REFERENCE_NOT_FOUND"
    )
    with pytest.raises(InvalidInputError, match="title: must not be blank"):
        client.deals.create({"title": "  "})
    assert client.request("POST", "/api/deals", json={"title": "  "}).status == 422
    assert refused(lambda: client.deals.move_stage(deal.id, "nowhere")).code == "STAGE_NOT_IN_PIPELINE"
    assert refused(lambda: client.deals.move_stage("deal_nope", "proposal")).status == 404
    assert refused(lambda: list(client.deals.list(filter="cold"))).code == "VALIDATION_ERROR"
    assert client.request("PUT", f"/api/deals/{deal.id}", json={"value": None}).status == 422
    with pytest.raises(InvalidInputError, match="value: must be less than 1000000000000000"):
        client.deals.update(deal.id, {"value": Decimal("1E+15")})
    assert refused(lambda: told(client, stub, deal, "Far ahead.", days_ago=-4_000)).status == 422


def test_another_companys_deals_are_not_there(stub: StubServer, deal: Deal) -> None:
    globex = stub.client(dialects="flow", api_key="globex-admin")
    assert refused(lambda: globex.deals.get(deal.id)).status == 404
    assert deal.id not in {found.id for found in globex.deals.list()}


# -- the probability -----------------------------------------------------------------------------------------------


def test_the_table_is_the_documented_one(stub: StubServer) -> None:
    page = (Path(__file__).parents[3] / "docs" / "deals.md").read_text()
    for key, base in table.STAGE_BASE.items():
        assert f"| stage `{key}` | {base} |" in page
    for line, points in (("positive signal", table.SIGNAL), ("risk factor", -table.RISK), ("competitor", -10)):
        assert f"| {line}" in page and f"| {points:+d}" in page
    stages = stub.store.collection("tenant_acme", "stage").find("pipeline_id", "pipeline_acme")
    assert {stage["key"]: stage["probability"] for stage in stages} == table.STAGE_BASE


def test_signals_add_and_risks_and_competitors_take(client: CrmClient, stub: StubServer, deal: Deal) -> None:
    assert deal.probability == 50
    better = told(client, stub, deal, "Budget approved and very interested.")
    assert (better.probability, better.positive_signals) == (60, ["Budget approved", "Strong interest"])
    worse = told(client, stub, deal, "The project is postponed.")
    assert (worse.probability, worse.risk_factors) == (53, ["Delayed"])
    rivalled = told(client, stub, deal, "They look at our competitor Blue Ocean.")
    assert (rivalled.probability, rivalled.competitor_mentioned) == (43, "Blue Ocean")
    assert client.deals.move_stage(deal.id, "negotiation").probability == 68
    assert stored(stub, "deal", deal.id)["probability"] == 68


def test_what_is_said_last_about_a_topic_counts(client: CrmClient, stub: StubServer, deal: Deal) -> None:
    assert told(client, stub, deal, "There is no budget.", days_ago=3).probability == 43
    assert told(client, stub, deal, "The budget was approved.", days_ago=2).probability == 55
    assert told(client, stub, deal, "Too expensive, they say.", days_ago=4).positive_signals == ["Budget approved"]
    last = told(client, stub, deal, "Now the budget is cut.")
    assert (last.positive_signals, last.risk_factors, last.probability) == ([], ["Budget in doubt"], 43)


def test_what_is_to_come_tells_nothing_yet(client: CrmClient, stub: StubServer, deal: Deal) -> None:
    assert told(client, stub, deal, "Budget approved.", days_ago=-2).probability == 50
    stub.clock.advance(3 * DAY)
    assert client.deals.get(deal.id).probability == 55


def test_a_closed_deal_is_certain_and_an_override_wins(client: CrmClient, stub: StubServer, deal: Deal) -> None:
    told(client, stub, deal, "No budget.")
    stub.store.collection("tenant_acme", "deal").put(stored(stub, "deal", deal.id) | {"probability_override": 33})
    assert client.deals.get(deal.id).probability == 33
    assert client.deals.move_stage(deal.id, "closed-lost").probability == 0
    assert client.deals.move_stage(deal.id, "closed-won").probability == 100


@pytest.mark.thorough
def test_confidence_follows_recent_activity_and_the_ratio(client: CrmClient, stub: StubServer, deal: Deal) -> None:
    assert deal.confidence == "low"
    assert told(client, stub, deal, "Talked.").confidence == "medium"
    assert told(client, stub, deal, "Ready to sign.").confidence == "high"
    stub.clock.advance(8 * DAY)
    assert client.deals.get(deal.id).confidence == "medium"  # nothing of the last seven days, but a signal
    assert told(client, stub, deal, "On hold, no response, and a legal review.").confidence == "low"


def test_texts_are_read_in_three_languages() -> None:
    cases: list[tuple[str, list[str]]] = [
        ("The budget was not approved.", []),
        ("No concerns at all!", []),
        ("Sehr interessiert, aber leider zu teuer.", ["Strong interest", "Budget in doubt"]),
        ("Das Budget ist freigegeben; Konkurrenz gibt es keine.", ["Budget approved", "unnamed competitor"]),
        ("Es gibt keine Konkurrenz.", []),
        ("Der Entscheider ist überzeugt, Termin vereinbart.", ["Decision maker on board", "Next step agreed"]),
        ("Sin presupuesto; el proyecto está en pausa.", ["Budget in doubt", "Delayed"]),
        ("Están muy interesados y listos para firmar.", ["Strong interest", "Ready to sign"]),
        ("They compare us with Hubspot.", ["HubSpot"]),
    ]
    for text, expected in cases:
        assert [label for _, label, _ in deal_signals.read(text)] == expected


def test_the_service_weighs_what_it_is_given(client: CrmClient, stub: StubServer) -> None:
    now = stub.clock.now().isoformat()
    plain = client.ai.deal_probability("proposal")
    assert (plain.probability, plain.confidence) == (50, "low")
    entry = {"type": "call", "date": now, "description": "Ready to sign", "nextStep": "Demo scheduled"}
    rich = client.ai.deal_probability(
        "proposal", activities=[entry], positive_signals=["Warm"], risk_factors=["Slow"], competitor_mentioned="Zoho"
    )
    assert (rich.probability, rich.confidence) == (50 + 15 - 7 - 10, "high")
    assert all(word in rich.reasoning for word in ("Ready to sign", "Warm", "Slow", "Zoho", "48 %"))
    assert client.ai.deal_probability("closed-won", risk_factors=["Slow"]).probability == 100
    assert refused(lambda: client.ai.deal_probability("nowhere")).status == 422
    assert refused(lambda: client.ai.deal_probability("proposal", activities=[{"date": "soon"}])).status == 422


# -- what happened -------------------------------------------------------------------------------------------------


def test_an_activity_is_kept_and_gives_insights(client: CrmClient, stub: StubServer, deal: Deal) -> None:
    before = client.contacts.get("contact_123")
    made = client.deals.activities.create(
        deal.id,
        {"type": "demo", "date": stub.clock.now(), "description": "Demo went well.", "outcome": "Too expensive"},
    )
    now = client.deals.get(deal.id)
    assert now.activities == [made] and made.outcome == "Too expensive" and made.type == "demo"
    assert now.last_activity and deal.last_activity and now.last_activity > deal.last_activity
    assert {(insight.type, insight.title) for insight in now.ai_insights} == {
        ("opportunity", "Demo convinced"),
        ("risk", "Budget in doubt"),
    }
    assert len(client.contacts.get("contact_123").communication_history) == len(before.communication_history) + 1
    with pytest.raises(InvalidInputError, match="description: must not be blank"):
        client.deals.activities.create(deal.id, {"type": "call", "date": stub.clock.now(), "description": " "})


@pytest.mark.thorough
def test_silence_shows(client: CrmClient, stub: StubServer, deal: Deal) -> None:
    assert deal.id not in ids(client, "at-risk")
    stub.clock.advance(30 * DAY)
    assert deal.id in ids(client, "at-risk")
    assert "Nothing happened for 30 days" in {insight.title for insight in client.deals.get(deal.id).ai_insights}
    told(client, stub, deal, "Talked.")
    assert deal.id not in ids(client, "at-risk")


# -- moving and closing --------------------------------------------------------------------------------------------


def test_winning_moves_contact_account_and_tells(client: CrmClient, stub: StubServer) -> None:
    lead = stub.client().leads.create({"name": "Ann New", "company": "Brand New Ltd", "value": Decimal(5_000)})
    made = stub.client().leads.convert(lead.id)
    assert made.deal is not None
    contact = stored(stub, "contact", made.contact.id)
    account = stored(stub, "account", made.deal.account_id)
    assert (contact["open_deals"], account["open_deal_value"], account["type"]) == (1, 5_000, "prospect")
    client.deals.move_stage(made.deal.id, "closed-won")
    contact, account = stored(stub, "contact", made.contact.id), stored(stub, "account", made.deal.account_id)
    assert (contact["open_deals"], contact["total_value"], contact["lifecycle_stage"]) == (0, 5_000, "customer")
    assert (account["open_deal_value"], account["won_value"], account["type"]) == (0, 5_000, "customer")
    assert stored(stub, "deal", made.deal.id)["closed_at"] is not None
    notice = stub.store.collection("tenant_acme", "notification").all()[-1]
    assert (notice["type"], notice["title"]) == ("deal_update", "Deal won: Brand New Ltd")
    assert notice["user_id"] == made.deal.owner_id
    assert {"deal.stage_changed", "deal.won"} <= {entry["action"] for entry in stub.audit()}
    client.deals.move_stage(made.deal.id, "proposal")
    assert stored(stub, "deal", made.deal.id)["closed_at"] is None
    assert stored(stub, "account", made.deal.account_id)["won_value"] == 0
    assert stub.audit()[-1]["action"] != "deal.won"


# -- lists and sums ------------------------------------------------------------------------------------------------


@pytest.mark.thorough
def test_filters_follow_the_data(client: CrmClient, stub: StubServer, deal: Deal) -> None:
    assert not any(deal.id in ids(client, name) for name in ("hot", "at-risk", "closing-soon"))
    client.deals.move_stage(deal.id, "negotiation")
    assert deal.id in ids(client, "hot")
    client.deals.update(deal.id, {"expected_close_date": date(2026, 1, 31)})
    assert deal.id in ids(client, "closing-soon")
    stub.clock.advance(17 * DAY)
    assert deal.id not in ids(client, "closing-soon")
    assert deal.id in ids(client, "at-risk")
    client.deals.move_stage(deal.id, "closed-won")
    assert not any(deal.id in ids(client, name) for name in ("hot", "at-risk", "closing-soon"))
    assert deal.id in ids(client, "all")


def test_the_forecast_adds_up(client: CrmClient, deal: Deal) -> None:
    before = client.deals.forecast()
    client.deals.update(deal.id, {"value": Decimal(3_000), "expected_close_date": date(2026, 1, 20)})
    after = client.deals.forecast()
    assert after.total_pipeline - before.total_pipeline == 2_000
    assert after.weighted_forecast - before.weighted_forecast == 1_000
    assert after.deals_closing_this_month - before.deals_closing_this_month == 1
    assert after.monthly_forecast - before.monthly_forecast == 1_500
    client.deals.move_stage(deal.id, "closed-lost")
    assert client.deals.forecast().total_pipeline == before.total_pipeline - 1_000
