"""Billing: plans and what they cost, by days; invoices, their PDF, and the end of a period."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from pypdf import PdfReader
from refusals import refused

from crm_sdk import CrmClient
from crm_sdk.models import Invoice
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.request.http import Request

from .conftest import DAY, Found

CENT, D = Decimal("0.01"), Decimal


def money(amount: str) -> Decimal:
    return Decimal(amount)


def test_a_token_becomes_a_payment_method_and_is_nowhere(stub: StubServer, found: Found) -> None:
    company = found()
    billing = company.own.tenants.billing
    first = billing.get("current")
    assert (first.plan, first.payment_method, first.amount, first.version) == ("free", None, D(0), 1)
    changes: Any = {"billing_address": {"city": "Bonn"}, "billing_email": "Pay@Example.com"}
    second = billing.update("current", changes, version=1)
    assert (second.billing_email, second.version) == ("pay@example.com", 2)
    assert refused(lambda: billing.update("current", {"tax_id": "x"}, version=1)).code == "VERSION_CONFLICT"
    declined = refused(lambda: billing.update("current", {"payment_method_token": "tok_declined"}))
    assert (declined.code, declined.status) == ("PAYMENT_METHOD_DECLINED", 422)
    paid = billing.update("current", {"payment_method_token": "tok_visa", "billing_address": {"country": "DE"}})
    assert paid.payment_method and (paid.payment_method.brand, paid.payment_method.last4) == ("visa", "4242")
    assert paid.billing_address and (paid.billing_address.city, paid.billing_address.country) == ("Bonn", "DE")
    assert billing.update("current", {"payment_method_token": "tok_visa"}).version == paid.version
    everything = [*stub.audit(), *stub.audit(company.id), *stub.store.collection(company.id, "billing"), *stub.journal]
    assert "tok_visa" not in repr(everything)
    assert company.trail().count("tenant.billing_updated") == 2


def test_a_member_may_come_in_the_query(stub: StubServer) -> None:
    headers = {"authorization": "Bearer globex-admin", "content-type": "application/json"}
    path = "/platform/v1/tenants/current/billing"
    reply = stub.handle(Request("PUT", path, "paymentMethodToken=tok_mastercard", headers, b"{}"))
    assert reply.status == 200 and b'"mastercard"' in reply.body and b"tok_" not in reply.body


@pytest.mark.thorough
def test_an_upgrade_is_paid_by_days(stub: StubServer, found: Found) -> None:
    crm = found(region="eu").own
    assert refused(lambda: crm.tenants.billing.upgrade("current", "pro")).code == "PAYMENT_METHOD_REQUIRED"
    crm.tenants.billing.update("current", {"payment_method_token": "tok_visa"})
    start = crm.tenants.billing.upgrade("current", "pro", seats=10)
    assert start.invoice and (start.invoice.total, start.invoice.status) == (D(270), "paid")
    assert (start.prorated.amount, start.prorated.currency, start.billing.amount) == (D(270), "EUR", D(270))
    assert len(start.features_gained) == 7 and start.features_lost == []
    assert refused(lambda: crm.tenants.billing.upgrade("current", "pro")).code == "PLAN_UNCHANGED"
    stub.clock.advance(10 * DAY)
    more = crm.tenants.billing.upgrade("current", "enterprise")
    charge, credit = (money(amount) * 21 / 31 for amount in ("730", "270"))  # from 25 January to 15 February
    assert more.prorated.amount == charge.quantize(CENT) - credit.quantize(CENT)
    assert more.invoice and [line.proration for line in more.invoice.lines] == [True, True]
    assert more.invoice.total == more.prorated.amount == more.invoice.subtotal + more.invoice.tax
    assert (crm.tenants.get("current").plan, more.billing.next_invoice_at) == (
        "enterprise",
        start.billing.next_invoice_at,
    )
    stub.clock.advance(22 * DAY)
    newest = crm.tenants.invoices.list("current").items[0]
    assert (newest.total, newest.number[-4:], newest.status) == (D(730), "0003", "paid")
    assert crm.tenants.invoices.list("current", status="open").total == 0
    assert [one.total for one in crm.tenants.invoices.list("current", sort="total", order="asc")][-1] == 730


def test_another_cycle_begins_a_new_period_with_a_credit(stub: StubServer, found: Found) -> None:
    crm = found("enterprise").own
    stub.clock.advance(DAY)
    made = crm.tenants.billing.upgrade("current", "enterprise", cycle="annual")
    assert made.invoice and made.invoice.lines[0].amount == 7_900
    assert made.prorated.amount == 7_900 - (Decimal(790) * 30 / 31).quantize(CENT)
    at = made.billing.next_invoice_at
    assert at and at - made.effective_at == timedelta(days=365)
    back = crm.tenants.billing.upgrade("current", "enterprise", cycle="monthly")
    assert (back.effective_at, back.invoice, back.prorated.amount) == (at, None, D(0))
    assert back.billing.cycle == "annual"


def test_the_plan_that_there_is_or_will_be_is_no_change(found: Found) -> None:
    company = found()
    billing = company.own.tenants.billing

    def unchanged(plan: Any, **given: Any) -> tuple[str, str, str | None]:
        error = refused(lambda: billing.upgrade("current", plan, **given))
        return error.code, error.message.partition(" has ")[2], error.fields[0].field

    def code(words: str) -> tuple[str, str, str]:
        return "PLAN_UNCHANGED", f"the plan {words}", "plan"

    assert unchanged("free") == unchanged("free", cycle="annual") == code("free, monthly")
    billing.update("current", {"payment_method_token": "tok_invoice"})
    invoice = billing.upgrade("current", "pro", cycle="annual", seats=2).invoice
    assert invoice and (invoice.status, invoice.due_date) == ("open", invoice.period_start + timedelta(days=14))
    assert unchanged("pro") == unchanged("pro", cycle="annual", seats=3) == code("pro, annual")
    monthly = billing.upgrade("current", "pro", cycle="monthly")
    assert (monthly.billing.cycle, monthly.invoice) == ("annual", None)
    assert unchanged("pro", cycle="monthly") == code("pro, monthly")
    assert billing.upgrade("current", "free").billing.cancels_at is not None
    assert unchanged("free") == code("free, annual")
    assert unchanged("free", cycle="monthly") == code("free, annual")
    back = billing.upgrade("current", "pro")
    assert (back.billing.plan, back.billing.cancels_at, back.invoice) == ("pro", None, None)
    assert unchanged("pro") == code("pro, annual")


@pytest.mark.thorough
def test_a_smaller_plan_waits_for_the_end_of_the_period(stub: StubServer, found: Found) -> None:
    company = found("pro")
    crm = company.own
    down = crm.tenants.billing.upgrade("current", "free")
    assert down.effective_at == down.billing.cancels_at and down.effective_at > stub.clock.now()
    assert set(down.features_lost) == {
        "custom_objects", "workflows", "marketplace", "social", "audit", "customization", "backups",
    }  # fmt: skip
    assert (crm.tenants.get("current").plan, down.billing.next_invoice_at) == ("pro", None)
    assert refused(lambda: crm.tenants.billing.upgrade("current", "free")).code == "PLAN_UNCHANGED"
    again = crm.tenants.billing.upgrade("current", "pro")
    assert (again.billing.cancels_at, again.invoice, again.prorated.amount) == (None, None, D(0))
    crm.tenants.billing.upgrade("current", "free")
    stub.clock.advance(32 * DAY)
    assert (crm.tenants.get("current").plan, crm.tenants.billing.get("current").amount) == ("free", D(0))
    assert crm.tenants.invoices.list("current").total == 1 and company.trail()[-1] == "tenant.updated"
    assert refused(crm.workflows.list).code == "FEATURE_DISABLED"


def test_a_plan_that_is_too_small_is_refused(found: Found) -> None:
    company = found("pro")
    company.own.custom_objects.create({"api_name": "ship", "label": "Ship", "plural_label": "Ships"})
    company.add_users(4)
    error = refused(lambda: company.own.tenants.billing.upgrade("current", "free"))
    assert error.code == "USAGE_EXCEEDS_PLAN"
    assert error.details["limits"] == [
        {"key": "users", "limit": 3, "used": 5},
        {"key": "custom_objects", "limit": 0, "used": 1},
        {"key": "custom_fields_per_object", "limit": 0, "used": 1},
    ]


@pytest.mark.thorough
def test_seats(stub: StubServer, found: Found) -> None:
    company = found("pro")
    crm = company.own
    company.add_users(10)
    assert crm.tenants.billing.get("current").seats == 11
    error = refused(lambda: crm.tenants.billing.update("current", {"seats": 10}))
    assert (error.code, error.details) == ("SEATS_IN_USE", {"activeUsers": 11})
    assert refused(lambda: crm.tenants.billing.upgrade("current", "enterprise", seats=3)).code == "SEATS_IN_USE"
    more = crm.tenants.billing.update("current", {"seats": 20})
    invoice = crm.tenants.invoices.list("current").items[0]
    assert (more.amount, invoice.total, invoice.lines[0].proration) == (D(580), D(290), True)
    assert crm.tenants.billing.update("current", {"seats": 12}).amount == 348
    assert crm.tenants.invoices.list("current").total == 2, "fewer seats count from the next invoice on"
    stub.clock.advance(32 * DAY)
    assert crm.tenants.invoices.list("current").items[0].total == 348


@pytest.mark.thorough
def test_an_invoice_that_is_not_paid_is_late(stub: StubServer, found: Found) -> None:
    crm = found().own
    crm.tenants.billing.update("current", {"payment_method_token": "tok_invoice"})
    made = crm.tenants.billing.upgrade("current", "pro", cycle="annual", seats=2)
    assert made.billing.balance == 580 == (made.invoice.amount_due if made.invoice else None)
    assert made.invoice and made.invoice.due_date == made.invoice.period_start + timedelta(days=14)
    stub.clock.advance(14 * DAY - 60)
    assert crm.tenants.billing.get("current").status == "active"
    stub.clock.advance(DAY)
    assert crm.tenants.billing.get("current").status == "past_due"
    paid = crm.tenants.billing.update("current", {"payment_method_token": "tok_visa"})
    assert (paid.status, paid.balance) == ("active", D(0))
    (invoice,) = crm.tenants.invoices.list("current")
    assert (invoice.status, invoice.amount_due) == ("paid", D(0)) and isinstance(invoice.paid_at, datetime)
    at_once = crm.tenants.billing.upgrade("current", "enterprise", cycle="annual").invoice
    assert at_once and (at_once.due_date, at_once.status) == (stub.clock.now().date(), "paid")


@pytest.mark.thorough
def test_a_credit_is_used_up_by_later_invoices(stub: StubServer, found: Found) -> None:
    company = found()
    crm = company.own
    crm.tenants.billing.update("current", {"payment_method_token": "tok_visa"})
    crm.tenants.billing.upgrade("current", "pro", cycle="annual", seats=10)
    made = crm.tenants.billing.upgrade("current", "enterprise", cycle="monthly")
    assert made.prorated.amount == 790 - 2_900 and made.invoice and made.invoice.total == 0
    assert made.billing.balance == -2_110
    stub.clock.advance(32 * DAY)
    assert crm.tenants.invoices.list("current").items[0].total == 0
    assert crm.tenants.billing.get("current").balance == -1_320


@pytest.mark.parametrize("signature", ["", "0" * 32, "é"])
def test_a_forged_address_leads_to_nothing(stub: StubServer, acme: CrmClient, signature: str) -> None:
    invoice = acme.tenants.invoices.list("current").items[0]
    path = urlsplit(str(invoice.pdf_url)).path
    forged = path.rpartition("/")[0] + f"/{signature}"
    assert stub.handle(Request("GET", forged)).status == 404
    reply = stub.handle(Request("GET", path))
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/pdf")
    assert reply.body.startswith(b"%PDF-") and reply.body.rstrip().endswith(b"%%EOF")


def lines_of(stub: StubServer, invoice: Invoice) -> list[str]:
    """Return the lines of the PDF of an invoice."""
    body = stub.handle(Request("GET", urlsplit(str(invoice.pdf_url)).path)).body
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(body)).pages).splitlines()


def test_the_pdf_has_the_figures(stub: StubServer, found: Found) -> None:
    company = found("pro", name="Łódź & Co")
    (invoice,) = company.own.tenants.invoices.list("current")
    period = f"Period: {invoice.period_start} to {invoice.period_end}"
    about = [period, f"Due: {invoice.due_date}", "Status: paid"]
    assert lines_of(stub, invoice) == [
        f"Invoice {invoice.number}", "?ód? & Co", *about, "Description Quantity Price Amount",
        "Pro, monthly, 10 seats 10 29.00 USD 290.00 USD", "Subtotal 290.00 USD", "Tax 0.00 USD", "Total 290.00 USD",
        "Amount due 0.00 USD",
    ]  # fmt: skip


ADDRESS = {"street": "Hauptstr. 1", "street2": "Hof", "city": "Bonn", "postal_code": "53111", "state": "NRW",
           "country": "DE"}  # fmt: skip


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({}, ["Hooli"]),
        ({"tax_id": "DE 123"}, ["Hooli", "Tax id: DE 123"]),
        ({"billing_name": "Hooli Ltd", "billing_address": {"city": "Bonn"}}, ["Hooli Ltd", "Bonn"]),
        ({"billing_name": None, "billing_address": {"postal_code": "53111"}}, ["Hooli", "53111"]),
        ({"billing_address": ADDRESS, "tax_id": "DE 123"},
         ["Hooli", "Hauptstr. 1", "Hof", "53111 Bonn", "NRW", "DE", "Tax id: DE 123"]),
    ],
)  # fmt: skip
def test_the_pdf_has_the_address_as_far_as_it_is_known(
    stub: StubServer, found: Found, said: Any, shown: list[str]
) -> None:
    company = found("pro", name="Hooli")
    company.own.tenants.billing.update("current", said)
    (invoice,) = company.own.tenants.invoices.list("current")
    lines = lines_of(stub, invoice)
    assert lines[1 : len(shown) + 2] == [*shown, f"Period: {invoice.period_start} to {invoice.period_end}"]


def test_the_demo_companies_pay(acme: CrmClient, globex: CrmClient, stub: StubServer) -> None:
    for crm, cycle in ((acme, "annual"), (globex, "monthly")):
        billing = crm.tenants.billing.get("current")
        assert (billing.cycle, billing.status, billing.balance) == (cycle, "active", D(0))
        invoices = list(crm.tenants.invoices.list("current"))
        assert invoices and all(one.status == "paid" and one.total == billing.amount for one in invoices)
    stub.store.collection("tenant_globex", "invoice").put(Document(id="invoice_x", created_at=stub.clock.now()))
    assert "invoice_x" not in {one.id for one in acme.tenants.invoices.list("current")}
