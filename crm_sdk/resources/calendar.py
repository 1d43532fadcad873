"""Calendar: events with their preparation and outcome, free times, and the week in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import AwareDatetime, Field

from ..declare import operation, paginated
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from ..models.activities import CalendarEvent, EventStatus
    from ..models.activity_calendar import InvitationAnswer, SeriesScope
    from ..models.calendar import (
        CalendarEventCreate,
        CalendarEventUpdate,
        CalendarStats,
        EventFilter,
        PreferredTime,
        SmartScheduling,
    )
    from ..models.calendar_meetings import MeetingOutcomeInput, MeetingPreparation


class CalendarEvents(Resource[Mode]):
    """Meetings, calls, demos and whatever else has a start and an end."""

    @paginated(
        flow="GET /api/calendar/events",
        texts={
            "start": "Only what ends after this time.",
            "end": "Only what begins before this time.",
        },
    )
    def list(
        self,
        *,
        start: AwareDatetime | None = None,
        end: AwareDatetime | None = None,
        filter: EventFilter | None = None,
    ) -> Page[CalendarEvent]:
        """List the events of the user's own calendar, the earliest first.

        `start` and `end` are a window: an event that lies in it with a part is listed. ``this-week`` is the week in
        the user's time zone; ``follow-ups`` are follow-up meetings and meetings that asked for one.
        """

    @operation(flow="GET /api/calendar/events/{event_id}")
    def get(self, event_id: str) -> CalendarEvent:
        """Fetch an event with its preparation and insights as they are now.

        Raises: NotFoundError.
        """

    @operation(flow="POST /api/calendar/events")
    def create(self, event: CalendarEventCreate) -> CalendarEvent:
        """Create an event; it is prepared from its type, contact and deal, and reminded of three times.

        Overlaps are allowed: `calendar.smart_scheduling` warns of them.

        Raises: ValidationError, for an end that is not after the start, or an unknown contact or deal.
        """

    @operation(flow="PUT /api/calendar/events/{event_id}")
    def update(self, event_id: str, changes: CalendarEventUpdate) -> CalendarEvent:
        """Change an event; another contact or deal prepares it anew, another time sets its reminders again.

        Raises: NotFoundError; ValidationError.
        """

    @operation(flow="DELETE /api/calendar/events/{event_id}")
    def delete(self, event_id: str) -> None:
        """Delete an event.

        Raises: NotFoundError.
        """

    @operation(flow="PATCH /api/calendar/events/{event_id}/status")
    def set_status(self, event_id: str, status: EventStatus) -> CalendarEvent:
        """Confirm, complete or cancel an event, or note that nobody came.

        Raises: NotFoundError.
        """

    @operation(flow="POST /api/calendar/events/{event_id}/outcome", errors=("MEETING_CANCELLED",))
    def outcome(self, event_id: str, outcome: MeetingOutcomeInput) -> CalendarEvent:
        """Note what came of a meeting: it is completed, and its follow-up is created if one is required.

        The follow-up begins on `follow_up_date`, else a week later at a free time within business hours.

        Raises: NotFoundError; ConflictError for a cancelled event.
        """

    @operation(flow="GET /api/calendar/events/{event_id}/preparation")
    def preparation(self, event_id: str) -> MeetingPreparation:
        """Prepare an event from its type, what its contact said lately, and the deal behind it.

        Raises: NotFoundError.
        """

    @operation(
        platform="PUT /calendar/events/{event_id}/response",
        errors=("NOT_AN_ATTENDEE", "ACTIVITY_CLOSED", "NOT_RECURRING", "OCCURRENCE_NOT_FOUND"),
        ours=True,
        action="read",
        texts={
            "comment": "What the host is told with it.",
            "email": "The address that was invited, where the caller attends with several.",
            "occurrence": "The start of one occurrence of a series.",
            "scope": "Which occurrences are meant: the named one, it and those that follow, or all.",
        },
    )
    def respond(
        self,
        event_id: str,
        status: InvitationAnswer,
        *,
        comment: Annotated[str, Field(max_length=1000)] | None = None,
        email: str | None = None,
        occurrence: AwareDatetime | None = None,
        scope: SeriesScope = "all",
        version: int | None = None,
    ) -> CalendarEvent:
        """Answer an invitation: who declines is not busy then. The host is told.

        Raises: NotFoundError; PermissionDeniedError for somebody who does not attend; ConflictError for an event that
        is over; ValidationError.
        """


class Calendar(Resource[Mode]):
    """The user's calendar."""

    events: CalendarEvents[Mode] = part(CalendarEvents)

    @operation(
        flow="POST /api/calendar/smart-scheduling",
        safe=True,
        texts={
            "preferred_times": "Moments, times of day, weekdays, or `morning`, `midday`, `afternoon`.",
        },
    )
    def smart_scheduling(
        self,
        duration: Annotated[int, Field(ge=5, le=480)],
        *,
        contact_id: str | None = None,
        deal_id: str | None = None,
        preferred_times: Sequence[AwareDatetime | PreferredTime] | None = None,
    ) -> SmartScheduling:
        """Find free times for a meeting of `duration` minutes, in business hours of the user's time zone.

        `preferred_times` are moments, times of day (``14:30``), weekdays (``tuesday``), or ``morning``, ``midday``,
        ``afternoon``. What stands in the way of a preferred moment is told among the conflicts, as are clashes the
        coming week has already.

        Raises: ValidationError, for an unknown contact or deal, or a preferred time that cannot be read.
        """

    @operation(flow="GET /api/calendar/stats")
    def stats(self) -> CalendarStats:
        """Count the events of this week, in the user's time zone, and the follow-ups that are still to be done."""
