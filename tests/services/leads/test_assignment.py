"""Who gets a lead: by turns, by load, by territory."""

from __future__ import annotations

from typing import Any

from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient
from crm_sdk.models.leads import Lead
from server_stub import StubServer


def lead_of(client: CrmClient, country: str = "US") -> Lead:
    return client.leads.create({"name": "Ann Lee", "address": {"country": country}})


def test_turns_go_on_where_they_stopped(client: CrmClient) -> None:
    def given(count: int) -> list[str | None]:
        ids = [lead_of(client).id for _ in range(count)]
        who = client.leads.assign(lead_ids=ids, user_ids=["user_sam", "user_mia"], reassign=True)
        return [item.result.owner_id if item.result else None for item in who.items]

    assert given(3) == ["user_sam", "user_mia", "user_sam"]
    assert given(2) == ["user_mia", "user_sam"]
    owners = {lead_of(client).owner_id for _ in range(8)}
    assert owners == {
        "user_ada",
        "user_sam",
        "user_123",
        "user_mia",
    }  # Rita may only read


def test_load_goes_to_whoever_has_least(client: CrmClient) -> None:
    def load(owner: str) -> int:
        return sum(lead.status in ("new", "contacted", "qualified") for lead in client.leads.list(owner_id=owner))

    pair = ["user_sam", "user_mia"]
    least = min(pair, key=load)
    lead = client.leads.create({"name": "Ann Lee", "owner_id": "user_ada"})
    who = client.leads.assign(lead_ids=[lead.id], strategy="load_balanced", user_ids=pair, reassign=True)
    assert some(who.items[0].result).owner_id == least
    for doc in client.leads.list(owner_id=max(pair, key=load)):
        client.leads.update(doc.id, {"owner_id": "user_ada"})
    who = client.leads.assign(lead_ids=[lead.id], strategy="load_balanced", user_ids=pair, reassign=True)
    assert [some(who.items[0].result).owner_id] == [owner for owner in pair if owner != least]


def test_territories_and_idle_people_decide_who_is_eligible(client: CrmClient) -> None:
    ours, abroad = lead_of(client, "CA"), lead_of(client, "JP")
    assert (ours.territory_id, abroad.territory_id) == ("territory_americas", None)
    who = client.leads.assign(lead_ids=[ours.id, abroad.id], strategy="territory", reassign=True)
    assert [item.error.code if item.error else item.status for item in who.items] == ["ok", "NO_ELIGIBLE_OWNER"]
    kept = client.leads.assign(lead_ids=[ours.id], user_ids=["user_rita"])
    assert some(kept.items[0].result).owner_id == client.leads.get(ours.id).owner_id
    idle = client.leads.assign(lead_ids=[ours.id], user_ids=["user_rita"], reassign=True)
    assert some(idle.items[0].error).code == "NO_ELIGIBLE_OWNER"


def test_without_ids_it_is_the_open_leads_that_nobody_has_oldest_first(stub: StubServer, client: CrmClient) -> None:
    client.leads.assign()
    ids = []
    for name in ("A", "B", "C", "D"):
        stub.clock.advance(60)
        ids.append(client.leads.create({"name": name, "owner_id": None}).id)
    client.leads.qualify(ids[3], qualified=False, reason="Closed")
    oldest = min(stored(stub, "lead", id)["created_at"] for id in ids)
    for id in ids[1:3]:
        stored(stub, "lead", id, created_at=oldest)
    stored(stub, "lead", ids[0], created_at=stub.clock.now())
    who = client.leads.assign(user_ids=["user_sam", "user_mia"])
    assert [item.id for item in who.items] == [*sorted(ids[1:3]), ids[0]]
    assert all(item.result and item.result.owner_id for item in who.items)
    assert client.leads.get(ids[3]).owner_id is None
    assert client.leads.assign().items == []


def test_an_unknown_person_or_team_is_named(client: CrmClient) -> None:
    for error, field in (
        (refused(lambda: client.leads.assign(user_ids=["user_sam", "user_none"])), "user_ids.1"),
        (refused(lambda: client.leads.assign(team_id="team_none")), "team_id"),
    ):
        assert (error.status, error.code, error.fields[0].field) == (422, "REFERENCE_NOT_FOUND", field)


def test_so_many_leads_are_assigned_in_a_call(client: CrmClient) -> None:
    ids = [f"nobody_{number}" for number in range(1_001)]
    error = refused(lambda: client.leads.assign(lead_ids=ids, user_ids=["user_mia"]))
    assert (error.status, error.code, error.fields[0].field) == (422, "TOO_MANY_ITEMS", "lead_ids")
    assert len(client.leads.assign(lead_ids=ids[1:], user_ids=["user_mia"]).failures) == 1_000


def test_each_team_has_turns_of_its_own(client: CrmClient) -> None:
    lead = lead_of(client).id
    ids = ["user_mia", "user_sam"]
    first, second = (client.users.teams.create({"name": name, "member_ids": ids}).id for name in ("A", "B"))

    def given(**to: Any) -> str | None:
        (item,) = client.leads.assign(lead_ids=[lead], reassign=True, **to).items
        return some(item.result).owner_id

    one = given(team_id=first)
    (other,) = {*ids} - {one}
    assert given(team_id=second) == one
    for _ in range(3):
        given()
    assert (given(team_id=first), given(team_id=second)) == (other, other)
    assert given(team_id=first) == one
