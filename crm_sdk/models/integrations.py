"""Integrations: the external systems that a company uses, and the credentials to connect them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, PrivateAttr, with_config
from typing_extensions import TypedDict

from ..wire import wire
from .marks import INPUT, OPEN, Default
from .record import Model, Record
from .sync_runs import SyncDirection, SyncRun
from .values import EMPTY, NOT_BLANK, EntityType, ErrorDetail, Name, Url

IntegrationType: TypeAlias = Annotated[
    Literal[
        "communication",
        "email",
        "calendar",
        "crm",
        "marketing",
        "accounting",
        "storage",
        "telephony",
        "social",
        "webhook",
        "custom",
    ]
    | str,
    OPEN,
]
Provider: TypeAlias = Annotated[
    Literal[
        "slack",
        "google",
        "microsoft",
        "imap",
        "caldav",
        "hubspot",
        "salesforce",
        "pipedrive",
        "mailchimp",
        "stripe",
        "twilio",
        "http",
    ]
    | str,
    OPEN,
]
IntegrationStatus: TypeAlias = Literal["connected", "disconnected", "error"] | str
AuthType: TypeAlias = Literal["none", "api_key", "basic", "oauth2"] | str
ConflictResolution: TypeAlias = Literal["newest_wins", "local_wins", "remote_wins", "manual"] | str
SyncFrequency: TypeAlias = Literal["real-time", "hourly", "daily", "manual"] | str
IntegrationSort: TypeAlias = Literal["id", "name", "last_sync", "created_at", "updated_at"] | str


@wire(mvp="id name type status category config last_sync")
class Integration(Record):
    """An external system that a company can connect, with the way its records are synchronised."""

    name: str
    type: IntegrationType
    provider: Provider | None = None
    """The system: ``slack``, ``google``, ``hubspot``, ``demo_crm`` …"""
    category: str | None = None
    status: Annotated[IntegrationStatus, Default("disconnected")]
    """Whether the last test of the connection succeeded; ``disconnected`` before the first."""
    auth_type: Annotated[AuthType | None, Default("api_key")] = None
    """The kind of credentials by which the system recognises the company."""
    config: dict[str, Any] = Field(default_factory=dict)
    """Free-form: ``webhookUrl``, ``channel``, ``syncFrequency``, ``dataTypes`` …"""
    entity_types: list[EntityType] = Field(default_factory=EMPTY)
    """The kinds of records to synchronise; empty for all that have a mapping."""
    direction: Annotated[SyncDirection | None, Default("bidirectional")] = None
    """The side that a synchronisation may write: ours (inbound), the other system's (outbound), or both."""
    conflict_resolution: Annotated[ConflictResolution | None, Default("newest_wins")] = None
    """The value that is kept where both sides have changed a field since the last synchronisation."""
    sync_frequency: Annotated[SyncFrequency | None, Default("manual")] = None
    """How often records are synchronised by themselves; without it, `syncFrequency` of `config` is used."""
    last_sync: AwareDatetime | None = None
    """When the data were last synchronised."""
    next_sync_at: AwareDatetime | None = None
    """When the next scheduled synchronisation starts; null where none is scheduled."""
    last_error: ErrorDetail | None = None
    """The reason for the status ``error``."""
    credentials_set: Annotated[bool | None, Default(False)] = None
    """Whether credentials are stored; no answer has the credentials themselves."""
    mapping_count: Annotated[int | None, Default(0)] = None
    """The number of field mappings."""


_Secret: TypeAlias = Annotated[str, Field(max_length=4096)]


@with_config(INPUT)
class IntegrationCredentials(TypedDict, total=False):
    """Credentials of an external system, which decides which members it needs. No answer has them."""

    api_key: _Secret | None
    webhook_url: Url | None
    access_token: _Secret | None
    refresh_token: _Secret | None
    client_id: _Secret | None
    client_secret: _Secret | None
    """The secret of an OAuth client."""
    username: _Secret | None
    """The user name."""
    password: _Secret | None
    host: Annotated[str, Field(max_length=253)] | None
    """The name of the server."""
    port: Annotated[int, Field(ge=1, le=65535)] | None
    """The port of the server."""


class _IntegrationMembers(TypedDict, total=False):
    category: Annotated[str, Field(max_length=100)] | None
    auth_type: AuthType
    credentials: IntegrationCredentials | None
    """The credentials, which `auth_type` decides; no answer has them."""
    config: dict[str, Any] | None
    entity_types: Annotated[list[EntityType], Field(max_length=50)] | None
    direction: SyncDirection
    conflict_resolution: ConflictResolution
    sync_frequency: SyncFrequency


@with_config(INPUT)
class IntegrationCreate(_IntegrationMembers, total=False):
    """A new integration: its name, type and provider, and the credentials that its `auth_type` asks for."""

    name: Required[Name]
    type: Required[Annotated[IntegrationType, Field(pattern=NOT_BLANK, max_length=50)]]
    provider: Required[Annotated[Provider, Field(pattern=NOT_BLANK, max_length=50)]]


@with_config(INPUT)
class IntegrationUpdate(_IntegrationMembers, total=False):
    """Changes to an integration; null clears a member. Its provider cannot be changed."""

    name: Name
    type: Annotated[IntegrationType, Field(pattern=NOT_BLANK, max_length=50)]


class CheckResult(Model):
    """One step of a connection test."""

    name: Annotated[Literal["dns", "connect", "authenticate", "permissions", "rate_limit"] | str, OPEN]
    ok: bool
    """Whether it succeeded."""
    message: str
    """The outcome in words."""


class ConnectionTest(Model):
    """The result of a connection test."""

    ok: bool
    """Whether every step succeeded."""
    checked_at: AwareDatetime
    """When the connection was tested."""
    latency_ms: int
    """The time the system took to answer, in milliseconds."""
    checks: list[CheckResult] = Field(default_factory=EMPTY)
    """The steps in order, up to the first that failed."""
    account_name: str | None = None
    """The name of the account in the external system; null where the test failed."""


class SyncStatus(Model):
    """The state of an integration's synchronisation."""

    integration_id: str
    state: Literal["idle", "queued", "running", "paused", "error"] | str
    """``error`` where nothing runs and the last run failed, or the system is not reached."""
    current: SyncRun | None = None
    """The run that is queued, running or paused."""
    last: SyncRun | None = None
    """The last run that has ended."""
    next_sync_at: AwareDatetime | None = None
    """When the next scheduled synchronisation starts; null where none is scheduled."""
    pending_conflicts: int = 0
    """The number of fields whose conflict nobody has resolved yet."""

    _client: Any = PrivateAttr(default=None)
