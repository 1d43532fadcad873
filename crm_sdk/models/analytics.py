"""Analytics: the figures of the dashboard, and what AI agents achieve and cost."""

from __future__ import annotations

from pydantic import Field

from .record import Model
from .values import EMPTY, Amount


class AnalyticsSummary(Model):
    """The figures of a company as they are."""

    total_leads: int
    qualified_leads: int
    conversion_rate: float
    """0..1: the share of the leads that were qualified."""
    total_revenue: Amount
    avg_deal_size: Amount


class DashboardTrends(Model):
    """What is new this month, against the same days of the month before."""

    leads_this_month: int
    leads_growth: float
    """0.12 is 12 % more."""
    revenue_this_month: Amount
    revenue_growth: float


class DashboardStats(Model):
    """The figures of the dashboard."""

    summary: AnalyticsSummary
    trends: DashboardTrends
    source_breakdown: dict[str, int] = Field(default_factory=dict)
    """Per cent of the leads, by their source."""


class AgentMetrics(Model):
    """What an agent did, and what that cost."""

    total_interactions: int
    successful_interactions: int
    avg_response_time: float
    """Seconds."""
    cost_per_interaction: Amount
    lead_qualification_rate: float
    """0..1: the share of the leads it was asked to qualify that it found ready."""


class AgentReport(Model):
    """The figures of one agent."""

    agent_id: str
    name: str
    metrics: AgentMetrics


class AiTotals(Model):
    """The figures of all agents together."""

    total_cost: Amount
    total_savings: Amount
    automation_rate: float
    """0..1: the share of all conversations that an agent settled."""


class AiPerformance(Model):
    """What the AI agents achieve and cost."""

    agents: list[AgentReport] = Field(default_factory=EMPTY)
    overall: AiTotals
