"""Workflows about the records of custom objects: their events, their fields in conditions, and actions on them."""

from __future__ import annotations

from typing import Any

import pytest

from crm_sdk import CrmClient, ValidationError
from crm_sdk.models import CustomObject

from .conftest import Flow, Runs, act, statuses, tag, where

FIELDS: Any = [
    {"api_name": "size", "label": "Size", "type": "integer"},
    {"api_name": "state", "label": "State", "type": "text"},
]


@pytest.fixture
def boat(platform: CrmClient) -> CustomObject:
    return platform.custom_objects.create(
        {"api_name": "boat", "label": "Boat", "plural_label": "Boats", "fields": FIELDS}
    )


def build(platform: CrmClient, boat: CustomObject, **fields: Any) -> str:
    return platform.custom_objects.records.create(boat.id, {"fields": {"name": "Argo", **fields}}).id


def test_events_and_fields_of_records_start_workflows(
    platform: CrmClient, boat: CustomObject, flow: Flow, runs: Runs
) -> None:
    seen = act("notify", user_ids=["user_sam"], title="{{name}}", message="{{size}} {{fields.state}}")
    about: Any = {"entity_type": "boat"}
    made = flow("record_created", seen, conditions=where("size", "gte", 10), **about)
    changed = flow({"type": "field_changed", "field": "state", "to_value": "sunk"}, seen, **about)
    any_change = flow({"type": "field_changed", "field": "fields.size"}, seen, **about)
    updated, deleted = (flow(f"record_{verb}", seen, **about) for verb in ("updated", "deleted"))
    small, large = build(platform, boat, size=5), build(platform, boat, size=50)
    records = platform.custom_objects.records
    records.update(boat.id, small, {"fields": {"state": "afloat"}})
    records.update(boat.id, small, {"fields": {"state": "sunk"}})
    records.delete(boat.id, small)
    platform.leads.list(limit=1)
    found = [
        [run.entity.id for run in runs(one) if run.entity] for one in (made, changed, any_change, updated, deleted)
    ]
    assert found == [[large], [small], [], [small, small], [small]]
    (run,) = runs(made)
    assert run.entity is not None and (run.entity.type, run.entity.name) == ("boat", "Argo")


def test_actions_write_records_and_make_them(platform: CrmClient, boat: CustomObject, flow: Flow) -> None:
    made = flow(
        "manual",
        act("update_field", field="state", value="{{name}} is afloat"),
        act("update_field", field="fields.size", value=7),
        tag("seen"),
        act("assign_owner", owner_id="user_sam"),
        act("create_record", entity_type="boat", fields={"name": "Tender of {{name}}", "size": 1}),
        act("branch", conditions=where("fields.size", "eq", 7), then=[{"type": "add_tag", "tag": "seven"}]),
        act("create_task", title="Paint {{name}}"),
        entity_type="boat",
    )
    id = build(platform, boat, size=5)
    tried = platform.workflows.test(made.id, entity_id=id)
    assert platform.custom_objects.records.get(boat.id, id).version == 1
    run = platform.workflows.executions.get(platform.workflows.execute(made.id, entity_id=id).id)
    assert statuses(run) == statuses(tried) == ["succeeded"] * 8, [step.error for step in run.steps]
    now = platform.custom_objects.records.get(boat.id, id)
    assert (now.fields["state"], now.fields["size"], now.owner_id) == ("Argo is afloat", 7, "user_sam")
    assert now.tags == ["seen", "seven"]
    assert [change.field for change in run.steps[1].changes] == ["fields.size"]
    tender = run.steps[4].output
    assert tender is not None and (tender.type, tender.name) == ("boat", "Tender of Argo")


def test_what_the_object_does_not_have_is_refused(platform: CrmClient, boat: CustomObject) -> None:
    cases: list[tuple[Any, str, str | None]] = [
        ({"conditions": where("nope", "is_set")}, "UNKNOWN_FIELD", "conditions.0.filters.0.field"),
        ({"conditions": where("state", "gt", 1)}, "INVALID_OPERATOR", "conditions.0.filters.0.op"),
        ({"triggers": [{"type": "field_changed", "field": "nope"}]}, "UNKNOWN_FIELD", "triggers.0.field"),
        ({"triggers": [{"type": "stage_changed"}]}, "TRIGGER_NOT_SUPPORTED", "triggers.0.type"),
        ({"actions": [act("update_field", field="nope", value=1)]}, "UNKNOWN_FIELD", "actions.0.spec.field"),
        ({"actions": [act("update_field", field="size", value="x")]}, "VALIDATION_ERROR", "actions.0.spec.value"),
        ({"actions": [act("create_record", entity_type="boat", fields={"nope": 1})]}, "UNKNOWN_FIELD", None),
        ({"actions": [act("create_record", entity_type="boat", fields={"size": "x"})]}, "VALIDATION_ERROR", None),
        ({"entity_type": "ship"}, "VALIDATION_ERROR", "entity_type"),
    ]
    for members, code, field in cases:
        given: Any = {"name": "Flow", "entity_type": boat.api_name, **members}
        with pytest.raises(ValidationError) as refused:
            platform.workflows.create(given)
        assert refused.value.code == code and (field is None or refused.value.fields[0].field == field), members


def test_a_record_of_another_object_is_none_of_this_one(platform: CrmClient, boat: CustomObject, flow: Flow) -> None:
    other = platform.custom_objects.create({"api_name": "raft", "label": "Raft", "plural_label": "Rafts"})
    raft = platform.custom_objects.records.create(other.id, {"fields": {"name": "Kon"}})
    with pytest.raises(ValidationError) as refused:
        platform.workflows.execute(flow("manual", tag("x"), entity_type="boat").id, entity_id=raft.id)
    assert refused.value.code == "REFERENCE_NOT_FOUND"


def test_a_condition_on_a_field_that_has_gone_fails_its_step(
    platform: CrmClient, boat: CustomObject, flow: Flow, runs: Runs
) -> None:
    """Like any other failure: the execution ends, or goes on where the action says so; the engine goes on."""
    asks = {"conditions": where("size", "gte", 10)}
    actions = tag("first", on_error="continue", **asks), act("wait", minutes=9, own=asks), tag("last")
    made = flow("manual", *actions, entity_type="boat")
    by_event = flow("record_updated", tag("seen"), entity_type="boat", **asks)
    argo = build(platform, boat, size=50)
    platform.custom_objects.fields.delete(boat.id, "size", force=True)
    platform.workflows.execute(made.id, entity_id=argo)
    platform.custom_objects.records.update(boat.id, argo, {"fields": {"state": "sunk"}})
    (run,) = runs(made)
    assert statuses(run) == ["failed", "failed", "skipped"]
    assert [step.error and step.error.code for step in run.steps] == ["UNKNOWN_FIELD", "UNKNOWN_FIELD", None]
    assert run.error is not None and run.error.code == "UNKNOWN_FIELD"
    assert [each.status for each in runs(by_event)] == [], "a trigger whose conditions cannot be tested fires no more"
    tried = platform.workflows.test(by_event.id, entity_id=argo)
    assert (tried.status, statuses(tried)) == ("succeeded", ["skipped"]), "and a test shows that it would not"
    assert statuses(platform.workflows.test(made.id, entity_id=argo)) == ["failed", "failed", "skipped"]


def test_no_record_is_made_of_an_object_that_is_not_active_any_more(
    platform: CrmClient, boat: CustomObject, flow: Flow
) -> None:
    made = flow("manual", act("create_record", entity_type="boat", fields={"name": "Argo"}))
    for active, code in ((True, None), (False, "NOT_FOUND")):
        platform.custom_objects.update(boat.id, {"active": active})
        run = platform.workflows.execute(made.id, entity_id="lead_123")
        (step,) = platform.workflows.executions.get(run.id).steps
        assert (step.error and step.error.code) == code, active
        assert step.error is None or step.error.message == "there is no custom object 'boat'"
    platform.custom_objects.update(boat.id, {"active": True})
    assert platform.custom_objects.records.list(boat.id).total == 1
