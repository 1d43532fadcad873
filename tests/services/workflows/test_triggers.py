"""What starts workflows: events of records, changes of fields, schedules, other systems; and what does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from noun_cases import Case

from crm_sdk import ConflictError, CrmClient, NotFoundError
from crm_sdk.wire import snake
from server_stub import StubServer
from server_stub.services.workflows.subjects import offered_kinds

from .conftest import Flow, Runs, act, statuses, tag, where

NOTIFY = act("notify", user_ids=["user_sam"], title="Seen", message="{{name}}")


def test_records_start_workflows_when_they_come_change_and_go(
    platform: CrmClient, stub: StubServer, flow: Flow, runs: Runs
) -> None:
    flows = {type: flow(type, NOTIFY) for type in ("record_created", "record_updated", "record_deleted")}
    lead = platform.leads.create({"name": "Ada"})
    platform.leads.update(lead.id, {"company": "One"})
    platform.leads.update(lead.id, {"company": "One"})
    platform.leads.qualify(lead.id)
    platform.leads.delete(lead.id)
    platform.leads.list(limit=1)
    found = {type: [run.status for run in runs(made)] for type, made in flows.items()}
    assert found == {
        "record_created": ["succeeded"],
        "record_updated": ["succeeded"] * 2,
        "record_deleted": ["succeeded"],
    }
    assert [note["message"] for note in stub.store.collection("tenant_acme", "notification").find("title", "Seen")] == [
        "Ada"
    ] * 4


@pytest.mark.parametrize("kind", [kind for kind in offered_kinds(StubServer(demo=False).nouns) if kind != "app"])
def test_every_kind_of_record_has_workflows(
    platform: CrmClient, stub: StubServer, flow: Flow, runs: Runs, kind: str
) -> None:
    told = act("notify", user_ids=["user_sam"], title="Seen", message="x")
    types = ("record_created", "record_updated", "record_deleted")
    flows = [flow(type, told, entity_type=kind) for type in types]
    case = Case.of(stub.nouns[kind], stub)
    made = case.made(**({"kind": "task", "title": "Task"} if kind == "activity" else {}))
    name, value = case.change_of(made)
    changes = flow({"type": "field_changed", "field": snake(name), "to_value": value}, told, entity_type=kind)
    case.call("update", made["id"], {name: value}).ok()
    case.call("delete", made["id"]).ok()
    platform.leads.list(limit=1)
    found = [[run.entity and run.entity.id for run in runs(each) if run.status == "succeeded"] for each in flows]
    assert [made["id"] in ids for ids in found] == [True] * 3
    assert [run.entity and run.entity.id for run in runs(changes)] == [made["id"]]


def test_one_write_starts_a_workflow_once_whatever_it_is_told_as(
    platform: CrmClient, flow: Flow, runs: Runs, stub: StubServer
) -> None:
    triggers = [{"type": "record_updated"}, {"type": "field_changed", "field": "stage"}, {"type": "stage_changed"}]
    made = flow(triggers[0], NOTIFY, entity_type="deal", triggers=triggers)
    deal = platform.deals.create({"title": "Engine", "value": 10})
    platform.deals.update(deal.id, {"stage": "proposal"})  # told as an update and as a change of stage
    platform.deals.get(deal.id)
    (run,) = runs(made)
    event = stub.store.collection("tenant_acme", "audit").get(run.trigger_event_id or "")
    assert (run.source, run.trigger_id, run.depth) == ("trigger", made.triggers[0].id, 1)
    assert event is not None and event["entity"]["id"] == deal.id


def test_a_change_of_a_field_starts_a_workflow(platform: CrmClient, flow: Flow, runs: Runs) -> None:
    cases: list[tuple[Any, Any, bool]] = [
        ({"field": "company"}, {"company": "New"}, True),
        ({"field": "company"}, {"title": "New"}, False),
        ({"field": "company", "from_value": "Old"}, {"company": "New"}, True),
        ({"field": "company", "from_value": "Other"}, {"company": "New"}, False),
        ({"field": "company", "to_value": "New"}, {"company": "New"}, True),
        ({"field": "company", "to_value": "Other"}, {"company": "New"}, False),
        ({"field": "employees", "to_value": 12}, {"employees": 12}, True),
        ({"field": "do_not_contact", "to_value": True}, {"do_not_contact": True}, True),
        ({"field": "custom_fields.tier"}, {"custom_fields": {"tier": "gold"}}, True),
        ({"field": "custom_fields.tier"}, {"custom_fields": {"other": "gold"}}, False),
        ({"field": "custom_fields.tier", "to_value": "gold"}, {"custom_fields": {"tier": "gold"}}, True),
    ]
    for trigger, change, starts in cases:
        made = flow({"type": "field_changed", **trigger}, NOTIFY)
        lead = platform.leads.create({"name": "Ada", "company": "Old", "custom_fields": {"tier": "silver"}})
        platform.leads.update(lead.id, change)
        platform.leads.get(lead.id)
        assert len(runs(made)) == starts, trigger


def test_a_change_of_stage_starts_a_workflow(platform: CrmClient, flow: Flow, runs: Runs) -> None:
    cases: list[tuple[Any, int]] = [
        ({}, 2),
        ({"to_value": "proposal"}, 1),
        ({"from_value": "proposal"}, 1),
        ({"to_value": "stage_acme_proposal"}, 1),
    ]
    for trigger, starts in cases:
        made = flow({"type": "stage_changed", **trigger}, NOTIFY, entity_type="deal")
        deal = platform.deals.create({"title": "Engine", "value": 10})
        for stage in ("proposal", "proposal", "closed-won"):
            platform.deals.move_stage(deal.id, stage)
        platform.deals.get(deal.id)
        assert len(runs(made)) == starts, trigger


def test_scores_forms_and_messages_start_workflows(
    platform: CrmClient, stub: StubServer, flow: Flow, runs: Runs
) -> None:
    flows = {type: flow(type, NOTIFY) for type in ("score_changed", "form_submitted", "message_received")}
    of_contacts = flow("message_received", NOTIFY, entity_type="contact")
    lead = platform.leads.create({"name": "Ada"})
    platform.leads.score(lead.id, score=77, reason="met")
    platform.leads.score(lead.id, score=77, reason="met")
    platform.leads.capture.web_form({"form_id": "f", "name": "Bo", "email": "bo@form.example", "message": "Hi"})
    platform.leads.capture.email({"from_email": "cy@mail.example", "subject": "Hi", "body": "Hello"})
    mvp = stub.client(dialects="mvp")
    mvp.messages.create({"lead_id": "lead_123", "content": "Hello", "sender": "lead"})
    mvp.messages.create({"lead_id": "lead_123", "content": "Again", "sender": "lead"})
    mvp.messages.create({"lead_id": "lead_123", "content": "Ours"})
    platform.leads.get(lead.id)
    found = {type: [run.entity and run.entity.name for run in runs(made)] for type, made in flows.items()}
    assert found["score_changed"][0] == "Ada"
    assert found["form_submitted"] == ["Bo"]
    assert found["message_received"] == ["John Smith"] * 2
    assert runs(of_contacts) == []


def test_conditions_of_the_workflow_and_of_its_trigger_must_hold(platform: CrmClient, flow: Flow, runs: Runs) -> None:
    trigger = {"type": "record_created", "conditions": where("company", "eq", "Acme")}
    made = flow(trigger, tag("x"), conditions=where("source", "eq", "partner"))
    for company, source in (("Acme", "partner"), ("Acme", "event"), ("Other", "partner")):
        platform.leads.create({"name": f"{company} {source}", "company": company, "source": source})
    platform.leads.list(limit=1)
    assert [run.entity and run.entity.name for run in runs(made)] == ["Acme partner"]


def test_only_what_is_active_is_started(platform: CrmClient, flow: Flow, runs: Runs) -> None:
    draft = flow("record_created", tag("x"), active=False)
    triggers = [{"type": "record_created", "active": False}, {"type": "manual"}]
    off = flow(triggers[0], tag("x"), triggers=triggers)
    stopped = flow("record_created", tag("x"))
    platform.workflows.deactivate(stopped.id)
    platform.leads.create({"name": "Ada"})
    platform.leads.list(limit=1)
    assert [runs(made) for made in (draft, off, stopped)] == [[], [], []]


def test_a_record_is_enrolled_once_where_the_workflow_says_so(platform: CrmClient, flow: Flow, runs: Runs) -> None:
    once = flow("record_updated", tag("x"), re_enroll=False, triggers=[{"type": "record_updated"}, {"type": "manual"}])
    lead = platform.leads.create({"name": "Ada"})
    for company in ("One", "Two"):
        platform.leads.update(lead.id, {"company": company})
    platform.leads.get(lead.id)
    assert len(runs(once)) == 1
    with pytest.raises(ConflictError) as refused:
        platform.workflows.execute(once.id, entity_id=lead.id)
    assert refused.value.code == "ALREADY_ENROLLED"
    platform.workflows.update(once.id, {"re_enroll": True})
    platform.workflows.execute(once.id, entity_id=lead.id)
    assert len(runs(once)) == 2


# -- chains ------------------------------------------------------------------------------------------------------------


def test_a_workflow_is_not_started_by_its_own_write(platform: CrmClient, flow: Flow, runs: Runs) -> None:
    made = flow("record_updated", act("update_field", field="industry", value="tools"), tag("again"))
    other = flow("record_updated", NOTIFY)
    lead = platform.leads.create({"name": "Ada"})
    platform.leads.update(lead.id, {"company": "One"})
    platform.leads.get(lead.id)
    assert len(runs(made)) == 1
    assert [run.depth for run in runs(other)] == [1, 2, 2], "others see what it wrote, one deeper"


def test_workflows_that_start_each_other_end(platform: CrmClient, stub: StubServer, flow: Flow, runs: Runs) -> None:
    ping = flow(
        {"type": "field_changed", "field": "industry"}, act("update_field", field="title", value="{{industry}}!")
    )
    pong = flow({"type": "field_changed", "field": "title"}, act("update_field", field="industry", value="{{title}}?"))
    lead = platform.leads.create({"name": "Ada"})
    platform.leads.update(lead.id, {"industry": "a"})
    stub.clock.advance(60)
    found = sorted([*runs(ping), *runs(pong)], key=lambda run: run.depth or 0)
    assert [(run.depth, run.status) for run in found] == [*((n, "succeeded") for n in range(1, 6)), (6, "failed")]
    assert found[-1].error is not None and found[-1].error.code == "WORKFLOW_LOOP"
    assert statuses(found[-1]) == ["skipped"]
    assert platform.leads.get(lead.id).industry == "a!?!?"


# -- schedules ---------------------------------------------------------------------------------------------------------


@pytest.mark.thorough
def test_a_schedule_starts_its_workflow_on_the_clock(
    platform: CrmClient, stub: StubServer, flow: Flow, runs: Runs
) -> None:
    made = flow(
        {"type": "schedule", "schedule": {"frequency": "daily", "at": "03:00", "timezone": "UTC"}},
        act("notify", role="admin", title="Morning", message="Go"),
    )
    assert made.triggers[0].schedule is not None and made.triggers[0].schedule.timezone == "UTC"
    stub.clock.advance(timedelta(days=3).total_seconds())
    assert [run.created_at for run in runs(made)] == [datetime(2026, 1, day, 3, tzinfo=UTC) for day in (16, 17, 18)]
    assert [run.entity for run in runs(made)] == [None] * 3
    platform.workflows.triggers.update(
        made.id, made.triggers[0].id, {"schedule": {"frequency": "daily", "at": "04:00"}}
    )
    stub.clock.advance(timedelta(days=1).total_seconds())
    assert [run.created_at for run in runs(made)][3:] == [datetime(2026, 1, 19, 4, tzinfo=UTC)]
    platform.workflows.deactivate(made.id)
    stub.clock.advance(timedelta(days=2).total_seconds())
    assert len(runs(made)) == 4


def test_a_schedule_with_conditions_runs_for_each_record_that_meets_them(
    platform: CrmClient, stub: StubServer, flow: Flow, runs: Runs
) -> None:
    leads = [platform.leads.create({"name": name, "company": "Nightly"}).id for name in ("Ada", "Bo")]
    made = flow(
        {"type": "schedule", "schedule": {"frequency": "cron", "cron": "30 2 * * *"}},
        tag("nightly"), conditions=where("company", "eq", "Nightly"),
    )  # fmt: skip
    stub.clock.advance(timedelta(days=1).total_seconds())
    assert sorted(run.entity.id for run in runs(made) if run.entity) == sorted(leads)
    assert [platform.leads.get(id).tags for id in leads] == [["nightly"]] * 2


def test_a_leap_of_the_clock_makes_up_for_the_last_runs_only(stub: StubServer, flow: Flow, runs: Runs) -> None:
    every_minute = {"type": "schedule", "schedule": {"frequency": "cron", "cron": "* * * * *"}}
    made = flow(every_minute, act("notify", role="admin", title="Tick", message="Tock"))
    stub.clock.advance(timedelta(days=2).total_seconds())
    assert len(runs(made)) == 25
    assert runs(made)[-1].created_at == datetime(2026, 1, 17, 9, 0, tzinfo=UTC)


# -- other systems -----------------------------------------------------------------------------------------------------


def test_another_system_starts_a_workflow_with_the_key_of_its_trigger(
    platform: CrmClient, stub: StubServer, flow: Flow
) -> None:
    create = act("create_record", entityType="lead", fields={"name": "{{input.person.name}}", "source": "partner"})
    made = flow("webhook", create)
    key = made.triggers[0].webhook_key
    assert key is not None and key.startswith("hook_")
    anybody = stub.client(dialects="platform", api_key="nobody-knows-this-key", max_retries=0)
    started = anybody.workflows.triggers.fire(key, input={"person": {"name": "Zoë Webhook"}})
    assert (started.source, started.trigger_id, started.created_by) == ("trigger", made.triggers[0].id, "system")
    assert [lead.name for lead in platform.leads.list(search="Zoë Webhook")] == ["Zoë Webhook"]
    with pytest.raises(NotFoundError):
        anybody.workflows.triggers.fire("hook_unknown")
    platform.workflows.deactivate(made.id)
    with pytest.raises(ConflictError) as refused:
        anybody.workflows.triggers.fire(key)
    assert refused.value.code == "WORKFLOW_INACTIVE"
