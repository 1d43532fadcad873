"""The cells of a row together: which of several columns counts, what becomes one member, and what a row may lose."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from importing import Imported, imported
from refusals import refused
from stub_data import some

from server_stub import StubServer


def members(done: Imported, *names: str) -> list[Any]:
    """Return members of each contact; of an address its parts that there are."""
    found = [[getattr(contact, name) for name in names] for contact in done.contacts]
    for row in found:
        for place, value in enumerate(row):
            if hasattr(value, "postal_code"):
                row[place] = {part: text for part, text in value.model_dump().items() if text}
    return [tuple(row) if len(names) > 1 else row[0] for row in found]


def warned(done: Imported) -> list[tuple[Any, ...]]:
    assert all(entry.row is None or entry.message.startswith(f"{entry.field}: ") for entry in done.warnings)
    return [(one.row, one.field, one.value) for one in done.warnings if one.code != "SAME_MEMBER"]


def failed(done: Imported) -> list[tuple[Any, ...]]:
    return [(row, one.field, one.code, one.value) for row, one in done.failed.items()]


def test_a_number_is_what_the_column_beside_it_says() -> None:
    done = imported(
        "name,Phone 1 - Type,Phone 1 - Value,Phone 2 - Type,Phone 2 - Value\nA,Home Fax,+49301,Handy,+49302\n"
        "B,Pager,1,,2\nC,Work,3,Mobile,4\nD,,5,Work,6\nE,,7,Work,7\nF,,,Work,8\n"
    )
    assert members(done, "phone", "mobile") == [
        (None, "+49302"), ("2", None), ("3", "4"), ("5", None), ("7", None), ("8", None),
    ]  # fmt: skip
    assert [one.message for one in done.warnings[1:]] == [
        "Phone 1 - Value: '+49301' is a Home Fax, for which a contact has no place",
        "Phone 1 - Value: '1' is a Pager, for which a contact has no place",
        "Phone 2 - Value: '6' was not taken: phone is '5' by another column",
    ]


def test_the_first_address_is_the_main_one_and_the_others_are_kept_once() -> None:
    done = imported(
        "name,email,e-mail 2,secondary email\nA,mailto:a@x.example,A@X.example;b@x.example,b@x.example\n"
        ',Bo <b2@x.example>,,\nC,nobody,,\n,,"c2@x.example, D <d2@x.example>",\nE,nobody,e@x.example,\n'
        "F,f@x.example,,nobody\n"
    )
    assert members(done, "name", "email", "secondary_emails") == [
        ("A", "a@x.example", ["b@x.example"]), ("Bo", "b2@x.example", []),
        ("c2@x.example", "c2@x.example", ["d2@x.example"]), ("F", "f@x.example", []),
    ]  # fmt: skip
    assert failed(done) == [(row, "email", "VALIDATION_ERROR", "nobody") for row in (3, 5)]


def test_own_fields_are_of_their_columns_and_of_an_object() -> None:
    done = imported(
        'name,custom_fields,custom_fields.a\nA,"{""a"":1,""b"":2}",3\nB,[1],\nC,{x,\nD,text,\nE,,\nF,"{""c"":[""x""]}",\n'
    )
    assert members(done, "custom_fields") == [{"a": 3, "b": 2}, {}, {"c": ["x"]}]
    assert failed(done) == [
        (row, "custom_fields", "VALIDATION_ERROR", value) for row, value in ((2, "[1]"), (3, "{x"), (4, "text"))
    ]
    assert {one.message for one in done.failed.values()} == {
        "must be an object: name a column custom_fields.NAME for each field"
    }


def test_an_address_is_one_whole_and_its_parts_are_never_mixed() -> None:
    done = imported(
        "name,Street,City,Home City,Home Country,Full Address\nA,Weg 1,Bonn,Bonn.,Germany,x\n"
        "B,,,Köln,Spain,Allee 2\nC,W,,Rome,,\nD,,,Köln,Spain,\n"
    )
    assert members(done, "address") == [
        {"street": "Weg 1", "city": "Bonn"}, {"street": "Allee 2"}, {"street": "W"}, {"city": "Köln", "country": "ES"},
    ]  # fmt: skip
    assert warned(done) == [
        (1, "Home Country", "DE"), (2, "Home City", "Köln"), (2, "Home Country", "ES"), (3, "Home City", "Rome"),
    ]  # fmt: skip
    why = "was not taken: a contact has one address, and another comes first"
    assert {one.message.partition("' ")[2] for one in done.warnings if one.row} == {why}
    done = imported("name,city,city\nA,Rome,rome!\nB,,Oslo\nC,Rome,Oslo\n")
    assert members(done, "address") == [{"city": "Rome"}, {"city": "Oslo"}, {"city": "Rome"}]
    assert [one.message for one in done.warnings[1:]] == [
        "city (2): 'Oslo' was not taken: address.city is 'Rome' already"
    ]
    rows: list[Any] = [
        {"name": "A", "address": {"city": "Bonn", "country": "Germany", "street": None, "state": ""}},
        {"name": "B", "address": "Weg 1"}, {"name": "C", "address": {"nope": 1, "city": 5, "country": "Narnia"}},
        {"name": "D", "address": {"postalCode": "10115"}},
    ]  # fmt: skip
    done = imported("\n".join(map(json.dumps, rows)), "people.jsonl")
    assert members(done, "address") == [
        {"city": "Bonn", "country": "DE"}, {"street": "Weg 1"}, None, {"postal_code": "10115"},
    ]  # fmt: skip
    told = [(3, "address.city", "5"), (3, "address.country", "Narnia"), (3, "address.nope", "1")]
    assert sorted(warned(done)) == told


def test_names_and_birthdays_are_put_together_of_their_parts() -> None:
    done = imported("first name,middle name,last name\nAda,Maria,Lee\n,Maria,Lee\nAda,,\n")
    assert members(done, "name", "first_name", "last_name") == [
        ("Ada Maria Lee", "Ada Maria", "Lee"), ("Maria Lee", "Maria", "Lee"), ("Ada", "Ada", None),
    ]  # fmt: skip
    done = imported(
        "name,Birth Year,Birth Month,Birth Day\nA,1990,1,2\nB,1990,13,2\nC,1990,1,\nD,19900,1,2\nE,x,1,2\n"
        'F," 1990 ", 2 ,30\nG,0001,1,1\nH,1990,0002,+2\nI,1990,-2,3\nJ,99999999999999999999,1,1\n'
    )
    assert [str(day) for day in members(done, "birthday")] == ["1990-01-02", *["None"] * 9]
    assert warned(done) == [(7, "birthday", "0001-01-01")]


def test_lists_of_several_columns_are_one_and_of_texts_the_first_counts() -> None:
    many = "; ".join(f"t{number}" for number in range(50))
    done = imported(f"name,tags,labels\nA,a; b,c\nB,{many},z\n")
    assert members(done, "tags") == [["a", "b", "c"], many.split("; ")]
    (entry,) = done.warnings
    assert (entry.row, entry.field, entry.message) == (
        2, "labels", "labels: \"['z']\" were left out: a contact has at most 50",
    )  # fmt: skip
    done = imported("name,title,job title,position\nA,Dr,CTO,c-t-o\nB,,,CEO\nC,,CTO,CEO\n")
    assert members(done, "salutation", "title") == [("Dr", "CTO"), (None, "CEO"), (None, "CTO")]
    assert warned(done) == [(3, "position", "CEO")]


def test_ids_of_another_system_are_external_ids_and_ours_are_let_go() -> None:
    done = imported("Id,Name\ncontact_123,X\ncontact_nope,Y\nabc,Z\ndef,Q\n")
    assert members(done, "name", "external_id") == [("X", None), ("Y", None), ("Z", "abc"), ("Q", "def")]
    (entry,) = done.warnings
    assert (entry.row, entry.field, entry.code, entry.value, entry.message) == (
        None, "Id", "FOREIGN_ID", "abc", "the ids in 'Id' are of another system: they are kept as external ids",
    )  # fmt: skip
    done = imported("Id,External Id,Name\nabc,e1,Z\nsame,same,S\ndef,,Q\n")
    assert members(done, "external_id") == ["e1", "same", "def"]
    assert [(one.code, one.value) for one in done.warnings] == [("FOREIGN_ID", "same")]


def test_a_contact_without_a_name_is_called_by_what_else_it_has() -> None:
    done = imported("name,email,company,phone,mobile\n,a9@x.example,Co,+49301,1\n,,Co,+49301,1\n,,,+49301,1\n,,,,1\n")
    assert members(done, "name") == ["a9@x.example", "Co", "+49301", "1"]
    rows = '{"name":5.5}\n{"firstName":["x"],"email":"q@x.example"}\n{"email":5}\n{"email":["x"],"name":"A"}\n'
    done = imported(rows, "people.jsonl")
    assert members(done, "name") == ["5.5"]
    assert failed(done) == [
        (2, "first_name", "VALIDATION_ERROR", "['x']"), (3, "email", "VALIDATION_ERROR", "5"),
        (4, "email", "VALIDATION_ERROR", "['x']"),
    ]  # fmt: skip


def test_what_cannot_be_stored_is_taken_out_item_by_item() -> None:
    row: Any = {
        "name": "A", "address": {"city": "Bonn", "zip": 1}, "customFields": {"a.b": 1}, "language": "?!",
        "socialProfiles": [{"network": "x", "url": "nope"}, {"network": "y", "url": "https://y.example"},
                           {"network": "z", "url": "no"}],
        "secondaryEmails": ["a@x.example", "nope", "no", "b@x.example"],
    }  # fmt: skip
    done = imported(json.dumps(row), "people.jsonl")
    assert members(done, "address", "custom_fields", "secondary_emails") == [
        ({"city": "Bonn"}, {"a.b": 1}, ["a@x.example", "b@x.example"])
    ]
    assert [(one.network, one.url) for one in done.only.social_profiles] == [("y", "https://y.example")]
    assert sorted(warned(done), key=str) == sorted([
        (1, "address.zip", "1"), (1, "language", "?!"), (1, "secondaryEmails", "no"), (1, "secondaryEmails", "nope"),
        (1, "socialProfiles", "{'network': 'x', 'url': 'nope'}"),
        (1, "socialProfiles", "{'network': 'z', 'url': 'no'}"),
    ], key=str)  # fmt: skip
    twice: Any = {
        "name": "A", "customFields": {"a": [{}, {}], "b": 1},
        "socialProfiles": [{"network": 5, "url": "nope"}, {"network": "y", "url": "https://y.example"}],
    }  # fmt: skip
    done = imported(json.dumps(twice), "people.jsonl")
    assert members(done, "custom_fields") == [{"b": 1}]
    assert [(one.network, one.url) for one in done.only.social_profiles] == [("y", "https://y.example")]
    assert sorted(warned(done)) == [
        (1, "customFields", "[{}, {}]"), (1, "socialProfiles", "{'network': 5, 'url': 'nope'}"),
    ]  # fmt: skip
    done = imported("name\nA\n", tags=[f"t{number}" for number in range(51)])
    assert failed(done) == [(1, "tags", "VALIDATION_ERROR", None)], "what the row itself has not, cannot be taken out"


WAYS: tuple[tuple[dict[str, Any], tuple[int, int, int, int], list[tuple[int, str]]], ...] = (
    ({}, (2, 2, 0, 1), []),
    ({"mode": "create"}, (2, 0, 2, 1), []),
    ({"mode": "update"}, (0, 1, 0, 4), [(1, "NOT_FOUND"), (3, "NOT_FOUND"), (4, "NOT_FOUND")]),
    ({"on_duplicate": "skip"}, (2, 0, 2, 1), []),
    ({"on_duplicate": "fail"}, (2, 0, 0, 3), [(2, "CONTACT_EXISTS"), (4, "CONTACT_EXISTS")]),
    ({"on_duplicate": "fail", "mode": "create"}, (2, 0, 0, 3), [(2, "CONTACT_EXISTS"), (4, "CONTACT_EXISTS")]),
)  # fmt: skip


def test_a_trial_counts_what_an_import_does_by_its_mode_and_policy() -> None:
    """The rows: a new one, one of a known contact, another new one, the first one again, and one that is wrong."""
    rows = "name,email\nA,a@x.example\nB,alice@company.com\nC,c@x.example\nD,A@x.example\nE,nobody\n"
    for options, counted, codes in WAYS:
        server = StubServer()
        crm = server.client(dialects="platform")
        for dry_run in (True, False):
            job = crm.contacts.imports.create(
                ("people.csv", rows.encode()), dry_run=dry_run, owner_id="user_sam", tags=["fair"], **options
            )
            done = job.wait()
            job = crm.contacts.imports.get(job.id)
            counts = some(job.counts)
            assert (counts.created, counts.updated, counts.skipped, counts.failed) == counted, options
            assert [(one.row, one.code) for one in job.errors if one.code != "VALIDATION_ERROR"] == codes
            assert (counts.total, counts.processed, counts.succeeded) == (5, 5, counted[0] + counted[1])
            assert done.dry_run is dry_run
            assert len(done.created_ids) == (0 if dry_run else counted[0])
        for made in map(crm.contacts.get, done.created_ids):
            assert (made.owner_id, made.tags) == ("user_sam", ["fair"])
        alice = crm.contacts.get("contact_123")
        assert ("fair" in alice.tags, alice.owner_id == "user_sam") == (("contact_123" in done.updated_ids),) * 2


def test_a_trial_reads_a_row_again_that_one_before_it_would_have_created() -> None:
    rows = "name,email,status,custom_fields.n\nA,a@x.example,active,1\nB,a@x.example,asleep,2\nC,a@x.example,active,3\n"
    for dry_run in (True, False):
        crm = StubServer().client(dialects="platform")
        job = crm.contacts.imports.create(("a.csv", rows.encode()), dry_run=dry_run, on_duplicate="update")
        warnings = job.wait().warnings
        counts = some(crm.contacts.imports.get(job.id).counts)
        assert (counts.created, counts.updated, counts.failed) == (1, 2, 0)
        ((row, field, value),) = [(one.row, one.field, one.value) for one in warnings]
        assert (row, field, value) == (2, "status", "asleep"), dry_run


def test_what_an_import_cannot_be_given_is_refused_at_once() -> None:
    crm = StubServer().client(dialects="platform")
    for options, field, rule in (
        ({"owner_id": "user_none"}, "owner_id", "reference"),
        ({"encoding": "klingon"}, "encoding", "choice"), ({"mapping": []}, "mapping", "min"),
        ({"mapping": [{"column": "a", "field": "nope"}]}, "mapping.0.field", "choice"),
    ):  # fmt: skip
        given: Any = options
        (entry,) = refused(partial(crm.contacts.imports.create, ("people.csv", b"name\nA\n"), **given)).fields
        assert (entry.field, entry.rule) == (field, rule)
    (entry,) = refused(partial(crm.contacts.imports.create, ("people", b"name\nA\n"))).fields
    assert (entry.field, entry.rule) == ("format", "required")
    job = crm.contacts.imports.create(("people", b"name\nA\n"), format="csv", dry_run=True)
    assert crm.jobs.get(job.id).title == "Trial import of people"
    assert crm.contacts.imports.create(("people.csv", b"name\nB\n"), owner_id="user_sam").wait().created_ids
