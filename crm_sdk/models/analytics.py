"""Analytics: the figures of the dashboard, and the performance and cost of AI agents."""

from __future__ import annotations

from pydantic import Field

from .record import Model
from .values import EMPTY, Amount


class AnalyticsSummary(Model):
    """The present totals of a company."""

    total_leads: int
    """The number of leads."""
    qualified_leads: int
    """The number of qualified leads."""
    conversion_rate: float
    """0..1: the share of the leads that were qualified."""
    total_revenue: Amount
    """The sum of the won deals."""
    avg_deal_size: Amount
    """The mean value of the won deals."""


class DashboardTrends(Model):
    """The figures of this month, compared with the same days of the previous month."""

    leads_this_month: int
    """The number of leads created this month."""
    leads_growth: float
    """The growth as a share: 0.12 is 12 % more."""
    revenue_this_month: Amount
    """The sum of the deals won this month."""
    revenue_growth: float
    """The growth as a share: 0.12 is 12 % more."""


class DashboardStats(Model):
    """The figures of the dashboard."""

    summary: AnalyticsSummary
    trends: DashboardTrends
    """This month, compared with the previous month."""
    source_breakdown: dict[str, int] = Field(default_factory=dict)
    """The share of the leads from each source, in per cent."""


class AgentMetrics(Model):
    """The interactions of an agent, and their cost."""

    total_interactions: int
    """The number of calls."""
    successful_interactions: int
    """The number of successful calls."""
    avg_response_time: float
    """The mean response time in seconds."""
    cost_per_interaction: Amount
    """The mean cost of a call."""
    lead_qualification_rate: float
    """0..1: the share of qualified leads among those that it was asked to qualify."""


class AgentReport(Model):
    """The figures of one agent."""

    agent_id: str
    name: str
    metrics: AgentMetrics
    """The agent's figures."""


class AiTotals(Model):
    """The figures of all agents together."""

    total_cost: Amount
    """The cost of all calls of agents."""
    total_savings: Amount
    """The cost that the agents have saved."""
    automation_rate: float
    """0..1: the share of all conversations that an agent handled."""


class AiPerformance(Model):
    """The performance and cost of the AI agents."""

    agents: list[AgentReport] = Field(default_factory=EMPTY)
    """The figures of each agent."""
    overall: AiTotals
    """The figures of all agents together."""
