"""Integrations: the external systems that a company uses, and the credentials to connect them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from ..wire import wire
from .marks import INPUT, OPEN
from .record import Record
from .values import Url

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
IntegrationStatus: TypeAlias = Literal["connected", "disconnected", "error"] | str


@wire(mvp="id name type status category config last_sync")
class Integration(Record):
    """An external system that a company can connect."""

    name: str
    type: IntegrationType
    provider: str | None = None
    """``slack``, ``google``, ``imap`` …"""
    category: str | None = None
    status: IntegrationStatus
    config: dict[str, Any] = Field(default_factory=dict)
    """Free-form: ``webhookUrl``, ``channel``, ``syncFrequency``, ``dataTypes`` …"""
    last_sync: AwareDatetime | None = None
    """When the data were last synchronised."""


@with_config(INPUT)
class IntegrationCredentials(TypedDict, total=False):
    """Credentials of an external system, which decides which members it needs. No answer has them."""

    api_key: str
    webhook_url: Url
    access_token: str
    refresh_token: str
    client_id: str
    client_secret: str
    """The secret of an OAuth client."""
    username: str
    """The user name."""
    password: str
    host: str
    """The name of the server."""
    port: Annotated[int, Field(ge=1, le=65535)]
    """The port of the server."""
