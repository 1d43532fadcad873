"""Where a rule of deals begins and ends: what is hot, whose deal it is, what a closed one still suggests."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from stub_data import stored

from crm_sdk import CrmClient
from crm_sdk.models import Pipeline
from server_stub import StubServer

from .conftest import Make


@pytest.fixture
def flow(stub: StubServer) -> CrmClient:
    return stub.client(dialects="flow", max_retries=0, strict=True)


def titles(flow: CrmClient, id: str, kind: str) -> set[str]:
    return {insight.title for insight in flow.deals.get(id).ai_insights if insight.type == kind}


@pytest.mark.parametrize(("probability", "hot"), [(69, False), (70, True)])
def test_a_deal_is_hot_from_seventy(flow: CrmClient, make: Make, probability: int, hot: bool) -> None:
    deal = make(probability_override=probability)
    assert (deal.id in {one.id for one in flow.deals.list(filter="hot")}) is hot
    assert ("70 % likely" in titles(flow, deal.id, "opportunity")) is hot


def test_a_closed_deal_has_no_opportunities(stub: StubServer, platform: CrmClient, flow: CrmClient) -> None:
    deal = flow.deals.create({"title": "Fleet", "value": 1_000, "stage": "proposal"})
    platform.deals.update(deal.id, {"probability_override": 90})
    said: Any = {"type": "call", "date": stub.clock.now(), "description": "The budget is approved."}
    flow.deals.activities.create(deal.id, said)
    assert len(titles(flow, deal.id, "opportunity")) == 2
    flow.deals.move_stage(deal.id, "closed-won")
    assert titles(flow, deal.id, "opportunity") == set()


def test_what_happened_is_an_activity_of_its_kind(
    stub: StubServer, platform: CrmClient, flow: CrmClient, make: Make
) -> None:
    platform.configuration.settings.update({"calendar.meeting_minutes": 45})
    account = platform.accounts.create({"name": "Firm"}).id
    eve = platform.contacts.create({"name": "Eve", "account_id": account}).id
    deal, at = make(contact_id=eve), stub.clock.now()
    text, over = "Great: sent the offer.\nMore of it.", at + timedelta(minutes=45)
    first = "Great: sent the offer."
    usual: dict[str, Any] = {
        "title": first, "description": text, "owner_id": "user_ada", "contact_id": eve, "deal_id": deal.id,
        "account_id": account, "contact_name": "Eve", "contact_company": "Firm", "occurred_at": at,
        "sentiment": "positive",
    }  # fmt: skip
    for type, kind, members in (
        ("email", "email", {"subject": first, "body_text": text, "to": [], "sent_at": at}),
        ("note", "note", {"body": text, "tags": []}), ("proposal", "note", {"body": text, "tags": ["proposal"]}),
        ("call", "call", {"status": "completed", "start_time": at, "end_time": None}),
        ("demo", "event", {"type": "demo", "status": "completed", "start_time": at, "end_time": over}),
        ("meeting", "event", {"type": "meeting", "status": "completed", "start_time": at, "end_time": over}),
    ):  # fmt: skip
        given: Any = {"type": type, "date": at, "description": f" {text} ", "outcome": "Good", "next_step": "Wait"}
        made = flow.deals.activities.create(deal.id, given)
        assert (made.type, made.date, made.description, made.outcome, made.next_step) == (
            type, at, text, "Good", "Wait",
        )  # fmt: skip
        kept = stored(stub, "activity", made.id)
        wanted = {**usual, "kind": kind, **members}
        assert {name: kept[name] for name in wanted} == wanted, type
        assert kept["deal_activity"] == {"type": type, "outcome": "Good", "next_step": "Wait"}


def test_the_feeds_have_a_deal_its_changes_its_stage_and_what_happened(
    stub: StubServer, platform: CrmClient, flow: CrmClient, make: Make
) -> None:
    deal = make(title="Fleet")
    platform.deals.update(deal.id, {"priority": "high"})
    platform.deals.move_stage(deal.id, "middle")
    said: Any = {"type": "call", "date": stub.clock.now(), "description": "Hello"}
    call = flow.deals.activities.create(deal.id, said)
    found = {
        one["type"]: one for one in stub.store.collection("tenant_acme", "event") if one["entity"]["id"] == deal.id
    }
    shown = {name: (stub.feeds.channel_name(one), stub.feeds.channel_payload(one)) for name, one in found.items()}
    made = shown.pop("deal.created")
    assert (made[0], list(made[1])) == ("deal:created", ["deal"])
    assert (made[1]["deal"]["id"], made[1]["deal"]["title"]) == (deal.id, "Fleet")
    told = {"id": call.id, "type": "call", "date": call.date, "description": "Hello"}
    moved = {"id": deal.id, "oldStage": "start", "newStage": "middle", "probability": 50}
    assert shown == {
        "deal.updated": ("deal:updated", {"id": deal.id, "changes": {"priority": "high"}}),
        "deal.stage_changed": ("deal:stage_changed", moved),
        "deal.activity_added": ("deal:activity_added", {"dealId": deal.id, "activity": told}),
    }
    whole = stub.feeds.ws_data(found["deal.stage_changed"])
    assert {name: whole[name] for name in moved} == moved and whole["title"] == "Fleet"


def test_a_deal_is_of_its_own_team_or_else_of_its_owners(platform: CrmClient, make: Make, pipe: Pipeline) -> None:
    own, owners = (platform.users.teams.create({"name": name, "member_ids": ids}).id for name, ids in TEAMS)
    range: Any = {"start_date": date(2026, 1, 1), "end_date": date(2026, 3, 31), "pipeline_id": pipe.id}

    def created(**of: Any) -> int:
        return platform.deals.analytics.performance(**range, **of).totals.deals_created

    make(owner_id="user_sam")
    assert (created(), created(team_id=own), created(team_id=owners)) == (1, 0, 1)
    make(owner_id="user_sam", team_id=own)
    assert (created(), created(team_id=own), created(team_id=owners)) == (2, 1, 1)


TEAMS: list[tuple[str, list[str]]] = [("Own", []), ("Owners", ["user_sam"])]
