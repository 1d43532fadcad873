"""Analytics: the dashboard's figures, and what AI agents achieve and cost."""

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
        """Return how many leads and how much revenue there are, how they grow, and where leads come from."""

    @operation(mvp="GET /api/analytics/ai-performance")
    def ai_performance(self) -> AiPerformance:
        """Return what every AI agent did, achieved and cost."""
