"""Reports: tables and sums of records of one type, their runs and schedules."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .marks import INPUT, Default
from .patterns import WITHOUT_BRACES
from .record import Model, Record
from .values import (
    EMPTY,
    NOT_BLANK,
    Amount,
    AmountInput,
    EntityType,
    FieldValue,
    FilterGroup,
    Order,
    Period,
    Tags,
)
from .workflow_actions import ConditionGroup

ReportFormat: TypeAlias = Literal["tabular", "summary", "matrix"] | str
SharedWith: TypeAlias = Literal["private", "team", "tenant"] | str
ColumnFormat: TypeAlias = Literal["text", "number", "currency", "percent", "date", "datetime", "duration"] | str
MeasureFunction: TypeAlias = Literal["count", "count_distinct", "sum", "avg", "median", "min", "max"] | str
ParameterType: TypeAlias = Literal["text", "number", "date", "user", "select"] | str
DatePreset: TypeAlias = (
    Literal[
        "today",
        "this_week",
        "this_month",
        "this_quarter",
        "this_year",
        "last_7_days",
        "last_30_days",
        "last_90_days",
        "last_month",
        "last_quarter",
        "last_year",
        "custom",
    ]
    | str
)
ChartType: TypeAlias = (
    Literal["bar", "line", "area", "pie", "donut", "funnel", "scatter", "table", "kpi", "gauge"] | str
)
ReportListSort: TypeAlias = Literal["id", "name", "last_run_at", "run_count", "created_at", "updated_at"] | str
RunTrigger: TypeAlias = Literal["manual", "schedule", "export", "widget"] | str
ScheduleFormat: TypeAlias = Literal["pdf", "excel", "csv"] | str
Orientation: TypeAlias = Literal["portrait", "landscape"]
Paper: TypeAlias = Literal["A3", "A4", "A5", "letter", "legal"]
CsvDelimiter: TypeAlias = Literal[",", ";", "\t", "|"]
CsvEncoding: TypeAlias = Literal["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"]
ScheduleSort: TypeAlias = Literal["id", "created_at", "updated_at"] | str
ReportName: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, max_length=150)]
FieldPath: TypeAlias = Annotated[str, Field(min_length=1, max_length=100)]
"""A member of the records, or of a record one step away: ``account.industry``, ``owner.name``."""
Label: TypeAlias = Annotated[str, Field(max_length=100)]
RowLimit: TypeAlias = Annotated[int, Field(ge=1, le=100_000)]


class DateRange(Model):
    """The days that records must be of."""

    preset: DatePreset | None = None
    """Days by their name; ``custom`` for those from `start_date` to `end_date`."""
    start_date: date | None = None
    end_date: date | None = None
    """The last day."""


@with_config(INPUT)
class DateRangeInput(TypedDict, total=False):
    """The days that records must be of, as input; days of one's own have the preset ``custom``."""

    preset: DatePreset | None
    """Days by their name; ``custom`` for those from `start_date` to `end_date`."""
    start_date: date | None
    end_date: date | None


class ChartSpec(Model):
    """How figures are drawn."""

    type: ChartType
    x: str | None = None
    """The key of the horizontal axis."""
    y: list[str] = Field(default_factory=EMPTY)
    """The keys of the figures."""
    series: str | None = None
    """The key by which figures are told apart."""
    stacked: bool | None = None
    """Whether the figures of a place are put on each other."""
    title: str | None = None
    target: Amount | None = None
    """The figure to reach."""


class _ChartMembers(TypedDict, total=False):
    x: str | None
    y: list[str]
    series: str | None
    stacked: bool | None
    title: Label | None
    target: AmountInput | None


@with_config(INPUT)
class ChartSpecInput(_ChartMembers, total=False):
    """How figures are drawn, as input."""

    type: Required[ChartType]


@with_config(INPUT)
class ChartSpecUpdate(_ChartMembers, total=False):
    """Changes to how figures are drawn; what is not given stays."""

    type: ChartType


class ReportColumn(Model):
    """A column of a table."""

    field: str
    label: str | None = None
    format: ColumnFormat | None = None


@with_config(INPUT)
class ReportColumnInput(TypedDict, total=False):
    """A column of a table, as input."""

    field: Required[FieldPath]
    label: Label | None
    format: ColumnFormat | None


class ReportGroup(Model):
    """What records are grouped by."""

    field: str
    interval: Period | None = None
    """The length of the periods, for dates."""
    label: str | None = None


@with_config(INPUT)
class ReportGroupInput(TypedDict, total=False):
    """What records are grouped by, as input."""

    field: Required[FieldPath]
    interval: Period | None
    label: Label | None


class ReportMeasure(Model):
    """What is computed of the records of a group."""

    field: str | None = None
    """The member; null for ``count``."""
    function: MeasureFunction
    """What is computed."""
    label: str | None = None


@with_config(INPUT)
class ReportMeasureInput(TypedDict, total=False):
    """What is computed of the records of a group, as input; all but ``count`` need a field."""

    field: FieldPath | None
    function: Required[MeasureFunction]
    """What is computed; means and sums of numbers only."""
    label: Label | None


class ReportSort(Model):
    """What a table is sorted by."""

    key: str
    """The key of a column, group or measure."""
    order: Order = "asc"


@with_config(INPUT)
class ReportSortInput(TypedDict, total=False):
    """What a table is sorted by, as input: the key of a column, group or measure, such as ``sum_value``."""

    key: Required[FieldPath]
    order: Order


class ReportParameter(Model):
    """A value that is asked for when a report is run; filters name it as ``{{name}}``."""

    name: str
    label: str | None = None
    type: ParameterType
    default: FieldValue = None
    """Its value where none is given."""
    required: bool = False
    """Whether a run needs a value of it."""


@with_config(INPUT)
class ReportParameterInput(TypedDict, total=False):
    """A value that is asked for when a report is run, as input."""

    name: Required[Annotated[str, Field(pattern=WITHOUT_BRACES, max_length=50)]]
    label: Label | None
    type: Required[ParameterType]
    default: FieldValue
    """Its value where none is given."""
    required: bool
    """Whether a run needs a value of it."""


class Report(Record):
    """A table or sums of records of one type."""

    name: str
    description: str | None = None
    entity_type: EntityType
    format: Annotated[ReportFormat | None, Default("tabular")] = None
    """A table of records, sums by group, or sums by group and column."""
    columns: list[ReportColumn] = Field(default_factory=EMPTY)
    """The columns of a table."""
    filter_groups: list[ConditionGroup] = Field(default_factory=EMPTY)
    date_field: Annotated[str | None, Default("created_at")] = None
    """The member that `date_range` is about."""
    date_range: DateRange | None = None
    groups: list[ReportGroup] = Field(default_factory=EMPTY)
    across: list[ReportGroup] = Field(default_factory=EMPTY)
    """What the columns of a matrix are."""
    measures: list[ReportMeasure] = Field(default_factory=EMPTY)
    sort: list[ReportSort] = Field(default_factory=EMPTY)
    row_limit: Annotated[int | None, Default(10_000)] = None
    """So many records are read at most."""
    chart: ChartSpec | None = None
    parameters: list[ReportParameter] = Field(default_factory=EMPTY)
    """What is asked for when it is run."""
    folder: str | None = None
    visibility: Annotated[SharedWith | None, Default("private")] = None
    """Who sees it beside its owner: nobody, the owner's teams, or everybody."""
    owner_id: str | None = None
    tags: list[str] = Field(default_factory=EMPTY)
    last_run_at: AwareDatetime | None = None
    """When it was last run."""
    run_count: Annotated[int | None, Default(0)] = None
    schedule_count: Annotated[int | None, Default(0)] = None


class _ReportMembers(TypedDict, total=False):
    description: Annotated[str, Field(max_length=10_000)] | None
    format: ReportFormat | None
    columns: Annotated[list[ReportColumnInput], Field(max_length=100)] | None
    """The columns of a table; it needs one at least."""
    filter_groups: list[FilterGroup] | None
    date_field: FieldPath
    date_range: DateRangeInput | None
    groups: Annotated[list[ReportGroupInput], Field(max_length=3)] | None
    across: Annotated[list[ReportGroupInput], Field(max_length=2)] | None
    measures: Annotated[list[ReportMeasureInput], Field(max_length=20)] | None
    sort: Annotated[list[ReportSortInput], Field(max_length=10)] | None
    row_limit: RowLimit
    parameters: Annotated[list[ReportParameterInput], Field(max_length=20)] | None
    """What is asked for when it is run."""
    folder: Annotated[str, Field(max_length=150)] | None
    visibility: SharedWith
    owner_id: str | None
    tags: Tags | None


@with_config(INPUT)
class ReportCreate(_ReportMembers, total=False):
    """A new report: of a type of records, with columns for a table, or with groups and measures for sums."""

    name: Required[ReportName]
    entity_type: Required[EntityType]
    chart: ChartSpecInput | None


@with_config(INPUT)
class ReportUpdate(_ReportMembers, total=False):
    """Changes to a report; null clears a member, lists are replaced."""

    name: ReportName
    entity_type: EntityType
    chart: ChartSpecUpdate | None
