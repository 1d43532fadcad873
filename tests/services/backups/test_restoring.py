"""Restoring: drills, merges and replacements, into another company too, wholly or not at all."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from backing_up import PASSWORD, Founded, changed, found, parts_of
from refusals import refused
from wire import opened

from crm_sdk import JobFailedError
from crm_sdk.models import RestoreResult
from crm_sdk.realtime.sockets import SocketClosedError
from server_stub import StubServer
from server_stub.data.collection import Collection
from server_stub.data.document import Document
from server_stub.serving import Context

KEPT_ELSEWHERE = ("backup", "job", "audit", "event", "change", "notification", "timetable", "session", "idempotency")
"""What a restore itself leaves behind, beside the records."""


def state(stub: StubServer, company: Founded) -> dict[str, list[Document]]:
    """Return the records of a company, but for those that tell of what was done."""
    return {
        one.kind: sorted(one.backwards(), key=lambda doc: str(doc["id"]))
        for one in stub.store.of_company(company.id)
        if one.kind not in KEPT_ELSEWHERE and one.first() is not None
    }


def difference(result: RestoreResult, entity: str) -> tuple[int, int, int]:
    for one in result.differences:
        if one.entity == entity:
            return one.only_in_backup, one.only_now, one.different
    return 0, 0, 0


def changes_since(company: Founded) -> Callable[[], list[Any]]:
    cursor = company.crm.changes.list(start="now", limit=0).cursor
    return lambda: list(company.crm.changes.list(cursor=cursor, entity_types=["contact", "deal", "account"]))


def failure(company: Founded, backup_id: str, **given: Any) -> JobFailedError:
    with pytest.raises(JobFailedError) as caught:
        company.crm.backups.restore(backup_id, **given).wait()
    return caught.value


def test_a_drill_compares_and_changes_nothing(acme: Founded, stub: StubServer) -> None:
    kept, edited, gone = (acme.crm.contacts.create({"name": name}) for name in ("Kept", "Edited", "Gone"))
    made = acme.backup()
    acme.crm.contacts.update(edited.id, {"title": "CTO"})
    acme.crm.contacts.update(kept.id, {"title": "CEO"})
    acme.crm.contacts.update(kept.id, {"title": None})
    acme.crm.contacts.delete(gone.id)
    new = acme.crm.contacts.create({"name": "New"})
    before, since = state(stub, acme), changes_since(acme)
    result = acme.restore(made)
    assert (result.mode, result.verified, result.safety_backup_id) == ("drill", True, None)
    assert difference(result, "contact") == (1, 1, 1)
    (contacts,) = (one for one in result.differences if one.entity == "contact")
    assert set(contacts.sample_ids) == {edited.id, gone.id, new.id}
    assert state(stub, acme) == before and since() == []
    assert acme.crm.backups.get(made.id).verified_at is not None
    assert acme.crm.monitoring.status().recovery.last_drill_ok is True


def test_a_merge_brings_back_what_is_missing_and_overwrites_nothing(acme: Founded) -> None:
    account = acme.crm.accounts.create({"name": "Initech"})
    victim = acme.crm.accounts.create({"name": "Victim"})
    edited, gone, taken = (
        acme.crm.contacts.create({"name": name, "email": f"{name}@initech.test", "account_id": account.id})
        for name in ("edited", "gone", "taken")
    )
    made = acme.backup()
    acme.crm.contacts.update(edited.id, {"title": "CTO"})
    for one in (gone, taken):
        acme.crm.contacts.delete(one.id)
    acme.crm.accounts.merge(account.id, [victim.id])
    successor = acme.crm.contacts.create({"name": "Successor", "email": "taken@initech.test"})
    since = changes_since(acme)
    result = acme.restore(made, "merge")
    assert result.restored["contact"] == 1
    conflicts = {one.value: one.code for one in result.conflicts if one.value in {edited.id, taken.id, victim.id}}
    assert conflicts == {edited.id: "CHANGED_SINCE", taken.id: "CONTACT_EXISTS", victim.id: "RECORD_MERGED"}
    back = acme.crm.contacts.get(gone.id)
    assert (back.name, back.account_id, back.version) == ("gone", account.id, 3)
    assert acme.crm.contacts.get(edited.id).title == "CTO"
    assert acme.crm.contacts.get(successor.id).name == "Successor"
    assert acme.crm.accounts.get(account.id).contact_count == 2
    assert (gone.id, "restored") in [(one.entity.id, one.change) for one in since()]
    again = acme.restore(made, "merge")
    assert again.restored.get("contact", 0) == 0
    assert acme.crm.audit.logs.list(action="backup.restored").total == 2
    recovery = acme.crm.monitoring.status().recovery
    assert (recovery.last_drill_at, recovery.last_drill_ok) == (None, None), "a merge tries nothing out"
    assert recovery.last_backup_ok is True and recovery.estimated_restore_seconds is not None


def test_replacing_swaps_everything_and_begins_a_new_epoch(acme: Founded, stub: StubServer) -> None:
    other = found(stub, "Umbrella")
    kept, gone = (acme.crm.contacts.create({"name": name, "title": "then"}) for name in ("Kept", "Gone"))
    survivor, victim = (acme.crm.accounts.create({"name": name}) for name in ("Survivor", "Victim"))
    acme.crm.accounts.merge(survivor.id, [victim.id])
    pipeline = acme.crm.pipelines.list().items[0]
    acme.crm.tenants.config.update("current", {"date_format": "DD.MM.YYYY"})
    made = acme.backup()
    then = parts_of(acme.archive(made))
    acme.crm.contacts.update(kept.id, {"title": "later"})
    acme.crm.contacts.delete(gone.id)
    acme.crm.pipelines.update(pipeline.id, {"name": "Renamed"})
    acme.crm.tenants.config.update("current", {"date_format": "YYYY-MM-DD"})
    new = acme.crm.contacts.create({"name": "New"})
    cursor, theirs = (one.crm.changes.list(start="now", limit=0).cursor for one in (acme, other))
    for confirm in (None, "yes", other.slug):
        error = refused(partial(acme.crm.backups.restore, made.id, mode="replace", confirm=confirm))
        assert error.code == "CONFIRMATION_REQUIRED"
    result = acme.restore(made, "replace")
    assert (acme.crm.contacts.get(kept.id).title, acme.crm.contacts.get(gone.id).name) == ("then", "Gone")
    assert refused(lambda: acme.crm.contacts.get(new.id)).code == "NOT_FOUND"
    assert acme.crm.accounts.get(victim.id).id == survivor.id
    assert acme.crm.pipelines.get(pipeline.id).name == pipeline.name
    assert acme.crm.tenants.config.get("current").date_format == "DD.MM.YYYY"
    expired = refused(lambda: acme.crm.changes.list(cursor=cursor))
    assert (expired.code, expired.details["reason"]) == ("CURSOR_EXPIRED", "epoch")
    assert other.crm.changes.list(cursor=theirs).items == [], "the others' positions hold"
    assert parts_of(acme.archive(acme.backup())) == then
    safety = acme.crm.backups.get(result.safety_backup_id or "")
    assert (safety.trigger, safety.status, safety.expires_at is not None) == ("safety", "succeeded", True)
    acme.restore(safety, "merge")
    assert acme.crm.contacts.get(new.id).name == "New"


def test_some_entities_of_a_backup_can_be_restored(acme: Founded) -> None:
    contact, deal = acme.crm.contacts.create({"name": "Eva"}), acme.crm.deals.create({"title": "Rollout"})
    made = acme.backup()
    acme.crm.contacts.delete(contact.id)
    acme.crm.deals.update(deal.id, {"title": "Later"})
    error = refused(lambda: acme.crm.backups.restore(made.id, entity_types=["planet"]))
    assert (error.code, error.fields[0].field) == ("VALIDATION_ERROR", "entity_types.0")
    lead = acme.crm.leads.create({"name": "After"})
    acme.restore(made, "replace", entity_types=["lead"])
    assert refused(lambda: acme.crm.leads.get(lead.id)).code == "NOT_FOUND", "there were none"
    acme.crm.tenants.update("current", {"locale": "es"})
    acme.restore(made, "replace", entity_types=["contact"])
    assert acme.crm.contacts.get(contact.id).name == "Eva"
    assert acme.crm.deals.get(deal.id).title == "Later"
    assert acme.crm.tenants.get("current").locale == "es"


def test_live_connections_end_with_the_epoch(stub: StubServer) -> None:
    crm = stub.client(dialects="platform")
    made = crm.backups.create().wait()
    with opened(stub) as wire, opened(stub, "/ws", {"Authorization": "Bearer globex-admin"}) as other:
        for mode, confirm in (("drill", None), ("merge", None), ("replace", "acme")):
            wire.all()
            crm.backups.restore(made.id, mode=mode, confirm=confirm).wait()
        with pytest.raises(SocketClosedError) as closed:
            wire.all()
        assert closed.value.code == 1012
        assert other.all() == [], "the other company's goes on"
    with opened(stub, "/ws?resume=1&since=1&epoch=e1") as wire:
        ready = wire.next()["data"]
        assert ready["epoch"] == crm.configuration.environment().epoch != "e1"
        assert ready["gap"]["reason"] == "epoch"
        crm.leads.create({"name": "After"})
        assert {entry["epoch"] for entry in wire.all()} == {ready["epoch"]}


# -- wholly or not at all ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["merge", "replace"])
@pytest.mark.parametrize("after", [1, 3, 8])
def test_a_restore_that_fails_half_way_changes_nothing(
    acme: Founded, stub: StubServer, failures: list[Any], monkeypatch: pytest.MonkeyPatch, mode: str, after: int
) -> None:
    contacts = [acme.crm.contacts.create({"name": f"Eva {number}"}) for number in range(12)]
    made = acme.backup()
    for one in contacts:
        acme.crm.contacts.delete(one.id)
    acme.crm.contacts.create({"name": "New"})
    before, cursor = state(stub, acme), acme.crm.changes.list(start="now", limit=0).cursor
    put, written = Collection.put, 0

    def fail(self: Collection, doc: Any) -> Document:
        nonlocal written
        written += self.kind == "contact"
        if self.kind == "contact" and written > after:
            raise OSError("the disk is full")
        return put(self, doc)

    confirm = acme.slug if mode == "replace" else None
    job = acme.crm.backups.restore(made.id, mode=mode, confirm=confirm)
    monkeypatch.setattr(Collection, "put", fail)
    stub.clock.advance(1)
    monkeypatch.undo()
    assert acme.crm.jobs.get(job.id).status == "failed" and written > after
    assert state(stub, acme) == before
    assert acme.crm.backups.list().total == 1, "the safety backup is undone, too"
    assert acme.crm.changes.list(cursor=cursor, entity_types=["contact"]).items == []
    failures.clear()
    assert acme.restore(made, mode).restored["contact"] == 12, "and it can be tried again"


@pytest.mark.parametrize("mode", ["drill", "merge", "replace"])
@pytest.mark.parametrize("damage", ["other bytes", "another archive", "no file"])
def test_from_a_damaged_archive_nothing_is_restored(acme: Founded, stub: StubServer, mode: str, damage: str) -> None:
    contact = acme.crm.contacts.create({"name": "Eva"})
    made = acme.backup()
    acme.crm.contacts.delete(contact.id)
    content = acme.archive(made)
    if damage == "no file":
        acme.crm.files.delete(made.file_id or "")
    else:
        cut = changed(content, lambda n, c: (n, c.replace(b"Eva", b"Ava")))
        acme.crm.files.versions.create(made.file_id or "", cut if damage == "other bytes" else cut + b" ")
    before = state(stub, acme)
    error = failure(acme, made.id, mode=mode, confirm=acme.slug)
    assert error.code == "BACKUP_CORRUPT"
    assert state(stub, acme) == before and acme.crm.backups.list().total == 1


def test_who_was_erased_is_erased_again(acme: Founded, stub: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    contact = acme.crm.contacts.create({"name": "Eva"})
    made = acme.backup()

    def erase(call: Context) -> int:
        doc = call.collection("contact").get(contact.id)
        if doc is not None:
            call.collection("contact").remove(contact.id)
        return 1 if doc is not None else 0

    monkeypatch.setattr(stub, "erasing", [erase])
    assert acme.restore(made).re_erased == 0, "a drill writes nothing"
    assert acme.restore(made, "replace").re_erased == 1
    assert refused(lambda: acme.crm.contacts.get(contact.id)).code == "NOT_FOUND"


# -- elsewhere ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["merge", "replace"])
def test_an_archive_goes_into_another_company(acme: Founded, stub: StubServer, mode: str) -> None:
    other = found(stub, "Umbrella")
    account = acme.crm.accounts.create({"name": "Initech"})
    contact = acme.crm.contacts.create({"name": "Eva", "account_id": account.id})
    deal = acme.crm.deals.create({"title": "Rollout", "contact_id": contact.id})
    acme.crm.custom_objects.create({"api_name": "vehicle", "label": "Vehicle", "plural_label": "Vehicles"})
    car = acme.crm.custom_objects.records.create("vehicle", {"fields": {"name": "Car"}})
    file = acme.crm.files.upload(("notes.txt", b"what was said"))
    mine = acme.crm.contacts.create({"name": "Without an owner"})
    contacts = stub.store.collection(acme.id, "contact")
    contacts.put({**(contacts.get(mine.id) or {}), "owner_id": None})
    taken = other.take_over(acme.archive(acme.backup()))
    assert (taken.trigger, taken.status, taken.tenant_slug) == ("uploaded", "succeeded", acme.slug)
    own = other.crm.contacts.create({"name": "Own"})
    result = other.restore(taken, mode)
    assert other.crm.contacts.get(contact.id).owner_id == other.user_id
    assert other.crm.contacts.get(mine.id).owner_id is None
    assert other.crm.contacts.get(contact.id).account_id == account.id
    found_deal = other.crm.deals.get(deal.id)
    assert (found_deal.contact_id, found_deal.owner_id) == (contact.id, other.user_id)
    assert found_deal.pipeline_id in [one.id for one in other.crm.pipelines.list()]
    assert found_deal.stage_id in [one.id for one in other.crm.pipelines.get(found_deal.pipeline_id or "").stages]
    assert other.crm.custom_objects.records.get("vehicle", car.id).name == "Car"
    assert other.crm.files.download(file.id).read() == b"what was said"
    assert (own.id in [one.id for one in other.crm.contacts.list()]) is (mode == "merge")
    assert result.missing_references == 0
    assert sum(bool(one.is_default) for one in other.crm.pipelines.list()) == 1
    new = [other.crm.contacts.create({"name": f"New {number}"}).id for number in range(5)]
    assert len({*new, contact.id, mine.id, own.id}) == 8, "no new record gets the id of a restored one"


def test_references_to_what_an_archive_lacks_are_empty(acme: Founded, stub: StubServer) -> None:
    other = found(stub, "Umbrella")
    account = acme.crm.accounts.create({"name": "Initech"})
    contact = acme.crm.contacts.create({"name": "Eva", "account_id": account.id})
    acme.crm.deals.create({"title": "Rollout", "contact_id": contact.id})
    for number, mode in enumerate(("merge", "replace"), 1):
        made = acme.backup(include=["data"], entity_types=["contact", "deal"])
        taken = other.take_over(acme.archive(made))
        result = other.restore(taken, mode)
        assert other.crm.contacts.get(contact.id).account_id is None
        assert other.crm.deals.list().total == 0, "a deal without its pipeline is none"
        assert "REFERENCE_NOT_FOUND" in {one.code for one in result.conflicts}, number


def test_users_go_with_an_archive_without_their_passwords(acme: Founded) -> None:
    sam = acme.crm.users.create({"email": "sam@hooli.test", "name": "Sam", "role": "sales"})
    contact = acme.crm.contacts.create({"name": "Eva", "owner_id": sam.id})
    every: Any = ["data", "configuration", "users"]
    content = acme.archive(acme.backup(include=every))
    elsewhere = found(StubServer(), "Umbrella")
    elsewhere.crm.contacts.create({"name": "First"})
    taken = elsewhere.take_over(content)
    elsewhere.restore(taken, "replace")
    assert elsewhere.crm.contacts.get(contact.id).owner_id == sam.id
    assert elsewhere.crm.users.get(sam.id).email == "sam@hooli.test"
    assert elsewhere.crm.users.get(elsewhere.user_id).status == "active", "who is there stays"
    clash = elsewhere.restore(elsewhere.take_over(content), "merge")
    assert {one.code for one in clash.conflicts} <= {"CHANGED_SINCE", "USER_EXISTS"}


def test_a_state_file_keeps_backups_and_the_epoch(tmp_path: Path) -> None:
    file = str(tmp_path / "state.db")
    with StubServer(db=file, demo=False) as stub:
        acme = found(stub, "Hooli")
        contact = acme.crm.contacts.create({"name": "Eva"})
        made = acme.backup()
        acme.crm.contacts.delete(contact.id)
    with StubServer(db=file) as stub:
        crm = stub.client(api_key=None, dialects="platform", max_retries=0, strict=True)
        crm.auth.login("founder@hooli.test", PASSWORD)
        cursor = crm.changes.list(start="now", limit=0).cursor
        crm.backups.restore(made.id, mode="replace", confirm=acme.slug).wait()
        epoch = crm.configuration.environment().epoch
    with StubServer(db=file) as stub:
        crm = stub.client(api_key=None, dialects="platform", max_retries=0, strict=True)
        crm.auth.login("founder@hooli.test", PASSWORD)
        assert crm.contacts.get(contact.id).name == "Eva"
        assert crm.configuration.environment().epoch == epoch != "e1"
        assert refused(lambda: crm.changes.list(cursor=cursor)).code == "CURSOR_EXPIRED"


def test_a_deleted_file_comes_back_with_all_its_versions(acme: Founded) -> None:
    file = acme.crm.files.upload(("notes.txt", b"one"))
    acme.crm.files.versions.create(file.id, ("notes.txt", b"two"))
    versions = [one.id for one in acme.crm.files.versions.list(file.id)]
    acme.crm.files.delete(file.id)
    made = acme.backup()
    assert (len(versions), made.counts["file_version"], made.counts.get("file", 0)) == (2, 2, 0)
    acme.restore(made, "replace")
    acme.sign_in()
    assert [one.status for one in acme.crm.objects.restore("file", [file.id]).items] == ["ok"]
    assert [one.id for one in acme.crm.files.versions.list(file.id)] == versions
    assert acme.crm.files.download(file.id).read() == b"two"
