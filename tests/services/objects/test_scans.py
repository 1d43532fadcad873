"""Scans of the records of any entity, what is gone from them, and many records by their keys."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from newcomers import signed_in
from stub_data import some

from crm_sdk import ConflictError, CrmClient, PermissionDeniedError, ValidationError
from server_stub import StubServer


@pytest.fixture
def crm(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", strict=True)


def refused(call: Any) -> list[tuple[str | None, str | None]]:
    """Return the field and the rule, or the code, of what is wrong with a call."""
    with pytest.raises((ValidationError, ConflictError)) as raised:
        call()
    return [(one.field, one.rule or one.code) for one in raised.value.fields] or [(None, raised.value.code)]


def test_a_time_chooses_what_lives_and_what_is_gone_since(crm: CrmClient) -> None:
    ids = [crm.accounts.create({"name": f"A{n}"}).id for n in range(5)]
    crm.accounts.merge(ids[2], [ids[3]])
    crm.accounts.delete(ids[0])
    changed = some(crm.accounts.update(ids[1], {"name": "new"}).updated_at)
    whole = crm.objects.scan("account", include_deleted=True)
    gone = {one.entity.id: (one.change, one.merged_into) for one in whole.deleted if one.entity.id in ids}
    assert gone == {ids[0]: ("deleted", None), ids[3]: ("merged", ids[2])}
    assert {one.id for one in whole.items} & set(ids) == {ids[1], ids[2], ids[4]}
    deleted = some(next(one.deleted_at for one in whole.deleted if one.entity.id == ids[0]))
    small = timedelta(milliseconds=1)
    deal = crm.deals.create({"title": "Big"}).id
    lead = crm.leads.create({"name": "Ada", "title": "CEO"}).id
    crm.deals.delete(deal)
    crm.leads.delete(lead)
    left = [one for kind in ("deal", "lead") for one in crm.objects.scan(kind, include_deleted=True).deleted]
    assert {one.entity.id: one.entity.name for one in left if one.entity.id in (deal, lead)} == {
        deal: "Big", lead: "Ada",
    }  # fmt: skip
    moments: list[tuple[datetime, set[str], set[str]]] = [
        (deleted, {ids[1]}, {ids[0]}),
        (deleted + small, {ids[1]}, set()),
        (changed, {ids[1]}, set()),
        (changed + small, set(), set()),
    ]
    for moment, lives, dead in moments:
        page = crm.objects.scan("account", updated_since=moment, include_deleted=True)
        assert ({one.id for one in page.items}, {one.entity.id for one in page.deleted}) == (lives, dead)
        assert page.total == len(lives)
    assert crm.objects.scan("account", updated_since=deleted).deleted == []


def test_what_is_gone_is_called_by_its_name_or_its_title(crm: CrmClient) -> None:
    ids = crm.contacts.create({"name": "Eva Gone"}).id, crm.deals.create({"title": "Sums Gone"}).id
    crm.contacts.delete(ids[0])
    crm.deals.delete(ids[1])
    for entity, id, name in (("contact", ids[0], "Eva Gone"), ("deal", ids[1], "Sums Gone")):
        (gone,) = [one for one in crm.objects.scan(entity, include_deleted=True).deleted if one.entity.id == id]
        assert gone.entity.model_dump() == {"type": entity, "id": id, "name": name}
        assert (gone.change, gone.merged_into) == ("deleted", None)


def test_an_owner_chooses_what_lives_and_what_is_gone(crm: CrmClient) -> None:
    made = {
        (owner, state): crm.contacts.create({"name": "C", "owner_id": owner}).id
        for owner in ("user_sam", "user_ada") for state in ("lives", "gone")
    }  # fmt: skip
    for (_, state), id in made.items():
        if state == "gone":
            crm.contacts.delete(id)
    page = crm.objects.scan("contact", owner_id="user_sam", include_deleted=True, limit=200)
    assert {one.id for one in page.items} & set(made.values()) == {made["user_sam", "lives"]}
    assert {one.entity.id for one in page.deleted} & set(made.values()) == {made["user_sam", "gone"]}
    assert {getattr(one, "owner_id", None) for one in page.items} == {"user_sam"}


def test_what_is_gone_is_told_on_the_page_that_its_id_lies_in(crm: CrmClient) -> None:
    crm.custom_objects.create({"api_name": "vehicle", "label": "Vehicle", "plural_label": "Vehicles"})
    ids = sorted(crm.custom_objects.records.create("vehicle", {"fields": {"name": f"V{n}"}}).id for n in range(6))
    for id in (ids[1], ids[3], ids[5]):
        crm.custom_objects.records.delete("vehicle", id)
    lives, gone = [[ids[0]], [ids[2]], [ids[4]]], [[], [ids[1]], [ids[3], ids[5]]]
    after, cursors = None, set[str]()
    for place in range(3):
        page = crm.objects.scan("vehicle", after=after, include_deleted=True, limit=1)
        assert ([one.id for one in page.items], page.total) == (lives[place], 3)
        assert sorted(one.entity.id for one in page.deleted) == gone[place]
        after = page.next
        cursors.add(page.cursor)
    assert (after, len(cursors)) == (None, 1)
    assert [one.entity.id for one in crm.objects.scan("vehicle", after=ids[3], include_deleted=True).deleted] == ids[5:]


def test_a_scan_ends_with_its_last_record(crm: CrmClient) -> None:
    crm.custom_objects.create({"api_name": "vehicle", "label": "Vehicle", "plural_label": "Vehicles"})
    for limit in (1, 2, 3):
        page = crm.objects.scan("vehicle", limit=limit)
        assert (len(page.items), page.next, page.total) == (0, None, 0)
    ids = sorted(crm.custom_objects.records.create("vehicle", {"fields": {"name": f"V{n}"}}).id for n in range(2))
    first = crm.objects.scan("vehicle", limit=1)
    assert [one.id for one in first.items] == ids[:1] and first.next is not None
    second = crm.objects.scan("vehicle", limit=1, after=first.next)
    assert [one.id for one in second.items] == ids[1:] and (second.next, second.total) == (None, 2)
    assert second.cursor == first.cursor
    assert crm.objects.scan("vehicle", limit=2).next is None
    crm.custom_objects.records.delete("vehicle", ids[0])
    gone = crm.objects.scan("vehicle", include_deleted=True).deleted
    assert [(one.entity.type, one.entity.id, one.change) for one in gone] == [("vehicle", ids[0], "deleted")]
    assert ids[0] not in {one.entity.id for one in crm.objects.scan("onboarding", include_deleted=True).deleted}


def test_a_scan_goes_on_after_an_id_of_its_own_kind(crm: CrmClient) -> None:
    for after in ("deal_7", "account_7", "nothing"):
        assert refused(lambda after=after: crm.objects.scan("contact", after=after)) == [("after", "format")]
    assert crm.objects.scan("contact", after="contact_zzz").items == []
    here = crm.changes.list(start="now", limit=0).cursor
    assert crm.objects.scan("contact", after="contact_zzz").cursor == here
    page = crm.objects.scan("contact", limit=1)
    crm.contacts.create({"name": "Later"})
    assert crm.objects.scan("contact", after=page.next, limit=1).cursor == page.cursor == here
    assert refused(lambda: crm.objects.scan("contact", after="x~contact_1")) == [("cursor", "format")]


def test_who_was_purged_leaves_a_tombstone(crm: CrmClient) -> None:
    made = crm.contacts.create({"name": "Eva", "email": "eva@scan.example"})
    since = crm.configuration.environment().time
    crm.privacy.erase({"email": "eva@scan.example"}, dry_run=False, confirm="eva@scan.example").wait()
    for moment, expected in ((None, 1), (since, 1), (since + timedelta(days=1), 0)):
        page = crm.objects.scan("contact", include_deleted=True, updated_since=moment, limit=200)
        found = [one for one in page.deleted if one.entity.id == made.id]
        assert [(one.entity.type, one.entity.name, one.merged_into) for one in found] == [
            ("contact", None, None)
        ] * expected
        assert {one.change for one in found} <= {"purged", "erased"}
    assert made.id not in {one.entity.id for one in crm.objects.scan("lead", include_deleted=True).deleted}


def test_what_is_gone_is_told_to_who_saw_it(stub: StubServer, crm: CrmClient) -> None:
    may: Any = [{"resource": "contacts", "action": "read", "scope": "own"}]
    user, sam = signed_in(stub, crm, crm.security.roles.create({"key": "own", "name": "O", "permissions": may}).key)
    mine, theirs = (crm.contacts.create({"name": "C", "owner_id": owner}).id for owner in (user.id, "user_ada"))
    assert {mine, theirs} & {one.id for one in sam.objects.scan("contact")} == {mine}
    for id in (mine, theirs):
        crm.contacts.delete(id)
    page = sam.objects.scan("contact", include_deleted=True, limit=200)
    assert {mine, theirs} & {one.entity.id for one in page.deleted} == {mine}
    with pytest.raises(PermissionDeniedError):
        sam.objects.scan("lead")


# -- many by their keys ------------------------------------------------------------------------------------------------


def test_keys_are_answered_one_by_one(crm: CrmClient) -> None:
    ids = [crm.accounts.create({"name": f"L{n}", "external_id": f"x-{n}"}).id for n in range(3)]
    crm.accounts.merge(ids[0], [ids[1]])
    crm.accounts.delete(ids[2])
    found = crm.objects.batch_get("account", [ids[1], ids[2], "nobody", ids[0], "contact_123"])
    assert [(one.id, one.status, one.error.code if one.error else None) for one in found.items] == [
        (ids[1], "ok", None), (ids[2], "failed", "NOT_FOUND"), ("nobody", "failed", "NOT_FOUND"),
        (ids[0], "ok", None), ("contact_123", "failed", "NOT_FOUND"),
    ]  # fmt: skip
    assert [one.result.id for one in found.items if one.result is not None] == [ids[0], ids[0]]
    by_key = crm.objects.batch_get("account", ["x-0", "x-2"], match_on="external_id")
    assert [(one.id, one.status) for one in by_key.items] == [(ids[0], "ok"), (None, "failed")]
    assert (by_key.total, by_key.succeeded, by_key.failed) == (2, 1, 1)


def test_keys_that_cannot_be_read(crm: CrmClient) -> None:
    cases: list[tuple[Any, Any, Any]] = [
        ([], {}, [("keys", "min")]),
        (["a", 1, {}], {}, [("keys[1]", "type"), ("keys[2]", "type")]),
        (["a"], {"include": ["nothing"]}, [("include.0", "choice")]),
        (["a"], {"include": ["tags", "nothing"]}, [("include.1", "choice")]),
        (["a"], {"fields": ["name", "nothing"]}, [("fields.1", "choice")]),
    ]
    for keys, options, expected in cases:
        body = {"keys": keys, **options}
        reply = crm.request("POST", "/platform/v1/objects/contact/batch-get", json=body)
        assert reply.status == 422, keys
        found = [(one["field"], one["rule"] or one["code"]) for one in reply.json()["errors"]]
        assert found == expected, keys


def test_only_the_named_members_and_the_included_ones(crm: CrmClient) -> None:
    def members(**options: Any) -> set[str]:
        reply = crm.request("POST", "/platform/v1/objects/deal/batch-get", json={"keys": [deal.id], **options})
        return set(reply.json()["data"]["items"][0]["result"])

    deal = crm.deals.create({"title": "D"})
    whole = set(crm.request("GET", f"/platform/v1/deals/{deal.id}").json()["data"])
    assert members(fields=["title"]) == {"id", "version", "title"}
    assert members(fields=["title"], include=["activities"]) == {"id", "version", "title", "activities"}
    assert members(include=["activities"]) == whole
