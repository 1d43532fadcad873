"""Who is told of a meeting that moves or is off, in which words, and what a guest from outside gets for a calendar."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from activity_wire import START, Wire
from stub_data import stored

from server_stub.clock import TICK

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GUESTS = [
    {"email": "ada@acme.test", "role": "host"}, {"email": "sam@acme.test"}, {"email": "out@x.example"},
    {"email": "no@x.example", "status": "declined"},
]  # fmt: skip


def meeting(wire: Wire, **members: Any) -> str:
    times = {"startTime": START, "endTime": START + HOUR, "attendees": GUESTS}
    return str(wire.make("event", **{**times, **members})["id"])


def told(wire: Wire, id: str) -> list[tuple[Any, ...]]:
    """Return who was told what of an event; what was sent is taken away."""
    records = wire.stub.store.collection("tenant_acme", "notification")
    found = [doc for doc in records.all() if (doc.get("entity") or {}).get("id") == id]
    for doc in found:
        records.remove(doc["id"])
    return [(doc["user_id"], doc["title"], doc["message"], doc["expires_at"]) for doc in found]


def sent(wire: Wire, id: str) -> list[dict[str, Any]]:
    """Return the messages to guests from outside; they are taken away."""
    records = wire.stub.store.collection("tenant_acme", "invitation")
    found = [doc for doc in records.all() if doc["event_id"] == id]
    for doc in found:
        records.remove(doc["id"])
    return [dict(doc) for doc in found]


def lines(message: dict[str, Any]) -> set[str]:
    """Return the lines of a message's file that say which occurrence of what it is about, and what became of it."""
    content = message["content"].decode().replace("\r\n ", "").split("\r\n")
    words = ("METHOD", "UID", "SEQUENCE", "STATUS", "RECURRENCE-ID", "DTSTART;TZID=America/New_York:2026")
    return {line for line in content if line.startswith(words)}


def move(wire: Wire, id: str, to: datetime, **more: Any) -> None:
    wire.send("PUT", f"/activities/{id}/reschedule", {"startTime": to, **more}).ok()


def test_a_move_is_told_to_all_who_attend_but_who_made_it(wire: Wire) -> None:
    id = meeting(wire)
    assert not told(wire, id) and not sent(wire, id)
    move(wire, id, START + HOUR)
    (first, second), notes = sent(wire, id), told(wire, id)
    assert [(one["to"], one["method"], one["event_id"], one["sequence"]) for one in (first, second)] == [
        ("out@x.example", "REQUEST", id, 1), ("no@x.example", "REQUEST", id, 1),
    ], "whoever declined is asked again"  # fmt: skip
    assert first["uid"] == wire.get(id)["uid"] and first["token"] != second["token"]
    assert lines(first) == {
        "METHOD:REQUEST", f"UID:{first['uid']}", "SEQUENCE:1", "STATUS:CONFIRMED",
        "DTSTART;TZID=America/New_York:20260302T110000",
    }  # fmt: skip
    text = "Meet, 11:00 on 2026-03-02. Answer with this token: "
    assert notes == [
        ("user_sam", "Moved: Meet", "acme-admin: Meet, 11:00 on 2026-03-02.", START + 2 * HOUR),
        (None, "Moved: Meet", text + first["token"], None), (None, "Moved: Meet", text + second["token"], None),
    ]  # fmt: skip
    move(wire, id, START, notify=False)
    assert not told(wire, id) and not sent(wire, id)
    users = wire.stub.store.collection("tenant_acme", "user")
    sam = users.get("user_sam")
    assert sam is not None
    users.put(sam | {"timezone": "Europe/Berlin", "preferences": {"timezone": "Europe/Berlin"}})
    move(wire, id, START + DAY)
    assert [one[2].partition(". ")[0] for one in told(wire, id)] == [
        "acme-admin: Meet, 16:00 on 2026-03-03.", "Meet, 10:00 on 2026-03-03", "Meet, 10:00 on 2026-03-03",
    ], "a user on the own clock, others on the company's"  # fmt: skip
    sales = wire.by("acme-sales")
    own = meeting(sales, attendees=[*GUESTS[:2], {"email": "mia@acme.test"}])
    move(sales, own, START + 9 * DAY)
    assert {one[0] for one in told(wire, own)} == {"user_ada", "user_mia"}


def test_a_cancellation_is_told_to_those_who_were_to_attend(wire: Wire) -> None:
    id = meeting(wire)
    uid = wire.get(id)["uid"]
    wire.delete(id).ok()
    (only,) = sent(wire, id)
    assert (only["to"], only["method"]) == ("out@x.example", "CANCEL")
    assert lines(only) == {
        "METHOD:CANCEL", f"UID:{uid}", "SEQUENCE:1", "STATUS:CANCELLED",
        "DTSTART;TZID=America/New_York:20260302T100000",
    }  # fmt: skip
    assert told(wire, id) == [
        ("user_sam", "Cancelled: Meet", "acme-admin: Meet, 10:00 on 2026-03-02.", START + HOUR),
        (None, "Cancelled: Meet", "Meet, 10:00 on 2026-03-02.", None),
    ]
    hidden = meeting(wire, visibility="private")
    wire.delete(hidden).ok()
    assert [one[1:3] for one in told(wire, hidden)] == [
        ("Cancelled: Meet", "acme-admin: Meet, 10:00 on 2026-03-02."),
        ("Cancelled: an event", "an event, 10:00 on 2026-03-02."),
    ], "admins read what is sent"


def test_of_what_is_over_or_was_off_nobody_is_told(wire: Wire) -> None:
    now = wire.stub.clock.now()
    for members, tells in (
        ({"status": "cancelled"}, False), ({"status": "completed"}, False), ({"status": "confirmed"}, True),
        ({"end_time": now - HOUR}, False), ({"start_time": now - HOUR, "end_time": now + HOUR}, True),
    ):  # fmt: skip
        id = meeting(wire)
        stored(wire.stub, "activity", id, **members)
        wire.delete(id).ok()
        assert (bool(told(wire, id)), bool(sent(wire, id))) == (tells, tells), members
    for more, tells in ((0 * TICK, False), (TICK, True)):
        id = meeting(wire)
        now = wire.stub.clock.now()
        stored(wire.stub, "activity", id, start_time=now - HOUR, end_time=now + TICK + more)
        wire.delete(id).ok()
        assert bool(told(wire, id)) is tells, more
    task = wire.make("task")["id"]
    wire.delete(task).ok()
    assert told(wire, task) == []


def test_of_a_series_the_guests_are_told_which_part_is_off(wire: Wire) -> None:
    id = meeting(wire, recurrence="FREQ=DAILY;COUNT=5")
    wire.delete(id, occurrence=START + DAY, scope="this").ok()
    (one,), notes = sent(wire, id), told(wire, id)
    uid = f"UID:{wire.get(id)['uid']}"
    assert lines(one) == {
        "METHOD:CANCEL", uid, "SEQUENCE:1", "STATUS:CANCELLED", "DTSTART;TZID=America/New_York:20260303T100000",
        "RECURRENCE-ID;TZID=America/New_York:20260303T100000",
    }  # fmt: skip
    assert notes[0][2:] == ("acme-admin: Meet, 10:00 on 2026-03-03.", START + DAY + HOUR)
    wire.delete(id, occurrence=START + 3 * DAY, scope="following").ok()
    (rest,), notes = sent(wire, id), told(wire, id)
    assert lines(rest) == {
        "METHOD:CANCEL", uid, "SEQUENCE:2", "STATUS:CANCELLED", "DTSTART;TZID=America/New_York:20260305T100000",
        "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=America/New_York:20260305T100000",
    }, "not the whole series"  # fmt: skip
    assert b"RRULE" not in rest["content"]
    assert notes[0][2:] == ("acme-admin: Meet, 10:00 on 2026-03-05.", START + 3 * DAY + HOUR)
    assert wire.starts("Meet") == ["03-02 10:00", "03-04 10:00"]
    move(wire, id, START + 2 * DAY + HOUR, occurrence=START + 2 * DAY, scope="this")
    own = next(doc for doc in wire.stub.store.collection("tenant_acme", "activity") if doc.get("series_id") == id)
    assert [one[1] for one in told(wire, own["id"])] == ["Moved: Meet"] * 3 and told(wire, id) == []
    wire.delete(id, occurrence=START, scope="following").ok()
    assert wire.send("GET", f"/activities/{id}").status == 404 and len(sent(wire, id)) == 1
