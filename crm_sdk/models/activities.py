"""Activities: tasks, events, calls, e-mails and notes, told apart by `kind`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias, cast

from pydantic import AwareDatetime, Discriminator, Field, Tag

from ..wire import wire
from .calendar_meetings import Attendee, MeetingInsight, MeetingOutcome, MeetingPreparation
from .marks import OPEN, PERSONAL, PERSONAL_TEXT, Default
from .record import Model, Record
from .values import EMPTY, EntityRef, ErrorDetail, FieldValue, Priority, Sentiment

ActivityKind: TypeAlias = Literal["task", "event", "call", "email", "note"] | str
ActivitySort: TypeAlias = (
    Literal["id", "occurred_at", "due_at", "start_time", "priority", "created_at", "updated_at"] | str
)
ActivitySource: TypeAlias = Literal["manual", "sync", "workflow", "import", "api"] | str
Direction: TypeAlias = Literal["inbound", "outbound"] | str
TaskStatus: TypeAlias = Literal["not_started", "in_progress", "waiting", "completed", "deferred", "cancelled"] | str
TaskType: TypeAlias = Annotated[Literal["to_do", "call", "email", "follow_up"] | str, OPEN]
EventStatus: TypeAlias = Literal["scheduled", "confirmed", "completed", "cancelled", "no-show"] | str
EventType: TypeAlias = Literal["meeting", "call", "demo", "follow-up", "internal", "personal"] | str
CallStatus: TypeAlias = (
    Literal["queued", "ringing", "in_progress", "completed", "busy", "no_answer", "failed", "cancelled"] | str
)
CallOutcome: TypeAlias = Annotated[
    Literal["connected", "left_message", "no_answer", "busy", "wrong_number"] | str, OPEN
]
ReminderChannel: TypeAlias = Literal["in_app", "email", "sms", "push"] | str
Visibility: TypeAlias = Literal["public", "private"] | str
EmailFolder: TypeAlias = Literal["inbox", "sent", "drafts", "archive", "spam"] | str
EmailStatus: TypeAlias = Literal["draft", "queued", "sent", "delivered", "bounced", "failed", "received"] | str


class Reminder(Model):
    """When and by which channel users are reminded of an activity."""

    minutes_before: int
    """0..40,320."""
    channel: ReminderChannel = "in_app"
    sent_at: AwareDatetime | None = None


class ActivityRecord(Record):
    """What activities of every kind have in common."""

    title: Annotated[str | None, PERSONAL_TEXT] = None
    description: Annotated[str | None, PERSONAL_TEXT] = None
    owner_id: str | None = None
    contact_id: str | None = None
    lead_id: str | None = None
    deal_id: str | None = None
    account_id: str | None = None
    contact_name: Annotated[str | None, PERSONAL] = None
    """Name of the contact."""
    contact_company: str | None = None
    priority: Annotated[Priority | None, Default("medium")] = None
    tags: list[str] = Field(default_factory=EMPTY)
    reminders: list[Reminder] = Field(default_factory=EMPTY)
    attachments: list[str] = Field(default_factory=EMPTY)
    """Ids of files."""
    source: Annotated[ActivitySource | None, Default("manual")] = None
    occurred_at: AwareDatetime | None = None
    """The time by which timelines are sorted."""
    sentiment: Sentiment | None = None
    ai_analysis: Annotated[str | None, PERSONAL_TEXT] = None
    other_matches: Annotated[list[EntityRef], PERSONAL] = Field(default_factory=EMPTY)
    """Who else has the number or the address it was found by."""
    external_id: str | None = None
    custom_fields: dict[str, FieldValue] = Field(default_factory=dict)


class Task(ActivityRecord):
    """A task."""

    kind: Literal["task"] = "task"
    status: Annotated[TaskStatus, Default("not_started")]
    due_at: AwareDatetime | None = None
    start_time: AwareDatetime | None = None
    completed_at: AwareDatetime | None = None
    """When it was done."""
    is_overdue: Annotated[bool | None, Default(False)] = None
    """Whether it is open and its due date has passed."""
    type: Annotated[TaskType | None, Default("to_do")] = None
    recurrence: str | None = None
    """An RFC 5545 RRULE; completing the task creates the next."""


@wire(
    flow="id title description? start_time end_time type contact_id? contact_name? contact_company? deal_id? location?"
    " meeting_link? attendees status ai_insights preparation outcome? priority tags"
)
class CalendarEvent(ActivityRecord):
    """A meeting, call, demo or other event with a start and an end."""

    kind: Literal["event"] = "event"
    start_time: AwareDatetime
    end_time: AwareDatetime
    type: Annotated[EventType | None, Default("meeting")] = None
    location: Annotated[str | None, PERSONAL_TEXT] = None
    meeting_link: str | None = None
    attendees: Annotated[list[Attendee], PERSONAL] = Field(default_factory=EMPTY)
    status: Annotated[EventStatus | None, Default("scheduled")] = None
    ai_insights: Annotated[list[MeetingInsight], PERSONAL] = Field(default_factory=EMPTY)
    preparation: Annotated[MeetingPreparation | None, PERSONAL] = None
    """The preparation for the meeting."""
    outcome: Annotated[MeetingOutcome | None, PERSONAL] = None
    all_day: Annotated[bool | None, Default(False)] = None
    """Whether it takes the whole day."""
    timezone: str | None = None
    recurrence: str | None = None
    """An RFC 5545 RRULE."""
    visibility: Annotated[Visibility | None, Default("public")] = None
    """Whether others see what it is."""
    busy: Annotated[bool | None, Default(True)] = None
    """Whether its time counts as busy."""
    uid: str | None = None
    """iCalendar UID."""
    cancelled_reason: Annotated[str | None, PERSONAL_TEXT] = None
    """Why it was cancelled."""
    integration_id: str | None = None
    recording_url: Annotated[str | None, PERSONAL] = None
    series_id: str | None = None
    """The id of the series that this was an occurrence of."""
    original_start: AwareDatetime | None = None
    """When it would have begun as an occurrence of its series."""
    exdates: list[AwareDatetime] = Field(default_factory=EMPTY)
    """When no occurrence of the series begins, although its rule says so."""
    sequence: Annotated[int | None, Default(0)] = None
    """iCalendar SEQUENCE: goes up by one when time, place or status change."""


class Call(ActivityRecord):
    """A telephone call."""

    kind: Literal["call"] = "call"
    direction: Annotated[Direction | None, Default("outbound")] = None
    status: Annotated[CallStatus | None, Default("completed")] = None
    from_number: Annotated[str | None, PERSONAL] = None
    """The number that called."""
    to_number: Annotated[str | None, PERSONAL] = None
    """The number that was called."""
    start_time: AwareDatetime | None = None
    end_time: AwareDatetime | None = None
    duration_seconds: int | None = None
    """The duration in seconds."""
    outcome: CallOutcome | None = None
    next_step: Annotated[str | None, PERSONAL_TEXT] = None
    recording_url: Annotated[str | None, PERSONAL] = None
    transcript: Annotated[str | None, PERSONAL_TEXT] = None
    """The transcript of the call."""
    provider: str | None = None
    """The telephone system."""
    provider_call_id: str | None = None


class EmailAddress(Model):
    """An e-mail address, with the name of its owner."""

    email: str
    name: str | None = None


class TrackedLink(Model):
    """A link in an e-mail, with its number of clicks."""

    url: str
    clicks: int = 0
    """The number of clicks on the link."""


class EmailTracking(Model):
    """The opens and clicks of an e-mail."""

    opens: int = 0
    """The number of opens."""
    clicks: int = 0
    """The number of clicks on its links."""
    first_opened_at: AwareDatetime | None = None
    """When it was first opened."""
    last_opened_at: AwareDatetime | None = None
    """When it was last opened."""
    first_clicked_at: AwareDatetime | None = None
    """When a link in it was first clicked."""
    links: list[TrackedLink] = Field(default_factory=EMPTY)
    """Its links, each with its number of clicks."""


class EmailThread(Model):
    """The e-mails that answer one another."""

    id: str
    subject: str
    participants: list[EmailAddress] = Field(default_factory=EMPTY)
    """Everybody who wrote or received one of them."""
    message_count: int
    """The number of e-mails."""
    unread_count: int
    """The number of e-mails that were not read."""
    last_message_at: AwareDatetime | None = None
    """When the newest was sent or received."""
    snippet: str | None = None
    """The beginning of the newest e-mail."""
    emails: list[Email] = Field(default_factory=EMPTY)
    """The e-mails, the oldest first; empty in lists."""
    contact_id: str | None = None
    deal_id: str | None = None


class Email(ActivityRecord):
    """An e-mail that was sent or received."""

    kind: Literal["email"] = "email"
    direction: Annotated[Direction | None, Default("outbound")] = None
    subject: Annotated[str | None, PERSONAL_TEXT] = None
    from_address: Annotated[EmailAddress | None, PERSONAL] = None
    """The sender."""
    to: Annotated[list[EmailAddress], PERSONAL] = Field(default_factory=EMPTY)
    """The recipients."""
    cc: Annotated[list[EmailAddress], PERSONAL] = Field(default_factory=EMPTY)
    """The recipients of a copy."""
    bcc: Annotated[list[EmailAddress], PERSONAL] = Field(default_factory=EMPTY)
    """The recipients of a blind copy."""
    reply_to: Annotated[EmailAddress | None, PERSONAL] = None
    """The address for replies."""
    body_text: Annotated[str | None, PERSONAL_TEXT] = None
    body_html: Annotated[str | None, PERSONAL_TEXT] = None
    status: Annotated[EmailStatus | None, Default("sent")] = None
    sent_at: AwareDatetime | None = None
    received_at: AwareDatetime | None = None
    message_id: str | None = None
    thread_id: str | None = None
    in_reply_to: str | None = None
    """The Message-ID of the e-mail it replies to."""
    thread: Annotated[EmailThread | None, PERSONAL] = None
    """The thread it is in, only where it is asked for."""
    is_read: bool | None = None
    """Whether it was read."""
    folder: EmailFolder | None = None
    """The folder it is in."""
    template_id: str | None = None
    tracking: EmailTracking | None = None
    """Its opens and clicks."""
    integration_id: str | None = None
    error: ErrorDetail | None = None


EmailThread.model_rebuild()  # it has e-mails, and these it


class Note(ActivityRecord):
    """A note, in Markdown."""

    kind: Literal["note"] = "note"
    body: Annotated[str, PERSONAL_TEXT]
    pinned: bool = False
    mentions: list[str] = Field(default_factory=EMPTY)
    """Ids of the users mentioned in the body."""


class OtherActivity(ActivityRecord):
    """An activity of a kind that this version does not know; unknown members are kept as received."""

    kind: str


ACTIVITY_MODELS: Final[Mapping[str, type[ActivityRecord]]] = {
    "task": Task,
    "event": CalendarEvent,
    "call": Call,
    "email": Email,
    "note": Note,
}
"""The model of each kind of activity."""


def _kind(value: object) -> str:
    kind = cast("Mapping[str, Any]", value).get("kind") if isinstance(value, Mapping) else getattr(value, "kind", None)
    return kind if isinstance(kind, str) and kind in ACTIVITY_MODELS else "other"


Activity: TypeAlias = Annotated[
    Annotated[Task, Tag("task")]
    | Annotated[CalendarEvent, Tag("event")]
    | Annotated[Call, Tag("call")]
    | Annotated[Email, Tag("email")]
    | Annotated[Note, Tag("note")]
    | Annotated[OtherActivity, Tag("other")],
    Discriminator(_kind),
]
"""An activity of any kind."""
