"""Stage history, boards, forecasts and analytics of deals."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, Field

from ..wire import wire
from .deals import Deal
from .record import Model
from .values import EMPTY, Amount

StageChangeSort: TypeAlias = Literal["id", "entered_at", "created_at", "updated_at"] | str
StageDirection: TypeAlias = Literal["forward", "backward", "initial", "reopened"] | str
BoardStatus: TypeAlias = Literal["all", "open", "won", "lost"] | str
WinLossGrouping: TypeAlias = Literal["owner", "source", "type", "industry", "pipeline"] | str
CardLimit: TypeAlias = Annotated[int, Field(ge=1, le=200)]


class StageHistoryEntry(Model):
    """One stay of a deal in a stage."""

    id: str
    deal_id: str
    pipeline_id: str
    from_stage: str | None = None
    """The stage before; null for the first stay."""
    from_stage_id: str | None = None
    to_stage: str
    """The key of the stage."""
    to_stage_id: str
    entered_at: AwareDatetime
    """When it came to the stage."""
    left_at: AwareDatetime | None = None
    """When it left the stage; null while it is there."""
    duration_seconds: int
    """The seconds of the stay; up to now while it lasts."""
    value: Amount
    """The value of the deal when it entered."""
    probability: int
    """The probability when it entered, 0..100."""
    direction: StageDirection
    reason: str | None = None
    """The note of the move, else the reason of the win or the loss."""
    changed_by: str | None = None
    """Id of the user, API key or app that moved it."""


class ForecastCategories(Model):
    """Sums of deals by forecast category, in the company's currency."""

    pipeline: Amount = Decimal(0)
    """Deals of low probability."""
    best_case: Amount = Decimal(0)
    """Deals that may well be won."""
    commit: Amount = Decimal(0)
    """Deals that are expected to be won."""
    closed: Amount = Decimal(0)
    """The value of the won deals."""
    omitted: Amount = Decimal(0)
    """Deals excluded from forecasts."""


class ForecastPeriod(Model):
    """The deals that were won in a period, and the open ones expected to close in it."""

    period: str
    """``2026-11``, ``2026-W47``, ``2026-11-21``, ``2026-Q4`` or ``2026``."""
    start: date
    """The first day."""
    end: date
    """The last day."""
    deal_count: int
    total: Amount
    weighted: Amount
    """The open values times their probabilities, and the won values in full."""
    categories: ForecastCategories
    """The total by forecast category."""


@wire(flow="total_pipeline weighted_forecast deals_closing_this_month monthly_forecast")
class DealForecast(Model):
    """The value of the open deals, all and those of this month, in the company's currency."""

    total_pipeline: Amount
    """The sum of the open deals."""
    weighted_forecast: Amount
    """The sum of the open deals' values, each times its probability."""
    deals_closing_this_month: int
    """The number of open deals that are expected to close this month."""
    monthly_forecast: Amount
    """The weighted value of the deals that are expected to close this month."""
    currency: str | None = None
    start_date: date | None = None
    end_date: date | None = None
    """The last day of the range."""
    periods: list[ForecastPeriod] = Field(default_factory=EMPTY)
    """The periods of the range, in their order."""
    categories: ForecastCategories | None = None
    """The sums of the whole range."""


class BoardStage(Model):
    """A column of a board: a stage and its deals."""

    stage_id: str
    stage: str
    """The key of the stage."""
    name: str
    kind: Literal["open", "won", "lost"] | str
    deal_count: int
    total_value: Amount
    weighted_value: Amount
    deals: list[Deal] = Field(default_factory=EMPTY)
    """The first deals of the stage, as many as were asked for."""
    has_more: bool
    """Whether there are more than are shown."""


class PipelineBoard(Model):
    """A pipeline with its deals, stage by stage; sums are in the company's currency."""

    pipeline_id: str
    name: str
    currency: str
    deal_count: int
    total_value: Amount
    weighted_value: Amount
    stages: list[BoardStage]
    """In their order, empty ones as well."""


class StageConversion(Model):
    """The outcome of the deals that entered a stage: each advanced, was lost, or is open."""

    stage_id: str
    stage: str
    entered: int
    advanced: int
    """Those that reached any later stage."""
    lost: int
    """Those that were lost without reaching a later stage."""
    open: int
    """Those that are open and reached no later stage."""
    conversion_rate: float
    """Advanced of entered, 0..1."""
    avg_days: float
    """The mean number of days in the stage."""


class ConversionAnalytics(Model):
    """The outcome of the deals that entered the pipeline within a range."""

    entered: int
    won: int
    lost: int
    open: int
    """Those that are neither."""
    conversion_rate: float
    """Won of entered, 0..1."""
    win_rate: float
    """Won of won and lost, 0..1."""
    stages: list[StageConversion]
    """The figures of each stage, in their order."""
    currency: str
    start_date: date
    end_date: date
    """The last day of the range."""


class StageDuration(Model):
    """The time that deals spend in an open stage, all their stays in it together."""

    stage_id: str
    stage: str
    deals: int
    """How many deals were in it."""
    avg_days: float
    """The mean."""
    median_days: float
    """The median."""
    p90_days: float
    """The 90th percentile."""


class MetricPoint(Model):
    """A figure of one period."""

    period: str
    start: date
    """The first day."""
    value: Amount


class Series(Model):
    """A figure over every period of a range, zeros included."""

    name: str
    points: list[MetricPoint]
    """One for each period."""


class VelocityAnalytics(Model):
    """Sales velocity: opportunities × average value × win rate ÷ average cycle."""

    opportunities: int
    """Deals that were open within the range."""
    avg_value: Amount
    """Their mean value."""
    win_rate: float
    """Won of won and lost within the range, 0..1."""
    avg_cycle_days: float | None = None
    """The mean number of days from created to won; null where none was won."""
    median_cycle_days: float | None = None
    """The median number of days from created to won."""
    velocity_per_day: Amount
    """Opportunities × average value × win rate ÷ average cycle; 0 where none was won."""
    stages: list[StageDuration]
    """The durations of each open stage."""
    series: list[Series]
    """`won_deals`, `won_value` and `avg_cycle_days` of each period."""
    currency: str


class LossReason(Model):
    """The lost deals of one reason."""

    reason: str
    """`unknown` where none was given."""
    count: int
    value: Amount
    share: float
    """Of all lost deals, 0..1."""


class CompetitorResult(Model):
    """The closed deals in which a competitor was mentioned."""

    name: str
    won: int
    lost: int
    win_rate: float


class WinLossGroup(Model):
    """The closed deals of an owner, a source, a type, an industry or a pipeline."""

    key: str
    """The id, or the word; empty where the deals have none."""
    name: str
    won: int
    lost: int
    win_rate: float
    won_value: Amount


class WinLossAnalytics(Model):
    """The deals that were won and lost within a range."""

    won: int
    lost: int
    win_rate: float
    """Won of won and lost, 0..1."""
    won_value: Amount
    lost_value: Amount
    avg_won_value: Amount
    """The mean value of the won deals."""
    avg_lost_value: Amount
    """The mean value of the lost deals."""
    avg_days_won: float
    """The mean number of days from created to won."""
    avg_days_lost: float
    """The mean number of days from created to lost."""
    reasons: list[LossReason]
    competitors: list[CompetitorResult]
    """The closed deals in which a competitor was mentioned."""
    groups: list[WinLossGroup]
    """The figures of each group, the largest first."""
    currency: str


class ForecastAccuracy(Model):
    """The forecast of a period as it stood on its first day, and the won value."""

    period: str
    forecast: Amount
    """The weighted value of the deals that were open and expected to close by its end."""
    actual: Amount
    """The value won in the period."""
    accuracy: float
    """1 − |forecast − actual| ÷ the greater of both; 1 where both are 0."""
    variance: Amount
    """Actual − forecast."""


class SlippedDeal(Model):
    """A deal whose close date was moved out of its period to a later one."""

    deal_id: str
    title: str
    from_date: date
    """The first date it slipped from."""
    to_date: date
    """The date it last slipped to."""
    times: int
    """How often it slipped."""
    value: Amount


class ForecastAnalytics(Model):
    """The accuracy of the forecasts of past periods."""

    periods: list[ForecastAccuracy]
    """The past periods of the range."""
    mean_accuracy: float
    """Over the periods in which something was forecast or won."""
    bias: float
    """−1..1: positive where the forecasts were too optimistic."""
    slipped: list[SlippedDeal]
    """The greatest first."""
    currency: str


class OwnerPerformance(Model):
    """The results of an owner of deals within a range."""

    owner_id: str | None = None
    """Null in the totals."""
    owner_name: str | None = None
    """Name of the owner, also of one who was deleted."""
    rank: int
    """From 1, by the value won; 0 in the totals."""
    deals_created: int
    """Deals created within the range."""
    deals_won: int
    """Deals won within the range."""
    deals_lost: int
    """Deals lost within the range."""
    won_value: Amount
    open_value: Amount
    """The value of the deals that are open now."""
    weighted_value: Amount
    avg_deal_size: Amount
    """Of the deals won."""
    win_rate: float
    avg_cycle_days: float
    """The mean number of days from created to won; 0 where none was won."""
    activities: int
    """Events, calls, e-mails and notes of the range."""
    quota: Amount | None = None
    """The monthly quota times the months of the range; null without one."""
    attainment: float | None = None
    """Value won ÷ quota."""


class PerformanceAnalytics(Model):
    """The results of each owner of deals within a range."""

    owners: list[OwnerPerformance]
    """The best first; also those without deals."""
    totals: OwnerPerformance
    """All owners together, and the deals that nobody owns."""
    currency: str
