"""Makes the workflows of a demo company with their runs: leads of a fair, won deals, renewals that have gone quiet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from crm_sdk.models.workflows import Workflow, WorkflowAction, WorkflowExecution, WorkflowTrigger

from ..data.blanks import blank
from ..data.document import Document
from .records import Records
from .setup.company import ACME, pipeline_id

_FAIR = "Köln 2026"
_HANDED_OVER = "Onboarding"
_OWNER = "user_mia"
_QUICK = timedelta(seconds=2)
"""How long after its cause a run has ended."""
_NOBODY: Mapping[str, Any] = {
    "code": "NO_ELIGIBLE_OWNER", "message": "nobody who may get the lead is active and allowed to work on leads",
    "field": None, "rule": None, "details": {},
}  # fmt: skip

Done = tuple[str, Mapping[str, Any]]
"""The status of a step, and what else it has."""


def workflows(records: Records) -> None:
    """Put three workflows of the first company: one that runs often, one that waits, and a draft with its test."""
    if records.plan is ACME:
        _fair(records)
        _handover(records)
        _renewals(records)


def _fair(records: Records) -> None:
    """Put the calls with the leads of a fair; when the first of them came, everybody of its territory was away."""
    title = "Call {{name}} about the fair"
    workflow, actions = _workflow(
        records,
        "fair",
        {
            "name": "Call the leads of the fair",
            "description": "Whoever left a card at our stand in Cologne is called within two days, by their territory.",
            "entity_type": "lead",
            "status": "active",
            "conditions": _where("tags", "contains", value=_FAIR),
            "re_enroll": False,
        },
        {"type": "record_created"},
        {"type": "assign_owner", "strategy": "territory"},
        {"type": "create_task", "title": title, "due_in_days": 2, "priority": "high"},
    )
    leads = [lead for lead in records.collection("lead") if _FAIR in lead["tags"] and lead["converted_at"] is None]
    for number, lead in enumerate(sorted(leads, key=lambda one: one["created_at"])[-7:]):
        at = lead["created_at"] + _QUICK
        if number == 0:
            _run(records, workflow, actions, "lead", lead, at, ("failed", {"error": _NOBODY}))
            continue
        task = _task(records, title.replace("{{name}}", lead["name"]), at, lead, {"lead_id": lead["id"]})
        _run(records, workflow, actions, "lead", lead, at, ("succeeded", {}), ("succeeded", {"output": _ref(task)}))


def _handover(records: Records) -> None:
    """Put the handovers of won deals; that of the newest waits for its next step."""
    workflow, actions = _workflow(
        records,
        "handover",
        {
            "name": "Hand over won deals",
            "description": "The seller plans the kick-off; once its next step is noted, the deal is handed over.",
            "entity_type": "deal",
            "status": "active",
            "conditions": _where("tags", "contains", value=_HANDED_OVER),
        },
        {"type": "stage_changed", "to_value": "closed-won"},
        {"type": "create_task", "title": "Kick-off with {{company}}", "due_in_days": 3},
        {"type": "wait", "until_field": "next_step"},
        {"type": "add_tag", "tag": "handed over"},
    )
    deals = [deal for deal in records.collection("deal") if deal["status"] == "won" and _HANDED_OVER in deal["tags"]]
    newest = sorted(deals, key=lambda one: one["closed_at"])[-3:]
    for deal in newest:
        at = deal["closed_at"] + _QUICK
        links = {name: deal[name] for name in ("contact_id", "account_id")} | {"deal_id": deal["id"]}
        made = ("succeeded", {"output": _ref(_task(records, f"Kick-off with {deal['company']}", at, deal, links))})
        if deal is newest[-1]:
            _run(records, workflow, actions, "deal", deal, at, made, ("waiting", {}))
            continue
        change = {"field": "tags", "before": deal["tags"], "after": [*deal["tags"], "handed over"]}
        _run(
            records, workflow, actions, "deal", deal, at, made, ("succeeded", {}), ("succeeded", {"changes": [change]})
        )  # fmt: skip
        records.collection("deal").put(deal | {"next_step": "Kick-off held", "tags": change["after"]})


def _renewals(records: Records) -> None:
    """Put a draft that its author has tested."""
    workflow, actions = _workflow(
        records,
        "renewals",
        {
            "name": "Ask about renewals that are due",
            "description": "Every Monday morning the owner of a renewal nobody has talked about gets a task.",
            "entity_type": "deal",
            "status": "draft",
            "conditions": _where("pipeline_id", "eq", value=pipeline_id(records.plan, "renewals")),
        },
        {
            "type": "schedule",
            "schedule": {"frequency": "weekly", "weekday": 0, "at": "09:00", "timezone": records.plan.timezone},
            "conditions": _where("stage", "eq", value="qualified"),
        },
        {"type": "create_task", "title": "Ask {{contact_name}} about the renewal", "due_in_days": 1},
    )
    due = [deal for deal in records.collection("deal") if deal["pipeline_id"].endswith("_renewals")]
    deal = next(one for one in due if one["stage"] == "qualified")
    task = [{"field": "title", "before": None, "after": f"Ask {deal['contact_name']} about the renewal"}]
    at = records.now - timedelta(days=2)
    _run(records, workflow, actions, "deal", deal, at, ("succeeded", {"changes": task}), source="test")


# -- the parts ---------------------------------------------------------------------------------------------------------


def _where(field: str, op: str, **value: Any) -> list[dict[str, Any]]:
    return [{"filters": [{"field": field, "op": op, **value}]}]


def _workflow(
    records: Records, word: str, members: Mapping[str, Any], trigger: Mapping[str, Any], *specs: Mapping[str, Any]
) -> tuple[Document, Sequence[Document]]:
    """Put a workflow with a trigger and its actions."""
    at = records.now - timedelta(days=120)
    stamps = {"created_at": at, "updated_at": at, "created_by": _OWNER}
    id = f"workflow_{records.plan.slug}_{word}"
    workflow = records.collection("workflow").put(
        Document({**blank(Workflow), **stamps, "id": id, "owner_id": _OWNER, **members})
    )
    part = {**stamps, "workflow_id": id}
    records.collection("trigger").put(Document({**blank(WorkflowTrigger), **part, "id": f"trigger_{word}", **trigger}))
    actions = [
        records.collection("action").put(
            Document(
                {**blank(WorkflowAction), **part, "id": f"action_{word}_{number}", "position": number, "spec": spec}
            )
        )
        for number, spec in enumerate(specs)
    ]
    return workflow, actions


def _task(records: Records, title: str, at: datetime, about: Document, links: Mapping[str, Any]) -> Document:
    """Put a task that a workflow made, done by its owner where there was time for it."""
    due = at + timedelta(days=2)
    done = due < records.now
    members = {
        "title": title,
        "owner_id": about["owner_id"],
        "contact_name": about.get("contact_name"),
        "contact_company": about["company"],
        "priority": "high",
        "source": "workflow",
        "due_at": due,
        "occurred_at": due,
        "status": "completed" if done else "not_started",
        "completed_at": due if done else None,
        "created_at": at,
        "updated_at": due if done else at,
        **links,
    }
    return records.put("activity", members, shape="task")


def _ref(task: Document) -> dict[str, Any]:
    return {"type": "activity", "id": task["id"], "name": task["title"]}


def _run(
    records: Records,
    workflow: Document,
    actions: Sequence[Document],
    kind: str,
    record: Document,
    at: datetime,
    *done: Done,
    source: str = "trigger",
) -> None:
    """Put an execution with the steps that were done; the others were skipped, or are still to come."""
    waits = done[-1][0] == "waiting"
    rest: Done = ("pending" if waits else "skipped", {})
    steps: list[dict[str, Any]] = [
        {
            "action_id": action["id"],
            "type": action["spec"]["type"],
            "name": action["spec"]["type"].replace("_", " ").capitalize(),
            "status": status,
            "started_at": at if status not in ("pending", "skipped") else None,
            "finished_at": at if status in ("succeeded", "failed") else None,
            "changes": [],
            "output": None,
            "error": None,
            "resume_at": None,
            **more,
        }
        for action, (status, more) in zip(actions, [*done, *[rest] * (len(actions) - len(done))], strict=True)
    ]
    status = "waiting" if waits else "failed" if done[-1][0] == "failed" else "succeeded"
    executions = records.collection("execution")
    members: dict[str, Any] = {
        "id": records.store.new_id("execution_"),
        "created_at": at,
        "updated_at": at,
        "created_by": record["owner_id"] or "system",
        "version": 2,
        "workflow_id": workflow["id"],
        "source": source,
        "revision": workflow["revision"],
        "trigger_id": f"trigger_{workflow['id'].rpartition('_')[2]}" if source == "trigger" else None,
        "entity": {"type": kind, "id": record["id"], "name": record.get("name") or record.get("title")},
        "status": status,
        "progress": 1.0 if not waits else round((len(done) - 1) / len(actions), 4),
        "started_at": at,
        "finished_at": None if waits else at,
        "error": done[-1][1].get("error"),
        "dry_run": source == "test",
        "depth": 1,
        "duration_ms": None if waits else 0,
        "steps": steps,
        # What the engine needs to go on:
        "entity_id": record["id"],
        "entity_type": kind,
        "entries": [_entry(action, "member" if waits else None) for action in actions],
        "input": {},
        "conditions": [],
        "caller": None,
        "due_at": None,
        "queue_number": records.store.count("execution_queue"),
    }
    executions.put(Document({**blank(WorkflowExecution), **members}))
    if source != "test":
        records.collection("workflow_enrollment").put(Document(id=f"{workflow['id']}/{record['id']}"))
        now = records.collection("workflow").get(workflow["id"])
        assert now is not None
        ended = {"succeeded": "success_count", "failed": "failure_count"}.get(status)
        counts = {name: now[name] + 1 for name in ("execution_count", ended) if name}
        records.collection("workflow").put(now | counts | {"last_executed_at": at})


def _entry(action: Document, waited: str | None) -> dict[str, Any]:
    waits = waited if action["spec"]["type"] == "wait" else None
    return {
        "action_id": action["id"], "name": action["spec"]["type"], "spec": action["spec"], "delay": 0,
        "on_error": "stop", "conditions": [], "level": 0, "waited": waits,
    }  # fmt: skip
