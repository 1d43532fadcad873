"""Contacts: the people a company does business with, with their history, insights and relationships."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AliasChoices, AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from ..wire import wire
from .drafts import Draft
from .marks import INPUT, PERSONAL, PERSONAL_TEXT, Default
from .record import Model, Record
from .values import (
    EMPTY,
    Address,
    AddressInput,
    Amount,
    Email,
    FieldValue,
    LanguageTag,
    LeadSource,
    Level,
    Name,
    Notes,
    NotesInput,
    Phone,
    Sentiment,
    SocialProfile,
    SocialProfileInput,
    Tags,
    Text,
    TimeZone,
    Url,
)

ContactStatus: TypeAlias = Literal["active", "inactive", "archived"] | str
LifecycleStage: TypeAlias = (
    Literal["subscriber", "lead", "mql", "sql", "opportunity", "customer", "evangelist", "other"] | str
)
ContactFilter: TypeAlias = Literal["all", "high-value", "at-risk", "recent"] | str
ContactSort: TypeAlias = (
    Literal[
        "id",
        "name",
        "company",
        "created_at",
        "updated_at",
        "health_score",
        "churn_risk",
        "last_contact",
        "total_value",
    ]
    | str
)
ContactInclude: TypeAlias = Literal["communication_history", "ai_insights"] | str
CommunicationType: TypeAlias = Literal["email", "call", "meeting", "note"] | str
RelationshipSort: TypeAlias = Literal["id", "type", "since", "related_contact_name", "created_at", "updated_at"] | str
RelationshipType: TypeAlias = (
    Literal[
        "reports_to",
        "manages",
        "assistant_of",
        "has_assistant",
        "colleague",
        "spouse",
        "partner",
        "parent_of",
        "child_of",
        "referred_by",
        "referred",
        "other",
    ]
    | str
)


@wire(flow="id type date subject? summary sentiment ai_analysis?")
class CommunicationEvent(Model):
    """An e-mail, call, meeting or note with a contact."""

    id: str
    type: CommunicationType
    date: AwareDatetime
    subject: str | None = None
    summary: str
    sentiment: Sentiment | None = None
    ai_analysis: str | None = None


@wire(flow="type date subject summary")
@with_config(INPUT)
class CommunicationCreate(TypedDict, total=False):
    """An e-mail, call, meeting or note with a contact, to be recorded."""

    type: Required[CommunicationType]
    date: Required[AwareDatetime]
    subject: str | None
    summary: Required[Text]


@wire(flow="id type title description confidence actionable suggested_action? date")
class AIInsight(Model):
    """An insight of the AI about a contact."""

    id: str
    type: Literal["opportunity", "risk", "suggestion", "trend"] | str
    title: str
    description: str
    confidence: int
    """0..100."""
    actionable: bool
    suggested_action: str | None = None
    date: AwareDatetime


@wire(
    mvp="id name email phone company title:position tags last_contact:lastContactDate status notes|text created_at",
    flow="id name email phone company title avatar? relationship_health health_score last_contact next_follow_up?"
    " sentiment churn_risk total_deals total_value tags notes communication_history ai_insights",
)
class Contact(Record):
    """A person a company does business with."""

    name: Annotated[str, PERSONAL]
    first_name: Annotated[str | None, PERSONAL] = None
    last_name: Annotated[str | None, PERSONAL] = None
    salutation: Annotated[str | None, PERSONAL] = None
    email: Annotated[str | None, PERSONAL] = None
    secondary_emails: Annotated[list[str], PERSONAL] = Field(default_factory=EMPTY)
    phone: Annotated[str | None, PERSONAL] = None
    mobile: Annotated[str | None, PERSONAL] = None
    company: str | None = None
    account_id: str | None = None
    title: Annotated[str | None, PERSONAL_TEXT] = Field(
        default=None, validation_alias=AliasChoices("title", "position")
    )
    department: str | None = None
    avatar: Annotated[str | None, PERSONAL] = None
    owner_id: str | None = None
    status: Annotated[ContactStatus | None, Default("active")] = None
    lifecycle_stage: Annotated[LifecycleStage | None, Default("lead")] = None
    source: LeadSource | None = None
    address: Annotated[Address | None, PERSONAL] = None
    website: Annotated[str | None, PERSONAL] = None
    social_profiles: Annotated[list[SocialProfile], PERSONAL] = Field(default_factory=EMPTY)
    birthday: Annotated[date | None, PERSONAL] = None
    language: str | None = None
    timezone: str | None = None
    do_not_contact: Annotated[bool | None, Default(False)] = None
    email_opt_out: Annotated[bool | None, Default(False)] = None
    sms_opt_out: Annotated[bool | None, Default(False)] = None
    tags: list[str] = Field(default_factory=EMPTY)
    notes: Annotated[Notes, PERSONAL] = Field(default_factory=EMPTY)
    relationship_health: Annotated[Level | None, Default("medium")] = None
    health_score: Annotated[int | None, Default(50)] = None
    """0..100."""
    sentiment: Annotated[Sentiment | None, Default("neutral")] = None
    churn_risk: Annotated[int | None, Default(0)] = None
    """0..100."""
    last_contact: AwareDatetime | None = Field(
        default=None, validation_alias=AliasChoices("lastContact", "lastContactDate")
    )
    next_follow_up: AwareDatetime | None = None
    total_deals: Annotated[int | None, Default(0)] = None
    """The number of deals."""
    total_value: Annotated[Amount | None, Default(0)] = None
    """The value of the won and the open deals."""
    currency: str | None = None
    open_deals: Annotated[int | None, Default(0)] = None
    """The number of open deals."""
    communication_history: Annotated[list[CommunicationEvent], PERSONAL] = Field(default_factory=EMPTY)
    """The communication so far; empty in lists that do not include it."""
    ai_insights: Annotated[list[AIInsight], PERSONAL] = Field(default_factory=EMPTY)
    """The AI's insights; empty in lists that do not include them."""
    lead_id: str | None = None
    """The lead it was converted from."""
    merged_ids: list[str] = Field(default_factory=EMPTY)
    external_id: str | None = None
    custom_fields: dict[str, FieldValue] = Field(default_factory=dict)


class _ContactMembers(TypedDict, total=False):
    first_name: Annotated[str, Field(max_length=100)] | None
    last_name: Annotated[str, Field(max_length=100)] | None
    salutation: str | None
    email: Email | None
    secondary_emails: Annotated[list[Email], Field(max_length=10)] | None
    phone: Phone | None
    mobile: Phone | None
    company: str | None
    account_id: str | None
    title: str | None
    position: str | None
    """The name of `title` in the mvp document (003)."""
    department: str | None
    avatar: Url | None
    owner_id: str
    status: ContactStatus
    lifecycle_stage: LifecycleStage
    source: LeadSource | None
    address: AddressInput | None
    website: Url | None
    social_profiles: list[SocialProfileInput] | None
    birthday: date | None
    language: LanguageTag | None
    timezone: TimeZone | None
    do_not_contact: bool
    email_opt_out: bool
    sms_opt_out: bool
    tags: Tags | None
    notes: NotesInput | None
    next_follow_up: AwareDatetime | None
    external_id: str | None
    custom_fields: dict[str, FieldValue] | None


@wire(
    mvp="name email phone company title:position tags notes|text status",
    flow="name email phone company title avatar next_follow_up tags notes",
)
@with_config(INPUT)
class ContactCreate(_ContactMembers, total=False):
    """A new contact; only its name is required."""

    name: Required[Name]


@wire(flow="name email phone company title avatar next_follow_up tags notes")
@with_config(INPUT)
class ContactUpdate(_ContactMembers, total=False):
    """Changes to a contact; null clears a member."""

    name: Name


@with_config(INPUT)
class ContactUpsert(_ContactMembers, total=False):
    """One contact of a bulk call: with an `id` it is updated, without one it is matched or created."""

    id: str
    name: Name


ContactDraft: TypeAlias = Draft
"""The members of a `ContactCreate`, valid or not, for `contacts.validate` to check."""


@wire(flow="total high_value at_risk needs_follow_up")
class ContactStats(Model):
    """The number of contacts, and of those that need attention."""

    total: int
    high_value: int
    """The number of contacts with deals of high value."""
    at_risk: int
    """The number of contacts that may be lost."""
    needs_follow_up: int
    """The number of contacts with a follow-up due."""


class ContactRelationship(Record):
    """The relationship of two contacts, seen from one of them."""

    contact_id: str
    related_contact_id: str
    related_contact_name: Annotated[str | None, PERSONAL] = None
    """Name of the other contact."""
    type: RelationshipType
    inverse_type: RelationshipType | None = None
    """The type as seen from the other contact."""
    since: date | None = None
    """The day on which the relationship began."""
    notes: Annotated[str | None, PERSONAL] = None


class _RelationshipMembers(TypedDict, total=False):
    since: date | None
    notes: Annotated[str, Field(max_length=2000)] | None


@with_config(INPUT)
class ContactRelationshipCreate(_RelationshipMembers, total=False):
    """A new relationship, as seen from the contact named in the path."""

    related_contact_id: Required[str]
    type: Required[RelationshipType]


@with_config(INPUT)
class ContactRelationshipUpdate(_RelationshipMembers, total=False):
    """Changes to a relationship, as seen from the contact named in the path."""

    type: RelationshipType
