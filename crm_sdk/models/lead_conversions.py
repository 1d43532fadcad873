"""Conversions of leads to contacts, accounts and deals."""

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
    """The result of converting a lead."""

    lead: Lead
    """The converted lead."""
    contact: Contact
    """The contact that the lead was converted to."""
    account: Account | None = None
    """The contact's account."""
    deal: Deal | None = None
    """The deal that was created."""
    created: list[Literal["contact", "account", "deal"] | str] = Field(default_factory=EMPTY)
    """The kinds of records that were created."""
    moved: MergeCounts | None = None
    """The numbers of records that were moved to the contact."""
    other_matches: list[EntityRef] = Field(default_factory=EMPTY)
    """Other contacts and accounts that matched."""


@with_config(INPUT)
class LeadConversionInput(TypedDict, total=False):
    """One lead of a bulk conversion, with the arguments of `leads.convert`."""

    lead_id: Required[str]
    account_id: str | None
    contact_id: str | None
    create_account: bool
    """Whether an account is created where none is found."""
    create_deal: bool
    """Whether a deal is created."""
    deal: DealUpdate | None
    """Members of the deal."""
    owner_id: str | None
