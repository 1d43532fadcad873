"""Executions: by hand, in a test without effects, in other workflows, and in the history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from crm_sdk import ConflictError, CrmClient, NotFoundError, PermissionDeniedError, ValidationError
from server_stub import StubServer
from server_stub.services.workflows import engine

from .conftest import Flow, Runs, act, statuses, tag, where


def test_every_call_in_both_clients(stub: StubServer, mode: str, call: Callable[[Any], Any]) -> None:
    make = stub.client if mode == "sync" else stub.async_client
    crm: Any = make(dialects="platform", strict=True)
    flows = crm.workflows
    made = call(flows.create({"name": "Both", "entity_type": "lead"}))
    trigger = call(flows.triggers.create(made.id, {"type": "manual"}))
    action = call(flows.actions.create(made.id, {"spec": {"type": "add_tag", "tag": "both"}}))
    call(flows.triggers.update(made.id, trigger.id, {"active": True}, version=1))
    call(flows.actions.update(made.id, action.id, {"name": "Tag"}, version=1))
    assert call(flows.test(made.id, entity_id="lead_123")).dry_run is True
    assert call(flows.activate(made.id)).status == "active"
    started = call(flows.execute(made.id, entity_id="lead_123", input={"why": "now"}))
    assert (started.status, started.source, started.depth, started.trigger_id) == ("queued", "manual", 1, trigger.id)
    done = call(flows.executions.get(started.id))
    assert (done.status, [step.name for step in done.steps]) == ("succeeded", ["Tag"])
    assert [run.id for run in call(flows.executions.list(made.id, dry_run=False))] == [started.id]
    assert call(flows.deactivate(made.id, cancel_waiting=True)).status == "inactive"
    assert call(flows.update(made.id, {"name": "Still both"})).name == "Still both"
    assert [one.id for one in call(flows.list(search="still both"))] == [made.id]
    call(flows.actions.delete(made.id, action.id))
    call(flows.triggers.delete(made.id, trigger.id))
    call(flows.delete(made.id))


def test_what_cannot_be_executed_is_refused(platform: CrmClient, flow: Flow) -> None:
    draft = flow("manual", tag("x"), active=False)
    with pytest.raises(ConflictError) as conflict:
        platform.workflows.execute(draft.id, entity_id="lead_123")
    assert conflict.value.code == "WORKFLOW_INACTIVE"
    made = flow("record_created", tag("x"))
    for id, field in ((None, "required"), ("deal_1", "reference"), ("contact_123", "reference")):
        with pytest.raises(ValidationError) as refused:
            platform.workflows.execute(made.id, entity_id=id)
        assert (refused.value.fields[0].field, refused.value.fields[0].rule) == ("entity_id", field)
    with pytest.raises(NotFoundError):
        platform.workflows.execute("workflow_none", entity_id="lead_123")


def test_without_a_record_an_action_on_it_fails(platform: CrmClient, flow: Flow, runs: Runs) -> None:
    made = flow("manual", act("create_record", entity_type="lead", fields={"name": "{{input.name}}"}), tag("x"))
    platform.workflows.execute(made.id, input={"name": "From nothing"})
    (run,) = runs(made)
    assert (run.entity, statuses(run), run.error and run.error.code) == (None, ["succeeded", "failed"], "NOT_FOUND")
    assert [lead.name for lead in platform.leads.list(search="From nothing")] == ["From nothing"]


def test_the_conditions_are_for_triggers_and_tests(platform: CrmClient, flow: Flow, runs: Runs) -> None:
    made = flow("manual", tag("x"), conditions=where("company", "eq", "Nobody"))
    platform.workflows.execute(made.id, entity_id="lead_123")
    assert [run.status for run in runs(made)] == ["succeeded"]
    tried = platform.workflows.test(made.id, entity_id="lead_123")
    assert (tried.status, statuses(tried)) == ("succeeded", ["skipped"])


# -- tests -------------------------------------------------------------------------------------------------------------


def test_a_test_shows_everything_and_does_nothing(platform: CrmClient, stub: StubServer, flow: Flow) -> None:
    taken: list[bytes] = []
    stub.webhooks.receive("https://hooks.example.com/x", lambda headers, body: taken.append(body))
    inner = flow("manual", tag("inner"))
    made = flow(
        "manual",
        act("update_field", field="industry", value="tools", own={"delay_minutes": 600}),
        act("create_task", title="Call {{name}}"),
        act("wait", minutes=60),
        act("branch", conditions=where("industry", "eq", "tools"), then=[{"type": "add_tag", "tag": "seen"}]),
        act("notify", user_ids=["user_sam"], title="Secret", message="x"),
        act("call_webhook", url="https://hooks.example.com/x"),
        act("enroll", workflow_id=inner.id),
        act("send_email", to="not-an@address.example", subject="x", body="y"),
        act("convert_lead"),
        active=False,
    )
    before = {c.kind: {doc["id"]: doc for doc in c} for c in stub.store.of_company("tenant_acme")}
    tried = platform.workflows.test(made.id, entity_id="lead_456")
    after = {c.kind: {doc["id"]: doc for doc in c} for c in stub.store.of_company("tenant_acme")}
    assert {kind for kind in after if after[kind] != before.get(kind, {})} == {"execution", "idempotency"}
    assert taken == [] and (tried.status, tried.source, tried.dry_run, tried.depth) == ("succeeded", "test", True, 1)
    assert statuses(tried) == ["succeeded"] * 10
    changes = [{change.field: change.after for change in step.changes} for step in tried.steps]
    assert changes[0] == {"industry": "tools"} and changes[1]["title"] == "Call Jane Doe"
    assert changes[4]["tags"] == ["seen"] and changes[9]["status"] == "converted"
    assert [step.output for step in tried.steps] == [None] * 10 and tried.duration_ms == 0
    assert platform.workflows.get(made.id).execution_count == 0
    assert [run.id for run in platform.workflows.executions.list(made.id, dry_run=True)] == [tried.id]
    assert platform.workflows.executions.get(tried.id) == tried


def test_a_test_can_be_of_one_trigger(platform: CrmClient, flow: Flow) -> None:
    triggers = [{"type": "record_created", "conditions": where("company", "eq", "Nobody")}, {"type": "manual"}]
    made = flow(triggers[0], tag("x"), triggers=triggers, active=False)
    tried = [platform.workflows.test(made.id, entity_id="lead_123", trigger_id=one.id) for one in made.triggers]
    assert [statuses(run) for run in tried] == [["skipped"], ["succeeded"]]
    assert tried[0].trigger_id == made.triggers[0].id
    for id in ("trigger_none", "trigger_fair"):
        with pytest.raises(ValidationError):
            platform.workflows.test(made.id, entity_id="lead_123", trigger_id=id)
    with pytest.raises(ValidationError):
        platform.workflows.test(made.id, entity_id="contact_123")


def test_whoever_may_read_may_test_and_nothing_else(platform: CrmClient, stub: StubServer, flow: Flow) -> None:
    sales, made = stub.client(dialects="platform", api_key="acme-sales"), flow("manual", tag("x"))
    assert sales.workflows.test(made.id, entity_id="lead_123").created_by == "apikey_acme_sales"
    assert [run.source for run in sales.workflows.executions.list(made.id)] == ["test"]
    for write in (
        lambda: sales.workflows.execute(made.id, entity_id="lead_123"),
        lambda: sales.workflows.activate(made.id),
        lambda: sales.workflows.deactivate(made.id),
        lambda: sales.workflows.update(made.id, {"name": "x"}),
        lambda: sales.workflows.delete(made.id),
        lambda: sales.workflows.triggers.create(made.id, {"type": "manual"}),
        lambda: sales.workflows.actions.delete(made.id, made.actions[0].id),
    ):
        with pytest.raises(PermissionDeniedError):
            write()
    other = stub.client(dialects="platform", api_key="globex-admin")
    other.leads.create({"name": "Theirs"})
    for read in (
        lambda: other.workflows.get(made.id),
        lambda: other.workflows.executions.list(made.id).items,
        lambda: other.workflows.test(made.id, entity_id="lead_123"),
        lambda: other.workflows.execute(made.id, entity_id="lead_123"),
    ):
        with pytest.raises(NotFoundError):
            read()
    assert len(list(platform.workflows.executions.list(made.id))) == 1


# -- what came of it ---------------------------------------------------------------------------------------------------


def test_one_workflow_enrolls_a_record_in_another(platform: CrmClient, flow: Flow, runs: Runs) -> None:
    inner = flow("manual", tag("inner"), re_enroll=False)
    outer = flow("manual", act("enroll", workflow_id=inner.id))
    for _ in range(2):
        platform.workflows.execute(outer.id, entity_id="lead_123", input={"a": 1})
        platform.leads.get("lead_123")
    first, second = runs(outer)
    assert first.steps[0].output is not None and first.steps[0].output.id == inner.id
    assert second.error is not None and second.error.code == "ALREADY_ENROLLED"
    (run,) = runs(inner)
    assert (run.source, run.depth, run.entity and run.entity.id) == ("workflow", 2, "lead_123")
    platform.workflows.deactivate(inner.id)
    platform.workflows.execute(outer.id, entity_id="lead_456")
    last = runs(outer)[-1]
    assert last.error is not None and last.error.code == "WORKFLOW_INACTIVE"


def test_an_execution_carries_out_the_revision_it_began_with(
    platform: CrmClient, stub: StubServer, flow: Flow, runs: Runs
) -> None:
    made = flow("manual", act("wait", minutes=10), tag("first"))
    lead = platform.leads.create({"name": "Ada"})
    platform.workflows.execute(made.id, entity_id=lead.id)
    platform.workflows.actions.update(made.id, made.actions[1].id, {"spec": {"type": "add_tag", "tag": "second"}})
    platform.workflows.actions.create(made.id, tag("third"))
    stub.clock.advance(601)
    platform.workflows.execute(made.id, entity_id=lead.id)
    assert platform.leads.get(lead.id).tags == ["first"]
    stub.clock.advance(601)
    assert platform.leads.get(lead.id).tags == ["first", "second", "third"]
    assert [run.revision for run in runs(made)] == [1, 3]


def test_the_history_is_filtered(platform: CrmClient, stub: StubServer, flow: Flow) -> None:
    made = flow("manual", tag("x"), act("wait", until_field="industry"))
    begun = stub.clock.now()
    leads = [platform.leads.create({"name": name}).id for name in ("Ada", "Bo", "Cy")]
    ids: list[str] = []
    for id in leads:
        stub.clock.advance(60)
        ids.append(platform.workflows.execute(made.id, entity_id=id).id)
    platform.leads.update(leads[0], {"industry": "x"})
    tried = platform.workflows.test(made.id, entity_id=leads[1]).id

    def found(**filters: Any) -> list[str]:
        return [run.id for run in platform.workflows.executions.list(made.id, **filters)]

    assert found() == [tried, *reversed(ids)]
    assert found(status="waiting") == [ids[2], ids[1]] and found(status="succeeded", dry_run=False) == [ids[0]]
    assert found(source="test") == found(dry_run=True) == [tried]
    assert found(entity_id=leads[1]) == [tried, ids[1]] and found(entity_id="lead_none") == []
    second = platform.workflows.executions.get(ids[1]).created_at
    assert second is not None
    assert found(since=second, until=second + timedelta(seconds=30)) == [ids[1]]
    assert found(until=begun) == [] and found(limit=1) == found()
    assert [run.steps for run in platform.workflows.executions.list(made.id)] == [[]] * 4


def test_what_happened_is_told(platform: CrmClient, stub: StubServer, flow: Flow) -> None:
    made = flow("manual", act("update_field", field="email", value="{{name}}"))
    run = platform.workflows.execute(made.id, entity_id="lead_123")
    platform.leads.get("lead_123")
    told = [entry for entry in stub.audit() if entry["action"].startswith("workflow.execution_")]
    assert [entry["action"] for entry in told] == ["workflow.execution_started", "workflow.execution_failed"]
    for entry in told:
        assert entry["entity"]["id"] == made.id and entry["metadata"]["run_id"] == run.id
        assert entry["actor"]["id"] == "user_ada" and entry["source"]["depth"] == 1
    events = stub.store.collection("tenant_acme", "event")
    assert {"workflow.execution_started", "workflow.execution_failed"} <= {event["type"] for event in events}


def test_what_was_begun_survives_a_restart(tmp_path: Any) -> None:
    path = str(tmp_path / "state.db")
    with StubServer(db=path) as stub:
        crm = stub.client(dialects="platform")
        body: Any = {
            "name": "Slow", "entity_type": "lead", "triggers": [{"type": "manual"}],
            "actions": [act("wait", minutes=10), tag("slow")],
        }  # fmt: skip
        made = crm.workflows.activate(crm.workflows.create(body).id)
        crm.workflows.execute(made.id, entity_id="lead_123")
        crm.leads.get("lead_123")
    with StubServer(db=path) as stub:
        stub.clock.advance(601)
        assert stub.client(dialects="platform").leads.get("lead_123").tags == ["slow"]


def test_a_mistake_of_the_engine_fails_one_execution_and_holds_up_no_other(
    platform: CrmClient, flow: Flow, runs: Runs, failures: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = engine.Run.go

    def breaks(run: engine.Run) -> None:
        if run._doc["entity_id"] == "lead_123":  # pyright: ignore[reportPrivateUsage] # which one it is
            raise ZeroDivisionError
        go(run)

    made = flow("record_updated", tag("x"))
    monkeypatch.setattr(engine.Run, "go", breaks)
    for id in ("lead_123", "lead_456"):
        platform.leads.update(id, {"industry": "tools"})
    fine = runs(made, status="succeeded")[0]
    (broken,) = runs(made, status="failed")
    assert (broken.error and broken.error.code, statuses(broken)) == ("INTERNAL_ERROR", ["skipped"])
    assert fine.status == "succeeded"
    failures.clear()


def test_executions_begin_in_the_order_of_their_causes(platform: CrmClient, stub: StubServer, flow: Flow) -> None:
    made = flow("record_created", tag("x"), entity_type="contact")
    names = [f"Contact {n:02}" for n in range(40)]
    platform.contacts.bulk_upsert([{"name": name} for name in names])
    platform.leads.list(limit=1)
    begun = [entry for entry in stub.audit() if entry["action"] == "workflow.execution_started"]
    assert [entry["metadata"]["entity"]["name"] for entry in begun] == names
    assert platform.workflows.get(made.id).success_count == 40
