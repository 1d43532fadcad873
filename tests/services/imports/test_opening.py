"""How a file is opened for an import: its columns, what fills every record, its links, and what is too much."""

from __future__ import annotations

import io
from functools import partial
from typing import Any

import openpyxl  # type: ignore[import-untyped] # it has no types
import pytest
from imported_files import counts, load, record, result
from refusals import refused

from crm_sdk import CrmClient, JobFailedError
from server_stub import StubServer


def mapped(**fields: str) -> Any:
    return [{"column": column, "field": field} for column, field in fields.items()]


def fields_of(client: CrmClient, entity: str, content: str) -> list[tuple[str | None, str | None]]:
    found = client.imports.preview(entity, ("rows.csv", content.encode())).columns
    return [(one.suggested_field, one.reason) for one in found]


def test_the_header_is_the_line_with_the_columns_of_the_mapping(client: CrmClient) -> None:
    rows = "Report;\n of ;1\n WHO ;Mail;x\nAda;a@x.example;1\n"
    for mapping in (mapped(who="name", mail="email"), mapped(Who="name", MAIL="email", X="title")):
        found = client.imports.preview("lead", ("rows.csv", rows.encode()), mapping=mapping)
        assert [one.column for one in found.columns] == ["WHO", "Mail", "x"]
        assert found.rows[0].values["email"] == "a@x.example"
    for name, given, shown in (
        ("rows.tsv", None, "\t"), ("ROWS.TAB", None, "\t"), ("rows.csv", None, ","), ("rows.tsv", ",", ","),
        ("rows.csv", "\t", "\t"),
    ):  # fmt: skip
        one = client.imports.preview("lead", (name, b"name\nAda\n"), delimiter=given)
        assert (one.delimiter, one.encoding, one.readable) == (shown, "utf-8", True), (name, given)


def test_the_last_import_of_the_same_header_says_what_the_columns_are(client: CrmClient) -> None:
    rows, other = "A,B\nAda,Lee\n", [(None, None)] * 2
    load(client, "lead", rows, mapping=mapped(A="name", B="title"))
    load(client, "lead", rows, mapping=mapped(B="name"))
    load(client, "lead", "A,C\nx,y\n", mapping=mapped(A="title", C="name"))
    load(client, "contact", rows, mapping=mapped(A="department", B="name"))
    client.contacts.imports.create(("rows.csv", rows.encode()), mapping=mapped(A="name")).wait()
    linked: Any = [{"column": name, "entity": "account", "match_on": "name", "field": "account_id"} for name in "AB"]
    load(client, "contact", rows, links=linked, values={"name": "Ada"})
    assert fields_of(client, "lead", rows) == [(None, None), ("name", "previous")]
    assert fields_of(client, "contact", rows) == [("department", "previous"), ("name", "previous")]
    assert fields_of(client, "lead", "A,C\nx,y\n") == [("title", "previous"), ("name", "previous")]
    assert fields_of(client, "account", rows) == fields_of(client, "lead", "B,A\nx,y\n") == other


def test_values_fill_every_record_by_the_names_of_its_fields(client: CrmClient) -> None:
    values: Any = {
        "address": {"postalCode": "53111", "city": "Bonn"}, "customFields": {"tier": "gold"}, "firstName": "A",
    }  # fmt: skip
    done = load(client, "lead", "name,City\nAda,Rome\n", values=values, owner_id="user_sam")
    made = record(client, "lead", done)
    assert (made.name, made.first_name, made.owner_id, made.custom_fields) == ("Ada", "A", "user_sam", {"tier": "gold"})
    assert (made.address.postal_code, made.address.city) == ("53111", "Bonn")
    done = load(client, "onboarding", "name\nOne\n", values={"fields": {"status": "planned"}})
    assert (counts(done), record(client, "onboarding", done).fields["status"]) == ((1, 0, 0, 0), "planned")
    refusals: list[tuple[str, dict[str, Any], tuple[str, str, str]]] = [
        ("onboarding", {"fields": 5}, ("VALIDATION_ERROR", "values.fields", "type")),
        ("onboarding", {"fields": {"nope": 5}}, ("UNKNOWN_FIELD", "values.fields.nope", "choice")),
        ("contact", {"fields": {"name": "A"}}, ("UNKNOWN_FIELD", "values.fields", "choice")),
        ("contact", {"customFields": "x"}, ("VALIDATION_ERROR", "values.custom_fields", "type")),
        ("contact", {"nope": "x"}, ("UNKNOWN_FIELD", "values.nope", "choice")),
        ("contact", {"createdAt": "x"}, ("FIELD_READ_ONLY", "values.created_at", "read_only")),
    ]
    for entity, given, expected in refusals:
        error = refused(partial(load, client, entity, "name\nA\n", values=given))
        (entry,) = error.fields
        assert (error.code, entry.field, entry.rule) == expected, given
        assert entry.rule != "type" or entry.message == "must be an object"


def test_a_file_with_too_many_rows_says_how_many_it_may_have(client: CrmClient) -> None:
    client.configuration.settings.update({"imports.max_rows": 1_000})
    for rows in (1_000, 1_001):
        found = client.imports.preview("lead", ("rows.csv", b"name,email\n" + b"A,no\n" * rows), sample=1)
        assert [error.code for error in found.errors] == ["TOO_MANY_ROWS"] * (rows - 1_000)
        assert (found.readable, found.row_count, len(found.rows)) == (True, rows, 1_001 - rows)
        job = client.imports.create("lead", ("rows.csv", b"name,email\n" + b"A,no\n" * rows), stop_after_errors=1)
        with pytest.raises(JobFailedError) as failed:
            job.wait()
        error = client.jobs.get(job.id).error
        assert error is not None and error.code == failed.value.code
        if rows == 1_000:
            assert error.code == "TOO_MANY_ERRORS"
        else:
            assert (error.code, error.field, error.message, error.details) == (
                "TOO_MANY_ROWS", "file", "the file has 1,001 rows; an import has at most 1,000",
                {"limit": 1_000, "given": 1_001},
            )  # fmt: skip


def test_what_is_not_known_of_a_file_is_named(client: CrmClient) -> None:
    book, content = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["foo", "bar"])
    book.active.append([1, 2])
    book.save(content)
    message = "mapping: none of the columns foo, bar is known for records of the type lead; give a mapping"
    for name, raw, hint in (
        ("rows.csv", b"foo,bar\n1,2\n", "; if they are not told apart, give delimiter"),
        ("rows.jsonl", b'{"foo": 1, "bar": 2}\n', ""), ("rows.xlsx", content.getvalue(), ""),
    ):  # fmt: skip
        (error,) = client.imports.preview("lead", (name, raw)).errors
        assert error.message == message + hint, name
        with pytest.raises(JobFailedError, match="none of the columns foo, bar is known"):
            load(client, "lead", raw, name)
    long = ",".join(f"column{number:04}" for number in range(100))
    (error,) = client.imports.preview("lead", ("rows.csv", f"{long}\n1\n".encode())).errors
    assert f"the columns {long.replace(',', ', ')[:500]} is known" in error.message
    cards = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ada\r\nEND:VCARD\r\n"
    for entity in ("contact", "lead"):
        assert client.imports.preview(entity, ("a.vcf", cards)).rows[0].values["name"] == "Ada"
    refusal = refused(lambda: load(client, "account", cards, "a.vcf"))
    assert (refusal.code, refusal.message, refusal.fields[0].field, refusal.fields[0].rule) == (
        "INVALID_FORMAT", "there are no cards of the type account; use csv, xlsx or jsonl", "format", "choice",
    )  # fmt: skip


def test_a_link_is_by_a_key_and_to_a_field_that_holds_such_records(client: CrmClient, stub: StubServer) -> None:
    account = client.accounts.create({"name": "Firm", "external_id": "f1"})
    link: Any = {"column": "Firm", "entity": "account", "match_on": "name", "field": "account_id"}
    rows = "name,Firm,Rest\nAda,Firm,x\nBea,f1,y\n"

    def linked(**given: Any) -> Any:
        return load(client, "contact", rows, links=[{**link, **given}])

    done = linked(column="firm", field="accountId")
    assert (record(client, "contact", done).account_id, result(done).unmapped_columns) == (account.id, ["Rest"])
    done = linked(column="2", match_on="externalId")
    assert record(client, "contact", done).account_id == account.id
    assert [(error.row, error.field, error.code) for error in done.errors] == [(1, "account_id", "REFERENCE_NOT_FOUND")]
    keys = {"keys": ["id", "external_id", "domain", "name"]}
    for given, code, field, rule, details in (
        ({"match_on": "size"}, "NOT_A_KEY", "match_on", "choice", keys),
        ({"field": "owner_id"}, "VALIDATION_ERROR", "field", "reference", {}),
        ({"field": "title"}, "VALIDATION_ERROR", "field", "reference", {}),
        ({"entity": "user", "field": "owner_id", "match_on": "id"}, None, "", "", {}),
        ({"entity": "user", "field": "owner_id", "match_on": "email", "create_missing": True},
         "UNSUPPORTED_OPERATION", None, None, None),
    ):  # fmt: skip
        if code is None:
            assert [error.code for error in linked(**given).errors] == ["REFERENCE_NOT_FOUND"] * 2
            continue
        error = refused(partial(linked, **given))
        assert (error.status, error.code) == (422, code), given
        shown = [(entry.field, entry.rule, entry.details) for entry in error.fields]
        assert shown == ([(f"links.0.{field}", rule, details)] if field is not None else []), given
    both = refused(lambda: load(client, "contact", rows, links=[{**link, "field": "title"}, {**link, "column": "x"}]))
    assert [entry.field for entry in both.fields] == ["links.0.field", "links.1.column"]
    (tenant,) = stub.store.collection("tenant_acme", "tenant").all()
    stub.store.collection("tenant_acme", "tenant").put(tenant | {"features": {"accounts": False}})
    assert refused(linked).code == "FEATURE_DISABLED"
