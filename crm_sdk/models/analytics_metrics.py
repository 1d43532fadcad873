"""The metrics of a company: sales, leads, activities, performance, and what happens right now."""

from __future__ import annotations

from datetime import date
from typing import Literal, TypeAlias

from pydantic import AwareDatetime, Field

from .deal_analytics import OwnerPerformance, Series
from .record import Model
from .values import EMPTY, Amount, EntityRef, UserRef

CompareTo: TypeAlias = Literal["previous_period", "previous_year", "none"] | str
ChangeType: TypeAlias = Literal["increase", "decrease", "none"] | str
MetricUnit: TypeAlias = Literal["count", "currency", "rate", "days", "minutes"] | str
PerformanceSort: TypeAlias = (
    Literal[
        "won_value",
        "deals_won",
        "deals_lost",
        "deals_created",
        "open_value",
        "weighted_value",
        "avg_deal_size",
        "win_rate",
        "avg_cycle_days",
        "activities",
        "attainment",
    ]
    | str
)


class MetricValue(Model):
    """A figure, compared with the same figure of an earlier time."""

    value: Amount
    """The figure itself."""
    previous: Amount | None = None
    """The figure of the time it is compared with; null without a comparison."""
    change: float | None = None
    """The change as a share: 0.12 is 12 % more; null without a comparison, or from nothing to something."""
    change_type: ChangeType
    """The direction of the change."""
    unit: MetricUnit
    """What the figure is measured in."""


class SalesMetrics(Model):
    """The sales of a range of days; sums are in `currency`."""

    revenue: MetricValue
    """The value of the deals won in the range."""
    won_deals: MetricValue
    """The number of deals won in the range."""
    lost_deals: MetricValue
    """The number of deals lost in the range."""
    new_deals: MetricValue
    """The number of deals created in the range."""
    open_deals: MetricValue
    """The number of open deals at the end of the range, or now while it lasts."""
    pipeline_value: MetricValue
    """The value of the open deals."""
    weighted_pipeline: MetricValue
    """The value of the open deals, each times its probability."""
    avg_deal_size: MetricValue
    """The mean value of the deals won; 0 where none was."""
    win_rate: MetricValue
    """Won of won and lost, 0..1."""
    avg_cycle_days: MetricValue
    """The mean number of days from created to won; 0 where none was won."""
    quota_attainment: MetricValue
    """Revenue ÷ the quotas of the owners; 0 without a quota."""
    series: list[Series]
    """`revenue` and `won_deals` of each period."""
    by_owner: list[OwnerPerformance]
    """The results of each owner, the best first."""
    currency: str
    start_date: date
    end_date: date
    """The last day of the range."""
    compared_start_date: date | None = None
    """The first day of the range it is compared with."""
    compared_end_date: date | None = None
    """The last day of the range it is compared with."""


class LeadMetrics(Model):
    """The leads of a range of days: those created in it, and what became of them."""

    total_leads: MetricValue
    """The number of leads created up to the end of the range."""
    new_leads: MetricValue
    """The number of leads created in the range."""
    qualified_leads: MetricValue
    """Those of the new leads that were ever qualified."""
    converted_leads: MetricValue
    """Those of the new leads that were converted."""
    conversion_rate: MetricValue
    """Converted of new, 0..1."""
    qualification_rate: MetricValue
    """Qualified of new, 0..1."""
    avg_score: MetricValue
    """The mean score of the new leads."""
    avg_response_minutes: MetricValue
    """The mean number of minutes from when a lead was created to when it was first called, written to or contacted."""
    unassigned_leads: MetricValue
    """Those of the new leads that nobody owns."""
    source_breakdown: dict[str, int] = Field(default_factory=dict)
    """The number of new leads from each source."""
    status_breakdown: dict[str, int] = Field(default_factory=dict)
    """The number of new leads in each status."""
    rating_breakdown: dict[str, int] = Field(default_factory=dict)
    """The number of new leads of each rating."""
    series: list[Series]
    """`new_leads`, `qualified_leads` and `converted_leads` of each period, by when they were created."""
    start_date: date
    end_date: date
    """The last day of the range."""


class OwnerActivity(Model):
    """The activities of one user within a range."""

    owner_id: str
    owner_name: str
    """Name of the owner, also of one who was deleted."""
    total: int
    calls: int
    """Calls made and received."""
    emails: int
    """E-mails sent and received."""
    meetings: int
    """Meetings that were not cancelled."""
    tasks_completed: int
    """Tasks that are done."""


class ActivityMetrics(Model):
    """The activities of a range of days, by their `occurred_at`."""

    total: MetricValue
    """The number of activities of every kind."""
    completed: MetricValue
    """Tasks, events and calls that are completed."""
    overdue_tasks: MetricValue
    """Tasks of the range that are open although their due date has passed."""
    meetings_held: MetricValue
    """Meetings that are completed."""
    no_shows: MetricValue
    """Events to which the other side did not come."""
    calls_made: MetricValue
    """Outbound calls that took place."""
    calls_connected: MetricValue
    """Outbound calls in which somebody answered."""
    emails_sent: MetricValue
    """Outbound e-mails, without drafts and failed ones."""
    emails_received: MetricValue
    """Inbound e-mails."""
    email_open_rate: MetricValue
    """The share of the sent e-mails that were opened, 0..1."""
    email_click_rate: MetricValue
    """The share of the sent e-mails in which a link was clicked, 0..1."""
    email_reply_rate: MetricValue
    """The share of the sent e-mails that were answered, 0..1."""
    by_kind: dict[str, int] = Field(default_factory=dict)
    """The number of activities of each kind, zeros included."""
    by_owner: list[OwnerActivity]
    """The activities of each user, the most first; also of those without any."""
    series: list[Series]
    """`total` and `completed` of each period."""


class TeamPerformance(Model):
    """The results of the members of a team together."""

    team_id: str
    team_name: str
    """Name of the team."""
    members: int
    """How many users are in the team."""
    won_value: Amount
    open_value: Amount
    """The value of the deals that are open now."""
    won: int
    lost: int
    win_rate: float
    attainment: float | None = None
    """Value won ÷ the quotas of the members; null without a quota."""


class PerformanceMetrics(Model):
    """The results of the owners of deals and of their teams within a range."""

    owners: list[OwnerPerformance]
    """By `sort`, the best first; also those without deals."""
    teams: list[TeamPerformance]
    """By value won, the best first. A user in two teams counts in both."""
    totals: OwnerPerformance
    """All owners together, each once, and the deals that nobody owns."""
    currency: str
    start_date: date
    end_date: date
    """The last day of the range."""


class EventSummary(Model):
    """Something that happened to a record."""

    id: str
    type: str
    """The name of the event, such as ``deal.won``."""
    entity: EntityRef
    """The record it happened to."""
    actor: UserRef | None = None
    """Who did it; null where it was not a user."""
    occurred_at: AwareDatetime
    """When it happened."""


class RealTimeMetrics(Model):
    """What has happened today, compared with yesterday at the same time; days are of the company's time zone."""

    as_of: AwareDatetime
    """The time of the figures."""
    leads_today: MetricValue
    """The number of leads created today."""
    deals_created_today: MetricValue
    """The number of deals created today."""
    deals_won_today: MetricValue
    """The number of deals won today."""
    messages_today: MetricValue
    """The number of messages sent and received today."""
    unread_messages: MetricValue
    """The number of messages that nobody has read."""
    activities_today: MetricValue
    """The number of activities that took place today."""
    tasks_due_today: MetricValue
    """The number of tasks due today that are still to be done."""
    active_users: MetricValue
    """The number of users who made a call within the last five minutes."""
    revenue_today: MetricValue
    """The value of the deals won today."""
    currency: str
    api_requests_last_minute: int
    """The number of calls to the API within the last minute."""
    recent_events: list[EventSummary] = Field(default_factory=EMPTY)
    """The latest events about records that the caller may see, newest first."""
