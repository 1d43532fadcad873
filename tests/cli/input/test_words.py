"""What is typed, by itself: values of each kind, times, days, lengths of time, mistyped words, texts in files."""

from __future__ import annotations

import io
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from crm_cli.failures import MisuseError
from crm_cli.times import checked_day, read_date, read_time, seconds_of
from crm_cli.tree import declared
from crm_cli.tree.given import read_json, texts_in_file
from crm_cli.tree.near import meant_or_all, nearest, question_for, slip_of
from crm_cli.tree.nouns import declared_call
from crm_cli.tree.parameters import Parameter


@pytest.mark.parametrize(
    ("options", "typed", "value"),
    [
        ({"kind": "text"}, "Ada", "Ada"), ({"kind": "text"}, "", ""), ({"kind": "text", "nullable": True}, "", None),
        ({"kind": "flag"}, False, False), ({"kind": "json"}, '{"a": 1}', {"a": 1}),
        ({"kind": "any"}, "[1]", [1]), ({"kind": "any"}, '{"a": 2}', {"a": 2}), ({"kind": "any"}, "7", "7"),
        ({"kind": "person"}, "ada@acme.test", {"email": "ada@acme.test"}),
        ({"kind": "person"}, "lead_1_x", {"entity": {"type": "lead", "id": "lead_1_x"}}),
        ({"kind": "text"}, "@@x", "@@x"), ({"kind": "text", "many": True}, ["@@x", "y"], ["@x", "y"]),
        ({"kind": "text", "many": True}, ["a,b", ""], ["a,b"]),
        ({"kind": "text", "many": True, "commas": True}, ["a, b,,", "c"], ["a", "b", "c"]),
        ({"kind": "json", "many": True}, ['[{"a": 1}, 2]', "3"], [{"a": 1}, 2, 3]),
        ({"kind": "date"}, "2026-01-31", "2026-01-31"), ({"kind": "time"}, "soon", "soon"),
        ({"kind": "text", "choices": ("new", "proposal")}, "dormant", "dormant"),
        ({"kind": "text", "choices": ("new", "proposal")}, "proposal-2", "proposal-2"),
        ({"kind": "text", "choices": ("new", "proposal")}, "NEW", "NEW"),
    ],
)  # fmt: skip
def test_a_value_is_what_its_kind_makes_of_the_text(options: dict[str, Any], typed: Any, value: object) -> None:
    assert Parameter("x", "option", "--x", **options).value(typed) == value


def test_a_slip_is_refused_with_the_word_that_was_meant_and_stdin_is_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MisuseError, match="--status: there is no 'nwe'; did you mean 'new'"):
        Parameter("status", "option", "--status", "text", choices=("new", "won")).value("nwe")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a,b")))
    assert Parameter("file", "option", "--file", "file").value("-") == ("stdin", b"a,b")


@pytest.mark.parametrize(
    ("given", "ways"),
    [
        ({}, []), ({"required": True}, ["required"]), ({"required": True, "place": "argument"}, []),
        ({"choices": ("a", "b")}, ["a, b"]), ({"kind": "json"}, ["JSON, @file or @-"]),
        ({"kind": "file"}, ["a path, or - for stdin"]),
        ({"flag": "--timeout"}, ["the --timeout of every command stands before the noun here: crm --timeout …"]),
    ],
)  # fmt: skip
def test_help_says_how_an_option_is_typed(given: dict[str, Any], ways: list[str]) -> None:
    parameter: Any = SimpleNamespace(
        **{"flag": "--x", "place": "option", "kind": "text", "required": False, "choices": (), "many": False,
           "commas": False, "nullable": False, "aliases": (), "within": "", "default": None, "name": "x"} | given
    )  # fmt: skip
    assert list(declared._ways(parameter)) == ways


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ("leads.get", "leads.get"), ("contacts.relationships.list", "contacts.relationships.list"),
        ("leads.get_all", None), ("leads.nothing", None), ("nothing.get", None), ("leads", None),
        ("contacts.nothing.list", None), ("leads.get.more", None),
    ],
)  # fmt: skip
def test_a_call_is_found_by_its_dotted_name(call: str, found: str | None) -> None:
    operation = declared_call(call)
    assert (operation.id if operation is not None else None) == found


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("7d", timedelta(days=7)), ("12h", timedelta(hours=12)), ("30min", timedelta(minutes=30)),
        ("2w", timedelta(weeks=2)), ("7d ago", timedelta(days=7)), ("+7d", -timedelta(days=7)),
        ("in 7d", -timedelta(days=7)), ("IN 1 H", -timedelta(hours=1)), ("now", timedelta()), ("NOW", timedelta()),
    ],
)  # fmt: skip
def test_a_length_of_time_is_so_long_ago_or_so_far_ahead(text: str, ago: timedelta) -> None:
    before = datetime.now().astimezone().replace(microsecond=0)
    found = read_time(text)
    after = datetime.now().astimezone()
    assert before - ago <= found <= after - ago and found.microsecond == 0 and found.tzinfo is not None
    if text.lower() != "now":
        assert read_date(text) in {str((moment - ago).date()) for moment in (before, after)}


def test_days_are_local_and_other_texts_are_left_as_they_are() -> None:
    today = date.today()
    for text, days in (("yesterday", -1), ("TODAY", 0), ("tomorrow", 1)):
        day = today + timedelta(days=days)
        assert read_date(text) == str(day)
        found = read_time(text)
        assert (found.date(), found.hour, found.tzinfo is not None) == (day, 0, True)
    assert read_time("2026-01-31T12:00:00+02:00").utcoffset() == timedelta(hours=2)
    assert read_time("2026-01-31").tzinfo is not None
    for odd in ("in 7d ago", "+7d ago", "7", "d", "soon", "123456d", "7y"):
        assert (read_time(odd), read_date(odd)) == (odd, odd)


@pytest.mark.parametrize(
    ("text", "room", "right"),
    [
        ("2026-01-31", 1, True), ("tomorrow", 1, True), ("soon", 1, False), ("2026-02-30", 1, False),
        ("0001-01-02", 1, False), ("0001-01-03", 1, True), ("9999-12-30", 1, False), ("9999-12-29", 1, True),
        ("9999-12-20", 31, False), ("9999-11-29", 31, True), ("0001-02-01", 31, False), ("0001-02-02", 31, True),
    ],
)  # fmt: skip
def test_a_day_of_a_view_has_room_around_it_in_the_calendar(text: str, room: int, right: bool) -> None:
    if right:
        assert checked_day(text, "--from", room=room).isoformat() == read_date(text)
    else:
        with pytest.raises(MisuseError, match="--from must be a day such as"):
            checked_day(text, "--from", room=room)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("10min", 600), ("1.5h", 5400), ("2d", 172_800)]
)
def test_a_length_of_time_in_seconds(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds
    for odd in ("", "h", "1y", "1 week"):
        with pytest.raises(ValueError, match="could not convert"):
            seconds_of(odd)


KNOWN = ("new", "contacted", "qualified", "won", "wont")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("nwe", "new"), ("ne", "new"), ("neww", "new"), ("now", "new"), ("xyz", None), ("won", "won"),
        ("contatced", "contacted"), ("cotnatced", "contacted"), ("ctnatced", None), ("qualifid", "qualified"),
        ("qalifid", "qualified"), ("qalifi", None), ("wonn", None), ("", None),
    ],
)  # fmt: skip
def test_the_word_that_was_meant_is_one_slip_away_or_two_in_a_long_one(word: str, meant: str | None) -> None:
    assert nearest(word, KNOWN) == meant
    assert question_for(word, KNOWN) == (f"; did you mean {meant!r}?" if meant else "")
    assert meant_or_all(word, KNOWN) == (f"; did you mean {meant!r}?" if meant else f"; there are {', '.join(KNOWN)}")


def test_a_word_of_its_own_is_no_slip() -> None:
    assert slip_of("nwe", KNOWN) == "new"
    for word in ("new", "NEW", "n-e-w", "new1", "xyz"):
        assert slip_of(word, KNOWN) is None, word
    assert meant_or_all("stge", ("deal.stage", "deal.value")) == "; did you mean 'deal.stage'?"
    assert meant_or_all("xyz", ("a",), listed=("b", "c")) == "; there are b, c" and meant_or_all("xyz", ()) == ""


def test_texts_and_json_may_be_in_a_file(tmp_path: Path) -> None:
    place = tmp_path / "texts"
    for content, texts in (
        ("a\n\n b \n", ["a", "b"]), ('["a", "", 5]', ["a", "5"]), ('{"a": 1}', ['{"a": 1}']), ("", []),
        ("one", ["one"]),
    ):  # fmt: skip
        place.write_text(content)
        assert texts_in_file(f"@{place}", "--x") == texts
    assert texts_in_file("plain", "--x") is None
    with pytest.raises(MisuseError, match="there is no file"):
        texts_in_file(f"@{place}-missing", "--x")
    for content, value in (
        ('{"a": 1.5}', {"a": 1.5}), ('{"a": 1}\n{"a": 2}\n\n', [{"a": 1}, {"a": 2}]),
        ('{"a":\n 1}', {"a": 1}),
    ):  # fmt: skip
        place.write_text(content)
        assert read_json(f"@{place}", "--data") == value == read_json(content, "--data")
    for odd in ("{", "{\n[", '{"a": 1}\n{', "[1]\n[2]", '{"a": 1} {"b": 2}'):
        with pytest.raises(MisuseError, match="--data: this is not JSON"):
            read_json(odd, "--data")
