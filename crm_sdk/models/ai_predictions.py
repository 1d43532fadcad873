"""Predictions: which deals will be won, which customers may leave, and what revenue is to be expected."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias, cast

from pydantic import AwareDatetime, Discriminator, Field, Tag

from .record import Model
from .runs import Run
from .values import EMPTY, Amount, EntityRef, Level, ScoreReason

RevenueHorizon: TypeAlias = Annotated[int, Field(ge=1, le=12)]
HorizonDays: TypeAlias = Annotated[int, Field(ge=1, le=3650)]
ConfidenceLevel: TypeAlias = Annotated[float, Field(gt=0, lt=1)]


class PredictionRecord(Run):
    """What predictions of every kind have in common."""

    poll_url: ClassVar[str] = "/ai-insights/predictions/{id}"

    model_version: int | None = None
    """The version of the lead scoring model at that time; 0 where it was not trained."""
    expires_at: AwareDatetime | None = None
    """A day after it was made; it can be read longer."""


class DealPrediction(Model):
    """What is expected of one open deal."""

    deal_id: str
    title: str
    win_probability: int
    """0..100."""
    confidence: Level
    predicted_close_date: date | None = None
    """When it is likely to be won, by how long won deals took from this stage on."""
    predicted_value: Amount
    """Its value times the probability, in `currency`."""
    currency: str
    reasons: list[ScoreReason] = Field(default_factory=EMPTY)
    """The parts that the probability is computed from."""
    recommendation: str
    """What to do next."""


class DealPredictions(PredictionRecord):
    """A prediction about open deals."""

    kind: Literal["deals"] = "deals"
    deals: list[DealPrediction] = Field(default_factory=EMPTY)
    """The deals, the greatest predicted value first; those beyond the horizon last."""


class ChurnPrediction(Model):
    """How likely one customer is to leave."""

    entity: EntityRef
    """The contact or the account."""
    churn_risk: int
    """0..100."""
    risk_level: Level
    """High from 60 on, medium from 35 on."""
    risk_factors: list[str] = Field(default_factory=EMPTY)
    """What speaks for it, the largest first."""
    recommendations: list[str] = Field(default_factory=EMPTY)
    """What to do about it."""
    reasons: list[ScoreReason] = Field(default_factory=EMPTY)
    """The parts that the risk is computed from."""
    value_at_risk: Amount
    """The value of the customer's open and won deals times the risk, in `currency`."""
    currency: str


class ChurnPredictions(PredictionRecord):
    """A prediction about customers who may leave."""

    kind: Literal["churn"] = "churn"
    customers: list[ChurnPrediction] = Field(default_factory=EMPTY)
    """The customers, the greatest risk first."""


class RevenuePoint(Model):
    """The revenue that is expected in one period."""

    period: str
    start: date
    """The first day of the period."""
    end: date
    """The last day of the period."""
    expected: Amount
    """The expected revenue."""
    low: Amount
    """The lower bound."""
    high: Amount
    """The upper bound."""
    committed: Amount
    """What was won in it already, and the weighted value of its open deals of the forecast category ``commit``."""
    deal_count: int
    """The number of deals won in it already, and of open deals expected in it."""


class RevenuePrediction(PredictionRecord):
    """A prediction of the value of deals that will be won."""

    kind: Literal["revenue"] = "revenue"
    currency: str | None = None
    horizon: int | None = None
    """The number of periods, from the present one on."""
    confidence_level: float | None = None
    """0..1: how likely the revenue of a period is between its bounds."""
    points: list[RevenuePoint] = Field(default_factory=EMPTY)
    """The periods."""
    total_expected: Amount | None = None
    """The expected revenue of all periods."""
    method: str | None = None
    """What it is computed from: ``weighted_pipeline_and_trend``; with too few past periods ``weighted_pipeline``."""


class OtherPrediction(PredictionRecord):
    """A prediction of a kind that this version does not know."""

    kind: str


PREDICTION_MODELS: Final[Mapping[str, type[PredictionRecord]]] = {
    "deals": DealPredictions,
    "churn": ChurnPredictions,
    "revenue": RevenuePrediction,
}
"""The model of each kind of prediction."""


def _kind(value: object) -> str:
    kind = cast("Mapping[str, Any]", value).get("kind") if isinstance(value, Mapping) else getattr(value, "kind", None)
    return kind if isinstance(kind, str) and kind in PREDICTION_MODELS else "other"


Prediction: TypeAlias = Annotated[
    Annotated[DealPredictions, Tag("deals")]
    | Annotated[ChurnPredictions, Tag("churn")]
    | Annotated[RevenuePrediction, Tag("revenue")]
    | Annotated[OtherPrediction, Tag("other")],
    Discriminator(_kind),
]
"""A prediction of any kind."""
