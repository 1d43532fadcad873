"""An erased person is nowhere: in no record, no history, no file, no stored answer, no answer to any GET."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from newcomers import signed_in
from refusals import refused

from crm_sdk import CrmClient
from crm_sdk.catalogue import declared_operations
from crm_sdk.models import PrivacyReport
from server_stub import StubServer
from server_stub.history import audit
from server_stub.request.http import Request

from .conftest import MARK, Canary, fill


def counts(report: PrivacyReport) -> dict[str, tuple[int, int]]:
    return {one.entity: (one.erased, one.anonymized) for one in report.records}


def test_an_erased_person_is_found_nowhere(canary: Canary) -> None:
    assert len(canary.places()) > 30
    report = canary.erase(reason=f"asked by {canary.email}")
    assert canary.places() == []
    assert audit.is_intact(canary.stub.store.collection("tenant_acme", "audit"))
    assert MARK not in report.model_dump_json()
    found = counts(report)
    assert {name: found[name] for name in ("contact", "lead", "relationship", "deal", "file", "comment")} == {
        "contact": (2, 1), "lead": (1, 0), "relationship": (1, 0), "deal": (0, 2), "file": (1, 1), "comment": (1, 1),
    }  # fmt: skip


def test_no_get_of_any_operation_answers_with_an_erased_person(canary: Canary) -> None:
    """Each GET is asked with the ids of the records that there were: of the person, and of what is left."""
    canary.erase()
    headers, asked = {"authorization": "Bearer acme-admin"}, 0
    for operation in declared_operations():
        for route in operation.routes.values():
            if route.method != "GET" or operation.kind == "stream":
                continue
            path = route.full_path
            for name, id in (*canary.ids.items(), ("entity", "contact")):
                path = path.replace(f"{{{name}_id}}", id).replace(f"{{{name}}}", id)
            if "{" in path:
                continue
            for query in ("", f"q={MARK}&search={MARK}", "includeDeleted=true&include=changes"):
                reply = canary.stub.handle(Request("GET", path, query=query, headers=headers))
                body = reply.body + b"".join(reply.chunks or ())
                assert canary.email.encode() not in body.replace(f"={MARK}".encode(), b""), operation.id
                asked += reply.status == 200
    assert asked > 150


def test_a_file_is_still_found_when_the_person_is_called_like_a_part_of_its_address(crm: CrmClient) -> None:
    person: Any = {"name": "Download", "email": "download@person.example"}
    crm.contacts.create(person)
    file = crm.files.upload(("list.txt", b"x"), description="made by Download")
    crm.privacy.erase({"email": person["email"]}, dry_run=False, confirm=person["email"]).wait()
    left = crm.files.get(file.id)
    assert left.url == file.url == f"/v1/files/{file.id}/download"
    assert "Download" not in str(left.description)


def test_deals_and_what_others_said_stay_without_the_person(canary: Canary) -> None:
    crm, ids = canary.crm, canary.ids
    canary.erase()
    deal, other = crm.deals.get(ids["deal"]), crm.contacts.get(ids["other"])
    assert (deal.value or 0) == 1234 and (deal.contact_id, deal.contact_name) == (None, None)
    assert [role.contact_id for role in crm.deals.get(ids["role"]).contact_roles] == [ids["other"]]
    assert (other.name, other.notes) == ("Otto Other", ["knows [erased] well"])
    note: Any = crm.activities.get(ids["note"])
    event: Any = crm.activities.get(ids["event"])
    assert (note.body, note.contact_id) == ("[erased]", None)
    assert (event.title, [one.email for one in event.attendees]) == ("Meeting of others", ["otto@other.example"])
    assert crm.files.download(ids["file"]).read() == b"one\n[erased]\nthree"
    assert refused(lambda: crm.contacts.get(ids["contact"])).status == 404
    restored = crm.objects.restore("contact", [ids["gone"]])
    assert [one.error.code for one in restored.items if one.error] == ["NOT_FOUND"]


def test_the_state_file_has_nothing_of_an_erased_person(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with StubServer(db=str(path)) as stub, stub.client(dialects="platform") as crm:
        canary = fill(Canary(stub, crm))
        assert MARK.encode() in b"".join(one.read_bytes() for one in tmp_path.glob("state.db*") if one.is_file())
        canary.erase()
        stub.clock.advance(1)
        files = [one for one in tmp_path.rglob("*") if one.is_file()]
        assert [one.name for one in files if MARK.encode() in one.read_bytes().lower()] == []


def test_an_erased_address_is_refused_until_its_owner_consents(canary: Canary) -> None:
    crm, email = canary.crm, canary.email
    canary.erase()
    assert refused(lambda: crm.contacts.create({"name": "Eva", "email": email.upper()})).code == "SUBJECT_ERASED"
    assert refused(lambda: crm.leads.create({"name": "Eva", "email": email})).code == "SUBJECT_ERASED"
    change: Any = {"secondary_emails": [email]}
    assert refused(lambda: crm.contacts.update(canary.ids["other"], change)).code == "SUBJECT_ERASED"
    upserted = crm.objects.upsert("contact", [{"name": "Eva", "email": email}], match_on="email")
    assert [one.error.code for one in upserted.items if one.error] == ["SUBJECT_ERASED"]
    job = crm.contacts.imports.create(("people.csv", f"name,email\nEva,{email}".encode()))
    assert job.wait().created_ids == []
    assert [one.code for one in crm.jobs.get(job.id).errors] == ["SUBJECT_ERASED"]
    form: Any = {"form_id": "contact", "name": "Eva", "email": email}
    assert refused(lambda: crm.leads.capture.web_form(form)).code == "SUBJECT_ERASED"
    assert crm.leads.capture.web_form(form | {"consent": True}).created
    assert crm.contacts.create({"name": "Eva", "email": email}).email == email


@pytest.mark.thorough
@pytest.mark.parametrize("mode", ["upsert", "create", "update"])
@pytest.mark.parametrize("door", ["contact", "lead", "the documented one", "a dry run"])
def test_an_import_that_is_refused_keeps_nothing_of_an_erased_person(canary: Canary, door: str, mode: Any) -> None:
    crm, email = canary.crm, canary.email
    canary.erase()
    header, row = "name,email,external_id,phone,remarks", f"{MARK} Roth,{email.upper()},old-1,no phone,{MARK}"
    file = ("people.csv", f"{header}\n{row}\nOtto,otto.two@other.example,,,\n".encode())
    if door == "the documented one":
        job: Any = crm.contacts.imports.create(file, mode=mode, match_on="email")
    else:
        entity = "lead" if door == "lead" else "contact"
        job = crm.imports.create(entity, file, mode=mode, match_on="email", dry_run=door == "a dry run")
    job.wait()
    (first, *_) = crm.jobs.get(job.id).errors
    assert (first.row, first.code) == (1, "NOT_FOUND" if mode == "update" else "SUBJECT_ERASED")
    assert first.value is not None and "[erased]" in first.value
    canary.stub.clock.advance(25 * 3600)
    assert canary.places() == []


@pytest.mark.parametrize("how", ["block=False", "the setting"])
def test_an_address_is_not_refused_where_nobody_asked_for_it(canary: Canary, how: str) -> None:
    if how == "the setting":
        canary.crm.configuration.settings.update({"privacy.block_erased": False})
    canary.erase(block=how == "the setting")
    assert canary.crm.contacts.create({"name": "Eva", "email": canary.email}).id


def test_another_company_keeps_its_own_person(canary: Canary) -> None:
    with canary.stub.client(api_key="globex-admin", dialects="platform") as other:
        id = other.contacts.create({"name": "Eva", "email": canary.email}).id
        canary.erase()
        assert other.contacts.get(id).email == canary.email
        assert other.contacts.create({"name": "Eva", "email": f"x{canary.email}"}).id


def test_one_record_is_erased_and_who_shares_a_value_keeps_it(stub: StubServer, crm: CrmClient) -> None:
    one = crm.contacts.create({"name": "Ada Alone", "phone": "+49301112233", "email": "ada.alone@x.example"})
    two = crm.contacts.create({"name": "Bea Both", "phone": "+49301112233", "email": "bea@x.example"})
    lead = crm.leads.create({"name": "Ada Alone", "email": "ada.alone@x.example"})
    subject: Any = {"entity": {"type": "contact", "id": one.id}}
    job = crm.privacy.erase(subject, dry_run=False, confirm="ada.alone@x.example")
    assert counts(job.wait())["contact"] == (1, 0)
    assert crm.contacts.get(two.id).phone == "+49301112233"
    kept = crm.leads.get(lead.id)
    assert (kept.name, kept.email) == ("Ada Alone", "ada.alone@x.example")


@pytest.mark.thorough
@pytest.mark.parametrize("mode", ["replace", "merge"])
def test_a_restored_backup_is_erased_again(canary: Canary, mode: str) -> None:
    crm = canary.crm
    made = crm.backups.create().wait()
    canary.erase()
    assert made.id in [one.id for one in crm.backups.list()], "an older backup stays, and its archive"
    confirm = crm.tenants.get("current").slug if mode == "replace" else None
    result = crm.backups.restore(made.id, mode=mode, confirm=confirm).wait()
    assert result.re_erased >= 2
    archives = {f"content {crm.backups.get(one.id).checksum}" for one in crm.backups.list()}
    assert {*canary.places()} <= archives, (
        "only the archives of that time, which are erased again when they are restored"
    )
    found = [crm.objects.batch_get(kind, [canary.ids[kind]]).items[0].status for kind in ("contact", "lead")]
    assert found == ["failed", "failed"]


def test_the_feed_of_changes_tells_of_the_erasure_alone(canary: Canary) -> None:
    canary.erase()
    items = [
        one for one in canary.crm.changes.list(fold=False, limit=200).items if one.entity.id in canary.ids.values()
    ]
    gone = [one for one in items if one.change == "erased"]
    assert {one.entity.id for one in gone} >= {canary.ids["contact"], canary.ids["lead"]}
    assert all((one.record, one.entity.name, one.actor) == (None, None, "system") for one in gone)
    assert MARK not in json.dumps([one.model_dump(mode="json") for one in items])


def test_an_erasure_is_told_once_of_each_record(crm: CrmClient) -> None:
    person = crm.contacts.create({"name": "Once", "email": "once@person.test"})
    deal = crm.deals.create({"title": "Kept", "contact_id": person.id})
    begin = crm.changes.list(start="now", limit=0).cursor
    crm.privacy.erase({"email": "once@person.test"}, dry_run=False, confirm="once@person.test").wait()
    told = [(one.entity.id, one.change, one.event) for one in crm.changes.list(cursor=begin, fold=False)]
    assert told.count((person.id, "erased", "contact.erased")) == 1
    assert [one for one in told if one[0] == deal.id] == [(deal.id, "updated", "deal.updated")]


def test_personal_fields_of_what_is_about_a_person_are_emptied(crm: CrmClient) -> None:
    for name, personal in (("passport", True), ("colour", False)):
        field: Any = {"api_name": name, "label": name.title(), "type": "text", "personal": personal}
        for entity in ("activity", "deal"):
            crm.customization.fields.create(entity, field)
    person = crm.contacts.create({"name": "Eva Roth", "email": "eva@person.test"})
    other = crm.contacts.create({"name": "Otto", "email": "otto@person.test"})
    fields, plain = {"passport": "C01X00T47", "colour": "red"}, {"colour": "red"}

    def note(contact_id: str, own: dict[str, Any]) -> str:
        return crm.activities.notes.create({"body": "x", "contact_id": contact_id, "custom_fields": own}).id

    notes = [note(person.id, fields), note(other.id, fields), note(person.id, plain)]
    deal = crm.deals.create({"title": "D", "contact_id": person.id, "custom_fields": {**fields}}).id
    crm.privacy.erase({"email": "eva@person.test"}, dry_run=False, confirm="eva@person.test").wait()
    assert [dict(crm.activities.get(id).custom_fields) for id in notes] == [plain, fields, plain]
    assert dict(crm.deals.get(deal).custom_fields) == fields, "it is not about the person alone"


@pytest.mark.parametrize("is_owner", [True, False])
def test_who_saw_a_person_is_told_of_the_erasure(stub: StubServer, crm: CrmClient, is_owner: bool) -> None:
    body: Any = {"key": "narrow", "name": "N", "permissions": [
        {"resource": "contacts", "action": "read", "scope": "own"},
    ]}  # fmt: skip
    crm.security.roles.create(body)
    reader, narrow = signed_in(stub, crm, "narrow")
    begin = narrow.changes.list(start="now", limit=0).cursor
    owner = reader.id if is_owner else "user_sam"
    id = crm.contacts.create({"name": "Seen", "email": "seen@person.test", "owner_id": owner}).id
    crm.contacts.update(id, {"title": "CEO"})
    crm.privacy.erase({"email": "seen@person.test"}, dry_run=False, confirm="seen@person.test").wait()
    told = [(one.entity.id, one.change) for one in narrow.changes.list(cursor=begin, fold=False)]
    assert told == ([(id, "created"), (id, "updated"), (id, "erased")] if is_owner else [])


def test_the_trail_keeps_that_and_loses_what_was_done_to_a_person(stub: StubServer, crm: CrmClient) -> None:
    person = crm.contacts.create({"name": "Eva Roth", "email": "eva@person.test"})
    other = crm.contacts.create({"name": "Otto", "department": "Lab"})
    for id in (person.id, other.id):
        crm.contacts.update(id, {"lifecycle_stage": "customer"})
    deal = crm.deals.create({"title": "Deal of Eva Roth", "contact_id": person.id})
    crm.deals.update(deal.id, {"value": 5})
    crm.privacy.erase({"email": "eva@person.test"}, dry_run=False, confirm="eva@person.test").wait()
    trail = {(entry["action"], entry["entity"]["id"]): entry for entry in stub.audit()}
    for action, id, kept in (
        ("contact.created", person.id, False), ("contact.updated", person.id, False),
        ("contact.updated", other.id, True), ("deal.created", deal.id, False), ("deal.updated", deal.id, False),
    ):  # fmt: skip
        entry = trail[action, id]
        assert (entry["entity"]["name"] is not None, bool(entry["changes"] or entry["initial"])) == (kept, kept), action
        assert (entry["salt"] is not None) is kept and entry["actor"]["id"] is not None
    assert crm.audit.logs.list(verify=True).meta["chainValid"] is True
