"""The dashboard: what revenue is ahead, what wants doing, and how things stand."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import AwareDatetime, Field

from ..wire import wire
from .contacts import Contact
from .deals import Deal
from .record import Model
from .values import EMPTY, Amount, Level

ActionItemType: TypeAlias = Literal["suggestion", "opportunity", "warning"] | str


@wire(flow="source amount probability")
class ForecastShare(Model):
    """The deals that came from one source, as a part of a forecast."""

    source: str
    amount: Amount
    """What they are worth, unweighted."""
    probability: int
    """0..100: the mean, by value."""


@wire(flow="revenue period confidence breakdown")
class RevenueForecast(Model):
    """The revenue of a quarter: what is won, and what is to close in it by its probability."""

    revenue: Amount
    """The revenue that is expected."""
    period: str
    """The quarter, such as ``2026-Q1``."""
    confidence: Level
    breakdown: list[ForecastShare] = Field(default_factory=EMPTY)
    """What it is made up of."""


@wire(flow="label type")
class ItemAction(Model):
    """What can be done about an action item."""

    label: str
    type: Literal["primary", "secondary", "dismiss"] | str


@wire(flow="id icon title type timestamp actions")
class ActionItem(Model):
    """Something that wants doing."""

    id: str
    icon: str
    """The name of an icon."""
    title: str
    type: ActionItemType
    timestamp: AwareDatetime
    """Since when it wants doing."""
    actions: list[ItemAction] = Field(default_factory=EMPTY)
    """What can be done about it."""


@wire(flow="deals contacts total_deals_value at_risk_contacts high_probability_deals")
class DashboardSummary(Model):
    """How things stand: the best deals, the latest contacts, and the counts over all of them."""

    deals: list[Deal] = Field(default_factory=EMPTY)
    """The newest deals."""
    contacts: list[Contact] = Field(default_factory=EMPTY)
    """The newest contacts."""
    total_deals_value: Amount
    """The sum of the open deals."""
    at_risk_contacts: int
    """How many contacts may be lost."""
    high_probability_deals: int
    """How many deals are likely to be won."""
