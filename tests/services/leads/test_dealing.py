"""What an assignment answers and leaves behind: reasons, turns, loads, and who keeps what."""

from __future__ import annotations

from typing import Any

import pytest
from refusals import refused
from stub_data import some, stored, trail

from crm_sdk import CrmClient
from server_stub import StubServer

PAIR = ["user_sam", "user_mia"]
OPEN = ("new", "contacted", "qualified")


@pytest.fixture
def bare(stub: StubServer, client: CrmClient) -> StubServer:
    """Let all leads there are belong to one who takes no part."""
    leads = stub.store.collection("tenant_acme", "lead")
    for doc in leads.all():
        leads.put(doc | {"owner_id": "user_ada"})
    return stub


def new(client: CrmClient, **members: Any) -> str:
    given: Any = {"name": "Ann Lee", "owner_id": None, **members}
    return client.leads.create(given).id


def given_to(client: CrmClient, ids: list[str], **how: Any) -> list[tuple[str | None, str | None] | str]:
    items = client.leads.assign(lead_ids=ids, **how).items
    return [(item.result.owner_id, item.result.reason) if item.result else some(item.error).code for item in items]


def test_an_assignment_is_told_whole(bare: StubServer, client: CrmClient) -> None:
    lead = new(client, address={"country": "CA"})
    before = len(bare.audit())
    (item,) = client.leads.assign(lead_ids=[lead], user_ids=PAIR).items
    first = some(item.result).model_dump(exclude={"assigned_at"})
    assert first == {
        "lead_id": lead, "owner_id": "user_sam", "previous_owner_id": None, "strategy": "round_robin",
        "territory_id": "territory_americas", "reason": "next of 2 in turn",
    }  # fmt: skip
    told = ["lead.assigned", "notification.created"]
    assert trail(bare, before) == told and bare.audit()[before]["reason"] == "next of 2 in turn"
    version = client.leads.get(lead).version
    kept = some(client.leads.assign(lead_ids=[lead], user_ids=PAIR, strategy="load_balanced").items[0].result)
    assert kept.model_dump(exclude={"assigned_at"}) == {
        **first, "previous_owner_id": "user_sam", "strategy": "load_balanced", "reason": "has an owner, who keeps it",
    }  # fmt: skip
    assert (trail(bare, before), client.leads.get(lead).version) == (told, version)
    again = some(client.leads.assign(lead_ids=[lead], user_ids=PAIR, reassign=True).items[0].result)
    assert (again.owner_id, again.previous_owner_id) == ("user_mia", "user_sam")
    assert client.leads.get(lead).owner_id == "user_mia"


def test_the_load_follows_what_is_assigned_in_the_call(bare: StubServer, client: CrmClient) -> None:
    mine = [new(client, owner_id="user_sam", status=status) for status in (*OPEN, "unqualified")]
    ids = [new(client) for _ in range(5)]
    found = given_to(client, ids, user_ids=PAIR, strategy="load_balanced")
    assert found == [
        ("user_mia", "fewest open leads (0)"),
        ("user_mia", "fewest open leads (1)"),
        ("user_mia", "fewest open leads (2)"),
        ("user_sam", "fewest open leads (3)"),
        ("user_mia", "fewest open leads (3)"),
    ]
    moved = given_to(client, mine[:2], user_ids=["user_mia", "user_sam"], strategy="load_balanced", reassign=True)
    assert moved == [("user_mia", "fewest open leads (4)"), ("user_sam", "fewest open leads (3)")]
    closed = [new(client, status="unqualified") for _ in range(2)]
    assert [one[0] for one in given_to(client, closed, user_ids=PAIR, strategy="load_balanced")] == ["user_sam"] * 2


def test_turns_are_of_those_who_are_named_together(bare: StubServer, client: CrmClient) -> None:
    team = client.users.teams.create({"name": "T", "member_ids": ["user_mia", "user_123"]}).id

    def turn(count: int = 1, **how: Any) -> list[Any]:
        return [one[0] for one in given_to(client, [new(client) for _ in range(count)], **how)]

    assert turn(user_ids=PAIR) == ["user_sam"]
    assert turn(user_ids=["user_mia", "user_sam", "user_mia"]) == ["user_mia"], "the same two, in another order"
    assert turn(3, team_id=team) == ["user_123", "user_mia", "user_123"]
    everybody = turn()
    assert turn(2, team_id=team) == ["user_mia", "user_123"], "all of the company take turns by themselves"
    assert turn() != everybody
    assert turn(2, team_id=team, user_ids=PAIR) == ["user_mia", "user_mia"], "of the team"
    stored(bare, "user", "user_sam", status="inactive")
    assert given_to(client, [new(client)], user_ids=PAIR) == [("user_mia", "next of 1 in turn")]
    assert given_to(client, [new(client)], user_ids=["user_rita", "user_sam"]) == ["NO_ELIGIBLE_OWNER"]
    error = refused(lambda: client.leads.assign(lead_ids=[new(client)], user_ids=["user_none"]))
    assert (error.code, error.fields[0].field) == ("REFERENCE_NOT_FOUND", "user_ids.0")


def test_a_territory_has_its_own_turn(bare: StubServer, client: CrmClient) -> None:
    territories = bare.store.collection("tenant_acme", "territory")
    name = some(territories.get("territory_americas"))["name"]
    stored(bare, "territory", "territory_americas", member_ids=PAIR)
    ours, abroad = ([new(client, address={"country": country}) for _ in range(2)] for country in ("CA", "JP"))
    found = client.leads.assign(lead_ids=[*ours, *abroad], strategy="territory").items
    assert [(one.result.owner_id, one.result.territory_id, one.result.reason) for one in found if one.result] == [
        (owner, "territory_americas", f"{name}: next of 2 in turn") for owner in PAIR
    ]
    errors = [some(one.error) for one in found[2:]]
    assert [(one.code, one.details) for one in errors] == [("NO_ELIGIBLE_OWNER", {"leadId": id}) for id in abroad]
    stored(bare, "territory", "territory_americas", member_ids=["user_rita"])
    (item,) = client.leads.assign(lead_ids=[ours[0]], strategy="territory", reassign=True).items
    assert some(item.error).details == {"leadId": ours[0], "territoryId": "territory_americas"}


def test_a_new_lead_goes_where_the_company_says(bare: StubServer, client: CrmClient) -> None:
    def owners(strategy: str | None, **members: Any) -> str | None:
        stored(bare, "tenant", "tenant_acme", lead_assignment=strategy)
        given: Any = {"name": "Ann Lee", **members}
        return client.leads.create(given).owner_id

    stored(bare, "territory", "territory_americas", member_ids=["user_mia"])
    assert owners("territory", address={"country": "CA"}) == "user_mia"
    assert owners("territory", address={"country": "JP"}) is None, "nobody's, and no error"
    assert owners("none", address={"country": "CA"}) is None
    assert owners(None) is None
    assert owners("load_balanced") == "user_sam"


def test_a_lead_that_is_closed_is_no_load(bare: StubServer, client: CrmClient) -> None:
    ids = [new(client) for _ in range(3)]
    stored(bare, "lead", ids[0], status="unqualified")
    given = given_to(client, ids, strategy="load_balanced", user_ids=PAIR)
    none = "fewest open leads (0)"
    assert given == [("user_sam", none), ("user_sam", none), ("user_mia", none)]
