"""Enrichment: members of records that were filled in from other sources."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from .record import Model
from .values import EMPTY, EntityRef, ErrorDetail, JsonValue

EnrichmentStatus: TypeAlias = Literal["enriched", "no_match", "unchanged", "failed"] | str
EnrichmentSource: TypeAlias = (
    Literal["email_domain", "email_local_part", "phone_prefix", "account", "title", "website", "tenant_data"] | str
)


class EnrichedField(Model):
    """One member for which a value was found."""

    field: str
    before: JsonValue = None
    after: JsonValue = None
    source: EnrichmentSource
    confidence: int
    """0..100."""
    applied: bool
    """Whether the value was written to the record."""


class EnrichedRecord(Model):
    """The values that were found for one record."""

    entity: EntityRef | None = None
    """The record; null for a domain that no account has."""
    status: EnrichmentStatus
    changes: list[EnrichedField] = Field(default_factory=EMPTY)
    error: ErrorDetail | None = None


class EnrichmentResult(Model):
    """The result of an enrichment job."""

    matched: int
    """The number of records for which values were found."""
    unmatched: int
    """The number of records for which nothing was found."""
    changed: int
    """The number of records that were changed."""
    records: list[EnrichedRecord] = Field(default_factory=EMPTY)
    """The values that were found, record by record."""
