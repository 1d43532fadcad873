"""What dashboards show: the figures of their widgets, and the events of those who follow one."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import AwareDatetime

from .analytics_metrics import MetricValue
from .collaboration import FeedItem
from .dashboards import DashboardFilters
from .deal_analytics import Series
from .record import Model
from .report_runs import ReportData
from .values import ErrorDetail

DashboardEventName: TypeAlias = (
    Literal["snapshot", "widget.updated", "dashboard.updated", "dashboard.deleted", "heartbeat"] | str
)


class WidgetData(Model):
    """What a widget shows."""

    widget_id: str
    title: str
    type: str
    """The type of the widget."""
    generated_at: AwareDatetime
    """When it was computed."""
    value: MetricValue | None = None
    """The one figure it shows."""
    series: list[Series] | None = None
    """Its figures by period."""
    table: ReportData | None = None
    """Its records, or their sums."""
    feed: list[FeedItem] | None = None
    """What has happened, newest first."""
    cached: bool
    """Whether it was computed for an earlier call."""
    error: ErrorDetail | None = None
    """Why it shows nothing: ``SOURCE_MISSING`` where what it shows is gone, or not the viewer's to see."""


class DashboardData(Model):
    """What the widgets of a dashboard show."""

    dashboard_id: str
    generated_at: AwareDatetime
    """When it was put together."""
    filters: DashboardFilters
    """What all widgets were limited to."""
    widgets: list[WidgetData]
    """What each widget shows, by position."""
    stale: bool
    """Whether records were written since some of the figures were computed."""


class DashboardEvent(Model):
    """Something that those who follow a dashboard are told."""

    id: str
    """Its number; a stream that begins anew continues after it."""
    event: DashboardEventName
    """What it is: all figures, those of one widget, a change of the dashboard, its end, or that all is well."""
    at: AwareDatetime
    """When it was sent."""
    data: DashboardData | None = None
    """All figures, of a snapshot and after a change of the dashboard."""
    widget: WidgetData | None = None
    """The figures that have changed."""
