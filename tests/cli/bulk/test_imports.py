"""``crm NOUN import``: files of every format, what is refused before anything is sent, and what is left to mend."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook  # type: ignore[import-untyped] # it has no types
from shell import Crm

from crm_sdk import CrmClient
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform")


ROWS = (("Name", "E-Mail", "City", "Tags"), ("Ada Ä", "ada@bulk.example", "London", "a,b"), ("Bo", "", "Bonn", ""))


@pytest.fixture(autouse=True)
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folder)
    return folder


def write(name: str) -> None:
    path = Path(name)
    if name.endswith("xlsx"):
        book = Workbook()
        for row in ROWS:
            book.worksheets[0].append([cell or None for cell in row])
        book.save(path)
    elif name.endswith("jsonl"):
        rows: list[dict[str, Any]] = [
            {"name": name, "email": email or None, "address": {"city": city}, "tags": tags.split(",") if tags else []}
            for name, email, city, tags in ROWS[1:]
        ]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    elif name.endswith("vcf"):
        cards = [
            f"BEGIN:VCARD\nVERSION:3.0\nFN:{name}\n" + (f"EMAIL:{email}\n" if email else "")
            + f"ADR:;;;{city};;;\n" + (f"CATEGORIES:{tags}\n" if tags else "") + "END:VCARD\n"
            for name, email, city, tags in ROWS[1:]
        ]  # fmt: skip
        path.write_text("".join(cards), "utf-8")
    else:
        encoding = "utf-16" if "wide" in name else "cp1252" if "latin" in name else "utf-8-sig"
        with path.open("w", encoding=encoding, newline="") as file:
            csv.writer(file, delimiter=";" if "semi" in name else "\t" if name.endswith("tsv") else ",").writerows(ROWS)


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("people.csv", ()), ("semi.csv", ()), ("people.tsv", ()), ("wide.csv", ()),
        ("latin.csv", ("--encoding", "cp1252")), ("people.jsonl", ()), ("people.xlsx", ()), ("people.vcf", ()),
    ],
)  # fmt: skip
def test_every_format_makes_the_same_records(served: Crm, client: CrmClient, name: str, more: tuple[str, ...]) -> None:
    write(name)
    done = served("contacts", "import", name, *more)
    assert (done.status, done.json["created"], done.json["rows"]) == (0, 2, 2), done.err
    ada = next(iter(client.contacts.list(search="ada@bulk.example")))
    assert (ada.name, ada.tags, ada.address and ada.address.city) == ("Ada Ä", ["a", "b"], "London")
    assert "rows find their records by email" in done.err


def test_what_was_imported_is_not_imported_twice_unless_it_is_wanted(served: Crm) -> None:
    write("people.csv")
    first, second = served("contacts", "import", "people.csv"), served("contacts", "import", "people.csv")
    assert first.json == second.json and "imported before" in second.err
    again = served("contacts", "import", "people.csv", "--again").json
    assert (again["created"], again["unchanged"]) == (1, 1)  # a row without a key is a new record each time
    stdin = served("contacts", "import", "-", stdin=Path("people.csv").read_text("utf-8-sig")).json
    assert (stdin["file"], stdin["created"], stdin["unchanged"]) == ("stdin", 1, 1)


WRONG = "name,email\nA,bad@\n,b@bulk.example\nC,c@bulk.example,extra\nD,d@bulk.example\nE,D@bulk.example\n"


@pytest.mark.parametrize("errors", ["nowhere/wrong.csv", "."])
def test_where_the_rows_that_fail_cannot_go_nothing_begins(errors: str, served: Crm, client: CrmClient) -> None:
    Path("wrong.csv").write_text(WRONG, "utf-8")
    before = client.contacts.list().total
    refused = served("contacts", "import", "wrong.csv", "--yes", "--skip-invalid", "--errors", errors)
    assert (refused.status, client.contacts.list().total) == (2, before)
    assert refused.err.startswith(f"error: --errors: {errors} cannot be a file")


def test_nothing_is_sent_where_a_row_is_not_valid_and_its_file_can_be_mended(served: Crm, client: CrmClient) -> None:
    Path("wrong.csv").write_text(WRONG, "utf-8")
    before = client.contacts.list().total
    refused = served("contacts", "import", "wrong.csv")
    assert refused.status == 7 and refused.out == "" and client.contacts.list().total == before
    assert "5 rows: 1 new, 0 that change a record, 0 that change nothing, 4 not valid" in refused.err
    with Path("wrong.errors.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["_row"], row["_member"], row["_rule"]) for row in rows] == [
        ("1", "email", "format"), ("2", "name", "required"), ("3", "", "format"), ("5", "email", "unique"),
    ]  # fmt: skip
    assert [row["name"] for row in rows] == ["A", "", "C", "E"]
    part = served("contacts", "import", "wrong.csv", "--skip-invalid")
    assert (part.status, part.json["created"], part.json["failed"]) == (9, 1, 4)
    assert served("contacts", "import", "wrong.csv", "--skip-invalid").status == 9  # it was imported before
    lines = [[row["_row"], "x", "y", "z", f"M{row['_row']}", f"m{row['_row']}@bulk.example"] for row in rows]
    with Path("wrong.errors.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([list(rows[0])[:6], *lines])
    mended = served("contacts", "import", "wrong.errors.csv")
    assert (mended.status, mended.json["created"]) == (0, 4) and "_row" not in mended.err


def test_rows_of_cards_and_of_json_lines_are_left_as_they_were(served: Crm) -> None:
    card = "BEGIN:VCARD\nVERSION:3.0\nFN:{}\nEMAIL:{}\nEND:VCARD\n"
    Path("cards.vcf").write_text(card.format("Ok", "ok@bulk.example") + card.format("No", "bad@"), "utf-8")
    assert served("contacts", "import", "cards.vcf", "--skip-invalid").status == 9
    kept = Path("cards.errors.vcf").read_text("utf-8")
    assert kept.count("BEGIN:VCARD") == 1 and "X-CRM-WRONG:row 2" in kept and "EMAIL:bad@" in kept
    Path("lines.jsonl").write_text('{"name":"Ok"}\nnot json\n{"email":"y@bulk.example"}\n', "utf-8")
    assert served("contacts", "import", "lines.jsonl").status == 7
    lines = Path("lines.errors.jsonl").read_text("utf-8").splitlines()
    assert lines[0] == "not json" and json.loads(lines[1])["_member"] == "name"


@pytest.mark.parametrize(
    ("content", "words", "said"),
    [
        (b"", (), "is empty"),
        (b"name,email\n", (), "has no rows below the header"),
        (b"name,email\nJos\xe9,j@x.example\n", (), "give --encoding"),
        (b"name\nA\n", ("--encoding", "klingon"), "there is no encoding 'klingon'"),
        (b"PK\x03\x04zip", (), "is a workbook"),
        (b"foo,bar\n1,2\n", (), "none of the columns foo, bar"),
        (b'name\n"open\nA\n', (), "line 2: a quotation mark"),
        (b"name,emial\nA,a@x.example\n", ("--map", "emial=emial"), "did you mean 'email'"),
        (b"name,emial\nA,a@x.example\n", ("--map", "email=email"), "did you mean 'emial'"),
        (b"name,email,email\nA,a@x.example,b@x.example\n", ("--map", "email=email"), "by its number, 2 or 3"),
        (b"name,email\nA,a@x.example\n", ("--match-on", "name"), "are not found by 'name'"),
        (b"name\nA\n", ("--map", "name"), "--map is Column=member"),
        (b"name\nA\n", ("--mapping", "wrong.csv"), "is not JSON"),
        (b"name\nA\n", ("--delimiter", ";;"), "--delimiter is one sign"),
        (b"name\nA\n", ("--format", "doc"), "--format is one of csv, jsonl, xlsx, vcf"),
    ],
)
def test_a_wrong_file_and_a_wrong_mapping_are_refused(
    served: Crm, client: CrmClient, content: bytes, words: tuple[str, ...], said: str
) -> None:
    Path("wrong.csv").write_bytes(content)
    before = client.contacts.list().total
    done = served("contacts", "import", "wrong.csv", *words)
    assert (done.status, client.contacts.list().total) == (2, before) and said in done.err, done.err


def test_a_mapping_is_typed_or_in_a_file(served: Crm, client: CrmClient) -> None:
    Path("odd.csv").write_text("who,how,who\nAda,ada9@bulk.example,London\n", "utf-8")
    done = served("contacts", "import", "odd.csv", "--map", "1=name", "--map", "how=email", "--map", "3=address.city")
    assert (done.status, done.json["created"]) == (0, 1), done.err
    Path("odd.json").write_text('{"1": "name", "how": "email"}', "utf-8")
    assert served("contacts", "import", "odd.csv", "--mapping", "odd.json", "--dry-run").json["failed"] == 0
    Path("bare.csv").write_text("Bo;bo9@bulk.example\n", "utf-8")
    words = ("--no-header", "--map", "1=name", "--map", "2=email")
    assert served("contacts", "import", "bare.csv", *words, "--dry-run").json["new"] == 1
    assert not client.contacts.list(search="bo9@bulk.example").items
    assert served("contacts", "import", "bare.csv", *words).json["created"] == 1


def test_records_of_other_nouns_and_of_custom_objects(served: Crm) -> None:
    Path("deals.csv").write_text("Deal name,Amount\nBulk one,1200.50\n", "utf-8")
    assert served("deals", "import", "deals.csv").json["created"] == 1
    assert served("objects", "export", "subscription", "--to", "subs.csv").status == 0
    same = served("objects", "import", "subscription", "subs.csv").json
    assert same["rows"] == same["unchanged"] > 0
    assert served("objects", "import", "nonsense", "subs.csv").status == 5


def test_the_offline_data_go_with_their_journals(offline: Crm) -> None:
    write("people.csv")
    assert offline("contacts", "import", "people.csv").json["created"] == 2
    assert offline("offline", "reset", "--yes").status == 0
    again = offline("contacts", "import", "people.csv")
    assert again.json["created"] == 2 and "imported before" not in again.err
