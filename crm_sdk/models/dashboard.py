"""The dashboard: the revenue forecast, the action items, and a summary of deals and contacts."""

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
    """The part of a forecast that comes from deals of one source."""

    source: str
    amount: Amount
    """The sum of the deals' values, unweighted."""
    probability: int
    """0..100: the mean probability of the deals, weighted by value."""


@wire(flow="revenue period confidence breakdown")
class RevenueForecast(Model):
    """The revenue of a quarter: the won deals, plus the open deals that close in it, weighted by probability."""

    revenue: Amount
    """The expected revenue."""
    period: str
    """The quarter, such as ``2026-Q1``."""
    confidence: Level
    breakdown: list[ForecastShare] = Field(default_factory=EMPTY)
    """The parts of the forecast, by source."""


@wire(flow="label type")
class ItemAction(Model):
    """An action that an action item offers."""

    label: str
    type: Literal["primary", "secondary", "dismiss"] | str


@wire(flow="id icon title type timestamp actions")
class ActionItem(Model):
    """A recommended action."""

    id: str
    icon: str
    """The name of an icon."""
    title: str
    type: ActionItemType
    timestamp: AwareDatetime
    """Since when the action is recommended."""
    actions: list[ItemAction] = Field(default_factory=EMPTY)
    """The actions it offers."""


@wire(flow="deals contacts total_deals_value at_risk_contacts high_probability_deals")
class DashboardSummary(Model):
    """The best deals, the latest contacts, and totals over all deals and contacts."""

    deals: list[Deal] = Field(default_factory=EMPTY)
    """The ten open deals of the greatest weighted value."""
    contacts: list[Contact] = Field(default_factory=EMPTY)
    """The ten contacts contacted last."""
    total_deals_value: Amount
    """The sum of the open deals."""
    at_risk_contacts: int
    """The number of contacts that may be lost."""
    high_probability_deals: int
    """The number of open deals that are likely to be won."""
