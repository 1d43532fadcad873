"""Exports of any records to files, and schedules by which they are made."""

from __future__ import annotations

from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .marks import INPUT, Default
from .record import Model, Record
from .reports import CsvDelimiter, CsvEncoding
from .schedules import Schedule, ScheduleInput, ScheduleUpdate
from .values import EMPTY, NOT_BLANK, FilterGroup, TimeZone

ExportFormat: TypeAlias = Literal["csv", "xlsx", "jsonl", "json", "vcf", "ics"]
ExportMode: TypeAlias = Literal["full", "changed"]
ExportScheduleSort: TypeAlias = Literal["id", "name", "next_run_at", "last_run_at", "created_at", "updated_at"] | str
_Entity: TypeAlias = Annotated[str, Field(min_length=1, max_length=100)]
_FieldPath: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
_Id: TypeAlias = Annotated[str, Field(min_length=1, max_length=100)]
_Entities: TypeAlias = Annotated[list[_Entity], Field(min_length=1, max_length=20)]
_ScheduleName: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, max_length=100)]
_Recipients: TypeAlias = Annotated[list[Annotated[str, Field(min_length=1, max_length=254)]], Field(max_length=50)]


class ExportRequest(Model):
    """What is exported, and how it is written."""

    entity_types: list[str]
    """The entities: ``contact``, or the API name of a custom object. Several make one zip."""
    format: Annotated[ExportFormat | str | None, Default("csv")] = None
    """``vcf`` is for contacts and leads, ``ics`` for activities: events and tasks."""
    fields: dict[str, list[str]] = Field(default_factory=dict)
    """The fields by entity; an entity that is absent has all that the caller may read."""
    filter_groups: dict[str, list[FilterGroup]] = Field(default_factory=dict)
    """Conditions by entity: of several groups one must match."""
    view: str | None = None
    """Id of a layout whose conditions, order and columns apply; one entity only."""
    ids: list[str] = Field(default_factory=EMPTY)
    """The records; with conditions both must hold. One entity only."""
    include_deleted: Annotated[bool | None, Default(False)] = None
    """Whether deleted records are in it, with the column ``deletedAt``."""
    changed_since: AwareDatetime | None = None
    """Only records that were changed at this time or later."""
    labels: Annotated[bool | None, Default(False)] = None
    """Whether choices are written by their labels in place of their values."""
    delimiter: Annotated[str | None, Default(",")] = None
    """The character between the columns of CSV."""
    encoding: Annotated[str | None, Default("utf-8")] = None
    """The character encoding of CSV; only ``utf-8-sig`` and ``utf-16`` have a byte order mark."""
    timezone: Annotated[str | None, Default("UTC")] = None
    """The zone in which CSV and workbooks have times."""
    file_name: str | None = None
    """What the file is called; it gets the ending of its format where it lacks it."""


class _RequestMembers(TypedDict, total=False):
    format: ExportFormat
    fields: (
        Annotated[dict[str, Annotated[list[_FieldPath], Field(min_length=1, max_length=500)]], Field(max_length=20)]
        | None
    )
    filter_groups: Annotated[dict[str, list[FilterGroup]], Field(max_length=20)] | None
    view: _Id | None
    ids: Annotated[list[_Id], Field(max_length=10_000)] | None
    include_deleted: bool
    changed_since: AwareDatetime | None
    labels: bool
    delimiter: CsvDelimiter
    encoding: CsvEncoding
    timezone: TimeZone
    file_name: Annotated[str, Field(min_length=1, max_length=255)] | None


@with_config(INPUT)
class ExportRequestInput(_RequestMembers, total=False):
    """What is exported, and how it is written, as input."""

    entity_types: Required[_Entities]
    """The entities, 1 to 20."""


@with_config(INPUT)
class ExportRequestUpdate(_RequestMembers, total=False):
    """Changes of what a schedule exports: members left out keep their values."""

    entity_types: _Entities
    """The entities, 1 to 20."""


class ExportSchedule(Record):
    """When records are exported by themselves, and for whom."""

    name: str
    request: ExportRequest
    """What is exported."""
    schedule: Schedule
    """When it runs."""
    mode: Annotated[ExportMode | str | None, Default("full")] = None
    """``changed`` exports what became different since the last success, with a column ``_change``."""
    recipients: list[str] = Field(default_factory=EMPTY)
    """Ids of users, or e-mail addresses, who are told of each file."""
    enabled: Annotated[bool | None, Default(True)] = None
    next_run_at: AwareDatetime | None = None
    """When it runs next; null where it does not."""
    last_run_at: AwareDatetime | None = None
    """When it last ran."""
    last_status: Literal["succeeded", "failed", "skipped"] | str | None = None
    """How the last run ended; ``skipped`` while its owner is not active."""
    last_job_id: str | None = None
    """The job of the last run."""
    owner_id: str | None = None
    """Whose permissions decide what is in it."""


class _ScheduleMembers(TypedDict, total=False):
    mode: ExportMode
    recipients: _Recipients | None
    enabled: bool


@with_config(INPUT)
class ExportScheduleCreate(_ScheduleMembers, total=False):
    """A new schedule of an export; the caller owns it."""

    name: Required[_ScheduleName]
    request: Required[ExportRequestInput]
    """What is exported."""
    schedule: Required[ScheduleInput]
    """When it runs."""


@with_config(INPUT)
class ExportScheduleUpdate(_ScheduleMembers, total=False):
    """Changes of a schedule of an export."""

    name: _ScheduleName
    request: ExportRequestUpdate
    """What is exported; another request begins with everything again, also in the mode ``changed``."""
    schedule: ScheduleUpdate
    """When it runs."""
