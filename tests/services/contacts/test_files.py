"""Contacts on their way in and out of files, and how they are checked before, as a caller meets it."""

from __future__ import annotations

import csv
import io
import json
from functools import partial
from typing import Any

import pytest
from newcomers import signed_in
from refusals import refused

from crm_sdk import CrmClient, JobFailedError
from crm_sdk.models.contacts import Contact
from server_stub import StubServer


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform")


def new(client: CrmClient, name: str, **members: Any) -> Contact:
    return client.contacts.create({"name": name, **members})  # type: ignore[typeddict-item] # members as the test names them


def actions(stub: StubServer) -> list[str]:
    return [entry["action"] for entry in stub.audit()]


ROWS = """Full Name,E-Mail,Telefon,Tags,PLZ,Shoe size
Ima Port,IMA@import.example,(212) 555-0142,"x; y",10001,42
Bad Row,no-address,,,,
Alice J,alice@company.com,,imported,,
"""


def test_an_import_keeps_good_rows_and_tells_of_bad_ones(client: CrmClient, stub: StubServer) -> None:
    job = client.contacts.imports.create(("people.csv", ROWS.encode()), tags=["fair"])
    result = job.wait()
    made = client.contacts.get(result.created_ids[0])
    assert (made.name, made.email, made.phone, made.tags) == (
        "Ima Port",
        "ima@import.example",
        "+12125550142",
        ["x", "y", "fair"],
    )
    assert made.address is not None
    assert made.address.postal_code == "10001"
    assert (result.updated_ids, result.unmapped_columns) == (["contact_123"], ["Shoe size"])
    (error,) = client.contacts.imports.get(job.id).errors
    assert (error.row, error.field, error.value) == (2, "email", "no-address")
    file = stub.store.collection("tenant_acme", "file").get(str(result.error_file_id))
    assert file is not None
    assert b"no-address" in stub.contents.read(file["checksum"])
    assert "contact.import_completed" in actions(stub)


def test_a_dry_run_writes_nothing_and_modes_are_kept(client: CrmClient) -> None:
    total = client.contacts.list(limit=1).total

    def counts(**options: Any) -> tuple[int, int, int, int]:
        job = client.contacts.imports.create(("people.csv", ROWS.encode()), **options)
        job.wait()
        found = client.contacts.imports.get(job.id).counts
        assert found is not None
        return found.created, found.updated, found.skipped, found.failed

    assert counts(dry_run=True) == (1, 1, 0, 1)
    assert counts(dry_run=True, mode="create") == (1, 0, 1, 1)
    assert counts(dry_run=True, mode="update") == (0, 1, 0, 2)
    assert counts(dry_run=True, on_duplicate="fail") == (1, 0, 0, 2)
    assert client.contacts.list(limit=1).total == total
    wrong = [{"column": "Shoe size", "field": "nonsense"}]
    assert refused(lambda: counts(mapping=wrong)).fields[0].field == "mapping.0.field"
    with pytest.raises(JobFailedError) as failed:
        client.contacts.imports.create(("people.xlsx", b"no workbook")).wait()
    assert failed.value.code == "UNREADABLE_FILE"


@pytest.mark.parametrize("format", ["csv", "xlsx", "jsonl", "vcf"])
def test_what_is_exported_can_be_imported(client: CrmClient, format: str) -> None:
    new(client, "=1+1", email="formula@out.example", tags=["a", "b"], notes=["line; one,\nline two"])
    new(client, "Zoë Quist", email="zoe@out.example", phone="+12125550199", address={"city": "Köln"})
    download = client.contacts.export(format=format, search="out.example", sort="name")
    assert download.total == 2
    content = download.read()
    if format == "csv":
        assert [row["name"] for row in csv.DictReader(io.StringIO(content.decode()))] == ["'=1+1", "Zoë Quist"]
    if format == "jsonl":
        assert json.loads(content.splitlines()[0])["name"] == "=1+1"
    other = StubServer().client(dialects="platform")
    ids = other.contacts.imports.create((str(download.filename), content)).wait().created_ids
    back = [other.contacts.get(id) for id in ids]
    assert (back[0].name, back[0].email, back[0].tags) == ("=1+1", "formula@out.example", ["a", "b"])
    assert (back[1].phone, back[1].address and back[1].address.city) == ("+12125550199", "Köln")


def test_validation_says_what_create_would_say_and_writes_nothing(client: CrmClient) -> None:
    total = client.contacts.list(limit=1).total
    good, wrong, taken, doubtful = client.contacts.validate(
        [
            {"name": "Ok", "email": "OK@person.example", "phone": "212 555 0199"},
            {"email": "nope", "status": "weird"},
            {"name": "Al", "email": "alice@company.com"},
            {"name": "Alice Jonson", "company": "Innovation Inc", "email": "x@gmail.com", "phone": "12"},
        ]
    )
    assert good.valid
    assert good.normalized == {"name": "Ok", "email": "ok@person.example", "phone": "+12125550199"}
    assert {error.field for error in wrong.errors} == {"name", "email", "status"}
    assert [error.code for error in taken.errors] == ["CONTACT_EXISTS"]
    assert [warning.code for warning in doubtful.warnings] == [
        "FREE_MAIL_DOMAIN",
        "INVALID_PHONE",
        "POSSIBLE_DUPLICATE",
    ]
    assert [match.contact_id for match in doubtful.duplicates] == ["contact_123"]
    assert client.contacts.list(limit=1).total == total
    draft = {"name": "Ok", "lifecycleStage": "lead", "address": {"postalCode": "10115"}}
    reply = client.request("POST", "/v1/contacts/validate", json={"contacts": [draft]})
    assert reply.status == 200 and reply.json()["data"][0]["normalized"] == draft, "under the names of the wire"


def test_what_is_right_in_a_draft_is_judged_beside_what_is_wrong(client: CrmClient) -> None:
    right: Any = {"name": "Alice Jonson", "company": "Innovation Inc", "email": "x@gmail.com", "phone": "12"}
    codes = ["FREE_MAIL_DOMAIN", "INVALID_PHONE", "POSSIBLE_DUPLICATE"]
    drafts: list[tuple[Any, set[str], list[str]]] = [
        ({"lifecycleStage": "weird"}, {"lifecycle_stage"}, codes),
        ({"address": {"country": 5}}, {"address.country"}, codes),
        ({"lifecycleStage": "weird", "address": {"country": 5}, "shoe": 1},
         {"lifecycle_stage", "address.country", "shoe"}, codes),
        ({"name": None}, {"name"}, codes[:2]), ({"phone": 5}, {"phone"}, [codes[0], codes[2]]),
    ]  # fmt: skip
    for wrong, fields, warnings in drafts:
        (found,) = client.contacts.validate([right | wrong])
        assert {error.field for error in found.errors} == fields and len(found.errors) == len(fields), wrong
        assert [one.code for one in found.warnings] == warnings, wrong
        assert [one.contact_id for one in found.duplicates] == (["contact_123"] if codes[2] in warnings else [])
        assert (found.valid, found.normalized) == (False, None)


def test_a_draft_says_which_members_its_writer_may_not_write(client: CrmClient, stub: StubServer) -> None:
    role: Any = {
        "key": "typist", "name": "Typist",
        "permissions": [
            {"resource": "contacts", "action": action, "scope": "all"} for action in ("create", "read")
        ],
        "field_permissions": [{"entity": "contact", "field": "title", "access": "read"}],
    }  # fmt: skip
    _, typist = signed_in(stub, client, client.security.roles.create(role).key, strict=False)
    draft: Any = {"name": "Zed Quill", "email": "ZED@quill.example"}
    fine, wrong = typist.contacts.validate([draft, draft | {"title": "CTO"}])
    assert (fine.valid, fine.errors, wrong.valid, wrong.normalized) == (True, [], False, None)
    said = refused(lambda: typist.contacts.create(draft | {"title": "CTO"}))
    assert [(one.code, one.field, one.message) for one in wrong.errors] == [(said.code, "title", said.message)]
    assert (said.code, said.details) == ("FIELD_FORBIDDEN", {"fields": ["title"]})


def test_progress_is_told_and_another_company_sees_no_job(client: CrmClient, stub: StubServer) -> None:
    rows = "name,email\n" + "".join(f"P{n},p{n}@bulk.example\n" for n in range(120))
    job = client.contacts.imports.create(("many.csv", rows.encode()))
    seen: list[float] = []
    result = job.wait(on_progress=lambda state: seen.append(state.progress))
    assert (seen[0], seen[-1], sorted(seen), len(result.created_ids)) == (0.0, 1.0, seen, 120)
    assert any(0 < progress < 1 for progress in seen)
    globex = stub.client(dialects="platform", api_key="globex-admin")
    assert refused(lambda: globex.contacts.imports.get(job.id)).status == 404


def test_an_import_reads_what_a_mapping_says(client: CrmClient) -> None:
    rows = "Ann Lee|31.12.1980|1.234,50|Rome\n"
    mapping: list[Any] = [
        {"column": "1", "field": "name", "transform": "upper"},
        {"column": "2", "field": "birthday"},
        {"column": "3", "field": "custom_fields.budget", "transform": "number"},
        {"column": "4", "field": "address.city"},
    ]
    options: dict[str, Any] = {"delimiter": "|", "has_header": False, "date_format": "DD.MM.YYYY", "mapping": mapping}
    made = client.contacts.get(
        client.contacts.imports.create(("x.csv", rows.encode()), **options).wait().created_ids[0]
    )
    assert (made.name, str(made.birthday), made.address and made.address.city) == ("ANN LEE", "1980-12-31", "Rome")
    assert float(str(made.custom_fields["budget"])) == 1234.5


def test_an_export_has_the_fields_that_there_are(client: CrmClient) -> None:
    new(client, "Zoë Only", email="zoe@only.example", address={"city": "Köln"}, custom_fields={"a.b": 5})
    fields = ["name", "address.city", "address.postalCode", "customFields.a.b", "firstName"]
    content = client.contacts.export(format="csv", search="zoe@only.example", fields=fields).read()
    assert content.decode("utf-8-sig").splitlines() == [",".join(fields), "Zoë Only,Köln,,5,"]
    for wrong in ("address.planet", "name.city", "planet", "communicationHistory", "title.x"):
        error = refused(partial(client.contacts.export, format="csv", fields=["name", wrong]))
        assert (error.code, error.fields[0].field, error.details) == ("UNKNOWN_FIELD", "fields.1", {"field": wrong})
