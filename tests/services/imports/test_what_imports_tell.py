"""What an import says of itself: its counts, its result, its events, who may see it, what it takes from another."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from imported_files import counts, load, result
from refusals import refused

from crm_sdk import CrmClient, JobFailedError
from server_stub import StubServer

ROWS = "external_id,name,size\nx1,Ada,1\nx2,Ben,2\nx1,Ada,1\nx1,Eva,1\nx3,,\n"


def told(stub: StubServer, *verbs: str) -> list[tuple[str, dict[str, Any]]]:
    return [(one["action"], dict(one["metadata"])) for one in stub.audit() if one["action"] in verbs]


def test_an_import_tells_what_became_of_its_rows(client: CrmClient, stub: StubServer) -> None:
    done = load(client, "contact", ROWS, match_on="external_id")
    assert (done.status, counts(done), done.title) == ("succeeded", (2, 1, 1, 1), "Import of rows.csv")
    assert done.counts is not None
    assert (done.counts.total, done.counts.processed, done.counts.succeeded) == (5, 5, 3)
    found = result(done)
    one, two = found.created_ids
    assert (found.updated_ids, found.unmapped_columns, found.warnings, found.dry_run) == ([one], ["size"], [], False)
    assert (client.contacts.get(one).name, client.contacts.get(two).name) == ("Eva", "Ben")
    assert [(error.row, error.field, error.code) for error in done.errors] == [(5, "name", "VALIDATION_ERROR")]
    said = {"created": 2, "updated": 1, "skipped": 1, "failed": 1}
    assert told(stub, "contact.import_completed", "data.imported") == [
        ("contact.import_completed", said | {"dry_run": False}), ("data.imported", said | {"entity": "contact"}),
    ]  # fmt: skip
    trial = load(client, "contact", ROWS, match_on="external_id", dry_run=True)
    assert (trial.title, counts(trial)) == ("Trial import of rows.csv", (0, 2, 2, 1))
    found = result(trial)
    assert (found.created_ids, found.updated_ids, found.dry_run) == ([], [], True)
    assert len(told(stub, "data.imported")) == 1
    assert client.contacts.get(one).name == "Eva"
    load(client, "lead", "name\nAda\n")
    (_, last) = told(stub, "data.imported")
    assert last[1] == {"entity": "lead", "created": 1, "updated": 0, "skipped": 0, "failed": 0}
    assert len(told(stub, "contact.import_completed")) == 1


def test_it_stops_at_the_error_that_is_one_too_many(client: CrmClient, stub: StubServer) -> None:
    rows = "external_id,name,value\n" + "".join(f"x{number},L,{cell}\n" for number, cell in enumerate("1a2b3c"))
    for most, batch, expected in (
        (1, 6, (0, 0, 0, 1)), (2, 6, (0, 0, 0, 2)), (2, 2, (1, 0, 0, 2)), (3, 1, (3, 0, 0, 3)), (3, 2, (2, 0, 0, 3)),
    ):  # fmt: skip
        crm = StubServer().client(dialects="platform")
        with pytest.raises(JobFailedError) as failed:
            load(crm, "lead", rows, stop_after_errors=most, batch_size=batch, match_on="external_id")
        job = crm.jobs.get(str(getattr(failed.value.job, "id", "")))
        assert (failed.value.code, counts(job)) == ("TOO_MANY_ERRORS", expected), (most, batch)
        assert job.error is not None and job.error.details == {"limit": most}
        assert f"{most} rows failed" in job.error.message and job.file_id is not None
    done = load(client, "lead", rows, stop_after_errors=4, match_on="external_id")
    assert (done.status, counts(done)) == ("succeeded", (3, 0, 0, 3))


def test_what_a_retry_and_a_mapping_are_taken_from(client: CrmClient, stub: StubServer) -> None:
    rows = "Who,Mail\nAda,a@x.example\nBen,no\n"
    mapping: Any = [{"column": "Who", "field": "title"}, {"column": "Mail", "field": "email"}]
    first = load(client, "contact", rows, mapping=mapping, match_on="email", values={"name": "Given", "source": "fair"})
    assert counts(first) == (1, 0, 0, 1)
    again = load(client, "contact", rows, retry_of=first.id)
    assert (again.counts and again.counts.total, counts(again)) == (1, (0, 0, 0, 1))
    trial = load(client, "contact", rows, mapping=mapping, match_on="email", values={"name": "G"}, dry_run=True)
    whole = load(client, "contact", rows, retry_of=trial.id)
    assert (whole.counts and whole.counts.total, counts(whole)) == (2, (0, 1, 0, 1)), "a trial read nothing"
    other = load(client, "contact", "Who,Mail\nEva,e@x.example\n", mapping_from=first.id, values={"name": "E"})
    made = client.contacts.get(result(other).created_ids[0])
    assert (made.name, made.title, made.email, made.source) == ("E", "Eva", "e@x.example", None)
    run = partial(client.imports.create, "contact", ("rows.csv", rows.encode()))
    for options, field, rule in (
        ({"mapping": mapping, "mapping_from": first.id}, "mapping_from", "unique"),
        ({"mapping_from": "job_none"}, "mapping_from", "reference"),
        ({"retry_of": "job_none"}, "retry_of", "reference"),
        ({"mapping": []}, "mapping", "min"),
        ({"mapping": mapping, "values": {"nope": 1}}, "values.nope", "choice"),
        ({"mapping": mapping, "values": {"customFields": 5}}, "values.custom_fields", "type"),
        ({"mapping": mapping, "owner_id": "user_none"}, "owner_id", "reference"),
        ({"mapping": mapping, "encoding": "klingon"}, "encoding", "choice"),
        ({"mapping": mapping, "mode": "create"}, "name", "required"),
    ):  # fmt: skip
        given: Any = options
        (entry,) = refused(partial(run, **given)).fields
        assert (entry.field, entry.rule) == (field, rule), options
    running = run(mapping=mapping, values={"name": "G"})
    (entry,) = refused(partial(run, retry_of=running.id)).fields
    assert (entry.field, entry.message) == ("retry_of", f"{running.id} has not ended yet")
    client.jobs.cancel(running.id)
    other_file: Any = client.imports.create
    changed = refused(partial(other_file, "contact", ("more.csv", b"Who\nAda\n"), retry_of=first.id))
    assert (changed.code, changed.details["jobId"]) == ("IMPORT_FILE_CHANGED", first.id)
    assert f"{first.id} read another file than more.csv: import that as a whole" in changed.message
    lead = load(client, "lead", "name\nAda\n")
    assert refused(partial(run, mapping_from=lead.id)).code == "REFERENCE_NOT_FOUND", "it is of another entity"
    sales = stub.client(dialects="platform", api_key="acme-sales")
    mine = partial(sales.imports.create, "contact", ("rows.csv", rows.encode()))
    assert refused(partial(mine, mapping_from=first.id)).code in ("REFERENCE_NOT_FOUND", "FORBIDDEN")


def test_taking_back_undoes_the_last_first_and_says_what_it_left(client: CrmClient, stub: StubServer) -> None:
    known = client.contacts.create({"name": "Known", "external_id": "k", "title": "CEO", "custom_fields": {"a": 1}})
    rows = (
        "external_id,name,title,custom_fields.a,custom_fields.b\nk,Known,CTO,2,3\nn,New,,,\ng,Gone,,,\nc,Changed,,,\n"
    )
    done = load(client, "contact", rows, match_on="external_id")
    assert counts(done) == (3, 1, 0, 0)
    _, gone, changed = result(done).created_ids
    client.contacts.delete(gone)
    client.contacts.update(changed, {"title": "CFO"})
    client.contacts.update(known.id, {"custom_fields": {"b": 4}})

    def back(**options: Any) -> Any:
        job: Any = client.imports.revert(done.id, **options)
        job.wait()
        return client.jobs.get(job.id)

    expected = [
        (4, None, "CHANGED_SINCE", f"{changed}: it was changed since, and is kept", None),
        (3, None, "CHANGED_SINCE", f"{gone}: it was deleted, or merged, since", None),
        (1, "custom_fields.b", "CHANGED_SINCE", f"{known.id}: it was changed since, and is kept", "4"),
    ]  # fmt: skip
    trial = back(dry_run=True)
    for job, dry_run in ((trial, True), (None, False)):
        job = job or back()
        found = job.result
        assert (found.deleted, found.restored, found.dry_run) == (1, 1, dry_run)
        assert [(one.row, one.field, one.code, one.message, one.value) for one in found.skipped] == expected
        assert (job.counts.processed, job.counts.succeeded, job.counts.deleted, job.counts.updated) == (4, 2, 1, 1)
        assert job.counts.skipped == 2
        assert (client.contacts.get(known.id).title == "CTO") is dry_run
        assert job.title == f"{'Trial revert' if dry_run else 'Revert'} of the import of rows.csv"
    after = client.contacts.get(known.id)
    assert (after.title, after.custom_fields) == ("CEO", {"a": 1, "b": 4})
    assert client.contacts.get(changed).title == "CFO"
    (event,) = told(stub, "data.import_reverted")
    assert event[1] == {"entity": "contact", "import_id": done.id, "deleted": 1, "restored": 1, "skipped": 3}
    error = refused(partial(client.imports.revert, done.id))
    assert (error.code, error.details["reason"]) == ("IMPORT_NOT_REVERTIBLE", "reverted")
    refused_trial = load(client, "contact", "name\nZ\n", dry_run=True)
    assert refused(partial(client.imports.revert, refused_trial.id)).details["reason"] == "dry_run"
