"""The records of custom objects."""

from __future__ import annotations

from typing import Annotated, Literal, Required, TypeAlias

from pydantic import Field, with_config
from typing_extensions import TypedDict

from .marks import INPUT
from .record import Record
from .values import EMPTY, EntityRef, FieldValue, Tags

CustomRecordInclude: TypeAlias = Literal["related"]
CustomRecordSort: TypeAlias = Literal["id", "name", "created_at", "updated_at"] | str
"""A member of every record, or the API name of a field."""
_RecordFields: TypeAlias = Annotated[dict[str, FieldValue], Field(max_length=600)]


class CustomRecord(Record):
    """A record of a custom object."""

    object_id: str | None = None
    object: str | None = None
    """The API name of its object."""
    name: str | None = None
    """The value of the object's primary field."""
    owner_id: str | None = None
    fields: dict[str, FieldValue] = Field(default_factory=dict)
    """Its values by the API names of fields and relationships: a reference is an id, a multiple choice a list."""
    related: list[EntityRef] = Field(default_factory=EMPTY)
    """The records that it refers to or is linked with; empty unless they are included."""
    tags: list[str] = Field(default_factory=EMPTY)


@with_config(INPUT)
class CustomRecordCreate(TypedDict, total=False):
    """A new record of a custom object."""

    fields: Required[_RecordFields]
    owner_id: str | None
    tags: Tags | None


@with_config(INPUT)
class CustomRecordUpdate(TypedDict, total=False):
    """Changes to a record: `fields` merges key by key, null clears a field."""

    fields: _RecordFields
    owner_id: str | None
    tags: Tags | None
