"""Leads: people who have shown interest and are not contacts yet, with scores, qualification and sources."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from ..wire import wire
from .marks import INPUT, PERSONAL, PERSONAL_TEXT, Default
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
    """The UTM parameters of the page that a lead came from."""

    source: str | None = None
    medium: str | None = None
    """The medium, such as an e-mail or an advertisement."""
    campaign: str | None = None
    term: str | None = None
    """The search terms."""
    content: str | None = None


@with_config(INPUT)
class UtmParamsInput(TypedDict, total=False):
    """UTM parameters, as input."""

    source: str | None
    medium: str | None
    campaign: str | None
    term: str | None
    content: str | None


class Qualification(Model):
    """The qualification of a lead: the decision with budget, authority, need and timeline (BANT)."""

    qualified: bool
    reason: str | None = None
    budget: Amount | None = None
    authority: bool | None = None
    need: str | None = None
    timeline: date | None = None
    notes: str | None = None
    qualified_at: AwareDatetime | None = None
    """When the lead was qualified or disqualified."""
    qualified_by: str | None = None
    """Id of the user who qualified or disqualified it."""


@wire(mvp="id name email phone company status source value notes|text created_at updated_at")
class Lead(Record):
    """A person who has shown interest and is not a contact yet."""

    name: Annotated[str, PERSONAL]
    first_name: Annotated[str | None, PERSONAL] = None
    last_name: Annotated[str | None, PERSONAL] = None
    email: Annotated[str | None, PERSONAL] = None
    phone: Annotated[str | None, PERSONAL] = None
    company: str | None = None
    title: Annotated[str | None, PERSONAL_TEXT] = None
    website: Annotated[str | None, PERSONAL] = None
    industry: str | None = None
    employees: int | None = None
    annual_revenue: Amount | None = None
    status: Annotated[LeadStatus, Default("new")]
    source: Annotated[LeadSource | None, Default("other")] = None
    source_detail: str | None = None
    """The form, campaign or post that is the source."""
    campaign: str | None = None
    utm: UtmParams | None = None
    value: Amount | None = None
    currency: str | None = None
    notes: Annotated[Notes, PERSONAL] = Field(default_factory=EMPTY)
    rating: Annotated[Rating | None, Default("cold")] = None
    score: Annotated[int | None, Default(0)] = None
    """0..100."""
    score_reasons: list[ScoreReason] = Field(default_factory=EMPTY)
    """The parts that the score is computed from."""
    owner_id: str | None = None
    territory_id: str | None = None
    account_id: str | None = None
    address: Annotated[Address | None, PERSONAL] = None
    language: str | None = None
    timezone: str | None = None
    social_profiles: Annotated[list[SocialProfile], PERSONAL] = Field(default_factory=EMPTY)
    tags: list[str] = Field(default_factory=EMPTY)
    do_not_contact: Annotated[bool | None, Default(False)] = None
    email_opt_out: Annotated[bool | None, Default(False)] = None
    qualification: Qualification | None = None
    """The last qualification or disqualification."""
    disqualified_reason: str | None = None
    """Why the lead was disqualified."""
    first_response_at: AwareDatetime | None = None
    """When a user first answered the lead."""
    last_activity_at: AwareDatetime | None = None
    duplicate_ids: list[str] = Field(default_factory=EMPTY)
    """Ids of leads with the same e-mail address or phone number."""
    converted_at: AwareDatetime | None = None
    """When the lead was converted to a contact."""
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
    """Id of the user who owns the lead; null for no owner."""
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
    """A new lead; only its name is required."""

    name: Required[Name]


@wire(mvp="name email phone company source value notes|text status")
@with_config(INPUT)
class LeadUpdate(_LeadMembers, total=False):
    """Changes to a lead; null clears a member."""

    name: Name


class LeadScore(Model):
    """A score of a lead, with the reasons."""

    id: str
    lead_id: str
    score: int
    """0..100."""
    previous_score: int | None = None
    """The previous score."""
    rating: Rating
    source: LeadScoreSource
    reasons: list[ScoreReason] = Field(default_factory=EMPTY)
    model_version: int | None = None
    """The version of the model that computed it."""
    reason: str | None = None
    scored_at: AwareDatetime
    """When it was computed or set."""
    scored_by: str | None = None
    """Id of the user who set it."""


class LeadAssignment(Model):
    """The assignment of a lead to a user, with the reason."""

    lead_id: str
    owner_id: str
    previous_owner_id: str | None = None
    strategy: AssignmentStrategy
    """How the user was chosen."""
    territory_id: str | None = None
    reason: str | None = None
    assigned_at: AwareDatetime
    """When the lead was assigned."""


class LeadSourceStats(Model):
    """The figures of the leads from one source."""

    source: LeadSource
    leads: int
    """The number of leads from the source."""
    qualified: int
    """The number of these leads that were ever qualified."""
    converted: int
    """The number of these leads that were converted."""
    qualification_rate: float
    """0..1."""
    conversion_rate: float
    """0..1: the share of these leads that were converted."""
    share: float
    """0..1: the share of these leads among all leads."""
    total_value: Amount
    won_value: Amount
    """The value of the won deals that came from these leads."""
    avg_score: float
    """The mean score of these leads."""
    avg_days_to_convert: float | None = None
    """The mean number of days until these leads were converted."""


class LeadSourceReport(Model):
    """The figures of the leads from each source."""

    total: int
    currency: str
    start_date: date
    end_date: date
    sources: list[LeadSourceStats] = Field(default_factory=EMPTY)
    """The figures of each source."""
