"""The preview of an import: what columns seem to hold, what is wrong, and that the import does what was said."""

from __future__ import annotations

from typing import Any

import pytest
from refusals import refused

from crm_sdk import AsyncCrmClient, CrmClient
from crm_sdk.models import ImportPreview
from server_stub import StubServer
from server_stub.languages.negotiation import SHIPPED


def look(client: CrmClient, entity: str, content: str | bytes, name: str = "rows.csv", **options: Any) -> ImportPreview:
    raw = content.encode() if isinstance(content, str) else content
    return client.imports.preview(entity, (name, raw), **options)


SUGGESTED: list[tuple[str, dict[str, tuple[str | None, str | None]]]] = [
    ("contact", {
        "email": ("email", "exact"), "firstName": ("first_name", "exact"), "Telefon": ("phone", "label"),
        "PLZ": ("address.postal_code", "synonym"), "custom_fields.Tier": ("custom_fields.Tier", "exact"),
        "customFields.More": ("custom_fields.More", "exact"), "Geburtstag": ("birthday", "label"),
        "Homepage": ("website", "synonym"), "Abteilung": ("department", "label"), "Ort": ("address.city", "synonym"),
        "Sprache": ("language", "label"), "Position": ("title", "synonym"), "Stars *": (None, None), "!": (None, None),
    }),
    ("contact", {"E-Mail-Adresse": ("email", "synonym"), "Home Phone": ("phone", "synonym")}),
    ("contact", {"البريد الإلكتروني": ("email", "label")}),
    ("lead", {
        "Amount": ("value", "synonym"), "Annual revenue": ("annual_revenue", "exact"), "score": (None, None),
        "id": ("external_id", "synonym"), "Work City": ("address.city", "synonym"),
    }),
    ("deal", {
        "Deal name": ("title", "synonym"), "Erwarteter Abschluss": ("expected_close_date", "label"),
        "Besitzer": ("owner_id", "synonym"), "Etiketten": ("tags", "synonym"), "Lead source": ("source", "synonym"),
        "Vorname": (None, None), "Abteilung": (None, None), "Work City": (None, None), "Ort": (None, None),
    }),
    ("deal", {"closedate": ("expected_close_date", "synonym"), "Position": (None, None), "Job title": (None, None)}),
    ("account", {
        "City": ("billing_address.city", "synonym"), "Número": (None, None), "Homepage": ("website", "synonym"),
        "Telefonnummer": ("phone", "synonym"), "Besitzer": ("owner_id", "synonym"), "Position": (None, None),
        "Geburtstag": (None, None), "Sprache": (None, None),
    }),
    ("account", {"Ort": ("billing_address.city", "synonym")}),
    ("activity", {"deadline": ("due_at", "synonym")}),
    ("territory", {"Kürzel": ("code", "label")}),
    ("onboarding", {"Go live": ("fields.go_live", "exact"), "Position": (None, None)}),
]  # fmt: skip
"""By entity the headers of a file, and of each the field that it names and why."""


def test_headers_are_known_by_names_labels_and_synonyms(client: CrmClient) -> None:
    """Words of people are those of others where they mean the same. A header without a word names nothing."""
    client.customization.fields.create("contact", {"api_name": "asked", "label": "?", "type": "text"})
    for entity, headers in SUGGESTED:
        columns = look(client, entity, f"{','.join(headers)}\n{','.join('x' * len(headers))}\n").columns
        assert [(one.column, one.index, one.filled, one.samples) for one in columns] == [
            (header, number, 1, ["x"]) for number, header in enumerate(headers, start=1)
        ]
        assert {one.column: (one.suggested_field, one.reason) for one in columns} == headers, entity
        assert all((one.confidence > 0) is (one.suggested_field is not None) for one in columns)


def test_what_a_column_holds_is_read_of_the_rows_that_have_it(client: CrmClient) -> None:
    """Of JSON lines some have no value, and some are no record."""
    rows = '{"name": "A", "Seen": null}\n{"name": "B"}\n{"name": "C", "Seen": " a@x.example "}\n[]\n'
    name, seen = look(client, "contact", rows, "rows.jsonl").columns
    assert (name.filled, name.distinct, name.samples, name.suggested_field) == (3, 3, ["A", "B", "C"], "name")
    assert (seen.filled, seen.distinct, seen.samples) == (1, 1, ["a@x.example"])
    assert (seen.suggested_field, seen.reason, seen.confidence) == ("email", "values", 70)
    for id, field in (("null", "external_id"), ("5", "external_id"), ('"contact_1"', "id"), ('" contact_1"', "id")):
        (column, _) = look(client, "contact", f'{{"id": {id}, "name": "A"}}\n[]\n', "rows.jsonl").columns
        assert column.suggested_field == field, id


def test_columns_are_known_by_their_values_and_by_the_last_import(client: CrmClient) -> None:
    rows = "".join(f"Ada {n},ada{n}@look.example,{n}\n" for n in range(9)) + "Ben,none,9\n"
    seen = look(client, "lead", "A,B,C\n" + rows).columns
    assert [(one.suggested_field, one.reason) for one in seen] == [(None, None), ("email", "values"), (None, None)]
    assert (seen[1].distinct, len(seen[1].samples)) == (10, 5)
    mapping: list[Any] = [{"column": "A", "field": "name"}, {"column": "C", "field": "employees"}]
    client.imports.create("lead", ("rows.csv", f"A,B,C\n{rows}".encode()), mapping=mapping).wait()
    seen = look(client, "lead", "A,B,C\nx,y,1\n").columns
    assert [(one.suggested_field, one.reason) for one in seen] == [
        ("name", "previous"), (None, None), ("employees", "previous"),
    ]  # fmt: skip


def test_each_field_is_suggested_once_for_the_best_column(client: CrmClient) -> None:
    found = look(client, "contact", "E-Mail-Adresse,email,name,name\na@b.example,c@d.example,Ada,Ben\n")
    assert [one.suggested_field for one in found.columns] == [None, "email", "name", None]
    assert [(one["column"], one["field"]) for one in found.mapping] == [("email", "email"), ("3", "name")]
    client.imports.create("contact", ("rows.csv", b"E-Mail-Adresse,email,name,name\na@b.example,c@d.example,Ada,Ben\n"),
                          mapping=found.mapping).wait()  # fmt: skip
    assert [one.name for one in client.contacts.list(search="c@d.example")] == ["Ada"]


def test_an_unreadable_file_is_told_in_the_answer(client: CrmClient) -> None:
    cases: list[Any] = [
        ("Jörg\n".encode("latin-1"), "a.csv", {"encoding": "utf-8"}, "encoded"),
        (b"PK\x03\x04 no workbook", "a.xlsx", {}, "xlsx"),
        (b"", "a.csv", {}, "empty"),
        (b"x", "a.doc", {}, "format"),
        (b"x", "a.csv", {"encoding": "utf-99"}, "encoding"),
    ]
    for content, name, options, word in cases:
        found = look(client, "lead", content, name, **options)
        assert (found.readable, found.rows, found.row_count) == (False, [], 0), content
        assert word in found.errors[0].message, content


@pytest.mark.parametrize("encoding", ["utf-99", "base64_codec"])
def test_an_encoding_that_is_none_is_named(client: CrmClient, encoding: str) -> None:
    for name, content in (("a.csv", "name\nAda\n"), ("a.jsonl", '{"name": "Ada"}\n')):
        found = look(client, "lead", content, name, encoding=encoding)
        assert (found.readable, [error.field for error in found.errors]) == (False, ["encoding"]), name
        assert (found.encoding, found.has_header, found.row_count, found.columns) == (encoding, True, 0, [])
    unread = look(client, "lead", b"", "a.xlsx")
    assert (unread.readable, unread.encoding, unread.format, unread.delimiter) == (False, "", "xlsx", None)
    told = [look(client, "lead", content, name) for name, content in (("a.csv", "name\nAda\n"), ("a.jsonl", "{}\n"))]
    assert [(one.encoding, one.has_header, one.delimiter) for one in told] == [
        ("utf-8", True, ","),
        ("utf-8", False, None),
    ]


def test_what_an_import_would_refuse_is_told_in_the_answer(client: CrmClient) -> None:
    cases: list[Any] = [
        ({"mapping": [{"column": "name", "field": "nonsense"}]}, "UNKNOWN_FIELD"),
        ({"mapping": [{"column": "name", "field": "score"}]}, "FIELD_READ_ONLY"),
        ({"mapping": [{"column": "other", "field": "name"}]}, "VALIDATION_ERROR"),
        ({"match_on": "score"}, "NOT_A_KEY"),
    ]
    for options, code in cases:
        found = look(client, "lead", "name\nAda\n", **options)
        assert (found.readable, [error.code for error in found.errors], found.rows) == (True, [code], []), options


def test_how_a_file_is_read_is_told(client: CrmClient) -> None:
    found = look(client, "lead", "name;email\nJörg;\n".encode("cp1252"))
    assert (found.format, found.delimiter, found.encoding, found.has_header) == ("csv", ";", "cp1252", True)
    assert found.rows[0].values == {"name": "Jörg"}
    plain = look(client, "lead", "Ada,ada@look.example\n", has_header=False)
    assert [(one.column, one.suggested_field) for one in plain.columns] == [("1", None), ("2", "email")]
    assert plain.unmapped_required == ["name"]
    lines = look(client, "lead", '{"name": "Ada", "value": 1.5}\n', "rows.jsonl")
    assert (lines.format, lines.delimiter, lines.rows[0].values) == ("jsonl", None, {"name": "Ada", "value": 1.5})


@pytest.mark.parametrize("options", [{}, {"mode": "create"}, {"mode": "update"}, {"match_on": "email"}])
def test_the_import_does_what_the_preview_says(client: CrmClient, stub: StubServer, options: dict[str, Any]) -> None:
    client.leads.create({"name": "Known", "external_id": "k", "email": "known@look.example"})
    client.leads.create({"name": "Same", "external_id": "s", "email": "same@look.example"})
    content = (
        "external_id,name,email\nk,Other,known@look.example\ns,Same,same@look.example\nn,New,new@look.example\n"
        "n,Newer,new@look.example\nb,Bad,no address\n,Keyless,\n"
    )
    total, trail = client.leads.list(limit=1).total, len(stub.audit())
    said = look(client, "lead", content, sample=3, **options)
    assert (client.leads.list(limit=1).total, len(stub.audit())) == (total, trail)
    assert ([row.row for row in said.rows], said.row_count, said.counts.total) == ([1, 2, 3], 6, 6)
    for dry_run in (True, False):
        job = client.imports.create("lead", ("rows.csv", content.encode()), dry_run=dry_run, **options)
        job.wait()
        assert said.counts == client.jobs.get(job.id).counts


def test_matches_and_errors_of_rows(client: CrmClient) -> None:
    known = client.leads.create({"name": "Known", "external_id": "k"})
    rows = look(client, "lead", "external_id,name,email\nk,Known,\nk,Other,no address\nn,,a@look.example\n").rows
    assert [(row.outcome, row.match_id) for row in rows] == [("skip", known.id), ("fail", known.id), ("fail", None)]
    assert [(error.field, error.rule) for row in rows for error in row.errors] == [
        ("email", "format"), ("name", "required"),
    ]  # fmt: skip
    assert rows[0].values == {"externalId": "k", "name": "Known"}


def test_a_preview_needs_the_right_to_import(client: CrmClient, stub: StubServer) -> None:
    client.users.create({"email": "eye@acme.test", "name": "Eye", "role": "read_only", "password": "Demo-passw0rd!9"})
    reader = stub.client(dialects="platform", api_key=None)
    reader.auth.login("eye@acme.test", "Demo-passw0rd!9")
    assert refused(lambda: look(reader, "lead", "name\nAda\n")).status == 403
    assert refused(lambda: look(client, "leads", "name\nAda\n")).status == 404


@pytest.mark.anyio
async def test_the_async_client_has_the_same_calls(stub: StubServer) -> None:
    async with stub.async_client(dialects="platform") as client:
        assert isinstance(client, AsyncCrmClient)
        found = await client.imports.preview("lead", ("rows.csv", b"name\nAda\n"))
        assert found.counts.created == 1
        job = await client.imports.create("lead", ("rows.csv", b"name\nAda\n"))
        assert len((await job.wait()).created_ids) == 1
        back = await client.imports.revert(job.id)
        assert (await back.wait()).deleted == 1


@pytest.mark.parametrize("language", SHIPPED)
def test_every_label_that_is_described_is_known_again(client: CrmClient, language: str) -> None:
    described = client.with_options(language=language).objects.describe("deal").fields
    labels = {one.label: one.name for one in described if not one.read_only}
    seen = look(client, "deal", ",".join(labels) + "\n" + "x," * (len(labels) - 1) + "x\n").columns
    unknown = [(one.column, one.suggested_field) for one in seen if one.suggested_field != labels[one.column]]
    assert unknown == []


@pytest.mark.parametrize("entity", ["contact", "lead", "territory"])
def test_a_file_of_which_nothing_is_read_is_told_in_the_answer(client: CrmClient, entity: str) -> None:
    found = look(client, entity, "zzz\nAda\n")
    assert [(error.code, error.field, error.rule) for error in found.errors] == [
        ("VALIDATION_ERROR", "mapping", "required")
    ]
    assert (found.readable, found.rows, found.unmapped_required) == (True, [], ["name"])
