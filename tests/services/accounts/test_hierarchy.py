"""The tree of accounts: parents and children, what may not be, and what a part of the tree adds up to."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from refusals import refused
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
    answer = client.request("POST", "/v1/accounts", json={"name": "Level 10", "parentId": chain[-1].id})
    assert answer.status == 409 and answer.json()["errors"][0]["code"] == "HIERARCHY_TOO_DEEP"
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


def test_a_tree_is_answered_whole(client: CrmClient) -> None:
    root, middle, leaf = tree(client, "Root", "b middle", "Leaf")
    first = client.accounts.create({"name": "A sibling", "parent_id": root.id, "type": "partner"})
    ada = client.contacts.create({"name": "Ada", "account_id": leaf.id})
    for value, stage in ((100, "prospect"), (30, "closed-won"), (7, "closed-lost")):
        client.deals.create({"title": "Engine", "value": value, "contact_id": ada.id, "stage": stage})

    def node(account: Account, level: int, *children: Any, worth: tuple[int, int] = (0, 0)) -> dict[str, Any]:
        return {
            "id": account.id, "name": account.name, "type": client.accounts.get(account.id).type,
            "owner_id": "user_ada", "level": level, "open_deal_value": worth[0], "won_value": worth[1],
            "children": list(children),
        }  # fmt: skip

    deepest = node(leaf, 2, worth=(100, 30))
    nothing = {"accounts": 1, "contacts": 0, "open_deals": 0, "open_value": 0, "won_value": 0, "currency": "USD"}
    summed = {"contacts": 1, "open_deals": 1, "open_value": 100, "won_value": 30, "currency": "USD"}
    for account, path, rollup in (
        (root, [root], {"accounts": 4, **summed}), (middle, [root, middle], {"accounts": 2, **summed}),
        (leaf, [root, middle, leaf], {"accounts": 1, **summed}), (first, [root, first], nothing),
    ):  # fmt: skip
        found = client.accounts.hierarchy(account.id).model_dump()
        whole = node(root, 0, node(first, 1), node(middle, 1, deepest))
        assert found == {
            "root": whole, "rollup": rollup, "truncated": False,
            "path": [{"type": "account", "id": one.id, "name": one.name} for one in path],
        }, account.name  # fmt: skip
    for depth, shown in ((1, node(root, 0, node(first, 1), node(middle, 1))), (2, whole)):
        assert client.accounts.hierarchy(leaf.id, max_depth=depth).root.model_dump() == shown, depth


def test_what_forbids_a_move_says_why(client: CrmClient, stub: StubServer) -> None:
    chain = tree(client, *(f"Level {number}" for number in range(9)))
    pair = tree(client, "Upper", "Lower")
    low = client.accounts.set_parent
    errors = (
        (lambda: client.accounts.add_child(pair[0].id, chain[1].id), "ACCOUNT_HAS_PARENT",
         f"Level 1 is below {chain[0].id}: use set_parent to move it", {"parentId": chain[0].id}),
        (lambda: low(chain[0].id, chain[4].id), "HIERARCHY_CYCLE",
         "Level 0 would be above itself: Level 4 is the account itself, or below it", {"id": chain[0].id}),
        (lambda: low(chain[2].id, chain[2].id), "HIERARCHY_CYCLE",
         "Level 2 would be above itself: Level 2 is the account itself, or below it", {"id": chain[2].id}),
        (lambda: low(pair[0].id, chain[8].id), "HIERARCHY_TOO_DEEP",
         "a tree of accounts has at most 10 levels", {"limit": 10}),
        (lambda: low(chain[0].id, pair[1].id), "HIERARCHY_TOO_DEEP",
         "a tree of accounts has at most 10 levels", {"limit": 10}),
    )  # fmt: skip
    for call, code, message, details in errors:
        error = refused(call)
        assert (error.status, error.code, error.message, error.details) == (409, code, message, details)
    assert low(pair[0].id, chain[7].id).parent_id == chain[7].id, "ten levels are allowed"
    sales = stub.client(api_key="acme-sales")
    for owned in (
        lambda: sales.accounts.set_parent(pair[0].id, None),
        lambda: sales.accounts.add_child(sales.accounts.create({"name": "Mine"}).id, pair[0].id),
        lambda: sales.accounts.add_child(pair[0].id, sales.accounts.create({"name": "Mine too"}).id),
    ):
        assert refused(owned).status == 403
    log = len(stub.audit())
    moved = low(pair[0].id, chain[0].id, version=2)
    told = [(entry["action"], entry["entity"]["id"]) for entry in stub.audit()[log:]]
    assert ("account.hierarchy_changed", pair[0].id) in told and moved.version == 3
    assert [client.accounts.get(one.id).child_count for one in (chain[0], chain[7])] == [2, 1]
