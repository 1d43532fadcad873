"""Calendar: events with their preparation and outcome, free times, and the counts of the week."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import AwareDatetime, Field

from ..declare import download, operation, paginated
from ..network.downloads import Download
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from ..models.activities import CalendarEvent, EventStatus
    from ..models.activity_calendar import CalendarFeed, CalendarKind, InvitationAnswer, SeriesScope
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
            "start": "Only events that end after this time.",
            "end": "Only events that begin before this time.",
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

        `start` and `end` are a window: an event is listed if any part of it lies in the window. The filter
        ``this-week`` is the current week in the user's time zone; ``follow-ups`` are follow-up meetings and meetings
        whose outcome requires one.
        """

    @operation(flow="GET /api/calendar/events/{event_id}")
    def get(self, event_id: str) -> CalendarEvent:
        """Fetch an event; its preparation and insights are computed anew.

        Raises: NotFoundError.
        """

    @operation(flow="POST /api/calendar/events")
    def create(self, event: CalendarEventCreate) -> CalendarEvent:
        """Create an event, with a preparation computed from its type, contact and deal, and three reminders.

        Overlapping events are allowed: `calendar.smart_scheduling` warns of them.

        Raises: ValidationError for an end that is not after the start, or an unknown contact or deal.
        """

    @operation(flow="PUT /api/calendar/events/{event_id}")
    def update(self, event_id: str, changes: CalendarEventUpdate | CalendarEvent) -> CalendarEvent:
        """Change an event. A new contact or deal renews its preparation, a new time renews its reminders.

        Raises: NotFoundError; ValidationError.
        """

    @operation(flow="DELETE /api/calendar/events/{event_id}")
    def delete(self, event_id: str) -> None:
        """Delete an event.

        Raises: NotFoundError.
        """

    @operation(flow="PATCH /api/calendar/events/{event_id}/status")
    def set_status(self, event_id: str, status: EventStatus) -> CalendarEvent:
        """Set the status of an event: confirm, complete or cancel it, or mark it as a no-show.

        Raises: NotFoundError.
        """

    @operation(flow="POST /api/calendar/events/{event_id}/outcome", errors=("MEETING_CANCELLED",))
    def outcome(self, event_id: str, outcome: MeetingOutcomeInput) -> CalendarEvent:
        """Record the outcome of a meeting, which completes it; a required follow-up is created as an event.

        The follow-up begins on `follow_up_date`; without one, a week after the meeting, at a free time within business
        hours.

        Raises: NotFoundError; ConflictError for a cancelled event.
        """

    @operation(flow="GET /api/calendar/events/{event_id}/preparation")
    def preparation(self, event_id: str) -> MeetingPreparation:
        """Return the preparation of an event, computed from its type, the contact's recent messages and the deal.

        Raises: NotFoundError.
        """

    @operation(
        platform="PUT /calendar/events/{event_id}/response",
        errors=("NOT_AN_ATTENDEE", "ACTIVITY_CLOSED", "NOT_RECURRING", "OCCURRENCE_NOT_FOUND"),
        ours=True,
        auth="optional",
        action="read",
        texts={
            "token": "What a guest was sent with the invitation, who needs no credential then.",
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
        token: Annotated[str, Field(max_length=2000)] | None = None,
        occurrence: AwareDatetime | None = None,
        scope: SeriesScope = "all",
        version: int | None = None,
    ) -> CalendarEvent:
        """Answer an invitation: who declines is not busy then. The host is told. A guest gives the token of the letter.

        Raises: NotFoundError; PermissionDeniedError for somebody who does not attend; ConflictError for an event that
        is over; ValidationError.
        """


class CalendarFeeds(Resource[Mode]):
    """The caller's calendar for other programs, which subscribe to its address."""

    @operation(
        platform="POST /calendar/feed",
        status=201,
        ours=True,
        action="read",
        texts={
            "kinds": "What is in it: events, tasks, calls; without it the events.",
            "include_private": "Whether private events are in it with all that they are; else only as busy.",
        },
    )
    def create(
        self,
        *,
        kinds: Annotated[Sequence[CalendarKind], Field(min_length=1)] | None = None,
        include_private: bool = True,
    ) -> CalendarFeed:
        """Make an address at which other programs read the caller's calendar; one before does not work any more.

        Only this answer has the whole address. Whoever knows it can read the calendar.
        """

    @operation(platform="DELETE /calendar/feed", ours=True, action="read", errors=("NOT_FOUND",))
    def delete(self) -> None:
        """Delete the address; programs that have subscribed to it get nothing any more.

        Raises: NotFoundError where there is none.
        """

    @download(
        platform="GET /calendar/feed/{token}",
        statuses=(304,),
        auth=False,
        ours=True,
        media=("text/calendar",),
        texts={"token": "The last part of the address."},
    )
    def download(self, token: str) -> Download:
        """Download the calendar as other programs do: 90 days back and a year ahead, as an iCalendar file.

        Raises: NotFoundError for an unknown or replaced token; RateLimitError beyond 60 times an hour.
        """


class Calendar(Resource[Mode]):
    """The user's calendar."""

    events: CalendarEvents[Mode] = part(CalendarEvents)
    feed: CalendarFeeds[Mode] = part(CalendarFeeds)

    @operation(
        flow="POST /api/calendar/smart-scheduling",
        safe=True,
        texts={
            "preferred_times": "Instants, times of day, weekdays, or `morning`, `midday`, `afternoon`.",
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

        `preferred_times` are instants, times of day (``14:30``), weekdays (``tuesday``), or ``morning``, ``midday``,
        ``afternoon``. The answer's `conflict_warnings` name the events that overlap a preferred instant, and the
        overlaps that the coming week already has.

        Raises: ValidationError for an unknown contact or deal, or a preferred time that cannot be read.
        """

    @operation(flow="GET /api/calendar/stats")
    def stats(self) -> CalendarStats:
        """Count the events of this week, in the user's time zone, and the follow-ups that are still missing."""
