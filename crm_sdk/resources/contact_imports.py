"""Imports of contacts from files, as the document of the platform has them (002, "Contacts")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from ..declare import job
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from ..models.contact_imports import (
        ColumnMapping,
        ContactFileFormat,
        ImportDuplicates,
        ImportMatch,
        ImportMode,
        ImportResult,
    )
    from ..models.jobs import Job
    from ..models.values import Upload


class ContactImports(Resource[Mode]):
    """Imports of contacts from files."""

    @job(
        platform="POST /contacts/import",
        rate="bulk",
        action="import",
        errors=("FILE_INFECTED", "CHECKSUM_MISMATCH"),
        texts={
            "file_id": "Id of a file on the server, in place of `file`.",
            "mapping": "Which column becomes which member.",
            "mode": "Whether rows may create contacts, update them, or both.",
            "on_duplicate": "What is done with a row that matches a contact.",
            "has_header": "Whether the first row has the names of the columns.",
            "delimiter": "The character between the columns of a CSV file; a comma yields to what the file shows.",
            "encoding": "The character encoding of the file, where it is not UTF-8 or UTF-16.",
            "date_format": "The format of dates in the file, such as `DD.MM.YYYY`.",
        },
    )
    def create(
        self,
        file: Upload | None = None,
        *,
        file_id: str | None = None,
        format: ContactFileFormat | None = None,
        mapping: Sequence[ColumnMapping] | None = None,
        mode: ImportMode = "upsert",
        match_on: ImportMatch = "email",
        on_duplicate: ImportDuplicates = "update",
        has_header: bool = True,
        delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ",",
        encoding: Annotated[str, Field(min_length=1, max_length=40)] = "utf-8",
        date_format: str | None = None,
        owner_id: str | None = None,
        tags: Sequence[str] | None = None,
        dry_run: bool = False,
    ) -> Job[ImportResult]:
        """Import contacts from a CSV, XLSX, JSON lines or vCard file.

        Give a `file` (a path, bytes, or an open binary file) or the `file_id` of one on the server. Columns are matched
        by their header, or by `mapping`. `mode` and `match_on` decide which rows update a contact rather than create
        one, `on_duplicate` what is done with a row that matches; `owner_id` and `tags` are given to every contact.
        `dry_run` writes nothing. A row that fails does not undo the others: it is listed in the job's `errors`. A cell
        that a contact cannot have is left empty, and listed in the result's `warnings`. Headers of other programs are
        known; an encoding and a delimiter that are not given are found.

        Raises: ValidationError for a mapping to an unknown member, or unless exactly one of `file` and `file_id` is
        given.
        """

    @job(platform="GET /contacts/import/{job_id}", status=200)
    def get(self, job_id: str) -> Job[ImportResult]:
        """Fetch the state of an import job.

        Raises: NotFoundError.
        """
