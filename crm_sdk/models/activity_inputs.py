"""Activities as they are given: what the kinds have in common, and what each has of its own."""

from __future__ import annotations

from typing import Annotated, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .activities import (
    ActivityKind,
    CallOutcome,
    CallStatus,
    Direction,
    EmailStatus,
    EventStatus,
    ReminderChannel,
    TaskStatus,
    TaskType,
    Visibility,
)
from .calendar_meetings import AttendeeInput, MeetingOutcomeInput
from .marks import INPUT, OPEN
from .values import NOT_BLANK, Email, FieldValue, Phone, Priority, Tags, TimeZone, Url

ActivityTitle: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, max_length=255)]
NoteBody: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, max_length=20_000)]
LongText: TypeAlias = Annotated[str, Field(max_length=200_000)]
GuestAddress: TypeAlias = Email
"""The e-mail address of somebody to invite."""
RecurrenceRule: TypeAlias = Annotated[str, Field(min_length=1, max_length=500)]


@with_config(INPUT)
class ReminderInput(TypedDict, total=False):
    """When and how somebody is to be reminded."""

    minutes_before: Required[Annotated[int, Field(ge=0, le=40_320)]]
    """How long before, in minutes."""
    channel: ReminderChannel
    sent_at: AwareDatetime | None
    """Passed over: the server notes it."""


@with_config(INPUT)
class EmailAddressInput(TypedDict, total=False):
    """An e-mail address, with the name of who has it."""

    email: Required[Email]
    name: Annotated[str, Field(max_length=200)] | None


class ActivityMembers(TypedDict, total=False):
    """What may be given of an activity of any kind."""

    description: Annotated[str, Field(max_length=10_000)] | None
    owner_id: str | None
    contact_id: str | None
    lead_id: str | None
    deal_id: str | None
    account_id: str | None
    priority: Priority
    tags: Tags | None
    reminders: Annotated[list[ReminderInput], Field(max_length=20)] | None
    attachments: Annotated[list[str], Field(max_length=100)] | None
    """Ids of files."""
    external_id: Annotated[str, Field(max_length=255)] | None
    custom_fields: dict[str, FieldValue] | None


class TaskMembers(TypedDict, total=False):
    """What may be given of a task beside what any activity has."""

    due_at: AwareDatetime | None


class EventMembers(TypedDict, total=False):
    """What may be given of an event beside what any activity has."""

    location: Annotated[str, Field(max_length=255)] | None
    meeting_link: Url | None
    attendees: Annotated[list[AttendeeInput], Field(max_length=200)] | None
    all_day: bool
    """Whether it takes the whole day."""
    timezone: TimeZone | None
    visibility: Visibility
    """Whether others see what it is, or only that its time is taken."""
    busy: bool
    """Whether it takes the time of those who attend."""


class CallMembers(TypedDict, total=False):
    """What may be given of a call beside what any activity has."""

    from_number: Phone | None
    """The number that calls."""
    to_number: Phone | None
    """The number that is called."""
    duration_seconds: Annotated[int, Field(ge=0, le=2_592_000)] | None
    """How long it took, in seconds; start and end go before it."""
    next_step: Annotated[str, Field(max_length=1000)] | None
    transcript: LongText | None
    """What was said."""


class EmailMembers(TypedDict, total=False):
    """What may be given of an e-mail beside what any activity has."""

    from_address: EmailAddressInput | None
    """Who sent it."""
    cc: Annotated[list[EmailAddressInput], Field(max_length=100)] | None
    """Who gets a copy."""
    bcc: Annotated[list[EmailAddressInput], Field(max_length=100)] | None
    """Who gets a copy that the others do not see."""
    reply_to: EmailAddressInput | None
    """Where answers go."""
    body_text: LongText | None
    body_html: LongText | None
    sent_at: AwareDatetime | None
    message_id: Annotated[str, Field(max_length=998)] | None
    in_reply_to: Annotated[str, Field(max_length=998)] | None
    """The Message-ID of the e-mail it answers."""
    is_read: bool | None
    """Whether it was read."""
    template_id: str | None


class NoteMembers(TypedDict, total=False):
    """What may be given of a note beside what any activity has."""

    pinned: bool
    """Whether it stays on top."""


@with_config(INPUT)
class TaskCreate(ActivityMembers, TaskMembers, total=False):
    """A new task: a title is all it needs."""

    title: Required[ActivityTitle]
    status: TaskStatus
    type: TaskType
    start_time: AwareDatetime | None
    recurrence: RecurrenceRule | None
    """A recurrence rule (RFC 5545): how often it comes again."""


@with_config(INPUT)
class CallCreate(ActivityMembers, CallMembers, total=False):
    """A call to log: a title is all it needs, and a number to find the contact by."""

    title: Required[ActivityTitle]
    direction: Direction
    status: CallStatus
    start_time: AwareDatetime | None
    end_time: AwareDatetime | None
    outcome: CallOutcome | None
    recording_url: Url | None


@with_config(INPUT)
class CallUpdate(ActivityMembers, CallMembers, total=False):
    """What to change about a call. Null clears a member, lists are replaced."""

    title: ActivityTitle
    direction: Direction
    status: CallStatus
    start_time: AwareDatetime | None
    end_time: AwareDatetime | None
    outcome: CallOutcome | None
    recording_url: Url | None


@with_config(INPUT)
class EmailCreate(ActivityMembers, EmailMembers, total=False):
    """An e-mail to log that was sent elsewhere: its subject, who it went to, and when."""

    subject: Required[Annotated[str, Field(pattern=NOT_BLANK, max_length=998)]]
    to: Required[Annotated[list[EmailAddressInput], Field(min_length=1, max_length=100)]]
    """Who it goes to."""
    direction: Direction


@with_config(INPUT)
class NoteCreate(ActivityMembers, NoteMembers, total=False):
    """A new note: its text, and the contact, lead, deal or account it is about."""

    body: Required[NoteBody]


class _AnyMembers(ActivityMembers, TaskMembers, EventMembers, CallMembers, EmailMembers, NoteMembers, total=False):
    title: ActivityTitle
    status: TaskStatus | EventStatus | CallStatus | EmailStatus
    type: Annotated[str, OPEN]
    """What kind of task or event it is."""
    direction: Direction
    start_time: AwareDatetime | None
    end_time: AwareDatetime | None
    recurrence: RecurrenceRule | None
    """A recurrence rule (RFC 5545): how often it comes again."""
    outcome: MeetingOutcomeInput | CallOutcome | None
    """What came of it: of an event an object, of a call a word."""
    recording_url: Url | None
    subject: Annotated[str, Field(pattern=NOT_BLANK, max_length=998)]
    to: Annotated[list[EmailAddressInput], Field(min_length=1, max_length=100)]
    """Who it goes to."""
    body: NoteBody


@with_config(INPUT)
class ActivityCreate(_AnyMembers, total=False):
    """A new activity of any kind: its `kind`, and what that kind needs, see `TaskCreate` and the others."""

    kind: Required[ActivityKind]


@with_config(INPUT)
class ActivityUpdate(_AnyMembers, total=False):
    """What to change about an activity: members that its kind has. Null clears a member, lists are replaced."""
