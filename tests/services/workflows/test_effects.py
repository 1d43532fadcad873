"""What actions do where little is said of them: what is taken from the record, from the owner and from the template."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from stub_data import some, stored

from crm_sdk import CrmClient
from crm_sdk.models import Workflow, WorkflowExecution
from server_stub import StubServer

from .conftest import Flow, Runs, act, statuses, tag, where

LEAD: Any = {"name": "Ada Lovelace", "email": "ada@mill.example", "company": "Mill"}


def run_on(platform: CrmClient, workflow: Workflow, id: str | None, **given: Any) -> WorkflowExecution:
    started = platform.workflows.execute(workflow.id, entity_id=id, **given)
    return platform.workflows.executions.get(started.id)


def made_by(stub: StubServer, run: WorkflowExecution, kind: str = "activity") -> list[Any]:
    """Return what the steps of an execution made, as it is stored."""
    records = stub.store.collection("tenant_acme", kind)
    return [some(records.get(step.output.id)) for step in run.steps if step.output is not None]


def test_a_task_has_what_is_said_else_what_the_record_has(platform: CrmClient, stub: StubServer, flow: Flow) -> None:
    bare, whole = act("create_task", title="Bare {{name}}"), act(
        "create_task", title="Whole", description="About {{company}}", due_in_days=0, owner_id="user_mia",
        priority="low",
    )  # fmt: skip
    about = platform.leads.create(LEAD | {"owner_id": "user_sam"}).id
    nobodys = platform.leads.create({"name": "Nobody's"}).id
    stored(stub, "lead", nobodys, owner_id=None)
    names = ("title", "description", "due_at", "owner_id", "priority", "lead_id", "kind", "source")
    flows = flow("manual", bare, whole)
    run = run_on(platform, flows, about)
    assert [tuple(doc[name] for name in names) for doc in made_by(stub, run)] == [
        ("Bare Ada Lovelace", None, None, "user_sam", "medium", about, "task", "workflow"),
        ("Whole", "About Mill", run.started_at, "user_mia", "low", about, "task", "workflow"),
    ]
    assert [(one.field, one.before, one.after) for one in run.steps[0].changes] == [
        ("title", None, "Bare Ada Lovelace"), ("description", None, None), ("due_at", None, None),
        ("owner_id", None, "user_sam"), ("priority", None, "medium"),
    ]  # fmt: skip
    assert [doc["owner_id"] for doc in made_by(stub, run_on(platform, flows, nobodys))] == ["user_ada", "user_mia"]
    (alone,) = made_by(stub, run_on(platform, flow("manual", act("create_task", title="Alone")), None))
    assert (alone["owner_id"], alone["lead_id"], alone["title"]) == ("user_ada", None, "Alone")
    deal = platform.deals.create({"title": "Engine", "contact_id": "contact_123"})
    (linked,) = made_by(stub, run_on(platform, flow("manual", bare, entity_type="deal"), deal.id))
    assert (linked["deal_id"], linked["contact_id"], linked["lead_id"]) == (deal.id, "contact_123", None)


def test_an_activity_is_about_no_record_that_is_gone(
    platform: CrmClient, stub: StubServer, flow: Flow, runs: Runs
) -> None:
    made = flow("record_deleted", act("create_task", title="Was {{name}}"))
    lead = platform.leads.create(LEAD | {"owner_id": "user_sam"}).id
    platform.leads.delete(lead)
    platform.leads.list(limit=1)
    (task,) = made_by(stub, runs(made)[0])
    assert (task["title"], task["lead_id"], task["owner_id"]) == ("Was Ada Lovelace", None, "user_sam")


def test_a_mail_takes_from_its_template_what_is_not_said(platform: CrmClient, stub: StubServer, flow: Flow) -> None:
    template = some(stub.store.collection("tenant_acme", "template").first())["id"]
    mail, lead = {"template_id": template, "to": "x@other.example"}, platform.leads.create(LEAD).id
    texts: tuple[tuple[dict[str, Any], dict[str, Any], tuple[str, str]], ...] = (
        ({}, {"subject": "S {{company}}", "body": "B", "content": "C"}, ("S Mill", "B")),
        ({}, {"subject": None, "body": None, "content": "C {{company}}"}, ("N", "C Mill")),
        ({"subject": "Own", "body": "Words"}, {"subject": "S", "body": "B", "content": "C"}, ("Own", "Words")),
    )
    for said, held, (subject, body) in texts:
        stored(stub, "template", template, name="N", **held)
        run = run_on(platform, flow("manual", act("send_email", **mail, **said)), lead)
        (sent,) = made_by(stub, run)
        assert (sent["subject"], sent["body_text"], sent["template_id"]) == (subject, body, template)
    names = ("kind", "direction", "owner_id", "lead_id", "sent_at")
    assert tuple(sent[name] for name in names) == ("email", "outbound", "user_ada", lead, run.started_at)
    assert [(to["email"], to["name"]) for to in sent["to"]] == [("x@other.example", None)]


def test_who_gets_a_mail(platform: CrmClient, stub: StubServer, flow: Flow) -> None:
    """The record, or its contact where it has no address; those who want none get none, their owner does."""
    contact = platform.contacts.create({"name": "Eva Roth", "email": "eva@roth.example"}).id
    deal = platform.deals.create({"title": "D", "contact_id": contact, "owner_id": "user_sam"}).id
    flows = {to: flow("manual", act("send_email", to=to, subject="s", body="b"), entity_type="deal")
             for to in ("record", "owner")}  # fmt: skip

    def got(to: str) -> Any:
        run = run_on(platform, flows[to], deal)
        error = run.steps[0].error
        if error is not None:
            return error.code, error.message, error.field, error.details
        return [(one["email"], one["name"]) for one in made_by(stub, run)[0]["to"]]

    owner = [("sam@acme.test", "Sam Okonkwo")]
    assert (got("record"), got("owner")) == ([("eva@roth.example", "Eva Roth")], owner)
    for name in ("email_opt_out", "do_not_contact"):
        stored(stub, "contact", contact, email_opt_out=False, do_not_contact=False)
        stored(stub, "contact", contact, **{name: True})
        refusal = ("RECIPIENT_OPTED_OUT", "Eva Roth wants no e-mails", None, {"id": contact})
        assert (got("record"), got("owner")) == (refusal, owner), name
    for person in (contact, None):
        stored(stub, "contact", contact, email=None)
        stored(stub, "deal", deal, contact_id=person, owner_id=None)
        assert [got(to) for to in flows] == [
            ("NO_ADDRESS", f"the {to} has no e-mail address", "to", {}) for to in flows
        ]  # fmt: skip
    stored(stub, "user", "user_sam", email_opt_out=True)
    stored(stub, "deal", deal, owner_id="user_sam")
    assert got("owner") == owner


def test_a_webhook_is_told_of_the_execution_and_the_record(platform: CrmClient, stub: StubServer, flow: Flow) -> None:
    url, taken = "https://hooks.example.com/x", list[tuple[Any, Any]]()
    stub.webhooks.receive(url, lambda headers, body: taken.append((headers, json.loads(body))))
    made = flow("manual", act("call_webhook", url=url, headers={"X-Own": "1"}))
    lead = platform.leads.create(LEAD)
    runs = [run_on(platform, made, id, input=input) for id, input in ((lead.id, {"why": "now"}), (None, None))]
    shown = platform.request("GET", f"/v1/leads/{lead.id}").json()["data"]
    for (headers, told), run, record, input in zip(taken, runs, (shown, None), ({"why": "now"}, {}), strict=True):
        assert told["event"] == "workflow.called" and headers["x-own"] == "1"
        told_of = {"workflowId": made.id, "executionId": run.id, "input": input, "record": record}
        assert told["data"] == told_of
        assert "webhook-signature" not in headers, "there is no secret"


def test_an_owner_is_dealt_and_a_deal_is_lost_for_a_reason(platform: CrmClient, stub: StubServer, flow: Flow) -> None:
    dealt = flow("manual", act("assign_owner", strategy="round_robin"))
    owners: list[str | None] = []
    for number in range(3):
        lead = platform.leads.create(LEAD | {"email": f"{number}@mill.example", "owner_id": "user_ada"}).id
        assert run_on(platform, dealt, lead).status == "succeeded"
        owners.append(platform.leads.get(lead).owner_id)
    assert len(set(owners)) > 1, owners
    deal = platform.deals.create({"title": "Engine"}).id
    lost = flow("manual", act("move_stage", stage="closed-lost", lost_reason="price"), entity_type="deal")
    assert run_on(platform, lost, deal).status == "succeeded"
    assert (platform.deals.get(deal).stage, platform.deals.get(deal).lost_reason) == ("closed-lost", "price")


def test_an_agent_knows_of_a_lead_or_a_contact_alone(platform: CrmClient, stub: StubServer, flow: Flow) -> None:
    ids = {"lead": "lead_123", "contact": "contact_123", "deal": platform.deals.create({"title": "Engine"}).id}
    known: dict[str, bool] = {}
    for kind, id in ids.items():
        asks = flow("manual", act("run_agent", agent_id="agent_123", input="Look"), entity_type=kind)
        before = len(stub.audit())
        assert run_on(platform, asks, id).status == "succeeded"
        (done,) = [entry for entry in stub.audit()[before:] if entry["action"] == "agent.completed"]
        known[kind] = id in done["metadata"]["task"]
    assert known == {"lead": True, "contact": True, "deal": False}


def test_an_enrolled_record_takes_the_input_along(platform: CrmClient, flow: Flow, runs: Runs) -> None:
    inner = flow("manual", act("update_field", field="industry", value="{{input.why}} {{input.none}} {{industry}}"))
    outer = flow("manual", act("enroll", workflow_id=inner.id))
    lead = platform.leads.create(LEAD).id
    run = run_on(platform, outer, lead, input={"why": "now"})
    assert [(step.output and (step.output.type, step.output.id), step.changes) for step in run.steps] == [
        (("workflow", inner.id), [])
    ]
    assert platform.leads.get(lead).industry == "now  "
    platform.workflows.deactivate(inner.id)
    error = some(run_on(platform, outer, lead).steps[0].error)
    assert (error.code, error.message, error.details) == (
        "WORKFLOW_INACTIVE", f"{inner.name} is inactive: activate it first", {"status": "inactive"},
    )  # fmt: skip


def test_what_is_told_of_an_execution(platform: CrmClient, stub: StubServer, flow: Flow) -> None:
    """Its start and its end are events of the workflow, which counts them; neither is a change of the workflow."""
    fails = act("send_email", to="record", subject="a", body="b")
    made = flow("manual", tag("x"), act("branch", conditions=where("email", "is_not_set"), then=[fails["spec"]]))
    for email, end, counts in (("ada@mill.example", "completed", (1, 1, 0)), (None, "failed", (2, 1, 1))):
        lead = platform.leads.create({"name": "Ada", "email": email}).id
        before = len(stub.audit())
        run = run_on(platform, made, lead)
        entity = {"type": "lead", "id": lead, "name": "Ada"}
        said: dict[str, Any] = {"run_id": run.id, "source": "manual", "entity": entity}
        told = [entry for entry in stub.audit()[before:] if entry["action"].startswith("workflow.execution_")]
        assert [(entry["action"], entry["entity"]["id"], entry["changes"]) for entry in told] == [
            ("workflow.execution_started", made.id, []), (f"workflow.execution_{end}", made.id, []),
        ]  # fmt: skip
        error = {"error": told[1]["metadata"].get("error")} if end == "failed" else {}
        assert [entry["metadata"] for entry in told] == [said, said | error]
        assert (error.get("error") or {}).get("code") == ("NO_ADDRESS" if error else None)
        now = platform.workflows.get(made.id)
        assert (now.execution_count, now.success_count, now.failure_count) == counts
        assert (now.version, now.last_executed_at, run.duration_ms) == (made.version, run.started_at, 0)
        assert (run.finished_at, run.progress, run.version) == (run.started_at, 1.0, 2)
    assert statuses(run) == ["succeeded", "succeeded", "failed"] and run.status == "failed"


def test_a_test_of_a_workflow_without_actions_is_done_at_once(platform: CrmClient, flow: Flow) -> None:
    tried = platform.workflows.test(flow("manual", active=False).id, entity_id="lead_123")
    assert (tried.status, tried.progress, tried.steps, tried.duration_ms) == ("succeeded", 1.0, [], 0)
    waits = act("wait", minutes=60)
    passed = platform.workflows.test(
        flow("manual", waits, conditions=where("company", "eq", "Nobody"), active=False).id, entity_id="lead_123"
    )
    assert (passed.started_at, passed.finished_at, passed.progress) == (passed.created_at,) * 2 + (1.0,)
    assert passed.created_at is not None and passed.duration_ms == timedelta() // timedelta(milliseconds=1)
