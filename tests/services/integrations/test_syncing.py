"""Synchronisations: what they bring, what they refuse, who belongs together, and conflicts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sync_cases import ADA, BOB, Crm


def test_records_come_once_and_then_only_their_changes(crm: Crm) -> None:
    crm.map("name", "email", "phone")
    ada, _ = crm.remote.put("contact", ADA), crm.remote.put("contact", BOB)
    assert crm.counts() == {"total": 2, "created": 2}
    assert crm.contact(email=ADA["email"]).phone == "+49301234567", "in the form in which contacts have it"
    assert crm.counts() == {}, "nothing has changed"
    assert crm.counts(mode="full") == {"total": 2, "skipped": 2}
    crm.remote.put("contact", {"id": ada["id"], "name": "Ada King"})
    assert crm.counts() == {"total": 1, "updated": 1}
    assert crm.contact(name="Ada King").version == 2 and len(crm.client.contacts.list().items) == 2


def test_our_records_go_out_and_their_changes_as_well(crm: Crm) -> None:
    crm.map("name", "email")
    made = crm.client.contacts.create({"name": "Cleo", "email": "cleo@x.example"})
    assert crm.counts(direction="inbound") == {}
    assert crm.counts(direction="outbound") == {"total": 1, "created": 1}
    assert crm.theirs()["cleo@x.example"]["name"] == "Cleo"
    crm.client.contacts.update(made.id, {"name": "Cleo Two"})
    assert crm.counts(direction="inbound") == {"total": 1, "skipped": 1}, "this run may not write theirs"
    assert crm.theirs()["cleo@x.example"]["name"] == "Cleo"
    assert crm.counts() == {"total": 1, "updated": 1}
    assert crm.theirs()["cleo@x.example"]["name"] == "Cleo Two"
    assert crm.counts() == {} and crm.contact(name="Cleo Two").version == 2


def test_who_is_known_by_a_key_is_linked_and_nobody_is_made_twice(crm: Crm) -> None:
    crm.map("name", "email")
    ours = crm.client.contacts.create(BOB)
    theirs = crm.remote.put("contact", BOB | {"email": "BOB@x.example"})
    assert crm.counts() == {"total": 1, "skipped": 1}
    assert len(crm.client.contacts.list().items) == len(crm.remote.all("contact")) == 1
    crm.remote.put("contact", {"id": theirs["id"], "name": "Robert"})
    assert crm.counts() == {"total": 1, "updated": 1} and crm.client.contacts.get(ours.id).name == "Robert"
    twin = crm.remote.put("contact", BOB)
    run = crm.sync()
    assert [(e.code, e.field, e.value) for e in run.errors] == [("DUPLICATE_VALUE", "email", twin["id"])]


def test_on_the_way_out_who_is_known_there_is_changed_and_not_made_twice(crm: Crm) -> None:
    crm.map("name", "email", direction="outbound")
    crm.remote.put("contact", BOB | {"name": "Robert"})
    crm.later()
    bob = crm.client.contacts.create(BOB)
    assert crm.counts() == {"total": 1, "updated": 1}
    assert [record["name"] for record in crm.remote.all("contact")] == ["Bob"]
    ids = sorted(crm.remote.put("contact", ADA)["id"] for _ in range(2))
    ada = crm.client.contacts.create(ADA)
    run = crm.sync()
    assert [(one.code, one.field, one.message, one.value) for one in run.errors] == [
        ("AMBIGUOUS_MATCH", "email", f"{', '.join(ids)} of the other system have the email 'ada@x.example'", ada.id)
    ]
    crm.remote.put("contact", {"id": ids[0], "email": "other@x.example"})
    assert crm.counts() == {"total": 1, "skipped": 1}, "the values are the same"
    links = crm.stub.store.collection("tenant_acme", "sync_link").find("integration_id", crm.id)
    assert {(link["local_id"], link["remote_id"]) for link in links} >= {(ada.id, ids[1])}
    assert {link["local_id"] for link in links} == {ada.id, bob.id}


def test_a_link_follows_its_record_into_the_one_it_is_merged_with(crm: Crm) -> None:
    crm.map("name", "email", "title", direction="inbound")
    theirs = crm.remote.put("contact", {**BOB, "title": "Old"})
    crm.counts()
    bob = crm.contact(name="Bob")
    ada = crm.client.contacts.create({"name": "Ada", "email": "ada@x.example", "title": "Old"})
    crm.client.contacts.deduplicate(mode="merge", groups=[{"survivor_id": ada.id, "contact_ids": [ada.id, bob.id]}])
    crm.later()
    crm.remote.put("contact", {"id": theirs["id"], "title": "New"})
    assert crm.counts() == {"total": 1, "updated": 1}
    assert crm.client.contacts.get(ada.id).title == "New"
    (link,) = crm.stub.store.collection("tenant_acme", "sync_link").find("integration_id", crm.id)
    assert (link["local_id"], link["remote_id"]) == (ada.id, theirs["id"])
    assert sorted(link["base"]) == ["email>email", "name>name", "title>title"]


def test_several_leads_with_a_key_are_ambiguous(crm: Crm) -> None:
    crm.map("name", "email", entity_type="lead")
    for _ in range(2):
        crm.client.leads.create(BOB)
    crm.remote.put("contact", BOB)
    run = crm.sync(direction="inbound")
    assert run.counts is not None and run.counts.failed == 1 and [e.code for e in run.errors] == ["AMBIGUOUS_MATCH"]


def test_deals_and_accounts_have_counterparts_too(crm: Crm) -> None:
    crm.map("name>title", "amount>value", entity_type="deal")
    crm.map("name", "phone", entity_type="account")
    crm.remote.put("deal", {"name": "Engine", "amount": Decimal("12.50")})
    crm.remote.put("company", {"name": "Analytical"})
    account = crm.client.accounts.create({"name": "Analytical", "phone": "+49301234567"})
    assert crm.counts() == {"total": 2, "created": 1, "updated": 1}
    (deal,) = crm.client.deals.list().items
    assert (deal.title, deal.value) == ("Engine", Decimal("12.5"))
    assert crm.remote.all("company")[0]["phone"] == "+49301234567" and account.phone is not None
    crm.client.deals.update(deal.id, {"value": 99})
    assert crm.counts(entity_types=["account"]) == {}
    assert crm.counts() == {"total": 1, "updated": 1}
    assert crm.remote.all("deal")[0]["amount"] == 99


def test_a_value_as_a_text_is_read_as_the_member_has_it(crm: Crm) -> None:
    crm.map("name>title", entity_type="deal")
    crm.map("amount>value", entity_type="deal", default="100")
    made = crm.remote.put("deal", {"name": "Engine", "amount": "12"})
    crm.remote.put("deal", {"name": "Mill"})
    assert crm.counts() == {"total": 2, "created": 2}
    crm.remote.put("deal", {"id": made["id"], "amount": None})
    assert crm.counts(mode="full") == {"total": 2, "updated": 1, "skipped": 1}
    assert {deal.title: deal.value for deal in crm.client.deals.list(limit=2)} == {"Engine": 100, "Mill": 100}
    crm.remote.put("deal", {"id": made["id"], "amount": "much"})
    assert [(error.field, error.code) for error in crm.sync().errors] == [("value", "VALIDATION_ERROR")]


def test_a_record_that_cannot_be_taken_holds_up_no_other(crm: Crm) -> None:
    crm.map("email", "name")
    crm.map("title", required=True)
    bad = [
        crm.remote.put("contact", {"name": "Nobody", "email": "no address", "title": "x"}),
        crm.remote.put("contact", {"email": "nameless@x.example", "title": "x"}),
        crm.remote.put("contact", {"name": "Untitled", "email": "u@x.example"}),
    ]
    crm.remote.put("contact", {**ADA, "title": "CTO"})
    run = crm.sync()
    assert run.status == "succeeded" and run.counts is not None
    assert (run.counts.created, run.counts.failed, run.counts.succeeded) == (1, 3, 1)
    assert [(e.row, e.field, e.value) for e in run.errors] == [
        (1, "email", bad[0]["id"]), (2, "name", bad[1]["id"]), (3, "title", bad[2]["id"]),
    ]  # fmt: skip
    crm.remote.put("contact", {"id": bad[0]["id"], "email": "now@x.example"})
    assert crm.counts() == {"total": 3, "created": 1, "failed": 2}


def test_what_was_deleted_or_merged_here_is_not_made_anew(crm: Crm) -> None:
    crm.map("name", "email")
    for person in (ADA, BOB):
        crm.remote.put("contact", {name: person[name] for name in ("name", "email")})
    crm.counts()
    ada, bob = (crm.contact(name=name) for name in ("Ada", "Bob"))
    crm.client.contacts.deduplicate(mode="merge", groups=[{"survivor_id": ada.id, "contact_ids": [ada.id, bob.id]}])
    crm.remote.put("contact", {"id": crm.theirs()[BOB["email"]]["id"], "name": "Bobby"})
    assert crm.counts()["total"] >= 1 and len(crm.client.contacts.list().items) == 1
    crm.client.contacts.delete(ada.id)
    assert "created" not in crm.counts(mode="full")
    assert crm.client.contacts.list().items == [] and len(crm.remote.all("contact")) == 2


def _diverged(crm: Crm, *, ours_last: bool) -> tuple[str, str]:
    """Let both sides change the title of a contact; return its id here and there."""
    theirs = crm.remote.put("contact", {**BOB, "title": "Old"})
    crm.counts()
    id = crm.contact(name="Bob").id
    for step in ("ours", "theirs") if not ours_last else ("theirs", "ours"):
        crm.later()
        if step == "ours":
            crm.client.contacts.update(id, {"title": "Ours"})
        else:
            crm.remote.put("contact", {"id": theirs["id"], "title": "Theirs"})
    crm.later()
    crm.client.contacts.update(id, {"company": "what else is changed does not count"})
    return id, theirs["id"]


@pytest.mark.parametrize(
    ("policy", "of_mapping", "ours_last", "kept", "resolution"),
    [
        ("newest_wins", None, True, "Ours", "local"),
        ("newest_wins", None, False, "Theirs", "remote"),
        ("local_wins", None, False, "Ours", "local"),
        ("remote_wins", None, True, "Theirs", "remote"),
    ],
)
def test_a_field_changed_on_both_sides_is_a_conflict(
    crm: Crm, policy: str, of_mapping: str | None, ours_last: bool, kept: str | None, resolution: str
) -> None:
    _settle(crm, policy, of_mapping, ours_last, kept, resolution)


@pytest.mark.parametrize(
    ("of_mapping", "kept", "resolution"), [(None, None, "unresolved"), ("remote_wins", "Theirs", "remote")]
)
def test_a_conflict_that_nobody_decides_stays_unless_its_mapping_decides(
    crm: Crm, of_mapping: str | None, kept: str | None, resolution: str
) -> None:
    _settle(crm, "manual", of_mapping, True, kept, resolution)


def _settle(crm: Crm, policy: str, of_mapping: str | None, ours_last: bool, kept: str | None, resolution: str) -> None:
    """Let both sides change a field, and see whose value a policy keeps."""
    crm.client.integrations.update(crm.id, {"conflict_resolution": policy})
    crm.map("name", "email")
    crm.map("title", conflict_resolution=of_mapping)
    id, remote_id = _diverged(crm, ours_last=ours_last)
    run = crm.sync()
    (conflict,) = run.conflicts
    assert (conflict.field, conflict.local, conflict.remote) == ("title", "Ours", "Theirs")
    assert (conflict.resolution, conflict.entity.id) == (resolution, id)
    assert (conflict.entity.type, conflict.entity.name) == ("contact", crm.client.contacts.get(id).name)
    assert conflict.local_changed_at is not None and conflict.remote_changed_at is not None
    assert (conflict.local_changed_at > conflict.remote_changed_at) is ours_last
    record = crm.remote.get("contact", remote_id)
    assert record is not None
    assert (crm.client.contacts.get(id).title, record["title"]) == ((kept, kept) if kept else ("Ours", "Theirs"))
    reason = crm.entry("contact.updated")["reason"]
    assert reason == ("conflict with Partner: theirs was kept for title" if resolution == "remote" else None)
    (told,) = crm.entry("integration.sync_completed")["metadata"]["conflicts"]
    assert (told["field"], told["resolution"]) == ("title", resolution)
    status = crm.client.integrations.sync.status(crm.id)
    assert status.pending_conflicts == (0 if kept else 1)
    if kept:
        assert crm.counts() == {}
        return
    assert crm.sync().conflicts[0].resolution == "unresolved", "it stays until somebody decides"
    crm.client.contacts.update(id, {"title": "Theirs"})
    assert crm.sync().conflicts == []
    assert crm.client.integrations.sync.status(crm.id).pending_conflicts == 0


def test_what_only_one_side_has_is_no_conflict(crm: Crm) -> None:
    crm.map("name", "email", "title", "company")
    ours: Any = {**BOB, "title": "CTO"}
    crm.client.contacts.create(ours)
    crm.remote.put("contact", {**BOB, "company": "Analytical"})
    run = crm.sync()
    assert run.conflicts == []
    assert crm.contact(title="CTO").company == "Analytical" and crm.theirs()[BOB["email"]]["title"] == "CTO"


@pytest.mark.parametrize("direction", ["inbound", "outbound"])
def test_a_mapping_writes_the_side_it_is_for(crm: Crm, direction: str) -> None:
    crm.map("name", "email")
    crm.map("title", direction=direction)
    id, remote_id = _diverged(crm, ours_last=True)
    crm.sync(mode="full")
    ours, theirs = crm.client.contacts.get(id).title, crm.remote.get("contact", remote_id)
    assert theirs is not None
    assert (ours, theirs["title"]) == (("Ours", "Theirs") if direction == "inbound" else ("Ours", "Ours"))
    crm.remote.put("contact", {"id": remote_id, "title": "Newer"})
    crm.counts()
    assert crm.client.contacts.get(id).title == ("Newer" if direction == "inbound" else "Ours")


def test_a_value_that_is_cleared_is_cleared_on_the_other_side(crm: Crm) -> None:
    crm.map("name", "email", "title", "company")
    theirs = crm.remote.put("contact", {**BOB, "title": "CTO", "company": "Analytical"})
    crm.counts()
    crm.remote.put("contact", {"id": theirs["id"], "title": None})
    crm.client.contacts.update(crm.contact(name="Bob").id, {"company": None})
    assert crm.counts() == {"total": 1, "updated": 1}
    record = crm.remote.get("contact", theirs["id"])
    assert record is not None and record["company"] is None and crm.contact(name="Bob").title is None


def test_what_is_gone_when_its_turn_comes_does_not_count(crm: Crm) -> None:
    crm.map("name", "email")
    theirs = [crm.remote.put("contact", {"name": f"N{n}", "email": f"n{n}@x.example"}) for n in range(52)]
    ours = crm.client.contacts.create({"name": "Cleo", "email": "cleo@x.example"})
    run = crm.client.integrations.sync.start(crm.id)
    crm.stub.clock.advance(0.2)
    crm.remote.remove("contact", theirs[-1]["id"])
    crm.client.contacts.delete(ours.id)
    counts = crm.ended(run.id).counts
    assert counts is not None
    assert (counts.total, counts.processed, counts.created, counts.skipped, counts.failed) == (51, 51, 51, 0, 0)
    assert "cleo@x.example" not in crm.theirs()


def test_a_record_without_a_value_to_give_is_not_made_there(crm: Crm) -> None:
    crm.map("title", direction="outbound")
    made = crm.client.contacts.create({"name": "Cleo", "email": "cleo@x.example"})
    assert crm.counts() == {"total": 1, "skipped": 1}
    assert crm.remote.all("contact") == []
    crm.client.contacts.update(made.id, {"title": "CTO"})
    assert crm.counts() == {"total": 1, "created": 1}
    assert [record["title"] for record in crm.remote.all("contact")] == ["CTO"]
