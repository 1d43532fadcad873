"""Counts and sums follow every move: whoever writes a contact, a deal or an account, alone, in bulk or by a merge."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

import pytest

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.services.company import total, worth_in

Ids: TypeAlias = dict[str, str]


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client()


@pytest.fixture
def ids(client: CrmClient) -> Ids:
    """Two companies, each with a child, a person and deals; and a third that has nothing."""
    found: Ids = {}
    for name in ("one", "two", "spare"):
        found[name] = client.accounts.create({"name": name}).id
    for name in ("one", "two"):
        found[f"child of {name}"] = client.accounts.create({"name": f"Child of {name}", "parent_id": found[name]}).id
        found[f"ada of {name}"] = client.contacts.create({"name": "Ada", "account_id": found[name]}).id
        for number, stage in enumerate(("prospect", "closed-won")):
            deal = client.deals.create(
                {"title": "Engine", "value": 100 + number, "contact_id": found[f"ada of {name}"], "stage": stage}
            )
            found[f"deal {number} of {name}"] = deal.id
    return found


def merge_contacts(client: CrmClient, ids: Ids) -> Any:
    pair = [ids["ada of one"], ids["ada of two"]]
    return client.contacts.deduplicate(mode="merge", groups=[{"survivor_id": pair[0], "contact_ids": pair}])


def update_deal(client: CrmClient, id: str, changes: Any) -> None:
    """Change members of a deal that the document of flow does not name."""
    client.request("PUT", f"/flow/api/deals/{id}", json=changes)


def take_part(client: CrmClient, id: str, *contact_ids: str) -> bool:
    update_deal(client, id, {"contactRoles": [{"contactId": contact_id} for contact_id in contact_ids]})
    return True


MOVES: dict[str, Callable[[CrmClient, Ids], Any]] = {
    "contacts merge": merge_contacts,
    "accounts merge": lambda c, ids: c.accounts.merge(ids["one"], [ids["two"]]),
    "a child is merged": lambda c, ids: c.accounts.merge(ids["spare"], [ids["child of one"]]),
    "children are merged": lambda c, ids: c.accounts.merge(ids["child of one"], [ids["child of two"]]),
    "a parent is merged into its child": lambda c, ids: c.accounts.merge(ids["child of two"], [ids["two"]]),
    "a contact changes company": lambda c, ids: c.contacts.update(ids["ada of one"], {"account_id": ids["two"]}),
    "a contact leaves": lambda c, ids: c.contacts.update(ids["ada of one"], {"account_id": None}),
    "a contact is deleted": lambda c, ids: c.contacts.delete(ids["ada of one"]),
    "contacts are deleted": lambda c, ids: c.contacts.bulk_delete([ids["ada of one"], ids["ada of two"]]),
    "contacts are written": lambda c, ids: c.contacts.bulk_upsert(
        [{"id": ids["ada of one"], "account_id": ids["two"]}, {"name": "Bob", "account_id": ids["spare"]}]
    ),
    "contacts are imported": lambda c, ids: c.contacts.imports.create(("in.csv", b"name,company\nBob,spare\n")).wait(),
    "a deal changes company": lambda c, ids: update_deal(c, ids["deal 0 of one"], {"accountId": ids["two"]}),
    "a deal changes contact": lambda c, ids: c.deals.update(ids["deal 0 of one"], {"contact_id": ids["ada of two"]}),
    "a deal has nobody": lambda c, ids: update_deal(c, ids["deal 1 of one"], {"contactId": None, "accountId": None}),
    "somebody takes part": lambda c, ids: take_part(c, ids["deal 0 of one"], ids["ada of two"]),
    "somebody takes no part any more": lambda c, ids: [
        take_part(c, ids["deal 0 of one"], *people) for people in ([ids["ada of two"]], ())
    ],
    "a deal is worth more": lambda c, ids: c.deals.update(ids["deal 1 of one"], {"value": 7_000}),
    "a deal is won": lambda c, ids: c.deals.move_stage(ids["deal 0 of one"], "closed-won"),
    "a deal is opened": lambda c, ids: c.deals.move_stage(ids["deal 1 of one"], "proposal"),
    "a deal is deleted": lambda c, ids: c.deals.delete(ids["deal 1 of one"]),
    "a child moves": lambda c, ids: c.accounts.set_parent(ids["child of one"], ids["two"]),
    "a child leaves": lambda c, ids: c.accounts.set_parent(ids["child of one"], None),
    "a child comes": lambda c, ids: c.accounts.add_child(ids["one"], ids["spare"]),
    "a child is deleted": lambda c, ids: c.accounts.delete(ids["child of one"]),
    "a lead is converted": lambda c, ids: c.leads.convert(
        c.leads.create({"name": "New", "company": "spare", "value": 50}).id
    ),
    "a lead is converted to somebody": lambda c, ids: c.leads.convert(
        c.leads.create({"name": "New", "value": 50}).id, contact_id=ids["ada of one"]
    ),
    "a stage is deleted": lambda c, ids: c.pipelines.stages.delete(
        c.pipelines.list().items[0].id,
        next(s.id for s in c.pipelines.get(c.pipelines.list().items[0].id).stages if s.key == "prospect"),
        move_deals_to=next(s.id for s in c.pipelines.get(c.pipelines.list().items[0].id).stages if s.kind == "won"),
    ),
}


@pytest.mark.parametrize("move", MOVES)
def test_counts_and_sums_follow(client: CrmClient, stub: StubServer, ids: Ids, move: str) -> None:
    assert wrong(stub) == []
    MOVES[move](client, ids)
    assert wrong(stub) == []


def wrong(stub: StubServer) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Return the accounts and contacts whose figures are not those of what there is."""
    found: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
    for kind, figures in (("account", figures_of_account), ("contact", figures_of_contact)):
        for doc in stub.store.collection("tenant_acme", kind):
            right = figures(stub, doc)
            there = {name: doc[name] for name in right}
            if there != right:
                found.append((f"{kind} {doc['name']}", there, right))
    return found


def figures_of_account(stub: StubServer, doc: Document) -> dict[str, Any]:
    opened, won = worth_of(stub, lambda deal: deal["account_id"] == doc["id"])
    return {
        "contact_count": len(stub.store.collection("tenant_acme", "contact").find("account_id", doc["id"])),
        "child_count": len(stub.store.collection("tenant_acme", "account").find("parent_id", doc["id"])),
        "open_deal_count": len(opened),
        "open_deal_value": total(opened),
        "won_value": total(won),
    }


def figures_of_contact(stub: StubServer, doc: Document) -> dict[str, Any]:
    opened, won = worth_of(stub, lambda deal: takes_part(deal, doc["id"]))
    return {"open_deals": len(opened), "total_value": total([*opened, *won])}


def takes_part(deal: Document, contact_id: str) -> bool:
    return contact_id in (deal["contact_id"], *(role["contact_id"] for role in deal.get("contact_roles") or ()))


def worth_of(stub: StubServer, keep: Callable[[Document], bool]) -> tuple[list[Decimal], list[Decimal]]:
    """Return what the open and the won deals among some are worth."""
    worth = worth_in(stub.tenant("tenant_acme"))
    deals = [deal for deal in stub.store.collection("tenant_acme", "deal") if keep(deal)]
    opened, won = ([worth(deal) for deal in deals if deal["status"] == status] for status in ("open", "won"))
    return opened, won
