"""Deals: possible sales, with their value, stage and probability."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from ..wire import wire
from .marks import INPUT, OPEN, PERSONAL, Default
from .record import Model, Record
from .values import (
    EMPTY,
    NOT_BLANK,
    Amount,
    AmountInput,
    Currency,
    FieldValue,
    LeadSource,
    Level,
    Name,
    Percent,
    Priority,
    Tags,
)

DealSort: TypeAlias = (
    Literal[
        "id",
        "title",
        "value",
        "probability",
        "weighted_value",
        "expected_close_date",
        "last_activity",
        "stage",
        "created_at",
        "updated_at",
    ]
    | str
)
DealStage: TypeAlias = Annotated[
    Literal["prospect", "qualified", "proposal", "negotiation", "closed-won", "closed-lost"] | str, OPEN
]
"""The key of a stage of the deal's pipeline; the known values are the stages of the first pipeline."""
DealStatus: TypeAlias = Literal["open", "won", "lost"] | str
DealType: TypeAlias = Annotated[Literal["new_business", "existing_business", "renewal"] | str, OPEN]
ForecastCategory: TypeAlias = Literal["omitted", "pipeline", "best_case", "commit", "closed"] | str
DealRole: TypeAlias = Annotated[
    Literal["decision_maker", "economic_buyer", "champion", "evaluator", "influencer", "blocker", "user", "other"]
    | str,
    OPEN,
]
LostReason: TypeAlias = Annotated[
    Literal["price", "competitor", "no_budget", "no_decision", "timing", "product_fit", "no_response", "other"] | str,
    OPEN,
]
DealPart: TypeAlias = Literal["contact_roles", "tags", "custom_fields", "files"] | str
DealInclude: TypeAlias = Literal["activities", "ai_insights"] | str
DealFilter: TypeAlias = Literal["all", "hot", "at-risk", "closing-soon"] | str
DealActivityType: TypeAlias = Literal["call", "email", "meeting", "proposal", "demo", "note"] | str


class DealContact(Model):
    """A contact that takes part in a deal, with its role."""

    contact_id: str
    role: DealRole = "other"
    is_primary: bool = False


@wire(flow="id type date description outcome? next_step?")
class DealActivity(Model):
    """An activity on a deal."""

    id: str
    type: DealActivityType
    date: AwareDatetime
    description: str
    outcome: str | None = None
    next_step: str | None = None


@wire(flow="type date description outcome next_step")
@with_config(INPUT)
class DealActivityCreate(TypedDict, total=False):
    """An activity on a deal, to be recorded."""

    type: Required[DealActivityType]
    date: Required[AwareDatetime]
    description: Required[Annotated[str, Field(pattern=NOT_BLANK, max_length=10_000)]]
    outcome: Annotated[str, Field(max_length=10_000)] | None
    next_step: Annotated[str, Field(max_length=255)] | None


@wire(flow="id type title description impact actionable suggested_action? confidence date")
class DealInsight(Model):
    """An insight of the AI about a deal."""

    id: str
    type: Literal["opportunity", "risk", "suggestion", "competitor"] | str
    title: str
    description: str
    impact: Level | None = None
    """The impact on the deal."""
    actionable: bool = False
    suggested_action: str | None = None
    confidence: int | None = None
    """0..100."""
    date: AwareDatetime | None = None


@wire(
    flow="id title contact_id contact_name company value stage probability confidence expected_close_date created_date"
    " last_activity description tags activities ai_insights competitor_mentioned? risk_factors positive_signals"
    " priority"
)
class Deal(Record):
    """A possible sale."""

    title: str
    value: Annotated[Amount, Default(0)]
    currency: str | None = None
    pipeline_id: str | None = None
    stage: DealStage
    stage_id: str | None = None
    status: Annotated[DealStatus | None, Default("open")] = None
    probability: Annotated[int | None, Default(0)] = None
    """0..100: computed from stage, signals, risks and competitors, or the `probability_override`."""
    probability_override: int | None = None
    confidence: Annotated[Level | None, Default("medium")] = None
    expected_close_date: date | None = None
    contact_id: str | None = None
    contact_name: Annotated[str | None, PERSONAL] = None
    """Name of the contact."""
    contact_roles: list[DealContact] = Field(default_factory=EMPTY)
    account_id: str | None = None
    company: str | None = None
    lead_id: str | None = None
    """The lead it was converted from."""
    owner_id: str | None = None
    team_id: str | None = None
    source: LeadSource | None = None
    type: Annotated[DealType | None, Default("new_business")] = None
    forecast_category: Annotated[ForecastCategory | None, Default("pipeline")] = None
    weighted_value: Annotated[Amount | None, Default(0)] = None
    """The value times the probability."""
    created_date: AwareDatetime | None = None
    """The name of `created_at` in the flow document (004)."""
    last_activity: AwareDatetime | None = None
    stage_changed_at: AwareDatetime | None = None
    """When it entered its stage."""
    days_in_stage: Annotated[int | None, Default(0)] = None
    """The number of days in its stage."""
    is_rotten: Annotated[bool | None, Default(False)] = None
    """Whether it is open and had no activity for longer than the `rotten_days` of its stage."""
    closed_at: AwareDatetime | None = None
    """When it was won or lost."""
    lost_reason: LostReason | None = None
    lost_notes: str | None = None
    won_reason: str | None = None
    next_step: str | None = None
    description: str | None = None
    tags: list[str] = Field(default_factory=EMPTY)
    priority: Annotated[Priority | None, Default("medium")] = None
    competitor_mentioned: str | None = None
    risk_factors: list[str] = Field(default_factory=EMPTY)
    positive_signals: list[str] = Field(default_factory=EMPTY)
    activities: list[DealActivity] = Field(default_factory=EMPTY)
    ai_insights: list[DealInsight] = Field(default_factory=EMPTY)
    cloned_from: str | None = None
    """Id of the deal it is a copy of."""
    external_id: str | None = None
    custom_fields: dict[str, FieldValue] = Field(default_factory=dict)

    def model_post_init(self, context: object, /) -> None:
        """Set `created_at` from `created_date`, where the server sent only the name of the flow document (004)."""
        if self.created_at is None:
            vars(self)["created_at"] = self.created_date  # not marked as set: a dump has what the server sent


@wire(flow="stage count total_value avg_probability avg_days_in_stage")
class StageStats(Model):
    """The number and value of the deals in a stage, and how long deals stay in it."""

    stage: DealStage
    count: int
    total_value: Amount
    avg_probability: float
    """0..100."""
    avg_days_in_stage: float
    """The mean number of days that deals stay in the stage."""


@with_config(INPUT)
class DealContactInput(TypedDict, total=False):
    """A contact that takes part in a deal, as input."""

    contact_id: Required[str]
    role: DealRole
    is_primary: bool


class _DealMembers(TypedDict, total=False):
    value: Annotated[AmountInput, Field(ge=0, lt=10**15)]
    currency: Currency
    pipeline_id: str
    stage: DealStage
    probability_override: Percent | None
    expected_close_date: date
    contact_id: str | None
    contact_name: Annotated[str, Field(max_length=200)] | None
    """Name of a person who is not a contact; of a contact, its own name is used."""
    contact_roles: list[DealContactInput] | None
    account_id: str | None
    company: Annotated[str, Field(max_length=200)] | None
    """Name of the company of a deal without contact and account; otherwise theirs is used."""
    owner_id: str
    team_id: str | None
    source: LeadSource | None
    type: DealType
    forecast_category: ForecastCategory
    lost_reason: LostReason | None
    lost_notes: str | None
    won_reason: str | None
    next_step: Annotated[str, Field(max_length=255)] | None
    description: Annotated[str, Field(max_length=10_000)] | None
    tags: Tags | None
    priority: Priority
    external_id: str | None
    custom_fields: dict[str, FieldValue] | None


@wire(flow="title contact_id contact_name company value stage expected_close_date description tags priority")
@with_config(INPUT)
class DealCreate(_DealMembers, total=False):
    """A new deal; only its title is required."""

    title: Required[Name]


@wire(flow="title contact_id contact_name company value stage expected_close_date description tags priority")
@with_config(INPUT)
class DealUpdate(_DealMembers, total=False):
    """Changes to a deal; null clears a member."""

    title: Name


@with_config(INPUT)
class DealBulkUpdate(_DealMembers, total=False):
    """Changes to one deal of a bulk update, with its id."""

    id: Required[str]
    title: Name
