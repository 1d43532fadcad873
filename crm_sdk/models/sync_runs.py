"""Synchronisations with another system: how far one has come, and what both sides had changed."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, Field

from .marks import Default
from .record import Model, Record
from .values import EMPTY, EntityRef, EntityType, ErrorDetail, FieldValue, JobCounts, JobError

SyncDirection: TypeAlias = Literal["inbound", "outbound", "bidirectional"] | str
SyncState: TypeAlias = Literal["queued", "running", "succeeded", "failed", "cancelled", "paused"] | str


class SyncConflict(Model):
    """A member that both sides had changed."""

    entity: EntityRef
    """The record."""
    field: str
    local: FieldValue = None
    """The value here."""
    remote: FieldValue = None
    """The value there."""
    local_changed_at: AwareDatetime | None = None
    """When it was changed here."""
    remote_changed_at: AwareDatetime | None = None
    """When it was changed there."""
    resolution: Literal["local", "remote", "unresolved"] | str
    """Whose value was taken."""


class SyncRun(Record):
    """One synchronisation with another system, or one import of a file."""

    integration_id: str | None = None
    """Null for a file."""
    status: SyncState
    progress: float | None = None
    """0..1."""
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    error: ErrorDetail | None = None
    trigger: Annotated[Literal["manual", "scheduled", "webhook"] | str | None, Default("manual")] = None
    """What began it."""
    mode: Annotated[Literal["full", "incremental"] | str | None, Default("incremental")] = None
    """Whether all was compared, or only what is new."""
    direction: SyncDirection | None = None
    """Which side was written."""
    entity_types: list[EntityType] = Field(default_factory=EMPTY)
    """The kinds of records that were compared."""
    counts: JobCounts | None = None
    """What became of the entries."""
    conflicts: list[SyncConflict] = Field(default_factory=EMPTY)
    """What both sides had changed."""
    errors: list[JobError] = Field(default_factory=EMPTY)
    """The entries that could not be taken."""
    cursor: str | None = None
    """How far it has come, in the other system's words."""
    paused_at: AwareDatetime | None = None
    """When it was paused."""
    paused_by: str | None = None
    """Who paused it."""
