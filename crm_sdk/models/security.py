"""Security: roles as input, decisions about access, and API keys."""

from __future__ import annotations

from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .marks import INPUT, OPEN
from .patterns import ROLE_KEY_PATTERN
from .record import Model, Record
from .tenants import SecuritySettings, SecuritySettingsInput
from .users import FieldAccess, PermissionAction, PermissionScope
from .values import EMPTY, AllowedNetwork, EntityType, UserRef

AccessReason: TypeAlias = (
    Literal[
        "granted", "no_permission", "out_of_scope", "field_forbidden", "feature_disabled", "not_in_plan",
        "user_inactive", "not_found",
    ]
    | str
)  # fmt: skip
GrantKind: TypeAlias = Literal["role", "owner", "team", "share", "file_permission"] | str
ApiKeyStatus: TypeAlias = Literal["active", "expired", "revoked"] | str
RoleSort: TypeAlias = Literal["id", "key", "name", "created_at", "updated_at"] | str
ApiKeySort: TypeAlias = Literal["id", "last_used_at", "expires_at", "created_at", "updated_at"] | str
RoleKey: TypeAlias = Annotated[str, Field(pattern=ROLE_KEY_PATTERN)]
"""The key of a role: small letters, digits and underscores."""
_Word: TypeAlias = Annotated[str, Field(min_length=1, max_length=100)]
_Title: TypeAlias = Annotated[str, Field(min_length=1, max_length=100)]
_Text: TypeAlias = Annotated[str, Field(max_length=2_000)]
AnyWord: TypeAlias = Annotated[str, Field(max_length=100), OPEN]
KeyPermission: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
"""A permission as a text, such as `leads:read` or `deals:update@own`."""


@with_config(INPUT)
class PermissionInput(TypedDict, total=False):
    """The permission for an action on the records of a resource, as input."""

    resource: Required[_Word]
    """The first word of the calls' names, such as `leads`, or the API name of a custom object."""
    action: Required[_Word]
    """What may be done."""
    scope: _Word
    """Whose records; without it, all."""


@with_config(INPUT)
class FieldPermissionInput(TypedDict):
    """What a role may do with one member of the records of an entity, as input."""

    entity: _Word
    """The entity that has the member, such as `contact`."""
    field: _Word
    """The member, such as `email`."""
    access: FieldAccess
    """Whether the member is absent, can be read, or can be read and written."""


class _RoleMembers(TypedDict, total=False):
    description: _Text | None
    field_permissions: Annotated[list[FieldPermissionInput], Field(max_length=1_000)] | None
    """The members that it hides or lets nobody change; a member without an entry can be written."""


@with_config(INPUT)
class RoleCreate(_RoleMembers, total=False):
    """A new role; its key cannot be changed."""

    key: Required[RoleKey]
    """What users are given the role by; it cannot be changed."""
    name: Required[_Title]
    permissions: Required[Annotated[list[PermissionInput], Field(max_length=1_000)]]
    """What it permits: no more than the caller may do."""


@with_config(INPUT)
class RoleUpdate(_RoleMembers, total=False):
    """Changes to a role; its lists are replaced as a whole."""

    name: _Title
    permissions: Annotated[list[PermissionInput], Field(max_length=1_000)]
    """What it permits: no more than the caller may do."""


class PermissionInfo(Model):
    """A permission that a role can have."""

    resource: str
    """The first word of the calls' names, such as `leads`, or the API name of a custom object."""
    action: PermissionAction
    """What may be done."""
    scopes: list[PermissionScope] = Field(default_factory=EMPTY)
    """Whose records it can be limited to."""
    label: str
    """Its name for a list of permissions."""
    description: str
    """What it is for."""
    feature: str | None = None
    """The feature that switches the service off; null where nothing does."""
    operations: list[str] = Field(default_factory=EMPTY)
    """The calls that it opens, such as `contacts.list`."""


@with_config(INPUT)
class EntityInput(TypedDict, total=False):
    """A reference to a record of any kind, as input."""

    type: Required[Annotated[EntityType, OPEN]]
    id: Required[_Word]
    name: Annotated[str, Field(max_length=500)] | None


@with_config(INPUT)
class AccessCheck(TypedDict, total=False):
    """Something that somebody may do, or not, with a resource or with one record."""

    action: Required[PermissionAction]
    """What is to be done."""
    resource: _Word
    """The first word of the calls' names, such as `leads`; not needed with `entity`."""
    entity: EntityInput
    """The record that it is about."""
    fields: Annotated[list[_Word], Field(max_length=500)]
    """The members that are to be read or written."""


class AccessGrant(Model):
    """What gives somebody a permission."""

    kind: GrantKind
    """Whether it is a role, being the owner, a team, a share, or what the file itself permits."""
    id: str
    name: str


class AccessDecision(Model):
    """The answer to one question."""

    allowed: bool
    """Whether it may be done."""
    reason: AccessReason
    """Why, or why not."""
    permission: str | None = None
    """The permission that decides, such as `deals:update`."""
    scope: PermissionScope | None = None
    """For whose records somebody has the permission; null for none."""
    via: list[AccessGrant] = Field(default_factory=EMPTY)
    """What gives the permission."""
    denied_fields: list[str] = Field(default_factory=EMPTY)
    """Those of the asked members that cannot be read or written."""


class ApiKey(Record):
    """A key for programs, which acts as one user."""

    name: str
    description: str | None = None
    user_id: str
    """Id of the user as whom it acts."""
    permissions: list[str] = Field(default_factory=EMPTY)
    """What it may do, such as `leads:read`; never more than the user may."""
    ip_allowlist: list[str] = Field(default_factory=EMPTY)
    """The networks from which it works, such as `203.0.113.0/24`; empty for any."""
    expires_at: AwareDatetime | None = None
    prefix: str
    """Its first twelve characters, to recognise it by."""
    key: str | None = None
    """The key itself; only the answer that makes it has it."""
    status: ApiKeyStatus
    """Whether it works."""
    last_used_at: AwareDatetime | None = None
    """When it was used last."""
    last_used_ip: str | None = None
    """The address of its latest call."""
    use_count: int
    """How many calls were made with it."""
    revoked_at: AwareDatetime | None = None
    """When it was revoked."""
    previous_valid_until: AwareDatetime | None = None
    """Until when the key before the latest rotation works as well."""


@with_config(INPUT)
class ApiKeyCreate(TypedDict, total=False):
    """A new API key; only its name is required."""

    name: Required[Annotated[str, Field(min_length=1, max_length=80)]]
    description: _Text | None
    user_id: str
    """Id of the user as whom it acts; without it, the caller."""
    permissions: Annotated[list[KeyPermission], Field(max_length=500)]
    ip_allowlist: Annotated[list[AllowedNetwork], Field(max_length=100)]
    expires_at: AwareDatetime | None


class SecurityPolicy(SecuritySettings):
    """The rules of sign-in, API keys and links of the company."""

    lockout_attempts: int | None = 5
    """How many failed sign-ins lock an address."""
    lockout_minutes: int | None = 15
    """For how many minutes it stays locked, and failures count."""
    session_idle_minutes: int | None = None
    """After how many minutes without a call a session ends; null for `session_timeout_minutes`."""
    password_max_age_days: int | None = None
    """How many days a password is good for; null for ever."""
    password_history: int | None = 5
    """How many of the last passwords cannot be set again."""
    api_key_max_days: int | None = None
    """How many days an API key lasts at most; null for any time."""
    allow_share_links: bool | None = True
    """Whether files can be shared by links."""
    allow_api_keys: bool | None = True
    """Whether users may make API keys of their own."""
    default_scope: PermissionScope | None = "all"
    """Which records the built-in sales role reads."""
    version: int = 1


@with_config(INPUT)
class SecurityPolicyInput(SecuritySettingsInput, total=False):
    """Changes to the security policy."""

    lockout_attempts: Annotated[int, Field(ge=3, le=20)]
    """How many failed sign-ins lock an address."""
    lockout_minutes: Annotated[int, Field(ge=1, le=1_440)]
    """For how many minutes it stays locked, and failures count."""
    session_idle_minutes: Annotated[int, Field(ge=1, le=525_600)] | None
    """After how many minutes without a call a session ends; null for `session_timeout_minutes`."""
    password_max_age_days: Annotated[int, Field(ge=1, le=3_650)] | None
    """How many days a password is good for; null for ever."""
    password_history: Annotated[int, Field(ge=0, le=24)]
    """How many of the last passwords cannot be set again."""
    api_key_max_days: Annotated[int, Field(ge=1, le=3_650)] | None
    """How many days an API key lasts at most; null for any time."""
    allow_share_links: bool
    allow_api_keys: bool
    default_scope: Literal["own", "team", "all"]
    """Which records the built-in sales role reads."""


class PolicyImpact(Model):
    """Whom a policy affects."""

    users_without_mfa: list[UserRef] = Field(default_factory=EMPTY)
    """The active users who would have to set a second factor up."""
    sessions_ending: int = 0
    """The number of sessions that have been unused for longer than the policy allows."""
    keys_expiring: int = 0
    """The number of API keys that last longer than the policy allows."""
    users_outside_domains: list[UserRef] = Field(default_factory=EMPTY)
    """The active users whose addresses are of other domains."""
    blocked_addresses: int = 0
    """The number of addresses of open sessions that are outside of the networks."""


class SecurityPolicyResult(Model):
    """A policy, and whom it affects."""

    policy: SecurityPolicy
    """The policy as it is then."""
    impact: PolicyImpact
    """Whom it affects."""
    dry_run: bool = False
    """Whether nothing was written."""
