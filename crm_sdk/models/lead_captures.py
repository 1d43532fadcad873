"""Captured leads: what came in through a web form, an e-mail or a social network, and what was made of it."""

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
    """A filled-in web form; it needs an e-mail address or a phone number."""

    form_id: str | None
    page_url: Url | None
    referrer: Url | None
    """The page they came from."""
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
    """What they agreed to."""
    utm: UtmParamsInput | None
    submitted_at: AwareDatetime | None
    """When it was sent."""
    honeypot: str | None
    """A field people do not see: what fills it in is a robot, and nothing is stored."""
    custom_fields: dict[str, FieldValue]


@with_config(INPUT)
class EmailCapture(TypedDict, total=False):
    """An e-mail that came in from somebody interested."""

    from_email: Required[Email]
    """The address it came from."""
    from_name: str | None
    """The name of who sent it."""
    to: Email | None
    """The addresses it went to."""
    subject: Required[str]
    body: Required[str]
    message_id: str | None
    received_at: AwareDatetime | None
    attachments: list[str]
    """Ids of files."""


@with_config(INPUT)
class SocialCapture(TypedDict, total=False):
    """A post, mention or advertisement form on a social network; it needs a handle or a profile's address."""

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
    """What was made of something captured."""

    lead: Lead | None = None
    """The lead; null where nothing was stored."""
    created: bool
    """Whether the lead is new, rather than an open one that was updated."""
    matched_on: CaptureMatch | None = None
    """What an open lead was recognised by."""
    channel: CaptureChannel
    assignment: LeadAssignment | None = None
    """Who got the lead."""
    extracted: list[FieldChange] = Field(default_factory=EMPTY)
    """What was read out of the text."""
    other_matches: list[EntityRef] = Field(default_factory=EMPTY)
    """Further open leads that may have been meant."""
