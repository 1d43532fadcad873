"""What a calendar of another program does to events and tasks here, and what of ours it gets: entry by entry."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from activity_wire import START, Wire
from stub_data import some
from stub_data import stored as put

from server_stub.data.document import Document
from server_stub.services.activities import icalendars

from .test_syncing import calendar, put_file, stored, synced

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FUTURE = "DTSTAMP:20300101T000000Z"
"""Whatever is here is older."""


def entry(uid: str, start: str | None, *lines: str, kind: str = "VEVENT", stamp: str = FUTURE) -> str:
    begins = [f"DTSTART:{start}"] if start is not None else []
    return "\n".join([f"BEGIN:{kind}", f"UID:{uid}", stamp, *begins, *lines, f"END:{kind}", ""])


def imported(wire: Wire, *parts: str, **more: Any) -> tuple[dict[str, int], list[Any]]:
    """Import entries; return the counts that are not 0, and the errors."""
    body = {"fileId": put_file(wire, calendar(*parts)), **more}
    run = wire.send("POST", "/activities/calendar/sync", body).ok(202)
    return {name: count for name, count in run["counts"].items() if count}, run["errors"]


def counts(total: int = 1, **more: int) -> tuple[dict[str, int], list[Any]]:
    done = sum(more[what] for what in ("created", "updated", "deleted") if what in more)
    return {"total": total, "processed": total, **({"succeeded": done} if done else {}), **more}, []


def one(wire: Wire, uid: str) -> Document:
    (doc,) = stored(wire, uid)
    return doc


def task(wire: Wire, uid: str) -> Document:
    (doc,) = wire.stub.store.collection("tenant_acme", "activity").find("external_id", uid)
    return doc


def test_one_calendar_is_synchronised_or_one_file_is_imported(wire: Wire) -> None:
    file = put_file(wire, calendar(entry("a@x", "20260302T150000Z")))
    for body in ({}, {"fileId": file, "integrationId": "integration_google"}):
        answer = wire.send("POST", "/activities/calendar/sync", body)
        assert answer.refusal == (422, "VALIDATION_ERROR", "integrationId")
        assert answer.body["errors"][0]["rule"] == "required"
    run = wire.send("POST", "/activities/calendar/sync", {"fileId": file}).ok(202)
    names = ("direction", "status", "progress", "mode", "entityTypes", "integrationId", "errors", "error")
    assert [run[name] for name in names] == ["inbound", "succeeded", 1, "full", ["activity"], None, [], None]
    assert run["startedAt"] == run["finishedAt"] is not None
    told = wire.stub.audit()[-1]
    assert (told["action"], told["entity"]["type"], told["entity"]["id"]) == (
        "calendar.synced",
        "tenant",
        "tenant_acme",
    )
    assert told["metadata"] == {"run_id": run["id"], "file_id": file}


def test_what_begins_before_a_moment_is_passed_over_unless_it_is_a_series(wire: Wire) -> None:
    early, at, series = "20260301T150000Z", "20260302T150000Z", "RRULE:FREQ=DAILY;COUNT=3"
    parts = [
        entry("early@x", early), entry("at@x", at), entry("series@x", early, series),
        entry("todo@x", None, kind="VTODO"), entry("begun@x", early, kind="VTODO"),
        entry("ahead@x", at, kind="VTODO"),
    ]  # fmt: skip
    assert imported(wire, *parts, since=START) == counts(6, created=4, skipped=2)
    assert [len(stored(wire, uid)) for uid in ("early@x", "at@x", "series@x")] == [0, 1, 1]
    activities = wire.stub.store.collection("tenant_acme", "activity")
    assert [len(activities.find("external_id", f"{uid}@x")) for uid in ("todo", "begun", "ahead")] == [1, 0, 1]
    assert imported(wire, *parts) == counts(6, created=2, skipped=4)


def test_what_is_newer_wins_by_its_number_then_by_when_it_was_changed(wire: Wire) -> None:
    at = "20260302T150000Z"
    assert imported(wire, entry("a@x", at, "SEQUENCE:2", "SUMMARY:One")) == counts(created=1)
    first = one(wire, "a@x")
    assert [first[name] for name in ("title", "sequence", "source", "integration_id", "series_id", "exdates")] == [
        "One", 2, "import", None, None, [],
    ]  # fmt: skip
    old = "DTSTAMP:20200101T000000Z"
    stamp = f"DTSTAMP:{first['updated_at'].replace(microsecond=0) + timedelta(seconds=1):%Y%m%dT%H%M%SZ}"
    for lines, stamped, what, title in (
        (("SEQUENCE:1", "SUMMARY:Two"), FUTURE, "skipped", "One"),
        (("SEQUENCE:2", "SUMMARY:Two"), old, "skipped", "One"),
        (("SEQUENCE:2", "SUMMARY:Two"), stamp, "updated", "Two"),
        (("SEQUENCE:2", "SUMMARY:Two"), FUTURE, "skipped", "Two"),
        (("SEQUENCE:3", "SUMMARY:Three"), old, "updated", "Three"),
        (("SEQUENCE:3", "SUMMARY:Four"), "X-NO:1", "updated", "Four"),
    ):  # fmt: skip
        assert imported(wire, entry("a@x", at, *lines, stamp=stamped)) == counts(**{what: 1}), lines
        assert one(wire, "a@x")["title"] == title
    assert one(wire, "a@x")["sequence"] == 3
    put(wire.stub, "activity", one(wire, "a@x")["id"], updated_at=START)
    same = f"DTSTAMP:{START:%Y%m%dT%H%M%SZ}"
    assert imported(wire, entry("a@x", at, "SEQUENCE:3", "SUMMARY:Five", stamp=same)) == counts(skipped=1)
    assert imported(wire, entry("a@x", at, "STATUS:CANCELLED", "SEQUENCE:2")) == counts(skipped=1)
    assert imported(wire, entry("a@x", at, "STATUS:CANCELLED", "SEQUENCE:4")) == counts(deleted=1)
    assert stored(wire, "a@x") == []
    assert imported(wire, entry("a@x", at, "STATUS:CANCELLED", "SEQUENCE:4")) == counts(skipped=1), "there is none"


def test_an_occurrence_of_its_own_is_taken_out_of_its_series(wire: Wire) -> None:
    days = [START + number * DAY for number in range(4)]
    texts = [f"{at:%Y%m%dT%H%M%SZ}" for at in days]
    series = entry("s@x", texts[0], "RRULE:FREQ=DAILY;COUNT=4", "SUMMARY:S", f"EXDATE:{texts[3]}")
    moved = entry("s@x", f"{days[1] + HOUR:%Y%m%dT%H%M%SZ}", f"RECURRENCE-ID:{texts[1]}", "SUMMARY:Own")
    assert imported(wire, moved, series) == counts(2, created=2), "the series is written first"

    def both() -> tuple[Document, list[Document]]:
        (whole,) = [doc for doc in stored(wire, "s@x") if doc.get("original_start") is None]
        return whole, [doc for doc in stored(wire, "s@x") if doc.get("original_start") is not None]

    whole, (own,) = both()
    assert (whole["exdates"], own["series_id"], own["original_start"]) == ([days[1], days[3]], whole["id"], days[1])
    assert (own["start_time"], own["title"], own["recurrence"], own["uid"]) == (days[1] + HOUR, "Own", None, "s@x")
    gone = entry("s@x", texts[2], f"RECURRENCE-ID:{texts[2]}", "STATUS:CANCELLED")
    assert imported(wire, gone) == counts(deleted=1)
    assert both()[0]["exdates"] == days[1:]
    # what the series says anew of its days is added to those that have an event of their own
    again = entry("s@x", texts[0], "RRULE:FREQ=DAILY;COUNT=4", "SUMMARY:T", "SEQUENCE:1")
    assert imported(wire, again) == counts(updated=1)
    assert (both()[0]["title"], both()[0]["exdates"]) == ("T", [days[1]])
    assert imported(wire, entry("s@x", texts[0], "SUMMARY:T", "SEQUENCE:2")) == counts(updated=1)
    assert both()[0]["recurrence"] is None, "it is no series any more"
    cancelled = entry("s@x", texts[1], f"RECURRENCE-ID:{texts[1]}", "STATUS:CANCELLED", "SEQUENCE:9")
    assert imported(wire, cancelled) == counts(deleted=1)
    assert both()[1] == []
    lone = entry("lone@x", texts[1], f"RECURRENCE-ID:{texts[0]}")
    assert imported(wire, lone) == counts(created=1)
    assert (one(wire, "lone@x")["series_id"], one(wire, "lone@x")["original_start"]) == (None, days[0])
    nowhere = entry("none@x", texts[1], f"RECURRENCE-ID:{texts[0]}", "STATUS:CANCELLED")
    assert imported(wire, nowhere) == counts(deleted=1)


def test_a_to_do_is_a_task_that_is_known_by_its_uid(wire: Wire) -> None:
    def todo(*lines: str, stamp: str = FUTURE) -> str:
        return entry("t@x", None, *lines, kind="VTODO", stamp=stamp)

    assert imported(wire, todo("SUMMARY:One", "DUE:20260302T150000Z")) == counts(created=1)
    made = task(wire, "t@x")
    assert [made[name] for name in ("kind", "title", "due_at", "source", "external_id")] == [
        "task", "One", START, "import", "t@x",
    ]  # fmt: skip
    put(wire.stub, "activity", made["id"], updated_at=START)
    same = f"DTSTAMP:{START:%Y%m%dT%H%M%SZ}"
    for lines, stamp, what, title in (
        (("SUMMARY:Two",), same, "skipped", "One"), (("SUMMARY:Two",), "X-NO:1", "updated", "Two"),
        (("SUMMARY:Two",), FUTURE, "skipped", "Two"), (("SUMMARY:Three",), FUTURE, "updated", "Three"),
    ):  # fmt: skip
        assert imported(wire, todo(*lines, stamp=stamp)) == counts(**{what: 1}), (lines, stamp)
        assert (task(wire, "t@x")["title"], task(wire, "t@x")["due_at"] is None) == (title, title != "One")
    note = wire.make("note")
    put(wire.stub, "activity", note["id"], external_id="n@x", uid="e@x")
    assert imported(wire, entry("e@x", "20260302T150000Z")) == counts(created=1), "a note is no event"
    _, (taken,) = imported(wire, entry("n@x", None, kind="VTODO"))
    assert (taken["code"], taken["field"], taken["value"]) == ("DUPLICATE_VALUE", "external_id", "n@x")


def test_each_entry_that_fails_is_told_by_its_place_in_the_file(wire: Wire) -> None:
    at = "20260302T150000Z"
    found, errors = imported(
        wire, entry("a@x", at, f"RECURRENCE-ID:{at}", "RRULE:FREQ=HOURLY"), entry("b@x", None), entry("c@x", at),
    )  # fmt: skip
    assert found == {"total": 3, "processed": 3, "succeeded": 1, "created": 1, "failed": 2}
    told = [(one["row"], one["field"], one["code"], one["value"]) for one in errors]
    assert told == [(2, None, "VALIDATION_ERROR", "b@x"), (1, "recurrence", "VALIDATION_ERROR", "a@x")]
    assert errors[0]["message"] == "an event begins at some time"
    mine = one(wire, "c@x")
    sales = wire.by("acme-sales")
    _, (refused,) = imported(sales, entry("c@x", at, "SUMMARY:New", "SEQUENCE:5"))
    assert (refused["row"], refused["code"], refused["value"]) == (1, "FORBIDDEN", "c@x")
    _, (refused,) = imported(sales, entry("c@x", at, "STATUS:CANCELLED", "SEQUENCE:5"))
    assert refused["code"] == "FORBIDDEN" and one(wire, "c@x") == mine
    imported(wire, entry("t@x", None, kind="VTODO"))
    _, (refused,) = imported(sales, entry("t@x", None, "SUMMARY:New", kind="VTODO"))
    assert (refused["code"], task(wire, "t@x")["title"]) == ("FORBIDDEN", "Untitled")


def test_what_is_gone_from_a_calendar_is_deleted_here_and_ours_is_given(wire: Wire) -> None:
    texts = {name: f"{START + days * DAY:%Y%m%dT%H%M%SZ}" for name, days in (("old", -9), ("new", 0))}
    both = [entry("old@x", texts["old"]), entry("new@x", texts["new"])]
    integrations = wire.stub.store.collection("tenant_acme", "integration")
    run = synced(wire, calendar(*both), direction="inbound")
    assert (run["counts"]["created"], run["counts"]["total"], run["counts"]["succeeded"]) == (2, 2, 2)
    assert [run[name] for name in ("status", "progress", "direction", "errors")] == ["succeeded", 1, "inbound", []]
    assert run["started_at"] is not None and run["finished_at"] is not None
    assert some(integrations.get("integration_google"))["last_sync"] == run["finished_at"]
    (told,) = [one for one in wire.stub.audit() if one["metadata"].get("run_id") == run["id"] and
               one["action"] == "calendar.synced"]  # fmt: skip
    assert (told["entity"]["type"], told["entity"]["id"]) == ("integration", "integration_google")
    job = next(
        doc for doc in wire.stub.store.collection("tenant_acme", "job") if doc["payload"].get("run_id") == run["id"]
    )
    done = {name: count for name, count in job["counts"].items() if count}
    assert (job["status"], job["title"], done) == (
        "succeeded", "Calendar sync", {"total": 1, "processed": 1, "succeeded": 1},
    )  # fmt: skip
    remotes = wire.stub.store.collection("tenant_acme", "external_calendar")
    assert some(remotes.get("integration_google"))["content"] == calendar(*both), "nothing is written there"
    mine, theirs = wire.make("event", title="Mine"), wire.by("acme-sales").make("event", title="Sams")
    own = one(wire, "new@x")
    put(wire.stub, "activity", own["id"], owner_id="user_sam")
    run = synced(wire, calendar(), since=START)
    assert (run["direction"], run["counts"]["deleted"], run["counts"]["total"]) == ("bidirectional", 1, 0)
    assert (len(stored(wire, "old@x")), stored(wire, "new@x")) == (1, []), "what is before the moment stays"
    found = icalendars.read(some(remotes.get("integration_google"))["content"], ZoneInfo("UTC"))
    given = [one.uid for one in found]
    assert given.index("old@x") < given.index(mine["uid"]) and theirs["uid"] not in given
    begins = [one.members["start_time"] for one in found]
    assert begins == sorted(begins)
    run = synced(wire, calendar(), direction="inbound")
    assert (run["counts"]["deleted"], stored(wire, "old@x")) == (1, [])
    assert wire.get(mine["id"])["title"] == "Mine", "of the calendar alone"


def test_a_calendar_that_cannot_be_read_fails_its_run_and_its_job(wire: Wire) -> None:
    before = some(wire.stub.store.collection("tenant_acme", "integration").get("integration_google"))["last_sync"]
    run = synced(wire, b"no calendar")
    assert (run["status"], run["error"]["code"]) == ("failed", "INVALID_FORMAT")
    assert "is not an iCalendar" in run["error"]["message"] and run["finished_at"] is not None
    (job,) = [
        doc for doc in wire.stub.store.collection("tenant_acme", "job") if doc["payload"].get("run_id") == run["id"]
    ]
    assert (job["status"], job["error"]["code"]) == ("failed", "INVALID_FORMAT")
    assert not [one for one in wire.stub.audit() if one["action"] == "calendar.synced"]
    after = some(wire.stub.store.collection("tenant_acme", "integration").get("integration_google"))["last_sync"]
    assert after == before
    wire.stub.store.collection("tenant_acme", "external_calendar").remove("integration_google")
    assert synced(wire, None)["status"] == "succeeded", "one that is empty has nothing"
