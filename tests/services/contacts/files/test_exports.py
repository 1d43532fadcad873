"""What an export of contacts writes of each member, in each format, for whom, and what it says that it did."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from newcomers import signed_in
from refusals import refused

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.services.contacts.files.export_files import USUAL

ADA: dict[str, Any] = {
    "name": "Ada Lee", "email": "ada@out.example", "secondary_emails": ["b@x.example", "c@x.example"], "title": "=CTO",
    "address": {"street": "Weg 1", "postal_code": "10115"}, "tags": ["a", "b; c"], "notes": ["one; two", "three"],
    "social_profiles": [{"network": "github", "url": "https://g.example", "handle": "ada"},
                        {"network": "x", "url": "https://x.example"}],
    "birthday": "1990-01-02", "email_opt_out": True, "next_follow_up": datetime(2026, 2, 1, 12, tzinfo=UTC),
    "custom_fields": {"size.cm": Decimal("1.5"), "flag": True, "words": ["a", "b"], "text": "5"},
}  # fmt: skip
BOB: dict[str, Any] = {"name": "Bob", "email": "bob@out.example", "custom_fields": {"hat": "x"}}


@pytest.fixture
def crm(stub: StubServer) -> CrmClient:
    client = stub.client(dialects="platform")
    for given in (ADA, BOB):
        client.contacts.create(given)  # type: ignore[arg-type] # as the test names them
    return client


def written(crm: CrmClient, *fields: str, **options: Any) -> str:
    more: Any = {"fields": list(fields)} if fields else {}
    return crm.contacts.export(search="out.example", sort="name", **more, **options).read().decode("utf-8-sig")


def table(crm: CrmClient, *fields: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(written(crm, *fields))))


def test_each_value_has_a_cell_from_which_an_import_reads_it_again(crm: CrmClient) -> None:
    names = ("name", "title", "secondaryEmails", "address", "tags", "notes", "social_profiles", "birthday",
             "email_opt_out", "sms_opt_out", "nextFollowUp", "custom_fields", "last_contact")  # fmt: skip
    ada, bob = table(crm, *names)
    assert ada == {
        "name": "Ada Lee", "title": "'=CTO", "secondaryEmails": "b@x.example, c@x.example", "address.street": "Weg 1",
        "address.street2": "", "address.city": "", "address.state": "", "address.postalCode": "10115",
        "address.country": "", "tags": '"a","b; c"', "notes": '"one; two","three"',
        "socialProfiles": "github https://g.example ada, x https://x.example", "birthday": "1990-01-02",
        "emailOptOut": "true", "smsOptOut": "false", "nextFollowUp": "2026-02-01T12:00:00Z",
        "customFields.size.cm": "1.5", "customFields.flag": "true", "customFields.words": ada["customFields.words"],
        "customFields.text": "'5", "customFields.hat": "", "lastContact": "",
    }  # fmt: skip
    assert "a" in ada["customFields.words"] and "b" in ada["customFields.words"]
    assert {name: text for name, text in bob.items() if text} == {
        "name": "Bob", "emailOptOut": "false", "smsOptOut": "false", "customFields.hat": "x",
    }  # fmt: skip
    only, _ = table(crm, "address.city", "address.postalCode", "custom_fields.size.cm", "custom_fields.none", "name",
                    "name")  # fmt: skip
    assert only == {
        "address.city": "", "address.postalCode": "10115", "customFields.size.cm": "1.5", "customFields.none": "",
        "name": "Ada Lee",
    }  # fmt: skip
    whole, _ = table(crm)
    places, own = 6, 5
    assert len(whole) == len(USUAL) - 2 + places + own


def test_lines_of_json_have_the_members_as_the_wire_has_them(crm: CrmClient) -> None:
    lines = written(crm, "name", "address", "tags", "custom_fields", "birthday", "email_opt_out", format="jsonl")
    ada, bob = map(json.loads, lines.splitlines())
    place = {"street": "Weg 1", "street2": None, "city": None, "state": None, "postalCode": "10115", "country": None}
    assert {name: text for name, text in ada.pop("address").items() if text} == {
        name: text for name, text in place.items() if text
    }
    own = ada.pop("customFields")
    assert (float(own.pop("size.cm")), own) == (1.5, {"flag": True, "words": ["a", "b"], "text": "5"})
    assert ada == {"name": "Ada Lee", "tags": ["a", "b; c"], "birthday": "1990-01-02", "emailOptOut": True}
    assert bob == {
        "name": "Bob", "address": None, "tags": [], "customFields": {"hat": "x"}, "birthday": None,
        "emailOptOut": False,
    }  # fmt: skip
    lines = written(
        crm, "address.postal_code", "address.city", "customFields.size.cm", "custom_fields.flag", format="jsonl"
    )
    ada, bob = map(json.loads, lines.splitlines())
    assert float(ada["customFields"].pop("size.cm")) == 1.5
    assert ada == {"address": {"postalCode": "10115", "city": None}, "customFields": {"flag": True}}
    assert bob == {
        "address": {"postalCode": None, "city": None}, "customFields": {"size.cm": None, "flag": None},
    }  # fmt: skip
    assert len(json.loads(written(crm, format="jsonl").splitlines()[0])) == len(USUAL)


def test_a_card_has_the_name_and_what_was_asked_for(crm: CrmClient) -> None:
    cards = written(crm, "email", "address.city", format="vcf").split("BEGIN:VCARD\r\n")[1:]
    assert [card.splitlines()[1:-1] for card in cards] == [
        ["FN:Ada Lee", "N:Ada Lee;;;;", "EMAIL;TYPE=INTERNET:ada@out.example", "ADR;TYPE=WORK:;;Weg 1;;;10115;"],
        ["FN:Bob", "N:Bob;;;;", "EMAIL;TYPE=INTERNET:bob@out.example"],
    ]
    assert "X-CRM-FIELD:flag" in written(crm, format="vcf")


def test_a_field_that_there_is_not_is_refused_by_its_place(crm: CrmClient) -> None:
    for field in (
        "nope", "communication_history", "aiInsights", "name.first", "address.nope", "tags.0", "address.street.x",
    ):  # fmt: skip
        error = refused(partial(crm.contacts.export, fields=["name", field]))
        (entry,) = error.fields
        assert (error.code, entry.field, entry.rule, entry.details) == (
            "UNKNOWN_FIELD", "fields.1", "choice", {"field": field},
        )  # fmt: skip


def test_an_export_is_a_named_file_and_told_of(crm: CrmClient, stub: StubServer) -> None:
    for options, ending, fields in (
        ({}, "csv", []), ({"format": "jsonl", "fields": ["name", "address.postalCode"]}, "jsonl",
                          ["name", "address.postal_code"]),
        ({"format": "vcf"}, "vcf", []), ({"format": "xlsx"}, "xlsx", []),
    ):  # fmt: skip
        given: Any = options
        download = crm.contacts.export(search="out.example", **given)
        download.read()
        assert (download.filename, download.total) == (f"contacts-2026-01-15.{ending}", 2)
        told = stub.audit()[-1]
        assert (told["action"], told["metadata"]) == (
            "data.exported", {"format": ending, "count": 2, "fields": fields},
        )  # fmt: skip
        assert (told["entity"]["id"], told["entity"]["name"]) == ("contacts", f"contacts-2026-01-15.{ending}")


def test_an_export_has_nothing_that_is_hidden_from_its_caller(crm: CrmClient, stub: StubServer) -> None:
    held: Any = [{"resource": "contacts", "action": action, "scope": "all"} for action in ("read", "export")]
    hidden: Any = [{"entity": "contact", "field": name, "access": "hidden"} for name in ("email", "address")]
    crm.security.roles.create({"key": "half", "name": "Half", "permissions": held, "field_permissions": hidden})
    _, half = signed_in(stub, crm, "half", strict=False)

    def read(**options: Any) -> str:
        return half.contacts.export(sort="name", **options).read().decode("utf-8-sig")

    for field in ("email", "address", "address.city", "address.postalCode"):
        error = refused(partial(half.contacts.export, fields=["name", field]))
        (entry,) = error.fields
        assert (error.code, entry.field) == ("UNKNOWN_FIELD", "fields.1"), field
    rows = list(csv.DictReader(io.StringIO(read())))
    left = {name for name in rows[0] if name == "email" or name.startswith("address")}
    assert (left, {"name", "phone", "secondaryEmails"} <= rows[0].keys()) == (set(), True)
    ada = next(json.loads(line) for line in read(format="jsonl").splitlines() if '"Ada Lee"' in line)
    assert {"email", "address"}.isdisjoint(ada) and ada["title"] == "=CTO"
    cards = read(format="vcf")
    assert "FN:Ada Lee" in cards and "ada@out.example" not in cards and "Weg 1" not in cards
    only = list(csv.DictReader(io.StringIO(read(fields=["title", "name"]))))
    assert list(only[0]) == ["title", "name"]
    own: Any = [held[0], {**held[1], "scope": "own"}]
    crm.security.roles.create({"key": "mine", "name": "Mine", "permissions": own})
    user, mine = signed_in(stub, crm, "mine", strict=False)
    crm.contacts.update(next(one.id for one in crm.contacts.list(search="ada@out.example")), {"owner_id": user.id})
    download = mine.contacts.export(format="jsonl", fields=["name"])
    assert (download.total, download.read().decode().splitlines()) == (1, ['{"name":"Ada Lee"}'])
