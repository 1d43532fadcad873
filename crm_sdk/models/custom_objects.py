"""Custom objects: the kinds of records that a company defines itself, with their fields and relationships."""

from __future__ import annotations

from typing import Annotated, Literal, Required, TypeAlias

from pydantic import Field, with_config
from typing_extensions import TypedDict

from .custom_fields import CustomField, CustomFieldCreate, OnDelete
from .marks import INPUT, Default
from .patterns import FIELD_NAME_PATTERN, OBJECT_NAME_PATTERN
from .record import Record
from .values import EMPTY, NOT_BLANK

_ObjectName: TypeAlias = Annotated[str, Field(pattern=OBJECT_NAME_PATTERN)]
"""The API name of a custom object: 3 to 50 small letters, digits and underscores."""
_LinkName: TypeAlias = Annotated[str, Field(pattern=FIELD_NAME_PATTERN)]
_Label: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, max_length=100)]
Cardinality: TypeAlias = Literal["one_to_one", "one_to_many", "many_to_one", "many_to_many"] | str
CustomObjectSort: TypeAlias = Literal["id", "label", "record_count", "created_at", "updated_at"] | str
ObjectRelationshipSort: TypeAlias = Literal["id", "api_name", "label", "created_at", "updated_at"] | str


class ObjectRelationship(Record):
    """A link between the records of a custom object and those of another object, with a key of its own in `fields`."""

    object_id: str | None = None
    api_name: str
    """The key of the link in a record's `fields`; it cannot be changed."""
    label: str
    related_object: str
    """What is linked: a custom object's API name, or ``contact``, ``lead``, ``deal``, ``account``, ``user``."""
    cardinality: Cardinality
    """How many of ours are linked with how many of theirs; ``many_to_one``: each of ours with one of theirs."""
    inverse_api_name: str | None = None
    """The key of the same links in the `fields` of the related custom object's records."""
    inverse_label: str | None = None
    required: Annotated[bool | None, Default(False)] = None
    on_delete: Annotated[OnDelete | None, Default("set_null")] = None
    link_count: int | None = None
    """The number of links that are stored."""


class CustomObject(Record):
    """A kind of record that the company has defined itself."""

    api_name: str
    """Its name in paths, permissions and events; it cannot be changed."""
    label: str
    plural_label: str
    description: str | None = None
    icon: str | None = None
    primary_field: Annotated[str | None, Default("name")] = None
    """The API name of the text field that names a record."""
    fields: list[CustomField] = Field(default_factory=EMPTY)
    """Its fields, by position; empty in lists."""
    relationships: list[ObjectRelationship] = Field(default_factory=EMPTY)
    """Its relationships, also those that other objects have with it; empty in lists."""
    searchable: Annotated[bool | None, Default(True)] = None
    """Whether the search over everything finds its records."""
    active: Annotated[bool | None, Default(True)] = None
    """Whether its records can be read and written."""
    record_count: Annotated[int | None, Default(0)] = None


class _CustomObjectMembers(TypedDict, total=False):
    description: Annotated[str, Field(max_length=10_000)] | None
    icon: Annotated[str, Field(max_length=100)] | None
    primary_field: _LinkName
    searchable: bool
    active: bool


@with_config(INPUT)
class CustomObjectCreate(_CustomObjectMembers, total=False):
    """A new custom object; its fields can be given with it, a text field ``name`` is made unless they name another."""

    api_name: Required[_ObjectName]
    label: Required[_Label]
    plural_label: Required[_Label]
    fields: Annotated[list[CustomFieldCreate], Field(max_length=500)] | None


@with_config(INPUT)
class CustomObjectUpdate(_CustomObjectMembers, total=False):
    """Changes to a custom object; fields and relationships have calls of their own."""

    label: _Label
    plural_label: _Label


class _ObjectRelationshipMembers(TypedDict, total=False):
    inverse_label: _Label | None
    required: bool
    on_delete: OnDelete


@with_config(INPUT)
class ObjectRelationshipCreate(_ObjectRelationshipMembers, total=False):
    """A new relationship; a related custom object gets the inverse relationship."""

    api_name: Required[_LinkName]
    label: Required[_Label]
    related_object: Required[Annotated[str, Field(min_length=1, max_length=60)]]
    cardinality: Required[Cardinality]
    inverse_api_name: _LinkName | None


@with_config(INPUT)
class ObjectRelationshipUpdate(_ObjectRelationshipMembers, total=False):
    """Changes to a relationship; what it links stays."""

    label: _Label
    cardinality: Cardinality
