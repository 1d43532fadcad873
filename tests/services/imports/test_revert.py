"""Taking an import back: what it created goes, what it changed comes back, what was changed since stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from refusals import refused
from stub_data import idle, some

from crm_sdk import CrmClient
from crm_sdk.models import RevertResult
from server_stub import StubServer


def load(client: CrmClient, entity: str, content: str, **options: Any) -> str:
    """Import a file, and return the id of the job."""
    job = client.imports.create(entity, ("rows.csv", content.encode()), **options)
    job.wait()
    done = client.jobs.get(job.id)
    assert not done.errors
    return job.id


def created(client: CrmClient, id: str) -> list[str]:
    """Return the ids of the records that an import has created."""
    result: Any = client.jobs.get(id).result
    return list(result.created_ids)


def back(client: CrmClient, id: str, **options: Any) -> RevertResult:
    return client.imports.revert(id, **options).wait()


FILES = {
    "contact": ("external_id,name,city,tags,custom_fields.tier", "a,Ada Any,Rome,x|y,gold", "a,Bea Lee,Bonn,z,silver"),
    "lead": ("external_id,name,value,notes", "a,Ada,5,one", "a,Bea,6.25,two"),
    "account": ("external_id,name,employees,City", "a,Any,5,Rome", "a,Other,6,Bonn"),
    "deal": ("external_id,title,value,expected_close_date", "a,D,5.5,2026-10-01", "a,E,6,2026-11-01"),
    "activity": ("external_id,kind,title,due_at", "a,task,T,2026-10-01", "a,task,U,2026-11-01"),
    "territory": ("code,name,priority", "a,North,3", "a,South,4"),
}


@pytest.mark.parametrize("entity", FILES)
def test_an_import_of_every_entity_is_taken_back(client: CrmClient, stub: StubServer, entity: str) -> None:
    head, first, second = FILES[entity]
    key = head.partition(",")[0]

    def values() -> dict[str, Any] | None:
        (item,) = client.objects.batch_get(entity, ["a"], match_on=key).items
        found = item.result.model_dump() if item.result is not None else None
        moving = {"version", "updated_at", "health_score", "last_activity"}
        return {name: value for name, value in found.items() if name not in moving} if found is not None else None

    created = load(client, entity, f"{head}\n{first}\n")
    before = values()
    changed = load(client, entity, f"{head}\n{second}\n{first}\n{second}\n")
    assert values() != before
    trial = back(client, changed, dry_run=True)
    assert (trial.restored, trial.dry_run, values() != before) == (1, True, True)
    done = back(client, changed)
    assert (done.deleted, done.restored, done.skipped) == (0, 1, [])
    assert values() == before
    gone = back(client, created)
    assert (gone.deleted, gone.restored, gone.skipped, values()) == (1, 0, [], None)
    assert [entry["action"] for entry in stub.audit()].count("data.import_reverted") == 2


def test_records_of_custom_objects_too(client: CrmClient) -> None:
    record = client.custom_objects.records.create("onboarding", {"fields": {"name": "One", "status": "planned"}})
    changed = load(client, "onboarding", f"id,name,status\n{record.id},Two,running\n")
    assert back(client, changed).restored == 1
    assert client.custom_objects.records.get("onboarding", record.id).fields == record.fields


def test_what_was_changed_since_is_kept_field_by_field(client: CrmClient) -> None:
    known = client.contacts.create({"name": "Ada Any", "external_id": "a", "address": {"city": "Rome"}, "title": "CEO"})
    done = load(
        client, "contact", "external_id,name,city,title\na,Bea Lee,Bonn,CFO\nb,New,Paris,\nc,Kept,,\nd,Gone,,\n"
    )
    ids = created(client, done)
    client.contacts.update(known.id, {"address": {"city": "Nice"}})
    client.contacts.update(ids[1], {"title": "Boss"})
    client.contacts.delete(ids[2])
    result = back(client, done)
    assert (result.deleted, result.restored) == (1, 1)
    assert {(one.row, one.field, one.code) for one in result.skipped} == {
        (1, "address.city", "CHANGED_SINCE"), (3, None, "CHANGED_SINCE"), (4, None, "CHANGED_SINCE"),
    }  # fmt: skip
    after = client.contacts.get(known.id)
    assert (after.name, after.title, after.address and after.address.city) == ("Ada Any", "CEO", "Nice")
    assert client.contacts.get(ids[1]).name == "Kept"


def test_linked_records_that_were_created_go_last(client: CrmClient, monkeypatch: pytest.MonkeyPatch) -> None:
    link: Any = {
        "column": "Firm",
        "entity": "account",
        "match_on": "name",
        "field": "account_id",
        "create_missing": True,
    }
    done = load(client, "contact", "name,Firm\nAda,Brand new\nBea,Brand new\n", links=[link])
    monkeypatch.setattr("server_stub.services.imports.revert._AT_ONCE", 1)
    assert back(client, done, dry_run=True).deleted == 3, "a trial takes all at once: it is undone"
    assert back(client, done).deleted == 3
    assert client.accounts.list(search="Brand new").total == 0


def test_an_import_is_taken_back_again_where_that_failed_or_was_cancelled(client: CrmClient, stub: StubServer) -> None:
    done = load(client, "lead", "name\nAda\n")
    jobs = stub.store.collection("tenant_acme", "job")
    for status, again in (("cancelled", True), ("failed", True), ("succeeded", False), ("running", False)):
        first = client.imports.revert(done)
        stub.store.collection("tenant_acme", "job").put(some(jobs.get(first.id)) | {"status": status})
        if again:
            continue
        error = refused(lambda: client.imports.revert(done))
        assert (error.details["reason"], error.message) == ("reverted", f"{done} was reverted before, by {first.id}")
        jobs.put(some(jobs.get(first.id)) | {"status": "cancelled"})
    jobs.remove(first.id)
    assert refused(lambda: client.imports.revert(done)).details["reason"] == "reverted", "its job may be gone"


def test_the_documented_import_of_contacts_is_taken_back_too(client: CrmClient) -> None:
    known = client.contacts.create({"name": "Ada Any", "email": "ada@back.example"})
    job = client.contacts.imports.create(("people.csv", b"name,email\nBea,ada@back.example\nNew,new@back.example\n"))
    job.wait()
    result = back(client, job.id)
    assert (result.deleted, result.restored) == (1, 1)
    assert client.contacts.get(known.id).name == "Ada Any"


def test_what_cannot_be_taken_back_says_why(client: CrmClient, stub: StubServer) -> None:
    why = {
        "dry_run": "was a dry run: it wrote nothing", "running": "still runs: cancel it first, or wait",
        "too_old": "ended more than 30 days ago",
    }  # fmt: skip

    def reason(id: str) -> Any:
        error = refused(lambda: client.imports.revert(id))
        assert (error.status, error.code) == (409, "IMPORT_NOT_REVERTIBLE")
        found = str(error.details["reason"])
        assert why.get(found, "") in error.message
        return found

    assert reason(load(client, "lead", "name\nAda\n", dry_run=True)) == "dry_run"
    done = load(client, "lead", "name\nAda\n")
    back(client, done, dry_run=True)
    back(client, done)
    assert reason(done) == "reverted"
    (other, *_) = client.jobs.list(kind=["import_revert"])
    assert refused(lambda: client.imports.revert(other.id)).status == 404
    running = client.imports.create("lead", ("rows.csv", b"name\nAda\nBea\n"), batch_size=1)
    assert reason(running.id) == "running"
    jobs, old = stub.store.collection("tenant_acme", "job"), load(client, "lead", "name\nAda\n")
    for spare, found in ((timedelta(), "too_old"), (timedelta(minutes=1), None)):
        jobs.put(some(jobs.get(old)) | {"finished_at": stub.clock.now() - timedelta(days=30) + spare})
        assert (reason(old) if found else back(client, old).deleted) == (found or 1)
    assert refused(lambda: client.imports.revert("job_none")).status == 404


def test_each_record_needs_the_right_to_write_it(client: CrmClient, stub: StubServer) -> None:
    sales = stub.client(dialects="platform", api_key="acme-sales")
    done = load(client, "lead", "name\nAda\n")
    assert refused(lambda: sales.imports.revert(done)).status == 404
    mine = load(sales, "lead", "name,external_id\nAda,mine\n")
    (id,) = created(client, mine)
    client.leads.update(id, {"owner_id": "user_ada"})
    result = back(sales, mine)
    assert (result.deleted, [one.code for one in result.skipped]) == (0, ["CHANGED_SINCE"])


@pytest.mark.parametrize("before", [None, {"country": "FR"}])
@pytest.mark.parametrize("after", [{"city": "Nice"}, None])
def test_of_an_object_what_was_changed_since_is_kept_part_by_part(client: CrmClient, before: Any, after: Any) -> None:
    body: Any = {"name": "Ada Any", "external_id": "a", **({"address": before} if before else {})}
    known = client.contacts.create(body)
    done = load(client, "contact", "external_id,city,street\na,Bonn,Am Hof 1\n")
    client.contacts.update(known.id, {"address": after})
    result = back(client, done)
    found = client.contacts.get(known.id).address
    held = {} if found is None else {name: value for name, value in found.model_dump().items() if value is not None}
    if after is None:
        assert (held, result.restored) == ({}, 0)
    else:
        assert (held, result.restored) == ({**(before or {}), **after}, 1)
        assert [(one.row, one.field) for one in result.skipped] == [(1, "address.city")]


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize(("days", "left"), [(29, 2), (31, 0)])
def test_what_an_import_wrote_is_forgotten_after_thirty_days(
    client: CrmClient, stub: StubServer, days: int, left: int, gone: bool
) -> None:
    """With an import that is deleted itself, at once: nobody can take it back any more."""
    done = load(client, "lead", "name\nAda\nBea\n")
    parts, jobs = (stub.store.collection("tenant_acme", kind) for kind in ("import_ledger", "job"))
    if gone:
        jobs.remove(done)
    else:
        jobs.put(some(jobs.get(done)) | {"finished_at": stub.clock.now() - timedelta(days=days - 1)})
    idle(stub).clock.advance(86_400)
    (part,) = parts.find("job_id", done)
    assert len(part["entries"]) == (0 if gone else left)
    reason = refused(lambda: client.imports.revert(done)).details["reason"] if left == 0 or gone else None
    assert reason == ("too_old" if left == 0 or gone else None)


def test_what_must_not_be_deleted_is_left_and_said(client: CrmClient) -> None:
    done = load(client, "account", "name\nKept\nGone\n")
    kept, gone = created(client, done)
    client.deals.create({"title": "Engine", "value": 1, "account_id": kept})
    result = back(client, done)
    assert (result.deleted, result.restored) == (1, 0)
    assert [(one.row, one.field, one.code, one.message) for one in result.skipped] == [
        (1, None, "ACCOUNT_HAS_OPEN_DEALS",
         f"{kept}: Kept has 1 open deals: close them, or give them to another account"),
    ]  # fmt: skip
    assert client.accounts.get(kept).name == "Kept" and refused(lambda: client.accounts.get(gone)).status == 404
