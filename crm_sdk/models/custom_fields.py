"""The fields of custom objects: their types, the rules for their values, and what a changed rule would break."""

from __future__ import annotations

from typing import Annotated, Literal, Required, TypeAlias

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from .marks import INPUT, Default
from .patterns import FIELD_NAME_PATTERN
from .record import Model, Record
from .values import EMPTY, LARGEST_AMOUNT, NOT_BLANK, Amount, AmountInput, Currency, ErrorDetail, FieldValue, JsonValue

FieldType: TypeAlias = (
    Literal[
        "text",
        "long_text",
        "integer",
        "decimal",
        "currency",
        "boolean",
        "date",
        "datetime",
        "email",
        "phone",
        "url",
        "select",
        "multi_select",
        "reference",
        "auto_number",
    ]
    | str
)
OnDelete: TypeAlias = Literal["restrict", "set_null", "cascade"] | str
FieldSort: TypeAlias = Literal["id", "position", "created_at", "updated_at"] | str
_FieldName: TypeAlias = Annotated[str, Field(pattern=FIELD_NAME_PATTERN)]
"""The API name of a field: up to 50 small letters, digits and underscores."""
_FieldLabel: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, max_length=100)]
FieldLabels: TypeAlias = Annotated[dict[str, _FieldLabel], Field(max_length=50)]
"""Labels by language tags."""
_Position: TypeAlias = Annotated[int, Field(ge=0, le=1_000_000)]
_Length: TypeAlias = Annotated[int, Field(ge=0, le=65_535)]
_Bound: TypeAlias = Annotated[AmountInput, Field(gt=-LARGEST_AMOUNT, lt=LARGEST_AMOUNT)]
MAX_TEXT, MAX_LONG_TEXT, MAX_PRECISION = 255, 65_535, 8


class FieldOption(Model):
    """One option of a select field."""

    value: str
    """What records hold; unique in its field."""
    label: str
    color: str | None = None
    active: bool | None = True
    """Whether records may take it; records that have it keep it."""
    position: int | None = None


class CustomField(Record):
    """A field of a custom object: its type, and the rules for its values."""

    api_name: str
    label: str
    type: FieldType
    required: Annotated[bool | None, Default(False)] = None
    unique: Annotated[bool | None, Default(False)] = None
    default: FieldValue = None
    options: list[FieldOption] = Field(default_factory=EMPTY)
    min_value: Amount | None = None
    """The least value of a number."""
    max_value: Amount | None = None
    """The greatest value of a number."""
    precision: int | None = None
    min_length: int | None = None
    """The least number of characters of a text."""
    max_length: int | None = None
    """The greatest number of characters of a text."""
    pattern: str | None = None
    currency: str | None = None
    """The currency of the amounts (ISO 4217)."""
    reference_to: str | None = None
    on_delete: Annotated[OnDelete | None, Default("set_null")] = None
    format: str | None = None
    """The form of an automatic number: ``INV-{0000}`` counts INV-0001, INV-0002 …"""
    help_text: str | None = None
    position: int | None = None
    searchable: Annotated[bool | None, Default(True)] = None
    personal: Annotated[bool | None, Default(False)] = None
    """Whether its values tell of a person, and are erased with that person."""
    is_system: Annotated[bool | None, Default(False)] = None
    """Whether it was made with the object; it cannot be deleted."""
    object_id: str | None = None
    """Id of the custom object; null for a field of contacts, leads, accounts, deals, activities or territories."""
    labels: dict[str, str] = Field(default_factory=dict)
    """The label in other languages, by their tags."""
    hidden: Annotated[bool | None, Default(False)] = None
    """Whether descriptions and layouts leave it out; it is still stored and answered."""
    entity: str | None = None
    """The kind of the records that have it: ``contact``, or the API name of a custom object."""


@with_config(INPUT)
class FieldOptionInput(TypedDict, total=False):
    """One option of a select field, as input."""

    value: Required[Annotated[str, Field(pattern=NOT_BLANK, max_length=100)]]
    label: Required[_FieldLabel]
    color: Annotated[str, Field(max_length=50)] | None
    active: bool
    position: _Position | None


class _CustomFieldMembers(TypedDict, total=False):
    required: bool
    unique: bool
    default: FieldValue
    options: Annotated[list[FieldOptionInput], Field(max_length=1_000)] | None
    min_value: _Bound | None
    max_value: _Bound | None
    precision: Annotated[int, Field(ge=0, le=MAX_PRECISION)] | None
    min_length: _Length | None
    max_length: _Length | None
    pattern: Annotated[str, Field(min_length=1, max_length=500)] | None
    currency: Currency | None
    reference_to: Annotated[str, Field(min_length=1, max_length=60)] | None
    on_delete: OnDelete
    format: Annotated[str, Field(min_length=1, max_length=60)] | None
    help_text: Annotated[str, Field(max_length=1_000)] | None
    position: _Position | None
    searchable: bool
    labels: FieldLabels
    """The label in other languages, by their tags."""
    hidden: bool
    """Whether descriptions and layouts leave it out."""
    personal: bool
    """Whether its values tell of a person, and are erased with that person."""


@with_config(INPUT)
class CustomFieldCreate(_CustomFieldMembers, total=False):
    """A new field; a select needs options, a reference what it refers to."""

    api_name: Required[_FieldName]
    label: Required[_FieldLabel]
    type: Required[FieldType]


@with_config(INPUT)
class CustomFieldUpdate(_CustomFieldMembers, total=False):
    """Changes to a field; null clears a member, and the type only widens."""

    label: _FieldLabel
    type: FieldType


@with_config(INPUT)
class FieldOverride(TypedDict, total=False):
    """Changes to a field: of a standard one only how it is shown, and stricter rules; null takes a change back.

    Of a custom field the members of `CustomFieldUpdate` can be changed, too.
    """

    label: _FieldLabel | None
    type: FieldType
    labels: FieldLabels | None
    """The label in other languages, by their tags."""
    help_text: Annotated[str, Field(max_length=1_000)] | None
    required: bool | None
    """Of a standard field only true, or null."""
    default: FieldValue
    hidden: bool | None
    """Whether descriptions and layouts leave it out."""
    position: _Position | None
    personal: bool | None
    """Of a standard field only true, or null."""
    options: Annotated[list[FieldOptionInput], Field(max_length=1_000)] | None
    """The options in order; new values only where the field is open to others."""
    unique: bool
    min_value: _Bound | None
    """The least value of a number."""
    max_value: _Bound | None
    """The greatest value of a number."""
    precision: Annotated[int, Field(ge=0, le=MAX_PRECISION)] | None
    min_length: _Length | None
    """The least number of characters of a text."""
    max_length: _Length | None
    """The greatest number of characters of a text."""
    pattern: Annotated[str, Field(min_length=1, max_length=500)] | None
    currency: Currency | None
    reference_to: Annotated[str, Field(min_length=1, max_length=60)] | None
    on_delete: OnDelete
    format: Annotated[str, Field(min_length=1, max_length=60)] | None
    searchable: bool


@with_config(ConfigDict({**INPUT, "extra": "allow"}))
class FieldDraft(TypedDict, total=False):
    """A field as it may become, which need not be valid: what is wrong with it is the answer."""

    api_name: JsonValue
    label: JsonValue
    type: JsonValue
    required: JsonValue
    unique: JsonValue
    default: JsonValue
    options: JsonValue
    min_value: JsonValue
    """The least value of a number."""
    max_value: JsonValue
    """The greatest value of a number."""
    precision: JsonValue
    min_length: JsonValue
    """The least number of characters of a text."""
    max_length: JsonValue
    """The greatest number of characters of a text."""
    pattern: JsonValue
    currency: JsonValue
    reference_to: JsonValue
    on_delete: JsonValue
    format: JsonValue
    help_text: JsonValue
    position: JsonValue
    searchable: JsonValue
    labels: JsonValue
    """The label in other languages, by their tags."""
    hidden: JsonValue
    """Whether descriptions and layouts leave it out."""
    personal: JsonValue
    """Whether its values tell of a person, and are erased with that person."""


class FieldValidation(Model):
    """Whether a field could be made or changed like this, and what stands in its way."""

    valid: bool
    """Whether the call would make or change the field."""
    errors: list[ErrorDetail] = Field(default_factory=EMPTY)
    """What refuses the field, each as the call itself would answer it."""
    warnings: list[ErrorDetail] = Field(default_factory=EMPTY)
    """What is worth knowing before it is done."""
    affected_records: int = 0
    """The number of records that would break the rules."""
    conflicts: list[str] = Field(default_factory=EMPTY)
    """The ids of up to 20 of them."""
