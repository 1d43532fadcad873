"""Meetings: who attends, what to know before, and what came of it."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, Field

from ..wire import wire
from .record import Model
from .values import EMPTY, OPEN

AttendeeStatus: TypeAlias = Literal["accepted", "declined", "pending", "tentative"] | str
AttendeeRole: TypeAlias = Annotated[Literal["host", "required", "optional"] | str, OPEN]


@wire(flow="id name email role status")
class Attendee(Model):
    """Somebody who is invited."""

    id: str | None = None
    name: str | None = None
    email: str
    role: AttendeeRole | None = None
    status: AttendeeStatus | None = None
    user_id: str | None = None
    contact_id: str | None = None


@wire(flow="id type title description confidence actionable suggested_action?")
class MeetingInsight(Model):
    """Something the AI noticed about a meeting."""

    id: str
    type: Literal["opportunity", "risk", "preparation", "follow-up"] | str
    title: str
    description: str
    confidence: int
    """0..100."""
    actionable: bool
    suggested_action: str | None = None


@wire(
    flow="suggested_talking_points recent_interactions deal_context? competitor_intel? personal_notes"
    " documents_to_share"
)
class MeetingPreparation(Model):
    """What to know before a meeting."""

    suggested_talking_points: list[str] = Field(default_factory=EMPTY)
    recent_interactions: list[str] = Field(default_factory=EMPTY)
    deal_context: str | None = None
    competitor_intel: list[str] | None = None
    personal_notes: list[str] = Field(default_factory=EMPTY)
    documents_to_share: list[str] = Field(default_factory=EMPTY)


@wire(flow="summary next_steps sentiment_score key_decisions follow_up_required follow_up_date? meeting_rating")
class MeetingOutcome(Model):
    """What came of a meeting."""

    summary: str
    next_steps: list[str] = Field(default_factory=EMPTY)
    sentiment_score: int | None = None
    """-100..100."""
    key_decisions: list[str] = Field(default_factory=EMPTY)
    follow_up_required: bool = False
    follow_up_date: AwareDatetime | None = None
    meeting_rating: int | None = None
    """1..5."""
