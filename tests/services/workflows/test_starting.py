"""What starts an execution and what does not: messages, stages, schedules, keys of triggers, and features."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Any

from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient
from server_stub import StubServer, timetable
from server_stub.services.workflows.starting import WORK

from .conftest import Flow, Runs, act, statuses, tag, where

NOTIFY = act("notify", user_ids=["user_sam"], title="Seen", message="{{name}}")


def switch(stub: StubServer, *, on: bool) -> None:
    """Switch the company's workflows on or off, as its plan may."""
    tenants = stub.store.collection("tenant_acme", "tenant")
    (tenant,) = tenants
    tenants.put(tenant | {"features": {"workflows": on}})


def test_a_message_starts_what_is_about_its_correspondent(
    platform: CrmClient, stub: StubServer, flow: Flow, runs: Runs
) -> None:
    flows = {kind: flow("message_received", NOTIFY, entity_type=kind) for kind in ("contact", "lead", "account")}
    lead, mvp = platform.leads.create({"name": "Eva Roth", "company": "Roth"}).id, stub.client(dialects="mvp")
    heard: list[list[str]] = []
    for sender in ("lead", "lead", "user"):
        said: Any = {"lead_id": lead, "content": "Hello"} | ({"sender": "lead"} if sender == "lead" else {})
        mvp.messages.create(said)
        platform.leads.list(limit=1)
        heard.append([kind for kind, made in flows.items() for _ in runs(made)])
        if len(heard) == 1:
            contact = some(platform.leads.convert(lead).contact)
    assert heard == [["lead"], ["contact", "lead", "lead"], ["contact", "lead", "lead"]]
    (run,) = runs(flows["contact"])
    assert run.entity is not None and (run.entity.type, run.entity.id, run.entity.name) == (
        "contact", contact.id, "Eva Roth",
    )  # fmt: skip


def test_a_stage_is_named_by_its_key_or_its_id(platform: CrmClient, flow: Flow, runs: Runs) -> None:
    stages = {one.key: one.id for one in platform.pipelines.get("pipeline_acme").stages}
    sides = ("from_value", "to_value")
    given: list[tuple[dict[str, str], int]] = [
        ({side: name}, 1) for side in sides for name in ("proposal", stages["proposal"])
    ]
    given += [({"from_value": stages["proposal"], "to_value": stages["negotiation"]}, 1),
              ({"from_value": stages["negotiation"], "to_value": stages["proposal"]}, 0),
              ({"from_value": stages["proposal"], "to_value": "prospect"}, 0)]  # fmt: skip
    flows = [flow({"type": "stage_changed", **trigger}, NOTIFY, entity_type="deal") for trigger, _ in given]
    deal = platform.deals.create({"title": "Engine"}).id
    for stage in ("proposal", "negotiation"):
        platform.deals.move_stage(deal, stage)
    platform.deals.get(deal)
    assert [len(runs(made)) for made in flows] == [count for _, count in given]


def test_what_is_made_or_goes_is_no_change_of_a_field(platform: CrmClient, flow: Flow, runs: Runs) -> None:
    named = flow({"type": "field_changed", "field": "company"}, NOTIFY)
    changed = flow("record_updated", NOTIFY)
    lead = platform.leads.create({"name": "Ada", "company": "One"}).id
    platform.leads.delete(lead)
    platform.leads.list(limit=1)
    assert (runs(named), runs(changed)) == ([], [])


def test_nothing_starts_while_the_feature_is_off(platform: CrmClient, stub: StubServer, flow: Flow, runs: Runs) -> None:
    hourly = {"type": "schedule", "schedule": {"frequency": "hourly", "timezone": "UTC"}}
    made = flow("record_created", NOTIFY, triggers=[{"type": "record_created"}, hourly, {"type": "webhook"}])
    key = some(made.triggers[2].webhook_key)
    switch(stub, on=False)
    platform.leads.create({"name": "Ada"})
    stub.clock.advance(3_600)
    error = refused(lambda: platform.workflows.triggers.fire(key))
    assert (error.status, error.code, error.details) == (403, "FEATURE_DISABLED", {"feature": "workflows"})
    switch(stub, on=True)
    assert runs(made) == []
    stub.clock.advance(3_600)
    assert [(run.source, run.trigger_id) for run in runs(made)] == [("trigger", made.triggers[1].id)], "it goes on"


def test_a_schedule_is_kept_as_far_as_its_trigger_is_active(
    platform: CrmClient, stub: StubServer, flow: Flow, runs: Runs
) -> None:
    cron = {"frequency": "hourly", "cron": "* * * * *", "at": "00:20"}
    triggers = [{"type": "schedule", "schedule": cron}, {"type": "schedule", "schedule": cron, "active": False}]
    made = flow(triggers[0], NOTIFY, triggers=[*triggers, {"type": "manual"}])
    kept = some(stub.store.collection("tenant_acme", "trigger").get(made.triggers[0].id))["schedule"]
    assert {name: value for name, value in kept.items() if value is not None} == {
        "frequency": "hourly", "at": "00:20", "timezone": "America/New_York",
    }  # fmt: skip
    lead = platform.leads.create({"name": "Ada", "company": "Nightly"}).id
    platform.workflows.execute(flow("manual", NOTIFY).id, entity_id=lead)
    platform.leads.get(lead)
    assert runs(made) == [], "its time is still to come, whatever else is carried out"
    stub.clock.advance(3_600)
    assert [(run.trigger_id, run.entity) for run in runs(made)] == [(made.triggers[0].id, None)]
    conditions: Any = where("company", "eq", "Nightly")
    platform.workflows.triggers.update(made.id, made.triggers[0].id, {"conditions": conditions})
    stub.clock.advance(3_600)
    assert [run.entity and run.entity.id for run in runs(made)] == [None, lead]
    platform.workflows.triggers.update(made.id, made.triggers[0].id, {"active": False})
    stub.clock.advance(3_600)
    assert len(runs(made)) == 2


def test_a_timer_of_what_is_gone_or_off_starts_nothing_and_goes(
    platform: CrmClient, stub: StubServer, flow: Flow, runs: Runs
) -> None:
    hourly = {"type": "schedule", "schedule": {"frequency": "hourly", "timezone": "UTC"}}
    off, gone, part, kept = (flow(hourly, NOTIFY) for _ in range(4))
    stored(stub, "workflow", off.id, status="inactive")
    stub.store.collection("tenant_acme", "workflow").remove(gone.id)
    stub.store.collection("tenant_acme", "trigger").remove(part.triggers[0].id)
    stub.clock.advance(3_600)
    assert [len(runs(one)) for one in (off, part, kept)] == [0, 0, 1]
    timers = stub.store.collection("tenant_acme", "workflow_timer")
    assert {one["workflow_id"] for one in timers} & {off.id, gone.id, part.id, kept.id} == {kept.id}


def test_the_first_work_of_a_company_is_planned(platform: CrmClient, stub: StubServer, flow: Flow, runs: Runs) -> None:
    made = flow("manual", NOTIFY)
    stub.store.collection("tenant_acme", timetable.KIND).remove(WORK.name)
    platform.workflows.execute(made.id, entity_id="lead_123")
    platform.leads.list(limit=1)
    assert [run.status for run in runs(made)] == ["succeeded"]


def test_a_schedule_of_days_that_are_over_starts_nothing(stub: StubServer, flow: Flow, runs: Runs) -> None:
    once = {"frequency": "once", "start_date": date(2026, 1, 14), "at": "12:00"}
    made = flow({"type": "schedule", "schedule": once}, NOTIFY)
    assert not stub.store.collection("tenant_acme", "workflow_timer").find("workflow_id", made.id)
    stub.clock.advance(3_600)
    assert runs(made) == []


def test_a_key_starts_what_its_trigger_says(platform: CrmClient, flow: Flow, runs: Runs) -> None:
    made = flow("webhook", tag("x"), triggers=[{"type": "webhook"}, {"type": "webhook"}])
    fire, keys = platform.workflows.triggers.fire, [some(one.webhook_key) for one in made.triggers]
    started = fire(keys[1], entity_id="lead_123")
    assert (started.trigger_id, started.entity and started.entity.id) == (made.triggers[1].id, "lead_123")
    assert (started.workflow_id, started.status, started.source, started.depth) == (made.id, "queued", "trigger", 1)
    platform.workflows.triggers.update(made.id, made.triggers[1].id, {"active": False})
    error = refused(lambda: fire(keys[1]))
    assert (error.status, error.code, error.details) == (409, "WORKFLOW_INACTIVE", {"status": "inactive"})
    assert fire(keys[0]).trigger_id == made.triggers[0].id
    for key, id, code, field in ((keys[0], "contact_123", "REFERENCE_NOT_FOUND", "entity_id"),
                                 ("hook_unknown", None, "NOT_FOUND", None)):  # fmt: skip
        error = refused(partial(fire, key, entity_id=id))
        assert (error.code, error.fields[0].field if field else None) == (code, field)
    assert len(runs(made)) == 2


def test_a_record_is_named_but_for_triggers_without_one(platform: CrmClient, flow: Flow) -> None:
    execute = platform.workflows.execute
    for triggers, needed, trigger in (
        ([{"type": "manual"}], False, 0), ([{"type": "webhook"}], False, None),
        ([{"type": "schedule", "schedule": {"frequency": "daily"}}], False, None),
        ([{"type": "record_created"}], True, None),
        ([{"type": "record_created"}, {"type": "manual", "active": False}], True, None),
        ([{"type": "manual", "active": False}, {"type": "manual"}], False, 1),
    ):  # fmt: skip
        made = flow(triggers[0], tag("x"), triggers=triggers)
        known = made.triggers[trigger].id if trigger is not None else None
        assert execute(made.id, entity_id="lead_123").trigger_id == known, triggers
        if not needed:
            assert execute(made.id).trigger_id == known, triggers
            continue
        error = refused(partial(execute, made.id))
        assert (error.status, error.fields[0].field, error.fields[0].rule, error.fields[0].message) == (
            422, "entity_id", "required", "Flow runs for a lead: name it",
        )  # fmt: skip


def test_a_workflow_stays_while_a_rule_enrolls_in_it(platform: CrmClient, flow: Flow) -> None:
    inner = flow("manual", tag("x"), entity_type="deal", active=False)
    enroll: Any = {"type": "enroll", "workflow_id": inner.id}
    outer = flow("manual", act("enroll", workflow_id=inner.id), entity_type="deal", active=False)
    rule = platform.pipelines.automation.create(
        "pipeline_acme", {"name": "R", "trigger": {"event": "deal_created"}, "actions": [enroll]}
    )
    error = refused(lambda: platform.workflows.delete(inner.id))
    ids = sorted([outer.id, rule.id])
    assert (error.status, error.code, error.details) == (409, "WORKFLOW_REFERENCED", {"ids": ids})
    assert error.message == f"{', '.join(ids)} enrolls records in Flow: change that first"
    platform.pipelines.automation.delete("pipeline_acme", rule.id)
    assert refused(lambda: platform.workflows.delete(inner.id)).details == {"ids": [outer.id]}
    platform.workflows.delete(outer.id)
    platform.workflows.delete(inner.id)


def test_a_text_is_filled_with_what_is_known(platform: CrmClient, stub: StubServer, flow: Flow) -> None:
    """Members, the input and the company's values; what nobody knows stays as it is, what has no value is nothing."""
    platform.configuration.settings.update({"env.SITE": "north"})
    text = (
        "{{name}}|{{ first_name }}|{{contact_name}}|{{our_company}}|{{sender_name}}|{{title}}|{{env.SITE}}|{{env.NONE}}"
        "|{{env}}|{{input.a.b}}|{{input.z}}|{{input}}|{{hat}}|{{address.city}}|{{custom_fields.tier}}"
    )
    made = flow("manual", act("notify", user_ids=["user_sam"], title="T", message=text), conditions=[])
    given: Any = {"name": "Ada Lovelace", "address": {"city": "Ulm"}, "custom_fields": {"tier": "gold"}}
    lead = platform.leads.create(given).id
    run = platform.workflows.execute(made.id, entity_id=lead, input={"a": {"b": 7}})
    assert statuses(platform.workflows.executions.get(run.id)) == ["succeeded"]
    (note,) = stub.store.collection("tenant_acme", "notification").find("title", "T")
    assert note["message"].split("|") == [
        "Ada Lovelace", "Ada", "Ada Lovelace", platform.tenants.get("tenant_acme").name, "Ada Lindqvist", "", "north",
        "{{env.NONE}}", "{{env}}", "7", "", "{{input}}", "{{hat}}", "Ulm", "gold",
    ]  # fmt: skip
