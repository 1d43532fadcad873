"""The audit trail: who did what, when and to which record, in entries that nobody can change."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .marks import INPUT
from .record import Model
from .values import EMPTY, EntityRef, EntityType, FieldChange

AuditCategory: TypeAlias = Literal["data", "auth", "access", "config", "admin", "integration", "custom"] | str
"""``access`` are reads, downloads and exports; ``custom`` are the entries of other systems."""
AuditSeverity: TypeAlias = Literal["info", "warning", "critical"] | str
AuditActorType: TypeAlias = Literal["user", "api_key", "app", "system", "anonymous"] | str
AuditDialect: TypeAlias = Literal["mvp", "flow", "platform", "realtime", "system"] | str
AuditSort: TypeAlias = Literal["sequence", "occurred_at", "id"] | str


class AuditActor(Model):
    """Who did it."""

    type: AuditActorType
    id: str
    name: str | None = None
    email: str | None = None
    session_id: str | None = None
    ip_address: str | None = None
    """The address that the request came from; null where the server does not know it."""
    user_agent: str | None = None
    impersonated_by: str | None = None
    """The id of the user who acted for the actor."""


class AuditSource(Model):
    """The request that it was done with."""

    dialect: AuditDialect
    """The dialect of the request; ``system`` for what the server does by itself."""
    method: str | None = None
    path: str | None = None
    operation: str | None = None
    """The call by its dotted name, such as ``leads.update``; ``job:…`` for a step of a job."""
    status: int | None = None
    """The HTTP status of the answer."""
    request_id: str | None = None
    """The ``X-Request-ID`` of the answer."""


class AuditLog(Model):
    """One entry of the audit trail."""

    id: str
    sequence: int
    """The number of the entry, from 1 without gaps; those of a company are its own."""
    occurred_at: AwareDatetime
    action: str
    """What was done, by the name of the event: ``deal.won``."""
    category: AuditCategory
    entity: EntityRef
    """The record that it was done to."""
    actor: AuditActor
    changes: list[FieldChange] = Field(default_factory=EMPTY)
    """The members that were changed, with their values before and after."""
    reason: str | None = None
    """Why it was done, as the caller or the server said."""
    severity: AuditSeverity = "info"
    source: AuditSource
    metadata: dict[str, Any] = Field(default_factory=dict)
    digests: dict[str, str] = Field(default_factory=dict)
    """The salted SHA-256 of each value that may be personal; it stays when a person is erased."""
    previous_hash: str = ""
    """The hash of the entry before; empty in the first one."""
    hash: str
    """The SHA-256 of the previous hash and this entry, with digests in place of values."""


@with_config(INPUT)
class AuditEntity(TypedDict, total=False):
    """The record that an entry is about."""

    type: Required[EntityType]
    id: Required[str]


@with_config(INPUT)
class AuditLogCreate(TypedDict, total=False):
    """An entry of another system; who wrote it, when, and with which request are set by the server."""

    action: Required[Annotated[str, Field(min_length=1, max_length=150)]]
    """What was done: a name that begins with ``custom.``."""
    entity: Required[AuditEntity]
    reason: Annotated[str, Field(max_length=500)] | None
    severity: AuditSeverity
    metadata: dict[str, Any]
