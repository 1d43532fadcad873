"""Calls that go on by the clock, and meetings with invitations and a way in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from crm_sdk import ConflictError, CrmClient, PermissionDeniedError
from server_stub import StubServer
from server_stub.request.http import Request

from .conftest import telephone


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    made = stub.client(dialects="platform", max_retries=0, strict=True)
    telephone(made)
    return made


def code_of(caught: pytest.ExceptionInfo[Any]) -> str:
    return str(caught.value.code)


def test_a_dialled_call_rings_is_answered_and_recorded(stub: StubServer, client: CrmClient) -> None:
    call = client.communication.calls.dial("+49 30 1234567", record=True)
    assert (call.status, call.to_number, call.provider) == ("queued", "+49301234567", "twilio")
    with pytest.raises(ConflictError) as caught:
        client.communication.calls.dial("+49301234568")
    assert code_of(caught) == "USER_BUSY"
    seen = []
    for seconds in (1, 5, 100):
        stub.clock.advance(seconds)
        seen.append(client.communication.calls.get(call.id).status)
    assert seen == ["ringing", "in_progress", "completed"]
    done = client.communication.calls.get(call.id)
    assert done.duration_seconds and done.recording_url
    sound = stub.handle(Request("GET", done.recording_url.removeprefix("http://stub.test")))
    assert sound.body[:4] == b"RIFF"
    with pytest.raises(ConflictError) as caught:
        client.communication.calls.update(call.id, {"status": "failed"})
    assert code_of(caught) == "CALL_ENDED"
    assert client.communication.calls.update(call.id, {"next_step": "Send it"}).next_step == "Send it"
    actions = [entry["action"] for entry in stub.audit()]
    assert actions.count("call.started") == actions.count("call.completed") == 1


def test_a_dialled_call_that_is_said_to_have_ended_ends_now(stub: StubServer, client: CrmClient) -> None:
    call = client.communication.calls.dial("+49 30 1234567")
    stub.clock.advance(6)
    assert client.communication.calls.update(call.id, {"next_step": "Send it"}).end_time is None
    at = stub.clock.now()
    done = client.communication.calls.update(call.id, {"status": "completed"})
    assert done.end_time is not None and 0 <= (done.end_time - at).total_seconds() < 1


@pytest.mark.parametrize(("digit", "status"), [("1", "busy"), ("2", "no_answer"), ("3", "failed")])
def test_a_call_that_nobody_answers(stub: StubServer, client: CrmClient, digit: str, status: str) -> None:
    call = client.communication.calls.dial(f"+4930120000{digit}")
    stub.clock.advance(10)
    assert client.communication.calls.get(call.id).status == status


def meeting(stub: StubServer, client: CrmClient, minutes: int = 10, **given: Any) -> Any:
    start = stub.clock.now() + timedelta(minutes=minutes)
    event: Any = {"title": "Talk", "start_time": start, "end_time": start + timedelta(minutes=30), **given}
    return client.communication.meetings.create(event, force=True)


def test_a_guest_gets_an_icalendar_file_and_its_end(stub: StubServer, client: CrmClient) -> None:
    made = meeting(stub, client, attendees=[{"email": "grace@navy.example"}])
    stub.store.collection("tenant_acme", "invitation")
    off = client.communication.meetings.cancel(made.id, reason="Snow")
    assert (off.status, off.cancelled_reason) == ("cancelled", "Snow")
    assert client.communication.meetings.cancel(made.id).version == off.version
    sent = stub.store.collection("tenant_acme", "invitation").find("event_id", made.id)
    assert [doc["method"] for doc in sent] == ["REQUEST", "CANCEL"]
    assert b"METHOD:REQUEST" in sent[0]["content"] and b"STATUS:CANCELLED" in sent[1]["content"]
    with pytest.raises(ConflictError) as caught:
        client.communication.meetings.update(made.id, {"title": "x"})
    assert code_of(caught) == "ACTIVITY_CLOSED"


def test_who_may_join_when(stub: StubServer, client: CrmClient) -> None:
    made = meeting(stub, client, 20)
    join = client.communication.meetings.join
    other = stub.client(api_key="acme-sales", dialects="platform", max_retries=0)
    with pytest.raises(PermissionDeniedError) as refused:
        other.communication.meetings.join(made.id)
    assert code_of(refused) == "NOT_AN_ATTENDEE"
    with pytest.raises(ConflictError) as caught:
        join(made.id)
    assert code_of(caught) == "MEETING_NOT_OPEN"
    stub.clock.advance(5 * 60)
    assert join(made.id).role == "host"
    assert join(made.id, email="guest@x.example").role == "guest"
    stub.clock.advance(45 * 60)
    with pytest.raises(ConflictError) as caught:
        join(made.id)
    assert code_of(caught) == "MEETING_NOT_OPEN"


def test_nobody_who_wants_no_calls_is_called_by_way_of_another(client: CrmClient) -> None:
    quiet = client.contacts.create({"name": "Quiet", "phone": "+4930777888", "do_not_contact": True})
    other = client.contacts.create({"name": "Other", "phone": "+4930111222"})
    lead = client.leads.create({"name": "Lead", "phone": "+4930333444"})
    ways: list[dict[str, Any]] = [
        {"contact_id": other.id}, {"lead_id": lead.id}, {"lead_id": lead.id, "to_number": "+49 30 777888"}, {}
    ]  # fmt: skip
    for way in ways:
        with pytest.raises(ConflictError) as caught:
            client.communication.calls.dial(**({"to_number": quiet.phone} | way))
        assert code_of(caught) == "RECIPIENT_OPTED_OUT"
    with pytest.raises(ConflictError) as caught:
        client.communication.calls.dial(contact_id=other.id, lead_id=_quiet_lead(client))
    assert code_of(caught) == "RECIPIENT_OPTED_OUT"
    client.contacts.create({"name": "Same office", "phone": "+4930111222", "do_not_contact": True})
    assert client.communication.calls.dial(contact_id=other.id).to_number == other.phone


def _quiet_lead(client: CrmClient) -> str:
    return client.leads.create({"name": "Quiet lead", "phone": "+4930555666", "do_not_contact": True}).id
