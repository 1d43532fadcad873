"""The marketplace: apps that all companies can install, and what they ask for."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .auth import Credential
from .marks import INPUT, Default
from .record import Model, Record
from .values import (
    EMPTY,
    EVENT_PATTERN,
    NOT_BLANK,
    PERMISSION_PATTERN,
    SEMVER_PATTERN,
    SETTING_PATTERN,
    SLUG_PATTERN,
    Amount,
    AmountInput,
    Currency,
    Email,
    FieldValue,
    Tags,
    Url,
)

AppStatus: TypeAlias = Literal["draft", "in_review", "published", "rejected", "suspended"] | str
"""``in_review``: an hour after it was submitted it is ``published`` or ``rejected``."""
VersionStatus: TypeAlias = Literal["in_review", "published", "rejected"] | str
PricingModel: TypeAlias = Literal["free", "freemium", "subscription", "one_time"] | str
PricingInterval: TypeAlias = Literal["month", "year"] | str
ConfigFieldType: TypeAlias = Literal["text", "secret", "number", "boolean", "select", "url", "email"] | str
CategoryKey: TypeAlias = (
    Literal["analytics", "communication", "data", "finance", "marketing", "productivity", "support"] | str
)
AppSort: TypeAlias = Literal["id", "name", "install_count", "rating", "published_at", "created_at", "updated_at"] | str

PermissionText: TypeAlias = Annotated[str, Field(pattern=PERMISSION_PATTERN, max_length=100)]
"""A resource and an action: ``contacts:read``, ``deals:update``."""
EventText: TypeAlias = Annotated[str, Field(pattern=EVENT_PATTERN, max_length=100)]
Slug: TypeAlias = Annotated[str, Field(pattern=SLUG_PATTERN, max_length=100)]
"""A name for addresses: words of a to z and 0 to 9 with hyphens between them."""
Semver: TypeAlias = Annotated[str, Field(pattern=SEMVER_PATTERN, max_length=100)]
"""A semantic version: ``1.2.0``, ``2.0.0-beta.1``."""
_Label: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, max_length=120)]
_Permissions: TypeAlias = Annotated[list[PermissionText], Field(max_length=100)]
_Events: TypeAlias = Annotated[list[EventText], Field(max_length=100)]


class AppSecret(Credential):
    """A secret of an app. The command line prints it: whoever may read it needs it elsewhere."""

    __slots__ = ()
    shown: ClassVar[bool] = True


class AppDeveloper(Model):
    """Who offers an app."""

    id: str
    name: str
    website: str | None = None
    verified: bool | None = None
    """Whether an app of theirs has passed the review."""


class AppPricing(Model):
    """What an app costs."""

    model: PricingModel
    """How it is paid for."""
    amount: Amount | None = None
    """The price, each month or year for a subscription."""
    currency: str | None = None
    interval: PricingInterval | None = None
    """How often a subscription is paid."""
    """How often a subscription is paid."""
    trial_days: int | None = None
    """The days that are free at the beginning."""


class ConfigField(Model):
    """One setting of an app, which the company that installs it gives."""

    key: str
    """The name of the setting in `config`."""
    label: str
    """What people read beside it."""
    type: ConfigFieldType
    required: bool = False
    """Whether the app needs a value; a default is one."""
    default: FieldValue = None
    """The value where the company gives none."""
    options: list[str] = Field(default_factory=EMPTY)
    """The values to select from."""
    help_text: str | None = None
    """What helps to find the right value."""
    pattern: str | None = None
    """A regular expression that the whole value of a text matches."""


class AppCategory(Model):
    """A shelf of the marketplace."""

    key: str
    """The value of `category` of its apps."""
    name: str
    description: str
    app_count: int
    """The number of its published apps."""


class App(Record):
    """An app of the marketplace."""

    slug: str | None = None
    """Its name in addresses, which no other app has; every call takes it in place of the id."""
    name: str
    tagline: str | None = None
    """What it does, in one line."""
    description: str | None = None
    category: str | None = None
    """The key of its category."""
    developer: AppDeveloper | None = None
    """Who offers it."""
    icon: str | None = None
    """URL of the icon."""
    screenshots: list[str] = Field(default_factory=EMPTY)
    """URLs of pictures."""
    website: str | None = None
    support_email: str | None = None
    """Where users get help."""
    privacy_url: str | None = None
    """What it does with data."""
    pricing: AppPricing | None = None
    """What it costs; without it, it is free."""
    permissions: list[str] = Field(default_factory=EMPTY)
    """The permissions it needs: ``contacts:read``."""
    optional_permissions: list[str] = Field(default_factory=EMPTY)
    """The permissions it can do without."""
    events: list[str] = Field(default_factory=EMPTY)
    """The events it subscribes to: ``deal.won``."""
    config_schema: list[ConfigField] = Field(default_factory=EMPTY)
    """The settings it has in each company."""
    webhook_url: str | None = None
    """Where its events are posted to."""
    redirect_uris: list[str] = Field(default_factory=EMPTY)
    """Where users come back to after they have signed in."""
    client_id: str | None = None
    """The id of its OAuth client; only its developer sees it."""
    client_secret: AppSecret | None = None
    """The secret that signs what is posted to it; only those who manage apps of its developer see it."""
    app_version: str | None = None
    """The latest published version."""
    status: Annotated[AppStatus | None, Default("in_review")] = None
    tags: list[str] = Field(default_factory=EMPTY)
    rating: Annotated[float | None, Default(0)] = None
    """The mean of its ratings, 0 to 5."""
    rating_count: Annotated[int | None, Default(0)] = None
    """The number of its ratings."""
    install_count: Annotated[int | None, Default(0)] = None
    """The number of companies that have it."""
    featured: Annotated[bool | None, Default(False)] = None
    """Whether the marketplace recommends it."""
    installed: bool | None = None
    """Whether the caller's company has it."""
    installation_id: str | None = None
    """Id of the installation of the caller's company."""
    published_at: AwareDatetime | None = None
    """When it passed the review."""


class AppVersion(Record):
    """A version of an app."""

    app_id: str
    app_version: str
    """The number of the version: ``1.2.0``."""
    changelog: str
    """What is new in it."""
    permissions: list[str] = Field(default_factory=EMPTY)
    """The permissions it needs."""
    optional_permissions: list[str] = Field(default_factory=EMPTY)
    """The permissions it can do without."""
    events: list[str] = Field(default_factory=EMPTY)
    """The events it subscribes to."""
    config_schema: list[ConfigField] = Field(default_factory=EMPTY)
    """The settings it has in each company."""
    package_file_id: str | None = None
    """Id of the file with its program."""
    status: VersionStatus | None = None
    """Whether it has passed the review."""
    published_at: AwareDatetime | None = None
    """When it passed the review."""


class _PricingMembers(TypedDict, total=False):
    amount: Annotated[AmountInput, Field(ge=0)] | None
    """The price, each month or year for a subscription."""
    currency: Currency | None
    interval: PricingInterval | None
    """How often a subscription is paid."""
    trial_days: Annotated[int, Field(ge=0, le=365)] | None
    """The days that are free at the beginning."""


@with_config(INPUT)
class AppPricingInput(_PricingMembers, total=False):
    """What an app costs, as input."""

    model: Required[PricingModel]
    """How it is paid for."""


@with_config(INPUT)
class AppPricingUpdate(_PricingMembers, total=False):
    """Changes to what an app costs; what is not given stays."""

    model: PricingModel
    """How it is paid for."""


@with_config(INPUT)
class ConfigFieldInput(TypedDict, total=False):
    """One setting of an app, as input."""

    key: Required[Annotated[str, Field(pattern=SETTING_PATTERN)]]
    """The name of the setting in `config`."""
    label: Required[_Label]
    """What people read beside it."""
    type: Required[ConfigFieldType]
    required: bool
    """Whether the app needs a value; a default is one."""
    default: FieldValue
    """The value where the company gives none."""
    options: Annotated[list[_Label], Field(max_length=200)] | None
    """The values to select from."""
    help_text: Annotated[str, Field(max_length=1_000)] | None
    """What helps to find the right value."""
    pattern: Annotated[str, Field(max_length=200)] | None
    """A regular expression that the whole value of a text matches."""


class _ListingMembers(TypedDict, total=False):
    slug: Slug
    """Its name in addresses, which no other app has; by default made from the name."""
    icon: Url | None
    """URL of the icon."""
    screenshots: Annotated[list[Url], Field(max_length=10)] | None
    """URLs of pictures."""
    website: Url | None
    optional_permissions: _Permissions | None
    """The permissions it can do without."""
    events: _Events | None
    """The events it subscribes to; they are posted to `webhook_url`."""
    config_schema: Annotated[list[ConfigFieldInput], Field(max_length=100)] | None
    """The settings it has in each company."""
    webhook_url: Url | None
    """Where its events are posted to."""
    redirect_uris: Annotated[list[Url], Field(max_length=20)] | None
    """Where users come back to after they have signed in."""
    tags: Tags | None


_Title: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, max_length=80)]
_Tagline: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, max_length=120)]
_Description: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, max_length=20_000)]


@with_config(INPUT)
class AppCreate(_ListingMembers, total=False):
    """An app that is submitted."""

    name: Required[_Title]
    tagline: Required[_Tagline]
    """What it does, in one line."""
    description: Required[_Description]
    category: Required[CategoryKey]
    """The key of its category."""
    support_email: Required[Email]
    """Where users get help."""
    privacy_url: Required[Url]
    """What it does with data."""
    permissions: Required[_Permissions]
    """The permissions it needs: ``contacts:read``."""
    pricing: AppPricingInput | None
    """What it costs; without it, it is free."""


@with_config(INPUT)
class AppUpdate(_ListingMembers, total=False):
    """Changes to an app's listing; null clears a member, lists are replaced."""

    name: _Title
    tagline: _Tagline
    """What it does, in one line."""
    description: _Description
    category: CategoryKey
    """The key of its category."""
    support_email: Email
    """Where users get help."""
    privacy_url: Url
    """What it does with data."""
    permissions: _Permissions
    """The permissions it needs."""
    pricing: AppPricingUpdate | None
    """What it costs; null makes it free."""


@with_config(INPUT)
class AppVersionCreate(TypedDict, total=False):
    """A version that is submitted; what it leaves out is as in the version before."""

    app_version: Semver
    """The number of the version, greater than the present one: ``1.2.0``."""
    version: Semver
    """Another name for `app_version`."""
    changelog: Required[_Description]
    """What is new in it."""
    permissions: _Permissions | None
    """The permissions it needs."""
    optional_permissions: _Permissions | None
    """The permissions it can do without."""
    events: _Events | None
    """The events it subscribes to."""
    config_schema: Annotated[list[ConfigFieldInput], Field(max_length=100)] | None
    """The settings it has in each company."""
    package_file_id: str | None
    """Id of the file with its program."""
