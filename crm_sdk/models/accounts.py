"""Accounts: the companies contacts work for and deals are made with."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, Field

from .record import Record
from .values import EMPTY, OPEN, Address, Amount, Default, FieldValue, LeadSource, Rating, SocialProfile

AccountType: TypeAlias = Annotated[
    Literal["prospect", "customer", "partner", "reseller", "vendor", "competitor", "other"] | str, OPEN
]
AccountStatus: TypeAlias = Literal["active", "inactive", "churned"] | str


class Account(Record):
    """A company."""

    name: str
    domain: str | None = None
    website: str | None = None
    industry: str | None = None
    type: Annotated[AccountType | None, Default("prospect")] = None
    status: Annotated[AccountStatus | None, Default("active")] = None
    phone: str | None = None
    email: str | None = None
    employees: int | None = None
    annual_revenue: Amount | None = None
    currency: str | None = None
    description: str | None = None
    billing_address: Address | None = None
    shipping_address: Address | None = None
    parent_id: str | None = None
    owner_id: str | None = None
    territory_id: str | None = None
    tax_id: str | None = None
    rating: Rating | None = None
    source: LeadSource | None = None
    social_profiles: list[SocialProfile] = Field(default_factory=EMPTY)
    logo: str | None = None
    tags: list[str] = Field(default_factory=EMPTY)
    health_score: Annotated[int | None, Default(50)] = None
    """0..100: the mean of its contacts, weighted by activity."""
    contact_count: Annotated[int | None, Default(0)] = None
    open_deal_count: Annotated[int | None, Default(0)] = None
    open_deal_value: Annotated[Amount | None, Default(0)] = None
    won_value: Annotated[Amount | None, Default(0)] = None
    child_count: Annotated[int | None, Default(0)] = None
    last_activity_at: AwareDatetime | None = None
    merged_ids: list[str] = Field(default_factory=EMPTY)
    external_id: str | None = None
    custom_fields: dict[str, FieldValue] = Field(default_factory=dict)
