"""Enrichment of leads: what is filled in, from where, and whose."""

from __future__ import annotations

from typing import Any

import pytest
from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient
from server_stub import StubServer


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform")


def test_enrichment_fills_what_is_empty_and_scores_again(stub: StubServer, client: CrmClient) -> None:
    lead = client.leads.create({"name": "Ann Lee", "email": "ann.lee@initech.de", "phone": "+493090182000"})
    named = client.leads.create({"name": "Bo Ek", "email": "bo.ek@initech.de", "company": "Kept"})
    job = client.leads.enrich([lead.id, named.id, "lead_none"], fields=["first_name", "company", "address.country"])
    stub.clock.advance(5)
    full = client.leads.get(lead.id)
    assert (full.first_name, full.last_name, full.company) == ("Ann", None, "Initech")
    assert some(full.address).country == "DE"
    assert (full.score or 0) > (lead.score or 0)
    assert client.leads.get(named.id).company == "Kept"
    state = some(stub.store.collection("tenant_acme", "job").get(job.id))
    assert [record["status"] for record in state["result"]["records"]] == ["enriched", "enriched", "failed"]
    assert (state["counts"]["updated"], state["errors"][0]["code"]) == (2, "NOT_FOUND")
    assert refused(lambda: client.leads.enrich([lead.id], fields=["shoe_size"])).code == "UNKNOWN_FIELD"


def changes_of(client: CrmClient, *lead_ids: str, **how: Any) -> list[list[tuple[str, Any, bool]]]:
    result = client.leads.enrich(lead_ids, **how).wait()
    return [[(change.field, change.after, change.applied) for change in record.changes] for record in result.records]


def test_of_several_accounts_the_one_of_the_latest_activity_tells(stub: StubServer, client: CrmClient) -> None:
    older = client.accounts.create({"name": "Twin Ltd", "industry": "Banking"}).id
    stub.clock.advance(60)
    newer = client.accounts.create({"name": "Twin Ltd", "industry": "Software"}).id
    first, second = (client.leads.create({"name": name, "company": "Twin Ltd"}).id for name in ("A", "B"))
    assert ("account_id", newer, True) in changes_of(client, first)[0]
    stored(stub, "account", older, last_activity_at=stub.clock.now())
    assert ("account_id", older, True) in changes_of(client, second, fields=["account_id"])[0]


def test_only_empty_members_are_filled_unless_all_are_to_be(client: CrmClient) -> None:
    lead = client.leads.create({"name": "Ann Lee", "email": "ann.lee@initech.de", "company": "Kept"})
    fields = ["first_name", "company"]
    assert changes_of(client, lead.id, fields=fields) == [[("first_name", "Ann", True), ("company", "Initech", False)]]
    version = client.leads.get(lead.id).version
    assert changes_of(client, lead.id, fields=fields) == [[("company", "Initech", False)]]
    assert client.leads.get(lead.id).version == version
    assert changes_of(client, lead.id, fields=fields, overwrite=True) == [[("company", "Initech", True)]]
    assert client.leads.get(lead.id).company == "Initech"


def test_a_converted_lead_is_left_out(stub: StubServer, client: CrmClient) -> None:
    lead = client.leads.create({"name": "Ann Lee", "email": "ann.lee@initech.de"})
    client.leads.convert(lead.id, create_deal=False)
    job = client.leads.enrich([lead.id])
    assert job.wait().records[0].status == "unchanged"
    assert stored(stub, "job", job.id)["counts"]["skipped"] == 1
