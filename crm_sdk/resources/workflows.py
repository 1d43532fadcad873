"""Workflows: what happens by itself when records are created or changed, at set times, or when another system asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import Unpack

from ..declare import operation, paginated
from ..listing import Listing, Sorting
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from pydantic import AwareDatetime

    from ..models.values import EntityType
    from ..models.workflows import (
        ExecutionSort,
        ExecutionSource,
        ExecutionStatus,
        TriggerType,
        Workflow,
        WorkflowAction,
        WorkflowActionCreate,
        WorkflowActionUpdate,
        WorkflowCreate,
        WorkflowExecution,
        WorkflowSort,
        WorkflowStatus,
        WorkflowTrigger,
        WorkflowTriggerCreate,
        WorkflowTriggerUpdate,
        WorkflowUpdate,
    )

_ONE = "/workflows/{workflow_id}"
_CONDITIONS = ("UNKNOWN_FIELD", "INVALID_OPERATOR", "FILTER_TOO_LARGE")
_TRIGGER = (*_CONDITIONS, "TRIGGER_NOT_SUPPORTED", "INVALID_SCHEDULE")
_ACTION = (*_CONDITIONS, "REFERENCE_NOT_FOUND", "WORKFLOW_LOOP", "URL_NOT_ALLOWED")


class WorkflowTriggers(Resource[Mode]):
    """The triggers of a workflow; at most 10."""

    @operation(platform=f"POST {_ONE}/triggers", errors=_TRIGGER)
    def create(self, workflow_id: str, trigger: WorkflowTriggerCreate) -> WorkflowTrigger:
        """Add a trigger to a workflow; one of the type ``webhook`` gets a `webhook_key`.

        Raises: NotFoundError; ValidationError for a type that the workflow's records do not have, a missing parameter,
        an unknown member, a schedule that cannot be kept, or an eleventh trigger.
        """

    @operation(platform=f"PUT {_ONE}/triggers/{{trigger_id}}", errors=_TRIGGER)
    def update(
        self,
        workflow_id: str,
        trigger_id: str,
        changes: WorkflowTriggerUpdate | WorkflowTrigger,
        *,
        version: int | None = None,
    ) -> WorkflowTrigger:
        """Change a trigger; members left out keep their values.

        Raises: NotFoundError; ConflictError when `version` differs; ValidationError.
        """

    @operation(platform=f"DELETE {_ONE}/triggers/{{trigger_id}}", errors=("WORKFLOW_ACTIVE",))
    def delete(self, workflow_id: str, trigger_id: str) -> None:
        """Delete a trigger.

        Raises: NotFoundError; ConflictError for the last trigger of an active workflow.
        """

    @operation(
        platform="POST /workflows/hooks/{webhook_key}",
        status=202,
        auth=False,
        ours=True,
        errors=("WORKFLOW_INACTIVE", "ALREADY_ENROLLED", "REFERENCE_NOT_FOUND", "FEATURE_DISABLED"),
        texts={
            "webhook_key": "The key of a trigger of the type webhook.",
            "input": "Values for the workflow: {{input.name}} in a text of an action is the value of its name.",
        },
    )
    def fire(
        self, webhook_key: str, *, entity_id: str | None = None, input: dict[str, Any] | None = None
    ) -> WorkflowExecution:
        """Start the workflow of a trigger of the type ``webhook``, as another system does; the key is the credential.

        Raises: NotFoundError for an unknown key; ConflictError for a workflow that is not active, or a record that is
        enrolled already; ValidationError for a record of another kind.
        """


class WorkflowActions(Resource[Mode]):
    """The actions of a workflow, in order; at most 50."""

    @operation(platform=f"POST {_ONE}/actions", errors=_ACTION)
    def create(self, workflow_id: str, action: WorkflowActionCreate) -> WorkflowAction:
        """Add an action to a workflow, by default as the last one; those from its `position` on move back by one.

        Raises: NotFoundError; ValidationError for an unknown member, template, user or stage, a missing parameter, the
        enrolment in the workflow itself, a webhook to a private address, or a 51st action.
        """

    @operation(platform=f"PUT {_ONE}/actions/{{action_id}}", errors=_ACTION)
    def update(
        self,
        workflow_id: str,
        action_id: str,
        changes: WorkflowActionUpdate | WorkflowAction,
        *,
        version: int | None = None,
    ) -> WorkflowAction:
        """Change an action; `position` moves it. Executions that have begun carry out what it was.

        Raises: NotFoundError; ConflictError when `version` differs; ValidationError.
        """

    @operation(platform=f"DELETE {_ONE}/actions/{{action_id}}", errors=("WORKFLOW_ACTIVE",))
    def delete(self, workflow_id: str, action_id: str) -> None:
        """Delete an action; the positions of the others close up.

        Raises: NotFoundError; ConflictError for the last action of an active workflow.
        """


class WorkflowExecutions(Resource[Mode]):
    """The history of workflows: what ran for which record, step by step."""

    @paginated(
        platform=f"GET {_ONE}/executions",
        texts={"since": "Executions that began at this time or later.", "until": "Executions that began before."},
    )
    def list(
        self,
        workflow_id: str,
        *,
        status: ExecutionStatus | None = None,
        source: ExecutionSource | None = None,
        entity_id: str | None = None,
        dry_run: bool | None = None,
        since: AwareDatetime | None = None,
        until: AwareDatetime | None = None,
        sort: ExecutionSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[WorkflowExecution]:
        """List the executions of a workflow, the newest first, without their steps.

        Raises: NotFoundError; ValidationError.
        """

    @operation(platform="GET /workflows/executions/{execution_id}")
    def get(self, execution_id: str) -> WorkflowExecution:
        """Fetch one execution with its steps; also one of a rule of a pipeline, or of a deleted workflow.

        Raises: NotFoundError.
        """


class Workflows(Resource[Mode]):
    """Actions that are carried out by themselves: triggers start them, conditions choose the records."""

    triggers: WorkflowTriggers[Mode] = part(WorkflowTriggers)
    actions: WorkflowActions[Mode] = part(WorkflowActions)
    executions: WorkflowExecutions[Mode] = part(WorkflowExecutions)

    @operation(platform="POST /workflows", errors=(*_ACTION, *_TRIGGER[3:], "LIMIT_EXCEEDED"))
    def create(self, workflow: WorkflowCreate) -> Workflow:
        """Create a workflow as a draft, with its triggers and actions.

        Raises: PermissionDeniedError beyond the limit of the plan; ValidationError for triggers, conditions or actions
        that could not work.
        """

    @operation(platform=f"GET {_ONE}")
    def get(self, workflow_id: str) -> Workflow:
        """Fetch one workflow, with its triggers and its actions in order.

        Raises: NotFoundError.
        """

    @operation(platform=f"PUT {_ONE}", errors=(*_ACTION, *_TRIGGER[3:], "WORKFLOW_ACTIVE"))
    def update(self, workflow_id: str, changes: WorkflowUpdate | Workflow, *, version: int | None = None) -> Workflow:
        """Change a workflow; executions that have begun are not affected. Triggers and actions have calls of their own.

        Raises: NotFoundError; ConflictError for another `entity_type` of an active workflow, or when `version` differs;
        ValidationError.
        """

    @operation(platform=f"DELETE {_ONE}", errors=("WORKFLOW_ACTIVE", "WORKFLOW_REFERENCED"))
    def delete(self, workflow_id: str) -> None:
        """Delete a workflow; its waiting executions are cancelled, its history stays.

        Raises: NotFoundError; ConflictError for an active workflow, or one in which another workflow enrolls records.
        """

    @paginated(platform="GET /workflows", texts={"trigger_type": "Workflows with a trigger of this type."})
    def list(
        self,
        *,
        status: WorkflowStatus | None = None,
        entity_type: EntityType | None = None,
        owner_id: str | None = None,
        trigger_type: TriggerType | None = None,
        sort: WorkflowSort | None = None,
        **common: Unpack[Listing],
    ) -> Page[Workflow]:
        """List workflows, the newest first.

        Raises: ValidationError for a limit out of bounds or a member that cannot be sorted by.
        """

    @operation(platform=f"POST {_ONE}/activate", errors=("WORKFLOW_INCOMPLETE", "WORKFLOW_INVALID"))
    def activate(self, workflow_id: str) -> Workflow:
        """Activate a workflow: its triggers start executions from now on.

        Raises: NotFoundError; ConflictError for a workflow without an active trigger or without an action, or with an
        action that refers to something that is gone.
        """

    @operation(
        platform=f"POST {_ONE}/deactivate",
        texts={"cancel_waiting": "Whether executions that wait are cancelled."},
    )
    def deactivate(self, workflow_id: str, *, cancel_waiting: bool = False) -> Workflow:
        """Deactivate a workflow: nothing starts it any more; executions that wait go on, unless they are cancelled.

        Raises: NotFoundError.
        """

    @operation(
        platform=f"POST {_ONE}/execute",
        status=202,
        errors=("WORKFLOW_INACTIVE", "ALREADY_ENROLLED", "REFERENCE_NOT_FOUND"),
        texts={"input": "Values for the workflow: {{input.name}} in a text of an action is the value of its name."},
    )
    def execute(
        self, workflow_id: str, *, entity_id: str | None = None, input: dict[str, Any] | None = None
    ) -> WorkflowExecution:
        """Start an active workflow for a record by hand; its conditions are not checked.

        The record may be left out where the workflow has a trigger without one: ``schedule``, ``webhook``, ``manual``.

        Raises: NotFoundError; ConflictError for a workflow that is not active, or a record that was enrolled already
        and cannot be again; ValidationError for a record of another kind.
        """

    @operation(platform=f"POST {_ONE}/test", safe=True, errors=("REFERENCE_NOT_FOUND",))
    def test(self, workflow_id: str, *, entity_id: str, trigger_id: str | None = None) -> WorkflowExecution:
        """Test a workflow on a record: conditions and actions are evaluated and nothing is written, sent or called.

        The steps show what would change; delays are not waited for. Drafts can be tested, too. With `trigger_id` the
        conditions of that trigger must hold as well.

        Raises: NotFoundError; ValidationError for an unknown record or trigger.
        """
