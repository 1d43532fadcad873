"""What an import leaves behind: its result, its errors, the file of rows that failed, its events, and its job."""

from __future__ import annotations

import csv
import io
from functools import partial
from typing import Any

import pytest
from importing import imported
from refusals import refused
from stub_data import some

from crm_sdk import CrmClient, JobFailedError
from server_stub import StubServer


@pytest.fixture
def crm(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform")


def done(crm: CrmClient, content: str, name: str = "people.csv", **options: Any) -> Any:
    """Return the job of an import that has ended."""
    job = crm.contacts.imports.create((name, content.encode()), **options)
    job.wait()
    return crm.contacts.imports.get(job.id)


def error_file(crm: CrmClient, job: Any) -> tuple[str, list[list[str]]]:
    file = crm.files.get(some(job.result.error_file_id))
    return file.name, list(csv.reader(io.StringIO(crm.files.download(file.id).read().decode("utf-8-sig"))))


def test_the_rows_that_failed_are_a_file_with_their_cells_and_why(crm: CrmClient) -> None:
    rows = "Name,E-Mail,Shoe\nA,a@x.example,1\nB,nobody,2\n,,3\n"
    job = done(crm, rows)
    name, lines = error_file(crm, job)
    assert (name, lines[0], [line[:3] for line in lines[1:]]) == (
        "people-errors.csv", ["Name", "E-Mail", "Shoe", "error"], [["B", "nobody", "2"], ["", "", "3"]],
    )  # fmt: skip
    assert [line[3] for line in lines[1:]] == [f"{one.field}: {one.message}" for one in job.errors]
    assert [(one.row, one.field, one.code, one.value) for one in job.errors] == [
        (2, "email", "VALIDATION_ERROR", "nobody"), (3, "name", "VALIDATION_ERROR", ""),
    ]  # fmt: skip
    assert (job.result.created_ids != [], job.result.updated_ids, job.result.unmapped_columns) == (True, [], ["Shoe"])
    counts = {name: count for name, count in some(job.counts).model_dump().items() if count}
    assert counts == {"total": 3, "processed": 3, "succeeded": 1, "created": 1, "failed": 2}
    assert (job.title, job.kind, job.status) == ("Import of people.csv", "contact_import", "succeeded")
    plain = done(crm, "Name,E-Mail\nC,nobody\n", "people", format="csv")
    assert error_file(crm, plain)[0] == "people-errors.csv"
    assert done(crm, "Name\nD\n").result.error_file_id is None
    card = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:E\r\n" + "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:F\r\nEND:VCARD\r\n"
    broken = done(crm, card, "cards.vcf")
    name, lines = error_file(crm, broken)
    assert (name, lines[1][0], lines[1][-1]) == (
        "cards-errors.csv",
        "the card has no END:VCARD",
        "the card has no END:VCARD",
    )


def test_an_import_begins_with_nothing_done(crm: CrmClient) -> None:
    job = crm.contacts.imports.create(("people.csv", b"name\nA\n"))
    assert set(some(job.counts).model_dump().values()) == {0}
    assert (job.status, job.progress, job.errors, job.status_url) == (
        "queued", 0, [], f"/contacts/import/{job.id}",
    )  # fmt: skip


def test_why_a_row_is_refused_is_said_with_its_key(crm: CrmClient) -> None:
    rows = "name,email,external_id\nA,alice@company.com,\nB,new@x.example,x1\nC,,\n"
    job = done(crm, rows, on_duplicate="fail", dry_run=True)
    assert [(one.row, one.field, one.code, one.value, one.message) for one in job.errors] == [
        (1, "email", "CONTACT_EXISTS", "alice@company.com", "a contact has the email 'alice@company.com' already"),
    ]  # fmt: skip
    job = done(crm, rows, mode="update", match_on="external_id", dry_run=True)
    assert [(one.row, one.field, one.code, one.value, one.message) for one in job.errors] == [
        (1, "external_id", "NOT_FOUND", "", "no contact has the external_id None"),
        (2, "external_id", "NOT_FOUND", "x1", "no contact has the external_id 'x1'"),
        (3, "external_id", "NOT_FOUND", "", "no contact has the external_id None"),
    ]  # fmt: skip
    long = "y" * 300
    job = done(crm, f"name,email\nA,{long}\n")
    assert [one.value for one in job.errors] == [long[:200]]


def test_an_import_is_told_when_it_ends_and_data_only_where_there_are(crm: CrmClient, stub: StubServer) -> None:
    def told(start: int) -> list[tuple[str, Any, Any, Any]]:
        actions = ("contact.import_completed", "data.imported")
        return [(one["action"], one["entity"]["id"], one["entity"]["name"], one["metadata"])
                for one in stub.audit()[start:] if one["action"] in actions]  # fmt: skip

    rows = "name,email\nA,a@x.example\nB,alice@company.com\nC,nobody\n"
    counts = {"created_ids": 1, "updated_ids": 1, "failed": 1}
    for dry_run in (True, False):
        start = len(stub.audit())
        job = done(crm, rows, dry_run=dry_run)
        assert (job.title, job.result.dry_run) == (f"{'Trial import' if dry_run else 'Import'} of people.csv", dry_run)
        found = counts if not dry_run else {"created_ids": 0, "updated_ids": 0, "failed": 1}
        ended = ("contact.import_completed", job.id, "people.csv", {**found, "dry_run": dry_run})
        data = ("data.imported", job.id, "people.csv", {"entity": "contact", **found})
        assert told(start) == ([ended] if dry_run else [ended, data])


def test_a_thousand_warnings_are_kept() -> None:
    def card(strange: int, *more: str) -> str:
        lines = (
            "BEGIN:VCARD",
            "VERSION:3.0",
            "FN:A",
            *[f"strange {n}" for n in range(strange)],
            *more,
            "END:VCARD",
            "",
        )
        return "\r\n".join(lines)

    wrong = ("LANG:?!", "TZ:Mars/Olympus")
    for strange, kept in ((999, 1_000), (1_001, 1_000), (3, 5)):
        found = imported(card(strange, *wrong), "a.vcf").warnings
        assert len(found) == kept, strange
        assert [one.field for one in found[strange:]] == sorted(one.field or "" for one in found[strange:])[
            : kept - strange
        ]
        assert [one.row for one in found] == [1] * kept


def test_what_cannot_be_read_at_all_says_what_to_do(crm: CrmClient) -> None:
    for content, name, hint in (
        ("foo,bar\n1,2\n", "a.csv", "; if they are not told apart, give delimiter"),
        ('{"foo":1,"bar":2}\n', "a.jsonl", ""),
    ):  # fmt: skip
        job = crm.contacts.imports.create((name, content.encode()))
        with pytest.raises(JobFailedError) as caught:
            job.wait()
        assert caught.value.code == "UNREADABLE_FILE"
        assert str(some(crm.contacts.imports.get(job.id).error).message) == (
            f"none of the columns foo, bar belongs to a contact; give a mapping{hint}"
        )
        assert some(crm.contacts.imports.get(job.id).error).field == "file"
    assert done(crm, "name\temail\nT\tt@x.example\n", "a.TSV").result.unmapped_columns == []
    assert done(crm, "name\temail\nT\tu@x.example\n", "a.tab").result.unmapped_columns == []
    assert (
        crm.contacts.get(done(crm, "name;email\nT;v@x.example\n", "a.tsv", delimiter=";").result.created_ids[0]).name
        == "T"
    )


def test_the_job_of_another_import_is_seen_where_it_is_of_contacts(crm: CrmClient) -> None:
    contacts = crm.imports.create("contact", file=("a.csv", b"name\nA\n"))
    leads = crm.imports.create("lead", file=("a.csv", b"name\nA\n"))
    assert crm.contacts.imports.get(contacts.id).id == contacts.id
    export = crm.exports.create({"entity_types": ["contact"]})
    for id in (leads.id, export.id):
        error = refused(partial(crm.contacts.imports.get, id))
        assert (error.status, error.code) == (404, "NOT_FOUND")


def test_a_row_that_changes_nothing_is_none_that_is_taken_back(crm: CrmClient) -> None:
    done(crm, "name,email,title\nA,a@x.example,Boss\nB,b@x.example,\n")
    again = done(crm, "name,email,title\nA,a@x.example,Boss\nB,b@x.example,Clerk\n", on_duplicate="update")
    assert some(again.counts).updated == 2
    back = crm.imports.revert(again.id)
    assert (back.wait().restored, some(crm.jobs.get(back.id).counts).total) == (1, 1)
    titles = [crm.contacts.get(id).title for id in again.result.updated_ids]
    assert sorted(titles, key=bool) == [None, "Boss"]
    third = done(crm, "name,email,title\nA,a@x.example,Boss\nB,b@x.example,Clerk\n", on_duplicate="update")
    crm.contacts.update(third.result.updated_ids[1], {"title": "Chief"})
    (kept,) = crm.imports.revert(third.id).wait().skipped
    assert (kept.row, kept.field, kept.code) == (2, "title", "CHANGED_SINCE")
