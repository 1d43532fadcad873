"""Accounts: what is particular about creating, changing and deleting one; what all nouns share is in `test_nouns`."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from refusals import refused

from crm_sdk import ConflictError, CrmClient, ValidationError
from server_stub import StubServer


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client()


def test_the_website_tells_the_domain_of_an_account_without_one(client: CrmClient) -> None:
    made = client.accounts.create({"name": "Engines", "website": "https://www.Engines.example/about"})
    assert made.domain == "engines.example"
    kept = client.accounts.update(made.id, {"website": "https://other.example"})
    assert kept.domain == "engines.example"
    plain = client.accounts.create({"name": "Plain"})
    assert client.accounts.update(plain.id, {"website": "https://plain.example/x"}).domain == "plain.example"
    own = client.accounts.create({"name": "Own", "website": "https://one.example", "domain": "two.example"})
    assert own.domain == "two.example"
    cleared = client.accounts.update(own.id, {"domain": None, "website": "https://three.example"})
    assert cleared.domain == "three.example" and client.accounts.create({"name": "None"}).domain is None
    with pytest.raises(ConflictError) as caught:
        client.accounts.create({"name": "Twin", "website": "http://ENGINES.example"})
    assert caught.value.code == "ACCOUNT_EXISTS" and caught.value.details == {"existingId": made.id}


def test_a_domain_is_a_host(client: CrmClient) -> None:
    cases: list[Any] = [
        ("HTTPS://Www.Mill1.example/x", "mill1.example"), (" mill2.example:80 ", "mill2.example"),
        ("mühle.example", "mühle.example"), ("intranet", "intranet"), ("a b", None), ("mill..example", None),
        ("-mill.example", None), ("http://", None), (" ", None),
    ]  # fmt: skip
    for given, stored in cases:
        if stored is not None:
            assert client.accounts.create({"name": "Mill", "domain": given}).domain == stored, given
            continue
        made = client.accounts.create({"name": "Mill"})
        for call in (
            partial(client.accounts.create, {"name": "Mill", "domain": given}),
            partial(client.accounts.update, made.id, {"domain": given}),
        ):
            error = refused(call)
            assert [(one.field, one.rule) for one in error.fields] == [("domain", "format")], given


def test_an_address_merges_member_by_member(client: CrmClient) -> None:
    made = client.accounts.create({"name": "Engines", "billing_address": {"street": "S", "city": "C"}})
    moved = client.accounts.update(made.id, {"billing_address": {"city": "D"}}).billing_address
    assert moved is not None and (moved.street, moved.city) == ("S", "D")
    cleared = client.accounts.update(made.id, {"billing_address": {"street": None}}).billing_address
    assert cleared is not None and (cleared.street, cleared.city) == (None, "D")
    assert client.accounts.update(made.id, {"billing_address": None}).billing_address is None


def test_a_new_name_is_the_company_of_contacts_and_deals(client: CrmClient) -> None:
    made = client.accounts.create({"name": "Engines"})
    ada = client.contacts.create({"name": "Ada", "account_id": made.id})
    deal = client.deals.create({"title": "Engine", "value": 1, "contact_id": ada.id})
    other = client.contacts.create({"name": "Bob", "company": "Elsewhere"})
    client.accounts.update(made.id, {"name": "Analytical Engines"})
    assert client.contacts.get(ada.id).company == client.deals.get(deal.id).company == "Analytical Engines"
    assert client.contacts.get(other.id).company == "Elsewhere"


def test_open_deals_and_children_keep_an_account(client: CrmClient) -> None:
    made = client.accounts.create({"name": "Engines"})
    child = client.accounts.create({"name": "Parts", "parent_id": made.id})
    ada = client.contacts.create({"name": "Ada", "account_id": made.id})
    deal = client.deals.create({"title": "Engine", "value": 1, "contact_id": ada.id})
    with pytest.raises(ConflictError, match="open deals") as caught:
        client.accounts.delete(made.id)
    assert (caught.value.code, caught.value.message, caught.value.details) == (
        "ACCOUNT_HAS_OPEN_DEALS", "Engines has 1 open deals: close them, or give them to another account",
        {"dealCount": 1},
    )  # fmt: skip
    client.deals.move_stage(deal.id, "closed-lost")
    with pytest.raises(ConflictError, match="child accounts") as caught:
        client.accounts.delete(made.id)
    assert (caught.value.code, caught.value.message, caught.value.details) == (
        "ACCOUNT_HAS_CHILDREN", "Engines has 1 child accounts: give them another parent first", {"childCount": 1},
    )  # fmt: skip
    client.accounts.set_parent(child.id, None)
    client.accounts.delete(made.id)
    left = client.contacts.get(ada.id)
    assert (left.account_id, left.company) == (None, "Engines")


def test_the_parent_is_changed_by_its_own_call(client: CrmClient) -> None:
    one, two = client.accounts.create({"name": "One"}), client.accounts.create({"name": "Two"})
    child = client.accounts.create({"name": "Child", "parent_id": one.id})
    back = client.request("PUT", f"/v1/accounts/{child.id}", json={"parentId": one.id, "rating": "hot"})
    assert back.status == 200
    refused = client.request("PUT", f"/v1/accounts/{child.id}", json={"parentId": two.id})
    assert refused.status == 422 and refused.json()["errors"][0]["rule"] == "read_only"
    assert {found.id for found in client.accounts.list(parent_id=one.id)} == {child.id}
    assert {one.id, two.id} <= {found.id for found in client.accounts.list(parent_id="none")}
    with pytest.raises(ValidationError):
        client.accounts.create({"name": "X", "parent_id": "account_none"})
