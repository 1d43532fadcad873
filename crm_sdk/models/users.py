"""Users: the people who work with the CRM, their roles and preferences."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from ..wire import wire
from .marks import INPUT, OPEN, Default
from .patterns import TimeOfDay
from .record import Model, Record
from .values import (
    EMPTY,
    Amount,
    AmountInput,
    Currency,
    Email,
    LanguageTag,
    Name,
    Phone,
    SocialProfile,
    SocialProfileInput,
    TimeZone,
)

UserRole: TypeAlias = Annotated[Literal["admin", "manager", "sales", "read_only"] | str, OPEN]
"""The key of a role; a company may define its own."""
UserStatus: TypeAlias = Literal["invited", "active", "inactive"] | str
Theme: TypeAlias = Literal["light", "dark", "system"] | str
"""A time of day, as ``HH:MM``."""
Language: TypeAlias = Literal["en", "de", "es", "ar"] | str
TimeFormat: TypeAlias = Literal["12h", "24h"] | str
CalendarLayout: TypeAlias = Literal["day", "week", "month"] | str
PermissionAction: TypeAlias = Literal["read", "create", "update", "delete", "export", "import", "manage"] | str
PermissionScope: TypeAlias = Literal["own", "team", "all"] | str
FieldAccess: TypeAlias = Literal["hidden", "read", "write"] | str
TeamRole: TypeAlias = Literal["member", "lead"] | str
UserSort: TypeAlias = Literal["id", "name", "email", "last_login", "created_at", "updated_at"] | str
TeamSort: TypeAlias = Literal["id", "name", "created_at", "updated_at"] | str


class RoleRef(Model):
    """A reference to a role."""

    id: str
    key: str
    """The key of the role."""
    name: str


class Permission(Model):
    """The permission for an action on the records of a resource."""

    resource: str
    """The first word of the calls' names, such as `leads`."""
    action: PermissionAction
    """What may be done."""
    scope: PermissionScope = "all"
    """Whose records: one's own and those that nobody owns, those of one's teams as well, or all."""


class FieldPermission(Model):
    """What a role may do with one member of the records of an entity."""

    entity: str
    """The entity that has the member, such as `contact`, or the API name of a custom object."""
    field: str
    """The member, such as `email`; one of the custom fields is `custom_fields.tier`."""
    access: FieldAccess
    """Whether the member is absent, can be read, or can be read and written."""


class Role(Record):
    """A set of permissions that users are given together."""

    key: str
    """The key of the role, by which users are given it."""
    name: str
    description: str | None = None
    permissions: list[Permission] = Field(default_factory=EMPTY)
    """What it permits."""
    field_permissions: list[FieldPermission] = Field(default_factory=EMPTY)
    """The members that it hides or lets nobody change; a member without an entry can be written."""
    is_system: Annotated[bool | None, Default(False)] = None
    """Whether every company has the role, which nobody can change."""
    user_count: Annotated[int | None, Default(0)] = None
    """The number of users who have the role."""


class EffectivePermissions(Model):
    """What a user may do: the permissions of all their roles together."""

    user_id: str
    roles: list[RoleRef] = Field(default_factory=EMPTY)
    """The user's roles."""
    permissions: list[Permission] = Field(default_factory=EMPTY)
    """One for each resource and action, with the widest scope that one of the roles gives."""
    features: list[str] = Field(default_factory=EMPTY)
    """The services that are switched on for the company."""
    is_admin: bool
    """Whether one of the roles is `admin`."""


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


@with_config(INPUT)
class BusinessDayInput(TypedDict, total=False):
    """A span of working hours on a weekday, as input."""

    weekday: Required[Annotated[int, Field(ge=0, le=6)]]
    """0 is Monday."""
    start: Required[TimeOfDay]
    """When work begins, as ``HH:MM``."""
    end: Required[TimeOfDay]
    """When work ends, as ``HH:MM``."""


@with_config(INPUT)
class BusinessHoursInput(TypedDict, total=False):
    """The working hours of a user or a company, as input; no two spans of a day may overlap."""

    timezone: TimeZone
    days: Annotated[list[BusinessDayInput], Field(max_length=50)]
    """The working hours of each weekday."""
    holidays: Annotated[list[date], Field(max_length=400)]
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
    """The language of the user interface: en, de, es or ar."""
    date_format: str | None = None
    """The format of dates."""
    time_format: TimeFormat | None = None
    """The format of times: 12 or 24 hours."""
    week_start: int | None = None
    """The first day of the week; 0 is Monday."""
    currency: str | None = None
    default_pipeline_id: str | None = None
    email_signature: str | None = None
    """The signature of the user's e-mails."""
    business_hours: BusinessHours | None = None
    """The user's working hours."""
    calendar_view: CalendarLayout | None = None
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
    """The time zone of the user's preferences."""
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


class _UserMembers(TypedDict, total=False):
    role: Annotated[str, Field(min_length=1, max_length=100)]
    title: Annotated[str, Field(max_length=200)] | None
    department: Annotated[str, Field(max_length=200)] | None
    phone: Phone | None
    manager_id: str | None
    locale: LanguageTag | None
    monthly_quota: Annotated[AmountInput, Field(ge=0)] | None
    quota_currency: Currency | None


@with_config(INPUT)
class UserCreate(_UserMembers, total=False):
    """A new user. Without a password, an invitation is sent to the address."""

    email: Required[Email]
    name: Required[Name]
    password: Annotated[str, Field(max_length=200)] | None


@with_config(INPUT)
class UserUpdate(_UserMembers, total=False):
    """Changes to a user; null clears a member. A new `role` replaces the first one."""

    email: Email
    name: Name


class UserProfile(Model):
    """What colleagues see of a user."""

    user_id: str
    name: str
    first_name: str | None = None
    last_name: str | None = None
    title: str | None = None
    department: str | None = None
    phone: str | None = None
    mobile: str | None = None
    bio: str | None = None
    """What the user says of themselves."""
    location: str | None = None
    timezone: str | None = None
    """The time zone of the user's preferences."""
    locale: str | None = None
    avatar: str | None = None
    social_profiles: list[SocialProfile] = Field(default_factory=EMPTY)
    manager_id: str | None = None
    skills: list[str] = Field(default_factory=EMPTY)
    """What the user is good at."""
    start_date: date | None = None
    """The user's first day at work."""
    updated_at: AwareDatetime | None = None


_Line: TypeAlias = Annotated[str, Field(max_length=200)]


@with_config(INPUT)
class UserProfileUpdate(TypedDict, total=False):
    """Changes to a profile; null clears a member, lists are replaced."""

    name: Name
    first_name: _Line | None
    last_name: _Line | None
    title: _Line | None
    department: _Line | None
    phone: Phone | None
    mobile: Phone | None
    bio: Annotated[str, Field(max_length=2_000)] | None
    location: _Line | None
    timezone: TimeZone | None
    locale: LanguageTag | None
    social_profiles: Annotated[list[SocialProfileInput], Field(max_length=50)] | None
    skills: Annotated[list[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=100)] | None
    start_date: date | None


@with_config(INPUT)
class UserPreferencesUpdate(TypedDict, total=False):
    """Changes to preferences; null restores the default."""

    theme: Theme | None
    notifications: bool | None
    timezone: TimeZone | None
    language: Language | None
    date_format: Annotated[str, Field(min_length=1, max_length=40)] | None
    time_format: TimeFormat | None
    week_start: Annotated[int, Field(ge=0, le=6)] | None
    currency: Currency | None
    default_pipeline_id: str | None
    email_signature: Annotated[str, Field(max_length=10_000)] | None
    business_hours: BusinessHoursInput | None
    calendar_view: CalendarLayout | None


class TeamMember(Model):
    """A user in a team."""

    user_id: str
    name: str | None = None
    role: TeamRole | None = None
    """Whether the user leads the team."""
    joined_at: AwareDatetime | None = None
    """When the user joined the team."""


class Team(Record):
    """Users who work together; teams form a tree."""

    name: str
    description: str | None = None
    manager_id: str | None = None
    parent_team_id: str | None = None
    """The team that it is a part of."""
    territory_id: str | None = None
    member_ids: list[str] = Field(default_factory=EMPTY)
    """Ids of the users in the team."""
    members: list[TeamMember] = Field(default_factory=EMPTY)
    """The users in the team."""
    member_count: Annotated[int | None, Default(0)] = None
    """The number of users in the team."""


class _TeamMembers(TypedDict, total=False):
    description: Annotated[str, Field(max_length=2_000)] | None
    manager_id: str | None
    parent_team_id: str | None
    territory_id: str | None


@with_config(INPUT)
class TeamCreate(_TeamMembers, total=False):
    """A new team; only its name is required. Its manager becomes a member, as its lead."""

    name: Required[Name]
    member_ids: Annotated[list[str], Field(max_length=1_000)] | None


@with_config(INPUT)
class TeamUpdate(_TeamMembers, total=False):
    """Changes to a team; null clears a member. Its members are changed by `users.teams.members`."""

    name: Name
