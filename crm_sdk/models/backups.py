"""Backups: archives of a company's data, and what restoring one did or would do."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import AwareDatetime, Field

from .jobs import RunStatus
from .marks import OPEN
from .record import Model
from .runs import Run
from .values import EMPTY, NOT_BLANK, JobError

BackupInclude: TypeAlias = Literal["data", "files", "configuration", "users", "audit"] | str
BackupTrigger: TypeAlias = Literal["manual", "scheduled", "safety", "uploaded"] | str
BackupStatus: TypeAlias = Annotated[RunStatus, OPEN]
RestoreMode: TypeAlias = Literal["drill", "merge", "replace"] | str
BackupSort: TypeAlias = Literal["id", "size", "created_at", "updated_at"] | str
BackupName: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, min_length=1, max_length=100)]
BackupIncludes: TypeAlias = Annotated[list[BackupInclude], Field(min_length=1, max_length=5)]
BackupEntity: TypeAlias = Annotated[str, Field(min_length=1, max_length=100)]
BackupEntities: TypeAlias = Annotated[list[BackupEntity], Field(min_length=1, max_length=100)]
"""Names of entities: `contact`, `deal`, or the API name of a custom object."""


class Backup(Run):
    """A backup of a company: an archive of its records as they were at one position in the feed of changes."""

    poll_url: ClassVar[str] = "/backups/{id}"

    name: str | None = None
    """What it is called."""
    trigger: BackupTrigger | None = None
    """What it was made by: somebody, the schedule, a restore that replaces, or an archive that was uploaded."""
    include: list[BackupInclude] = Field(default_factory=EMPTY)
    """What the archive has."""
    entity_types: list[str] | None = None
    """The only entities it has; null for all."""
    counts: dict[str, int] = Field(default_factory=dict)
    """The numbers of records, by entity."""
    size: int | None = None
    """The size of the archive in bytes; null until it is made."""
    checksum: str | None = None
    """The SHA-256 of the archive, in hexadecimal."""
    format_version: int | None = None
    """The version of the archive's format."""
    position: str | None = None
    """The cursor of the feed of changes at which the records are in this state: what follows is not in the archive."""
    tenant_slug: str | None = None
    """The slug of the company whose records it has."""
    file_id: str | None = None
    """The file with the archive."""
    verified_at: AwareDatetime | None = None
    """When the archive was last read from beginning to end and found to be whole."""
    expires_at: AwareDatetime | None = None
    """When it is deleted by itself; null for never."""


class RestoreDifference(Model):
    """How the records of one entity in a backup differ from the present ones."""

    entity: str
    """The entity, such as `contact`."""
    only_in_backup: int
    """The number of records that the backup has, and that are there no more."""
    only_now: int
    """The number of records that are there now, and that the backup does not have."""
    different: int
    """The number of records that both have, with other values."""
    sample_ids: list[str] = Field(default_factory=EMPTY)
    """The ids of at most 20 of these records."""


class RestoreResult(Model):
    """What restoring a backup did; of a drill, what it would have done."""

    mode: RestoreMode
    """Whether it was a drill, a merge, or a replacement."""
    verified: bool
    """Whether the archive is whole: nothing is restored from one that is not."""
    restored: dict[str, int] = Field(default_factory=dict)
    """The numbers of records that were written, by entity."""
    unchanged: dict[str, int] = Field(default_factory=dict)
    """The numbers of records that were as in the backup already, by entity."""
    conflicts: list[JobError] = Field(default_factory=EMPTY)
    """The records that were not brought back, at most 1,000, with the id of each as `value`."""
    missing_references: int
    """The number of references to records that there are no more: they are empty now."""
    re_erased: int
    """The number of persons who had been erased since, and were erased again."""
    safety_backup_id: str | None = None
    """The backup that was made before everything was replaced."""
    duration_seconds: float
    """How long it took."""
    differences: list[RestoreDifference] = Field(default_factory=EMPTY)
    """How the backup differs from the present, by entity; entities without a difference are left out."""
