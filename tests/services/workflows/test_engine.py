"""Executions step by step: what waits for how long, what a failure undoes, and what is stored of all that."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from stub_data import some

from crm_sdk import CrmClient
from crm_sdk.models import WorkflowExecution
from server_stub import StubServer
from server_stub.services.workflows import engine

from .conftest import Flow, Runs, act, statuses, tag, where

FAILS: Any = {"type": "send_email", "to": "record", "subject": "x", "body": "y"}


def begun(platform: CrmClient, workflow_id: str, id: str) -> WorkflowExecution:
    """Start a workflow for a record, and return the execution after its first steps."""
    started = platform.workflows.execute(workflow_id, entity_id=id)
    return platform.workflows.executions.get(started.id)


def test_a_step_waits_until_its_member_says(platform: CrmClient, stub: StubServer, flow: Flow, runs: Runs) -> None:
    """A time to come is waited for, one that is over is not, nor what is no time; without a value it waits for one."""
    start, hour = stub.clock.now(), timedelta(hours=1)
    waits = {name: flow("manual", act("wait", until_field=name), tag("x"), entity_type="contact").id
             for name in ("next_follow_up", "secondary_emails", "department")}  # fmt: skip
    given: list[tuple[str, dict[str, Any], Any]] = [
        ("next_follow_up", {"next_follow_up": start - hour}, None),
        ("next_follow_up", {"next_follow_up": start + 2 * hour}, start + 2 * hour),
        ("next_follow_up", {}, "none"),
        ("secondary_emails", {}, "none"), ("secondary_emails", {"secondary_emails": ["a@roth.example"]}, None),
        ("department", {}, "none"), ("department", {"department": "Lab"}, None),
    ]  # fmt: skip
    people: list[str] = []
    for name, members, until in given:
        body: Any = {"name": "Eva Roth", **members}
        people.append(platform.contacts.create(body).id)
        run = begun(platform, waits[name], people[-1])
        step = run.steps[0]
        if until is None:
            assert (statuses(run), step.resume_at, step.finished_at, run.progress) == (
                ["succeeded"] * 2, None, step.started_at, 1.0,
            )  # fmt: skip
        else:
            assert (run.status, statuses(run), run.progress) == ("waiting", ["waiting", "pending"], 0.0), members
            assert (step.resume_at, step.finished_at, run.finished_at, run.duration_ms) == (
                None if until == "none" else until, None, None, None,
            )  # fmt: skip
    platform.contacts.update(people[2], {"next_follow_up": start + hour})
    platform.contacts.update(people[3], {"department": "Other"})
    platform.contacts.update(people[5], {"department": "Lab"})
    stub.clock.advance(3_600)

    def tagged() -> list[int]:
        return [number for number, id in enumerate(people) if platform.contacts.get(id).tags]

    assert tagged() == [0, 2, 4, 5, 6]
    stub.clock.advance(3_600)
    assert tagged() == [0, 1, 2, 4, 5, 6]


def test_a_delay_is_over_before_a_wait_begins(platform: CrmClient, stub: StubServer, flow: Flow, runs: Runs) -> None:
    made = flow("manual", act("wait", minutes=10, own={"delay_minutes": 5}), tag("x"))
    lead = platform.leads.create({"name": "Ada"}).id
    run = begun(platform, made.id, lead)
    at = some(run.steps[0].started_at)
    for minutes, until in ((0, 5), (4, 5), (1, 15), (9, 15)):
        stub.clock.advance(60 * minutes)
        platform.leads.update(lead, {"company": f"{minutes}"})
        (run,) = runs(made)
        assert (run.status, some(run.steps[0].resume_at) - at) == ("waiting", timedelta(minutes=until)), minutes
    stub.clock.advance(60)
    (run,) = runs(made)
    assert (statuses(run), run.duration_ms, some(run.steps[0].started_at)) == (["succeeded"] * 2, 15 * 60_000, at)


def rule_of(platform: CrmClient, *actions: Any, **members: Any) -> str:
    given: Any = {"name": "R", "trigger": {"event": "deal_created"}, "actions": list(actions), **members}
    return platform.pipelines.automation.create("pipeline_acme", given).id


def test_a_rule_leaves_nothing_of_what_it_did_before_it_failed(platform: CrmClient, stub: StubServer) -> None:
    tag_of: Any = {"type": "add_tag", "tag": "done"}
    branch: Any = {"type": "branch", "conditions": where("title", "is_set"), "then": [tag_of], "otherwise": [FAILS]}
    task: Any = {"type": "create_task", "title": "T"}
    rule = rule_of(platform, branch, {"type": "wait", "minutes": 5}, task, FAILS, tag_of)
    deal = platform.deals.create({"title": "Engine"}).id
    before = len(stub.store.collection("tenant_acme", "activity"))
    stub.clock.advance(301)
    assert platform.deals.get(deal).tags == ["done"]
    (doc,) = stub.store.collection("tenant_acme", "execution").find("rule_id", rule)
    run = platform.workflows.executions.get(doc["id"])
    assert [(step.type, step.status, bool(step.changes), step.output) for step in run.steps] == [
        ("branch", "succeeded", False, None), ("add_tag", "succeeded", True, None), ("wait", "succeeded", False, None),
        ("create_task", "skipped", False, None), ("send_email", "failed", False, None),
        ("add_tag", "skipped", False, None),
    ]  # fmt: skip
    assert (run.status, run.progress, some(run.error).code) == ("failed", 1.0, "NO_ADDRESS")
    assert len(stub.store.collection("tenant_acme", "activity")) == before
    counted = some(stub.store.collection("tenant_acme", "rule").get(rule))
    assert (counted["run_count"], counted["last_status"], counted["last_run_at"]) == (1, "failed", run.finished_at)
    assert counted["version"] == 1


def test_a_rule_that_does_not_hold_when_it_begins_leaves_no_execution(platform: CrmClient, stub: StubServer) -> None:
    tag_of: Any = {"type": "add_tag", "tag": "done"}
    rule = rule_of(platform, tag_of, conditions=where("title", "eq", "Engine"))
    executions = stub.store.collection("tenant_acme", "execution")
    for title, is_run in (("Engine", True), ("Loom", False)):
        deal = platform.deals.create({"title": title}).id
        assert bool(platform.deals.get(deal).tags) is is_run
        assert [doc["entity_id"] for doc in executions.find("rule_id", rule)][-1:] != [deal] or is_run
    made: Any = {"action": "create", "entity": "deal", "ref": "gone", "values": {"title": "Engine"}}
    platform.objects.transaction([made, {"action": "delete", "entity": "deal", "id": "@gone"}])
    platform.deals.list(limit=1)
    (doc,) = executions.find("rule_id", rule)
    assert (doc["status"], doc["source"], doc["workflow_id"], doc["entity_type"], doc["revision"]) == (
        "succeeded", "pipeline_rule", None, "deal", 1,
    )  # fmt: skip


def test_rules_that_cause_one_another_end(platform: CrmClient, stub: StubServer) -> None:
    for name, other in (("next_step", "description"), ("description", "next_step")):
        action = {"type": "update_field", "field": other, "value": f"{{{{{name}}}}}!"}
        rule_of(platform, action, trigger={"event": "field_changed", "field": name})
    deal = platform.deals.create({"title": "Engine"}).id
    platform.deals.update(deal, {"next_step": "a"})
    platform.deals.get(deal)
    found = sorted(stub.store.collection("tenant_acme", "execution").find("entity_id", deal), key=lambda d: d["depth"])
    assert [(doc["depth"], doc["status"]) for doc in found] == [*((n, "succeeded") for n in range(1, 6)), (6, "failed")]
    assert platform.deals.get(deal).next_step == "a!!!!"
    error = found[-1]["error"]
    assert (error["code"], error["message"]) == (
        "AUTOMATION_LOOP", "5 executions were caused by one another: this is a loop",
    )  # fmt: skip


def test_an_execution_is_ended_even_where_its_failure_cannot_be_told(
    platform: CrmClient, flow: Flow, runs: Runs, failures: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any) -> None:
        raise ZeroDivisionError

    made = flow("manual", tag("x"), tag("y"))
    for name in ("go", "_tell"):
        monkeypatch.setattr(engine.Run, name, breaks)
    run = begun(platform, made.id, "lead_123")
    assert (run.status, statuses(run), some(run.error).code, some(run.error).message) == (
        "failed", ["skipped"] * 2, "INTERNAL_ERROR", "the engine raised ZeroDivisionError; the log has more",
    )  # fmt: skip
    assert run.finished_at is not None and len(failures) == 2
    failures.clear()
    platform.leads.list(limit=1)
    assert [one.id for one in runs(made)] == [run.id], "it is not tried again"


def test_an_execution_ends_where_its_workflow_is_gone_meanwhile(
    platform: CrmClient, stub: StubServer, flow: Flow, failures: Any
) -> None:
    made = flow("manual", tag("x", delay_minutes=5))
    lead = platform.leads.create({"name": "Ada"}).id
    run = begun(platform, made.id, lead)
    stub.store.collection("tenant_acme", "workflow").remove(made.id)
    stub.clock.advance(600)
    now = platform.workflows.executions.get(run.id)
    assert (now.status, statuses(now), some(now.error).code, failures) == ("failed", ["skipped"], "FORBIDDEN", [])


def test_a_cancelled_execution_keeps_what_it_has_done(
    platform: CrmClient, stub: StubServer, flow: Flow, runs: Runs
) -> None:
    made = flow("manual", tag("now"), tag("later", delay_minutes=5), tag("last"))
    lead = platform.leads.create({"name": "Ada"}).id
    run = begun(platform, made.id, lead)
    stub.clock.advance(60)
    platform.jobs.cancel(run.id)
    now = platform.workflows.executions.get(run.id)
    assert (now.status, now.error, statuses(now)) == ("cancelled", None, ["succeeded", "skipped", "skipped"])
    assert now.finished_at == now.updated_at and [step.resume_at for step in now.steps] == [None] * 3
    stub.clock.advance(600)
    assert platform.leads.get(lead).tags == ["now"] and platform.workflows.executions.get(run.id) == now


def test_a_condition_on_a_field_that_has_gone_fails_its_step(
    platform: CrmClient, stub: StubServer, flow: Flow, runs: Runs
) -> None:
    """Of an action it is an error; those of a workflow, and of a trigger, do not hold."""
    fields: Any = [{"api_name": "size", "label": "Size", "type": "integer"}]
    boat = platform.custom_objects.create(
        {"api_name": "boat", "label": "Boat", "plural_label": "Boats", "fields": fields}
    )
    asks, about = where("size", "gte", 1), {"entity_type": "boat"}
    goes_on = tag("x", conditions=asks, on_error="continue")
    made = flow("manual", goes_on, tag("y"), tag("z", conditions=asks), tag("last"), **about)
    others = [flow("record_updated", tag("w"), conditions=asks, **about),
              flow({"type": "record_updated", "conditions": asks}, tag("t"), **about)]  # fmt: skip
    records = platform.custom_objects.records
    id = records.create(boat.id, {"fields": {"name": "Argo", "size": 5}}).id
    size = next(one.id for one in platform.custom_objects.get(boat.id).fields if one.api_name == "size")
    platform.custom_objects.fields.delete(boat.id, size, force=True)
    run = begun(platform, made.id, id)
    assert (run.status, statuses(run)) == ("failed", ["failed", "succeeded", "failed", "skipped"])
    assert [step.error and step.error.code for step in run.steps] == ["UNKNOWN_FIELD", None, "UNKNOWN_FIELD", None]
    assert run.error == run.steps[2].error
    records.update(boat.id, id, {"fields": {"name": "Argos"}})
    assert records.get(boat.id, id).tags == ["y"] and [runs(one) for one in others] == [[], []]
