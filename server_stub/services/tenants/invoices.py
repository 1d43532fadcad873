"""Invoices: made for each period and for changes within one, paid or open, and shown as a PDF."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from crm_sdk.models.tenant_billing import Invoice
from crm_sdk.resources.tenants import TenantInvoices

from ...data.document import Document
from ...noun import Noun
from ...request.answering import links
from ...request.http import Reply
from ...serving import Context, Members, serves
from .. import company
from .finding import within
from .prices import CENT, currency_of

_DUE_IN = timedelta(days=14)
_LINK = "invoice"


def _listed_invoice(there: Context, invoice: Document) -> Document:
    address = links.link(there, _LINK, invoice["id"])
    return invoice | {"pdf_url": address}


INVOICES = Noun(
    resource=TenantInvoices,
    kind="invoice",
    model=Invoice,
    filters={"tenant_id": lambda call, value: lambda doc: True},  # the company's own collection has no others
    sorts=("number", "total", "due_date"),
    shown=_listed_invoice,
    listed=_listed_invoice,
)


@serves(TenantInvoices.list)
def find(call: Context, tenant_id: str, **given: Any) -> Sequence[Document]:
    """Return the invoices of a company."""
    return INVOICES.select(within(call, tenant_id), given)


def open_invoices(there: Context) -> list[Document]:
    """Return the invoices that are to be paid."""
    return there.collection("invoice").find("status", "open")


def make_invoice(
    there: Context, billing: Document, lines: Sequence[Members], start: datetime, end: datetime
) -> tuple[Document, Decimal]:
    """Store an invoice, paid at once where the payment method allows it; return it, and the credit that is left.

    A credit of earlier invoices is used up; one of this invoice is carried over.
    """
    own, credit = [dict(line) for line in lines], Decimal(billing["credit"])
    total = sum((line["amount"] for line in own), Decimal())
    if total < 0:
        own.append(_line("Carried over to the next invoice", -total))
    elif credit and total:
        own.append(_line("Credit of earlier invoices", -min(credit, total)))
    credit -= min(credit, total) if total > 0 else total
    total = sum((line["amount"] for line in own), Decimal()).quantize(CENT)
    method: Members = billing["payment_method"] or {}
    waits = total > 0 and method.get("type") == "invoice"
    zone, slug = company.zone(there), there.tenant["slug"]
    invoice = there.create(
        "invoice",
        "invoice_",
        {
            "number": f"{slug.upper()}-{there.server.store.count(f'invoice of {slug}'):04}",
            "status": "open" if waits else "paid",
            "period_start": start.astimezone(zone).date(),
            "period_end": end.astimezone(zone).date(),
            "lines": own,
            "subtotal": total,
            "tax": Decimal("0.00"),
            "total": total,
            "amount_due": total if waits else Decimal("0.00"),
            "currency": currency_of(there.tenant),
            "due_date": (there.now + (_DUE_IN if waits else timedelta())).astimezone(zone).date(),
            "paid_at": None if waits else there.now,
        },
    )
    return invoice, credit


def _line(description: str, amount: Decimal) -> dict[str, Any]:
    return {
        "description": description,
        "quantity": 1,
        "unit_amount": amount,
        "amount": amount,
        "proration": False,
    }


def pay(there: Context) -> None:
    """Pay the open invoices."""
    for invoice in open_invoices(there):
        paid = {"status": "paid", "amount_due": Decimal("0.00"), "paid_at": there.now}
        there.update("invoice", invoice, paid)


@links.opens(_LINK)
def pdf(there: Context, id: str) -> Reply:
    """Answer an invoice as a PDF. Raises: 404."""
    from .invoice_pdf import write

    invoice = there.record("invoice", id)
    billing = there.collection("billing").get("billing") or Document()
    name = f'inline; filename="{invoice["number"]}.pdf"'
    headers = {"Content-Type": "application/pdf", "Content-Disposition": name}
    return Reply(200, headers, write(there.tenant, billing, invoice))
