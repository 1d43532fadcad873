"""Leads: people who showed interest and are not contacts yet; their scores, qualification and sources."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from ..wire import wire
from .marks import INPUT, Default
from .record import Model, Record
from .values import (
    EMPTY,
    Address,
    AddressInput,
    Amount,
    AmountInput,
    Currency,
    Email,
    FieldValue,
    LanguageTag,
    LeadSource,
    Name,
    Notes,
    NotesInput,
    Phone,
    Rating,
    ScoreReason,
    SocialProfile,
    SocialProfileInput,
    Tags,
    TimeZone,
    Url,
)

LeadStatus: TypeAlias = Literal["new", "contacted", "qualified", "unqualified", "converted"] | str
LeadSort: TypeAlias = (
    Literal["id", "name", "company", "score", "value", "status", "last_activity_at", "created_at", "updated_at"] | str
)
LeadScoreSort: TypeAlias = Literal["id", "score", "scored_at", "created_at", "updated_at"] | str
LeadScoreSource: TypeAlias = Literal["model", "rules", "manual"] | str
AssignmentStrategy: TypeAlias = Literal["round_robin", "load_balanced", "territory"] | str


class UtmParams(Model):
    """The campaign parameters of the page somebody came from."""

    source: str | None = None
    medium: str | None = None
    """What brought them: an e-mail, an advertisement."""
    campaign: str | None = None
    term: str | None = None
    """The words they had searched for."""
    content: str | None = None


@with_config(INPUT)
class UtmParamsInput(TypedDict, total=False):
    """Campaign parameters as they are given."""

    source: str | None
    medium: str | None
    campaign: str | None
    term: str | None
    content: str | None


class Qualification(Model):
    """Why a lead was qualified or not: budget, authority, need, timeline."""

    qualified: bool
    reason: str | None = None
    budget: Amount | None = None
    authority: bool | None = None
    need: str | None = None
    timeline: date | None = None
    notes: str | None = None
    qualified_at: AwareDatetime | None = None
    """When it was decided."""
    qualified_by: str | None = None
    """Id of the user who decided it."""


@wire(mvp="id name email phone company status source value notes|text created_at updated_at")
class Lead(Record):
    """Somebody who showed interest and is not a contact yet."""

    name: str
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    company: str | None = None
    title: str | None = None
    website: str | None = None
    industry: str | None = None
    employees: int | None = None
    annual_revenue: Amount | None = None
    status: Annotated[LeadStatus, Default("new")]
    source: Annotated[LeadSource | None, Default("other")] = None
    source_detail: str | None = None
    """The form, campaign or post it came from."""
    campaign: str | None = None
    utm: UtmParams | None = None
    value: Amount | None = None
    currency: str | None = None
    notes: Notes = Field(default_factory=EMPTY)
    rating: Annotated[Rating | None, Default("cold")] = None
    score: Annotated[int | None, Default(0)] = None
    """0..100."""
    score_reasons: list[ScoreReason] = Field(default_factory=EMPTY)
    """What the score was reckoned from."""
    owner_id: str | None = None
    territory_id: str | None = None
    account_id: str | None = None
    address: Address | None = None
    language: str | None = None
    timezone: str | None = None
    social_profiles: list[SocialProfile] = Field(default_factory=EMPTY)
    tags: list[str] = Field(default_factory=EMPTY)
    do_not_contact: Annotated[bool | None, Default(False)] = None
    email_opt_out: Annotated[bool | None, Default(False)] = None
    qualification: Qualification | None = None
    """Whether it is worth pursuing, and why."""
    disqualified_reason: str | None = None
    """Why it is not worth pursuing."""
    first_response_at: AwareDatetime | None = None
    """When somebody first answered."""
    last_activity_at: AwareDatetime | None = None
    duplicate_ids: list[str] = Field(default_factory=EMPTY)
    """Leads with the same e-mail or phone."""
    converted_at: AwareDatetime | None = None
    """When it became a contact."""
    converted_contact_id: str | None = None
    converted_account_id: str | None = None
    converted_deal_id: str | None = None
    external_id: str | None = None
    custom_fields: dict[str, FieldValue] = Field(default_factory=dict)


class _LeadMembers(TypedDict, total=False):
    first_name: Annotated[str, Field(max_length=100)] | None
    last_name: Annotated[str, Field(max_length=100)] | None
    email: Email | None
    phone: Phone | None
    company: str | None
    title: str | None
    website: Url | None
    industry: str | None
    employees: Annotated[int, Field(ge=0)] | None
    annual_revenue: Annotated[AmountInput, Field(ge=0)] | None
    status: LeadStatus
    source: LeadSource
    source_detail: str | None
    campaign: str | None
    utm: UtmParamsInput | None
    value: Annotated[AmountInput, Field(ge=0)] | None
    currency: Currency
    notes: NotesInput | None
    owner_id: str | None
    """Id of the user who works on it; null: nobody."""
    account_id: str | None
    address: AddressInput | None
    language: LanguageTag | None
    timezone: TimeZone | None
    social_profiles: list[SocialProfileInput] | None
    tags: Tags | None
    do_not_contact: bool
    email_opt_out: bool
    external_id: str | None
    custom_fields: dict[str, FieldValue] | None


@wire(mvp="name email phone company source value notes|text status")
@with_config(INPUT)
class LeadCreate(_LeadMembers, total=False):
    """A new lead: a name is all it needs."""

    name: Required[Name]


@wire(mvp="name email phone company source value notes|text status")
@with_config(INPUT)
class LeadUpdate(_LeadMembers, total=False):
    """What to change about a lead; null clears a member."""

    name: Name


class LeadScore(Model):
    """A score a lead had, and why."""

    id: str
    lead_id: str
    score: int
    """0..100."""
    previous_score: int | None = None
    """The score before."""
    rating: Rating
    source: LeadScoreSource
    reasons: list[ScoreReason] = Field(default_factory=EMPTY)
    model_version: int | None = None
    """The version of the model that computed it."""
    reason: str | None = None
    scored_at: AwareDatetime
    """When it was computed or set."""
    scored_by: str | None = None
    """Who set it."""


class LeadAssignment(Model):
    """Who a lead was given to, and why."""

    lead_id: str
    owner_id: str
    previous_owner_id: str | None = None
    strategy: AssignmentStrategy
    """How the user was chosen."""
    territory_id: str | None = None
    reason: str | None = None
    assigned_at: AwareDatetime
    """When the user got it."""


class LeadSourceStats(Model):
    """How the leads of one source did."""

    source: LeadSource
    leads: int
    """Leads that came from it."""
    qualified: int
    """How many of them were ever qualified."""
    converted: int
    """How many of them became contacts."""
    qualification_rate: float
    """0..1."""
    conversion_rate: float
    """The share of them that became contacts, 0 to 1."""
    share: float
    """Their share of all leads, 0 to 1."""
    total_value: Amount
    won_value: Amount
    """Of the deals that came from these leads."""
    avg_score: float
    """Their mean score."""
    avg_days_to_convert: float | None = None
    """The mean number of days until they became contacts."""


class LeadSourceReport(Model):
    """How the leads of each source did."""

    total: int
    currency: str
    start_date: date
    end_date: date
    sources: list[LeadSourceStats] = Field(default_factory=EMPTY)
    """The figures of each source."""
