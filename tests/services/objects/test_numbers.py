"""Amounts of rows of any entity keep their digits, whichever call writes them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from server_stub import StubServer


@pytest.mark.parametrize("text", ["1200.5", "0.01", "1200"])
def test_an_amount_is_written_by_an_upsert_and_in_a_transaction(stub: StubServer, text: str) -> None:
    client = stub.client(dialects="platform")
    row: dict[str, Any] = {"title": "Exact", "externalId": "exact", "value": float(text)}
    done = client.objects.upsert("deal", [row]).raise_for_failed()
    made = client.objects.transaction([{"action": "create", "entity": "deal", "values": row | {"externalId": "e2"}}])
    for id in (done.items[0].id, made.results[0].id):
        assert id is not None and client.deals.get(id).value == Decimal(text)
