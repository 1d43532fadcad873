"""What a printer writes of the same records in each format, and what of them where members were chosen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from crm_cli.console import stdout
from crm_cli.failures import PARTIAL, MisuseError
from crm_cli.settings import Options
from crm_cli.terminal.beginning import begin
from crm_cli.terminal.fields import at, names_in, project
from crm_cli.terminal.output import Printer, say_bulk_failures
from crm_cli.terminal.pager import paging
from crm_cli.terminal.prompts import asking
from crm_cli.terminal.shape import Shape, shape
from crm_cli.terminal.values import csv_text, field_text, tsv_text

ROWS: list[dict[str, Any]] = [
    {"id": "a", "name": "Ada", "value": Decimal("2.5"), "tags": ["x", "y"]},
    {"id": "b", "name": "=B\t", "value": None, "tags": []},
]


@contextmanager
def shaped(**chosen: str) -> Iterator[None]:
    token = shape.set(Shape(**chosen))
    try:
        yield
    finally:
        shape.reset(token)


@pytest.mark.parametrize(
    ("format", "chosen", "text"),
    [
        ("jsonl", {}, '{"id":"a","name":"Ada","value":2.5,"tags":["x","y"]}\n'
                      '{"id":"b","name":"=B\\t","value":null,"tags":[]}\n'),
        ("jsonl", {"fields": "name,value"}, '{"name":"Ada","value":2.5}\n{"name":"=B\\t","value":null}\n'),
        ("json", {"fields": "id"}, '[\n  {\n    "id": "a"\n  },\n  {\n    "id": "b"\n  }\n]\n'),
        ("csv", {"fields": "id,name,tags"}, "id,name,tags\na,Ada,\"x,y\"\nb,'=B\t,\n"),
        ("tsv", {"fields": "id,name,tags"}, "id\tname\ttags\na\tAda\tx,y\nb\t=B\\t\t\n"),
        ("ids", {}, "a\nb\n"), ("table", {"jq": "map(.name)"}, '["Ada", "=B\\t"]\n'),
        ("table", {"jq": ".[].id"}, "a\nb\n"), ("table", {"template": "{{name}}!{{missing.x}}"}, "Ada!\n=B\t!\n"),
        ("yaml", {"fields": "id,value"}, "- id: a\n  value: 2.5\n- id: b\n  value: null\n"),
    ],
)  # fmt: skip
def test_several_records_in_each_format(
    capsysbinary: pytest.CaptureFixture[bytes], format: str, chosen: dict[str, str], text: str
) -> None:
    with shaped(**chosen):
        Printer(format).rows(ROWS)
    assert capsysbinary.readouterr().out.decode() == text


@pytest.mark.parametrize(
    ("format", "chosen", "text"),
    [
        ("jsonl", {"fields": "id,tags.1"}, '{"id":"a","tags.1":"y"}\n'),
        ("json", {"fields": "name"}, '{\n  "name": "Ada"\n}\n'),
        ("ids", {}, "a\n"), ("csv", {"fields": "id,value"}, "id,value\na,2.5\n"),
        ("yaml", {"fields": "id"}, "id: a\n"),
        ("json", {"jq": ".value"}, "2.5\n"), ("json", {"template": "{{value}} {{tags}}"}, "2.5 x,y\n"),
    ],
)  # fmt: skip
def test_one_record_in_each_format(
    capsysbinary: pytest.CaptureFixture[bytes], format: str, chosen: dict[str, str], text: str
) -> None:
    with shaped(**chosen):
        Printer(format).show(ROWS[0])
        Printer(format).show(None)
    assert capsysbinary.readouterr().out.decode() == text


def test_what_somebody_chose_is_not_for_people() -> None:
    printer = Printer("table")
    assert (printer.is_for_people, printer.is_chosen, printer.has_columns) == (True, False, True)
    printer = Printer("table", "id, ,name")
    assert (printer.is_for_people, printer.is_chosen, printer.has_columns) == (False, True, True)
    assert not Printer("json").is_for_people and not Printer("json").has_columns
    with shaped(jq=".x"):
        printer = Printer("table")
        assert (printer.is_for_people, printer.is_chosen, printer.has_columns) == (False, False, False)
    with pytest.raises(MisuseError, match="--columns is for table, csv and tsv"):
        Printer("json", "id")
    with shaped(fields="id"), pytest.raises(MisuseError, match="--columns and --fields choose the same"):
        Printer("csv", "id")
    with shaped(jq=".x", template="{{x}}"), pytest.raises(MisuseError, match="type one of them"):
        Printer("json")


def test_ids_are_those_of_records_or_of_what_was_done(capsys: pytest.CaptureFixture[str]) -> None:
    items = [{"id": "a", "error": None}, {"id": "b", "error": {"code": "X"}}, "c"]
    Printer("ids").show({"items": items, "total": 3})
    assert capsys.readouterr().out == "a\nc\n"
    for odd in ({"name": "Ada"}, {"id": 5}, 7):
        with pytest.raises(MisuseError, match="has no ids"):
            Printer("ids").show(odd)


def test_a_member_that_no_record_has_is_refused_and_nothing_found_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    for format in ("json", "csv", "table"):
        with shaped(fields="nmae"), pytest.raises(MisuseError, match=r"no such column: nmae; did you mean 'name'"):
            Printer(format).rows(ROWS)
    capsys.readouterr()
    Printer("table").rows([])
    out, err = capsys.readouterr()
    assert out == "" and "nothing found" in err


@pytest.mark.parametrize(
    ("value", "csv", "tsv"),
    [
        ("=1", "'=1", "=1"), ("+49 30 1234", "+49 30 1234", "+49 30 1234"), ("-1", "-1", "-1"), ("-a", "'-a", "-a"),
        ("@x", "'@x", "@x"), ("a\r\nb", "a\nb", "a\\r\\nb"), (["=a", "b"], "'=a,b", "=a,b"),
        ({"a": 1}, '{"a":1}', None),
        (None, "", ""), (True, "true", "true"), (False, "false", "false"), ([1, 2], "[1,2]", "[1,2]"), ([], "", ""),
        (datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "2026-01-02T03:04:00Z", "2026-01-02T03:04:00Z"),
        (datetime(2026, 1, 2, 3, 4), "2026-01-02T03:04:00", None), (date(2026, 1, 2), "2026-01-02", "2026-01-02"),
        (Decimal("-1.50"), "-1.50", "-1.50"), ("a\tb\\", "a\tb\\", "a\\tb\\\\"), ("\x1b[2J", "\ufffd[2J", "\ufffd[2J"),
    ],
)  # fmt: skip
def test_a_field_is_harmless_in_a_spreadsheet_and_whole_in_a_line(value: object, csv: str, tsv: str | None) -> None:
    assert csv_text(value) == csv
    assert tsv_text(value) == (field_text(value) if tsv is None else tsv)


def test_members_within_members_are_chosen_by_their_path() -> None:
    record = {
        "id": "a",
        "address": {"city": "Ulm", "zip": "1"},
        "lines": [{"n": 1, "x": 2}, {"n": 3}],
        "firstName": "A",
    }
    assert at(record, "address.city") == "Ulm" and at(record, "lines.n") == [1, 3] and at(record, "lines.1.n") == 3
    assert at(record, "lines.2.n") is None and at(record, "lines.2") is None and at(record, "lines.0.x") == 2
    assert at(record, "first_name") == "A" and at(record, "id.x") is None and at(5, "x") is None
    assert project(record, ["id", "address.city", "lines.n", "first_name", "odd"]) == {
        "id": "a", "address": {"city": "Ulm"}, "lines": [{"n": 1}, {"n": 3}], "firstName": "A", "odd": None,
    }  # fmt: skip
    assert project(record, ["lines.1.n", "address", "address.zip"]) == {
        "lines.1.n": 3, "address": {"city": "Ulm", "zip": "1"},
    }  # fmt: skip
    assert project("x", ["id"]) == "x" and project({"address": None}, ["address.city"]) == {"address": None}
    assert names_in(" id, name ,") == ["id", "name"]
    for odd in ("", ",", "a..b", ".a", "a."):
        with pytest.raises(MisuseError, match="--fields must be names"):
            names_in(odd)


@pytest.mark.parametrize("count", [0, 1, 10, 11])
def test_of_failures_the_first_ten_are_told(capsys: pytest.CaptureFixture[str], count: int) -> None:
    def failure(index: int) -> Any:
        error = SimpleNamespace(code="TAKEN", message="is taken") if index else None
        return SimpleNamespace(index=index, key="k" if index == 1 else None, error=error)

    result = SimpleNamespace(failures=[failure(index) for index in range(count)], failed=count, total=20)
    assert say_bulk_failures(result) == (PARTIAL if count else None)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == (0 if not count else min(count, 10) + 1 + (count > 10))
    if count:
        assert f"{count} of 20 failed, the others are done" in lines[0] and lines[1].endswith("  item 0: failed")
    if count > 1:
        assert lines[2].endswith("  item 1 (k): TAKEN: is taken")
        assert lines[-1].endswith("…") is (count > 10)
    assert say_bulk_failures(SimpleNamespace()) is None


@pytest.mark.parametrize("given", [False, True])
def test_a_command_prints_and_asks_as_its_options_say(given: bool) -> None:
    def begun() -> tuple[bool, bool, Shape]:
        begin(Options(no_input=given, no_pager=given, fields="id", jq=".x"))
        return asking.get(), paging.get(), shape.get()

    for before in (False, True):
        context = copy_context()
        context.run(asking.set, before)
        context.run(paging.set, before)
        assert context.run(begun) == (not given, not given, Shape("id", ".x", None))


def test_what_is_printed_is_no_markup_and_has_no_colours_of_its_own(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stdout(80).print("[bold]x[/bold] :smile: 5 True https://crm.test")
    assert capsys.readouterr().out == "[bold]x[/bold] :smile: 5 True https://crm.test\n"
    with pytest.raises(BrokenPipeError):
        stdout().on_broken_pipe()
