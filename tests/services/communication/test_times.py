"""The times of communication: how long a call rings and lasts, when a meeting is open, and what its end tells."""

from __future__ import annotations

import io
import wave
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.clock import TICK
from server_stub.request.http import Request

from .conftest import telephone

LINK = "https://meet.acme.test/talk"


def test_a_call_rings_after_a_second_is_answered_after_five_and_lasts_90(stub: StubServer, client: CrmClient) -> None:
    telephone(client)
    call = client.communication.calls.dial("+49 30 1234567")
    seen: list[str | None] = []
    for tenths in (9, 2, 38, 2, 898, 2):
        stub.clock.advance(tenths / 10)
        seen.append(client.communication.calls.get(call.id).status)
    assert seen == [
        "queued", "ringing", "ringing", "in_progress", "in_progress", "completed",
    ]  # fmt: skip
    done = client.communication.calls.get(call.id)
    assert (done.outcome, done.recording_url, done.duration_seconds) == ("connected", None, 95)


def test_a_call_that_is_over_or_gone_goes_on_no_more(stub: StubServer, client: CrmClient) -> None:
    telephone(client)
    calls, waiting = client.communication.calls, stub.store.collection("tenant_acme", "call_progress")
    gone = calls.dial("+49 30 1234567")
    assert [entry["id"] for entry in waiting.all()] == [gone.id]
    client.activities.delete(gone.id)
    over = calls.dial("+49 30 1234567")
    version = calls.update(over.id, {"status": "cancelled"}).version
    going = calls.dial("+49 30 1234567", record=True)
    stub.clock.advance(6)
    assert [entry["id"] for entry in waiting.all()] == [going.id]
    assert (calls.get(over.id).status, calls.get(over.id).version) == ("cancelled", version)
    assert calls.get(going.id).recording_url is None
    calls.update(going.id, {"outcome": "left_message"})
    later = calls.update(going.id, {"next_step": "Send it"}).version
    stub.clock.advance(91)
    done = calls.get(going.id)
    assert (done.status, done.outcome, done.version) == ("completed", "left_message", some(later) + 1)
    assert waiting.all() == []
    url = some(done.recording_url).removeprefix("http://stub.test")
    for seconds, heard in ((None, 0), (2, 2), (3_599, 3_599), (3_600, 3_600), (3_601, 3_600)):
        stored(stub, "activity", going.id, duration_seconds=seconds)
        reply = stub.handle(Request("GET", url))
        assert (reply.status, reply.headers["Content-Type"]) == (200, "audio/wav")
        with wave.open(io.BytesIO(reply.body)) as sound:
            shape = (sound.getnchannels(), sound.getsampwidth(), sound.getframerate(), sound.getnframes())
            assert shape == (1, 1, 8_000, 8_000 * heard)
            assert set(sound.readframes(8_000)) <= {0x80}


def test_calls_go_on_in_the_order_of_their_times(stub: StubServer, client: CrmClient) -> None:
    telephone(client)
    sam = stub.client(api_key="acme-sales", dialects="platform", max_retries=0)
    first = client.communication.calls.dial("+49 30 120001")
    stub.clock.advance(0.5)
    second = sam.communication.calls.dial("+49 30 1234567")
    log, seen = len(stub.audit()), []
    stub.clock.advance(0.7)
    seen.append((client.communication.calls.get(first.id).status, client.communication.calls.get(second.id).status))
    stub.clock.advance(10)
    told = [
        (entry["entity"]["id"], [one["after"] for one in entry["changes"] if one["field"] == "status"])
        for entry in stub.audit()[log:] if entry["action"] == "call.updated"
    ]  # fmt: skip
    assert seen == [("ringing", "queued")]
    assert told == [(first.id, ["ringing"]), (second.id, ["ringing"]), (first.id, ["busy"]),
                    (second.id, ["in_progress"])]  # fmt: skip
    done = client.communication.calls.get(first.id)
    assert (done.status, done.outcome, done.duration_seconds) == ("busy", "busy", 0)
    assert done.end_time == done.updated_at


def test_a_meeting_is_open_from_15_minutes_before_its_start_to_its_end(stub: StubServer, client: CrmClient) -> None:
    early, long = timedelta(minutes=15), timedelta(minutes=30)
    for at, is_open, series in (
        (-early - TICK, False, False), (-early, True, False), (timedelta(), True, False), (long - TICK, True, False),
        (long, False, False), (-early - TICK, False, True), (-early, True, True), (long - TICK, True, True),
        (long, False, True),
    ):  # fmt: skip
        opens = stub.clock.now().replace(microsecond=0) + timedelta(hours=1)
        start = opens - timedelta(days=1) if series else opens
        event: Any = {"title": "Talk", "start_time": start, "end_time": start + long, "meeting_link": LINK}
        made = client.communication.meetings.create(
            event | ({"recurrence": "FREQ=DAILY;COUNT=3"} if series else {}), force=True
        )
        stub.clock.advance((opens - stub.clock.now() + at - TICK).total_seconds())
        log = len(stub.audit())
        if is_open:
            way = client.communication.meetings.join(made.id)
            assert (way.role, way.expires_at) == ("host", opens + timedelta(minutes=45))
            assert some(way.join_url) == f"{LINK}?token={way.token}"
            (joined,) = [entry for entry in stub.audit()[log:] if entry["action"] == "meeting.joined"]
            assert joined["metadata"] == {"email": "ada@acme.test", "role": "host"}
            continue
        error = refused(partial(client.communication.meetings.join, made.id))
        opens += timedelta(days=1) if series and at > timedelta() else timedelta()
        first, last = opens - early, opens + long
        assert (error.status, error.code) == (409, "MEETING_NOT_OPEN"), at
        assert error.message == f"the meeting is open from {first:%Y-%m-%d %H:%M} to {last:%H:%M} UTC"
        shown = {name: datetime.fromisoformat(text) for name, text in error.details.items()}
        assert shown == {"opensAt": first, "closesAt": last}


def test_what_cannot_be_joined(stub: StubServer, client: CrmClient) -> None:
    def refuse(members: Any, code: str | None) -> None:
        start = stub.clock.now() + timedelta(minutes=5)
        event: Any = {"title": "Talk", "start_time": start, "end_time": start + timedelta(minutes=30)}
        made = client.communication.meetings.create(event, force=True)
        stored(stub, "activity", made.id, **members)
        if code is None:
            assert client.communication.meetings.join(made.id).join_url.startswith(f"{LINK}?a=1&token=")
        else:
            assert refused(lambda: client.communication.meetings.join(made.id)).code == code

    cases: list[tuple[Any, str | None]] = [
        ({"status": "cancelled"}, "MEETING_CANCELLED"),
        ({"status": "completed"}, "MEETING_NOT_OPEN"),
        ({"meeting_link": None}, "NO_MEETING_LINK"),
        ({"meeting_link": f"{LINK}?a=1"}, None),
    ]
    for case in cases:
        refuse(*case)


@pytest.mark.parametrize("notify", [True, False])
def test_a_meeting_is_cancelled_once_with_its_reason(stub: StubServer, client: CrmClient, notify: bool) -> None:
    start = stub.clock.now() + timedelta(days=1)
    event: Any = {
        "title": "Talk", "start_time": start, "end_time": start + timedelta(minutes=30),
        "attendees": [{"email": "eva@x.example"}],
    }  # fmt: skip
    made = client.communication.meetings.create(event, force=True, notify=False)
    for _ in range(2):
        off = client.communication.meetings.cancel(made.id, reason="Snow", notify=notify)
        assert (off.status, off.cancelled_reason) == ("cancelled", "Snow")
    told = [entry for entry in stub.audit() if entry["action"] == "meeting.cancelled"]
    assert [entry["reason"] for entry in told] == ["Snow"]
    sent = stub.store.collection("tenant_acme", "invitation").find("event_id", made.id)
    assert [one["method"] for one in sent] == ["CANCEL"] * notify
    other = client.communication.meetings.create(event, force=True)
    stored(stub, "activity", other.id, status="completed")
    error = refused(lambda: client.communication.meetings.cancel(other.id))
    assert (error.code, error.message) == ("ACTIVITY_CLOSED", "the meeting is completed")


def test_a_series_that_is_over_says_when_it_was_first_open(stub: StubServer, client: CrmClient) -> None:
    start = stub.clock.now() + timedelta(minutes=5)
    event: Any = {"title": "Talk", "start_time": start, "end_time": start + timedelta(minutes=30)}
    made = client.communication.meetings.create(event | {"recurrence": "FREQ=DAILY;COUNT=2"}, force=True)
    stub.clock.advance(timedelta(days=3).total_seconds())
    error = refused(lambda: client.communication.meetings.join(made.id))
    assert (error.code, error.message) == (
        "MEETING_NOT_OPEN",
        f"the meeting is open from {start - timedelta(minutes=15):%Y-%m-%d %H:%M}"
        f" to {start + timedelta(minutes=30):%H:%M} UTC",
    )
