"""The audit trail: who did what, when and to which record, in entries that nobody can change."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .marks import INPUT
from .record import Model, Record
from .values import (
    EMPTY,
    OWN_ACTION_PATTERN,
    EntityRef,
    EntityRefInput,
    EntityType,
    FieldChange,
    FilterGroup,
    JsonValue,
)
from .workflow_actions import ConditionGroup

AuditCategory: TypeAlias = Literal["data", "auth", "access", "config", "admin", "integration", "custom"] | str
"""``access`` are reads, downloads and exports; ``custom`` are the entries of other systems."""
AuditSeverity: TypeAlias = Literal["info", "warning", "critical"] | str
AuditActorType: TypeAlias = Literal["user", "api_key", "app", "system", "anonymous"] | str
AuditDialect: TypeAlias = Literal["mvp", "flow", "platform", "realtime", "system"] | str
AuditSort: TypeAlias = Literal["sequence", "occurred_at", "id"] | str


class AuditActor(Model):
    """Who did it."""

    type: AuditActorType
    id: str
    name: str | None = None
    email: str | None = None
    session_id: str | None = None
    ip_address: str | None = None
    """The address that the request came from; null where the server does not know it."""
    user_agent: str | None = None
    """The program that sent the request, as its header `User-Agent` says."""
    impersonated_by: str | None = None
    """The id of the user who acted for the actor."""


class AuditSource(Model):
    """The request that it was done with."""

    dialect: AuditDialect
    """The dialect of the request; ``system`` for what the server does by itself."""
    method: str | None = None
    """The HTTP method of the request."""
    path: str | None = None
    """The path of the request."""
    operation: str | None = None
    """The call by its dotted name, such as ``leads.update``; ``job:…`` for a step of a job."""
    status: int | None = None
    """The HTTP status of the answer."""
    request_id: str | None = None
    """The ``X-Request-ID`` of the answer."""


class AuditLog(Model):
    """One entry of the audit trail."""

    id: str
    sequence: int
    """The number of the entry, from 1 without gaps; those of a company are its own."""
    occurred_at: AwareDatetime
    """When it was done."""
    action: str
    """What was done, by the name of the event: ``deal.won``."""
    category: AuditCategory
    entity: EntityRef
    """The record that it was done to."""
    actor: AuditActor
    """Who did it."""
    changes: list[FieldChange] = Field(default_factory=EMPTY)
    """The members that were changed, with their values before and after."""
    reason: str | None = None
    """Why it was done, as the caller or the server said."""
    severity: AuditSeverity = "info"
    """How serious it is: ``info``, ``warning`` or ``critical``."""
    source: AuditSource
    metadata: dict[str, Any] = Field(default_factory=dict)
    digests: dict[str, str] = Field(default_factory=dict)
    """The salted SHA-256 of each value that may be personal; it stays when a person is erased."""
    previous_hash: str = ""
    """The hash of the entry before; empty in the first one."""
    hash: str
    """The SHA-256 of the previous hash and this entry, with digests in place of values."""


@with_config(INPUT)
class AuditChange(TypedDict, total=False):
    """One changed member, with its values before and after the change."""

    field: Required[Annotated[str, Field(min_length=1, max_length=200)]]
    before: JsonValue
    after: JsonValue


@with_config(INPUT)
class AuditLogCreate(TypedDict, total=False):
    """An entry of another system; who wrote it, when, and with which request are set by the server."""

    action: Required[Annotated[str, Field(pattern=OWN_ACTION_PATTERN, max_length=150)]]
    """What was done: a name that begins with ``custom.``."""
    entity: Required[EntityRefInput]
    changes: list[AuditChange]
    """The members that were changed in the other system, with their values before and after."""
    reason: Annotated[str, Field(max_length=500)] | None
    severity: AuditSeverity
    """How serious it is; by default ``info``."""
    metadata: dict[str, Any]


RetentionBasis: TypeAlias = Literal["created_at", "updated_at", "last_activity_at", "deleted_at"] | str
RetentionAction: TypeAlias = Literal["delete", "anonymize", "archive"] | str
RetentionDays: TypeAlias = Annotated[int, Field(ge=1, le=100_000)]


class RetentionPolicy(Record):
    """How long records of one type are kept, and what becomes of them then."""

    entity_type: EntityType
    """A type of records, ``audit_log``, or ``deleted_records``: deleted ones of all types."""
    retain_days: int
    """How many days they are kept, counted from `basis`."""
    basis: RetentionBasis = "updated_at"
    """The time from which the days are counted; a record without it is kept."""
    action: RetentionAction = "delete"
    """``delete``: for good; ``anonymize``: empty the personal members; ``archive``: move into a file."""
    legal_hold: bool = False
    """Whether nothing of it may be purged or erased, whatever its age."""
    filter_groups: list[ConditionGroup] = Field(default_factory=EMPTY)
    """The conditions that a record meets; of several groups one must match, and without any it is for all records."""
    enabled: bool = True
    last_run_at: AwareDatetime | None = None
    """When it last ran."""
    next_run_at: AwareDatetime | None = None
    """When it runs next; null where it is not enabled."""
    last_count: int | None = None
    """How many records the last run purged, anonymized or archived."""


@with_config(INPUT)
class RetentionPolicyInput(TypedDict, total=False):
    """A policy of a new set; with the `id` of a present one it replaces that, and what the server sets is ignored."""

    id: str
    entity_type: Required[Annotated[str, Field(min_length=1, max_length=100)]]
    retain_days: Required[RetentionDays]
    basis: RetentionBasis
    action: RetentionAction
    legal_hold: bool
    filter_groups: list[FilterGroup]
    enabled: bool
    created_at: JsonValue
    updated_at: JsonValue
    created_by: JsonValue
    version: JsonValue
    last_run_at: JsonValue
    """Ignored: the server sets it."""
    next_run_at: JsonValue
    last_count: JsonValue


class PurgeResult(Model):
    """What a purge did, or would do."""

    entity_type: str
    cutoff: AwareDatetime
    """The records before this time were meant."""
    matched: int
    """The records that were meant, held ones included."""
    purged: int
    """The records that are gone for good."""
    anonymized: int
    """The records whose personal members were emptied."""
    archived: int
    """The records that were moved into a file."""
    held: int
    """The records on legal hold, which were skipped."""
    dry_run: bool
    sample_ids: list[str] = Field(default_factory=EMPTY)
    """The ids of at most 20 of the records."""
    audit_id: str | None = None
    """The entry of the audit trail; null where nothing was purged."""


class ChangeRow(Model):
    """One member that was changed."""

    audit_id: str
    """The entry of the audit trail."""
    occurred_at: AwareDatetime
    """When it was changed."""
    actor: AuditActor
    """Who changed it."""
    entity: EntityRef
    """The record that was changed."""
    action: str
    """What was done, by the name of the event."""
    field: str
    """The member, by its name on the wire."""
    before: JsonValue = None
    after: JsonValue = None


class ChangeReport(Model):
    """What was changed in a range of days, one row per member, the oldest first."""

    start_date: date
    end_date: date
    total: int
    """The number of rows of all pages."""
    items: list[ChangeRow] = Field(default_factory=EMPTY)
    page: int
    limit: int
    has_next: bool
    """Whether more pages follow."""
    by_field: dict[str, int] = Field(default_factory=dict)
    """The number of rows by member."""
    by_actor: dict[str, int] = Field(default_factory=dict)
    """The number of rows by the id of the actor."""


LineageDepth: TypeAlias = Annotated[int, Field(ge=1, le=10)]
LineageDirection: TypeAlias = Literal["both", "upstream", "downstream"] | str
"""``upstream``: where a record came from; ``downstream``: what became of it."""
LineageOrigin: TypeAlias = (
    Literal["manual", "api", "import", "capture", "sync", "conversion", "merge", "clone", "workflow"] | str
)
LineageRelation: TypeAlias = (
    Literal[
        "converted_to", "merged_into", "imported_from", "synced_from", "cloned_from", "created_by", "enriched_by",
        "attached_to",
    ]
    | str
)  # fmt: skip


class LineageNode(Model):
    """A record in a lineage."""

    entity: EntityRef
    """The record."""
    created_at: AwareDatetime | None = None
    origin: LineageOrigin
    """How the record was made."""
    detail: str | None = None
    """The call that made it, such as ``leads.convert``; null for records older than the trail."""
    deleted: bool
    """Whether it was deleted, or merged into another record."""


class LineageEdge(Model):
    """How a record came from another."""

    source: EntityRef
    """The record that the relation is about."""
    target: EntityRef
    """The record that it leads to."""
    relation: LineageRelation
    """What the source is to the target: the source was ``converted_to`` it, ``cloned_from`` it."""
    occurred_at: AwareDatetime
    """When it came about."""
    audit_id: str
    """The entry of the audit trail."""


class DataLineage(Model):
    """Where a record came from, and what became of it."""

    root: EntityRef
    """The record that was asked for."""
    nodes: list[LineageNode] = Field(default_factory=EMPTY)
    """The records, the root first."""
    edges: list[LineageEdge] = Field(default_factory=EMPTY)
    """How the records came from each other."""
    truncated: bool
    """Whether there is more beyond the depth, or beyond 500 records."""
