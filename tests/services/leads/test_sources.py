"""The report that compares where leads came from."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

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
