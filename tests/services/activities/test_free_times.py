"""Which times are offered and how good they are, what a view has on which day, and what a booking is made of."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from activity_wire import Wire
from stub_data import some, stored

from .test_calendars import NINE_TO_FIVE, QUIET, at, availability, items, plan, put_user, view

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)


def clock(text: str) -> str:
    return f"{at(text):%d %H:%M}"


def booked(wire: Wire, owner: str, begin: datetime, end: datetime, **members: Any) -> str:
    return str(wire.make("event", ownerId=owner, startTime=begin, endTime=end, **members)["id"])


def test_a_slot_is_better_with_room_around_it_and_little_else_on_its_day(wire: Wire) -> None:
    for id in ("user_rita", "user_sam"):
        put_user(wire, id, "UTC", **NINE_TO_FIVE)
    meeting = booked(wire, "user_rita", QUIET + 10 * HOUR, QUIET + 11 * HOUR)

    def scores(users: str, **query: Any) -> dict[str, tuple[int, int]]:
        found = availability(wire, users, end=QUIET + 12 * HOUR, **query)
        assert all(at(slot["end"]) - at(slot["start"]) == HOUR / 2 for slot in found["slots"])
        return {f"{at(slot['start']):%H:%M}": (slot["score"], len(slot["userIds"])) for slot in found["slots"]}

    assert scores("user_rita") == {"09:00": (54, 1), "09:30": (39, 1), "11:00": (39, 1), "11:30": (54, 1)}
    assert scores("user_rita,user_sam,user_rita") == {
        "09:00": (55, 2), "09:30": (40, 2), "10:00": (28, 1), "10:30": (28, 1), "11:00": (40, 2), "11:30": (55, 2),
    }  # fmt: skip
    assert scores("user_rita", bufferMinutes=1) == {"09:00": (54, 1), "11:30": (54, 1)}
    found = availability(wire, "user_sam,user_rita")
    assert (found["timezone"], found["durationMinutes"]) == ("America/New_York", 30)
    assert availability(wire, "user_sam", timezone="Asia/Tokyo")["timezone"] == "Asia/Tokyo"
    block = {"start": "2027-03-08T10:00:00Z", "end": "2027-03-08T11:00:00Z", "title": "Meet", "activityId": meeting}
    assert found["users"] == [{"userId": "user_sam", "busy": []}, {"userId": "user_rita", "busy": [block]}]
    wire.put(meeting, {"visibility": "private"}).ok()
    (hidden,) = availability(wire, "user_rita")["users"][0]["busy"]
    assert hidden == block | {"title": None, "activityId": None}, "it is Rita's"
    crm = wire.stub.client(dialects="platform")
    crm.configuration.settings.update({"calendar.meeting_minutes": 45, "calendar.buffer_minutes": 15})
    found = availability(wire, "user_rita", end=QUIET + 13 * HOUR)
    assert found["durationMinutes"] == 45
    assert [f"{at(slot['start']):%H:%M}" for slot in found["slots"]] == ["09:00", "11:30", "12:00"]


def test_a_slot_is_the_better_the_sooner_up_to_fourteen_days(wire: Wire) -> None:
    crm = wire.stub.client(dialects="platform")
    given: Any = {"email": "free@acme.test", "name": "Free", "role": "sales", "password": "Demo-passw0rd!9"}
    free = crm.users.create(given).id
    today = wire.stub.clock.now().replace(hour=9, minute=0, second=0, microsecond=0)
    for days, minutes, score in ((0, 30, 70), (1, 0, 70), (1, 30, 69), (13, 30, 57), (14, 30, 56), (15, 30, 56)):
        begin = today + days * DAY + minutes * MINUTE
        query: Any = {"start": begin, "end": begin + HOUR / 2, "businessHours": "false"}
        (slot,) = availability(wire, free, **query)["slots"]
        assert (slot["score"], at(slot["start"])) == (score, begin), (days, minutes)
    past: Any = {"start": today - 3 * DAY, "end": today - 3 * DAY + HOUR / 2, "businessHours": "false"}
    assert [slot["score"] for slot in availability(wire, free, **past)["slots"]] == [70]


def test_a_view_has_each_thing_on_its_day_and_what_began_before_on_the_first(wire: Wire) -> None:
    booked(wire, "user_ada", QUIET - 2 * HOUR, QUIET + HOUR, title="Over")
    booked(wire, "user_ada", QUIET - 2 * HOUR, QUIET, title="Before")
    booked(wire, "user_ada", QUIET + 6 * HOUR, QUIET + 7 * HOUR, title="Daily", recurrence="FREQ=DAILY;COUNT=2",
           timezone="UTC")  # fmt: skip
    booked(wire, "user_ada", QUIET + DAY, QUIET + 2 * DAY, title="All", allDay=True, timezone="UTC")
    booked(wire, "user_ada", QUIET + 2 * DAY, QUIET + 2 * DAY + HOUR, title="After")
    wire.make("task", title="First", dueAt=QUIET)
    wire.make("task", title="Late", dueAt=QUIET + 2 * DAY)
    wire.make("task", title="Undated")
    wire.make("call", title="Long", startTime=QUIET + 8 * HOUR, endTime=QUIET + 9 * HOUR)
    window: Any = {"start": QUIET, "end": QUIET + 2 * DAY, "timezone": "UTC"}
    stored(wire.stub, "tenant", "tenant_acme", business_hours={"holidays": [(QUIET + DAY).date()]})
    found = view(wire, **window)

    def shown(days: Any) -> list[list[tuple[Any, ...]]]:
        return [
            [(one["activity"]["title"], clock(one["start"]), clock(one["end"]), one["allDay"]) for one in day["items"]]
            for day in days
        ]

    assert shown(found["days"]) == [
        [("Over", "07 22:00", "08 01:00", False), ("First", "08 00:00", "08 00:00", False),
         ("Daily", "08 06:00", "08 07:00", False), ("Long", "08 08:00", "08 09:00", False)],
        [("All", "09 00:00", "10 00:00", True), ("Daily", "09 06:00", "09 07:00", False)],
    ]  # fmt: skip
    assert [(day["date"], day["holiday"]) for day in found["days"]] == [("2027-03-08", None), ("2027-03-09", "Holiday")]
    assert (found["view"], at(found["start"]), at(found["end"])) == ("week", QUIET, QUIET + 2 * DAY)
    series = [one["activity"] for one in items(found) if one["activity"]["title"] == "Daily"]
    assert [clock(one["startTime"]) for one in series] == ["08 06:00", "09 06:00"]
    assert [day for day in shown(view(wire, **window, kinds="task")["days"]) if day] == [
        [("First", "08 00:00", "08 00:00", False)]
    ]
    assert {one["busyOnly"] for one in items(found)} == {False}
    secret = booked(wire, "user_sam", QUIET + HOUR, QUIET + 2 * HOUR, visibility="private", title="Hush")
    (hidden,) = [one for one in items(view(wire, **window, userIds="user_sam")) if one["activity"]["id"] == secret]
    assert (hidden["busyOnly"], hidden["activity"]["title"]) == (True, None)
    half: Any = {"start": QUIET + 12 * HOUR, "end": QUIET + DAY, "timezone": "UTC"}
    assert [day["date"] for day in view(wire, **half)["days"]] == ["2027-03-08"], "the day after begins then"


def test_what_clashes_is_told_of_each_calendar_that_is_asked_for(wire: Wire) -> None:
    guests = [{"email": "sam@acme.test"}]
    for begin, title in ((10, "One"), (10.5, "Two")):
        booked(wire, "user_ada", QUIET + begin * HOUR, QUIET + (begin + 1) * HOUR, title=title, attendees=guests)
    booked(wire, "user_sam", QUIET + 12 * HOUR, QUIET + 13 * HOUR, title="Sams", visibility="private")
    booked(wire, "user_sam", QUIET + 12.5 * HOUR, QUIET + 14 * HOUR, title="Else")
    booked(wire, "user_sam", QUIET + 12.5 * HOUR, QUIET + 13 * HOUR, title="Off", status="completed")

    def told(**query: Any) -> list[tuple[str, str]]:
        found = view(wire, start=QUIET, end=QUIET + DAY, timezone="UTC", **query)["conflicts"]
        return [(one["type"], one["message"]) for one in found]

    own = ("double-booking", "Two (Mon 2027-03-08 10:30) overlaps with One (10:00–11:00)")
    assert told() == [own]
    assert told(userIds="user_ada,user_sam") == [
        own, ("double-booking", "Else (Mon 2027-03-08 12:30) overlaps with Busy (12:00–13:00)"),
    ], "what is private is not named, and what both have is told once"  # fmt: skip


def test_a_booking_is_whose_it_says_at_a_time_that_is_free(wire: Wire) -> None:
    put_user(wire, "user_sam", "Europe/Berlin", **NINE_TO_FIVE)
    put_user(wire, "user_rita", "UTC", **NINE_TO_FIVE)
    deal = wire.send("POST", "/deals", {"title": "Engine"}).ok(201)["id"]
    bare = wire.send("POST", "/contacts", {"name": "Bare"}).ok(201)["id"]
    said = {"dealId": deal, "location": "Hall", "description": "Talk", "type": "demo"}
    made = plan(
        wire, userIds=["user_sam", "user_rita"], startTime=QUIET + 10 * HOUR, emails=["Out@X.example"], **said
    ).ok(201)
    assert {name: made[name] for name in said} == said
    assert (made["ownerId"], made["timezone"], made["title"]) == ("user_sam", "Europe/Berlin", "Plan")
    assert at(made["endTime"]) - at(made["startTime"]) == HOUR
    assert [(one["email"], one["role"], one["status"]) for one in made["attendees"]] == [
        ("sam@acme.test", "host", "accepted"), ("rita@acme.test", "required", "pending"),
        ("out@x.example", made["attendees"][2]["role"], "pending"),
    ]  # fmt: skip
    assert plan(wire, userIds=["user_rita"], startTime=QUIET, timezone="Asia/Tokyo").ok(201)["timezone"] == "Asia/Tokyo"
    answer = plan(wire, startTime=QUIET + 20 * HOUR, contactIds=["contact_123", bare])
    assert answer.refusal == (422, "VALIDATION_ERROR", "contactIds.1")
    error = answer.body["errors"][0]
    assert (error["rule"], error["message"].endswith("Bare has no e-mail address to be invited at")) == (
        "required",
        True,
    )
    both = {"userIds": ["user_sam", "user_rita"]}
    taken = plan(wire, **both, startTime=QUIET + 10.5 * HOUR)
    assert taken.refusal == (409, "SCHEDULE_CONFLICT", "startTime")
    error = taken.body["errors"][0]
    assert error["message"].endswith("Plan is at that time")
    conflict = {"start": made["startTime"], "end": made["endTime"], "title": "Plan", "activityId": made["id"]}
    assert error["details"]["conflicts"] == [
        {"userId": "user_sam", **conflict}, {"userId": "user_rita", **conflict},
    ]  # fmt: skip
    times = [(clock(one["start"]), clock(one["end"])) for one in error["details"]["suggestions"]]
    assert times == [("08 11:00", "08 12:00"), ("08 12:00", "08 13:00"), ("08 13:00", "08 14:00")]
    hidden = booked(wire, "user_mia", QUIET + 15 * HOUR, QUIET + 16 * HOUR, visibility="private")
    refused = plan(wire, userIds=["user_mia"], startTime=QUIET + 15 * HOUR).body["errors"][0]
    assert refused["message"].endswith("Another event is at that time") and hidden not in str(refused)
    for before, after in ((9, 10), (11, 12)):
        assert plan(wire, **both, startTime=QUIET + before * HOUR).ok(201)["version"] == 1, after


def test_the_first_free_time_is_looked_for_in_its_window_from_now_on(wire: Wire) -> None:
    put_user(wire, "user_rita", "UTC", **NINE_TO_FIVE)
    alone: Any = {"userIds": ["user_rita"], "durationMinutes": 60}
    now = wire.stub.clock.now()
    for doc in wire.stub.store.collection("tenant_acme", "activity").find("kind", "event"):
        stored(wire.stub, "activity", doc["id"], status="cancelled")
    made = plan(wire, **alone, earliest=now - 30 * DAY).ok(201)
    assert at(made["startTime"]) == now.replace(minute=30, second=0, microsecond=0), "not before now"
    (only,) = [plan(wire, **alone, earliest=QUIET, latest=QUIET + 10 * HOUR).ok(201)]
    assert at(only["startTime"]) == QUIET + 9 * HOUR
    assert plan(wire, **alone, earliest=QUIET, latest=QUIET + 10 * HOUR).refusal[:2] == (409, "NO_SLOT_AVAILABLE")
    last = QUIET + 62 * DAY
    assert plan(wire, **alone, earliest=QUIET, latest=last).status == 201
    answer = plan(wire, **alone, earliest=QUIET, latest=last + MINUTE)
    assert answer.refusal == (422, "VALIDATION_ERROR", "latest")
    assert answer.body["errors"][0]["rule"] == "max" and "62 days" in answer.body["errors"][0]["message"]
    holidays = [(QUIET + days * DAY).date() for days in range(15)]
    put_user(wire, "user_rita", "UTC", **NINE_TO_FIVE, holidays=holidays[:14])
    assert plan(wire, **alone, earliest=QUIET).refusal[:2] == (409, "NO_SLOT_AVAILABLE"), "fourteen days ahead"
    put_user(wire, "user_rita", "UTC", **NINE_TO_FIVE, holidays=holidays[:11])
    assert at(plan(wire, **alone, earliest=QUIET).ok(201)["startTime"]) == QUIET + 11 * DAY + 9 * HOUR
    assert some(wire.stub.store.collection("tenant_acme", "user").get("user_rita"))["timezone"] == "UTC"


def test_what_is_suggested_instead_begins_within_fourteen_days(wire: Wire) -> None:
    booked(wire, "user_rita", QUIET + 10 * HOUR, QUIET + 11 * HOUR)
    for days, free in ((14, ["22 09:00"]), (15, [])):
        holidays = [(QUIET + day * DAY).date() for day in range(days)]
        put_user(wire, "user_rita", "UTC", **NINE_TO_FIVE, holidays=holidays)
        (error,) = plan(wire, userIds=["user_rita"], startTime=QUIET + 10 * HOUR).body["errors"]
        assert [clock(one["start"]) for one in error["details"]["suggestions"]] == free


def test_a_quarter_of_an_hour_is_room_enough(wire: Wire) -> None:
    put_user(wire, "user_rita", "UTC", **NINE_TO_FIVE)
    booked(wire, "user_rita", QUIET + 10 * HOUR, QUIET + 10 * HOUR + 45 * MINUTE)
    booked(wire, "user_rita", QUIET + 12 * HOUR, QUIET + 12 * HOUR + 46 * MINUTE)
    slots = availability(wire, "user_rita", start=QUIET + 11 * HOUR, end=QUIET + 14 * HOUR)["slots"]
    scores = {f"{at(slot['start']):%H:%M}": slot["score"] for slot in slots}
    assert scores == {"11:00": 52, "11:30": 37, "13:00": 37, "13:30": 52}, "a window cuts nothing of a day"


def test_a_move_asks_whether_all_are_free_but_for_itself(wire: Wire) -> None:
    begin = QUIET + 10 * HOUR
    own = booked(wire, "user_ada", begin, begin + HOUR)
    booked(wire, "user_ada", begin + 3 * HOUR, begin + 4 * HOUR, title="Other")

    def move(id: str, to: datetime, **more: Any) -> Any:
        return wire.send("PUT", f"/activities/{id}/reschedule", {"startTime": to, **more})

    assert at(move(own, begin + HOUR / 2).ok()["startTime"]) == begin + HOUR / 2, "where it is itself"
    refused = move(own, begin + 2.5 * HOUR)
    assert refused.refusal == (409, "SCHEDULE_CONFLICT", "startTime")
    assert [one["title"] for one in refused.body["errors"][0]["details"]["conflicts"]] == ["Other"]
    assert move(own, begin + 2 * HOUR).ok()["version"] == 3, "right before it is free"
    wire.put(own, {"busy": False}).ok()
    assert move(own, begin + 3 * HOUR).ok()["version"] == 5, "it takes no time"
    same = move(own, begin + 3 * HOUR).ok()
    assert same["version"] == 5, "it is there"
    guests = [{"email": "sam@acme.test", "status": "declined"}, {"email": "mia@acme.test"}]
    for id, title in (("user_sam", "Sams"), ("user_mia", "Mias")):
        booked(wire, id, begin + DAY, begin + DAY + HOUR, title=title)
    with_guests = booked(wire, "user_ada", begin + 5 * HOUR, begin + 6 * HOUR, attendees=guests)
    details = move(with_guests, begin + DAY).body["errors"][0]["details"]
    assert {one["title"] for one in details["conflicts"]} >= {"Mias"}
