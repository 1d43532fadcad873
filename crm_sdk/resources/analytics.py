"""Analytics: the figures of the dashboard, and the performance and cost of AI agents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..declare import operation
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from ..models.analytics import AiPerformance, DashboardStats


class Analytics(Resource[Mode]):
    """Figures of the whole company."""

    @operation(mvp="GET /api/analytics/dashboard")
    def dashboard(self) -> DashboardStats:
        """Return the number of leads, the revenue, the growth of both, and the share of each lead source."""

    @operation(mvp="GET /api/analytics/ai-performance")
    def ai_performance(self) -> AiPerformance:
        """Return each AI agent's interactions, success and cost, and the totals of all agents."""
