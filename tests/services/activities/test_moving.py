"""Moving what is planned and changing parts of a series: what moves along, what is told, what is refused."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from activity_wire import START, Wire, deeds

HOUR, DAY, SECOND = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)


def at(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def move(wire: Wire, made: Any, to: datetime, *, version: int | None = None, **more: Any) -> Any:
    return wire.send("PUT", f"/activities/{made['id']}/reschedule", {"startTime": to, **more}, version=version)


def told(wire: Wire, id: str) -> list[tuple[str, Any]]:
    return [(one["action"], one["reason"]) for one in wire.stub.audit() if one["entity"]["id"] == id][2:]


def test_a_task_and_a_call_keep_their_length_where_no_end_is_given(wire: Wire) -> None:
    to = START + DAY
    cases: list[tuple[str, dict[str, Any], dict[str, Any], datetime | None, datetime | None]] = [
        ("task", {"startTime": START, "dueAt": START + 2 * HOUR}, {}, to - 2 * HOUR, to),
        ("task", {"startTime": START}, {}, to, to),
        ("task", {"dueAt": START}, {}, None, to),
        ("task", {}, {}, None, to),
        ("task", {"startTime": START, "dueAt": START + HOUR}, {"endTime": to + 3 * HOUR}, to, to + 3 * HOUR),
        ("task", {"startTime": START}, {"endTime": to}, to, to),
        ("call", {"startTime": START, "endTime": START + 2 * HOUR, "status": "queued"}, {}, to, to + 2 * HOUR),
        ("call", {"startTime": START, "status": "queued"}, {}, to, None),
        ("call", {"startTime": START, "status": "ringing"}, {"endTime": to}, to, to),
        ("call", {"startTime": START, "endTime": START + HOUR, "status": "queued"}, {"endTime": to + HOUR / 2}, to,
         to + HOUR / 2),
    ]  # fmt: skip
    for kind, members, more, start, end in cases:
        made = wire.make(kind, **members)
        moved = move(wire, made, to, reason="ill", **more).ok()
        last = "dueAt" if kind == "task" else "endTime"
        assert (at(moved["startTime"]), at(moved[last]), moved["version"]) == (start, end, 2), (kind, members, more)
        assert sorted(told(wire, made["id"])) == sorted([
            ("activity.updated", "ill"), (f"{kind}.updated", "ill"), ("activity.rescheduled", "ill"),
        ])  # fmt: skip
        again = move(wire, made, to, **more).ok()
        if kind == "call" or "endTime" in more or "startTime" not in members:
            assert (again["version"], len(told(wire, made["id"]))) == (2, 3), "it is there"


def test_what_is_over_or_has_no_time_does_not_move(wire: Wire) -> None:
    for kind, states in (
        ("task", ("completed", "cancelled")), ("call", ("completed", "busy", "no_answer", "failed", "cancelled")),
        ("event", ("completed", "cancelled", "no-show")),
    ):  # fmt: skip
        for status in states:
            made = wire.make(kind, status=status)
            refused = move(wire, made, START + DAY)
            assert refused.refusal[:2] == (409, "ACTIVITY_CLOSED"), (kind, status)
            assert refused.body["errors"][0]["message"].startswith(f"the {kind} is {status}")
    for kind in ("note", "email"):
        refused = move(wire, wire.make(kind), START)
        assert refused.refusal == (422, "NOT_SCHEDULABLE", "startTime")
        assert refused.body["errors"][0]["message"].startswith(f"a {kind} has no time to move")
    task = wire.make("task", startTime=START, dueAt=START + HOUR)
    assert move(wire, task, START, endTime=START - SECOND).refusal == (422, "VALIDATION_ERROR", "endTime")
    assert at(move(wire, task, START, endTime=START).ok()["dueAt"]) == START
    assert move(wire, task, START, version=7).refusal[:2] == (409, "VERSION_CONFLICT")
    assert move(wire, task, START, occurrence=START).refusal[:2] == (422, "NOT_RECURRING")
    event, series = wire.make("event"), wire.make("event", recurrence="FREQ=DAILY;COUNT=3")
    for scope in ("this", "following"):
        assert move(wire, event, START + DAY, scope=scope).refusal[:2] == (422, "NOT_RECURRING")
        assert move(wire, series, START + DAY, scope=scope).refusal == (422, "VALIDATION_ERROR", "occurrence")
        assert wire.put(series["id"], {"title": "x"}, scope=scope).refusal == (422, "VALIDATION_ERROR", "occurrence")
        assert wire.delete(series["id"], scope=scope).refusal == (422, "VALIDATION_ERROR", "occurrence")
    assert move(wire, event, START + DAY, endTime=START + DAY).refusal == (422, "VALIDATION_ERROR", "endTime")
    assert move(wire, event, START, endTime=START + 14 * DAY, force=True).ok()["version"] == 2
    assert move(wire, event, START, endTime=START + 14 * DAY + SECOND).refusal[2] == "endTime"


def test_a_series_that_moves_takes_its_gaps_along(wire: Wire) -> None:
    made = wire.make("event", title="S", recurrence="FREQ=DAILY;COUNT=4", attendees=[{"email": "sam@acme.test"}])
    wire.delete(made["id"], occurrence=START + DAY, scope="this").ok()
    moved = move(wire, made, START + 2 * HOUR, reason="late").ok()
    assert [at(gone) for gone in moved["exdates"]] == [START + DAY + 2 * HOUR]
    assert wire.starts("S") == ["03-02 12:00", "03-04 12:00", "03-05 12:00"]
    third = START + 2 * DAY + 2 * HOUR
    whole = move(wire, made, third + HOUR, occurrence=third, scope="all", endTime=third + 3 * HOUR).ok()
    assert (at(whole["startTime"]), at(whole["endTime"])) == (START + 3 * HOUR, START + 5 * HOUR)
    assert wire.starts("S") == ["03-02 13:00", "03-04 13:00", "03-05 13:00"]
    first = START + 3 * HOUR
    same = move(wire, made, first - HOUR, occurrence=first, scope="following").ok()
    assert (same["id"], wire.starts("S")) == (made["id"], ["03-02 12:00", "03-04 12:00", "03-05 12:00"])
    rest = move(wire, made, third + 5 * HOUR, occurrence=third, scope="following", reason="ill").ok()
    assert (rest["id"] != made["id"], rest["recurrence"]) == (True, "FREQ=DAILY;COUNT=2")
    assert wire.starts("S") == ["03-02 12:00", "03-04 17:00", "03-05 17:00"]
    assert "activity.rescheduled" in deeds(wire.stub, rest["id"])
    (event,) = [one for one in wire.stub.audit() if one["entity"]["id"] == rest["id"]
                and one["action"] == "activity.rescheduled"]  # fmt: skip
    assert event["reason"] == "ill"
    created = next(one for one in wire.stub.audit() if one["entity"]["id"] == rest["id"])
    assert created["metadata"] == {"series_id": made["id"]}


def test_an_occurrence_is_an_event_with_all_but_what_makes_the_series(wire: Wire) -> None:
    given: dict[str, Any] = {
        "title": "S", "recurrence": "FREQ=DAILY;COUNT=5", "tags": ["t"], "location": "Hall", "externalId": "x-1",
        "reminders": [{"minutesBefore": 5}], "customFields": {"a": 1}, "description": "d",
    }  # fmt: skip
    made = wire.make("event", **given)
    wire.delete(made["id"], occurrence=START + 3 * DAY, scope="this").ok()
    second = START + DAY
    own = wire.put(made["id"], {"location": "Room"}, occurrence=second, scope="this").ok()
    kept = {name: own[name] for name in ("title", "tags", "customFields", "description", "ownerId", "timezone")}
    assert kept == {name: made[name] for name in kept} and own["location"] == "Room"
    names = ("recurrence", "exdates", "uid", "seriesId", "sequence", "externalId", "version")
    assert [own[name] for name in names] == [
        None, [], made["uid"], made["id"], 2, None, 1,
    ]  # fmt: skip
    assert (at(own["startTime"]), at(own["endTime"]), at(own["occurredAt"])) == (second, second + HOUR, second)
    assert [(one["minutesBefore"], one["sentAt"]) for one in own["reminders"]] == [(5, None)]
    rest = wire.put(made["id"], {"location": "Cellar"}, occurrence=START + 2 * DAY, scope="following").ok()
    assert [rest[name] for name in ("recurrence", "seriesId", "originalStart", "externalId")] == [
        "FREQ=DAILY;COUNT=3", None, None, None,
    ]  # fmt: skip
    assert [at(gone) for gone in rest["exdates"]] == [START + 3 * DAY] and rest["uid"] != made["uid"]
    whole = wire.get(made["id"])
    assert (whole["externalId"], whole["location"], [at(gone) for gone in whole["exdates"]]) == (
        "x-1", "Hall", [second, START + 3 * DAY],
    )  # fmt: skip
    last = wire.put(rest["id"], {"title": "Last"}, occurrence=START + 4 * DAY, scope="following").ok()
    assert last["recurrence"] == "FREQ=DAILY;COUNT=1"
    assert wire.starts("S") == ["03-02 10:00", "03-03 10:00", "03-04 10:00"] and wire.starts("Last") == ["03-06 10:00"]
