"""What every noun has in common: its description, its scan, writing by a key, transactions, deleted records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .any_records import AnyRecord
from .continued import Continued
from .custom_fields import FieldOption
from .marks import INPUT
from .patterns import RECORD_REF_PATTERN
from .record import Model
from .values import EMPTY, Amount, EntityRef, ErrorDetail, FieldValue, JsonValue

Capability: TypeAlias = Literal["scan", "upsert", "delete", "restore", "import", "export"] | str
UpsertMode: TypeAlias = Literal["upsert", "create", "update"]
OnMatch: TypeAlias = Literal["update", "fill_empty", "skip"]
RecordAction: TypeAlias = Literal["create", "update", "upsert", "delete"]
FieldKind: TypeAlias = (
    Literal[
        "text", "long_text", "integer", "decimal", "currency", "boolean", "date", "datetime", "email", "phone", "url",
        "select", "multi_select", "reference", "auto_number", "object", "list",
    ]
    | str
)  # fmt: skip
RecordValues: TypeAlias = Mapping[str, JsonValue]
"""The members of a record by name, checked as those of its noun's create and update."""
DeletedSort: TypeAlias = Literal["deleted_at", "name", "id", "created_at", "updated_at"] | str
ScanLimit: TypeAlias = Annotated[int, Field(ge=1, le=200)]
RecordRef: TypeAlias = Annotated[str, Field(pattern=RECORD_REF_PATTERN)]


class ObjectSummary(Model):
    """A noun, or a custom object, and what the caller may do with its records."""

    entity: str
    """The word for it in paths and events: `contact`, or the API name of a custom object."""
    label: str
    plural_label: str
    custom: bool = False
    """Whether the company defined it."""
    object_id: str | None = None
    """Id of the custom object."""
    id_prefix: str | None = None
    """What the ids of its records begin with."""
    record_count: int = 0
    """The number of records that the caller may see."""
    capabilities: list[Capability] = Field(default_factory=EMPTY)
    """What can be done with its records."""
    permissions: list[str] = Field(default_factory=EMPTY)
    """The actions that the caller has the permission for."""


class ObjectKey(Model):
    """A field by which `upsert` and `batch_get` find records."""

    field: str
    unique: bool
    """Whether no two records have the same value; a value that several have is refused, not guessed."""
    is_default: bool = False
    """Whether it is taken where no key is named."""


class FieldDescription(Model):
    """A field of a record: what it holds, and how it can be searched, sorted and written."""

    name: str
    """Its name, with those of the objects it is in: `address.city`, `custom_fields.tier`."""
    label: str
    type: FieldKind
    item_type: str | None = None
    """The type of the items of a list."""
    custom: bool = False
    """Whether the company defined it."""
    field_id: str | None = None
    """Id of its definition."""
    required: bool = False
    read_only: bool = False
    """Whether only the server writes it."""
    nullable: bool = True
    """Whether it may be empty."""
    unique: bool = False
    default: FieldValue = None
    """The value of a new record that is given none."""
    options: list[FieldOption] = Field(default_factory=EMPTY)
    """The values of an enumeration."""
    open: bool = False
    """Whether a value beside the options is kept as it is."""
    min_value: Amount | None = None
    """The smallest number it takes."""
    max_value: Amount | None = None
    """The greatest number it takes."""
    min_length: int | None = None
    """The characters it has at least."""
    max_length: int | None = None
    """The characters it has at most; of a list, its items."""
    pattern: str | None = None
    reference_to: list[str] = Field(default_factory=EMPTY)
    """The entities whose ids it holds."""
    operators: list[str] = Field(default_factory=EMPTY)
    """The operators of conditions that a search accepts for it."""
    sortable: bool = False
    """Whether a list can be sorted by it."""
    searchable: bool = False
    """Whether a list's `search` looks in it."""
    groupable: bool = False
    """Whether reports group by it."""
    personal: bool = False
    """Whether erasing a person erases it."""
    hidden: bool = False
    """Whether it is left out by default."""
    access: Literal["read", "write"] | str = "write"
    """What the caller may do with it."""
    help_text: str | None = None
    position: int = 0


class RelationshipDescription(Model):
    """How records of an entity refer to those of another."""

    name: str
    label: str
    kind: Literal["reference", "list"] | str
    entity: str
    """The entity of the other records."""
    field: str | None = None
    """The field with the id."""
    cardinality: Literal["one_to_one", "one_to_many", "many_to_one", "many_to_many"] | str
    """How many records are on each side."""
    on_delete: Literal["restrict", "set_null", "cascade", "keep"] | str
    """What happens when the other record is deleted."""


class ObjectDescription(ObjectSummary):
    """A noun with its fields, keys and relationships."""

    model: str
    """The name of its model in the reference."""
    keys: list[ObjectKey] = Field(default_factory=EMPTY)
    """The fields by which records are found."""
    fields: list[FieldDescription] = Field(default_factory=EMPTY)
    """Its fields, by position."""
    relationships: list[RelationshipDescription] = Field(default_factory=EMPTY)
    """What its records refer to."""
    schema_version: str = ""
    """Changes when a definition or a label changes, or what the caller may do with a field."""
    language: str = "en"
    """The language of the labels."""


class Tombstone(Model):
    """What is left of a record that is gone: its id, since when, and what became of it."""

    entity: EntityRef
    """The record that is gone."""
    change: Literal["deleted", "merged", "purged", "erased", "access_lost"] | str
    """What became of it."""
    deleted_at: AwareDatetime | None = None
    """Since when it is gone."""
    merged_into: str | None = None
    """Id of the record that it was merged into."""


class RecordScan(Continued[AnyRecord]):
    """A part of a scan: records by their ids, ascending. Iterating goes on to the end."""

    items: list[AnyRecord]
    deleted: list[Tombstone] = Field(default_factory=EMPTY)
    """With `include_deleted`: what is left of the records whose ids lie in the range of this part."""
    next: str | None = None
    """What `after` of the next call is; null at the end."""
    cursor: str
    """The position in the feed of changes when the scan began: the same in every part."""
    total: int = 0
    """The number of records that match now."""

    def following(self) -> Mapping[str, Any] | None:
        """Return the argument of the call for the next part; None at the end."""
        return {"after": self.next} if self.next is not None else None


class UpsertResult(Model):
    """What became of a row."""

    id: str | None = None
    outcome: Literal["created", "updated", "unchanged", "skipped", "deleted"] | str
    matched_on: str | None = None
    """The field by which the record was found; null for a new one."""
    version: int | None = None
    record: AnyRecord | None = None
    """The record, with `return_records`."""


@with_config(INPUT)
class RecordOperation(TypedDict, total=False):
    """One write of a transaction. ``"@name"`` in `values` is the id of the record of the earlier operation `ref`."""

    action: Required[RecordAction]
    """What is done: create, update, upsert or delete."""
    entity: Required[Annotated[str, Field(min_length=1, max_length=100)]]
    """The entity of the record."""
    ref: RecordRef
    """A name for the record, for later operations of the call."""
    id: Annotated[str, Field(min_length=1, max_length=100)]
    """Id of the record to change or delete, or ``@name``."""
    match_on: Annotated[str, Field(min_length=1, max_length=100)]
    """The key of an upsert."""
    version: int
    """The version that the record must have."""
    values: dict[str, JsonValue]
    """The members; a text that begins with ``@`` is written ``@@``."""


class TransactionResult(Model):
    """What became of the operations of a transaction, in their order."""

    results: list[UpsertResult]
    """What became of each operation."""
    refs: dict[str, str] = Field(default_factory=dict[str, str])
    """The ids of the records that have a name."""


class DeletedRecord(Model):
    """A record that was deleted and can still be restored, or says why not."""

    id: str
    entity: str
    """The entity of the record."""
    name: str | None = None
    deleted_at: AwareDatetime | None = None
    """When it was deleted."""
    deleted_by: str | None = None
    """Who deleted it."""
    purge_at: AwareDatetime | None = None
    """When it is deleted for good; null while it must be kept."""
    restorable: bool = True
    """Whether it can be restored now."""
    blocked_by: list[ErrorDetail] = Field(default_factory=EMPTY)
    """What a restore would answer."""
