"""The figures of accounts follow whatever is written about their people and deals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from stub_data import stored

from crm_sdk import CrmClient
from crm_sdk.models import Account
from server_stub import StubServer


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client()


@pytest.fixture
def account(client: CrmClient) -> Account:
    return client.accounts.create({"name": "Figures Ltd"})


def figures(client: CrmClient, id: str) -> tuple[Any, ...]:
    found = client.accounts.get(id)
    return found.contact_count, found.open_deal_count, found.open_deal_value, found.won_value


def test_counts_and_sums_move_with_contacts_and_deals(client: CrmClient, account: Account) -> None:
    assert figures(client, account.id) == (0, 0, 0, 0)
    ada = client.contacts.create({"name": "Ada", "account_id": account.id})
    deal = client.deals.create({"title": "Engine", "value": 1000, "contact_id": ada.id})
    assert figures(client, account.id) == (1, 1, 1000, 0)
    client.deals.update(deal.id, {"value": 1500})
    assert figures(client, account.id) == (1, 1, 1500, 0)
    client.deals.move_stage(deal.id, "closed-won")
    assert figures(client, account.id) == (1, 0, 0, 1500)
    assert client.accounts.get(account.id).type == "customer"
    client.deals.delete(deal.id)
    client.contacts.delete(ada.id)
    assert figures(client, account.id) == (0, 0, 0, 0)
    assert client.accounts.get(account.id).version == 1, "nobody has edited it"
    assert client.accounts.get(account.id).health_score == 50, "as without contacts"


def test_a_contact_that_changes_its_account_counts_in_the_new_one(client: CrmClient, account: Account) -> None:
    other = client.accounts.create({"name": "Other Ltd"})
    ada = client.contacts.create({"name": "Ada", "account_id": account.id})
    client.contacts.update(ada.id, {"account_id": other.id})
    assert (figures(client, account.id)[0], figures(client, other.id)[0]) == (0, 1)


def test_health_is_the_mean_of_the_contacts_weighted_by_talk(client: CrmClient, account: Account) -> None:
    assert account.health_score == 50
    ada = client.contacts.create({"name": "Ada", "account_id": account.id})
    client.contacts.create({"name": "Bob", "account_id": account.id})
    assert client.accounts.get(account.id).health_score == 50
    now = client.accounts.get(account.id).updated_at
    assert now is not None
    for _ in range(2):
        client.contacts.communication.create(
            ada.id, {"type": "call", "subject": "Call", "summary": "Spoke on the phone.", "date": now}
        )
    scores = [client.contacts.get(found.id).health_score or 0 for found in client.accounts.contacts.list(account.id)]
    weights = {client.contacts.get(ada.id).health_score: 3}
    expected = round(sum(score * weights.get(score, 1) for score in scores) / (3 + 1))
    seen = client.accounts.get(account.id)
    assert seen.health_score == expected != 50 and seen.last_activity_at is not None


@pytest.mark.parametrize(("days", "counted"), [(89, True), (91, False)])
def test_talk_of_the_last_ninety_days_weighs(
    stub: StubServer, client: CrmClient, account: Account, days: int, counted: bool
) -> None:
    ada = client.contacts.create({"name": "Ada", "account_id": account.id})
    client.contacts.create({"name": "Bob", "account_id": account.id})
    client.contacts.communication.create(
        ada.id,
        {
            "type": "call",
            "subject": "Call",
            "summary": "Spoke.",
            "date": stub.clock.now() - timedelta(days=days, hours=-1),
        },
    )
    scores = {found.name: found.health_score or 0 for found in client.accounts.contacts.list(account.id)}
    weight = 2 if counted else 1
    assert scores["Ada"] != scores["Bob"]
    assert client.accounts.get(account.id).health_score == round(
        (scores["Ada"] * weight + scores["Bob"]) / (weight + 1)
    )


@pytest.mark.parametrize("member", ["open_deal_value", "won_value", "last_activity_at"])
def test_lists_are_sorted_by_figures(client: CrmClient, member: str) -> None:
    value: Callable[[Account], object] = lambda found: getattr(found, member)  # noqa: E731 # it says which, once
    found = [value(one) for one in client.accounts.list(sort=member, order="desc", limit=200).items]
    known = [one for one in found if one is not None]
    assert known == sorted(known, reverse=True) and len(set(map(str, known))) > 1  # type: ignore[type-var] # amounts or times


def test_figures_are_of_all_that_belongs_to_an_account_and_of_nothing_to_come(
    client: CrmClient, stub: StubServer
) -> None:
    given: Any = {"name": "Figures Ltd", "type": "partner"}
    account = client.accounts.create(given).id
    prospect = client.accounts.create({"name": "Prospect Ltd"}).id
    now = stub.clock.now()
    ada, bob = (client.contacts.create({"name": name, "account_id": account}).id for name in ("Ada", "Bob"))

    def last() -> timedelta | None:
        at = client.accounts.get(account).last_activity_at
        return None if at is None else timedelta(days=round((now - at) / timedelta(days=1)))

    assert last() is None
    cases: list[tuple[dict[str, Any], int]] = [
        ({"contact_id": ada, "occurred_at": now - timedelta(days=9)}, 9),
        ({"account_id": account, "occurred_at": now - timedelta(days=7)}, 7),
        ({"contact_id": bob, "occurred_at": now - timedelta(days=8)}, 7),
        ({"account_id": account, "occurred_at": now + timedelta(days=2)}, 7),
        ({"account_id": prospect, "occurred_at": now - timedelta(days=1)}, 7),
    ]
    for members, days in cases:
        at = members.pop("occurred_at")
        note: Any = {"kind": "note", "body": "x", **members}
        stored(stub, "activity", client.activities.create(note).id, occurred_at=at)
        for id in (ada, bob):
            stored(stub, "contact", id, last_contact=None)
        stored(stub, "account", account, last_activity_at=None)
        client.accounts.update(account, {"description": str(members)})
        assert last() == timedelta(days=days), members
    euros = client.deals.create({"title": "Engine", "value": 100, "currency": "EUR", "contact_id": ada}).id
    worth = figures(client, account)[2]
    assert figures(client, account) == (2, 1, worth, 0) and worth not in (0, 100), "in the company's currency"
    assert last() == timedelta(), "a deal is an activity"
    for id in (account, prospect):
        made = client.deals.create({"title": "Wheel", "value": 10, "account_id": id}).id
        client.deals.move_stage(made, "closed-won")
    client.deals.move_stage(euros, "closed-lost")
    assert figures(client, account) == (2, 0, 0, 10)
    assert [client.accounts.get(id).type for id in (account, prospect)] == ["partner", "customer"]
    client.contacts.update(bob, {"account_id": prospect})
    assert (figures(client, account)[0], figures(client, prospect)[0]) == (1, 1)
    child = client.accounts.create({"name": "Child", "parent_id": account}).id
    assert client.accounts.get(account).child_count == 1
    client.accounts.set_parent(child, prospect)
    assert [client.accounts.get(id).child_count for id in (account, prospect)] == [0, 1]
    client.accounts.delete(child)
    assert client.accounts.get(prospect).child_count == 0
