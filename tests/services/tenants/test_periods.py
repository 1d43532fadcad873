"""What is paid within a period and at its end, to the cent, and what billing says of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from refusals import refused
from stub_data import plain, some

from crm_sdk.models import Invoice
from server_stub.data.document import Document
from server_stub.services.tenants.billing import renew
from server_stub.timetable import system_call

from .conftest import Company, Found

D = Decimal
DAY = timedelta(days=1)


def kept(company: Company) -> Document:
    return some(company.stub.store.collection(company.id, "billing").get("billing"))


def within_period(company: Company, before: int = 10, after: int = 21, **members: Any) -> datetime:
    """Let a company be so many days after the begin of its period, and before its end; return the end."""
    now = company.stub.clock.now()
    times = {"period_start": now - before * DAY, "period_end": now + after * DAY}
    company.put("billing", **kept(company) | times | members)
    return now + after * DAY


def lines(invoice: Invoice | None) -> list[tuple[str | None, Any, Any, bool | None]]:
    return [(one.description, one.quantity, one.amount, one.proration) for one in some(invoice).lines]


@pytest.fixture
def company(found: Found) -> Company:
    return found("pro")


def test_a_greater_plan_is_paid_for_the_rest_of_the_period(company: Company) -> None:
    billing, end = company.own.tenants.billing, within_period(company)
    done = billing.upgrade("current", "enterprise")
    charge, credit = D("535.16"), D("-196.45")  # 21 of 31 days of 790 and of 290
    assert lines(done.invoice) == [
        ("Rest of the period, 21 of 31 days: Enterprise, monthly, 10 seats", 1, charge, True),
        ("Unused of the period, 21 of 31 days: Pro, monthly, 10 seats", 1, credit, True),
    ]
    assert [one.unit_amount for one in some(done.invoice).lines] == [charge, credit]
    assert done.prorated.amount == some(done.invoice).total == charge + credit and done.billing.amount == 790
    assert (done.billing.next_invoice_at, done.billing.cycle, done.billing.seats) == (end, "monthly", 10)
    assert (kept(company)["period_amount"], kept(company)["period_cycle"]) == (790, "monthly")
    (told,) = [entry for entry in company.stub.audit(company.id) if entry["action"] == "tenant.plan_changed"][-1:]
    assert told["changes"] == [{"field": "plan", "before": "pro", "after": "enterprise"}]
    assert told["metadata"] == {
        "effective_at": done.effective_at, "cycle": "monthly", "seats": 10, "invoice_id": some(done.invoice).id,
    }  # fmt: skip
    within_period(company, 31, 0)
    last = billing.upgrade("current", "enterprise", cycle="annual", seats=20)
    assert lines(last.invoice)[:2] == [
        ("Enterprise, annual, 20 seats", 20, D(15_800), False),
        ("Unused of the period, 0 of 31 days: Enterprise, monthly, 10 seats", 1, D(0), True),
    ]


def test_another_cycle_is_a_period_of_its_own_and_what_was_paid_a_credit(company: Company) -> None:
    billing = company.own.tenants.billing
    within_period(company, period_cycle="annual", cycle="annual", period_amount=D(2_900))
    done = billing.upgrade("current", "enterprise", cycle="monthly")
    credit = D("-1964.52")
    assert lines(done.invoice) == [
        ("Enterprise, monthly, 10 seats", 10, D(790), False),
        ("Unused of the period, 21 of 31 days: Pro, annual, 10 seats", 1, credit, True),
        ("Carried over to the next invoice", 1, -credit - 790, False),
    ]
    assert done.prorated.amount == 790 + credit and some(done.invoice).total == 0
    assert done.billing.balance == 790 + credit and kept(company)["credit"] == -credit - 790
    zone = ZoneInfo(company.stub.tenant(company.id)["timezone"])
    begun = kept(company)["period_start"].astimezone(zone)
    assert kept(company)["period_end"].astimezone(zone).replace(tzinfo=None) == begun.replace(
        tzinfo=None, month=begun.month + 1
    )
    end = within_period(company)
    more = billing.update("current", {"seats": 20})
    charge = D("535.16")
    (invoice, *_) = company.own.tenants.invoices.list("current").items
    assert lines(invoice) == [
        ("Rest of the period, 21 of 31 days: Enterprise, monthly, 20 seats", 1, charge, True),
        ("Credit of earlier invoices", 1, -charge, False),
    ]
    assert plain(more.balance, more.amount, more.next_invoice_at) == (790 + credit + charge, 1_580, end)


def test_more_seats_are_paid_for_and_fewer_count_later(company: Company) -> None:
    billing, invoices = company.own.tenants.billing, company.own.tenants.invoices
    within_period(company)
    for seats, total, amount in ((12, D("39.29"), 348), (11, None, 319), (12, None, 348), (13, D("19.65"), 377)):
        before, told = invoices.list("current").total, len(company.trail())
        done = billing.update("current", {"seats": seats})
        assert plain(done.seats, done.amount) == (seats, amount)
        found = invoices.list("current")
        assert found.total == some(before) + (total is not None), seats
        (entry,) = company.stub.audit(company.id)[told:]
        assert entry["action"] == "tenant.billing_updated" and entry["changes"] == [
            {"field": "seats", "before": entry["changes"][0]["before"], "after": seats}
        ]
        assert entry["metadata"] == ({"invoice_id": found.items[0].id} if total is not None else {})
        if total is not None:
            assert found.items[0].total == total
            assert lines(found.items[0])[0][0] == f"Rest of the period, 21 of 31 days: Pro, monthly, {seats} seats"
    assert billing.update("current", {"seats": 13}).version == done.version, "no difference, no write"
    within_period(company, 31, 0)
    before = invoices.list("current").total
    assert billing.update("current", {"seats": 14}).amount == 406
    assert invoices.list("current").total == before, "nothing is left of the period"
    company.add_users(3)
    error = refused(lambda: billing.update("current", {"seats": 3}))
    assert (error.status, error.code, error.details) == (409, "SEATS_IN_USE", {"activeUsers": 4})
    assert billing.update("current", {"seats": 4}).seats == 4


def test_a_free_company_pays_for_no_seats(found: Found) -> None:
    company = found()
    done = company.own.tenants.billing.update("current", {"seats": 5})
    assert plain(done.seats, done.amount, done.status, done.next_invoice_at, done.balance) == (5, 0, "active", None, 0)
    assert company.own.tenants.invoices.list("current").total == 0
    unpaid = refused(lambda: company.own.tenants.billing.upgrade("current", "pro"))
    assert (unpaid.status, unpaid.code) == (409, "PAYMENT_METHOD_REQUIRED")
    for token, method in (
        ("tok_visa", ("card", "visa", "4242", 12, 2034)), ("tok_mastercard", ("card", "mastercard", "4444", 12, 2034)),
        ("tok_bank", ("bank", None, "3000", None, None)), ("tok_invoice", ("invoice", None, None, None, None)),
    ):  # fmt: skip
        held = some(company.own.tenants.billing.update("current", {"payment_method_token": token}).payment_method)
        assert (held.type, held.brand, held.last4, held.exp_month, held.exp_year) == method


def test_what_begins_when_a_period_ends(company: Company) -> None:
    end, invoices = within_period(company), company.stub.store.collection(company.id, "invoice")

    def renewed() -> tuple[Document, list[str], int]:
        before, count = len(company.trail()), len(invoices)
        with company.stub.store.transaction():
            renew(system_call(company.stub, company.id, kept(company)["period_end"], "test"))
        return kept(company), company.trail()[before:], len(invoices) - count

    company.add_users(11)
    first, told, made = renewed()
    assert (first["period_start"], first["seats"], first["period_amount"], first["cycle"]) == (end, 12, 348, "monthly")
    assert (first["change"], told, made) == (None, [], 1)
    zone = ZoneInfo(company.stub.tenant(company.id)["timezone"])
    assert (first["period_end"].astimezone(zone).day, first["period_end"] > end) == (end.astimezone(zone).day, True)
    invoice = company.own.tenants.invoices.list("current").items[0]
    assert lines(invoice) == [("Pro, monthly, 12 seats", 12, D(348), False)]
    assert (invoice.period_start, invoice.period_end) == (
        end.astimezone(zone).date(), first["period_end"].astimezone(zone).date(),
    )  # fmt: skip
    company.put("billing", **first | {"change": {"plan": "enterprise", "cycle": "annual", "seats": 30}})
    second, told, made = renewed()
    assert (second["seats"], second["period_cycle"], second["period_amount"], second["change"]) == (
        30,
        "annual",
        23_700,
        None,
    )
    assert (told, made, company.own.tenants.get("current").plan) == (["tenant.updated"], 1, "enterprise")
    (entry,) = company.stub.audit(company.id)[-1:]
    assert entry["metadata"] == {"reason": "the period has ended"}
    assert [(one["field"], one["after"]) for one in entry["changes"]] == [("plan", "enterprise")]
    company.put("billing", **second | {"change": {"plan": "free", "cycle": "annual", "seats": 1}})
    last, told, made = renewed()
    assert {name: last[name] for name in ("period_start", "period_end", "period_cycle", "period_amount", "change")} == {
        "period_start": None, "period_end": None, "period_cycle": None, "period_amount": 0, "change": None,
    }  # fmt: skip
    assert (told, made, company.own.tenants.get("current").plan) == (["tenant.updated"], 0, "free")


def test_what_billing_says_of_the_state(company: Company) -> None:
    billing, end = company.own.tenants.billing, within_period(company)
    waits = billing.upgrade("current", "free")
    assert (waits.billing.cancels_at, waits.billing.next_invoice_at, waits.billing.plan) == (end, None, "pro")
    back = billing.upgrade("current", "pro")
    assert (back.billing.cancels_at, back.billing.next_invoice_at, back.invoice) == (None, end, None)
    billing.upgrade("current", "enterprise")
    smaller = billing.upgrade("current", "pro")
    assert (smaller.effective_at, smaller.billing.cancels_at, smaller.billing.next_invoice_at) == (end, None, end)
    assert kept(company)["change"] == {"plan": "pro", "cycle": "monthly", "seats": 10}
    today = company.stub.clock.now().astimezone(ZoneInfo(company.stub.tenant(company.id)["timezone"])).date()
    invoices = company.stub.store.collection(company.id, "invoice")
    invoice = some(invoices.first())
    for status, due, said, balance in (
        ("open", today, "active", D(7)), ("open", today - DAY, "past_due", D(7)), ("paid", today - DAY, "active", D(0)),
    ):  # fmt: skip
        invoices.put(invoice | {"status": status, "due_date": due, "amount_due": D(7)})
        shown = billing.get("current")
        assert (shown.status, shown.balance) == (said, balance), due
    company.put("billing", **kept(company) | {"credit": D("2.5")})
    assert billing.get("current").balance == D("-2.50")
    now, tenants = company.stub.clock.now(), company.stub.store.collection(company.id, "tenant")
    for ends, said in ((now + DAY, "trialing"), (now, "active"), (None, "active")):
        tenants.put(some(tenants.get(company.id)) | {"trial_ends_at": ends})
        shown = billing.get("current")
        assert (shown.status, shown.trial_ends_at) == (said, ends)
    with_details: Any = {"billing_name": "B", "tax_id": "T", "billing_address": {"city": "Bonn"}}
    changed = billing.update("current", with_details, version=shown.version)
    assert (changed.billing_name, changed.tax_id, changed.version) == ("B", "T", (shown.version or 0) + 1)
    assert billing.update("current", {"payment_method_token": "tok_visa"}).version == changed.version
