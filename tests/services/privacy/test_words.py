"""What tells of a person: in which texts, values and contents it is found, and what is left of them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from fpdf import FPDF
from refusals import refused
from stub_data import some

from crm_sdk import CrmClient
from crm_sdk.models.contacts import Contact
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.services.erasures import enter, without_refused
from server_stub.services.privacy.words import Words, tells, texts_of, words_of
from server_stub.timetable import system_call

from .conftest import MARK, Canary

EVA = Words(["Eva Roth", "+49 30 1234567"], ["contact_7"], ["Eva@Roth.example"])


def zipped(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_which_texts_tell_of_one_person() -> None:
    cases: dict[tuple[str, str], bool] = {
        ("notes", "a@b"): True, ("title", "a@b"): True,
        ("phone", "12345"): False, ("phone", "123-456"): True, ("mobile", "123456"): True,
        ("from_number", "1 23456"): True,
        ("phone", "not a number at all"): False, ("to_number", "12345"): False,
        ("title", "Head of Sales"): False, ("title", "Head of 7"): True, ("title", "Head 77"): False,
        ("title", "Head 777"): True, ("first_name", "Evangelina"): False, ("city", "Springfield"): False,
        ("name", "Eva Li"): True, ("name", "Al B"): False, ("name", "Ed Li"): True, ("name", "Evange"): False,
        ("name", "Evangeli"): True, ("name", "Evangel"): False,
        ("notes", "likes tea"): True, ("notes", "teatime1"): True, ("notes", "tea/time"): True,
        ("notes", "teatimes"): False,
        ("notes", "a tea 1"): False, ("notes", "a tea 12"): True, ("handle", "evangelina"): False,
        ("handle", "eva/roth"): True, ("handle", "eva"): False, ("street", "Main road"): True,
    }  # fmt: skip
    assert {case: tells(*case) for case in cases} == cases


def test_the_texts_of_a_person() -> None:
    doc: Any = {
        "name": " Eva Roth ", "first_name": "Eva", "last_name": "Roth", "email": None,
        "secondary_emails": ["a@b.example"],
        "address": {"street": "Main road 1", "city": "Bonn"}, "company": "Acme",
        "custom_fields": {"pet": "Rex the dog", "size": "large size"},
    }  # fmt: skip
    found = set(texts_of(doc, Contact, ["pet"]))
    assert {("name", "Eva Roth"), ("secondary_emails", "a@b.example"), ("street", "Main road 1"), ("city", "Bonn"),
            ("pet", "Rex the dog"), ("first_name", "Eva")} <= found  # fmt: skip
    assert not {"company", "size", "email"} & {name for name, _ in found}
    assert set(texts_of({"first_name": "Eva", "last_name": "Roth"}, Contact)) >= {("name", "Eva Roth")}
    assert ("name", "Roth") in set(texts_of({"last_name": "Roth"}, Contact))
    assert list(texts_of({}, Contact)) == []


def test_what_somebody_else_has_too_is_no_word_of_the_person() -> None:
    person = Document(id="contact_1", name="Eva Roth", email="eva@roth.example", phone="+49301234567",
                      secondary_emails=["family@home.example"])  # fmt: skip
    others: Any = [{"phone": "+49301234567", "secondary_emails": ["FAMILY@home.example"]}, {"name": "eva roth jr"}]
    words = words_of([(Contact, person)], others, [], None)
    assert [words.has(text) for text in ("Eva Roth", "eva@roth.example", "+49301234567", "family@home.example")] == [
        True, True, False, False,
    ]  # fmt: skip
    assert words.addresses == {"eva@roth.example"} and words.ids == {"contact_1"}
    asked = words_of([(Contact, person)], others, [], "family@home.example")
    assert asked.has("family@home.example") and asked.addresses == {"eva@roth.example", "family@home.example"}
    assert not words_of([], [], [], None).has("Eva Roth")
    assert words_of([], [], [], None).without("Eva Roth") == "Eva Roth"


@pytest.mark.parametrize("form", ["plain", "in other words", "escaped"])
def test_a_word_is_found_whole(form: str) -> None:
    cases = {
        "plain": {"I met Eva Roth.": "I met [erased].", "EVA ROTH": "[erased]", "Eva Rother": "Eva Rother",
                  "xEva Roth": "xEva Roth", "@Eva Roth": "@Eva Roth", "<eva@roth.example>": "<[erased]>",
                  "call +49 30 1234567": "call [erased]"},
        "in other words": {"a.eva@roth.example": "a.[erased]", "eva@roth.example.com": "[erased].com", "": ""},
        "escaped": {"?q=eva%40roth.example": "?q=[erased]", "?q=Eva%20Roth": "?q=[erased]"},
    }  # fmt: skip
    for text, left in cases[form].items():
        assert (EVA.without(text), EVA.has(text), EVA.found_in(text)) == (left, left != text, left != text)


def test_values_without_the_person() -> None:
    deal = {"id": "deal_1", "value": 5, "stage": "won", "contactId": "contact_7", "contactName": "Eva Roth"}
    cases: list[tuple[Any, Any]] = [
        ("contact_7", None), ("contact_70", "contact_70"), (5, 5), (None, None),
        (["contact_7", "a", "EVA@roth.example", "hello Eva Roth"], ["a", "hello [erased]"]),
        (("contact_7", 1), [1]),
        ({"user_id": "contact_7", "version": 3, "name": "x", "at": {"type": "t", "id": "i", "x": 1}, "tags": ["y"],
          "deal_id": "deal_1", "seen_at": "then", "kind": "k"},
         {"user_id": "contact_7", "version": 3, "name": None, "at": {"type": "t", "id": "i"}, "tags": [],
          "deal_id": "deal_1", "seen_at": "then", "kind": "k"}),
        ({"email": "eva@roth.example", "text": "x", "id": "n"}, {"email": None, "text": None, "id": "n"}),
        ({"text": "eva@roth.example", "id": "n"}, {"text": "[erased]", "id": "n"}),
        (deal, deal | {"contactId": None, "contactName": None}),
        ({key: one for key, one in deal.items() if key != "stage"} | {"stageId": "s"},
         {"id": "deal_1", "value": 5, "contactId": None, "contactName": None, "stageId": "s"}),
        ([deal, {"id": "contact_7"}], [deal | {"contactId": None, "contactName": None}]),
        ({"contact_7": 1, "b": 2}, {"b": 2}),
        ({"entity": {"id": "contact_7"}, "changes": [1], "metadata": {"a": 1}, "action": "x"},
         {"entity": {"id": "contact_7"}, "changes": [], "metadata": {}, "action": "x"}),
        ({"entity": {"id": "other"}, "changes": [1], "metadata": {"a": 1}},
         {"entity": {"id": "other"}, "changes": [1], "metadata": {"a": 1}}),
        (b"to eva@roth.example", b"to [erased]"),
    ]  # fmt: skip
    for value, left in cases:
        assert EVA.without_person(value) == left, value
    found: list[tuple[Any, bool]] = [
        ({"a": [{"b": "Eva Roth"}]}, True), ({"contact_7": 1}, True), (["x", ("contact_7",)], True), ({"a": 1}, False),
        ([], False), (7, False), (b"Eva Roth", True), (b"Eva", False),
    ]  # fmt: skip
    for value, has in found:
        assert EVA.found_in(value) is has, value
    assert EVA.refers({"email": "EVA@roth.example"}) and not EVA.refers({"name": "eva@roth.example"})
    assert EVA.refers({"anything": "contact_7"}) and not EVA.refers({"a": ["contact_7"]})
    assert EVA.with_ids(["note_1"]).found_in("note_1") and not EVA.found_in("note_1")


def test_contents_without_the_person() -> None:
    text = "one\nEva Roth, Köln\nthree"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        content = text.encode(encoding)
        assert EVA.found_in_content(content)
        assert EVA.without_in_content(content) == text.replace("Eva Roth", "[erased]").encode(encoding), encoding
    for content in (b"", b"nobody", b"\0\1Eva Roth", b"PK no archive Eva Roth", b"%PDF Eva Roth"):
        assert not EVA.found_in_content(content) and EVA.without_in_content(content) == content
    assert EVA.found_in_content(b"x" * 512 + b"\0 Eva Roth")
    inner = zipped({"a.txt": b"Eva Roth", "b.txt": b"b"})
    whole = zipped({"Eva Roth.txt": b"x", "in.zip": inner, "folder/": b"", "note.txt": b"eva@roth.example"})
    assert EVA.found_in_content(whole)
    with zipfile.ZipFile(io.BytesIO(EVA.without_in_content(whole))) as left:
        assert left.namelist() == ["[erased].txt", "in.zip", "note.txt"]
        assert left.read("note.txt") == b"[erased]"
        with zipfile.ZipFile(io.BytesIO(left.read("in.zip"))) as within:
            assert {name: within.read(name) for name in within.namelist()} == {"a.txt": b"[erased]", "b.txt": b"b"}


def test_a_pdf_that_tells_of_the_person_is_emptied() -> None:
    def offer(name: str) -> bytes:
        page = FPDF()
        page.add_page()
        page.set_font("helvetica", size=12)
        page.cell(text=f"Offer for {name}")
        return bytes(page.output())

    assert EVA.found_in_content(offer("Eva Roth")) and EVA.without_in_content(offer("Eva Roth")) == b""
    other = offer("Otto Other")
    assert not EVA.found_in_content(other) and EVA.without_in_content(other) == other


# -- requests ----------------------------------------------------------------------------------------------------------


def test_what_an_archive_has(canary: Canary) -> None:
    crm, ids = canary.crm, canary.ids
    job = crm.privacy.export({"email": canary.email})
    assert (job.kind, job.title, job.status_url) == ("privacy_export", "Export of a person's data", f"/jobs/{job.id}")
    report = job.wait()
    file = crm.files.get(report.file_id or "")
    made = some(file.created_at)
    assert file.name == f"privacy-export-{made:%Y-%m-%d}.zip" and some(file.expires_at) == made + timedelta(days=7)
    archive = zipfile.ZipFile(io.BytesIO(crm.files.download(file.id).read()))
    assert archive.read("contact.json").startswith(b"[\n  {\n")

    def rows(entity: str) -> Any:
        return json.loads(archive.read(f"{entity}.json"))

    trail = rows("audit")
    assert {"contact.created", "lead.created"} <= {one["action"] for one in trail}
    shown = crm.request("GET", f"/platform/v1/audit/logs/{trail[0]['id']}").json()["data"]
    assert trail[0].keys() <= shown.keys() | {"hash"} and trail[0]["id"] == shown["id"]
    assert rows("contact")[0].keys() >= {"firstName", "secondaryEmails", "createdAt"}
    assert {one["id"] for one in rows("deal")} == {ids["deal"], ids["role"]}
    own = [name for name in archive.namelist() if name.startswith("files/")]
    assert own and all(archive.read(name) for name in own)
    assert {name.partition("-")[0] for name in own} == {f"files/{one['id']}" for one in rows("file")}
    without = crm.privacy.export({"email": canary.email}, include_files=False).wait()
    names = zipfile.ZipFile(io.BytesIO(crm.files.download(without.file_id or "").read())).namelist()
    assert "file.json" in names and not [name for name in names if name.startswith("files/")]
    counts = some(crm.jobs.get(job.id).counts)
    assert counts.total == counts.processed == counts.succeeded == sum(one.found for one in report.records)
    assert {(one.kept == one.found, one.erased, one.anonymized) for one in report.records} == {(True, 0, 0)}
    assert report.subject_hash == without.subject_hash and canary.email not in report.subject_hash


def test_what_the_jobs_of_an_erasure_say(canary: Canary) -> None:
    crm = canary.crm
    dry = crm.privacy.erase({"email": canary.email})
    assert (dry.kind, dry.title) == ("privacy_erase", "Count of a person's data")
    report = dry.wait()
    assert {(one.kept == one.found, one.erased, one.anonymized) for one in report.records} == {(True, 0, 0)}
    assert report.file_id is None and report.held == []
    subject: Any = {"email": canary.email}
    real = crm.privacy.erase(subject, dry_run=False, confirm=f"  {canary.email.upper()} ", reason=f"by {canary.email}")
    assert real.title == "Erasure of a person"
    for request in (lambda: crm.privacy.export(subject), lambda: crm.privacy.erase(subject)):
        error = refused(request)
        assert (error.code, error.details) == ("PRIVACY_IN_PROGRESS", {"jobId": real.id})
    done = real.wait()
    assert not done.dry_run and done.identities == [] and done.subject_hash == report.subject_hash
    job = crm.jobs.get(real.id)
    counts = some(job.counts)
    assert counts.deleted == sum(one.erased for one in done.records) > 0
    assert counts.updated == sum(one.anonymized for one in done.records) > 0
    assert counts.total == sum(one.found for one in done.records) == counts.deleted + counts.updated
    assert [one.entity for one in done.records] == sorted(one.entity for one in done.records)
    entry = crm.audit.logs.get(done.audit_id or "")
    assert (entry.action, entry.reason) == ("privacy.erased", "by [erased]")
    said = some(entry.metadata)
    assert said["subjectHash"] == done.subject_hash and len(said["idHashes"]) == 3
    assert MARK not in entry.model_dump_json()


def test_wrong_questions_name_their_member(crm: CrmClient) -> None:
    both: Any = {"email": "a@b.example", "entity": {"type": "contact", "id": "contact_123"}}
    cases: list[tuple[Any, str, str | None]] = [
        ({}, "subject", "required"), (both, "subject", "required"),
        ({"email": "SAM@acme.test"}, "subject.email", "choice"),
        ({"entity": {"type": "deal", "id": "deal_1"}}, "subject.entity.type", "choice"),
        ({"entity": {"type": "lead", "id": "contact_123"}}, "subject.entity.id", "reference"),
    ]  # fmt: skip
    for subject, field, rule in cases:
        error = refused(lambda subject=subject: crm.privacy.export(subject))  # type: ignore[misc] # the value of this turn is bound
        assert [(one.field, one.rule) for one in error.fields] == [(field, rule)]
    plain = crm.contacts.create({"name": "Without address"}).id
    one: Any = {"entity": {"type": "contact", "id": plain}}
    wrong = refused(lambda: crm.privacy.erase(one, dry_run=False, confirm="x"))
    assert [(each.field, each.rule) for each in wrong.fields] == [("confirm", "required")]
    report = crm.privacy.erase(one, dry_run=False, confirm=plain.upper()).wait()
    assert {each.entity: each.erased for each in report.records}["contact"] == 1
    deleted = crm.contacts.create({"name": "Deleted one"}).id
    crm.contacts.delete(deleted)
    again: Any = {"entity": {"type": "contact", "id": deleted}}
    assert [each.id for each in crm.privacy.erase(again).wait().identities] == [deleted]


def test_a_text_is_kept_without_the_addresses_that_are_refused(stub: StubServer) -> None:
    call = system_call(stub, "tenant_acme", stub.clock.now(), "test")
    text = "Eva <eva@roth.example>, EVA@roth.example.: Otto otto@roth.example; Ann ann@roth.example."
    assert without_refused(call, text) == text
    enter(call, ["Eva@Roth.example", "gone@roth.example"], blocked=True)
    enter(call, ["otto@roth.example"], blocked=False)
    assert without_refused(call, text) == "Eva <[erased]>, [erased] Otto otto@roth.example; Ann ann@roth.example."
    assert [without_refused(call, one) for one in ("nobody", "", "gone@roth.example")] == ["nobody", "", "[erased]"]
    enter(call, ["eva@roth.example"], blocked=False)
    assert without_refused(call, "eva@roth.example") == "[erased]", "who was blocked stays so"
    with stub.client(dialects="platform") as crm:
        crm.configuration.settings.update({"privacy.block_erased": False})
    assert without_refused(call, text) == text
