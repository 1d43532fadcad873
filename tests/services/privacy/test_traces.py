"""What is left of everything that had something of a person in it, by whole records."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient
from crm_sdk.models import PrivacyReport
from server_stub import StubServer
from server_stub.data.collection import Collection
from server_stub.data.document import Document
from server_stub.outside.outbox import OutgoingMessage
from server_stub.services.privacy.requests import erase_again
from server_stub.timetable import system_call

EMAIL = "eva@roth.example"
NAME = "Eva Roth-Kern"


def records(stub: StubServer, kind: str) -> Collection:
    return stub.store.collection("tenant_acme", kind)


def put(stub: StubServer, kind: str, id: str, /, **members: Any) -> Document:
    at = stub.clock.now()
    return records(stub, kind).put(Document(id=id, created_at=at, updated_at=at, **members))


def erase(crm: CrmClient, email: str = EMAIL, **given: Any) -> PrivacyReport:
    return crm.privacy.erase({"email": email}, dry_run=False, confirm=email, **given).wait()


def counts(report: PrivacyReport) -> dict[str, tuple[int, int, int]]:
    return {one.entity: (one.found, one.erased, one.anonymized) for one in report.records}


def changed(before: Document, after: Document | None) -> dict[str, Any]:
    """Return the members that are others now, without the time of the change."""
    after = some(after)
    assert after.keys() == before.keys() or after.keys() == before.keys() | {"custom_fields"}, before["id"]
    return {name: after[name] for name in after if name != "updated_at" and after[name] != before.get(name)}


def eva(crm: CrmClient) -> str:
    return crm.contacts.create({"name": NAME, "email": EMAIL}).id


def test_what_is_left_of_records_that_name_a_person(stub: StubServer, crm: CrmClient) -> None:
    crm.customization.fields.create("activity", {
        "api_name": "passport", "label": "Passport", "type": "text", "personal": True,
    })  # fmt: skip
    id = eva(crm)
    note = crm.activities.notes.create({"body": f"talk to {NAME} of tea", "contact_id": id}).id
    person, other = {"type": "contact", "id": id}, {"type": "contact", "id": "contact_123"}
    plain: Any = {"title": "T", "version": 3}
    told: Any = {"user_id": "user_ada", "title": "T", "message": f"M of {NAME}", "version": 1}
    cases: list[tuple[str, dict[str, Any], dict[str, Any] | None]] = [
        ("deal", {**plain, "contact_id": id, "contact_name": NAME, "custom_fields": {"passport": "x"}},
         {"contact_id": None, "contact_name": None, "version": 4}),
        ("deal", {**plain, "contact_id": "contact_123", "contact_name": "Otto"}, {}),
        ("deal", {**plain, "contact_id": None, "contact_name": NAME}, {"contact_name": None, "version": 4}),
        ("deal", {**plain, "description": EMAIL, "next_step": f"ask {EMAIL}", "tags": [EMAIL, NAME, f"of {NAME}", "a"]},
         {"description": None, "next_step": "ask [erased]", "tags": ["[erased]", "of [erased]", "a"], "version": 4}),
        ("activity", {**plain, "kind": "note", "body": f"to {NAME} and others", "contact_id": id,
                      "custom_fields": {"passport": "x", "size": "l"}},
         {"title": "[erased]", "body": "[erased]", "contact_id": None, "custom_fields": {"size": "l"}, "version": 4}),
        ("activity", {**plain, "kind": "note", "body": f"to {NAME}", "contact_id": None, "contact_name": "Otto",
                      "custom_fields": {"passport": "x"}}, {"body": "to [erased]", "version": 4}),
        ("activity", {**plain, "kind": "email", "to": [{"email": EMAIL}], "subject": "Tea", "body_text": ""},
         {"title": "[erased]", "to": [], "subject": "[erased]", "version": 4}),
        ("activity", {**plain, "kind": "email", "to": [{"email": EMAIL}, {"email": "o@o.example"}], "subject": "Tea"},
         {"to": [{"email": "o@o.example"}], "version": 4}),
        ("activity", {**plain, "kind": "email", "from_address": {"email": EMAIL.upper()}, "subject": "Tea"},
         {"title": "[erased]", "from_address": None, "subject": "[erased]", "version": 4}),
        ("notification", {**told, "entity": person, "recipient": "a@b.example"},
         {"title": "[erased]", "message": "[erased]", "recipient": None, "version": 2}),
        ("notification", {**told, "entity": {"type": "activity", "id": note}},
         {"title": "[erased]", "message": "[erased]", "version": 2}),
        ("notification", {**told, "entity": None, "recipient": EMAIL.upper()},
         {"title": "[erased]", "message": "[erased]", "recipient": None, "version": 2}),
        ("notification", {**told, "entity": other}, {"message": "M of [erased]", "version": 2}),
        ("notification", {**told, "entity": other, "message": "M"}, {}),
        ("social_post", {"content": "C", "url": f"https://x.example/{EMAIL}", "version": 1},
         {"url": "https://x.example/[erased]", "version": 2}),
        ("file", {"name": f"{NAME}.txt", "url": f"/v1/files/{NAME}", "checksum": "0", "version": 1},
         {"name": "[erased].txt", "version": 2}),
        ("comment", {"entity": other, "entity_id": "contact_123", "author_id": "user_ada", "body": f"{NAME}?",
                     "version": 1}, {"body": "[erased]?", "version": 2}),
        ("comment", {"entity": person, "entity_id": id, "author_id": "user_ada", "body": "B", "version": 1}, None),
        ("subscription", {"address": EMAIL, "channel": "email", "version": 1}, None),
        ("subscription", {"address": "o@o.example", "channel": "email", "version": 1}, {}),
        ("share", {"entity": other, "entity_id": "contact_123", "subject_id": EMAIL, "version": 1},
         {"subject_id": None, "version": 2}),
        ("account", {"name": "A", "primary_contact_id": id, "description": "D", "version": 1},
         {"primary_contact_id": None, "version": 2}),
        # what no call answers as a record of its own
        ("idempotency", {"answer": f"of {NAME}"}, None), ("idempotency", {"answer": "of Otto"}, {}),
        ("sync_link", {"local_id": note}, None), ("insight", {"text": [NAME]}, None),
        ("score", {"contact_id": id}, None), ("score", {"record_id": id}, None),
        ("score", {"user_id": id}, {"user_id": None}), ("template", {"name": NAME}, {"name": "[erased]"}),
        ("score", {"contact_id": "contact_123", "says": f"of {NAME}"}, {"says": "of [erased]"}),
        ("score", {"contact_name": "N", "of": note, "owner_id": "u"}, {"contact_name": None, "of": None}),
        ("event", {"entity_id": id, "says": NAME}, {"entity_id": None, "says": "[erased]"}),
    ]  # fmt: skip
    before = [put(stub, kind, f"x_{number}", **members) for number, (kind, members, _) in enumerate(cases)]
    parts = [put(stub, "seen", f"{start}:{end}", times=1) for start, end in (("user_ada", id), (id, "a"), ("a", "b"))]
    begin = {kind: {doc["id"]: doc for doc in records(stub, kind)} for kind in ("deal", "activity", "contact")}
    report = erase(crm)
    for number, (kind, members, expected) in enumerate(cases):
        after = records(stub, kind).get(f"x_{number}", deleted=True)
        if expected is None:
            assert after is None, members
        else:
            assert changed(before[number], after) == expected, members
    assert [doc["id"] for doc in records(stub, "seen")] == [parts[2]["id"]]
    touched = Counter(kind for kind, _, expected in cases if expected)
    found = counts(report)
    assert found["deal"] == (3, 0, 3) and found["contact"] == (1, 1, 0)
    assert found["activity"] == (touched["activity"] + 1, 0, touched["activity"] + 1), "the note of the test, too"
    assert found["comment"] == (2, 1, 1) and found["subscription"] == (1, 1, 0) and found["notification"] == (4, 0, 4)
    assert "score" not in found and "event" not in found
    for kind, docs in begin.items():
        kept = {key: doc for key, doc in docs.items() if not key.startswith("x_") and key not in (id, note)}
        assert {key: records(stub, kind).get(key) for key in kept} == kept, "nobody else's"


def test_what_is_left_of_a_custom_record_that_names_a_person(stub: StubServer, crm: CrmClient) -> None:
    object = crm.custom_objects.list().items[0]
    field: Any = {"api_name": "passport", "label": "Passport", "type": "text", "personal": True}
    crm.custom_objects.fields.create(object.id, field)
    id = eva(crm)
    whose: list[dict[str, Any]] = [{"who": id}, {"who": ["a", id]}, {"who": "contact_123"}]
    usual: Any = {"object": object.api_name, "object_id": object.id, "version": 1}
    ones = [
        put(stub, "record", f"x_{number}", **usual, name="N", fields={**fields, "passport": "P", "size": f"of {NAME}"})
        for number, fields in enumerate(whose)
    ]
    bare = put(stub, "record", "x_3", **usual, name="N", fields=None)
    report = erase(crm)
    left = [some(records(stub, "record").get(one["id"]))["fields"] for one in ones]
    assert left == [
        {"who": None, "passport": None, "size": None}, {"who": ["a"], "passport": None, "size": "of [erased]"},
        {"who": "contact_123", "passport": "P", "size": "of [erased]"},
    ]  # fmt: skip
    assert records(stub, "record").get("x_3") == bare
    assert counts(report)[object.api_name] == (3, 0, 3)


def test_what_is_left_in_files(stub: StubServer, crm: CrmClient) -> None:
    id = eva(crm)

    def upload(name: str, text: str, **more: Any) -> str:
        return crm.files.upload((name, text.encode()), **more).id

    own = upload("own.txt", "one", related_to={"type": "contact", "id": id})
    picture = upload("face.png", "two")
    stored(stub, "contact", id, avatar=f"/v1/files/{picture}/download")
    job, result, without, archive = (upload(f"{n}.txt", f"{n} {NAME if n != 3 else ''}") for n in range(1, 5))
    photo, list_, old, none = (
        upload("p.png", NAME),
        upload("l.txt", f"a {EMAIL}"),
        upload("o.txt", NAME),
        upload("n.txt", "n"),
    )
    crm.files.versions.create(old, ("o.txt", b"nobody"))
    for file in (photo, picture):
        stored(stub, "file", file, content_type="image/png")
    stored(stub, "file", none, content_type=None)
    put(stub, "job", "x_1", kind="export", status="succeeded", file_id=job, version=1)
    put(stub, "run", "x_2", result={"file_id": result}, file_id=None)
    put(stub, "job", "x_3", kind="export", status="succeeded", file_id=without, version=1, result=None)
    put(stub, "backup", "x_4", file_id=archive, version=1)
    before = {doc["id"]: doc for doc in records(stub, "file")}
    versions = {doc["id"]: doc for doc in records(stub, "file_version")}
    report = erase(crm)
    assert counts(report)["file"] == (6, 4, 2)
    after = {doc["id"]: doc for doc in records(stub, "file")}
    assert before.keys() - after.keys() == {own, picture, job, result}
    assert {file: changed(before[file], after[file]).keys() for file in (without, archive, photo, none)} == {
        without: set(), archive: set(), photo: set(), none: set(),
    }  # fmt: skip
    assert changed(before[list_], after[list_]) == {
        "checksum": after[list_]["checksum"], "size": len("a [erased]"), "version": before[list_]["version"] + 1,
    }  # fmt: skip
    assert after[old] == before[old], "its former version had the name"
    left = {doc["id"]: doc for doc in records(stub, "file_version")}
    gone = {key for key, doc in versions.items() if doc["file_id"] in (own, picture, job, result)}
    assert versions.keys() - left.keys() == gone and len(gone) == 4
    moved = {key: changed(versions[key], doc) for key, doc in left.items() if doc != versions[key]}
    sizes = {left[key]["file_id"]: members.pop("size") for key, members in moved.items()}
    assert sizes == {list_: len("a [erased]"), old: len("[erased]")}
    assert {*map(tuple, moved.values())} == {("checksum",)}
    assert (
        crm.files.download(list_).read() == b"a [erased]" and crm.files.download(archive).read() == f"4 {NAME}".encode()
    )
    assert crm.files.download(photo).read() == NAME.encode()


def test_the_content_of_what_goes_or_is_cleaned_is_kept_no_longer(stub: StubServer, crm: CrmClient) -> None:
    id = eva(crm)
    crm.files.upload(("own.txt", b"only here"), related_to={"type": "contact", "id": id})
    other = crm.contacts.create({"name": "Otto Oldenburg", "email": "otto@old.example"}).id
    crm.files.upload(("list.txt", b"a otto@old.example"))

    def kept() -> list[bytes]:
        found: list[bytes] = []
        for content in stub.contents.snapshot().values():
            with content.open() as file:
                found.append(file.read())
        return found

    assert b"only here" in kept() and b"a otto@old.example" in kept()
    erase(crm)
    assert b"only here" not in kept() and b"a otto@old.example" in kept()
    erase(crm, "otto@old.example")
    assert b"a otto@old.example" not in kept() and b"a [erased]" in kept()
    assert refused(lambda: crm.contacts.get(other)).status == 404


def test_what_is_left_in_the_histories(stub: StubServer, crm: CrmClient) -> None:
    id = eva(crm)
    note = crm.activities.notes.create({"body": "x", "contact_id": id}).id
    at = stub.clock.now()
    usual: Any = {"seq": 0, "at": at, "change": "updated", "merged_into": None, "actor": "user_ada", "values": []}
    value = {"field": "name", "before": "A", "after": "B"}
    side: Any = {"id": "i", "owner_id": "user_sam", "name": "N", "title": f"to {NAME}", "tags": ["t"], "contact_id": id}
    cases: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"record_id": id, "values": [value], "merged_into": "m", "before": None, "after": side},
         {"values": [], "merged_into": None, "after": {"id": "i", "owner_id": "user_sam"}}),
        ({"record_id": id, "values": [value], "before": {**side, "kind": "k", "object_id": "o"}, "after": None},
         {"values": [], "before": {"id": "i", "owner_id": "user_sam", "object_id": "o", "kind": "k"}}),
        ({"record_id": note, "values": [value], "before": None, "after": {**side, "title": "T"}},
         {"values": [{"field": "name", "before": None, "after": None}],
          "after": {"id": "i", "owner_id": "user_sam", "name": None, "title": None, "tags": [], "contact_id": id}}),
        ({"record_id": "deal_1", "values": [value], "before": side, "after": None},
         {"values": [{"field": "name", "before": None, "after": None}],
          "before": {**side, "title": "to [erased]", "contact_id": None}}),
        ({"record_id": "deal_1", "values": [{**value, "after": NAME}], "before": None, "after": None},
         {"values": [{"field": "name", "before": None, "after": None}]}),
        ({"record_id": "deal_1", "values": [value], "merged_into": id, "before": None, "after": None},
         {"merged_into": None}),
        ({"record_id": "deal_1", "values": [value], "merged_into": "m", "before": None, "after": {"title": "T"}}, {}),
    ]  # fmt: skip
    before = [
        records(stub, "change").put(Document(id=f"x_{number}", collection="c", **{**usual, **given}))
        for number, (given, _) in enumerate(cases)
    ]
    trail = records(stub, "audit")
    last = some(trail.last()) | {"initial": [], "changes": [], "metadata": {}, "reason": None}
    entity = {"type": "contact", "id": id, "name": NAME}
    kept = [
        trail.put(last | {"id": "x_1", "entity": entity, "salt": None}),
        trail.put(last | {"id": "x_2", "entity": entity, "action": "data.purged"}),
        trail.put(last | {"id": "x_3", "entity": {**entity, "id": "contact_123", "name": "Otto"}}),
    ]
    other = {**entity, "id": "contact_123", "name": "Otto"}
    gone = [
        trail.put(last | {"id": "x_4", "entity": other, "reason": f"of {NAME}"}),
        trail.put(last | {"id": "x_5", "entity": {**entity, "id": note, "name": None}}),
    ]  # fmt: skip
    wanted = sum(
        entry["salt"] is not None and entry["action"] != "data.purged"
        and (entry["entity"]["id"] in (id, note) or NAME in repr(entry))
        for entry in trail
    )  # fmt: skip
    report = erase(crm)
    log = records(stub, "change")
    for number, (given, left) in enumerate(cases):
        assert changed(before[number], log.get(f"x_{number}")) == left, given
    for entry in kept:
        assert trail.get(entry["id"]) == entry
    for entry in gone:
        left_of_it = some(trail.get(entry["id"]))
        assert (left_of_it["salt"], left_of_it["entity"]["name"], left_of_it["reason"]) == (None, None, None)
    assert counts(report)["audit"] == (wanted, 0, wanted)


def test_what_is_left_of_mails_that_have_left(stub: StubServer, crm: CrmClient) -> None:
    eva(crm)
    mail = OutgoingMessage(
        "n_1", "tenant_acme", "email", "otto@o.example", f"T {NAME}", f"M {NAME}", f"<p>{NAME}</p>", stub.clock.now()
    )
    given = [mail, replace(mail, notification_id="n_2", html=None), replace(mail, recipient=EMAIL.upper())]
    stub.outbox.messages[:] = given
    erase(crm)
    assert stub.outbox.messages == [
        replace(mail, title="T [erased]", text="M [erased]", html="<p>[erased]</p>"),
        replace(mail, notification_id="n_2", title="T [erased]", text="M [erased]", html=None),
    ]


def test_who_is_the_person(stub: StubServer, crm: CrmClient) -> None:
    """By an address whoever has it; by a record that one, with what was merged into it."""

    def identities(subject: Any) -> set[str]:
        return {one.id for one in crm.privacy.erase(subject).wait().identities}

    main, other = eva(crm), crm.contacts.create({"name": "E. Roth", "email": "e@roth.example"}).id
    lead = crm.leads.create({"name": "L", "email": EMAIL}).id
    group: Any = {"survivor_id": main, "contact_ids": [main, other]}
    crm.contacts.deduplicate(mode="merge", groups=[group])
    for id in (main, other):
        assert identities({"entity": {"type": "contact", "id": id}}) == {main, other}
    assert identities({"email": "E@Roth.example"}) == {main, other}
    assert identities({"email": EMAIL.upper()}) == {main, lead}
    assert identities({"email": "nobody@roth.example"}) == set()
    crm.leads.delete(lead)
    subject: Any = {"entity": {"type": "lead", "id": lead}}
    assert identities(subject) == {lead}
    crm.privacy.erase(subject, dry_run=False, confirm=EMAIL).wait()
    again = refused(lambda: crm.privacy.erase(subject, dry_run=False, confirm=EMAIL))
    assert again.code == "CONFIRMATION_REQUIRED", "its address is known no more"
    done = crm.privacy.erase(subject, dry_run=False, confirm=lead).wait()
    assert (done.records, done.identities) == ([], [])
    user = crm.users.create({"email": "gone@acme.test", "name": "Gone", "role": "sales"})
    crm.users.delete(user.id)
    assert refused(lambda: crm.privacy.export({"email": "GONE@acme.test"})).code == "NOT_A_SUBJECT"


def test_what_others_have_too_is_left_to_them(stub: StubServer, crm: CrmClient) -> None:
    user = crm.users.get("user_sam")
    account = crm.accounts.create(
        {"name": "Roth Industries", "phone": "+4930777888", "website": "https://roth.example"}
    )
    person: Any = {"name": user.name, "email": EMAIL, "phone": account.phone, "website": account.website}
    person["notes"] = ["works at Roth Industries"]
    crm.contacts.create(person)
    crm.leads.create({"name": "Otto", "company": "O", "phone": "+4930777999"})
    task = crm.activities.tasks.create({"title": f"{user.name} calls +4930777888 of Roth Industries, not {EMAIL}"})
    erase(crm)
    assert crm.activities.get(task.id).title == f"{user.name} calls +4930777888 of Roth Industries, not [erased]"
    left = crm.accounts.get(account.id)
    assert (left.name, left.phone, left.website) == (account.name, account.phone, account.website)
    assert crm.users.get("user_sam").name == user.name


def test_conversations_of_a_person_go_quiet(stub: StubServer, crm: CrmClient) -> None:
    id, lead = eva(crm), crm.leads.create({"name": "L", "email": EMAIL}).id
    for number, (contact_id, lead_id) in enumerate(((id, None), (None, lead), (None, "lead_123"))):
        put(stub, "conversation", f"x_{number}", contact_id=contact_id, lead_id=lead_id, contact_name="N", version=1)
        put(stub, "message", f"m_{number}", conversation_id=f"x_{number}", content="Hello", sender_name="N", version=1)
        put(stub, "message", f"e_{number}", conversation_id=f"x_{number}", content=None, version=1)
    empty = records(stub, "message").get("e_0")
    report = erase(crm)
    left = [
        (talk["contact_id"], talk["lead_id"], talk["contact_name"], message["content"], message["sender_name"])
        for talk, message in (
            (some(records(stub, "conversation").get(f"x_{n}")), some(records(stub, "message").get(f"m_{n}")))
            for n in range(3)
        )
    ]
    assert left == [(None, None, None, "[erased]", None)] * 2 + [(None, "lead_123", "N", "Hello", "N")]
    assert records(stub, "message").get("e_0") == empty
    assert (counts(report)["conversation"], counts(report)["message"]) == ((2, 0, 2), (2, 0, 2))


def test_requests_wait_for_each_other_and_name_their_reasons(stub: StubServer, crm: CrmClient) -> None:
    id = eva(crm)
    job = crm.privacy.export({"email": EMAIL})
    policy: Any = {"entity_type": "contact", "retain_days": 3650, "legal_hold": True, "filter_groups": []}
    (hold,) = crm.audit.retention_policies.update([policy])

    def wanted() -> Any:
        return refused(lambda: crm.privacy.erase({"email": EMAIL}, dry_run=False, confirm=EMAIL))

    assert (wanted().code, wanted().details) == ("PRIVACY_IN_PROGRESS", {"jobId": job.id})
    stored(stub, "job", job.id, status="running")
    assert wanted().code == "PRIVACY_IN_PROGRESS"
    stored(stub, "job", job.id, status="succeeded")
    held = wanted()
    assert (held.status, held.code, held.details["ids"]) == (409, "LEGAL_HOLD", [id])
    policy |= {"id": hold.id, "legal_hold": False}
    crm.audit.retention_policies.update([policy])
    report = erase(crm.with_options(reason=f"Art. 17 of {EMAIL}"), reason="by letter")
    assert crm.audit.logs.get(report.audit_id or "").reason == "Art. 17 of [erased] – by letter"
    done = crm.jobs.list(kind=["privacy_erase"], limit=1).items[0]
    assert report.due_at - some(done.created_at) == timedelta(days=30)


def test_who_comes_back_with_a_backup_is_erased_again(stub: StubServer, crm: CrmClient) -> None:
    id = eva(crm)
    whole = some(records(stub, "contact").get(id))
    call = system_call(stub, "tenant_acme", stub.clock.now(), "test")
    assert erase_again(call) == 0 and records(stub, "contact").get(id) == whole
    erase(crm)
    records(stub, "contact").put(whole)
    task = crm.activities.tasks.create({"title": f"Ask {EMAIL}"}).id
    with stub.store.transaction():
        assert erase_again(call) == 1
    assert records(stub, "contact").get(id, deleted=True) is None
    assert crm.activities.get(task).title == "Ask [erased]"
    assert refused(lambda: crm.contacts.create({"name": "E", "email": EMAIL})).code == "SUBJECT_ERASED", "still"
    assert erase_again(call) == 0
