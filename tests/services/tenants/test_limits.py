"""What is used of each limit, when its count begins again, and what the invoices of a plan say to the cent."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from refusals import refused

from crm_sdk import CrmClient
from crm_sdk.models import InvoiceLine
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.request.http import Request

from .conftest import DAY, Company, Found

NEW_YORK = ZoneInfo("America/New_York")
"""The time zone of the first demo company."""


def used(company: Company) -> dict[str, int]:
    return {one.key: one.used for one in company.own.tenants.limits.get("current").limits}


@pytest.mark.parametrize("hours", [0, 11, 15, 23])
def test_a_count_begins_again_with_its_hour_or_its_day(stub: StubServer, acme: CrmClient, hours: int) -> None:
    stub.clock.advance(hours * 3_600)
    now, day = stub.clock.now(), timedelta(days=1)
    hour = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    midnight = datetime.combine(now.astimezone(UTC).date() + day, time(), UTC)
    own = datetime.combine(now.astimezone(NEW_YORK).date() + day, time(), NEW_YORK)
    shown = {one.key: one.resets_at for one in acme.tenants.limits.get("current").limits}
    assert {key: at for key, at in shown.items() if at is not None} == {
        "api_requests_per_hour": hour,
        "bulk_requests_per_hour": hour,
        "agent_calls_per_day": midnight,
        "chat_messages_per_day": midnight,
        "emails_per_day": own,
    }


def test_what_is_used_of_each_limit(stub: StubServer, found: Found) -> None:
    company = found("pro")
    nothing = dict.fromkeys(used(company), 0)
    own = {"users": 1, "api_keys": 1}
    assert used(company) == {**nothing, **own, "api_requests_per_hour": used(company)["api_requests_per_hour"] - 1}
    company.add_users(2, "invited")
    company.put("user", id="user_gone", email="gone@x.test", name="Gone", role="sales", roles=[], status="inactive")
    for number, size in enumerate((100, 300, 200, None)):
        company.put("file", id=f"file_{number}", size=size, name="F", versions=[], deleted_at=None)
    for kind, count in (("workflow", 2), ("flag", 3), ("layout", 4), ("export_schedule", 5), ("custom_object", 6)):
        for number in range(count):
            company.put(kind, id=f"{kind}_{number}", next_run_at=None, status="draft")
    for number in range(5):
        company.put("field", id=f"field_{number}", object_id="object_1" if number < 3 else "object_2")
    now = stub.clock.now()
    for name, members in {
        "revoked": {"revoked_at": now}, "over": {"expires_at": now}, "lasting": {"expires_at": now + timedelta(days=1)},
    }.items():  # fmt: skip
        company.put("api_key", **{"id": f"apikey_{name}", "fingerprint": name, "revoked_at": None, **members})
    for day, calls in ((now.date(), 7), (now.date() - timedelta(days=1), 9)):
        company.put("agent_calls", id=day.isoformat(), calls=calls)
    found_now = used(company)
    expected = {"users": 3, "file_size_bytes": 300, "workflows": 2, "flags": 3, "layouts": 4, "export_schedules": 5,
                "custom_objects": 6, "custom_fields_per_object": 3, "api_keys": 2,
                "agent_calls_per_day": 7}  # fmt: skip
    assert {key: found_now[key] for key in expected} == expected


@pytest.mark.parametrize(("more", "code"), [(2, None), (3, "USAGE_EXCEEDS_PLAN")])
def test_a_smaller_plan_allows_as_much_as_its_limits(found: Found, more: int, code: str | None) -> None:
    company = found("pro")
    company.add_users(more)  # besides the admin, where three are free
    company.put(
        "file", id="file_1", size=20_000_000, name="F", versions=[], deleted_at=None
    )  # no limit to what is there
    upgrade = company.own.tenants.billing.upgrade
    if code is None:
        assert upgrade("current", "free").billing.cancels_at is not None
    else:
        assert refused(lambda: upgrade("current", "free")).details["limits"] == [
            {"key": "users", "limit": 3, "used": 1 + more}
        ]


# -- invoices ----------------------------------------------------------------------------------------------------------


def shown(line: InvoiceLine) -> tuple[Any, ...]:
    return (line.description, line.quantity, line.unit_amount, line.amount, line.proration)


@pytest.mark.parametrize(
    ("region", "plan", "cycle", "seats", "unit"),
    [
        ("us", "pro", "monthly", 1, 29), ("us", "pro", "annual", 2, 290),
        ("us", "enterprise", "monthly", 2, 79), ("us", "enterprise", "annual", 1, 790),
        ("eu", "pro", "monthly", 2, 27), ("eu", "enterprise", "annual", 3, 730), ("ap", "pro", "monthly", 3, 29),
    ],
)  # fmt: skip
def test_what_a_plan_costs(found: Found, region: str, plan: Any, cycle: Any, seats: int, unit: int) -> None:
    crm = found(region=region).own
    crm.tenants.billing.update("current", {"payment_method_token": "tok_visa"})
    made: Any = crm.tenants.billing.upgrade("current", plan, cycle=cycle, seats=seats).invoice
    said = f"{plan.capitalize()}, {cycle}, {seats} seat{'s' if seats > 1 else ''}"
    assert [shown(line) for line in made.lines] == [(said, seats, unit, unit * seats, False)]
    assert (made.total, made.currency) == (unit * seats, "EUR" if region == "eu" else "USD")


@pytest.mark.thorough
@pytest.mark.parametrize("method", ["tok_visa", "tok_invoice"])
def test_what_is_over_is_carried_to_the_invoices_after_it(stub: StubServer, found: Found, method: str) -> None:
    crm = found().own
    crm.tenants.billing.update("current", {"payment_method_token": "tok_visa"})
    crm.tenants.billing.upgrade("current", "pro", cycle="annual", seats=2)
    crm.tenants.billing.update("current", {"payment_method_token": method})
    made = crm.tenants.billing.upgrade("current", "enterprise", cycle="monthly", seats=2)
    assert made.invoice is not None and made.prorated.amount == 158 - 580
    unused = "Unused of the period, 365 of 365 days: Pro, annual, 2 seats"
    assert [shown(line) for line in made.invoice.lines] == [
        ("Enterprise, monthly, 2 seats", 2, 79, 158, False),
        (unused, 1, -580, -580, True),
        ("Carried over to the next invoice", 1, 422, 422, False),
    ]
    nothing: Any = made.invoice
    assert (nothing.total, nothing.amount_due, nothing.status, nothing.paid_at) == (0, 0, "paid", nothing.created_at)
    assert nothing.due_date == nothing.period_start and made.billing.balance == -422
    balances = []
    for _ in range(3):
        stub.clock.advance(31 * DAY)
        balances.append(crm.tenants.billing.get("current").balance)
    assert balances == [-264, -106, 52 if method == "tok_invoice" else 0]
    newest: Any = crm.tenants.invoices.list("current").items[0]
    assert [shown(line)[0] for line in newest.lines] == ["Enterprise, monthly, 2 seats", "Credit of earlier invoices"]
    assert shown(newest.lines[-1])[1:] == (1, -106, -106, False)
    assert (newest.total, newest.status) == (52, "open" if method == "tok_invoice" else "paid")


def test_an_invoice_that_comes_to_nothing_carries_nothing_over(found: Found) -> None:
    crm = found().own
    crm.tenants.billing.update("current", {"payment_method_token": "tok_invoice"})
    crm.tenants.billing.upgrade("current", "pro", cycle="annual", seats=79)
    made: Any = crm.tenants.billing.upgrade("current", "enterprise", cycle="monthly", seats=290)
    assert [line.amount for line in made.invoice.lines] == [22_910, -22_910]
    assert (made.prorated.amount, made.invoice.total, made.invoice.status) == (0, 0, "paid")


def test_what_is_paid_later_pays_every_open_invoice(stub: StubServer, found: Found) -> None:
    crm = found().own
    crm.tenants.billing.update("current", {"payment_method_token": "tok_invoice"})
    crm.tenants.billing.upgrade("current", "pro", seats=1)
    crm.tenants.billing.update("current", {"seats": 2})
    waiting = list(crm.tenants.invoices.list("current", status="open"))
    assert [one.amount_due for one in waiting] == [29, 29] and {one.paid_at for one in waiting} == {None}
    assert crm.tenants.billing.update("current", {"payment_method_token": "tok_invoice"}).balance == 58
    crm.tenants.billing.update("current", {"payment_method_token": "tok_bank"})
    paid: Any = list(crm.tenants.invoices.list("current"))
    assert [(one.status, one.amount_due, one.paid_at is not None) for one in paid] == [("paid", 0, True)] * 2
    reply = stub.handle(Request("GET", urlsplit(str(paid[0].pdf_url)).path))
    assert reply.headers["Content-Disposition"] == f'inline; filename="{paid[0].number}.pdf"'


@pytest.mark.thorough
@pytest.mark.parametrize(("days", "left"), [(0, 31), (1, 30), (30, 1)])
def test_more_seats_cost_the_days_that_are_left(stub: StubServer, found: Found, days: int, left: int) -> None:
    crm = found("pro").own
    stub.clock.advance(days * DAY)
    crm.tenants.billing.update("current", {"seats": 11})
    invoice = crm.tenants.invoices.list("current").items[0]
    part = (Decimal(29) * left / 31).quantize(Decimal("0.01"), "ROUND_HALF_UP")
    said = f"Rest of the period, {left} of 31 days: Pro, monthly, 11 seats"
    assert [shown(line) for line in invoice.lines] == [(said, 1, part, part, True)]


def test_calls_of_agents_are_counted_by_the_days_that_a_range_touches(found: Found) -> None:
    """They are counted by the days of UTC, whatever the zone of the company."""
    company = found()
    for day, calls in ((9, 1), (10, 10), (11, 100), (12, 1_000)):
        company.put("agent_calls", id=f"2026-01-{day:02}", calls=calls)
    first, second = date(2026, 1, 10), date(2026, 1, 11)
    for zone, one, two in (("UTC", (10, 10), (110, 100)), ("America/New_York", (110, 100), (1_110, 1_000)),
                           ("Asia/Tokyo", (11, 10), (111, 100))):  # fmt: skip
        company.own.tenants.config.update("current", {"timezone": zone})
        for end, figures in ((first, one), (second, two)):
            usage = company.own.tenants.usage("current", start_date=first, end_date=end)
            (metric,) = [metric for metric in usage.metrics if metric.key == "agent_calls_per_day"]
            assert (metric.used, metric.peak, metric.unit) == (*figures, "count"), (zone, end)
            assert (usage.period_start, usage.period_end) == (first, end)
    month = company.own.tenants.usage("current", start_date=date(2026, 2, 28))
    assert (month.period_start, month.period_end) == (date(2026, 2, 28), date(2026, 2, 28))
    month = company.own.tenants.usage("current", end_date=date(2026, 2, 3))
    assert (month.period_start, month.period_end) == (date(2026, 2, 1), date(2026, 2, 3))


def test_the_default_is_a_pipeline_of_deals_that_is_active(found: Found) -> None:
    company = found()
    pipelines, own = company.stub.store.collection(company.id, "pipeline"), company.own.tenants.config
    deals = own.get("current").default_pipeline_id
    other = company.own.pipelines.create({"name": "Other"})
    for members, code, said in (
        ({"entity_type": "lead", "active": True}, "VALIDATION_ERROR", "Other is not a pipeline of deals"),
        ({"entity_type": "deal", "active": False}, "PIPELINE_INACTIVE", "Other is not active"),
    ):
        pipelines.put(Document((pipelines.get(other.id) or {}) | members))
        error = refused(lambda: own.update("current", {"default_pipeline_id": other.id}))
        assert (error.code, error.fields[0].field) == (code, "default_pipeline_id") and said in error.message
        assert own.get("current").default_pipeline_id == deals
    pipelines.put(Document((pipelines.get(other.id) or {}) | {"active": True}))
    before, told = own.get("current"), len(company.trail())
    after = own.update("current", {"default_pipeline_id": other.id})
    assert (after.default_pipeline_id, after.version) == (other.id, (before.version or 0) + 1)
    (entry,) = [one for one in company.stub.audit(company.id)[told:] if one["action"] == "tenant.config_updated"]
    assert entry["changes"] == [{"field": "default_pipeline_id", "before": deals, "after": other.id}]
    assert own.update("current", {"default_pipeline_id": None}).version == after.version


def test_a_company_without_a_default_pipeline_is_configured_all_the_same(found: Found) -> None:
    company = found()
    pipelines = company.stub.store.collection(company.id, "pipeline")
    for doc in pipelines.all():
        pipelines.remove(doc["id"])
    changed = company.own.tenants.config.update("current", {"timezone": "Asia/Tokyo"})
    assert (changed.timezone, changed.default_pipeline_id) == ("Asia/Tokyo", None)
