"""What actions do, when they do it, and what becomes of an execution whose action fails."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from crm_sdk import CrmClient
from crm_sdk.models import Workflow, WorkflowExecution
from server_stub import StubServer
from server_stub.services.workflows import effects

from .conftest import Flow, Runs, act, statuses, tag, where

NOW = datetime(2026, 1, 15, 9, tzinfo=UTC)
LEAD: Any = {"name": "Ada Lovelace", "email": "ada@mill.example", "company": "Mill", "tags": ["old", "kept"]}


def run_on(platform: CrmClient, workflow: Workflow, record: Any) -> WorkflowExecution:
    """Start a workflow for a record, and return the execution after its first steps."""
    started = platform.workflows.execute(workflow.id, entity_id=record.id)
    return platform.workflows.executions.get(started.id)


def codes(run: WorkflowExecution) -> list[str | None]:
    return [step.error.code if step.error is not None else None for step in run.steps]


def test_what_is_written_to_the_record(platform: CrmClient, flow: Flow) -> None:
    made = flow(
        "manual",
        act("update_field", field="industry", value="looms for {{company}}"),
        act("update_field", field="custom_fields.tier", value=3),
        act("update_field", field="email", value=None),
        act("add_tag", tag="new"),
        act("remove_tag", tag="OLD"),
        act("assign_owner", owner_id="user_sam"),
        act("add_tag", tag="new"),
    )
    lead = platform.leads.create(LEAD)
    run = run_on(platform, made, lead)
    now = platform.leads.get(lead.id)
    assert (now.industry, now.email, now.tags, now.owner_id) == ("looms for Mill", None, ["kept", "new"], "user_sam")
    assert now.custom_fields == {"tier": 3}
    assert statuses(run) == ["succeeded"] * 7 and run.progress == 1
    changed = [{change.field: change.after for change in step.changes} for step in run.steps]
    assert changed[0] == {"industry": "looms for Mill"} and changed[4] == {"tags": ["kept", "new"]}
    assert changed[6] == {}, "a tag that is there is no change"


def test_what_is_made_beside_the_record(platform: CrmClient, stub: StubServer, flow: Flow) -> None:
    made = flow(
        "manual",
        act("create_task", title="Call {{first_name}}", due_in_days=2, priority="high", owner_id="user_sam"),
        act("create_record", entity_type="account", fields={"name": "{{company}} Holding", "tags": ["auto"]}),
        act("create_record", entity_type="activity", fields={"kind": "task", "title": "Also"}),
        act("send_email", to="record", subject="Hello {{first_name}}", body="From {{sender_name}}, {{unknown}}"),
        act("send_email", to="owner", subject="Look", body="{{name}}"),
        act("notify", role="manager", title="New", message="{{name}}", channel="email"),
        act("run_agent", agent_id="agent_123", input="Qualify {{name}}"),
    )
    lead = platform.leads.create(LEAD | {"owner_id": "user_sam"})
    run = run_on(platform, made, lead)
    assert codes(run) == [None] * 7
    task, account, also, mail, second = (step.output.id if step.output else "" for step in run.steps[:5])
    stored = {one["id"]: one for one in stub.store.collection("tenant_acme", "activity")}
    assert stored[task]["title"] == "Call Ada" and stored[task]["due_at"].date() == (NOW + timedelta(days=2)).date()
    assert [stored[task][name] for name in ("owner_id", "priority", "lead_id", "source")] == [
        "user_sam", "high", lead.id, "workflow",
    ]  # fmt: skip
    assert platform.accounts.get(account).name == "Mill Holding"
    assert stored[also]["title"] == "Also" and stored[also]["owner_id"] == "user_ada"
    assert (stored[mail]["to"][0]["email"], stored[mail]["subject"]) == ("ada@mill.example", "Hello Ada")
    assert stored[mail]["body_text"] == "From Ada Lindqvist, {{unknown}}" and stored[mail]["direction"] == "outbound"
    assert stored[second]["to"][0]["email"] == "sam@acme.test"
    notes = stub.store.collection("tenant_acme", "notification").find("title", "New")
    assert [(note["user_id"], note["message"]) for note in notes] == [("user_mia", "Ada Lovelace")]
    assert {change.field: change.after for change in run.steps[0].changes}["title"] == "Call Ada"
    (done,) = (entry["metadata"] for entry in stub.audit() if entry["action"] == "agent.completed")
    assert lead.id in done["task"], "the agent knows which lead it is about"


def test_templates_fill_an_email(platform: CrmClient, stub: StubServer, flow: Flow) -> None:
    template = next(one for one in stub.store.collection("tenant_acme", "template") if one["name"] == "Checking in")
    made = flow("manual", act("send_email", template_id=template["id"], to="record"))
    run = run_on(platform, made, platform.leads.create(LEAD))
    mail = stub.store.collection("tenant_acme", "activity").get(run.steps[0].output.id if run.steps[0].output else "")
    assert mail is not None and mail["body_text"].startswith("Hi Ada, I wanted to follow up on {{topic}}.")
    assert (mail["subject"], mail["template_id"]) == ("Checking in", template["id"])


def test_a_lead_is_converted_and_a_deal_is_moved(platform: CrmClient, flow: Flow) -> None:
    lead = platform.leads.create(LEAD)
    run = run_on(platform, flow("manual", act("convert_lead", create_deal=False)), lead)
    assert run.steps[0].output is not None
    assert platform.contacts.get(run.steps[0].output.id).email == "ada@mill.example"
    deal = platform.deals.create({"title": "Engine", "value": 10})
    run = run_on(platform, flow("manual", act("move_stage", stage="proposal"), entity_type="deal"), deal)
    assert platform.deals.get(deal.id).stage == "proposal"
    assert {change.field for change in run.steps[0].changes} >= {"stage", "stage_id", "probability"}


# -- webhooks ----------------------------------------------------------------------------------------------------------


def test_a_webhook_is_called_and_called_again_while_it_fails(platform: CrmClient, stub: StubServer, flow: Flow) -> None:
    taken: list[Any] = []

    def receive(headers: Any, body: bytes) -> int:
        taken.append((body, headers))
        return 500 if len(taken) == 1 else 204

    url = "https://hooks.example.com/x"
    stub.webhooks.receive(url, receive)
    call = act("call_webhook", url=url, headers={"X-Own": "1"}, secret="whsec_c2VjcmV0c2VjcmV0c2VjcmV0")
    made = flow("manual", call)
    assert made.actions[0].spec.model_dump(exclude_unset=True).keys() == {"type", "url", "headers"}, "no secret"
    run = run_on(platform, made, platform.leads.create(LEAD))
    assert run.status == "succeeded" and len(taken) == 1
    stub.clock.advance(10)
    assert len(taken) == 2
    body, headers = taken[1]
    assert b'"name":"Ada Lovelace"' in body and run.id.encode() in body
    assert headers["x-own"] == "1" and "webhook-signature" in headers
    assert "whsec_" not in str([entry for entry in stub.audit() if entry["entity"]["type"] == "workflow"])
    assert [hook.url for hook in stub.client().webhooks.list()] == [], "it is no endpoint"


def test_the_trail_has_nested_actions_whole_but_for_their_secrets(
    platform: CrmClient, stub: StubServer, flow: Flow
) -> None:
    hook: Any = {"type": "call_webhook", "url": "https://hooks.example.com/x", "method": "PUT"}
    secret = {"secret": "whsec_c2VjcmV0c2VjcmV0c2VjcmV0"}
    when: Any = where("name", "is_set")
    stop: Any = {"type": "stop"}

    def branch(hook: Any) -> Any:
        inner = {"type": "branch", "conditions": when, "then": [stop], "otherwise": [hook, stop]}
        return {"type": "branch", "conditions": when, "then": [hook, inner], "otherwise": [hook]}

    made = flow("manual", {"spec": stop}, active=False)
    action = platform.workflows.actions.create(made.id, {"spec": branch(hook | secret)})
    platform.workflows.actions.update(made.id, action.id, {"spec": branch(hook | secret) | {"otherwise": [stop]}})
    created, updated = [entry for entry in stub.audit() if entry["action"] == "workflow.updated"]
    (initial,) = [one["after"] for one in created["initial"] if one["field"] == "spec"]
    (change,) = updated["changes"]
    assert initial == change["before"] == branch(hook)
    assert (change["field"], change["after"]) == ("spec", branch(hook) | {"otherwise": [stop]})
    kept = stub.store.collection("tenant_acme", "action").get(action.id)
    assert kept is not None and kept["spec"]["then"] == branch(hook | secret)["then"], "which it is called with"


def test_a_webhook_tells_of_a_private_event_no_more_than_when_it_is(
    platform: CrmClient, stub: StubServer, flow: Flow
) -> None:
    bodies: list[bytes] = []
    url = "https://hooks.example.com/x"
    stub.webhooks.receive(url, lambda headers, body: bodies.append(body))
    made = flow("manual", act("call_webhook", url=url), entity_type="activity")
    for visibility in ("public", "private"):
        start = stub.clock.now() + timedelta(hours=1)
        given: Any = {"title": "Interview", "start_time": start, "end_time": start + timedelta(hours=1)}
        event = platform.activities.events.create(given | {"visibility": visibility})
        platform.workflows.execute(made.id, entity_id=event.id)
        platform.leads.list(limit=1)
        assert event.id.encode() in bodies[-1]
    assert [b"Interview" in body for body in bodies] == [True, False]


def test_a_text_tells_of_a_private_event_no_more_than_when_it_is(
    platform: CrmClient, stub: StubServer, flow: Flow
) -> None:
    text = "{{title}} of {{owner_id}}"
    actions = [
        act("create_task", title=text),
        act("notify", user_ids=["user_ada"], title=text, message=text),
    ]
    made = flow("manual", *actions, entity_type="activity")
    for visibility in ("public", "private"):
        start = stub.clock.now() + timedelta(hours=1)
        given: Any = {"title": "Interview", "start_time": start, "end_time": start + timedelta(hours=1)}
        event = platform.activities.events.create(given | {"visibility": visibility})
        platform.workflows.execute(made.id, entity_id=event.id)
    tasks = [activity.title for activity in platform.activities.list(search="of user_ada", sort="created_at")]
    notes = stub.store.collection("tenant_acme", "notification")
    told = [note["title"].strip() for note in notes if note["title"] == note["message"]]
    assert tasks == told == ["Interview of user_ada", "of user_ada"]


# -- order, conditions, failures ---------------------------------------------------------------------------------------


def test_branches_choose_and_stop_ends(platform: CrmClient, flow: Flow) -> None:
    inner = {
        "type": "branch",
        "conditions": where("company", "eq", "Mill"),
        "then": [{"type": "add_tag", "tag": "mill"}],
    }
    branch = act(
        "branch", conditions=where("value", "gte", 1000),
        then=[{"type": "add_tag", "tag": "big"}, inner, {"type": "stop"}],
        otherwise=[{"type": "add_tag", "tag": "small"}],
    )  # fmt: skip
    made = flow("manual", branch, tag("rest"), tag("web", conditions=where("source", "eq", "website")))
    big, small = (platform.leads.create(LEAD | {"tags": [], "value": value}) for value in (5_000, 10))
    run = run_on(platform, made, big)
    assert platform.leads.get(big.id).tags == ["big", "mill"]
    assert [(step.type, step.status) for step in run.steps] == [
        ("branch", "succeeded"), ("add_tag", "succeeded"), ("branch", "succeeded"), ("add_tag", "succeeded"),
        ("stop", "succeeded"), ("add_tag", "skipped"), ("add_tag", "skipped"),
    ]  # fmt: skip
    assert [step.action_id is None for step in run.steps] == [False, True, True, True, True, False, False]
    run = run_on(platform, made, small)
    assert platform.leads.get(small.id).tags == ["small", "rest"]
    assert statuses(run) == ["succeeded", "succeeded", "succeeded", "skipped"] and run.status == "succeeded"


def test_a_failed_step_ends_the_execution_or_is_passed_over(platform: CrmClient, flow: Flow, runs: Runs) -> None:
    fails = act("send_email", to="record", subject="Hi", body="Hello")
    goes_on = act("send_email", to="record", subject="Hi", body="Hello", own={"on_error": "continue"})
    in_branch = act(
        "branch", conditions=where("name", "is_set"), own={"on_error": "continue"},
        then=[fails["spec"], {"type": "add_tag", "tag": "within"}],
    )  # fmt: skip
    lead = platform.leads.create(LEAD | {"email": None, "tags": []})
    made = flow("manual", tag("first"), goes_on, in_branch, tag("second"), fails, tag("never"))
    run = run_on(platform, made, lead)
    assert statuses(run) == ["succeeded", "failed", "succeeded", "failed", "skipped", "succeeded", "failed", "skipped"]
    assert codes(run)[1] == "NO_ADDRESS" and run.error is not None and run.error.code == "NO_ADDRESS"
    assert platform.leads.get(lead.id).tags == ["first", "second"], "what was done stays"
    passed = run_on(platform, flow("manual", goes_on, tag("third")), lead)
    assert (passed.status, passed.error, statuses(passed)) == ("succeeded", None, ["failed", "succeeded"])
    counted = platform.workflows.get(made.id)
    assert (counted.execution_count, counted.success_count, counted.failure_count) == (1, 0, 1)
    assert counted.version == made.version and counted.last_executed_at is not None


def test_what_an_action_fails_of(platform: CrmClient, flow: Flow) -> None:
    cases: list[tuple[Any, Any, str]] = [
        ({"email_opt_out": True}, act("send_email", to="record", subject="a", body="b"), "RECIPIENT_OPTED_OUT"),
        ({"owner_id": None}, act("send_email", to="owner", subject="a", body="b"), "NO_ADDRESS"),
        ({}, act("update_field", field="email", value="{{name}}"), "VALIDATION_ERROR"),
        ({}, act("create_record", entity_type="account", fields={"name": "{{title}}"}), "VALIDATION_ERROR"),
        ({"status": "unqualified"}, act("convert_lead"), "LEAD_UNQUALIFIED"),
    ]
    for members, action, code in cases:
        run = run_on(platform, flow("manual", action), platform.leads.create(LEAD | members))
        assert codes(run) == [code], members


def test_a_wait_is_only_for_what_it_is_asked_for(platform: CrmClient, stub: StubServer, flow: Flow, runs: Runs) -> None:
    """A wait whose conditions do not hold is passed over at once; one that has begun goes on whatever they say."""
    asks = {"conditions": where("company", "eq", "Acme")}
    made = flow("manual", act("wait", minutes=10, own=asks), act("wait", until_field="industry", own=asks), tag("done"))
    for company in ("Other", "Acme"):
        lead = platform.leads.create({"name": "Ada", "company": company})
        platform.workflows.execute(made.id, entity_id=lead.id)
    platform.leads.update(lead.id, {"company": "Other"})
    passed, waits = runs(made)
    assert (statuses(passed), statuses(waits)) == (
        ["skipped", "skipped", "succeeded"],
        ["waiting", "pending", "pending"],
    )
    stub.clock.advance(601)
    assert statuses(runs(made)[1]) == ["succeeded", "skipped", "succeeded"]


def test_a_mistake_in_an_action_is_a_failed_step(
    platform: CrmClient, flow: Flow, failures: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(cast("dict[str, Any]", effects.EFFECTS), "create_task", breaks)
    made = flow("manual", act("create_task", title="x", own={"on_error": "continue"}), tag("after"))
    run = run_on(platform, made, platform.leads.create(LEAD))
    assert codes(run) == ["INTERNAL_ERROR", None] and run.status == "succeeded"
    assert [record.getMessage().partition(" (")[0] for record in failures] == [f"the workflow {made.id} failed"]
    failures.clear()


def test_an_execution_has_the_rights_of_the_workflows_owner(platform: CrmClient, flow: Flow) -> None:
    mine, theirs = (platform.leads.create(LEAD | {"owner_id": owner}) for owner in ("user_sam", "user_mia"))
    made = flow("manual", tag("x"), owner_id="user_sam")
    assert [codes(run_on(platform, made, lead)) for lead in (mine, theirs)] == [[None], ["FORBIDDEN"]]
    reader = flow("manual", act("create_task", title="x"), owner_id="user_rita")
    assert codes(run_on(platform, reader, mine)) == ["FORBIDDEN"]


def test_nobody_acts_for_an_owner_who_is_gone(platform: CrmClient, stub: StubServer, flow: Flow) -> None:
    made, lead = flow("manual", tag("x"), owner_id="user_sam"), platform.leads.create(LEAD)
    users = stub.store.collection("tenant_acme", "user")
    sam = users.get("user_sam")
    assert sam is not None
    users.put(sam | {"status": "inactive"})
    run = run_on(platform, made, lead)
    assert (run.status, statuses(run), run.error and run.error.code) == ("failed", ["skipped"], "FORBIDDEN")


# -- waiting -----------------------------------------------------------------------------------------------------------


def test_steps_wait_for_a_time(platform: CrmClient, stub: StubServer, flow: Flow, runs: Runs) -> None:
    made = flow("manual", tag("now"), tag("later", delay_minutes=60), act("wait", minutes=30), tag("last"))
    lead = platform.leads.create(LEAD | {"tags": []})
    run = run_on(platform, made, lead)
    assert (run.status, run.progress, run.finished_at) == ("waiting", 0.25, None)
    assert statuses(run) == ["succeeded", "waiting", "pending", "pending"]
    assert run.steps[1].resume_at == (run.started_at or NOW) + timedelta(minutes=60)
    stub.clock.advance(59 * 60)
    assert platform.leads.get(lead.id).tags == ["now"]
    stub.clock.advance(2 * 60)
    assert platform.leads.get(lead.id).tags == ["now", "later"]
    stub.clock.advance(30 * 60)
    (done,) = runs(made, status="succeeded")
    assert platform.leads.get(lead.id).tags == ["now", "later", "last"]
    assert done.duration_ms == 90 * 60 * 1000 and done.steps[2].finished_at == done.finished_at


def test_a_step_waits_for_a_member(platform: CrmClient, stub: StubServer, flow: Flow, runs: Runs) -> None:
    made = flow("manual", act("wait", until_field="expected_close_date"), tag("due"), entity_type="deal")
    text = flow("manual", act("wait", until_field="next_step"), tag("next"), entity_type="deal")
    deal = platform.deals.create({"title": "Engine", "value": 1})
    platform.deals.update(deal.id, {"expected_close_date": datetime(2026, 1, 18).date()})
    assert [run_on(platform, one, deal).status for one in (made, text)] == ["waiting", "waiting"]
    midnight = datetime(2026, 1, 18, 5, tzinfo=UTC)  # in New York
    assert [runs(one)[0].steps[0].resume_at for one in (made, text)] == [midnight, None]
    platform.deals.update(deal.id, {"expected_close_date": datetime(2026, 1, 16).date(), "value": 2})
    platform.deals.get(deal.id)
    assert runs(made)[0].steps[0].resume_at == midnight - timedelta(days=2), "the member has changed meanwhile"
    platform.deals.update(deal.id, {"next_step": "Call"})
    assert set(platform.deals.get(deal.id).tags) == {"next"}
    stub.clock.advance(timedelta(days=1).total_seconds())
    assert set(platform.deals.get(deal.id).tags) == {"next", "due"}


def test_a_record_that_is_deleted_meanwhile_fails_the_rest(platform: CrmClient, flow: Flow, runs: Runs) -> None:
    made = flow("manual", act("wait", until_field="industry"), tag("x"))
    lead = platform.leads.create(LEAD)
    run_on(platform, made, lead)
    platform.leads.delete(lead.id)
    platform.leads.list(limit=1)
    (run,) = runs(made)
    assert (run.status, codes(run)) == ("failed", [None, "NOT_FOUND"])


def test_a_rule_of_a_pipeline_waits_too_and_is_all_or_nothing_in_between(platform: CrmClient, stub: StubServer) -> None:
    pipeline = next(one for one in platform.pipelines.list() if one.is_default)
    actions: Any = [
        {"type": "add_tag", "tag": "first"}, {"type": "wait", "minutes": 60}, {"type": "add_tag", "tag": "half"},
        {"type": "send_email", "to": "record", "subject": "x", "body": "y"},
    ]  # fmt: skip
    made = platform.pipelines.automation.create(
        pipeline.id, {"name": "R", "trigger": {"event": "deal_created"}, "actions": actions}
    )
    deal = platform.deals.create({"title": "Engine", "value": 1})
    assert platform.deals.get(deal.id).tags == ["first"]
    stub.clock.advance(3601)
    assert platform.deals.get(deal.id).tags == ["first"]
    (found,) = [doc for doc in stub.store.collection("tenant_acme", "execution") if doc["rule_id"] == made.id]
    run = platform.workflows.executions.get(found["id"])
    assert (run.status, run.source, run.workflow_id) == ("failed", "pipeline_rule", None)
    assert statuses(run) == ["succeeded", "succeeded", "skipped", "failed"]
    (rule,) = [one for one in platform.pipelines.automation.list(pipeline.id) if one.id == made.id]
    assert (rule.run_count, rule.last_status) == (1, "failed")
