"""Each kind of entry of a timeline, whole: its title, its summary, whose it is, and what it is of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from activity_wire import Wire
from stub_data import some, stored

from crm_sdk import CrmClient
from server_stub import StubServer

MINUTE = timedelta(minutes=1)


def shown(wire: Wire, **query: Any) -> list[dict[str, Any]]:
    """Return the entries of a timeline without their times and activities, which others show."""
    found = wire.send("GET", "/activities/timeline", limit=200, **query).ok()
    left_out = ("occurredAt", "activity")
    return [{name: value for name, value in entry.items() if name not in left_out} for entry in found]


def ada(stub: StubServer) -> CrmClient:
    crm = stub.client(dialects="platform", api_key=None)
    crm.auth.login("ada@acme.test", "demo-password")
    return crm


def test_what_was_done_to_a_record_and_moved_is_told_by_who_did_it(wire: Wire, stub: StubServer) -> None:
    crm = ada(stub)
    eve = crm.contacts.create({"name": "Eve"}).id
    user = some(stub.store.collection("tenant_acme", "user").get("user_ada"))
    actor = {"id": "user_ada", "name": user["name"], "avatar": user.get("avatar")}
    deal = crm.deals.create({"title": "Engine", "value": 1, "contact_id": eve}).id
    crm.deals.move_stage(deal, "qualified", note="They called")
    crm.contacts.update(eve, {"title": "CTO", "lifecycle_stage": "sql"})
    crm.with_options(reason="Asked for").contacts.create({"name": "Other"})
    key = wire.send("POST", "/contacts", {"name": "Mia"}).ok(201)["id"]
    of_eve = {"type": "contact", "id": eve, "name": "Eve"}
    updated, moved, created = shown(wire, contactId=eve)
    changes = [
        {"field": "title", "before": None, "after": "CTO"},
        {"field": "lifecycle_stage", "before": "lead", "after": "sql"},
    ]  # fmt: skip
    assert {name: value for name, value in updated.items() if name not in ("id", "changes", "summary")} == {
        "kind": "updated", "title": "Eve was updated", "actor": actor, "entity": of_eve,
    }  # fmt: skip
    assert sorted(updated["changes"], key=str) == sorted(changes, key=str)
    assert sorted(updated["summary"].split(", ")) == ["lifecycle stage", "title"]
    assert moved == {
        "id": moved["id"], "kind": "stage_change", "title": "Engine: prospect → qualified", "summary": "They called",
        "actor": actor, "entity": {"type": "deal", "id": deal, "name": "Engine"},
        "changes": [{"field": "stage", "before": "prospect", "after": "qualified"}],
    }  # fmt: skip
    assert created == {
        "id": created["id"], "kind": "created", "title": "Eve was created", "summary": None, "actor": actor,
        "entity": of_eve, "changes": [],
    }  # fmt: skip
    (by_key,) = shown(wire, contactId=key)
    assert (by_key["title"], by_key["actor"]) == ("Mia was created", None), "a key is no user"
    whole = [(entry["title"], entry["summary"]) for entry in shown(wire, kinds="created")]
    assert ("Other was created", "Asked for") in whole
    assert [entry["kind"] for entry in shown(wire, dealId=deal)] == ["stage_change", "created"]
    crm.deals.delete(deal)
    assert [entry["kind"] for entry in shown(wire, contactId=eve)] == ["updated", "created"]
    crm.contacts.delete(eve)
    kinds = [entry["kind"] for entry in shown(wire) if entry["entity"]["id"] == eve]
    assert kinds == ["updated", "created"], "a deletion is none of them, and what was is told"


def test_a_message_is_of_whom_the_conversation_is_with(wire: Wire, stub: StubServer) -> None:
    eve = wire.send("POST", "/contacts", {"name": "Eve"}).ok(201)["id"]
    lead = wire.send("POST", "/leads", {"name": "Lea"}).ok(201)["id"]
    conversations = stub.store.collection("tenant_acme", "conversation")
    messages = stub.store.collection("tenant_acme", "message")
    base, said = conversations.all()[0], messages.find("conversation_id", "conv_123")[0]
    now, ids = stub.clock.now(), dict[str, str]()
    long = "word " * 60
    for name, members in (("eve", {"contact_id": eve, "lead_id": None, "owner_id": "user_sam"}),
                          ("lea", {"contact_id": None, "lead_id": lead}),
                          ("none", {"contact_id": None, "lead_id": None, "contact_name": "Guest"})):  # fmt: skip
        conversations.put(base | {"id": f"conv_{name}", **members})
    given: tuple[dict[str, Any], ...] = (
        {"conversation_id": "conv_eve", "content": "Hello\n there", "subject": "Hi"},
        {"conversation_id": "conv_eve", "content": long, "sender_type": "user", "sender_id": "user_mia"},
        {"conversation_id": "conv_eve", "content": "", "sender_id": "user_mia"},
        {"conversation_id": "conv_eve", "content": "told of as one", "email_id": "email_1"},
        {"conversation_id": "conv_lea", "content": "From Lea", "sender_type": "user", "sender_id": "user_mia"},
        {"conversation_id": "conv_none", "content": "From nobody"},
    )
    for number, members in enumerate(given):
        id = f"msg_{number}"
        ids[id] = messages.put(said | {"id": id, "timestamp": now + number * MINUTE, **members})["id"]

    def told(**query: Any) -> list[tuple[Any, ...]]:
        entries = [entry for entry in shown(wire, kinds="message", **query) if entry["id"] in ids]
        assert all(entry["changes"] == [] and entry["kind"] == "message" for entry in entries)
        return [(entry["id"], entry["title"], entry["summary"], entry["actor"] and entry["actor"]["id"],
                 *(entry["entity"][name] for name in ("type", "id", "name"))) for entry in entries]  # fmt: skip

    short = " ".join(long.split())[:199] + "…"
    of_eve, of_lea = ("contact", eve, "Eve"), ("lead", lead, "Lea")
    eves = [
        ("msg_2", "Message", "", None, *of_eve), ("msg_1", short, short, "user_mia", *of_eve),
        ("msg_0", "Hi", "Hello there", None, *of_eve),
    ]  # fmt: skip
    leas = [("msg_4", "From Lea", "From Lea", "user_mia", *of_lea)]
    none = [("msg_5", "From nobody", "From nobody", None, "conversation", "conv_none", "Guest")]
    assert told(contactId=eve) == eves and told(leadId=lead) == leas
    assert told() == [*none, *leas, *eves]
    assert told(ownerId="user_sam") == eves, "of who has the conversation"
    assert told(ownerId="user_mia") == leas, "or else of who wrote it"
    assert told(since=now + 2 * MINUTE, until=now + 5 * MINUTE) == [*leas, eves[0]]


def test_an_activity_is_told_by_its_text_and_its_own_title(wire: Wire, stub: StubServer) -> None:
    eve = wire.send("POST", "/contacts", {"name": "Eve"}).ok(201)["id"]
    long = "word " * 60
    ids = {
        name: wire.make(kind, contactId=eve, **members)["id"]
        for name, kind, members in (
            ("call", "call", {"title": "Rang", "description": long}), ("task", "task", {"title": "Do"}),
            ("note", "note", {"body": "First\nsecond"}),
        )
    }  # fmt: skip
    stored(stub, "activity", ids["note"], title=None, occurred_at=None)
    found = {entry["id"]: entry for entry in shown(wire, contactId=eve, kinds="call,task,note")}
    assert {name: (found[id]["title"], found[id]["summary"]) for name, id in ids.items()} == {
        "call": ("Rang", " ".join(long.split())[:199] + "…"), "task": ("Do", ""),
        "note": ("First\nsecond", "First second"),
    }  # fmt: skip
    times = {entry["id"]: entry for entry in wire.send("GET", "/activities/timeline", contactId=eve, limit=50).ok()}
    assert times[ids["note"]]["occurredAt"] == wire.get(ids["note"])["createdAt"]
    mine = [entry["id"] for entry in shown(wire, contactId=eve, ownerId="user_ada")]
    assert sorted(mine) == sorted(ids.values())
    stored(stub, "activity", ids["task"], owner_id="user_sam")
    assert [entry["id"] for entry in shown(wire, contactId=eve, ownerId="user_sam")] == [ids["task"]]


def test_comments_and_files_are_in_the_timeline_of_what_they_are_of(wire: Wire, stub: StubServer) -> None:
    crm = ada(stub)
    firm = crm.accounts.create({"name": "Firm"}).id
    eve = crm.contacts.create({"name": "Eve", "account_id": firm}).id
    about: Any = {"type": "contact", "id": eve}
    said = crm.collaboration.comments.create({"entity": about, "body": "Well said"})
    file = crm.files.upload(("plan.txt", b"x"), related_to=about)
    loose = crm.files.upload(("loose.txt", b"x"))
    by_account = {entry["id"]: entry for entry in shown(wire, accountId=firm)}
    assert {by_account[one.id]["title"] for one in (said, file)} == {"Well said", "plan.txt"}
    assert by_account[said.id]["actor"]["id"] == by_account[file.id]["actor"]["id"] == "user_ada"
    assert by_account[file.id]["entity"] == {"type": "contact", "id": eve, "name": "Eve"}
    assert loose.id not in {entry["id"] for entry in shown(wire)}, "it is of nothing"
