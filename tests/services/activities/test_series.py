"""Series: occurrences on the clock of their zone, changed and deleted alone, with those that follow, or all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from activity_wire import START, Wire, deeds
from hypothesis import given
from hypothesis import strategies as st

from server_stub.problems import Problem
from server_stub.services.activities import recurrence

HOUR, WEEK = timedelta(hours=1), timedelta(weeks=1)
WEEKLY = ["03-02 10:00", "03-09 10:00", "03-16 10:00", "03-23 10:00"]
THIRD = START + 2 * WEEK - HOUR
"""The clock is an hour ahead by then."""


@pytest.fixture
def series(wire: Wire) -> dict[str, Any]:
    return wire.make("event", title="Weekly", recurrence="FREQ=WEEKLY;COUNT=4")


def test_a_series_keeps_its_local_time_over_a_change_of_the_clock(wire: Wire, series: dict[str, Any]) -> None:
    assert wire.starts("Weekly") == WEEKLY
    assert (series["seriesId"], series["originalStart"], series["exdates"], series["sequence"]) == (None, None, [], 0)


def test_one_occurrence_becomes_an_event_of_its_own(wire: Wire, series: dict[str, Any]) -> None:
    own = wire.put(series["id"], {"startTime": THIRD + HOUR, "title": "Weekly"}, occurrence=THIRD, scope="this").ok()
    assert own["id"] != series["id"] and own["seriesId"] == series["id"] and own["version"] == 1
    assert datetime.fromisoformat(own["originalStart"]) == THIRD and own["recurrence"] is None
    assert wire.starts("Weekly") == ["03-02 10:00", "03-09 10:00", "03-16 11:00", "03-23 10:00"]
    whole = wire.get(series["id"])
    assert [datetime.fromisoformat(at) for at in whole["exdates"]] == [THIRD] and whole["sequence"] == 1
    gone = wire.put(series["id"], {"title": "x"}, occurrence=THIRD, scope="this")
    assert gone.refusal[:2] == (422, "OCCURRENCE_NOT_FOUND")
    same = wire.put(series["id"], {"title": "Weekly"}, occurrence=START, scope="this").ok()
    assert (same["id"], same["version"]) == (series["id"], 2), "no difference, no event of its own"


def test_those_that_follow_begin_a_series_of_their_own(wire: Wire, series: dict[str, Any]) -> None:
    new = wire.put(series["id"], {"title": "Later"}, occurrence=THIRD, scope="following").ok()
    assert new["recurrence"] == "FREQ=WEEKLY;COUNT=2" and new["seriesId"] is None and new["uid"] != series["uid"]
    assert (wire.starts("Weekly"), wire.starts("Later")) == (WEEKLY[:2], WEEKLY[2:])
    last = datetime.fromisoformat(new["startTime"]).astimezone(UTC) - timedelta(seconds=1)
    assert wire.get(series["id"])["recurrence"] == f"FREQ=WEEKLY;UNTIL={last:%Y%m%dT%H%M%SZ}"
    assert deeds(wire.stub, new["id"])[0] == "activity.created"
    first = wire.put(series["id"], {"title": "Whole"}, occurrence=START, scope="following").ok()
    assert first["id"] == series["id"] and wire.starts("Whole") == WEEKLY[:2]


@pytest.mark.parametrize(
    ("scope", "left"), [("this", [WEEKLY[0], WEEKLY[1], WEEKLY[3]]), ("following", WEEKLY[:2]), ("all", [])]
)
def test_occurrences_are_deleted(wire: Wire, series: dict[str, Any], scope: str, left: list[str]) -> None:
    wire.delete(series["id"], occurrence=THIRD, scope=scope).ok()
    assert wire.starts("Weekly") == left
    if left:
        assert wire.delete(series["id"], occurrence=THIRD, scope=scope).refusal[:2] == (422, "OCCURRENCE_NOT_FOUND")
    else:
        assert wire.send("GET", f"/activities/{series['id']}").status == 404


@pytest.mark.parametrize(
    ("scope", "starts"),
    [
        ("this", [*WEEKLY[:2], "03-17 12:30", WEEKLY[3]]),
        ("following", [*WEEKLY[:2], "03-17 12:30", "03-24 12:30"]),
        ("all", ["03-03 12:30", "03-10 12:30", "03-17 12:30", "03-24 12:30"]),
    ],
)
def test_a_series_is_moved_in_part_or_as_a_whole(
    wire: Wire, series: dict[str, Any], scope: str, starts: list[str]
) -> None:
    to = THIRD + timedelta(days=1, hours=2, minutes=30)
    body = {"startTime": to, "occurrence": THIRD, "scope": scope, "reason": "ill"}
    moved = wire.send("PUT", f"/activities/{series['id']}/reschedule", body).ok()
    assert wire.starts("Weekly") == starts
    length = datetime.fromisoformat(moved["endTime"]) - datetime.fromisoformat(moved["startTime"])
    assert length == HOUR and deeds(wire.stub, moved["id"]).count("activity.rescheduled") == 1


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_what_is_no_series_has_no_occurrences(wire: Wire, method: str) -> None:
    for kind in ("event", "task"):
        made = wire.make(kind)
        body = {"title": "x"} if method == "PUT" else None
        for query in ({"occurrence": START, "scope": "this"}, {"occurrence": START}, {"scope": "following"}):
            answer = wire.send(method, f"/activities/{made['id']}", body, **query)
            assert answer.refusal[:2] == (422, "NOT_RECURRING"), query
        assert wire.send(method, f"/activities/{made['id']}", body, scope="some").status == 422
        assert wire.get(made["id"])["version"] == 1


@given(
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.integers(1, 5),
    st.integers(1, 8),
    st.sampled_from(["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),
)
def test_occurrences_of_a_rule_are_as_many_as_it_says_at_one_local_time(
    freq: str, interval: int, count: int, zone: str, local: datetime
) -> None:
    """The first is the event itself; where the clock leaves an hour out, that one occurrence is moved."""
    first = local.replace(second=0, microsecond=0, tzinfo=ZoneInfo(zone)).astimezone(START.tzinfo)
    rule = recurrence.read_rule(f"freq={freq};interval={interval};count={count}", first, ZoneInfo(zone))
    doc = {"kind": "event", "start_time": first, "timezone": zone, "recurrence": rule, "exdates": []}
    beyond = first + timedelta(days=366 * interval * count * 9)  # 29 February comes every fourth year, or eighth
    found = list(recurrence.starts(doc, first, beyond))
    assert found[0] == first and len(found) == count and found == sorted(set(found))
    for at in found:
        assert recurrence.occurrence_of(doc, at) == at
        rest = recurrence.rest_from(doc, at)
        assert rest is not None and rest.endswith(f"COUNT={count - found.index(at)}")
        cut = {**doc, "recurrence": recurrence.cut_before(doc, at)}
        if at != first:
            assert list(recurrence.starts(cut, first, beyond)) == found[: found.index(at)]


def test_what_is_no_rule_is_refused() -> None:
    cases: list[str] = [
        "",
        "FREQ",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=DAILY;FREQ=DAILY",
        "DTSTART=1",
        "FREQ=YEARLY;BYDAY=100MO",
    ]
    for text in cases:
        with pytest.raises(Problem):
            recurrence.read_rule(text, START, recurrence.zone_of({}))
