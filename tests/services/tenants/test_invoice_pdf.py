"""The PDF of an invoice as it looks, and what a company's record may be."""

from __future__ import annotations

import io
from functools import partial
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from pypdf import PdfReader
from refusals import refused
from stub_data import some

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.request.http import Request

from .conftest import Found

MM = 72 / 25.4
"""The points of a millimetre."""


def test_an_invoice_has_a_head_a_table_and_its_sums_below_a_line(stub: StubServer, acme: CrmClient) -> None:
    invoice = acme.tenants.invoices.list("current").items[0]
    body = stub.handle(Request("GET", urlsplit(str(invoice.pdf_url)).path)).body
    reader = PdfReader(io.BytesIO(body))
    about = some(reader.metadata)
    assert (about.title, about.creation_date) == (invoice.number, invoice.created_at)
    texts: list[tuple[str, float, float, str, float]] = []

    def seen(text: str, _: Any, place: Any, font: Any, size: float) -> None:
        if text.strip():
            texts.append((text.strip(), place[4], place[5], str(font["/BaseFont"]), size))

    (page,) = reader.pages
    page.extract_text(visitor_text=seen)
    bold = {text for text, _, _, font, _ in texts if font.endswith("-Bold")}
    assert bold == {f"Invoice {invoice.number}", "Description", "Quantity", "Price", "Amount"}
    assert [size for _, _, _, _, size in texts] == [16.0, *[10.0] * (len(texts) - 1)]
    rows: dict[int, list[tuple[str, float]]] = {}
    for text, x, y, _, _ in texts:
        rows.setdefault(round(y), []).append((text, x))
    names = [line[0][0] for line in rows.values()]
    assert names == [
        f"Invoice {invoice.number}", "Acme", "New York", "US",
        f"Period: {invoice.period_start} to {invoice.period_end}",
        f"Due: {invoice.due_date}", "Status: paid", "Description", invoice.lines[0].description, "Subtotal", "Tax",
        "Total", "Amount due",
    ]  # fmt: skip
    heights = list(rows)
    gaps = [round((above - below) / MM) for above, below in pairwise(heights)]
    assert gaps == [8, 5, 5, 9, 5, 5, 12, 7, 7, 7, 7, 7]
    left = {round(line[0][1]) for line in list(rows.values())[:9]}
    assert len(left) == 1, "the first column begins at the margin"
    amounts = {text: {round(x) for line in rows.values() for found, x in line if found == text} for text in
               ("7,900.00 USD", "0.00 USD")}  # fmt: skip
    assert all(len(places) == 1 for places in amounts.values()), "the last one ends at the same place"
    assert some(page.get_contents()).get_data().count(b" l S") == 4, "only the sums have a line above them"


def test_a_company_is_in_a_time_zone_and_pays_in_a_currency_that_there_is(acme: CrmClient, found: Found) -> None:
    company = found()
    for changes, field in (
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"base_currency": "ZZZ"}, "base_currency"),
        ({"base_currency": "XXX"}, "base_currency"),
    ):
        given: Any = changes
        refusal = refused(partial(acme.tenants.update, company.id, given))
        assert (refusal.status, refusal.fields[0].field) == (422, field)
        new: Any = {"name": "New", "admin_email": "a@new.test", **changes}
        assert refused(partial(acme.tenants.create, new)).fields[0].field == field
    assert acme.tenants.update(company.id, {"timezone": "Asia/Tokyo"}).timezone == "Asia/Tokyo"


def test_another_base_currency_takes_the_rates_with_it(stub: StubServer, found: Found) -> None:
    company = found()
    crm = company.own
    rates: Any = [{"currency": "EUR", "rate": 2}, {"currency": "GBP", "rate": 4}]
    crm.tenants.config.update("current", {"currencies": rates})
    assert crm.tenants.update("current", {"base_currency": "EUR"}).base_currency == "EUR"
    config = crm.tenants.config.get("current")
    assert config.base_currency == "EUR"
    held = {one.currency: float(one.rate) for one in config.currencies or ()}
    assert held == {"USD": 0.5, "GBP": 2.0}
    assert {one.as_of for one in config.currencies or ()} == {stub.clock.now().date()}
    assert crm.tenants.update("current", {"base_currency": "CHF"}).base_currency == "CHF"
    assert crm.tenants.config.get("current").currencies == []
    assert crm.tenants.update("current", {"base_currency": "CHF"}).base_currency == "CHF"
    deal = crm.deals.create({"title": "D"})
    crm.deals.delete(deal.id)
    refusal = refused(lambda: crm.tenants.update("current", {"base_currency": "USD"}))
    assert (refusal.status, refusal.code, refusal.fields[0].field) == (409, "CURRENCY_IN_USE", "base_currency")
    assert crm.tenants.update("current", {"base_currency": "CHF"}).base_currency == "CHF", "no difference"


def test_companies_are_listed_by_what_they_have(stub: StubServer, acme: CrmClient, found: Found) -> None:
    first = found()
    stub.clock.advance(60)
    second = found("pro")
    times = {one.id: some(one.created_at) for one in acme.tenants.list()}
    assert list(times) == ["tenant_acme", second.id, first.id]
    for given, ids in (
        ({"plan": "pro"}, [second.id]), ({"status": "active", "plan": "free"}, [first.id]),
        ({"status": "cancelled"}, []),
        ({"created_after": times[second.id]}, [second.id]), ({"created_before": times[first.id]}, ["tenant_acme"]),
        ({"search": first.slug}, [first.id]), ({"order": "asc"}, ["tenant_acme", first.id, second.id]),
        ({"sort": "created_at"}, ["tenant_acme", first.id, second.id]),
        ({"sort": "created_at", "order": "desc"}, [second.id, first.id, "tenant_acme"]),
    ):  # fmt: skip
        wanted: Any = given
        assert [one.id for one in acme.tenants.list(**wanted)] == ids, given
