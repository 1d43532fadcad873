"""Lead scoring: the model that is trained on past leads, its quality, and the company's configuration of scores."""

from __future__ import annotations

from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .jobs import JobState
from .marks import INPUT, Default
from .record import Model
from .values import EMPTY, Filter, Name, Percent
from .workflow_actions import Condition

ModelStatus: TypeAlias = Literal["untrained", "training", "ready", "failed"] | str
Portion: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Holdout: TypeAlias = Annotated[float, Field(ge=0, lt=1)]
SampleCount: TypeAlias = Annotated[int, Field(ge=1, le=1_000_000)]


class FeatureWeight(Model):
    """The weight of one feature in the model."""

    feature: str
    """The name of the feature: a member of the lead, and which value it has."""
    label: str
    weight: float
    """Its coefficient: above 0 it makes a conversion likelier."""
    importance: float
    """0..1: its share of what moves the model; all features together make 1."""


class ModelMetrics(Model):
    """The quality of the model, measured on past leads that it was not trained with."""

    accuracy: float
    """0..1: the share of these leads that it judged right, at a probability of 50 %."""
    precision: float
    """0..1: the share of those converted among the leads that it expected to convert."""
    recall: float
    """0..1: the share of those it expected among the leads that converted."""
    auc: float
    """0..1: how often a converted lead got a higher probability than an unqualified one; 0.5 is chance."""
    log_loss: float
    """The mean of -ln of the probability that it gave to what happened; less is better."""
    holdout_count: int
    """The number of leads that it was measured on."""


class ScoringRule(Model):
    """A company's own rule: points for leads that meet a condition."""

    name: str
    filter: Condition
    """The condition on a member of the lead."""
    points: int
    """-100..100."""
    active: bool = True


@with_config(INPUT)
class ScoringRuleInput(TypedDict, total=False):
    """A company's own rule, as input."""

    name: Required[Name]
    filter: Required[Filter]
    points: Required[Annotated[int, Field(ge=-100, le=100)]]
    active: bool


class LeadScoringConfig(Model):
    """The company's configuration of lead scores."""

    use_model: Annotated[bool, Default(True)]
    """Whether the model takes part in scores, once it is trained."""
    model_weight: Annotated[float, Default(0.5)]
    """0..1: the share of the model in a score; the rest is the rules'."""
    rules: list[ScoringRule] = Field(default_factory=EMPTY)
    """The company's own rules, beside those that every company has."""
    hot_threshold: Annotated[int, Default(70)]
    """The least score of a hot lead."""
    warm_threshold: Annotated[int, Default(40)]
    """The least score of a warm lead; it is below that of a hot one."""
    decay_days: Annotated[int, Default(30)]
    """The number of days after which an activity counts half."""
    auto_rescore: Annotated[bool, Default(True)]
    """Whether open leads are scored anew when the model or this configuration changes."""
    excluded_features: list[str] = Field(default_factory=EMPTY)
    """The features that count neither in the rules nor in the model."""
    updated_at: AwareDatetime | None = None


@with_config(INPUT)
class LeadScoringConfigUpdate(TypedDict, total=False):
    """Changes to the configuration of lead scores; lists are replaced, null empties one."""

    use_model: bool
    model_weight: Portion
    rules: Annotated[list[ScoringRuleInput], Field(max_length=50)] | None
    hot_threshold: Percent
    warm_threshold: Percent
    decay_days: Annotated[int, Field(ge=1, le=3650)]
    auto_rescore: bool
    excluded_features: Annotated[list[Name], Field(max_length=100)] | None


class LeadScoringModel(Model):
    """The model that tells how likely a lead converts, trained on the leads that converted or were disqualified."""

    id: str
    version: int
    """The number of successful trainings; 0 where there was none."""
    status: ModelStatus
    algorithm: str
    """``logistic_regression``."""
    trained_at: AwareDatetime | None = None
    """When it was last trained."""
    sample_count: int
    """The number of past leads of the last training, those that it was measured on among them."""
    positive_count: int
    """How many of them converted."""
    features: list[FeatureWeight] = Field(default_factory=EMPTY)
    """Its features, the most important first."""
    metrics: ModelMetrics | None = None
    """Its quality; null where no leads were held out to measure it on."""
    config: LeadScoringConfig | None = None
    job: JobState[LeadScoringModel] | None = None
    """The latest training."""
