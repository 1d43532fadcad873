"""What a table shows where the terminal has no room for all of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from sys import maxsize
from typing import Any

import pytest

from crm_cli.failures import MisuseError
from crm_cli.terminal.columns import Columns, age, number
from crm_cli.terminal.limits import Found, Wanted, count
from crm_cli.terminal.tables import _styled_cell, print_rows
from crm_cli.terminal.values import cell

ROW = {"name": "Ada Lovelace", "note": "writes about engines", "place": "London", "id": "contact_123"}


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def print_in(width: int, *rows: dict[str, Any]) -> tuple[list[str], str]:
        monkeypatch.setenv("COLUMNS", str(width))
        print_rows(rows, None, None)
        out, err = capsys.readouterr()
        return [line.rstrip() for line in out.splitlines()], err

    return print_in


def test_with_room_for_all_nothing_is_hidden_or_cut(printed: Any) -> None:
    long = ROW | {"note": "n" * 50}
    lines, told = printed(200, long)
    assert lines[0].split() == list(ROW) and "n" * 50 in lines[1] and told == ""


def test_columns_that_have_no_room_are_named(printed: Any) -> None:
    lines, told = printed(36, ROW)
    assert lines[0].split() == ["name", "note"]
    assert "2 columns hidden: place, id (" in told and "--fields place,id" in told
    assert all(len(line) <= 36 for line in lines)


def test_the_first_column_is_shown_in_however_little_room(printed: Any) -> None:
    lines, told = printed(8, ROW)
    assert lines[0].split()[0] == "name" and "3 columns hidden" in told


def test_columns_without_a_value_take_no_room(printed: Any) -> None:
    lines, told = printed(200, ROW | {"place": None})
    assert lines[0].split() == ["name", "note", "id"] and told == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"city": "Ulm", "zip": None, "tags": [], "more": {}}, "city: Ulm"),
        ({"primary": True, "at": {"x": 1, "y": 0}}, "primary: yes, at: x: 1, y: 0"),
        ([{"name": "Ada"}, {"name": "Bob"}], "name: Ada, name: Bob"),
        ({}, ""),
    ],
)
def test_an_object_in_a_cell_is_its_members_that_have_a_value(value: object, text: str) -> None:
    assert cell(value) == text


DEALS = Columns(
    ("name", "note", "status", "value", "currency", "id"),
    ("name", "note", "status", "value", "id"),
    frozenset({"value"}),
    frozenset({"value"}),
)
DEAL = {
    "name": "Ada Lovelace", "note": "writes about engines", "status": "won", "value": Decimal("1234.50"),
    "currency": "EUR", "id": "contact_123",
}  # fmt: skip
SHORT = {"name": "Bob", "note": None, "status": "lost", "value": Decimal(5), "currency": None, "id": "contact_4"}


@pytest.mark.parametrize(
    ("width", "header", "row", "told"),
    [
        (69, "name          note                  status         value  id",
             "Ada Lovelace  writes about engines  won     1,234.50 EUR  contact_123", ""),
        (68, "name          note                 status         value  id",
             "Ada Lovelace  writes about engin…  won     1,234.50 EUR  contact_123", ""),
        (43, "name  note  sta…         value  id", "Ada…  wri…  won   1,234.50 EUR  contact_123", ""),
        (42, "name       note        status  id", "Ada Love…  writes ab…  won     contact_123",
         "1 column hidden: value (a wider terminal, or --fields value)"),
        (40, "name      note       status  id", "Ada Lov…  writes a…  won     contact_123",
         "1 column hidden: value (a wider terminal, or --fields value)"),
        (28, "name    note     id", "Ada L…  writes…  contact_123",
         "2 columns hidden: status, value (a wider terminal, or --fields status,value)"),
        (22, "name       id", "Ada Love…  contact_123",
         "3 columns hidden: note, status, value (a wider terminal, or --fields note,status)"),
    ],
)  # fmt: skip
def test_of_known_columns_the_widest_give_and_numbers_and_ids_stay_whole(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    width: int,
    header: str,
    row: str,
    told: str,
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert print_rows([DEAL, SHORT], None, DEALS)
    out, err = capsys.readouterr()
    lines = [line.rstrip() for line in out.splitlines()]
    assert (lines[0], lines[1], err.strip()) == (header, row, told)
    assert all(len(line) <= width for line in lines)


def test_later_rows_stand_in_the_same_columns_and_their_ids_are_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    late = DEAL | {"name": "A much longer name", "value": None, "id": "contact_123456"}
    assert print_rows([SHORT] * 50 + [late], None, DEALS)
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "name  note  status  value  id"
    assert lines[50].startswith("Bob         lost        5  contact_4")
    assert lines[51] == "A m…  wri…  won            contact_123456" and len(lines) == 52
    assert not print_rows([], None, DEALS)


def test_columns_that_are_asked_for_are_shown_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "26")
    assert print_rows([DEAL], ["name", "note"], DEALS)
    out, err = capsys.readouterr()
    assert "".join(out.split()).count("…") == 0 and err == ""
    assert sorted("".join(out.split())) == sorted("namenoteAdaLovelacewritesaboutengines")


@pytest.mark.parametrize(
    ("name", "text", "style"),
    [
        ("status", "won", "green"), ("lead.stage", "closed-lost", "red"), ("status", "in progress", ""),
        ("state", "in_progress", "yellow"), ("state", "warning", "yellow"), ("status", "archived", "dim"),
        ("status", "wonder", ""), ("name", "won", ""), ("lastStatus", "failed", "red"), ("sentiment", "neutral", "dim"),
    ],
)  # fmt: skip
def test_the_words_of_a_state_have_a_colour(name: str, text: str, style: str) -> None:
    assert (_styled_cell(name, text).plain, _styled_cell(name, text).style) == (text, style)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "now"), (59.9, "now"), (60, "1min"), (3_599, "59min"), (3_600, "1h"), (86_399, "23h"), (86_400, "1d"),
        (30 * 86_400 - 1, "29d"), (30 * 86_400, "1mo"), (365 * 86_400 - 1, "12mo"), (365 * 86_400, "1y"), (-5, "now"),
    ],
)  # fmt: skip
def test_an_age_is_in_one_unit(seconds: float, text: str) -> None:
    assert age(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        (1234, None, "1,234"), (Decimal("1234.50"), "EUR", "1,234.50 EUR"), (Decimal("1E+3"), "EUR", "1,000 EUR"),
        (0, None, "0"), (True, None, None), ("5", None, None), (None, "EUR", None),
    ],
)  # fmt: skip
def test_a_number_has_its_thousands_apart_and_its_currency(value: object, currency: object, text: str | None) -> None:
    assert number(value, currency) == text


@pytest.mark.parametrize(("text", "found"), [("1", 1), ("all", maxsize), ("ALL", maxsize), ("9" * 30, maxsize), (7, 7)])
def test_how_many_records_is_a_number_or_all(text: str | int, found: int) -> None:
    assert count(text) == found
    for odd in ("0", "-1", "1.5", "", "many", "٣", 0, -1):
        with pytest.raises(MisuseError, match="above 0, or all"):
            count(odd)


class Pages:
    """A page of a list of seven records, with what comes after it."""

    def __init__(self, items: int, total: int | None) -> None:
        self.items, self.total, self.offset = list(range(items)), total, 0
        self.has_next = items < 7

    def __iter__(self) -> Iterator[int]:
        return iter(range(7))


@pytest.mark.parametrize(
    ("items", "wanted", "total", "shown", "told"),
    [
        (3, Wanted(None), 7, 3, "showing 3 of 7"), (3, Wanted(None), None, 3, "showing 3; there are more"),
        (7, Wanted(None), 7, 7, None), (3, Wanted(3), 7, 3, "showing 3 of 7"), (3, Wanted(2), 7, 2, "showing 2 of 7"),
        (7, Wanted(6), None, 6, "showing 6; there are more"), (7, Wanted(7), 7, 7, None), (7, Wanted(8), 7, 7, None),
        (3, Wanted(5), 7, 5, "showing 5 of 7"), (3, Wanted(5), None, 5, "showing 5; there are more"),
        (3, Wanted(7), None, 7, None), (3, Wanted(7), 7, 7, None), (3, Wanted(9), 7, 7, None),
        (3, Wanted(None, every=True), 7, 7, None),
    ],
)  # fmt: skip
def test_what_is_not_shown_of_a_list_is_told(
    capsys: pytest.CaptureFixture[str], items: int, wanted: Wanted, total: int | None, shown: int, told: str | None
) -> None:
    page: Any = Pages(items, total)
    found = Found(page, wanted)
    assert list(found) == list(range(shown))
    found.say_more()
    err = capsys.readouterr().err
    assert (f"{told}: --limit all for all" in err) if told is not None else err == ""
