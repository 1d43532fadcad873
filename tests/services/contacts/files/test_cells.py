"""A cell that a contact cannot have as it stands: taken where it is clear, else left empty with a warning."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import zip_longest
from typing import Any

import pytest
from importing import imported

from crm_sdk.models.contacts import Contact
from server_stub import StubServer

TAKEN: dict[str, dict[str, Any]] = {
    "address.country": {
        "de": "DE", "DEU": "DE", "276": "DE", "Germany": "DE", "GERMANY": "DE", "Deutschland": "DE", "Allemagne": "DE",
        "alemania": "DE", "UK": "GB", "United Kingdom": "GB", "England": "GB", "Großbritannien": "GB", "USA": "US",
        "U.S.A.": "US", "United States": "US", "United States of America": "US", "Estados Unidos": "US",
        "États-Unis": "US", "Etats-Unis": "US", "Schweiz": "CH", "Suisse": "CH", "Österreich": "AT", "España": "ES",
        "Czech Republic": "CZ", "Czechia": "CZ", "South Korea": "KR", "The Netherlands": "NL", "日本": "JP",
        "Iran": "IR", "Turkey": "TR", "Türkiye": "TR", "Congo": "CG", "Niger": "NE", "Georgia": "GE",
    },
    "website": {
        "example.com": "https://example.com", "www.example.com/a?b": "https://www.example.com/a?b",
        "http://example.com": "http://example.com", "Example.COM": "https://Example.COM",
        "a.example; b.example": "https://a.example",
    },
    "lifecycle_stage": {
        "Marketing Qualified Lead": "mql", "marketingqualifiedlead": "mql", "SQL": "sql", "Sales qualified lead": "sql",
        "Customer": "customer", "Kunde": "customer", "client": "customer", "Cliente": "customer", "Lead": "lead",
        "Subscriber": "subscriber", "Abonné": "subscriber", "Evangelist": "evangelist",
    },
    "status": {"Active": "active", "ACTIVE": "active", "Inaktiv": "inactive", "Archivado": "archived"},
    "lead source": {"Web": "website", "Trade Show": "event", "Messe": "event", "Friend of Ada": "Friend of Ada"},
    "email opt out": {
        "Yes": True, "ja": True, "Oui": True, "sí": True, "1": True, "x": True, "TRUE": True, "Wahr": True,
        "No": False, "nein": False, "0": False, "FALSCH": False,
    },
    "birthday": {
        "1991-01-20": date(1991, 1, 20), "20.01.1991": date(1991, 1, 20), "20/01/1991": date(1991, 1, 20),
        "01/20/1991": date(1991, 1, 20), "1/20/91": date(1991, 1, 20), "1991/01/20": date(1991, 1, 20),
        "19910120": date(1991, 1, 20), "20 Jan 1991": date(1991, 1, 20), "January 20, 1991": date(1991, 1, 20),
        "20. Januar 1991": date(1991, 1, 20), "20 janvier 1991": date(1991, 1, 20), "20-Mar-91": date(1991, 3, 20),
        "20 de enero de 1991": date(1991, 1, 20), "1991-01-20T00:00:00.000Z": date(1991, 1, 20),
        "12. März 1980": date(1980, 3, 12), "3 août 1980": date(1980, 8, 3), "05/05/1980": date(1980, 5, 5),
        "0/0/00": None, "0000-00-00": None, "00.00.0000": None,
    },
    "follow up": {
        "2026-03-01T09:30:00Z": datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
        "2026-03-01T09:30:00+02:00": datetime(2026, 3, 1, 7, 30, tzinfo=UTC),
    },
    "zip": {'="07730"': "07730", "'07730": "07730", "07730": "07730", "N/A": None, "null": None, "-": None},
    "city": {"'s-Hertogenbosch": "'s-Hertogenbosch", "N/A": None, "#N/A": None, "NULL": None, "None": None},
    "company": {"'=1+1": "=1+1", "'+x": "+x", "Null & Co": "Null & Co", "n/a": None},
    "last_name": {"Null": "Null", "None": "None", "'t Hart": "'t Hart"},
    "email": {
        "Jane <J@example.com>": "j@example.com", "mailto:j@example.com": "j@example.com", "N/A": None, "null": None,
        "a@example.com; b@example.com": "a@example.com", "A <a@example.com>, b@example.com": "a@example.com",
    },
    "phone": {"N/A": None, "+49 30 901821 ::: +49 30 901822": "+4930901821", "(212) 555-0142": "+12125550142"},
    "owner": {"user_sam": "user_sam", "sam@acme.test": "user_sam", "SAM@acme.test": "user_sam",
        "sam okonkwo": "user_sam",
              "Sam Okonkwo <sam@acme.test>": "user_sam"},
    "language": {"de": "de", "en_US": "en-US", "German": "de", "Français": "fr"},
    "tags": {"a; b": ["a", "b"], "a|b": ["a", "b"], '"a, b","c"': ["a, b", "c"], "* my ::: * friends": ["my",
        "friends"]},
    "notes": {"one, two; three": ["one, two; three"], '"first","second, 2"': ["first", "second, 2"]},
    "custom_fields.n": {"5": 5, "07730": "07730", "1.50": Decimal("1.5"), "true": True, "'5": "5", "x": "x"},
}  # fmt: skip
"""Cells by the header of their column, and what the contact has."""
MEMBERS = {
    "lead source": "source", "email opt out": "email_opt_out", "follow up": "next_follow_up", "owner": "owner_id",
    "zip": "address.postal_code", "city": "address.city",
}  # fmt: skip


def at(contact: Contact, path: str) -> Any:
    """Return the value of a member of a contact, or of its address and custom fields."""
    head, _, rest = path.partition(".")
    value = getattr(contact, head)
    if not rest:
        return value
    return value.get(rest) if isinstance(value, dict) else getattr(value, rest, None)


ALONE = ("email", "birthday")
"""What the cells of a column say of each other: each is in a file of its own."""


def row_of(*cells: str) -> str:
    return ",".join('"{}"'.format(cell.replace('"', '""')) for cell in cells)


@pytest.mark.parametrize("header", ALONE)
def test_what_is_clear_by_itself_is_taken(header: str) -> None:
    got = {cell: at(imported(f"name,{header}\nP,{row_of(cell)}").only, header) for cell in TAKEN[header]}
    assert got == TAKEN[header]


def test_what_is_clear_is_taken() -> None:
    headers = [header for header in TAKEN if header not in ALONE]
    columns = zip_longest(*(TAKEN[header] for header in headers), fillvalue="")
    found = imported(
        "\n".join([f"first_name,{','.join(headers)}", *(row_of("P", *cells) for cells in columns)])
    ).contacts
    for header in headers:
        got = {
            cell: at(contact, MEMBERS.get(header, header)) for cell, contact in zip(TAKEN[header], found, strict=False)
        }
        assert got == TAKEN[header], header


LEFT_EMPTY = {
    "address.country": "Narnia",
    "website": "no site",
    "lifecycle_stage": "VIP",
    "status": "asleep",
    "email opt out": "perhaps",
    "birthday": "03/04/1991",
    "follow up": "soon",
    "owner": "Nobody Known",
    "account_id": "0010t00000AbCdEAAV",
    "timezone": "Mars/Olympus",
    "language": "Klingonese of the North",
    "phone": "4.91711E+11",
    "other emails": "nobody",
    "tags": "x" * 51,
    "first_name": "x" * 101,
    "address.street": "x" * 256,
    "avatar": "a picture",
}  # fmt: skip


def test_what_is_not_clear_is_left_empty_and_told_with_row_column_and_value() -> None:
    for header in LEFT_EMPTY:
        cell = LEFT_EMPTY[header]
        done = imported(f"name,{header}\nBefore,\nAda,{cell}\nAfter,\n")
        assert [contact.name for contact in done.contacts] == ["Before", "Ada", "After"]
        assert not done.failed
        ((row, value),) = done.warned(header)
        assert (row, cell.startswith(str(value))) == (2, True)
        (warning,) = (entry for entry in done.warnings if entry.row == 2)
        assert header in warning.message
        assert cell[:50] in warning.message
        member = {"other emails": "secondary_emails", "account_id": "account_id"}.get(
            header, MEMBERS.get(header, header)
        )
        default = {"lifecycle_stage": "lead", "status": "active", "email_opt_out": False, "owner_id": "user_ada"}
        assert at(done.contacts[1], member) == default.get(
            member, [] if member in ("tags", "secondary_emails") else None
        )


def test_of_one_row_each_unclear_cell_is_told_and_the_others_are_taken() -> None:
    cells = {header: cell for header, cell in LEFT_EMPTY.items() if header != "first_name"}
    done = imported(f"name,title,{','.join(cells)}\nAda,CTO,{','.join(cells.values())}\n")
    assert (done.only.name, done.only.title, done.failed) == ("Ada", "CTO", {})
    for header, cell in cells.items():
        ((row, value),) = done.warned(header)
        assert (row, cell.startswith(str(value))) == (1, True), header
    told = {entry.field: entry.message for entry in done.warnings}
    for header, words in (
        ("birthday", "is not a clear date: give date_format"), ("follow up", "is not a clear time: give date_format"),
        ("email opt out", "is neither yes nor no"), ("tags", "has tags of more than 50 characters: they were left out"),
        ("phone", "was written with an exponent, and its last digits are lost"),
    ):  # fmt: skip
        assert words in told[header], header
    done = imported('name,phone,website\nAda,"+49301 ::: +49302","a.example; b.example"\n')
    assert (done.only.phone, done.only.website) == ("+49301", "https://a.example")
    told = {entry.field: entry.message for entry in done.warnings}
    assert "has several numbers: the first counts" in told["phone"]
    assert "has several addresses: the first counts" in told["website"]


def test_addresses_in_one_cell_are_the_first_and_the_others() -> None:
    done = imported('email\n"Jane Doe <j@example.com>; k@example.com, L <l@example.com>"\n')
    assert (done.only.name, done.only.email) == ("Jane Doe", "j@example.com")
    assert done.only.secondary_emails == ["k@example.com", "l@example.com"]


def test_a_contact_without_a_name_is_called_by_what_there_is() -> None:
    cases: list[tuple[str, str]] = [
        ("email\nfoo.bar@example.com", "foo.bar@example.com"),
        ("company\nAcme Foods", "Acme Foods"),
        ("phone\n+4930901821", "+4930901821"),
        ("first name,email\nAda,a@example.com", "Ada"),
        ("first name,middle name,last name\nAda,Maria,Lee", "Ada Maria Lee"),
    ]
    for row, name in cases:
        assert imported(row).only.name == name


@pytest.mark.parametrize(("member", "item", "most"), [("tags", "t{}", 50), ("secondary_emails", "a{}@example.com", 10)])
def test_of_a_list_that_is_too_long_the_first_are_taken(member: str, item: str, most: int) -> None:
    items = [item.format(number) for number in range(most + 2)]
    done = imported(f'name,{member}\nAda,"{"; ".join(items)}"\n')
    assert getattr(done.only, member) == items[:most]
    assert done.warned(member) == [(1, str(items[most:]))]


def test_a_date_is_clear_where_another_of_its_column_shows_the_order() -> None:
    done = imported("name,birthday\nA,03/04/1991\nB,20/04/1991\n")
    assert [contact.birthday for contact in done.contacts] == [date(1991, 4, 3), date(1991, 4, 20)]
    done = imported("name,birthday\nA,03/04/1991\nB,04/20/1991\n")
    assert [contact.birthday for contact in done.contacts] == [date(1991, 3, 4), date(1991, 4, 20)]
    done = imported("name,birthday\nA,03/04/1991\nB,1991-04-20\n", date_format="DD/MM/YYYY")
    assert [contact.birthday for contact in done.contacts] == [date(1991, 4, 3), date(1991, 4, 20)]


def test_ids_of_another_system_are_external_ids_and_told_once() -> None:
    done = imported("Id,LastName\n0030t000012yoO4AAI,Sample\n0030t000012yoO4AAJ,Other\n")
    assert [contact.external_id for contact in done.contacts] == ["0030t000012yoO4AAI", "0030t000012yoO4AAJ"]
    assert [entry.code for entry in done.warnings] == ["FOREIGN_ID"]


def test_the_key_that_rows_are_matched_by_must_be_right() -> None:
    rows = "name,email,external_id\nAda,nobody,x1\n"
    assert imported(rows).failed[1].field == "email"
    done = imported(rows, match_on="external_id")
    assert (done.only.external_id, done.only.email, done.warned("email")) == ("x1", None, [(1, "nobody")])


@pytest.mark.parametrize("mode", ["create", "update"])
def test_a_cell_is_left_out_of_an_update_too(mode: str) -> None:
    done = imported(
        "name,email,country\nAda,alice@company.com,Narnia\n", on_duplicate="update" if mode == "update" else "skip"
    )
    assert not done.failed
    assert bool(done.warned("country")) == (mode == "update")


def mapped(*entries: tuple[str, ...]) -> list[Any]:
    return [dict(zip(("column", "field", "default"), entry, strict=False)) for entry in entries]


def test_a_cell_with_nothing_has_the_default_of_its_column() -> None:
    rows = '{"n":"A","t":null,"g":[],"p":{}}\n{"n":"B","t":"CEO","g":["x"],"p":5}\n{"n":"C","t":" ","g":"-"}\n'
    mapping = mapped(("n", "name"), ("t", "title", "Boss"), ("g", "tags", "lead"), ("p", "department", "IT"))
    done = imported(rows, "people.jsonl", mapping=mapping)
    found = [(contact.title, contact.tags, contact.department) for contact in done.contacts]
    assert found == [("Boss", ["lead"], "IT"), ("CEO", ["x"], "5"), ("Boss", ["-"], "IT")]
    done = imported("n,t\nA,\nB,CEO\nC,n/a\n", mapping=mapped(("n", "name"), ("t", "title", "Boss")))
    assert [contact.title for contact in done.contacts] == ["Boss", "CEO", "Boss"]
    assert imported("n,t\nA,\n", mapping=mapped(("n", "name"), ("t", "title"))).only.title is None
    for cell, born, warned in (("03/04/1991", date(1990, 1, 2), True), ("1991-04-03", date(1991, 4, 3), False)):
        done = imported(f"n,t\nA,{cell}\n", mapping=mapped(("n", "name"), ("t", "birthday", "1990-01-02")))
        assert (done.only.birthday, bool(done.warned("t"))) == (born, warned)
    transforms: Any = [{"column": "n", "field": "name"}, {"column": "t", "field": "birthday", "transform": "date"}]
    done = imported("n,t\nA,soon\nB,1991-04-03\n", mapping=transforms)
    assert [contact.birthday for contact in done.contacts] == [date(1991, 4, 3)]
    assert "'soon' is not a date like YYYY-MM-DD" in done.failed[1].message


def test_a_mapping_names_a_column_by_its_header_or_its_number() -> None:
    cases: list[tuple[str, str | None]] = [
        ("Jób", "CEO"), ("job", "CEO"), ("JOB", "CEO"), ("full name", "Ada"), ("1", "Ada"), ("2", "CEO"),
        ("00002", "CEO"), ("0", None), ("3", None), ("000002", None), ("other", None),
    ]  # fmt: skip
    for named, title in cases:
        done = imported("Full Name,Jób\nAda,CEO\n", mapping=mapped(("Full Name", "name"), (named, "title")))
        if title is not None:
            assert (done.only.name, done.only.title) == ("Ada", title)
        else:
            assert (done.contacts, done.error) == ([], f"mapping.1.column: the file has no column {named!r}")


def test_an_address_that_cannot_be_is_told_by_the_column_it_is_in() -> None:
    done = imported("Name,Mail,Email 2\nA,a@x.example,x..y@z.example\nB,b..b@x.example,\n")
    assert [(contact.name, contact.secondary_emails) for contact in done.contacts] == [("A", [])]
    assert {number: (entry.field, entry.value) for number, entry in done.failed.items()} == {
        2: ("email", "b..b@x.example")
    }
    assert done.warned("Mail") == [(None, "email"), (1, "x..y@z.example")]


def test_what_is_one_address_as_a_whole_is_not_taken_apart() -> None:
    cases: list[tuple[str, str | None]] = [
        ("mailto:a@x.example", "a@x.example"), ("o'b@x.example", "o'b@x.example"), ("a,b@x.example", None),
        ("a(b)@x.example", None), ("a@x.example;", None),
    ]  # fmt: skip
    for cell, email in cases:
        done = imported(f'Name,Email\nAda,"{cell}"\n')
        assert [contact.email for contact in done.contacts] == ([email] if email else [])
        assert [(entry.field, entry.value) for entry in done.failed.values()] == ([] if email else [("email", cell)])


def test_an_owner_whose_name_is_of_several_is_told_as_such(stub: StubServer) -> None:
    crm = stub.client(dialects="platform")
    crm.users.update("user_noor", {"name": crm.users.get("user_sam").name})
    rows = f"name,owner\nOne,{crm.users.get('user_sam').name}\nTwo,Nobody Known\nThree,noor@acme.test\n"
    result = crm.contacts.imports.create(("people.csv", rows.encode())).wait()
    assert [(entry.row, entry.message.partition("' is ")[2]) for entry in result.warnings] == [
        (1, "the name of several users: give the address"), (2, "no user's id, address or name"),
    ]  # fmt: skip
    owners = {one.name: one.owner_id for one in map(crm.contacts.get, result.created_ids)}
    assert owners == {"One": "user_ada", "Two": "user_ada", "Three": "user_noor"}
