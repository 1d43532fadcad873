"""Billing: what a company pays for the CRM, how, and its invoices."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .marks import INPUT
from .record import Model, Record
from .tenants import PlanName
from .values import EMPTY, Address, AddressInput, Amount, Email, Money

BillingStatus: TypeAlias = Literal["trialing", "active", "past_due", "cancelled"] | str
BillingCycle: TypeAlias = Literal["monthly", "annual"] | str
InvoiceStatus: TypeAlias = Literal["draft", "open", "paid", "void", "uncollectible"] | str
PaymentMethodType: TypeAlias = Literal["card", "bank", "invoice"] | str
InvoiceSort: TypeAlias = Literal["id", "number", "total", "due_date", "created_at", "updated_at"] | str
Seats: TypeAlias = Annotated[int, Field(ge=1, le=100_000)]


class PaymentMethod(Model):
    """How a company pays."""

    type: PaymentMethodType
    brand: str | None = None
    """The brand of a card."""
    last4: str | None = None
    """The last four digits."""
    exp_month: int | None = None
    """The month in which a card expires."""
    exp_year: int | None = None
    """The year in which a card expires."""


class Billing(Model):
    """What a company pays, and how."""

    tenant_id: str
    plan: PlanName
    """The plan that is paid for."""
    status: BillingStatus
    cycle: BillingCycle
    """Whether it is paid by the month or by the year."""
    seats: int
    """The number of users that are paid for."""
    amount: Amount
    """What a whole period costs."""
    currency: str
    balance: Amount
    """What is owed; negative for a credit, which the next invoices use up."""
    next_invoice_at: AwareDatetime | None = None
    """When the next invoice is made; null for the plan free."""
    payment_method: PaymentMethod | None = None
    """How it pays; null where nothing was given."""
    billing_email: str | None = None
    """The address to which invoices go."""
    billing_name: str | None = None
    """The name on invoices."""
    billing_address: Address | None = None
    tax_id: str | None = None
    trial_ends_at: AwareDatetime | None = None
    """When its trial ends."""
    cancels_at: AwareDatetime | None = None
    """When the company goes back to the plan free."""
    version: int
    """Goes up by one with every change."""


@with_config(INPUT)
class BillingUpdate(TypedDict, total=False):
    """Changes to what a company pays, and how. The plan is changed by `tenants.billing.upgrade`."""

    cycle: BillingCycle
    """The cycle from the next invoice on."""
    seats: Seats
    """The number of users; more cost at once for the rest of the period, fewer from the next invoice on."""
    payment_method_token: Annotated[str, Field(min_length=1, max_length=200)]
    """A token of a payment method. It is not stored: no answer, log or audit trail has it."""
    billing_email: Email | None
    billing_name: Annotated[str, Field(max_length=200)] | None
    """The name on invoices."""
    billing_address: AddressInput | None
    tax_id: Annotated[str, Field(max_length=50)] | None


class InvoiceLine(Model):
    """One line of an invoice."""

    description: str
    quantity: int
    """How many there are."""
    unit_amount: Amount
    """What one costs."""
    amount: Amount
    """Negative for a credit."""
    proration: bool
    """Whether it is for a part of a period."""


class Invoice(Record):
    """An invoice."""

    number: str
    """The number of the invoice."""
    status: InvoiceStatus
    period_start: date
    """The first day of the period."""
    period_end: date
    """The first day after the period."""
    lines: list[InvoiceLine] = Field(default_factory=EMPTY)
    """What is paid for."""
    subtotal: Amount
    """The sum of the lines."""
    tax: Amount
    """The tax on it."""
    total: Amount
    amount_due: Amount
    """What is still to be paid."""
    currency: str
    due_date: date
    """The day until which it is to be paid."""
    paid_at: AwareDatetime | None = None
    """When it was paid; null where it was not."""
    pdf_url: str | None = None
    """Where the invoice is as a PDF; the address works without sign-in."""


class BillingUpgrade(Model):
    """What came of a change of the plan."""

    billing: Billing
    """What is paid from now on."""
    invoice: Invoice | None = None
    """The invoice that was made; null where nothing was to be paid now."""
    prorated: Money
    """What the change costs now; negative for a credit."""
    effective_at: AwareDatetime
    """When the plan changes: now, or at the end of the period."""
    features_gained: list[str] = Field(default_factory=EMPTY)
    """The services that the new plan includes in addition."""
    features_lost: list[str] = Field(default_factory=EMPTY)
    """The services that the new plan does not include any more."""
