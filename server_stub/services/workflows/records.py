"""Workflows, their triggers and their actions: what may be stored, and what switches a workflow on and off."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from crm_sdk.models.workflows import Workflow, WorkflowAction, WorkflowTrigger
from crm_sdk.resources.workflows import WorkflowActions, Workflows, WorkflowTriggers

from ...data.blanks import blank
from ...data.document import Document
from ...data.forms import required_text
from ...noun import Noun
from ...problems import FieldError, Problem, validation
from ...serving import Context, Members, serves
from . import engine
from .action_types import check_action, every_action, merged_action
from .rights import granted_by, require_rights
from .starting import EXECUTION, OPEN
from .subjects import check_conditions, check_kind, stored_conditions
from .triggers import actions_of, check_trigger, set_timers, triggers_of

_MOST = {"trigger": 10, "action": 50}
"""The greatest number of parts of a workflow."""


def with_parts(call: Context, workflow: Document) -> Document:
    """Return a workflow with its triggers, and its actions in order."""
    return workflow.with_members({"triggers": triggers_of(call, workflow), "actions": actions_of(call, workflow)})


def _check(call: Context, members: dict[str, Any], before: Document | None) -> dict[str, Any]:
    """Check the conditions, and all parts where the kind of record changes. Raises: 409 for a fixed kind; 422."""
    stored: Members = before if before is not None else {"conditions": []}
    kind: str = members["entity_type"] if "entity_type" in members else stored["entity_type"]
    conditions: Sequence[Members] = members["conditions"] if "conditions" in members else stored["conditions"]
    if before is None or kind != before["entity_type"]:
        check_kind(call, kind)
        if before is not None:
            if before["status"] == "active":
                message = "an active workflow stays about the same kind of record: deactivate it first"
                raise Problem("WORKFLOW_ACTIVE", message, field="entity_type")
            _check_parts(call, kind, before)
    check_conditions(call, kind, conditions)
    if before is None:
        require_rights(call, {"owner_id": call.caller.user_id, **granted_by(call), **members})
        return granted_by(call)
    require_rights(call, {**before, **members})
    changed = conditions != before["conditions"]
    taken_over = granted_by(call) if members.get("owner_id") not in (None, before["owner_id"]) else {}
    return {**({"revision": before["revision"] + 1} if changed else {}), **taken_over}


def _check_parts(call: Context, kind: str, workflow: Document) -> None:
    for number, trigger in enumerate(triggers_of(call, workflow)):
        check_trigger(call, kind, trigger, f"triggers.{number}")
    for number, action in enumerate(actions_of(call, workflow)):
        _check_action(call, kind, action, f"actions.{number}", workflow["id"])


def _follow(call: Context, before: Document | None, after: Document | None) -> None:
    """Cancel what a deleted workflow was going to do, and delete its parts; its history stays."""
    if after is None and before is not None:
        cancel_open(call, before, OPEN)
        for kind in ("trigger", "action"):
            for doc in call.collection(kind).find("workflow_id", before["id"]):
                call.delete(kind, doc)
        set_timers(call, before)


def cancel_open(call: Context, workflow: Members, statuses: Sequence[str]) -> None:
    """Cancel the executions of a workflow that are in one of some statuses."""
    for execution in call.collection(EXECUTION).find("workflow_id", workflow["id"]):
        if execution["status"] in statuses:
            engine.cancel(call, execution)


def _may_delete(call: Context, workflow: Document) -> None:
    if workflow["status"] == "active":
        raise Problem("WORKFLOW_ACTIVE", f"{workflow['name']} is active: deactivate it before it is deleted")
    owners = {
        one["workflow_id"]: one["spec"] for one in call.collection("action")
        if any(spec.get("workflow_id") == workflow["id"] for spec in every_action([one["spec"]]))
    }  # fmt: skip
    rules = [
        rule["id"] for rule in call.collection("rule")
        if any(spec.get("workflow_id") == workflow["id"] for spec in every_action(rule["actions"]))
    ]  # fmt: skip
    others = sorted([id for id in owners if id != workflow["id"]] + rules)
    if others:
        message = f"{', '.join(others)} enrolls records in {workflow['name']}: change that first"
        raise Problem("WORKFLOW_REFERENCED", message, details={"ids": others})


@serves(Workflows.create)
def create(call: Context, workflow: Members) -> Document:
    """Create a workflow with its triggers and actions."""
    members = WORKFLOWS.stored_form(call, {k: v for k, v in workflow.items() if k not in ("triggers", "actions")})
    kind = members["entity_type"]
    triggers: list[dict[str, Any]] = [
        {**_tidy(call, given), **_trigger_members(call, kind, given, None, f"triggers.{number}")}
        for number, given in enumerate(workflow.get("triggers") or ())
    ]
    actions = [_tidy(call, given) for given in workflow.get("actions") or ()]
    for number, given in enumerate(actions):
        _check_action(call, kind, given, f"actions.{number}", None)

    def add_parts(made: Document) -> None:
        for trigger in triggers:
            call.create("trigger", "trigger_", {**blank(WorkflowTrigger), **trigger, "workflow_id": made["id"]})
        for number, given in enumerate(actions):
            place = {"workflow_id": made["id"], "position": number}
            call.create("action", "action_", {**blank(WorkflowAction), **given, **place})

    return with_parts(call, WORKFLOWS.add(call, members, parts=add_parts))


@serves(Workflows.activate)
def activate(call: Context, workflow_id: str) -> Document:
    """Activate a workflow that could work."""
    workflow = WORKFLOWS.writable(call, workflow_id)
    if workflow["status"] == "active":
        return with_parts(call, workflow)
    actions = actions_of(call, workflow)
    if not actions or not any(trigger["active"] for trigger in triggers_of(call, workflow)):
        message = f"{workflow['name']} needs an active trigger and an action before it can be active"
        raise Problem("WORKFLOW_INCOMPLETE", message)
    for number, action in enumerate(actions):
        try:
            _check_action(call, workflow["entity_type"], action, f"actions.{number}", workflow["id"])
        except Problem as problem:
            message = f"the action {action['name'] or action['spec']['type']} cannot work: {problem.message}"
            raise Problem("WORKFLOW_INVALID", message, details={"action_id": action["id"]}) from None
    new = WORKFLOWS.change(call, workflow, {"status": "active"}, verb="activated")
    set_timers(call, new)
    return with_parts(call, new)


@serves(Workflows.deactivate)
def deactivate(call: Context, workflow_id: str, cancel_waiting: bool) -> Document:
    """Deactivate a workflow; what waits goes on, or is cancelled."""
    workflow = WORKFLOWS.writable(call, workflow_id)
    if cancel_waiting:
        cancel_open(call, workflow, ("waiting",))
    if workflow["status"] == "active":
        workflow = WORKFLOWS.change(call, workflow, {"status": "inactive"}, verb="deactivated")
    set_timers(call, workflow)
    return with_parts(call, workflow)


WORKFLOWS = Noun(
    resource=Workflows,
    kind="workflow",
    model=Workflow,
    own=("create",),
    limit="workflows",
    searched=("name", "description"),
    sorts=("name", "last_executed_at", "execution_count"),
    forms={"name": required_text("name"), "conditions": stored_conditions},
    refers={"owner_id": "user"},
    defaults={"owner_id": lambda call: call.caller.user_id},
    filters={
        "trigger_type": lambda call, value: lambda doc: any(one["type"] == value for one in triggers_of(call, doc)),
    },
    computed=("execution_count", "success_count", "failure_count", "last_executed_at"),
    check=_check,
    follow=_follow,
    may_delete=_may_delete,
    shown=with_parts,
    listed=with_parts,
)


# -- parts -------------------------------------------------------------------------------------------------------------


def _part_written(call: Context, part: Members) -> None:
    """Count the revision of the workflow of a part that was written, and set its timers."""
    workflow = call.collection("workflow").get(part["workflow_id"])
    if workflow is not None:
        require_rights(call, workflow)
        set_timers(call, call.update("workflow", workflow, {"revision": workflow["revision"] + 1}))


def _check_number(call: Context, kind: str, workflow_id: str) -> None:
    there = len(call.collection(kind).find("workflow_id", workflow_id))
    if there >= _MOST[kind]:
        message = f"a workflow has at most {_MOST[kind]} {kind}s"
        raise validation([FieldError(None, "max", message, details={"limit": _MOST[kind]})])


def _keep_one(kind: str) -> Any:
    """Return what refuses to delete the last part of an active workflow."""

    def may_delete(call: Context, part: Document) -> None:
        workflow = WORKFLOWS.find_one(call, part["workflow_id"])
        if workflow["status"] == "active" and len(call.collection(kind).find("workflow_id", workflow["id"])) == 1:
            message = f"this is the last {kind} of {workflow['name']}: deactivate the workflow first"
            raise Problem("WORKFLOW_ACTIVE", message)

    return may_delete


def _tidy(call: Context, part: Members) -> dict[str, Any]:
    """Return the members of a part with its conditions as they are stored."""
    return {**part, **({"conditions": stored_conditions(call, part["conditions"])} if "conditions" in part else {})}


# -- triggers


def _trigger_members(
    call: Context, kind: str, members: Members, before: Document | None, path: str = ""
) -> dict[str, Any]:
    """Return the members of a trigger that follow from others. Raises: 422 for one that could not work."""
    whole = {**(before or blank(WorkflowTrigger)), **members}
    check_trigger(call, kind, whole, path)
    derived: dict[str, Any] = {}
    if whole["type"] == "schedule":
        given = {name: value for name, value in whole["schedule"].items() if value is not None}
        if given["frequency"] != "cron":
            given.pop("cron", None)
        derived["schedule"] = {"timezone": call.tenant.get("timezone") or "UTC", **given}
    if (whole["type"] == "webhook") is not (whole["webhook_key"] is not None):
        derived["webhook_key"] = _new_key(call) if whole["type"] == "webhook" else None
    return derived


def _new_key(call: Context) -> str:
    # The same in every run, as everything of the stub: it protects nothing.
    seed = f"{call.caller.tenant_id}{call.new_id('hook_')}"
    return f"hook_{hashlib.sha256(seed.encode()).hexdigest()[:32]}"


def _check_new_trigger(call: Context, members: dict[str, Any], before: Document | None) -> dict[str, Any]:
    workflow = WORKFLOWS.find_one(call, before["workflow_id"] if before is not None else members["workflow_id"])
    if before is None:
        _check_number(call, "trigger", workflow["id"])
    return _trigger_members(call, workflow["entity_type"], members, before)


def _follow_trigger(call: Context, before: Document | None, after: Document | None) -> None:
    _part_written(call, after or before or {})


_AS_CHANGES = {"created": "updated", "deleted": "updated"}
"""The verbs of parts: each is an event ``workflow.updated`` with the part's id in its metadata."""

TRIGGERS = Noun(
    resource=WorkflowTriggers,
    kind="trigger",
    model=WorkflowTrigger,
    within=("workflow_id", WORKFLOWS),
    events="workflow.",
    verbs=_AS_CHANGES,
    forms={"conditions": stored_conditions},
    check=_check_new_trigger,
    follow=_follow_trigger,
    may_delete=_keep_one("trigger"),
)


# -- actions


def _check_action(call: Context, kind: str, action: Members, path: str, workflow_id: str | None) -> None:
    start = f"{path}." if path else ""
    check_conditions(call, kind, action.get("conditions") or (), f"{start}conditions")
    check_action(call, kind, action["spec"], f"{start}spec", within=workflow_id)


@serves(WorkflowActions.create)
def create_action(call: Context, workflow_id: str, action: Members) -> Document:
    """Add an action at its position, or as the last one."""
    workflow = WORKFLOWS.writable(call, workflow_id)
    _check_number(call, "action", workflow["id"])
    _check_action(call, workflow["entity_type"], action, "", workflow["id"])
    action, last = _tidy(call, action), len(actions_of(call, workflow))
    place = {"workflow_id": workflow["id"], "position": min(action.get("position", last), last)}
    return ACTIONS.add(call, {**action, **place})


@serves(WorkflowActions.update)
def update_action(call: Context, workflow_id: str, action_id: str, changes: Members, version: int | None) -> Document:
    """Change an action; its parameters are merged as long as the type stays."""
    workflow = WORKFLOWS.writable(call, workflow_id)
    action = ACTIONS.writable(call, action_id, whole_id=workflow["id"])
    call.lock(action, version)
    given = _tidy(call, changes)
    if "spec" in given:
        given["spec"] = merged_action(action["spec"], given["spec"])
    if "position" in given:
        given["position"] = min(given["position"], len(actions_of(call, workflow)) - 1)
    _check_action(call, workflow["entity_type"], {**action, **given}, "", workflow["id"])
    return ACTIONS.change(call, action, given)


def _follow_action(call: Context, before: Document | None, after: Document | None) -> None:
    """Number the other actions; their versions stay, since nobody has changed them."""
    part = after or before or Document()
    others = [one for one in actions_of(call, part | {"id": part["workflow_id"]}) if one["id"] != part["id"]]
    if after is not None:
        others.insert(after["position"], after)
    for number, one in enumerate(others):
        if one["position"] != number:
            call.collection("action").put(one | {"position": number})
    _part_written(call, part)


def _without_secret(action: Document) -> Document:
    def hidden(spec: Members) -> dict[str, Any]:
        inner = {name: [hidden(one) for one in spec[name]] for name in ("then", "otherwise") if spec.get(name)}
        return {**{name: value for name, value in spec.items() if name != "secret"}, **inner}

    return action | {"spec": hidden(action["spec"])}


ACTIONS = Noun(
    resource=WorkflowActions,
    kind="action",
    model=WorkflowAction,
    own=("create", "update"),
    within=("workflow_id", WORKFLOWS),
    events="workflow.",
    verbs=_AS_CHANGES,
    follow=_follow_action,
    may_delete=_keep_one("action"),
    published=_without_secret,
)
