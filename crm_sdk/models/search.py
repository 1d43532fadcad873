"""Search: what is found and why, its counts by values, and how a company's records are searched."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final, Generic, Literal, Required, TypeAlias, TypeVar

from pydantic import AwareDatetime, Discriminator, Field, Tag, TypeAdapter, with_config
from typing_extensions import TypedDict

from ..paging import AsyncPage, Page
from ..wire import is_object, wire
from .accounts import Account
from .activities import Activity, CalendarEvent
from .contacts import Contact
from .custom_records import CustomRecord
from .dashboards import Dashboard
from .deals import Deal
from .files import File
from .jobs import JobState
from .leads import Lead
from .marks import INPUT
from .messages import Message
from .pipelines import Pipeline
from .record import Model
from .reports import Report
from .users import User
from .values import EMPTY, NOT_BLANK, Amount, AmountInput, EntityType, FieldValue, FilterOperator, LanguageTag, Period
from .workflows import Workflow

T = TypeVar("T")

SearchType: TypeAlias = Literal["all", "contacts", "deals", "messages", "events"] | str
SearchText: TypeAlias = Annotated[str, Field(max_length=500)]
"""Words, ``"phrases"``, ``-excluded`` words, and ``field:value``."""

ByScore: TypeAlias = Literal["score"]
"""Sort hits by how well they fit."""
HitSort: TypeAlias = Literal["score", "id", "created_at", "updated_at"] | str
"""``score``, or a member of the records."""


class Highlight(Model):
    """A part of a member in which words were found."""

    field: str
    fragment: str
    """The text around the first match as HTML: matches are between ``<em>`` and ``</em>``, the rest is escaped."""


class SearchHit(Model, Generic[T]):
    """A record that was found."""

    type: EntityType
    """The kind of the record; the API name for a record of a custom object."""
    id: str
    score: float
    """How well it fits, from 0 to 1: the best hit of the query has 1."""
    title: str
    """What the record is called."""
    subtitle: str | None = None
    """What tells it from others of the name, such as its company."""
    highlights: list[Highlight] = Field(default_factory=EMPTY)
    """The parts of members in which words were found."""
    matched_fields: list[str] = Field(default_factory=EMPTY)
    """The members in which words were found."""
    record: T
    """The record itself."""


_FOUND: Final = frozenset({
    "contact", "lead", "deal", "account", "activity", "message", "user", "pipeline", "workflow", "report", "dashboard",
    "file",
})  # fmt: skip


def _type(value: object) -> str:
    members: Any = value if is_object(value) else getattr(value, "__dict__", {})
    kind, record = members.get("type"), members.get("record")
    if isinstance(kind, str) and kind in _FOUND:
        return kind
    held: Mapping[str, Any] = record if is_object(record) else getattr(record, "__dict__", {})
    return "record" if "object_id" in held or "objectId" in held else "other"


FoundRecord: TypeAlias = Annotated[
    Annotated[SearchHit[Contact], Tag("contact")]
    | Annotated[SearchHit[Lead], Tag("lead")]
    | Annotated[SearchHit[Deal], Tag("deal")]
    | Annotated[SearchHit[Account], Tag("account")]
    | Annotated[SearchHit[Activity], Tag("activity")]
    | Annotated[SearchHit[Message], Tag("message")]
    | Annotated[SearchHit[User], Tag("user")]
    | Annotated[SearchHit[Pipeline], Tag("pipeline")]
    | Annotated[SearchHit[Workflow], Tag("workflow")]
    | Annotated[SearchHit[Report], Tag("report")]
    | Annotated[SearchHit[Dashboard], Tag("dashboard")]
    | Annotated[SearchHit[File], Tag("file")]
    | Annotated[SearchHit[CustomRecord], Tag("record")]
    | Annotated[SearchHit[dict[str, Any]], Tag("other")],
    Discriminator(_type),
]
"""A record of any kind that was found."""


@wire(flow="contacts deals messages events")
class SearchResults(Model):
    """The records that were found: the best of all kinds, and by kind."""

    query: str = ""
    """The words that were searched for."""
    total: int = 0
    """How many records were found."""
    took_ms: int = 0
    """How many milliseconds the server searched."""
    hits: list[FoundRecord] = Field(default_factory=EMPTY)
    """The page of records of all kinds, the best first."""
    counts: dict[str, int] = Field(default_factory=dict)
    """How many records of each type were found."""
    contacts: list[Contact] = Field(default_factory=EMPTY)
    """Contacts that were found."""
    deals: list[Deal] = Field(default_factory=EMPTY)
    """Deals that were found."""
    messages: list[Message] = Field(default_factory=EMPTY)
    """Messages that were found."""
    events: list[CalendarEvent] = Field(default_factory=EMPTY)
    """Calendar events that were found."""
    leads: list[Lead] = Field(default_factory=EMPTY)
    """Leads that were found."""
    accounts: list[Account] = Field(default_factory=EMPTY)
    """Accounts that were found."""
    activities: list[Activity] = Field(default_factory=EMPTY)
    """Activities that were found, calendar events included."""
    others: list[FoundRecord] = Field(default_factory=EMPTY)
    """The hits of all other types, such as files, users and records of custom objects."""
    did_you_mean: str | None = None
    """The query as it may have been meant, where a word of it is in no record."""
    page: int = 1
    limit: int = 50
    has_next: bool = False
    """Whether more hits follow."""


@with_config(INPUT)
class FacetRange(TypedDict, total=False):
    """A range of values to count: `low` is included, `high` is not."""

    low: AmountInput | date | None
    """The lowest value; without it there is none."""
    high: AmountInput | date | None
    """The first value that is too high; without it there is none."""
    label: Annotated[str, Field(max_length=100)]


@with_config(INPUT)
class FacetRequest(TypedDict, total=False):
    """A member whose values are to be counted."""

    field: Required[Annotated[str, Field(min_length=1, max_length=200)]]
    size: Annotated[int, Field(ge=1, le=100)]
    """How many values are counted at most; by default 10."""
    ranges: Annotated[list[FacetRange], Field(max_length=100)]
    """The ranges to count, for numbers and dates."""
    interval: Period
    """The periods to count, for dates; by default ``month``."""


class FacetBucket(Model):
    """A value, or a range of values, and how many records have it."""

    value: FieldValue = None
    """The value; of a period its name."""
    label: str
    count: int
    low: Amount | date | None = None
    """Where a range begins."""
    high: Amount | date | None = None
    """The value that a range ends before."""
    selected: bool = False
    """Whether the conditions of the search name it."""


class Facet(Model):
    """The values of a member, and how many records have each."""

    field: str
    type: Literal["terms", "range", "date"] | str
    """What the buckets are: single values, ranges, or periods."""
    buckets: list[FacetBucket] = Field(default_factory=EMPTY)
    other_count: int = 0
    """How many records have a value that is in no bucket."""
    missing_count: int = 0
    """How many records have no value."""


def facets_of(page: Page[Any] | AsyncPage[Any]) -> list[Facet]:
    """Return the facets of a page of `search.faceted`, which are in its `meta`."""
    return TypeAdapter(list[Facet]).validate_python(page.meta.get("facets") or [])


class SuggestedFilter(Model):
    """A condition that a suggestion stands for."""

    field: str
    op: FilterOperator
    value: FieldValue = None


class SearchSuggestion(Model):
    """What to search for instead, or further."""

    text: str
    """The words to search for."""
    kind: Literal["correction", "completion", "recent", "popular", "filter"] | str
    """``recent``: what the caller searched for; ``popular``: what the company searches for."""
    score: float
    """From 0 to 1, falling."""
    type: EntityType | None = None
    """The type of records it is for; null for all."""
    filter: SuggestedFilter | None = None
    """The condition, for a `filter`."""


class AutocompleteItem(Model):
    """A record in which a word begins with what was typed."""

    id: str
    type: EntityType
    label: str
    """What the record is called."""
    sublabel: str | None = None
    """What tells it from others of the name."""
    field: str
    """The member in which the word is."""
    score: float
    """From 0 to 1, falling."""


SearchWeight: TypeAlias = Annotated[float, Field(ge=0, le=10)]


class SearchFieldConfig(Model):
    """How a member is searched."""

    field: str
    weight: float = 1.0
    """How much it counts that a word is in it, from 0 to 10; a member with 0 is not searched."""
    facetable: bool = False
    """Whether its values can be counted."""


class SearchEntityConfig(Model):
    """How the records of a type are searched."""

    type: EntityType
    enabled: bool = True
    """Whether the records are found."""
    boost: float = 1.0
    """How much the type counts among others, from 0 to 10."""
    fields: list[SearchFieldConfig] = Field(default_factory=EMPTY)


class SearchConfig(Model):
    """How a company's records are searched."""

    entities: list[SearchEntityConfig] = Field(default_factory=EMPTY)
    """How each type is searched."""
    synonyms: list[list[str]] = Field(default_factory=EMPTY)
    """Groups of words of which each finds the others."""
    stop_words: list[str] = Field(default_factory=EMPTY)
    """Words that are passed over where there are others."""
    fuzzy: bool = True
    """Whether words with other letters are found."""
    fuzzy_distance: int = 1
    """How many letters may be different, from 0 to 2; two only in words of eight letters or more."""
    min_query_length: int = 2
    """How many characters a query has at least."""
    language: str = "en"
    highlight: bool = True
    """Whether hits have the parts of members in which words were found."""
    recency_weight: float = 0.1
    """The share of the score that a record loses with age, from 0 to 1."""
    version: int
    updated_at: AwareDatetime


@with_config(INPUT)
class SearchFieldInput(TypedDict, total=False):
    """How a member is searched, as input."""

    field: Required[Annotated[str, Field(min_length=1, max_length=200)]]
    weight: SearchWeight
    """By default 1; a member with 0 is not searched."""
    facetable: bool
    """Whether its values can be counted."""


@with_config(INPUT)
class SearchEntityInput(TypedDict, total=False):
    """How the records of a type are searched, as input; without `fields`, as by default."""

    type: Required[Annotated[str, Field(min_length=1, max_length=100)]]
    enabled: bool
    boost: SearchWeight
    """How much the type counts among others, from 0 to 10."""
    fields: Annotated[list[SearchFieldInput], Field(max_length=200)]


_Word: TypeAlias = Annotated[str, Field(max_length=100, pattern=NOT_BLANK)]


@with_config(INPUT)
class SearchConfigUpdate(TypedDict, total=False):
    """Changes of how a company's records are searched; lists are replaced as a whole."""

    entities: Annotated[list[SearchEntityInput], Field(max_length=500)]
    """A type that is not among them is not searched; custom objects are, as by default."""
    synonyms: Annotated[list[Annotated[list[_Word], Field(min_length=2, max_length=50)]], Field(max_length=1000)]
    stop_words: Annotated[list[_Word], Field(max_length=1000)]
    fuzzy: bool
    fuzzy_distance: Annotated[int, Field(ge=0, le=2)]
    min_query_length: Annotated[int, Field(ge=1, le=50)]
    language: LanguageTag
    highlight: bool
    recency_weight: Annotated[float, Field(ge=0, le=1)]


class EntityIndexStatus(Model):
    """The index of the records of one type."""

    type: EntityType
    documents: int
    """How many records are in it."""
    pending: int
    """How many records wait until they are indexed anew."""
    stale: bool
    """Whether its members or the synonyms were changed since it was built: searches go on with the old ones."""
    last_indexed_at: AwareDatetime | None = None
    """When a record was last indexed."""


class IndexStatus(Model):
    """The index of all records."""

    state: Literal["ready", "indexing", "stale"] | str
    documents: int
    """How many records are in it."""
    pending: int
    """How many records wait until they are indexed anew."""
    entities: list[EntityIndexStatus] = Field(default_factory=EMPTY)
    """How each type is searched."""
    job: JobState[Any] | None = None
    """The latest job that builds or has built it anew."""
    last_indexed_at: AwareDatetime | None = None
    """When a record was last indexed."""
