"""iCalendar in and out: files are imported, calendars synchronised, and what is newer wins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from activity_wire import START, Wire, deeds

from server_stub.data.document import Document
from server_stub.services.activities import icalendars

SERIES = """BEGIN:VEVENT
UID:series@x
DTSTAMP:20260101T000000Z
SEQUENCE:{sequence}
DTSTART;TZID=America/New_York:20260302T100000
DTEND;TZID=America/New_York:20260302T110000
RRULE:FREQ=WEEKLY;COUNT=4
EXDATE;TZID=America/New_York:20260309T100000
SUMMARY:{title}
ORGANIZER:mailto:ada@acme.test
ATTENDEE;PARTSTAT=DECLINED;ROLE=OPT-PARTICIPANT;CN=Sam:mailto:sam@acme.test
CATEGORIES:one,two
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:x
TRIGGER:-PT10M
END:VALARM
END:VEVENT
"""
MOVED = """BEGIN:VEVENT
UID:series@x
DTSTAMP:20260101T000000Z
RECURRENCE-ID;TZID=America/New_York:20260316T100000
DTSTART;TZID=America/New_York:20260316T150000
DURATION:PT2H
SUMMARY:Series
END:VEVENT
"""
DAY = """BEGIN:VEVENT
UID:day@x
DTSTAMP:20260101T000000Z
DTSTART;VALUE=DATE:20260401
SUMMARY:Day
CLASS:PRIVATE
TRANSP:TRANSPARENT
END:VEVENT
"""
TODO = """BEGIN:VTODO
UID:todo@x
DTSTAMP:20260101T000000Z
DUE:20260401T120000Z
STATUS:IN-PROCESS
SUMMARY:Todo
END:VTODO
"""


def calendar(*parts: str, method: str | None = None, **words: Any) -> bytes:
    head = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\n" + (f"METHOD:{method}\n" if method else "")
    body = "".join(parts).format(**{"sequence": 2, "title": "Series", **words})
    return f"{head}{body}END:VCALENDAR\n".replace("\n", "\r\n").encode()


def put_file(wire: Wire, content: bytes) -> str:
    return wire.stub.client(dialects="platform").files.upload(("a.ics", content)).id


def imported(wire: Wire, content: bytes) -> dict[str, Any]:
    run: dict[str, Any] = wire.send("POST", "/activities/calendar/sync", {"fileId": put_file(wire, content)}).ok(202)
    assert (run["status"], run["integrationId"], run["progress"]) == ("succeeded", None, 1)
    return {name: run["counts"][name] for name in ("created", "updated", "deleted", "skipped", "failed")} | {
        "errors": run["errors"]
    }


def counts(**more: Any) -> dict[str, Any]:
    return {"created": 0, "updated": 0, "deleted": 0, "skipped": 0, "failed": 0, "errors": [], **more}


def stored(wire: Wire, uid: str) -> list[Document]:
    return wire.stub.store.collection("tenant_acme", "activity").find("uid", uid)


def test_a_file_is_imported_once(wire: Wire) -> None:
    content = calendar(MOVED, SERIES, DAY, TODO)
    assert imported(wire, content) == counts(created=4)
    assert wire.starts("Series") == ["03-02 10:00", "03-16 15:00", "03-23 10:00"]
    (series,) = [doc for doc in stored(wire, "series@x") if doc["recurrence"]]
    assert [(guest["email"], guest["role"], guest["status"]) for guest in series["attendees"]] == [
        ("ada@acme.test", "host", "accepted"),
        ("sam@acme.test", "optional", "declined"),
    ]
    assert series["tags"] == ["one", "two"] and series["reminders"][0]["minutes_before"] == 10
    assert (series["timezone"], series["sequence"], series["source"]) == ("America/New_York", 2, "import")
    (day,) = stored(wire, "day@x")
    assert (day["all_day"], day["visibility"], day["busy"]) == (True, "private", False)
    assert day["end_time"] - day["start_time"] == timedelta(days=1)
    (todo,) = wire.send("GET", "/activities", search="todo").ok()
    assert (todo["kind"], todo["status"], todo["externalId"]) == ("task", "in_progress", "todo@x")
    assert imported(wire, content) == counts(skipped=4), "nothing is newer"
    assert "calendar.synced" in [entry["action"] for entry in wire.stub.audit()]


def test_the_greater_sequence_wins_and_a_cancellation_deletes(wire: Wire) -> None:
    imported(wire, calendar(SERIES, MOVED))
    assert imported(wire, calendar(SERIES, sequence=1, title="Old")) == counts(skipped=1)
    assert imported(wire, calendar(SERIES, sequence=3, title="New")) == counts(updated=1)
    assert wire.starts("New") == ["03-02 10:00", "03-23 10:00"], "the moved one is an event of its own"
    assert wire.starts("Series") == ["03-16 15:00"]
    assert imported(wire, calendar(SERIES, sequence=4, method="CANCEL")) == counts(deleted=1)
    assert wire.starts("New") == []


def test_what_is_no_calendar_is_refused(wire: Wire) -> None:
    cases: list[bytes] = [b"", b"hello", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", b"\xff\xfe\x00"]
    for content in cases:
        refused = wire.send("POST", "/activities/calendar/sync", {"fileId": put_file(wire, content)})
        assert refused.refusal[:2] == (422, "INVALID_FORMAT")


def test_an_entry_that_cannot_be_taken_is_told_and_holds_up_no_other(wire: Wire) -> None:
    broken = SERIES.replace("RRULE:FREQ=WEEKLY;COUNT=4", "RRULE:FREQ=HOURLY").replace("series@x", "broken@x")
    found = imported(wire, calendar(broken, DAY))
    assert (found["created"], found["failed"]) == (1, 1)
    (error,) = found["errors"]
    assert (error["row"], error["field"], error["value"]) == (1, "recurrence", "broken@x")


def test_what_is_asked_for_has_to_be_there(wire: Wire) -> None:
    def refusal(**body: Any) -> Any:
        return wire.send("POST", "/activities/calendar/sync", body).refusal

    assert refusal()[:2] == (422, "VALIDATION_ERROR")
    assert refusal(fileId="file_none") == (422, "REFERENCE_NOT_FOUND", "fileId")
    assert refusal(integrationId="integration_none") == (422, "REFERENCE_NOT_FOUND", "integrationId")
    assert refusal(integrationId="integration_outlook")[:2] == (409, "INTEGRATION_NOT_CONNECTED")
    assert wire.by("acme-sales").send("POST", "/activities/calendar/sync", {"fileId": "file_none"}).status == 422


def synced(wire: Wire, content: bytes | None, **more: Any) -> Document:
    remotes = wire.stub.store.collection("tenant_acme", "external_calendar")
    if content is not None:
        remotes.put(Document(id="integration_google", content=content))
    body = {"integrationId": "integration_google", **more}
    run = wire.send("POST", "/activities/calendar/sync", body).ok(202)
    assert run["status"] == "queued"
    assert wire.send("POST", "/activities/calendar/sync", body).refusal[:2] == (409, "SYNC_IN_PROGRESS")
    wire.stub.clock.advance(2)
    wire.send("GET", "/activities", limit=1).ok()
    done = wire.stub.store.collection("tenant_acme", "sync_run").get(run["id"])
    assert done is not None
    return done


def test_a_calendar_is_synchronised_both_ways_and_deletions_follow(wire: Wire) -> None:
    ours = wire.make("event", title="Ours")
    run = synced(wire, calendar(SERIES, DAY))
    assert run["status"] == "succeeded" and run["counts"]["created"] == 2
    (series,) = stored(wire, "series@x")
    assert (series["integration_id"], series["source"]) == ("integration_google", "sync")
    remote = wire.stub.store.collection("tenant_acme", "external_calendar").get("integration_google")
    assert remote is not None
    there = {entry.uid: entry for entry in icalendars.read(remote["content"], ZoneInfo("UTC"))}
    assert {ours["uid"], "series@x", "day@x"} <= there.keys()
    assert there["series@x"].members["recurrence"] == "FREQ=WEEKLY;COUNT=4"
    run = synced(wire, calendar(DAY), direction="inbound")
    assert run["counts"]["deleted"] == 1 and stored(wire, "series@x") == []
    assert "event.deleted" in deeds(wire.stub, series["id"]) and wire.get(ours["id"])["title"] == "Ours"
    failed = synced(wire, b"no calendar")
    assert failed["status"] == "failed" and failed["error"]["code"] == "INVALID_FORMAT"


def test_an_outbound_run_writes_the_other_side_only(wire: Wire) -> None:
    run = synced(wire, calendar(DAY), direction="outbound")
    assert run["counts"]["created"] == 0 and stored(wire, "day@x") == []
    remote = wire.stub.store.collection("tenant_acme", "external_calendar").get("integration_google")
    assert remote is not None and "day@x" in {
        entry.uid for entry in icalendars.read(remote["content"], ZoneInfo("UTC"))
    }


def test_what_is_written_reads_as_what_it_was(wire: Wire) -> None:
    guests = [
        {"email": "ada@acme.test", "role": "host", "status": "accepted"},
        {"email": "x@y.example", "status": "tentative"},
    ]
    made = wire.make(
        "event",
        title="Ünï; code, \\ line\nbreak",
        recurrence="FREQ=WEEKLY;UNTIL=20260401T000000Z",
        attendees=guests,
        location="Hall 1",
    )
    wire.delete(made["id"], occurrence=START + timedelta(weeks=2) - timedelta(hours=1), scope="this").ok()
    docs = stored(wire, made["uid"])
    (entry,) = icalendars.read(icalendars.write(docs), ZoneInfo("UTC"))
    doc = docs[0]
    for name in (
        "title",
        "start_time",
        "end_time",
        "timezone",
        "recurrence",
        "location",
        "all_day",
        "busy",
        "visibility",
    ):
        assert entry.members[name] == doc[name], name
    assert list(entry.exdates) == doc["exdates"] and entry.sequence == doc["sequence"] == 1
    assert [(g["email"], g["status"]) for g in entry.members["attendees"]] == [
        (g["email"], g["status"]) for g in doc["attendees"]
    ]
    assert [r["minutes_before"] for r in entry.members["reminders"]] == [1440, 60, 15]
    assert entry.changed_at == doc["updated_at"].replace(microsecond=0, tzinfo=UTC) and isinstance(
        entry.changed_at, datetime
    )


OFFICE = """BEGIN:VTIMEZONE
TZID:Head Office
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:+0300
TZOFFSETTO:+0300
END:STANDARD
END:VTIMEZONE
"""


@pytest.mark.parametrize(
    ("zone", "hour", "kept"),
    [
        ("Europe/Berlin", 9, "Europe/Berlin"),
        ("Head Office", 7, "America/New_York"),
        ("Nowhere", 15, "America/New_York"),
    ],
)
def test_an_event_of_a_zone_that_has_no_known_name_is_at_its_time_in_the_users_own(
    wire: Wire, zone: str, hour: int, kept: str
) -> None:
    event = (
        "BEGIN:VEVENT\nUID:zoned@x\nDTSTAMP:20260101T000000Z\n"
        f"DTSTART;TZID={zone}:20260302T100000\nSUMMARY:Zoned\nEND:VEVENT\n"
    )
    assert imported(wire, calendar(OFFICE, event)) == counts(created=1)
    (made,) = (doc for doc in wire.stub.store.collection("tenant_acme", "activity") if doc.get("uid") == "zoned@x")
    assert (made["start_time"], made["timezone"]) == (datetime(2026, 3, 2, hour, tzinfo=UTC), kept)
