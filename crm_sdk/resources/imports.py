"""Imports of any entity from files, with a look before and a way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from ..declare import job, operation
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from ..models.contact_imports import ColumnMapping, ImportResult
    from ..models.imports import (
        BatchSize,
        ImportFormat,
        ImportLink,
        ImportPreview,
        OnDuplicate,
        RecordImportMode,
        RevertResult,
        SampleSize,
        StopAfter,
        Word,
    )
    from ..models.jobs import Job
    from ..models.objects import RecordValues
    from ..models.values import Upload

_TEXTS = {
    "entity": "The entity: `contact`, `lead`, `deal` …, or the API name or id of a custom object.",
    "file": "The file: CSV, XLSX, JSON lines, or vCard for contacts and leads.",
    "file_id": "Id of a file on the server, in place of `file`.",
    "format": "The format of the file; without it, its name tells.",
    "mapping": "Which column becomes which field; without it, what `preview` suggests.",
    "mode": "Whether rows may create records, change them, or both.",
    "match_on": "The key by which a row finds its record; without it, the entity's first.",
    "has_header": "Whether the first row has the names of the columns.",
    "delimiter": "The character between the columns of a CSV file; without it, the one that the file shows.",
    "encoding": "The character encoding of the file; without it, the one that the file shows.",
}
_COMMON = (
    "FORBIDDEN", "FEATURE_DISABLED", "NOT_FOUND", "UNSUPPORTED_OPERATION", "OBJECT_INACTIVE", "REFERENCE_NOT_FOUND",
    "FILE_INFECTED", "CHECKSUM_MISMATCH",
)  # fmt: skip
_CREATE = (
    *_COMMON, "NOT_A_KEY", "UNKNOWN_FIELD", "FIELD_READ_ONLY", "REQUIRED_FIELD_MISSING", "IMPORT_FILE_CHANGED",
    "INVALID_FORMAT",
)  # fmt: skip


class Imports(Resource[Mode]):
    """Imports of any entity from files."""

    @operation(
        platform="POST /imports/preview",
        role="everybody",
        ours=True,
        safe=True,
        errors=_COMMON,
        texts=_TEXTS | {"sample": "The number of rows that are shown, 0 to 200."},
    )
    def preview(
        self,
        entity: Word,
        file: Upload | None = None,
        *,
        file_id: str | None = None,
        format: ImportFormat | None = None,
        has_header: bool = True,
        delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None,
        encoding: Annotated[str, Field(min_length=1, max_length=40)] | None = None,
        mapping: Sequence[ColumnMapping] | None = None,
        match_on: Word | None = None,
        mode: RecordImportMode = "upsert",
        sample: SampleSize = 20,
    ) -> ImportPreview:
        """Say what an import would do, without writing anything: columns, a mapping, the first rows, and the counts.

        A field is suggested for a column by its name, its label, other words for it, its values, and the last import of
        the same header. A file that cannot be read, and a mapping that does not hold, are told in the answer.

        Raises: NotFoundError for no entity; PermissionDeniedError without the right to import such records;
        ValidationError unless exactly one of `file` and `file_id` is given.
        """

    @job(
        platform="POST /imports",
        role="everybody",
        ours=True,
        rate="bulk",
        errors=_CREATE,
        texts=_TEXTS
        | {
            "mapping_from": "Id of an earlier import, whose mapping is used.",
            "on_duplicate": "What is done with a row that matches a record.",
            "links": "Columns that name records of other entities, at most 5.",
            "values": "Members that every record gets.",
            "date_format": "The format of dates in the file, such as `DD.MM.YYYY`; without it only ISO dates are read.",
            "owner_id": "Id of the user who owns every record.",
            "batch_size": "The number of rows that are written in one transaction, 1 to 1,000.",
            "stop_after_errors": "The number of failed rows after which the import stops.",
            "retry_of": "Id of an import of the same file: only the rows are read that it failed or did not come to.",
            "dry_run": "Whether nothing is written.",
        },
    )
    def create(
        self,
        entity: Word,
        file: Upload | None = None,
        *,
        file_id: str | None = None,
        format: ImportFormat | None = None,
        mapping: Sequence[ColumnMapping] | None = None,
        mapping_from: str | None = None,
        mode: RecordImportMode = "upsert",
        match_on: Word | None = None,
        on_duplicate: OnDuplicate = "update",
        links: Annotated[Sequence[ImportLink], Field(max_length=5)] | None = None,
        values: RecordValues | None = None,
        has_header: bool = True,
        delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None,
        encoding: Annotated[str, Field(min_length=1, max_length=40)] | None = None,
        date_format: Annotated[str, Field(min_length=1, max_length=40)] | None = None,
        owner_id: str | None = None,
        batch_size: BatchSize = 500,
        stop_after_errors: StopAfter | None = None,
        retry_of: str | None = None,
        dry_run: bool = False,
    ) -> Job[ImportResult]:
        """Import records of any entity from a CSV, XLSX, JSON lines or vCard file.

        A row finds its record by `match_on` and changes it, or creates one, as `mode` and `on_duplicate` say. One that
        fails does not undo the others: it is in the job's `errors`, and with all its columns in the file
        `error_file_id`. Each batch is one transaction. With `stop_after_errors` the job fails with ``TOO_MANY_ERRORS``,
        and what earlier batches wrote stays. The job fails with ``UNREADABLE_FILE`` for a file that cannot be read, and
        with ``TOO_MANY_ROWS`` for one with more rows than the setting ``imports.max_rows``.

        Raises: ValidationError for what is wrong with the mapping, the links or the values, and unless exactly one of
        `file` and `file_id` is given; ConflictError ``IMPORT_FILE_CHANGED`` when `retry_of` read another file;
        NotFoundError; PermissionDeniedError.
        """

    @job(
        platform="POST /imports/{job_id}/revert",
        role="everybody",
        ours=True,
        errors=("IMPORT_NOT_REVERTIBLE", "FORBIDDEN", "FEATURE_DISABLED", "OBJECT_INACTIVE", "UNSUPPORTED_OPERATION"),
        texts={"dry_run": "Whether nothing is written."},
    )
    def revert(self, job_id: str, *, dry_run: bool = False) -> Job[RevertResult]:
        """Take an import back: delete the records that it created, and give changed ones their old values.

        What was changed since is left as it is, field by field, and listed in `skipped`.

        Raises: NotFoundError; ConflictError ``IMPORT_NOT_REVERTIBLE``, with the reason, for a dry run, an import that
        still runs, ended more than 30 days ago or was reverted before.
        """
