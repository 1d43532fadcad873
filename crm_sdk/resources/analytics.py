"""Analytics: metrics of the company, and doors to its dashboards and reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import Unpack

from ..declare import operation
from ..listing import Range, ScopedRange
from ..resource import Mode, Resource, part

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
    from ..models.values import Currency, LeadSource

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


class Analytics(Resource[Mode]):
    """Figures of the whole company."""

    metrics: AnalyticsMetrics[Mode] = part(AnalyticsMetrics)

    @operation(mvp="GET /api/analytics/dashboard")
    def dashboard(self) -> DashboardStats:
        """Return the number of leads, the revenue, the growth of both, and the share of each lead source."""

    @operation(mvp="GET /api/analytics/ai-performance")
    def ai_performance(self) -> AiPerformance:
        """Return each AI agent's interactions, success and cost, and the totals of all agents."""
