"""How cells are read, what a preview says of a file, and where the errors of a request are."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from refusals import refused
from stub_data import some

from crm_sdk import CrmClient
from crm_sdk.models import ImportPreview
from crm_sdk.wire import camel
from server_stub import StubServer
from server_stub.problems import Problem
from server_stub.services.imports.cells import decimal_mark, read_number
from server_stub.services.imports.columns import words_of


def look(client: CrmClient, entity: str, content: str | bytes, name: str = "rows.csv", **options: Any) -> ImportPreview:
    raw = content.encode() if isinstance(content, str) else content
    return client.imports.preview(entity, (name, raw), **options)


def test_what_stands_before_decimals() -> None:
    marks = {
        "de": ",", "de-DE": ",", "de_AT": ",", "DE": ",", "de-CH": ".", "de-ch": ".", "es-MX": ".",
        "es-ES": ",",
        "es-US": ".", "en": ".", "en-DE": ".", "fr-CH": ".", "zh-Hans-CN": ".", "sr-Latn-RS": ",", "": ".", "None": ".",
    }  # fmt: skip
    assert {locale: decimal_mark(locale) for locale in marks} == marks


def test_numbers_in_texts() -> None:
    cases: dict[tuple[str, str], Any] = {
        ("1234", "."): 1234, ("1,234", "."): 1234, ("1,234,567.5", "."): Decimal("1234567.5"),
        ("1.5", "."): Decimal("1.5"),
        ("1.0", "."): 1, ("+5", "."): 5, ("-5.25", "."): Decimal("-5.25"), (".5", "."): Decimal("0.5"), ("5.", "."): 5,
        ("1e3", "."): 1000, ("1E-2", "."): Decimal("0.01"), ("1e24", "."): 10**24, ("1e25", "."): "max",
        ("1e-25", "."): "max",
        ("1e123", "."): "format", ("1,5", "."): "format", ("1,23", "."): "format", ("12,34,567", "."): "format",
        ("1.234,5", "."): "format", ("1 234", "."): 1234, ("1'234.5", "."): Decimal("1234.5"),
        ("1 234,567", "."): "format",
        ("$ 1,234", "."): 1234, ("1234 €", "."): 1234, ("£5", "."): 5, ("ten", "."): "format", ("", "."): "format",
        ("1,234", ","): Decimal("1.234"), ("1.234", ","): 1234, ("1.234,5", ","): Decimal("1234.5"),
        ("1.5", ","): "format",
        ("1,5", ","): Decimal("1.5"), ("1 234,5", ","): Decimal("1234.5"), ("--5", ","): "format",
        ("5-", ","): "format",
    }  # fmt: skip
    for (text, mark), wanted in cases.items():
        try:
            found: Any = read_number(text, mark, "value")
        except Problem as problem:
            found = problem.entries[0].rule if problem.entries[0].field == "value" else None
        assert (found, type(found)) == (wanted, type(wanted)), text


VALUES: list[tuple[str, str, list[Any], list[Any]]] = [
    ("contact", "do_not_contact", ["yes", "No", "1", 0, True, "maybe", ""],
     [True, False, True, False, True, "format", None]),
    ("contact", "birthday", ["2000-01-02", "2000-13-02", "01.02.2000", "20000102", ""],
     ["2000-01-02", "format", "format", "format", None]),
    ("activity", "due_at",
     ["2026-02-03", "2026-02-03T10:00:00Z", "2026-02-03T10:00:00+01:00", "2026-02-03T10:00", "tomorrow", "2026-99-01"],
     ["2026-02-03T05:00:00+00:00", "2026-02-03T10:00:00+00:00", "2026-02-03T09:00:00+00:00",
      "2026-02-03T15:00:00+00:00", "format", "format"]),
    ("contact", "email", ["mailto:a@b.example", " MAILTO:c@d.example", "e@f.example"],
     ["a@b.example", "c@d.example", "e@f.example"]),
    ("contact", "phone", ["+49 30 111", 4930111, "4.93012E+11"], ["+49 30 111", "4930111", "format"]),
    ("contact", "lifecycle_stage", ["Customer", "customer", "Sales qualified lead", "x"],
     ["customer", "customer", "sql", "choice"]),
    ("contact", "tags", ["a; b", ["x", "y"], "a,b", ""],
     [["a", "b"], ["x", "y"], ["a", "b"], None]),
    ("contact", "secondary_emails", ['["s@b.example"]', "t@b.example; u@d.example"],
     [["s@b.example"], ["t@b.example", "u@d.example"]]),
    ("contact", "owner_id", ["sam@acme.test", "SAM@acme.test", "Sam Okonkwo", "user_sam", "nobody"],
     ["user_sam", "user_sam", "user_sam", "user_sam", "reference"]),
    ("contact", "address.country", ["Germany", "DE", "XX"], [{"country": "DE"}, {"country": "DE"}, "choice"]),
    ("contact", "address", ['{"city": "Bonn"}', {"city": "Rom"}, "Bonn"],
     [{"city": "Bonn"}, {"city": "Rom"}, "format"]),
    ("activity", "due_at", [5, True], ["type", "type"]), ("contact", "birthday", [5, True], ["format", "type"]),
    ("deal", "value", ["1,234.5", 7, "1.234,5", "$5"], [Decimal("1234.5"), 7, "format", 5]),
]  # fmt: skip


def test_values_of_each_type(client: CrmClient) -> None:
    """One file has all values of an entity, each in a row of its own."""
    for entity in ("contact", "activity", "deal"):
        cases = [(field, cell, value) for kind, field, cells, wanted in VALUES if kind == entity
                 for cell, value in zip(cells, wanted, strict=True)]  # fmt: skip
        usual = {"activity": {"kind": "task", "title": "T"}, "deal": {"title": "T"}}.get(entity, {"name": "X"})
        rows = "\n".join(json.dumps({**usual, field: cell}) for field, cell, _ in cases)
        found = look(client, entity, rows, "rows.jsonl", sample=100).rows
        for row, (field, cell, value) in zip(found, cases, strict=True):
            assert {error.field for error in row.errors} <= {camel(field)}
            read = row.errors[0].rule if row.errors else row.values.get(camel(field.partition(".")[0]))
            assert read == value, (field, cell)


def test_cells_of_a_table_may_say_that_there_is_nothing(client: CrmClient) -> None:
    """In a text a word for nothing may be meant; a mark of a spreadsheet is taken off, and a custom value is read."""
    for name, type in (("tones", "multi_select"), ("size", "integer")):
        options = [{"value": "a1", "label": "Alpha"}, {"value": "b2", "label": "Beta"}] if type != "integer" else None
        field: Any = {"api_name": name, "label": name, "type": type, **({"options": options} if options else {})}
        client.customization.fields.create("contact", field)
    fields = ("title", "phone", "birthday", "do_not_contact", "tags", "secondary_emails", "custom_fields.free",
              "custom_fields.tones", "custom_fields.size", "owner_id", "lifecycle_stage")  # fmt: skip
    rows = (
        ("n/a", "-", "N/A", "none", "?", "null", "n/a", "nil", "NaN", "#n/a", "--"),
        ("'=1", "'+49301", "2000-01-02", "no", "'-;b", "a@x.example", "5", "Alpha;b2", "'7", "Sam <sam@acme.test>",
         "Customer"),
        ('"=""x"""', " +49302 ", "", "1", "a", "", "'5", '"[""a1""]"', '"1,000"', "sam okonkwo", "lead"),
    )  # fmt: skip
    mapping: Any = [{"column": name, "field": name} for name in fields]
    mapping[8]["transform"] = "trim"
    file = "name," + ",".join(fields) + "\n" + "".join(f"A,{','.join(row)}\n" for row in rows)
    found = look(client, "contact", file, mapping=[{"column": "name", "field": "name"}, *mapping]).rows
    assert [row.errors for row in found] == [[], [], []]
    assert [row.values for row in found] == [
        {"name": "A", "title": "n/a", "customFields": {"free": "n/a"}},
        {"name": "A", "title": "=1", "phone": "+49301", "birthday": "2000-01-02", "doNotContact": False,
         "tags": ["-", "b"], "secondaryEmails": ["a@x.example"], "ownerId": "user_sam", "lifecycleStage": "customer",
         "customFields": {"free": 5, "tones": ["a1", "b2"], "size": 7}},
        {"name": "A", "title": "x", "phone": "+49302", "doNotContact": True, "tags": ["a"], "ownerId": "user_sam",
         "lifecycleStage": "lead", "customFields": {"free": "5", "tones": ["a1"], "size": 1000}},
    ]  # fmt: skip
    found = look(client, "contact", '{"name": "A", "title": "n/a", "phone": "n/a", "customFields": {"free": "5"}}',
                 "rows.jsonl").rows  # fmt: skip
    assert found[0].values == {"name": "A", "title": "n/a", "phone": "n/a", "customFields": {"free": "5"}}


def test_what_each_transform_makes_of_a_text(client: CrmClient) -> None:
    def shown(cell: str, field: str = "custom_fields.it", **more: Any) -> Any:
        mapping = [{"column": "name", "field": "name"}, {"column": "it", "field": field, **more}]
        (row,) = look(client, "contact", f'name,it\nAda,"{cell}"\n', mapping=mapping).rows
        head, _, rest = field.partition(".")
        value = row.values.get(camel(head))
        return row.errors[0].rule if row.errors else value.get(rest) if isinstance(value, dict) else value

    cases: list[tuple[str, str | None, Any]] = [
        (" a b ", "none", " a b "), (" a b ", "trim", "a b"), (" a b ", None, "a b"), (" A b ", "lower", "a b"),
        (" a B ", "upper", "A B"), (" a b ", "title", "A B"), (" ", "none", None), (" 1,234.5 ", "number", 1234.5),
        ("ten", "number", "format"), (" 2026-01-02 ", "date", "2026-01-02"), ("soon", "date", "format"),
        (" a; b ", "split_tags", ["a", "b"]),
    ]  # fmt: skip
    for cell, transform, wanted in cases:
        more = {"transform": transform} if transform is not None else {}
        assert shown(cell, **more) == wanted, (cell, transform)
    assert shown("", default="usual") == "usual" and shown("own", default="usual") == "own"
    assert shown("a; b", "tags") == shown("a; b", "tags", transform="split_tags") == ["a", "b"]
    assert shown("A", "title", transform="lower") == "a" and shown("2026-01-02", "birthday", transform="date") == (
        "2026-01-02"
    )


def test_what_is_no_time_is_told_with_one_that_is(client: CrmClient) -> None:
    rows = "kind,title,due_at\ntask,A,tomorrow\ntask,B,2026-99-01\ntask,C,03.02.2026\n"
    usual, pattern = "2026-11-21T09:00:00Z; for another give date_format", "DD.MM.YYYY"
    asked: Any
    for asked, told in (
        ({}, [(row, f"{text!r} is no time like {usual}") for row, text in
              ((1, "tomorrow"), (2, "2026-99-01"), (3, "03.02.2026"))]),
        ({"date_format": pattern}, [(row, f"{text!r} is no time like {pattern}") for row, text in
                                    ((1, "tomorrow"), (2, "2026-99-01"))]),
    ):  # fmt: skip
        job = client.imports.create("activity", ("rows.csv", rows.encode()), mode="create", **asked)
        job.wait()
        errors = client.jobs.get(job.id).errors
        assert [(one.row, one.message) for one in errors] == told
        assert {(one.field, one.code) for one in errors} == {("due_at", "VALIDATION_ERROR")}
    result: Any = client.jobs.get(job.id).result
    made: Any = client.activities.get(*result.created_ids)
    assert str(made.due_at) == "2026-02-03 05:00:00+00:00", "midnight in New York"


def test_a_preview_says_what_the_file_is(client: CrmClient) -> None:
    found = look(client, "lead", "name;email;score\nAda;ada@x.example;1\nBen;;2\n;x@x.example;\n")
    assert (found.readable, found.format, found.delimiter, found.encoding) == (True, "csv", ";", "utf-8")
    assert (found.has_header, found.row_count, found.unmapped_required, found.errors) == (True, 3, [], [])
    assert [(row.row, row.outcome, row.match_id) for row in found.rows] == [
        (1, "create", None), (2, "create", None), (3, "fail", None),
    ]  # fmt: skip
    counts = found.counts
    assert (counts.total, counts.processed) == (3, 3) and counts.succeeded == counts.created
    assert (counts.created or 0) + (counts.failed or 0) + (counts.skipped or 0) == 3
    assert [(one.column, one.index, one.filled, one.distinct) for one in found.columns] == [
        ("name", 1, 2, 2), ("email", 2, 2, 2), ("score", 3, 2, 2),
    ]  # fmt: skip
    assert client.leads.list(search="ada@x.example").total == 0
    bare = look(client, "lead", "Ada,a@x.example\nBen,b@x.example\n", has_header=False, sample=1)
    assert (bare.has_header, bare.row_count, len(bare.rows)) == (False, 2, 1)
    lines = look(client, "lead", '{"name": "Ada"}\n{"name": "Ben"}\n', "rows.jsonl")
    assert (lines.format, lines.delimiter, lines.has_header, lines.encoding) == ("jsonl", None, False, "utf-8")
    latin = look(client, "lead", "name\nJörg\n".encode("latin-1"), encoding="latin-1")
    assert latin.encoding == "latin-1" and latin.rows[0].values == {"name": "Jörg"}
    tabs = look(client, "lead", "name\temail\nA, B\ta@x.example\n", "rows.tsv")
    assert tabs.delimiter == "\t" and tabs.rows[0].values == {"name": "A, B", "email": "a@x.example"}
    one = look(client, "lead", "name\nAda\n", "rows.tab", delimiter="\t")
    assert one.delimiter == "\t"
    lacking = look(client, "lead", "email\na@x.example\n")
    assert lacking.unmapped_required == ["name"]
    assert look(client, "lead", "first name\nAda\n").unmapped_required == []
    unknown = look(client, "lead", "foo,bar\n1,2\n")
    assert [(error.field, error.rule) for error in unknown.errors] == [("mapping", "required")]
    assert "foo, bar" in unknown.errors[0].message and unknown.rows == []
    assert look(client, "lead", "name\nAda\n", "rows").errors[0].field == "format"
    assert look(client, "lead", "name\nAda\n", "rows", format="csv").rows[0].values == {"name": "Ada"}
    assert "save an old workbook" in look(client, "lead", b"x", "rows.xls").errors[0].message
    assert [(e.code, e.rule) for e in look(client, "deal", b"BEGIN:VCARD\r\nEND:VCARD\r\n", "a.vcf").errors] == [
        ("INVALID_FORMAT", "choice")
    ]


def test_matches_of_a_preview(client: CrmClient) -> None:
    there = client.leads.create({"name": "There", "email": "there@x.example"}).id
    file = "name,email\nThen,there@x.example\nNew,new@x.example\n"
    for mode, outcomes in (
        ("upsert", ["update", "create"]),
        ("create", ["fail", "create"]),
        ("update", ["update", "fail"]),
    ):
        found = look(client, "lead", file, match_on="email", mode=mode)
        kinds = [row.outcome for row in found.rows]
        assert kinds in (outcomes, ["skip" if one == "fail" else one for one in outcomes]), (mode, kinds)
        if mode != "create":
            assert found.rows[0].match_id == there
    assert client.leads.list(search="new@x.example").total == 0


def test_mappings_and_links_name_what_is_wrong(client: CrmClient) -> None:
    def wrong(content: str = "name,a,a,b\nx,1,2,3\n", **options: Any) -> list[tuple[str | None, ...]]:
        error = refused(lambda: client.imports.create("contact", ("rows.csv", content.encode()), **options))
        return [(one.field, one.code or error.code, one.rule) for one in error.fields]

    mapping: Any = [
        {"column": "name", "field": "name"}, {"column": "b", "field": "name"}, {"column": "a", "field": "title"},
        {"column": "c", "field": "department"}, {"column": "5", "field": "phone"}, {"column": "0", "field": "mobile"},
        {"column": "b", "field": "nonsense"}, {"column": "b", "field": "health_score"},
        {"column": "B", "field": "website"},
    ]  # fmt: skip
    assert wrong(mapping=mapping) == [
        ("mapping.1.field", "VALIDATION_ERROR", "unique"), ("mapping.2.column", "VALIDATION_ERROR", "unique"),
        ("mapping.3.column", "VALIDATION_ERROR", "choice"), ("mapping.4.column", "VALIDATION_ERROR", "choice"),
        ("mapping.5.column", "VALIDATION_ERROR", "choice"),
    ]  # fmt: skip
    assert wrong(mapping=mapping[6:])[:1] == [("mapping.0.field", "UNKNOWN_FIELD", "choice")]
    assert wrong(mapping=mapping[7:]) == [("mapping.0.field", "FIELD_READ_ONLY", "read_only")]
    link: Any = {"column": "b", "entity": "account", "match_on": "name", "field": "account_id"}
    for changes, field, rule in (
        ({"entity": "planet"}, "entity", "choice"), ({"match_on": "industry"}, "match_on", "choice"),
        ({"field": "nonsense"}, "field", "choice"), ({"field": "owner_id"}, "field", "reference"),
        ({"column": "zzz"}, "column", "choice"),
    ):  # fmt: skip
        ((at, _, found),) = wrong(links=[{**link, **changes}])
        assert at is not None and at.endswith(field) and at.startswith("links") and found == rule, changes
    for values, at, code in (
        ({"nonsense": 1}, "values.nonsense", "UNKNOWN_FIELD"),
        ({"health_score": 1}, "values.health_score", "FIELD_READ_ONLY"),
        ({"custom_fields": 5}, "values.custom_fields", "VALIDATION_ERROR"),
    ):  # fmt: skip
        assert [one[:2] for one in wrong(values=values)] == [(at, code)]
    assert [one[:2] for one in wrong(owner_id="user_none")] == [("owner_id", "REFERENCE_NOT_FOUND")]
    both: Any = {"mapping": [{"column": "name", "field": "name"}], "mapping_from": "job_1"}
    assert wrong(**both)[0][0] in ("mapping_from",)
    assert wrong("title\nx\n", mode="create")[0][1] == "REQUIRED_FIELD_MISSING"
    assert wrong(encoding="utf-99") == [("encoding", "VALIDATION_ERROR", "choice")]
    neither = refused(lambda: client.imports.create("contact"))
    assert [(one.field, one.rule) for one in neither.fields] == [("file", "required")]


def test_an_infected_file_is_not_read(stub: StubServer, client: CrmClient) -> None:
    file = client.files.upload(("rows.csv", b"name\nAda\n"))
    assert client.imports.preview("lead", file_id=file.id).rows[0].values == {"name": "Ada"}
    files = stub.store.collection("tenant_acme", "file")
    files.put(some(files.get(file.id)) | {"scan_status": "infected"})
    for attempt in (
        lambda: client.imports.preview("lead", file_id=file.id), lambda: client.imports.create("lead", file_id=file.id),
    ):  # fmt: skip
        error = refused(attempt)
        assert (error.code, error.fields[0].field) == ("FILE_INFECTED", "file_id")


def test_words_of_headers() -> None:
    words = {
        "E-Mail  Adresse": "e mail adresse",
        "firstName": "first name",
        "Größe_cm": "grosse cm",
        "": "",
        "__": "",
        "A1b": "a1b",
    }
    assert {text: words_of(text) for text in words} == words


# -- taking back -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dry_run", [True, False])
def test_what_taking_back_says(stub: StubServer, client: CrmClient, dry_run: bool) -> None:
    ids = [client.leads.create({"name": f"L{n}", "email": f"l{n}@x.example", "phone": "+4930111"}).id for n in range(3)]
    rows = ("name,email,phone", "A,l0@x.example,+4930222", "B,l1@x.example,+4930222", "C,l2@x.example,",
            "N,n@x.example,", "M,m@x.example,")  # fmt: skip
    file = "".join(f"{row}\n" for row in rows)
    job = client.imports.create("lead", ("rows.csv", file.encode()), match_on="email")
    made = job.wait()
    assert len(made.created_ids) == 2
    client.leads.update(ids[1], {"phone": "+4930333"})
    client.leads.delete(ids[2])
    client.leads.update(made.created_ids[0], {"title": "kept"})
    begin = len(stub.audit())
    back = client.imports.revert(job.id, dry_run=dry_run)
    assert back.title == f"{'Trial revert' if dry_run else 'Revert'} of the import of rows.csv"
    assert back.counts is not None and back.counts.total == 5 and back.entity is not None and back.entity.id == job.id
    result = back.wait()
    assert (result.deleted, result.restored, result.dry_run) == (1, 2, dry_run)
    assert sorted((one.row, one.field, one.code) for one in result.skipped if one.row != 2) == [
        (3, None, "CHANGED_SINCE"), (4, None, "CHANGED_SINCE"),
    ]  # fmt: skip
    assert [(one.field, one.code, one.value) for one in result.skipped if one.row == 2] == [
        ("phone", "CHANGED_SINCE", "+4930333")
    ]
    done = client.jobs.get(back.id).counts
    assert done is not None
    assert (done.processed, done.succeeded, done.deleted, done.updated, done.skipped) == (5, 3, 1, 2, 2)
    told = [entry for entry in stub.audit()[begin:] if entry["action"] == "data.import_reverted"]
    assert len(told) == (0 if dry_run else 1)
    if dry_run:
        assert client.leads.get(ids[0]).name == "A"
        client.imports.revert(job.id).wait()
    else:
        said = {"entity": "lead", "import_id": job.id, "deleted": 1, "restored": 2, "skipped": 3}
        assert told[0]["metadata"] | said == told[0]["metadata"]
    assert [client.leads.get(id).name for id in ids[:2]] == ["L0", "L1"]
    assert client.leads.get(ids[0]).phone == "+4930111" and client.leads.get(ids[1]).phone == "+4930333"
    error = refused(lambda: client.imports.revert(job.id))
    assert (error.code, error.details["reason"], error.details["status"]) == (
        "IMPORT_NOT_REVERTIBLE", "reverted", "succeeded",
    )  # fmt: skip


@pytest.mark.parametrize(("days", "reason"), [(30, None), (30.001, "too_old")])
def test_an_import_can_be_taken_back_for_thirty_days(
    stub: StubServer, client: CrmClient, days: float, reason: str | None
) -> None:
    job = client.imports.create("lead", ("rows.csv", b"name\nAda\n"))
    result = job.wait()
    jobs = stub.store.collection("tenant_acme", "job")
    at = stub.clock.now() - timedelta(days=days) + timedelta(seconds=5 if reason is None else 0)
    jobs.put(some(jobs.get(job.id)) | {"finished_at": at})
    if reason is None:
        client.imports.revert(job.id).wait()
        assert client.objects.batch_get("lead", result.created_ids).failed == 1
    else:
        assert refused(lambda: client.imports.revert(job.id)).details["reason"] == reason


def test_the_label_of_an_option_stands_for_it(client: CrmClient) -> None:
    options = [{"value": "a1", "label": "Alpha One"}, {"value": "b2", "label": "Beta"}]
    for name, type in (("mood", "select"), ("tones", "multi_select")):
        field: Any = {"api_name": name, "label": name, "type": type, "options": options}
        client.customization.fields.create("contact", field)
    content = "name,custom_fields.mood,custom_fields.tones\nEva,alpha one,Beta; a1\nBen,b2,\n"
    client.imports.create("contact", ("rows.csv", content.encode())).wait()
    found = {one.name: one.custom_fields for one in client.contacts.list(search="Eva")}
    assert found["Eva"] == {"mood": "a1", "tones": ["b2", "a1"]}


def test_of_a_file_that_cannot_be_read_nothing_stays(client: CrmClient, stub: StubServer) -> None:
    """What is in it may be about people: it is gone with the job, as that of one which was written."""
    kept = stub.store.collection("tenant_acme", "import_file")
    before = len(kept)
    for content, status in ((b"no workbook", "failed"), (b'{"name": "Eva"}', "succeeded")):
        job = client.imports.create("contact", ("rows.xlsx" if status == "failed" else "rows.jsonl", content))
        stub.clock.advance(60)
        assert (client.jobs.get(job.id).status, len(kept)) == (status, before)


def test_a_new_record_without_what_it_needs_says_so(client: CrmClient, stub: StubServer) -> None:
    for entity, row, field in (
        ("contact", {"email": "q@x.example"}, "name"), ("deal", {"value": 5}, "title"),
        ("contact", {"address": {"city": "Bonn"}}, "name"), ("subscription", {"name": "S"}, "fields.starts_on"),
        ("subscription", {"fields": {"name": "S"}}, "fields.starts_on"),
    ):  # fmt: skip
        job = client.imports.create(entity, ("rows.jsonl", json.dumps(row).encode()))
        stub.clock.advance(60)
        (error,) = client.jobs.get(job.id).errors
        assert (error.code, error.field, error.message) == ("VALIDATION_ERROR", field, "a new record needs it")
