"""Workflows, triggers and actions as records: what is refused, what counts as a revision, on and off, and the end."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from crm_sdk import ConflictError, CrmClient, NotFoundError, PermissionDeniedError, ValidationError
from server_stub import StubServer

from .conftest import Flow, Runs, act, tag, where

GOOD: Any = {"name": "Flow", "entity_type": "lead", "triggers": [{"type": "manual"}], "actions": [tag("x")]}
CRON = {"type": "schedule", "schedule": {"frequency": "cron", "cron": "* * * * *"}}
BRANCH: Any = {"type": "branch", "conditions": where("name", "is_set"), "then": [{"type": "stop"}]}


def nested(depth: int) -> Any:
    spec = BRANCH
    for _ in range(depth - 1):
        spec = BRANCH | {"then": [spec]}
    return spec


VALID, REFERENCE, FIELD, SCHEDULE, URL = (
    "VALIDATION_ERROR", "REFERENCE_NOT_FOUND", "UNKNOWN_FIELD", "INVALID_SCHEDULE", "URL_NOT_ALLOWED",
)  # fmt: skip
WRONG: list[tuple[Any, str, str | None]] = [
    ({"entity_type": "planet"}, VALID, "entity_type"),
    ({"entity_type": "workflow"}, VALID, "entity_type"),
    ({"owner_id": "user_none"}, REFERENCE, "owner_id"),
    ({"conditions": where("nope", "eq", 1)}, FIELD, "conditions.0.filters.0.field"),
    ({"conditions": where("name", "gt", 1)}, "INVALID_OPERATOR", "conditions.0.filters.0.op"),
    ({"conditions": where("name", "is_set") * 6}, "FILTER_TOO_LARGE", "conditions"),
    ({"actions": [tag("x", conditions=where("nope", "is_set"))]}, FIELD, "actions.0.conditions.0.filters.0.field"),
]


def scheduled(**schedule: Any) -> Any:
    return {"type": "schedule", "schedule": schedule}


WRONG_TRIGGERS: list[tuple[Any, str, str | None]] = [
    ({"type": "full_moon"}, VALID, "type"),
    ({"type": "stage_changed"}, "TRIGGER_NOT_SUPPORTED", "type"),
    ({"type": "field_changed"}, VALID, "field"),
    ({"type": "field_changed", "field": "nope"}, FIELD, "field"),
    ({"type": "manual", "field": "name"}, VALID, "field"),
    ({"type": "manual", "to_value": "x"}, VALID, "to_value"),
    ({"type": "manual", "conditions": where("nope", "is_set")}, FIELD, "conditions.0.filters.0.field"),
    ({"type": "schedule"}, VALID, "schedule"),
    (scheduled(frequency="once"), SCHEDULE, "schedule.start_date"),
    (scheduled(frequency="daily", timezone="Mars"), VALID, "schedule.timezone"),
    *(
        (scheduled(frequency="cron", cron=text), SCHEDULE, "schedule.cron")
        for text in ("* * * *", "* * * * * *", "61 * * * *", "0 0 31 2 *", "x * * * *", "", None)
    ),
]


def record(**spec: Any) -> Any:
    return {"type": "create_record", **spec}


WRONG_ACTIONS: list[tuple[Any, str, str | None]] = [
    ({"type": "explode"}, VALID, "type"),
    ({"type": "add_tag"}, VALID, "tag"),
    ({"type": "add_tag", "tag": "x", "stage": "y"}, VALID, "stage"),
    ({"type": "move_stage", "stage": "proposal"}, VALID, "type"),
    ({"type": "update_field", "field": "nope", "value": 1}, FIELD, "field"),
    ({"type": "update_field", "field": "score", "value": 1}, FIELD, "field"),
    ({"type": "update_field", "field": "email", "value": "x"}, VALID, "value"),
    ({"type": "update_field", "field": "email"}, VALID, "value"),
    ({"type": "update_field", "field": "owner_id", "value": "x"}, REFERENCE, "value"),
    ({"type": "create_task", "title": "x", "owner_id": "x"}, REFERENCE, "owner_id"),
    (record(entity_type="planet", fields={"a": 1}), VALID, "entity_type"),
    (record(entity_type="lead", fields={"nope": 1}), FIELD, "fields.nope"),
    (record(entity_type="lead", fields={"name": "x", "email": 1}), VALID, "fields.email"),
    (record(entity_type="lead", fields={"email": "x@y.example"}), VALID, "fields.name"),
    ({"type": "send_email", "to": "record"}, VALID, "template_id"),
    ({"type": "send_email", "to": "record", "subject": "x"}, VALID, "template_id"),
    ({"type": "send_email", "to": "record", "template_id": "x"}, REFERENCE, "template_id"),
    ({"type": "send_email", "to": "no address", "subject": "x", "body": "y"}, VALID, "to"),
    ({"type": "notify", "title": "x", "message": "y"}, VALID, "user_ids"),
    ({"type": "notify", "user_ids": ["x"], "title": "x", "message": "y"}, REFERENCE, "user_ids.0"),
    ({"type": "assign_owner"}, VALID, "owner_id"),
    ({"type": "enroll", "workflow_id": "x"}, REFERENCE, "workflow_id"),
    ({"type": "enroll", "workflow_id": "workflow_acme_handover"}, VALID, "workflow_id"),
    ({"type": "run_agent", "agent_id": "x", "input": "y"}, REFERENCE, "agent_id"),
    ({"type": "wait"}, VALID, "minutes"),
    ({"type": "wait", "until_field": "nope"}, FIELD, "until_field"),
    (BRANCH | {"conditions": where("nope", "is_set")}, FIELD, "conditions.0.filters.0.field"),
    (BRANCH | {"then": [{"type": "add_tag"}]}, VALID, "then.0.tag"),
    (nested(6), VALID, None),
    *(
        ({"type": "call_webhook", "url": url}, URL, "url")
        for url in (
            "http://127.0.0.1/x", "http://localhost:80/", "https://intranet/x", "http://10.1.2.3", "http://a.LOCAL./",
            "http://169.254.169.254/latest", "http://[::1]:8080/", "http://[::ffff:10.0.0.1]/", "http://2130706433/",
            "http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/", "http://0.0.0.0/", "http://user@192.168.0.9/",
            "http://100.64.0.1/", "http://[fd00::1]/",
        )
    ),
    *(
        ({"type": "call_webhook", "url": url}, VALID, "url")
        for url in ("ftp://example.com/", "http://", "http://[::1", "http://example.com:x/")
    ),
]  # fmt: skip
WRONG += [({"triggers": [one]}, code, path and f"triggers.0.{path}") for one, code, path in WRONG_TRIGGERS]
WRONG += [({"actions": [{"spec": one}]}, code, path and f"actions.0.spec.{path}") for one, code, path in WRONG_ACTIONS]


def test_what_could_not_work_is_refused(platform: CrmClient) -> None:
    for members, code, field in WRONG:
        with pytest.raises(ValidationError) as refused:
            platform.workflows.create(GOOD | members)
        assert refused.value.code == code, members
        assert field is None or refused.value.fields[0].field == field, members
        assert not [one for one in platform.workflows.list() if one.name == "Flow"], members


def test_the_routes_of_actions_refuse_the_same(platform: CrmClient) -> None:
    for spec, code, field in WRONG_ACTIONS:
        made = platform.workflows.create(GOOD | {"actions": [act("stop")]})
        writes: list[Callable[[], object]] = [
            partial(platform.workflows.actions.create, made.id, {"spec": spec}),
            partial(platform.workflows.actions.update, made.id, made.actions[0].id, {"spec": spec}),
        ]
        for write in writes:
            with pytest.raises(ValidationError) as refused:
                write()
            assert refused.value.code == code and (field is None or refused.value.fields[0].field == f"spec.{field}")
        assert platform.workflows.get(made.id).version == 1, spec


def test_branches_may_be_as_deep_at_every_door(platform: CrmClient) -> None:
    deepest: Any = {"spec": nested(5)}
    made = platform.workflows.create(GOOD | {"actions": [deepest]})
    platform.workflows.actions.create(made.id, deepest)
    assert platform.workflows.actions.update(made.id, made.actions[0].id, deepest).spec == made.actions[0].spec


def test_the_routes_of_triggers_refuse_the_same(platform: CrmClient) -> None:
    for trigger, code, field in WRONG_TRIGGERS:
        made = platform.workflows.create(GOOD)
        writes: list[Callable[[], object]] = [
            partial(platform.workflows.triggers.create, made.id, trigger),
            partial(platform.workflows.triggers.update, made.id, made.triggers[0].id, trigger),
        ]
        for write in writes:
            with pytest.raises(ValidationError) as refused:
                write()
            assert refused.value.code == code and (field is None or refused.value.fields[0].field == field)


def test_what_the_client_refuses_the_server_refuses_too(platform: CrmClient) -> None:
    cases: list[tuple[Any, str]] = [
        ({"name": " "}, "name"),
        ({"name": "x" * 151}, "name"),
        ({"triggers": [{"type": "manual"}] * 11}, "triggers"),
        ({"triggers": [scheduled(frequency="daily", at="25:00")]}, "triggers.0.schedule.at"),
        ({"actions": [tag("x")] * 51}, "actions"),
        ({"actions": [{"delayMinutes": 525_601, "spec": {"type": "stop"}}]}, "actions.0.delayMinutes"),
        ({"nope": 1}, "nope"),
    ]
    for members, field in cases:
        body = {"name": "Flow", "entityType": "lead", **members}
        refused = platform.request("POST", "/v1/workflows", json=body)
        assert (refused.status, refused.json()["errors"][0]["field"]) == (422, field), members


def test_a_workflow_has_so_many_parts_and_no_more(platform: CrmClient) -> None:
    made = platform.workflows.create(GOOD | {"triggers": [{"type": "manual"}] * 10, "actions": [tag("x")] * 50})
    with pytest.raises(ValidationError, match="at most 10 triggers"):
        platform.workflows.triggers.create(made.id, {"type": "manual"})
    with pytest.raises(ValidationError, match="at most 50 actions"):
        platform.workflows.actions.create(made.id, tag("x"))


def test_every_change_of_what_it_does_is_a_revision(platform: CrmClient, stub: StubServer) -> None:
    made = platform.workflows.create(GOOD)
    assert (made.status, made.version, made.revision, made.re_enroll, made.owner_id) == (
        "draft",
        1,
        1,
        True,
        "user_ada",
    )
    assert platform.workflows.update(made.id, {"description": "x", "name": " Flow "}).revision == 1
    assert platform.workflows.update(made.id, {"conditions": where("company", "eq", "x")}).revision == 2
    assert platform.workflows.update(made.id, {"conditions": where("company", "eq", "x")}).version == 3
    trigger = platform.workflows.triggers.create(made.id, CRON)  # type: ignore[arg-type] # a plain dict
    platform.workflows.triggers.update(made.id, trigger.id, {"schedule": {"frequency": "daily"}})
    action = platform.workflows.actions.create(made.id, tag("y"))
    platform.workflows.actions.update(made.id, action.id, {"name": "Why"}, version=1)
    platform.workflows.actions.update(made.id, action.id, {"name": "Why"}, version=2)
    platform.workflows.actions.delete(made.id, action.id)
    platform.workflows.triggers.delete(made.id, trigger.id)
    now = platform.workflows.get(made.id)
    assert (now.revision, now.version, len(now.triggers), len(now.actions)) == (8, 9, 1, 1)
    told = [entry for entry in stub.audit() if entry["entity"]["id"] == made.id]
    assert [entry["action"] for entry in told] == ["workflow.created", *["workflow.updated"] * 8]
    parts = [{name for name in entry["metadata"] if name != "workflow_id"} for entry in told[3:]]
    assert parts == [{"trigger_id"}] * 2 + [{"action_id"}] * 3 + [{"trigger_id"}]
    with pytest.raises(ConflictError):
        platform.workflows.update(made.id, {"name": "Flow"}, version=1)


def test_a_fetched_workflow_can_be_sent_back_and_other_parts_cannot(platform: CrmClient) -> None:
    made = platform.workflows.get("workflow_acme_handover")
    body = made.model_dump(mode="json", by_alias=True)
    same = platform.request("PUT", f"/v1/workflows/{made.id}", json=body)
    assert (same.status, same.json()["data"]["version"]) == (200, made.version)
    wrong: list[Any] = [{"actions": []}, {"triggers": []}, {"actions": body["actions"][:1]}]
    for parts in wrong:
        refused = platform.request("PUT", f"/v1/workflows/{made.id}", json=parts)
        assert refused.json()["errors"][0]["rule"] == "read_only"


def test_actions_keep_their_order(platform: CrmClient) -> None:
    made = platform.workflows.create(GOOD | {"actions": [tag("a"), tag("b", position=7), tag("c")]})

    def order() -> str:
        actions = platform.workflows.get(made.id).actions
        assert [action.position for action in actions] == list(range(len(actions)))
        return "".join(str(action.spec.tag) for action in actions)

    assert order() == "abc"
    first = platform.workflows.actions.create(made.id, tag("d", position=1))
    assert (first.position, order()) == (1, "adbc")
    assert platform.workflows.actions.create(made.id, tag("e", position=99)).position == 4
    assert platform.workflows.actions.update(made.id, first.id, {"position": 3}).position == 3
    assert order() == "abcde"
    assert platform.workflows.actions.update(made.id, first.id, {"position": 0}).position == 0
    assert order() == "dabce"
    platform.workflows.actions.delete(made.id, first.id)
    assert order() == "abce"
    assert platform.workflows.actions.update(made.id, made.actions[0].id, {"position": 99}).position == 3
    assert order() == "bcea"


def test_the_parameters_of_an_action_are_merged_as_long_as_its_type_stays(platform: CrmClient) -> None:
    task = act("create_task", title="Call", due_in_days=2, priority="high")
    made = platform.workflows.create(GOOD | {"actions": [task]})
    id = made.actions[0].id
    merged: Any = {"spec": {"type": "create_task", "title": "Write"}}
    spec = platform.workflows.actions.update(made.id, id, merged).spec
    assert (spec.title, spec.due_in_days, spec.priority) == ("Write", 2, "high")
    other = platform.workflows.actions.update(
        made.id, id, {"spec": {"type": "update_field", "field": "email", "value": None}}
    )
    assert other.spec.model_dump(exclude_unset=True) == {"type": "update_field", "field": "email"}
    with pytest.raises(ValidationError):
        platform.workflows.actions.update(made.id, id, {"spec": {"type": "add_tag"}})


def test_a_trigger_keeps_its_key_and_loses_it_with_its_type(platform: CrmClient) -> None:
    made = platform.workflows.create(GOOD | {"triggers": [{"type": "webhook"}, {"type": "webhook"}]})
    first, second = made.triggers
    assert first.webhook_key and second.webhook_key and first.webhook_key != second.webhook_key
    kept = platform.workflows.triggers.update(made.id, first.id, {"active": False})
    assert (kept.webhook_key, kept.version) == (first.webhook_key, 2)
    assert platform.workflows.triggers.update(made.id, first.id, {"type": "manual"}).webhook_key is None


def test_lists_find_workflows(platform: CrmClient, flow: Flow) -> None:
    lead = flow("manual", tag("x"), name="Alpha", description="about leads")
    deal = flow("stage_changed", tag("x"), name="Beta", entity_type="deal", active=False, owner_id="user_mia")

    def ids(**filters: Any) -> set[str]:
        return {one.id for one in platform.workflows.list(**filters)} & {lead.id, deal.id}

    assert ids(search="ABOUT") == ids(status="active") == ids(entity_type="lead") == {lead.id}
    assert ids(trigger_type="stage_changed") == ids(owner_id="user_mia") == ids(status="draft") == {deal.id}
    assert [one.name for one in platform.workflows.list(sort="name")][:2] == [
        "Alpha",
        "Ask about renewals that are due",
    ]
    assert [len(one.actions) for one in platform.workflows.list(search="Alpha")] == [1]


# -- on and off --------------------------------------------------------------------------------------------------------


def refusal(call: Any, *arguments: Any, **more: Any) -> ConflictError:
    with pytest.raises(ConflictError) as refused:
        call(*arguments, **more)
    return refused.value


def test_only_what_is_complete_can_be_active(platform: CrmClient, stub: StubServer) -> None:
    incomplete: list[Any] = [{"triggers": []}, {"actions": []}, {"triggers": [{"type": "manual", "active": False}]}]
    for members in incomplete:
        made = platform.workflows.create(GOOD | members)
        assert refusal(platform.workflows.activate, made.id).code == "WORKFLOW_INCOMPLETE"
    user = stub.store.collection("tenant_acme", "user")
    made = platform.workflows.create(GOOD | {"actions": [tag("x"), act("assign_owner", owner_id="user_sam")]})
    user.remove("user_sam")
    invalid = refusal(platform.workflows.activate, made.id)
    assert (invalid.code, invalid.details["actionId"]) == ("WORKFLOW_INVALID", made.actions[1].id)


def test_switching_is_told_once(platform: CrmClient, stub: StubServer) -> None:
    made = platform.workflows.create(GOOD)
    assert platform.workflows.deactivate(made.id).status == "draft"
    assert [platform.workflows.activate(made.id).version for _ in range(2)] == [2, 2]
    assert [platform.workflows.deactivate(made.id).status for _ in range(2)] == ["inactive"] * 2
    told = [entry["action"] for entry in stub.audit() if entry["entity"]["id"] == made.id]
    assert told == ["workflow.created", "workflow.activated", "workflow.deactivated"]


def test_an_active_workflow_keeps_its_kind_and_its_last_parts(platform: CrmClient) -> None:
    made = platform.workflows.create(GOOD)
    assert platform.workflows.update(made.id, {"entity_type": "contact"}).entity_type == "contact"
    platform.workflows.activate(made.id)
    for write in (
        lambda: platform.workflows.update(made.id, {"entity_type": "lead"}),
        lambda: platform.workflows.triggers.delete(made.id, made.triggers[0].id),
        lambda: platform.workflows.actions.delete(made.id, made.actions[0].id),
        lambda: platform.workflows.delete(made.id),
    ):
        assert refusal(write).code == "WORKFLOW_ACTIVE"
    assert platform.workflows.update(made.id, {"entity_type": "contact"}).version == 3
    platform.workflows.deactivate(made.id)
    platform.workflows.actions.delete(made.id, made.actions[0].id)
    platform.workflows.delete(made.id)
    with pytest.raises(NotFoundError):
        platform.workflows.triggers.update(made.id, made.triggers[0].id, {"active": False})


def test_another_kind_of_record_must_have_all_that_is_used(platform: CrmClient) -> None:
    only: list[tuple[Any, str]] = [
        ({"triggers": [{"type": "score_changed"}]}, "TRIGGER_NOT_SUPPORTED"),
        ({"actions": [act("convert_lead")]}, "VALIDATION_ERROR"),
        ({"conditions": where("score", "is_set")}, "UNKNOWN_FIELD"),
    ]
    for members, code in only:
        made = platform.workflows.create(GOOD | members)
        with pytest.raises(ValidationError) as refused:
            platform.workflows.update(made.id, {"entity_type": "account"})
        assert refused.value.code == code


def test_a_workflow_that_another_enrolls_in_stays(platform: CrmClient, flow: Flow) -> None:
    inner = flow("manual", tag("x"), active=False)
    branch = BRANCH | {"then": [{"type": "enroll", "workflow_id": inner.id}]}
    outer = flow("manual", {"spec": branch}, active=False)
    assert refusal(platform.workflows.delete, inner.id).details["ids"] == [outer.id]
    with pytest.raises(ValidationError) as refused:
        platform.workflows.actions.create(inner.id, act("enroll", workflow_id=inner.id))
    assert refused.value.code == "WORKFLOW_LOOP"
    platform.workflows.delete(outer.id)
    platform.workflows.delete(inner.id)


def test_a_plan_has_so_many_workflows(platform: CrmClient, stub: StubServer) -> None:
    tenants = stub.store.collection("tenant_acme", "tenant")
    tenants.put(next(iter(tenants)) | {"limits": {"workflows": 4}})
    platform.workflows.create(GOOD)
    with pytest.raises(PermissionDeniedError) as refused:
        platform.workflows.create(GOOD)
    assert (refused.value.code, refused.value.details) == (
        "LIMIT_EXCEEDED",
        {"key": "workflows", "limit": 4, "used": 4},
    )


def test_what_waits_is_cancelled_with_the_workflow(platform: CrmClient, flow: Flow, runs: Runs) -> None:
    made = flow("manual", tag("now"), tag("later", delay_minutes=5))
    lead = platform.leads.create({"name": "Ada"})
    for _ in range(2):
        platform.workflows.execute(made.id, entity_id=lead.id)
    assert [run.status for run in runs(made)] == ["waiting"] * 2
    platform.workflows.deactivate(made.id)
    assert [run.status for run in runs(made)] == ["waiting"] * 2
    platform.workflows.deactivate(made.id, cancel_waiting=True)
    found = runs(made)
    assert [(run.status, [step.status for step in run.steps]) for run in found] == [
        ("cancelled", ["succeeded", "skipped"])
    ] * 2
    platform.workflows.activate(made.id)
    platform.workflows.execute(made.id, entity_id=lead.id)
    platform.workflows.deactivate(made.id)
    (last,) = runs(made, status="waiting")
    platform.workflows.delete(made.id)
    assert platform.workflows.executions.get(last.id).status == "cancelled"
    with pytest.raises(NotFoundError):
        list(platform.workflows.executions.list(made.id))
