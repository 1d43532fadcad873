"""Deals: what somebody may buy, for how much, and how likely."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from ..wire import wire
from .marks import INPUT, OPEN, Default
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
"""The key of a stage of the deal's pipeline; these are the default pipeline's."""
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
DealFilter: TypeAlias = Literal["all", "hot", "at-risk", "closing-soon"] | str
DealActivityType: TypeAlias = Literal["call", "email", "meeting", "proposal", "demo", "note"] | str


class DealContact(Model):
    """Who takes part in a deal, and as what."""

    contact_id: str
    role: DealRole = "other"
    is_primary: bool = False


@wire(flow="id type date description outcome? next_step?")
class DealActivity(Model):
    """Something that happened on a deal."""

    id: str
    type: DealActivityType
    date: AwareDatetime
    description: str
    outcome: str | None = None
    next_step: str | None = None


@wire(flow="type date description outcome next_step")
@with_config(INPUT)
class DealActivityCreate(TypedDict, total=False):
    """Something that happened on a deal and is to be recorded."""

    type: Required[DealActivityType]
    date: Required[AwareDatetime]
    description: Required[Annotated[str, Field(pattern=NOT_BLANK, max_length=10_000)]]
    outcome: Annotated[str, Field(max_length=10_000)] | None
    next_step: Annotated[str, Field(max_length=255)] | None


@wire(flow="id type title description impact actionable suggested_action? confidence date")
class DealInsight(Model):
    """Something the AI noticed about a deal."""

    id: str
    type: Literal["opportunity", "risk", "suggestion", "competitor"] | str
    title: str
    description: str
    impact: Level | None = None
    """How much it changes."""
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
    """0..100: by stage, signals, risks and competitors, or the override."""
    probability_override: int | None = None
    confidence: Annotated[Level | None, Default("medium")] = None
    expected_close_date: date | None = None
    contact_id: str | None = None
    contact_name: str | None = None
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
    """The amount times the probability."""
    created_date: AwareDatetime | None = None
    """What the flow document calls `created_at`."""
    last_activity: AwareDatetime | None = None
    stage_changed_at: AwareDatetime | None = None
    """When it came to its stage."""
    days_in_stage: Annotated[int | None, Default(0)] = None
    """How many days it has been in its stage."""
    is_rotten: Annotated[bool | None, Default(False)] = None
    """Open, and nothing happened for longer than its stage allows."""
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
        """Say when it was created where every record does, if the server said so by its document's name only."""
        if self.created_at is None:
            vars(self)["created_at"] = self.created_date  # it stays unset: a dump has what the server sent


@wire(flow="total_pipeline weighted_forecast deals_closing_this_month monthly_forecast")
class DealForecast(Model):
    """What the open deals are worth, all and those of this month, in the company's currency."""

    total_pipeline: Amount
    """The sum of the open deals."""
    weighted_forecast: Amount
    """Each value by its probability."""
    deals_closing_this_month: int
    """Open deals that are expected to close this month."""
    monthly_forecast: Amount
    """The weighted value of the deals that are to close this month."""


@wire(flow="stage count total_value avg_probability avg_days_in_stage")
class StageStats(Model):
    """How many deals are in a stage, what they are worth, and how long deals stay in it."""

    stage: DealStage
    count: int
    total_value: Amount
    avg_probability: float
    """0..100."""
    avg_days_in_stage: float
    """How many days deals stay in the stage, in the mean."""


@with_config(INPUT)
class DealContactInput(TypedDict, total=False):
    """Who takes part in a deal, as it is given."""

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
    """Of somebody who is no contact; a contact's own name otherwise."""
    contact_roles: list[DealContactInput]
    account_id: str | None
    company: Annotated[str, Field(max_length=200)] | None
    """Where there is no contact and no account; their own otherwise."""
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
    tags: Tags
    priority: Priority
    external_id: str | None
    custom_fields: dict[str, FieldValue] | None


@wire(flow="title contact_id contact_name company value stage expected_close_date description tags priority")
@with_config(INPUT)
class DealCreate(_DealMembers, total=False):
    """A new deal: a title is all it needs."""

    title: Required[Name]


@wire(flow="title contact_id contact_name company value stage expected_close_date description tags priority")
@with_config(INPUT)
class DealUpdate(_DealMembers, total=False):
    """What to change about a deal; null clears a member."""

    title: Name
