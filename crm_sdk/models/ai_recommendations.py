"""Recommendations: what to do next, and what to offer to whom."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, Field

from .marks import OPEN, Default
from .record import Model, Record
from .values import EMPTY, Amount, EntityRef, Priority, ScoreReason

RecommendationKind: TypeAlias = Literal["next_action", "cross_sell", "upsell"] | str
RecommendationAction: TypeAlias = Annotated[
    Literal["call", "email", "meeting", "follow_up", "send_proposal", "update_deal", "re_engage", "offer"] | str, OPEN
]
RecommendationStatus: TypeAlias = Literal["open", "accepted", "dismissed", "done"] | str
RecommendationRating: TypeAlias = Literal["accepted", "dismissed", "helpful", "not_helpful", "done"] | str
RecommendationSort: TypeAlias = Literal["id", "created_at", "updated_at"] | str
FeedbackReason: TypeAlias = Annotated[str, Field(max_length=500)]


class RecommendationFeedback(Model):
    """What a user thought of a recommendation."""

    rating: RecommendationRating
    """What became of it, or whether it helped."""
    reason: str | None = None
    outcome_value: Amount | None = None
    """What came of it, in money."""
    given_by: str | None = None
    """Id of the user who gave it."""
    given_at: AwareDatetime | None = None
    """When it was given."""


class Recommendation(Record):
    """Something to do next, or to offer to an account."""

    kind: RecommendationKind
    title: str
    description: str | None = None
    action: RecommendationAction | None = None
    """What to do."""
    entity: EntityRef
    """The record that it is about."""
    owner_id: str | None = None
    """Id of the user who owns the record; null where nobody does."""
    product: str | None = None
    """What to offer: a tag of won deals."""
    expected_value: Amount | None = None
    """What it may bring, in `currency`."""
    currency: str | None = None
    confidence: int
    """0..100; feedback on recommendations of its kind to the same owner moves it."""
    priority: Priority
    reasons: list[ScoreReason] = Field(default_factory=EMPTY)
    due_at: AwareDatetime | None = None
    """When to have done it."""
    status: Annotated[RecommendationStatus, Default("open")]
    expires_at: AwareDatetime | None = None
    """When it is no longer valid; a new one takes its place where there is still reason."""
    feedback: RecommendationFeedback | None = None
    """The last feedback."""
