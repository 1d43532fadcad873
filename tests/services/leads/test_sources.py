"""The report that compares where leads came from."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from refusals import refused
from stub_data import stored

from crm_sdk import CrmClient, InvalidInputError
from crm_sdk.models.values import LARGEST_AMOUNT
from server_stub import StubServer


def test_sources_count_what_became_of_their_leads(client: CrmClient) -> None:
    def fair() -> dict[str, Any]:
        return next(row.model_dump() for row in client.leads.sources().sources if row.source == "fair")

    lead = client.leads.create({"name": "Ann Lee", "source": "fair", "value": 100, "currency": "EUR"})
    client.leads.create({"name": "Bo Ek", "source": "fair", "value": 10})
    row = fair()
    assert (row["leads"], row["converted"], row["total_value"]) == (2, 0, Decimal("118.00"))  # at 1.08
    client.leads.convert(lead.id, deal={"stage": "closed-won", "value": 50})
    row = fair()
    assert (row["qualified"], row["conversion_rate"], row["won_value"]) == (1, 0.5, Decimal("54.00"))
    assert client.leads.sources(start_date=date(2030, 1, 1), end_date=date(2030, 2, 1)).total == 0


def test_qualified_is_what_ever_was(stub: StubServer, client: CrmClient) -> None:
    def qualified() -> int:
        return next(row.qualified for row in client.leads.sources().sources if row.source == "fair")

    one, two, three = (client.leads.create({"name": name, "source": "fair"}).id for name in ("A", "B", "C"))
    assert qualified() == 0
    client.leads.qualify(one)
    client.leads.update(one, {"status": "contacted"})
    client.leads.qualify(two)
    client.leads.qualify(two, qualified=False, reason="No budget")
    assert qualified() == 2
    client.leads.convert(three, create_deal=False)
    assert qualified() == 3
    mvp = stub.client(dialects="mvp")
    before = mvp.analytics.dashboard().summary.qualified_leads
    client.leads.qualify(one, qualified=False, reason="Gone")
    assert mvp.analytics.dashboard().summary.qualified_leads == before


def test_the_largest_amounts_are_added_up_to_the_last_digit(client: CrmClient) -> None:
    """Amounts have an end, so that no sum of them is beyond what can be reckoned with."""
    before = {stats.source: stats.total_value for stats in client.leads.sources().sources}
    most = LARGEST_AMOUNT - Decimal("0.01")
    for _ in range(3):
        client.leads.create({"name": "Ada", "value": most, "source": "referral", "annual_revenue": most})
    (stats,) = [stats for stats in client.leads.sources().sources if stats.source == "referral"]
    assert stats.total_value == before.get("referral", 0) + 3 * most
    for beyond in (LARGEST_AMOUNT, -LARGEST_AMOUNT, Decimal("1e999999"), Decimal("NaN"), Decimal("1e-30")):
        for name in ("value", "annual_revenue"):
            lead: Any = {"name": "Ada", name: beyond}
            with pytest.raises(InvalidInputError, match=name):
                client.leads.create(lead)


def test_a_range_may_lack_an_end_and_a_period_gives_it(stub: StubServer, client: CrmClient) -> None:
    leads = stub.store.collection("tenant_acme", "lead")
    today = stub.clock.now().astimezone(ZoneInfo("America/New_York")).date()
    first = min(doc["created_at"] for doc in leads.all()).astimezone(ZoneInfo("America/New_York")).date()
    month = today.replace(day=1)
    after = (month + timedelta(days=32)).replace(day=1)
    cases: list[tuple[dict[str, Any], tuple[date, date]]] = [
        ({}, (first, today)),
        ({"owner_id": "user_nobody"}, (today, today)),
        ({"start_date": date(2025, 3, 5)}, (date(2025, 3, 5), today)),
        ({"end_date": date(2001, 1, 1)}, (date(2001, 1, 1), date(2001, 1, 1))),
        ({"end_date": today + timedelta(days=9)}, (first, today + timedelta(days=9))),
        ({"period": "month"}, (month, after - timedelta(days=1))),
        ({"period": "month", "start_date": date(2025, 3, 5)}, (date(2025, 3, 5), date(2025, 4, 4))),
        ({"period": "month", "end_date": date(2025, 4, 4)}, (date(2025, 3, 5), date(2025, 4, 4))),
        ({"period": "day", "start_date": date(2025, 3, 5)}, (date(2025, 3, 5), date(2025, 3, 5))),
        (
            {"period": "week", "start_date": date(2025, 3, 5), "end_date": date(2025, 3, 6)},
            (date(2025, 3, 5), date(2025, 3, 6)),
        ),
        ({"start_date": date(2025, 3, 5), "end_date": date(2025, 3, 5)}, (date(2025, 3, 5), date(2025, 3, 5))),
    ]
    for asked, span in cases:
        seen = client.leads.sources(**asked)
        assert (seen.start_date, seen.end_date, seen.currency) == (*span, "USD"), asked
        inside = [doc for doc in leads.all() if asked.get("owner_id") in (None, doc["owner_id"])]
        days = [doc["created_at"].astimezone(ZoneInfo("America/New_York")).date() for doc in inside]
        assert seen.total == sum(span[0] <= day <= span[1] for day in days), asked
    error = refused(lambda: client.leads.sources(start_date=date(2025, 3, 6), end_date=date(2025, 3, 5)))
    assert (error.status, [(one.field, one.rule) for one in error.fields]) == (422, [("end_date", "min")])


def test_a_source_is_told_whole(stub: StubServer, client: CrmClient) -> None:
    sources = ("fair", "ads", "ads", "fair", "fair", "fair")
    ids = [client.leads.create({"name": "A", "source": source, "value": 10}).id for source in sources]
    zone = ZoneInfo("America/New_York")
    for number, id in enumerate(ids):
        born = datetime(2001, 1, 1, number, tzinfo=zone)
        stored(stub, "lead", id, score=number * 10, created_at=born, source=None if number in (1, 2) else "fair")
    stored(stub, "lead", ids[0], status="converted", converted_at=datetime(2001, 1, 2, 12, tzinfo=zone))
    stored(stub, "lead", ids[3], status="converted", converted_at=datetime(2001, 1, 4, 3, tzinfo=zone))
    stored(stub, "lead", ids[4], status="converted", converted_at=None)
    deal = client.deals.create({"title": "D", "value": 70, "contact_id": "contact_123"}).id
    stored(stub, "deal", deal, lead_id=ids[4], status="won")
    open_deal = client.deals.create({"title": "D", "value": 7, "contact_id": "contact_123"}).id
    stored(stub, "deal", open_deal, lead_id=ids[4])
    seen = client.leads.sources(start_date=date(2001, 1, 1), end_date=date(2001, 1, 1))
    assert (seen.total, [row.source for row in seen.sources]) == (6, ["fair", "other"])
    fair, other = (row.model_dump(exclude={"source"}) for row in seen.sources)
    assert fair == {
        "leads": 4, "qualified": 3, "converted": 3, "qualification_rate": 0.75, "conversion_rate": 0.75,
        "share": 0.6667, "total_value": 40, "won_value": 70, "avg_score": 30.0, "avg_days_to_convert": 2.25,
    }  # fmt: skip
    assert other == {
        "leads": 2, "qualified": 0, "converted": 0, "qualification_rate": 0, "conversion_rate": 0, "share": 0.3333,
        "total_value": 20, "won_value": 0, "avg_score": 15.0, "avg_days_to_convert": None,
    }  # fmt: skip
