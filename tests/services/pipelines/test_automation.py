"""The rules of a pipeline: how they are written, when they run, what they do, and that they end."""

from __future__ import annotations

from typing import Any, cast

import pytest
from stub_data import idle

from crm_sdk import ConflictError, CrmClient, ValidationError
from crm_sdk.models import Pipeline
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.services.workflows import effects

STAGES: Any = [
    {"name": "Start", "probability": 10},
    {"name": "Middle", "probability": 50},
    {"name": "Late", "probability": 80},
    {"name": "Won", "kind": "won"},
    {"name": "Lost", "kind": "lost"},
]

ELSEWHERE = "stage_acme_prospect"
"""A stage of another pipeline: a rule that moves deals there is stored, and fails."""


def rule(client: CrmClient, pipeline: Pipeline, event: str, *actions: Any, **members: Any) -> str:
    by_key = {stage.key: stage.id for stage in pipeline.stages}
    trigger = {"event": event, **members.pop("trigger", {})}
    if "stage" in members:
        trigger["stage_id"] = by_key[members.pop("stage")]
    body: Any = {"name": f"On {event}", "trigger": trigger, "actions": list(actions), **members}
    return client.pipelines.automation.create(pipeline.id, body).id


def runs_of_rules(stub: StubServer) -> list[Document]:
    return stub.store.collection("tenant_acme", "execution").find("source", "pipeline_rule")


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


WRONG: list[tuple[Any, str, str | None]] = [
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
    ({"actions": [{"type": "add_tag", "tag": "x", "field": "y"}]}, "VALIDATION_ERROR", "actions.0.field"),
    ({"actions": [{"type": "convert_lead"}]}, "VALIDATION_ERROR", "actions.0.type"),
    ({"actions": [{"type": "move_stage", "stage": "nowhere"}]}, "REFERENCE_NOT_FOUND", "actions.0.stage"),
    ({"actions": [{"type": "assign_owner"}]}, "VALIDATION_ERROR", "actions.0.ownerId"),
    ({"actions": [{"type": "assign_owner", "ownerId": "user_none"}]}, "REFERENCE_NOT_FOUND", "actions.0.ownerId"),
    ({"actions": [{"type": "update_field", "field": "nope", "value": 1}]}, "UNKNOWN_FIELD", "actions.0.field"),
    ({"conditions": [{"filters": [{"field": "nope", "op": "eq", "value": 1}]}]}, "UNKNOWN_FIELD", None),
    *(
        ({"actions": [update]}, code, f"actions.0.{field}")
        for update, code, field in (
            ({"type": "update_field", "field": "value"}, "VALIDATION_ERROR", "value"),
            ({"type": "update_field", "field": "value", "value": "much"}, "VALIDATION_ERROR", "value"),
            ({"type": "update_field", "field": "value", "value": 10**15}, "VALIDATION_ERROR", "value"),
            ({"type": "update_field", "field": "value", "value": None}, "VALIDATION_ERROR", "value"),
            ({"type": "update_field", "field": "priority", "value": 7}, "VALIDATION_ERROR", "value"),
            ({"type": "update_field", "field": "priority", "value": "urgent"}, "VALIDATION_ERROR", "value"),
            ({"type": "update_field", "field": "tags", "value": ["x", 1]}, "VALIDATION_ERROR", "value.1"),
            ({"type": "update_field", "field": "tags", "value": "x"}, "VALIDATION_ERROR", "value"),
            ({"type": "update_field", "field": "title", "value": " "}, "VALIDATION_ERROR", "value"),
            ({"type": "update_field", "field": "expected_close_date", "value": 5}, "VALIDATION_ERROR", "value"),
            ({"type": "update_field", "field": "probability_override", "value": 101}, "VALIDATION_ERROR", "value"),
            ({"type": "update_field", "field": "pipeline_id", "value": 5}, "VALIDATION_ERROR", "value"),
            ({"type": "update_field", "field": "pipeline_id", "value": "none"}, "REFERENCE_NOT_FOUND", "value"),
            ({"type": "update_field", "field": "owner_id", "value": "none"}, "REFERENCE_NOT_FOUND", "value"),
            ({"type": "update_field", "field": "contact_id", "value": "none"}, "REFERENCE_NOT_FOUND", "value"),
        )
    ),
]


def test_a_rule_that_could_not_run_is_refused(client: CrmClient, pipeline: Pipeline) -> None:
    good = {"name": "R", "trigger": {"event": "deal_created"}, "actions": [tag("x")]}
    for wrong, code, field in WRONG:
        refused = client.request("POST", f"/v1/pipelines/{pipeline.id}/automation", json={**good, **wrong})
        error = refused.json()["errors"][0]
        assert (refused.status, error["code"]) == (422, code), wrong
        assert field is None or error["field"] == field, wrong


UPDATES = {
    "value": 5_000, "probability_override": 40, "expected_close_date": "2026-09-01", "next_step": "Call", "tags": ["a"],
    "custom_fields": {"tier": 1}, "lost_notes": None, "priority": "high", "title": "New", "owner_id": "user_sam",
    "pipeline_id": "pipeline_acme", "contact_id": "contact_123",
}  # fmt: skip


def test_every_field_can_be_updated_by_its_name(client: CrmClient, stub: StubServer) -> None:
    for number, (field, value) in enumerate(UPDATES.items()):
        deal = client.deals.create({"title": "Engine", "value": 1})
        stored = stub.store.collection("tenant_acme", "deal").get(deal.id)
        assert stored is not None
        pipeline = stored["pipeline_id"]
        action: Any = {"type": "update_field", "field": field, "value": pipeline if field == "pipeline_id" else value}
        body: Any = {"name": "R", "trigger": {"event": "field_changed", "field": "description"}, "actions": [action]}
        made = client.pipelines.automation.create(pipeline, body)
        (tried,) = client.pipelines.automation.test(pipeline, made.id, deal.id).actions
        assert tried.error is None, field
        client.deals.update(deal.id, {"description": "Changed"})
        client.deals.get(deal.id)
        *_, run = runs_of_rules(stub)
        assert (run["status"], run["error"], len(runs_of_rules(stub))) == ("succeeded", None, number + 1), field
        client.pipelines.automation.delete(pipeline, made.id)


def test_a_run_that_makes_a_mistake_is_a_failed_run(
    client: CrmClient, pipeline: Pipeline, stub: StubServer, failures: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(cast("dict[str, Any]", effects.EFFECTS), "assign_owner", breaks)
    broken = rule(client, pipeline, "deal_created", tag("half"), {"type": "assign_owner", "owner_id": "user_sam"})
    rule(client, pipeline, "deal_created", tag("second"))
    made = client.deals.create({"title": "Engine", "value": 1})
    assert client.deals.get(made.id).tags == ["second"]
    (found,) = [one for one in client.pipelines.automation.list(pipeline.id) if one.id == broken]
    assert (found.last_status, found.run_count) == ("failed", 1)
    (run,) = [run for run in runs_of_rules(stub) if run["rule_id"] == broken]
    assert (run["status"], run["error"]["code"]) == ("failed", "INTERNAL_ERROR")
    tried = client.pipelines.automation.test(pipeline.id, broken, made.id).actions
    assert [action.error and action.error.code for action in tried] == [None, "INTERNAL_ERROR"]
    assert [record.getMessage().partition(" (")[0] for record in failures] == [f"the rule {broken} failed"] * 2
    assert all(record.exc_info[0] is ZeroDivisionError for record in failures)
    failures.clear()


def test_what_stops_a_trial_is_part_of_it(client: CrmClient, pipeline: Pipeline) -> None:
    everything: Any = [{"filters": [{"field": "value", "op": "gte", "value": 0}]}]
    branch = {"type": "branch", "conditions": everything, "then": [tag("done"), {"type": "stop"}]}
    made = client.deals.create({"title": "Engine", "value": 1})
    tried = client.pipelines.automation.test(
        pipeline.id, rule(client, pipeline, "deal_won", branch, tag("no")), made.id
    )
    assert [[change.field for change in action.changes] for action in tried.actions] == [["tags"]]


def test_rules_on_a_stage_that_is_deleted_are_switched_off(client: CrmClient, pipeline: Pipeline) -> None:
    stage = {found.key: found.id for found in pipeline.stages}
    to_middle: Any = {"type": "move_stage", "stage": "middle"}
    on = [{"filters": [{"field": "value", "op": "gte", "value": 1}]}]
    ended = [
        rule(client, pipeline, "stage_entered", tag("x"), stage="middle"),
        rule(client, pipeline, "stage_entered", tag("x"), stage="late", trigger={"from_stage_id": stage["middle"]}),
        rule(client, pipeline, "deal_created", to_middle),
        rule(client, pipeline, "deal_created", {"type": "branch", "conditions": on, "then": [tag("x"), to_middle]}),
        rule(client, pipeline, "deal_created", {"type": "update_field", "field": "stage", "value": stage["middle"]}),
    ]
    off = rule(client, pipeline, "stage_left", tag("x"), stage="middle", enabled=False)
    kept = [
        rule(client, pipeline, "stage_entered", tag("x"), stage="late"),
        rule(client, pipeline, "deal_created", {"type": "move_stage", "stage": "late"}),
        rule(client, pipeline, "deal_created", {"type": "update_field", "field": "stage", "value": stage["late"]}),
        rule(client, pipeline, "deal_created", {"type": "update_field", "field": "description", "value": "middle"}),
    ]
    client.pipelines.stages.delete(pipeline.id, stage["middle"])
    rules = {found.id: found for found in client.pipelines.automation.list(pipeline.id)}
    assert {id for id, found in rules.items() if found.enabled} == {*kept}
    assert [rules[id].version for id in (*ended, off, *kept)] == [2] * len(ended) + [1] * (1 + len(kept))
    for id in (ended[0], ended[1], off):
        with pytest.raises(ValidationError) as refused:
            client.pipelines.automation.update(pipeline.id, id, {"enabled": True})
        assert refused.value.code == "REFERENCE_NOT_FOUND"
        assert client.pipelines.automation.update(pipeline.id, id, {"name": "Kept"}).enabled is False
    there: Any = {"trigger": {"event": "stage_entered", "stage_id": stage["late"]}, "enabled": True}
    assert client.pipelines.automation.update(pipeline.id, ended[0], there).enabled


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
    runs = runs_of_rules(stub)
    assert {run["status"] for run in runs} == {"succeeded"} and {run["source"] for run in runs} == {"pipeline_rule"}


def test_conditions_and_branches_choose(client: CrmClient, pipeline: Pipeline) -> None:
    big: Any = [{"filters": [{"field": "value", "op": "gte", "value": 1000}]}]
    rule(client, pipeline, "deal_created", tag("big"), conditions=big)
    branch = {"type": "branch", "conditions": big, "then": [tag("then")], "otherwise": [tag("otherwise")]}
    rule(client, pipeline, "deal_created", branch)
    for value, tags in ((5000, {"big", "then"}), (5, {"otherwise"})):
        made = client.deals.create({"title": "Engine", "value": value}).id
        assert set(client.deals.get(made).tags) == tags


def test_a_rule_whose_condition_has_lost_its_field_runs_no_more(client: CrmClient, pipeline: Pipeline) -> None:
    tier = client.customization.fields.create("deal", {"api_name": "tier", "label": "Tier", "type": "integer"})
    high: Any = [{"filters": [{"field": "custom_fields.tier", "op": "gte", "value": 2}]}]
    asking = rule(client, pipeline, "deal_created", tag("high"), conditions=high)
    rule(client, pipeline, "deal_created", tag("any"))
    for tags in (["high", "any"], ["any"]):
        made = client.deals.create({"title": "Engine", "value": 1, "custom_fields": {"tier": 3}}).id
        assert client.deals.get(made).tags == tags
        found = client.pipelines.automation.test(pipeline.id, asking, deal_id=made)
        assert found.would_run is found.conditions[0].matched is ("high" in tags)
        if "high" in tags:
            client.customization.fields.delete("deal", tier.id, force=True)


def test_what_fails_stops_its_own_rule_only_and_leaves_nothing(client: CrmClient, pipeline: Pipeline) -> None:
    bad = rule(client, pipeline, "deal_created", tag("half"), {"type": "move_stage", "stage": ELSEWHERE}, tag("end"))
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
    runs = runs_of_rules(stub)
    assert [run["status"] for run in runs] == ["succeeded"] * 5 + ["failed"]
    assert runs[-1]["error"]["code"] == "AUTOMATION_LOOP"


def test_time_alone_lets_rules_run_once_for_each_stay(client: CrmClient, pipeline: Pipeline, stub: StubServer) -> None:
    idle(stub)
    rule(client, pipeline, "days_in_stage", tag("slow"), trigger={"days": 3}, stage="start")
    counted = rule(client, pipeline, "days_in_stage", tag("counted"), trigger={"days": 1})
    made = client.deals.create({"title": "Engine", "value": 1}).id
    stub.clock.advance(2 * 86_400)
    assert client.deals.get(made).tags == ["counted"]
    stub.clock.advance(3 * 86_400)
    assert set(client.deals.get(made).tags) == {"counted", "slow"}
    (found,) = [one for one in client.pipelines.automation.list(pipeline.id) if one.id == counted]
    assert found.run_count == 1


def test_a_rotten_deal_lets_rules_run_once_for_each_stay(
    client: CrmClient, pipeline: Pipeline, stub: StubServer
) -> None:
    idle(stub)
    for stage, days in zip(pipeline.stages, (1, 2), strict=False):
        client.pipelines.stages.update(pipeline.id, stage.id, {"rotten_days": days})
    anywhere = rule(client, pipeline, "deal_rotten", tag("anywhere"))
    here = rule(client, pipeline, "deal_rotten", tag("here"), stage="start")
    rule(client, pipeline, "deal_rotten", tag("elsewhere"), stage="late")
    fresh, lost, moved = (client.deals.create({"title": title, "value": 1}).id for title in ("A", "B", "C"))
    client.deals.move_stage(lost, "lost")

    def runs() -> list[tuple[str, str]]:
        titles = {anywhere: "anywhere", here: "here"}
        return sorted((run["entity"]["name"], titles.get(run["rule_id"], "elsewhere")) for run in runs_of_rules(stub))

    stub.clock.advance(20 * 3_600)
    client.deals.activities.create(fresh, {"type": "call", "date": stub.clock.now(), "description": "We talked"})
    assert runs() == []
    stub.clock.advance(6 * 3_600)
    assert runs() == [("C", "anywhere"), ("C", "here")]
    assert set(client.deals.get(moved).tags) == {"anywhere", "here"}
    client.deals.move_stage(moved, "middle")
    stub.clock.advance(2.5 * 86_400)
    assert runs() == [("A", "anywhere"), ("A", "here"), ("C", "anywhere"), ("C", "anywhere"), ("C", "here")]


def test_a_trial_tells_everything_and_does_nothing(client: CrmClient, pipeline: Pipeline, stub: StubServer) -> None:
    made = client.deals.create({"title": "Engine", "value": 10})
    tried = rule(
        client, pipeline, "stage_entered", tag("x"), {"type": "move_stage", "stage": ELSEWHERE}, stage="start",
        enabled=False, conditions=[{"filters": [{"field": "value", "op": "lt", "value": 5}]}],
    )  # fmt: skip
    deeds = len(stub.audit())
    found = client.pipelines.automation.test(pipeline.id, tried, made.id)
    assert (found.would_run, found.trigger_matched, found.conditions[0].matched) == (False, True, False)
    assert found.conditions[0].actual == 10
    assert [change.field for change in found.actions[0].changes] == ["tags"]
    assert found.actions[1].error is not None and found.actions[1].error.code == "STAGE_NOT_IN_PIPELINE"
    assert client.deals.get(made.id).tags == [] and len(stub.audit()) == deeds
    client.deals.move_stage(made.id, "middle")
    found = client.pipelines.automation.test(pipeline.id, tried, made.id)
    assert (found.would_run, found.trigger_matched) == (False, False), "it is of another stage"
    other = client.pipelines.create({"name": "Other"})
    far = client.pipelines.automation.create(
        other.id, {"name": "R", "trigger": {"event": "deal_won"}, "actions": [{"type": "stop"}]}
    )
    with pytest.raises(ConflictError) as caught:
        client.pipelines.automation.test(other.id, far.id, made.id)
    assert caught.value.code == "DEAL_NOT_IN_PIPELINE"
