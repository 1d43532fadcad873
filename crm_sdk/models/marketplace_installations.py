"""Installed apps: their permissions and settings in one company, their health, and how an app does in all companies."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AwareDatetime, Field

from .deal_analytics import Series
from .marketplace import AppSecret
from .record import Model, Record
from .values import EMPTY, Amount, ErrorDetail, FieldValue

InstallationState: TypeAlias = Literal["active", "needs_configuration", "update_available", "error", "suspended"] | str
"""``needs_configuration``: a required setting has no value; ``error``: its webhook address was given up."""
InstallationHealth: TypeAlias = Literal["healthy", "degraded", "failing"] | str
InstallationSort: TypeAlias = Literal["id", "created_at", "updated_at"] | str
ConfigValues: TypeAlias = dict[Annotated[str, Field(max_length=64)], FieldValue]
"""Values of an app's settings by their keys; null takes one away."""


class Installation(Record):
    """An app in a company."""

    app_id: str
    app_name: str | None = None
    """The name of the app."""
    app_version: str | None = None
    """The version that the company uses."""
    status: InstallationState | None = None
    granted_permissions: list[str] = Field(default_factory=EMPTY)
    """The permissions that the app has: ``contacts:read``."""
    config: dict[str, Any] = Field(default_factory=dict)
    """The settings by their keys, as the app's schema types them; of a secret only ``••••`` and its end."""
    installed_by: str | None = None
    """Id of the user who installed it, or of the key or app that did."""
    installed_at: AwareDatetime | None = None
    """When it was installed."""
    last_error: ErrorDetail | None = None
    """Why the last delivery of an event failed, if it did."""
    access_token: AppSecret | None = None
    """The token that the app calls with, until it is uninstalled; only the answer of `install` has it."""


class InstallationStatus(Model):
    """How an installed app does."""

    installation_id: str
    status: InstallationState
    health: InstallationHealth
    """``failing``: more than half of its last 20 deliveries failed, ``degraded``: more than a tenth."""
    checked_at: AwareDatetime
    """When this was found out."""
    version: str
    """The version that the company uses."""
    latest_version: str
    """The latest published version."""
    update_available: bool
    """Whether there is a later version."""
    missing_permissions: list[str] = Field(default_factory=EMPTY)
    """Permissions that the latest version needs and was not granted."""
    missing_config: list[str] = Field(default_factory=EMPTY)
    """Keys of settings that the latest version needs and that have no value."""
    api_calls_24h: int
    """Calls with its token in the last 24 hours."""
    events_delivered_24h: int
    """Events that were posted to it in the last 24 hours."""
    events_failed_24h: int
    """Attempts to post an event to it that failed in the last 24 hours."""
    last_event_at: AwareDatetime | None = None
    """When an event was last posted to it."""
    last_error: ErrorDetail | None = None
    """Why the last delivery of an event failed, if it did."""


class AppAnalytics(Model):
    """How an app does in all companies, none of which is named."""

    app_id: str
    start_date: date
    end_date: date
    """The last day of the range."""
    installs: int
    """How often it was installed in the range."""
    uninstalls: int
    """How often it was uninstalled in the range."""
    active_installs: int
    """The companies that have it at the end of the range."""
    churn_rate: float
    """Uninstalls per company that had it in the range, 0 to 1."""
    revenue: Amount
    """What became due in the range."""
    currency: str
    rating: float
    """The mean of its ratings, 0 to 5."""
    rating_count: int
    """The number of its ratings."""
    series: list[Series]
    """`installs`, `uninstalls` and `active` of each period."""
    by_version: dict[str, int] = Field(default_factory=dict)
    """The companies that have it, by version."""
    by_plan: dict[str, int] = Field(default_factory=dict)
    """The companies that have it, by the plan of the CRM they pay for."""
