"""The parts of queries and of writes by themselves: ranges, runs, dates that are relative, texts, what is missing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sdk.models import Contact
from server_stub.data.document import Document
from server_stub.data.indexes import Index
from server_stub.data.merging import missing_members
from server_stub.data.normalise import name_in
from server_stub.data.order import Range, Run
from server_stub.data.past import Past
from server_stub.data.personal import ERASED, _empty, emptied_members
from server_stub.data.queries import patterns
from server_stub.data.queries.filter_groups import compile_filter
from server_stub.data.queries.filters import Sought
from server_stub.data.queries.latest import entity_refs, latest_first
from server_stub.data.queries.relative_dates import Calendar
from server_stub.data.queries.words import Words, near, texts_at
from server_stub.data.store import Store
from server_stub.problems import FieldError, Problem

BOUNDS = (None, 0, 1, 2, 3, 4)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("closed", [False, True])
def test_a_run_gives_what_is_in_a_range_and_a_range_of_nothing_gives_nothing(closed: bool, descending: bool) -> None:
    entries: list[tuple[Any, str, Document]] = [
        (value, f"{value}{place}", Document({"n": value})) for value in (1, 2, 3) for place in "ab"
    ]
    run = Run.of(entries)
    for low, high in product(BOUNDS, BOUNDS):
        wanted = [value for value, _, _ in entries if value in Range(low, high, closed)]
        found = run.within(Range(low, high, closed))
        ordered = wanted[::-1] if descending else wanted
        assert len(found) == len(wanted), (low, high)
        assert [doc["n"] for doc in found.slice(0, 9, descending=descending)] == ordered
        assert [doc["n"] for doc in found.slice(1, 3, descending=descending)] == ordered[1:3]


def test_ranges_that_are_both_asked_for_leave_what_is_in_both() -> None:
    sought = Sought()
    sought.narrow("value", Range(1, 5))
    sought.narrow("other", Range(7))
    sought.narrow("value", Range(3, 9))
    assert sought.ranges == {"value": Range(3, 5), "other": Range(7)}
    assert Range(1, 5, closed=False) & Range(None, 5) == Range(1, 5, closed=False)
    assert Range() & Range() == Range() and 5 in Range() and None not in Range()


NOW = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)  # the 1st of April in Berlin, a Wednesday
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("today", (2026, 4, 1), (2026, 4, 2)), ("yesterday", (2026, 3, 31), (2026, 4, 1)),
        ("tomorrow", (2026, 4, 2), (2026, 4, 3)), ("-30d", (2026, 3, 2), (2026, 3, 3)),
        ("+1d", (2026, 4, 2), (2026, 4, 3)), ("+1w", (2026, 4, 8), (2026, 4, 9)), ("-2w", (2026, 3, 18), (2026, 3, 19)),
        ("-1m", (2026, 3, 1), (2026, 3, 2)), ("+1q", (2026, 7, 1), (2026, 7, 2)), ("-1y", (2025, 4, 1), (2025, 4, 2)),
        ("this_day", (2026, 4, 1), (2026, 4, 2)), ("next_day", (2026, 4, 2), (2026, 4, 3)),
        ("this_week", (2026, 3, 30), (2026, 4, 6)), ("last_week", (2026, 3, 23), (2026, 3, 30)),
        ("next_week", (2026, 4, 6), (2026, 4, 13)), ("this_month", (2026, 4, 1), (2026, 5, 1)),
        ("last_month", (2026, 3, 1), (2026, 4, 1)), ("this_quarter", (2026, 4, 1), (2026, 7, 1)),
        ("last_quarter", (2026, 1, 1), (2026, 4, 1)), ("next_year", (2027, 1, 1), (2028, 1, 1)),
        (" 2026-11-21 ", (2026, 11, 21), (2026, 11, 22)),
    ],
)  # fmt: skip
def test_a_relative_date_is_a_span_of_days_of_the_company(
    text: str, start: tuple[int, int, int], end: tuple[int, int, int]
) -> None:
    calendar = Calendar(NOW, BERLIN)
    assert calendar.span(text, "value") == (datetime(*start, tzinfo=BERLIN), datetime(*end, tzinfo=BERLIN))


def test_hours_and_times_are_instants_and_the_last_day_of_a_month_is_within_it() -> None:
    calendar = Calendar(NOW, BERLIN)
    for text, hours in (("-2h", -2), ("+12h", 12)):
        at = NOW + timedelta(hours=hours)
        assert calendar.span(text, "value") == (at, at)
    naive = datetime(2026, 5, 1, 12)
    assert calendar.span(naive, "value")[0] == naive.replace(tzinfo=BERLIN)
    assert calendar.span("2026-05-01T12:00:00Z", "value")[1] == datetime(2026, 5, 1, 12, tzinfo=UTC)
    assert calendar.span(date(2026, 5, 1), "value")[1] == datetime(2026, 5, 2, tzinfo=BERLIN)
    late = Calendar(datetime(2026, 3, 31, 12, tzinfo=UTC), UTC)
    assert late.span("-1m", "value")[0] == datetime(2026, 2, 28, tzinfo=UTC)
    assert (calendar.instant("x"), calendar.instant(NOW)) == (None, NOW)
    assert calendar.instant(date(2026, 5, 1)) == datetime(2026, 5, 1, tzinfo=BERLIN)
    for odd in ("", "soon", "-5x", "+99999d", "this_decade", 5, None, "-9999y"):
        with pytest.raises(Problem):
            calendar.span(odd, "value")


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [("a+", "aaa", True), ("a+", "aab", False), ("a|b", "b", True), ("a|b", "ab", False), ("", "", True),
     (r"\d{3}", "123", True), (r"\d{3}", "1234", False)],
)  # fmt: skip
def test_a_pattern_is_of_the_whole_text(pattern: str, text: str, fits: bool) -> None:
    patterns.check(pattern)
    assert patterns.matches(pattern, text) is fits


@pytest.mark.parametrize("odd", ["(", "a)(b", "(?x) a # and no end", r"(a)\1", "[", "a{2,1}"])
def test_what_is_no_pattern_or_none_within_brackets_is_refused(odd: str) -> None:
    with pytest.raises(patterns.PatternError) as raised:
        patterns.check(odd)
    assert str(raised.value) and not str(raised.value).startswith(("SchemaError", "error"))


@pytest.mark.parametrize(
    ("value", "texts"),
    [("Ada", ["Ada"]), (["a", 5, "b"], ["a", "b"]), (("a",), ["a"]), (12, ["12"]), (1.5, ["1.5"]), (None, []),
     (True, []), ({"a": "b"}, []), ("", [""])],
)  # fmt: skip
def test_what_of_a_member_can_be_searched(value: object, texts: list[str]) -> None:
    assert texts_at({"x": value}, "x") == texts and texts_at({"x": {"y": value}}, "x.y") == texts
    assert texts_at({}, "x") == []


def test_a_reference_has_the_name_or_the_title_of_its_record() -> None:
    docs = [{"id": "1", "name": "Ada", "title": "Countess"}, {"id": "2", "title": "Engine"}, {"id": "3", "name": ""}]
    assert entity_refs("deal", docs) == [
        {"type": "deal", "id": "1", "name": "Ada"}, {"type": "deal", "id": "2", "name": "Engine"},
        {"type": "deal", "id": "3", "name": None},
    ]  # fmt: skip


def test_what_has_happened_last_is_first() -> None:
    docs = [
        {"id": "a", "created_at": 1, "last_activity_at": None}, {"id": "b", "created_at": 9},
        {"id": "c", "created_at": 9}, {"id": "d", "created_at": 2},
    ]  # fmt: skip
    assert [doc["id"] for doc in latest_first(docs)] == ["c", "b", "d", "a"]


AMOUNTS = ("value", "expected")


@pytest.mark.parametrize(
    ("doc", "given", "missing"),
    [
        ({"name": "Ada"}, {"name": "Bob", "phone": "1", "tags": []}, {"phone": "1"}),
        ({"name": ""}, {"name": "Bob"}, {"name": "Bob"}),
        ({"currency": "EUR"}, {"value": 5, "currency": "EUR"}, {"value": 5}),
        ({"currency": "EUR"}, {"value": 5, "currency": "USD", "phone": "1"},
         {"value": 5, "phone": "1", "currency": "USD"}),
        ({"currency": "EUR", "expected": 1}, {"value": 5, "currency": "USD", "phone": "1"}, {"phone": "1"}),
        ({"currency": "EUR"}, {"value": 5, "phone": "1"}, {"phone": "1"}),
        ({"currency": "EUR", "value": 1}, {"value": 5, "currency": "USD"}, {}),
    ],
)  # fmt: skip
def test_what_a_record_lacks_is_taken_with_amounts_in_its_currency(
    doc: dict[str, Any], given: dict[str, Any], missing: dict[str, Any]
) -> None:
    assert missing_members(doc, given, amounts=AMOUNTS) == missing


@pytest.mark.parametrize("stays", [False, True])
def test_what_is_erased_leaves_as_little_as_its_member_allows(stays: bool) -> None:
    assert _empty(["a"], stays=stays) == []
    assert _empty("a", stays=stays) == (ERASED if stays else None)
    assert _empty({"a": "b", "n": 1}, stays=stays) == ({"a": ERASED, "n": None} if stays else None)
    assert _empty(5, stays=stays) == (ERASED if stays else None)
    assert emptied_members(Contact, {"id": "c", "tags": [], "email": None, "phone": ""}) == {}
    emptied = emptied_members(Contact, {"id": "c", "email": "a@b.co", "phone": "1"})
    assert "id" not in emptied and emptied.keys() == {"email", "phone"}
    assert emptied_members(Contact, emptied) == {}


def test_a_store_as_it_was_is_the_last_that_is_as_old() -> None:
    past, store, now = Past(), Store(), NOW
    for second in range(4):
        store.collection("t", "lead").put(Document({"id": f"l{second}"}))
        past.note(store, now + timedelta(seconds=second), 10)

    def seen(at: float, lag: float) -> int:
        return len(past.at(now + timedelta(seconds=at), lag).collection("t", "lead"))

    assert [seen(3, lag) for lag in (0, 0.5, 1, 2, 3, 99)] == [4, 3, 3, 2, 1, 1]
    past.note(store, now + timedelta(seconds=3), 2)  # nobody looks further back any more
    assert seen(3, 99) == 2
    past.note(store, now, None)
    past.note(store, now + timedelta(seconds=9), 1)
    assert seen(9, 99) == 4


@pytest.mark.parametrize(
    ("field", "op", "holds"),
    [
        ("name", "gt", "text"), ("value", "contains", "number"), ("customFields.tier", "between", "text"),
        ("active", "in", "bool"), ("tags", "starts_with", "list"), ("createdAt", "contains", "date"),
    ],
)  # fmt: skip
def test_a_filter_says_which_operators_its_field_has(field: str, op: str, holds: str) -> None:
    fields: dict[str, Any] = {
        "name": "text", "value": "number", "active": "bool", "tags": "list", "created_at": "date",
        "custom_fields.*": "any",
    }  # fmt: skip
    with pytest.raises(Problem) as raised:
        compile_filter({"field": field, "op": op, "value": "x"}, fields, "filter", now=NOW, zone=UTC)
    assert (raised.value.code, raised.value.field) == ("INVALID_OPERATOR", "filter.op")
    assert raised.value.message == f"{field!r} holds {holds}: it has no operator {op!r}"
    with pytest.raises(Problem) as raised:
        compile_filter({"field": "odd", "op": op}, fields, "filter", now=NOW, zone=UTC)
    assert (raised.value.code, raised.value.field) == ("UNKNOWN_FIELD", "filter.field")


@pytest.mark.parametrize(
    ("exact", "value", "asked", "found"),
    [
        (True, "Ada", "Ada", True), (True, "Ada", "ADA", False), (False, "Ada", "ADA", True),
        (True, ["Ada", 5], "Ada", True), (True, ["Ada", 5], "ada", False), (False, ["Ada", 5], "ADA", True),
        (True, ["Ada", 5], 5, True), (False, ["Ada", 5], 5, True), (False, [None], None, True),
        (False, None, None, True), (True, 5, 5, True), (False, 5, "5", False), (False, {"a": 1}, None, False),
        (False, [["a"], {"a": 1}, "b"], "B", True), (False, [], None, False),
    ],
)  # fmt: skip
def test_an_index_finds_what_has_a_value_or_a_list_with_it(exact: bool, value: Any, asked: Any, found: bool) -> None:
    index = Index("x", exact=exact)
    index.enter({"id": "1", "x": value})
    assert bool(index.ids(asked)) is found
    index.enter({"id": "2", "x": value})
    fork = index.fork()
    fork.leave({"id": "1", "x": value})
    assert ({*index.ids(asked)}, {*fork.ids(asked)}) == (({"1", "2"}, {"2"}) if found else (set(), set()))
    index.leave({"id": "2", "x": value})
    index.leave({"id": "1", "x": value})
    assert not index.ids(asked) and list(index.values()) == []


def steps_between(one: str, other: str) -> int:
    """How many letters are added, left out, replaced or exchanged with their neighbour between two words."""
    table = {(-1, at): at + 1 for at in range(-1, len(other))} | {(at, -1): at + 1 for at in range(-1, len(one))}
    for row, column in product(range(len(one)), range(len(other))):
        table[row, column] = min(
            table[row - 1, column] + 1,
            table[row, column - 1] + 1,
            table[row - 1, column - 1] + (one[row] != other[column]),
        )
        if row and column and (one[row], one[row - 1]) == (other[column - 1], other[column]):
            table[row, column] = min(table[row, column], table[row - 2, column - 2] + 1)
    return table[len(one) - 1, len(other) - 1]


WORDS = st.text("abc", min_size=1, max_size=6)


@given(WORDS, st.sets(WORDS, max_size=30), st.integers(1, 3))
def test_the_near_words_are_those_that_are_so_many_letters_away(word: str, terms: set[str], most: int) -> None:
    assert near(word, sorted(terms), most) == [term for term in sorted(terms) if 0 < steps_between(word, term) <= most]


@pytest.mark.parametrize("asked_before", [True, False])
def test_a_copy_of_the_index_of_words_has_words_of_its_own(asked_before: bool) -> None:
    index = Words(("name",))
    index.enter({"id": "1", "name": "Anna Lee"})
    if asked_before:
        assert index.beginning("l") == ["lee"]
    fork = index.fork()
    fork.enter({"id": "2", "name": "Lena Anne"})
    assert (fork.beginning("l"), index.beginning("l")) == (["lee", "lena"], ["lee"])
    assert (fork.near("anni", 1), index.near("anni", 1)) == (["anna", "anne"], ["anna"])
    fork.leave({"id": "1", "name": "Anna Lee"})
    assert (fork.beginning("l"), fork.near("anni", 1)) == (["lena"], ["anne"])
    assert (index.frequency("lee"), fork.frequency("lee"), index.with_any(["anna", "anne"])) == (1, 0, {"1"})


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("jane.doe@x.example", ("Jane", "Doe")),
        ("jane.van-doe2@x.example", ("Jane", "Van Doe")),
        ("jane.m.doe@x.example", (None, None)),
        ("jane@x.example", (None, None)),
        ("j.doe@x.example", (None, None)),
        ("jo.do@x.example", ("Jo", "Do")),
        ("team.info@x.example", (None, None)),
        (None, (None, None)),
    ],
)
def test_a_name_is_guessed_from_an_address_that_has_two_words(address: str | None, name: tuple[str, str]) -> None:
    assert name_in(address) == name


def test_what_is_wrong_with_a_part_is_told_with_its_place_in_the_whole() -> None:
    errors = [FieldError("size", "min", "too small", "VALIDATION_ERROR", {})]
    one = Problem("VALIDATION_ERROR", "wrong", field="size", errors=errors).within("request")
    assert (one.field, [entry.field for entry in one.entries]) == ("request.size", ["request.size"])
    assert Problem("VALIDATION_ERROR", "wrong").within("request").field is None
