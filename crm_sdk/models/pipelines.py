"""Pipelines: the stages that deals pass through, and the automation rules that act on them."""

from __future__ import annotations

from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .deals import ForecastCategory
from .marks import INPUT, Default
from .patterns import COLOR_PATTERN, STAGE_KEY_PATTERN
from .record import Model, Record
from .values import EMPTY, NOT_BLANK, Amount, ErrorDetail, FieldChange, FieldValue, FilterGroup, Name, Percent
from .workflow_actions import ActionSpec, ActionSpecInput, ActionType, Condition, ConditionGroup

PipelineEntity: TypeAlias = Literal["deal", "lead"] | str
StageKind: TypeAlias = Literal["open", "won", "lost"] | str
AutomationEvent: TypeAlias = (
    Literal[
        "deal_created",
        "stage_entered",
        "stage_left",
        "deal_won",
        "deal_lost",
        "deal_rotten",
        "days_in_stage",
        "field_changed",
    ]
    | str
)


PipelineSort: TypeAlias = Literal["id", "name", "position", "created_at", "updated_at"] | str
AutomationSort: TypeAlias = Literal["id", "position", "created_at", "updated_at"] | str


class Stage(Record):
    """One stage of a pipeline."""

    name: str
    key: str | None = None
    """The value of `stage` of its deals; it cannot be changed."""
    position: Annotated[int | None, Default(0)] = None
    """From 0, without gaps."""
    kind: Annotated[StageKind | None, Default("open")] = None
    probability: int | None = None
    """0..100: how likely a deal in it is won."""
    forecast_category: ForecastCategory | None = None
    rotten_days: int | None = None
    """The number of days without activity after which a deal in it is rotten."""
    required_fields: list[str] = Field(default_factory=EMPTY)
    """The members of a deal that must be set before it may enter."""
    color: str | None = None
    """``#rrggbb``."""
    pipeline_id: str | None = None
    deal_count: int | None = None
    total_value: Amount | None = None
    """The value of its deals, in the company's currency."""


class Pipeline(Record):
    """The stages that deals pass through, in order, with the rules for moving between them."""

    name: str
    description: str | None = None
    entity_type: Annotated[PipelineEntity | None, Default("deal")] = None
    is_default: Annotated[bool | None, Default(False)] = None
    """Whether it is the pipeline of records that name none; of each entity type exactly one is."""
    active: Annotated[bool | None, Default(True)] = None
    position: Annotated[int | None, Default(0)] = None
    stages: list[Stage] = Field(default_factory=EMPTY)
    """Its stages, ordered by position; empty in lists."""
    allow_backward: Annotated[bool | None, Default(True)] = None
    """Whether a deal may move back to an earlier stage."""
    allow_skip: Annotated[bool | None, Default(True)] = None
    """Whether a deal may skip stages."""
    lock_closed: Annotated[bool | None, Default(False)] = None
    """Whether a closed deal is refused to move to another stage."""
    require_lost_reason: Annotated[bool | None, Default(False)] = None
    """Whether a deal needs a `lost_reason` to be lost."""
    deal_count: int | None = None
    total_value: Amount | None = None
    """The value of its deals, in `currency`."""
    currency: str | None = None


class _StageMembers(TypedDict, total=False):
    position: Annotated[int, Field(ge=0)]
    kind: StageKind
    probability: Percent
    forecast_category: ForecastCategory
    rotten_days: Annotated[int, Field(ge=1)] | None
    required_fields: list[str] | None
    color: Annotated[str, Field(pattern=COLOR_PATTERN)] | None


@with_config(INPUT)
class StageCreate(_StageMembers, total=False):
    """A new stage; its name is required, and for an open stage its probability."""

    name: Required[Annotated[str, Field(pattern=NOT_BLANK, max_length=50)]]
    key: Annotated[str, Field(pattern=STAGE_KEY_PATTERN, max_length=50)]


@with_config(INPUT)
class StageUpdate(_StageMembers, total=False):
    """Changes to a stage; null clears a member."""

    name: Annotated[str, Field(pattern=NOT_BLANK, max_length=50)]


class _PipelineMembers(TypedDict, total=False):
    description: str | None
    is_default: bool
    active: bool
    allow_backward: bool
    allow_skip: bool
    lock_closed: bool
    require_lost_reason: bool


@with_config(INPUT)
class PipelineCreate(_PipelineMembers, total=False):
    """A new pipeline; only its name is required. Without stages it gets six, from prospect to closed-won and -lost."""

    name: Required[Annotated[str, Field(pattern=NOT_BLANK, max_length=100)]]
    entity_type: PipelineEntity
    stages: Annotated[list[StageCreate], Field(min_length=1, max_length=50)]


@with_config(INPUT)
class PipelineUpdate(_PipelineMembers, total=False):
    """Changes to a pipeline; null clears a member. Stages are changed by `pipelines.stages`."""

    name: Annotated[str, Field(pattern=NOT_BLANK, max_length=100)]


class AutomationTrigger(Model):
    """The trigger of a rule."""

    event: AutomationEvent
    """The event that fires the trigger."""
    stage_id: str | None = None
    from_stage_id: str | None = None
    days: int | None = None
    """The number of days, for the event ``days_in_stage``."""
    field: str | None = None
    """The member of the deal, for the event ``field_changed``."""


class _AutomationTriggerMembers(TypedDict, total=False):
    stage_id: str | None
    from_stage_id: str | None
    days: Annotated[int, Field(ge=1)] | None
    field: str | None


@with_config(INPUT)
class AutomationTriggerInput(_AutomationTriggerMembers, total=False):
    """The trigger of a rule, as input."""

    event: Required[AutomationEvent]


@with_config(INPUT)
class AutomationTriggerUpdate(_AutomationTriggerMembers, total=False):
    """Changes to the trigger of a rule; what is not given stays."""

    event: AutomationEvent


class AutomationRule(Record):
    """A rule that acts on the deals of a pipeline when its trigger fires and its conditions hold."""

    pipeline_id: str | None = None
    name: str
    description: str | None = None
    enabled: Annotated[bool | None, Default(True)] = None
    trigger: AutomationTrigger
    """The trigger of the rule."""
    conditions: list[ConditionGroup] = Field(default_factory=EMPTY)
    actions: list[ActionSpec] = Field(default_factory=EMPTY)
    """The actions, carried out in order."""
    position: Annotated[int | None, Default(0)] = None
    run_count: Annotated[int | None, Default(0)] = None
    last_run_at: AwareDatetime | None = None
    """When the rule last ran."""
    last_status: Literal["succeeded", "failed"] | str | None = None
    """The result of the last run."""


class _RuleMembers(TypedDict, total=False):
    description: str | None
    enabled: bool
    conditions: list[FilterGroup] | None


@with_config(INPUT)
class AutomationRuleCreate(_RuleMembers, total=False):
    """A new rule: its trigger, conditions and actions."""

    name: Required[Name]
    trigger: Required[AutomationTriggerInput]
    actions: Required[Annotated[list[ActionSpecInput], Field(min_length=1, max_length=20)]]


@with_config(INPUT)
class AutomationRuleUpdate(_RuleMembers, total=False):
    """Changes to a rule; null clears a member, lists are replaced."""

    name: Name
    trigger: AutomationTriggerUpdate
    actions: Annotated[list[ActionSpecInput], Field(min_length=1, max_length=20)]


class ConditionResult(Model):
    """A condition, and whether it holds for the deal."""

    filter: Condition
    actual: FieldValue = None
    """The present value of the member."""
    matched: bool
    """Whether the condition holds."""


class ActionPreview(Model):
    """The effect that an action would have."""

    type: ActionType
    description: str
    changes: list[FieldChange] = Field(default_factory=EMPTY)
    error: ErrorDetail | None = None


class AutomationTest(Model):
    """The effects that a rule would have on a deal; none of them was carried out."""

    rule_id: str
    deal_id: str
    would_run: bool
    """Whether the rule would run."""
    trigger_matched: bool
    """Whether the trigger would fire."""
    conditions: list[ConditionResult] = Field(default_factory=EMPTY)
    """The conditions, each with whether it holds."""
    actions: list[ActionPreview] = Field(default_factory=EMPTY)
    """The actions that would be carried out, with their effects."""
