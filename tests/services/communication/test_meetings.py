"""Meetings by this door: who must be free when, who is asked again, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from refusals import refused
from stub_data import some, stored, trail

from crm_sdk import CrmClient
from server_stub import StubServer


def test_a_meeting_is_at_a_time_at_which_those_who_attend_are_free(stub: StubServer, client: CrmClient) -> None:
    meetings: Any = client.communication.meetings
    day = stub.clock.now().replace(microsecond=0) + timedelta(days=30)

    def event(hours: float, **given: Any) -> Any:
        start = day + timedelta(hours=hours)
        return {"title": "Talk", "start_time": start, "end_time": start + timedelta(hours=1), **given}

    guest = {"email": "sam@acme.test", "user_id": "user_sam"}
    first = meetings.create(event(0, attendees=[guest]))
    assert (first.type, first.owner_id, first.status) == ("meeting", "user_ada", "scheduled")
    assert some(first.meeting_link) == f"https://meet.acme.test/{some(first.meeting_link).rpartition('/')[2]}"
    assert some(first.meeting_link)[-1] != "/"
    for given, conflicts in (
        ({}, ["user_ada"]),
        ({"owner_id": "user_sam"}, ["user_sam"]),
        ({"attendees": [guest]}, ["user_ada", "user_sam"]),
        ({"busy": True}, ["user_ada"]),
    ):
        error = refused(partial(meetings.create, event(0.5, **given)))
        assert (error.status, error.code, error.fields[0].field) == (409, "SCHEDULE_CONFLICT", "start_time")
        assert [(one["userId"], one["activityId"]) for one in error.details["conflicts"]] == [
            (id, first.id) for id in conflicts
        ]
    assert meetings.create(event(0.5, busy=False)).busy is False
    assert meetings.create(event(0.25, owner_id="user_sam", busy=False), add_link=False).meeting_link is None
    assert meetings.create(event(1, meeting_link="https://x.example/1")).meeting_link == "https://x.example/1"
    log = len(stub.audit())
    second = meetings.create(event(0.5), force=True, add_link=False, notify=False)
    assert [verb for verb in trail(stub, log) if verb.split(".")[0] in ("meeting", "event")] == [
        "event.created", "meeting.scheduled",
    ]  # fmt: skip
    for at, given in ((1.5, {}), (-0.25, {}), (1.5, {"busy": True})):
        error = refused(partial(meetings.update, second.id, event(at, **given)))
        assert error.code == "SCHEDULE_CONFLICT"
    assert meetings.update(second.id, {"title": "Another"}).title == "Another"
    assert meetings.update(second.id, event(1.5, busy=False)).start_time == day + timedelta(hours=1.5)
    assert meetings.update(second.id, event(1.25, busy=True), force=True).start_time == day + timedelta(hours=1.25)
    assert meetings.update(second.id, event(5)).start_time == day + timedelta(hours=5)
    assert meetings.update(second.id, event(5.5)).start_time == day + timedelta(hours=5.5)
    off = meetings.update(second.id, event(0, status="cancelled"))
    assert (off.status, off.start_time) == ("cancelled", day)


def test_a_new_time_asks_again_all_but_the_host(stub: StubServer, client: CrmClient) -> None:
    meetings: Any = client.communication.meetings
    start = stub.clock.now() + timedelta(days=30)
    asked: Any = [{"email": "eva@x.example"}, {"email": "chair@x.example", "role": "host"}]
    event: Any = {"title": "Talk", "start_time": start, "end_time": start + timedelta(hours=1), "attendees": asked}
    made = meetings.create(event, force=True, notify=False)
    (doc,) = stub.store.collection("tenant_acme", "activity").find("id", made.id)
    accepted = [one | {"status": "accepted"} for one in doc["attendees"]]
    for changes, statuses in (
        ({"title": "Other"}, ["accepted", "accepted"]),
        ({"start_time": start, "end_time": start + timedelta(hours=1), "location": "A"}, ["accepted", "accepted"]),
        ({"start_time": start + timedelta(minutes=1)}, ["pending", "accepted"]),
        ({"end_time": start + timedelta(hours=2)}, ["pending", "accepted"]),
    ):
        stored(stub, "activity", made.id, attendees=accepted)
        changed = meetings.update(made.id, changes, force=True)
        assert [(one.email, one.status) for one in changed.attendees or ()] == [
            ("eva@x.example", statuses[0]), ("chair@x.example", statuses[1]),
        ], changes  # fmt: skip


def test_what_is_no_meeting_or_is_over_does_not_change_here(stub: StubServer, client: CrmClient) -> None:
    meetings: Any = client.communication.meetings
    start = stub.clock.now() + timedelta(days=30)
    event: Any = {"title": "Talk", "start_time": start, "end_time": start + timedelta(hours=1)}
    made = meetings.create(event)
    for call in (
        partial(meetings.create, event | {"type": "call"}, force=True),
        partial(meetings.update, made.id, {"type": "call"}),
    ):
        error = refused(call)
        assert (error.status, [(one.field, one.rule) for one in error.fields]) == (422, [("type", "choice")])
        assert error.fields[0].message == "what is created here is a meeting"
    assert meetings.update(made.id, {"type": "meeting"}).version == made.version
    other = client.activities.events.create(event | {"type": "demo"})
    for call in (
        meetings.get, partial(meetings.update, changes={"title": "x"}), meetings.cancel, meetings.join,
    ):  # fmt: skip
        assert refused(partial(call, other.id)).status == 404
    assert refused(lambda: meetings.update(made.id, {"title": "x"}, version=some(made.version) + 1)).status == 409
    for status in ("cancelled", "completed"):
        over = stored(stub, "activity", made.id, status=status)
        kept = {"title": over["title"], "start_time": over["start_time"]}
        log = len(stub.audit())
        same = meetings.update(made.id, kept)
        assert (same.status, same.version, trail(stub, log)) == (status, over["version"], [])
        error = refused(partial(meetings.update, made.id, {**kept, "location": "B"}))
        assert (error.code, error.message) == ("ACTIVITY_CLOSED", f"the meeting is {status}")
