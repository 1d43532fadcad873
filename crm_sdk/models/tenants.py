"""Tenants: the companies that work with the CRM."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime

from .marks import Default
from .record import Record

TenantStatus: TypeAlias = Literal["provisioning", "active", "suspended", "cancelled"] | str
"""``provisioning`` while its data are set up; ``cancelled`` after its end."""
PlanName: TypeAlias = Literal["free", "pro", "enterprise"] | str
Region: TypeAlias = Literal["us", "eu", "ap"] | str


class Tenant(Record):
    """A company that works with the CRM."""

    name: str
    slug: str
    """Its short name, unique among all companies; it cannot be changed."""
    domain: str | None = None
    status: Annotated[TenantStatus | None, Default("active")] = None
    plan: Annotated[PlanName | None, Default("free")] = None
    """What it pays for; `tenants.billing.upgrade` changes it."""
    region: Annotated[Region | None, Default("us")] = None
    """Where its data are; it cannot be changed."""
    timezone: Annotated[str | None, Default("UTC")] = None
    """Time zone, as an IANA name."""
    locale: Annotated[str | None, Default("en")] = None
    base_currency: Annotated[str | None, Default("USD")] = None
    """The currency of all sums; it cannot be changed once there is a deal."""
    admin_email: str | None = None
    """The address of its first admin."""
    admin_name: str | None = None
    """The name of its first admin."""
    logo: str | None = None
    trial_ends_at: AwareDatetime | None = None
    """When its trial ends."""
    user_count: int | None = None
    """How many users it has, active and invited ones."""
    managed_by: str | None = None
    """The id of the company that created it; null where it was not created by one."""
    cancelled_at: AwareDatetime | None = None
    """When it was ended."""
