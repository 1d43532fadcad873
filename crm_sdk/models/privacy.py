"""Requests of persons about their data: who asks, and what was found, erased or kept."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .marks import INPUT
from .record import Model
from .values import EMPTY, Email, EntityRef, EntityRefInput

PrivacyFormat: TypeAlias = Literal["json"]
Confirmation: TypeAlias = Annotated[str, Field(max_length=254)]
ErasureReason: TypeAlias = Annotated[str, Field(max_length=500)]


@with_config(INPUT)
class PrivacySubject(TypedDict, total=False):
    """The person whose data are meant: an e-mail address, or one contact or lead. Exactly one of them."""

    email: Email
    """Any address of the person: all contacts and leads that have it are meant, merged and deleted ones as well."""
    entity: EntityRefInput
    """One contact or lead, whoever else has its addresses."""


Subject: TypeAlias = Annotated[PrivacySubject, Field(title="Subject")]
"""The person as a member of the body, beside the other arguments: marked, since an input alone is the whole body."""


class PrivacyCount(Model):
    """What there was of one kind of records."""

    entity: str
    """The kind of the records: `contact`, `activity`, `audit`."""
    found: int
    """How many tell of the person."""
    erased: int
    """How many were removed for good."""
    anonymized: int
    """How many stay without what tells of the person."""
    kept: int
    """How many stay as they are."""


class PrivacyReport(Model):
    """What was found of a person, and what became of it."""

    subject_hash: str
    """The salted SHA-256 of the address in lower case; that of the id where there is no address."""
    records: list[PrivacyCount] = Field(default_factory=EMPTY)
    """What there was, by kind of records."""
    file_id: str | None = None
    """The archive of an export, for 7 days: one JSON file for each kind of records, and the files."""
    identities: list[EntityRef] = Field(default_factory=EMPTY)
    """The contacts and leads that are this person; empty after an erasure."""
    held: list[EntityRef] = Field(default_factory=EMPTY)
    """Those of the records that a legal hold keeps from being erased."""
    dry_run: bool
    """Whether nothing was changed."""
    audit_id: str | None = None
    """The entry of the audit trail."""
    due_at: AwareDatetime
    """When the request has to be answered: 30 days after it."""
