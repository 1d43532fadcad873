"""The feed of changes: order, folding, positions, and what it says of records that come and go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from scoped_readers import somebody_scoped

from crm_sdk import ConflictError, CrmClient, ValidationError
from crm_sdk.models import Change
from server_stub import StubServer


@pytest.fixture
def crm(stub: StubServer) -> Iterator[CrmClient]:
    with stub.client(dialects="platform") as client:
        yield client


def now(crm: CrmClient) -> str:
    return crm.changes.list(start="now", limit=0).cursor


def of(changes: list[Change], id: str) -> list[Change]:
    return [one for one in changes if one.entity.id == id]


def test_every_write_is_a_change_with_a_number(crm: CrmClient) -> None:
    cursor = now(crm)
    made = crm.contacts.create({"name": "Eva"})
    crm.contacts.update(made.id, {"title": "CEO"})
    crm.contacts.delete(made.id)
    crm.objects.restore("contact", [made.id])
    found = of(list(crm.changes.list(cursor=cursor, fold=False, include=["changes"])), made.id)
    assert [(one.change, one.version) for one in found] == [
        ("created", 1),
        ("updated", 2),
        ("deleted", 3),
        ("restored", 4),
    ]
    assert [one.event for one in found] == [f"contact.{verb}" for verb in ("created", "updated", "deleted", "restored")]
    assert found[1].changed_fields == ["title"] and found[1].changes is not None
    assert (found[1].changes[0].before, found[1].changes[0].after) == (None, "CEO")
    numbers = [one.seq for one in crm.changes.list(cursor=cursor, fold=False)]
    assert numbers == sorted(set(numbers))
    (folded,) = of(list(crm.changes.list(cursor=cursor)), made.id)
    assert folded.change == "restored" and folded.record is not None and "title" in folded.changed_fields
    assert folded.changes is None, "nobody asked for the values"


def test_what_is_undone_leaves_no_change_and_no_number(crm: CrmClient) -> None:
    before = crm.changes.list().cursor
    with pytest.raises(ValidationError):
        crm.objects.upsert("contact", [{"external_id": "a", "name": "x"}, {"name": "x"}], atomic=True)
    assert crm.changes.list(cursor=before).items == [] and now(crm) == before


def test_consequences_are_changes_too(crm: CrmClient) -> None:
    deal = crm.deals.list(contact_id="contact_123").items[0]
    cursor = now(crm)
    crm.contacts.update("contact_123", {"name": "Alice Renamed"})
    (told,) = of(list(crm.changes.list(cursor=cursor, entity_types=["deal"])), deal.id)
    assert (told.change, told.version, told.changed_fields) == ("updated", deal.version, ["contact_name"])


def test_a_merge_is_told_of_both(crm: CrmClient) -> None:
    one, two = (crm.contacts.create({"name": "Twin", "email": f"t{n}@example.com"}) for n in range(2))
    cursor = now(crm)
    group: Any = {"survivor_id": one.id, "contact_ids": [one.id, two.id], "score": 100, "reasons": []}
    crm.contacts.deduplicate(mode="merge", groups=[group])
    found = list(crm.changes.list(cursor=cursor))
    assert [(change.change, change.merged_into) for change in of(found, two.id)] == [("merged", one.id)]
    assert [change.change for change in of(found, one.id)] == ["updated"]


def test_a_position_holds_for_one_company_and_one_state(stub: StubServer, crm: CrmClient) -> None:
    cursor, globex = now(crm), stub.client(api_key="globex-admin", dialects="platform")
    for client, text in ((globex, cursor), (crm, "e1.5.x"), (crm, cursor[:-1] + "x")):
        with pytest.raises(ValidationError) as wrong:
            client.changes.list(cursor=text)
        assert wrong.value.code == "INVALID_CURSOR"
    stub.restore(stub.snapshot())
    with pytest.raises(ConflictError) as raised:
        crm.changes.list(cursor=cursor)
    assert (raised.value.code, raised.value.details["reason"]) == ("CURSOR_EXPIRED", "epoch")


@pytest.mark.thorough
def test_a_position_is_kept_as_long_as_the_plan_says(stub: StubServer, crm: CrmClient) -> None:
    cursor = now(crm)
    crm.contacts.create({"name": "Old"})
    stub.clock.advance(timedelta(days=91).total_seconds())
    with pytest.raises(ConflictError) as raised:
        crm.changes.list(cursor=cursor)
    assert raised.value.details["reason"] == "too_old"
    assert all(one.occurred_at is not None for one in crm.changes.list())


def test_what_leaves_the_scope_is_lost_and_what_comes_into_it_gained(stub: StubServer, crm: CrmClient) -> None:
    scoped = somebody_scoped(stub)
    mine = crm.contacts.create({"name": "Mine", "owner_id": "user_sam"})
    cursor = now(scoped)
    foreign = crm.contacts.create({"name": "Foreign", "owner_id": "user_ada"})
    crm.contacts.update(mine.id, {"owner_id": "user_ada", "title": "secret"})
    page = scoped.changes.list(cursor=cursor, include=["changes"])
    (lost,) = of(page.items, mine.id)
    assert (lost.change, lost.record, lost.changed_fields, lost.changes) == ("access_lost", None, [], None)
    assert lost.entity.name is None and of(page.items, foreign.id) == []
    crm.contacts.update(mine.id, {"owner_id": "user_sam"})
    (gained,) = of(list(scoped.changes.list(cursor=page.cursor)), mine.id)
    assert gained.change == "access_gained" and gained.record is not None
    users = stub.store.collection("tenant_acme", "user")
    users.put(
        (users.get("user_sam") or {})
        | {"role": "sales", "roles": [{"id": "role_sales", "key": "sales", "name": "Sales"}]}
    )
    with pytest.raises(ConflictError) as raised:
        scoped.changes.list(cursor=cursor)
    assert raised.value.details["reason"] == "access"


def test_what_was_seen_and_is_lost_by_now_is_not_shown_in_an_earlier_change(stub: StubServer, crm: CrmClient) -> None:
    scoped = somebody_scoped(stub)
    mine = crm.contacts.create({"name": "Mine", "owner_id": "user_sam"})
    cursor = now(scoped)
    crm.contacts.update(mine.id, {"title": "CEO"})
    crm.contacts.update(mine.id, {"owner_id": "user_ada"})
    crm.contacts.update(mine.id, {"title": "secret"})
    for fold in (False, True):
        found = of(list(scoped.changes.list(cursor=cursor, fold=fold, include=["changes"])), mine.id)
        assert [(one.change, one.record) for one in found] == [("access_lost", None)]


def test_a_share_and_its_end_are_access_gained_and_lost(stub: StubServer, crm: CrmClient) -> None:
    scoped, foreign = somebody_scoped(stub), crm.contacts.create({"name": "Foreign", "owner_id": "user_ada"})
    cursor, own = now(scoped), now(crm)
    share = crm.collaboration.shares.create({
        "entity": {"type": "contact", "id": foreign.id}, "subject_type": "user", "subject_id": "user_sam",
    })  # fmt: skip
    page = scoped.changes.list(cursor=cursor)
    assert [one.change for one in of(page.items, foreign.id)] == ["access_gained"]
    crm.collaboration.shares.delete(share.id)
    assert [one.change for one in of(list(scoped.changes.list(cursor=page.cursor)), foreign.id)] == ["access_lost"]
    assert of(list(crm.changes.list(cursor=own, fold=False)), foreign.id) == [], "it is nothing to anybody else"
    stub.store.collection("tenant_acme", "contact").remove(foreign.id)
    assert of(list(scoped.changes.list(cursor=cursor, fold=False)), foreign.id) == [], "there is nothing to be seen"


def test_a_scan_goes_on_from_an_id_that_is_gone(crm: CrmClient) -> None:
    first = crm.objects.scan("lead", limit=10)
    crm.leads.delete(first.items[-1].id)
    rest = list(crm.objects.scan("lead", after=first.items[-1].id))
    assert len(rest) == first.total - 10
    graves = [
        one.entity.id
        for part in crm.objects.scan("lead", include_deleted=True, limit=50).parts()
        for one in part.deleted
    ]
    assert graves == [first.items[-1].id]
    with pytest.raises(ValidationError):
        crm.objects.scan("lead", after="contact_123")


def test_a_position_ends_with_a_team_whose_shares_reach_the_caller(stub: StubServer, crm: CrmClient) -> None:
    scoped, foreign = somebody_scoped(stub), crm.contacts.create({"name": "Foreign", "owner_id": "user_ada"})
    team = crm.users.teams.create({"name": "Reached"})
    crm.collaboration.shares.create({
        "entity": {"type": "contact", "id": foreign.id}, "subject_type": "team", "subject_id": team.id,
    })  # fmt: skip
    for change in (crm.users.teams.members.add, crm.users.teams.members.remove):
        cursor = now(scoped)
        change(team.id, "user_sam")
        with pytest.raises(ConflictError) as raised:
            scoped.changes.list(cursor=cursor)
        assert (raised.value.code, raised.value.details["reason"]) == ("CURSOR_EXPIRED", "access")


def test_a_fold_has_the_fields_of_the_whole_page_also_of_what_is_gone_since(crm: CrmClient) -> None:
    made = crm.contacts.create({"name": "Eva"})
    cursor = now(crm)
    crm.contacts.update(made.id, {"title": "CEO"})
    crm.contacts.update(made.id, {"department": "Board"})
    first = crm.changes.list(cursor=cursor, entity_types=["contact"], limit=2)
    crm.contacts.delete(made.id)
    again = crm.changes.list(cursor=cursor, entity_types=["contact"], limit=2)
    for page in (first, again):
        assert [(one.change, one.changed_fields) for one in of(page.items, made.id)] == [
            ("updated", ["title", "department"])
        ]
    (last,) = of(list(crm.changes.list(cursor=cursor)), made.id)
    assert (last.change, last.record) == ("deleted", None) and {"title", "department"} <= set(last.changed_fields)


def test_a_fold_is_in_the_order_of_the_last_changes(crm: CrmClient) -> None:
    one, two, three = (crm.contacts.create({"name": name}) for name in ("One", "Two", "Three"))
    cursor = now(crm)
    for made, title in ((one, "a"), (two, "b"), (three, "c"), (one, "d"), (two, "e")):
        crm.contacts.update(made.id, {"title": title})
    page = crm.changes.list(cursor=cursor, entity_types=["contact"], include=["changes"])
    assert [one.entity.id for one in page.items] == [three.id, one.id, two.id]
    assert [one.seq for one in page.items] == sorted(one.seq for one in page.items)
    values = [[(each.before, each.after) for each in one.changes or ()] for one in page.items]
    assert values == [[(None, "c")], [(None, "d")], [(None, "e")]], "the first before, the last after"


@pytest.mark.parametrize("entity_types", [None, ["contact"], ["contact", "lead"]])
def test_a_field_that_no_entity_has_is_refused(crm: CrmClient, entity_types: Any) -> None:
    with pytest.raises(ValidationError) as raised:
        crm.changes.list(fields=["name", "nonsense"], entity_types=entity_types)
    assert (raised.value.code, raised.value.fields[0].field) == ("UNKNOWN_FIELD", "fields.1")
    assert crm.changes.list(fields=["name", "lifecycle_stage"], entity_types=["contact", "lead"]).items == []


@pytest.mark.parametrize("values", [False, True])
@pytest.mark.parametrize("titles", [["CEO"], ["CEO", "CFO"], ["CEO", "CFO", "COO"]])
def test_a_fold_has_the_first_value_before_and_the_last_after(crm: CrmClient, titles: list[str], values: bool) -> None:
    made = crm.contacts.create({"name": "Eva", "title": "Clerk"})
    cursor = now(crm)
    for title in titles:
        crm.contacts.update(made.id, {"title": title})
    (one,) = of(list(crm.changes.list(cursor=cursor, include=["changes"] if values else None)), made.id)
    assert one.changed_fields == ["title"]
    told = None if one.changes is None else [(each.field, each.before, each.after) for each in one.changes]
    assert told == ([("title", "Clerk", titles[-1])] if values else None)


def test_of_several_entities_each_record_has_those_of_the_fields_that_it_has(crm: CrmClient) -> None:
    cursor = now(crm)
    contact, lead = crm.contacts.create({"name": "Eva"}), crm.leads.create({"name": "Ben", "campaign": "Fair"})
    asked: Any = {"cursor": cursor, "fields": "campaign,name,lifecycleStage", "entityTypes": "contact,lead"}
    told = crm.request("GET", "/v1/changes", query=asked).json()["data"]["items"]
    shown = {one["entity"]["id"]: one["record"] for one in told}
    assert set(shown[contact.id]) == {"id", "version", "name", "lifecycleStage"}
    assert set(shown[lead.id]) == {"id", "version", "name", "campaign"}


def test_a_scan_tells_what_became_of_the_records_that_are_gone(stub: StubServer, crm: CrmClient) -> None:
    early, one, two, late = (
        crm.contacts.create({"name": name, "owner_id": "user_sam"}).id for name in ("Early", "One", "Two", "Late")
    )
    group: Any = {"survivor_id": one, "contact_ids": [one, two], "score": 100, "reasons": []}
    crm.contacts.delete(early)
    crm.contacts.deduplicate(mode="merge", groups=[group])
    crm.contacts.delete(late)
    contacts = stub.store.collection("tenant_acme", "contact")
    moment = next(doc["deleted_at"] for doc in contacts.backwards() if doc["id"] == late)

    def graves(**given: Any) -> dict[str, tuple[str, str | None]]:
        parts = crm.objects.scan("contact", include_deleted=True, limit=200, **given).parts()
        return {gone.entity.id: (str(gone.change), gone.merged_into) for part in parts for gone in part.deleted}

    every = {early: ("deleted", None), two: ("merged", one), late: ("deleted", None)}
    assert graves() == graves(owner_id="user_sam") == every
    assert graves(owner_id="user_ada") == {}
    assert graves(updated_since=moment) == {late: every[late]}, "to the moment"
    assert graves(updated_since=moment + timedelta(milliseconds=1)) == {}


def test_each_version_of_a_record_is_one_change(crm: CrmClient) -> None:
    cursor = now(crm)
    deal = crm.deals.create({"title": "Turbine", "value": 5, "contact_id": "contact_123"})
    crm.deals.update(deal.id, {"value": 600})
    lead = crm.leads.create({"name": "Eva", "email": "eva@versions.example"})
    crm.leads.convert(lead.id)
    operations: Any = [
        {"action": "update", "entity": "contact", "id": "contact_123", "values": {"title": title}}
        for title in ("A", "B")
    ]
    first, second = (one.version for one in crm.objects.transaction(operations).results)
    told = list(crm.changes.list(cursor=cursor, fold=False, include=["changes"]))
    assert [(one.change, one.version) for one in of(told, deal.id)] == [("created", 1), ("updated", 2)]
    assert {"value", "weighted_value"} <= set(of(told, deal.id)[1].changed_fields)
    assert [(one.change, one.version) for one in of(told, lead.id)] == [("created", 1), ("updated", 2)]
    assert [one.changed_fields for one in of(told, "contact_123") if one.version in (first, second)] == [["title"]] * 2
