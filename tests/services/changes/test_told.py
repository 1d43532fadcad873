"""What a change tells, member by member, and where a caller begins and ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from backing_up import found
from newcomers import signed_in
from refusals import refused

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.history.change_log import KIND


@pytest.fixture
def crm(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


def now(crm: CrmClient) -> str:
    return crm.changes.list(start="now", limit=0).cursor


def test_a_change_has_every_member(stub: StubServer, crm: CrmClient) -> None:
    cursor = now(crm)
    made = crm.contacts.create({"name": "Eva", "phone": "+4930111"})
    at = stub.clock.now()
    crm.contacts.update(made.id, {"phone": "+4930222"})
    crm.contacts.delete(made.id)
    other = crm.contacts.create({"name": "Ben"})
    items = crm.changes.list(cursor=cursor, fold=False, include=["changes"], entity_types=["contact"]).items
    assert [one.seq for one in items] == sorted({one.seq for one in items})
    created, updated, deleted, last = items
    assert [(one.change, one.event, one.version) for one in items] == [
        ("created", "contact.created", 1), ("updated", "contact.updated", 2), ("deleted", "contact.deleted", 3),
        ("created", "contact.created", 1),
    ]  # fmt: skip
    assert {one.actor for one in items} == {"apikey_acme_admin"} and created.occurred_at == at
    assert [(one.entity.type, one.entity.id, one.entity.name) for one in (created, deleted, last)] == [
        ("contact", made.id, None), ("contact", made.id, None), ("contact", other.id, "Ben"),
    ]  # fmt: skip
    assert (created.record, deleted.record, created.merged_into) == (None, None, None) and last.record is not None
    assert [(one.field, one.before, one.after) for one in updated.changes or ()] == [("phone", "+4930111", "+4930222")]
    assert updated.changed_fields == ["phone"]
    plain = crm.changes.list(cursor=cursor, fold=False, entity_types=["contact"]).items
    assert all(one.changes is None for one in plain)
    folded = crm.changes.list(cursor=cursor, entity_types=["contact"], include=["changes"]).items
    assert [(one.entity.id, one.change) for one in folded] == [(made.id, "deleted"), (other.id, "created")]
    assert "phone" in folded[0].changed_fields and folded[0].seq == deleted.seq


def test_a_page_and_its_end(stub: StubServer, crm: CrmClient) -> None:
    cursor = now(crm)
    ids = [crm.leads.create({"name": f"L{n}"}).id for n in range(3)]
    first = crm.changes.list(cursor=cursor, limit=1, entity_types=["lead"])
    assert ([one.entity.id for one in first.items], first.has_more) == ([ids[0]], True)
    rest = crm.changes.list(cursor=first.cursor, limit=200, entity_types=["lead"])
    assert ([one.entity.id for one in rest.items], rest.has_more) == (ids[1:], False)
    after = crm.changes.list(cursor=rest.cursor)
    assert (after.items, after.has_more, after.cursor) == ([], False, rest.cursor)
    nothing = crm.changes.list(cursor=cursor, limit=0)
    assert (nothing.items, nothing.cursor, nothing.has_more) == ([], cursor, True)
    assert first.oldest is not None and (stub.clock.now() - first.oldest).days == 90
    assert now(crm) == rest.cursor
    assert len(crm.changes.list(limit=200).items) > 0 and crm.changes.list(start="oldest", limit=1).items
    narrow = crm.changes.list(cursor=cursor, entity_types=["deal"])
    assert (narrow.items, narrow.has_more) == ([], False)
    named = crm.changes.list(cursor=cursor, entity_types=["lead"], fields=["name"]).items
    assert [one.record is not None for one in named] == [True] * 3
    wrong = refused(lambda: crm.changes.list(entity_types=["lead", "planet"]))
    assert [(one.field, one.rule) for one in wrong.fields] == [("entity_types.1", "choice")]
    unknown = refused(lambda: crm.changes.list(fields=["name", "planet"]))
    assert unknown.fields[0].field == "fields.1"
    assert [one.entity.type for one in crm.changes.list(cursor=cursor, entity_types=["lead"]).items] == ["lead"] * 3


def test_a_custom_object_is_named_by_its_name_or_id(crm: CrmClient) -> None:
    cursor, object = now(crm), crm.custom_objects.get("onboarding")
    made = crm.custom_objects.records.create("onboarding", {"fields": {"name": "O"}})
    for word in ("onboarding", object.id):
        items = crm.changes.list(cursor=cursor, entity_types=[word]).items
        assert [(one.entity.type, one.entity.id, one.change) for one in items] == [("onboarding", made.id, "created")]


def test_what_a_position_is_good_for(stub: StubServer, crm: CrmClient) -> None:
    may: Any = [{"resource": "contacts", "action": "read", "scope": "all"}]
    role = crm.security.roles.create({"key": "r1", "name": "R", "permissions": may})
    user, reader = signed_in(stub, crm, role.key)
    cursor = now(reader)
    assert reader.changes.list(cursor=cursor).items == []

    def reason(of: str = cursor) -> tuple[str, Any]:
        error = refused(lambda: reader.changes.list(cursor=of))
        return error.code, error.details.get("reason")

    for text in (
        "",
        "x",
        cursor + "0",
        cursor[:-1] + ("0" if cursor[-1] != "0" else "1"),
        now(crm).replace("e", "f", 1),
    ):
        assert reason(text)[0] in ("INVALID_CURSOR", "VALIDATION_ERROR"), text
    assert reason(now(crm)) == ("CURSOR_EXPIRED", "access"), "it is somebody else's"
    globex = stub.client(api_key="globex-admin", dialects="platform", max_retries=0)
    assert reason(now(globex))[0] == "INVALID_CURSOR"
    narrower: Any = {"permissions": [{**may[0], "scope": "own"}]}
    changes: list[Any] = [
        lambda: crm.security.roles.update(role.key, narrower),
        lambda: crm.users.teams.members.add("team_acme_sales", user.id),
        lambda: crm.security.roles.update(
            role.key, {"field_permissions": [{"entity": "contact", "field": "phone", "access": "hidden"}]}
        ),
        lambda: crm.users.roles.assign(user.id, "read_only"),
        lambda: crm.tenants.features.update("current", {"reports": False}),
    ]
    for change in changes:
        cursor = now(reader)
        reader.changes.list(cursor=cursor)
        change()
        assert reason(cursor) == ("CURSOR_EXPIRED", "access")
    held = now(crm)
    stub.restore(stub.snapshot())
    error = refused(lambda: crm.changes.list(cursor=held))
    assert (error.code, error.details["reason"]) == ("CURSOR_EXPIRED", "epoch") and error.details["oldest"]


def test_what_is_older_than_changes_are_kept_is_forgotten_and_no_more(stub: StubServer, crm: CrmClient) -> None:
    cursors = [now(crm)]
    leads = []
    for name in ("Old", "At the bound", "New"):
        leads.append(crm.leads.create({"name": name}).id)
        cursors.append(now(crm))
    log, times = (stub.store.collection("tenant_acme", kind) for kind in (KIND, "timetable"))
    due = stub.clock.now() + timedelta(seconds=5)
    times.put(Document(id="changes that are kept no longer", due_at=due, last_run=due))
    keep = timedelta(days=90)
    for id, at in zip(leads, (due - keep - timedelta(microseconds=1), due - keep), strict=False):
        for entry in log.find("record_id", id):
            log.put(entry | {"at": at})
    stub.clock.advance(5)
    assert [entry["record_id"] for entry in log.all() if entry["record_id"] in leads] == leads[1:]
    error = refused(lambda: crm.changes.list(cursor=cursors[0]))
    assert (error.code, error.details["reason"]) == ("CURSOR_EXPIRED", "too_old")
    assert [one.entity.id for one in crm.changes.list(cursor=cursors[2])] == leads[2:]


def test_of_figures_a_caller_sees_those_of_what_it_reads(stub: StubServer, crm: CrmClient) -> None:
    may: Any = [
        {"resource": "accounts", "action": "read", "scope": "all"},
        {"resource": "contacts", "action": "read", "scope": "own"},
    ]
    user, reader = signed_in(stub, crm, crm.security.roles.create({"key": "r2", "name": "R", "permissions": may}).key)
    account = crm.accounts.create({"name": "A"}).id
    whole, own = now(crm), now(reader)
    contact = crm.contacts.create({"name": "C", "account_id": account}).id

    def about(client: CrmClient, cursor: str) -> list[tuple[str, tuple[str, ...]]]:
        items = client.changes.list(cursor=cursor, entity_types=["account"]).items
        return [(one.change or "", tuple(one.changed_fields)) for one in items if one.entity.id == account]

    assert about(crm, whole) == [("updated", ("contact_count",))]
    assert all("contact_count" not in fields for _, fields in about(reader, own))
    cursor = now(reader)
    crm.contacts.update(contact, {"owner_id": user.id})
    mine = [(one.entity.id, one.change) for one in reader.changes.list(cursor=cursor).items]
    assert (contact, "access_gained") in mine and (account, "updated") in mine
    cursor = now(reader)
    crm.contacts.update(contact, {"owner_id": "user_ada"})
    lost = [one for one in reader.changes.list(cursor=cursor, include=["changes"]).items if one.entity.id == contact]
    assert [(one.change, one.record, one.changes, one.changed_fields, one.entity.name) for one in lost] == [
        ("access_lost", None, None, [], None)
    ]


def test_where_no_change_is_kept_only_the_last_position_leads_on(stub: StubServer) -> None:
    """In a company where nothing happens by itself."""
    crm = found(stub, "Still", plan=None).crm
    positions = []
    for name in "AB":
        crm.leads.create({"name": name})
        positions.append(now(crm))
    earlier, last = positions
    kept = stub.store.collection(crm.tenants.get("current").id, "change")
    for doc in kept.all():  # as when they are too old
        kept.remove(doc["id"])
    error = refused(lambda: crm.changes.list(cursor=earlier))
    assert (error.code, error.details["reason"]) == ("CURSOR_EXPIRED", "too_old")
    page = crm.changes.list(cursor=last)
    assert (page.items, page.has_more) == ([], False)
