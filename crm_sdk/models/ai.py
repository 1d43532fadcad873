"""What the AI services answer: a mood, a probability, a risk, the meaning of a question."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import Field

from .record import Model
from .values import EMPTY, Level, Sentiment

QueryIntent: TypeAlias = Literal["list_deals", "list_contacts", "list_messages", "list_events", "search"] | str


class SentimentResult(Model):
    """The mood of a text."""

    sentiment: Sentiment
    confidence: int
    """0..100."""
    emotional_tone: str
    """The tone it is written in."""


class DealProbability(Model):
    """How likely a deal is won, and why."""

    probability: int
    """0..100."""
    confidence: Level
    reasoning: str
    """What it was reckoned from."""


class ChurnRisk(Model):
    """How likely a contact is lost, why, and what to do about it."""

    churn_risk: int
    """0..100."""
    risk_factors: list[str] = Field(default_factory=EMPTY)
    recommendations: list[str] = Field(default_factory=EMPTY)
    """What to do about it."""


class QueryAnswer(Model):
    """What a question means: which records, which filters, who is named, and where to look."""

    intent: QueryIntent
    """What is wanted."""
    filters: dict[str, Any] = Field(default_factory=dict)
    """The arguments for the list call that answers the question."""
    entities: dict[str, Any] = Field(default_factory=dict)
    """Names, places and times the question mentions."""
    suggested_route: str
    """The page that shows the answer."""
