"""What the stub does by itself as its clock moves: the background jobs of the flow document, in the order of time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.serving import Context
from server_stub.timetable import MADE_UP

pytestmark = pytest.mark.thorough

HOUR = timedelta(hours=1)


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="flow")


def mine(stub: StubServer, kind: str, id: str, **members: Any) -> None:
    """Give a record to Ada, and set members that no call sets."""
    docs = stub.store.collection("tenant_acme", kind)
    docs.put((docs.get(id) or Document()) | {"owner_id": "user_ada"} | members)


def by_itself(stub: StubServer) -> list[tuple[float, str, str, str]]:
    """Return what the stub did by itself: after how many hours, which job, what, and to what."""
    return [
        ((entry["occurred_at"] - stub.clock.start) / HOUR, entry["source"]["operation"], entry["action"],
         entry["entity"]["id"])
        for entry in stub.audit()
        if entry["actor"]["id"] == "system"
    ]  # fmt: skip


def test_all_seven_jobs_run_in_the_order_of_time(client: CrmClient, stub: StubServer) -> None:
    start = stub.clock.start
    quiet = client.contacts.create({"name": "Quiet Anna", "email": "anna@x.example", "phone": "+12125550111"}).id
    mine(stub, "contact", quiet)
    long_ago = start - timedelta(days=14)
    client.contacts.communication.create(quiet, {"type": "call", "date": long_ago, "summary": "We may cancel"})
    calm = client.contacts.create({"name": "Calm Cleo"}).id
    client.contacts.communication.create(calm, {"type": "call", "date": long_ago, "summary": "We talked"})
    angry = client.contacts.create({"name": "Angry Ben"}).id
    mine(stub, "contact", angry)
    event: Any = {"title": "Demo", "start_time": start + 26 * HOUR, "end_time": start + 27 * HOUR}
    demo = client.calendar.events.create(event).id
    mvp = stub.client(dialects="mvp")
    cross = mvp.leads.create({"name": "Cross Carl"}).id
    mine(stub, "lead", cross)
    for text in ("Great, thank you!", "Excellent", "This is bad", "Terrible, we are angry"):
        mvp.messages.create({"lead_id": cross, "content": text, "sender": "lead"})
    sorry = next(one.id for one in mvp.conversations.list() if one.lead_id == cross)
    told = next(iter(client.notifications.list()))
    mine(stub, "notification", told.id, expires_at=start + 20 * HOUR)
    client.deals.create({"title": "Hope", "contact_id": quiet})
    deal = client.deals.create({"title": "Deal", "stage": "proposal", "value": 1000})

    stub.clock.advance(0.5 * 3600)
    client.contacts.communication.create(
        angry, {"type": "call", "date": stub.clock.now(), "summary": "Terrible. We cancel."}
    )
    activity: Any = {"type": "call", "date": stub.clock.now(), "description": "Budget approved, ready to sign"}
    client.deals.activities.create(deal.id, activity)  # probability: at once, with the activity
    assert client.deals.get(deal.id).probability == (deal.probability or 0) + 10
    health, risk = client.contacts.get(calm).health_score, client.contacts.get(quiet).churn_risk
    assert by_itself(stub) == []

    for hours in (24, 2.5):  # more runs than `MADE_UP` would not all be made up for
        stub.clock.advance(hours * 3600)
        unread = client.notifications.unread_count()
    done = by_itself(stub)
    assert [hours for hours, *_ in done] == sorted(hours for hours, *_ in done)
    assert [(hours, what) for hours, what, action, id in done if (action, id) == ("event.reminder", demo)] == [
        (2.0, "calendar.remind"), (25.0, "calendar.remind"), (25.75, "calendar.remind"),
    ]  # fmt: skip
    news = {
        entry["entity"]["name"]: ((entry["occurred_at"] - start) / HOUR, entry["source"]["operation"])
        for entry in stub.audit()
        if entry["action"] == "notification.created"
    }
    assert news["May be about to leave: Angry Ben"] == (1.0, "timetable:insights")
    assert news["Quiet Anna is at risk"] == (24.0, "timetable:contact churn risk")
    assert news["The mood of Cross Carl is declining"] == (24.0, "timetable:conversation sentiment trends")
    assert (24.0, "timetable:contact health", "contact.health_changed", calm) in done
    assert (24.0, "timetable:conversation sentiment trends", "conversation.updated", sorry) in done
    assert (24.0, "timetable:notification cleanup", "notification.deleted", told.id) in done
    assert (client.contacts.get(calm).health_score or 0) == (health or 0) - 5  # silent for more than two weeks now
    assert (client.contacts.get(quiet).churn_risk or 0) == (risk or 0) + 10
    assert client.conversations.get(sorry).sentiment_trend == "declining"
    assert unread.count == len(list(client.notifications.list(read=False, limit=100)))
    stub.clock.advance(3600)
    again = len(by_itself(stub))
    client.notifications.unread_count()
    assert len(by_itself(stub)) == again  # nothing twice


def test_a_trend_is_the_days_until_something_is_written(client: CrmClient, stub: StubServer) -> None:
    mvp = stub.client(dialects="mvp")
    lead = mvp.leads.create({"name": "Nora Quist"})

    def hear(text: str) -> None:
        mvp.messages.create({"lead_id": lead.id, "content": text, "sender": "lead"})

    for text in ("Terrible, we are angry", "This is bad", "Great, thank you!", "Excellent, we are happy"):
        hear(text)
    id = next(one.id for one in mvp.conversations.list() if one.lead_id == lead.id)

    def trend() -> str | None:
        return client.conversations.get(id).sentiment_trend

    assert trend() == "improving"  # at once: no analysis knows these messages
    stub.clock.advance(30 * 86_400 - 60)
    assert trend() == "improving"
    stub.clock.advance(120)
    assert trend() == "improving"  # still that of the day's analysis
    stub.clock.advance(86_400)
    assert trend() == "stable"  # nothing came in for a month
    for _ in range(4):
        hear("A disaster, we are furious")
    assert trend() == "declining"  # before the next analysis
    assert "and declining" in (client.conversations.get(id).ai_summary or "")


def test_the_timetable_runs_in_the_order_of_time(client: CrmClient, stub: StubServer) -> None:
    client.notifications.unread_count()
    stub.clock.advance(50 * 3600)
    client.notifications.unread_count()
    times = {doc["id"]: doc for doc in stub.store.collection("tenant_acme", "timetable")}
    start = stub.clock.start
    assert times["insights"]["last_run"] == start + timedelta(hours=50)
    assert times["contact health"]["last_run"] == start + timedelta(hours=48)
    assert times["notification cleanup"]["due_at"] == start + timedelta(hours=72)
    moved = [entry["occurred_at"] for entry in stub.audit() if entry["action"] == "contact.health_changed"]
    assert moved == sorted(moved)
    assert set(moved) <= {start + timedelta(hours=24), start + timedelta(hours=48)}


def test_a_long_leap_makes_up_for_the_last_runs_only(client: CrmClient, stub: StubServer) -> None:
    stub.clock.advance(100 * 86_400)
    client.notifications.unread_count()
    runs = {entry["occurred_at"] for entry in stub.audit() if entry["action"] == "contact.health_changed"}
    assert min(runs) > stub.clock.start + timedelta(days=100 - MADE_UP)
    assert len(runs) <= MADE_UP


def written_by_itself(stub: StubServer) -> list[Any]:
    """Return all that was written by recurring work, with its time."""
    insights = [(doc["id"], doc["created_at"]) for doc in stub.store.collection("tenant_acme", "insight")]
    notes = [(doc["title"], doc["created_at"]) for doc in stub.store.collection("tenant_acme", "notification")]
    return [*by_itself(stub), *sorted(insights), *sorted(notes), *stub.store.collection("tenant_acme", "timetable")]


@pytest.mark.parametrize("leaps", [(24,), (5, 19), (7, 1, 16)])
def test_a_leap_leaves_what_is_left_hour_by_hour(leaps: tuple[int, ...]) -> None:
    written: list[list[Any]] = []
    for steps in ((1,) * 24, leaps):
        stub = StubServer()
        client = stub.client(dialects="flow")
        for hours in (3.5, 7, 7.2, 13, 18.9):
            made = client.contacts.create({"name": f"Due after {hours} hours"}).id
            mine(stub, "contact", made, next_follow_up=stub.clock.start + hours * HOUR)
            silent = stub.clock.start - timedelta(days=14) + hours * HOUR
            client.contacts.communication.create(made, {"type": "call", "date": silent, "summary": "We may cancel"})
        stub.clock.advance(3600 - (stub.clock.now() - stub.clock.start).total_seconds())
        for hours in steps:
            stub.clock.advance(hours * 3600)
        written.append(written_by_itself(stub))
    assert written[0] == written[1]
    begun = {doc["created_at"] for doc in stub.store.collection("tenant_acme", "insight")}
    assert len(begun) >= 6  # in the first run, and after each of the five times


def test_runs_of_a_leap_that_change_nothing_are_passed_over(client: CrmClient, stub: StubServer) -> None:
    runs: list[datetime] = []
    (entry,) = (entry for entry in stub.timetable.recurring if entry.name == "insights")
    work = stub.timetable.recurring[entry]

    def noted(call: Context) -> None:
        if call.caller.tenant_id == "tenant_acme":
            runs.append(call.now)
        work(call)

    stub.timetable = replace(stub.timetable, recurring={entry: noted}, appointments={})
    stub.clock.advance(24 * 3600)
    assert 1 <= len(runs) <= 8  # the first, and where something comes of time alone
    runs.clear()
    client.contacts.create({"name": "No address"})  # what is written is looked at in the next run
    stub.clock.advance(23 * 3600)
    assert runs[0] == stub.clock.start + 25 * HOUR and len(runs) <= 8


def test_the_timetable_survives_a_snapshot(client: CrmClient, stub: StubServer) -> None:
    snapshot, planned = stub.snapshot(), stub.store.collection("tenant_acme", "timetable").all()
    stub.clock.advance(86_400)
    client.notifications.unread_count()
    health = [contact.health_score for contact in client.contacts.list()]
    stub.restore(snapshot)
    assert stub.store.collection("tenant_acme", "timetable").all() == planned
    stub.clock.advance(86_400)
    assert [contact.health_score for contact in client.contacts.list()] == health
