"""Dashboards: widgets on a grid, each with figures of its own."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .marks import INPUT, Default
from .record import Model, Record
from .reports import (
    ChartSpec,
    ChartSpecInput,
    ChartSpecUpdate,
    DateRange,
    DateRangeInput,
    FieldPath,
    ReportGroup,
    ReportGroupInput,
    ReportMeasure,
    ReportMeasureInput,
    ReportName,
    ReportSort,
    ReportSortInput,
    RowLimit,
    SharedWith,
)
from .values import EMPTY, NOT_BLANK, EntityType, ErrorDetail, FilterGroup, Tags
from .workflow_actions import ConditionGroup

WidgetType: TypeAlias = (
    Literal[
        "kpi",
        "bar",
        "line",
        "area",
        "pie",
        "donut",
        "funnel",
        "table",
        "leaderboard",
        "feed",
        "gauge",
        "forecast",
        "text",
    ]
    | str
)
DashboardSort: TypeAlias = Literal["id", "name", "last_refreshed_at", "created_at", "updated_at"] | str
RefreshSeconds: TypeAlias = Annotated[int, Field(ge=0, le=86_400)]
WidgetTitle: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, max_length=100)]
Columns: TypeAlias = Annotated[int, Field(ge=1, le=24)]


class WidgetPosition(Model):
    """The place of a widget on the grid, in its cells."""

    x: int
    """The column, from 0."""
    y: int
    """The row, from 0."""
    width: int = 4
    """How many columns it takes."""
    height: int = 3
    """How many rows it takes."""


@with_config(INPUT)
class WidgetPositionInput(TypedDict, total=False):
    """The place of a widget on the grid, as input."""

    x: Required[Annotated[int, Field(ge=0, le=1_000)]]
    y: Required[Annotated[int, Field(ge=0, le=1_000)]]
    width: Annotated[int, Field(ge=1, le=24)]
    height: Annotated[int, Field(ge=1, le=100)]


@with_config(INPUT)
class WidgetPositionUpdate(TypedDict, total=False):
    """Changes to the place of a widget on the grid."""

    x: Annotated[int, Field(ge=0, le=1_000)]
    y: Annotated[int, Field(ge=0, le=1_000)]
    width: Annotated[int, Field(ge=1, le=24)]
    height: Annotated[int, Field(ge=1, le=100)]


class ReportQuery(Model):
    """Sums of records of one type, for a widget."""

    entity_type: EntityType
    filter_groups: list[ConditionGroup] = Field(default_factory=EMPTY)
    groups: list[ReportGroup] = Field(default_factory=EMPTY)
    measures: list[ReportMeasure] = Field(default_factory=EMPTY)
    date_field: str | None = None
    """The member that the days of the widget are about."""
    sort: list[ReportSort] = Field(default_factory=EMPTY)
    row_limit: int | None = None
    """So many records are read at most."""


@with_config(INPUT)
class ReportQueryInput(TypedDict, total=False):
    """Sums of records of one type, for a widget, as input."""

    entity_type: Required[EntityType]
    filter_groups: list[FilterGroup]
    groups: Annotated[list[ReportGroupInput], Field(max_length=3)]
    measures: Required[Annotated[list[ReportMeasureInput], Field(min_length=1, max_length=20)]]
    date_field: FieldPath | None
    """The member that the days of the widget are about."""
    sort: Annotated[list[ReportSortInput], Field(max_length=10)]
    row_limit: RowLimit | None


class WidgetSource(Model):
    """Where the figures of a widget come from: one of a report, a metric, a query and the feed."""

    report_id: str | None = None
    metric: str | None = None
    """A figure of `analytics.metrics`, such as ``sales.revenue``."""
    query: ReportQuery | None = None
    """Sums of records, without a report."""
    feed: dict[str, Any] | None = None
    """What of the feed is shown."""
    date_range: DateRange | None = None
    owner_id: str | None = None
    team_id: str | None = None
    pipeline_id: str | None = None


@with_config(INPUT)
class WidgetSourceInput(TypedDict, total=False):
    """Where the figures of a widget come from, as input: exactly one of `report_id`, `metric`, `query` and `feed`."""

    report_id: str | None
    metric: Annotated[str, Field(max_length=100)] | None
    query: ReportQueryInput | None
    """Sums of records, without a report."""
    feed: dict[str, Any] | None
    date_range: DateRangeInput | None
    owner_id: str | None
    team_id: str | None
    pipeline_id: str | None


class Widget(Record):
    """A part of a dashboard: a figure, a chart, a table or a text."""

    dashboard_id: str
    title: str
    type: WidgetType
    source: WidgetSource | None = None
    """Null for a text."""
    position: WidgetPosition
    chart: ChartSpec | None = None
    refresh_seconds: int | None = None
    """After how many seconds its figures are computed anew; null for the dashboard's."""
    content: str | None = None
    """What a text says."""
    config: dict[str, Any] = Field(default_factory=dict)


class _WidgetMembers(TypedDict, total=False):
    source: WidgetSourceInput | None
    refresh_seconds: RefreshSeconds | None
    content: Annotated[str, Field(max_length=10_000)] | None
    config: dict[str, Any] | None


@with_config(INPUT)
class WidgetCreate(_WidgetMembers, total=False):
    """A new part of a dashboard; without a `position` it takes the first free place."""

    title: Required[WidgetTitle]
    type: Required[WidgetType]
    position: WidgetPositionInput | None
    chart: ChartSpecInput | None


@with_config(INPUT)
class WidgetUpdate(_WidgetMembers, total=False):
    """Changes to a part of a dashboard; null clears a member."""

    title: WidgetTitle
    type: WidgetType
    position: WidgetPositionUpdate | None
    """Where it is from now on; what is not given of it stays."""
    chart: ChartSpecUpdate | None


@with_config(INPUT)
class WidgetInput(WidgetCreate, total=False):
    """A part of a dashboard, as input: with an `id` one that is there. Without a `position` it takes a free place."""

    id: str


class DashboardFilters(Model):
    """What all widgets of a dashboard are limited to, in place of their own."""

    date_range: DateRange | None = None
    owner_id: str | None = None
    team_id: str | None = None
    pipeline_id: str | None = None


@with_config(INPUT)
class DashboardFiltersInput(TypedDict, total=False):
    """What all widgets of a dashboard are limited to, as input."""

    date_range: DateRangeInput | None
    owner_id: str | None
    team_id: str | None
    pipeline_id: str | None


class Dashboard(Record):
    """Widgets on a grid."""

    name: str
    description: str | None = None
    columns: Annotated[int | None, Default(12)] = None
    """How many columns the grid has."""
    widgets: list[Widget] = Field(default_factory=EMPTY)
    """Its parts by position; empty in lists."""
    filters: DashboardFilters | None = None
    refresh_seconds: Annotated[int | None, Default(300)] = None
    """After how many seconds its figures are computed anew; 0 for never."""
    visibility: Annotated[SharedWith | None, Default("private")] = None
    """Who sees it beside its owner: nobody, the owner's teams, or everybody."""
    is_default: Annotated[bool | None, Default(False)] = None
    """Whether it is the one its owner sees first."""
    owner_id: str | None = None
    tags: list[str] = Field(default_factory=EMPTY)
    last_refreshed_at: AwareDatetime | None = None
    """When its figures were last computed."""
    widget_count: Annotated[int | None, Default(0)] = None
    warnings: list[ErrorDetail] = Field(default_factory=EMPTY)
    """What was left out of a copy."""


class _DashboardMembers(TypedDict, total=False):
    description: Annotated[str, Field(max_length=10_000)] | None
    columns: Columns
    widgets: Annotated[list[WidgetInput], Field(max_length=50)] | None
    filters: DashboardFiltersInput | None
    refresh_seconds: RefreshSeconds
    visibility: SharedWith
    is_default: bool
    owner_id: str | None
    tags: Tags | None


@with_config(INPUT)
class DashboardCreate(_DashboardMembers, total=False):
    """A new dashboard; only its name is required."""

    name: Required[ReportName]


@with_config(INPUT)
class DashboardUpdate(_DashboardMembers, total=False):
    """Changes to a dashboard; null clears a member, `widgets` replaces the whole set."""

    name: ReportName
