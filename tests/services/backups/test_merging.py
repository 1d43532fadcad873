"""What a merge brings back of an archive, and what it takes for unchanged, changed, or somebody else's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from backing_up import Founded, found
from refusals import refused
from stub_data import some

from crm_sdk.models import RestoreResult
from server_stub import StubServer


def said(result: RestoreResult, *ids: str) -> dict[str, tuple[str, str | None]]:
    """Return the codes and fields of the conflicts of some records."""
    return {str(one.value): (one.code, one.field) for one in result.conflicts if one.value in ids}


def test_what_says_the_same_as_then_is_unchanged(acme: Founded, stub: StubServer) -> None:
    """A record that was changed back is, and one of which only what is computed differs; and no other."""
    contacts = stub.store.collection(acme.id, "contact")
    back, computed, edited, made_anew = (acme.crm.contacts.create({"name": name}).id for name in "abcd")
    made = acme.backup(include=["data"])
    acme.crm.contacts.update(back, {"title": "CTO"})
    acme.crm.contacts.update(back, {"title": None})
    contacts.put(some(contacts.get(computed)) | {"health_score": 3})
    acme.crm.contacts.update(edited, {"title": "CTO"})
    other = some(contacts.get(made_anew))
    contacts.put(other | {"created_at": other["created_at"] + timedelta(seconds=1)})
    result = acme.restore(made, "merge")
    ids = (back, computed, edited, made_anew)
    assert said(result, *ids) == {edited: ("CHANGED_SINCE", None), made_anew: ("CHANGED_SINCE", None)}
    assert (result.unchanged["contact"], result.restored.get("contact", 0)) == (2, 0)
    (conflict,) = (one for one in result.conflicts if one.value == edited)
    assert (conflict.message, conflict.row) == (f"{edited} was changed since, and stays as it is", None)


def test_what_comes_back_is_a_new_version_of_now(acme: Founded, stub: StubServer) -> None:
    lead = acme.crm.leads.create({"name": "Ada"})
    made = acme.backup(include=["data"])
    acme.crm.leads.update(lead.id, {"title": "CTO"})
    acme.crm.leads.delete(lead.id)
    stub.clock.advance(60)
    before = stub.clock.now()
    assert acme.restore(made, "merge").restored["lead"] == 1
    back = acme.crm.leads.get(lead.id)
    assert (back.title, back.version, back.created_at) == (None, 4, lead.created_at)
    assert back.updated_at is not None and back.updated_at >= before
    stub.store.collection(acme.id, "lead").remove(lead.id)
    assert acme.restore(made, "merge").restored["lead"] == 1
    again = acme.crm.leads.get(lead.id)
    assert (again.version, again.updated_at) == (lead.version, lead.updated_at), "nothing is left that it follows"


def test_who_was_merged_since_stays_so(acme: Founded) -> None:
    kept, gone = (acme.crm.contacts.create({"name": name}).id for name in ("Kept", "Gone"))
    made = acme.backup(include=["data"])
    acme.crm.contacts.deduplicate(mode="merge", groups=[{"survivor_id": kept, "contact_ids": [kept, gone]}])
    result = acme.restore(made, "merge")
    assert said(result, gone, kept) == {gone: ("RECORD_MERGED", None), kept: ("CHANGED_SINCE", None)}
    assert f"{gone} was merged into {kept} since" in [one.message for one in result.conflicts]
    assert acme.crm.contacts.get(gone).id == kept


def test_the_trail_of_an_archive_is_not_merged(acme: Founded, stub: StubServer) -> None:
    acme.crm.leads.create({"name": "Ada"})
    made = acme.backup(include=["data", "audit"])
    trail = stub.store.collection(acme.id, "audit")
    assert made.counts["audit"] > 0
    before = [entry["id"] for entry in trail]
    result = acme.restore(made, "merge")
    assert "audit" not in result.restored and "audit" not in result.unchanged
    now = [entry["id"] for entry in trail]
    assert now[: len(before)] == before and len(set(now)) == len(now)
    assert acme.crm.audit.logs.list(verify=True).meta["chainValid"] is True


def test_what_has_a_taken_value_stays_away_and_what_refers_to_it_lacks_it(acme: Founded, stub: StubServer) -> None:
    account = acme.crm.accounts.create({"name": "Initech", "domain": "initech.test"}).id
    contact = acme.crm.contacts.create({"name": "Ada", "account_id": account}).id
    made = acme.backup(include=["data"])
    acme.crm.contacts.delete(contact)
    acme.crm.accounts.delete(account)
    other = acme.crm.accounts.create({"name": "Other", "domain": "initech.test"}).id
    result = acme.restore(made, "merge")
    assert said(result, account) == {account: ("ACCOUNT_EXISTS", "domain")}
    assert acme.crm.contacts.get(contact).account_id in (None, other)
    assert refused(lambda: acme.crm.accounts.get(account)).code == "NOT_FOUND"


def test_the_stages_of_a_pipeline_stand_for_those_of_one_with_its_name(acme: Founded) -> None:
    stages: list[Any] = [
        {"name": "A", "key": "a", "kind": "open", "probability": 10},
        {"name": "B", "key": "b", "kind": "open", "probability": 20},
        {"name": "Won", "key": "w", "kind": "won"}, {"name": "Lost", "key": "l", "kind": "lost"},
    ]  # fmt: skip
    old = acme.crm.pipelines.create({"name": "Second", "stages": stages})
    deals = [acme.crm.deals.create({"title": key, "pipeline_id": old.id, "stage": key}).id for key in ("a", "b")]
    made = acme.backup()
    for deal in deals:
        acme.crm.deals.delete(deal)
    acme.crm.pipelines.delete(old.id)
    new = acme.crm.pipelines.create({"name": "Second", "stages": [stages[0], *stages[2:]]})
    result = acme.restore(made, "merge")
    assert said(result, old.id) == {old.id: ("PIPELINE_EXISTS", "name")}
    first = acme.crm.deals.get(deals[0])
    assert (first.pipeline_id, first.stage_id) == (new.id, new.stages[0].id)
    second = acme.crm.deals.get(deals[1])
    known = [stage.key for stage in acme.crm.pipelines.get(new.id).stages]
    assert second.pipeline_id == new.id and second.stage in known
    assert [pipeline.id for pipeline in acme.crm.pipelines.list() if pipeline.id == old.id] == []


def test_owners_that_nobody_knows_are_who_restores(acme: Founded, stub: StubServer) -> None:
    """Other users that nobody knows are left out, of lists too; those who are known stay."""
    mate = acme.crm.users.create({"email": "mate@hooli.test", "name": "Mate", "role": "sales"}).id
    lead = acme.crm.leads.create({"name": "Ada", "owner_id": mate}).id
    own = acme.crm.leads.create({"name": "Own"}).id
    content = acme.archive(acme.backup(include=["data"]))
    other = found(stub, "Umbrella")
    other.restore(other.take_over(content), "merge")
    assert [other.crm.leads.get(id).owner_id for id in (lead, own)] == [other.user_id] * 2
    elsewhere = found(StubServer(), "Aperture")
    whole = acme.archive(acme.backup(include=["data", "users"]))
    elsewhere.restore(elsewhere.take_over(whole), "merge")
    assert elsewhere.crm.leads.get(lead).owner_id == mate
    new = [elsewhere.crm.leads.create({"name": "New"}).id for _ in range(3)]
    assert not {lead, own} & {*new}, "what is made there gets no id of the archive"
    assert elsewhere.crm.leads.get(lead).name == "Ada"


def test_a_view_that_was_the_default_is_none_where_another_one_is_now(acme: Founded) -> None:
    def view(entity: str, name: str) -> str:
        body: Any = {"entity": entity, "kind": "list", "name": name, "columns": [{"field": "name"}], "is_default": True}
        return acme.crm.customization.layouts.create(body).id

    replaced, alone = view("lead", "Old"), view("contact", "Alone")
    made = acme.backup(include=["configuration"])
    for id in (replaced, alone):
        acme.crm.customization.layouts.delete(id)
    view("lead", "New")
    acme.restore(made, "merge")
    shown = [
        *acme.crm.customization.layouts.list(entity="lead"),
        *acme.crm.customization.layouts.list(entity="contact"),
    ]
    assert {one.id: one.is_default for one in shown if one.id in (replaced, alone)} == {replaced: False, alone: True}


def test_all_that_a_merge_brings_back_says_and_tells(acme: Founded, stub: StubServer) -> None:
    """Each record that can be restored says so by the events of its own kind; what is taken since stays away."""
    crm, at = acme.crm, "2026-02-01T09:00:00Z"
    lead = crm.leads.create({"name": "Lee"}).id
    account = crm.accounts.create({"name": "Acc"}).id
    contact = crm.contacts.create({"name": "Con", "account_id": account}).id
    deal = crm.deals.create({"title": "D", "contact_id": contact}).id
    sides: Any = {"from_address": {"email": "a@x.example"}, "to": [{"email": "b@x.example"}]}
    mail: Any = {"kind": "email", "subject": "M", "sent_at": at, "message_id": "<m@x.example>", **sides}
    given: list[Any] = [
        {"kind": "call", "title": "C", "contact_id": contact, "direction": "outbound"},
        {"kind": "task", "title": "T", "lead_id": lead},
        {"kind": "note", "title": "N", "body": "N", "deal_id": deal},
        {"kind": "event", "title": "E", "start_time": at, "end_time": "2026-02-01T10:00:00Z", "account_id": account},
        {**mail, "contact_id": contact},
    ]
    done = [crm.activities.create(one).id for one in given]
    were = [crm.activities.get(id) for id in done[:4]]
    made = acme.backup(include=["data"])
    for id in done:
        crm.activities.delete(id)
    for nouns, id in ((crm.deals, deal), (crm.leads, lead), (crm.contacts, contact), (crm.accounts, account)):
        nouns.delete(id)
    taking = crm.activities.create(mail).id
    before = len(stub.audit(acme.id))
    result = acme.restore(made, "merge")
    assert result.restored == {"account": 1, "contact": 1, "lead": 1, "deal": 1, "activity": 4}
    assert [one.model_dump(exclude={"message"}) for one in result.conflicts] == [
        {"row": None, "field": "message_id", "code": "EMAIL_EXISTS", "value": done[4]}
    ]
    told = [(one["action"], one["entity"]["id"]) for one in stub.audit(acme.id)[before:]]
    kinds = [one for kind in ("call", "task", "note", "event") for one in ("activity", kind)]
    restored = [(f"{kind}.restored", id) for kind, id in zip(kinds, [id for id in done[:4] for _ in "12"], strict=True)]
    ends = [("backup.restored", made.id), *told[-2:]]
    assert told == [
        ("account.restored", account), ("contact.restored", contact), ("lead.restored", lead), ("deal.restored", deal),
        *restored, *ends,
    ]  # fmt: skip
    assert [action for action, _ in told[-2:]] == ["job.completed", "notification.created"]
    stamps = {"version", "updated_at"}
    for before_it in were:
        now = crm.activities.get(before_it.id)
        assert now.model_dump(exclude=stamps) == before_it.model_dump(exclude=stamps) and now.version == 3
    assert crm.activities.get(taking).version == 1 and crm.contacts.get(contact).account_id == account


def test_no_more_come_back_than_the_plan_has_room_for(acme: Founded, stub: StubServer) -> None:
    ids = [acme.crm.contacts.create({"name": name}).id for name in "abc"]
    made = acme.backup(include=["data"])
    for id in ids:
        acme.crm.contacts.delete(id)
    tenants = stub.store.collection(acme.id, "tenant")
    tenant = some(tenants.first())
    tenants.put(tenant | {"limits": {**(tenant.get("limits") or {}), "contacts": 2}})
    result = acme.restore(made, "merge")
    assert said(result, *ids) == {ids[2]: ("LIMIT_EXCEEDED", None)} and result.restored == {"contact": 2}
    assert [one.id for one in acme.crm.contacts.list(sort="name", order="asc")] == ids[:2]


@pytest.mark.parametrize("mode", ["merge", "replace"])
def test_files_alone_come_with_their_contents_and_others_without(acme: Founded, mode: str) -> None:
    file = acme.crm.files.upload(("plan.txt", b"the very plan"))
    lead = acme.crm.leads.create({"name": "Ada"}).id
    content = acme.archive(acme.backup())
    for entities, has_file in ((["file"], True), (["lead"], False), (["lead", "file"], True)):
        there = found(StubServer(), "Aperture")
        made = there.take_over(content)
        result = there.restore(made, mode, entity_types=entities)
        assert result.conflicts == [] and result.restored.get("file", 0) == int(has_file)
        assert result.restored.get("lead", 0) == int("lead" in entities)
        if has_file:
            assert there.crm.files.download(file.id).read() == b"the very plan"
        else:
            assert "plan.txt" not in [one.name for one in there.crm.files.list()]
            assert there.crm.leads.get(lead).name == "Ada"


@pytest.mark.parametrize("mode", ["merge", "replace"])
def test_each_reference_that_leads_nowhere_counts_and_what_needs_one_stays_away(
    acme: Founded, stub: StubServer, mode: str
) -> None:
    crm = acme.crm
    one, gone = (crm.contacts.create({"name": name}).id for name in ("One", "Gone"))
    relation = crm.contacts.relationships.create(one, {"related_contact_id": gone, "type": "colleague"}).id
    files = [crm.files.upload((f"{number}.txt", b"x")).id for number in range(3)]
    note = crm.activities.notes.create({"body": "x", "contact_id": gone, "attachments": files}).id
    for kind, id in (("contact", gone), ("file", files[1])):
        stub.store.collection(acme.id, kind).remove(id)
    content = acme.archive(acme.backup(include=["data", "files"]))
    there = found(StubServer(), "Aperture")
    result = there.restore(there.take_over(content), mode)
    there.sign_in()
    assert result.missing_references == 3, "of the relation, of the note, and one of its files"
    assert said(result, relation) == {relation: ("REFERENCE_NOT_FOUND", None)}
    assert result.restored.get("relationship", 0) == 0 and there.crm.contacts.relationships.list(one).total == 0
    kept: Any = there.crm.activities.get(note)
    assert (kept.contact_id, kept.attachments) == (None, [files[0], files[2]])


def test_who_has_the_address_of_a_user_that_is_gone_stands_for_it(acme: Founded) -> None:
    before = acme.crm.users.create({"email": "own@hooli.test", "role": "sales", "name": "Before"}).id
    contact = acme.crm.contacts.create({"name": "Eva", "owner_id": before}).id
    made = acme.backup(include=["data", "users"])
    acme.crm.contacts.delete(contact)
    acme.crm.users.delete(before)
    now = acme.crm.users.create({"email": "own@hooli.test", "role": "sales", "name": "Now"}).id
    assert {one.code for one in acme.restore(made, "merge").conflicts if one.value == before} == {"USER_EXISTS"}
    assert acme.crm.contacts.get(contact).owner_id == now


def test_what_was_deleted_before_an_archive_was_made_can_be_restored_after_it_was_put_back(acme: Founded) -> None:
    ids = [acme.crm.contacts.create({"name": name}).id for name in "ABC"]
    acme.crm.contacts.delete(ids[1])
    made = acme.backup(include=["data"])
    acme.crm.contacts.update(ids[2], {"name": "D"})
    acme.restore(made, "replace")
    assert [one.id for one in acme.crm.objects.deleted.list("contact")] == [ids[1]]
    assert acme.crm.objects.restore("contact", [ids[1]]).succeeded == 1
