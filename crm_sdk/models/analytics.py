"""Analytics: the figures of the dashboard, and what AI agents achieve and cost."""

from __future__ import annotations

from pydantic import Field

from .record import Model
from .values import EMPTY, Amount


class AnalyticsSummary(Model):
    """The figures of a company as they are."""

    total_leads: int
    """How many leads there are."""
    qualified_leads: int
    """How many of the leads are qualified."""
    conversion_rate: float
    """0..1: the share of the leads that were qualified."""
    total_revenue: Amount
    """The sum of the deals that were won."""
    avg_deal_size: Amount
    """The mean amount of the deals that were won."""


class DashboardTrends(Model):
    """What is new this month, against the same days of the month before."""

    leads_this_month: int
    """Leads that came this month."""
    leads_growth: float
    """0.12 is 12 % more."""
    revenue_this_month: Amount
    """The sum of the deals won this month."""
    revenue_growth: float
    """This month's revenue against that of the last, as a share."""


class DashboardStats(Model):
    """The figures of the dashboard."""

    summary: AnalyticsSummary
    trends: DashboardTrends
    """How this month compares with the last."""
    source_breakdown: dict[str, int] = Field(default_factory=dict)
    """Per cent of the leads, by their source."""


class AgentMetrics(Model):
    """What an agent did, and what that cost."""

    total_interactions: int
    """How often it was called."""
    successful_interactions: int
    """How often it went well."""
    avg_response_time: float
    """Seconds."""
    cost_per_interaction: Amount
    """What one call costs."""
    lead_qualification_rate: float
    """0..1: the share of the leads it was asked to qualify that it found ready."""


class AgentReport(Model):
    """The figures of one agent."""

    agent_id: str
    name: str
    metrics: AgentMetrics
    """The agent's figures."""


class AiTotals(Model):
    """The figures of all agents together."""

    total_cost: Amount
    """What the agents cost."""
    total_savings: Amount
    """What the agents saved."""
    automation_rate: float
    """0..1: the share of all conversations that an agent settled."""


class AiPerformance(Model):
    """What the AI agents achieve and cost."""

    agents: list[AgentReport] = Field(default_factory=EMPTY)
    """The figures of each agent."""
    overall: AiTotals
    """The figures of all agents together."""
