"""Captured leads: the inputs from web forms, e-mails and social networks, and the result of a capture."""

from __future__ import annotations

from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .leads import Lead, LeadAssignment, UtmParamsInput
from .marks import INPUT
from .record import Model
from .values import EMPTY, AmountInput, Email, EntityRef, FieldChange, FieldValue, Phone, SocialNetwork, Url

CaptureChannel: TypeAlias = Literal["web_form", "email", "social"] | str
CaptureMatch: TypeAlias = Literal["email", "phone", "handle", "message_id"] | str


@with_config(INPUT)
class WebFormSubmission(TypedDict, total=False):
    """The submission of a web form; it needs an e-mail address or a phone number."""

    form_id: str | None
    page_url: Url | None
    referrer: Url | None
    """URL of the page that linked to the form."""
    first_name: str | None
    last_name: str | None
    name: str | None
    email: Email | None
    phone: Phone | None
    company: str | None
    title: str | None
    message: str | None
    value: Annotated[AmountInput, Field(ge=0)] | None
    consent: bool | None
    """Whether the person consented to be contacted."""
    utm: UtmParamsInput | None
    submitted_at: AwareDatetime | None
    """When it was submitted."""
    honeypot: str | None
    """The value of a form field that is hidden from people; if it is filled in, nothing is stored."""
    custom_fields: dict[str, FieldValue] | None


@with_config(INPUT)
class EmailCapture(TypedDict, total=False):
    """An incoming e-mail from a possible lead."""

    from_email: Required[Email]
    """The address of the sender."""
    from_name: str | None
    """The name of the sender."""
    to: Email | None
    """The address of the recipient."""
    subject: Required[str]
    body: Required[str]
    message_id: str | None
    received_at: AwareDatetime | None
    attachments: list[str] | None
    """Ids of files."""


@with_config(INPUT)
class SocialCapture(TypedDict, total=False):
    """A post, mention or lead form on a social network; it needs a `handle` or a `profile_url`."""

    network: Required[SocialNetwork]
    handle: str | None
    profile_url: Url | None
    name: str | None
    message: str | None
    post_url: Url | None
    mention_id: str | None
    ad_form_id: str | None
    email: Email | None
    phone: Phone | None


class LeadCapture(Model):
    """The result of a capture."""

    lead: Lead | None = None
    """The lead; null where nothing was stored."""
    created: bool
    """Whether the lead was created; false where an open lead was updated."""
    matched_on: CaptureMatch | None = None
    """The member by which an open lead was recognised."""
    channel: CaptureChannel
    assignment: LeadAssignment | None = None
    """The assignment of the lead to a user."""
    extracted: list[FieldChange] = Field(default_factory=EMPTY)
    """The members that were extracted from the text."""
    other_matches: list[EntityRef] = Field(default_factory=EMPTY)
    """Other open leads that matched."""
