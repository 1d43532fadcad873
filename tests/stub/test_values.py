"""Values as people, workbooks and other systems have them: dates, times, flags, cells, followers, the clock."""

from __future__ import annotations

import time as machine
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from server_stub import StubServer
from server_stub.clock import Clock
from server_stub.files.table import _is_broken, whole
from server_stub.files.values import (
    by_pattern,
    day_comes_first,
    is_no_date,
    name_before_address,
    read_addresses,
    read_date,
    read_flag,
    read_time,
)
from server_stub.files.workbooks import cell_text
from server_stub.jsonapi.errors import _error_object, title
from server_stub.outside.networks import REACH_BACK, feed, followers_of

COMPANY = {"slug": "acme", "name": "Acme"}


@pytest.mark.parametrize(
    ("text", "day_first", "found"),
    [
        ("3.4.1991", None, (1991, 4, 3)), ("13/4/1991", None, (1991, 4, 13)), ("4/13/1991", None, (1991, 4, 13)),
        ("3/4/1991", None, None), ("3/4/1991", True, (1991, 4, 3)), ("3/4/1991", False, (1991, 3, 4)),
        ("4/4/1991", None, (1991, 4, 4)), ("12/12/91", None, (1991, 12, 12)), ("1991-04-03", None, (1991, 4, 3)),
        ("1.1.29", None, (2029, 1, 1)), ("1.1.30", None, (1930, 1, 1)), ("1.1.991", None, None),
        ("19910403", None, (1991, 4, 3)), ("18910403", None, None), ("3 Mai 1991", None, (1991, 5, 3)),
        ("May 3, 1991", None, (1991, 5, 3)), ("1991 März 3", None, (1991, 3, 3)), ("3. abr. 91", None, (1991, 4, 3)),
        ("3 ma 1991", None, None), ("3 May", None, None), ("May June 3 1991", None, None), ("31.2.1991", None, None),
        ("3.4.1991 12:30", None, (1991, 4, 3)), ("3 Septembre 2001", None, (2001, 9, 3)), ("soon", None, None),
    ],
)  # fmt: skip
def test_a_day_is_read_where_it_is_clear(text: str, day_first: bool | None, found: tuple[int, int, int] | None) -> None:
    assert read_date(text, day_first=day_first) == (date(*found) if found else None)


def test_a_format_that_was_given_comes_first() -> None:
    assert read_date("3/4/1991", "MM/DD/YYYY") == date(1991, 3, 4) == by_pattern("3-4-91", "M-D-YY")
    assert by_pattern("1991", "%Y") == date(1991, 1, 1) and by_pattern("3/4", "DD/MM") is None
    assert by_pattern("x", "YYYY") is None and read_date("3.4.1991", "YYYY-MM-DD") == date(1991, 4, 3)
    assert [is_no_date(text) for text in ("0/0/00", "0000-00-00T00:00:00Z", "", "1/0/00", "x")] == [
        True, True, False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["3/4/1991", "13/4/1991"], True), (["3/13/1991", "13/4/1991"], False), (["12/12/1991"], None), ([], None),
        (["13.4.1991", "1991/13/4", "x"], None),
    ],
)  # fmt: skip
def test_a_column_shows_whether_the_day_comes_first(cells: list[str], first: bool | None) -> None:
    assert day_comes_first(cells) is first


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-01-15T12:30:00Z", (12, 30)), ("2026-01-15T12:30", (11, 30)), ("15.1.2026 12:30", (11, 30)),
        ("15.1.2026 1:05 PM", (12, 5)), ("15.1.2026 12:05 am", None), ("15.1.2026 12:05pm", (11, 5)),
        ("15.1.2026 24:00", None), ("15.1.2026 12:60", None), ("soon 12:00", None),
    ],
)  # fmt: skip
def test_a_time_is_in_utc(text: str, found: tuple[int, int] | None) -> None:
    read = read_time(text, ZoneInfo("Europe/Berlin"))
    if text.endswith("12:05 am"):
        assert read == datetime(2026, 1, 14, 23, 5, tzinfo=UTC)
    else:
        assert read == (datetime(2026, 1, 15, *found, tzinfo=UTC) if found else None)
    assert read_time("15.1.2026", UTC) == datetime(2026, 1, 15, tzinfo=UTC)
    assert read_time("0001-01-01T00:00:00", ZoneInfo("Asia/Tokyo")) is None


def test_flags_addresses_and_names_are_read_off_texts() -> None:
    assert [read_flag(text) for text in ("Yes", " JA ", "sí", "0", "Non", "maybe", "")] == [
        True, True, True, False, False, None, None,
    ]  # fmt: skip
    assert read_addresses("a@x.com; Jane <b@x.com>, mailto:c@x.com. a@x.com") == ["a@x.com", "b@x.com", "c@x.com"]
    assert name_before_address('"Jane Doe" <jane@x.com>') == "Jane Doe"
    assert name_before_address(" <jane@x.com>") is None and name_before_address("jane@x.com") is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), (True, "true"), (False, "false"), (5, "5"), (5.0, "5"), (5.5, "5.5"), ("a", "a"),
        (datetime(2026, 1, 2), "2026-01-02"), (datetime(2026, 1, 2, 3), "2026-01-02T03:00:00Z"),
        (date(2026, 1, 2), "2026-01-02"), (time(9, 30), "09:30:00"), (1e16, "10000000000000000"),
    ],
)  # fmt: skip
def test_a_cell_of_a_workbook_is_a_text(value: object, text: str) -> None:
    assert cell_text(value) == text


def test_half_a_character_is_found_wherever_it_is() -> None:
    half = "\ud800"
    broken: list[Any] = [half, [half], (1, half), {"a": half}, {half: 1}, {"a": [{"b": half}]}, ["a", {"b": [half]}]]
    assert [value for value in broken if not _is_broken(value)] == []
    assert not _is_broken("a", ["b", {"c": ["d"]}], 5, None, {}) and _is_broken("a", half)
    assert whole(f"a{half}") == "a?"


def test_followers_begin_with_hundreds_or_thousands_and_only_grow() -> None:
    found = []
    for number in range(40):
        account = {"network": "linkedin", "handle": f"acme_{number}"}
        years = [followers_of(account, datetime(year, 1, 1, tzinfo=UTC)) for year in (1990, 2024, 2025, 2026)]
        assert 400 <= years[0] <= 9_400 and years == sorted(years)
        assert 180 <= years[3] - years[2] <= 1_280
        found.append(years[0])
    assert len(set(found)) > 30 and max(found) > 5_000 and min(found) < 3_000


def test_what_is_written_about_a_company_is_the_same_whenever_it_is_asked_for() -> None:
    end = datetime(2026, 1, 15, 9, tzinfo=UTC)
    begin = end - REACH_BACK
    posts = list(feed(COMPANY, begin, end))
    times = [post["posted_at"] for post in posts]
    assert len(posts) > 20 and times == sorted(times) and all(begin < at <= end for at in times)
    assert len({post["external_id"] for post in posts}) == len(posts)
    middle = times[len(times) // 2]
    assert [*feed(COMPANY, begin, middle), *feed(COMPANY, middle, end)] == posts
    assert list(feed(COMPANY, begin - REACH_BACK, end)) == posts, "what is older is not reached"
    for post in posts:
        assert 0.2 * post["author"]["followers"] - 1 <= post["reach"] <= 1.2 * post["author"]["followers"] + 1
        assert 0 <= post["engagements"] <= 0.06 * post["reach"] + 1
    assert len({post["engagements"] / post["reach"] for post in posts if post["reach"]}) > 10


def test_a_record_of_another_system_can_be_removed(stub: StubServer) -> None:
    remote = stub.remotes.of("tenant_acme")["demo_crm"]
    made = remote.put("contact", {"email": "new@x.com"})
    assert remote.get("contact", made["id"]) is not None and made in remote.all("contact")
    assert [one["id"] for one in remote.find("contact", "email", "NEW@x.com")] == [made["id"]]
    remote.remove("contact", made["id"])
    assert remote.get("contact", made["id"]) is None and remote.find("contact", "email", "new@x.com") == []
    with pytest.raises(KeyError):
        remote.remove("contact", made["id"])
    with pytest.raises(KeyError):
        remote.put("contact", {"id": "none"})
    with pytest.raises(ValueError, match="has no field odd"):
        remote.put("contact", {"odd": 1})


def test_an_error_of_json_api_has_its_rule_its_field_and_where_it_came_from() -> None:
    def made(headers: dict[str, str] | None = None, **error: Any) -> dict[str, Any]:
        return _error_object({"code": "IS_TAKEN", "message": "no", **error}, "1", 422, headers or {}, lambda name: None)

    assert title("IS_TAKEN") == "Is taken"
    assert made() == {"id": "1", "status": "422", "code": "IS_TAKEN", "title": "Is taken", "detail": "no"}
    assert made(rule="unique", field="email", details={"a": 1})["meta"] == {"a": 1, "rule": "unique", "field": "email"}
    assert "meta" not in made(field="/data") and "source" not in made(field="/data")
    assert made({"if-match": "x"}, field="If-Match")["source"] == {"header": "If-Match"}


def test_a_running_clock_says_how_far_it_is_from_the_machines() -> None:
    start = datetime(2026, 1, 15, tzinfo=UTC)
    clock = Clock(start)
    assert clock.skew() == 0
    clock.sleep(-5)
    assert clock.now() == start
    clock.running = True
    clock.advance(3_600)
    assert abs(clock.skew() - (start.timestamp() + 3_600 - machine.time())) < 60
    taken = clock.snapshot()
    clock.advance(100)
    clock.restore(taken)
    assert timedelta(0) <= clock.now() - start - timedelta(hours=1) < timedelta(seconds=60)
