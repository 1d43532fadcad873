"""How each kind of cell is read, by exact values: what is taken, what is told, what loses the row."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from importing import Imported, imported

from server_stub import StubServer
from server_stub.problems import Problem
from server_stub.services.contacts.files.cells import read_number

SEVERAL = "has several addresses: the first counts"
NUMBERS: dict[str, Any] = {
    "1234": 1234, "1.234,5": Decimal("1234.5"), "1,234.5": Decimal("1234.5"), "1,5": Decimal("1.5"), "0": 0,
    "1.5": Decimal("1.5"), "1 234,5": Decimal("1234.5"), "1'234.5": Decimal("1234.5"), "1_000": 1000, "-5": -5,
    "1,": 1, ",5": Decimal("0.5"), "1.0": 1, "1.234": Decimal("1.234"), "1.234.567,8": Decimal("1234567.8"),
    "1,000,000.5": Decimal("1000000.5"), "1e24": 10**24, "-1e24": -(10**24), "1e-24": Decimal("1e-24"), "1e25": "max",
    "1e-25": "max", "-1e25": "max", "nan": "max", "inf": "max", "ten": "type", "": "type", "1,234,567": "type",
    f"{'0' * 99}1": 1, f"{'0' * 99}1x": 1, f"{'0' * 100}1": 0,
}  # fmt: skip


def test_a_number_has_its_last_mark_before_decimals() -> None:
    for text, wanted in NUMBERS.items():
        try:
            found: Any = read_number(text, "custom_fields.n")
        except Problem as problem:
            found = problem.entries[0].rule if problem.entries[0].field == "custom_fields.n" else None
        assert (found, type(found)) == (wanted, type(wanted)), text


def told(done: Imported) -> list[tuple[Any, ...]]:
    assert {entry.code for entry in done.warnings} <= {"NOT_READ"}
    return [(entry.row, entry.field, entry.value, entry.message) for entry in done.warnings]


def told_of(column: str, *entries: tuple[int, str, str]) -> list[tuple[Any, ...]]:
    return [(row, column, cell, f"{column}: {cell!r} {why}") for row, cell, why in entries]


def test_of_a_cell_with_several_addresses_or_numbers_the_first_counts() -> None:
    rows = ["https://a.example", "a.example; b.example", '"a.example, b.example"', "https://x.example ::: y", "; x"]
    done = imported("name,website\n" + "".join(f"A,{cell}\n" for cell in rows))
    assert [one.website for one in done.contacts] == [
        "https://a.example", "https://a.example", "https://a.example", "https://x.example", None,
    ]  # fmt: skip
    assert told(done) == told_of(
        "website", (2, "a.example; b.example", SEVERAL), (3, "a.example, b.example", SEVERAL),
        (4, "https://x.example ::: y", SEVERAL),
        (5, "; x", "was left out: must be a URL, like https://example.com"),
    )  # fmt: skip
    numbers = ["4.91711E+11", "+49 30 901821 ; +49 30 901822", ";", "; +49 30 901823", "+49 30 901824"]
    done = imported("name,phone\n" + "".join(f"A,{cell}\n" for cell in numbers))
    assert [one.phone for one in done.contacts] == [None, "+4930901821", None, "+4930901823", "+4930901824"]
    assert told(done) == told_of(
        "phone", (1, "4.91711E+11", "was written with an exponent, and its last digits are lost"),
        (2, "+49 30 901821 ; +49 30 901822", "has several numbers: the first counts"),
    )  # fmt: skip


def test_tags_of_google_have_a_star_and_long_ones_are_left_out() -> None:
    long = "y" * 50
    done = imported(f'name,tags\nA,* my ::: * you\nB,"""* a ::: b"""\nC,{long};{long}z;b\nD,* x\nE,{long}\n')
    assert [one.tags for one in done.contacts] == [["my", "you"], ["* a ::: b"], [long, "b"], ["* x"], [long]]
    why = "has tags of more than 50 characters: they were left out"
    (entry,) = done.warnings
    assert (entry.row, entry.field, entry.message.endswith(why)) == (3, "tags", True)
    done = imported('name,other emails\nA,"a@x.example, B <b@x.example>"\n')
    assert done.only.secondary_emails == ["a@x.example", "b@x.example"]


def test_a_profile_is_of_its_column_of_its_host_or_as_an_export_writes_it() -> None:
    done = imported(
        "name,social profiles,linkedin,twitter\nA,github https://g.example ada,ada,@ada\n"
        "B,https://x.com/ada,https://www.linkedin.com/in/a,\nC,https://youtu.be/x;https://foo.bar.example/x,,\n"
        "D,localhost,,x.com/bob\nE,http://localhost/x;my site https://m.example,,\nF,https://twitter.com/a,,\n"
        "G,https://[x/y,,\n"
    )
    found = [[(one.network, one.url, one.handle) for one in contact.social_profiles] for contact in done.contacts]
    assert found == [
        [("github", "https://g.example", "ada"), ("linkedin", "https://linkedin.com/ada", None),
         ("twitter", "https://twitter.com/ada", None)],
        [("twitter", "https://x.com/ada", None), ("linkedin", "https://www.linkedin.com/in/a", None)],
        [("youtube", "https://youtu.be/x", None), ("bar", "https://foo.bar.example/x", None)],
        [("website", "https://www.com/localhost", None), ("twitter", "https://x.com/bob", None)],
        [("website", "http://localhost/x", None), ("my site", "https://m.example", None)],
        [("twitter", "https://twitter.com/a", None)],
        [("website", "https://[x/y", None)],
    ]  # fmt: skip
    assert done.warnings == []


def test_an_owner_is_named_by_id_address_or_name() -> None:
    cells = ["user_sam", "SAM@acme.test", "Sam   okonkwo", "Sam Okonkwo <sam@acme.test>", "Nobody"]
    done = imported("name,owner\n" + "".join(f"A,{cell}\n" for cell in cells))
    assert [one.owner_id for one in done.contacts] == ["user_sam"] * 4 + ["user_ada"]
    assert told(done) == told_of("owner", (5, "Nobody", "is no user's id, address or name"))


def test_flags_languages_and_sources_are_read_by_their_words() -> None:
    done = imported(
        "name,email opt out,language,lead source\nA,ja,en_US,Web\nB,vielleicht,German,Messe\n"
        "C,0,xx-invalid-language-x,Trade Show\nD,,,Friends\n"
    )
    assert [(one.email_opt_out, one.language, one.source) for one in done.contacts] == [
        (True, "en-US", "website"), (False, "de", "event"), (False, None, "event"), (False, None, "Friends"),
    ]  # fmt: skip
    wrong = "was left out: must be a language tag (BCP 47), like en or pt-BR"
    assert told(done) == [
        *told_of("email opt out", (2, "vielleicht", "is neither yes nor no")),
        *told_of("language", (3, "xx-invalid-language-x", wrong)),
    ]
    assert [one.source for one in imported("name,source\nA,Web\nB,Messe\n").contacts] == ["Web", "Messe"]


def test_what_is_no_date_is_told_but_for_words_for_none() -> None:
    done = imported("name,follow up,birthday\nA,2026-03-01 10:00,00.00.0000\nB,soon,soon\nC,0000-00-00,31.12.1990\n")
    found = [one.next_follow_up and one.next_follow_up.isoformat() for one in done.contacts]
    assert found == ["2026-03-01T15:00:00+00:00", None, None], "the company is in New York"
    assert [one.birthday and one.birthday.isoformat() for one in done.contacts] == [None, None, "1990-12-31"]
    assert told(done) == [
        *told_of("follow up", (2, "soon", "is not a clear time: give date_format")),
        *told_of("birthday", (2, "soon", "is not a clear date: give date_format")),
    ]
    done = imported("name,birthday\nA,soon\nB,31/12/1990\n", date_format="DD/MM/YYYY")
    assert told(done) == told_of("birthday", (1, "soon", "is not a date like DD/MM/YYYY"))
    shown = imported("name,follow up\nA,03/04/2026\nB,20/04/2026\n").contacts
    assert [str(one.next_follow_up) for one in shown] == ["2026-04-03 04:00:00+00:00", "2026-04-20 04:00:00+00:00"]


def test_a_custom_field_that_cannot_be_is_left_out_by_its_whole_name() -> None:
    stub = StubServer()
    crm = stub.client(dialects="platform")
    number: Any = {"api_name": "n", "label": "N", "type": "integer"}
    crm.customization.fields.create("contact", number)
    rows = b"name,custom_fields.n,custom_fields.a.b,custom_fields.n.x\nAda,ten,1,2\nBen,7,3,4\n"
    job = crm.contacts.imports.create(("people.csv", rows))
    result = job.wait()
    assert [(one.row, one.field, one.value, one.message.partition(":")[0]) for one in result.warnings] == [
        (1, "custom_fields.n", "ten", "custom_fields.n")
    ]
    assert [dict(crm.contacts.get(id).custom_fields) for id in result.created_ids] == [
        {"a.b": 1, "n.x": 2}, {"n": 7, "a.b": 3, "n.x": 4},
    ]  # fmt: skip


def mapped(*entries: tuple[str, ...]) -> list[Any]:
    return [dict(zip(("column", "field", "transform", "default"), entry, strict=False)) for entry in entries]


def test_a_transform_is_made_or_loses_the_row() -> None:
    mapping = mapped(
        ("n", "name", "title"), ("a", "title", "none", "zz"), ("b", "department", "lower"),
        ("c", "custom_fields.c", "upper"), ("d", "company", "trim", "dd"), ("e", "custom_fields.e", "number"),
        ("f", "birthday", "date"), ("g", "custom_fields.g", "split_tags", "z"),
    )  # fmt: skip
    rows = 'n,a,b,c,d,e,f,g\nada LEE," x ",LOW,up, an ,"1.234,5",31.12.1980,"x; y"\nB, ,,,,,,\n'
    done = imported(f"{rows}C,,,,,ten,,\nD,,,,,,1/2/80,\n", mapping=mapping)
    first, second = done.contacts
    assert (first.name, first.title, first.department, first.company) == ("Ada Lee", " x ", "low", "an")
    assert (str(first.birthday), first.custom_fields) == (
        "1980-12-31", {"c": "UP", "e": Decimal("1234.5"), "g": ["x", "y"]},
    )  # fmt: skip
    assert (second.name, second.title, second.department, second.company, second.custom_fields) == (
        "B", "zz", None, "dd", {"g": "z"},
    )  # fmt: skip
    assert done.warnings == []
    assert [(row, one.field, one.code, one.value, one.message) for row, one in done.failed.items()] == [
        (3, "custom_fields.e", "VALIDATION_ERROR", "ten", "'ten' is not a number"),
        (4, "birthday", "VALIDATION_ERROR", "1/2/80", "'1/2/80' is not a date like YYYY-MM-DD"),
    ]
    done = imported("n,f\nD,1/2/80\nE,x\n", mapping=mapped(("n", "name"), ("f", "birthday", "date")),
                    date_format="DD/MM/YY")  # fmt: skip
    assert str(done.contacts[0].birthday) == "1980-02-01"
    assert [one.message for one in done.failed.values()] == ["'x' is not a date like DD/MM/YY"]


def test_lines_of_json_are_what_they_are() -> None:
    done = imported(
        '{"name":"None","tags":"-","source":"n/a","title":"None","emailOptOut":"null","notes":"a, b","phone":"1;2",'
        '"customFields":{"a":"\'5"},"birthday":"1.2.1990","company":"\'x"}\n'
        '{"name":5,"title":5,"tags":[1,"a"],"company":true,"birthday":"null","email":"null","department":"null"}\n',
        "people.jsonl",
    )
    one, two = done.contacts
    assert (one.name, one.tags, one.source, one.title, one.email_opt_out, one.notes, one.phone) == (
        "None", ["-"], "n/a", "None", False, ["a, b"], "1;2",
    )  # fmt: skip
    assert (one.custom_fields, str(one.birthday), one.company) == ({"a": "'5"}, "1990-02-01", "'x")
    assert (two.name, two.title, two.tags, two.company, two.birthday, two.email, two.department) == (
        "5", "5", ["1", "a"], None, None, None, "null",
    )  # fmt: skip
    assert told(done) == told_of("company", (2, "True", "was left out: input should be a valid string"))
