"""Accounts: the companies contacts work for and deals are made with."""

from __future__ import annotations

from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .record import Record
from .values import (
    EMPTY,
    INPUT,
    OPEN,
    Address,
    AddressInput,
    Amount,
    AmountInput,
    Currency,
    Default,
    Email,
    FieldValue,
    LeadSource,
    Phone,
    Rating,
    SocialProfile,
    SocialProfileInput,
    Tags,
    Url,
)

AccountType: TypeAlias = Annotated[
    Literal["prospect", "customer", "partner", "reseller", "vendor", "competitor", "other"] | str, OPEN
]
AccountStatus: TypeAlias = Literal["active", "inactive", "churned"] | str
AccountSort: TypeAlias = (
    Literal[
        "id",
        "name",
        "annual_revenue",
        "employees",
        "open_deal_value",
        "won_value",
        "last_activity_at",
        "created_at",
        "updated_at",
    ]
    | str
)


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


class _AccountMembers(TypedDict, total=False):
    domain: Annotated[str, Field(min_length=1, max_length=253)] | None
    website: Url | None
    industry: str | None
    type: AccountType
    status: AccountStatus
    phone: Phone | None
    email: Email | None
    employees: Annotated[int, Field(ge=0)] | None
    annual_revenue: Annotated[AmountInput, Field(ge=0)] | None
    currency: Currency
    description: Annotated[str, Field(max_length=10_000)] | None
    billing_address: AddressInput | None
    shipping_address: AddressInput | None
    owner_id: str | None
    tax_id: str | None
    rating: Rating | None
    source: LeadSource | None
    social_profiles: list[SocialProfileInput]
    logo: Url | None
    tags: Tags
    external_id: str | None
    custom_fields: dict[str, FieldValue] | None


@with_config(INPUT)
class AccountCreate(_AccountMembers, total=False):
    """A new account: a name is all it needs."""

    name: Required[Annotated[str, Field(min_length=1, max_length=200)]]
    parent_id: str | None


@with_config(INPUT)
class AccountUpdate(_AccountMembers, total=False):
    """What to change about an account; null clears a member. Its parent is changed by `accounts.set_parent`."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
