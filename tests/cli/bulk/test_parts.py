"""The parts of imports and exports by themselves: files of every kind, cells, the journal, how long it takes."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openpyxl  # type: ignore[import-untyped] # it has no types
import pytest

from crm_cli.bulk import exporting, progress
from crm_cli.bulk.exporting import _at, _cell, _column_value, _wire
from crm_cli.bulk.journal import FAILED, INVALID, READY, Entry, Journal, Wrong, tidy
from crm_cli.bulk.mapping import _column
from crm_cli.bulk.sending import Sending
from crm_cli.bulk.sources import Source, UnreadableRow, fingerprint
from crm_cli.failures import MisuseError
from crm_sdk.errors import FieldError, ValidationError


def opened(tmp_path: Path, name: str, content: str | bytes, **options: Any) -> Source:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    given: dict[str, Any] = {"format": None, "has_header": True, "delimiter": None, "encoding": None} | options
    return Source.open(path, name, **given)


@pytest.mark.parametrize(
    ("name", "content", "options", "headers", "rows"),
    [
        ("a.csv", "name,age\nAda,36\n\n,\nBob,\n", {}, ("name", "age"), [["Ada", "36"], ["Bob", ""]]),
        ("a.tsv", "name\tage\nAda\t36\n", {}, ("name", "age"), [["Ada", "36"]]),
        ("a.txt", 'name;"a,b,c"\nAda;1\n', {}, ("name", "a,b,c"), [["Ada", "1"]]),
        ("a.csv", "sep=|\nname|age\nAda|1\n", {}, ("name", "age"), [["Ada", "1"]]),
        ("a.csv", "name\nAda\n", {"has_header": False}, (), [["name"], ["Ada"]]),
        ("a.csv", "name;x\nA;b\n", {"delimiter": ","}, ("name;x",), [["A;b"]]),
        ("A.CSV", "\ufeffname\nÄda\n".encode(), {}, ("name",), [["Äda"]]),
        ("a.csv", "name\nÄda\n".encode("utf-16"), {}, ("name",), [["Äda"]]),
        ("a.csv", "name\nÄda\n".encode("cp1252"), {"encoding": "cp1252"}, ("name",), [["Äda"]]),
        ("a.csv", "name,age\nAda,1,,\n", {}, ("name", "age"), [["Ada", "1"]]),
        ("a.csv", 'name,n\n"A\n B",1\n', {}, ("name", "n"), [["A\n B", "1"]]),
        ("a.jsonl", '{"a": 1}\n\n{"b": 2}\n', {}, ("a", "b"), [{"a": 1}, {"b": 2}]),
        ("a.dat", '{"a": 1}\n', {"format": "jsonl"}, ("a",), [{"a": 1}]),
        ("a.vcf", "x\nBEGIN:VCARD\nFN:A\nEND:VCARD\n\nbegin:vcard\nend:vcard\n", {}, (),
         ["BEGIN:VCARD\nFN:A\nEND:VCARD\n", "begin:vcard\nend:vcard\n"]),
    ],
)  # fmt: skip
def test_a_file_has_its_columns_and_its_rows(
    tmp_path: Path, name: str, content: str | bytes, options: dict[str, Any], headers: tuple[str, ...], rows: list[Any]
) -> None:
    source = opened(tmp_path, name, content, **options)
    assert (source.headers, list(source.rows())) == (headers, rows)
    assert len(fingerprint(source.path)) == 64


@pytest.mark.parametrize(
    ("name", "content", "options", "why"),
    [
        ("a.csv", "", {}, "a.csv is empty"), ("a.csv", "\n\n", {}, "a.csv is empty"),
        ("a.csv", "name\n", {}, "a.csv has no rows below the header"), ("a.jsonl", "\n", {}, "a.jsonl has no rows"),
        ("a.xls", "x", {}, "save an old workbook as .xlsx"), ("a.odd", "x", {}, "does not tell the format"),
        ("a.csv", "x", {"format": "odd"}, "--format is one of"),
        ("a.csv", b"PK\x03\x04x", {}, "is a workbook, not csv"),
        ("a.xlsx", "x", {}, "is no workbook"), ("a.csv", "name\nÄ\n".encode("cp1252"), {}, "give --encoding"),
        ("a.csv", "name\nA\n", {"encoding": "odd"}, "there is no encoding 'odd'"),
        ("a.csv", 'name\n"A\nB\n', {}, "line 2: a quotation mark opens a text that never ends"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_says_why(
    tmp_path: Path, name: str, content: str | bytes, options: dict[str, Any], why: str
) -> None:
    with pytest.raises(MisuseError) as raised:
        list(opened(tmp_path, name, content, **options).rows())
    assert why in str(raised.value)
    assert ("save an old workbook" in str(raised.value)) is (name == "a.xls")


@pytest.mark.parametrize(
    ("name", "content", "reasons"),
    [
        ("a.csv", "name,n\nA,1,2\nB,1\n", ["the row has 3 cells, the header 2: does a text lack its quotes?", None]),
        ("a.jsonl", '{"a": 1}\n{\n[1]\n', [None, "the line is not JSON", "the line is not a JSON object"]),
        ("a.vcf", "BEGIN:VCARD\nFN:A\nBEGIN:VCARD\nEND:VCARD\nBEGIN:VCARD\n",
         ["the card has no END:VCARD", None, "the card has no END:VCARD"]),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_one_that_says_why(
    tmp_path: Path, name: str, content: str, reasons: list[str | None]
) -> None:
    rows = list(opened(tmp_path, name, content).rows())
    assert len(rows) == len(reasons)
    for row, reason in zip(rows, reasons, strict=True):
        assert isinstance(row, UnreadableRow) is (reason is not None)
        if isinstance(row, UnreadableRow):
            assert reason is not None and str(row).startswith(reason) and row.raw


def test_a_workbook_has_texts_for_times_and_numbers_for_names_that_are_there_twice(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append([None, None])
    book.active.append(["name", "name", None, "at", "day", "hour"])
    book.active.append(["A", 5, 1.5, datetime(2026, 1, 2, 3, 4), datetime(2026, 1, 2), time(9, 30)])
    book.active.append([None, None, None, None, None, None])
    book.save(tmp_path / "a.xlsx")
    source = opened(tmp_path, "a.xlsx", (tmp_path / "a.xlsx").read_bytes())
    assert source.headers == ("name", "name 2", "3", "at", "day", "hour")
    assert list(source.rows()) == [
        {"name": "A", "name 2": 5, "3": 1.5, "at": "2026-01-02T03:04:00Z", "day": "2026-01-02", "hour": "09:30:00"}
    ]
    bare = opened(tmp_path, "a.xlsx", (tmp_path / "a.xlsx").read_bytes(), has_header=False)
    assert bare.headers[:2] == ("1", "2") and len(list(bare.rows())) == 2


def test_a_part_is_a_file_that_the_server_reads(tmp_path: Path) -> None:
    source = opened(tmp_path, "a.txt", "name;n\nA;1\n")
    assert source.part([["A", "1"]]) == ("part.csv", b"name,n\r\nA,1\r\n")
    assert source.options() == {"delimiter": ",", "encoding": "utf-8", "has_header": True}
    bare = opened(tmp_path, "a.csv", "A,1\n", has_header=False)
    assert bare.part([["A", "1"]])[1] == b"A,1\r\n" and bare.options()["has_header"] is False
    lines = opened(tmp_path, "a.jsonl", '{"a":1}\n')
    assert (lines.part([{"a": 1}]), lines.options()) == (("part.jsonl", b'{"a":1}\n'), {})
    cards = opened(tmp_path, "a.vcf", "BEGIN:VCARD\nEND:VCARD\n")
    assert cards.part(["BEGIN:VCARD\nEND:VCARD\n"] * 2)[1] == b"BEGIN:VCARD\nEND:VCARD\r\n" * 2


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (datetime(2026, 1, 2, 3, tzinfo=UTC), datetime(2026, 1, 2, 3)), (datetime(2026, 1, 2), datetime(2026, 1, 2)),
        (None, None), (True, True), (5, 5), (Decimal("5.00"), 5), (Decimal("5.25"), 5.25), (1.5, 1.5), ("=1", "'=1"),
        (["a", "b"], "a,b"), (date(2026, 1, 2), "2026-01-02"),
    ],
)  # fmt: skip
def test_a_value_in_a_workbook(value: object, cell: object) -> None:
    assert (_cell(value), type(_cell(value))) == (cell, type(cell))


@pytest.mark.parametrize(
    ("value", "kind", "found"),
    [
        (None, "text", None), ("x", "text", "x"), (5, "text", "5"), (["a"], "text", "a"), (True, "boolean", True),
        (5, "integer", 5), (Decimal("1.5"), "currency", Decimal("1.5")), (1.1, "decimal", Decimal("1.1")),
        ("2026-01-02", "date", date(2026, 1, 2)), ("2026-01-02T03:00:00+00:00", "datetime",
         datetime(2026, 1, 2, 3, tzinfo=UTC)), (date(2026, 1, 2), "date", date(2026, 1, 2)),
    ],
)  # fmt: skip
def test_a_value_in_a_typed_column(value: object, kind: str, found: object) -> None:
    assert (_column_value(value, kind), type(_column_value(value, kind))) == (found, type(found))


def test_members_of_records_are_found_by_the_names_of_columns() -> None:
    assert [_wire(name) for name in ("first_name", "address.zip_code", "custom_fields.a_b", "fields.a_b")] == [
        "firstName", "address.zipCode", "customFields.a_b", "fields.a_b",
    ]  # fmt: skip
    row = {"firstName": "A", "address": {"zipCode": "1"}, "customFields": {"a_b": 2}}
    assert [_at(row, name) for name in ("first_name", "address.zip_code", "custom_fields.a_b", "odd.x")] == [
        "A", "1", 2, None,
    ]  # fmt: skip


def test_a_sheet_has_no_more_rows_than_it_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "_SHEET", 2)
    with (tmp_path / "a.xlsx").open("wb") as file, exporting._xlsx(file, {"id": "text"}) as write:
        write({"id": "a"})
        write({"id": "b"})
        with pytest.raises(MisuseError, match="at most 2 rows"):
            write({"id": "c"})


def test_a_journal_knows_each_row_and_keeps_those_that_failed(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.journal"
    wrong = [Wrong("email", "format", "is none")]
    with Journal(path) as journal:
        assert (journal.state, journal.run, journal.rows) == ("new", "", 0)
        journal.begin()
        run = journal.run
        assert journal.state == "checking" and len(run) == 32
        entries = [Entry(number, [str(number)], READY, {"name": number}) for number in (1, 2, 4, 5)]
        journal.add([*entries, Entry(3, ["x"], INVALID, None, wrong), Entry(6, {"a": 1}, READY, {"id": "c"})])
        assert journal.rows == 6 and journal.changing() == 1
        assert [[entry.number for entry in chunk] for chunk in journal.chunks(2)] == [[1, 2], [4], [5, 6]]
        assert [journal.first_with("k", number) for number in (4, 2)] == [4, 4]
        journal.settle([(1, "created", []), (2, FAILED, wrong)])
        assert journal.counts() == {READY: 3, INVALID: 1, "created": 1, FAILED: 1}
        with pytest.raises(AttributeError), journal._transaction():
            journal._db.execute("UPDATE about SET value = 'odd'").nothing  # type: ignore[attr-defined] # it fails  # noqa: B018
        assert journal.state == "checking"
        journal.state = "sending"
        with pytest.raises(MisuseError, match="another process is importing this file"):
            Journal(path)
    with Journal(path) as journal:
        assert (journal.state, journal.run) == ("sending", run)
        journal.finish()
        assert [(entry.number, entry.outcome, list(entry.errors)) for entry in journal.wrong()] == [
            (2, FAILED, wrong), (3, INVALID, wrong),
        ]  # fmt: skip
        assert journal.state == "done" and journal.counts()["created"] == 1 and journal.rows == 3
        assert journal.first_with("k", 9) == 9, "the keys are forgotten"
        journal.discard()
    assert list(path.parent.iterdir()) == []


def test_what_nobody_came_back_to_for_a_month_is_deleted(tmp_path: Path) -> None:
    now = datetime.now().timestamp()
    for name, days in (("old", 31), ("young", 29)):
        (tmp_path / name).write_text("x")
        os.utime(tmp_path / name, (now - days * 86_400, now - days * 86_400))
    (tmp_path / "folder").mkdir()
    os.utime(tmp_path / "folder", (0, 0))
    tidy(tmp_path)
    tidy(tmp_path / "missing")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "young"]


def test_each_tenth_is_a_line_that_tells_how_long_it_takes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    advance = progress._lines("rows", 1_000)
    for seconds, count in ((10.0, 99), (10.0, 1), (20.0, 100), (40.0, 800)):
        now[0] = seconds
        advance(count)
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition("rows: ")[2] for line in lines] == [
        "100 of 1,000 (10 %), 10/s, 1:30 left", "200 of 1,000 (20 %), 10/s, 1:20 left", "1,000 of 1,000 (100 %), 25/s",
    ]  # fmt: skip
    progress._lines("rows", None)(5)
    assert capsys.readouterr().err == ""
    assert [progress._clock(seconds) for seconds in (0, 59.4, 59.5, 3_599, 3_600, 7_325)] == [
        "0:00", "0:59", "1:00", "59:59", "1:00:00", "2:02:05",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "format", "named", "column"),
    [
        (("E-Mail", "Name"), "csv", "E-Mail", "E-Mail"), (("E-Mail ", "Name"), "csv", "e-mail", "E-Mail "),
        (("a", "b"), "csv", "2", "2"), (("a", "b"), "jsonl", "2", "b"), (("a", "b", "b"), "xlsx", "3", "3"),
        ((), "csv", "2", "2"), ((), "jsonl", "2", "2"), ((), "jsonl", "name", "name"),
    ],
)  # fmt: skip
def test_a_column_is_named_as_the_file_has_it_or_by_its_number(
    tmp_path: Path, headers: tuple[str, ...], format: str, named: str, column: str
) -> None:
    source = Source(tmp_path, "a", format, headers=headers)
    assert _column({"column": named, "field": "email"}, source) == {"column": column, "field": "email"}


@pytest.mark.parametrize(
    ("headers", "format", "named", "why"),
    [
        (("a", "a"), "csv", "a", "2 columns are called 'a': name yours by its number, 1 or 2"),
        (("name", "b"), "csv", "nmae", "a has no column 'nmae'; did you mean 'name'?"),
        (("a", "b"), "csv", "3", "a has no column '3'"), (("a", "b"), "csv", "0", "a has no column '0'"),
        ((), "csv", "name", "a has no column 'name'"),
    ],
)  # fmt: skip
def test_a_column_that_there_is_not_is_refused(
    tmp_path: Path, headers: tuple[str, ...], format: str, named: str, why: str
) -> None:
    with pytest.raises(MisuseError) as raised:
        _column({"column": named}, Source(tmp_path, "a", format, headers=headers))
    assert why in str(raised.value)


class Refusing:
    """A client whose server refuses the records of some names, and notes what it was sent."""

    def __init__(self, *wrong: str) -> None:
        self.wrong, self.keys, self.sent = wrong, [""], list[list[str]]()
        self.objects = self

    def with_options(self, *, idempotency_key: str) -> Refusing:
        self.keys.append(idempotency_key)
        return self

    def transaction(self, operations: list[Any]) -> None:
        names = [operation["values"]["name"] for operation in operations]
        self.sent.append(names)
        fields = [
            FieldError(f"operations.{place}.values.name", "is taken", "unique")
            for place, name in enumerate(names)
            if name in self.wrong
        ]
        if fields:
            raise ValidationError("no", fields=fields)


def sending(client: Any, *names: str) -> list[Any]:
    mapped: Any = SimpleNamespace(key=None, entity=SimpleNamespace(entity="contact"), key_in=lambda members: None)
    quota: Any = SimpleNamespace(call=lambda act: act())
    entries = [Entry(number, [], READY, {"name": name}) for number, name in enumerate(names, 1)]
    return Sending(client, mapped, "upsert", "update", quota, "run")._send(entries)


def test_of_new_records_that_are_refused_the_others_are_made_once_more_without_them() -> None:
    taken = [Wrong("name", "unique", "is taken")]
    client = Refusing("b")
    assert sorted(sending(client, "a", "b", "c")) == [(1, "created", ()), (2, FAILED, taken), (3, "created", ())]
    assert client.sent == [["a", "b", "c"], ["a", "c"]] and client.keys[1:] == ["run-new-1-3", "run-new-1-2"]
    client = Refusing("a", "b")
    assert sending(client, "a", "b") == [(1, FAILED, taken), (2, FAILED, taken)]
    assert client.sent == [["a", "b"]], "nothing is left to be sent"
    client = Refusing()
    assert [number for number, _, _ in sending(client, *map(str, range(51)))] == list(range(1, 52))
    assert [len(names) for names in client.sent] == [25, 25, 1]
