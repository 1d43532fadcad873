"""Values that models of several nouns share: enumerations, amounts, addresses, references, search queries.

Enumerations are open for reading: a value that the documents do not list is kept. Only an enumeration marked `OPEN` may
also be written with a value of the caller's own; the server refuses unknown values of the others.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Annotated, Any, Final, Generic, Literal, Required, Self, TypeAlias, TypeVar

from pydantic import BeforeValidator, Field, PlainSerializer, with_config
from typing_extensions import TypedDict

from ..errors import BulkFailedError
from ..wire import number
from .marks import INPUT, OPEN, Format, ReadAs, TextFirst
from .record import Model

T = TypeVar("T")


EMPTY: Final[Callable[[], list[Any]]] = list
"""The default of a list: an empty one. Not ``list[X]``: calling a parametrised alias takes twice as long."""

Amount: TypeAlias = Annotated[Decimal, PlainSerializer(number, when_used="json")]
"""An amount of money, or another number that must keep every digit."""

LARGEST_NUMBER: Final = 10**24
"""Every number that is given is smaller: what is stored holds no larger one, and sums lose no digit."""
LARGEST_AMOUNT: Final = 10**15
"""Every amount that is given is smaller, so that the sum of all of them loses no digit."""
_BoundedAmount: TypeAlias = Annotated[Amount, Field(gt=-LARGEST_AMOUNT, lt=LARGEST_AMOUNT, decimal_places=20)]

AmountInput: TypeAlias = Annotated[Decimal | int, ReadAs(_BoundedAmount)]
"""An amount as it may be given: a Decimal or an int between -10^15 and 10^15, with at most 20 decimal places."""

FieldValue: TypeAlias = Annotated[str | Amount | int | bool | date | datetime | list[str] | None, TextFirst()]
"""The value of a custom field."""
JsonValue: TypeAlias = Annotated[FieldValue | list[Any] | dict[str, Any], TextFirst()]
"""The value of any member of a record: a custom field's, a list, an object such as an address."""


def one_note(value: object) -> object:
    """Read a string as a list of one note, and null or an empty string as an empty list."""
    if value is None or value == "":
        return []
    return [value] if isinstance(value, str) else value


Notes: TypeAlias = Annotated[list[str], BeforeValidator(one_note)]
NotesInput: TypeAlias = Annotated[list[str] | str, ReadAs(list[str], before=one_note)]

EMAIL_PATTERN, URL_PATTERN = r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$", r"^[a-zA-Z][a-zA-Z0-9+.-]*://[^\s/]\S*$"
CURRENCY_PATTERN, COUNTRY_PATTERN = r"^[A-Z]{3}$", r"^[A-Z]{2}$"
LANGUAGE_PATTERN, NOT_BLANK = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", r"[^\s\x00-\x1f\x85]"
PERMISSION_PATTERN, EVENT_PATTERN = r"^[a-z_]+:[a-z]+(@all)?$", r"^[a-z_]+\.[a-z_]+$"
SLUG_PATTERN, SETTING_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$", r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$"
SEMVER_PATTERN = r"^(0|[1-9][0-9]{0,8})(\.(0|[1-9][0-9]{0,8})){2}(-[0-9A-Za-z]+([.-][0-9A-Za-z]+)*)?$"
OWN_ACTION_PATTERN = r"^custom\.[^\s\x00-\x1f\x85]"

Email: TypeAlias = Annotated[str, Field(pattern=EMAIL_PATTERN, max_length=254)]
Phone: TypeAlias = Annotated[str, Field(min_length=1, max_length=50)]
Url: TypeAlias = Annotated[str, Field(pattern=URL_PATTERN, max_length=2048)]
Currency: TypeAlias = Annotated[str, Field(pattern=CURRENCY_PATTERN)]
Limit: TypeAlias = Annotated[int, Field(ge=1, le=200)]
Offset: TypeAlias = Annotated[int, Field(ge=0, le=10**12)]
PageNumber: TypeAlias = Annotated[int, Field(ge=1, le=10**9)]
Percent: TypeAlias = Annotated[int, Field(ge=0, le=100)]
Tag: TypeAlias = Annotated[str, Field(min_length=1, max_length=50, pattern=NOT_BLANK)]
Tags: TypeAlias = Annotated[list[Annotated[str, Field(min_length=1, max_length=50)]], Field(max_length=50)]
Text: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK)]
Name: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, max_length=200)]
"""What a record is called."""
LanguageTag: TypeAlias = Annotated[str, Field(pattern=LANGUAGE_PATTERN)]
TimeZone: TypeAlias = Annotated[str, Format("time-zone")]
AllowedNetwork: TypeAlias = Annotated[str, Format("ip-network"), Field(min_length=1, max_length=50)]
"""An address, or a network in CIDR notation, such as `203.0.113.0/24`."""

Upload: TypeAlias = os.PathLike[str] | str | bytes | IO[bytes] | tuple[str, bytes]
"""A file to send: a path, its bytes, an open binary file, or its name and bytes."""

Priority: TypeAlias = Literal["high", "medium", "low"] | str
Level: TypeAlias = Literal["high", "medium", "low"] | str
Sentiment: TypeAlias = Literal["positive", "neutral", "negative"] | str
Trend: TypeAlias = Literal["improving", "stable", "declining"] | str
Rating: TypeAlias = Literal["hot", "warm", "cold"] | str
Channel: TypeAlias = Literal["email", "sms", "push", "in_app", "chat"] | str
Period: TypeAlias = Literal["day", "week", "month", "quarter", "year"] | str
Order: TypeAlias = Literal["asc", "desc"]
LeadSource: TypeAlias = Annotated[
    Literal[
        "website",
        "referral",
        "social",
        "advertising",
        "email",
        "event",
        "phone",
        "partner",
        "import",
        "api",
        "other",
    ]
    | str,
    OPEN,
]
EntityType: TypeAlias = Annotated[
    Literal[
        "contact", "lead", "deal", "account", "activity", "conversation", "message", "user", "team", "pipeline",
        "file", "report", "dashboard", "workflow", "integration", "app", "comment", "custom_object", "territory",
        "template", "notification", "share", "prediction", "recommendation", "model", "tenant", "role", "session",
        "api_key", "webhook", "agent", "job", "schedule", "retention_policy", "social_account", "social_post",
        "keyword", "alert", "mention", "engagement", "layout", "setting", "flag", "backup",
    ] | str,
    OPEN,
]  # fmt: skip
"""The kind of a record; the records of a custom object have its API name as their kind."""
SocialNetwork: TypeAlias = Annotated[
    Literal["twitter", "linkedin", "facebook", "instagram", "youtube", "github"] | str, OPEN
]


class Address(Model):
    """A postal address."""

    street: str | None = None
    street2: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    """Country code of two letters (ISO 3166-1 alpha-2)."""


@with_config(INPUT)
class AddressInput(TypedDict, total=False):
    """A postal address, as input."""

    street: Annotated[str, Field(max_length=255)] | None
    street2: str | None
    city: str | None
    state: str | None
    postal_code: str | None
    country: Annotated[str, Field(pattern=COUNTRY_PATTERN)] | None


class SocialProfile(Model):
    """A profile on a social network."""

    network: SocialNetwork
    url: str
    handle: str | None = None


@with_config(INPUT)
class SocialProfileInput(TypedDict, total=False):
    """A profile on a social network, as input."""

    network: Required[SocialNetwork]
    url: Required[Url]
    handle: str | None


class EntityRef(Model):
    """A reference to a record of any kind."""

    type: EntityType
    id: str
    name: str | None = None


@with_config(INPUT)
class EntityRefInput(TypedDict, total=False):
    """A reference to a record of any kind."""

    type: Required[EntityType]
    id: Required[Annotated[str, Field(min_length=1, max_length=100)]]
    name: str | None


class UserRef(Model):
    """A reference to a user."""

    id: str
    name: str | None = None
    avatar: str | None = None


class Money(Model):
    """An amount in a currency."""

    amount: Amount
    """How much money it is."""
    currency: str


class ErrorDetail(Model):
    """The error of one member of an input, or of one item of a bulk call."""

    code: str
    message: str
    field: str | None = None
    rule: str | None = None
    details: dict[str, Any] = Field(default_factory=dict)


class FieldChange(Model):
    """One changed member of a record, with its values before and after the change."""

    field: str
    before: JsonValue = None
    after: JsonValue = None


class ScoreReason(Model):
    """One part of a score."""

    feature: str
    """The name of the feature that counts."""
    label: str
    value: FieldValue = None
    """The value of the feature."""
    points: int
    """The points that the feature adds to the score; they may be negative."""


class BulkItem(Model, Generic[T]):
    """The result of one item of a bulk call."""

    index: int
    """Position in the request, from 0."""
    key: str | None = None
    """What identifies the record in the item: its id, else the value to match by, else its external id."""
    status: Literal["ok", "failed"] | str
    id: str | None = None
    error: ErrorDetail | None = None
    result: T | None = None


class BulkResult(Model, Generic[T]):
    """The results of all items of a bulk call, in the order of the request."""

    items: list[BulkItem[T]]
    total: int
    succeeded: int
    failed: int

    @property
    def failures(self) -> list[BulkItem[T]]:
        """The items that failed, each with its `error`, in the order of the request."""
        return [item for item in self.items if item.status == "failed"]

    def raise_for_failed(self) -> Self:
        """Return this result where every item was done.

        Raises: BulkFailedError, whose `failures` are the items that were not done; the others stay done.
        """
        if self.failures:
            raise BulkFailedError(_first_failures(self.failures, len(self.items)), result=self)
        return self


def _first_failures(failures: Sequence[BulkItem[Any]], total: int) -> str:
    """Return in words what the first failed items failed of."""
    told = [
        f"item {item.index}{f' ({item.key})' if item.key else ''}: {item.error.message if item.error else 'failed'}"
        for item in failures[:3]
    ]
    more = [f"and {len(failures) - 3} more"] if len(failures) > 3 else []
    return f"{len(failures)} of {total} items failed: {'; '.join([*told, *more])}"


class MergeCounts(Model):
    """The numbers of records that were moved to the survivor."""

    contacts: int = 0
    """Contacts that were moved."""
    leads: int = 0
    """Leads that were moved."""
    deals: int = 0
    """Deals that were moved."""
    activities: int = 0
    """Activities that were moved."""
    conversations: int = 0
    """Conversations that were moved."""
    relationships: int = 0
    """Relationships that were moved."""
    files: int = 0
    """Files that were moved."""
    comments: int = 0
    """Comments that were moved."""
    children: int = 0
    """Accounts below it that were moved."""


class JobCounts(Model):
    """The numbers of items that a job has processed."""

    total: int = 0
    """The number of rows or records in all."""
    processed: int = 0
    """The number of processed rows or records, successful or not."""
    succeeded: int = 0
    failed: int = 0
    skipped: int = 0
    """The number of skipped rows or records."""
    created: int = 0
    """The number of records that were created."""
    updated: int = 0
    """The number of records that were changed."""
    deleted: int = 0
    """The number of records that were deleted."""


class JobError(Model):
    """The error of one row or record of a job."""

    row: int | None = None
    """The number of the row, from 1; a header is not counted."""
    field: str | None = None
    code: str
    message: str
    value: str | None = None
    """The value in the row."""


FilterOperator: TypeAlias = (
    Literal[
        "eq",
        "neq",
        "gt",
        "gte",
        "lt",
        "lte",
        "between",
        "in",
        "not_in",
        "contains",
        "not_contains",
        "starts_with",
        "is_set",
        "is_not_set",
    ]
    | str
)


@with_config(INPUT)
class Filter(TypedDict, total=False):
    """One condition on a member; dates can be relative: ``today``, ``-30d``, ``this_month``."""

    field: Required[str]
    op: Required[FilterOperator]
    """The comparison operator."""
    value: FieldValue
    """The value to compare with; the lower bound of `between`."""
    high_value: FieldValue
    """The upper bound of `between`."""
    values: list[FieldValue] | None
    """The values to compare with, for `in` and `not_in`."""


@with_config(INPUT)
class FilterGroup(TypedDict):
    """Conditions that must all hold; of several groups, one must match."""

    filters: Annotated[list[Filter], Field(min_length=1)]


@with_config(INPUT)
class SearchQuery(TypedDict, total=False):
    """A search: words that must occur, and filter groups of which one must match."""

    q: str | None
    filter_groups: list[FilterGroup] | None
    fields: list[str] | None
    include: list[str] | None
    page: PageNumber
    limit: Limit
    sort: str | None
    order: Order
