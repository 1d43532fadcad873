"""Guests from outside: their mail has the token with which they answer, and no more than they may see."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from crm_sdk import CrmClient
from crm_sdk.models import CalendarEvent
from server_stub import StubServer

GUEST = "guest@else.example"


@pytest.fixture
def acme(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


def meeting(stub: StubServer, crm: CrmClient, **more: Any) -> CalendarEvent:
    at = stub.clock.now() + timedelta(days=3)
    body: Any = {
        "title": "Turbines", "start_time": at, "end_time": at + timedelta(hours=1),
        "attendees": [{"email": "ada@acme.test", "role": "host"}, {"email": GUEST}], **more,
    }  # fmt: skip
    return crm.communication.meetings.create(body, force=True)


def event_of(crm: CrmClient, id: str) -> CalendarEvent:
    found = crm.activities.get(id)
    assert isinstance(found, CalendarEvent)
    return found


def letters(crm: CrmClient) -> list[str]:
    return [str(one.message) for one in crm.notifications.history(channel="email") if one.recipient == GUEST]


def test_the_token_is_in_the_mail(stub: StubServer, acme: CrmClient) -> None:
    made = meeting(stub, acme)
    (text,) = letters(acme)
    token = text.rpartition(" ")[2]
    assert "Turbines" in text
    with httpx.Client(transport=stub.transport(), base_url="http://stub.test") as http:
        reply = http.put(f"/v1/calendar/events/{made.id}/response", json={"status": "declined", "token": token})
    assert reply.status_code == 200, reply.text
    assert {one.email: one.status for one in event_of(acme, made.id).attendees}[GUEST] == "declined"


def test_a_private_event_is_not_named_to_those_who_read_what_was_sent(stub: StubServer, acme: CrmClient) -> None:
    meeting(stub, acme, visibility="private")
    (text,) = letters(acme)
    assert "Turbines" not in text


def test_a_cancellation_asks_for_no_answer(stub: StubServer, acme: CrmClient) -> None:
    made = meeting(stub, acme)
    acme.communication.meetings.cancel(made.id)
    assert sum("token" in text for text in letters(acme)) == 1 and len(letters(acme)) == 2


@pytest.mark.parametrize("more", [{}, {"scope": "this"}, {"scope": "all"}])
def test_an_answer_to_one_occurrence_is_for_that_one_only(stub: StubServer, acme: CrmClient, more: Any) -> None:
    series = meeting(stub, acme, recurrence="FREQ=DAILY;COUNT=4")
    assert series.start_time is not None
    second = series.start_time + timedelta(days=1)
    answered = acme.calendar.events.respond(series.id, "declined", email="ada@acme.test", occurrence=second, **more)
    assert (answered.series_id, answered.original_start) == (series.id, second)
    status = {one.email: one.status for one in answered.attendees}
    assert status["ada@acme.test"] == "declined"
    rest = event_of(acme, series.id)
    assert {one.email: one.status for one in rest.attendees}["ada@acme.test"] != "declined"
    assert rest.exdates == [second]
