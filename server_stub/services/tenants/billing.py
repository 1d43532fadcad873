"""The rules of billing: what a company pays and how, changes of its plan, and the end of each period."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from crm_sdk.resources.tenants import TenantBilling
from crm_sdk.vocabulary.codes import SWITCHABLE

from ... import timetable
from ...data import normalise
from ...data.document import Document
from ...data.merging import differences, merge_values
from ...problems import Problem
from ...request.access import plans
from ...serving import Collections, Context, Members, changes_between, serves
from ...timetable import Appointment, falls_due
from .. import company
from .counting import exceeded_limits
from .finding import refuse_fixed, store, tell, within, writable
from .invoices import INVOICES, make_invoice, open_invoices, pay
from .prices import CENT, Terms, currency_of, part_of, period_after, rest_of

KIND, ID = "billing", "billing"
_METHODS: Mapping[str, Mapping[str, Any]] = {
    "tok_visa": {"type": "card", "brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2034},
    "tok_mastercard": {"type": "card", "brand": "mastercard", "last4": "4444", "exp_month": 12, "exp_year": 2034},
    "tok_bank": {"type": "bank", "brand": None, "last4": "3000", "exp_month": None, "exp_year": None},
    "tok_invoice": {"type": "invoice", "brand": None, "last4": None, "exp_month": None, "exp_year": None},
}
"""The payment methods of the test tokens; any other token is declined."""


@serves(TenantBilling.get)
def get(call: Context, tenant_id: str) -> dict[str, Any]:
    """Return what a company pays, and how."""
    there = within(call, tenant_id)
    return _shown_billing(there, billing_of(there))


@serves(TenantBilling.update)
def update(call: Context, tenant_id: str, changes: Members, version: int | None) -> dict[str, Any]:
    """Change what a company pays, and how."""
    there = writable(call, tenant_id)
    billing = billing_of(there)
    call.lock(billing, version)
    refuse_fixed(call, there.tenant, ("plan",))
    members = _stored_changes(changes, billing)
    _check_seats(there, members.get("seats"))
    after, invoice = _with_more_seats(there, billing | members)
    made = _store(there, billing, after)
    if members.get("payment_method") and members["payment_method"]["type"] != "invoice":
        pay(there)
    if made:
        metadata = {"invoice_id": invoice["id"]} if invoice is not None else {}
        tell(call, there, "tenant.billing_updated", changes=made, metadata=metadata)
    return _shown_billing(there, billing_of(there))


@serves(TenantBilling.upgrade)
def upgrade(call: Context, tenant_id: str, plan: str, cycle: str | None, seats: int | None) -> dict[str, Any]:
    """Change the plan: to a greater one at once, to a smaller one at the end of the period."""
    there = writable(call, tenant_id)
    billing, present = billing_of(there), there.tenant["plan"]
    wanted = Terms(plan, cycle or billing["cycle"], seats or _seats(there, billing))
    pending: Members | None = billing["change"]
    back = pending is not None and _is_present(there, billing, wanted)
    now = Terms(**pending) if pending is not None else Terms(present, billing["cycle"], wanted.seats)
    if (now.plan, now.cycle) == (wanted.plan, wanted.cycle) or now.plan == wanted.plan == "free":
        raise Problem("PLAN_UNCHANGED", f"{there.tenant['name']} has the plan {plan}, {now.cycle}", field="plan")
    _check_seats(there, seats)
    if plan != "free" and billing["payment_method"] is None:
        raise Problem("PAYMENT_METHOD_REQUIRED", f"the plan {plan} has to be paid for: give a payment method first")
    rank = plans.PLANS.index(plan) - plans.PLANS.index(present)
    if rank < 0 and (limits := exceeded_limits(there, plan)):
        message = f"more is used than the plan {plan} allows: {', '.join(str(one['key']) for one in limits)}"
        raise Problem("USAGE_EXCEEDS_PLAN", message, field="plan", details={"limits": limits})
    invoice: Document | None = None
    prorated = Decimal("0.00")
    if back:
        after = billing | {"change": None}
    elif rank > 0 or (rank == 0 and wanted.cycle == "annual"):
        after, invoice, prorated = _charged_billing(there, billing, wanted)
    else:
        after = billing | {"change": {"plan": plan, "cycle": wanted.cycle, "seats": wanted.seats}}
    _store(there, billing, after)
    effective = billing["period_end"] if after["change"] is not None else there.now
    if after["change"] is None:
        store(there, {"plan": plan})
    timetable.plan(there.collection, PERIOD)
    change = {"field": "plan", "before": present, "after": plan}
    said = {"effective_at": effective, "cycle": wanted.cycle, "seats": wanted.seats}
    said |= {"invoice_id": invoice["id"]} if invoice is not None else {}
    tell(call, there, "tenant.plan_changed", changes=[change], metadata=said)
    every = sorted(SWITCHABLE)
    return {
        "billing": _shown_billing(there, billing_of(there)),
        "invoice": INVOICES.answer(there, invoice) if invoice is not None else None,
        "prorated": {"amount": prorated, "currency": currency_of(there.tenant)},
        "effective_at": effective,
        "features_gained": [key for key in every if plans.includes(plan, key) and not plans.includes(present, key)],
        "features_lost": [key for key in every if plans.includes(present, key) and not plans.includes(plan, key)],
    }


# -- the record --------------------------------------------------------------------------------------------------------


def billing_of(there: Context) -> Document:
    """Return the stored billing of a company; that of a new company until it is changed."""
    known = there.collection(KIND).get(ID)
    tenant = there.tenant
    return known or Document(
        id=ID,
        cycle="monthly",
        seats=1,
        payment_method=None,
        billing_email=tenant["admin_email"],
        billing_name=tenant["name"],
        billing_address=None,
        tax_id=None,
        period_start=None,
        period_end=None,
        period_cycle=None,
        period_amount=Decimal("0.00"),
        change=None,
        credit=Decimal("0.00"),
        version=1,
        created_at=tenant["created_at"],
        updated_at=tenant["created_at"],
    )


_SHOWN = ("cycle", "seats", "payment_method", "billing_email", "billing_name", "billing_address", "tax_id")


def _store(there: Context, before: Document, after: Document) -> list[dict[str, Any]]:
    """Store billing where it differs, and return what can be seen of the changes."""
    real = differences(before, {name: value for name, value in after.items() if name != "version"})
    if not real:
        return []
    there.collection(KIND).put(before | real | {"version": before["version"] + 1, "updated_at": there.now})
    return changes_between({name: before[name] for name in _SHOWN}, {name: after[name] for name in _SHOWN})


def _stored_changes(changes: Members, before: Document) -> dict[str, Any]:
    """Return changes in stored form, a token as its payment method. Raises: 422."""
    given = dict(changes)
    token = given.pop("payment_method_token", None)
    if given.get("billing_email") is not None:
        given["billing_email"] = normalise.email(given["billing_email"], "billing_email")
    normalise.address(given.get("billing_address"), "billing_address")
    members = merge_values(given, before)
    if token is not None:
        if token not in _METHODS:
            message = "the payment method was declined: give another one"
            raise Problem("PAYMENT_METHOD_DECLINED", message, field="payment_method_token")
        members["payment_method"] = dict(_METHODS[token])
    return members


def _active(there: Context) -> int:
    return sum(user.get("status") == "active" for user in there.collection("user"))


def _seats(there: Context, billing: Members) -> int:
    return max(int(billing["seats"]), _active(there))


def _check_seats(there: Context, seats: int | None) -> None:
    """Raise 409 for fewer seats than active users."""
    if seats is not None and seats < (active := _active(there)):
        message = f"{active} users are active: deactivate some before there are {seats} seats"
        raise Problem("SEATS_IN_USE", message, field="seats", details={"active_users": active})


def _shown_billing(there: Context, billing: Document) -> dict[str, Any]:
    tenant, currency = there.tenant, currency_of(there.tenant)
    seats = _seats(there, billing)
    waiting = open_invoices(there)
    owed = sum((invoice["amount_due"] for invoice in waiting), Decimal())
    ends = billing["change"] is not None and billing["change"]["plan"] == "free"
    late = any(invoice["due_date"] < company.today(there) for invoice in waiting)
    tried = tenant.get("trial_ends_at") is not None and tenant["trial_ends_at"] > there.now
    status = "past_due" if late else "trialing" if tried else "active"
    return {
        **{name: billing[name] for name in (*_SHOWN, "version")},
        "tenant_id": tenant["id"],
        "plan": tenant["plan"],
        "status": "cancelled" if tenant["status"] == "cancelled" else status,
        "seats": seats,
        "amount": Terms(tenant["plan"], billing["cycle"], seats).price(currency),
        "currency": currency,
        "balance": (owed - billing["credit"]).quantize(CENT),
        "next_invoice_at": None if ends else billing["period_end"],
        "trial_ends_at": tenant.get("trial_ends_at"),
        "cancels_at": billing["period_end"] if ends else None,
    }


# -- what is paid ------------------------------------------------------------------------------------------------------


def _is_present(there: Context, billing: Document, wanted: Terms) -> bool:
    return (there.tenant["plan"], billing["cycle"]) == (wanted.plan, wanted.cycle)


def _invoiced_billing(there: Context, billing: Document, lines: Sequence[Members]) -> tuple[Document, Document | None]:
    """Return billing after an invoice with these lines, and the invoice; None where they come to nothing."""
    if not any(line["amount"] for line in lines):
        return billing, None
    invoice, credit = make_invoice(there, billing, lines, billing["period_start"], billing["period_end"])
    return billing | {"credit": credit}, invoice


def _part_line(terms: Terms, amount: Decimal, left: int, total: int, *, credit: bool = False) -> dict[str, Any]:
    what = f"{'Unused' if credit else 'Rest'} of the period, {left} of {total} days"
    name = f"{what}: {terms.plan.capitalize()}, {terms.cycle}, {terms.seats} seats"
    part = part_of(amount, left, total) * (-1 if credit else 1)
    return {"description": name, "quantity": 1, "unit_amount": part, "amount": part, "proration": True}


def _charged_billing(there: Context, billing: Document, wanted: Terms) -> tuple[Document, Document | None, Decimal]:
    """Return billing after a change at once, with its invoice, and what it costs now.

    Within the same cycle the rest of the period is paid by days; another cycle begins a new period. What was paid for
    the rest of the old one is a credit.
    """
    currency, zone = currency_of(there.tenant), company.zone(there)
    whole = wanted.price(currency)
    old = Terms(there.tenant["plan"], billing["period_cycle"] or "monthly", billing["seats"])
    lines: list[dict[str, Any]] = []
    period = {"cycle": wanted.cycle, "seats": wanted.seats, "change": None, "period_amount": whole}
    if old.plan != "free" and wanted.cycle == old.cycle:
        left, total = rest_of(billing["period_start"], billing["period_end"], there.now, zone)
        lines.append(_part_line(wanted, whole, left, total))
        lines.append(_part_line(old, billing["period_amount"], left, total, credit=True))
    else:
        lines.append(wanted.line(currency))
        if old.plan != "free":
            left, total = rest_of(billing["period_start"], billing["period_end"], there.now, zone)
            lines.append(_part_line(old, billing["period_amount"], left, total, credit=True))
        end = period_after(there.now, wanted.cycle, zone)
        period |= {"period_start": there.now, "period_end": end, "period_cycle": wanted.cycle}
    after, invoice = _invoiced_billing(there, billing | period, lines)
    return after, invoice, sum((line["amount"] for line in lines), Decimal())


def _with_more_seats(there: Context, billing: Document) -> tuple[Document, Document | None]:
    """Return billing with the seats of the period paid for where there are more than before, and the invoice."""
    if there.tenant["plan"] == "free":
        return billing, None
    terms = Terms(there.tenant["plan"], billing["period_cycle"], billing["seats"])
    whole = terms.price(currency_of(there.tenant))
    more = whole - billing["period_amount"]
    if more <= 0:
        return billing, None
    left, total = rest_of(billing["period_start"], billing["period_end"], there.now, company.zone(there))
    return _invoiced_billing(there, billing | {"period_amount": whole}, [_part_line(terms, more, left, total)])


# -- the end of a period -----------------------------------------------------------------------------------------------


def _period_end(collections: Collections) -> Iterator[datetime]:
    billing = collections(KIND).get(ID)
    if billing is not None and billing["period_end"] is not None:
        yield billing["period_end"]


PERIOD = Appointment("billing period", _period_end)


@falls_due(PERIOD)
def renew(call: Context) -> None:
    """Begin the next period, with what was to change at the end of this one, and make its invoice."""
    billing, before = billing_of(call), call.tenant["plan"]
    change: Members = billing["change"] or {"plan": before, "cycle": billing["cycle"], "seats": billing["seats"]}
    terms = Terms(change["plan"], change["cycle"], max(change["seats"], _active(call)))
    start = billing["period_end"]
    end = period_after(start, terms.cycle, company.zone(call)) if terms.plan != "free" else None
    after = billing | {
        "cycle": terms.cycle,
        "seats": terms.seats,
        "change": None,
        "period_start": start if end is not None else None,
        "period_end": end,
        "period_cycle": terms.cycle if end is not None else None,
        "period_amount": terms.price(currency_of(call.tenant)),
    }
    if end is not None:
        after, _ = _invoiced_billing(call, after, [terms.line(currency_of(call.tenant))])
    _store(call, billing, after)
    made = store(call, {"plan": terms.plan})
    if made:
        tell(call, call, "tenant.updated", changes=made, metadata={"reason": "the period has ended"})
