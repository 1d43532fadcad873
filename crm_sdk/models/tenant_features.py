"""What a tenant has: the services that are on, its limits, and what it uses."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from .deal_analytics import MetricPoint
from .record import Model
from .tenants import PlanName
from .values import EMPTY

_Limit: TypeAlias = Annotated[int, Field(ge=0, le=10**15)] | None
_BY_KEY = ConfigDict(extra="forbid", defer_build=True)
"""The configuration of an input whose members are keys, which travel as they are written."""


class TenantFeature(Model):
    """A service of the platform, and whether a company has it."""

    key: str
    """The key of the service, which is the first word of its calls."""
    name: str
    description: str | None = None
    enabled: bool
    """Whether its calls are served."""
    included_in_plan: bool
    """Whether the plan includes it."""
    required: bool
    """Whether it cannot be switched off."""
    minimum_plan: PlanName
    """The smallest plan that includes it."""


class TenantFeatures(Model):
    """The services of the platform that a company has."""

    tenant_id: str
    features: list[TenantFeature] = Field(default_factory=EMPTY)
    """All services, ordered by key."""


@with_config(_BY_KEY)
class FeatureSwitches(TypedDict, total=False):
    """Services by their keys: true switches one on, false off. Those left out stay as they are."""

    accounts: bool
    """Whether accounts are switched on."""
    activities: bool
    """Whether activities are switched on."""
    agents: bool
    """Whether agents are switched on."""
    ai_insights: bool
    """Whether AI insights are switched on."""
    analytics: bool
    """Whether analytics are switched on."""
    audit: bool
    """Whether audit is switched on."""
    auth: bool
    """Whether auth is switched on."""
    backups: bool
    """Whether backups are switched on."""
    calendar: bool
    """Whether calendar is switched on."""
    changes: bool
    """Whether changes are switched on."""
    chatops: bool
    """Whether ChatOps are switched on."""
    collaboration: bool
    """Whether collaboration is switched on."""
    communication: bool
    """Whether communication is switched on."""
    configuration: bool
    """Whether configuration is switched on."""
    contacts: bool
    """Whether contacts are switched on."""
    conversations: bool
    """Whether conversations are switched on."""
    custom_objects: bool
    """Whether custom objects are switched on."""
    customization: bool
    """Whether customization is switched on."""
    dashboards: bool
    """Whether dashboards are switched on."""
    deals: bool
    """Whether deals are switched on."""
    exports: bool
    """Whether exports are switched on."""
    files: bool
    """Whether files are switched on."""
    imports: bool
    """Whether imports are switched on."""
    integrations: bool
    """Whether integrations are switched on."""
    jobs: bool
    """Whether jobs are switched on."""
    leads: bool
    """Whether leads are switched on."""
    marketplace: bool
    """Whether marketplace is switched on."""
    monitoring: bool
    """Whether monitoring is switched on."""
    notifications: bool
    """Whether notifications are switched on."""
    objects: bool
    """Whether objects are switched on."""
    pipelines: bool
    """Whether pipelines are switched on."""
    presence: bool
    """Whether presence is switched on."""
    privacy: bool
    """Whether privacy is switched on."""
    reports: bool
    """Whether reports are switched on."""
    search: bool
    """Whether search is switched on."""
    security: bool
    """Whether security is switched on."""
    social: bool
    """Whether social is switched on."""
    tenants: bool
    """Whether tenants are switched on."""
    users: bool
    """Whether users are switched on."""
    webhooks: bool
    """Whether webhooks are switched on."""
    workflows: bool
    """Whether workflows are switched on."""


class UsageLimit(Model):
    """How much of something a company may have, and how much it has."""

    key: str
    """What is limited."""
    limit: int | None = None
    """The limit in force; null for none."""
    used: int
    """How much there is, or was used in the present hour or day."""
    remaining: int | None = None
    """What is left of it; null for no limit."""
    plan_limit: int | None = None
    """The limit of the company's plan; null for none."""
    resets_at: AwareDatetime | None = None
    """When the count begins again, for what is counted by the hour or the day."""


class TenantLimits(Model):
    """The limits of a company."""

    tenant_id: str
    limits: list[UsageLimit] = Field(default_factory=EMPTY)
    """All limits, in the order of the document."""


@with_config(_BY_KEY)
class LimitValues(TypedDict, total=False):
    """Limits by their keys, at most those of the plan; null goes back to the plan's. Those left out stay."""

    users: _Limit
    """Users, active and invited ones."""
    contacts: _Limit
    """Contacts."""
    deals: _Limit
    """Deals."""
    storage_bytes: _Limit
    """Bytes of all files together."""
    file_size_bytes: _Limit
    """Bytes of one file."""
    api_requests_per_hour: _Limit
    """Calls an hour, of all callers together."""
    bulk_requests_per_hour: _Limit
    """Bulk calls an hour, of all callers together."""
    websocket_connections: _Limit
    """Live connections at a time."""
    agent_calls_per_day: _Limit
    """Calls of AI agents a day."""
    custom_objects: _Limit
    """Custom objects."""
    custom_fields_per_object: _Limit
    """Fields of one custom object."""
    workflows: _Limit
    """Workflows."""
    emails_per_day: _Limit
    """E-mails sent a day."""
    flags: _Limit
    """Feature flags."""
    layouts: _Limit
    """Layouts and views."""
    api_keys: _Limit
    """API keys that work."""
    chat_messages_per_day: _Limit
    """Messages to the assistant a day."""
    export_schedules: _Limit
    """Schedules of exports."""
    backups: _Limit
    """Backups."""


class UsageMetric(Model):
    """How much of something a company has or has used."""

    key: str
    """What is counted."""
    used: int
    """How much there is now; of calls, how many were made in the range."""
    limit: int | None = None
    """The limit in force; null for none."""
    peak: int | None = None
    """The greatest number within an hour, for what is counted by the hour."""
    unit: Literal["count", "bytes"] | str
    """What it is counted in."""


class TenantUsage(Model):
    """What a company has and has used in a range of days."""

    tenant_id: str
    period_start: date
    """The first day."""
    period_end: date
    """The last day."""
    metrics: list[UsageMetric] = Field(default_factory=EMPTY)
    """The figures."""
    api_calls: list[MetricPoint] = Field(default_factory=EMPTY)
    """The number of calls by day or longer period, zeros included."""
    api_calls_by_user: dict[str, int] = Field(default_factory=dict)
    """The number of calls by the id of the user; those of API keys and apps without a user by the id of these."""
    api_calls_by_operation: dict[str, int] = Field(default_factory=dict)
    """The number of calls by their dotted name."""
    rate_limited: int = 0
    """The number of calls that were refused beyond a rate limit."""
