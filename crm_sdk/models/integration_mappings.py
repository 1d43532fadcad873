"""Field mappings: which field of an external system is which member of our records, and how values are converted."""

from __future__ import annotations

from typing import Annotated, Literal, Required, TypeAlias

from pydantic import Field, with_config
from typing_extensions import TypedDict

from .drafts import Draft
from .integrations import ConflictResolution
from .marks import INPUT, Default
from .record import Model, Record
from .sync_runs import SyncDirection
from .values import EMPTY, NOT_BLANK, EntityType, FieldChange, FieldValue

Transform: TypeAlias = (
    Literal[
        "none", "trim", "lower", "upper", "title", "date", "number", "boolean", "split", "join", "lookup", "template"
    ]
    | str
)
MappedEntity: TypeAlias = Literal["contact", "lead", "account", "deal"] | str
"""The kinds of records that can be synchronised."""
MappingSort: TypeAlias = Literal["id", "created_at", "updated_at"] | str
_Field: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, max_length=200)]
_Lookup: TypeAlias = Annotated[dict[str, str | None], Field(max_length=1000)]
_Long: TypeAlias = Annotated[str, Field(max_length=1000)]


class FieldMapping(Record):
    """One field of an external system and the member of our records that it is synchronised with."""

    integration_id: str | None = None
    """Id of the integration."""
    entity_type: EntityType
    source_field: str
    """The field of the external system."""
    target_field: str
    """The member of our records: ``email``, ``address.city``, ``custom_fields.tier``."""
    direction: Annotated[SyncDirection | None, Default("bidirectional")] = None
    """The side that the mapping may write: ours (inbound), the other system's (outbound), or both."""
    transform: Annotated[Transform | None, Default("none")] = None
    """The conversion of the value."""
    lookup: dict[str, str] = Field(default_factory=dict)
    """Their words with ours, for the transform ``lookup``; on the way out it is read the other way round."""
    template: str | None = None
    """A text with their fields in double braces, for the transform ``template``: ``{{name}}, {{company}}``."""
    default: str | None = None
    """The value where the other side has none."""
    required: Annotated[bool | None, Default(False)] = None
    """Whether a record without a value is refused."""
    conflict_resolution: ConflictResolution | None = None
    """The value that is kept in a conflict; without it, the integration decides."""
    active: Annotated[bool | None, Default(True)] = None
    """Whether the mapping is used."""


class _MappingMembers(TypedDict, total=False):
    direction: SyncDirection
    transform: Transform
    lookup: _Lookup | None
    template: _Long | None
    default: _Long | None
    required: bool
    conflict_resolution: ConflictResolution | None
    active: bool


@with_config(INPUT)
class FieldMappingCreate(_MappingMembers, total=False):
    """A new mapping: the kind of record, the field of the external system, and our member."""

    entity_type: Required[MappedEntity]
    source_field: Required[_Field]
    target_field: Required[_Field]


@with_config(INPUT)
class FieldMappingUpdate(_MappingMembers, total=False):
    """Changes to a mapping; null clears a member."""

    entity_type: MappedEntity
    source_field: _Field
    target_field: _Field


MappingDraft: TypeAlias = Draft
"""The members of a `FieldMappingCreate`, valid or not, for `mappings.validate` to check."""


class MappingIssue(Model):
    """A fault of a mapping, or something to know about it."""

    index: int
    """The position of the mapping, from 0."""
    severity: Literal["error", "warning"] | str
    """An error keeps the mapping from being stored, a warning does not."""
    code: str
    field: str | None = None
    """The member of the mapping that is wrong."""
    message: str


class MappingValidation(Model):
    """The result of checking mappings without storing them."""

    valid: bool
    """Whether no mapping has an error."""
    issues: list[MappingIssue]
    """What is wrong with the mappings, or to know about them."""
    unmapped_required: list[str] = Field(default_factory=EMPTY)
    """The members that a new record needs and no mapping fills: ``contact.name``."""
    preview: list[FieldChange] = Field(default_factory=EMPTY)
    """The members that the sample would set: `before` is the sample's value, `after` ours."""


MappingSample: TypeAlias = Annotated[dict[str, FieldValue], Field(max_length=200)]
"""A record of the external system, by its own field names."""
