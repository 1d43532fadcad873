"""The tree of accounts: parents and children, what may not be, and what a part of the tree adds up to."""

from __future__ import annotations

from decimal import Decimal

import pytest
from stub_data import some

from crm_sdk import ConflictError, CrmClient, NotFoundError, ValidationError
from crm_sdk.models import Account
from server_stub import StubServer


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client()


def tree(client: CrmClient, *names: str) -> list[Account]:
    """Return a chain of accounts, each the parent of the next."""
    made: list[Account] = []
    for name in names:
        parent = {"parent_id": made[-1].id} if made else {}
        made.append(client.accounts.create({"name": name, **parent}))  # type: ignore[typeddict-item] # one of its members
    return made


def test_the_tree_and_what_it_adds_up_to(client: CrmClient) -> None:
    root, middle, leaf = tree(client, "Root", "B middle", "Leaf")
    sibling = client.accounts.create({"name": "A sibling", "parent_id": root.id})
    for account, value in ((root, 7), (middle, 50), (leaf, 100), (sibling, 1000)):
        ada = client.contacts.create({"name": f"Ada of {account.name}", "account_id": account.id})
        client.deals.create({"title": "Engine", "value": value, "contact_id": ada.id})
    found = client.accounts.hierarchy(middle.id)
    assert found.root.id == root.id and found.truncated is False
    assert [node.name for node in found.root.children] == ["A sibling", "B middle"]
    assert [(ref.name, ref.type) for ref in found.path] == [("Root", "account"), ("B middle", "account")]
    rollup = found.rollup
    assert (rollup.accounts, rollup.contacts, rollup.open_deals, rollup.open_value) == (2, 2, 2, Decimal(150))
    assert client.accounts.hierarchy(root.id).rollup.open_value == 1157
    assert client.accounts.hierarchy(leaf.id, max_depth=1).root.children[1].children == []
    assert (client.accounts.get(root.id).child_count, client.accounts.get(middle.id).child_count) == (2, 1)


def test_a_subtree_moves_and_no_account_comes_above_itself(client: CrmClient) -> None:
    one, middle, leaf = tree(client, "One", "Middle", "Leaf")
    (two,) = tree(client, "Two")
    moved = client.accounts.set_parent(middle.id, two.id)
    assert moved.parent_id == two.id and moved.version == 2
    assert [ref.id for ref in client.accounts.hierarchy(leaf.id).path] == [two.id, middle.id, leaf.id]
    assert (client.accounts.get(one.id).child_count, client.accounts.get(two.id).child_count) == (0, 1)
    for account, parent in ((two, leaf), (two, two)):
        with pytest.raises(ConflictError) as caught:
            client.accounts.set_parent(account.id, parent.id)
        assert caught.value.code == "HIERARCHY_CYCLE"
    with pytest.raises(ValidationError):
        client.accounts.set_parent(middle.id, "account_none")
    with pytest.raises(ConflictError):
        client.accounts.set_parent(middle.id, None, version=1)
    free = client.accounts.set_parent(middle.id, None)
    assert free.parent_id is None and client.accounts.set_parent(middle.id, None).version == free.version


def test_a_child_is_added_once_and_not_taken_away(client: CrmClient, stub: StubServer) -> None:
    one, two, child = (client.accounts.create({"name": name}) for name in ("One", "Two", "Child"))
    assert client.accounts.add_child(one.id, child.id).parent_id == one.id
    assert client.accounts.add_child(one.id, child.id).version == 2
    with pytest.raises(ConflictError) as caught:
        client.accounts.add_child(two.id, child.id)
    assert caught.value.code == "ACCOUNT_HAS_PARENT"
    with pytest.raises(ConflictError, match="above itself"):
        client.accounts.add_child(child.id, one.id)
    assert [entry["action"] for entry in stub.audit() if entry["action"] == "account.hierarchy_changed"] == [
        "account.hierarchy_changed"
    ]


def test_an_unknown_child_is_a_wrong_value_and_an_unknown_parent_is_not_found(client: CrmClient) -> None:
    (account,) = tree(client, "Root")
    with pytest.raises(ValidationError) as caught:
        client.accounts.add_child(account.id, "account_none")
    assert [error.field for error in caught.value.fields] == ["child_id"]
    with pytest.raises(NotFoundError):
        client.accounts.add_child("account_none", account.id)


def test_a_tree_has_ten_levels(client: CrmClient) -> None:
    chain = tree(client, *(f"Level {number}" for number in range(10)))
    refused = client.request("POST", "/v1/accounts", json={"name": "Level 10", "parentId": chain[-1].id})
    assert refused.status == 409 and refused.json()["errors"][0]["code"] == "HIERARCHY_TOO_DEEP"
    top = client.accounts.create({"name": "Above"})
    with pytest.raises(ConflictError, match="at most 10 levels"):
        client.accounts.set_parent(chain[0].id, top.id)


def test_people_and_deals_of_an_account_and_of_those_below(client: CrmClient) -> None:
    root, below = tree(client, "Root", "Below")
    ada = client.contacts.create({"name": "Ada Lovelace", "account_id": root.id, "status": "inactive"})
    bob = client.contacts.create({"name": "Bob", "account_id": below.id})
    deal = client.deals.create({"title": "Engine", "value": 1, "contact_id": bob.id})
    contacts, deals = client.accounts.contacts.list, client.accounts.deals.list
    assert [found.id for found in contacts(root.id)] == [ada.id] and list(deals(root.id)) == []
    assert {found.id for found in contacts(root.id, include_children=True)} == {ada.id, bob.id}
    assert [found.id for found in contacts(root.id, include_children=True, status="active")] == [bob.id]
    assert [found.id for found in contacts(root.id, include_children=True, search="lovelace")] == [ada.id]
    assert [found.id for found in deals(root.id, include_children=True, status="open")] == [deal.id]
    assert list(deals(root.id, include_children=True, pipeline_id="pipeline_none")) == []


def test_a_tree_shows_a_thousand_accounts_and_says_where_there_are_more(client: CrmClient, stub: StubServer) -> None:
    root = client.accounts.create({"name": "Root"}).id
    accounts = stub.store.collection("tenant_acme", "account")
    one = some(accounts.get(client.accounts.create({"name": "Child 0000", "parent_id": root}).id))
    for number in range(1, 1_000):
        accounts.put(one | {"id": f"account_{number}", "name": f"Child {number:04}", "domain": None})
    for gone, truncated in ((None, True), ("account_7", False)):
        if gone is not None:
            accounts.remove(gone)
        found = client.accounts.hierarchy(root, max_depth=1)
        names = [node.name for node in found.root.children]
        assert len(names) == 999 and names[0] == "Child 0000" and found.truncated is truncated
        assert names[-1] == ("Child 0998" if truncated else "Child 0999")
        assert found.rollup.accounts == (1_001 if truncated else 1_000)
