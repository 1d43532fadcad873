"""What a table shows where the terminal has no room for all of it."""

from __future__ import annotations

from typing import Any

import pytest

from crm_cli.terminal.tables import print_rows
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
