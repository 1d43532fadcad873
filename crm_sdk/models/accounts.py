"""Accounts: the companies that contacts work for and deals are made with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .marks import INPUT, OPEN, Default
from .record import Model, Record
from .values import (
    EMPTY,
    Address,
    AddressInput,
    Amount,
    AmountInput,
    Currency,
    Email,
    EntityRef,
    FieldValue,
    FilterOperator,
    LeadSource,
    MergeCounts,
    Name,
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
Depth: TypeAlias = Annotated[int, Field(ge=1, le=10)]
MergeIds: TypeAlias = Annotated[Sequence[str], Field(min_length=1, max_length=10)]
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
    """0..100: the mean health score of its contacts, weighted by their activity."""
    contact_count: Annotated[int | None, Default(0)] = None
    open_deal_count: Annotated[int | None, Default(0)] = None
    open_deal_value: Annotated[Amount | None, Default(0)] = None
    """The sum of the account's open deals."""
    won_value: Annotated[Amount | None, Default(0)] = None
    """The sum of the account's won deals."""
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
    social_profiles: list[SocialProfileInput] | None
    logo: Url | None
    tags: Tags | None
    external_id: str | None
    custom_fields: dict[str, FieldValue] | None


@with_config(INPUT)
class AccountCreate(_AccountMembers, total=False):
    """A new account; only its name is required."""

    name: Required[Name]
    parent_id: str | None


@with_config(INPUT)
class AccountUpdate(_AccountMembers, total=False):
    """Changes to an account; null clears a member. Its parent is changed by `accounts.set_parent`."""

    name: Name


class AccountNode(Model):
    """An account in the tree of its hierarchy, with the accounts below it by name."""

    id: str
    name: str
    type: AccountType | None = None
    owner_id: str | None = None
    level: int
    """0 for the root."""
    open_deal_value: Amount
    """The sum of the account's open deals."""
    won_value: Amount
    """The sum of the account's won deals."""
    children: list[AccountNode] = Field(default_factory=EMPTY)
    """Its child accounts, by name."""


class HierarchyRollup(Model):
    """The figures of an account and of everything below it."""

    accounts: int
    """The number of accounts."""
    contacts: int
    """The number of their contacts."""
    open_deals: int
    """The number of their open deals."""
    open_value: Amount
    """The sum of the open deals."""
    won_value: Amount
    """The sum of the won deals."""
    currency: str


class AccountHierarchy(Model):
    """The tree of accounts that an account belongs to."""

    root: AccountNode
    """The root account, with all accounts below it."""
    path: list[EntityRef]
    """The accounts from the root to the account, both included."""
    rollup: HierarchyRollup
    """The figures of all accounts of the tree together."""
    truncated: bool
    """Whether the tree has more than the 1,000 accounts that are shown."""


class AccountMerge(Model):
    """The result of a merge of accounts."""

    account: Account
    """The surviving account."""
    merged_ids: list[str]
    moved: MergeCounts
    """The numbers of records that were moved to the surviving account."""


TerritoryField: TypeAlias = Literal[
    "country", "state", "postal_code", "industry", "employees", "annual_revenue", "type"
] | str  # fmt: skip


class TerritoryRule(Model):
    """A condition on a member of an account or a lead; all rules of a territory must hold."""

    field: TerritoryField
    op: FilterOperator
    """The comparison operator."""
    value: FieldValue = None
    values: list[FieldValue] = Field(default_factory=EMPTY)


class Territory(Record):
    """A part of the market, with the users who work on it."""

    name: str
    code: str | None = None
    parent_id: str | None = None
    manager_id: str | None = None
    member_ids: list[str] = Field(default_factory=EMPTY)
    rules: list[TerritoryRule] = Field(default_factory=EMPTY)
    """The rules that assign an account or a lead to it."""
    priority: Annotated[int | None, Default(100)] = None
    """Of several matching territories, the one with the lowest priority is taken."""
    active: Annotated[bool | None, Default(True)] = None
    account_count: int | None = None
    """The number of accounts in it."""
    lead_count: int | None = None
    """The number of leads in it."""
    custom_fields: dict[str, FieldValue] = Field(default_factory=dict)


class TerritoryAssignment(Model):
    """The territory of an account, and how it was assigned."""

    account_id: str
    territory: Territory | None = None
    """The territory."""
    method: Literal["rule", "manual", "none"] | str
    """Whether a rule or a user assigned the territory."""
    rule_index: int | None = None
    """The index of the first rule that matched, from 0; null where no rule assigned the territory."""
    locked: bool
    """Whether the territory stays when the account changes."""
    assigned_at: AwareDatetime | None = None
    assigned_by: str | None = None
    """Id of the user who assigned it."""
