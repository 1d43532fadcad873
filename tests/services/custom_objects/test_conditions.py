"""Conditions on custom fields of records of the CRM itself: whoever asks compares them as their types say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crm_sdk import CrmClient

HIGH: Any = [{"filters": [{"field": "custom_fields.tier", "op": "gte", "value": 10}]}]


def make(crm: CrmClient, kind: str, tier: int) -> str:
    """Make a record with a tier; as a text 9 would be more than 10."""
    given: Any = {"custom_fields": {"tier": tier}}
    if kind == "deal":
        return crm.deals.create(given | {"title": "Some", "value": 1}).id
    if kind == "activity":
        return crm.activities.create(given | {"kind": "task", "title": "Some"}).id
    nouns: Any = {"contact": crm.contacts, "lead": crm.leads, "account": crm.accounts}
    return str(nouns[kind].create(given | {"name": f"Some {tier}"}).id)


def seen_through_a_view(crm: CrmClient, kind: str) -> set[str]:
    given: Any = {
        "entity": kind, "kind": "list", "name": "High", "columns": [{"field": "id"}], "filter_groups": HIGH
    }  # fmt: skip
    layout = crm.customization.layouts.create(given)
    path = {"activity": "activities"}.get(kind, f"{kind}s")
    reply = crm.request("GET", f"/v1/{path}", query={"view": layout.id, "limit": "200"})
    return {one["id"] for one in reply.json()["data"]}


def tagged_by_a_workflow(crm: CrmClient, kind: str) -> set[str]:
    given: Any = {
        "name": "High", "entity_type": kind, "triggers": [{"type": "record_created"}], "conditions": HIGH,
        "actions": [{"spec": {"type": "notify", "user_ids": ["user_sam"], "title": "High", "message": "x"}}],
    }  # fmt: skip
    flow = crm.workflows.activate(crm.workflows.create(given).id)
    made = {make(crm, kind, tier) for tier in (8, 11)}
    crm.leads.list(limit=1)
    started = {run.entity.id for run in crm.workflows.executions.list(flow.id) if run.entity is not None}
    return started & made


def searched(crm: CrmClient, kind: str) -> set[str]:
    return {hit.id for hit in crm.search.advanced({"filter_groups": HIGH}, types=[kind])}


@pytest.mark.parametrize("kind", ["contact", "lead", "account", "deal", "activity"])
@pytest.mark.parametrize(
    "asked", [seen_through_a_view, tagged_by_a_workflow, searched], ids=lambda asked: asked.__name__
)
def test_a_number_is_compared_as_a_number(
    platform: CrmClient, kind: str, asked: Callable[[CrmClient, str], set[str]]
) -> None:
    platform.customization.fields.create(kind, {"api_name": "tier", "label": "Tier", "type": "integer"})
    low, high = (make(platform, kind, tier) for tier in (9, 100))
    found = asked(platform, kind)
    assert low not in found
    assert len(found) == 1 and (high in found or asked is tagged_by_a_workflow)


def test_a_rule_of_the_lead_scoring_is_about_a_number_as_long_as_it_is_there(platform: CrmClient) -> None:
    tier = platform.customization.fields.create("lead", {"api_name": "tier", "label": "Tier", "type": "integer"})
    rule: Any = {"name": "High", "points": 7, "filter": HIGH[0]["filters"][0]}
    low, high = (make(platform, "lead", each) for each in (9, 100))
    platform.ai_insights.lead_scoring.config.update({"rules": [rule]})

    def points() -> int:
        scores = [platform.leads.get(id).score or 0 for id in (high, low)]
        return scores[0] - scores[1]

    assert points() == 7
    platform.customization.fields.delete("lead", tier.id, force=True)
    platform.leads.update(high, {"company": "Acme"})
    platform.leads.update(low, {"company": "Acme"})
    assert points() == 0


def test_predictions_and_policies_compare_it_so_too(platform: CrmClient) -> None:
    platform.customization.fields.create("deal", {"api_name": "tier", "label": "Tier", "type": "integer"})
    low, high = (make(platform, "deal", tier) for tier in (9, 100))
    told = platform.ai_insights.predictions.deals(filter_groups=HIGH)
    assert [one.deal_id for one in told.deals] == [high] and low != high
    policy: Any = {"entity_type": "deal", "retain_days": 400, "filter_groups": HIGH}
    (kept,) = platform.audit.retention_policies.update([policy])
    assert len(kept.filter_groups) == 1
