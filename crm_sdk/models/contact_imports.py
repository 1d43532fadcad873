"""Imports of contacts: the mapping of columns, the result of an import, and the validation of single contacts."""

from __future__ import annotations

from typing import Literal, Required, TypeAlias

from pydantic import Field, with_config
from typing_extensions import TypedDict

from .contact_duplicates import DuplicateMatch
from .contacts import ContactCreate
from .marks import INPUT
from .record import Model
from .values import EMPTY, ErrorDetail, JobError

ContactFileFormat: TypeAlias = Literal["csv", "xlsx", "jsonl", "vcf"] | str
ImportMode: TypeAlias = Literal["create", "update", "upsert"] | str
ImportMatch: TypeAlias = Literal["email", "phone", "external_id", "id"] | str
ImportDuplicates: TypeAlias = Literal["update", "skip", "fail"] | str
ColumnTransform: TypeAlias = Literal["none", "trim", "lower", "upper", "title", "date", "number", "split_tags"] | str


@with_config(INPUT)
class ColumnMapping(TypedDict, total=False):
    """A column of a file, and the member that it is read into."""

    column: Required[str]
    """The header of the column, or its number from 1."""
    field: Required[str]
    """The path of the member: ``email``, ``address.city``, ``custom_fields.budget`` …"""
    transform: ColumnTransform
    """How the value of a cell is changed before it is stored."""
    default: str | None
    """The value for empty cells."""


class ImportResult(Model):
    """The result of an import."""

    created_ids: list[str] = Field(default_factory=EMPTY)
    updated_ids: list[str] = Field(default_factory=EMPTY)
    error_file_id: str | None = None
    """Id of a CSV file of the rows that failed: their own columns, and ``error``; of `imports` ``_row``, ``_field``,
    ``_code``, ``_message`` and ``_value``."""
    unmapped_columns: list[str] = Field(default_factory=EMPTY)
    """Names of the columns that were not read."""
    warnings: list[JobError] = Field(default_factory=EMPTY)
    """What was left out or read otherwise than it stood, by row and column: the records are there. At most 1,000."""
    dry_run: bool = False


class ContactValidation(Model):
    """The validation of one contact."""

    index: int
    """Position in the request, from 0."""
    valid: bool
    """Whether `contacts.create` would accept it."""
    errors: list[ErrorDetail] = Field(default_factory=EMPTY)
    warnings: list[ErrorDetail] = Field(default_factory=EMPTY)
    """Doubts about its values that are not errors."""
    normalized: ContactCreate | None = None
    """The contact as it would be stored; null where it is not valid."""
    duplicates: list[DuplicateMatch] = Field(default_factory=EMPTY)
    """Contacts that may be the same person."""
