"""Imports of any entity: what rows become, what is refused at once, and how an import stops and goes on."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

import httpx
import openpyxl  # type: ignore[import-untyped] # it has no types
import pytest
from imported_files import counts, load, record, result
from refusals import refused

from crm_sdk import CrmClient, InvalidInputError, JobFailedError
from server_stub import StubServer
from server_stub.files.scanning import EICAR

FILES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "contact": ("E-Mail,Vorname,Nachname\nada@any.example,Ada,Any\n", "name", {"name": "Ada Any"}),
    "lead": ("Full name,Amount,Ort\nAda Any,12.50,Rome\n", "value", {"value": Decimal("12.5")}),
    "account": ("Firma,Domain,Number of employees\nAny GmbH,any.example,1200\n", "employees", {"employees": 1200}),
    "deal": ("Deal name,Close date,Stage\nBig one,2026-12-01,Qualified\n", "title", {"title": "Big one"}),
    "activity": ("kind,title,due date\ntask,Call,2026-12-01T10:00:00Z\n", "title", {"title": "Call"}),
    "territory": ("Region code,Gebiet,priority\nN1,North,7\n", "code", {"code": "N1", "priority": 7}),
    "onboarding": ("Name,Status,Topics\nOne,Running,training; single_sign_on\n", "name", {"name": "One"}),
}


@pytest.mark.parametrize("entity", FILES)
def test_every_entity_is_imported_and_repeated_without_a_write(client: CrmClient, entity: str) -> None:
    content, _, expected = FILES[entity]
    done = load(client, entity, content)
    assert (counts(done), done.errors) == ((1, 0, 0, 0), [])
    made = record(client, entity, done)
    assert {name: getattr(made, name) for name in expected} == expected
    head, row = content.splitlines()
    again = load(client, entity, f"id,{head}\n{made.id},{row}\n")
    assert counts(again) == (0, 0, 1, 0)
    assert record(client, entity, done).version == made.version


def test_the_capability_and_the_right_to_import_are_asked_for(client: CrmClient, stub: StubServer) -> None:
    assert refused(lambda: load(client, "user", "name\nAda\n")).code in ("FORBIDDEN", "UNSUPPORTED_OPERATION")
    assert refused(lambda: load(client, "workflow", "name\nAda\n")).code in ("FORBIDDEN", "UNSUPPORTED_OPERATION")
    assert refused(lambda: load(client, "leads", "name\nAda\n")).status == 404
    sales = stub.client(dialects="platform", api_key="acme-sales")
    theirs = client.contacts.create({"name": "Theirs", "external_id": "theirs"})
    done = load(sales, "contact", "external_id,name\ntheirs,Stolen\nmine,Mine\n")
    assert (counts(done), done.errors[0].code) == ((1, 0, 0, 1), "FORBIDDEN")
    assert client.contacts.get(theirs.id).name == "Theirs"


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown field": ({"mapping": [{"column": "name", "field": "nonsense"}]}, "UNKNOWN_FIELD", "mapping.0.field"),
    "read-only": ({"mapping": [{"column": "name", "field": "score"}]}, "FIELD_READ_ONLY", "mapping.0.field"),
    "no column": ({"mapping": [{"column": "x", "field": "name"}]}, "VALIDATION_ERROR", "mapping.0.column"),
    "same name": ({"mapping": [{"column": "twice", "field": "name"}]}, "VALIDATION_ERROR", "mapping.0.column"),
    "field twice": (
        {"mapping": [{"column": "1", "field": "name"}, {"column": "2", "field": "name"}]},
        "VALIDATION_ERROR",
        "mapping.1.field",
    ),
    "required": (
        {"mapping": [{"column": "1", "field": "email"}], "mode": "create"}, "REQUIRED_FIELD_MISSING", "name",
    ),
    "no key": ({"match_on": "score"}, "NOT_A_KEY", "match_on"),
    "constant": ({"values": {"nonsense": 1}}, "UNKNOWN_FIELD", "values.nonsense"),
    "fixed constant": ({"values": {"score": 1}}, "FIELD_READ_ONLY", "values.score"),
    "owner": ({"owner_id": "user_nobody"}, "REFERENCE_NOT_FOUND", "owner_id"),
    "retry": ({"retry_of": "job_none"}, "REFERENCE_NOT_FOUND", "retry_of"),
    "mapping of": ({"mapping_from": "job_none"}, "REFERENCE_NOT_FOUND", "mapping_from"),
    "linked entity": (
        {"links": [{"column": "1", "entity": "acount", "match_on": "name", "field": "account_id"}]},
        "VALIDATION_ERROR", "links.0.entity",
    ),
    "key of a link": (
        {"links": [{"column": "1", "entity": "account", "match_on": "size", "field": "account_id"}]},
        "NOT_A_KEY", "links.0.match_on",
    ),
    "field of a link": (
        {"links": [{"column": "1", "entity": "account", "match_on": "name", "field": "owner_id"}]},
        "VALIDATION_ERROR", "links.0.field",
    ),
    "encoding": ({"encoding": "utf-99"}, "VALIDATION_ERROR", "encoding"),
    "cards": ({"format": "vcf"}, "UNREADABLE_FILE", ""),
}  # fmt: skip


def test_each_thing_that_cannot_be_is_refused_at_once(client: CrmClient) -> None:
    for options, code, field in WRONG.values():
        content = "name,twice,twice\nAda,a,b\n"
        if code == "UNREADABLE_FILE":
            with pytest.raises(JobFailedError) as failed:
                load(client, "lead", content, **options)
            assert failed.value.code == code
            continue
        error = refused(partial(load, client, "lead", content, **options))
        assert (error.status, error.code, error.fields[0].field) == (422, code, field)


def test_exactly_one_file_without_a_virus(client: CrmClient) -> None:
    assert refused(lambda: client.imports.create("lead")).fields[0].field == "file"
    assert refused(lambda: client.imports.create("lead", b"name\n", file_id="file_1")).fields[0].field == "file"
    assert refused(lambda: load(client, "lead", EICAR)).code == "FILE_INFECTED"
    assert refused(lambda: client.contacts.imports.create(("a.csv", EICAR))).code == "FILE_INFECTED"
    assert refused(lambda: load(client, "deal", "x", "a.vcf")).code == "INVALID_FORMAT"
    assert refused(lambda: load(client, "deal", "x", "a.doc")).fields[0].field == "format"


def test_a_file_that_cannot_be_read_fails_the_job(client: CrmClient) -> None:
    cases: list[Any] = [
        ("Jörg\n".encode("latin-1"), "a.csv", {"encoding": "utf-8"}),
        (b"PK\x03\x04 no workbook", "a.xlsx", {}),
        (b"", "a.csv", {}),
        (b"what,ever\n1,2\n", "a.csv", {}),
    ]
    for content, name, options in cases:
        with pytest.raises(JobFailedError) as failed:
            load(client, "lead", content, name, **options)
        assert failed.value.code == "UNREADABLE_FILE", content


def test_a_file_with_more_rows_than_the_setting_is_not_begun(client: CrmClient) -> None:
    client.configuration.settings.update({"imports.max_rows": 2})
    total = client.leads.list(limit=1).total
    with pytest.raises(JobFailedError) as failed:
        load(client, "lead", "name\nA\nB\nC\n")
    assert (failed.value.code, client.leads.list(limit=1).total) == ("TOO_MANY_ROWS", total)
    assert counts(load(client, "lead", "name\nA\nB\n")) == (2, 0, 0, 0)


def test_texts_are_read_right_whatever_wrote_them(client: CrmClient) -> None:
    done = load(client, "lead", b'\xef\xbb\xbfname;notes\r\n"Ada";"one\r\ntwo"\r\n\r\n')
    made = record(client, "lead", done)
    assert (made.name, made.notes.splitlines() if isinstance(made.notes, str) else made.notes) in (
        ("Ada", ["one", "two"]), ("Ada", ["one\r\ntwo"]), ("Ada", ["one\ntwo"]),
    )  # fmt: skip


def test_a_workbook_is_its_first_sheet_with_its_types(stub: StubServer) -> None:
    globex = stub.client(dialects="platform", api_key="globex-admin")  # where a comma stands before decimals
    book = openpyxl.Workbook()
    book.active.append(["name", "annual_revenue", "phone"])
    book.active.append(["Ada", 1234.5, 1711234567])
    book.active.append(["Lost", "1.234,5", "4.91711E+11"])
    other = book.create_sheet("other")
    other.append(["name"])
    other.append(["Never"])
    book.active = 1
    content = io.BytesIO()
    book.save(content)
    done = load(globex, "lead", content.getvalue(), "rows.xlsx")
    assert (counts(done), done.errors[0].field) == ((1, 0, 0, 1), "phone")
    made = record(globex, "lead", done)
    assert (made.name, made.annual_revenue, made.phone) == ("Ada", Decimal("1234.5"), "+491711234567")


NUMBERS = [
    ("acme-admin", "1,234.56", "1234.56"), ("acme-admin", "1234.5", "1234.5"), ("acme-admin", "$ 7", "7"),
    ("acme-admin", "1.234,56", None), ("acme-admin", "1,5", None), ("acme-admin", "12,34", None),
    ("globex-admin", "1.234,56", "1234.56"), ("globex-admin", "1.234", "1234"), ("globex-admin", "1,5", "1.5"),
    ("globex-admin", "1,234.56", None), ("globex-admin", "1.5", None), ("globex-admin", "x", None),
]  # fmt: skip


def test_numbers_are_those_of_the_locale_or_no_numbers(stub: StubServer) -> None:
    for key, cell, value in NUMBERS:
        client = stub.client(dialects="platform", api_key=key)
        content = f'name,value\nAda,"{cell}"\n'
        (row,) = client.imports.preview("lead", ("a.csv", content.encode())).rows
        done = load(client, "lead", content)
        if value is None:
            assert (row.outcome, row.errors[0].field, row.errors[0].rule) == ("fail", "value", "format")
            assert (done.errors[0].field, done.errors[0].value) == ("value", cell)
        else:
            assert record(client, "lead", done).value == Decimal(value)


def test_dates_are_iso_or_of_the_format_that_is_given(client: CrmClient) -> None:
    content = "name,birthday\nAda,31.12.1980\nBen,1981-01-02\n"
    assert [(e.row, e.field) for e in load(client, "contact", content).errors] == [(1, "birthday")]
    done = load(client, "contact", content, date_format="DD.MM.YYYY")
    assert [record(client, "contact", done, place).birthday for place in (0, 1)] == [
        date(1980, 12, 31),
        date(1981, 1, 2),
    ]


def test_a_mapping_its_transforms_defaults_and_constants(client: CrmClient) -> None:
    mapping: list[Any] = [
        {"column": "Who", "field": "name", "transform": "title"},
        {"column": "2", "field": "email", "transform": "lower"},
        {"column": "City", "field": "address.city", "default": "Rome"},
        {"column": "Tier", "field": "custom_fields.tier", "transform": "upper"},
    ]
    content = "Who,E,City,Tier,Rest\nada ANY,ADA@MAP.EXAMPLE,,gold,x\n"
    values = {"tags": ["fair"], "address": {"country": "IT"}}
    done = load(client, "lead", content, mapping=mapping, values=values, owner_id="user_ada")
    made = record(client, "lead", done)
    assert (made.name, made.email, made.tags, made.owner_id) == ("Ada Any", "ada@map.example", ["fair"], "user_ada")
    assert (made.address.city, made.address.country, made.custom_fields) == ("Rome", "IT", {"tier": "GOLD"})
    assert result(done).unmapped_columns == ["Rest"]
    again = load(client, "lead", content.replace("ada", "bea").replace("ADA", "BEA"), mapping_from=done.id)
    assert record(client, "lead", again).name == "Bea Any"
    both = refused(lambda: load(client, "lead", content, mapping=mapping, mapping_from=done.id))
    assert both.fields[0].field == "mapping_from"


def test_links_are_found_created_or_refused(client: CrmClient) -> None:
    for name in ("Twin", "Twin", "Only"):
        client.accounts.create({"name": name})
    link: dict[str, Any] = {"column": "Works at", "entity": "account", "match_on": "name", "field": "account_id"}
    content = "name,Works at\nA,Only\nB,Twin\nC,Brand new\nD,\nE,Brand new\n"
    done = load(client, "contact", content, links=[link])
    assert [(error.row, error.field, error.code, error.value) for error in done.errors] == [
        (2, "account_id", "AMBIGUOUS_MATCH", "Twin"),
        (3, "account_id", "REFERENCE_NOT_FOUND", "Brand new"),
        (5, "account_id", "REFERENCE_NOT_FOUND", "Brand new"),
    ]
    assert (record(client, "contact", done).company, result(done).unmapped_columns) == ("Only", [])
    again = load(client, "contact", content, links=[link | {"create_missing": True}])
    assert counts(again) == (4, 0, 0, 1)
    assert client.accounts.list(search="Brand new").total == 1
    with pytest.raises(InvalidInputError, match="links"):
        load(client, "contact", content, links=[link] * 6)


MODES = [
    ({}, (1, 1, 0, 0)), ({"mode": "create"}, (1, 0, 1, 0)), ({"mode": "update"}, (0, 1, 0, 1)),
    ({"on_duplicate": "skip"}, (1, 0, 1, 0)), ({"on_duplicate": "fail"}, (1, 0, 0, 1)),
]  # fmt: skip


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(("options", "expected"), MODES)
def test_modes_and_duplicates(
    client: CrmClient, stub: StubServer, options: dict[str, Any], expected: tuple[int, ...], *, dry_run: bool
) -> None:
    known = client.leads.create({"name": "Known", "external_id": "k"})
    total = client.leads.list(limit=1).total
    done = load(client, "lead", "external_id,name\nk,Changed\nn,New\n", dry_run=dry_run, **options)
    assert (counts(done), result(done).dry_run) == (expected, dry_run)
    assert client.leads.list(limit=1).total == (total or 0) + (0 if dry_run else expected[0])
    changed = bool(expected[1]) and not dry_run
    assert client.leads.get(known.id).name == ("Changed" if changed else "Known")
    assert ("data.imported" in [entry["action"] for entry in stub.audit()]) is not dry_run


def test_an_error_file_has_the_rows_with_what_is_wrong(client: CrmClient) -> None:
    done = load(client, "lead", "Name,Name,value\nAda,x,1\nBen,y,many\n,z,2\n", mapping=[
        {"column": "1", "field": "name"}, {"column": "value", "field": "value"},
    ])  # fmt: skip
    assert done.file_id == result(done).error_file_id
    text = client.files.download(str(done.file_id)).read().decode("utf-8-sig")
    head, *rows = csv.reader(io.StringIO(text))
    assert head == ["Name", "Name", "value", "_row", "_field", "_code", "_message", "_value"]
    assert [(row[:5], row[5], row[7]) for row in rows] == [
        (["Ben", "y", "many", "2", "value"], "VALIDATION_ERROR", "many"),
        (["", "z", "2", "3", "name"], "VALIDATION_ERROR", ""),
    ]


@pytest.mark.parametrize(("name", "file"), [("rows.csv", "rows-errors.csv"), ("a.b.tsv", "a.b-errors.csv")])
def test_an_error_file_is_called_like_the_file(client: CrmClient, name: str, file: str) -> None:
    job = client.imports.create("lead", (name, b"name\tvalue\nAda\tmany\n"), delimiter="\t")
    job.wait()
    assert client.files.get(client.jobs.get(job.id).file_id or "").name == file
    bare = client.imports.create("lead", ("rows", b"name,value\nAda,many\n"), format="csv")
    bare.wait()
    assert client.files.get(client.jobs.get(bare.id).file_id or "").name == "rows-errors.csv"


def test_an_import_stops_after_errors_and_goes_on_with_the_rest(client: CrmClient, stub: StubServer) -> None:
    rows = [("a", "1"), ("b", "2"), ("c", "3"), ("d", "x"), ("e", "4"), ("f", "x"), ("g", "5")]
    content = "external_id,name,value\n" + "".join(f"{key},Lead {key},{value}\n" for key, value in rows)
    with pytest.raises(JobFailedError) as failed:
        load(client, "lead", content, batch_size=2, stop_after_errors=1)
    stopped = client.jobs.get(str(getattr(failed.value.job, "id", "")))
    assert (failed.value.code, counts(stopped)) == ("TOO_MANY_ERRORS", (2, 0, 0, 1))
    assert stopped.file_id is not None
    there = client.objects.batch_get("lead", [key for key, _ in rows], match_on="external_id").items
    assert [item.status for item in there] == ["ok"] * 2 + ["failed"] * 5
    rest = load(client, "lead", content, retry_of=stopped.id)
    assert rest.counts is not None
    assert (rest.counts.total, counts(rest)) == (5, (3, 0, 0, 2))
    assert [error.row for error in rest.errors] == [4, 6]
    last = load(client, "lead", content, retry_of=rest.id)
    assert (last.counts and last.counts.total, counts(last)) == (2, (0, 0, 0, 2))
    changed = refused(lambda: load(client, "lead", content + "h,H,1\n", retry_of=rest.id))
    assert (changed.status, changed.code) == (409, "IMPORT_FILE_CHANGED")


def test_a_cancelled_import_keeps_its_batches_and_goes_on(client: CrmClient, stub: StubServer) -> None:
    content = "name\n" + "".join(f"Lead {number}\n" for number in range(6))
    job = client.imports.create("lead", ("rows.csv", content.encode()), batch_size=2)
    while (state := client.jobs.get(job.id)).counts is None or state.counts.processed < 2:
        stub.clock.advance(0.1)
    assert 0 < (state.progress or 0) < 1
    stopped = client.jobs.cancel(job.id)
    done = stopped.counts.created if stopped.counts else 0
    assert (stopped.status, done % 2) == ("cancelled", 0)
    rest = load(client, "lead", content, retry_of=job.id)
    assert counts(rest) == (6 - done, 0, 0, 0)
    assert [entry["action"] for entry in stub.audit()].count("data.imported") == 2
    unread = client.imports.create("lead", ("rows.csv", content.encode()))
    assert unread.id in stub.store.collection("tenant_acme", "import_file")
    assert client.jobs.cancel(unread.id).status == "cancelled"
    assert unread.id not in stub.store.collection("tenant_acme", "import_file")
    assert [entry["action"] for entry in stub.audit()].count("data.imported") == 2, "it wrote nothing"


def test_both_doors_lead_to_one_store_of_jobs(client: CrmClient, stub: StubServer) -> None:
    job = client.imports.create("contact", ("rows.csv", b"name\nAda Door\n"))
    job.wait()
    assert client.contacts.imports.get(job.id).kind == "import"
    other = client.imports.create("lead", ("rows.csv", b"name\nAda Door\n"))
    assert refused(lambda: client.contacts.imports.get(other.id)).status == 404
    documented = client.contacts.imports.create(("rows.csv", b"name,email\nBea,bea@door.example\nBad,no\n"))
    documented.wait()
    assert {one.id for one in client.jobs.list(kind=["import", "contact_import"])} >= {job.id, documented.id}
    retry = load(client, "contact", b"name,email\nBea,bea@door.example\nBad,no\n", retry_of=documented.id)
    assert (retry.counts and retry.counts.total, counts(retry)) == (1, (0, 0, 0, 1))
    assert [entry["action"] for entry in stub.audit()].count("contact.import_completed") == 3


def test_the_numbers_of_two_companies_never_meet(client: CrmClient, stub: StubServer) -> None:
    done = load(client, "lead", "name\nAda\n")
    globex = stub.client(dialects="platform", api_key="globex-admin")
    for call in (
        lambda: globex.imports.revert(done.id),
        lambda: load(globex, "lead", "name\nAda\n", retry_of=done.id),
        lambda: load(globex, "lead", "name\nAda\n", mapping_from=done.id),
    ):
        assert refused(call).code in ("NOT_FOUND", "REFERENCE_NOT_FOUND")


def test_what_a_company_has_is_read_by_another(client: CrmClient, stub: StubServer) -> None:
    made = client.leads.create({"name": "Ada"})
    own = {"id": made.id, "name": "Ada", "address": {"city": "Rome", "postalCode": "1"}, "score": 7, "externalId": "x"}
    content = json.dumps({**own, "customFields": {"Tier": "gold", "n": 2}, "tags": ["a", "b"], "version": 3})
    globex = stub.client(dialects="platform", api_key="globex-admin")
    done = load(globex, "lead", content + "\n", "rows.jsonl")
    copy = record(globex, "lead", done)
    assert (copy.address.city, copy.address.postal_code, copy.custom_fields) == ("Rome", "1", {"Tier": "gold", "n": 2})
    assert (copy.external_id, copy.tags, copy.id != made.id) == ("x", ["a", "b"], True)


def test_the_id_of_a_merged_record_is_refused(client: CrmClient) -> None:
    one = client.contacts.create({"name": "Ada Twin", "email": "one@twin.example"})
    two = client.contacts.create({"name": "Ada Twin", "email": "two@twin.example"})
    client.contacts.deduplicate(mode="merge", groups=[{"survivor_id": one.id, "contact_ids": [one.id, two.id]}])
    done = load(client, "contact", f"id,title\n{two.id},CEO\n{one.id},CFO\ncontact_none,CTO\n", match_on="id")
    assert [(error.row, error.code) for error in done.errors] == [(1, "RECORD_MERGED"), (3, "NOT_FOUND")]


def test_a_retry_of_a_retry_takes_what_the_first_import_was_given(client: CrmClient) -> None:
    content = "A,B\nx,31.12.1980\n,01.01.1981\n"
    mapping: list[Any] = [{"column": "A", "field": "name"}, {"column": "B", "field": "birthday"}]
    first = load(client, "contact", content, mapping=mapping, values={"tags": ["fair"]}, owner_id="user_sam",
                 date_format="DD.MM.YYYY")  # fmt: skip
    assert counts(first) == (1, 0, 0, 1)
    second = load(client, "contact", content, retry_of=first.id)
    third = load(client, "contact", content, retry_of=second.id, values={"name": "Given"})
    assert (counts(second), counts(third)) == ((0, 0, 0, 1), (1, 0, 0, 0))
    made = record(client, "contact", third)
    assert (made.name, made.birthday, made.owner_id, made.tags) == ("Given", date(1981, 1, 1), "user_sam", [])
    documented = client.contacts.imports.create(("r.csv", content.encode()), mapping=mapping, date_format="DD.MM.YYYY")
    documented.wait()
    again = load(client, "contact", content, mapping_from=documented.id, date_format="DD.MM.YYYY")
    assert counts(again) == (1, 0, 0, 1)


@pytest.mark.parametrize("path", ["imports", "imports/preview", "contacts/import"])
def test_parts_of_a_form_may_be_json(stub: StubServer, path: str) -> None:
    parts = {
        "mapping": '[{"column": "who", "field": "name"}]',
        **({"entity": "contact"} if path != "contacts/import" else {}),
        **({"values": '{"title": "Guest", "tags": ["a", "b"]}'} if path == "imports" else {}),
    }
    headers = {"Authorization": "Bearer acme-admin"}
    with httpx.Client(transport=stub.transport(), base_url="http://stub.test/platform/v1/", headers=headers) as raw:
        reply = raw.post(path, files={"file": ("guests.csv", b"who\nEva Part\n")}, data=parts)
        assert reply.status_code in (200, 202), reply.text
        stub.clock.advance(60)
        if path == "imports/preview":
            assert reply.json()["data"]["rows"][0]["values"] == {"name": "Eva Part"}
            return
        (made,) = raw.get("contacts", params={"search": "Eva Part"}).json()["data"]
    assert (made["title"], made["tags"]) == (("Guest", ["a", "b"]) if path == "imports" else (None, []))
