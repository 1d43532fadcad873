"""Backups as records: what they have, who may make them, how many, and when they make themselves."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from backing_up import PASSWORD, Founded, found, lines_of, manifest_of, parts_of
from refusals import refused

from server_stub import StubServer

DAY = 86_400


def test_an_archive_has_the_records_and_says_what_it_has(acme: Founded) -> None:
    eva = acme.crm.contacts.create({"name": "Eva Roth", "custom_fields": {"tier": "gold", "api_token": "mine"}})
    deal = acme.crm.deals.create({"title": "Rollout", "value": 5, "contact_id": eva.id})
    gone = acme.crm.contacts.create({"name": "Gone"})
    acme.crm.contacts.delete(gone.id)
    acme.crm.files.upload(("notes.txt", b"what was said"))
    made = acme.backup(name="  Before the fair ")
    content = acme.archive(made)
    assert (made.name, made.trigger, made.include) == ("Before the fair", "manual", ["data", "files", "configuration"])
    assert (made.size, made.checksum) == (len(content), hashlib.sha256(content).hexdigest())
    assert (made.counts["contact"], made.counts["deal"], made.counts["file"]) == (1, 1, 1)
    manifest = manifest_of(content)
    assert (manifest["format_version"], manifest["tenant"]["slug"]) == (made.format_version, acme.slug)
    parts = parts_of(content)
    for part in manifest["parts"]:
        text = parts[part["path"]]
        assert (len(text.splitlines()), hashlib.sha256(text).hexdigest()) == (part["rows"], part["sha256"])
    (contact,) = lines_of(content, "contact")
    assert (contact["id"], contact["custom_fields"]) == (eva.id, {"tier": "gold", "api_token": "mine"})
    (line,) = lines_of(content, "deal")
    assert (line["id"], line["contact_id"], line["value"]) == (deal.id, eva.id, "5")
    assert gone.id in {one["id"] for one in lines_of(content, "deleted")}
    assert b"what was said" in parts.values()


def test_no_archive_has_a_secret(stub: StubServer) -> None:
    crm = stub.client(dialects="platform", strict=True)
    crm.configuration.settings.update({"env.PAY_TOKEN": {"value": "pay-5f1c90d2-canary", "secret": True}})
    crm.users.create({"email": "new@acme.test", "name": "New", "password": PASSWORD})
    every: Any = ["data", "files", "configuration", "users", "audit"]
    made = crm.backups.create(include=every).wait()
    content = crm.files.download(made.file_id or "").read()
    whole = b"".join(parts_of(content).values())
    users = stub.store.collection("tenant_acme", "user")
    held = [user["password_hash"] for user in users if user.get("password_hash")]
    keys = [key["fingerprint"] for key in stub.store.collection("tenant_acme", "api_key")]
    assert held and keys
    for secret in ("pay-5f1c90d2-canary", PASSWORD, "demo-password", *held, *keys):
        assert secret.encode() not in whole, secret
    assert {part["name"] for part in manifest_of(content)["parts"]}.isdisjoint({"api_key", "session", "second_factor"})


def test_an_archive_may_have_some_entities_only(acme: Founded) -> None:
    acme.crm.contacts.create({"name": "Eva"})
    acme.crm.deals.create({"title": "Rollout"})
    made = acme.backup(entity_types=["deal"], include=["data"])
    assert made.counts.keys() == {"deal", "stage_change", "deal_state"} and made.entity_types == ["deal"]
    error = refused(lambda: acme.crm.backups.create(entity_types=["deal", "planet"]))
    assert (error.code, error.fields[0].field) == ("VALIDATION_ERROR", "entity_types.1")


def test_a_position_joins_the_changes(acme: Founded) -> None:
    before = acme.crm.contacts.create({"name": "Before"})
    made = acme.backup()
    after = acme.crm.contacts.create({"name": "After"})
    told = acme.crm.changes.list(cursor=acme.crm.backups.get(made.id).position, entity_types=["contact"])
    assert [one.entity.id for one in told] == [after.id] != [before.id]


def test_a_backup_is_a_job_that_can_be_cancelled_while_it_waits(acme: Founded) -> None:
    queued = acme.crm.backups.create()
    assert queued.status == "queued"
    waits = acme.crm.jobs.get(queued.id)
    assert waits.counts is not None and set(waits.counts.model_dump().values()) == {0} and waits.cancellable is True
    assert refused(acme.crm.backups.create).code == "BACKUP_IN_PROGRESS"
    assert refused(lambda: acme.crm.backups.delete(queued.id)).code == "BACKUP_IN_PROGRESS"
    assert refused(lambda: acme.crm.backups.restore(queued.id)).code == "BACKUP_NOT_READY"
    assert acme.crm.jobs.cancel(queued.id).status == "cancelled"
    assert acme.crm.backups.get(queued.id).status == "cancelled"
    done = acme.backup()
    shown = acme.crm.jobs.get(done.id)
    assert (shown.kind, shown.status, shown.entity and shown.entity.id) == ("backup", "succeeded", done.id)
    assert shown.counts is not None and shown.counts.succeeded == sum(done.counts.values())


def test_lists_are_filtered_and_sorted(acme: Founded, stub: StubServer) -> None:
    small, large = acme.backup(include=["configuration"]), acme.backup()
    acme.crm.jobs.cancel(acme.crm.backups.create().id)
    crm = acme.crm.backups
    assert [one.id for one in crm.list(status="succeeded")] == [large.id, small.id]
    assert [one.id for one in crm.list(sort="size", status="succeeded")] == [small.id, large.id]
    assert crm.list(trigger="scheduled").total == 0
    assert [one.id for one in crm.list(until=large.created_at)] == [small.id]
    assert crm.list(since=stub.clock.now() + timedelta(days=1)).total == 0


def test_the_last_good_backup_stays(acme: Founded) -> None:
    one = acme.backup()
    assert refused(lambda: acme.crm.backups.delete(one.id)).code == "LAST_BACKUP"
    two = acme.backup()
    assert refused(lambda: acme.crm.backups.delete(one.id, version=99)).code == "VERSION_CONFLICT"
    acme.crm.backups.delete(one.id)
    assert refused(lambda: acme.crm.backups.get(one.id)).code == "NOT_FOUND"
    assert refused(lambda: acme.crm.files.get(one.file_id or "")).code == "NOT_FOUND"
    acme.crm.configuration.settings.update({"backup.keep": 0})
    acme.crm.backups.delete(two.id)
    assert acme.crm.backups.list().total == 0
    actions = [one.action for one in acme.crm.audit.logs.list(limit=200)]
    assert actions.count("backup.deleted") == 2 and "backup.completed" in actions


def test_only_who_may_manage_backups_makes_them_and_reads_them(stub: StubServer, acme: Founded) -> None:
    made = acme.backup()
    acme.crm.users.create({"email": "sam@hooli.test", "name": "Sam", "role": "manager", "password": PASSWORD})
    sam = stub.client(api_key=None, dialects="platform", max_retries=0, strict=True)
    sam.auth.login("sam@hooli.test", PASSWORD)
    for attempt in (
        sam.backups.create, sam.backups.list, lambda: sam.backups.get(made.id), lambda: sam.backups.restore(made.id),
        lambda: sam.backups.delete(made.id),
    ):  # fmt: skip
        assert refused(attempt).code == "FORBIDDEN"
    assert refused(lambda: sam.files.download(made.file_id or "").read()).code == "NOT_FOUND"
    acme.crm.users.create({"email": "ada@hooli.test", "name": "Ada", "role": "admin", "password": PASSWORD})
    ada = stub.client(api_key=None, dialects="platform", max_retries=0, strict=True)
    ada.auth.login("ada@hooli.test", PASSWORD)
    assert ada.files.download(made.file_id or "").read() == acme.archive(made)
    other = found(stub, "Umbrella")
    assert refused(lambda: other.crm.backups.get(made.id)).code == "NOT_FOUND"


@pytest.mark.parametrize(("plan", "limit"), [(None, None), ("pro", 7)])
def test_the_plan_has_its_limit(stub: StubServer, plan: str | None, limit: int | None) -> None:
    company = found(stub, "Initech", plan)
    if limit is None:
        assert refused(company.crm.backups.create).code == "FEATURE_DISABLED"
        return
    for _ in range(limit):
        company.backup(include=["configuration"])
    error = refused(company.crm.backups.create)
    assert (error.code, error.details["limit"]) == ("LIMIT_EXCEEDED", limit)
    used = {one.key: one.used for one in company.crm.tenants.limits.get("current").limits}
    assert used["backups"] == limit


# -- on the clock ------------------------------------------------------------------------------------------------------


@pytest.mark.thorough
def test_the_schedule_runs_on_the_clock_and_keeps_so_many(acme: Founded, stub: StubServer) -> None:
    acme.crm.configuration.settings.update({"backup.schedule": "daily 02:00", "backup.keep": 2})
    for _ in range(4):
        stub.clock.advance(DAY)
    kept = list(acme.crm.backups.list(trigger="scheduled"))
    assert [(one.created_at or stub.clock.now()).strftime("%d %H:%M") for one in kept] == ["19 02:00", "18 02:00"]
    assert {one.created_by for one in kept} == {"system"}
    assert acme.archive(kept[0])
    recovery = acme.crm.monitoring.status().recovery
    assert (recovery.last_backup_ok, recovery.rpo_met) == (True, True)
    acme.crm.configuration.settings.update({"backup.schedule": "off"})
    stub.clock.advance(3 * DAY)
    assert acme.crm.backups.list(trigger="scheduled").total == 2
    assert acme.crm.monitoring.status().recovery.rpo_met is False


@pytest.mark.thorough
def test_of_backups_that_were_missed_only_the_last_is_made(acme: Founded, stub: StubServer) -> None:
    stub.clock.advance(10 * DAY)
    acme.sign_in()
    (only,) = acme.crm.backups.list(trigger="scheduled")
    assert only.created_at is not None and only.created_at.strftime("%d %H:%M") == "25 02:00"


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("schedule", "times"),
    [
        ("hourly", ["15 11:00", "15 10:00"]),
        ("weekly monday 04:30", ["19 04:30"]),
        ("monthly 03:00", ["01 03:00"]),
    ],
)
def test_schedules(acme: Founded, stub: StubServer, schedule: str, times: list[str]) -> None:
    acme.crm.configuration.settings.update({"backup.schedule": schedule})
    for _ in times:
        stub.clock.advance(3_600 if schedule == "hourly" else 20 * DAY if schedule[0] == "m" else 5 * DAY)
    acme.sign_in()
    made = [(one.created_at or stub.clock.now()).strftime("%d %H:%M") for one in acme.crm.backups.list()]
    assert made == times


@pytest.mark.thorough
def test_where_the_plan_allows_no_more_the_oldest_of_the_schedule_makes_room(stub: StubServer) -> None:
    company = found(stub, "Initech", "pro")
    for _ in range(6):
        company.backup(include=["configuration"])
    for _ in range(2):
        stub.clock.advance(DAY)
    (scheduled,) = company.crm.backups.list(trigger="scheduled")
    assert (scheduled.status, company.crm.backups.list().total) == ("succeeded", 7)
    company.crm.backups.delete(scheduled.id)
    company.backup(include=["configuration"])
    stub.clock.advance(DAY)
    (failed,) = company.crm.backups.list(trigger="scheduled")
    assert (failed.status, failed.error and failed.error.code) == ("failed", "LIMIT_EXCEEDED")


def test_the_position_of_an_uploaded_archive_is_one_where_it_was_made_only(acme: Founded, stub: StubServer) -> None:
    other = found(stub, "Umbrella")
    before = acme.crm.contacts.create({"name": "Before"})
    content = acme.archive(acme.backup())
    after = acme.crm.contacts.create({"name": "After"})
    told = acme.crm.changes.list(cursor=acme.take_over(content).position, entity_types=["contact"])
    assert [one.entity.id for one in told] == [after.id] != [before.id]
    for _ in range(3):  # as many changes as the position counts are no reason to take it
        other.crm.contacts.create({"name": "Other"})
    foreign = other.take_over(content).position
    assert refused(lambda: other.crm.changes.list(cursor=foreign)).code == "INVALID_CURSOR"


@pytest.mark.parametrize(("hours", "late", "met"), [(2, 0, True), (2, 0.001, False), (5, 0, True), (5, 0.001, False)])
def test_a_backup_is_fresh_for_as_long_as_the_company_says(
    acme: Founded, stub: StubServer, hours: int, late: float, met: bool
) -> None:
    assert acme.crm.monitoring.status().recovery.rpo_met is False
    acme.crm.configuration.settings.update({"backup.rpo_hours": hours})
    made = acme.backup().finished_at
    assert made is not None
    stub.clock.advance(hours * 3600 - 10)
    acme.sign_in()
    stub.clock.advance((made + timedelta(hours=hours) - stub.clock.now()).total_seconds() + late - 0.001)
    found = acme.crm.monitoring.status()
    assert found.time == made + timedelta(hours=hours, seconds=late)
    assert (found.recovery.rpo_hours, found.recovery.rpo_met, found.recovery.last_backup_ok) == (hours, met, True)
