"""Exports: any records as files, at once or on a schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import Unpack

from ..declare import job, operation, paginated
from ..listing import Listing
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from ..models.exports import (
        ExportRequestInput,
        ExportSchedule,
        ExportScheduleCreate,
        ExportScheduleSort,
        ExportScheduleUpdate,
    )
    from ..models.jobs import Job
    from ..models.report_runs import ExportResult

_REFUSALS = (
    "FORBIDDEN", "FEATURE_DISABLED", "UNSUPPORTED_OPERATION", "OBJECT_INACTIVE", "UNKNOWN_FIELD", "INVALID_OPERATOR",
    "FILTER_TOO_LARGE", "INVALID_FORMAT", "INVALID_FILE_NAME", "REFERENCE_NOT_FOUND",
)  # fmt: skip
"""The error codes that refuse what is to be exported."""


class ExportSchedules(Resource[Mode]):
    """Exports that are made by themselves, as the user who owns the schedule."""

    @paginated(
        platform="GET /exports/schedules",
        role="everybody",
        ours=True,
        texts={"enabled": "Only schedules that run, or only those that do not.", "owner_id": "Only this user's."},
    )
    def list(
        self,
        *,
        enabled: bool | None = None,
        owner_id: str | None = None,
        sort: ExportScheduleSort | None = None,
        **common: Unpack[Listing],
    ) -> Page[ExportSchedule]:
        """List the caller's schedules, newest first; with ``jobs:read`` those of all.

        Raises: ValidationError for a member that cannot be sorted by.
        """

    @operation(
        platform="POST /exports/schedules",
        role="everybody",
        ours=True,
        errors=(*_REFUSALS, "INVALID_SCHEDULE", "SCHEDULE_EXISTS", "SCHEDULE_LIMIT", "LIMIT_EXCEEDED", "NO_USER"),
    )
    def create(self, schedule: ExportScheduleCreate) -> ExportSchedule:
        """Schedule an export; each run is a job of its owner, with the rights that the owner has then.

        With the mode ``changed`` the first file has everything, and each one after it what became different since.

        Raises: ValidationError for what cannot be exported, or times that there are not; PermissionDeniedError without
        the right to export, for an outside recipient without the right to export all records, and beyond the plan's
        number of schedules; ConflictError when the name is taken, and for more than 20 of one user.
        """

    @operation(
        platform="PUT /exports/schedules/{schedule_id}",
        role="everybody",
        ours=True,
        errors=(*_REFUSALS, "INVALID_SCHEDULE", "SCHEDULE_EXISTS"),
        texts={"schedule_id": "Id of the schedule."},
    )
    def update(
        self, schedule_id: str, changes: ExportScheduleUpdate | ExportSchedule, *, version: int | None = None
    ) -> ExportSchedule:
        """Change a schedule; its next time is computed anew.

        Another request in the mode ``changed`` begins with everything again. With `version`, only if nobody has changed
        it since that version.

        Raises: NotFoundError; ValidationError; PermissionDeniedError for another user's without ``jobs:manage``;
        ConflictError when the name is taken, or when `version` differs.
        """

    @operation(
        platform="DELETE /exports/schedules/{schedule_id}",
        role="everybody",
        ours=True,
        errors=("FORBIDDEN",),
        texts={"schedule_id": "Id of the schedule."},
    )
    def delete(self, schedule_id: str, *, version: int | None = None) -> None:
        """Delete a schedule; the files that it made stay.

        Raises: NotFoundError; PermissionDeniedError for another user's without ``jobs:manage``; ConflictError when
        `version` differs.
        """


class Exports(Resource[Mode]):
    """Any records as files."""

    schedules: ExportSchedules[Mode] = part(ExportSchedules)

    @job(platform="POST /exports", role="everybody", ours=True, rate="bulk", errors=_REFUSALS)
    def create(self, request: ExportRequestInput) -> Job[ExportResult]:
        """Export records of one or several entities as they are at one moment: those that the caller may export.

        Several entities make one zip with a ``manifest.json``. `files.download` returns the file for seven days. The
        job fails with ``TOO_MANY_ROWS`` where a workbook cannot hold the rows.

        Raises: ValidationError for an unknown entity, field or format, and for ids of other records;
        PermissionDeniedError without the right to export one of the entities.
        """
