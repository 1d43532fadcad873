"""Requests about a person: who may ask, for whom, with what confirmation, and what they answer."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from refusals import refused
from stub_data import idle, some

from crm_sdk import CrmClient, JobFailedError
from crm_sdk.models import Contact
from server_stub import StubServer

from .conftest import MARK, Canary


@pytest.fixture
def hold(crm: CrmClient) -> Any:
    policy: Any = {
        "entity_type": "contact", "retain_days": 3650, "legal_hold": True,
        "filter_groups": [{"filters": [{"field": "name", "op": "contains", "value": MARK}]}],
    }  # fmt: skip
    return crm.audit.retention_policies.update([policy])


def test_an_export_has_the_person_and_what_refers_to_it(canary: Canary) -> None:
    crm, ids = canary.crm, canary.ids
    version = crm.contacts.get(ids["contact"]).version
    job = crm.privacy.export({"email": canary.email})
    report = job.wait()
    assert sorted(one.id for one in report.identities) == sorted([ids["contact"], ids["gone"], ids["lead"]])
    assert report.file_id is not None and crm.jobs.get(job.id).file_id == report.file_id
    created_at = crm.jobs.get(job.id).created_at
    assert created_at is not None and report.due_at == created_at + timedelta(days=30)
    archive = zipfile.ZipFile(io.BytesIO(crm.files.download(report.file_id).read()))
    names = archive.namelist()
    rows = {name: json.loads(archive.read(name)) for name in names if name.endswith(".json")}
    assert {one["id"] for one in rows["contact.json"]} == {ids["contact"], ids["gone"]}
    assert ids["note"] in {one["id"] for one in rows["activity.json"]}
    assert {"deal.json", "relationship.json", "comment.json", "notification.json", "audit.json"} <= set(names)
    assert any(name.startswith("files/") for name in names)
    assert {one.entity: one.found for one in report.records} == {
        name.removesuffix(".json"): len(found) for name, found in rows.items()
    }
    for row in rows["audit.json"]:
        assert row == crm.request("GET", f"/v1/audit/logs/{row['id']}").json()["data"], "as the log shows it"
    file = crm.files.get(report.file_id)
    assert file.expires_at is not None and file.visibility == "private"
    assert file.name == f"privacy-export-{file.created_at:%Y-%m-%d}.zip"
    assert file.expires_at - some(file.created_at) == timedelta(days=7)
    job = crm.privacy.export({"email": canary.email}, include_files=False)
    bare = zipfile.ZipFile(io.BytesIO(crm.files.download(job.wait().file_id or "").read())).namelist()
    assert [name for name in bare if name.startswith("files/")] == [] and "contact.json" in bare
    assert crm.contacts.get(ids["contact"]).version == version


def test_an_address_that_two_share_is_of_both_and_a_record_is_one(crm: CrmClient) -> None:
    def somebody(name: str) -> Contact:
        return crm.contacts.create({"name": name, "secondary_emails": ["family@home.example"]})

    one, other = somebody("One Roth"), somebody("Other Roth")
    both = crm.privacy.erase({"email": "family@home.example"}).wait()
    assert sorted(found.id for found in both.identities) == sorted([one.id, other.id])
    of_one: Any = {"entity": {"type": "contact", "id": one.id}}
    report = crm.privacy.erase(of_one, dry_run=False, confirm="family@home.example").wait()
    assert {found.entity: found.erased for found in report.records}["contact"] == 1
    assert crm.contacts.get(other.id).secondary_emails == ["family@home.example"]
    assert somebody("Third Roth").secondary_emails == ["family@home.example"]


def test_a_dry_run_counts_and_changes_nothing(canary: Canary) -> None:
    before = canary.places()
    report = canary.crm.privacy.erase({"email": canary.email}).wait()
    assert report.dry_run and len(report.identities) == 3
    assert sum(one.erased + one.anonymized for one in report.records) == 0
    left = [place for place in canary.places() if "/job" not in place]
    assert [place for place in before if "/job" not in place] == left
    entry = canary.crm.audit.logs.get(str(report.audit_id))
    assert (entry.action, entry.category) == ("privacy.read", "access")


def test_a_subject_is_one_contact_one_lead_or_one_address(crm: CrmClient) -> None:
    cases: list[tuple[Any, str]] = [
        ({}, "VALIDATION_ERROR"),
        ({"email": "a@b.example", "entity": {"type": "contact", "id": "contact_123"}}, "VALIDATION_ERROR"),
        ({"email": "sam@acme.test"}, "NOT_A_SUBJECT"),
        ({"entity": {"type": "user", "id": "user_sam"}}, "NOT_A_SUBJECT"),
        ({"entity": {"type": "contact", "id": "contact_nobody"}}, "REFERENCE_NOT_FOUND"),
    ]
    for subject, code in cases:
        for ask in (crm.privacy.export, crm.privacy.erase):
            assert refused(partial(ask, subject)).code == code, subject


@pytest.mark.parametrize("confirm", [None, "yes", "contact_123"])
def test_nothing_is_erased_without_the_confirmation(crm: CrmClient, confirm: str | None) -> None:
    email = str(crm.contacts.get("contact_123").email)
    ask = lambda: crm.privacy.erase({"email": email}, dry_run=False, confirm=confirm)  # noqa: E731 # said several times
    assert refused(ask).code == "CONFIRMATION_REQUIRED"
    assert crm.contacts.get("contact_123").email == email


def test_two_requests_about_a_person_do_not_run_at_once(stub: StubServer, crm: CrmClient) -> None:
    first = crm.privacy.export({"email": "eva@x.example"})
    assert refused(lambda: crm.privacy.erase({"email": "EVA@x.example"})).code == "PRIVACY_IN_PROGRESS"
    erasing = crm.privacy.erase({"email": "bob@x.example"})
    assert (erasing.title, erasing.cancellable) == ("Count of a person's data", False)
    assert refused(lambda: crm.jobs.cancel(erasing.id)).code == "JOB_NOT_CANCELLABLE"
    report = first.wait()
    assert (report.records, report.file_id, report.identities) == ([], None, [])
    crm.privacy.erase({"email": "eva@x.example"}).wait()


def test_a_legal_hold_keeps_everything(canary: Canary, hold: Any) -> None:
    assert refused(canary.erase).code == "LEGAL_HOLD"
    assert canary.crm.contacts.get(canary.ids["contact"]).name.startswith("Eva")
    report = canary.crm.privacy.export({"email": canary.email}).wait()
    assert {one.id for one in report.held} == {canary.ids["contact"], canary.ids["gone"]}


@pytest.mark.thorough
def test_the_register_has_every_request_for_three_years_and_names_nobody(canary: Canary) -> None:
    crm, kinds = canary.crm, ["privacy_export", "privacy_erase"]
    of_the_demo = [job.id for job in crm.jobs.list(kind=kinds)]
    crm.privacy.export({"email": canary.email}).wait()
    canary.erase()
    idle(canary.stub).clock.advance(2 * 365 * 86_400)
    jobs = [job for job in crm.jobs.list(kind=kinds) if job.id not in of_the_demo]
    assert [job.kind for job in jobs] == ["privacy_erase", "privacy_export"]
    assert [canary.email in job.model_dump_json() for job in jobs] == [False, False]
    assert canary.email not in repr([dict(doc) for doc in canary.stub.store.collection("tenant_acme", "job").all()])
    events = [entry["action"] for entry in canary.stub.audit() if entry["action"].startswith("privacy.")]
    assert events == ["privacy.exported", "privacy.erased"]


@pytest.mark.parametrize("key", ["acme-sales"])
def test_only_administrators_ask(stub: StubServer, key: str) -> None:
    with stub.client(api_key=key, dialects="platform") as crm:
        assert refused(lambda: crm.privacy.export({"email": "eva@x.example"})).code == "FORBIDDEN"
        assert refused(lambda: crm.privacy.erase({"email": "eva@x.example"})).code == "FORBIDDEN"


@pytest.mark.thorough
def test_erasing_twice_finds_nothing(canary: Canary) -> None:
    subject: Any = {"entity": {"type": "contact", "id": canary.ids["contact"]}}
    canary.erase()
    for again in (canary.erase(), canary.erase(subject=subject, confirm=canary.ids["contact"])):
        assert (again.records, again.identities) == ([], [])


def test_an_export_is_a_text_that_people_read(crm: CrmClient) -> None:
    id = crm.contacts.create({"name": "Žofie Nováková", "email": "zofie@x.example"}).id
    deal = crm.deals.create({"title": "D", "contact_id": id}).id
    crm.activities.notes.create({"body": "N", "contact_id": id})
    job = crm.privacy.export({"email": "zofie@x.example"})
    assert job.counts is not None and (job.counts.total, job.counts.processed) == (0, 0)
    assert job.title == "Export of a person's data" and job.cancellable is True
    report = job.wait()
    with zipfile.ZipFile(io.BytesIO(crm.files.download(report.file_id or "").read())) as archive:
        text = archive.read("contact.json").decode()
        trail = json.loads(archive.read("audit.json"))
        assert [one["id"] for one in json.loads(archive.read("deal.json"))] == [deal]
    assert trail[0]["action"] == "contact.created"
    assert {one["entity"]["id"] for one in trail} == {id}, "what was done to the person, and not what only names it"
    assert '\n    "name": "Žofie Nováková",\n' in text
    counts = crm.jobs.get(job.id).counts
    assert counts is not None and counts.total == counts.processed == counts.succeeded == sum(
        one.found for one in report.records
    )


def test_a_hold_of_the_last_moment_counts(canary: Canary) -> None:
    """The erasure waits, and is refused when it begins; nothing is erased then."""
    crm, id = canary.crm, canary.ids["contact"]
    job = crm.privacy.erase({"email": canary.email}, dry_run=False, confirm=canary.email)
    assert job.title == "Erasure of a person" and job.cancellable is False
    policy: Any = {"entity_type": "contact", "retain_days": 3650, "legal_hold": True, "filter_groups": []}
    crm.audit.retention_policies.update([policy])
    with pytest.raises(JobFailedError) as caught:
        job.wait()
    error = crm.jobs.get(job.id).error
    assert caught.value.code == "LEGAL_HOLD" and error is not None and id in error.details["ids"]
    assert crm.contacts.get(id).name.startswith("Eva")
