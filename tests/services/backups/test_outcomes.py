"""What backups and restores come to: the members of the records and results, the events, and what is counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from backing_up import Founded, found
from refusals import refused
from stub_data import some

from crm_sdk import JobFailedError
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.services.backups.records import delete_expired
from server_stub.timetable import system_call


def used(company: Founded) -> Any:
    return {one.key: one.used for one in company.crm.tenants.limits.get("current").limits}["backups"]


def difference(result: Any, entity: str) -> tuple[int, int, int]:
    found = {one.entity: (one.only_in_backup, one.only_now, one.different) for one in result.differences}
    return found.get(entity, (0, 0, 0))


def test_only_what_succeeded_and_was_asked_for_counts(acme: Founded) -> None:
    assert used(acme) == 0
    acme.crm.jobs.cancel(acme.crm.backups.create().id)
    assert used(acme) == 0
    made = acme.backup(include=["configuration"])
    assert used(acme) == 1
    acme.restore(made, "replace")
    assert [one.trigger for one in acme.crm.backups.list(status="succeeded")] == ["safety", "manual"]
    assert used(acme) == 1
    acme.crm.backups.create(include=["configuration"])
    assert used(acme) == 2


def test_what_a_backup_is(acme: Founded, stub: StubServer) -> None:
    queued = acme.crm.backups.create(include=["users", "data"])
    assert queued.name == f"Backup {stub.clock.now():%Y-%m-%d %H:%M}"
    assert (queued.status, queued.progress, queued.include) == ("queued", 0, ["data", "users"])
    assert (queued.file_id, queued.position, queued.error, queued.finished_at) == (None, None, None, None)
    before = len(stub.audit(acme.id))
    queued.wait()
    made = acme.crm.backups.get(queued.id)
    assert (made.status, made.progress, made.tenant_slug, made.entity_types) == ("succeeded", 1, acme.slug, None)
    assert made.started_at is not None and made.finished_at is not None and made.started_at <= made.finished_at
    assert made.expires_at is None and made.verified_at is None
    (told,) = acme.crm.audit.logs.list(action="backup.completed")
    assert told.metadata is not None and told.metadata["trigger"] == "manual" and told.metadata["size"] == made.size
    assert before
    file = acme.crm.files.get(made.file_id or "")
    assert file.folder == "/backups" and file.name.startswith(f"{acme.slug}-") and file.name.endswith(".zip")
    assert file.related_to is not None and (file.related_to.type, file.related_to.id) == ("backup", made.id)
    entries = [
        (one.subject_type, one.subject_id, one.access) for one in acme.crm.files.permissions.get(file.id).entries
    ]
    assert entries == [("role", "admin", "manage")]
    acme.crm.security.roles.create(
        {"key": "keeper", "name": "K", "permissions": [{"resource": "backups", "action": "manage"}]}
    )
    acme.crm.security.roles.create(
        {"key": "other", "name": "O", "permissions": [{"resource": "contacts", "action": "manage"}]}
    )
    role = acme.crm.security.roles.get("keeper").id
    later = acme.backup(entity_types=["deal", "contact", "deal"], name=" Twice ")
    assert (later.entity_types, later.name) == (["deal", "contact"], "Twice")
    entries = [
        (one.subject_type, one.subject_id, one.access)
        for one in acme.crm.files.permissions.get(later.file_id or "").entries
    ]
    assert entries == [("role", "admin", "manage"), ("role", role, "manage")]


def test_a_backup_for_which_there_is_no_room_fails(acme: Founded, stub: StubServer) -> None:
    first = acme.backup(include=["configuration"])
    tenants = stub.store.collection(acme.id, "tenant")
    tenant = some(tenants.first())
    tenants.put(tenant | {"limits": {**(tenant.get("limits") or {}), "file_size_bytes": 10}})
    failed = acme.crm.backups.create(include=["configuration"])
    with pytest.raises(Exception, match="at most 10 bytes"):
        failed.wait()
    now = acme.crm.backups.get(failed.id)
    assert (now.status, now.file_id, some(now.error).code) == ("failed", None, "FILE_TOO_LARGE")
    assert now.finished_at is not None and now.progress == 0
    assert acme.crm.audit.logs.list(action="backup.failed").total == 1
    assert used(acme) == 1
    assert acme.restore(first, "replace").safety_backup_id is not None, "that needs no room"


def test_a_drill_tells_each_kind_of_difference(acme: Founded) -> None:
    made = acme.backup()
    assert acme.restore(made).differences == []
    account = acme.crm.accounts.create({"name": "New"})
    assert {one.entity: difference(acme.restore(made), one.entity) for one in acme.restore(made).differences} == {
        "account": (0, 1, 0)
    }
    with_it = acme.backup()
    acme.crm.accounts.update(account.id, {"name": "Other"})
    result = acme.restore(with_it)
    assert difference(result, "account") == (0, 0, 1) and result.differences[0].sample_ids == [account.id]
    acme.crm.accounts.update(account.id, {"name": "New"})
    assert acme.restore(with_it).differences == [], "only the stamps of the last write differ"
    acme.crm.accounts.delete(account.id)
    result = acme.restore(with_it)
    assert difference(result, "account") == (1, 0, 0) and result.differences[0].sample_ids == [account.id]


@pytest.mark.parametrize("count", [20, 21])
def test_a_drill_names_up_to_twenty_records(acme: Founded, count: int) -> None:
    made = acme.backup(include=["data"])
    acme.crm.objects.upsert("lead", [{"external_id": f"x{n}", "name": f"L{n}"} for n in range(count)])
    (leads,) = (one for one in acme.restore(made).differences if one.entity == "lead")
    assert (leads.only_now, len(leads.sample_ids)) == (count, 20)


def test_what_a_restore_tells(acme: Founded, stub: StubServer) -> None:
    kept, gone = (acme.crm.leads.create({"name": name}).id for name in ("Kept", "Gone"))
    made = acme.backup(include=["data"], entity_types=["lead"])
    acme.crm.leads.delete(gone)
    for mode, restored, unchanged in (("drill", 1, 1), ("merge", 1, 1), ("merge", 0, 2)):
        job = acme.crm.backups.restore(made.id, mode=mode)
        assert (job.status, job.kind) == ("queued", "backup_restore")
        assert job.title == f"{'Drill' if mode == 'drill' else 'Restore'} of {made.name}"
        assert job.counts is not None and job.counts.total == sum(made.counts.values())
        assert refused(lambda: acme.crm.backups.delete(made.id)).code == "BACKUP_IN_PROGRESS"
        assert refused(acme.crm.backups.create).code == "BACKUP_IN_PROGRESS"
        result = job.wait()
        assert (result.mode, result.verified, result.re_erased, result.safety_backup_id) == (mode, True, 0, None)
        assert (result.restored.get("lead", 0), result.unchanged.get("lead", 0)) == (restored, unchanged)
        assert (result.conflicts, result.missing_references) == ([], 0)
        assert (result.differences != []) is (mode == "drill") and result.duration_seconds >= 0
        counts = some(acme.crm.jobs.get(job.id).counts)
        assert counts.total == counts.processed == counts.succeeded == sum(made.counts.values())
        assert (counts.failed, counts.skipped) == (0, sum(result.unchanged.values()))
    told = list(acme.crm.audit.logs.list(action="backup.restored"))
    assert [some(one.metadata)["mode"] for one in told] == ["merge", "merge"]
    assert {one.id for one in acme.crm.leads.list()} == {kept, gone}
    error = refused(lambda: acme.crm.backups.restore(made.id, mode="replace", confirm="x"))
    assert (error.code, error.fields[0].field, error.fields[0].rule) == ("CONFIRMATION_REQUIRED", "confirm", "required")
    for mode, cancellable in (("drill", True), ("merge", True), ("replace", False)):
        given = {"confirm": acme.slug} if mode == "replace" else {}
        job = acme.crm.backups.restore(made.id, mode=mode, **given)  # type: ignore[arg-type] # a mode
        if cancellable:
            assert acme.crm.jobs.cancel(job.id).status == "cancelled"
        else:
            assert refused(lambda job=job: acme.crm.jobs.cancel(job.id)).code == "JOB_NOT_CANCELLABLE"  # type: ignore[misc] # the value of this turn is bound
    error = refused(lambda: acme.crm.backups.restore(made.id, entity_types=["contact"]))
    assert (error.code, error.fields[0].field) == ("VALIDATION_ERROR", "entity_types.0")


def test_a_merge_names_why_a_record_stays_away(acme: Founded) -> None:
    first = acme.crm.leads.create({"name": "First", "external_id": "l-1"})
    field: Any = {"api_name": "tier", "label": "Tier", "type": "text"}
    acme.crm.customization.fields.create("lead", field)
    pipeline = acme.crm.pipelines.create({"name": "Second", "stages": [
        {"name": "A", "key": "a", "kind": "open", "probability": 10}, {"name": "Won", "key": "w", "kind": "won"},
        {"name": "Lost", "key": "l", "kind": "lost"},
    ]})  # fmt: skip
    deal = acme.crm.deals.create({"title": "D", "pipeline_id": pipeline.id})
    made = acme.backup()
    for id in (first.id,):
        acme.crm.leads.delete(id)
    acme.crm.deals.delete(deal.id)
    acme.crm.pipelines.delete(pipeline.id)
    taker = acme.crm.leads.create({"name": "Taker", "external_id": "l-1"})
    same = acme.crm.pipelines.create({"name": "Second", "stages": [
        {"name": "A", "key": "a", "kind": "open", "probability": 10},
        {"name": "B", "key": "b", "kind": "open", "probability": 20},
        {"name": "Won", "key": "w", "kind": "won"}, {"name": "Lost", "key": "l", "kind": "lost"},
    ]})  # fmt: skip
    result = acme.restore(made, "merge")
    codes = {one.value: (one.code, one.field) for one in result.conflicts}
    assert codes[first.id] == ("DUPLICATE_VALUE", "external_id")
    assert {code for code, _ in codes.values()} <= {"DUPLICATE_VALUE", "CHANGED_SINCE", "PIPELINE_EXISTS"}
    assert acme.crm.leads.get(taker.id).name == "Taker"
    back = acme.crm.deals.get(deal.id)
    known = {one.id: {stage.id for stage in acme.crm.pipelines.get(one.id).stages} for one in acme.crm.pipelines.list()}
    assert back.stage_id in known[back.pipeline_id or ""]
    assert same.id in known and sum(bool(one.is_default) for one in acme.crm.pipelines.list()) == 1


def test_who_has_another_address_now_stays_as_it_is(acme: Founded, stub: StubServer) -> None:
    one, two, three = (
        acme.crm.users.create({"email": f"u{n}@hooli.test", "name": f"U{n}", "role": "sales"}) for n in range(3)
    )
    every: Any = ["users", "configuration"]
    made = acme.backup(include=every)
    users = stub.store.collection(acme.id, "user")
    users.put(some(users.get(one.id)) | {"email": "new@hooli.test"})
    users.put(some(users.get(three.id)) | {"name": "Three"})
    result = acme.restore(made, "replace")
    conflicts = {each.value: (each.code, each.field) for each in result.conflicts}
    assert conflicts == {one.id: ("CHANGED_SINCE", "email")}
    assert acme.crm.users.get(one.id).email == "new@hooli.test"
    assert (acme.crm.users.get(two.id).name, acme.crm.users.get(three.id).name) == ("U1", "U2")
    assert result.restored.get("user") == 1 and result.unchanged.get("user", 0) >= 1
    elsewhere = found(stub, "Umbrella")
    taken = elsewhere.take_over(acme.archive(made))
    for mode in ("merge", "replace"):
        clash = elsewhere.restore(taken, mode)
        assert {each.code for each in clash.conflicts if each.value == two.id} == {"USER_EXISTS"}
        assert refused(lambda: elsewhere.crm.users.get(two.id)).code == "NOT_FOUND"


def test_an_archive_is_taken_over_once(acme: Founded, stub: StubServer) -> None:
    made = acme.backup(include=["data"])
    error = refused(lambda: acme.crm.backups.create(file_id=made.file_id))
    assert error.code == "INVALID_ARCHIVE" and made.id in str(error)
    taken = acme.take_over(acme.archive(made), name=" Theirs ")
    assert (taken.trigger, taken.name, taken.status, taken.progress) == ("uploaded", "Theirs", "succeeded", 1)
    assert taken.verified_at is not None and taken.counts == made.counts and taken.include == ["data"]
    assert (taken.size, taken.checksum, taken.format_version) == (made.size, made.checksum, made.format_version)
    file = acme.crm.files.get(taken.file_id or "")
    assert file.related_to is not None and file.related_to.id == taken.id
    again = refused(lambda: acme.crm.backups.create(file_id=taken.file_id))
    assert again.code == "INVALID_ARCHIVE"
    missing = refused(lambda: acme.crm.backups.create(file_id="file_none"))
    assert (missing.code, missing.fields[0].field) == ("REFERENCE_NOT_FOUND", "file_id")


@pytest.mark.thorough
def test_a_safety_backup_goes_after_thirty_days(acme: Founded, stub: StubServer) -> None:
    made = acme.backup(include=["configuration"])
    acme.crm.configuration.settings.update({"backup.schedule": "off"})
    safety = acme.crm.backups.get(acme.restore(made, "replace").safety_backup_id or "")
    assert some(safety.expires_at) - some(safety.created_at) == timedelta(days=30)
    assert safety.include == ["data", "files", "configuration"]
    for days, there in ((29, True), (2, False)):
        stub.clock.advance(days * 86_400)
        acme.sign_in()
        assert (safety.id in {one.id for one in acme.crm.backups.list()}) is there
    assert made.id in {one.id for one in acme.crm.backups.list()}


def test_names_within_a_whole_are_its_own(acme: Founded) -> None:
    fields = [{"api_name": "size", "label": "Size", "type": "text"}]
    for name in ("vehicle", "boat"):
        given: Any = {"api_name": name, "label": name, "plural_label": name, "fields": fields}
        acme.crm.custom_objects.create(given)
    made = acme.backup()
    acme.crm.custom_objects.fields.delete("boat", "size", force=True)
    result = acme.restore(made, "merge")
    assert result.conflicts == [], "another object has a field of this name, and may"
    assert [one.api_name for one in acme.crm.custom_objects.fields.list("boat")] == ["name", "size"]


def test_a_user_of_an_archive_has_no_second_factor(acme: Founded, stub: StubServer) -> None:
    made = acme.crm.users.create({"email": "sam@hooli.test", "name": "Sam", "role": "sales"})
    users = stub.store.collection(acme.id, "user")
    users.put(some(users.get(made.id)) | {"mfa_enabled": True})
    every: Any = ["users"]
    content = acme.archive(acme.backup(include=every))
    for mode in ("replace", "merge"):
        elsewhere = found(StubServer(), "Umbrella")
        elsewhere.restore(elsewhere.take_over(content), mode)
        assert elsewhere.crm.users.get(made.id).mfa_enabled is False
    acme.restore(acme.backup(include=every), "replace")
    assert acme.crm.users.get(made.id).mfa_enabled is True, "who is there keeps it"


@pytest.mark.parametrize("room", [0, 1, 2])
def test_a_merge_brings_back_no_more_than_the_plan_allows(acme: Founded, stub: StubServer, room: int) -> None:
    gone = [acme.crm.contacts.create({"name": f"C{n}"}).id for n in range(2)]
    kept = [acme.crm.contacts.create({"name": f"K{n}"}).id for n in range(2)]
    made = acme.backup(include=["data"])
    for id in gone:
        acme.crm.contacts.delete(id)
    tenants = stub.store.collection(acme.id, "tenant")
    tenant = some(tenants.first())
    tenants.put(tenant | {"limits": {**(tenant.get("limits") or {}), "contacts": len(kept) + room}})
    result = acme.restore(made, "merge")
    assert result.restored.get("contact", 0) == room
    assert [one.code for one in result.conflicts if one.value in gone] == ["LIMIT_EXCEEDED"] * (2 - room)
    assert acme.crm.contacts.list().total == len(kept) + room


def test_a_backup_of_everything_is_taken_over(acme: Founded) -> None:
    every = ["data", "files", "configuration", "users", "audit"]
    made = acme.backup(include=every)
    taken = acme.take_over(acme.archive(made))
    assert (taken.status, taken.include, taken.counts) == ("succeeded", every, made.counts)
    assert acme.restore(made).verified is True


@pytest.mark.thorough
@pytest.mark.parametrize(("later", "is_there"), [(-1, False), (0, False), (1, True)])
def test_a_backup_goes_in_the_moment_in_which_its_time_has_come(
    acme: Founded, stub: StubServer, later: int, is_there: bool
) -> None:
    made, _ = acme.backup(include=["configuration"]), acme.backup(include=["configuration"])
    acme.crm.configuration.settings.update({"backup.schedule": "off"})
    backups, tasks = (stub.store.collection(acme.id, kind) for kind in ("backup", "timetable"))
    stub.clock.advance(86_400)
    acme.sign_in()
    due = some(tasks.get("expired backups"))["due_at"]
    backups.put(some(backups.get(made.id)) | {"expires_at": due + timedelta(milliseconds=later)})
    stub.clock.advance((due - stub.clock.now()).total_seconds() + 60)
    acme.sign_in()
    assert (made.id in {one.id for one in acme.crm.backups.list()}) is is_there


def test_a_file_that_stays_makes_room_for_one_of_an_archive(acme: Founded) -> None:
    """Of another server, that is: there another file can have the same id."""
    file = acme.crm.files.upload(("notes.txt", b"what was said"))
    (version,) = acme.crm.files.versions.list(file.id)
    content = acme.archive(acme.backup())
    there = found(StubServer(), "Umbrella")
    own = there.backup(include=["configuration"])
    assert own.file_id == file.id, "both are the first file of their server"
    taken = there.take_over(content)
    there.restore(taken, "replace")
    there.sign_in()
    assert there.crm.files.download(file.id).read() == b"what was said"
    assert [one.id for one in there.crm.files.versions.list(file.id)] == [version.id]
    moved = there.crm.files.get(there.crm.backups.get(own.id).file_id or "")
    assert moved.id != file.id and moved.related_to is not None and moved.related_to.id == own.id
    (kept,) = there.crm.files.versions.list(moved.id)
    assert kept.id != version.id and moved.url == f"/v1/files/{moved.id}/download"
    assert there.restore(there.crm.backups.get(own.id)).verified is True


def test_who_is_there_keeps_what_no_archive_has(acme: Founded) -> None:
    """A user of an archive has no password in it: the present one holds."""
    made = acme.backup(include=["users"])
    acme.crm.users.update("me", {"name": "Another"})
    restored = acme.restore(made, "replace")
    assert restored.restored.get("user", 0) == 1
    acme.sign_in()
    assert acme.crm.users.get("me").name == "Founder"


def test_nothing_is_replaced_where_the_plan_allows_less(acme: Founded, stub: StubServer) -> None:
    kept = [acme.crm.contacts.create({"name": name}).id for name in "ab"]
    gone = acme.crm.contacts.create({"name": "Gone"}).id
    acme.crm.contacts.delete(gone)
    made = acme.backup(include=["data"])
    after = acme.crm.contacts.create({"name": "After"}).id
    tenants = stub.store.collection(acme.id, "tenant")
    for limit, fits in ((1, False), (2, True)):
        tenant = some(tenants.first())
        tenants.put(tenant | {"limits": {**(tenant.get("limits") or {}), "contacts": limit}})
        if fits:
            result = acme.restore(made, "replace")
            acme.sign_in()
            safety = acme.crm.backups.get(result.safety_backup_id or "")
            assert some(safety.expires_at) - some(safety.created_at) == timedelta(days=30)
            assert result.restored.get("contact", 0) == 0 and safety.include == ["data", "files", "configuration"]
        else:
            with pytest.raises(JobFailedError) as caught:
                acme.restore(made, "replace")
            assert caught.value.code == "LIMIT_EXCEEDED"
        acme.sign_in()
        left = {one.id for one in acme.crm.contacts.list()}
        assert left == ({*kept} if fits else {*kept, after}), "deleted ones count nowhere"


def test_what_goes_when_its_time_has_come_and_what_a_restore_leaves(acme: Founded, stub: StubServer) -> None:
    made = acme.backup(include=["data", "files"])
    backups, now = stub.store.collection(acme.id, "backup"), stub.clock.now()
    others = [acme.backup(include=["configuration"]).id for _ in range(3)]
    times = (now - timedelta(days=1), now, now + timedelta(milliseconds=1))
    for id, at in zip(others, times, strict=True):
        backups.put(some(backups.get(id)) | {"expires_at": at})
    with stub.store.transaction():
        delete_expired(system_call(stub, acme.id, now, "test"))
    assert [one.id for one in acme.crm.backups.list()] == [others[2], made.id]
    acme.crm.files.upload(("new.txt", b"only after the backup"))
    stub.store.collection(acme.id, "widget_data").put(Document(id="widget_x", figures=[1]))
    stub.store.collection(acme.id, "widget_kept").put(Document(id="widget_x"))

    def contents() -> list[bytes]:
        found: list[bytes] = []
        for content in stub.contents.snapshot().values():
            with content.open() as file:
                found.append(file.read())
        return found

    assert b"only after the backup" in contents()
    acme.restore(made, "replace")
    acme.sign_in()
    assert "new.txt" not in {one.name for one in acme.crm.files.list()}
    assert not list(stub.store.collection(acme.id, "widget_data")), "figures are computed anew"
    assert len(stub.store.collection(acme.id, "widget_kept")) == 1
    backups.put(some(backups.get(made.id)) | {"expires_at": now})
    for one in acme.crm.backups.list():
        if one.id != made.id:
            backups.remove(one.id)
    with stub.store.transaction():
        delete_expired(system_call(stub, acme.id, now, "test"))
    assert [one.id for one in acme.crm.backups.list()] == [made.id], "the last good one stays"
