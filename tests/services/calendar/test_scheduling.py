"""Smart scheduling: free times within business hours, across changes of the clocks, and what stands in their way."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from stub_data import some

from crm_sdk import CrmClient, InvalidInputError
from crm_sdk.models.calendar import SmartScheduling
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.services.calendar.conflicts import travel
from server_stub.services.calendar.scheduling import Wishes

FLOW: dict[str, Any] = {"dialects": "flow", "max_retries": 0, "strict": True}
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(**FLOW)


def planned(client: CrmClient, start: datetime, minutes: int, **members: Any) -> str:
    event: Any = {"title": "Taken", "start_time": start, "end_time": start + timedelta(minutes=minutes), **members}
    return client.calendar.events.create(event).id


def warned(found: SmartScheduling, word: str) -> set[tuple[str, str]]:
    return {(warning.type, warning.severity) for warning in found.conflict_warnings if word in warning.message}


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("zone", "key", "friday"),
    [
        ("Europe/Berlin", "globex-admin", datetime(2026, 3, 27, 8, tzinfo=UTC)),  # the clocks change on 29 March
        ("America/New_York", "acme-admin", datetime(2026, 3, 6, 15, tzinfo=UTC)),  # the clocks change on 8 March
    ],
)
def test_business_hours_hold_across_a_change_of_the_clocks(zone: str, key: str, friday: datetime) -> None:
    stub = StubServer(start=friday)
    client, here = stub.client(api_key=key, **FLOW), ZoneInfo(zone)
    times = client.calendar.smart_scheduling(60, preferred_times=["09:00"]).suggested_times
    after = [found for found in times if found.start_time.astimezone(here).date() > friday.date()]
    assert len(after) >= 3
    for found in times:
        start, end = (moment.astimezone(here) for moment in (found.start_time, found.end_time))
        assert start.weekday() < 5
        assert time(9) <= start.time() < end.time() <= time(17, 30)
        assert end - start == timedelta(minutes=60)
    # Nine o'clock is another time in UTC than it was a week ago.
    assert {found.start_time.astimezone(here).time() for found in after} == {time(9)}
    week_ago = after[0].start_time.astimezone(here) - timedelta(days=7)
    assert after[0].start_time - week_ago.astimezone(UTC) == timedelta(days=7, hours=-1)


def test_a_follow_up_keeps_its_time_of_day_across_a_change_of_the_clocks() -> None:
    stub = StubServer(start=datetime(2026, 3, 25, 8, tzinfo=UTC))
    client = stub.client(api_key="globex-admin", **FLOW)
    id = planned(client, datetime(2026, 3, 25, 12, tzinfo=UTC), 30)  # 13:00 in Berlin, winter time
    done = client.calendar.events.outcome(id, {"summary": "Fine", "follow_up_required": True})
    assert done.outcome is not None
    assert done.outcome.follow_up_date == datetime(2026, 4, 1, 11, tzinfo=UTC)  # 13:00, summer time


def test_what_is_taken_is_not_suggested(client: CrmClient) -> None:
    first = client.calendar.smart_scheduling(60).suggested_times[0]
    id = planned(client, first.start_time, 60)
    times = client.calendar.smart_scheduling(60).suggested_times
    assert all(found.end_time <= first.start_time or found.start_time >= first.end_time for found in times)
    client.calendar.events.set_status(id, "cancelled")
    assert client.calendar.smart_scheduling(60).suggested_times[0] == first


def test_five_times_are_offered_two_a_day_and_none_overlaps(client: CrmClient) -> None:
    cases: list[tuple[int, int]] = [(15, 2), (45, 2), (60, 2), (120, 1), (480, 1)]
    for minutes, a_day in cases:
        times = client.calendar.smart_scheduling(minutes, preferred_times=["monday", "09:00", "10:00"]).suggested_times
        days = [found.start_time.astimezone(NEW_YORK).date() for found in times]
        assert len(times) == 5 and max(days.count(day) for day in days) == a_day, minutes
        in_order = sorted((found.start_time, found.end_time) for found in times)
        assert all(end - start == timedelta(minutes=minutes) for start, end in in_order), minutes
        assert all(end <= following for (_, end), (following, _) in pairwise(in_order)), minutes
        assert [found.confidence for found in times] == sorted((found.confidence for found in times), reverse=True), (
            minutes
        )


@pytest.mark.parametrize(
    ("part", "first", "last"),
    [("morning", "06:00", "11:30"), ("midday", "11:00", "13:30"), ("afternoon", "12:00", "17:30")],
)
def test_a_part_of_the_day_goes_from_its_first_to_its_last_half_hour(part: str, first: str, last: str) -> None:
    day = datetime(2026, 1, 22, tzinfo=NEW_YORK)
    times = [day + timedelta(minutes=30 * number) for number in range(48)]
    fit = [f"{start:%H:%M}" for start in times if Wishes.read([part]).fit(start.astimezone(UTC), NEW_YORK)]
    assert (fit[0], fit[-1]) == (first, last) and len(fit) == 1 + (int(last[:2]) - int(first[:2])) * 2 + 1


def test_an_offer_says_what_is_near_it(client: CrmClient) -> None:
    first = client.calendar.smart_scheduling(60).suggested_times[0]
    assert "with room before and after" in first.reason
    planned(client, first.start_time, 60)
    found = client.calendar.smart_scheduling(60, preferred_times=[first.end_time]).suggested_times[0]
    assert found.start_time == first.end_time and "but mind" in found.reason and "room" not in found.reason


def test_a_contact_that_is_taken_by_a_colleague_is_not_free(client: CrmClient, stub: StubServer) -> None:
    first = client.calendar.smart_scheduling(60, contact_id="contact_123").suggested_times[0]
    planned(stub.client(api_key="acme-sales", **FLOW), first.start_time, 60, contact_id="contact_123")
    times = client.calendar.smart_scheduling(60, contact_id="contact_123").suggested_times
    assert first.start_time not in [found.start_time for found in times]


def test_preferred_times_come_first(client: CrmClient, stub: StubServer) -> None:
    for wish, fits in (
        ("afternoon", lambda at: at.hour >= 12),
        ("tuesday", lambda at: at.weekday() == 1),
        ("15:10", lambda at: (at.hour, at.minute) == (15, 10)),
    ):
        best = client.calendar.smart_scheduling(30, preferred_times=[wish]).suggested_times[0]
        assert fits(best.start_time.astimezone(NEW_YORK)), wish
        assert "preferred" in best.reason
    moment = datetime(2026, 1, 22, 11, 10, tzinfo=NEW_YORK)
    found = client.calendar.smart_scheduling(30, preferred_times=[moment]).suggested_times[0]
    assert found.start_time == moment
    with pytest.raises(InvalidInputError) as caught:
        client.calendar.smart_scheduling(30, preferred_times=["teatime"])
    assert [field.field for field in caught.value.fields] == ["preferred_times.0"]


def test_the_users_own_hours_and_holidays_count(client: CrmClient, stub: StubServer) -> None:
    users = stub.store.collection("tenant_acme", "user")
    ada = users.get("user_ada")
    assert ada is not None
    hours = {
        "timezone": "Asia/Tokyo",
        "days": [{"weekday": 6, "start": "06:00", "end": "08:00"}],
        "holidays": [datetime(2026, 1, 18).date()],
    }
    users.put(ada | {"preferences": ada["preferences"] | {"business_hours": hours}})
    times = client.calendar.smart_scheduling(60).suggested_times
    local = [found.start_time.astimezone(ZoneInfo("Asia/Tokyo")) for found in times]
    assert {(at.weekday(), at.date().isoformat()) for at in local} == {(6, "2026-01-25")}
    assert all(6 <= at.hour <= 7 for at in local)


def test_conflicts_are_told_with_their_gravity(client: CrmClient) -> None:
    start = datetime(2026, 1, 28, 11, tzinfo=NEW_YORK)
    assert warned(client.calendar.smart_scheduling(60, preferred_times=[start]), "2026-01-28 11:00") == set()
    planned(client, start - timedelta(hours=1), 60)
    found = client.calendar.smart_scheduling(60, preferred_times=[start])
    assert warned(found, "2026-01-28 11:00") == {("back-to-back", "medium"), ("preparation", "low")}
    planned(client, start + timedelta(minutes=30), 60)
    found = client.calendar.smart_scheduling(60, preferred_times=[start])
    assert ("double-booking", "high") in warned(found, "2026-01-28 11:00")
    severities = [warning.severity for warning in found.conflict_warnings]
    assert severities == sorted(severities, key=["high", "medium", "low"].index)


def test_clashes_of_the_coming_week_are_told(client: CrmClient) -> None:
    found = client.calendar.smart_scheduling(30)
    assert {warning.type for warning in found.conflict_warnings} == {
        "double-booking", "travel-time", "preparation", "back-to-back",
    }  # fmt: skip
    client.calendar.events.delete("event_ada_callback")
    after = client.calendar.smart_scheduling(30)
    assert "double-booking" not in {warning.type for warning in after.conflict_warnings}


def test_travel_counts_where_places_differ(client: CrmClient) -> None:
    start = datetime(2026, 1, 28, 11, tzinfo=NEW_YORK)
    guest = client.contacts.create({"name": "Paula Neu", "email": "paula@neu.example"})
    for key in ("visit", "tour"):
        client.calendar.events.delete(f"event_ada_{key}")
    planned(client, start - timedelta(days=30), 30, contact_id=guest.id, location="Main St 1, Austin, US")
    before = client.calendar.smart_scheduling(30, contact_id=guest.id, preferred_times=[start])
    assert before.travel_time_estimate is None
    planned(client, start - timedelta(minutes=50), 30, location="Elm St 2, Boston, US")
    after = client.calendar.smart_scheduling(30, contact_id=guest.id, preferred_times=[start])
    assert after.travel_time_estimate == travel("Main St 1, Austin, US", "Elm St 2, Boston, US") == 90
    assert ("travel-time", "high") in warned(after, "2026-01-28 11:00")
    assert travel("Main St 1, Austin, US", "Elm St 2, Austin, US") == 25
    assert travel("Main St 1, Austin, US", "Elm St 2, Berlin, DE") == 240
    assert travel("Main St 1, Austin, US", "Zoom") == travel(None, "Berlin") == 0


def test_what_takes_the_time_of_the_guest_takes_it(client: CrmClient, stub: StubServer) -> None:
    """Also in the calendar of somebody else: at the guest's other meetings none is offered."""
    cases: list[tuple[dict[str, Any], bool]] = [
        ({"contact_id": "{guest}"}, True),
        ({"attendees": [{"contact_id": "{guest}"}]}, True),
        ({"attendees": [{"contact_id": "contact_123"}]}, False),
        ({"contact_id": "contact_123"}, False),
        ({}, False),
        ({"attendees": [{"contact_id": "contact_123"}, {"contact_id": "{guest}"}], "contact_id": "contact_123"}, True),
        ({"contact_id": "{guest}", "status": "cancelled"}, False),
        ({"contact_id": "{guest}", "busy": False}, False),
    ]
    fresh = stub.snapshot()
    for members, is_taken in cases:
        stub.restore(fresh)
        start = datetime(2026, 1, 28, 11, tzinfo=NEW_YORK)
        for event in client.calendar.events.list():
            client.calendar.events.delete(event.id)
        guest = client.contacts.create({"name": "Paula Neu", "email": "paula@neu.example"}).id
        id = planned(client, start, 60)
        events = stub.store.collection("tenant_acme", "activity")
        whole = json.loads(json.dumps({"owner_id": "user_sam", "attendees": [], **members}).replace("{guest}", guest))
        events.put(some(events.get(id)) | whole)
        for contact_id, taken in ((guest, is_taken), (None, False)):
            found = client.calendar.smart_scheduling(60, contact_id=contact_id, preferred_times=[start])
            assert (start in [one.start_time for one in found.suggested_times]) is not taken, contact_id


def test_a_meeting_is_where_the_last_one_was_or_at_the_address_of_the_contact(
    client: CrmClient, stub: StubServer
) -> None:
    start = datetime(2026, 1, 28, 11, tzinfo=NEW_YORK)
    for event in client.calendar.events.list():
        client.calendar.events.delete(event.id)
    planned(client, start - timedelta(minutes=50), 30, location="Elm St 2, Boston, US")

    def way(contact_id: str | None) -> int | None:
        found = client.calendar.smart_scheduling(30, contact_id=contact_id, preferred_times=[start])
        return found.travel_time_estimate

    for number, (address, place) in enumerate((
        ({"street": "Main St 1", "city": "Austin", "country": "US"}, "Main St 1, Austin, US"),
        ({"street": "Elm St 2", "city": "Boston", "country": "US"}, None), ({"state": "TX", "postal_code": "1"}, None),
        ({"city": "Boston", "country": "US"}, "Boston, US"), ({"country": "DE"}, "DE"), (None, None),
    )):  # fmt: skip
        body: Any = {"name": "P", "email": f"p{number}@place.example", "address": address}
        guest = stub.client(dialects="platform").contacts.create(body).id
        assert way(guest) == (travel(place, "Elm St 2, Boston, US") or None), address
    assert way(None) is None
    for day, place in ((30, "Main St 9, Austin, US"), (20, "Elm St 9, Boston, US"), (40, "Rue 1, Paris, FR")):
        planned(client, start - timedelta(days=day), 30, contact_id=guest, location=place)
    assert way(guest) == travel("Elm St 9, Boston, US", "Elm St 2, Boston, US"), "the last one"
    planned(client, start - timedelta(days=1), 30, contact_id=guest)
    assert way(guest) == travel("Elm St 9, Boston, US", "Elm St 2, Boston, US"), "one without a place says nothing"
    planned(client, start - timedelta(days=1), 30, contact_id=guest, meeting_link="https://meet.example/x")
    assert way(guest) is None


def test_the_preparation_needed_follows_the_deal(client: CrmClient, stub: StubServer) -> None:
    deals = stub.store.collection("tenant_acme", "deal")
    deal = next(doc for doc in deals if doc["status"] == "open")

    def needed(**members: Any) -> int:
        deals.put(deal | {"value": 1_000, "competitor_mentioned": None} | members)
        return client.calendar.smart_scheduling(30, deal_id=deal["id"]).preparation_time_needed

    assert client.calendar.smart_scheduling(30).preparation_time_needed == 10
    assert needed(stage="qualified") == 45
    assert needed(stage="proposal") == 30
    assert needed(stage="closed-won") == 15
    assert needed(stage="proposal", value=60_000) == needed(stage="proposal", competitor_mentioned="Initech") == 45


def test_the_meeting_follows_the_deal_of_the_contact(client: CrmClient) -> None:
    guest = client.contacts.create({"name": "Paula Neu", "email": "paula@neu.example"}).id

    def needed(**more: Any) -> int:
        return client.calendar.smart_scheduling(30, contact_id=guest, **more).preparation_time_needed

    bare = needed()
    big = client.deals.create({"title": "Big", "contact_id": guest, "value": 60_000, "stage": "qualified"}).id
    assert (bare, needed()) == (30, 60)
    small = client.deals.create({"title": "Small", "contact_id": guest, "value": 10, "stage": "proposal"}).id
    assert needed(deal_id=small) == 30 and needed(deal_id=big) == 60
    client.deals.delete(big)
    assert needed() == 30
    assert client.calendar.smart_scheduling(30, deal_id=small).preparation_time_needed == 30


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("zone", "now", "wish", "utc"),
    [
        ("Europe/Berlin", datetime(2026, 10, 23, 6, tzinfo=UTC), "monday", 8),  # back to winter time on 25 October
        ("Europe/Berlin", datetime(2026, 3, 27, 6, tzinfo=UTC), "monday", 7),  # to summer time on 29 March
        ("Australia/Sydney", datetime(2026, 4, 2, 20, tzinfo=UTC), "tuesday", 23),  # back on 5 April; south, and ahead
    ],
)
def test_the_users_own_zone_counts_across_a_change_of_the_clocks(zone: str, now: datetime, wish: str, utc: int) -> None:
    stub = StubServer(start=now)
    users = stub.store.collection("tenant_acme", "user")
    ada = users.get("user_ada") or Document()
    users.put(ada | {"preferences": {**ada["preferences"], "timezone": zone}})
    client, here = stub.client(**FLOW), ZoneInfo(zone)
    for event in client.calendar.events.list():
        client.calendar.events.delete(event.id)
    found = client.calendar.smart_scheduling(60, preferred_times=[wish, "09:00"]).suggested_times[0].start_time
    assert (found.astimezone(here).strftime("%A %H:%M"), found.astimezone(UTC).hour) == (
        f"{wish.capitalize()} 09:00",
        utc,
    )
    taken = planned(client, found, 60)
    event = client.calendar.events.get(taken)
    assert event.start_time == found
    again = client.calendar.smart_scheduling(60, preferred_times=[wish, "09:00"])
    assert found not in [other.start_time for other in again.suggested_times]


@pytest.mark.thorough
def test_each_kind_of_conflict_comes_and_goes(client: CrmClient, stub: StubServer) -> None:
    for event in client.calendar.events.list():
        client.calendar.events.delete(event.id)
    start = datetime(2026, 1, 28, 11, tzinfo=NEW_YORK)
    guest = client.contacts.create({"name": "Paula Neu", "email": "paula@neu.example"})
    met = planned(client, start - timedelta(days=60), 30, contact_id=guest.id, location="Main St 1, Austin, US")
    client.calendar.events.set_status(met, "completed")

    def conflicts_with(begin: timedelta, minutes: int, **members: Any) -> set[str]:
        id = planned(client, start + begin, minutes, **members)
        found = client.calendar.smart_scheduling(60, contact_id=guest.id, preferred_times=[start])
        client.calendar.events.delete(id)
        return {type for type, _ in warned(found, "2026-01-28 11:00")}

    free = client.calendar.smart_scheduling(60, contact_id=guest.id, preferred_times=[start])
    assert free.suggested_times[0].start_time == start and free.conflict_warnings == []
    assert conflicts_with(timedelta(minutes=30), 60) == {"double-booking"}
    assert conflicts_with(timedelta(minutes=65), 30) == {"back-to-back"}  # five minutes after it
    assert conflicts_with(timedelta(minutes=60), 30) == {"back-to-back"}
    assert conflicts_with(timedelta(minutes=80), 30) == set()
    assert conflicts_with(timedelta(minutes=90), 30, location="Elm St 2, Boston, US") == {"travel-time"}
    assert conflicts_with(timedelta(minutes=90), 30, location="Main St 9, Austin, US") == set()
    assert conflicts_with(-timedelta(minutes=50), 40) == {"back-to-back", "preparation"}  # ten minutes before it
    assert conflicts_with(-timedelta(minutes=80), 60) == {"preparation"}  # twenty minutes, and a meeting needs thirty
    assert conflicts_with(-timedelta(minutes=120), 60) == set()
    stub.clock.advance((start - timedelta(minutes=10) - stub.clock.now()).total_seconds())
    found = client.calendar.smart_scheduling(60, contact_id=guest.id, preferred_times=[start])
    assert ("preparation", "high") in warned(found, "2026-01-28 11:00")  # it begins in ten minutes


def test_wishes_raise_and_lower_the_rating(client: CrmClient) -> None:
    def rated(*wishes: Any) -> dict[datetime, int]:
        found = client.calendar.smart_scheduling(60, preferred_times=list(wishes) or None).suggested_times
        assert all(one.reason.startswith(f"{one.start_time.astimezone(NEW_YORK):%A %H:%M}: ") for one in found)
        assert all(("a preferred time" in one.reason) is (bool(wishes) and "sunday" not in wishes) for one in found[:1])
        return {one.start_time: one.confidence for one in found}

    plain = rated()
    assert rated("sunday") == {start: confidence - 10 for start, confidence in plain.items()}
    first, confidence = next(iter(plain.items()))
    assert rated(first)[first] == min(100, confidence + 35)
    clock = f"{first.astimezone(NEW_YORK):%H:%M}"
    assert rated(clock)[first] == min(100, confidence + 25)


def test_a_wish_that_is_no_time_is_refused_in_its_place(client: CrmClient) -> None:
    for wishes, place in ((["nonsense"], 0), (["monday", "25:00"], 1), (["09:00", "morning", "2026-01-20T09:00"], 2)):
        body = {"duration": 30, "preferredTimes": wishes}
        reply = client.request("POST", "/api/calendar/smart-scheduling", json=body)
        details = reply.json()["error"]["details"]
        assert (reply.status, details["field"], details["rule"]) == (422, f"preferredTimes.{place}", "format"), wishes
