"""What follows an activity elsewhere: the figures of deals it is of and was of, and who hears of a task."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from activity_wire import START, Wire
from stub_data import stored

HOUR = timedelta(hours=1)


def told_of(wire: Wire, id: str, action: str, start: int = 0) -> list[dict[str, Any]]:
    """Return what changed of a record by each event of an action."""
    found = [one for one in wire.stub.audit()[start:] if (one["action"], one["entity"]["id"]) == (action, id)]
    return [{change["field"]: (change["before"], change["after"]) for change in one["changes"]} for one in found]


def test_a_deal_is_told_of_where_what_was_said_makes_it_more_or_less_likely(wire: Wire) -> None:
    one, two = (wire.send("POST", "/deals", {"title": title, "value": 1000}).ok(201)["id"] for title in ("One", "Two"))
    call = wire.make("call", dealId=one, description="Budget approved.", startTime=wire.stub.clock.now() - HOUR)["id"]
    (added,) = told_of(wire, one, "deal.activity_added")
    assert added["probability"] == (10, 15) and told_of(wire, one, "deal.updated") == []
    start = len(wire.stub.audit())
    for changes, of_one, of_two in (
        ({"tags": ["x"]}, None, None), ({"description": "Budget approved, again."}, None, None),
        ({"description": "No budget."}, (15, 3), None), ({"dealId": two}, (3, 10), (10, 3)),
        ({"dealId": None}, None, (3, 10)), ({"dealId": two}, None, (10, 3)),
    ):  # fmt: skip
        wire.put(call, changes).ok()
        for id, moved in ((one, of_one), (two, of_two)):
            found = [change["probability"] for change in told_of(wire, id, "deal.updated", start)]
            assert found == ([moved] if moved is not None else []), (changes, id)
        assert told_of(wire, two, "deal.activity_added", start) == [], "it is no new one"
        start = len(wire.stub.audit())
    wire.delete(call).ok()
    assert [change["probability"] for change in told_of(wire, two, "deal.updated", start)] == [(3, 10)]
    versions = [wire.send("GET", f"/deals/{id}").ok()["version"] for id in (one, two)]
    assert versions == [1, 1], "nobody has edited them"


def test_a_contact_and_a_lead_follow_what_they_are_and_were_concerned_by(wire: Wire) -> None:
    eve, bob = (wire.send("POST", "/contacts", {"name": name}).ok(201)["id"] for name in ("Eve", "Bob"))
    lea = wire.send("POST", "/leads", {"name": "Lea"}).ok(201)["id"]
    at = wire.stub.clock.now() - HOUR
    call = wire.make("call", contactId=eve, startTime=at)["id"]

    def last() -> list[bool]:
        people = [wire.send("GET", f"/contacts/{id}").ok()["communicationHistory"] for id in (eve, bob)]
        return [*(bool(found) for found in people), wire.send("GET", f"/leads/{lea}").ok()["score"] > 0]

    assert last() == [True, False, False]
    wire.put(call, {"contactId": bob}).ok()
    assert last() == [False, True, False]
    note = wire.make("note", contactId=None, leadId=lea)["id"]
    assert last() == [False, True, True]
    wire.put(note, {"leadId": None, "contactId": eve}).ok()
    assert last()[0] is True
    wire.delete(call).ok()
    assert last()[1] is False


def test_a_task_without_somebody_to_do_it_is_told_to_nobody(wire: Wire) -> None:
    notes = wire.stub.store.collection("tenant_acme", "notification")

    def inbox(id: str, type: str) -> list[str]:
        return [doc["user_id"] for doc in notes if (doc.get("entity") or {}).get("id") == id and doc["type"] == type]

    due = wire.stub.clock.now() + HOUR
    nobody, gone, mine = (wire.make("task", dueAt=due)["id"] for _ in range(3))
    stored(wire.stub, "activity", nobody, owner_id=None)
    stored(wire.stub, "activity", gone, owner_id="user_gone")
    wire.stub.clock.advance(3601)
    assert [wire.get(id)["isOverdue"] for id in (nobody, gone, mine)] == [True] * 3
    assert [inbox(id, "task_due") for id in (nobody, gone, mine)] == [[], [], ["user_ada"]]
    wire.stub.clock.advance(3600)
    wire.get(mine)
    assert inbox(mine, "task_due") == ["user_ada"], "once"
    later = wire.make("task", dueAt=START, title="Later", ownerId="user_sam")["id"]
    wire.put(later, {"status": "completed"}).ok()
    assert inbox(later, "assignment") == ["user_sam"]
    wire.by("acme-sales").put(later, {"ownerId": "user_sam", "title": "Same"}).ok()
    assert inbox(later, "assignment") == ["user_sam"]
