"""Activities: tasks, events, calls, e-mails and notes; timelines, calendars, free times and meetings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import AwareDatetime, Field
from typing_extensions import Unpack

from ..declare import operation, paginated
from ..listing import Sorting, Viewed
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from ..models.activities import (
        Activity,
        ActivityKind,
        ActivitySort,
        CalendarEvent,
        Call,
        Email,
        EventType,
        Note,
        Task,
    )
    from ..models.activity_calendar import (
        Availability,
        CalendarKind,
        CalendarSpan,
        CalendarView,
        Minutes,
        SeriesScope,
        TimelineEntry,
        TimelineKind,
        TimelineSort,
    )
    from ..models.activity_inputs import (
        ActivityCreate,
        ActivityTitle,
        ActivityUpdate,
        CallCreate,
        EmailCreate,
        GuestAddress,
        NoteCreate,
        TaskCreate,
    )
    from ..models.calendar import CalendarEventCreate
    from ..models.sync_runs import SyncDirection, SyncRun
    from ..models.values import Priority, TimeZone

_SERIES = ("NOT_RECURRING", "OCCURRENCE_NOT_FOUND")
_OCCURRENCE = {
    "occurrence": "The start of one occurrence of a series, as its rule has it.",
    "scope": "Which occurrences are meant: the named one, it and those that follow, or all.",
}
_USERS = {"user_ids": "Whose calendars.", "timezone": "The IANA name of the time zone of the days."}


class ActivityTasks(Resource[Mode]):
    """What there is to do."""

    @operation(platform="POST /activities/tasks")
    def create(self, task: TaskCreate) -> Task:
        """Create a task; who has to do it is notified. Completing one with a `recurrence` creates the next.

        Raises: ValidationError, also for a `due_at` before `start_time`.
        """


class ActivityEvents(Resource[Mode]):
    """Meetings, calls, demos and whatever else has a start and an end."""

    @operation(platform="POST /activities/events")
    def create(self, event: CalendarEventCreate) -> CalendarEvent:
        """Create an event, with a `recurrence` a series; the calendar tells what it overlaps with.

        Raises: ValidationError, also for an end that is not after the start, or more than 14 days after it.
        """


class ActivityCalls(Resource[Mode]):
    """Calls that took place, or are planned."""

    @operation(platform="POST /activities/calls")
    def create(self, call: CallCreate) -> Call:
        """Log a call; without a contact or a lead it is that of whoever has the number.

        `other_matches` names others with the number.

        Raises: ValidationError, also for an end before the start.
        """


class ActivityEmails(Resource[Mode]):
    """E-mails that were sent or received."""

    @operation(platform="POST /activities/emails", errors=("EMAIL_EXISTS",))
    def create(self, email: EmailCreate) -> Email:
        """Log an e-mail that was sent elsewhere, for whoever has the address; it joins the thread of what it answers.

        Raises: ValidationError, also without `sent_at`; ConflictError when its `message_id` is known.
        """


class ActivityNotes(Resource[Mode]):
    """What was written down."""

    @operation(platform="POST /activities/notes")
    def create(self, note: NoteCreate) -> Note:
        """Create a note about a contact, lead, deal or account; who is mentioned in it is notified.

        A mention is ``@`` and the id of a user, or what is before the ``@`` of the user's address.

        Raises: ValidationError, also for a note about nothing.
        """


class ActivityCalendar(Resource[Mode]):
    """The company's calendar, and those of other programs."""

    @operation(
        platform="GET /activities/calendar",
        texts={
            "start": "When the window begins.",
            "end": "When it ends, at most 92 days later; without it `view` says so.",
            "view": "How long the window is: a day, a week, a month; an agenda has two weeks.",
            "kinds": "What is shown; without it events, tasks and calls.",
            "team_id": "The team whose members' calendars are shown.",
            **_USERS,
        },
    )
    def get(
        self,
        *,
        start: AwareDatetime,
        end: AwareDatetime | None = None,
        view: CalendarSpan = "week",
        user_ids: Sequence[str] | None = None,
        team_id: str | None = None,
        kinds: Sequence[CalendarKind] | None = None,
        timezone: TimeZone | None = None,
    ) -> CalendarView:
        """Show the caller's calendar, or those of others, day by day, with series expanded and what clashes.

        Raises: ValidationError for a window of more than 92 days.
        """

    @operation(
        platform="POST /activities/calendar/sync",
        status=202,
        errors=("INTEGRATION_NOT_CONNECTED", "SYNC_IN_PROGRESS", "INVALID_FORMAT"),
        action="update",
        texts={
            "integration_id": "The calendar to synchronise with; nothing for a file.",
            "file_id": "An iCalendar file to import.",
            "since": "Only what begins at this time or later.",
            "direction": "Which side is written; both by default.",
        },
    )
    def sync(
        self,
        integration_id: str | None = None,
        *,
        file_id: str | None = None,
        direction: SyncDirection | None = None,
        since: AwareDatetime | None = None,
    ) -> SyncRun:
        """Synchronise with an external calendar, or import an iCalendar file, which is done when it is answered.

        Events are matched by UID; the greater SEQUENCE wins, then what was changed last. What is gone there is deleted.

        Raises: ConflictError for a calendar that is not connected, or while a run is under way; ValidationError.
        """


class Activities(Resource[Mode]):
    """What was done, said and written, and what is planned."""

    tasks: ActivityTasks[Mode] = part(ActivityTasks)
    events: ActivityEvents[Mode] = part(ActivityEvents)
    calls: ActivityCalls[Mode] = part(ActivityCalls)
    emails: ActivityEmails[Mode] = part(ActivityEmails)
    notes: ActivityNotes[Mode] = part(ActivityNotes)
    calendar: ActivityCalendar[Mode] = part(ActivityCalendar)

    @operation(platform="POST /activities", errors=("EMAIL_EXISTS",))
    def create(self, activity: ActivityCreate) -> Activity:
        """Create an activity of a `kind`, as the call of that kind does.

        Raises: ValidationError, also for members that its kind does not have; ConflictError as for an e-mail.
        """

    @operation(platform="GET /activities/{activity_id}")
    def get(self, activity_id: str) -> Activity:
        """Fetch an activity of any kind. Of somebody else's private event only its times are told.

        Raises: NotFoundError.
        """

    @operation(
        platform="PUT /activities/{activity_id}",
        errors=("EMAIL_SENT", "EMAIL_EXISTS", "CALL_ENDED", *_SERIES),
        texts=_OCCURRENCE,
    )
    def update(
        self,
        activity_id: str,
        changes: ActivityUpdate | Activity,
        *,
        occurrence: AwareDatetime | None = None,
        scope: SeriesScope = "all",
        version: int | None = None,
    ) -> Activity:
        """Change an activity: members that are left out stay, null clears.

        One `occurrence` of a series becomes an event of its own, which is answered; with ``following`` a new series
        begins with it. Of a sent e-mail only links, tags and `is_read` can be changed; an ended call keeps its status.

        Raises: NotFoundError; ConflictError for a sent e-mail or an ended call, or when `version` differs;
        ValidationError, also where there is no such occurrence.
        """

    @operation(platform="DELETE /activities/{activity_id}", errors=_SERIES, texts=_OCCURRENCE)
    def delete(
        self,
        activity_id: str,
        *,
        occurrence: AwareDatetime | None = None,
        scope: SeriesScope = "all",
        version: int | None = None,
    ) -> None:
        """Delete an activity, or occurrences of a series; those who were to attend are told that it is off.

        Raises: NotFoundError; ConflictError when `version` differs; ValidationError where there is no such occurrence.
        """

    @paginated(
        platform="GET /activities",
        texts={
            "status": "Only those in this state: each kind has states of its own.",
            "overdue": "Only tasks that should have been done by now, or only what is not.",
            "due_after": "Only what is due at this time or later.",
            "due_before": "Only what is due before this time.",
            "start_after": "Only what begins at this time or later.",
            "start_before": "Only what begins before this time.",
        },
    )
    def list(
        self,
        *,
        kind: Sequence[ActivityKind] | None = None,
        status: str | None = None,
        owner_id: str | None = None,
        contact_id: str | None = None,
        lead_id: str | None = None,
        deal_id: str | None = None,
        account_id: str | None = None,
        due_after: AwareDatetime | None = None,
        due_before: AwareDatetime | None = None,
        start_after: AwareDatetime | None = None,
        start_before: AwareDatetime | None = None,
        overdue: bool | None = None,
        priority: Priority | None = None,
        tags: Sequence[str] | None = None,
        sort: ActivitySort | None = None,
        **common: Unpack[Viewed],
    ) -> Page[Activity]:
        """List activities, the newest first.

        Raises: ValidationError for a limit out of bounds or a member that cannot be sorted by.
        """

    @paginated(
        platform="GET /activities/timeline",
        errors=("NOT_FOUND",),
        texts={"kinds": "What is shown; without it everything."},
    )
    def timeline(
        self,
        *,
        contact_id: str | None = None,
        lead_id: str | None = None,
        deal_id: str | None = None,
        account_id: str | None = None,
        owner_id: str | None = None,
        kinds: Sequence[TimelineKind] | None = None,
        since: AwareDatetime | None = None,
        until: AwareDatetime | None = None,
        sort: TimelineSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[TimelineEntry]:
        """Show what happened, the newest first: activities, messages, moves of deals, conversions, comments, files.

        An account's timeline has what happened with its contacts and deals, too.

        Raises: NotFoundError for a record that is not there.
        """

    @operation(
        platform="GET /activities/availability",
        errors=("NOT_FOUND",),
        texts={
            "start": "When the window begins.",
            "end": "When it ends, at most 62 days later.",
            "duration_minutes": "How long a slot is; without it `calendar.meeting_minutes`, usually 30.",
            "business_hours": "Only slots at which those who are free work, each on their own clock.",
            "buffer_minutes": "The room before and after a slot; without it `calendar.buffer_minutes`, usually none.",
            **_USERS,
        },
    )
    def availability(
        self,
        user_ids: Annotated[Sequence[str], Field(min_length=1, max_length=50)],
        *,
        start: AwareDatetime,
        end: AwareDatetime,
        duration_minutes: Minutes | None = None,
        timezone: TimeZone | None = None,
        business_hours: bool = True,
        buffer_minutes: Annotated[int, Field(ge=0, le=240)] | None = None,
    ) -> Availability:
        """Tell when users are busy, and which times are free for whom.

        Raises: ValidationError for an unknown user, or a window of more than 62 days.
        """

    @operation(
        platform="POST /activities/schedule",
        status=201,
        errors=("SCHEDULE_CONFLICT", "NO_SLOT_AVAILABLE", "REFERENCE_NOT_FOUND"),
        texts={
            "title": "What it is called.",
            "duration_minutes": "How long it is to be.",
            "user_ids": "Which users attend; the first is the host.",
            "contact_ids": "Which contacts attend.",
            "emails": "Who else attends.",
            "start_time": "When it begins; without it at the first time that is free for all.",
            "earliest": "When it may begin first; without it now.",
            "latest": "When it has to be over; without it two weeks later.",
            "timezone": "The IANA name of the event's time zone.",
            "type": "What kind of event it is.",
        },
    )
    def schedule(
        self,
        *,
        title: ActivityTitle,
        duration_minutes: Minutes,
        user_ids: Annotated[Sequence[str], Field(min_length=1, max_length=50)],
        contact_ids: Annotated[Sequence[str], Field(max_length=100)] | None = None,
        emails: Annotated[Sequence[GuestAddress], Field(max_length=100)] | None = None,
        start_time: AwareDatetime | None = None,
        earliest: AwareDatetime | None = None,
        latest: AwareDatetime | None = None,
        timezone: TimeZone | None = None,
        type: EventType = "meeting",
        deal_id: str | None = None,
        location: Annotated[str, Field(max_length=255)] | None = None,
        description: Annotated[str, Field(max_length=10_000)] | None = None,
    ) -> CalendarEvent:
        """Book a meeting at a time, or at the first that is free for all users within their business hours.

        Invitations go out to those who attend.

        Raises: ConflictError where a user is busy (`details` has the conflicts and suggestions), or no time is free for
        all; ValidationError.
        """

    @operation(
        platform="PUT /activities/{activity_id}/reschedule",
        errors=("SCHEDULE_CONFLICT", "ACTIVITY_CLOSED", "NOT_SCHEDULABLE", *_SERIES),
        texts={
            "start_time": "When it is to begin; for a task, when it is to be done.",
            "end_time": "When it is to end; without it the length is kept.",
            "notify": "Tell those who attend.",
            "force": "Move it although somebody is busy then.",
            "reason": "Why it is moved.",
            **_OCCURRENCE,
        },
    )
    def reschedule(
        self,
        activity_id: str,
        start_time: AwareDatetime,
        *,
        end_time: AwareDatetime | None = None,
        reason: Annotated[str, Field(max_length=500)] | None = None,
        notify: bool = True,
        force: bool = False,
        occurrence: AwareDatetime | None = None,
        scope: SeriesScope = "all",
        version: int | None = None,
    ) -> Activity:
        """Move an event, a task or a planned call; those who attend are asked again.

        Raises: NotFoundError; ConflictError where somebody is busy then and there is no `force`, for what is over, or
        when `version` differs; ValidationError for a note or an e-mail.
        """
