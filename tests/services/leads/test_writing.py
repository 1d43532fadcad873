"""How leads are written, whatever the way: single, in bulk, by assignment, enrichment or conversion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crm_sdk import ConflictError, CrmClient, PermissionDeniedError, ValidationError
from crm_sdk.models import Lead
from server_stub import StubServer


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client()


@pytest.fixture
def sales(stub: StubServer) -> CrmClient:
    return stub.client(api_key="acme-sales")


def code_of(result: Any) -> str | None:
    """Return the code of the first item of a bulk call; None where it was done."""
    error = result.items[0].error
    return error.code if error is not None else None


def enrichment_code(client: CrmClient, lead_id: str) -> str | None:
    job = client.leads.enrich([lead_id], overwrite=True)
    result = job.wait()
    return result.records[0].error.code if result.records[0].error is not None else None


IN_BULK: dict[str, Callable[[CrmClient, str], str | None]] = {
    "bulk_qualify": lambda client, one: code_of(client.leads.bulk_qualify([one])),
    "bulk_convert": lambda client, one: code_of(client.leads.bulk_convert([{"lead_id": one}])),
    "assign": lambda client, one: code_of(client.leads.assign(lead_ids=[one], reassign=True)),
    "enrich": enrichment_code,
}


@pytest.mark.parametrize("way", IN_BULK)
def test_sales_writes_no_lead_of_others_in_bulk(client: CrmClient, sales: CrmClient, way: str) -> None:
    theirs = client.leads.create({"name": "Theirs", "email": "x@bigco.example", "owner_id": "user_ada"})
    assert IN_BULK[way](sales, theirs.id) == "FORBIDDEN"
    assert client.leads.get(theirs.id) == theirs
    assert IN_BULK[way](client, theirs.id) is None, "an admin may"


def test_sales_writes_no_single_lead_of_others(client: CrmClient, sales: CrmClient) -> None:
    theirs = client.leads.create({"name": "Theirs", "owner_id": "user_ada"})
    for refused in (
        lambda: sales.leads.update(theirs.id, {"title": "Mine"}),
        lambda: sales.leads.delete(theirs.id),
        lambda: sales.leads.qualify(theirs.id),
        lambda: sales.leads.convert(theirs.id),
        lambda: sales.leads.score(theirs.id, score=90, reason="x"),
    ):
        with pytest.raises(PermissionDeniedError):
            refused()
    assert client.leads.get(theirs.id) == theirs


@pytest.mark.parametrize("member", ["address", "utm"])
def test_objects_merge_member_by_member(client: CrmClient, member: str) -> None:
    first, second = {"address": ("street", "city"), "utm": ("source", "medium")}[member]
    body: Any = {"name": "Ada", member: {first: "one", second: "two"}}
    made = client.leads.create(body)
    changes: Any = {member: {second: "three"}}
    merged = getattr(client.leads.update(made.id, changes), member)
    assert (getattr(merged, first), getattr(merged, second)) == ("one", "three")


def test_an_external_id_is_that_of_one_live_lead(client: CrmClient) -> None:
    first = client.leads.create({"name": "Ada", "external_id": "x-1"})
    other = client.leads.create({"name": "Bob"})
    writes: list[Callable[[], object]] = [
        lambda: client.leads.create({"name": "Eve", "external_id": "x-1"}),
        lambda: client.leads.update(other.id, {"external_id": "x-1"}),
    ]
    for write in writes:
        with pytest.raises(ConflictError) as caught:
            write()
        assert caught.value.code == "DUPLICATE_VALUE" and caught.value.details == {"existingId": first.id}


def test_a_currency_without_a_rate_is_refused(client: CrmClient) -> None:
    writes: list[Callable[[], object]] = [
        lambda: client.leads.create({"name": "Ada", "currency": "JPY"}),
        lambda: client.leads.update(client.leads.create({"name": "Ada"}).id, {"currency": "ZZZ"}),
    ]
    for write in writes:
        with pytest.raises(ValidationError) as caught:
            write()
        assert [(error.field, error.rule) for error in caught.value.fields] == [("currency", "choice")]
    assert client.leads.create({"name": "Ada", "currency": "EUR"}).currency == "EUR"


def test_a_capture_completes_the_latest_lead_and_names_the_others(client: CrmClient, stub: StubServer) -> None:
    def lead(name: str) -> Lead:
        stub.clock.advance(60)
        return client.leads.create({"name": name, "email": "twin@example.com"})

    first, second = lead("First"), lead("Second")
    assert client.leads.capture.web_form({"email": "twin@example.com"}).lead.id == second.id  # type: ignore[union-attr] # there is one
    stub.clock.advance(60)
    leads = stub.store.collection("tenant_acme", "lead")
    found = leads.get(first.id)
    assert found is not None
    leads.put(found | {"last_activity_at": stub.clock.now()})
    captured = client.leads.capture.web_form({"email": "twin@example.com", "message": "Hello"})
    assert captured.lead is not None and captured.lead.id == first.id and captured.created is False
    assert [ref.id for ref in captured.other_matches] == [second.id]


def test_a_form_needs_no_id(client: CrmClient) -> None:
    captured = client.leads.capture.web_form({"email": "form@example.com"})
    assert captured.lead is not None and captured.created and captured.lead.source_detail is None


def test_a_conversion_takes_the_latest_account_and_names_the_others(client: CrmClient, stub: StubServer) -> None:
    ids = []
    for _ in range(2):
        stub.clock.advance(60)
        ids.append(client.accounts.create({"name": "Twin Ltd"}).id)
    done = client.leads.convert(client.leads.create({"name": "Ada", "company": "Twin Ltd"}).id)
    assert done.account is not None and done.account.id == ids[1]
    assert [(ref.type, ref.id) for ref in done.other_matches] == [("account", ids[0])]


def test_a_conversion_to_a_merged_contact_is_one_to_its_survivor(client: CrmClient) -> None:
    keep, gone = client.contacts.create({"name": "Keep"}), client.contacts.create({"name": "Gone"})
    client.contacts.deduplicate(mode="merge", groups=[{"survivor_id": keep.id, "contact_ids": [keep.id, gone.id]}])
    done = client.leads.convert(client.leads.create({"name": "Ada"}).id, contact_id=gone.id)
    assert done.contact.id == keep.id and done.lead.converted_contact_id == keep.id


def test_a_name_may_be_given_in_parts_and_all_that_is_wrong_is_told_at_once(client: CrmClient) -> None:
    made = client.request("POST", "/v1/leads", json={"firstName": "Eva", "lastName": "Lind"}).json()["data"]
    assert made["name"] == "Eva Lind"
    wrong = {"name": "x" * 201, "email": "nobody", "status": "sleepy", "foo": 1, "employees": -1}
    errors = client.request("POST", "/v1/leads", json=wrong).json()["errors"]
    assert {error["field"] for error in errors} == set(wrong)
