"""Imports of any entity: what a preview says of a file, links to other records, and what a revert took back."""

from __future__ import annotations

from typing import Annotated, Literal, Required, TypeAlias

from pydantic import Field, with_config
from typing_extensions import TypedDict

from .contact_imports import ColumnMapping
from .marks import INPUT
from .record import Model
from .values import EMPTY, ErrorDetail, JobCounts, JobError, JsonValue

ImportFormat: TypeAlias = Literal["csv", "xlsx", "jsonl", "vcf"]
RecordImportMode: TypeAlias = Literal["create", "update", "upsert"]
OnDuplicate: TypeAlias = Literal["update", "skip", "fail"]
BatchSize: TypeAlias = Annotated[int, Field(ge=1, le=1_000)]
SampleSize: TypeAlias = Annotated[int, Field(ge=0, le=200)]
StopAfter: TypeAlias = Annotated[int, Field(ge=1)]
Word: TypeAlias = Annotated[str, Field(min_length=1, max_length=100)]


@with_config(INPUT)
class ImportLink(TypedDict, total=False):
    """A column that names a record of another entity, whose id is stored in a field of the imported one."""

    column: Required[Annotated[str, Field(min_length=1, max_length=500)]]
    """The header of the column, or its number from 1."""
    entity: Required[Word]
    """The entity of the other record: `account`."""
    match_on: Required[Word]
    """The key by which the other record is found: `name`."""
    field: Required[Word]
    """The field that gets its id: `account_id`."""
    create_missing: bool
    """Whether a record that is not there is created, with the value of the key."""


class ImportColumn(Model):
    """A column of a file, and the field that it seems to hold."""

    column: str
    """Its header; without headers its number."""
    index: int
    """Its number, from 1."""
    filled: int = 0
    """The number of rows in which it has a value."""
    distinct: int = 0
    """The number of different values."""
    samples: list[str] = Field(default_factory=EMPTY)
    """The first different values, at most 5."""
    suggested_field: str | None = None
    """The field that it seems to hold; null where none fits, or another column fits it better."""
    reason: Literal["exact", "label", "synonym", "values", "previous"] | str | None = None
    """Why: the name of the field, its label, another word for it, the values, or the last import of the same header."""
    confidence: int = 0
    """How sure that is, 0 to 100."""
    transform: str = "trim"
    """The transform that fits the type of the field."""


class ImportRow(Model):
    """What would become of a row."""

    row: int
    """Its number, from 1; a header is not counted."""
    outcome: Literal["create", "update", "skip", "fail"] | str
    """What would be done; a record that the row would not change is skipped."""
    match_id: str | None = None
    """Id of the record that it matches."""
    values: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    """The members that it gives the record."""
    errors: list[ErrorDetail] = Field(default_factory=EMPTY)
    """Why it would fail."""


class ImportPreview(Model):
    """What an import of a file would do; nothing was written."""

    readable: bool
    """Whether the file can be read; `errors` say why not."""
    errors: list[ErrorDetail] = Field(default_factory=EMPTY)
    """What is wrong with the file or the mapping as a whole."""
    format: str = ""
    """The format of the file."""
    delimiter: str | None = None
    """The character between the columns of a CSV file."""
    encoding: str = ""
    """The character encoding that the file was read with."""
    has_header: bool = True
    """Whether the first row was read as the names of the columns."""
    row_count: int = 0
    """The number of rows, without the header."""
    columns: list[ImportColumn] = Field(default_factory=EMPTY)
    """The columns, in their order."""
    mapping: list[ColumnMapping] = Field(default_factory=EMPTY)
    """The mapping that was used, ready to be sent with `create`."""
    unmapped_required: list[str] = Field(default_factory=EMPTY)
    """The fields that a new record needs and no column gives."""
    rows: list[ImportRow] = Field(default_factory=EMPTY)
    """The first rows, as many as `sample` says."""
    counts: JobCounts = Field(default_factory=JobCounts)
    """What importing the whole file would do."""


class RevertResult(Model):
    """What the revert of an import did."""

    deleted: int = 0
    """The number of records that the import had created and that were deleted."""
    restored: int = 0
    """The number of records that got old values back."""
    skipped: list[JobError] = Field(default_factory=EMPTY)
    """What was left as it is, with the reason: ``CHANGED_SINCE`` for records and fields that were changed since."""
    dry_run: bool = False
