"""How smart scheduling rates a free time, how far it looks ahead and what it warns of, at the bounds of each rule."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from stub_data import some, stored

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.services.calendar.scheduling import Wishes
from server_stub.services.calendar.working_time import Hours, busy, week_of, zone_of

NEW_YORK = ZoneInfo("America/New_York")
THURSDAY = datetime(2026, 1, 15, 9, tzinfo=NEW_YORK)
"""Nine o'clock of the day on which the stub begins; it is four then."""
DAY, MINUTE, TICK = timedelta(days=1), timedelta(minutes=1), timedelta(milliseconds=1)


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    """Return a client whose calendar is empty."""
    client = stub.client(dialects="flow", max_retries=0, strict=True)
    for event in client.calendar.events.list():
        client.calendar.events.delete(event.id)
    return client


def planned(client: CrmClient, start: datetime, minutes: int = 60, **members: Any) -> str:
    event: Any = {"title": "Taken", "start_time": start, "end_time": start + minutes * MINUTE, **members}
    return client.calendar.events.create(event).id


def offered(client: CrmClient, *wishes: Any, minutes: int = 60, **about: Any) -> list[tuple[str, int, str]]:
    found = client.calendar.smart_scheduling(minutes, preferred_times=list(wishes) or None, **about).suggested_times
    return [(f"{one.start_time.astimezone(NEW_YORK):%d %H:%M}", one.confidence, one.reason) for one in found]


def rated(client: CrmClient, moment: datetime, **about: Any) -> tuple[int, str]:
    """Return the rating of a moment, and the reasons that are not always there."""
    found = client.calendar.smart_scheduling(60, preferred_times=[moment], **about).suggested_times
    (one,) = (one for one in found if one.start_time == moment)
    reason = some(one.reason).partition("free, and within business hours, ")[2]
    return one.confidence, reason


def call_at(stub: StubServer, moment: datetime) -> None:
    """Let the next call come at a moment."""
    stub.clock.advance((moment - TICK - stub.clock.now()).total_seconds())


def test_an_hour_in_an_empty_calendar_loses_a_point_a_day(client: CrmClient) -> None:
    found = offered(client)
    assert [(start, points) for start, points, _ in found] == [
        ("15 09:00", 70), ("15 10:00", 70), ("16 09:00", 69), ("16 10:00", 69), ("19 09:00", 66),
    ]  # fmt: skip
    assert found[0][2] == "Thursday 09:00: free, and within business hours, with room before and after"


def test_fourteen_days_are_as_bad_as_any_more(client: CrmClient) -> None:
    cases: list[Any] = [(12, 93), (13, 92), (14, 91), (15, 91), (20, 91), (1, 100), (0, 100)]
    for ahead, points in cases:
        assert rated(client, THURSDAY + ahead * DAY)[0] == points


def test_what_is_near_and_what_else_is_on_that_day_take_points(client: CrmClient, stub: StubServer) -> None:
    cases: list[tuple[list[tuple[int, int]], int, str]] = [
        ([], 91, "with room before and after"),
        ([(300, 30)], 89, "with room before and after"),
        ([(300, 30), (360, 30)], 87, "with room before and after"),
        ([(60, 30)], 79 - 10, "but mind back-to-back"),
        ([(65, 30)], 74, "but mind back-to-back"),
        ([(-60, 60)], 64, "but mind back-to-back, preparation"),
    ]
    fresh = stub.snapshot()
    for others, points, reason in cases:
        stub.restore(fresh)
        start = THURSDAY + 14 * DAY + timedelta(hours=2)
        for minutes, length in others:
            planned(client, start + minutes * MINUTE, length)
        planned(client, start + DAY, 30)  # another day does not matter
        assert rated(client, start) == (points, reason), others


def test_nine_to_five_counts_where_the_contact_is(client: CrmClient, stub: StubServer) -> None:
    guest = client.contacts.create({"name": "Paula Neu", "email": "paula@neu.example"}).id
    cases: list[tuple[str | None, str, int, str | None]] = [
        ("Europe/Berlin", "09:00", 96, None),  # 15:00
        ("Europe/Berlin", "10:30", 96, None),
        ("Europe/Berlin", "11:00", 76, "17:00"),
        ("America/Los_Angeles", "12:00", 96, None),
        ("America/Los_Angeles", "11:30", 76, "08:30"),
        ("Asia/Tokyo", "09:00", 76, "23:00"),
        (None, "09:00", 91, None),
    ]
    for zone, clock, points, told in cases:
        stored(stub, "contact", guest, timezone=zone)
        start = datetime.combine(THURSDAY.date() + 14 * DAY, time.fromisoformat(clock), NEW_YORK)
        expected = "with room before and after" + (f", though it is {told} for the contact" if told else "")
        assert rated(client, start, contact_id=guest) == (points, expected), (zone, clock)


def test_the_usual_hour_is_that_at_which_most_meetings_began(client: CrmClient, stub: StubServer) -> None:
    cases: list[tuple[list[tuple[int, str, str]], int | None]] = [
        ([(14, "confirmed", "meeting")], 14),
        ([(14, "completed", "meeting"), (11, "confirmed", "call"), (14, "confirmed", "demo")], 14),
        ([(14, "confirmed", "meeting"), (11, "confirmed", "meeting")], 11),
        ([(14, "confirmed", "personal")], None),
        ([(14, "scheduled", "meeting")], None),
        ([(14, "cancelled", "meeting")], None),
        ([(14, "no-show", "meeting")], None),
        ([(14, "confirmed", "personal"), (14, "scheduled", "meeting"), (11, "completed", "meeting")], 11),
    ]
    fresh = stub.snapshot()
    for met, habit in cases:
        stub.restore(fresh)
        for number, (hour, status, kind) in enumerate(met):
            id = planned(client, THURSDAY.replace(hour=hour, minute=15) - (20 + number) * DAY, 30, type=kind)
            stored(stub, "activity", id, status=status, type=kind)
        usual = [start for start, points, reason in offered(client) if "at which you usually meet" in reason]
        assert usual[:3] == ([f"15 {habit}:00", f"16 {habit}:00", f"19 {habit}:00"] if habit is not None else []), met
        if habit is not None:
            _, points, reason = offered(client)[0]
            assert (points, reason.rpartition(", ")[2]) == (75, "at the hour at which you usually meet")


# -- how far it looks ahead -----------------------------------------------------------------------------------------


def working(stub: StubServer, weekday: int, *holidays: date) -> None:
    """Let the user work one hour a week."""
    ada = some(stub.store.collection("tenant_acme", "user").get("user_ada"))
    hours = {"days": [{"weekday": weekday, "start": "09:00", "end": "10:00"}], "holidays": list(holidays)}
    stored(stub, "user", "user_ada", preferences={**(ada["preferences"] or {}), "business_hours": hours})


def test_fourteen_days_are_looked_at_and_those_that_are_wished_for(client: CrmClient, stub: StubServer) -> None:
    cases: list[tuple[int, int, int | None, list[str]]] = [
        (2, 1, None, ["2026-01-28"]),  # the fourteenth day is looked at
        (3, 2, None, []),  # the fifteenth is not
        (3, 3, 20, ["2026-02-05"]),  # the day after the last one that is wished for is looked at
        (3, 3, 19, []),  # and no other
        (6, 8, 100, ["2026-03-15"]),  # sixty days at most: the sixtieth
        (0, 8, 100, []),  # and not the one after it
    ]
    for weekday, skipped, wish, offered_on in cases:
        first = date(2026, 1, 15) + (weekday - 3) % 7 * DAY
        working(stub, weekday, *(first + 7 * number * DAY for number in range(skipped)))
        wishes: Any = [THURSDAY + wish * DAY] if wish is not None else None
        found = client.calendar.smart_scheduling(60, preferred_times=wishes).suggested_times
        days = [f"{one.start_time.astimezone(NEW_YORK):%Y-%m-%d}" for one in found]
        assert days == offered_on, (weekday, wish)


@pytest.mark.parametrize(("late", "is_offered"), [(-TICK, True), (0 * TICK, False), (TICK, False)])
def test_what_is_offered_is_to_come(client: CrmClient, stub: StubServer, late: timedelta, is_offered: bool) -> None:
    call_at(stub, THURSDAY + late)
    assert ("15 09:00" in [start for start, *_ in offered(client, THURSDAY)]) is is_offered


def test_a_time_of_day_that_is_no_half_hour_is_looked_at_within_the_hours_of_work(client: CrmClient) -> None:
    assert [start for start, *_ in offered(client, "11:10")][:3] == ["15 11:10", "16 11:10", "19 11:10"]
    assert all(start[3:] != "16:40" for start, *_ in offered(client, "16:40")), "it would end after half past five"
    assert offered(client, "16:30")[0][0] == "15 16:30"


def test_a_wish_is_for_a_moment_or_for_a_day_and_a_time() -> None:
    cases: list[Any] = [
        ([THURSDAY], THURSDAY, True),
        ([THURSDAY], THURSDAY + MINUTE, False),
        ([THURSDAY.isoformat()], THURSDAY, True),
        (["9:00"], THURSDAY, True),
        ([" 09:00 "], THURSDAY, True),
        (["09:00"], THURSDAY + MINUTE, False),
        (["Thursday"], THURSDAY, True),
        (["friday"], THURSDAY, False),
        (["friday", "09:00"], THURSDAY, False),
        (["thursday", "09:00"], THURSDAY, True),
        (["thursday", "10:00"], THURSDAY, False),
        (["thursday", "morning"], THURSDAY, True),
        (["thursday", "10:00", "morning"], THURSDAY, True),
        (["10:00", "afternoon"], THURSDAY, False),
        (["Morning"], THURSDAY, True),
        ([THURSDAY + MINUTE, "friday"], THURSDAY, False),
        ([THURSDAY, "friday"], THURSDAY, True),
        (["midday"], THURSDAY + timedelta(hours=1, minutes=59), False),
        (["midday"], THURSDAY + timedelta(hours=2), True),
        (["midday"], THURSDAY + timedelta(hours=4, minutes=59), True),
        ([], THURSDAY, False),
    ]
    for wishes, start, fits in cases:
        read = Wishes.read(wishes)
        assert (read.exist, read.fit(start.astimezone(UTC), NEW_YORK)) == (bool(wishes), fits)


# -- what is warned of ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("late", "is_warned"), [(0 * TICK, False), (-TICK, True), (TICK, False)])
def test_a_moment_that_is_wished_for_is_judged_while_it_is_to_come(
    client: CrmClient, stub: StubServer, late: timedelta, is_warned: bool
) -> None:
    planned(client, THURSDAY)
    call_at(stub, THURSDAY + late)
    found = client.calendar.smart_scheduling(60, preferred_times=[THURSDAY])
    told = [
        warning.message
        for warning in found.conflict_warnings
        if "The new meeting (Thu 2026-01-15 09:00)" in warning.message
    ]
    assert bool(told) is is_warned


@pytest.mark.parametrize(("late", "is_warned"), [(TICK, True), (0 * TICK, False)])
def test_clashes_of_seven_days_are_told(client: CrmClient, stub: StubServer, late: timedelta, is_warned: bool) -> None:
    start = THURSDAY + 10 * DAY
    for title in ("One", "Two"):
        stored(stub, "activity", planned(client, start), title=title, type="personal")
    call_at(stub, start - 7 * DAY + late)
    found = client.calendar.smart_scheduling(60)
    assert [warning.type for warning in found.conflict_warnings] == (["double-booking"] if is_warned else [])


def test_a_meeting_is_called_after_its_kind_and_its_guest(client: CrmClient) -> None:
    guest = client.contacts.create({"name": "Paula Neu", "email": "paula@neu.example"}).id
    planned(client, THURSDAY)
    named = client.calendar.smart_scheduling(60, contact_id=guest, preferred_times=[THURSDAY]).conflict_warnings[0]
    assert named.message == "Meeting with Paula Neu (Thu 2026-01-15 09:00) overlaps with Taken (09:00–10:00)"
    bare = client.calendar.smart_scheduling(60, preferred_times=[THURSDAY]).conflict_warnings[0]
    assert bare.message == "The new meeting (Thu 2026-01-15 09:00) overlaps with Taken (09:00–10:00)"


def test_the_stage_and_the_weight_of_a_deal_say_how_long_to_prepare(client: CrmClient, stub: StubServer) -> None:
    guest = client.contacts.create({"name": "Paula Neu", "email": "paula@neu.example"}).id
    deal = client.deals.create({"title": "Big", "contact_id": guest}).id
    cases: list[tuple[str, int, str | None, int]] = [
        ("prospect", 0, None, 45), ("qualified", 0, None, 45), ("proposal", 0, None, 30), ("negotiation", 0, None, 30),
        ("closed-won", 0, None, 15), ("closed-lost", 0, None, 15),
        ("proposal", 24_999, None, 30), ("proposal", 25_000, None, 45), ("proposal", 0, "Initech", 45),
        ("proposal", 25_000, "Initech", 45),
    ]  # fmt: skip
    for stage, value, competitor, minutes in cases:
        stored(stub, "deal", deal, stage=stage, value=value, competitor_mentioned=competitor)
        found = client.calendar.smart_scheduling(30, deal_id=deal)
        assert found.preparation_time_needed == minutes, (stage, value, competitor)


def test_whom_we_met_within_thirty_days_we_follow_up(client: CrmClient, stub: StubServer) -> None:
    guest = client.contacts.create({"name": "Paula Neu", "email": "paula@neu.example"}).id
    cases: list[tuple[timedelta | None, int]] = [(30 * DAY, 15), (30 * DAY + TICK, 30), (DAY, 15), (None, 30)]
    for ago, minutes in cases:
        stored(stub, "contact", guest, last_contact=stub.clock.now() + TICK - ago if ago is not None else None)
        assert client.calendar.smart_scheduling(30, contact_id=guest).preparation_time_needed == minutes, ago


def test_the_longest_way_of_the_days_in_question_is_told(client: CrmClient, stub: StubServer) -> None:
    start = THURSDAY + 13 * DAY + timedelta(hours=2)
    guest = client.contacts.create({"name": "P", "email": "p@neu.example"}).id
    stored(stub, "contact", guest, address={"street": "Main St 1", "city": "Austin", "country": "US"})
    about: Any = {"contact_id": guest, "preferred_times": [start]}
    planned(client, start + 6 * 60 * MINUTE, 30, location="Elm St 2, Austin, US")
    assert client.calendar.smart_scheduling(30, **about).travel_time_estimate == 25
    planned(client, start + 8 * 60 * MINUTE, 30, location="Elm St 2, Berlin, DE")
    planned(client, start + 9 * 60 * MINUTE, 30, location="Elm St 2, Boston, US")
    assert client.calendar.smart_scheduling(30, **about).travel_time_estimate == 240
    planned(client, start + 60 * DAY, 30, location="Elm St 2, Boston, US")
    assert client.calendar.smart_scheduling(30, contact_id=guest).travel_time_estimate is None


# -- whose time it is -----------------------------------------------------------------------------------------------


def test_a_week_begins_on_the_day_that_a_user_says_on_the_clock_of_the_user() -> None:
    """It is Thursday, the 15th, at four in the morning in New York, and Friday on Kiritimati from ten in UTC on."""
    call: Any = SimpleNamespace()
    for week_start, first in ((None, 12), (0, 12), (1, 13), (3, 15), (4, 9), (6, 11)):
        user: Any = {"timezone": "UTC", "preferences": {"timezone": "America/New_York", "week_start": week_start}}
        start, end = week_of(call, user, THURSDAY - timedelta(hours=5))
        assert start == datetime(2026, 1, first, tzinfo=NEW_YORK), week_start
        assert end == start + 7 * DAY
    for user, first in (
        ({"timezone": "Pacific/Kiritimati", "preferences": {"week_start": 4}}, 16),
        ({"timezone": "UTC", "preferences": {"week_start": 4}}, 9), ({"timezone": "UTC", "preferences": None}, 12),
    ):  # fmt: skip
        start, end = week_of(call, user, datetime(2026, 1, 15, 10, tzinfo=UTC))
        assert (start.day, start.hour, (end - start).days) == (first, 0, 7), user
    berlin: dict[str, Any] = {"timezone": "Europe/Berlin", "preferences": {}}
    start, end = (moment.astimezone(UTC) for moment in week_of(call, berlin, datetime(2026, 3, 27, tzinfo=UTC)))
    assert end - start == 7 * DAY - timedelta(hours=1), "the clocks change on that Sunday"


def test_the_clock_and_the_hours_are_the_users_or_else_the_companys(stub: StubServer) -> None:
    tenant = {"timezone": "Asia/Tokyo", "business_hours": {"days": [{"weekday": 0, "start": "08:00", "end": "10:00"}]}}
    call: Any = SimpleNamespace(tenant=tenant)
    own = {"days": [{"weekday": 0, "start": "06:00", "end": "07:00"}]}
    cases: list[tuple[dict[str, Any], str, list[str]]] = [
        ({}, "Asia/Tokyo", ["08:00"]),
        ({"timezone": "Europe/Berlin"}, "Europe/Berlin", ["08:00"]),
        ({"timezone": "Europe/Berlin", "preferences": {"timezone": "UTC"}}, "UTC", ["08:00"]),
        ({"timezone": "Europe/Berlin", "preferences": {"business_hours": own}}, "Europe/Berlin", ["06:00"]),
        (
            {"preferences": {"business_hours": {**own, "timezone": "UTC"}, "timezone": "Europe/Berlin"}},
            "UTC",
            ["06:00"],
        ),
        ({"preferences": {"business_hours": {}}}, "Asia/Tokyo", ["09:00"]),
    ]
    for user, zone, begins in cases:
        hours = Hours.of(call, user)
        assert str(hours.zone) == zone
        assert [f"{start:%H:%M}" for start, _ in hours.spans(date(2026, 1, 19))] == begins, user
    assert str(zone_of(call, {"preferences": {"timezone": ""}, "timezone": "UTC"})) == "UTC"


def test_a_series_takes_time_at_each_of_its_times(client: CrmClient, stub: StubServer) -> None:
    """Without a window of fifteen days before to seventy-five after now; a single meeting whenever it is."""
    events = stub.store.collection("tenant_acme", "activity")
    once, far, weekly = (planned(client, THURSDAY + days * DAY, 30) for days in (1, 200, 2))
    stored(stub, "activity", weekly, recurrence="FREQ=WEEKLY")
    call: Any = SimpleNamespace(collection=lambda kind: events, now=THURSDAY)

    def days(**given: Any) -> list[tuple[str, int]]:
        found = busy(call, "user_ada", **given)
        return [(doc["id"], (doc["start_time"].astimezone(NEW_YORK).date() - THURSDAY.date()).days) for doc in found]

    found = days()
    assert (once, 1) in found and (far, 200) in found
    assert [day for id, day in found if id == weekly] == [2 + 7 * number for number in range(11)]
    assert found == sorted(found, key=lambda one: one[1])
    window = (THURSDAY + 8 * DAY, THURSDAY + 17 * DAY)
    assert days(window=window) == [(weekly, 9), (weekly, 16)]
    assert days(window=(THURSDAY, THURSDAY + 2 * DAY)) == [(once, 1)]
    assert busy(call, "user_nobody") == [] and len(busy(call, None)) > len(found)
