"""Customization: layouts of records, and views of their lists."""

from __future__ import annotations

from typing import Annotated, Literal, Required, TypeAlias

from pydantic import Field, with_config
from typing_extensions import TypedDict

from .marks import INPUT, Default
from .record import Model, Record
from .reports import ReportSort, ReportSortInput
from .values import EMPTY, NOT_BLANK, FilterGroup

LayoutKind: TypeAlias = Literal["detail", "create", "list", "board", "card"] | str
LayoutAudience: TypeAlias = Literal["tenant", "role", "team", "user"] | str
LayoutSort: TypeAlias = Literal["id", "name", "position", "created_at", "updated_at"] | str
_FieldPath: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
_Label: TypeAlias = Annotated[str, Field(max_length=100)]
_Labels: TypeAlias = Annotated[dict[str, _Label], Field(max_length=50)]


class LayoutField(Model):
    """A field in a section of a layout."""

    field: str
    read_only: bool | None = False
    """Whether the form shows it only."""
    required: bool | None = False
    """Whether the form asks for it; what has to be given is the field's own rule."""
    width: int | None = 1
    """How many columns of the section it takes."""


class LayoutSection(Model):
    """A part of a layout, with fields in columns."""

    label: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    """The label in other languages, by their tags."""
    columns: int | None = 2
    """The number of columns, from 1 to 4."""
    fields: list[LayoutField] = Field(default_factory=EMPTY)
    """The fields of the section, in order."""
    collapsed: bool | None = False
    """Whether only its label is shown at first."""
    visible_when: list[FilterGroup] = Field(default_factory=EMPTY)
    """Conditions on the record under which it is shown; always without any."""


class LayoutColumn(Model):
    """A column of a list: a field, or one of a record one step away, ``account.industry``."""

    field: str
    width: int | None = None
    """The width in pixels."""
    label: str | None = None


class Layout(Record):
    """How records are shown: in detail, in a form, on a card, on a board or in a list, which is a view."""

    entity: str
    """The kind of the records: ``contact``, or the API name of a custom object."""
    kind: LayoutKind
    """What is laid out."""
    name: str
    audience: Annotated[LayoutAudience, Default("user")]
    """For whom it is."""
    audience_id: str | None = None
    """Id of the role, team or user; null for the whole company."""
    is_default: Annotated[bool | None, Default(False)] = None
    """Whether it is in force for its audience; one of each entity and kind is."""
    sections: list[LayoutSection] = Field(default_factory=EMPTY)
    """The parts of a detail, a form or a card."""
    columns: list[LayoutColumn] = Field(default_factory=EMPTY)
    """The columns of a list."""
    group_by: str | None = None
    """The field whose values are the columns of a board."""
    filter_groups: list[FilterGroup] = Field(default_factory=EMPTY)
    sort: list[ReportSort] = Field(default_factory=EMPTY)
    """What a list is sorted by."""
    pinned: Annotated[bool | None, Default(False)] = None
    """Whether it is among those at hand."""
    icon: str | None = None
    position: int | None = None
    is_system: Annotated[bool | None, Default(False)] = None
    """Whether it is made from the fields of the records; it cannot be changed."""
    owner_id: str | None = None


@with_config(INPUT)
class LayoutFieldInput(TypedDict, total=False):
    """A field in a section, as input."""

    field: Required[_FieldPath]
    read_only: bool
    required: bool
    width: Annotated[int, Field(ge=1, le=4)]


@with_config(INPUT)
class LayoutSectionInput(TypedDict, total=False):
    """A section of a layout, as input."""

    label: _Label | None
    labels: _Labels
    columns: Annotated[int, Field(ge=1, le=4)]
    fields: Required[Annotated[list[LayoutFieldInput], Field(max_length=200)]]
    collapsed: bool
    visible_when: Annotated[list[FilterGroup], Field(max_length=5)]


@with_config(INPUT)
class LayoutColumnInput(TypedDict, total=False):
    """A column of a list, as input."""

    field: Required[_FieldPath]
    width: Annotated[int, Field(ge=1, le=10_000)] | None
    label: _Label | None


class _LayoutMembers(TypedDict, total=False):
    audience: LayoutAudience
    audience_id: str | None
    is_default: bool
    sections: Annotated[list[LayoutSectionInput], Field(max_length=50)] | None
    columns: Annotated[list[LayoutColumnInput], Field(max_length=100)] | None
    group_by: _FieldPath | None
    filter_groups: Annotated[list[FilterGroup], Field(max_length=5)] | None
    sort: Annotated[list[ReportSortInput], Field(max_length=3)] | None
    pinned: bool
    icon: Annotated[str, Field(max_length=50)] | None
    position: Annotated[int, Field(ge=0, le=1_000_000)]


@with_config(INPUT)
class LayoutCreate(_LayoutMembers, total=False):
    """A new layout; its entity and kind cannot be changed later."""

    entity: Required[Annotated[str, Field(min_length=1, max_length=50)]]
    kind: Required[LayoutKind]
    name: Required[Annotated[str, Field(pattern=NOT_BLANK, max_length=80)]]


@with_config(INPUT)
class LayoutUpdate(_LayoutMembers, total=False):
    """Changes to a layout; lists are replaced as a whole."""

    name: Annotated[str, Field(pattern=NOT_BLANK, max_length=80)]
