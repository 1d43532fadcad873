"""The results of the AI services: sentiment, probabilities, risks, and the interpretation of questions."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import Field

from .record import Model
from .values import EMPTY, Level, Sentiment

QueryIntent: TypeAlias = (
    Literal["list_deals", "list_contacts", "list_leads", "list_messages", "list_events", "search"] | str
)


class SentimentResult(Model):
    """The sentiment of a text."""

    sentiment: Sentiment
    confidence: int
    """0..100."""
    emotional_tone: str
    """The emotional tone of the text."""


class DealProbability(Model):
    """The probability that a deal is won, with the reasons."""

    probability: int
    """0..100."""
    confidence: Level
    reasoning: str
    """How the probability was computed."""


class ChurnRisk(Model):
    """The risk that a contact is lost, with the reasons and recommendations."""

    churn_risk: int
    """0..100."""
    risk_factors: list[str] = Field(default_factory=EMPTY)
    recommendations: list[str] = Field(default_factory=EMPTY)
    """Recommended actions."""


class QueryAnswer(Model):
    """The interpretation of a question: its intent, the filters, the named entities and a route."""

    intent: QueryIntent
    """The intent of the question."""
    filters: dict[str, Any] = Field(default_factory=dict)
    """The arguments for the list call that answers the question."""
    entities: dict[str, Any] = Field(default_factory=dict)
    """Names, places and times that the question mentions."""
    suggested_route: str
    """The page of the application that shows the answer."""
