"""A member that is hidden from a caller is in no condition that the caller writes: whether it holds would tell it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crm_sdk import ApiError, CrmClient

from .conftest import New, Somebody, permission

WRITTEN = ("deals", "pipelines", "workflows", "reports", "ai_insights")
KNOWN = [permission(service, action) for service in WRITTEN for action in ("read", "create", "update")]
KNOWN += [permission("deals", "export"), permission("pipelines", "manage"), permission("search", "read")]
FIELDS = ("description", "custom_fields.tier")


def groups(field: str) -> Any:
    return [{"filters": [{"field": field, "op": "eq", "value": "x"}]}]


def workflow(crm: CrmClient, **members: Any) -> Any:
    parts = {"triggers": [{"type": "manual"}], "actions": [action(**NOTICE)]}
    body: Any = {"name": "W", "entity_type": "deal", **parts, **members}
    return crm.workflows.create(body)


def action(**spec: Any) -> Any:
    return {"spec": spec}


def rule(crm: CrmClient, field: str) -> Any:
    body: Any = {"name": "R", "trigger": {"event": "deal_created"}, "conditions": groups(field), "actions": [NOTICE]}
    return crm.pipelines.automation.create("pipeline_acme", body)


NOTICE: Any = {"type": "notify", "role": "admin", "title": "x", "message": "x"}
PLACES: dict[str, Callable[[CrmClient, str], Any]] = {
    "a workflow": lambda crm, field: workflow(crm, conditions=groups(field)),
    "a trigger": lambda crm, field: workflow(crm, triggers=[{"type": "record_created", "conditions": groups(field)}]),
    "a change": lambda crm, field: workflow(crm, triggers=[{"type": "field_changed", "field": field}]),
    "a step": lambda crm, field: workflow(crm, actions=[{"spec": NOTICE, "conditions": groups(field)}]),
    "a branch": lambda crm, field: workflow(
        crm, actions=[action(type="branch", conditions=groups(field), then=[NOTICE])]
    ),
    "a wait": lambda crm, field: workflow(crm, actions=[action(type="wait", until_field=field)]),
    "a rule": rule,
    "a prediction": lambda crm, field: crm.ai_insights.predictions.deals(filter_groups=groups(field)),
    "a search": lambda crm, field: crm.search.advanced({"filter_groups": groups(field)}, types=["deal"]),
    "a report": lambda crm, field: crm.reports.create({
        "name": "R", "entity_type": "deal", "columns": [{"field": "title"}], "filter_groups": groups(field),
    }),
    "an export": lambda crm, field: crm.exports.create(
        {"entity_types": ["deal"], "filter_groups": {"deal": groups(field)}}
    ),
}  # fmt: skip


@pytest.fixture
def somebody(admin: CrmClient, new: New) -> Somebody:
    admin.customization.fields.create("deal", {"api_name": "tier", "label": "Tier", "type": "text"})
    hidden = [{"entity": "deal", "field": field, "access": "hidden"} for field in FIELDS]
    return new(*KNOWN, field_permissions=hidden)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("place", PLACES)
def test_no_condition_names_a_hidden_member(admin: CrmClient, somebody: Somebody, place: str, field: str) -> None:
    PLACES[place](admin, field)
    with pytest.raises(ApiError) as caught:
        PLACES[place](somebody.crm, field)
    assert (caught.value.status, caught.value.code) == (422, "UNKNOWN_FIELD"), caught.value


SAID = {
    "/sum value of deals": "value of deals is no number",
    "/list deals over 1000": "deals have no member value",
    "/count deals over 1000": "deals have no member value",
    "/list deals top 3 by value": "deals have no member value",
}


@pytest.mark.parametrize("text", SAID)
def test_a_conversation_asks_for_no_hidden_member(admin: CrmClient, new: New, text: str) -> None:
    hidden: Any = [{"entity": "deal", "field": "value", "access": "hidden"}]
    somebody = new(permission("deals", "read"), permission("chatops", "create"), field_permissions=hidden)
    said = somebody.crm.chatops.send(text).text
    assert said == SAID[text] != admin.chatops.send(text).text


@pytest.mark.parametrize("command", ["/show", "/summarize"])
def test_a_conversation_tells_no_hidden_member(admin: CrmClient, new: New, command: str) -> None:
    deal = admin.deals.create({"title": "Harbour", "value": 7654321})
    hidden: Any = [{"entity": "deal", "field": "value", "access": "hidden"}]
    somebody = new(permission("deals", "read"), permission("chatops", "create"), field_permissions=hidden)
    assert "7654321" in str(admin.chatops.send(f"{command} {deal.id}").text)
    said = str(somebody.crm.chatops.send(f"{command} {deal.id}"))
    assert ("Harbour" in said, "7654321" in said) == (True, False)
