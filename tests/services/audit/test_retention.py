"""Retention: the policies of a company, what their daily run takes away, and purges by hand."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from refusals import refused
from stub_data import idle, some, stored

from crm_sdk import CrmClient
from crm_sdk.models import PurgeResult, RetentionPolicy
from server_stub import StubServer
from server_stub.history.audit import PURGED, is_intact

DAY = timedelta(days=1)


def sent(policies: list[RetentionPolicy]) -> list[Any]:
    """Return policies as they are sent back."""
    return [policy.model_dump(mode="json") for policy in policies]


def policy(kind: str, days: int = 30, **members: Any) -> Any:
    return {"entity_type": kind, "retain_days": days, **members}


def purge(client: CrmClient, kind: str, **given: Any) -> PurgeResult:
    job = client.audit.data_purge(kind, **given)
    assert (job.status, job.progress, job.status_url, job.kind) == ("succeeded", 1.0, None, "data_purge")
    return some(job.result)


def really(client: CrmClient, kind: str, **given: Any) -> PurgeResult:
    return purge(client, kind, dry_run=False, confirm=kind, **given)


def contact(client: CrmClient, n: int = 0, **members: Any) -> str:
    given: Any = {"name": f"Ada {n}", "email": f"ada{n}@x.example", **members}
    return client.contacts.create(given).id


def test_a_new_company_has_five_policies(platform: CrmClient, globex: CrmClient) -> None:
    found = platform.audit.retention_policies.list()
    assert [(one.entity_type, one.retain_days, one.basis) for one in found] == [
        ("deleted_records", 30, "deleted_at"), ("audit_log", 1_095, "created_at"), ("notification", 90, "created_at"),
        ("job", 30, "updated_at"), ("session", 30, "updated_at"),
    ]  # fmt: skip
    assert all(one.enabled and one.action == "delete" and not one.legal_hold and one.version == 1 for one in found)
    assert all(one.next_run_at and one.last_run_at is None for one in found)
    assert not {one.id for one in found} & {one.id for one in globex.audit.retention_policies.list()}


def test_the_set_is_replaced_as_a_whole(platform: CrmClient, globex: CrmClient, stub: StubServer) -> None:
    calls = platform.audit.retention_policies
    first, *_ = before = calls.list()
    log = len(stub.audit())
    assert calls.update(sent(before)) == before and len(stub.audit()) == log  # sent back as they came
    changed: list[Any] = [policy("lead", 400), {**sent([first])[0], "retain_days": 60}]
    after = calls.update(changed)
    assert [(one.entity_type, one.retain_days, one.version) for one in after] == [
        ("lead", 400, 1), ("deleted_records", 60, 2),
    ]  # fmt: skip
    assert after[1].id == first.id and after[0].id.startswith("retention_") and calls.list() == after
    entry = stub.audit()[-1]
    assert (entry["action"], entry["entity"]["id"], entry["category"]) == ("retention.updated", "tenant_acme", "config")
    assert {one["field"] for one in entry["changes"]} == {one.entity_type for one in (*before, after[0])}
    assert calls.update([]) == calls.list() == []
    assert len(globex.audit.retention_policies.list()) == 5


def test_a_wrong_set_is_refused_whole(platform: CrmClient) -> None:
    def check(policies: Any, code: str, field: str) -> None:
        before = platform.audit.retention_policies.list()
        error = refused(lambda: platform.audit.retention_policies.update(policies))
        assert (error.code, error.status) == (code, 422) and [one.field for one in error.fields] == [field]
        assert platform.audit.retention_policies.list() == before

    cases: list[tuple[Any, str, str]] = [
        ([policy("lead"), policy("lead")], "DUPLICATE_POLICY", "policies.1.entity_type"),
        ([policy("audit_log", 364)], "RETENTION_TOO_SHORT", "policies.0.retain_days"),
        ([policy("hats")], "VALIDATION_ERROR", "policies.0.entity_type"),
        ([policy("audit_log", 400, action="archive")], "VALIDATION_ERROR", "policies.0.action"),
        ([policy("lead", id="retention_nobody")], "REFERENCE_NOT_FOUND", "policies.0.id"),
        ([policy("lead", filter_groups=[{"filters": [{"field": "hat", "op": "eq", "value": "x"}]}])], "UNKNOWN_FIELD",
         "filter_groups.0.filters.0.field"),
    ]  # fmt: skip
    for case in cases:
        check(*case)


def test_a_policy_on_legal_hold_is_not_dropped(platform: CrmClient) -> None:
    calls = platform.audit.retention_policies
    (held,) = calls.update([policy("lead", legal_hold=True)])
    error = refused(lambda: calls.update([]))
    assert (error.code, error.status) == ("LEGAL_HOLD", 409)
    ended: list[Any] = [{**sent([held])[0], "legal_hold": False}]
    (free,) = calls.update(ended)
    assert (free.id, free.legal_hold) == (held.id, False) and calls.update([]) == []


def test_only_admins_set_and_purge(manager: CrmClient, globex: CrmClient) -> None:
    assert len(manager.audit.retention_policies.list()) == 5
    assert refused(lambda: manager.audit.retention_policies.update([])).code == "FORBIDDEN"
    assert refused(lambda: manager.audit.data_purge("lead", policy_id="x")).code == "FORBIDDEN"


def test_the_age_of_a_record_is_by_the_basis_of_its_policy(platform: CrmClient, stub: StubServer) -> None:
    id, now = contact(platform), stub.clock.now()
    stored(stub, "contact", id, created_at=now - 40 * DAY, updated_at=now - 20 * DAY)
    for days, basis, found in ((30, "created_at", True), (30, "updated_at", False), (10, "updated_at", True)):
        only: Any = [{"filters": [{"field": "name", "op": "eq", "value": "Ada 0"}]}]
        (own,) = platform.audit.retention_policies.update([policy("contact", days, basis=basis, filter_groups=only)])
        assert (purge(platform, "contact", policy_id=own.id).sample_ids == [id]) is found, (days, basis)


def test_a_purge_is_dry_until_it_is_confirmed(platform: CrmClient, globex: CrmClient, stub: StubServer) -> None:
    ids = [contact(platform, n) for n in range(3)]
    theirs = contact(globex)
    globex.contacts.delete(theirs)
    for id in ids[:2]:
        platform.contacts.delete(id)
    later, log = stub.clock.now() + DAY, len(stub.audit())
    dry = purge(platform, "deleted_records", before=later)
    assert (dry.matched, dry.purged, dry.dry_run, dry.audit_id) == (2, 0, True, None) and set(dry.sample_ids) == set(
        ids[:2]
    )
    assert purge(platform, "deleted_records", before=stub.clock.now() - DAY).matched == 0
    usual = platform.audit.retention_policies.list()[0].id
    assert purge(platform, "deleted_records", policy_id=usual).matched == 0  # 30 days are not over
    unsure: Any = {"before": later, "dry_run": False}
    for given in (unsure, {**unsure, "confirm": "contact"}):
        asked = partial(purge, platform, "deleted_records", **given)
        assert refused(asked).code == "CONFIRMATION_REQUIRED"
    assert len(stub.audit()) == log
    done = really(platform, "deleted_records", before=later)
    assert (done.matched, done.purged, done.held, done.dry_run) == (2, 2, 0, False)
    entry = platform.audit.logs.get(some(done.audit_id))
    assert (entry.action, entry.entity.type, len(entry.metadata["idHashes"])) == (PURGED, "tenant", 2)
    assert not any(id in json.dumps(entry.metadata) for id in ids) and len(stub.audit()) == log + 1
    assert purge(platform, "deleted_records", before=later).matched == 0
    assert platform.contacts.get(ids[2]).id == ids[2]
    assert stub.store.collection("tenant_globex", "contact").get(theirs, deleted=True)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, "VALIDATION_ERROR"),
        ({"policy_id": "retention_nobody"}, "REFERENCE_NOT_FOUND"),
        ({"policy_id": "retention_nobody", "before": "2026-01-01T00:00:00Z"}, "VALIDATION_ERROR"),
    ],
)
def test_a_purge_has_one_limit(platform: CrmClient, given: Any, code: str) -> None:
    assert refused(lambda: platform.audit.data_purge("lead", **given)).code == code
    assert refused(lambda: platform.audit.data_purge("hats", **given)).status == 422


def test_what_was_merged_still_leads_to_its_survivor(platform: CrmClient, stub: StubServer) -> None:
    one, two = (platform.accounts.create({"name": name}).id for name in ("One", "Two"))
    platform.accounts.merge(one, [two])
    assert really(platform, "deleted_records", before=stub.clock.now() + DAY).matched == 0
    assert platform.accounts.get(two).id == one


def test_what_is_on_legal_hold_is_skipped_and_counted(platform: CrmClient, stub: StubServer) -> None:
    vip = [{"filters": [{"field": "title", "op": "eq", "value": "CEO"}]}]
    held, free = contact(platform, 1, title="CEO"), contact(platform, 2)
    platform.audit.retention_policies.update([policy("contact", legal_hold=True, filter_groups=vip)])
    for id in (held, free):
        platform.contacts.delete(id)
    done = really(platform, "deleted_records", before=stub.clock.now() + DAY)
    assert (done.matched, done.purged, done.held) == (2, 1, 1)
    records = stub.store.collection("tenant_acme", "contact")
    assert records.get(held, deleted=True) and not records.get(free, deleted=True)


def test_the_daily_run_carries_out_what_is_enabled(platform: CrmClient, stub: StubServer) -> None:
    idle(stub)
    gone = contact(platform)
    platform.contacts.delete(gone)
    platform.audit.retention_policies.update([
        policy("deleted_records", 30, basis="deleted_at"), policy("notification", 1, basis="created_at", enabled=False),
    ])  # fmt: skip
    records = stub.store.collection("tenant_acme", "contact")
    stub.clock.advance(29 * 86_400)
    platform.leads.list(limit=1)
    assert records.get(gone, deleted=True)
    stub.clock.advance(3 * 86_400)
    platform.leads.list(limit=1)
    assert records.get(gone, deleted=True) is None
    ran, off = platform.audit.retention_policies.list()
    assert ran.last_run_at and some(ran.next_run_at) - ran.last_run_at == DAY and ran.last_count is not None
    assert (off.last_run_at, off.next_run_at) == (None, None)
    (entry,) = platform.audit.logs.list(action=PURGED)
    assert (entry.actor.type, entry.source.dialect, entry.metadata["entityType"]) == (
        "system",
        "system",
        "deleted_records",
    )
    assert is_intact(stub.audit())


@pytest.mark.parametrize("action", ["anonymize", "archive"])
def test_a_policy_can_keep_something(platform: CrmClient, stub: StubServer, action: str) -> None:
    id = contact(platform, title="CEO", tags=["kept"])
    others = platform.contacts.list(limit=1).total
    only = [{"filters": [{"field": "email", "op": "eq", "value": "ada0@x.example"}]}]
    (made,) = platform.audit.retention_policies.update([policy("contact", 1, action=action, filter_groups=only)])
    stored(stub, "contact", id, updated_at=stub.clock.now() - 2 * DAY)
    done = really(platform, "contact", policy_id=made.id)
    assert (done.matched, done.purged) == (1, 0) and {"anonymize": done.anonymized, "archive": done.archived}[
        action
    ] == 1
    entry = platform.audit.logs.get(some(done.audit_id))
    if action == "anonymize":
        left = platform.contacts.get(id)
        assert (left.name, left.email, left.title, left.tags) == ("[erased]", None, "[erased]", ["kept"])
        assert really(platform, "contact", policy_id=made.id).audit_id is None
    else:
        file = some(stub.store.collection("tenant_acme", "file").get(entry.metadata["fileId"]))
        assert (
            json.loads(stub.contents.read(file["checksum"]))["id"] == id
            and refused(lambda: platform.contacts.get(id)).status == 404
        )
        assert some(platform.contacts.list(limit=1).total) == some(others) - 1


@pytest.mark.parametrize(("action", "changed"), [("delete", False), ("anonymize", True), ("archive", False)])
@pytest.mark.parametrize("by_hand", [True, False])
def test_a_policy_counts_what_it_has_done(
    platform: CrmClient, stub: StubServer, action: str, changed: bool, by_hand: bool
) -> None:
    idle(stub)
    old = [contact(platform, n) for n in range(3)]
    (made,) = platform.audit.retention_policies.update([policy("contact", 30, action=action)])
    for id in old[:2]:
        stored(stub, "contact", id, updated_at=stub.clock.now() - 31 * DAY)
    if by_hand:
        dry = some(platform.audit.data_purge("contact", policy_id=made.id).counts)
        assert (dry.total, dry.processed, dry.succeeded, dry.skipped) == (2, 2, 0, 2)
        done = some(platform.audit.data_purge("contact", policy_id=made.id, dry_run=False, confirm="contact").counts)
        assert (done.total, done.processed, done.succeeded, done.skipped) == (2, 2, 2, 0)
        assert (done.deleted, done.updated) == ((0, 2) if changed else (2, 0))
    else:
        stub.clock.advance(86_400)
        platform.leads.list(limit=1)
        (ran,) = platform.audit.retention_policies.list()
        assert (ran.last_count, ran.version) == (2, made.version)
    left = {one.id: one.name for one in platform.contacts.list()}
    assert left == {old[2]: "Ada 2"} | dict.fromkeys(old[:2] if changed else (), "[erased]")


def test_a_purge_names_twenty_records_and_counts_those_on_hold_as_skipped(
    platform: CrmClient, stub: StubServer
) -> None:
    idle(stub)
    vip = [{"filters": [{"field": "title", "op": "eq", "value": "CEO"}]}]
    platform.audit.retention_policies.update([policy("contact", legal_hold=True, filter_groups=vip)])
    held, *free = (contact(platform, n, title="A" if n else "CEO") for n in range(21))
    later = stub.clock.now() + DAY
    assert purge(platform, "contact", before=later).sample_ids == free
    platform.contacts.delete(free[0])
    assert purge(platform, "contact", before=later).sample_ids == [*free[1:], held]
    job = platform.audit.data_purge("contact", before=later, dry_run=False, confirm="contact")
    counts = some(job.counts)
    assert (counts.processed, counts.succeeded, counts.skipped, counts.deleted) == (20, 19, 1, 19)
    assert [one.id for one in platform.contacts.list()] == [held]


def test_a_purge_of_the_trail_leaves_it_valid(platform: CrmClient, stub: StubServer) -> None:
    for n in range(3):
        contact(platform, n)
    count = len(stub.audit())
    done = really(platform, "audit_log", before=stub.clock.now() + DAY)
    assert (done.matched, done.purged) == (count, count)
    (entry,) = platform.audit.logs.list(verify=True)
    assert entry.id == done.audit_id and entry.metadata["lastSequence"] == entry.sequence - 1 == count
    assert platform.audit.logs.list(verify=True).meta == {"chainValid": True}


def test_a_purge_of_a_custom_object_takes_its_records_alone(platform: CrmClient, stub: StubServer) -> None:
    things = [
        platform.custom_objects.create({"api_name": name, "label": name, "plural_label": name, "fields": []})
        for name in ("hat", "shoe")
    ]
    made = {
        thing.api_name: platform.custom_objects.records.create(thing.id, {"fields": {"name": "Old"}}).id
        for thing in things
    }
    later = stub.clock.now() + DAY
    platform.audit.retention_policies.update([policy("hat")])
    assert purge(platform, "hat", before=later).sample_ids == [made["hat"]]
    done = really(platform, "hat", before=later)
    assert (done.matched, done.purged) == (1, 1)
    left = [[one.id for one in platform.custom_objects.records.list(thing.id)] for thing in things]
    assert left == [[], [made["shoe"]]]


@pytest.mark.parametrize(("kind", "kept"), [("privacy_erase", True), ("privacy_export", True), ("import", False)])
def test_the_register_of_requests_of_persons_is_kept_for_three_years(
    platform: CrmClient, stub: StubServer, kind: str, kept: bool
) -> None:
    job = platform.privacy.export({"email": "nobody@x.example"})
    job.wait()
    jobs = stub.store.collection("tenant_acme", "job")
    jobs.put(some(jobs.get(job.id)) | {"kind": kind})
    for days, there in ((1_095 * DAY - DAY / 24, kept), (1_095 * DAY + DAY / 24, False)):
        stored(stub, "job", job.id, updated_at=stub.clock.now() - days)
        found = purge(platform, "job", before=stub.clock.now()).sample_ids
        assert (job.id not in found) == there, days


def test_a_job_that_runs_is_kept(platform: CrmClient, stub: StubServer) -> None:
    running = platform.contacts.imports.create(("people.csv", b"Name\nAda New\n"))
    assert running.id not in purge(platform, "job", before=stub.clock.now() + DAY).sample_ids
    running.wait()
    assert running.id in purge(platform, "job", before=stub.clock.now() + DAY).sample_ids


def test_a_trail_of_which_an_entry_is_held_stays_whole(platform: CrmClient, stub: StubServer) -> None:
    id = contact(platform, 1)
    entry = next(one for one in platform.audit.logs.list() if one.entity.id == id)
    held: Any = [{"filters": [{"field": "id", "op": "eq", "value": entry.id}]}]
    platform.audit.retention_policies.update([policy("audit_log", 365, legal_hold=True, filter_groups=held)])
    count = len(stub.audit())
    done = really(platform, "audit_log", before=stub.clock.now() + DAY)
    assert (done.matched, done.purged, done.held) == (1, 0, 1), "a trail has no gaps"
    assert platform.audit.logs.get(entry.id) == entry and len(stub.audit()) >= count
    wrong: Any = {"include": ["changes"]}
    error = refused(lambda: platform.audit.logs.search(wrong))
    assert [(one.field, one.rule) for one in error.fields] == [("include.0", "choice")]


def test_a_purge_of_a_kind_of_activities_takes_no_others(platform: CrmClient, stub: StubServer) -> None:
    activities = stub.store.collection("tenant_acme", "activity")
    before = {doc["id"]: doc["kind"] for doc in activities}
    done = really(platform, "note", before=stub.clock.now() + DAY)
    notes = {id for id, kind in before.items() if kind == "note"}
    assert done.purged == len(notes) > 0
    assert {doc["id"] for doc in activities} == before.keys() - notes
