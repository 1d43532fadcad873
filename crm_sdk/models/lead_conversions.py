"""Conversions: what a lead became, and how many at once."""

from __future__ import annotations

from typing import Literal, Required

from pydantic import Field, with_config
from typing_extensions import TypedDict

from .accounts import Account
from .contacts import Contact
from .deals import Deal, DealUpdate
from .leads import Lead
from .marks import INPUT
from .record import Model
from .values import EMPTY, EntityRef, MergeCounts


class LeadConversion(Model):
    """What a lead became."""

    lead: Lead
    """The lead, converted."""
    contact: Contact
    """The contact it became."""
    account: Account | None = None
    """The contact's account."""
    deal: Deal | None = None
    """The deal that was made."""
    created: list[Literal["contact", "account", "deal"] | str] = Field(default_factory=EMPTY)
    """Which of them are new."""
    moved: MergeCounts | None = None
    """How many records became the contact's."""
    other_matches: list[EntityRef] = Field(default_factory=EMPTY)
    """Further contacts and accounts that may have been meant."""


@with_config(INPUT)
class LeadConversionInput(TypedDict, total=False):
    """One lead of a bulk conversion, with the arguments of `leads.convert`."""

    lead_id: Required[str]
    account_id: str | None
    contact_id: str | None
    create_account: bool
    """Whether an account is made where none is found."""
    create_deal: bool
    """Whether a deal is made."""
    deal: DealUpdate | None
    """Members of the deal."""
    owner_id: str | None
