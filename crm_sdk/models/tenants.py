"""Tenants: the companies that work with the CRM, their and their configuration."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .marks import INPUT, Default
from .patterns import COLOR_PATTERN, DOMAIN_PATTERN, TENANT_SLUG_PATTERN
from .record import Model, Record
from .users import BusinessHours, BusinessHoursInput, Language, TimeFormat
from .values import (
    EMPTY,
    NOT_BLANK,
    AllowedNetwork,
    Amount,
    AmountInput,
    Currency,
    Email,
    LanguageTag,
    Name,
    TimeZone,
    Url,
)

TenantStatus: TypeAlias = Literal["provisioning", "active", "suspended", "cancelled"] | str
"""``provisioning`` while its data are set up; ``cancelled`` after its end."""
PlanName: TypeAlias = Literal["free", "pro", "enterprise"] | str
Region: TypeAlias = Literal["us", "eu", "ap"] | str
DefaultAssignment: TypeAlias = Literal["round_robin", "load_balanced", "territory", "none"] | str
DuplicatePolicy: TypeAlias = Literal["warn", "reject"] | str
CharacterClass: TypeAlias = Literal["upper", "lower", "digit", "symbol"] | str
TenantSort: TypeAlias = Literal["id", "name", "created_at", "updated_at"] | str
TenantSlug: TypeAlias = Annotated[str, Field(pattern=TENANT_SLUG_PATTERN)]
_Line: TypeAlias = Annotated[str, Field(max_length=200)]


class Tenant(Record):
    """A company that works with the CRM."""

    name: str
    slug: str
    """Its short name, unique among all companies; it cannot be changed."""
    domain: str | None = None
    status: Annotated[TenantStatus | None, Default("active")] = None
    plan: Annotated[PlanName | None, Default("free")] = None
    """What it pays for; `tenants.billing.upgrade` changes it."""
    region: Annotated[Region | None, Default("us")] = None
    """Where its data are; it cannot be changed."""
    timezone: Annotated[str | None, Default("UTC")] = None
    """Time zone, as an IANA name."""
    locale: Annotated[str | None, Default("en")] = None
    base_currency: Annotated[str | None, Default("USD")] = None
    """The currency of all sums; it cannot be changed once there is a deal."""
    admin_email: str | None = None
    """The address of its first admin."""
    admin_name: str | None = None
    """The name of its first admin."""
    logo: str | None = None
    trial_ends_at: AwareDatetime | None = None
    """When its trial ends."""
    user_count: int | None = None
    """How many users it has, active and invited ones."""
    managed_by: str | None = None
    """The id of the company that created it; null where it was not created by one."""
    cancelled_at: AwareDatetime | None = None
    """When it was ended."""


class _TenantMembers(TypedDict, total=False):
    domain: Annotated[str, Field(max_length=253)] | None
    timezone: TimeZone
    locale: LanguageTag
    base_currency: Currency
    logo: Url | None


@with_config(INPUT)
class TenantCreate(_TenantMembers, total=False):
    """A new company, managed by the caller's; without a slug it gets one made from its name."""

    name: Required[Name]
    slug: TenantSlug
    plan: PlanName
    region: Region
    admin_email: Required[Email]
    admin_name: Annotated[str, Field(pattern=NOT_BLANK, max_length=200)] | None
    """The name of its first admin."""


@with_config(INPUT)
class TenantUpdate(_TenantMembers, total=False):
    """Changes to a company; null clears a member."""

    name: Name


class CurrencyRate(Model):
    """What a currency is worth."""

    currency: str
    rate: Amount
    """How many units of the base currency one unit is worth."""
    as_of: date | None = None
    """The day that the rate is of."""


@with_config(INPUT)
class CurrencyRateInput(TypedDict, total=False):
    """What a currency is worth, as input."""

    currency: Required[Currency]
    rate: Required[Annotated[AmountInput, Field(gt=0)]]
    as_of: date | None
    """The day that the rate is of."""


class Branding(Model):
    """What a company's users see."""

    app_name: str | None = None
    """What the CRM is called."""
    logo: str | None = None
    primary_color: str | None = None
    """``#rrggbb``."""
    login_message: str | None = None
    """What the sign-in page says."""


@with_config(INPUT)
class BrandingInput(TypedDict, total=False):
    """What a company's users see, as input."""

    app_name: _Line | None
    """What the CRM is called."""
    logo: Url | None
    primary_color: Annotated[str, Field(pattern=COLOR_PATTERN)] | None
    login_message: Annotated[str, Field(max_length=2_000)] | None
    """What the sign-in page says."""


class EmailSettings(Model):
    """The sender of a company's e-mails, and what they end with."""

    from_address: str | None = None
    """The address of the sender."""
    from_name: str | None = None
    """The name of the sender."""
    reply_to: str | None = None
    """The address for replies."""
    footer: str | None = None
    """What e-mails end with."""


@with_config(INPUT)
class EmailSettingsInput(TypedDict, total=False):
    """The sender of a company's e-mails, as input."""

    from_address: Email | None
    """The address of the sender."""
    from_name: _Line | None
    """The name of the sender."""
    reply_to: Email | None
    """The address for replies."""
    footer: Annotated[str, Field(max_length=10_000)] | None
    """What e-mails end with."""


class SecuritySettings(Model):
    """The rules of sign-in."""

    password_min_length: int | None = None
    """How many characters a password needs."""
    password_require: list[CharacterClass] = Field(default_factory=EMPTY)
    """The kinds of characters that a password needs."""
    require_mfa: bool | None = None
    """Whether everybody needs a second factor."""
    require_email_verification: bool | None = None
    """Whether an address has to be verified before sign-in."""
    session_timeout_minutes: int | None = None
    """After how many minutes a session ends."""
    allowed_email_domains: list[str] = Field(default_factory=EMPTY)
    """The domains of which users may be; empty for any."""
    ip_allowlist: list[str] = Field(default_factory=EMPTY)
    """The networks from which calls are served, as CIDR; empty for any."""


@with_config(INPUT)
class SecuritySettingsInput(TypedDict, total=False):
    """The rules of sign-in, as input."""

    password_min_length: Annotated[int, Field(ge=8, le=128)]
    """How many characters a password needs."""
    password_require: Annotated[list[CharacterClass], Field(max_length=4)]
    require_mfa: bool
    """Whether everybody needs a second factor."""
    require_email_verification: bool
    """Whether an address has to be verified before sign-in."""
    session_timeout_minutes: Annotated[int, Field(ge=1, le=525_600)]
    """After how many minutes a session ends."""
    allowed_email_domains: Annotated[
        list[Annotated[str, Field(pattern=DOMAIN_PATTERN, max_length=253)]],
        Field(max_length=100),
    ]
    ip_allowlist: Annotated[list[AllowedNetwork], Field(max_length=100)]


class TenantConfig(Model):
    """The configuration of a company."""

    timezone: str | None = None
    """Time zone, as an IANA name."""
    locale: str | None = None
    languages: list[Language] = Field(default_factory=EMPTY)
    """The languages in which it is answered."""
    base_currency: str | None = None
    """The currency of all sums; `tenants.update` changes it."""
    currencies: list[CurrencyRate] = Field(default_factory=EMPTY)
    """The other currencies that amounts may have."""
    date_format: str | None = None
    """The format of dates."""
    time_format: TimeFormat | None = None
    """The format of times: 12 or 24 hours."""
    week_start: int | None = None
    """The first day of the week; 0 is Monday."""
    fiscal_year_start_month: int | None = None
    """The month in which the fiscal year begins: 1 is January."""
    business_hours: BusinessHours | None = None
    """The working hours."""
    branding: Branding | None = None
    """What its users see."""
    security: SecuritySettings | None = None
    """The rules of sign-in; null for users who may not read the company's record."""
    email: EmailSettings | None = None
    """The sender of its e-mails."""
    lead_assignment: DefaultAssignment | None = None
    """How leads are assigned."""
    default_pipeline_id: str | None = None
    """The pipeline of deals that name none."""
    duplicate_policy: DuplicatePolicy | None = None
    """Whether a second lead with the same e-mail address or phone number is refused."""
    config: dict[str, Any] = Field(default_factory=dict)
    """Settings of the company's own."""
    version: int | None = None
    """Goes up by one with every change of the configuration."""


@with_config(INPUT)
class TenantConfigUpdate(TypedDict, total=False):
    """Changes to a configuration: objects merge, lists are replaced."""

    timezone: TimeZone
    locale: LanguageTag
    languages: Annotated[list[Literal["en", "de", "es", "ar"] | str], Field(min_length=1, max_length=4)]
    currencies: Annotated[list[CurrencyRateInput], Field(max_length=200)]
    date_format: Annotated[str, Field(pattern=NOT_BLANK, max_length=50)]
    """The format of dates."""
    time_format: TimeFormat
    """The format of times: 12 or 24 hours."""
    week_start: Annotated[int, Field(ge=0, le=6)]
    fiscal_year_start_month: Annotated[int, Field(ge=1, le=12)]
    """The month in which the fiscal year begins: 1 is January."""
    business_hours: BusinessHoursInput | None
    """The working hours."""
    branding: BrandingInput | None
    security: SecuritySettingsInput
    email: EmailSettingsInput | None
    lead_assignment: DefaultAssignment
    default_pipeline_id: str | None
    duplicate_policy: DuplicatePolicy
    config: dict[str, Any] | None
