"""Analytics: metrics of the company, and doors to its dashboards and reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from typing_extensions import Unpack

from ..declare import operation, paginated
from ..listing import Listing, Range, ScopedRange
from ..paging import Page
from ..resource import Mode, Resource, part
from ..vocabulary.reporting import (
    DASHBOARD_ERRORS,
    DATA_TEXTS,
    REPORT_ERRORS,
    RUN_ERRORS,
    RUN_TEXTS,
    SCHEDULE_ERRORS,
)

if TYPE_CHECKING:
    from ..models.activities import ActivityKind
    from ..models.analytics import AiPerformance, DashboardStats
    from ..models.analytics_metrics import (
        ActivityMetrics,
        CompareTo,
        LeadMetrics,
        PerformanceMetrics,
        PerformanceSort,
        RealTimeMetrics,
        SalesMetrics,
    )
    from ..models.dashboards import Dashboard, DashboardCreate, DashboardSort, DashboardUpdate
    from ..models.report_runs import ReportData, ReportRun, ReportSchedule, ReportScheduleCreate
    from ..models.reports import (
        Report,
        ReportCreate,
        SharedWith,
    )
    from ..models.values import Currency, FieldValue, LeadSource, Limit, PageNumber

_COMPARED = {"compare_to": "What the figures are compared with."}


class AnalyticsMetrics(Resource[Mode]):
    """Metrics of the company, computed from its records when they are read.

    `start_date` and `end_date` are days of the company's time zone, both included: by default the last twelve months.
    `period` is the length of the periods of a series, by default a month. `compare_to` is ``previous_period`` (as many
    days right before), ``previous_year`` (the same days a year before) or ``none``.
    """

    @operation(
        platform="GET /analytics/metrics/sales",
        texts={**_COMPARED, "currency": "The currency of the sums; by default the company's."},
    )
    def sales(
        self,
        *,
        compare_to: CompareTo = "previous_period",
        currency: Currency | None = None,
        **common: Unpack[ScopedRange],
    ) -> SalesMetrics:
        """Compute revenue, wins, losses, pipeline and quota attainment of a range, and compare them with another.

        What was won counts with its value at that time; open deals count as they stood at the end of the range.

        Raises: ValidationError for a range that ends before it starts, or a currency without a rate.
        """

    @operation(platform="GET /analytics/metrics/leads", texts=_COMPARED)
    def leads(
        self,
        *,
        owner_id: str | None = None,
        source: LeadSource | None = None,
        compare_to: CompareTo = "previous_period",
        **common: Unpack[Range],
    ) -> LeadMetrics:
        """Count the leads created in a range and what became of them, and compare them with another range.

        Raises: ValidationError for a range that ends before it starts.
        """

    @operation(platform="GET /analytics/metrics/activities", texts=_COMPARED)
    def activities(
        self,
        *,
        owner_id: str | None = None,
        team_id: str | None = None,
        kind: ActivityKind | None = None,
        compare_to: CompareTo = "previous_period",
        **common: Unpack[Range],
    ) -> ActivityMetrics:
        """Count the activities of a range: calls, e-mails, meetings, tasks, and compare them with another range.

        Raises: ValidationError for a range that ends before it starts.
        """

    @operation(
        platform="GET /analytics/metrics/performance",
        texts={"sort": "The figure to rank the owners by, the greatest first."},
    )
    def performance(self, *, sort: PerformanceSort = "won_value", **common: Unpack[ScopedRange]) -> PerformanceMetrics:
        """Rank the owners of deals by a figure, with the figures of `deals.analytics.performance`, and sum up teams.

        A user in two teams counts in both of them, and once in the totals.

        Raises: ValidationError for a range that ends before it starts, or an unknown figure.
        """

    @operation(platform="GET /analytics/metrics/real-time")
    def real_time(self, *, owner_id: str | None = None, team_id: str | None = None) -> RealTimeMetrics:
        """Count what has happened today, compared with yesterday at the same time, and who is working now."""


class AnalyticsDashboards(Resource[Mode]):
    """The dashboards of `dashboards`, by another door."""

    @operation(platform="POST /analytics/dashboards", errors=DASHBOARD_ERRORS)
    def create(self, dashboard: DashboardCreate) -> Dashboard:
        """Create a dashboard with its widgets, as `dashboards.create` does.

        Raises: ValidationError.
        """

    @operation(platform="GET /analytics/dashboards/{dashboard_id}")
    def get(self, dashboard_id: str) -> Dashboard:
        """Fetch one dashboard with its widgets, as `dashboards.get` does.

        Raises: NotFoundError.
        """

    @operation(platform="PUT /analytics/dashboards/{dashboard_id}", errors=(*DASHBOARD_ERRORS, "GRID_TOO_NARROW"))
    def update(
        self, dashboard_id: str, changes: DashboardUpdate | Dashboard, *, version: int | None = None
    ) -> Dashboard:
        """Change a dashboard, as `dashboards.update` does.

        Raises: NotFoundError; ValidationError; PermissionDeniedError; ConflictError.
        """

    @operation(platform="DELETE /analytics/dashboards/{dashboard_id}")
    def delete(self, dashboard_id: str) -> None:
        """Delete a dashboard, as `dashboards.delete` does.

        Raises: NotFoundError; PermissionDeniedError.
        """

    @paginated(platform="GET /analytics/dashboards")
    def list(
        self,
        *,
        owner_id: str | None = None,
        visibility: SharedWith | None = None,
        tags: Sequence[str] | None = None,
        sort: DashboardSort | None = None,
        **common: Unpack[Listing],
    ) -> Page[Dashboard]:
        """List the dashboards that the caller may see, as `dashboards.list` does.

        Raises: ValidationError for a member that cannot be sorted by.
        """


class AnalyticsReportSchedules(Resource[Mode]):
    """The schedules of `reports.schedules`, by another door."""

    @operation(platform="POST /analytics/reports/schedule", status=201, action="update", errors=SCHEDULE_ERRORS)
    def create(self, report_id: str, schedule: ReportScheduleCreate) -> ReportSchedule:
        """Schedule a report, as `reports.schedules.create` does.

        Raises: ValidationError, also for an unknown report; ConflictError; PermissionDeniedError.
        """


class AnalyticsReports(Resource[Mode]):
    """The reports of `reports`, by another door."""

    schedules: AnalyticsReportSchedules[Mode] = part(AnalyticsReportSchedules)

    @operation(platform="POST /analytics/reports", errors=REPORT_ERRORS)
    def create(self, report: ReportCreate) -> Report:
        """Create a report, as `reports.create` does.

        Raises: ValidationError.
        """

    @operation(platform="GET /analytics/reports/{report_id}")
    def get(self, report_id: str) -> Report:
        """Fetch one report, as `reports.get` does.

        Raises: NotFoundError.
        """

    @operation(
        platform="POST /analytics/reports/{report_id}/run",
        status=201,
        statuses=(202,),
        action="read",
        errors=RUN_ERRORS,
        texts=RUN_TEXTS,
    )
    def run(
        self, report_id: str, *, parameters: Mapping[str, FieldValue] | None = None, limit: Limit | None = None
    ) -> ReportRun:
        """Run a report, as `reports.run` does.

        Raises: NotFoundError; ValidationError; ConflictError.
        """

    @operation(platform="GET /analytics/reports/{report_id}/data", errors=RUN_ERRORS, texts=DATA_TEXTS)
    def data(
        self,
        report_id: str,
        *,
        run_id: str | None = None,
        fresh: bool = False,
        page: PageNumber = 1,
        limit: Limit = 50,
    ) -> ReportData:
        """Fetch a page of a run of a report, as `reports.data` does.

        Raises: NotFoundError; ValidationError; ConflictError.
        """


class Analytics(Resource[Mode]):
    """Figures of the whole company, and doors to its dashboards and reports."""

    dashboards: AnalyticsDashboards[Mode] = part(AnalyticsDashboards)
    reports: AnalyticsReports[Mode] = part(AnalyticsReports)
    metrics: AnalyticsMetrics[Mode] = part(AnalyticsMetrics)

    @operation(mvp="GET /api/analytics/dashboard")
    def dashboard(self) -> DashboardStats:
        """Return the number of leads, the revenue, the growth of both, and the share of each lead source."""

    @operation(mvp="GET /api/analytics/ai-performance")
    def ai_performance(self) -> AiPerformance:
        """Return each AI agent's interactions, success and cost, and the totals of all agents."""
