"""What is looked at every hour and every day: whom it tells of what, once, and what it stores."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from stub_data import idle, some, stored

from server_stub import StubServer

HOUR, DAY, SECOND = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)


def told(stub: StubServer, type: str, since: Any) -> list[Any]:
    """Return the notifications of a type that were sent later than a time."""
    notes = stub.store.collection("tenant_acme", "notification").find("type", type)
    return [doc for doc in notes if doc["created_at"] > since and "chance of" not in doc["message"]]


def test_owners_are_told_of_fresh_and_sure_insights_once(stub: StubServer) -> None:
    idle(stub)
    crm, flow = stub.client(dialects="platform"), stub.client(dialects="flow")
    start, ids = stub.clock.now(), dict[str, str]()
    stub.clock.advance(5)
    for name in ("old", "fresh", "nobody"):
        made: Any = {"name": name, "email": f"{name}@x.example", "phone": "+491", "owner_id": "user_sam"}
        ids[name] = crm.contacts.create(made).id
        at = start if name == "old" else start + SECOND
        said: Any = {"type": "note", "date": at, "summary": "They want to cancel"}
        flow.contacts.communication.create(ids[name], said)
    ids["due"] = crm.contacts.create({"name": "due", "next_follow_up": start + 60 * SECOND}).id
    deal: Any = {"title": "Fleet", "value": 1, "stage": "proposal", "expected_close_date": start.date() + 90 * DAY}
    ids["deal"] = crm.deals.create(deal).id
    heard: Any = {"type": "note", "date": start + 2 * SECOND, "description": "Budget approved. Zoho? No response."}
    flow.deals.activities.create(ids["deal"], heard)
    ids["won"] = crm.deals.create(deal | {"stage": "closed-won"}).id
    flow.deals.activities.create(ids["won"], heard)
    stored(stub, "contact", ids["nobody"], owner_id=None)
    insights = stub.store.collection("tenant_acme", "insight")
    stub.clock.advance((start + HOUR - stub.clock.now()).total_seconds() - 0.5)
    crm.contacts.list(limit=1)
    assert insights.all() == []
    stub.clock.advance(1)
    crm.contacts.list(limit=1)
    run = start + HOUR

    def shown() -> list[tuple[Any, ...]]:
        notes = told(stub, "ai_insight", start)
        assert all(doc["created_at"] == run and doc["expires_at"] == run + 14 * DAY for doc in notes)
        return sorted(
            (doc["user_id"], doc["title"], doc["metadata"]["confidence"], doc["entity"]["type"], doc["entity"]["id"])
            for doc in notes
        )

    expected = sorted([
        ("user_sam", "May be about to leave: fresh", 85, "contact", ids["fresh"]),
        ("user_sam", "The last conversation went badly: fresh", 75, "contact", ids["fresh"]),
        ("user_ada", "Budget approved: Fleet", 75, "deal", ids["deal"]),
        ("user_ada", "Competes with: Zoho: Fleet", 85, "deal", ids["deal"]),
        ("user_ada", "No response: Fleet", 80, "deal", ids["deal"]),
    ])  # fmt: skip
    assert shown() == expected
    kept = {(doc["entity_type"], doc["entity_id"], doc["title"]) for doc in insights.all()}
    assert all(doc["created_at"] == run for doc in insights.all())
    leaving = {("contact", ids[name], "May be about to leave") for name in ("old", "fresh", "nobody")}
    assert kept >= {*leaving, ("contact", ids["due"], "The follow-up is overdue")}
    assert not [one for one in kept if one[1] == ids["won"]], "of a deal that is open"
    (note,) = [doc for doc in told(stub, "ai_insight", start) if doc["title"] == "May be about to leave: fresh"]
    assert note["message"] == "Talked of: cancel"
    assert note["metadata"]["insightId"] in insights
    count = len(insights.all())
    stub.clock.advance(3600)
    crm.contacts.list(limit=1)
    assert (shown(), len(insights.all())) == (expected, count)
    # what is written in between is looked at again, and so is what time has brought
    told_later: Any = {"type": "note", "date": stub.clock.now(), "summary": "We think of switching to another vendor"}
    stub.clock.advance(60)
    flow.contacts.communication.create(ids["old"], told_later)
    stub.clock.advance(3600)
    crm.contacts.list(limit=1)
    later = told(stub, "ai_insight", run)
    assert {(doc["title"], doc["user_id"]) for doc in later} >= {("May be about to leave: old", "user_sam")}


def test_owners_are_told_of_contacts_that_come_to_be_at_risk(stub: StubServer) -> None:
    idle(stub)
    crm, start, ids = stub.client(dialects="platform"), stub.clock.now(), dict[str, str]()
    for name, risk, owner in (("new", 59, "user_sam"), ("known", 60, "user_sam"), ("nobody", 10, None)):
        ids[name] = crm.contacts.create({"name": name}).id
        stored(stub, "contact", ids[name], churn_risk=risk, owner_id=owner, created_at=start - 200 * DAY)
    ids["safe"] = crm.contacts.create({"name": "safe"}).id
    versions = {id: crm.contacts.get(id).version for id in ids.values()}
    stub.clock.advance(DAY.total_seconds() + 1)
    crm.contacts.list(limit=1)
    (note,) = told(stub, "at_risk_alert", start)
    assert (note["user_id"], note["title"], note["message"], note["priority"]) == (
        "user_sam", "new is at risk", "The churn risk of new has risen to 70 %.", "high",
    )  # fmt: skip
    assert (note["entity"]["type"], note["entity"]["id"]) == ("contact", ids["new"])
    assert (note["metadata"]["contactName"], note["metadata"]["churnRisk"]) == ("new", 70)
    assert note["expires_at"] - note["created_at"] == 30 * DAY
    contacts = stub.store.collection("tenant_acme", "contact")
    found = {name: some(contacts.get(id)) for name, id in ids.items()}
    assert {name: doc["churn_risk"] for name, doc in found.items()} == {
        "new": 70, "known": 70, "nobody": 70, "safe": 40,
    }  # fmt: skip
    assert {name: (doc["health_score"], doc["relationship_health"]) for name, doc in found.items()} == {
        "new": (20, "low"), "known": (20, "low"), "nobody": (20, "low"), "safe": (50, "medium"),
    }  # fmt: skip
    assert {doc["id"]: doc["version"] for doc in found.values()} == versions
    moved = [one for one in stub.audit() if one["action"] == "contact.health_changed"]
    assert {one["entity"]["id"] for one in moved} == {ids[name] for name in ("new", "known", "nobody")}
    assert moved[0]["changes"] == [{"field": "health_score", "before": 50, "after": 20}]
