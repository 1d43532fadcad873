"""Audit: the trail of what was done in the company, by whom, when and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import (
    TYPE_CHECKING,
    List,  # `list` is a method in these classes
)

from typing_extensions import Unpack

from ..declare import job, operation, paginated
from ..listing import Range, Sorting
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from pydantic import AwareDatetime

    from ..models.audit import (
        AuditCategory,
        AuditDialect,
        AuditLog,
        AuditLogCreate,
        AuditSeverity,
        AuditSort,
        ChangeReport,
        DataLineage,
        LineageDepth,
        LineageDirection,
        PurgeResult,
        RetentionPolicy,
        RetentionPolicyInput,
    )
    from ..models.audit_reports import (
        AuditExportFormat,
        AuditReportName,
        ComplianceFramework,
        ComplianceReport,
        DataAccessReport,
    )
    from ..models.jobs import Job
    from ..models.report_runs import ExportResult
    from ..models.values import EntityType, FilterGroup, Limit, PageNumber, SearchQuery


class AuditLogs(Resource[Mode]):
    """The entries of the audit trail. None can be changed or deleted.

    Admins read all entries, managers those without the category ``auth``.
    """

    @operation(platform="POST /audit/logs", status=201, errors=("REFERENCE_NOT_FOUND",))
    def create(self, log: AuditLogCreate) -> AuditLog:
        """Write an entry about what was done in another system; its action begins with ``custom.``.

        Raises: ValidationError for another action, or an unknown record.
        """

    @operation(platform="GET /audit/logs/{log_id}")
    def get(self, log_id: str) -> AuditLog:
        """Fetch one entry.

        Raises: NotFoundError.
        """

    @paginated(
        platform="GET /audit/logs",
        texts={
            "action": "What was done, by the name of the event: `deal.won`.",
            "entity_id": "The id of the record that it was done to.",
            "actor_id": "The id of the user, API key or app that did it, or `system`.",
            "source": "The dialect of the request, or `system`.",
            "since": "The entries at this time or later.",
            "until": "The entries before this time.",
            "request_id": "The X-Request-ID of the answer to the request.",
            "verify": "Whether to check the whole trail: `meta` of the page then has `chainValid`.",
        },
    )
    def list(
        self,
        *,
        action: str | None = None,
        category: AuditCategory | None = None,
        entity_type: EntityType | None = None,
        entity_id: str | None = None,
        actor_id: str | None = None,
        severity: AuditSeverity | None = None,
        source: AuditDialect | None = None,
        since: AwareDatetime | None = None,
        until: AwareDatetime | None = None,
        request_id: str | None = None,
        verify: bool = False,
        sort: AuditSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[AuditLog]:
        """List entries in the order in which they were written.

        With `verify` the whole trail is checked, whatever the filters: ``page.meta["chainValid"]`` is False where an
        entry was changed, moved or taken away by other means than a purge.

        Raises: ValidationError.
        """

    @paginated(platform="POST /audit/logs/search", safe=True, errors=("UNKNOWN_FIELD",))
    def search(self, query: SearchQuery) -> Page[AuditLog]:
        """Search entries by words and conditions; conditions can be on ``changes.field`` or ``actor.ip_address``, too.

        Words are looked for in action, reason, and the names of record and actor.

        Raises: ValidationError for an unknown field, or an operator that its type does not have.
        """


class RetentionPolicies(Resource[Mode]):
    """The set of policies that say how long records are kept. What has no policy is kept for ever."""

    @operation(platform="GET /audit/retention-policies")
    def list(self) -> List[RetentionPolicy]:
        """List all policies, in the order of the set; a new company has five."""

    @operation(
        platform="PUT /audit/retention-policies",
        errors=(
            "DUPLICATE_POLICY", "RETENTION_TOO_SHORT", "LEGAL_HOLD", "UNKNOWN_FIELD", "INVALID_OPERATOR",
            "FILTER_TOO_LARGE", "REFERENCE_NOT_FOUND",
        ),
        texts={"policies": "The whole set; a policy that is not in it is dropped."},
    )  # fmt: skip
    def update(self, policies: Sequence[RetentionPolicyInput]) -> List[RetentionPolicy]:
        """Replace the whole set of policies; the ids that are given are kept.

        Raises: ValidationError for two policies of one type, or an audit trail kept for less than 365 days;
        ConflictError (``LEGAL_HOLD``) where a policy on legal hold is dropped: end the hold first.
        """


class AuditReports(Resource[Mode]):
    """Reports that are computed from the audit trail when they are read."""

    @operation(
        platform="GET /audit/reports/compliance",
        texts={"framework": "What is asked for: `gdpr`, `soc2`, `hipaa` or `iso27001`."},
    )
    def compliance(self, *, framework: ComplianceFramework = "gdpr", **common: Unpack[Range]) -> ComplianceReport:
        """Measure how the company keeps to a framework.

        The controls are second factors, unused access, failed sign-ins, exports, retention, requests of persons, and
        the hash chain of the trail.

        The days are those of the company's time zone, both included: by default the last twelve months. It is computed
        from the data; it is no certificate.

        Raises: ValidationError.
        """

    @operation(
        platform="GET /audit/reports/data-access",
        texts={
            "user_id": "The id of the user, API key or app whose accesses are counted.",
            "entity_id": "The id of the record.",
            "unusual": "Whether to list only what is unusual, or only what is not.",
        },
    )
    def data_access(
        self,
        *,
        user_id: str | None = None,
        entity_type: EntityType | None = None,
        entity_id: str | None = None,
        unusual: bool | None = None,
        **common: Unpack[Range],
    ) -> DataAccessReport:
        """Sum up who read, exported, changed and deleted records, one row per actor and type of records.

        It is counted from the entries of the trail: reads of single records that hold personal data, lists of more than
        100 of them, downloads, exports, changes and deletions.

        Raises: ValidationError for a range that ends before it starts.
        """

    @operation(
        platform="GET /audit/reports/changes",
        texts={
            "entity_id": "The id of the record.",
            "field": "The member that was changed.",
            "user_id": "The user who changed it.",
        },
    )
    def changes(
        self,
        *,
        entity_type: EntityType | None = None,
        entity_id: str | None = None,
        field: str | None = None,
        user_id: str | None = None,
        page: PageNumber = 1,
        limit: Limit = 50,
        **common: Unpack[Range],
    ) -> ChangeReport:
        """List what was changed, one row per member with its values before and after, the oldest first.

        The days are those of the company's time zone, both included: by default the last twelve months, or the whole
        trail where it is about one record.

        Raises: ValidationError for a range that ends before it starts.
        """

    @job(
        platform="POST /audit/reports/export",
        action="export",
        errors=("UNKNOWN_FIELD", "INVALID_OPERATOR", "FILTER_TOO_LARGE"),
        texts={
            "format": "The kind of file: `csv`, `jsonl` or `pdf`.",
            "report": "What it has: the entries (`logs`), or a report of them.",
            "filter_groups": "The entries that are meant, as in a search; a report of compliance is of all.",
        },
    )
    def export(
        self,
        *,
        format: AuditExportFormat = "csv",
        report: AuditReportName = "logs",
        filter_groups: Sequence[FilterGroup] | None = None,
        **common: Unpack[Range],
    ) -> Job[ExportResult]:
        """Export the audit trail or a report of it as a file, which is kept for seven days.

        Poll it with ``wait()``, and download the file with ``files.download(job.result.file_id)``. A PDF has at most
        5,000 rows: beyond them the job fails with ``TOO_MANY_ROWS``.

        Raises: ValidationError; PermissionDeniedError without the right to export the trail.
        """


class Audit(Resource[Mode]):
    """The audit trail of the company, and how long records are kept."""

    logs: AuditLogs[Mode] = part(AuditLogs)
    reports: AuditReports[Mode] = part(AuditReports)
    retention_policies: RetentionPolicies[Mode] = part(RetentionPolicies)

    @operation(
        platform="GET /audit/data-lineage",
        errors=("NOT_FOUND",),
        texts={
            "entity_id": "The id of the record.",
            "direction": "Whether to follow it to where it came from (`upstream`), to what became of it, or both.",
            "depth": "How many steps to follow.",
        },
    )
    def data_lineage(
        self, entity_type: EntityType, entity_id: str, *, direction: LineageDirection = "both", depth: LineageDepth = 3
    ) -> DataLineage:
        """Trace where a record came from and what became of it: conversions, merges, copies, imports, its creator.

        It is read off the audit trail, so that deleted and merged records are in it.

        Raises: NotFoundError; ValidationError.
        """

    @operation(
        platform="POST /audit/data-purge",
        errors=("CONFIRMATION_REQUIRED", "REFERENCE_NOT_FOUND"),
        texts={
            "entity_type": "A type of records, `audit_log`, or `deleted_records`.",
            "before": "The records before this time, by the basis of their policy.",
            "policy_id": "The policy whose age and conditions decide.",
            "dry_run": "Whether to count the records only.",
            "confirm": "The entity type once more, for a purge that is no dry run.",
        },
    )
    def data_purge(
        self,
        entity_type: str,
        *,
        before: AwareDatetime | None = None,
        policy_id: str | None = None,
        dry_run: bool = True,
        confirm: str | None = None,
    ) -> Job[PurgeResult]:
        """Purge old records of a type for good, or count them; the job is final when it is answered.

        Give exactly one of `before` and `policy_id`. Records on legal hold are skipped. A purge leaves one entry in the
        audit trail, with the hashes of the ids.

        Raises: ValidationError, also without `confirm` where it is no dry run.
        """
