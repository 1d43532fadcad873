"""Who answers an invitation, with which address, and whom an event is with."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from refusals import refused
from stub_data import stored

from crm_sdk import CrmClient
from server_stub import StubServer


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="flow", max_retries=0, strict=True)


def planned(stub: StubServer, client: CrmClient, **members: Any) -> Any:
    start = stub.clock.now() + timedelta(days=5)
    event: Any = {"title": "Meet", "start_time": start, "end_time": start + timedelta(hours=1), **members}
    return client.calendar.events.create(event)


def test_who_attends_twice_says_with_which_address(stub: StubServer) -> None:
    crm = stub.client(dialects="platform", max_retries=0, strict=True)
    at = stub.clock.now() + timedelta(days=5)
    people = [{"email": "ada@acme.test"}, {"email": "ADA@else.example"}, {"email": "sam@acme.test", "role": "host"}]
    body: Any = {"title": "Meet", "start_time": at, "end_time": at + timedelta(hours=1), "attendees": people}
    event = crm.communication.meetings.create(body, force=True)
    kept = stub.store.collection("tenant_acme", "activity").get(event.id)
    assert kept is not None
    twice = [
        guest | {"user_id": "user_ada"} if "else" in guest["email"].casefold() else guest for guest in kept["attendees"]
    ]
    stored(stub, "activity", event.id, attendees=twice)
    error = refused(lambda: crm.calendar.events.respond(event.id, "accepted"))
    assert (error.code, error.fields[0].field) == ("VALIDATION_ERROR", "email")
    answered = crm.calendar.events.respond(event.id, "tentative", email=" Ada@Else.example ", comment="Maybe")
    states = {guest.email.casefold(): guest.status for guest in answered.attendees}
    assert (states["ada@else.example"], states["ada@acme.test"]) == ("tentative", "pending")
    assert refused(lambda: crm.calendar.events.respond(event.id, "accepted", email="x@y.example")).code == (
        "NOT_AN_ATTENDEE"
    )
    told = [
        (one["user_id"], one["title"], one["message"])
        for one in stub.store.collection("tenant_acme", "notification") if one["type"] == "meeting_reminder"
    ]  # fmt: skip
    assert [one for one in told if "Meet" in one[1]][-1][::2] == ("user_sam", "Maybe")
    mia = stub.client(dialects="platform", api_key="globex-admin", max_retries=0)
    assert refused(lambda: mia.calendar.events.respond(event.id, "accepted")).status == 404


def test_an_event_is_with_the_contact_of_its_deal_unless_it_says_with_nobody(
    stub: StubServer, client: CrmClient
) -> None:
    crm = stub.client(dialects="platform", max_retries=0, strict=True)
    firm = crm.accounts.create({"name": "Firm"}).id
    eve, bob = (crm.contacts.create({"name": name, "account_id": firm}).id for name in ("Eve", "Bob"))
    deal = crm.deals.create({"title": "Engine", "contact_id": eve}).id
    made = planned(stub, client, deal_id=deal)
    assert (made.contact_id, made.contact_name, made.contact_company) == (eve, "Eve", "Firm")
    assert planned(stub, client, deal_id=deal, contact_id=bob).contact_id == bob
    plain = planned(stub, client, contact_name="Nobody")
    assert (plain.contact_id, plain.contact_name) == (None, "Nobody")
    linked = client.calendar.events.update(plain.id, {"deal_id": deal})
    assert (linked.contact_id, linked.contact_name) == (eve, "Eve")
    cleared = client.calendar.events.update(made.id, {"contact_id": None})
    assert (cleared.contact_id, cleared.contact_name) == (None, None)
    named = client.calendar.events.update(linked.id, {"contact_name": "Eva"})
    assert (named.contact_id, named.contact_name) == (eve, "Eve"), "it is the contact's"


def test_what_a_contact_attends_takes_the_time_of_the_contact(stub: StubServer, client: CrmClient) -> None:
    first = client.calendar.smart_scheduling(60, contact_id="contact_123").suggested_times[0].start_time
    email = stub.client(dialects="platform").contacts.get("contact_123").email
    sam = stub.client(api_key="acme-sales", dialects="flow", max_retries=0)
    event: Any = {"title": "Taken", "start_time": first, "end_time": first + timedelta(hours=1)}
    made = sam.calendar.events.create(event | {"attendees": [{"email": email}]})
    assert [guest.email for guest in made.attendees][-1] == email and made.contact_id is None
    times = client.calendar.smart_scheduling(60, contact_id="contact_123").suggested_times
    assert first not in [found.start_time for found in times]
    assert first in [found.start_time for found in client.calendar.smart_scheduling(60).suggested_times]
