"""How files are read as tables: where the header is, what separates the columns, which bytes are which text."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from typing import Any

import openpyxl  # type: ignore[import-untyped] # it has no types
import pytest

from server_stub.files import delimited, reading
from server_stub.files.encodings import decode
from server_stub.files.table import Remark, Table, UnreadableFileError

KNOWN = {"name", "email", "phone"}


def score(cells: Sequence[str]) -> int:
    return sum(cell.strip().lower() in KNOWN for cell in cells)


def table(text: str, *, delimiter: str = ",", has_header: bool = True, detect: bool = True) -> Table:
    return delimited.read(text, has_header=has_header, delimiter=delimiter, score=score, detect=detect)


def said(found: Table) -> list[tuple[str, str]]:
    return [(remark.code, remark.message) for remark in found.remarks]


# -- delimiters -----------------------------------------------------------------------------------------------------


def test_the_delimiter_is_the_one_that_shows_most_of_the_columns() -> None:
    cases: list[Any] = [
        ("name,email\na,b\n", ",", ",", None),
        ("name;email\na;b\n", ",", ";", "';'"),
        ("name\temail\na\tb\n", ",", "\t", "a tab"),
        ("name|email\na|b\n", ",", "|", "'|'"),
        ("name,email\na,b\n", "\t", ",", "','"),
        ("name\na\n", ",", ",", None),
        ("foo;bar\na;b\n", ",", ",", None),  # nothing shows more of the columns
        ('"foo","bar"\n"1","2"\n', ",", ",", None),
    ]
    for text, given, used, shown in cases:
        found = table(text, delimiter=given)
        assert found.delimiter == used
        expected = [("DELIMITER_GUESSED", f"the columns are separated by {shown}, not by {given!r}")] if shown else []
        assert said(found) == expected
        if given != used:
            assert table(text, delimiter=given, detect=False).delimiter == given


def test_without_a_header_it_is_the_one_that_makes_the_most_columns() -> None:
    found = table("a;b;c\nd;e,f;g\n", has_header=False)
    assert (found.delimiter, found.columns, found.headers) == (";", ("1", "2", "3"), ("", "", ""))
    assert found.rows == ({"1": "a", "2": "b", "3": "c"}, {"1": "d", "2": "e,f", "3": "g"})


def test_a_file_may_name_its_delimiter() -> None:
    cases: list[Any] = ["sep=;\n", '"sep=;"\r\n', "SEP=;\n", "sep=; \n"]
    for mark in cases:
        found = table(f"{mark}name;email|phone|name\na;b\n")
        assert (found.delimiter, found.columns, said(found)) == (";", ("name", "email|phone|name"), [])


@pytest.mark.parametrize(("titles", "used"), [(19, ";"), (20, ",")])
def test_twenty_lines_are_looked_at_for_a_delimiter(titles: int, used: str) -> None:
    assert table("a title\n" * titles + "name;email\n", delimiter=",").delimiter == used


# -- the header -----------------------------------------------------------------------------------------------------


def test_the_header_is_the_first_line_or_one_below_narrower_titles() -> None:
    cases: list[Any] = [
        (["name,email", "a,b"], ("name", "email"), 0),
        (["Export", "name,email", "a,b"], ("name", "email"), 1),
        (["Export", "", "of today", "name,email", "a,b"], ("name", "email"), 2),
        (["Export,of today", "name,email", "a,b"], ("Export", "of today"), 0),  # no narrower than the header
        (["Export", "name,other", "a,b"], ("Export", "2"), 0),  # one known column is too little
        (["name", "name,email", "a,b"], ("name", "email"), 1),
        (["name,email", "email,name,phone"], ("email", "name", "phone"), 1),
        (["name,email,x", "email,name,phone"], ("name", "email", "x"), 0),
        (["foo,bar", "a,b"], ("foo", "bar"), 0),
        (["Export"] * 11 + ["name,email"], ("name", "email"), 11),
        (["Export"] * 12 + ["name,email"], ("Export", "2"), 0),
        ([" , ", "Export, ", "name,email"], ("name", "email"), 1),
        (['"a title" x', "name,email"], ("name", "email"), 1),
    ]
    for lines, columns, skipped in cases:
        found = table("\n".join([*lines, "x,y", ""]))
        expected = [("LINES_SKIPPED", f"the {skipped} lines before the header were not read")] if skipped else []
        assert (found.columns, said(found)) == (columns, expected)
        assert list(found.rows[-1].values())[:2] == ["x", "y"]  # type: ignore[union-attr] # a row that can be read


def test_a_row_may_be_wider_or_narrower_than_the_header() -> None:
    found = table("name, email ,name\na\nb,c,d,e\n\n , \n")
    assert found.columns == ("name", "email", "name (2)", "4")
    assert found.headers == ("name", "email", "name", "")
    assert found.rows == ({"name": "a"}, {"name": "b", "email": "c", "name (2)": "d", "4": "e"})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the file is empty"),
        ("\n , \n\n", "the file is empty"),
        ('"name" x,email\n', "the header cannot be read: the line cannot be read as CSV"),
    ],
)
def test_a_file_without_a_header_is_none(text: str, why: str) -> None:
    with pytest.raises(UnreadableFileError, match=why):
        table(text, detect=False)


def test_a_line_that_cannot_be_read_takes_none_along() -> None:
    found = table('name,email\n"a" x,b\nc,d\n"e,f\ng,h\n')
    first, second, third, fourth = found.rows
    assert isinstance(first, str) and first.startswith("the line cannot be read as CSV (")
    assert first.endswith(': "a" x,b')
    assert second == {"name": "c", "email": "d"} and fourth == {"name": "g", "email": "h"}
    assert isinstance(third, str) and third.endswith(': "e,f')
    (long,) = table('name\n"' + "x" * 300 + '" y\n', detect=False).rows
    assert isinstance(long, str) and long.endswith(": " + '"' + "x" * 199)


def test_a_cell_may_have_several_lines_and_be_very_long() -> None:
    before = csv.field_size_limit()
    found = table('name,email\n"a\nb",c\n' + "x" * (before + 1) + ",d\n")
    assert [row["name"] for row in found.rows if not isinstance(row, str)] == ["a\nb", "x" * (before + 1)]
    assert csv.field_size_limit() == before


# -- encodings ------------------------------------------------------------------------------------------------------

GUESSED = "ENCODING_GUESSED"


def test_bytes_are_text_in_the_encoding_that_they_show() -> None:
    cases: list[Any] = [
        ("Köln".encode(), "utf-8", "Köln", "utf-8", None),
        ("Köln".encode("utf-8-sig"), "cp1252", "Köln", "utf-8-sig", None),
        ("Köln".encode("utf-16"), "utf-8", "Köln", "utf-16", None),
        (b"\xfe\xff" + "Köln".encode("utf-16-be"), "utf-8", "Köln", "utf-16", None),
        ("Köln".encode("utf-32"), "utf-8", "Köln", "utf-32", None),
        (b"\0\0\xfe\xff" + "Köln".encode("utf-32-be"), "utf-8", "Köln", "utf-32", None),
        ("Köln".encode("cp1252"), "cp1252", "Köln", "cp1252", None),
        ("Köln".encode("cp1252"), "UTF_8", "Köln", "cp1252", GUESSED),
        ("Köln".encode("cp1252"), "utf8", "Köln", "cp1252", GUESSED),
        ("Köln".encode("cp1252"), "utf-8-sig", "Köln", "cp1252", GUESSED),
        ("Köln".encode(), "latin-1", "KÃ¶ln", "latin-1", None),
        (b"", "utf-8", "", "utf-8", None),
        (b"a\0", "utf-8", "a\0", "utf-8", None),
        (b"a\0b\0", "utf-8", "ab", "utf-16-le", GUESSED),
        (b"\0a\0b", "utf-8", "ab", "utf-16-be", GUESSED),
        (b"a\0\0\0", "utf-8", "a\0\0\0", "utf-8", None),
        (("a" * 9 + "Ё").encode("utf-16-le"), "utf-8", "a" * 9 + "Ё", "utf-16-le", GUESSED),
        (("a" * 8 + "ЁЁ").encode("utf-16-le"), "utf-8", "a\0" * 8 + "\x01\x04" * 2, "utf-8", None),
        (("a" * 9 + "Ё").encode("utf-16-be"), "utf-8", "a" * 9 + "Ё", "utf-16-be", GUESSED),
        (("a" * 2_000 + "\u0400").encode("utf-16-le"), "utf-8", "a" * 2_000 + "\u0400", "utf-16-le", GUESSED),
        (b"\xff \xc3\xb6", "utf-8", "\udcff ö", "utf-8", GUESSED),  # as many wrong ones as right ones
        (b"\xff\xff \xc3\xb6", "utf-8", "ÿÿ Ã¶", "cp1252", GUESSED),
        (b"\xff", "utf-8", "ÿ", "cp1252", GUESSED),
        (b"\xff \x7f", "utf-8", "ÿ \x7f", "cp1252", GUESSED),
        (b"\x80\x80 \xc3\xb6", "utf-8", "€€ Ã¶", "cp1252", GUESSED),
        (b"\0\0a\0b\0", "utf-8", "\0\0a\0b\0", "utf-8", None),
    ]
    for content, given, text, used, code in cases:
        found, encoding, remarks = decode(content, given)
        assert (found, encoding, [remark.code for remark in remarks]) == (text, used, [code] if code else [])


@pytest.mark.parametrize("content", ["Köln".encode("cp1252"), b"\xff \xc3\xb6"])
def test_exactly_the_named_encoding_is_used_where_it_was_asked_for(content: bytes) -> None:
    with pytest.raises(UnreadableFileError, match=r"is not encoded in utf-8 .*encoding='cp1252'"):
        decode(content, "utf-8", exact=True)
    assert decode(b"a\0b\0", "utf-8", exact=True) == ("a\0b\0", "utf-8", [])
    assert decode("Köln".encode("utf-16"), "utf-8", exact=True)[:2] == ("Köln", "utf-16"), "a mark stands above it"


@pytest.mark.parametrize("encoding", ["no-such-encoding", "ascii", "utf-32"])
def test_an_encoding_that_does_not_fit_is_named(encoding: str) -> None:
    with pytest.raises(UnreadableFileError, match=f"is not encoded in {encoding} "):
        decode("Köln".encode("cp1252"), encoding)


def test_what_was_guessed_is_told() -> None:
    told = [decode(content, "utf-8")[2][0].message for content in (b"a\0b\0", b"\xff \xc3\xb6", b"\xff")]
    assert told == [
        "the file was read as utf-16-le",
        "1 bytes of the file are not UTF-8; the rows that have them are not read",
        "the file is not UTF-8 and was read as cp1252; if names look wrong, give the option encoding, such as"
        " encoding='cp1250'",
    ]


# -- formats --------------------------------------------------------------------------------------------------------


def read(format: str, content: bytes, **given: Any) -> Table:
    def cards(text: str) -> Any:
        names = text.split()
        return [{"name": name} for name in names], ["photo"] if names else [], [Remark("cards were read")]

    usual: dict[str, Any] = {"has_header": True, "delimiter": ",", "encoding": "utf-8", "score": score, "cards": cards}
    return reading.read(format, content, **usual | given)


def test_which_delimiter_may_give_way() -> None:
    cases: list[Any] = [
        ({}, ";"), ({"delimiter": "\t"}, ";"), ({"delimiter": "|"}, "|"), ({"guess": ()}, ","),
        ({"guess": ("delimiter",)}, ";"), ({"guess": ("delimiter",), "delimiter": "|"}, ";"),
        ({"guess": ("encoding",)}, ","),
    ]  # fmt: skip
    for given, used in cases:
        assert read("csv", b"name;email\na;b\n", **given).delimiter == used


@pytest.mark.parametrize(
    ("given", "used"), [({}, "cp1252"), ({"guess": ("encoding",)}, "cp1252"), ({"guess": ("delimiter",)}, None)]
)
def test_which_encoding_may_give_way(given: dict[str, Any], used: str | None) -> None:
    content = "name,email\nKöln,b\n".encode("cp1252")
    if used is None:
        with pytest.raises(UnreadableFileError, match="not encoded in utf-8"):
            read("csv", content, **given)
        return
    found = read("csv", content, **given)
    assert (found.encoding, [remark.code for remark in found.remarks]) == (used, [GUESSED])
    assert found.rows == ({"name": "Köln", "email": "b"},)


def test_a_workbook_is_its_active_sheet_or_its_first() -> None:
    book = openpyxl.Workbook()
    for name in ("first", "second"):
        sheet = book.create_sheet(name)
        for line in (["Export"], ["name", "email"], [name, "b"]):
            sheet.append(line)
    del book["Sheet"]
    book.active = 1
    out = io.BytesIO()
    book.save(out)
    for first_sheet, name in ((False, "second"), (True, "first")):
        found = read("xlsx", out.getvalue(), first_sheet=first_sheet)
        assert (found.columns, found.rows) == (("name", "email"), ({"name": name, "email": "b"},))
        assert [remark.code for remark in found.remarks] == ["LINES_SKIPPED"]
    bare = read("xlsx", out.getvalue(), has_header=False)
    assert bare.columns == ("1", "2") and [bare.rows[0], bare.rows[2]] == [{"1": "Export"}, {"1": "second", "2": "b"}]


def test_remarks_of_the_bytes_come_before_those_of_the_lines() -> None:
    found = read("csv", "Export\nname;email\nKöln;b\n".encode("cp1252"))
    assert [remark.code for remark in found.remarks] == [GUESSED, "DELIMITER_GUESSED", "LINES_SKIPPED"]


@pytest.mark.parametrize("format", ["csv", "jsonl", "vcf"])
def test_a_zip_is_no_text(format: str) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "name")
    with pytest.raises(UnreadableFileError, match=f"another zip, not {format}: give format='xlsx'"):
        read(format, out.getvalue())
    assert read("vcf", b"PK\x03\x04 and no zip").columns[0] == "name"


def test_cards_and_lines_are_records() -> None:
    cards = read("vcf", b"Ada Bob")
    assert (cards.columns, cards.rows) == (("name", "photo"), ({"name": "Ada"}, {"name": "Bob"}))
    assert ([remark.message for remark in cards.remarks], cards.encoding) == (["cards were read"], "utf-8")
    lines = read("jsonl", b'{"name": "Ada"}\nnone\n{"email": "b", "name": "Bob"}\n')
    assert (lines.columns, lines.encoding, lines.remarks) == (("name", "email"), "utf-8", ())
    assert (lines.rows[0], lines.rows[2]) == ({"name": "Ada"}, {"email": "b", "name": "Bob"})
    assert isinstance(lines.rows[1], str)


@pytest.mark.parametrize(
    ("format", "content", "given", "why"),
    [
        ("vcf", b" ", {}, "there is no contact in the file$"),
        ("jsonl", b"none\n", {}, "there is no contact in the file: "),
        ("vcf", b" ", {"noun": "lead"}, "there is no lead in the file$"),
    ],
)
def test_a_file_without_a_record_is_refused(format: str, content: bytes, given: Any, why: str) -> None:
    with pytest.raises(UnreadableFileError, match=why):
        read(format, content, **given)


def test_the_rows_of_a_file_with_wrong_bytes_fail_alone() -> None:
    found = read("csv", b"name,email\n\xff,a\nK\xc3\xb6ln \xc3\xb6,b\n")
    assert found.rows == ("name: there are characters that cannot be read", {"name": "Köln ö", "email": "b"})
