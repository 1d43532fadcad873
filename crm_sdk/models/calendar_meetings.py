"""Meetings: their attendees, preparation and outcome."""

from __future__ import annotations

from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from ..wire import wire
from .marks import INPUT, OPEN
from .record import Model
from .values import EMPTY, NOT_BLANK, Email

AttendeeStatus: TypeAlias = Literal["accepted", "declined", "pending", "tentative"] | str
AttendeeRole: TypeAlias = Annotated[Literal["host", "required", "optional"] | str, OPEN]


@wire(flow="id name email role status")
class Attendee(Model):
    """A person who is invited to an event."""

    id: str | None = None
    name: str | None = None
    email: str
    role: AttendeeRole | None = None
    status: AttendeeStatus | None = None
    user_id: str | None = None
    contact_id: str | None = None


@wire(flow="id name email role status")
@with_config(INPUT)
class AttendeeInput(TypedDict, total=False):
    """A person to invite; users and contacts are recognised by their e-mail address."""

    email: Required[Email]
    name: Annotated[str, Field(max_length=200)] | None
    role: AttendeeRole | None
    status: AttendeeStatus | None
    id: str | None
    """Of an attendee the event has already."""
    user_id: str | None
    """Passed over: who it is follows from the address."""
    contact_id: str | None
    """Passed over: who it is follows from the address."""


@wire(flow="id type title description confidence actionable suggested_action?")
class MeetingInsight(Model):
    """An insight of the AI about a meeting."""

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
    """The preparation for a meeting."""

    suggested_talking_points: list[str] = Field(default_factory=EMPTY)
    """Suggested talking points."""
    recent_interactions: list[str] = Field(default_factory=EMPTY)
    """The recent interactions with the contact."""
    deal_context: str | None = None
    """The state of the deal."""
    competitor_intel: list[str] | None = None
    """What is known about competitors."""
    personal_notes: list[str] = Field(default_factory=EMPTY)
    """Notes about the contact."""
    documents_to_share: list[str] = Field(default_factory=EMPTY)
    """Documents to share in the meeting."""


@wire(flow="summary next_steps sentiment_score key_decisions follow_up_required follow_up_date? meeting_rating")
class MeetingOutcome(Model):
    """The outcome of a meeting."""

    summary: str
    next_steps: list[str] = Field(default_factory=EMPTY)
    sentiment_score: int | None = None
    """-100..100."""
    key_decisions: list[str] = Field(default_factory=EMPTY)
    """The decisions that were made."""
    follow_up_required: bool = False
    """Whether a follow-up is required."""
    follow_up_date: AwareDatetime | None = None
    """When the follow-up begins."""
    meeting_rating: int | None = None
    """1..5."""


@wire(flow="summary next_steps sentiment_score key_decisions follow_up_required follow_up_date meeting_rating")
@with_config(INPUT)
class MeetingOutcomeInput(TypedDict, total=False):
    """The outcome of a meeting, as input; without a `sentiment_score`, the score is computed from the summary."""

    summary: Required[Annotated[str, Field(pattern=NOT_BLANK, max_length=10_000)]]
    next_steps: list[Annotated[str, Field(min_length=1, max_length=500)]]
    sentiment_score: Annotated[int, Field(ge=-100, le=100)] | None
    key_decisions: list[Annotated[str, Field(min_length=1, max_length=500)]]
    follow_up_required: bool
    follow_up_date: AwareDatetime | None
    """When the follow-up begins; by default a week after the meeting, within business hours."""
    meeting_rating: Annotated[int, Field(ge=1, le=5)] | None
