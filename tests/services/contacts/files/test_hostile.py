"""Whatever a file holds, an import ends: a row fails by itself, or the file is refused with what to do."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from importing import imported
from openpyxl import Workbook  # type: ignore[import-untyped] # it has no types
from openpyxl.chart import BarChart  # type: ignore[import-untyped] # as above
from patience import can_take_less_than

GOOD = {"name": "Good", "email": "good@example.com"}


def table(*rows: str, header: str = "name,email") -> bytes:
    return "\n".join((header, *rows, "Good,good@example.com", "")).encode()


def lines(*rows: str | bytes) -> bytes:
    return b"\n".join([row if isinstance(row, bytes) else row.encode() for row in (*rows, json.dumps(GOOD))])


def nested(levels: int) -> str:
    return '{"name":"A","customFields":{"a":' + "[" * levels + "]" * levels + "}}"


def deck(*properties: str | bytes) -> bytes:
    body = b"".join((line if isinstance(line, bytes) else line.encode()) + b"\r\n" for line in properties)
    good = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Good\r\nEMAIL:good@example.com\r\nEND:VCARD\r\n"
    return b"BEGIN:VCARD\r\nVERSION:3.0\r\n" + body + b"END:VCARD\r\n" + good


FAILING: dict[str, tuple[str, bytes, dict[str, Any]]] = {
    "csv: a quote out of place": ("a.csv", table('"B "The" C",b@example.com'), {}),
    "csv: a quote that is never closed": ("a.csv", table('x,"B'), {}),
    "csv: custom fields that are a text": ("a.csv", b"name,custom_fields\nA,x\nGood,\n", {}),
    "csv: no address": ("a.csv", table("A,nobody"), {}),
    "csv: a byte that is no character": (
        "a.csv", b"name,email\n" + b"A\xff,a@example.com\nJ\xc3\xb6rg,j@example.com\nGood,good@example.com\n", {},
    ),
    "csv: a number without end": (
        "a.csv",
        b"name,b\nA,1e999999999\nGood,1\n",
        {"mapping": [{"column": "name", "field": "name"},
                     {"column": "b", "field": "custom_fields.b", "transform": "number"}]},
    ),
    "csv: no date where one is asked for": (
        "a.csv",
        b"name,b\nA,soon\nGood,2026-01-01\n",
        {"mapping": [{"column": "name", "field": "name"},
                     {"column": "b", "field": "custom_fields.b", "transform": "date"}]},
    ),
    "jsonl: a number as an address": ("a.jsonl", lines('{"name":"A","email":5}'), {}),
    "jsonl: an object as an address": ("a.jsonl", lines('{"name":"A","email":{"a":1}}'), {}),
    "jsonl: a list as a name": ("a.jsonl", lines('{"name":["A"],"email":"a@example.com"}'), {}),
    "jsonl: half a character": ("a.jsonl", lines('{"name":"A\\ud800"}'), {}),
    "jsonl: half a character in a list": ("a.jsonl", lines('{"name":"A","tags":["\\ud800"]}'), {}),
    "jsonl: half a character in a name of a member": ("a.jsonl", lines('{"name":"A","x\\ud800":1}'), {}),
    "jsonl: a byte that is no character": ("a.jsonl", lines(b'{"name":"A\xff"}', '{"name":"J\u00f6rg"}'), {}),
    "jsonl: no JSON": ("a.jsonl", lines("{nope"), {}),
    "jsonl: no object": ("a.jsonl", lines("[1]"), {}),
    "jsonl: nested deeply": ("a.jsonl", lines(nested(5_000)), {}),
    "jsonl: nested very deeply": ("a.jsonl", lines('{"a":' * 200_000), {}),
    "jsonl: nested a little": ("a.jsonl", lines(nested(50)), {}),
    "jsonl: an exponent": ("a.jsonl", lines('{"name":"A","customFields":{"a":1e999999999}}'), {}),
    "jsonl: a small exponent": ("a.jsonl", lines('{"name":"A","customFields":{"a":1e-999999999}}'), {}),
    "jsonl: many digits": ("a.jsonl", lines('{"name":"A","customFields":{"a":' + "9" * 9_999 + "}}"), {}),
    "jsonl: not a number": ("a.jsonl", lines('{"name":"A","customFields":{"a":NaN}}'), {}),
    "jsonl: custom fields that are a text": ("a.jsonl", lines('{"name":"A","customFields":"x"}'), {}),
    "vcf: a character set that is none": (
        "a.vcf", deck("FN;CHARSET=NOPE;ENCODING=QUOTED-PRINTABLE:M=C3=BCller"), {},
    ),
    "vcf: no end": ("a.vcf", deck("FN:A", "BEGIN:VCARD", "FN:B"), {}),
    "vcf: no name and no address": ("a.vcf", deck("NOTE:x"), {}),
}  # fmt: skip


@pytest.mark.parametrize("case", FAILING)
def test_a_row_fails_and_the_job_goes_on(case: str) -> None:
    name, content, options = FAILING[case]
    done = imported(content, name, **options)
    assert done.status == "succeeded", done.error
    assert [error.code for error in done.failed.values()] == ["VALIDATION_ERROR"]
    assert "Good" in {contact.name for contact in done.contacts}


def workbook(fill: Callable[[Any], None]) -> bytes:
    book = Workbook()
    fill(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def charts_only(book: Any) -> None:
    book.create_chartsheet("Chart").add_chart(BarChart())
    book.remove(book["Sheet"])


def damaged(part: str, put: bytes | None) -> bytes:
    """Return a workbook one part of which is replaced, or missing."""
    whole = workbook(lambda book: book.active.append(["name"]))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as source, zipfile.ZipFile(out, "w") as target:
        for entry in source.namelist():
            if entry != part:
                target.writestr(entry, source.read(entry))
            elif put is not None:
                target.writestr(entry, put)
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
REFUSED: dict[str, tuple[str, bytes, str]] = {
    "csv: nothing": ("a.csv", b"", "empty"),
    "csv: blank": ("a.csv", b"\n \n,,\n", "empty"),
    "csv: no known column": ("a.csv", b"foo,bar\n1,2\n", "give a mapping; if they are not told apart, give delimiter"),
    "csv: a workbook": ("a.csv", workbook(lambda book: book.active.append(["name"])), "format='xlsx'"),
    "csv: no code page has these bytes": ("a.csv", b"name\nA\x81\x8d\x8f\x90\x9d\n", "encoding"),
    "csv: the bytes of a picture": ("a.csv", bytes(range(256)) * 50, "encoding"),
    "jsonl: nothing": ("a.jsonl", b"", "no contact"),
    "jsonl: no line of JSON": ("a.jsonl", b"name,email\nA,a@example.com\n", "not JSON"),
    "vcf: nothing": ("a.vcf", b"hello", "no contact"),
    "xlsx: no zip": ("a.xlsx", b"name,email\n", "xlsx"),
    "xlsx: cut short": ("a.xlsx", workbook(lambda book: book.active.append(["name"]))[:900], "xlsx"),
    "xlsx: another zip": ("a.xlsx", b"PK\x05\x06" + b"\0" * 18, "xlsx"),
    "xlsx: charts only": ("a.xlsx", workbook(charts_only), "no sheet"),
    "xlsx: no cells": ("a.xlsx", workbook(lambda book: None), "no sheet"),
    "xlsx: without its sheet": ("a.xlsx", damaged(SHEET, None), "no sheet"),
    "xlsx: a sheet of nonsense": ("a.xlsx", damaged(SHEET, b"<worksheet><sheetData><row r='x'>"), "xlsx"),
    "xlsx: without its list of sheets": ("a.xlsx", damaged("xl/workbook.xml", None), "xlsx"),
    "xlsx: an empty list of sheets": ("a.xlsx", damaged("xl/workbook.xml", b"<workbook/>"), "no sheet"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_is_refused_with_what_to_do(case: str) -> None:
    name, content, words = REFUSED[case]
    done = imported(content, name)
    assert (done.status, done.contacts) == ("failed", [])
    assert words in done.error


def sheet(*rows: list[Any]) -> bytes:
    def fill(book: Any) -> None:
        for row in rows:
            book.active.append(row)

    return workbook(fill)


LONG = "x" * 200_000
HEAD = ["name", "notes", "More"]
LARGE: dict[str, Callable[[int], tuple[str, bytes]]] = {
    "csv: one cell": lambda n: ("a.csv", f"name,notes,More\nA,{'x' * n},{'y' * n}\n".encode()),
    "csv: quoted lines": lambda n: ("a.csv", b'name,notes\nA,"' + b"x\n" * (n // 2) + b'"\n'),
    "csv: a quote that is never closed": lambda n: ("a.csv", b'name,notes\nA,ok\nB,"' + b"x\n" * (n // 1_000)),
    "csv: quotes in each line": lambda n: ("a.csv", b"name\nA\n" + b'"B "C"\n' * (n // 200)),
    "csv: many columns": lambda n: ("a.csv", ("name" + ",c" * (n // 40) + "\nA" + ",1" * (n // 40)).encode()),
    "csv: one header many times": lambda n: ("a.csv", f"name{',phone' * (n // 400)}\nA{',1' * (n // 400)}".encode()),
    "csv: a list of tags": lambda n: ("a.csv", f"name,tags\nA,{';' * n}\n".encode()),
    "csv: addresses": lambda n: ("a.csv", f"name,other emails\nA,{'a@' * (n // 2)}\n".encode()),
    "csv: a website": lambda n: ("a.csv", f"name,website\nA,{'a.' * (n // 2)}\n".encode()),
    "csv: a date": lambda n: ("a.csv", f"name,birthday\nA,{'1/' * (n // 2)}\n".encode()),
    "csv: a time": lambda n: ("a.csv", f"name,follow up\nA,{' 1:' * (n // 3)}\n".encode()),
    "csv: a country": lambda n: ("a.csv", f"name,country\nA,{'é' * n}\n".encode()),
    "csv: an escaped text": lambda n: ("a.csv", ('name,zip\nA,"=""' + '""' * (n // 2) + '"\n').encode()),
    "csv: a header": lambda n: ("a.csv", f"name,{'home ' * (n // 5)}\nA,1\n".encode()),
    "csv: quoted notes": lambda n: ("a.csv", ('name,notes\nA,"' + '""a""  ' * (n // 7) + '""x"""\n').encode()),
    "jsonl: one text": lambda n: ("a.jsonl", json.dumps({"name": "A", "notes": ["x" * n], "tags": ["y" * n]}).encode()),
    "jsonl: many members": lambda n: (
        "a.jsonl", json.dumps({"name": "A"} | {f"m{i}": i for i in range(n // 50)}).encode(),
    ),
    "jsonl: custom fields to leave out": lambda n: (
        "a.jsonl", json.dumps({"name": "A", "customFields": {f"m{i}": {} for i in range(n // 1_000)}}).encode(),
    ),
    "xlsx: one cell": lambda n: ("a.xlsx", sheet(HEAD, ["A", "x" * 32_767, "y"])),
    "vcf: one line": lambda n: ("a.vcf", deck("FN:A", "NOTE:" + "x" * n)),
    "vcf: folded lines": lambda n: ("a.vcf", deck("FN:A", "NOTE:", *["  x"] * (n // 5))),
    "vcf: soft breaks": lambda n: ("a.vcf", deck("FN:A", "NOTE;ENCODING=QUOTED-PRINTABLE:a=", *["x="] * (n // 4), "b")),
    "vcf: parameters": lambda n: ("a.vcf", deck("FN:A", "TEL" + ';TYPE="a' * (n // 8) + ":1")),
    "vcf: escapes": lambda n: ("a.vcf", deck("FN:A", "CATEGORIES:" + "\\," * (n // 2))),
    "vcf: strange lines": lambda n: ("a.vcf", deck("FN:A", *["strange"] * (n // 500))),
}  # fmt: skip


@pytest.mark.parametrize("case", LARGE)
def test_what_is_long_takes_linear_time(case: str) -> None:
    def taken(size: int) -> float:
        name, content = LARGE[case](size)
        before = time.process_time()
        done = imported(content, name)
        assert done.status == "succeeded", done.error
        assert "A" in {contact.name for contact in done.contacts}
        return time.process_time() - before

    # Four times the input, at most eight times the time: even the time of a processor is stretched by a busy machine.
    assert can_take_less_than(1.5, lambda: taken(200_000) - 8 * taken(50_000))


def test_a_cell_of_any_length_is_kept() -> None:
    done = imported(f'name,notes,Other\n"A","{LONG}",{LONG}\n')
    assert done.only.notes == [LONG]


def test_a_sheet_may_lie_about_its_size_and_have_cells_far_out() -> None:
    def fill(book: Any) -> None:
        book.active.append(["name"])
        book.active.append(["A"])
        book.active.cell(1_000_000, 1, "Far")
        book.active.cell(5, 16_000, "beyond what is read")

    assert [contact.name for contact in imported(workbook(fill), "a.xlsx").contacts] == ["A", "Far"]


def test_the_first_sheet_with_cells_is_read_where_the_active_one_has_none() -> None:
    def fill(book: Any) -> None:
        book.create_sheet("People").append(["name"])
        book["People"].append(["A"])

    assert imported(workbook(fill), "a.xlsx").only.name == "A"
