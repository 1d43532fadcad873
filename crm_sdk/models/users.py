"""Users: the people who work with the CRM, their roles and preferences."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, Field

from ..wire import wire
from .marks import OPEN, Default
from .record import Model, Record
from .values import EMPTY, Amount

UserRole: TypeAlias = Annotated[Literal["admin", "manager", "sales", "read_only"] | str, OPEN]
"""The key of a role; a company may define its own."""
UserStatus: TypeAlias = Literal["invited", "active", "inactive"] | str
Theme: TypeAlias = Literal["light", "dark", "system"] | str
Language: TypeAlias = Annotated[Literal["en", "de", "es", "ar"] | str, OPEN]


class RoleRef(Model):
    """A reference to a role."""

    id: str
    key: str
    """The key of the role."""
    name: str


class BusinessDay(Model):
    """A span of working hours on a weekday; a weekday may have several."""

    weekday: int
    """0 is Monday."""
    start: str
    """When work begins, as ``HH:MM``."""
    end: str
    """When work ends, as ``HH:MM``."""


class BusinessHours(Model):
    """The working hours of a user or a company."""

    timezone: str
    days: list[BusinessDay] = Field(default_factory=EMPTY)
    """The working hours of each weekday."""
    holidays: list[date] = Field(default_factory=EMPTY)
    """Days without work."""


@wire(flow="theme notifications timezone")
class UserPreferences(Model):
    """The preferences of a user."""

    theme: Theme | None = None
    """Light or dark."""
    notifications: bool | None = None
    """Whether the user gets any notifications."""
    timezone: str | None = None
    """Time zone, as an IANA name such as `Europe/Berlin`."""
    language: Language | None = None
    date_format: str | None = None
    """The format of dates."""
    time_format: Literal["12h", "24h"] | str | None = None
    """The format of times: 12 or 24 hours."""
    week_start: int | None = None
    """The first day of the week; 0 is Monday."""
    currency: str | None = None
    default_pipeline_id: str | None = None
    email_signature: str | None = None
    """The signature of the user's e-mails."""
    business_hours: BusinessHours | None = None
    """The user's working hours."""
    calendar_view: Literal["day", "week", "month"] | str | None = None
    """The default view of the calendar."""


@wire(mvp="id email name", flow="id email name avatar? role preferences created_at last_login")
class User(Record):
    """A person who works with the CRM."""

    email: str
    name: str
    avatar: str | None = None
    role: Annotated[UserRole | None, Default("sales")] = None
    roles: list[RoleRef] = Field(default_factory=EMPTY)
    """The user's roles."""
    preferences: UserPreferences | None = None
    """The user's preferences."""
    last_login: AwareDatetime | None = None
    """When the user last signed in."""
    status: Annotated[UserStatus | None, Default("active")] = None
    title: str | None = None
    department: str | None = None
    phone: str | None = None
    manager_id: str | None = None
    team_ids: list[str] = Field(default_factory=EMPTY)
    timezone: Annotated[str | None, Default("UTC")] = None
    locale: Annotated[str | None, Default("en")] = None
    monthly_quota: Amount | None = None
    """The user's revenue target for a month."""
    quota_currency: str | None = None
    """The currency of the quota."""
    email_verified: Annotated[bool | None, Default(True)] = None
    """Whether the address was confirmed."""
    mfa_enabled: Annotated[bool | None, Default(False)] = None
    """Whether sign-in requires a second factor."""
    tenant_id: str | None = None
