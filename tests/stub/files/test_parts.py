"""The names of files and folders, the lines of cards, and the cells of tables that are written, at every bound."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl  # type: ignore[import-untyped] # it has no types
import pytest

from server_stub.files import cards, sheets
from server_stub.files.names import checked_folder, checked_name, free_name
from server_stub.problems import Problem

# -- names ----------------------------------------------------------------------------------------------------------


def test_a_file_may_be_called_so() -> None:
    cases: list[Any] = [
        "a",
        "offer.pdf",
        ".profile",
        "a b",
        "Größe.txt",
        "con1",
        "console.txt",
        "a.con",
        "...",
        "x" * 255,
        "com",
        "a\u00ad",
    ]
    for name in cases:
        assert checked_name(name) == name


def test_no_file_may_be_called_so() -> None:
    cases: list[Any] = [
        ("", "it names no file"), (" ", "it names no file"), (".", "it names no file"), ("..", "it names no file"),
        ("a/b", "it has a path"), ("a\\b", "it has a path"), ("x" * 256, "it has more than 255 characters"),
        ("a\x00", "not shown"), ("a\x7f", "not shown"), ("a\n", "not shown"), ("a\u2028b", "not shown"),
        ("a\u2029b", "not shown"), ("a\ud800b", "not shown"),
        *((f"a{letter}b", "turn the direction") for letter in "\u202a\u202b\u202d\u202e\u202c\u2066\u2067\u2068\u2069"),
        *((f"a{letter}b", "not shown") for letter in "\u200e\u200f\u061c\ufeff"),
        ("con", "reserves it"), ("CON.txt", "reserves it"), ("nul .a.b", "reserves it"), ("com1", "reserves it"),
        ("lpt³.txt", "reserves it"), ("conin$", "reserves it"),
    ]  # fmt: skip
    for name, why in cases:
        with pytest.raises(Problem) as caught:
            checked_name(name)
        assert (caught.value.code, caught.value.field) == ("INVALID_FILE_NAME", "name") and why in caught.value.message
        with pytest.raises(Problem) as caught:
            checked_name(name, "file.name")
        assert caught.value.field == "file.name"


def test_the_path_of_a_folder_has_a_normal_form() -> None:
    cases: list[Any] = [
        ("/", "/"), ("//", "/"), ("/a", "/a"), ("/a/", "/a"), ("/a//b/", "/a/b"), ("/" + "x/" * 499 + "x", None),
        ("/" + "/".join(["x" * 199] * 5), None), ("/ a", "/ a"),
    ]  # fmt: skip
    for path, folder in cases:
        assert checked_folder(path) == (folder or path)


def test_a_folder_leads_nowhere_else() -> None:
    cases: list[Any] = [
        ("a", "does not begin at the root"), ("", "does not begin at the root"), ("/a/..", "'..': it names no file"),
        ("/./a", "'.': it names no file"), ("/a/con", "'con': Windows"), ("/a\\b", "it has a path"),
        ("/" + "x" * 256, "it has more than 255 characters"),
        ("/" + "/".join(["x" * 199] * 4 + ["x" * 200]), "it has more than 1000 characters"),
    ]  # fmt: skip
    for path, why in cases:
        with pytest.raises(Problem) as caught:
            checked_folder(path)
        assert (caught.value.code, caught.value.field) == (
            "INVALID_FILE_NAME",
            "folder",
        ) and why in caught.value.message


def test_a_folder_of_a_thousand_characters_is_the_longest() -> None:
    longest = "/" + "/".join(["x" * 199] * 5)
    assert len(checked_folder(longest)) == 1000


def test_a_name_that_is_taken_gets_a_number() -> None:
    cases: list[Any] = [
        ("a.pdf", [], "a.pdf"),
        ("a.pdf", ["a.pdf"], "a (1).pdf"),
        ("a.pdf", ["a.pdf", "a (1).pdf", "a (3).pdf"], "a (2).pdf"),
        ("a.tar.gz", ["a.tar.gz"], "a.tar (1).gz"),
        ("a", ["a"], "a (1)"),
        (".profile", [".profile"], ".profile (1)"),
        ("x" * 251 + ".pdf", ["x" * 251 + ".pdf"], "x" * 247 + " (1).pdf"),
        ("a." + "x" * 253, ["a." + "x" * 253], "a." + "x" * 243 + " (1)"),
        ("abcd." + "x" * 250, ["abcd." + "x" * 250], "abcd." + "x" * 240 + " (1)"),
        ("abcdef." + "x" * 248, ["abcdef." + "x" * 248], "ab (1)." + "x" * 248),
    ]
    for name, taken, found in cases:
        assert free_name(name, taken) == found and len(found) <= 255


# -- cards ----------------------------------------------------------------------------------------------------------


def lines(*inner: str) -> str:
    return "\r\n".join(["BEGIN:VCARD", *inner, "END:VCARD", ""])


def properties(*inner: str) -> list[tuple[str, str]]:
    (card,) = cards.read(lines(*inner))
    assert isinstance(card, cards.Card) and card.strange == ()
    return [(one.name, one.value) for one in card.properties]


def test_a_card_within_a_card_is_a_part_of_it() -> None:
    """The agent of vCard 2.1 is a whole card; what is in it is not the person's own."""
    agent = ["AGENT:", "BEGIN:VCARD", "FN:Agent", "AGENT:", "BEGIN:VCARD", "FN:Theirs", "END:VCARD", "END:VCARD"]
    assert properties("FN:Ada", *agent[:3], "END:VCARD", "TEL:1") == [("FN", "Ada"), ("AGENT", ""), ("TEL", "1")]
    (card,) = cards.read(lines("FN:Ada", "AGENT: ", *agent[1:3], "END:VCARD"))
    assert isinstance(card, cards.Card) and len(card.properties) == 2


def test_which_cards_a_text_has() -> None:
    cases: list[Any] = [
        ("", []),
        ("FN:Nobody\n", []),
        ("BEGIN:VCARD\nFN:Ada\n", ["the card has no END:VCARD"]),
        ("BEGIN:VCARD\nFN:Ada\nBEGIN:VCARD\nFN:Bob\nEND:VCARD\n", ["the card has no END:VCARD", "Bob"]),
        ("BEGIN:VCARD\nAGENT:x\nBEGIN:VCARD\nFN:Bob\nEND:VCARD\n", ["the card has no END:VCARD", "Bob"]),
        ("BEGIN:VCARD\nBEGIN:VCARD\nFN:Bob\nEND:VCARD\n", ["the card has no END:VCARD", "Bob"]),
        (" begin : vcard \rFN:Ada\rend:VCARD\rEND:VCARD\rTEL:1", ["Ada"]),
        (lines("FN:Ada") + lines("FN:Bob"), ["Ada", "Bob"]),
        (lines("FN;ENCODING=QUOTED-PRINTABLE;CHARSET=none:a=20b") + lines("FN:Bob"),
         ["the card cannot be read: unknown encoding: none", "Bob"]),
    ]  # fmt: skip
    for text, found in cases:
        assert [one if isinstance(one, str) else one.properties[-1].value for one in cards.read(text)] == found


def test_lines_that_are_none_of_a_cards_are_told() -> None:
    (card,) = cards.read(lines("FN:Ada", " no colon", "no property", "x" * 300, "TEL:1"))
    assert isinstance(card, cards.Card)
    assert [one.name for one in card.properties] == ["FN", "TEL"] and card.properties[0].value == "Adano colon"
    assert card.strange == ("no property", "x" * 200)


def test_a_property_may_have_several_lines() -> None:
    cases: list[Any] = [
        (["FN:Ada", "  Lovelace"], [("FN", "Ada Lovelace")]),
        (["FN:Ada", "\tLovelace"], [("FN", "AdaLovelace")]),
        (["FN:Ada", "", "TEL:1"], [("FN", "Ada"), ("TEL", "1")]),
        (["item1.TEL:1"], [("TEL", "1")]),
        (["NOTE;QUOTED-PRINTABLE:a=", "b=20c"], [("NOTE", "ab c")]),
        (["NOTE;ENCODING=QUOTED-PRINTABLE:a=", " b"], [("NOTE", "a b")]),
        (["NOTE;ENCODING=QUOTED-PRINTABLE:K=C3=B6ln"], [("NOTE", "Köln")]),
        (["NOTE;ENCODING=QUOTED-PRINTABLE:K=F6ln"], [("NOTE", "Köln")]),
        (["NOTE;CHARSET=latin-1;ENCODING=QUOTED-PRINTABLE:K=F6ln"], [("NOTE", "Köln")]),
        (["NOTE:ends in =", "TEL:1"], [("NOTE", "ends in ="), ("TEL", "1")]),
        (["PHOTO;ENCODING=B:ab", " cd ", "TEL:1"], [("PHOTO", "abcd"), ("TEL", "1")]),
        (["PHOTO;BASE64:ab", "cd ", "ef", "TEL:1"], [("PHOTO", "abcdef"), ("TEL", "1")]),
        (["TEL:1", "FN;X=\"a:b;c\":Ada"], [("TEL", "1"), ("FN", "Ada")]),
    ]  # fmt: skip
    for inner, found in cases:
        assert properties(*inner) == found


def test_the_parameters_of_a_property() -> None:
    (card,) = cards.read(
        lines('tel;type="home,CELL";TYPE=fax;PREF=2;VOICE:1', "TEL;pref:2", "PHOTO;BASE64:ab", "X;8BIT:a")
    )
    assert isinstance(card, cards.Card)
    first, second, photo, plain = card.properties
    assert (first.name, {*first.types}, first.preference) == ("TEL", {"HOME", "CELL", "FAX", "VOICE"}, 2)
    assert ({*second.types}, second.preference, second.is_binary) == ({"PREF"}, 1, False)
    assert (photo.is_binary, plain.is_binary, dict(plain.parameters)) == (True, False, {"ENCODING": ["8BIT"]})


def test_how_much_a_property_is_preferred() -> None:
    cases: list[Any] = [("PREF=1", 1), ("PREF=100", 100), ("PREF=1000", 101), ("PREF=x", 101), ("PREF=", 101),
     ("TYPE=home", 101), ("TYPE=pref", 1), ("PREF", 1), ("TYPE=pref;PREF=7", 7),
     ("TYPE=pref;PREF=1000", 1)]  # fmt: skip
    for given, preference in cases:
        (card,) = cards.read(lines(f"TEL;{given}:1"))
        assert isinstance(card, cards.Card) and card.properties[0].preference == preference


def test_a_value_is_split_where_its_separator_is_not_escaped() -> None:
    cases: list[Any] = [("a;b", ["a", "b"]), ("a\\;b;c", ["a;b", "c"]), ("", [""]), (";", ["", ""]), ("a\\", ["a\\"]),
     ("a\\\\;b", ["a\\", "b"]), (" a ; b\\nc ", ["a", "b\nc"])]  # fmt: skip
    for value, parts in cases:
        assert cards.split(value, ";") == parts


@pytest.mark.parametrize("text", ["plain", "a;b,c\\d\ne", "", "a\\nb"])
def test_what_is_escaped_is_read_as_it_was(text: str) -> None:
    assert cards.plain(cards.escape(text)) == text
    assert cards.escape(None) == "" and cards.escape("a\r\nb\rc\x00\x7f") == "a\\nb\\nc  " and cards.escape(7) == "7"
    made = cards.Property("NOTE", cards.escape(text))
    assert (made.text, made.is_binary) == (text, False)


def test_a_line_has_seventy_five_octets_at_most() -> None:
    cases: list[Any] = [
        ("x" * 75, "x" * 75), ("x" * 76, "x" * 75 + "\r\n x"), ("x" * 149, "x" * 75 + "\r\n " + "x" * 74),
        ("x" * 150, "x" * 75 + "\r\n " + "x" * 74 + "\r\n x"), ("x" * 74 + "ö", "x" * 74 + "\r\n ö"),
        ("x" * 73 + "ö", "x" * 73 + "ö"), ("a\ud800", "a?"), ("", ""),
    ]  # fmt: skip
    for line, folded in cases:
        assert cards.fold(line) == (folded + "\r\n").encode()


# -- sheets ---------------------------------------------------------------------------------------------------------

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_a_cell_as_text() -> None:
    cases: list[Any] = [
        (NOON, UTC, "2026-07-01T12:00:00Z"), (NOON, BERLIN, "2026-07-01T14:00:00+02:00"),
        (NOON.astimezone(timezone(timedelta(hours=1))), UTC, "2026-07-01T12:00:00Z"),
        (date(2026, 7, 1), UTC, "2026-07-01"), (Decimal("1.50"), UTC, "1.5"), (Decimal(5), UTC, "5"), (None, UTC, ""),
        (0, UTC, "0"), ("a", UTC, "a"), (True, UTC, "True"), (1.5, UTC, "1.5"),
    ]  # fmt: skip
    for value, zone, text in cases:
        assert sheets.text_of(value, zone) == text


def test_a_sheet_has_as_many_rows_as_a_spreadsheet_reads() -> None:
    assert sheets.MOST_ROWS + 1 == 2**20, "with the header"


def test_a_table_is_written_in_chunks() -> None:
    seen: list[int] = []

    def rows() -> Iterator[list[str]]:
        for number in range(5):
            seen.append(number)
            yield ["x" * (sheets.CHUNK // 2 - 4)]

    written = sheets.write_csv(["hh"], rows())
    first = next(written)
    assert (len(first), seen) == (sheets.CHUNK, [0, 1]), "a chunk is given as soon as it is full"
    whole = b"".join([first, *written]).decode()
    assert list(csv.reader(io.StringIO(whole, newline=""))) == [["hh"], *([["x" * (sheets.CHUNK // 2 - 4)]] * 5)]


def test_a_table_has_the_delimiter_the_encoding_and_the_times_that_are_asked_for() -> None:
    rows: list[list[Any]] = [["Köln", NOON], [None, Decimal(1)]]
    assert b"".join(sheets.write_csv(["a", "b"], rows)).decode() == "a,b\r\nKöln,2026-07-01T12:00:00Z\r\n,1\r\n"
    other = b"".join(sheets.write_csv(["a", "b"], rows, delimiter=";", encoding="ascii", zone=BERLIN))
    assert other == b"a;b\r\nK?ln;2026-07-01T14:00:00+02:00\r\n;1\r\n"
    marked = b"".join(sheets.write_csv(["a"], [["x" * sheets.CHUNK]] * 3, encoding="utf-8-sig"))
    assert marked.count(b"\xef\xbb\xbf") == 1


def test_a_cell_of_a_workbook() -> None:
    cases: list[Any] = [
        (None, None), ("text", "text"), ("=1+1", "=1+1"), (5, 5), (1.5, 1.5), (Decimal("1.25"), 1.25),
        (NOON, datetime(2026, 7, 1, 14)), (date(1900, 3, 1), datetime(1900, 3, 1)), (date(1900, 2, 28), "1900-02-28"),
        (10**15 - 1, 10**15 - 1), (10**15 + 1, str(10**15 + 1)), (Decimal("123456789012345.6"), "123456789012345.6"),
        (Decimal("12345678901234.5"), 12345678901234.5), ("a\x00b\x0bc\ufffe", "a b c "), ("a\tb\nc", "a\tb\nc"),
        ("x" * 32_767, "x" * 32_767),
    ]  # fmt: skip
    for value, cell in cases:
        content = b"".join(sheets.write_workbook("People", ["head"], [[value, "end"]], zone=BERLIN))
        book = openpyxl.load_workbook(io.BytesIO(content))
        assert book.sheetnames == ["People"]
        head, row = book.active.iter_rows(values_only=True)
        assert (head[0], row) == ("head", (cell, "end"))


def test_a_longer_text_is_cut_and_says_so() -> None:
    content = b"".join(sheets.write_workbook("People", ["head"], [["x" * 32_768]]))
    text = openpyxl.load_workbook(io.BytesIO(content)).active["A2"].value
    assert len(text) == 32_767 and text.endswith(
        "x … (cut: a cell of a workbook holds 32,767 characters; use csv or jsonl)"
    )


@pytest.mark.thorough
def test_the_content_of_a_workbook_comes_in_chunks_too() -> None:
    rows = [[f"{number * 7919 % 100_003} {number * 104_729 % 99_991}"] for number in range(8_000)]
    chunks = list(sheets.write_workbook("People", ["head"], rows))
    assert len(chunks) > 1 and {len(chunk) for chunk in chunks[:-1]} == {sheets.CHUNK}
    assert openpyxl.load_workbook(io.BytesIO(b"".join(chunks))).active.max_row == 8_001
