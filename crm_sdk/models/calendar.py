"""The calendar: inputs of events, free times, conflicts and counts."""

from __future__ import annotations

from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config

from ..wire import wire
from .activities import EventStatus, EventType
from .activity_inputs import ActivityMembers, EventMembers, RecurrenceRule
from .calendar_meetings import MeetingOutcomeInput
from .marks import INPUT, OPEN
from .patterns import PREFERRED_TIME_PATTERN
from .record import Model
from .values import EMPTY, NOT_BLANK, Level, Url

EventFilter: TypeAlias = Literal["all", "meetings", "high-priority", "this-week", "follow-ups"] | str
ConflictType: TypeAlias = Literal["double-booking", "travel-time", "preparation", "back-to-back"] | str
PreferredTime: TypeAlias = Annotated[
    Literal["morning", "midday", "afternoon"] | Annotated[str, Field(pattern=PREFERRED_TIME_PATTERN)], OPEN
]
"""A part of the day, a weekday (``tuesday``), or a time on the user's clock (``14:30``)."""


class _EventMembers(ActivityMembers, EventMembers, total=False):
    type: EventType
    contact_name: Annotated[str, Field(max_length=200)] | None
    """Name of a person who is not a contact; of a contact, its own name is used."""
    contact_company: Annotated[str, Field(max_length=200)] | None
    status: EventStatus
    outcome: MeetingOutcomeInput | None
    recording_url: Url | None
    """URL of the recording."""
    recurrence: RecurrenceRule | None
    """A recurrence rule (RFC 5545): how often it comes again."""


_WRITTEN = (
    "title description start_time end_time type contact_id contact_name contact_company deal_id location meeting_link"
    " attendees status priority tags"
)


@wire(flow=_WRITTEN)
@with_config(INPUT)
class CalendarEventCreate(_EventMembers, total=False):
    """A new event; only its title, start and end are required."""

    title: Required[Annotated[str, Field(pattern=NOT_BLANK, max_length=255)]]
    start_time: Required[AwareDatetime]
    end_time: Required[AwareDatetime]


@wire(flow=_WRITTEN)
@with_config(INPUT)
class CalendarEventUpdate(_EventMembers, total=False):
    """Changes to an event; null clears a member. A new start without a new end moves the end by the same time."""

    title: Annotated[str, Field(pattern=NOT_BLANK, max_length=255)]
    start_time: AwareDatetime
    end_time: AwareDatetime


@wire(flow="start_time end_time reason confidence")
class ScheduleSuggestion(Model):
    """A free time, with the reason why it is suggested."""

    start_time: AwareDatetime
    end_time: AwareDatetime
    reason: str
    confidence: int
    """0..100."""


@wire(flow="type message severity")
class ConflictWarning(Model):
    """A conflict in the calendar, such as two events that overlap."""

    type: ConflictType
    message: str
    severity: Level
    """The severity of the conflict."""


@wire(flow="suggested_times conflict_warnings travel_time_estimate? preparation_time_needed")
class SmartScheduling(Model):
    """Suggested times for a meeting, and conflicts."""

    suggested_times: list[ScheduleSuggestion] = Field(default_factory=EMPTY)
    """Free times, the best first."""
    conflict_warnings: list[ConflictWarning] = Field(default_factory=EMPTY)
    """Conflicts, the most severe first."""
    travel_time_estimate: int | None = None
    """Travel time in minutes; null where nobody has to travel."""
    preparation_time_needed: int
    """Preparation time in minutes."""


@wire(flow="total_this_week meetings_this_week high_priority_this_week follow_ups_needed")
class CalendarStats(Model):
    """The counts of the current week, in the user's time zone."""

    total_this_week: int
    """The number of events this week."""
    meetings_this_week: int
    """The number of meetings this week."""
    high_priority_this_week: int
    """The number of events of high priority this week."""
    follow_ups_needed: int
    """The number of meetings that still need a follow-up."""
