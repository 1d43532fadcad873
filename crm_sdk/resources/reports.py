"""Reports: tables and sums of records of one type, their runs and schedules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from typing_extensions import Unpack

from ..declare import job, operation, paginated
from ..listing import Listing, Sorting
from ..paging import Page
from ..resource import Mode, Resource, part
from ..vocabulary.reporting import (
    CSV_TEXTS,
    DATA_TEXTS,
    EXCEL_TEXTS,
    PDF_TEXTS,
    REPORT_ERRORS,
    RUN_ERRORS,
    RUN_TEXTS,
    SCHEDULE_ERRORS,
)

if TYPE_CHECKING:
    from ..models.jobs import Job
    from ..models.report_runs import ExportResult, ReportData, ReportRun, ReportSchedule, ReportScheduleCreate
    from ..models.reports import (
        CsvDelimiter,
        CsvEncoding,
        Orientation,
        Paper,
        Report,
        ReportCreate,
        ReportFormat,
        ReportListSort,
        ReportName,
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


class ReportExports(Resource[Mode]):
    """Files made of reports: each export runs the report anew, over the records that the caller may see."""

    @job(platform="POST /reports/{report_id}/export/pdf", action="export", errors=RUN_ERRORS, texts=PDF_TEXTS)
    def pdf(
        self,
        report_id: str,
        *,
        parameters: Mapping[str, FieldValue] | None = None,
        orientation: Orientation = "portrait",
        paper: Paper = "A4",
        include_chart: bool = True,
    ) -> Job[ExportResult]:
        """Export a report as PDF: its rows or sums, its totals and its chart.

        The job fails with ``TOO_MANY_ROWS`` for more than 5,000 records.

        Raises: NotFoundError; ValidationError for a required parameter that is missing; ConflictError where a field is
        gone; PermissionDeniedError without the right to export the report.
        """

    @job(
        platform="POST /reports/{report_id}/export/excel",
        action="export",
        errors=RUN_ERRORS,
        texts=EXCEL_TEXTS,
    )
    def excel(
        self,
        report_id: str,
        *,
        parameters: Mapping[str, FieldValue] | None = None,
        include_chart: bool = False,
    ) -> Job[ExportResult]:
        """Export a report as a workbook (.xlsx), with real numbers and dates: a sheet of data, and one of its filters.

        Raises: NotFoundError; ValidationError for a required parameter that is missing; ConflictError where a field is
        gone; PermissionDeniedError without the right to export the report.
        """

    @job(platform="POST /reports/{report_id}/export/csv", action="export", errors=RUN_ERRORS, texts=CSV_TEXTS)
    def csv(
        self,
        report_id: str,
        *,
        parameters: Mapping[str, FieldValue] | None = None,
        delimiter: CsvDelimiter = ",",
        encoding: CsvEncoding = "utf-8",
    ) -> Job[ExportResult]:
        """Export a report as CSV: the records of a table, else a row for each innermost group, without subtotals.

        A text that a spreadsheet would carry out as a formula is quoted.

        Raises: NotFoundError; ValidationError for a required parameter that is missing; ConflictError where a field is
        gone; PermissionDeniedError without the right to export the report.
        """

    @job(platform="GET /reports/exports/{export_id}", status=200)
    def get(self, export_id: str) -> Job[ExportResult]:
        """Fetch the state of an export; once its file has expired, it has no ``download_url``.

        Raises: NotFoundError, also for that of another user.
        """


class Reports(Resource[Mode]):
    """Tables and sums of records of one type."""

    schedules: ReportSchedules[Mode] = part(ReportSchedules)
    exports: ReportExports[Mode] = part(ReportExports)

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
    def update(self, report_id: str, changes: ReportUpdate | Report, *, version: int | None = None) -> Report:
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

    @operation(
        platform="POST /reports/{report_id}/clone",
        status=201,
        texts={
            "name": "The name of the copy; by default that of the report with `(copy)`.",
            "visibility": "Who sees the copy beside the caller.",
        },
    )
    def clone(self, report_id: str, *, name: ReportName | None = None, visibility: SharedWith = "private") -> Report:
        """Copy a report without its schedules and runs; the caller owns the copy.

        Raises: NotFoundError.
        """

    @operation(
        platform="POST /reports/{report_id}/run",
        status=201,
        statuses=(202,),
        action="read",
        errors=RUN_ERRORS,
        texts=RUN_TEXTS,
    )
    def run(
        self, report_id: str, *, parameters: Mapping[str, FieldValue] | None = None, limit: Limit | None = None
    ) -> ReportRun:
        """Run a report over the records that the caller may see, and return the run with the first page of its data.

        A run over more than 50,000 records is answered queued, without data, and goes on after the answer.

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
