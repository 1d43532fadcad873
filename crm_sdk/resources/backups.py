"""Backups of a company: archives of its records, drills, and restoring.

The documents ask for backup, restore and disaster recovery, and name no routes: these routes are our own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import Unpack

from ..declare import job, operation, paginated
from ..listing import Sorting
from ..paging import Page
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from pydantic import AwareDatetime

    from ..models.backups import (
        Backup,
        BackupEntities,
        BackupIncludes,
        BackupName,
        BackupSort,
        BackupStatus,
        BackupTrigger,
        RestoreMode,
        RestoreResult,
    )
    from ..models.jobs import Job

_TEXTS = {
    "name": "What it is called; without it, `Backup` and the time.",
    "include": "What the archive has: records, files, configuration, users, the audit trail.",
    "entity_types": "The only entities it has, such as `contact`; without it, all.",
    "file_id": "The id of an uploaded archive, of any company, that becomes a backup of this one.",
}


class Backups(Resource[Mode]):
    """Archives of the company's records, from which they can be brought back."""

    @operation(
        platform="POST /backups",
        status=202,
        action="manage",
        ours=True,
        errors=(
            "BACKUP_IN_PROGRESS", "LIMIT_EXCEEDED", "INVALID_ARCHIVE", "REFERENCE_NOT_FOUND", "FILE_TOO_LARGE",
        ),
        texts=_TEXTS,
    )  # fmt: skip
    def create(
        self,
        *,
        name: BackupName | None = None,
        include: BackupIncludes | None = None,
        entity_types: BackupEntities | None = None,
        file_id: str | None = None,
    ) -> Backup:
        """Make a backup: an archive of the records as they are at one position in the feed of changes.

        It goes on after the answer, and writers are not stopped. With `file_id` an uploaded archive is taken over, and
        checked at once.

        Raises: ConflictError while a backup or a restore goes on; PermissionDeniedError where the plan allows no more
        backups; ValidationError for an unknown entity, and for a file that is no archive, or was damaged.
        """

    @paginated(
        platform="GET /backups",
        action="manage",
        ours=True,
        texts={
            "trigger": "Only backups that were made by this.",
            "status": "Only backups in this state.",
            "since": "Only backups that were begun at this time or later.",
            "until": "Only backups that were begun before this time.",
        },
    )
    def list(
        self,
        *,
        trigger: BackupTrigger | None = None,
        status: BackupStatus | None = None,
        since: AwareDatetime | None = None,
        until: AwareDatetime | None = None,
        sort: BackupSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[Backup]:
        """List the backups, newest first.

        Raises: ValidationError for a member that cannot be sorted by.
        """

    @operation(platform="GET /backups/{backup_id}", action="manage", ours=True)
    def get(self, backup_id: str) -> Backup:
        """Fetch a backup; ``files.download(backup.file_id)`` returns its archive.

        Raises: NotFoundError.
        """

    @job(
        platform="POST /backups/{backup_id}/restore",
        action="manage",
        ours=True,
        errors=("BACKUP_IN_PROGRESS", "BACKUP_NOT_READY", "CONFIRMATION_REQUIRED"),
        texts={
            "mode": "`drill` compares and writes nothing, `merge` brings back what is missing, `replace` swaps all.",
            "entity_types": "The only entities that are restored; without it, all that the archive has.",
            "confirm": "The slug of the company, for `replace`.",
        },
    )
    def restore(
        self,
        backup_id: str,
        *,
        mode: RestoreMode = "drill",
        entity_types: BackupEntities | None = None,
        confirm: str | None = None,
    ) -> Job[RestoreResult]:
        """Restore a backup, or try it: the archive is read whole first, and nothing is written from a damaged one.

        A drill restores into a copy that is thrown away. A merge never overwrites: records that were changed since are
        among the conflicts. Replacing makes a safety backup, swaps everything at once, and ends all positions in the
        feed of changes. It is all or nothing; a damaged archive fails the job with ``BACKUP_CORRUPT``.

        Raises: NotFoundError; ConflictError for a backup that has not succeeded, and while a backup or a restore goes
        on; ValidationError without the confirmation, and for an entity that the archive does not have.
        """

    @operation(
        platform="DELETE /backups/{backup_id}",
        action="manage",
        ours=True,
        errors=("BACKUP_IN_PROGRESS", "LAST_BACKUP"),
    )
    def delete(self, backup_id: str, *, version: int | None = None) -> None:
        """Delete a backup and its file.

        Raises: NotFoundError; ConflictError while it is made or restored, for the last one that succeeded (unless the
        setting ``backup.keep`` is 0), and for another version than the present one.
        """
