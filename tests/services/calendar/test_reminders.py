"""When reminders are due, what they say, and what an outcome makes of its follow-up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from refusals import refused
from stub_data import some

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.services.calendar.reminders import moment_of, reminder_times, sent_again, unsent_reminders

NOW = datetime(2026, 1, 15, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def doc(minutes: int = 15, **members: Any) -> Document:
    start = NOW + timedelta(hours=2)
    usual: dict[str, Any] = {
        "id": "event_1", "kind": "event", "status": "scheduled", "start_time": start,
        "end_time": start + timedelta(hours=1),
        "reminders_since": NOW, "reminders": [{"minutes_before": minutes, "channel": "in_app", "sent_at": None}],
    }  # fmt: skip
    return Document({**usual, **members})


def due(*docs: Document) -> list[float]:
    """Return in how many minutes reminders are due."""
    return [(at - NOW) / MINUTE for at, _, _ in reminder_times(docs)]


def test_when_reminders_are_due() -> None:
    start = NOW + timedelta(hours=2)
    cases: list[tuple[Document, list[float]]] = [
        (doc(), [105]), (doc(120), [0]), (doc(121), [0]), (doc(122), []), (doc(status="cancelled"), []),
        (doc(status="confirmed"), [105]), (doc(status="completed"), []), (doc(reminders_since=None), []),
        (doc(reminders=[]), []), (doc(reminders=None), []), (doc(start_time=None), []),
        (doc(reminders=[{"minutes_before": 15, "channel": "x", "sent_at": NOW}]), []),
        (doc(kind="task", due_at=start + timedelta(hours=1)), [165]), (doc(kind="task"), []),
        (doc(reminders_since=NOW + timedelta(minutes=106)), [106]),
        (doc(reminders_since=NOW + timedelta(minutes=107)), []),
    ]  # fmt: skip
    for one, wanted in cases:
        assert due(one) == wanted, dict(one)
    both = doc(reminders=[{"minutes_before": n, "channel": "in_app", "sent_at": None} for n in (60, 15)])
    assert [(id, number) for _, id, number in reminder_times([both])] == [("event_1", 0), ("event_1", 1)]
    daily: dict[str, Any] = {"recurrence": "FREQ=DAILY;COUNT=3", "timezone": "UTC"}
    assert due(doc(**daily)) == [105]
    once = [{"minutes_before": 15, "channel": "in_app", "sent_at": NOW + timedelta(minutes=105)}]
    assert due(doc(**daily, reminders=once)) == [105 + 24 * 60], "the next occurrence"
    at = NOW + timedelta(minutes=105)
    for since, minutes in ((at, 105 + 24 * 60), (at + MINUTE, 105 + 1), (at - MINUTE, 105 + 24 * 60)):
        assert due(doc(**daily, reminders=once, reminders_since=since)) == [minutes], "one sent before does not count"
    assert due(doc(**daily, reminders=once, reminders_since=at + 1.5 * MINUTE)) == [105 + 24 * 60]
    last = [{"minutes_before": 15, "channel": "in_app", "sent_at": NOW + timedelta(days=2, minutes=105)}]
    assert due(doc(**daily, reminders=last)) == []
    assert moment_of(doc(kind="task", due_at=NOW)) == NOW and moment_of(doc(kind="call")) == start
    again = sent_again(doc(reminders=once), NOW)
    assert again == {"reminders": [once[0] | {"sent_at": None}], "reminders_since": NOW}
    assert unsent_reminders(NOW, [5])["reminders"] == [{"minutes_before": 5, "channel": "in_app", "sent_at": None}]
    assert [one["minutes_before"] for one in unsent_reminders(NOW)["reminders"]] == [1440, 60, 15]


@pytest.fixture
def crm(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


def test_what_reminders_say(stub: StubServer, crm: CrmClient) -> None:
    start = stub.clock.now().replace(microsecond=0) + timedelta(days=3)
    guests: Any = [
        {"email": "sam@acme.test"},
        {"email": "mia@acme.test", "status": "declined"},
        {"email": "x@y.example"},
    ]
    meeting = crm.activities.events.create({
        "title": "Meet", "start_time": start, "end_time": start + timedelta(hours=1), "attendees": guests,
        "reminders": [{"minutes_before": 1440}, {"minutes_before": 60}, {"minutes_before": 10}],
    })  # fmt: skip
    crm.activities.tasks.create(
        {"title": "Do", "due_at": start, "priority": "high", "reminders": [{"minutes_before": 60}]}
    )
    stub.clock.advance(3 * 86_400)
    crm.contacts.list(limit=1)
    notes = [
        one
        for one in stub.store.collection("tenant_acme", "notification").all()
        if one["title"].startswith(("Meet ", "Do "))
    ]
    told = sorted({(one["user_id"], one["type"], one["title"], one["priority"]) for one in notes})
    assert told == [
        ("user_ada", "meeting_reminder", "Meet begins in 1 day", "low"),
        ("user_ada", "meeting_reminder", "Meet begins in 1 hour", "medium"),
        ("user_ada", "meeting_reminder", "Meet begins in 10 minutes", "high"),
        ("user_ada", "task_due", "Do is due in 1 hour", "high"),
        ("user_sam", "meeting_reminder", "Meet begins in 1 day", "low"),
        ("user_sam", "meeting_reminder", "Meet begins in 1 hour", "medium"),
        ("user_sam", "meeting_reminder", "Meet begins in 10 minutes", "high"),
    ]
    begins = {one["message"] for one in notes if one["user_id"] == "user_ada" and one["type"] == "meeting_reminder"}
    assert begins == {"Meet begins at 04:00 on 2026-01-18."}
    ends = {one["type"]: one["expires_at"] for one in notes}
    assert ends == {"meeting_reminder": start + timedelta(hours=1), "task_due": start + timedelta(days=1)}
    events = [one for one in stub.audit() if one["action"] == "event.reminder" and one["entity"]["id"] == meeting.id]
    assert [one["metadata"]["minutes_until"] for one in events] == [1440, 60, 10]


def test_an_outcome_and_its_follow_up(stub: StubServer) -> None:
    crm = stub.client(dialects="flow", max_retries=0, strict=True)
    start = stub.clock.now().replace(microsecond=0) - timedelta(days=1)
    body: Any = {"title": "Talk", "start_time": start, "end_time": start + timedelta(minutes=45), "location": "Room 1"}
    event = crm.calendar.events.create(body)
    for outcome, field, rule in (
        ({"summary": "Fine", "follow_up_required": True, "follow_up_date": start}, "follow_up_date", "min"),
    ):  # fmt: skip
        given: Any = outcome
        error = refused(lambda given=given: crm.calendar.events.outcome(event.id, given))  # type: ignore[misc] # the value of this turn is bound
        assert error.fields[0].field == field and rule in (None, error.fields[0].rule)
    asked = start + timedelta(days=5)
    noted: Any = {
        "summary": "Great, thank you!",
        "follow_up_required": True,
        "follow_up_date": asked,
        "next_steps": ["Send", "Call"],
    }
    done = crm.calendar.events.outcome(event.id, noted)
    outcome_ = some(done.outcome)
    assert (done.status, outcome_.follow_up_date, outcome_.next_steps) == ("completed", asked, ["Send", "Call"])
    assert (outcome_.sentiment_score or 0) > 0
    (follow,) = (one for one in crm.calendar.events.list() if one.title == "Follow-up: Talk")
    assert (follow.type, follow.start_time, follow.end_time, follow.location) == (
        "follow-up", asked, asked + timedelta(minutes=30), "Room 1",
    )  # fmt: skip
    assert follow.description == "Great, thank you!\n\n- Send\n- Call"
    later = asked + timedelta(days=1)
    noted["follow_up_date"] = later
    crm.calendar.events.outcome(event.id, noted)
    (moved,) = (one for one in crm.calendar.events.list() if one.title == "Follow-up: Talk")
    assert (moved.id, moved.start_time, moved.end_time) == (follow.id, later, later + timedelta(minutes=30))
    body["title"] = "Dull"
    other = crm.calendar.events.create(body)
    bare = crm.calendar.events.outcome(other.id, {"summary": "It was awful and a failure"})
    assert (some(bare.outcome).sentiment_score or 0) < 0 and some(bare.outcome).follow_up_date is None
    assert not [one for one in crm.calendar.events.list() if one.title == "Follow-up: Dull"]
    crm.calendar.events.set_status(other.id, "cancelled")
    cancelled = refused(lambda: crm.calendar.events.outcome(other.id, {"summary": "x"}))
    assert (cancelled.status, cancelled.code) == (409, "MEETING_CANCELLED")
