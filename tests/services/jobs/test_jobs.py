"""Jobs of every kind in one list: whose they are, what they did, and how they are stopped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from crm_sdk import ConflictError, CrmClient, JobFailedError, NotFoundError, PermissionDeniedError
from server_stub import StubServer

CSV = "name,email\n" + "\n".join(f"Job {n},job-{n}@example.com" for n in range(300))


@pytest.fixture
def crm(stub: StubServer) -> Iterator[CrmClient]:
    with stub.client(dialects="platform") as client:
        yield client


def trail(stub: StubServer, action: str) -> list[str]:
    return [entry["entity"]["id"] for entry in stub.audit() if entry["action"] == action]


def started(crm: CrmClient, content: str = CSV) -> str:
    return crm.contacts.imports.create(("people.csv", content.encode()), match_on="email").id


def test_a_job_is_followed_to_its_end_by_its_documented_route_and_by_ours(stub: StubServer, crm: CrmClient) -> None:
    id = started(crm)
    assert crm.jobs.get(id).result is None
    job = crm.jobs.get(id).wait()
    documented = crm.contacts.imports.get(id)
    assert (job.kind, job.status, job.counts, job.result) == (
        "contact_import", "succeeded", documented.counts, documented.result,
    )  # fmt: skip
    assert job.status_url == f"/contacts/import/{id}"
    assert trail(stub, "job.completed") == [id]
    told = [doc for doc in stub.store.collection("tenant_acme", "notification").all() if id in str(doc["metadata"])]
    assert [doc["title"] for doc in told] == [f"{job.title} is done"]
    listed = next(one for one in crm.jobs.list(kind=["contact_import"]) if one.id == id)
    assert listed.result is None and listed.errors == []


def test_a_failed_job_says_why_once(stub: StubServer, crm: CrmClient) -> None:
    id = started(crm, "\x00\x01 no table \ufffd")
    with pytest.raises(JobFailedError) as raised:
        crm.jobs.get(id).wait()
    assert raised.value.code == "UNREADABLE_FILE"
    assert (trail(stub, "job.failed"), trail(stub, "job.completed")) == ([id], [])


@pytest.mark.parametrize("seconds", [0, 0.5], ids=["queued", "running"])
def test_a_cancelled_job_keeps_what_it_has_done(stub: StubServer, crm: CrmClient, seconds: float) -> None:
    id = started(crm)
    stub.clock.advance(seconds)
    job = crm.jobs.cancel(id)
    made = len([one for one in crm.contacts.list(search="job-", limit=200).items if "job-" in (one.email or "")])
    assert job.status == "cancelled" and job.counts is not None
    stub.clock.advance(60)
    again = crm.jobs.cancel(id)
    assert (again.version, again.counts) == (job.version, job.counts)
    assert (made > 0, trail(stub, "job.cancelled")) == (job.counts.created > 0, [id])
    with pytest.raises(JobFailedError):
        again.wait()


def test_what_has_ended_or_cannot_be_stopped_is_not(stub: StubServer, crm: CrmClient) -> None:
    ended = started(crm)
    crm.jobs.get(ended).wait()
    training = crm.ai_insights.lead_scoring.train()
    whole = ((ended, "JOB_FINISHED"), *((one.id, "JOB_NOT_CANCELLABLE") for one in (training, crm.search.reindex())))
    for id, code in whole:
        with pytest.raises(ConflictError) as raised:
            crm.jobs.cancel(id)
        assert raised.value.code == code
    run = next(one for one in crm.jobs.list(kind=["workflow"]) if one.status == "running")
    assert crm.jobs.cancel(run.id).status == "cancelled"
    assert crm.workflows.executions.get(run.id).status == "cancelled"


def test_jobs_are_seen_by_who_started_them_and_by_who_may_see_all(stub: StubServer, crm: CrmClient) -> None:
    theirs = started(stub.client(api_key="acme-sales", dialects="platform"))
    mine = started(crm)
    assert {mine, theirs} <= {job.id for job in crm.jobs.list(kind=["contact_import"])}
    for key in ("acme-sales", "globex-admin"):
        other = stub.client(api_key=key, dialects="platform")
        assert mine not in {job.id for job in other.jobs.list()}
        for call in (other.jobs.get, other.jobs.cancel):
            with pytest.raises(NotFoundError):
                call(mine)


def test_who_reads_all_jobs_does_not_stop_them(stub: StubServer, crm: CrmClient) -> None:
    id = started(crm)
    member: Any = {"name": "Mo", "email": "mo@acme.test", "role": "manager", "password": "Demo-passw0rd!9"}
    crm.users.create(member)
    manager = stub.client(api_key=None, dialects="platform")
    manager.auth.login("mo@acme.test", "Demo-passw0rd!9")
    assert manager.jobs.get(id).id == id
    with pytest.raises(PermissionDeniedError):
        manager.jobs.cancel(id)


def test_a_job_names_the_record_that_it_is_about(stub: StubServer, crm: CrmClient) -> None:
    made = crm.backups.create(name="Mine").wait()
    restore = crm.backups.restore(made.id, mode="drill")
    shown = crm.jobs.get(restore.id)
    assert shown.entity is not None
    assert (shown.entity.type, shown.entity.id, shown.entity.name) == ("backup", made.id, "Mine")
    assert restore.id in {one.id for one in crm.jobs.list(entity_type="backup")}
    assert crm.jobs.get(started(crm)).entity is None


@pytest.mark.thorough
def test_records_that_are_work_themselves_are_among_them(stub: StubServer, crm: CrmClient) -> None:
    report = crm.reports.create({"name": "All", "entity_type": "contact", "columns": [{"field": "name"}]})
    run = crm.reports.run(report.id)
    shown = crm.jobs.get(run.id)
    assert (shown.kind, shown.status, shown.result) == ("report_run", "succeeded", None)
    assert shown.entity is not None and shown.entity.id == run.id
    stub.clock.advance(31 * 86_400)
    with pytest.raises(NotFoundError):
        crm.jobs.get(run.id)


def test_the_list_is_filtered_and_sorted(stub: StubServer, crm: CrmClient) -> None:
    first = started(crm)
    stub.clock.advance(60)
    middle = stub.clock.now()
    second = started(crm)
    kinds = ["contact_import"]
    assert [job.id for job in crm.jobs.list(kind=kinds)] == [second, first]
    assert [job.id for job in crm.jobs.list(kind=kinds, sort="created_at")] == [first, second]
    assert [job.id for job in crm.jobs.list(kind=kinds, status=["queued"])] == [second]
    assert [job.id for job in crm.jobs.list(kind=kinds, until=middle)] == [first]
    assert [job.id for job in crm.jobs.list(kind=kinds, since=middle)] == [second]
    assert crm.jobs.list(created_by="user_nobody").total == 0
    assert {job.kind for job in crm.jobs.list(entity_type="workflow")} == {"workflow"}


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("workflow", "Execution of {}"),
        ("report_run", "Run of {}"),
        ("sync", "Synchronisation with {}"),
        ("backup", "Backup {}"),
        ("prediction", "Prediction of {}"),
    ],
)
def test_work_that_is_a_record_is_called_by_what_it_carries_out(crm: CrmClient, kind: str, title: str) -> None:
    crm.backups.create().wait()
    crm.reports.run(next(iter(crm.reports.list())).id)
    crm.ai_insights.predictions.churn()
    names = {
        "workflow": [one.name for one in crm.workflows.list()],
        "report_run": [one.name for one in crm.reports.list()],
        "sync": [one.name for one in crm.integrations.list()],
        "backup": [str(one.name).removeprefix("Backup ") for one in crm.backups.list()],
        "prediction": ["deals", "churn", "revenue"],
    }[kind]
    found = list(crm.jobs.list(kind=[kind]))
    assert found and {one.title for one in found} <= {title.format(name) for name in names}
    assert all(one.entity is not None and one.entity.name for one in found)
    assert all(crm.jobs.get(one.id).title == one.title for one in found)


def test_a_run_keeps_the_name_of_what_was_deleted_since(crm: CrmClient) -> None:
    before = {one.title for one in crm.jobs.list(kind=["workflow"])}
    workflow = next(one for one in crm.workflows.list() if f"Execution of {one.name}" in before)
    crm.workflows.delete(workflow.id)
    assert f"Execution of {workflow.name}" in {one.title for one in crm.jobs.list(kind=["workflow"])}
