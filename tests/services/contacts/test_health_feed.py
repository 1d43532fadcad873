"""What the feeds say of a contact whose health moved."""

from __future__ import annotations

from server_stub import StubServer


def test_the_channel_has_what_a_change_of_a_contact_made(stub: StubServer) -> None:
    client = stub.client()
    made = client.contacts.create({"name": "Eve"})
    client.contacts.update(made.id, {"title": "CTO", "lifecycle_stage": "sql"})
    (event,) = stub.store.collection("tenant_acme", "event").find("type", "contact.updated")
    assert stub.feeds.channel_name(event) == "contact:updated"
    changes = {"title": "CTO", "lifecycleStage": "sql"}
    assert stub.feeds.channel_payload(event) == {"id": made.id, "changes": changes}


def test_the_feeds_have_the_health_before_and_now(stub: StubServer) -> None:
    client = stub.client()
    before = client.contacts.create({"name": "Moves Mood", "email": "moves@mood.example"})
    client.contacts.communication.create(
        before.id, {"type": "call", "date": stub.clock.now(), "summary": "Terrible. We are furious and cancel."}
    )
    after = client.contacts.get(before.id)
    assert after.health_score != before.health_score
    events = stub.store.collection("tenant_acme", "event")
    moved = [one for one in events if one["type"] == "contact.health_changed" and one["entity"]["id"] == before.id]
    scores = {"id": before.id, "oldScore": before.health_score, "newScore": after.health_score}
    assert stub.feeds.channel_name(moved[-1]) == "contact:health_changed"
    assert stub.feeds.channel_payload(moved[-1]) == scores
    data = stub.feeds.ws_data(moved[-1])
    assert {name: data[name] for name in scores} == scores
    assert data["name"] == "Moves Mood"
