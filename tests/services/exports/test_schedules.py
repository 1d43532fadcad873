"""Exports that are made by themselves: when, with whose rights, for whom, and what of it is new."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient
from crm_sdk.models import ExportSchedule
from server_stub import StubServer

from .conftest import New, export

HOUR, DAY = 3600, 24 * 3600
HOURLY: Any = {"frequency": "hourly", "at": "00:30"}


def schedule(crm: CrmClient, name: str = "nightly", **more: Any) -> ExportSchedule:
    body: Any = {"name": name, "request": {"entity_types": ["lead"]}, "schedule": HOURLY, **more}
    return crm.exports.schedules.create(body)


def now(crm: CrmClient, id: str) -> ExportSchedule:
    return next(one for one in crm.exports.schedules.list() if one.id == id)


def lines(crm: CrmClient, id: str) -> list[Any]:
    """Return the objects of the last file of a schedule."""
    job = crm.jobs.get(str(now(crm, id).last_job_id))
    assert job.status == "succeeded", job.error
    return [json.loads(line) for line in crm.files.download(str(job.file_id)).read().decode().splitlines()]


def trail(stub: StubServer, action: str) -> list[Any]:
    return [entry for entry in stub.audit() if entry["action"] == action]


def test_it_runs_at_its_time_as_a_job_of_its_owner(stub: StubServer, admin: CrmClient) -> None:
    made = schedule(admin, recipients=["user_sam", "Boss@Elsewhere.example"])
    assert made.id.startswith("expsched_") and made.owner_id == "user_ada" and made.next_run_at is not None
    assert made.request.format == "csv" and made.last_status is None
    stub.clock.advance(HOUR)
    done = now(admin, made.id)
    job = admin.jobs.get(str(done.last_job_id))
    assert (done.last_status, done.last_run_at, job.kind) == ("succeeded", made.next_run_at, "export")
    assert done.next_run_at == made.next_run_at + timedelta(hours=1) and done.version == 1
    told = [
        doc
        for doc in stub.store.collection("tenant_acme", "notification").all()
        if doc["title"] == "Export ready: nightly"
    ]
    assert [(doc["channel"], doc["recipient"]) for doc in told] == [
        ("in_app", "user_sam"), ("email", "boss@elsewhere.example"),
    ]  # fmt: skip
    sam = stub.client(api_key="acme-sales", dialects="platform")
    assert sam.files.download(str(job.file_id)).read().startswith(b"id,")
    assert [entry["entity"]["id"] for entry in trail(stub, "data.exported")] == [job.id]


def test_missed_times_are_one_run(stub: StubServer, admin: CrmClient) -> None:
    made = schedule(admin)
    stub.clock.advance(10 * HOUR)
    assert len(admin.jobs.list(kind=["export"]).items) == 1
    done = now(admin, made.id)
    assert done.next_run_at is not None and done.next_run_at > stub.clock.now() > done.last_run_at  # type: ignore[operator] # it has run
    assert done.next_run_at - done.last_run_at == timedelta(hours=1)  # type: ignore[operator] # the last that was missed
    admin.exports.schedules.delete(made.id)
    stub.clock.advance(3 * HOUR)
    assert len(admin.jobs.list(kind=["export"]).items) == 1
    assert admin.files.download(str(admin.jobs.get(str(done.last_job_id)).file_id)).size
    assert made.id not in [one.id for one in admin.exports.schedules.list()]


def test_what_was_changed_is_told_once(stub: StubServer, admin: CrmClient) -> None:
    keep = {"lead": [{"filters": [{"field": "status", "op": "neq", "value": "unqualified"}]}]}
    request = {"entity_types": ["lead"], "format": "jsonl", "fields": {"lead": ["name"]}, "filter_groups": keep}
    made = schedule(admin, mode="changed", request=request)
    changed, gone, left = (admin.leads.create({"name": name}) for name in ("Changed", "Gone", "Left"))
    stub.clock.advance(HOUR)
    first = {row["id"]: row for row in lines(admin, made.id)}
    assert {row["_change"] for row in first.values()} == {"created"} and changed.id in first
    assert list(first[changed.id]) == ["_change", "id", "name"]
    stub.clock.advance(HOUR)
    assert lines(admin, made.id) == []
    new = admin.leads.create({"name": "New"})
    admin.leads.update(new.id, {"name": "New, and changed"})
    admin.leads.update(changed.id, {"name": "Changed again"})
    admin.leads.update(left.id, {"status": "unqualified"})
    admin.leads.delete(gone.id)
    stub.clock.advance(HOUR)
    assert sorted(lines(admin, made.id), key=lambda row: str(row["_change"])) == [
        {"_change": "access_lost", "id": left.id},
        {"_change": "created", "id": new.id, "name": "New, and changed"},
        {"_change": "deleted", "id": gone.id},
        {"_change": "updated", "id": changed.id, "name": "Changed again"},
    ]


def test_of_named_records_no_change_of_others_is_told(stub: StubServer, admin: CrmClient) -> None:
    one, other = (admin.leads.create({"name": name}) for name in ("One", "Other"))
    request = {"entity_types": ["lead"], "format": "jsonl", "fields": {"lead": ["name"]}, "ids": [one.id]}
    made = schedule(admin, mode="changed", request=request)
    stub.clock.advance(HOUR)
    assert [row["id"] for row in lines(admin, made.id)] == [one.id]
    for lead in (other, one):
        admin.leads.update(lead.id, {"name": "Changed"})
    stub.clock.advance(HOUR)
    assert lines(admin, made.id) == [{"_change": "updated", "id": one.id, "name": "Changed"}]


@pytest.mark.parametrize(("more", "runs"), [(0, 1), (2 * HOUR, 1), (2 * HOUR - 1, 1)])
def test_of_times_that_were_missed_only_the_last_counts(
    stub: StubServer, admin: CrmClient, more: float, runs: int
) -> None:
    made = schedule(admin)
    before = {job.id for job in admin.jobs.list(kind=["export"], limit=200)}
    assert made.next_run_at is not None
    stub.clock.advance((made.next_run_at - stub.clock.now()).total_seconds() + more)
    done = now(admin, made.id)
    last = made.next_run_at + timedelta(hours=more // HOUR)
    assert (done.last_run_at, done.next_run_at) == (last, last + timedelta(hours=1))
    jobs = [job.id for job in admin.jobs.list(kind=["export"], limit=200) if job.id not in before]
    assert len(jobs) == runs and done.last_job_id in jobs


def test_what_was_changed_as_a_table_with_several_entities(stub: StubServer, admin: CrmClient) -> None:
    made = schedule(admin, mode="changed", request={"entity_types": ["lead", "territory"]})
    stub.clock.advance(HOUR)
    lead = admin.leads.create({"name": "New"})
    stub.clock.advance(HOUR)
    job = admin.jobs.get(str(now(admin, made.id).last_job_id))
    archive = zipfile.ZipFile(io.BytesIO(admin.files.download(str(job.file_id)).read()))
    header, row = archive.read("lead.csv").decode().splitlines()
    assert header.startswith("_change,id,createdAt,") and row.startswith(f"created,{lead.id},")
    assert archive.read("territory.csv").decode().splitlines()[0].startswith("_change,id,") and job.result is not None
    assert job.counts is not None and job.counts.total == 1


@pytest.mark.parametrize("what", ["request", "epoch", "mode"])
def test_it_begins_anew_where_its_position_does_not_lead_on(stub: StubServer, admin: CrmClient, what: str) -> None:
    made = schedule(admin, mode="changed", request={"entity_types": ["territory"], "format": "jsonl"})
    stub.clock.advance(HOUR)
    stub.clock.advance(HOUR)
    assert lines(admin, made.id) == []
    if what == "request":
        admin.exports.schedules.update(made.id, {"request": {"fields": {"territory": ["name"]}}})
    elif what == "mode":
        admin.exports.schedules.update(made.id, {"mode": "full"})
    else:
        stub.restore(stub.snapshot())
    stub.clock.advance(HOUR)
    assert len(lines(admin, made.id)) == 2


def test_an_update_merges_and_computes_the_next_time_anew(stub: StubServer, admin: CrmClient) -> None:
    made = schedule(admin)
    later = admin.exports.schedules.update(made.id, {"schedule": {"frequency": "hourly", "at": "00:40"}}, version=1)
    assert later.next_run_at is not None and made.next_run_at is not None
    assert later.next_run_at - made.next_run_at == timedelta(minutes=10) and later.version == 2
    other = admin.exports.schedules.update(made.id, {"request": {"format": "json"}})
    assert (other.request.entity_types, other.request.format) == (["lead"], "json")
    assert admin.exports.schedules.update(made.id, {"request": {"format": "json"}}).version == other.version
    assert admin.exports.schedules.update(made.id, {"enabled": False}).next_run_at is None
    assert (
        refused(lambda: admin.exports.schedules.update(made.id, {"enabled": True}, version=1)).code
        == "VERSION_CONFLICT"
    )
    events = [entry["action"] for entry in stub.audit() if entry["action"].startswith("export.")]
    assert events == ["export.scheduled", *["export.schedule_updated"] * 3]
    admin.exports.schedules.delete(made.id)
    (last,) = trail(stub, "export.unscheduled")
    assert last["entity"]["id"] == made.id and "position" not in str(trail(stub, "export.schedule_updated"))


def test_while_its_owner_is_not_active_it_is_skipped(stub: StubServer, admin: CrmClient, new: New) -> None:
    id, crm = new("leads:read@all", "leads:export@all", "files:read@all")
    made = schedule(crm)
    admin.users.deactivate(id)
    stub.clock.advance(HOUR)
    assert (now(admin, made.id).last_status, now(admin, made.id).last_job_id) == ("skipped", None)
    assert [one.title for one in admin.notifications.list() if "skipped" in one.title] == ["Export skipped: nightly"]


def test_each_run_has_the_rights_that_its_owner_has_then(stub: StubServer, admin: CrmClient, new: New) -> None:
    id, crm = new("leads:read@all", "leads:export@all", "files:read@all")
    made = schedule(crm, recipients=["boss@elsewhere.example"])
    admin.users.update(id, {"role": "read_only"})
    stub.clock.advance(HOUR)
    done = now(admin, made.id)
    job = admin.jobs.get(str(done.last_job_id))
    assert (done.last_status, job.status, job.error and job.error.code) == ("failed", "failed", "FORBIDDEN")
    admin.users.update(id, {"role": "sales"})
    stub.clock.advance(HOUR)
    assert now(admin, made.id).last_status == "failed"  # an outside recipient needs the right to export all


def test_what_cannot_be_scheduled_is_refused(admin: CrmClient) -> None:
    cases: list[Any] = [
        ({"schedule": {"frequency": "cron", "cron": "99 * * * *"}}, "INVALID_SCHEDULE"),
        ({"schedule": {"frequency": "once"}}, "INVALID_SCHEDULE"),
        ({"request": {"entity_types": ["team"]}}, "UNSUPPORTED_OPERATION"),
        ({"request": {"entity_types": ["lead"], "fields": {"lead": ["nope"]}}}, "UNKNOWN_FIELD"),
        ({"mode": "changed", "request": {"entity_types": ["lead"], "format": "vcf"}}, "INVALID_FORMAT"),
        ({"recipients": ["user_nobody"]}, "REFERENCE_NOT_FOUND"),
        ({"recipients": ["no address@"]}, "VALIDATION_ERROR"),
        ({"name": "leads FOR the warehouse"}, "SCHEDULE_EXISTS"),
    ]
    mine = schedule(admin, "mine").id
    for more, code in cases:
        assert refused(partial(schedule, admin, **{"name": "nightly", **more})).code == code, more
        changed: Any = {name: value for name, value in more.items() if name != "name"}
        if changed:
            assert refused(partial(admin.exports.schedules.update, mine, changed)).code == code, more


def test_everybody_sees_and_changes_ones_own(admin: CrmClient, sales: CrmClient, stub: StubServer) -> None:
    hers, his = schedule(admin, "hers"), schedule(sales, "his")
    assert {one.owner_id for one in sales.exports.schedules.list()} == {"user_sam"}
    assert {hers.id, his.id} <= {one.id for one in admin.exports.schedules.list()}
    assert [one.id for one in admin.exports.schedules.list(owner_id="user_sam", search="his", enabled=True)] == [his.id]
    for call in (
        lambda: sales.exports.schedules.update(hers.id, {"enabled": False}),
        lambda: sales.exports.schedules.delete(hers.id),
    ):
        assert refused(call).code == "NOT_FOUND"
    assert admin.exports.schedules.update(his.id, {"name": "still his"}).owner_id == "user_sam"
    assert refused(lambda: schedule(sales, "x", recipients=["boss@elsewhere.example"])).code == "FORBIDDEN"
    assert schedule(sales, "x", recipients=["ada@acme.test"]).recipients == ["ada@acme.test"]
    with_more = {"recipients": ["boss@elsewhere.example"]}
    assert refused(lambda: admin.exports.schedules.update(his.id, with_more)).code == "FORBIDDEN"  # type: ignore[arg-type] # a plain dict


def test_limits_of_a_user_and_of_the_plan(stub: StubServer, admin: CrmClient, sales: CrmClient) -> None:
    have = sales.exports.schedules.list().total or 0
    for number in range(20 - have):
        schedule(sales, f"number {number}")
    error = refused(lambda: schedule(sales, "one more"))
    assert (error.status, error.code, error.details, error.message) == (
        409, "SCHEDULE_LIMIT", {"limit": 20}, "one user has at most 20 schedules of exports",
    )  # fmt: skip
    token = admin.auth.token(grant_type="client_credentials", client_id="demo-service", client_secret="demo-secret")
    nobody = stub.client(api_key=str(token.access_token), dialects="platform", max_retries=0)
    assert refused(lambda: schedule(nobody)).code == "NO_USER"
    used = next(one for one in admin.tenants.limits.get("current").limits if one.key == "export_schedules").used
    assert used == admin.exports.schedules.list().total == 21
    admin.tenants.limits.update("current", {"export_schedules": 21})
    assert refused(lambda: schedule(admin, "one more")).code == "LIMIT_EXCEEDED"


def test_the_demo_company_has_two_that_run(stub: StubServer, admin: CrmClient) -> None:
    stub.clock.advance(8 * DAY)
    found = {one.name: one for one in admin.exports.schedules.list()}
    assert {name: one.last_status for name, one in found.items()} == {
        "My open deals": "succeeded", "Leads for the warehouse": "succeeded",
    }  # fmt: skip
    job = admin.jobs.get(str(found["My open deals"].last_job_id))
    mine = export(stub.client(api_key="acme-sales", dialects="platform"), "deal", format="jsonl").lines()
    assert job.counts is not None and job.counts.total == sum(row["status"] == "open" for row in mine)
