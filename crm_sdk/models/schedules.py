"""Schedules: when something happens again and again, or once."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Required, TypeAlias

from pydantic import Field, with_config
from typing_extensions import TypedDict

from .marks import INPUT
from .patterns import TimeOfDay
from .record import Model
from .values import TimeZone

ScheduleFrequency: TypeAlias = Literal["once", "hourly", "daily", "weekly", "monthly", "cron"] | str


class Schedule(Model):
    """When something happens again and again, or once."""

    frequency: ScheduleFrequency
    """How often it happens."""
    cron: str | None = None
    """Five fields: minute, hour, day of the month, month, day of the week."""
    at: str | None = None
    """The time of day, ``HH:MM``; 00:00 by default. Of an hourly schedule only the minutes count."""
    weekday: int | None = None
    """0 for Monday to 6 for Sunday."""
    day_of_month: int | None = None
    """1..31; in a shorter month its last day."""
    timezone: str | None = None
    """The time zone of the times; the company's by default."""
    start_date: date | None = None
    """The first day, or the day of a schedule that happens once."""


class _ScheduleMembers(TypedDict, total=False):
    cron: Annotated[str, Field(max_length=200)] | None
    at: TimeOfDay | None
    weekday: Annotated[int, Field(ge=0, le=6)] | None
    day_of_month: Annotated[int, Field(ge=1, le=31)] | None
    timezone: TimeZone | None
    start_date: date | None


@with_config(INPUT)
class ScheduleInput(_ScheduleMembers, total=False):
    """When something happens again and again, or once, as input."""

    frequency: Required[ScheduleFrequency]
    """How often it happens."""


@with_config(INPUT)
class ScheduleUpdate(_ScheduleMembers, total=False):
    """Changes to when something happens; what is not given stays."""

    frequency: ScheduleFrequency
    """How often it happens."""
