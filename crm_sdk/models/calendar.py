"""The calendar: events as they are given, free times, conflicts and counts."""

from __future__ import annotations

from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config

from ..wire import wire
from .activities import EventStatus, EventType
from .activity_inputs import ActivityMembers, EventMembers, RecurrenceRule
from .calendar_meetings import MeetingOutcomeInput
from .marks import INPUT, OPEN
from .record import Model
from .values import EMPTY, NOT_BLANK, Level

EventFilter: TypeAlias = Literal["all", "meetings", "high-priority", "this-week", "follow-ups"] | str
ConflictType: TypeAlias = Literal["double-booking", "travel-time", "preparation", "back-to-back"] | str
_PREFERRED = (
    r"^([Mm]orning|[Mm]idday|[Aa]fternoon|([Mm]on|[Tt]ues|[Ww]ednes|[Tt]hurs|[Ff]ri|[Ss]atur|[Ss]un)day"
    r"|([01]?[0-9]|2[0-3]):[0-5][0-9])$"
)
PreferredTime: TypeAlias = Annotated[
    Literal["morning", "midday", "afternoon"] | Annotated[str, Field(pattern=_PREFERRED)], OPEN
]
"""A part of the day, a weekday (``tuesday``), or a time on the user's clock (``14:30``)."""


class _EventMembers(ActivityMembers, EventMembers, total=False):
    type: EventType
    contact_name: Annotated[str, Field(max_length=200)] | None
    """Of somebody who is no contact; a contact's own name otherwise."""
    contact_company: Annotated[str, Field(max_length=200)] | None
    status: EventStatus
    outcome: MeetingOutcomeInput | None
    recurrence: RecurrenceRule | None
    """A recurrence rule (RFC 5545): how often it comes again."""


_WRITTEN = (
    "title description start_time end_time type contact_id contact_name contact_company deal_id location meeting_link"
    " attendees status priority tags"
)


@wire(flow=_WRITTEN)
@with_config(INPUT)
class CalendarEventCreate(_EventMembers, total=False):
    """A new event: a title, a start and an end are all it needs."""

    title: Required[Annotated[str, Field(pattern=NOT_BLANK, max_length=255)]]
    start_time: Required[AwareDatetime]
    end_time: Required[AwareDatetime]


@wire(flow=_WRITTEN)
@with_config(INPUT)
class CalendarEventUpdate(_EventMembers, total=False):
    """What to change about an event; null clears a member. A new start alone moves the end as well."""

    title: Annotated[str, Field(pattern=NOT_BLANK, max_length=255)]
    start_time: AwareDatetime
    end_time: AwareDatetime


@wire(flow="start_time end_time reason confidence")
class ScheduleSuggestion(Model):
    """A free time, and why it is a good one."""

    start_time: AwareDatetime
    end_time: AwareDatetime
    reason: str
    confidence: int
    """0..100."""


@wire(flow="type message severity")
class ConflictWarning(Model):
    """Something in the calendar that does not go together."""

    type: ConflictType
    message: str
    severity: Level
    """How bad it is."""


@wire(flow="suggested_times conflict_warnings travel_time_estimate? preparation_time_needed")
class SmartScheduling(Model):
    """When a meeting could be, and what stands in its way."""

    suggested_times: list[ScheduleSuggestion] = Field(default_factory=EMPTY)
    """The best first."""
    conflict_warnings: list[ConflictWarning] = Field(default_factory=EMPTY)
    """The gravest first."""
    travel_time_estimate: int | None = None
    """Minutes; null where nobody has to travel."""
    preparation_time_needed: int
    """Minutes."""


@wire(flow="total_this_week meetings_this_week high_priority_this_week follow_ups_needed")
class CalendarStats(Model):
    """How full the week is, in the user's time zone."""

    total_this_week: int
    """Events of this week."""
    meetings_this_week: int
    """Meetings of this week."""
    high_priority_this_week: int
    """Events of this week that matter much."""
    follow_ups_needed: int
    """Meetings that still want a follow-up."""
