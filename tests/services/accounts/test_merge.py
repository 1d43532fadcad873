"""Merging accounts: what the survivor becomes, what moves, what forbids it; and the territory of an account."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from crm_sdk import ConflictError, CrmClient, PermissionDeniedError, ValidationError
from server_stub import StubServer


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client()


def test_the_survivor_gets_what_it_lacks_and_all_that_was_the_others(client: CrmClient, stub: StubServer) -> None:
    keep = client.accounts.create({"name": "Keep", "industry": "Steam", "tags": ["a"]})
    one = client.accounts.create({"name": "One", "industry": "Rail", "domain": "one.example", "employees": 5})
    two = client.accounts.create({"name": "Two", "employees": 9, "description": "second"})
    child = client.accounts.create({"name": "Child", "parent_id": one.id})
    ada = client.contacts.create({"name": "Ada", "account_id": one.id})
    deal = client.deals.create({"title": "Engine", "value": 10, "contact_id": ada.id})
    file = client.files.upload(("a.txt", b"a"), related_to={"type": "account", "id": two.id})
    comment = client.collaboration.comments.create({"entity": {"type": "account", "id": one.id}, "body": "x"})
    done = client.accounts.merge(keep.id, [one.id, two.id], values={"rating": "hot"})
    merged = done.account
    assert (merged.name, merged.industry, merged.domain, merged.employees) == ("Keep", "Steam", "one.example", 5)
    assert (merged.description, merged.rating, merged.tags) == ("second", "hot", ["a"])
    assert done.merged_ids == merged.merged_ids == [one.id, two.id]
    assert (done.moved.contacts, done.moved.deals, done.moved.children) == (1, 1, 1)
    assert (done.moved.files, done.moved.comments) == (1, 1)
    about = client.files.get(file.id).related_to
    assert about is not None and (about.id, about.name) == (keep.id, "Keep")
    assert [found.id for found in client.collaboration.comments.list("account", keep.id)] == [comment.id]
    assert client.contacts.get(ada.id).account_id == keep.id
    assert [found.id for found in client.accounts.deals.list(keep.id)] == [deal.id]
    assert client.contacts.get(ada.id).company == "Keep" and client.accounts.get(child.id).parent_id == keep.id
    assert (merged.contact_count, merged.open_deal_value, merged.child_count) == (1, Decimal(10), 1)
    assert client.accounts.get(one.id).id == keep.id
    assert one.id not in {found.id for found in client.accounts.list(limit=200)}
    with pytest.raises(ConflictError) as caught:
        client.accounts.update(one.id, {"name": "X"})
    assert caught.value.code == "RECORD_MERGED" and caught.value.details == {"survivorId": keep.id}
    assert [entry["action"] for entry in stub.audit()][-1] == "account.merged"


def test_an_amount_comes_with_its_currency(client: CrmClient) -> None:
    cases: list[Any] = [
        ({}, None, (Decimal(900), "EUR")),
        ({"annual_revenue": 5}, None, (Decimal(5), "USD")),
        ({"annual_revenue": 0}, None, (Decimal(0), "USD")),
        ({"currency": "EUR"}, None, (Decimal(900), "EUR")),
        ({}, {"annual_revenue": 7}, (Decimal(7), "USD")),
        ({}, {"currency": "USD"}, (None, "USD")),
        ({}, {"currency": "EUR"}, (Decimal(900), "EUR")),
        ({}, {"annual_revenue": None}, (None, "USD")),
    ]
    for keep, values, found in cases:
        account: Any = {"name": "Keep", **keep}
        survivor = client.accounts.create(account)
        other = client.accounts.create({"name": "One", "annual_revenue": 900, "currency": "EUR"})
        merged = client.accounts.merge(survivor.id, [other.id], values=values).account
        assert (merged.annual_revenue, merged.currency) == found


def test_a_merge_makes_no_tree_deeper_than_ten(client: CrmClient) -> None:
    def chain(length: int) -> list[str]:
        ids = [client.accounts.create({"name": "Top"}).id]
        for _ in range(length - 1):
            ids.append(client.accounts.create({"name": "Below", "parent_id": ids[-1]}).id)
        return ids

    deep, other = chain(8), chain(4)
    with pytest.raises(ConflictError) as caught:
        client.accounts.merge(deep[-1], [other[0]])
    assert caught.value.code == "HIERARCHY_TOO_DEEP" and caught.value.details == {"limit": 10}
    assert client.accounts.get(other[0]).child_count == 1 and client.accounts.get(deep[-1]).merged_ids == []
    assert client.accounts.merge(deep[-1], [other[1]]).moved.children == 1, "ten levels are allowed"


def test_what_cannot_be_merged_leaves_all_as_it_was(client: CrmClient, stub: StubServer) -> None:
    keep, one = client.accounts.create({"name": "Keep"}), client.accounts.create({"name": "One"})
    middle = client.accounts.create({"name": "Middle", "parent_id": one.id})
    leaf = client.accounts.create({"name": "Leaf", "parent_id": middle.id})
    with pytest.raises(ConflictError) as caught:
        client.accounts.merge(leaf.id, [one.id])
    assert caught.value.code == "HIERARCHY_CYCLE"
    for duplicates in ([one.id, "account_none"], [keep.id, one.id], [], [one.id] * 11):
        with pytest.raises((ValidationError, ValueError)):
            client.accounts.merge(keep.id, duplicates)
    assert client.accounts.get(one.id).id == one.id and client.accounts.get(keep.id).merged_ids == []
    sales = stub.client(api_key="acme-sales")
    with pytest.raises(PermissionDeniedError):
        sales.accounts.merge(keep.id, [one.id])
    mine = [sales.accounts.create({"name": name}).id for name in ("Mine", "Mine too")]
    assert sales.accounts.merge(mine[0], mine[1:]).merged_ids == mine[1:]


def test_a_direct_parent_may_be_a_duplicate(client: CrmClient) -> None:
    top = client.accounts.create({"name": "Top"})
    parent = client.accounts.create({"name": "Parent", "parent_id": top.id})
    child = client.accounts.create({"name": "Child", "parent_id": parent.id})
    assert client.accounts.merge(child.id, [parent.id]).account.parent_id == top.id


def test_the_leads_and_activities_move_and_the_tree_above_counts_anew(client: CrmClient, stub: StubServer) -> None:
    top = client.accounts.create({"name": "Top"})
    keep = client.accounts.create({"name": "Keep"})
    gone, apart = (client.accounts.create({"name": name, "parent_id": top.id}) for name in ("Gone", "Apart"))
    leads: list[str] = []
    for account in (gone, apart):
        leads.append(client.leads.create({"name": "Lead", "account_id": account.id}).id)
        client.activities.create({"kind": "note", "body": "x", "account_id": account.id})
    bob = client.contacts.create({"name": "Bob", "account_id": apart.id})
    ada = client.contacts.create({"name": "Ada", "account_id": gone.id})
    deal = client.deals.create({"title": "Engine", "contact_id": ada.id})
    versions = [client.contacts.get(ada.id).version, client.deals.get(deal.id).version]

    moved = client.accounts.merge(keep.id, [gone.id]).moved

    assert (moved.leads, moved.activities, moved.contacts, moved.deals, moved.children) == (1, 1, 1, 1, 0)
    assert [client.leads.get(id).account_id for id in leads] == [keep.id, apart.id]
    assert client.activities.list(account_id=keep.id).total == 1
    held = client.deals.get(deal.id)
    assert (held.account_id, held.company, client.contacts.get(ada.id).company) == (keep.id, "Keep", "Keep")
    assert [client.contacts.get(ada.id).version, held.version] == versions, "nobody has changed them"
    assert client.contacts.get(bob.id).account_id == apart.id
    assert (client.accounts.get(top.id).child_count, client.accounts.get(keep.id).parent_id) == (1, None)


def test_who_was_merged_before_goes_along_and_the_parent_counts_its_new_child(client: CrmClient) -> None:
    top = client.accounts.create({"name": "Top"})
    parent = client.accounts.create({"name": "Parent", "parent_id": top.id})
    child, other, first = (client.accounts.create({"name": name}) for name in ("Child", "Other", "First"))
    client.accounts.merge(other.id, [first.id])
    below = client.accounts.create({"name": "Below", "parent_id": parent.id})
    client.accounts.merge(child.id, [other.id])
    assert client.accounts.get(child.id).merged_ids == [first.id, other.id]
    merged = client.accounts.merge(below.id, [parent.id, child.id])
    assert merged.account.merged_ids == [parent.id, first.id, other.id, child.id]
    assert (merged.moved.children, merged.account.child_count) == (0, 0)
    assert (merged.account.parent_id, client.accounts.get(top.id).child_count) == (top.id, 1)
    assert {client.accounts.get(each.id).id for each in (first, other, child, parent)} == {below.id}


def test_one_duplicate_after_another_fills_what_is_still_empty(client: CrmClient, stub: StubServer) -> None:
    keep = client.accounts.create({"name": "Keep"})
    owner = client.accounts.get(keep.id).owner_id
    one = stub.client(api_key="acme-sales").accounts.create({"name": "One", "phone": "+12125550100"})
    two = client.accounts.create({"name": "Two", "phone": "+12125550111", "rating": "warm"})
    merged = client.accounts.merge(keep.id, [one.id, two.id], values={"rating": "hot", "tags": ["x"]}).account
    assert (merged.phone, merged.rating, merged.tags, merged.owner_id) == ("+12125550100", "hot", ["x"], owner)
    assert (
        client.accounts.merge(keep.id, [client.accounts.create({"name": "Three"}).id], values={}).account.name == "Keep"
    )


def test_the_territory_follows_the_rules_until_it_is_set_by_hand(client: CrmClient, stub: StubServer) -> None:
    territories = stub.store.collection("tenant_acme", "territory")
    rule = {"field": "industry", "op": "eq", "value": "steam"}
    big = {"field": "employees", "op": "gte", "value": 100}
    given: dict[str, Any] = {"active": True, "parent_id": None, "member_ids": [], "version": 1}
    territories.put({"id": "territory_wide", "name": "Wide", "priority": 1, "rules": [rule], **given})
    territories.put({"id": "territory_big", "name": "Big", "priority": 0, "rules": [rule, big], **given})
    territories.put({"id": "territory_off", "name": "Off", "priority": 0, "rules": [], **given, "active": False})
    made = client.accounts.create({"name": "Engines", "industry": "steam", "employees": 500})
    assert made.territory_id == "territory_big"
    assert client.accounts.update(made.id, {"employees": 5}).territory_id == "territory_wide"
    seen = client.accounts.territory.get(made.id)
    assert (seen.method, seen.locked, seen.territory and seen.territory.id) == ("rule", False, "territory_wide")
    by_hand = client.accounts.territory.update(made.id, territory_id="territory_big")
    assert (by_hand.method, by_hand.locked, by_hand.rule_index) == ("manual", True, None)
    assert client.accounts.update(made.id, {"employees": 6}).territory_id == "territory_big"
    back = client.accounts.territory.update(made.id, method="rule")
    assert (back.method, back.locked, back.territory and back.territory.id) == ("rule", False, "territory_wide")
    with pytest.raises(ConflictError):
        client.accounts.territory.update(made.id, territory_id="territory_off")
    with pytest.raises(ValidationError):
        client.accounts.territory.update(made.id, territory_id="territory_none")
    with pytest.raises(PermissionDeniedError):
        stub.client(api_key="acme-sales").accounts.territory.update(made.id, method="rule")
    assert [entry["action"] for entry in stub.audit()].count("account.territory_changed") == 2
