"""The timeline of a record: everything that happened with it; an account's has its people's and deals'."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from activity_wire import Wire
from scoped_readers import somebody_scoped

from crm_sdk import CrmClient
from server_stub import StubServer


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client()


@pytest.fixture
def story(client: CrmClient, wire: Wire) -> dict[str, str]:
    """A firm with Eve, her deal that moved, and what was said; each told by its id."""
    firm = client.accounts.create({"name": "Firm"}).id
    eve = client.contacts.create({"name": "Eve", "email": "eve@firm.example", "account_id": firm}).id
    deal = client.deals.create({"title": "Engine", "value": 1000, "contact_id": eve}).id
    client.deals.move_stage(deal, "qualified")
    call = wire.make("call", contactId=eve, description="Spoke at length")["id"]
    note = wire.make("note", contactId=None, dealId=deal, body="Of the deal")["id"]
    client.contacts.update(eve, {"title": "CTO"})
    return {"firm": firm, "eve": eve, "deal": deal, "call": call, "note": note}


def entries(wire: Wire, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = wire.send("GET", "/activities/timeline", **{"limit": 200, **query}).ok()
    return found


def test_everything_that_happened_is_there_newest_first(wire: Wire, story: dict[str, str]) -> None:
    found = entries(wire, contactId=story["eve"])
    times = [entry["occurredAt"] for entry in found]
    assert times == sorted(times, reverse=True)
    assert {entry["kind"] for entry in found} == {"call", "created", "updated", "stage_change"}
    by_kind = {entry["kind"]: entry for entry in found}
    call = by_kind["call"]
    assert (call["activity"]["id"], call["summary"]) == (story["call"], "Spoke at length")
    assert call["actor"] == {"id": "user_ada", "name": "Ada Lindqvist", "avatar": call["actor"]["avatar"]}
    assert by_kind["updated"]["changes"] == [{"field": "title", "before": None, "after": "CTO"}]
    assert by_kind["stage_change"]["entity"] == {"type": "deal", "id": story["deal"], "name": "Engine"}
    assert by_kind["stage_change"]["changes"] == [{"field": "stage", "before": "prospect", "after": "qualified"}]


def test_an_activity_is_about_the_nearest_record_by_its_name(wire: Wire, story: dict[str, str]) -> None:
    call = wire.make("call", contactId=story["eve"], dealId=story["deal"])["id"]
    plain = wire.make("task", title="Sweep", contactName="Guest")["id"]
    contacts = wire.stub.store.collection("tenant_acme", "contact")
    eve = contacts.get(story["eve"])
    assert eve is not None
    contacts.put(eve | {"name": "Eva"})

    def about(id: str) -> tuple[Any, ...]:
        (entry,) = [one for one in entries(wire, kinds="call,note,task") if one["id"] == id]
        return tuple(entry["entity"][name] for name in ("type", "id", "name"))

    assert about(story["call"]) == ("contact", story["eve"], "Eva"), "the name that it has now"
    assert about(story["note"]) == ("deal", story["deal"], "Engine")
    assert about(call) == ("deal", story["deal"], "Engine"), "the deal is nearer than the contact"
    assert about(plain) == ("activity", plain, "Sweep")
    contacts.remove(story["eve"])
    assert about(story["call"]) == ("contact", story["eve"], "Eve"), "of what is gone the name it had"


def test_an_accounts_timeline_has_that_of_its_contacts_and_deals(wire: Wire, story: dict[str, str]) -> None:
    firm = entries(wire, accountId=story["firm"])
    ids = {entry["activity"]["id"] for entry in firm if entry["activity"]}
    assert ids == {story["call"], story["note"]}
    assert {entry["entity"]["type"] for entry in firm} == {"account", "contact", "deal"}
    both = entries(wire, contactId=story["eve"], dealId=story["deal"])
    assert {entry["kind"] for entry in both} == {"stage_change"}, "what concerns both"


def test_a_converted_leads_history_is_its_accounts(wire: Wire, client: CrmClient) -> None:
    lead = client.leads.create({"name": "Lea", "company": "Newfirm", "email": "lea@newfirm.example"})
    call = wire.make("call", leadId=lead.id)
    done = client.leads.convert(lead.id)
    assert done.account is not None
    assert call["id"] in [entry["id"] for entry in entries(wire, accountId=done.account.id)]
    assert "converted" in {entry["kind"] for entry in entries(wire, leadId=lead.id)}


def test_it_is_filtered_by_kind_owner_and_time(wire: Wire, story: dict[str, str]) -> None:
    def kinds(**query: Any) -> list[str]:
        return [entry["kind"] for entry in entries(wire, accountId=story["firm"], **query)]

    assert kinds(kinds="call,note") == ["note", "call"] and kinds(
        kinds="call,note", order="asc", sort="occurredAt"
    ) == ["call", "note"]
    assert kinds(ownerId="user_sam") == [] and set(kinds(ownerId="user_ada")) >= {"call", "note"}
    now = wire.stub.clock.now() + timedelta(minutes=1)
    assert kinds(since=now) == [] and kinds(until=now) == kinds()


def test_a_record_that_is_not_there_has_none(wire: Wire) -> None:
    cases: list[str] = ["contact", "lead", "deal", "account"]
    for name in cases:
        assert wire.send("GET", "/activities/timeline", **{f"{name}Id": f"{name}_none"}).refusal[:2] == (
            404,
            "NOT_FOUND",
        )
        there = next(iter(wire.stub.store.collection("tenant_acme", name)))["id"]
        assert wire.send("GET", "/activities/timeline", **{f"{name}Id": there}).status == 200
        assert wire.by("globex-admin").send("GET", "/activities/timeline", **{f"{name}Id": there}).status == 404


def test_pages_and_messages_of_the_whole_company(wire: Wire) -> None:
    first = wire.send("GET", "/activities/timeline", limit=5)
    assert len(first.ok()) == 5 and first.body["meta"]["pagination"]["total"] > 100
    assert {entry["kind"] for entry in entries(wire, kinds="message")} == {"message"}


def test_files_and_comments_are_in_it_and_what_others_may_not_see_is_not(wire: Wire, stub: StubServer) -> None:
    crm: Any = stub.client(dialects="platform", max_retries=0)
    contact = crm.contacts.create({"name": "Eve", "owner_id": "user_ada"}).id
    about: Any = {"type": "contact", "id": contact}
    said = crm.collaboration.comments.create({"entity": about, "body": "What  is\nthis " + "x" * 300})
    file = crm.files.upload(("plan.txt", b"x"), related_to=about)
    shown = {entry["id"]: entry for entry in entries(wire, contactId=contact)}
    comment = shown[said.id]
    assert comment["kind"] == "comment" and comment["entity"] == {**about, "name": "Eve"}
    assert comment["title"] == comment["summary"] and comment["title"].startswith("What is this xxx")
    assert comment["title"].endswith("x…") and len(comment["title"]) == len(comment["summary"])
    assert (comment["actor"]["id"], shown[file.id]["title"], shown[file.id]["kind"]) == ("user_ada", "plan.txt", "file")
    other = crm.leads.create({"name": "Lee"}).id
    assert {said.id, file.id}.isdisjoint(entry["id"] for entry in entries(wire, leadId=other))
    assert {said.id, file.id} <= {entry["id"] for entry in entries(wire)}
    somebody_scoped(stub)
    scoped = entries(wire.by("acme-sales"), limit=200, kinds="created,comment")
    assert contact not in {entry["entity"]["id"] for entry in scoped}, "it is Ada's"
    mine = crm.contacts.create({"name": "Own", "owner_id": "user_sam"}).id
    assert mine in {entry["entity"]["id"] for entry in entries(wire.by("acme-sales"), kinds="created")}
