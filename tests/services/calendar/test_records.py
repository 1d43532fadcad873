"""The rules of the calendar, as a caller meets them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from refusals import refused

from crm_sdk import CrmClient, InvalidInputError
from crm_sdk.models.activities import CalendarEvent
from crm_sdk.models.contacts import Contact
from server_stub import StubServer

FLOW: dict[str, Any] = {"dialects": "flow", "max_retries": 0, "strict": True}


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(**FLOW)


@pytest.fixture
def guest(client: CrmClient) -> Contact:
    return client.contacts.create({"name": "Paula Neu", "email": "paula@neu.example", "notes": ["Likes tea"]})


def local(stub: StubServer, days: int, clock: str, zone: str = "America/New_York") -> datetime:
    """Return a moment so many days from now, on the clock of a zone."""
    hour, minute = map(int, clock.split(":"))
    day = stub.clock.now().astimezone(ZoneInfo(zone)) + timedelta(days=days)
    return day.replace(hour=hour, minute=minute, second=0, microsecond=0)


def planned(client: CrmClient, start: datetime, minutes: int = 60, **members: Any) -> CalendarEvent:
    event: Any = {"title": "Talk", "start_time": start, "end_time": start + timedelta(minutes=minutes), **members}
    return client.calendar.events.create(event)


def put_deal(stub: StubServer, contact: Contact, **members: Any) -> str:
    deals = stub.store.collection("tenant_acme", "deal")
    deals.put(
        deals.all()[0] | {"id": "deal_tea", "title": "Tea", "contact_id": contact.id, "contact_roles": []} | members
    )
    return "deal_tea"


# -- events ----------------------------------------------------------------------------------------------------------


def test_the_contact_of_an_event_is_its_deals_unless_it_is_taken_away(
    client: CrmClient, stub: StubServer, guest: Contact
) -> None:
    deal_id = put_deal(stub, guest)
    event = planned(client, local(stub, 1, "10:00"), deal_id=deal_id)
    assert (event.contact_id, event.contact_name) == (guest.id, "Paula Neu")
    assert planned(client, local(stub, 2, "10:00"), deal_id=deal_id, contact_id=None).contact_id == guest.id
    cleared: Any = {"contact_id": None}
    without = client.calendar.events.update(event.id, cleared)
    assert (without.contact_id, without.contact_name) == (None, None)


def test_an_event_is_completed_on_writing(client: CrmClient, stub: StubServer, guest: Contact) -> None:
    event = planned(client, local(stub, 1, "10:00"), contact_id=guest.id)
    assert (event.contact_name, event.type, event.status, event.priority) == (
        "Paula Neu",
        "meeting",
        "scheduled",
        "medium",
    )
    assert [(person.name, person.role, person.status) for person in event.attendees] == [
        ("Ada Lindqvist", "host", "accepted"),
        ("Paula Neu", "required", "pending"),
    ]
    assert client.calendar.events.get(event.id) == event
    alone = planned(client, local(stub, 1, "10:00"), attendees=[{"email": "nobody@x.example"}], contact_name="Nobody")
    assert [(person.name, alone.contact_name) for person in alone.attendees] == [("nobody", "Nobody")]
    assert [entry["action"] for entry in stub.audit() if entry["entity"]["id"] == alone.id] == [
        "activity.created",
        "event.created",
    ]


def test_an_event_that_cannot_be_is_refused(client: CrmClient, stub: StubServer) -> None:
    start = local(stub, 1, "10:00")
    assert refused(lambda: planned(client, start, 0)).details["field"] == "endTime"
    assert refused(lambda: planned(client, start, 60 * 24 * 15)).details["field"] == "endTime"
    assert refused(lambda: planned(client, start, contact_id="contact_nope")).code == "REFERENCE_NOT_FOUND"
    assert refused(lambda: planned(client, start, type="party")).details["rule"] == "choice"
    assert refused(lambda: client.calendar.events.get("contact_123")).status == 404
    call = next(doc for doc in stub.store.collection("tenant_acme", "activity") if doc["kind"] == "call")
    assert refused(lambda: client.calendar.events.get(call["id"])).status == 404
    ours = stub.client(api_key="acme-sales", **FLOW).calendar.events
    assert refused(lambda: ours.delete("event_ada_terms")).status == 403


def test_a_window_and_filters_choose_among_the_users_own(client: CrmClient, stub: StubServer) -> None:
    early, late = local(stub, 40, "09:00"), local(stub, 41, "09:00")
    first, second = planned(client, early, priority="high"), planned(client, late, type="follow-up")
    window: dict[str, Any] = {"start": early + timedelta(minutes=30), "end": late}
    assert [event.id for event in client.calendar.events.list(**window)] == [first.id]
    assert [event.id for event in client.calendar.events.list(start=early, end=late + timedelta(hours=1))] == [
        first.id,
        second.id,
    ]
    for name, id in (("meetings", first.id), ("high-priority", first.id), ("follow-ups", second.id)):
        assert [event.id for event in client.calendar.events.list(start=early, filter=name)] == [id]
    assert first.id not in [event.id for event in client.calendar.events.list(filter="this-week")]
    sam = stub.client(api_key="acme-sales", **FLOW)
    assert first.id not in [event.id for event in sam.calendar.events.list()]
    client.calendar.events.update(first.id, {"attendees": [{"email": "sam@acme.test"}]})
    assert first.id in [event.id for event in sam.calendar.events.list()]
    assert refused(lambda: client.calendar.events.list(start=late, end=early)).status == 422


def test_a_change_moves_the_end_and_a_deletion_removes(client: CrmClient, stub: StubServer) -> None:
    start = local(stub, 1, "10:00")
    event = planned(client, start)
    moved = client.calendar.events.update(event.id, {"start_time": start + timedelta(hours=2), "title": " New "})
    assert (moved.end_time - moved.start_time, moved.title) == (timedelta(hours=1), "New")
    assert client.calendar.events.set_status(event.id, "confirmed").status == "confirmed"
    assert refused(lambda: client.calendar.events.set_status(event.id, "maybe")).status == 422
    client.calendar.events.delete(event.id)
    assert refused(lambda: client.calendar.events.get(event.id)).status == 404


# -- preparation -----------------------------------------------------------------------------------------------------


def test_the_preparation_follows_type_contact_and_deal(client: CrmClient, stub: StubServer, guest: Contact) -> None:
    start = local(stub, 3, "10:00")
    bare = planned(client, start).preparation
    event = planned(client, start, contact_id=guest.id)
    assert bare is not None
    assert event.preparation is not None
    assert "Likes tea" in event.preparation.personal_notes
    assert bare.personal_notes == []
    demo = client.calendar.events.update(event.id, {"type": "demo"}).preparation
    assert demo is not None
    assert "Demo script" in demo.documents_to_share
    client.contacts.communication.create(
        guest.id,
        {
            "type": "email",
            "date": stub.clock.now(),
            "subject": "Bad",
            "summary": "We are disappointed and want to cancel.",
        },
    )
    cross = client.calendar.events.preparation(event.id)
    assert "disappointed" in cross.recent_interactions[0]
    assert cross.competitor_intel is not None
    assert any("went wrong: Bad" in point for point in cross.suggested_talking_points)
    put_deal(
        stub,
        guest,
        stage="proposal",
        status="open",
        risk_factors=["budget"],
        positive_signals=[],
        competitor_mentioned="Initech",
    )
    full = client.calendar.events.get(event.id)
    assert full.preparation is not None
    assert "Tea: proposal" in (full.preparation.deal_context or "")
    assert "Comparison with Initech" in full.preparation.documents_to_share
    assert {insight.type for insight in full.ai_insights} == {"risk"}
    put_deal(stub, guest, stage="negotiation", status="open", positive_signals=["asked for the contract"])
    later = client.calendar.events.get(event.id)
    assert later.preparation is not None
    assert "Draft contract: Tea" in later.preparation.documents_to_share
    assert "opportunity" in {insight.type for insight in later.ai_insights}
    assert client.calendar.events.update(event.id, {"contact_name": "Somebody"}).contact_name == "Paula Neu"
    other = client.calendar.events.update(event.id, {"contact_id": "contact_123"})
    assert other.preparation is not None
    assert "Likes tea" not in other.preparation.personal_notes
    assert other.preparation.deal_context != later.preparation.deal_context


def test_a_meeting_outside_the_calendar_is_prepared(client: CrmClient, stub: StubServer, guest: Contact) -> None:
    put_deal(stub, guest, stage="proposal", status="open", competitor_mentioned="Initech")
    by_deal = client.ai.meeting_preparation("meeting", deal_id="deal_tea")
    assert "Likes tea" in by_deal.personal_notes
    given = client.ai.meeting_preparation("call", contact_id=guest.id, communication_history=["We are very happy."])
    assert given.recent_interactions == ["We are very happy. (positive)"]
    assert given.suggested_talking_points != by_deal.suggested_talking_points
    assert refused(lambda: client.ai.meeting_preparation("call", deal_id="deal_nope")).status == 422
    stub.faults.add("status", status=500, code="AI_SERVICE_ERROR", operation="ai.meeting_preparation")
    assert refused(lambda: client.ai.meeting_preparation("call")).code == "AI_SERVICE_ERROR"


# -- outcome ---------------------------------------------------------------------------------------------------------


def test_an_outcome_completes_and_creates_the_follow_up_once(
    client: CrmClient, stub: StubServer, guest: Contact
) -> None:
    event = planned(client, local(stub, 1, "18:00"), contact_id=guest.id)
    none = client.calendar.events.outcome(event.id, {"summary": "Great talk, they are happy."})
    assert none.status == "completed"
    assert none.outcome is not None
    assert (none.outcome.sentiment_score or 0) > 0
    assert none.outcome.follow_up_date is None
    before = client.calendar.stats().follow_ups_needed
    done = client.calendar.events.outcome(
        event.id, {"summary": "Great.", "next_steps": ["Call"], "follow_up_required": True}
    )
    assert done.outcome is not None
    at = done.outcome.follow_up_date
    assert at == local(stub, 11, "09:00")  # a week later at 18:00 nobody is at work, nor are they at the weekend
    assert client.calendar.stats().follow_ups_needed == before + 1
    (follow_up,) = [found for found in client.calendar.events.list(filter="follow-ups") if found.start_time == at]
    assert (follow_up.title, follow_up.contact_id, follow_up.type) == ("Follow-up: Talk", guest.id, "follow-up")
    assert "- Call" in (follow_up.description or "")
    assert client.contacts.get(guest.id).next_follow_up == at
    wanted = local(stub, 5, "11:00")
    client.calendar.events.outcome(event.id, {"summary": "x", "follow_up_required": True, "follow_up_date": wanted})
    assert client.calendar.events.get(follow_up.id).start_time == wanted
    client.calendar.events.set_status(follow_up.id, "completed")
    assert client.calendar.stats().follow_ups_needed == before


@pytest.mark.parametrize("undone", ["cancelled", "no-show", "deleted"])
def test_a_follow_up_that_does_not_take_place_is_wanted_again(client: CrmClient, stub: StubServer, undone: Any) -> None:
    event, wanted = planned(client, local(stub, 1, "10:00")), local(stub, 20, "10:00")
    before = client.calendar.stats().follow_ups_needed
    client.calendar.events.outcome(event.id, {"summary": "x", "follow_up_required": True, "follow_up_date": wanted})
    (follow_up,) = client.calendar.events.list(start=wanted, end=wanted + timedelta(minutes=1))
    client.calendar.events.set_status(follow_up.id, "completed")
    assert client.calendar.stats().follow_ups_needed == before
    if undone == "deleted":
        client.calendar.events.delete(follow_up.id)
    else:
        client.calendar.events.set_status(follow_up.id, undone)
    assert client.calendar.stats().follow_ups_needed == before + 1


def test_a_follow_up_of_a_contact_that_is_gone_is_still_made(
    client: CrmClient, stub: StubServer, guest: Contact
) -> None:
    event = planned(client, local(stub, 1, "10:00"), contact_id=guest.id)
    client.contacts.delete(guest.id)
    wanted = local(stub, 20, "10:00")
    client.calendar.events.outcome(event.id, {"summary": "x", "follow_up_required": True, "follow_up_date": wanted})
    (made,) = client.calendar.events.list(start=wanted, end=wanted + timedelta(minutes=1))
    assert (made.contact_id, made.contact_name) == (None, "Paula Neu")


def test_an_outcome_is_checked_and_moves_the_contact(client: CrmClient, stub: StubServer, guest: Contact) -> None:
    event = planned(client, local(stub, -1, "10:00"), contact_id=guest.id)
    with pytest.raises(InvalidInputError):
        client.calendar.events.outcome(event.id, {"summary": "x", "meeting_rating": 6})
    early: Any = {"summary": "x", "follow_up_required": True, "follow_up_date": event.start_time - timedelta(days=1)}
    assert refused(lambda: client.calendar.events.outcome(event.id, early)).status == 422
    before = client.contacts.get(guest.id)
    client.calendar.events.outcome(event.id, {"summary": "Terrible, a disaster.", "sentiment_score": -90})
    after = client.contacts.get(guest.id)
    assert after.health_score != before.health_score
    assert [entry.type for entry in after.communication_history] == ["meeting"]
    client.calendar.events.set_status(event.id, "cancelled")
    assert refused(lambda: client.calendar.events.outcome(event.id, {"summary": "x"})).code == "MEETING_CANCELLED"


# -- stats and reminders ---------------------------------------------------------------------------------------------


def test_the_week_is_counted_on_the_users_clock(client: CrmClient, stub: StubServer) -> None:
    before = client.calendar.stats()
    sunday = local(stub, 6 - stub.clock.now().weekday(), "23:30")  # Monday in UTC already
    event = planned(client, sunday, 15, priority="high")
    planned(client, sunday + timedelta(hours=1), 15)
    after = client.calendar.stats()
    assert after.total_this_week == before.total_this_week + 1
    assert after.meetings_this_week == before.meetings_this_week + 1
    assert after.high_priority_this_week == before.high_priority_this_week + 1
    client.calendar.events.set_status(event.id, "cancelled")
    assert client.calendar.stats() == before


def reminded(stub: StubServer, event: CalendarEvent) -> list[tuple[datetime, int]]:
    return [
        (entry["occurred_at"], entry["metadata"]["minutes_until"])
        for entry in stub.audit()
        if entry["action"] == "event.reminder" and entry["entity"]["id"] == event.id
    ]


@pytest.mark.thorough
def test_three_reminders_are_sent_once_each_in_order(client: CrmClient, stub: StubServer) -> None:
    start = stub.clock.now().replace(minute=7) + timedelta(days=2)
    event = planned(client, start)
    wanted = [(start - timedelta(minutes=minutes), minutes) for minutes in (1_440, 60, 15)]
    stub.clock.advance(86_400 * 1.5)
    client.calendar.stats()
    assert reminded(stub, event) == wanted[:1]
    saved = stub.snapshot()
    for _ in range(2):
        stub.restore(saved)
        stub.clock.advance(86_400)
        client.calendar.stats()
        client.calendar.stats()
        assert reminded(stub, event) == wanted
    times = [entry["occurred_at"] for entry in stub.audit() if entry["action"] == "event.reminder"]
    assert times == sorted(times)
    told = [
        doc for doc in stub.store.collection("tenant_acme", "notification") if event.id in (doc["action_url"] or "")
    ]
    assert [(doc["user_id"], doc["type"], doc["read"], doc["priority"]) for doc in told] == [
        ("user_ada", "meeting_reminder", False, priority) for priority in ("low", "medium", "high")
    ]
    assert told[0]["expires_at"] == event.end_time


@pytest.mark.thorough
def test_reminders_follow_what_becomes_of_the_event(client: CrmClient, stub: StubServer) -> None:
    soon = planned(client, stub.clock.now() + timedelta(minutes=30))
    moved = planned(client, stub.clock.now() + timedelta(hours=2))
    dropped = planned(client, stub.clock.now() + timedelta(hours=2))
    client.calendar.events.update(moved.id, {"start_time": stub.clock.now() + timedelta(days=3)})
    client.calendar.events.set_status(dropped.id, "cancelled")
    stub.clock.advance(86_400)
    client.calendar.stats()
    assert [minutes for _, minutes in reminded(stub, soon)] == [15]
    assert reminded(stub, moved) == reminded(stub, dropped) == []
    client.calendar.events.set_status(moved.id, "cancelled")
    stub.clock.advance(86_400 * 1.5)
    client.calendar.events.set_status(moved.id, "scheduled")
    stub.clock.advance(86_400)
    client.calendar.stats()
    assert [minutes for _, minutes in reminded(stub, moved)] == [60, 15]


def test_what_a_meeting_tells_moves_its_deal(client: CrmClient, stub: StubServer, guest: Contact) -> None:
    deal = client.deals.create({"title": "Tea", "contact_id": guest.id, "stage": "proposal"})
    event = planned(client, local(stub, 0, "03:00"), contact_id=guest.id, deal_id=deal.id)
    before = len(stub.audit())
    client.calendar.events.outcome(event.id, {"summary": "Budget approved, they are ready to sign"})
    after = client.deals.get(deal.id)
    assert (after.probability or 0) > (deal.probability or 0)
    (told,) = [entry for entry in stub.audit()[before:] if entry["action"] == "deal.updated"]
    moved = {change["field"]: (change["before"], change["after"]) for change in told["changes"]}
    assert moved["probability"] == (deal.probability, after.probability)


def test_the_demo_datas_meetings_are_held_in_office_hours(stub: StubServer) -> None:
    client = stub.client()
    zone = ZoneInfo("America/New_York")
    held = [
        activity.occurred_at.astimezone(zone)
        for contact in client.contacts.list()
        for activity in client.contacts.activities.list(contact.id)
        if activity.kind in ("event", "call") and activity.occurred_at and activity.occurred_at < stub.clock.now()
    ]
    inside = [at for at in held if at.weekday() < 5 and 8 <= at.hour < 18]
    assert len(held) > 50 and len(inside) > 0.9 * len(held)


@pytest.mark.parametrize(("minutes", "taken"), [(-1, False), (0, False), (1, True)])
def test_a_follow_up_begins_after_the_meeting(client: CrmClient, stub: StubServer, minutes: int, taken: bool) -> None:
    event = planned(client, local(stub, 1, "10:00"))
    at = event.start_time + timedelta(minutes=minutes)
    outcome: Any = {"summary": "x", "follow_up_required": True, "follow_up_date": at}
    if taken:
        noted = client.calendar.events.outcome(event.id, outcome).outcome
        assert noted is not None and noted.follow_up_date == at
    else:
        error = refused(lambda: client.calendar.events.outcome(event.id, outcome))
        assert (error.status, error.details["rule"]) == (422, "min")


def test_a_private_event_is_prepared_for_nobody_else(stub: StubServer) -> None:
    crm = stub.client(dialects="flow,platform", max_retries=0)
    other = stub.client(api_key="acme-sales", dialects="flow", max_retries=0)
    start = stub.clock.now() + timedelta(hours=2)
    given: Any = {"title": "Interview", "start_time": start, "end_time": start + timedelta(hours=1)}
    for visibility in ("public", "private"):
        event = crm.activities.events.create(
            given | {"visibility": visibility, "attendees": [{"email": "a@x.example"}]}
        )
        assert crm.calendar.events.preparation(event.id).suggested_talking_points
        if visibility == "public":
            assert other.calendar.events.preparation(event.id).suggested_talking_points
    error = refused(lambda: other.calendar.events.preparation(event.id))
    assert (error.status, error.code, error.details["id"]) == (404, "NOT_FOUND", event.id)
    assert error.details["reason"] == "the event is private"
    blank = crm.request("POST", f"/api/calendar/events/{event.id}/outcome", json={"summary": "  "})
    assert (blank.status, blank.json()["error"]["details"]["field"]) == (422, "summary")
