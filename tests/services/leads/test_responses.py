"""What an activity brings about for its lead at once: its latest activity, its score, and its first response."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.services.leads.responses import first_response, responses

HOUR = timedelta(hours=1)


def test_the_score_knows_the_activity_at_once(client: CrmClient, stub: StubServer) -> None:
    cases: list[tuple[str, Any, int]] = [
        ("call", {"title": "In", "direction": "inbound"}, 8),
        ("call", {"title": "Out"}, 4),
        ("email", {"subject": "Out", "to": [{"email": "a@b.example"}]}, 2),
        ("note", {"body": "Seen"}, 2),
    ]
    for kind, members, points in cases:
        lead = client.leads.create({"name": "Ada"})
        body: Any = {"kind": kind, "lead_id": lead.id, **members}
        if kind == "email":
            body["sent_at"] = stub.clock.now()
        for times in (1, 2):
            client.activities.create(body)
            now = client.leads.get(lead.id)
            assert {reason.feature: reason.points for reason in now.score_reasons} == {
                "last_activity_at": 10, "activities": times * points,
            }  # fmt: skip
            assert now.score == 10 + times * points and now.version == lead.version


def test_the_first_call_or_mail_of_ours_is_the_first_response(client: CrmClient, stub: StubServer) -> None:
    lead = client.leads.create({"name": "Ada"})

    def responded() -> Any:
        return client.leads.get(lead.id).first_response_at

    stub.clock.advance(HOUR.total_seconds())
    calls = client.activities.calls
    calls.create({"title": "Theirs", "direction": "inbound", "lead_id": lead.id})
    calls.create({"title": "Before the lead", "start_time": stub.clock.now() - 2 * HOUR, "lead_id": lead.id})
    calls.create({"title": "Planned", "status": "queued", "start_time": stub.clock.now() + HOUR, "lead_id": lead.id})
    assert responded() is None
    stub.clock.advance(2 * HOUR.total_seconds())
    calls.create({"title": "Theirs", "direction": "inbound", "lead_id": lead.id})
    assert responded() is None, "nobody made the planned call"
    second = calls.create({"title": "Ours", "lead_id": lead.id})
    assert responded() == second.start_time
    earlier = stub.clock.now() - HOUR / 2
    first = client.activities.emails.create(
        {"subject": "Hello", "to": [{"email": "a@b.example"}], "sent_at": earlier, "lead_id": lead.id}
    )
    assert responded() == earlier, "what is logged later may have been earlier"
    client.activities.delete(first.id)
    assert responded() == second.start_time
    client.activities.update(second.id, {"lead_id": client.leads.create({"name": "Bob"}).id})
    assert responded() is None, "it was somebody else's"
    client.leads.update(lead.id, {"status": "contacted"})
    marked = responded()
    assert marked is not None
    calls.create({"title": "Ours again", "lead_id": lead.id})
    assert responded() == marked


def test_what_happens_at_this_moment_is_a_response(stub: StubServer) -> None:
    now = stub.clock.now()
    said = [{"direction": "outbound", "status": "completed", "occurred_at": now + at * HOUR} for at in (-1, 0, 1)]
    assert list(responses(said, now)) == said[:2]
    made: Any = {"created_at": now, "first_response_at": None}
    assert (first_response(made, said[:1], now), first_response(made, said, now)) == (None, now)
