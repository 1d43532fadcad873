"""Each line of a calendar as a file, read and written: its times, states, guests, alarms and to-dos."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from server_stub.problems import Problem
from server_stub.services.activities import icalendars

ZONE = ZoneInfo("America/New_York")
TEN = datetime(2026, 3, 2, 15, tzinfo=UTC)
"""10:00 in New York."""
HOUR = timedelta(hours=1)


def file(*parts: str, head: str = "") -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", *head.split(), *"\n".join(parts).splitlines(), "END:VCALENDAR", ""])


def read(*lines: str, kind: str = "VEVENT", head: str = "") -> icalendars.Entry:
    (entry,) = icalendars.read(file(f"BEGIN:{kind}", *lines, f"END:{kind}", head=head), ZONE)
    return entry


EVENT = ("UID:u@x", "DTSTART:20260302T150000Z")
USUAL: dict[str, Any] = {
    "title": "Untitled", "description": None, "tags": [], "start_time": TEN, "end_time": TEN + HOUR / 2,
    "all_day": False, "timezone": "UTC", "location": None, "status": "scheduled", "visibility": "public", "busy": True,
    "reminders": [],
}  # fmt: skip


def test_what_an_event_is_read_as() -> None:
    plain = read(*EVENT)
    assert plain == icalendars.Entry(kind="event", uid="u@x", members=USUAL, exdates=[])
    day = {"start_time": TEN - 10 * HOUR, "end_time": TEN + 14 * HOUR, "all_day": True, "timezone": ZONE.key}
    berlin = {"start_time": TEN, "end_time": TEN + HOUR / 2, "timezone": "Europe/Berlin"}
    alarms = [
        f"BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:{trigger}\nEND:VALARM"
        for trigger in ("PT0S", "-PT15M", "-P28D", "-P28DT1M", "PT5M", "-PT90S")
    ]
    for lines, members in (
        (("SUMMARY:" + "s" * 300, "DESCRIPTION:d", "LOCATION:" + "l" * 300),
         {"title": "s" * 255, "description": "d", "location": "l" * 255}),
        (("CATEGORIES:a, ,b", "CATEGORIES:" + "c" * 60), {"tags": ["a", "b", "c" * 50]}),
        (("DTEND:20260302T160000Z",), {"end_time": TEN + HOUR}),
        (("DURATION:PT45M",), {"end_time": TEN + 0.75 * HOUR}),
        (("STATUS:tentative", "CLASS:private", "TRANSP:transparent"), {"visibility": "private", "busy": False}),
        (("STATUS:CONFIRMED", "CLASS:CONFIDENTIAL", "TRANSP:OPAQUE"), {"status": "confirmed", "visibility": "private"}),
        (("CLASS:PUBLIC", "STATUS:ODD"), {}),
        (("RRULE:FREQ=DAILY;COUNT=2",), {"recurrence": "FREQ=DAILY;COUNT=2"}),
        (tuple(alarms), {"reminders": [
            {"minutes_before": minutes, "channel": "in_app"} for minutes in (0, 15, 40_320, 1)]}),
        (("ORGANIZER:MAILTO:Ada@X.example", "ATTENDEE;CN=Bo;PARTSTAT=DECLINED;ROLE=OPT-PARTICIPANT:mailto:bo@x.example",
          "ATTENDEE:mailto:ada@x.example", "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:cy@x.example", "ATTENDEE:nobody"),
         {"attendees": [
             {"email": "ada@x.example", "role": "host", "status": "accepted"},
             {"email": "bo@x.example", "role": "optional", "status": "declined", "name": "Bo"},
             {"email": "cy@x.example", "role": "required", "status": "pending", "name": None}]}),
    ):  # fmt: skip
        assert read(*EVENT, *lines).members == USUAL | members, lines
    for start, members in (
        ("DTSTART;VALUE=DATE:20260302", day),
        ("DTSTART;TZID=Europe/Berlin:20260302T160000", berlin),
        ("DTSTART:20260302T100000", {"timezone": ZONE.key}),
    ):
        assert read("UID:u@x", start).members == USUAL | members, start
    stamped = read(*EVENT, "SEQUENCE:3", "DTSTAMP:20260101T000000Z", "LAST-MODIFIED:20260102T000000Z",
                   "RECURRENCE-ID:20260303T150000Z", "EXDATE:20260304T150000Z,20260305T150000Z",
                   "EXDATE:20260306T150000Z", "STATUS:CANCELLED")  # fmt: skip
    assert (stamped.sequence, stamped.changed_at) == (3, datetime(2026, 1, 2, tzinfo=UTC))
    assert stamped.recurrence_id == TEN + 24 * HOUR and stamped.cancelled
    assert list(stamped.exdates) == [TEN + days * 24 * HOUR for days in (2, 3, 4)]
    assert read(*EVENT, "DTSTAMP:20260101T000000Z").changed_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert read(*EVENT, head="METHOD:cancel").cancelled and not read(*EVENT, head="METHOD:PUBLISH").cancelled


def test_what_a_to_do_is_read_as_and_what_cannot_be_read() -> None:
    usual: dict[str, Any] = {"title": "Untitled", "description": None, "tags": [], "due_at": None, "start_time": None}
    for lines, members in (
        ((), {"status": "not_started"}),
        (("STATUS:IN-PROCESS", "DUE:20260302T150000Z", "DTSTART;VALUE=DATE:20260302", "SUMMARY:Do"),
         {"status": "in_progress", "due_at": TEN, "start_time": TEN - 10 * HOUR, "title": "Do"}),
        (("STATUS:CANCELLED",), {"status": "cancelled"}),
        (("STATUS:COMPLETED",), {"status": "completed"}),
    ):  # fmt: skip
        found = read("UID:t@x", *lines, kind="VTODO")
        assert found == icalendars.Entry(kind="task", uid="t@x", members=usual | members, exdates=[])
    assert read("UID:u@x").problem == "an event begins at some time"
    assert read("DTSTART:20260302T150000Z").problem == "a component has a UID"
    assert read("SUMMARY:x", kind="VTODO").problem == "a component has a UID"
    for content in ("", "no calendar", file("BEGIN:VEVENT", "DTSTART:nonsense", "END:VEVENT")):
        with pytest.raises(Problem) as caught:
            icalendars.read(content, ZONE)
        assert (caught.value.code, caught.value.field) == ("INVALID_FORMAT", "file_id")


def lines_of(content: bytes) -> list[str]:
    return content.decode().replace("\r\n ", "").split("\r\n")[:-1]


def written(event: dict[str, Any], **given: Any) -> list[str]:
    """Return the lines of an event that are not always there."""
    doc = {"id": "event_1", "uid": "u@x", "updated_at": TEN, "title": "T", "status": "scheduled", "timezone": ZONE.key,
           "start_time": TEN, "end_time": TEN + HOUR}  # fmt: skip
    found = lines_of(icalendars.write([doc | event], **given))
    assert found[:3] == ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//crm//calendar//EN"]
    always = {"UID:u@x", "DTSTAMP:20260302T150000Z", "LAST-MODIFIED:20260302T150000Z"}
    assert always <= set(found) and found[-2:] == ["END:VEVENT", "END:VCALENDAR"]
    return [line for line in found[4:-2] if line not in always]


def test_what_an_event_is_written_as() -> None:
    usual = {
        "SUMMARY:T", "DTSTART;TZID=America/New_York:20260302T100000", "DTEND;TZID=America/New_York:20260302T110000",
        "CLASS:PUBLIC", "SEQUENCE:0", "STATUS:CONFIRMED", "TRANSP:OPAQUE",
    }  # fmt: skip
    assert set(written({})) == usual
    guests = [
        {"email": "ada@x.example", "role": "host", "status": "accepted", "name": "Ada"},
        {"email": "bo@x.example", "role": "optional", "status": "declined", "name": None},
        {"email": "cy@x.example", "role": "required", "status": "pending"},
    ]
    for event, gone, more in (
        ({"all_day": True, "start_time": TEN - 10 * HOUR, "end_time": TEN + 14 * HOUR}, {"DTSTART", "DTEND"},
         {"DTSTART;VALUE=DATE:20260302", "DTEND;VALUE=DATE:20260303"}),
        ({"timezone": None}, {"DTSTART", "DTEND"}, {"DTSTART:20260302T150000Z", "DTEND:20260302T160000Z"}),
        ({"sequence": 2, "title": None}, {"SEQUENCE", "SUMMARY"}, {"SEQUENCE:2", "SUMMARY:Busy"}),
        ({"description": "D", "location": "L", "tags": ["a", "b"]}, set(),
         {"DESCRIPTION:D", "LOCATION:L", "CATEGORIES:a,b"}),
        ({"status": "cancelled", "visibility": "private", "busy": False}, {"STATUS", "CLASS", "TRANSP"},
         {"STATUS:CANCELLED", "CLASS:PRIVATE", "TRANSP:TRANSPARENT"}),
        ({"status": "completed", "visibility": "public", "busy": True}, set(), set[str]()),
        ({"original_start": TEN, "exdates": [TEN + HOUR]}, set(),
         {"RECURRENCE-ID;TZID=America/New_York:20260302T100000", "EXDATE;TZID=America/New_York:20260302T110000"}),
        ({"original_start": TEN, "exdates": [TEN]}, set(), {"RECURRENCE-ID;TZID=America/New_York:20260302T100000"}),
        ({"attendees": guests}, set(), {
            "ORGANIZER;CN=Ada:mailto:ada@x.example",
            "ATTENDEE;PARTSTAT=DECLINED;ROLE=OPT-PARTICIPANT:mailto:bo@x.example",
            "ATTENDEE;PARTSTAT=NEEDS-ACTION;ROLE=REQ-PARTICIPANT:mailto:cy@x.example"}),
        ({"reminders": [{"minutes_before": 15}]}, set(),
         {"BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:T", "TRIGGER:-PT15M", "END:VALARM"}),
        ({"title": None, "reminders": [{"minutes_before": 15}]}, {"SUMMARY"},
         {"BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:Busy", "SUMMARY:Busy", "TRIGGER:-PT15M", "END:VALARM"}),
    ):  # fmt: skip
        kept = {line for line in usual if line.partition(":")[0].partition(";")[0] not in gone}
        assert set(written(event)) == kept | more, event
    series = lines_of(icalendars.write([
        {"id": "e", "uid": "u@x", "updated_at": TEN, "title": "T", "status": "confirmed", "timezone": ZONE.key,
         "start_time": TEN, "end_time": TEN + HOUR, "recurrence": "FREQ=DAILY;COUNT=2"},
    ]))  # fmt: skip
    assert "RRULE:FREQ=DAILY;COUNT=2" in series and "BEGIN:VTIMEZONE" in series and "STATUS:CONFIRMED" in series


def test_what_a_file_has_beside_its_events() -> None:
    other = "BEGIN:VEVENT\nUID:v@x\nDTSTART:20260302T150000Z\nEND:VEVENT"
    same = "BEGIN:VEVENT\nUID:u@x\nDTSTART:20260302T150000Z\nSUMMARY:Old\nEND:VEVENT"
    task = {"id": "task_1", "uid": "t@x", "updated_at": TEN, "title": None}
    whole = {**task, "title": "Do", "description": "D", "due_at": TEN, "completed_at": TEN + HOUR,
             "status": "in_progress", "priority": "high", "tags": ["a"]}  # fmt: skip
    found = lines_of(
        icalendars.write([], method="PUBLISH", refresh=HOUR, tasks=[task, whole], beside=file(other, same))
    )
    assert found[3:5] == ["METHOD:PUBLISH", "REFRESH-INTERVAL;VALUE=DURATION:PT1H"]
    bare = found[found.index("BEGIN:VTODO") : found.index("END:VTODO")]
    assert set(bare[1:]) == {
        "SUMMARY:", "UID:t@x", "DTSTAMP:20260302T150000Z", "LAST-MODIFIED:20260302T150000Z",
    }  # fmt: skip
    assert set(found[found.index("END:VTODO") + 2 :]) >= {
        "SUMMARY:Do", "DESCRIPTION:D", "DUE:20260302T150000Z", "COMPLETED:20260302T160000Z", "STATUS:IN-PROCESS",
        "PRIORITY:1", "CATEGORIES:a",
    }  # fmt: skip
    assert found.count("UID:v@x") == found.count("UID:u@x") == 1
    doc = {"id": "event_1", "uid": "u@x", "updated_at": TEN, "title": "New", "status": "scheduled",
           "start_time": TEN, "end_time": TEN + HOUR}  # fmt: skip
    kept = lines_of(icalendars.write([doc], beside=file(other, same)))
    assert kept.count("UID:u@x") == 1 and "SUMMARY:Old" not in kept and kept.count("UID:v@x") == 1
    assert "METHOD:PUBLISH" not in kept
