"""Synchronisations with another system: how far one has come, and what both sides had changed."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AwareDatetime, Field

from ..exchange import Steps
from ..route import segment
from .marks import Default
from .record import Model
from .runs import Run
from .values import EMPTY, EntityRef, EntityType, JobCounts, JobError, JsonValue

SyncDirection: TypeAlias = Literal["inbound", "outbound", "bidirectional"] | str
SyncMode: TypeAlias = Literal["full", "incremental"] | str
SyncTrigger: TypeAlias = Literal["manual", "scheduled", "webhook"] | str
SyncRunSort: TypeAlias = Literal["id", "created_at", "updated_at"] | str
SyncState: TypeAlias = Literal["queued", "running", "succeeded", "failed", "cancelled", "paused"] | str


class SyncConflict(Model):
    """A member that both sides had changed."""

    entity: EntityRef
    """The record."""
    field: str
    local: JsonValue = None
    """The value here."""
    remote: JsonValue = None
    """The value there."""
    local_changed_at: AwareDatetime | None = None
    """When it was changed here."""
    remote_changed_at: AwareDatetime | None = None
    """When it was changed there."""
    resolution: Literal["local", "remote", "unresolved"] | str
    """Whose value was taken."""


class SyncRun(Run):
    """One synchronisation with another system, or one import of a file."""

    integration_id: str | None = None
    """Null for a file."""
    status: SyncState
    trigger: Annotated[SyncTrigger | None, Default("manual")] = None
    """What began it."""
    mode: Annotated[SyncMode | None, Default("incremental")] = None
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

    def _look(self) -> Steps[SyncRun]:
        """Fetch the run from the status of its integration, which has the present and the last one, else by its id."""
        from .integrations import SyncStatus

        url = f"/integrations/{segment('integration_id', self.integration_id)}/sync-status"
        client: Any = self._client
        look: Steps[SyncStatus] = client._job_at(url, SyncStatus)
        status = yield from look
        for run in (status.current, status.last):
            if run is not None and run.id == self.id:
                found: SyncRun = client.own(run)
                return found
        by_id: Steps[SyncRun] = super()._look()
        return (yield from by_id)
