"""What calendars show: days with what is in them, who is busy, what is free; and the timeline of a record."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, Field

from .activities import Activity
from .calendar import ConflictWarning
from .record import Model
from .values import EMPTY, EntityRef, FieldChange, UserRef

CalendarSpan: TypeAlias = Literal["day", "week", "month", "agenda"] | str
CalendarKind: TypeAlias = Literal["event", "task", "call"] | str
InvitationAnswer: TypeAlias = Literal["accepted", "declined", "tentative"] | str
SeriesScope: TypeAlias = Literal["this", "following", "all"] | str
TimelineKind: TypeAlias = (
    Literal[
        "task",
        "event",
        "call",
        "email",
        "note",
        "message",
        "stage_change",
        "created",
        "updated",
        "converted",
        "merged",
        "comment",
        "file",
    ]
    | str
)
Minutes: TypeAlias = Annotated[int, Field(ge=5, le=1440)]
TimelineSort: TypeAlias = Literal["id", "occurred_at"] | str


class TimelineEntry(Model):
    """Something that happened with a record, or is planned."""

    id: str
    kind: TimelineKind
    title: str
    summary: str | None = None
    """What there is to say of it, in short."""
    occurred_at: AwareDatetime
    """When it happened, or is to happen."""
    actor: UserRef | None = None
    """Who did it; null where no user did."""
    entity: EntityRef
    """The record it happened to."""
    activity: Activity | None = None
    """The activity it is, where it is one."""
    changes: list[FieldChange] = Field(default_factory=EMPTY)


class CalendarItem(Model):
    """An event, a task or a call at its place in a calendar; an occurrence of a series is one of its own."""

    activity: Activity
    """What it is; of somebody else's private event only its times are told."""
    start: AwareDatetime
    """When it begins."""
    end: AwareDatetime
    """When it ends."""
    all_day: bool
    """Whether it takes the whole day."""
    busy_only: bool
    """Whether no more is told than that somebody is busy."""


class CalendarDay(Model):
    """A day in the time zone of the view."""

    date: date
    items: list[CalendarItem] = Field(default_factory=EMPTY)
    """What begins on the day, the earliest first."""
    holiday: str | None = None
    """What the company calls the day on which nobody works."""


class CalendarView(Model):
    """A calendar from a start to an end, day by day."""

    start: AwareDatetime
    """When it begins."""
    end: AwareDatetime
    """When it ends."""
    timezone: str
    view: CalendarSpan
    """How long it is."""
    days: list[CalendarDay] = Field(default_factory=EMPTY)
    """Each day of it, also those with nothing in them."""
    conflicts: list[ConflictWarning] = Field(default_factory=EMPTY)
    """What does not go together, the gravest first."""


class TimeBlock(Model):
    """A time that is taken."""

    start: AwareDatetime
    """When it begins."""
    end: AwareDatetime
    """When it ends."""
    title: str | None = None
    activity_id: str | None = None


class UserBusy(Model):
    """When a user is busy."""

    user_id: str
    busy: list[TimeBlock] = Field(default_factory=EMPTY)
    """The times that are taken, the earliest first."""


class TimeSlot(Model):
    """A time that is free for somebody."""

    start: AwareDatetime
    """When it begins."""
    end: AwareDatetime
    """When it ends."""
    user_ids: list[str] = Field(default_factory=EMPTY)
    """Who is free."""
    score: int
    """0..100: how good a time it is."""


class Availability(Model):
    """When users are busy, and which times are free for them."""

    timezone: str
    duration_minutes: int
    """How long a slot is."""
    users: list[UserBusy] = Field(default_factory=EMPTY)
    """When each is busy."""
    slots: list[TimeSlot] = Field(default_factory=EMPTY)
    """The times at which somebody is free, the earliest first."""


class CalendarFeed(Model):
    """The address at which other programs read a user's calendar."""

    url: str | None = None
    """The whole address; null but in the answer that makes it."""
    prefix: str
    """The beginning of the last part of the address, to tell it from others."""
    kinds: list[CalendarKind] = Field(default_factory=EMPTY)
    """What is in it."""
    include_private: bool
    """Whether private events are in it with all that they are; else only as busy."""
    created_at: AwareDatetime
    last_read_at: AwareDatetime | None = None
    """When it was last read; null if it was not yet."""
    read_count: int
    """How often it was read."""
