"""What stands in the way of an event, at the very minutes at which it does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from server_stub.services.calendar.conflicts import Plan, clashes, conflicts, gravest_first, travel

ZONE = ZoneInfo("Europe/Berlin")
TEN = datetime(2026, 1, 14, 9, tzinfo=UTC)
"""10:00 in Berlin."""
NOW = TEN - timedelta(days=1)
HERE, NEAR, TOWN, ABROAD = "Main St 1, Austin, US", "Elm 2, Austin, US", "Elm 2, Boston, US", "Elm 2, Berlin, DE"


def at(minutes: float) -> datetime:
    return TEN + timedelta(minutes=minutes)


def plan(start: float = 0, end: float = 60, title: str = "Own", **members: Any) -> Plan:
    return Plan(title, at(start), at(end), **members)


def test_the_way_between_places_is_read_from_their_names() -> None:
    for here, there, minutes in (
        (HERE, NEAR, 25), (HERE, TOWN, 90), (HERE, ABROAD, 240), (HERE, HERE.upper() + " ", 0), (HERE, None, 0),
        ("", HERE, 0), (HERE, "Zoom", 0), ("Video call", HERE, 0), ("Austin, US", "Austin, US ", 0),
        ("Austin, US", "Boston, US", 25), ("Austin, US", "Berlin, DE", 90), ("Austin, US", HERE, 25),
        ("Boston, US", HERE, 90), ("Room 5", "Room 6", 25), ("Room 5", "Hall 5", 90), ("Austin Hall", HERE, 25),
        ("Dallas", HERE, 90), ("Zooming", "Room", 90), ("A, Austin, US", "B, Austin, DE", 240),
        ("Austin, US", "Elm 2, Austin, DE", 90),
    ):  # fmt: skip
        assert travel(here, there) == travel(there, here) == minutes, (here, there)


def told(found: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(one["type"], one["severity"], one["message"]) for one in found]


def test_what_is_near_an_event_is_told_by_the_minutes_between() -> None:
    name = "Own (Wed 2026-01-14 10:00)"

    def warned(other: Plan, **members: Any) -> list[tuple[str, str, str]]:
        return told(conflicts(plan(type="personal", **members), [other], ZONE, NOW))

    inside = ("double-booking", "high", f"{name} overlaps with O (10:59–11:30)")
    assert warned(plan(59, 90, "O")) == [inside]
    assert warned(plan(-30, 1, "O")) == [("double-booking", "high", f"{name} overlaps with O (09:30–10:01)")]
    between = f"{name}: no break between it and O (11:00–11:30)"
    assert warned(plan(60, 90, "O")) == [("back-to-back", "medium", between)]
    between = f"{name}: only 14 minutes between it and O (11:14–11:30)"
    assert warned(plan(74, 90, "O")) == [("back-to-back", "low", between)]
    assert warned(plan(75, 90, "O")) == warned(plan(-90, -15, "O")) == []
    before = f"{name}: only 5 minutes between it and O (09:00–09:55)"
    assert warned(plan(-60, -5, "O")) == [("back-to-back", "low", before)]
    for gap, place, severity, way in (
        (24, NEAR, "medium", 25), (25, NEAR, None, 25), (60, TOWN, "high", 90), (61, TOWN, "medium", 90),
        (89, TOWN, "medium", 90), (90, TOWN, None, 90), (210, ABROAD, "high", 240), (239, ABROAD, "medium", 240),
        (240, ABROAD, None, 240), (241, ABROAD, None, 240),
    ):  # fmt: skip
        found = warned(plan(60 + gap, 400, "O", location=place), location=HERE)
        other = f"O ({at(60 + gap).astimezone(ZONE):%H:%M}–16:40)"
        text = f"{name} and {other} lie {way} minutes apart, with {gap} between them"
        assert found == ([("travel-time", severity, text)] if severity else []), gap
    assert told(conflicts(plan(id="event_1"), [plan(id="event_1")], ZONE, NOW)) == []
    assert len(conflicts(plan(), [plan(), plan(id="event_2")], ZONE, NOW)) == 2


def test_the_time_to_prepare_is_that_before_it_and_from_now() -> None:
    name = "Own (Wed 2026-01-14 10:00)"

    def warned(type: str, free: float, now: float = -1440) -> list[tuple[str, str, str]]:
        found = conflicts(plan(type=type), [plan(-300, -free - 1, "A"), plan(-300, -free, "B")], ZONE, at(now))
        return [one for one in told(found) if one[0] == "preparation"]

    for type, needed in (("demo", 45), ("meeting", 30), ("call", 15), ("follow-up", 15), ("internal", 10), ("x", 30)):
        text = f"{name} needs {needed} minutes of preparation, and {needed - 1} are free before it"
        severity = "medium" if type == "demo" else "low"
        assert warned(type, needed) == [] and warned(type, needed - 1) == [("preparation", severity, text)]
        assert warned(type, 200, now=-needed) == []
        assert warned(type, 200, now=1 - needed) == [("preparation", "high", text)]
    assert warned("personal", 0) == warned("meeting", 0, now=0) == []
    late = f"{name} needs 30 minutes of preparation, and 5 are free before it"
    assert warned("meeting", 10, now=-5) == [("preparation", "high", late)]


def test_clashes_are_told_once_for_each_pair_of_what_is_ahead() -> None:
    def event(id: str, start: float, **members: Any) -> dict[str, Any]:
        times = {"start_time": at(start), "end_time": at(start + 60)}
        return {"id": id, "title": id, "type": None, "status": "scheduled", **times, **members}

    docs = [event("b", 0), event("a", 0, type="personal"), event("c", 300, status="cancelled"), event("d", 300)]
    assert told(clashes(docs, ZONE, NOW)) == [
        ("double-booking", "high", "b (Wed 2026-01-14 10:00) overlaps with a (10:00–11:00)")
    ]
    assert clashes(docs, ZONE, at(60)) == []
    far = [event("a", 0, location=HERE), event("b", 70, location=TOWN, type="personal")]
    assert [one["type"] for one in clashes(far, ZONE, NOW)] == ["travel-time", "back-to-back"]
    far[0]["meeting_link"] = "https://meet.example"
    assert [one["type"] for one in clashes(far, ZONE, NOW)] == ["back-to-back"]
    low, high = ({"type": "t", "message": "m", "severity": name} for name in ("low", "high"))
    middle = {"type": "u", "message": "m", "severity": "medium"}
    other = high | {"message": "n"}
    assert gravest_first([low, middle, other, low]) == [other, middle, low]
