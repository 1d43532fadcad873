"""What the tests of workflows stand on: a client, and a workflow that is switched on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from crm_sdk import CrmClient
from crm_sdk.models import Workflow, WorkflowExecution
from server_stub import StubServer

Flow = Callable[..., Workflow]
Runs = Callable[..., list[WorkflowExecution]]


def act(type: str, **spec: Any) -> Any:
    """Return an action; members of the action itself are in `own`."""
    own = spec.pop("own", {})
    return {"spec": {"type": type, **spec}, **own}


def tag(name: str, **own: Any) -> Any:
    return act("add_tag", tag=name, own=own)


def where(field: str, op: str, value: Any = None) -> list[Any]:
    return [{"filters": [{"field": field, "op": op, **({} if value is None else {"value": value})}]}]


@pytest.fixture
def platform(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def flow(platform: CrmClient) -> Flow:
    """Create a workflow about leads and activate it."""

    def make(trigger: Any, *actions: Any, entity_type: str = "lead", active: bool = True, **members: Any) -> Workflow:
        triggers: Sequence[Any] = [trigger] if isinstance(trigger, dict) else [{"type": trigger}]
        given: Any = {
            "name": "Flow", "entity_type": entity_type, "triggers": triggers, "actions": list(actions), **members
        }  # fmt: skip
        made = platform.workflows.create(given)
        return platform.workflows.activate(made.id) if active else made

    return make


@pytest.fixture
def runs(platform: CrmClient) -> Runs:
    """Return the executions of a workflow with their steps, oldest first."""

    def find(workflow: Workflow, **filters: Any) -> list[WorkflowExecution]:
        listed = list(platform.workflows.executions.list(workflow.id, **filters))
        return [platform.workflows.executions.get(run.id) for run in reversed(listed)]

    return find


def statuses(run: WorkflowExecution) -> list[str]:
    """Return the statuses of the steps of an execution."""
    return [step.status for step in run.steps]
