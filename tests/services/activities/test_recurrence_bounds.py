"""Which occurrences of a series lie in a window, what is left of its rule, and when the next one begins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from server_stub.data.document import Document
from server_stub.problems import Problem
from server_stub.services.activities import recurrence

NEW_YORK = ZoneInfo("America/New_York")
START = datetime(2026, 3, 2, 15, tzinfo=UTC)
"""10:00 of a Monday in New York, where the clock is put forward on the 8th."""
HOUR, DAY, SECOND = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)


def series(rule: str | None, *, first: datetime = START, zone: str | None = "UTC", **more: Any) -> Document:
    whole = {"id": "event_1", "kind": "event", "start_time": first, "end_time": first + HOUR, "timezone": zone}
    return Document({**whole, "recurrence": rule, **more})


def days(doc: Document, begin: datetime, end: datetime, **how: Any) -> list[int]:
    return [(at - START) // DAY for at in recurrence.starts(doc, begin, end, **how)]


def test_a_window_has_what_begins_in_it_without_what_was_taken_out() -> None:
    daily = series("FREQ=DAILY;COUNT=5", exdates=[START + 2 * DAY])
    for begin, end, found in (
        (START, START + 9 * DAY, [0, 1, 3, 4]), (START + SECOND, START + 3 * DAY, [1]),
        (START, START, []), (START, START + SECOND, [0]), (START + 3 * DAY, START + 3 * DAY + SECOND, [3]),
        (START - 9 * DAY, START, []), (START + 4 * DAY + SECOND, START + 99 * DAY, []),
    ):  # fmt: skip
        assert days(daily, begin, end) == found, (begin, end)
    assert days(daily, START, START + 9 * DAY, excluded=True) == [0, 1, 2, 3, 4]
    single = series(None)
    assert [days(single, START + shift, START + HOUR) for shift in (0 * DAY, SECOND, -DAY)] == [[0], [], [0]]
    assert days(single, START - DAY, START) == []
    spans = list(recurrence.spans([daily, single], START + HOUR, START + DAY + SECOND))
    assert [(at, over) for at, over, _ in spans] == [(START + DAY, START + DAY + HOUR)], "what ends then lies before"
    inside = list(recurrence.spans([daily, single], START + HOUR - SECOND, START + HOUR))
    assert [(at, doc.get("recurrence")) for at, _, doc in inside] == [(START, "FREQ=DAILY;COUNT=5"), (START, None)]
    first = series("FREQ=WEEKLY;BYDAY=WE;COUNT=2")
    assert days(first, START, START + 30 * DAY) == [0, 2, 9], "the event is the first, whatever its rule says"


def test_the_next_occurrence_is_looked_for_within_a_year() -> None:
    for rule, begin, found in (
        ("FREQ=DAILY", START + SECOND, START + DAY), ("FREQ=WEEKLY", START + DAY, START + 7 * DAY),
        ("FREQ=MONTHLY", START + DAY, datetime(2026, 4, 2, 15, tzinfo=UTC)),
        ("FREQ=YEARLY", START, START), ("FREQ=YEARLY", START + SECOND, datetime(2027, 3, 2, 15, tzinfo=UTC)),
        ("FREQ=YEARLY;INTERVAL=2", START + SECOND, None), ("FREQ=DAILY;COUNT=2", START + DAY + SECOND, None),
    ):  # fmt: skip
        assert recurrence.first_start(series(rule), begin) == found, rule
    for rule, found in (
        ("FREQ=DAILY", START + DAY), ("FREQ=DAILY;COUNT=1", None), ("FREQ=YEARLY;INTERVAL=3", START + 1096 * DAY),
        ("FREQ=YEARLY;INTERVAL=40", datetime(2066, 3, 2, 15, tzinfo=UTC)), ("FREQ=DAILY;UNTIL=20260302T150000Z", None),
        ("FREQ=DAILY;UNTIL=20260303T150000Z", START + DAY), ("FREQ=DAILY;UNTIL=20260303T145959Z", None),
    ):  # fmt: skip
        assert recurrence.next_start(rule, START, ZoneInfo("UTC")) == found, rule


def test_what_is_left_of_a_rule_is_a_rule() -> None:
    assert [recurrence.without("FREQ=DAILY;COUNT=3", count) for count in (0, 1, 2, 3, 4)] == [
        "FREQ=DAILY;COUNT=3", "FREQ=DAILY;COUNT=2", "FREQ=DAILY;COUNT=1", None, None,
    ]  # fmt: skip
    assert recurrence.without("rrule:freq=daily;until=20270101", 9) == "FREQ=DAILY;UNTIL=20270101"
    daily = series("FREQ=DAILY;COUNT=5", exdates=[START + DAY])
    assert [recurrence.rest_from(daily, START + n * DAY) for n in (0, 2, 4)] == [
        "FREQ=DAILY;COUNT=5", "FREQ=DAILY;COUNT=3", "FREQ=DAILY;COUNT=1",
    ]  # fmt: skip
    assert recurrence.cut_before(daily, START + 2 * DAY) == "FREQ=DAILY;UNTIL=20260304T145959Z"
    assert (
        recurrence.cut_before(series("FREQ=DAILY;UNTIL=20270101"), START + DAY) == "FREQ=DAILY;UNTIL=20260303T145959Z"
    )
    assert recurrence.occurrence_of(daily, START + 2 * DAY) == START + 2 * DAY
    for doc, at, code in (
        (daily, START + DAY, "OCCURRENCE_NOT_FOUND"), (daily, START + 2 * DAY + SECOND, "OCCURRENCE_NOT_FOUND"),
        (daily, START + 5 * DAY, "OCCURRENCE_NOT_FOUND"), (series(None), START, "NOT_RECURRING"),
        (series("FREQ=DAILY", kind="task"), START, "NOT_RECURRING"),
    ):  # fmt: skip
        with pytest.raises(Problem) as caught:
            recurrence.occurrence_of(doc, at)
        assert (caught.value.code, caught.value.field) == (code, "occurrence")


def test_what_is_no_rule_is_said_to_be_none_by_its_part() -> None:
    for text, words in (
        ("FREQ=DAILY;X", "'X' is not a part of"), ("FREQ=DAILY;COUNT=", "'COUNT=' is not a part of"),
        ("FREQ=DAILY;BYHOUR=1", "'BYHOUR=1' is not a part of"),
        ("FREQ=DAILY;FREQ=DAILY", "'FREQ=DAILY' is not a part of"),
        ("FREQ=HOURLY", "FREQ is one of DAILY, MONTHLY, WEEKLY, YEARLY"), ("INTERVAL=2", "FREQ is one of"),
        ("FREQ=DAILY;COUNT=0", "COUNT is a number from 1 to 9999"), ("FREQ=DAILY;COUNT=1.5", "COUNT is a number"),
        ("FREQ=DAILY;INTERVAL=10000", "INTERVAL is a number from 1 to 9999"),
        ("FREQ=DAILY;COUNT=1;UNTIL=20270101", "a rule has either COUNT or UNTIL"),
        ("FREQ=DAILY;UNTIL=2027", "UNTIL is a date or a time"),
        ("FREQ=DAILY;UNTIL=20271301", "is not a recurrence rule"),
        ("FREQ=WEEKLY;BYDAY=XX", "is not a recurrence rule"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "no day ever fits"),
    ):  # fmt: skip
        with pytest.raises(Problem) as caught:
            recurrence.read_rule(text, START, NEW_YORK)
        (entry,) = caught.value.entries
        assert (entry.field, entry.rule, words in entry.message) == ("recurrence", "format", True), (
            text,
            entry.message,
        )
    for text, rule in (
        (" rrule:freq=daily;interval=9999 ", "FREQ=DAILY;INTERVAL=9999"), ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",) * 2,
        ("FREQ=DAILY;COUNT=9999",) * 2, ("FREQ=MONTHLY;BYDAY=-1FR;WKST=SU",) * 2,
    ):  # fmt: skip
        assert recurrence.read_rule(text, START, NEW_YORK) == rule
    with pytest.raises(Problem) as caught:
        recurrence.read_rule("X", START, NEW_YORK, "rule")
    assert caught.value.entries[0].field == "rule"


def test_hours_are_those_of_the_clock_of_a_zone() -> None:
    assert recurrence.clock_distance(START, START + 7 * DAY - HOUR, NEW_YORK) == 7 * DAY
    assert recurrence.clock_distance(START, START + 7 * DAY, ZoneInfo("UTC")) == 7 * DAY
    assert recurrence.shifted_time(START, 7 * DAY, NEW_YORK) == START + 7 * DAY - HOUR
    assert recurrence.shifted_time(START, -DAY, NEW_YORK) == START - DAY
    assert recurrence.shifted_time(START, DAY, NEW_YORK).tzinfo is START.tzinfo
    weekly = series("FREQ=WEEKLY;COUNT=2", zone="America/New_York")
    assert list(recurrence.starts(weekly, START, START + 30 * DAY)) == [START, START + 7 * DAY - HOUR]
    assert recurrence.zone_of(series(None, zone=None)) == ZoneInfo("UTC")
