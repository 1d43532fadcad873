"""Workflows: the triggers that start them, the actions they carry out, and their executions."""

from __future__ import annotations

from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .jobs import RunStatus
from .marks import INPUT, Default
from .record import Model, Record
from .schedules import Schedule, ScheduleInput, ScheduleUpdate
from .values import (
    EMPTY,
    NOT_BLANK,
    EntityRef,
    EntityType,
    ErrorDetail,
    FieldChange,
    FieldValue,
    FilterGroup,
)
from .workflow_actions import ActionSpec, ActionSpecInput, ActionType, ConditionGroup

WorkflowStatus: TypeAlias = Literal["draft", "active", "inactive"] | str
TriggerType: TypeAlias = (
    Literal[
        "record_created",
        "record_updated",
        "record_deleted",
        "field_changed",
        "stage_changed",
        "score_changed",
        "form_submitted",
        "message_received",
        "schedule",
        "webhook",
        "manual",
    ]
    | str
)
ExecutionSource: TypeAlias = Literal["trigger", "manual", "test", "pipeline_rule", "workflow"] | str
ExecutionStatus: TypeAlias = Literal["waiting"] | RunStatus
StepStatus: TypeAlias = Literal["pending", "waiting", "succeeded", "failed", "skipped"] | str
OnError: TypeAlias = Literal["stop", "continue"] | str
WorkflowSort: TypeAlias = Literal["id", "name", "last_executed_at", "execution_count", "created_at", "updated_at"] | str
ExecutionSort: TypeAlias = Literal["id", "created_at", "updated_at"] | str

_Delay: TypeAlias = Annotated[int, Field(ge=0, le=525_600)]
_ShortName: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, max_length=150)]


class WorkflowTrigger(Record):
    """What starts a workflow."""

    type: TriggerType
    field: str | None = None
    """The member whose change counts, for ``field_changed``; of a custom field ``custom_fields.name``."""
    from_value: FieldValue = None
    """The value before; any where it is null."""
    to_value: FieldValue = None
    """The value after; any where it is null."""
    schedule: Schedule | None = None
    """The times of a trigger of the type ``schedule``."""
    webhook_key: str | None = None
    """The key with which another system starts the workflow, for ``webhook``: see `workflows.triggers.fire`."""
    conditions: list[ConditionGroup] = Field(default_factory=EMPTY)
    """The conditions on the record; of several groups one must match."""
    active: Annotated[bool | None, Default(True)] = None


class _TriggerMembers(TypedDict, total=False):
    field: str | None
    from_value: FieldValue
    to_value: FieldValue
    conditions: list[FilterGroup] | None
    active: bool


@with_config(INPUT)
class WorkflowTriggerCreate(_TriggerMembers, total=False):
    """A new trigger; ``field_changed`` needs `field`, ``schedule`` a `schedule`."""

    type: Required[TriggerType]
    schedule: ScheduleInput | None


@with_config(INPUT)
class WorkflowTriggerUpdate(_TriggerMembers, total=False):
    """Changes to a trigger; null clears a member."""

    type: TriggerType
    schedule: ScheduleUpdate | None


class WorkflowAction(Record):
    """One action of a workflow."""

    name: str | None = None
    position: Annotated[int | None, Default(0)] = None
    """From 0, without gaps."""
    delay_minutes: Annotated[int | None, Default(0)] = None
    """How long the workflow waits before it carries out the action."""
    on_error: Annotated[OnError | None, Default("stop")] = None
    """Whether the execution fails with the action, or goes on with the next one."""
    conditions: list[ConditionGroup] = Field(default_factory=EMPTY)
    """The action is skipped where none of these groups matches the record."""
    spec: ActionSpec
    """The type of the action, with its parameters."""


class _ActionMembers(TypedDict, total=False):
    name: Annotated[str, Field(max_length=150)] | None
    position: Annotated[int, Field(ge=0)]
    delay_minutes: _Delay
    on_error: OnError
    conditions: list[FilterGroup] | None


@with_config(INPUT)
class WorkflowActionCreate(_ActionMembers, total=False):
    """A new action; by default it comes last."""

    spec: Required[ActionSpecInput]


@with_config(INPUT)
class WorkflowActionUpdate(_ActionMembers, total=False):
    """Changes to an action; `position` moves it."""

    spec: ActionSpecInput


class Workflow(Record):
    """Actions that are carried out in order whenever one of the triggers fires and the conditions hold."""

    name: str
    description: str | None = None
    entity_type: EntityType
    """The kind of record it is about; fixed once it is active."""
    status: Annotated[WorkflowStatus | None, Default("draft")] = None
    """Changed by `activate` and `deactivate`."""
    triggers: list[WorkflowTrigger] = Field(default_factory=EMPTY)
    """What starts it; changed by `workflows.triggers`."""
    conditions: list[ConditionGroup] = Field(default_factory=EMPTY)
    """Checked when a trigger fires; of several groups one must match the record."""
    actions: list[WorkflowAction] = Field(default_factory=EMPTY)
    """What it does, in order; changed by `workflows.actions`."""
    re_enroll: Annotated[bool | None, Default(True)] = None
    """Whether it can run more than once for the same record."""
    owner_id: str | None = None
    """The user with whose rights it acts."""
    revision: Annotated[int | None, Default(1)] = None
    """Goes up by one with every change of triggers, conditions or actions."""
    execution_count: Annotated[int | None, Default(0)] = None
    """The number of executions that have ended, without tests."""
    success_count: Annotated[int | None, Default(0)] = None
    failure_count: Annotated[int | None, Default(0)] = None
    last_executed_at: AwareDatetime | None = None
    """When an execution last ended."""


class _WorkflowMembers(TypedDict, total=False):
    description: Annotated[str, Field(max_length=10_000)] | None
    conditions: list[FilterGroup] | None
    re_enroll: bool
    owner_id: str


@with_config(INPUT)
class WorkflowCreate(_WorkflowMembers, total=False):
    """A new workflow, with its triggers and actions; it starts as a draft."""

    name: Required[_ShortName]
    entity_type: Required[EntityType]
    triggers: Annotated[list[WorkflowTriggerCreate], Field(max_length=10)] | None
    actions: Annotated[list[WorkflowActionCreate], Field(max_length=50)] | None


@with_config(INPUT)
class WorkflowUpdate(_WorkflowMembers, total=False):
    """Changes to a workflow; null clears a member, lists are replaced."""

    name: _ShortName
    entity_type: EntityType


class ExecutionStep(Model):
    """One step of an execution: an action, or one inside a branch."""

    action_id: str | None = None
    """The action of the workflow; null inside a branch, and for rules of pipelines."""
    type: ActionType
    name: str | None = None
    status: StepStatus
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    changes: list[FieldChange] = Field(default_factory=EMPTY)
    """What it changed, or in a test would change."""
    output: EntityRef | None = None
    """The record it made."""
    error: ErrorDetail | None = None
    resume_at: AwareDatetime | None = None
    """When a waiting step goes on; null while it waits for a member to get a value."""


class WorkflowExecution(Record):
    """One run of a workflow, or of an automation rule of a pipeline."""

    workflow_id: str | None = None
    rule_id: str | None = None
    """The rule of a pipeline, where one ran."""
    source: ExecutionSource
    """What started it."""
    revision: int | None = None
    """The revision of the workflow that it carries out."""
    trigger_id: str | None = None
    trigger_event_id: str | None = None
    """The entry of the audit trail that fired the trigger."""
    entity: EntityRef | None = None
    """The record it is about; null where its trigger has none."""
    status: ExecutionStatus
    """``waiting`` while a step waits for a time or for a member."""
    progress: float | None = None
    """0..1: the steps that are done."""
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    error: ErrorDetail | None = None
    """Why it failed."""
    dry_run: bool | None = None
    """Whether it is a test, which has no effects."""
    depth: int | None = None
    """1, and one more for each execution that caused it."""
    duration_ms: int | None = None
    """The milliseconds from its beginning to its end, waits included."""
    steps: list[ExecutionStep] = Field(default_factory=EMPTY)
    """What it has done and is going to do; empty in lists."""
