"""The rules of a pipeline: how they are written, when they run, what they do, and that they end."""

from __future__ import annotations

from typing import Any

import pytest

from crm_sdk import ConflictError, CrmClient
from crm_sdk.models import Pipeline
from server_stub import StubServer

STAGES: Any = [
    {"name": "Start", "probability": 10},
    {"name": "Middle", "probability": 50},
    {"name": "Late", "probability": 80},
    {"name": "Won", "kind": "won"},
    {"name": "Lost", "kind": "lost"},
]


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client()


@pytest.fixture
def pipeline(client: CrmClient) -> Pipeline:
    return client.pipelines.create({"name": "Automatic", "is_default": True, "stages": STAGES})


def rule(client: CrmClient, pipeline: Pipeline, event: str, *actions: Any, **members: Any) -> str:
    by_key = {stage.key: stage.id for stage in pipeline.stages}
    trigger = {"event": event, **members.pop("trigger", {})}
    if "stage" in members:
        trigger["stage_id"] = by_key[members.pop("stage")]
    body: Any = {"name": f"On {event}", "trigger": trigger, "actions": list(actions), **members}
    return client.pipelines.automation.create(pipeline.id, body).id


def tag(name: str) -> Any:
    return {"type": "add_tag", "tag": name}


def test_rules_are_kept_in_order_and_filtered(client: CrmClient, pipeline: Pipeline) -> None:
    one = rule(client, pipeline, "stage_entered", tag("x"), stage="late")
    two = rule(client, pipeline, "deal_won", tag("y"), enabled=False)
    listed = client.pipelines.automation.list
    assert [found.id for found in listed(pipeline.id)] == [one, two]
    assert [found.id for found in listed(pipeline.id, enabled=False)] == [two]
    changed = client.pipelines.automation.update(pipeline.id, two, {"enabled": True}, version=1)
    assert (changed.enabled, changed.version, changed.trigger.event) == (True, 2, "deal_won")
    client.pipelines.automation.delete(pipeline.id, one)
    assert [found.id for found in listed(pipeline.id)] == [two]


@pytest.mark.parametrize(
    ("wrong", "code", "field"),
    [
        ({"trigger": {"event": "full_moon"}}, "VALIDATION_ERROR", "trigger.event"),
        (
            {"trigger": {"event": "stage_entered", "stageId": "stage_acme_prospect"}},
            "VALIDATION_ERROR",
            "trigger.stageId",
        ),
        ({"trigger": {"event": "days_in_stage"}}, "VALIDATION_ERROR", "trigger.days"),
        ({"trigger": {"event": "field_changed", "field": "nope"}}, "UNKNOWN_FIELD", "trigger.field"),
        ({"actions": []}, "VALIDATION_ERROR", "actions"),
        ({"actions": [{"type": "explode"}]}, "VALIDATION_ERROR", "actions.0.type"),
        ({"actions": [{"type": "add_tag"}]}, "VALIDATION_ERROR", "actions.0.tag"),
        ({"actions": [{"type": "assign_owner"}]}, "VALIDATION_ERROR", "actions.0.ownerId"),
        ({"actions": [{"type": "assign_owner", "ownerId": "user_none"}]}, "REFERENCE_NOT_FOUND", "actions.0.ownerId"),
        ({"actions": [{"type": "update_field", "field": "nope", "value": 1}]}, "UNKNOWN_FIELD", "actions.0.field"),
        ({"conditions": [{"filters": [{"field": "nope", "op": "eq", "value": 1}]}]}, "UNKNOWN_FIELD", None),
    ],
)
def test_a_rule_that_could_not_run_is_refused(
    client: CrmClient, pipeline: Pipeline, wrong: Any, code: str, field: str | None
) -> None:
    good = {"name": "R", "trigger": {"event": "deal_created"}, "actions": [tag("x")]}
    refused = client.request("POST", f"/v1/pipelines/{pipeline.id}/automation", json={**good, **wrong})
    error = refused.json()["errors"][0]
    assert (refused.status, error["code"]) == (422, code)
    assert field is None or error["field"] == field


def test_rules_act_on_the_deals_of_their_pipeline(client: CrmClient, pipeline: Pipeline, stub: StubServer) -> None:
    rule(client, pipeline, "deal_created", tag("new"), {"type": "create_task", "title": "Call", "due_in_days": 2})
    rule(client, pipeline, "stage_entered", tag("late"), stage="late")
    rule(client, pipeline, "stage_left", tag("left"), stage="start")
    rule(
        client, pipeline, "field_changed", {"type": "assign_owner", "owner_id": "user_sam"}, trigger={"field": "value"}
    )
    rule(client, pipeline, "deal_won", {"type": "notify", "role": "manager", "title": "Won", "message": "Cheers"})
    rule(
        client, pipeline, "deal_lost", {"type": "update_field", "field": "priority", "value": "low"}, {"type": "stop"},
        tag("unreached"),
    )  # fmt: skip
    made = client.deals.create({"title": "Engine", "value": 10}).id
    assert client.deals.get(made).tags == ["new"]
    assert "Call" in {task["title"] for task in stub.store.collection("tenant_acme", "activity").find("deal_id", made)}
    client.deals.move_stage(made, "late")
    assert set(client.deals.get(made).tags) == {"new", "late", "left"}
    client.deals.update(made, {"value": 20})
    client.deals.get(made)
    stored = stub.store.collection("tenant_acme", "deal").get(made)
    assert stored is not None and stored["owner_id"] == "user_sam"
    client.deals.move_stage(made, "lost")
    found = client.deals.get(made)
    assert found.priority == "low" and "unreached" not in found.tags
    client.deals.move_stage(made, "won")
    client.deals.get(made)
    told = stub.store.collection("tenant_acme", "notification").find("title", "Won")
    assert {note["user_id"] for note in told} == {"user_mia"}
    runs = stub.store.collection("tenant_acme", "execution").all()
    assert {run["status"] for run in runs} == {"succeeded"} and {run["source"] for run in runs} == {"pipeline_rule"}


def test_conditions_and_branches_choose(client: CrmClient, pipeline: Pipeline) -> None:
    big: Any = [{"filters": [{"field": "value", "op": "gte", "value": 1000}]}]
    rule(client, pipeline, "deal_created", tag("big"), conditions=big)
    branch = {"type": "branch", "conditions": big, "then": [tag("then")], "otherwise": [tag("otherwise")]}
    rule(client, pipeline, "deal_created", branch)
    for value, tags in ((5000, {"big", "then"}), (5, {"otherwise"})):
        made = client.deals.create({"title": "Engine", "value": value}).id
        assert set(client.deals.get(made).tags) == tags


def test_what_fails_stops_its_own_rule_only_and_leaves_nothing(client: CrmClient, pipeline: Pipeline) -> None:
    bad = rule(client, pipeline, "deal_created", tag("half"), {"type": "move_stage", "stage": "nowhere"}, tag("end"))
    rule(client, pipeline, "deal_created", tag("second"))
    made = client.deals.create({"title": "Engine", "value": 1}).id
    assert client.deals.get(made).tags == ["second"]
    (found,) = [one for one in client.pipelines.automation.list(pipeline.id) if one.id == bad]
    assert (found.last_status, found.run_count, found.version) == ("failed", 1, 1) and found.last_run_at is not None


def test_a_ring_of_rules_ends(client: CrmClient, pipeline: Pipeline, stub: StubServer) -> None:
    rule(client, pipeline, "stage_entered", {"type": "move_stage", "stage": "late"}, stage="middle")
    rule(client, pipeline, "stage_entered", {"type": "move_stage", "stage": "middle"}, stage="late")
    made = client.deals.create({"title": "Engine", "value": 1}).id
    client.deals.move_stage(made, "middle")
    stub.clock.advance(60)
    runs = stub.store.collection("tenant_acme", "execution").all()
    assert [run["status"] for run in runs] == ["succeeded"] * 5 + ["failed"]
    assert runs[-1]["error"]["code"] == "AUTOMATION_LOOP"


def test_time_alone_lets_rules_run_once_for_each_stay(client: CrmClient, pipeline: Pipeline, stub: StubServer) -> None:
    rule(client, pipeline, "days_in_stage", tag("slow"), trigger={"days": 3}, stage="start")
    counted = rule(client, pipeline, "days_in_stage", tag("counted"), trigger={"days": 1})
    made = client.deals.create({"title": "Engine", "value": 1}).id
    stub.clock.advance(2 * 86_400)
    assert client.deals.get(made).tags == ["counted"]
    stub.clock.advance(3 * 86_400)
    assert set(client.deals.get(made).tags) == {"counted", "slow"}
    (found,) = [one for one in client.pipelines.automation.list(pipeline.id) if one.id == counted]
    assert found.run_count == 1


def test_a_trial_tells_everything_and_does_nothing(client: CrmClient, pipeline: Pipeline, stub: StubServer) -> None:
    made = client.deals.create({"title": "Engine", "value": 10})
    tried = rule(
        client, pipeline, "stage_entered", tag("x"), {"type": "move_stage", "stage": "nowhere"}, stage="start",
        enabled=False, conditions=[{"filters": [{"field": "value", "op": "lt", "value": 5}]}],
    )  # fmt: skip
    deeds = len(stub.audit())
    found = client.pipelines.automation.test(pipeline.id, tried, made.id)
    assert (found.would_run, found.trigger_matched, found.conditions[0].matched) == (False, True, False)
    assert found.conditions[0].actual == 10
    assert [change.field for change in found.actions[0].changes] == ["tags"]
    assert found.actions[1].error is not None and found.actions[1].error.code == "STAGE_NOT_IN_PIPELINE"
    assert client.deals.get(made.id).tags == [] and len(stub.audit()) == deeds
    other = client.pipelines.create({"name": "Other"})
    far = client.pipelines.automation.create(
        other.id, {"name": "R", "trigger": {"event": "deal_won"}, "actions": [{"type": "stop"}]}
    )
    with pytest.raises(ConflictError) as caught:
        client.pipelines.automation.test(other.id, far.id, made.id)
    assert caught.value.code == "DEAL_NOT_IN_PIPELINE"
