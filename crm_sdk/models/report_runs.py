"""Runs of reports with their data, and schedules by which they are run."""

from __future__ import annotations

from typing import Annotated, Literal, Required

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .marks import INPUT, Default
from .record import Model, Record
from .reports import RunTrigger, ScheduleFormat
from .runs import Run
from .schedules import Schedule, ScheduleInput
from .values import EMPTY, FieldValue


class ReportDataColumn(Model):
    """A column of a report's data: a group, a measure, or a member."""

    key: str
    """The member, the group, or the function and its member: ``sum_value``."""
    label: str
    type: str
    """`text`, `number`, `date`, `bool` or `list`."""
    format: str


class ReportGroupRow(Model):
    """The sums of one group of records."""

    keys: list[FieldValue]
    """What the records have in common; of a subtotal only the outer ones."""
    labels: list[str]
    """The words of the keys; of an id the name of its record."""
    level: int
    """How many groups it is within, from 1."""
    values: list[FieldValue]
    """The measures; of a matrix those of each of `across_keys`, one after the other."""
    count: int
    """How many records it has."""
    subtotal: bool
    """Whether it sums up the rows that follow from its keys."""


class ReportData(Model):
    """A page of what a run of a report gave."""

    report_id: str | None = None
    """The report; null for the query of a widget."""
    run_id: str | None = None
    """The run; null for what a widget shows, which is not kept as a run."""
    columns: list[ReportDataColumn]
    """What the columns are: members, or groups and measures."""
    rows: list[list[FieldValue]] = Field(default_factory=EMPTY)
    """The records of a table."""
    groups: list[ReportGroupRow] = Field(default_factory=EMPTY)
    """The sums by group."""
    across_keys: list[list[FieldValue]] = Field(default_factory=EMPTY)
    """What the columns of a matrix have in common."""
    totals: list[FieldValue] = Field(default_factory=EMPTY)
    """The measures over all records; empty for a table."""
    row_count: int
    """How many records it was made of."""
    page: int
    limit: int
    has_next: bool
    """Whether there is a further page of rows or groups."""
    truncated: bool
    """Whether there were more records than `row_limit`."""
    currency: str
    """The currency of sums of money."""
    generated_at: AwareDatetime
    """When it was computed."""


class ReportRun(Run):
    """One run of a report; one over more than 50,000 records goes on after the answer, and `wait` waits for it."""

    report_id: str
    trigger: RunTrigger
    """What started it."""
    parameters: dict[str, FieldValue] = Field(default_factory=dict)
    """The values it was run with."""
    row_count: int
    """How many records it was made of."""
    truncated: bool
    """Whether there were more records than `row_limit`."""
    duration_ms: int
    """How long it took."""
    data: ReportData | None = None
    """The first page."""
    schedule_id: str | None = None
    """The schedule that started it."""


class ExportResult(Model):
    """The file that an export has made."""

    file_id: str
    """The file."""
    file_name: str
    """The name it is saved by."""
    content_type: str
    """What kind of file it is, such as ``application/pdf``."""
    size: int
    """Its length in bytes."""
    row_count: int
    """How many records it was made of."""
    download_url: str | None = None
    """The route that returns the file; null once it has expired."""
    expires_at: AwareDatetime
    """When the file is deleted: seven days after it was made."""


class ReportSchedule(Record):
    """When a report is run by itself, and for whom."""

    report_id: str
    schedule: Schedule
    """When it runs."""
    format: Annotated[ScheduleFormat | None, Default("pdf")] = None
    recipients: list[str] = Field(default_factory=EMPTY)
    """Ids of users, or e-mail addresses."""
    parameters: dict[str, FieldValue] = Field(default_factory=dict)
    """The values it is run with."""
    only_if_rows: Annotated[bool | None, Default(False)] = None
    """Whether nothing is sent when there are no records."""
    enabled: Annotated[bool | None, Default(True)] = None
    next_run_at: AwareDatetime | None = None
    """When it runs next; null where it does not."""
    last_run_at: AwareDatetime | None = None
    """When it last ran."""
    last_status: Literal["succeeded", "failed", "skipped"] | str | None = None
    """How the last run ended; ``skipped`` where there was nothing to send, or its owner is not active."""
    last_run_id: str | None = None


@with_config(INPUT)
class ReportScheduleCreate(TypedDict, total=False):
    """A new schedule of a report."""

    schedule: Required[ScheduleInput]
    """When it runs."""
    format: ScheduleFormat
    recipients: Required[
        Annotated[list[Annotated[str, Field(min_length=1, max_length=254)]], Field(min_length=1, max_length=50)]
    ]
    parameters: dict[str, FieldValue]
    """The values it is run with."""
    only_if_rows: bool
    enabled: bool
