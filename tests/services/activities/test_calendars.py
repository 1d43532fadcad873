"""Calendars, free times and meetings: in everybody's own zone, over changes of the clock; what is private stays so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from activity_wire import START, Wire, deeds

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
QUIET = datetime(2027, 3, 8, tzinfo=UTC)
"""A Monday on which the demo data has nothing but a series of user_mia."""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def view(wire: Wire, **query: Any) -> Any:
    return wire.send("GET", "/activities/calendar", **query).ok()


def items(found: Any) -> list[dict[str, Any]]:
    return [item for day in found["days"] for item in day["items"]]


# -- the view --------------------------------------------------------------------------------------------------------


def test_a_view_has_every_day_of_its_zone(wire: Wire) -> None:
    cases: list[str] = ["UTC", "America/New_York", "Europe/Berlin"]
    for zone in cases:
        cases2: list[tuple[str, int]] = [("day", 1), ("week", 7), ("agenda", 14), ("month", 31)]
        for name, days in cases2:
            start = datetime(2027, 3, 1, tzinfo=ZoneInfo(zone))  # a month with a change of the clock in both
            found = view(wire, start=start, view=name, timezone=zone)
            assert [day["date"] for day in found["days"]] == [f"{start.date() + n * DAY}" for n in range(days)]
            assert at(found["end"]).astimezone(ZoneInfo(zone)).hour == 0 and found["timezone"] == zone


def test_a_window_is_needed_and_has_a_bound(wire: Wire) -> None:
    assert wire.send("GET", "/activities/calendar").refusal == (422, "VALIDATION_ERROR", "start")
    window = {"start": QUIET, "end": QUIET + 92 * DAY}
    assert len(view(wire, **window, timezone="UTC")["days"]) == 92
    assert wire.send("GET", "/activities/calendar", start=QUIET, end=QUIET + 92 * DAY + HOUR).refusal[2] == "end"
    assert view(wire, start=QUIET, end=QUIET - DAY)["days"] == []
    assert wire.send("GET", "/activities/calendar", start=QUIET, timezone="Mars/Base").status == 422


def test_what_is_shown_are_events_tasks_and_calls_of_those_asked_for(wire: Wire) -> None:
    event = wire.make("event", startTime=QUIET + 15 * HOUR, endTime=QUIET + 16 * HOUR)
    task = wire.make("task", dueAt=QUIET + 17 * HOUR)
    call = wire.make("call", startTime=QUIET + 18 * HOUR, status="queued")
    theirs = wire.by("acme-sales").make("task", dueAt=QUIET + 17 * HOUR)

    def ids(**query: Any) -> list[str]:
        return [item["activity"]["id"] for item in items(view(wire, start=QUIET, view="day", timezone="UTC", **query))]

    assert ids() == [event["id"], task["id"], call["id"]]
    assert ids(kinds="task,call") == [task["id"], call["id"]] and ids(userIds="user_none") == []
    assert ids(userIds="user_sam") == [theirs["id"]]
    assert set(ids(teamId="team_acme")) <= {event["id"], task["id"], call["id"], theirs["id"]}
    wire.put(event["id"], {"attendees": [{"email": "sam@acme.test"}]}).ok()
    assert ids(userIds="user_sam") == [event["id"], theirs["id"]]
    wire.put(event["id"], {"status": "cancelled"}).ok()
    assert event["id"] not in ids()


def test_what_does_not_go_together_is_told_and_series_clash_too(wire: Wire) -> None:
    start = QUIET + 15 * HOUR
    wire.make("event", title="Series", startTime=start, endTime=start + HOUR, recurrence="FREQ=DAILY;COUNT=3")
    over = wire.make("event", title="Over", startTime=start + DAY + HOUR / 2, endTime=start + DAY + 2 * HOUR)
    wire.make("event", title="Next", startTime=start + DAY + 2 * HOUR, endTime=start + DAY + 3 * HOUR)

    def told() -> list[tuple[str, str]]:
        return [(entry["type"], entry["severity"]) for entry in view(wire, start=QUIET, timezone="UTC")["conflicts"]]

    assert told() == [("double-booking", "high"), ("back-to-back", "medium")]
    wire.put(over["id"], {"busy": False}).ok()
    assert told() == []


def test_of_a_private_event_others_see_no_more_than_that_somebody_is_busy(wire: Wire) -> None:
    cases: list[str] = ["list", "search", "get", "calendar", "availability", "timeline", "contact", "flow"]
    for door in cases:
        start = QUIET + 15 * HOUR
        secret = {name: f"Hush {name}" for name in ("title", "description", "location")}
        made = wire.make(
            "event", **secret, visibility="private", contactId="contact_123", startTime=start, endTime=start + HOUR
        )
        paths: dict[str, tuple[str, dict[str, Any]]] = {
            "list": ("/activities", {"startAfter": start, "startBefore": start + HOUR}),
            "search": ("/activities", {"search": "hush"}),
            "get": (f"/activities/{made['id']}", {}),
            "calendar": ("/activities/calendar", {"start": QUIET, "userIds": "user_ada"}),
            "availability": ("/activities/availability", {"userIds": "user_ada", "start": QUIET, "end": QUIET + DAY}),
            "timeline": ("/activities/timeline", {"contactId": "contact_123"}),
            "contact": ("/contacts/contact_123/activities", {}),
            "flow": (f"/../../flow/api/calendar/events/{made['id']}", {}),
        }
        path, query = paths[door]
        if door == "flow":
            other = wire.stub.client(api_key="acme-sales", dialects="flow")
            assert "Hush" not in str(other.calendar.events.get(made["id"]))
            assert wire.stub.client(dialects="flow").calendar.events.get(made["id"]).title == "Hush title"
            return
        others = wire.by("acme-sales").send("GET", path, **query)
        assert others.status == 200 and "Hush" not in str(others.body)
        assert "Hush" in str(wire.send("GET", path, **query).body), "its owner sees it"
        assert "Hush" not in str([entry for entry in wire.stub.audit() if entry["entity"]["id"] == made["id"]])


# -- who is free -----------------------------------------------------------------------------------------------------


def availability(wire: Wire, users: str = "user_ada", **query: Any) -> Any:
    window = {"start": QUIET, "end": QUIET + DAY, **query}
    return wire.send("GET", "/activities/availability", userIds=users, **window).ok()


def put_user(wire: Wire, id: str, zone: str, **hours: Any) -> None:
    users = wire.stub.store.collection("tenant_acme", "user")
    user = users.get(id)
    assert user is not None
    preferred = {**(user.get("preferences") or {}), "timezone": zone, "business_hours": hours or None}
    users.put(user | {"timezone": zone, "preferences": preferred})


NINE_TO_FIVE = {"days": [{"weekday": day, "start": "09:00", "end": "17:00"} for day in range(5)]}


def test_business_hours_are_those_of_the_users_own_clock(wire: Wire) -> None:
    cases: list[tuple[str, datetime, str]] = [
        ("America/New_York", datetime(2027, 3, 12, tzinfo=UTC), "14:00"),  # the last Friday of winter
        ("America/New_York", datetime(2027, 3, 15, tzinfo=UTC), "13:00"),  # the first Monday of summer
        ("Europe/Berlin", datetime(2027, 3, 26, tzinfo=UTC), "08:00"),
        ("Europe/Berlin", datetime(2027, 3, 29, tzinfo=UTC), "07:00"),
        ("Asia/Kathmandu", datetime(2027, 3, 29, tzinfo=UTC), "03:15"),
    ]
    for zone, day, first in cases:
        put_user(wire, "user_rita", zone, **NINE_TO_FIVE)
        found = availability(wire, "user_rita", start=day, end=day + DAY, durationMinutes=60)["slots"]
        assert f"{at(found[0]['start']):%H:%M}" == first and len(found) == 15
        put_user(wire, "user_rita", zone, **NINE_TO_FIVE, holidays=[day.date()])
        assert availability(wire, "user_rita", start=day, end=day + DAY)["slots"] == []


def test_a_slot_says_who_is_free_and_the_more_the_better(wire: Wire) -> None:
    put_user(wire, "user_ada", "UTC", **NINE_TO_FIVE)
    put_user(wire, "user_sam", "UTC", **NINE_TO_FIVE)
    meeting = wire.make("event", startTime=QUIET + 10 * HOUR, endTime=QUIET + 11 * HOUR)
    found = availability(wire, "user_ada,user_sam")
    by_start = {f"{at(slot['start']):%H:%M}": slot for slot in found["slots"]}
    assert min(by_start) == "09:00" and max(by_start) == "16:30"
    assert by_start["09:30"]["userIds"] == ["user_ada", "user_sam"] and by_start["10:00"]["userIds"] == ["user_sam"]
    assert (
        by_start["13:00"]["score"] > by_start["10:00"]["score"]
        and by_start["13:00"]["score"] > by_start["09:30"]["score"]
    )
    (block,) = found["users"][0]["busy"]
    assert (block["activityId"], block["title"]) == (meeting["id"], "Meet") and found["users"][1]["busy"] == []
    room = availability(wire, "user_ada", bufferMinutes=30)["slots"]
    assert [f"{at(slot['start']):%H:%M}" for slot in room][:2] == ["09:00", "11:30"]
    night = availability(wire, "user_ada", businessHours="false", durationMinutes=120)["slots"]
    assert len(night) == 45 - 5
    wire.put(meeting["id"], {"busy": False}).ok()
    assert availability(wire)["users"][0]["busy"] == []


def test_a_team_is_free_where_all_its_members_are(wire: Wire) -> None:
    members = ["user_ada", "user_sam", "user_mia"]
    made = wire.stub.client(dialects="platform").users.teams.create({"name": "Three", "member_ids": members})
    team = wire.stub.client(dialects="platform").users.teams.get(made.id).member_ids
    assert sorted(team) == sorted(members)
    for id in team:
        put_user(wire, id, "UTC", **NINE_TO_FIVE)
    wire.make("event", startTime=QUIET + 10 * HOUR, endTime=QUIET + 11 * HOUR)
    found = availability(wire, ",".join(team))
    together = [f"{at(slot['start']):%H:%M}" for slot in found["slots"] if sorted(slot["userIds"]) == sorted(team)]
    assert together[0] == "09:00" and "10:00" not in together and "11:00" in together
    (busy,) = [slot for slot in found["slots"] if f"{at(slot['start']):%H:%M}" == "10:00"]
    assert sorted(busy["userIds"]) == ["user_mia", "user_sam"]


def test_a_series_is_busy_at_each_of_its_occurrences(wire: Wire) -> None:
    start = QUIET + 10 * HOUR
    made = wire.make("event", startTime=start, endTime=start + HOUR, recurrence="FREQ=DAILY;COUNT=5", timezone="UTC")
    for day in (0, 4):
        (block,) = availability(wire, start=QUIET + day * DAY, end=QUIET + (day + 1) * DAY)["users"][0]["busy"]
        assert at(block["start"]) == start + day * DAY and block["activityId"] == made["id"]
    assert availability(wire, start=QUIET + 5 * DAY, end=QUIET + 6 * DAY)["users"][0]["busy"] == []


def test_bounds_of_availability(wire: Wire) -> None:
    def refusal(**query: Any) -> Any:
        window = {"userIds": "user_ada", "start": QUIET, "end": QUIET + DAY, **query}
        return wire.send("GET", "/activities/availability", **window).refusal

    assert refusal(end=QUIET + 62 * DAY + HOUR)[2] == "end" and refusal(durationMinutes=4)[2] == "durationMinutes"
    assert refusal(userIds="user_none")[:2] == (404, "NOT_FOUND")
    assert availability(wire, end=QUIET)["slots"] == availability(wire, end=QUIET - DAY)["slots"] == []


# -- meetings --------------------------------------------------------------------------------------------------------


def plan(wire: Wire, **members: Any) -> Any:
    body = {"title": "Plan", "durationMinutes": 60, "userIds": ["user_ada", "user_sam"], **members}
    return wire.send("POST", "/activities/schedule", body)


def test_a_meeting_is_booked_where_all_are_free_and_those_who_attend_are_told(wire: Wire) -> None:
    start = QUIET + 15 * HOUR
    made = plan(wire, startTime=start, contactIds=["contact_123"], emails=["out@x.example"], timezone="UTC").ok(201)
    guests = [(guest["email"], guest["role"], guest["status"]) for guest in made["attendees"]]
    assert guests[0] == ("ada@acme.test", "host", "accepted") and guests[1] == ("sam@acme.test", "required", "pending")
    assert len(guests) == 4 and made["contactId"] == "contact_123" and made["type"] == "meeting"
    assert deeds(wire.stub, made["id"])[-1] == "meeting.scheduled"
    sent = wire.stub.store.collection("tenant_acme", "invitation").all()
    assert [(message["to"], message["method"]) for message in sent][-1] == ("out@x.example", "REQUEST") and len(
        sent
    ) == 2
    told = [
        doc["user_id"] for doc in wire.stub.store.collection("tenant_acme", "notification") if made["id"] in str(doc)
    ]
    assert told == ["user_sam", None, None], "guests from outside by mail"
    answer = plan(wire, startTime=start + HOUR / 2)
    assert answer.refusal == (409, "SCHEDULE_CONFLICT", "startTime")
    details = answer.body["errors"][0]["details"]
    assert [found["userId"] for found in details["conflicts"]] == ["user_ada", "user_sam"]
    assert details["suggestions"] and all(at(one["start"]) >= start + HOUR for one in details["suggestions"])
    assert plan(wire, startTime=start + HOUR).ok(201)["version"] == 1, "back to back is free"
    wire.delete(made["id"]).ok()
    assert [message["method"] for message in wire.stub.store.collection("tenant_acme", "invitation")][-1] == "CANCEL"


def test_the_first_time_that_suits_all_is_within_the_hours_of_each(wire: Wire) -> None:
    put_user(wire, "user_ada", "America/New_York", **NINE_TO_FIVE)
    put_user(wire, "user_sam", "Europe/Berlin", **NINE_TO_FIVE)
    window = {"earliest": QUIET, "latest": QUIET + 5 * DAY}
    first = plan(wire, **window).ok(201)
    assert at(first["startTime"]) == QUIET + 14 * HOUR, "9:00 in New York is 15:00 in Berlin"
    second = plan(wire, **window).ok(201)
    assert at(second["startTime"]) == QUIET + 15 * HOUR
    assert at(plan(wire, **window).ok(201)["startTime"]) == QUIET + DAY + 14 * HOUR
    put_user(wire, "user_sam", "Asia/Tokyo", **NINE_TO_FIVE)
    assert plan(wire, **window).refusal[:2] == (409, "NO_SLOT_AVAILABLE")


def test_what_cannot_be_planned_is_named(wire: Wire) -> None:
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"userIds": ["user_none"]}, "REFERENCE_NOT_FOUND", "userIds.0"),
        ({"contactIds": ["contact_none"]}, "REFERENCE_NOT_FOUND", "contactIds.0"),
        ({"dealId": "deal_none", "startTime": QUIET}, "REFERENCE_NOT_FOUND", "dealId"),
        ({"durationMinutes": 4}, "VALIDATION_ERROR", "durationMinutes"),
        ({"type": "party"}, "VALIDATION_ERROR", "type"),
        ({"emails": ["nobody"]}, "VALIDATION_ERROR", "emails.0"),
        ({"userIds": []}, "VALIDATION_ERROR", "userIds"),
    ]
    for members, code, field in cases:
        assert plan(wire, **members).refusal == (422, code, field)


# -- moving ----------------------------------------------------------------------------------------------------------


def move(wire: Wire, made: Any, to: datetime, *, version: int | None = None, **more: Any) -> Any:
    return wire.send("PUT", f"/activities/{made['id']}/reschedule", {"startTime": to, **more}, version=version)


def test_an_event_moves_with_its_length_unless_somebody_is_busy(wire: Wire) -> None:
    start = QUIET + 15 * HOUR
    guests = [
        {"email": "sam@acme.test", "status": "accepted"},
        {"email": "ada@acme.test", "role": "host", "status": "accepted"},
    ]
    made = wire.make("event", startTime=start, endTime=start + HOUR / 2, attendees=guests)
    new = move(wire, made, start + DAY, reason="ill").ok()
    assert at(new["endTime"]) - at(new["startTime"]) == HOUR / 2 and new["sequence"] == 1
    assert [guest["status"] for guest in new["attendees"]] == ["pending", "accepted"], "the host need not answer"
    assert [deed for deed in deeds(wire.stub, made["id"]) if "re" in deed][-1] == "activity.rescheduled"
    wire.by("acme-sales").make("event", startTime=start + 2 * DAY, endTime=start + 2 * DAY + HOUR)
    assert move(wire, made, start + 2 * DAY).refusal[:2] == (409, "SCHEDULE_CONFLICT"), "sam, who attends, is busy"
    assert move(wire, made, start + 2 * DAY, force=True).ok()["version"] == 3
    assert move(wire, made, start, version=1).refusal[:2] == (409, "VERSION_CONFLICT")
    assert move(wire, made, start, endTime=start - HOUR).refusal == (422, "VALIDATION_ERROR", "endTime")
    wire.put(made["id"], {"status": "completed"}).ok()
    assert move(wire, made, start).refusal[:2] == (409, "ACTIVITY_CLOSED")


def test_tasks_and_planned_calls_move_and_nothing_else_does(wire: Wire) -> None:
    task = wire.make("task", startTime=QUIET, dueAt=QUIET + 2 * HOUR)
    moved = move(wire, task, QUIET + DAY).ok()
    assert (at(moved["dueAt"]), at(moved["startTime"])) == (QUIET + DAY, QUIET + DAY - 2 * HOUR)
    call = wire.make("call", status="queued", startTime=QUIET, endTime=QUIET + HOUR)
    assert at(move(wire, call, QUIET + DAY).ok()["endTime"]) == QUIET + DAY + HOUR
    for made, closed in ((task, "completed"), (call, "no_answer")):
        wire.put(made["id"], {"status": closed}).ok()
        assert move(wire, made, QUIET).refusal[:2] == (409, "ACTIVITY_CLOSED")
    for kind in ("note", "email"):
        assert move(wire, wire.make(kind), START).refusal[:2] == (422, "NOT_SCHEDULABLE")


def test_a_move_with_an_end_says_both(wire: Wire) -> None:
    cases: list[tuple[str, dict[str, Any], dict[str, datetime | None]]] = [
        (
            "task",
            {"startTime": QUIET, "dueAt": QUIET + 2 * HOUR},
            {"startTime": QUIET + DAY, "dueAt": QUIET + DAY + HOUR},
        ),
        ("task", {"dueAt": QUIET + 2 * HOUR}, {"startTime": None, "dueAt": QUIET + DAY + HOUR}),
        ("call", {"startTime": QUIET}, {"startTime": QUIET + DAY, "endTime": QUIET + DAY + HOUR}),
        (
            "call",
            {"startTime": QUIET, "endTime": QUIET + 3 * HOUR},
            {"startTime": QUIET + DAY, "endTime": QUIET + DAY + HOUR},
        ),
    ]
    for kind, members, after in cases:
        planned = {"status": "queued"} if kind == "call" else {}
        made = wire.make(kind, **planned, **members)
        assert move(wire, made, QUIET + DAY, endTime=QUIET + DAY - HOUR).status == 422
        moved = move(wire, made, QUIET + DAY, endTime=QUIET + DAY + HOUR).ok()
        assert {name: at(moved[name]) if moved[name] is not None else None for name in after} == after


# -- answers ---------------------------------------------------------------------------------------------------------


def test_who_attends_answers_for_themselves_and_is_free_when_they_decline(wire: Wire) -> None:
    start = QUIET + 10 * HOUR
    guests = [{"email": "ada@acme.test", "role": "host"}, {"email": "sam@acme.test"}]
    made = wire.make("event", startTime=start, endTime=start + HOUR, attendees=guests, recurrence="FREQ=DAILY;COUNT=3")
    sam, path = wire.by("acme-sales"), f"/calendar/events/{made['id']}/response"

    def busy(day: int) -> int:
        window = {"start": QUIET + day * DAY, "end": QUIET + (day + 1) * DAY}
        return len(availability(wire, "user_sam", **window)["users"][0]["busy"])

    told = sam.send("PUT", path, {"status": "accepted", "comment": "Fine"}).ok()
    assert [guest["status"] for guest in told["attendees"]] == ["pending", "accepted"] and told["version"] == 2
    assert sam.send("PUT", path, {"status": "accepted"}).ok()["version"] == 2, "the same answer"
    assert deeds(wire.stub, made["id"]).count("event.responded") == 1
    assert [busy(day) for day in range(3)] == [1, 1, 1]
    one = sam.send("PUT", path, {"status": "declined", "occurrence": start + DAY, "scope": "this"}).ok()
    assert one["seriesId"] == made["id"] and [busy(day) for day in range(3)] == [1, 0, 1]
    sam.send("PUT", path, {"status": "declined"}).ok()
    assert [busy(day) for day in range(3)] == [0, 0, 0]
    host = [doc for doc in wire.stub.store.collection("tenant_acme", "notification") if doc["user_id"] == "user_ada"]
    assert any("Fine" in doc["message"] for doc in host)
    assert wire.by("globex-admin").send("PUT", path, {"status": "accepted"}).status == 404
    alone = wire.make("event", attendees=[{"email": "ada@acme.test"}])
    refused = sam.send("PUT", f"/calendar/events/{alone['id']}/response", {"status": "accepted"})
    assert refused.refusal[:2] == (403, "NOT_AN_ATTENDEE")
    wire.put(alone["id"], {"status": "cancelled"}).ok()
    closed = wire.send("PUT", f"/calendar/events/{alone['id']}/response", {"status": "accepted"})
    assert closed.refusal[:2] == (409, "ACTIVITY_CLOSED")


def test_a_slot_may_fill_the_window_to_its_ends(wire: Wire) -> None:
    put_user(wire, "user_rita", "UTC", **NINE_TO_FIVE)
    moment = timedelta(seconds=1)
    for begin, end, minutes, hours, found in (
        (9 * HOUR, 10 * HOUR, 60, True, ["09:00"]), (9 * HOUR + moment, 10 * HOUR, 30, True, ["09:30"]),
        (9 * HOUR, 10 * HOUR - moment, 60, True, []), (16 * HOUR, 18 * HOUR, 60, True, ["16:00"]),
        (8 * HOUR, 10 * HOUR, 30, True, ["09:00", "09:30"]), (HOUR, 2 * HOUR, 60, False, ["01:00"]),
        (HOUR + moment, 2 * HOUR, 30, False, ["01:30"]), (HOUR, 2 * HOUR - moment, 30, False, ["01:00"]),
    ):  # fmt: skip
        window = {"start": QUIET + begin, "end": QUIET + end, "durationMinutes": minutes}
        slots = availability(wire, "user_rita", **window, businessHours=str(hours).lower())["slots"]
        assert [f"{at(slot['start']):%H:%M}" for slot in slots] == found, (begin, end)
