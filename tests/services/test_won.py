"""One story, whichever document a client prefers: a lead arrives, is talked to, becomes a deal, and the deal is won."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from server_stub import StubServer


@pytest.mark.thorough
@pytest.mark.parametrize("dialects", ["mvp,flow,platform", "flow,mvp,platform", "platform,flow,mvp"])
def test_a_lead_becomes_a_deal_that_is_won_and_everything_tells_of_it(mode: str, call: Any, dialects: str) -> None:
    stub = StubServer()
    crm = (stub.client if mode == "sync" else stub.async_client)(dialects=dialects, api_key="acme-sales")
    before = call(crm.analytics.dashboard()), call(crm.dashboard.summary())
    unlocked = {one.title for one in call(crm.achievements.list()).achievements if one.unlocked_at}

    person: Any = {"name": "Nora Vance", "email": "nora@vance.example", "company": "Vance", "value": 9000}
    lead = call(crm.leads.create(person | {"owner_id": "user_sam"}))
    call(
        crm.messages.create({"lead_id": lead.id, "content": "I'd love a quote, we are ready to buy", "sender": "lead"})
    )
    call(crm.messages.create({"lead_id": lead.id, "content": "It is on its way", "sender": "agent"}))
    call(crm.leads.update(lead.id, {"status": "contacted"}))
    arrived = call(crm.analytics.dashboard())
    assert arrived.summary.total_leads == before[0].summary.total_leads + 1

    call(crm.leads.qualify(lead.id, need="a quote"))
    made = call(crm.leads.convert(lead.id))
    assert set(made.created) == {"contact", "account", "deal"}
    likely = call(crm.deals.get(made.deal.id)).probability
    when = stub.clock.now()
    said: Any = {"type": "call", "date": when, "description": "Budget approved, they want to sign the contract"}
    call(crm.deals.activities.create(made.deal.id, said))
    weighed = call(crm.deals.get(made.deal.id))
    assert weighed.probability > likely and weighed.positive_signals
    stub.clock.advance(timedelta(days=2).total_seconds())
    won = call(crm.deals.move_stage(made.deal.id, "closed-won"))
    # Flow answers a deal of its own, without a status.
    assert (won.status, won.probability) == ("won" if dialects.startswith("platform") else None, 100)

    after = call(crm.analytics.dashboard())
    assert after.summary.total_revenue - before[0].summary.total_revenue == Decimal(9000)
    assert after.summary.qualified_leads >= before[0].summary.qualified_leads
    told = [entry for entry in call(crm.notifications.list(limit=100)) if "Vance" in f"{entry.title} {entry.message}"]
    assert any("won" in entry.title.lower() for entry in told)
    earned = {one.title for one in call(crm.achievements.list()).achievements if one.unlocked_at}
    assert earned >= unlocked
    assert call(crm.contacts.get(made.contact.id)).total_value == Decimal(9000)
    trail = [entry["action"] for entry in stub.audit("tenant_acme")]
    story = ["lead.created", "message.received", "lead.updated", "lead.qualified", "lead.converted"]
    story += ["deal.activity_added", "deal.stage_changed", "deal.won"]
    assert [trail.index(action) for action in story] == sorted(trail.index(action) for action in story)


@pytest.mark.parametrize("made_closed", [True, False])
def test_a_deal_made_won_does_what_one_moved_there_does(made_closed: bool) -> None:
    stub = StubServer()
    crm = stub.client(dialects="mvp,flow")
    person = crm.contacts.create({"name": "Nora Vance"})
    revenue = crm.analytics.dashboard().summary.total_revenue
    stage = "closed-won" if made_closed else "proposal"
    won = crm.deals.create({"title": "Vance", "value": 30_000, "contact_id": person.id, "stage": stage})
    if not made_closed:
        won = crm.deals.move_stage(won.id, "closed-won")
    assert won.probability == 100
    assert crm.analytics.dashboard().summary.total_revenue == revenue + 30_000
    assert crm.contacts.get(person.id).total_value == 30_000
    assert stub.client(dialects="platform").contacts.get(person.id).lifecycle_stage == "customer"
    told = [(entry.type, entry.title) for entry in crm.with_options(dialects="flow").notifications.list(limit=4)]
    assert ("deal_update", "Deal won: Vance") in told
    assert "Achievement unlocked: Big Fish" in {title for _, title in told}
    trail = [entry["action"] for entry in stub.audit() if entry["entity"]["id"] == won.id]
    assert [trail.count(action) for action in ("deal.created", "deal.won")] == [1, 1]
    next_stage = stub.store.collection("tenant_acme", "stage_change").find("deal_id", won.id)
    assert next_stage[-1]["to_stage"] == "closed-won"


def test_a_deal_made_lost_is_told_as_lost() -> None:
    stub = StubServer()
    crm = stub.client(dialects="flow", api_key="acme-sales")
    lost = crm.deals.create({"title": "Vance", "value": 100, "stage": "closed-lost"})
    assert "Deal lost: Vance" in {entry.title for entry in crm.notifications.list()}
    assert [entry["action"] for entry in stub.audit() if entry["entity"]["id"] == lost.id] == [
        "deal.created", "deal.lost",
    ]  # fmt: skip
    lead = stub.client(dialects="platform").leads.create({"name": "Rita Ray", "company": "Ray"})
    made = stub.client(dialects="platform").leads.convert(lead.id, deal={"title": "Ray", "stage": "closed-won"})
    assert made.deal is not None and made.deal.probability == 100
    assert "deal.won" in [entry["action"] for entry in stub.audit() if entry["entity"]["id"] == made.deal.id]
