"""Enrichment: what was filled in about records from what is known elsewhere."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from .record import Model
from .values import EMPTY, EntityRef, ErrorDetail, FieldValue

EnrichmentStatus: TypeAlias = Literal["enriched", "no_match", "unchanged", "failed"] | str
EnrichmentSource: TypeAlias = (
    Literal["email_domain", "email_local_part", "phone_prefix", "account", "title", "website", "tenant_data"] | str
)


class EnrichedField(Model):
    """One member that was filled in, or could be."""

    field: str
    before: FieldValue = None
    after: FieldValue = None
    source: EnrichmentSource
    confidence: int
    """0..100."""
    applied: bool
    """Whether the record has the new value."""


class EnrichedRecord(Model):
    """What was found out about one record."""

    entity: EntityRef
    """The record."""
    status: EnrichmentStatus
    changes: list[EnrichedField] = Field(default_factory=EMPTY)
    error: ErrorDetail | None = None


class EnrichmentResult(Model):
    """What an enrichment job found out."""

    matched: int
    """Records that something was found out about."""
    unmatched: int
    """Records that nothing was found out about."""
    changed: int
    """Records that were changed."""
    records: list[EnrichedRecord] = Field(default_factory=EMPTY)
    """What was found out, record by record."""
