"""Reports: tables and sums of records of one type, their runs and schedules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from typing_extensions import Unpack

from ..declare import operation, paginated
from ..listing import Listing, Sorting
from ..paging import Page
from ..resource import Mode, Resource, part
from ..vocabulary.reporting import DATA_TEXTS, REPORT_ERRORS, RUN_ERRORS, RUN_TEXTS, SCHEDULE_ERRORS

if TYPE_CHECKING:
    from ..models.report_runs import ReportData, ReportRun, ReportSchedule, ReportScheduleCreate
    from ..models.reports import (
        Report,
        ReportCreate,
        ReportFormat,
        ReportListSort,
        ReportUpdate,
        ScheduleSort,
        SharedWith,
    )
    from ..models.values import EntityType, FieldValue, Limit, PageNumber


class ReportSchedules(Resource[Mode]):
    """When a report is run by itself, and for whom."""

    @operation(platform="POST /reports/{report_id}/schedule", status=201, action="update", errors=SCHEDULE_ERRORS)
    def create(self, report_id: str, schedule: ReportScheduleCreate) -> ReportSchedule:
        """Schedule a report, for users who may see it and for addresses; at most 10 for each report.

        Raises: NotFoundError; ValidationError for times that there are not, or a recipient who may not see the report;
        ConflictError for too many; PermissionDeniedError for a report of somebody else.
        """

    @paginated(platform="GET /reports/{report_id}/schedules")
    def list(
        self,
        report_id: str,
        *,
        enabled: bool | None = None,
        sort: ScheduleSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[ReportSchedule]:
        """List the schedules of a report, newest first.

        Raises: NotFoundError; ValidationError for a member that cannot be sorted by.
        """

    @operation(platform="DELETE /reports/{report_id}/schedules/{schedule_id}")
    def delete(self, report_id: str, schedule_id: str) -> None:
        """Delete a schedule of a report.

        Raises: NotFoundError; PermissionDeniedError for a report of somebody else.
        """


class Reports(Resource[Mode]):
    """Tables and sums of records of one type."""

    schedules: ReportSchedules[Mode] = part(ReportSchedules)

    @operation(platform="POST /reports", errors=REPORT_ERRORS)
    def create(self, report: ReportCreate) -> Report:
        """Create a report; the caller owns it.

        With columns it is a table, with `groups` a summary, with `groups` and `across` a matrix.

        Raises: ValidationError, also for an unknown field, or a function that the field's type does not have.
        """

    @operation(platform="GET /reports/{report_id}")
    def get(self, report_id: str) -> Report:
        """Fetch one report.

        Raises: NotFoundError, also for a private one of somebody else.
        """

    @operation(platform="PUT /reports/{report_id}", errors=REPORT_ERRORS)
    def update(self, report_id: str, changes: ReportUpdate, *, version: int | None = None) -> Report:
        """Change a report: members left out keep their values, null clears a member. Its earlier runs stay.

        With `version`, only if nobody has changed it since that version.

        Raises: NotFoundError; ValidationError; PermissionDeniedError for that of somebody else; ConflictError when
        `version` differs.
        """

    @operation(platform="DELETE /reports/{report_id}", errors=("REPORT_IN_USE",))
    def delete(self, report_id: str) -> None:
        """Delete a report and its schedules.

        Raises: NotFoundError; ConflictError when a widget shows it; PermissionDeniedError for that of somebody else.
        """

    @paginated(platform="GET /reports")
    def list(
        self,
        *,
        entity_type: EntityType | None = None,
        format: ReportFormat | None = None,
        visibility: SharedWith | None = None,
        owner_id: str | None = None,
        folder: str | None = None,
        tags: Sequence[str] | None = None,
        sort: ReportListSort | None = None,
        **common: Unpack[Listing],
    ) -> Page[Report]:
        """List the reports that the caller may see, newest first.

        `search` looks in name, description, folder and tags; `tags` asks for all of the tags.

        Raises: ValidationError for a member that cannot be sorted by.
        """

    @operation(platform="POST /reports/{report_id}/run", status=201, action="read", errors=RUN_ERRORS, texts=RUN_TEXTS)
    def run(
        self, report_id: str, *, parameters: Mapping[str, FieldValue] | None = None, limit: Limit | None = None
    ) -> ReportRun:
        """Run a report over the records that the caller may see, and return the run with the first page of its data.

        Raises: NotFoundError; ValidationError for a required parameter that is missing; ConflictError where a field is
        gone.
        """

    @operation(platform="GET /reports/{report_id}/data", errors=RUN_ERRORS, texts=DATA_TEXTS)
    def data(
        self,
        report_id: str,
        *,
        run_id: str | None = None,
        fresh: bool = False,
        page: PageNumber = 1,
        limit: Limit = 50,
    ) -> ReportData:
        """Fetch a page of the caller's last run of a report, or of a named run; without one, or `fresh`, run it.

        Raises: NotFoundError, also for a run of another report; ValidationError for a required parameter that is
        missing; ConflictError where a field is gone.
        """
