"""Executions: started by hand and by other systems, tested without effects, and looked up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crm_sdk.models.workflows import WorkflowExecution
from crm_sdk.resources.workflows import WorkflowExecutions, Workflows, WorkflowTriggers

from ...data.document import Document
from ...data.mapped import Mapped
from ...data.queries.filters import by_time
from ...noun import Noun
from ...problems import Problem, invalid
from ...request.access import features
from ...serving import Context, Members, serves
from ...timetable import system_call
from .effects import require_active
from .records import WORKFLOWS
from .starting import EXECUTION, begin, execution_members, planned_actions
from .subjects import found_subject, holds, noun_of, ref_of
from .trials import trial
from .triggers import WITHOUT_RECORD, actions_of, triggers_of


@serves(Workflows.execute)
def execute(call: Context, workflow_id: str, entity_id: str | None, input: Members | None) -> Document:
    """Queue an execution by hand."""
    workflow = WORKFLOWS.writable(call, workflow_id)
    require_active(workflow)
    active = [trigger for trigger in triggers_of(call, workflow) if trigger["active"]]
    if entity_id is None and not any(trigger["type"] in WITHOUT_RECORD for trigger in active):
        message = f"{workflow['name']} runs for a {workflow['entity_type']}: name it"
        raise invalid("entity_id", "required", message)
    manual = next((trigger["id"] for trigger in active if trigger["type"] == "manual"), None)
    record = _record(call, workflow, entity_id)
    return begin(
        call, workflow, actions_of(call, workflow), record, source="manual", trigger_id=manual, input=input
    )  # fmt: skip


def _record(call: Context, workflow: Members, entity_id: str | None) -> Document | None:
    kind = workflow["entity_type"]
    doc = call.reference(noun_of(call, kind).collection, entity_id, "entity_id")
    if doc is not None and found_subject(call, kind, doc["id"]) is None:
        message = f"{entity_id} is a {doc['object']}, not a {kind}"
        raise Problem("REFERENCE_NOT_FOUND", message, field="entity_id", rule="reference")
    return doc


@serves(WorkflowTriggers.fire)
def fire(call: Context, webhook_key: str, entity_id: str | None, input: Members | None) -> Document:
    """Start the workflow whose trigger has a key, for a company that the key tells."""
    for triggers in call.server.store.across("trigger"):
        for trigger in triggers.find("webhook_key", webhook_key):
            inside = system_call(call.server, triggers.tenant_id, call.now, call.operation)
            features.check(inside.tenant, "workflows")
            workflow = WORKFLOWS.find_one(inside, trigger["workflow_id"])
            require_active(workflow if trigger["active"] else workflow | {"status": "inactive"})
            record = _record(inside, workflow, entity_id)
            return begin(
                inside, workflow, actions_of(inside, workflow), record, source="trigger", trigger_id=trigger["id"],
                input=input,
            )  # fmt: skip
    raise Problem("NOT_FOUND", "no trigger has this key")


@serves(Workflows.test)
def test(call: Context, workflow_id: str, entity_id: str, trigger_id: str | None) -> Document:
    """Carry a workflow out on a record, undo everything, and keep what it would have done."""
    workflow = WORKFLOWS.find_one(call, workflow_id)
    record = _record(call, workflow, entity_id)
    assert record is not None, "the id is required"
    chosen = call.reference("trigger", trigger_id, "trigger_id")
    if chosen is not None and chosen["workflow_id"] != workflow["id"]:
        raise invalid("trigger_id", "reference", f"{trigger_id} is a trigger of another workflow")
    kind, conditions = workflow["entity_type"], [one["conditions"] for one in (workflow, chosen) if one]
    entries = planned_actions(actions_of(call, workflow))
    entity = ref_of(workflow["entity_type"], record)
    members = execution_members(call, entries, entity, source="test", workflow=workflow)
    members |= {"depth": 1, "trigger_id": trigger_id}
    done = trial(call, members, goes=all(holds(call, kind, groups, record) for groups in conditions))
    return call.collection(EXECUTION).put(done)


@serves(WorkflowExecutions.list)
def list_(call: Context, workflow_id: str, **given: Any) -> Sequence[Document]:
    """Return the executions of a workflow without their steps."""
    workflow = WORKFLOWS.find_one(call, workflow_id)
    docs = EXECUTIONS.select(call, {**given, "workflow_id": workflow["id"]})
    return Mapped(docs, lambda doc: doc.with_members({"steps": []}))


@serves(WorkflowExecutions.get)
def get(call: Context, execution_id: str) -> Document:
    """Return an execution with its steps."""
    return EXECUTIONS.find_one(call, execution_id)


EXECUTIONS = Noun(
    resource=WorkflowExecutions,
    kind=EXECUTION,
    model=WorkflowExecution,
    own=("get",),
    filters={
        "entity_id": lambda call, value: lambda doc: doc["entity_id"] == value,
        "since": by_time("created_at", after=True),
        "until": by_time("created_at", after=False),
    },
)
