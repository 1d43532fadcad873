"""What jobs and runs say of themselves in one list, who may stop them, and what their end tells."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from newcomers import signed_in
from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient
from server_stub import StubServer


@pytest.fixture
def crm(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


RUNS = {"prediction", "workflow", "report_run", "sync", "backup"}


def test_runs_have_the_members_of_jobs(stub: StubServer, crm: CrmClient) -> None:
    listed = {(one.kind, one.id): one for one in crm.jobs.list(limit=200)}
    kinds = {kind for kind, _ in listed}
    assert RUNS & kinds >= {"workflow", "backup", "sync"}
    assert not {"prediction_run", "integration_sync", "calendar_sync"} & kinds
    for (kind, id), one in listed.items():
        assert one.result is None and one.errors == [] and one.counts is not None
        whole = crm.jobs.get(id)
        assert (whole.kind, whole.title, whole.status) == (kind, one.title, one.status)
        if kind not in RUNS:
            continue
        assert whole.entity is not None and (whole.entity.type, whole.entity.id) == (kind, id)
        assert (whole.result, whole.file_id, whole.errors, whole.errors_truncated) == (None, None, [], False)
        assert whole.status_url == f"/jobs/{id}" and whole.status in (
            "queued",
            "running",
            "succeeded",
            "failed",
            "cancelled",
        )
        assert whole.cancellable is (kind in ("workflow", "sync", "backup") and whole.status in ("queued", "running"))
        assert whole.counts is not None and (kind == "sync" or whole.counts.total == whole.counts.processed)
        heads = {"workflow": "Execution of ", "backup": "Backup ", "sync": "Synchronisation with ",
            "report_run": "Run of ",
                 "prediction": "Prediction of "}  # fmt: skip
        assert (whole.title or "").startswith(heads[str(kind)]) and not (whole.title or "").startswith(
            heads[str(kind)] * 2
        )
    made = crm.backups.create(include=["configuration"]).wait()
    shown = crm.jobs.get(made.id)
    assert shown.counts is not None and shown.counts.total == shown.counts.succeeded == sum(made.counts.values())
    assert shown.title == made.name and [one.id for one in crm.jobs.list(kind=["backup"]) if one.id == made.id] == [
        made.id
    ]


def test_a_result_has_the_names_of_its_model_at_every_depth(crm: CrmClient) -> None:
    made = crm.backups.create(include=["data"]).wait()
    crm.contacts.create({"name": "New"})
    job = crm.backups.restore(made.id)
    job.wait()
    result = crm.request("GET", f"/v1/jobs/{job.id}").json()["data"]["result"]
    (contacts,) = (one for one in result["differences"] if one["entity"] == "contact")
    assert {"onlyInBackup", "onlyNow", "different", "sampleIds"} <= contacts.keys() and "safetyBackupId" in result
    waiting = crm.backups.restore(made.id)
    crm.jobs.cancel(waiting.id)
    assert crm.jobs.get(waiting.id).result is None


def test_jobs_are_chosen(stub: StubServer, crm: CrmClient) -> None:
    one = crm.imports.create("lead", ("rows.csv", b"name\nA\n"))
    one.wait()
    two = crm.exports.create({"entity_types": ["territory"]})
    times = {job.id: some(crm.jobs.get(job.id).created_at) for job in (one, two)}

    def ids(**options: Any) -> list[str]:
        return [job.id for job in crm.jobs.list(limit=200, **options) if job.id in times]

    small = timedelta(milliseconds=1)
    assert ids() == [two.id, one.id] and ids(sort="created_at") == [one.id, two.id]
    assert ids(sort="kind") == [two.id, one.id] and ids(sort="kind", order="desc") == [one.id, two.id]
    assert (
        ids(kind=["import"]) == [one.id]
        and ids(kind=["import", "export"]) == [two.id, one.id]
        and ids(kind=["sync"]) == []
    )
    assert ids(status=["queued"]) == [two.id] and ids(status=["succeeded"]) == [one.id]
    assert ids(since=times[two.id]) == [two.id] and ids(since=times[one.id]) == [two.id, one.id]
    assert ids(until=times[two.id]) == [one.id] and ids(until=times[two.id] + small) == [two.id, one.id]
    assert ids(created_by="apikey_acme_admin") == [two.id, one.id] and ids(created_by="user_sam") == []
    assert ids(entity_type="backup") == []
    assert {one.entity.type for one in crm.jobs.list(entity_type="backup", limit=200) if one.entity} == {"backup"}


def test_a_job_is_answered_for_thirty_days_after_its_end(stub: StubServer, crm: CrmClient) -> None:
    job = crm.imports.create("lead", ("rows.csv", b"name\nA\n"))
    job.wait()
    now = stub.clock.now()
    for late, there in ((timedelta(seconds=5), True), (timedelta(), False), (-timedelta(days=1), False)):
        stored(stub, "job", job.id, finished_at=now - timedelta(days=30) + late)
        assert (job.id in {one.id for one in crm.jobs.list(kind=["import"], limit=200)}) is there
        if there:
            assert crm.jobs.get(job.id).id == job.id
        else:
            assert refused(lambda: crm.jobs.get(job.id)).code == "NOT_FOUND"


def test_who_stops_which_job(stub: StubServer, crm: CrmClient) -> None:
    def role(key: str, *actions: str) -> CrmClient:
        may: Any = [{"resource": "jobs", "action": action, "scope": "all"} for action in actions]
        may += [{"resource": "leads", "action": action, "scope": "all"} for action in ("read", "create", "import")]
        crm.security.roles.create({"key": key, "name": key, "permissions": may})
        return signed_in(stub, crm, key)[1]

    def queued(of: CrmClient) -> str:
        return of.imports.create("lead", ("rows.csv", b"name\nA\n")).id

    plain, reader, manager = role("plain"), role("reader", "read"), role("manager_of", "read", "manage")
    own = queued(plain)
    assert plain.jobs.get(own).id == own and own in {one.id for one in plain.jobs.list()}
    assert plain.jobs.cancel(own).status == "cancelled" and plain.jobs.cancel(own).status == "cancelled"
    other = queued(crm)
    assert refused(lambda: plain.jobs.get(other)).code == "NOT_FOUND" and other not in {
        one.id for one in plain.jobs.list()
    }
    assert refused(lambda: plain.jobs.cancel(other)).code == "NOT_FOUND"
    assert reader.jobs.get(other).id == other and refused(lambda: reader.jobs.cancel(other)).code == "FORBIDDEN"
    begin = len(stub.audit())
    assert manager.jobs.cancel(other).status == "cancelled"
    told = [(entry["action"], entry["entity"]["id"]) for entry in stub.audit()[begin:]]
    assert told == [("job.cancelled", other)]
    assert stub.audit()[-1]["metadata"] | {"kind": "import"} == stub.audit()[-1]["metadata"]
    done = queued(crm)
    crm.jobs.get(done).wait()
    finished = refused(lambda: crm.jobs.cancel(done))
    assert (finished.status, finished.code, finished.details) == (409, "JOB_FINISHED", {"status": "succeeded"})
    fixed = refused(lambda: crm.jobs.cancel(crm.privacy.erase({"email": "a@b.example"}).id))
    assert (fixed.status, fixed.code) == (409, "JOB_NOT_CANCELLABLE")


@pytest.mark.parametrize("fails", [False, True])
def test_whoever_started_a_job_is_told_of_its_end(stub: StubServer, crm: CrmClient, fails: bool) -> None:
    user, own = signed_in(stub, crm, "manager")
    content = b"\0\1 no table" if fails else b"name\nA\n"
    job = own.imports.create("lead", ("rows.csv", content))
    stub.clock.advance(10)
    (told,) = (one for one in own.notifications.list() if str(job.title) in (one.title or ""))
    ended = own.jobs.get(job.id)
    assert ended.status == ("failed" if fails else "succeeded") and user.id
    assert told.title == f"{job.title} {'failed' if fails else 'is done'}"
    assert told.priority == ("high" if fails else "low")
    assert told.message == (some(ended.error).message if fails else job.title)
