"""Imports: how the columns of a file are read as contacts, what came of it, and what is wrong with single contacts."""

from __future__ import annotations

from typing import Literal, Required, TypeAlias

from pydantic import Field, with_config
from typing_extensions import TypedDict

from .contact_duplicates import DuplicateMatch
from .contacts import ContactCreate
from .marks import INPUT
from .record import Model
from .values import EMPTY, ErrorDetail

ContactFileFormat: TypeAlias = Literal["csv", "xlsx", "jsonl", "vcf"] | str
ImportMode: TypeAlias = Literal["create", "update", "upsert"] | str
ImportMatch: TypeAlias = Literal["email", "phone", "external_id", "id"] | str
ImportDuplicates: TypeAlias = Literal["update", "skip", "fail"] | str
ColumnTransform: TypeAlias = Literal["none", "trim", "lower", "upper", "title", "date", "number", "split_tags"] | str


@with_config(INPUT)
class ColumnMapping(TypedDict, total=False):
    """Which member a column is read into."""

    column: Required[str]
    """Its header, or its number from 1."""
    field: Required[str]
    """``email``, ``address.city``, ``custom_fields.budget`` …"""
    transform: ColumnTransform
    """What is done with the value of a cell."""
    default: str | None
    """The value of an empty cell."""


class ImportResult(Model):
    """What an import wrote."""

    created_ids: list[str] = Field(default_factory=EMPTY)
    updated_ids: list[str] = Field(default_factory=EMPTY)
    error_file_id: str | None = None
    """The rows that failed, as a CSV file with a column ``error``."""
    unmapped_columns: list[str] = Field(default_factory=EMPTY)
    """Columns that were not read."""
    dry_run: bool = False


class ContactValidation(Model):
    """What is right and wrong about one contact that was checked."""

    index: int
    """Position in the request, from 0."""
    valid: bool
    """Whether `create` would take it."""
    errors: list[ErrorDetail] = Field(default_factory=EMPTY)
    warnings: list[ErrorDetail] = Field(default_factory=EMPTY)
    """What is odd about it, but no error."""
    normalized: ContactCreate | None = None
    """The contact as it would be stored; null where it is not valid."""
    duplicates: list[DuplicateMatch] = Field(default_factory=EMPTY)
    """Contacts that may be the same person."""
