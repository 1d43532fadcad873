"""Who may bring a deleted record back, and what comes back with it where others have gone on meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from newcomers import signed_in
from stub_data import some, stored, trail

from crm_sdk import CrmClient, PermissionDeniedError
from crm_sdk.models import BulkResult
from server_stub import StubServer
from server_stub.data.document import Document


@pytest.fixture
def crm(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", strict=True)


def codes(result: BulkResult[Any]) -> list[str | None]:
    return [item.error.code if item.error is not None else None for item in result.items]


def buried(stub: StubServer, kind: str, id: str) -> Document:
    """Return a record as it is stored, deleted or not."""
    return some(stub.store.collection("tenant_acme", kind).get(id, deleted=True))


def test_who_may_delete_its_own_brings_back_its_own(stub: StubServer, crm: CrmClient) -> None:
    mine, theirs = (crm.contacts.create({"name": "C", "owner_id": owner}).id for owner in ("user_sam", "user_ada"))
    for id in (mine, theirs):
        crm.contacts.delete(id)
    sales = stub.client(api_key="acme-sales", dialects="platform")
    assert {one.id for one in sales.objects.deleted.list("contact")} == {mine}
    assert codes(sales.objects.restore("contact", [theirs, mine])) == ["FORBIDDEN", None]
    assert buried(stub, "contact", theirs)["deleted_at"] is not None
    assert crm.contacts.get(mine).owner_id == "user_sam"


def test_to_bring_back_is_to_create_as_well(stub: StubServer, crm: CrmClient) -> None:
    gone = crm.contacts.create({"name": "C"}).id
    crm.contacts.delete(gone)
    may: Any = [{"resource": "contacts", "action": action, "scope": "all"} for action in ("read", "delete")]
    keeper = signed_in(stub, crm, crm.security.roles.create({"key": "keeper", "name": "K", "permissions": may}).key)[1]
    with pytest.raises(PermissionDeniedError, match="may not create contacts"):
        keeper.objects.restore("contact", [gone])
    assert buried(stub, "contact", gone)["deleted_at"] is not None


@pytest.mark.parametrize("entity", ["contact", "workflow"])
def test_the_parts_of_a_record_come_back_within_its_own_event(stub: StubServer, crm: CrmClient, entity: str) -> None:
    if entity == "contact":
        id = crm.contacts.create({"name": "Eva"}).id
        crm.contacts.relationships.create(id, {"related_contact_id": "contact_123", "type": "colleague"})
        crm.contacts.delete(id)
    else:
        body: Any = {"name": "W", "entity_type": "deal", "triggers": [{"type": "record_created"}]}
        id = crm.workflows.create(body).id
        crm.workflows.delete(id)
    cursor, told = crm.changes.list(start="now", limit=0).cursor, len(trail(stub))
    crm.objects.restore(entity, [id])
    page = crm.changes.list(cursor=cursor, fold=False)
    assert [(one.change, one.event) for one in page.items if one.entity.id == id] == [
        ("restored", f"{entity}.restored")
    ]
    about = [entry["action"] for entry in stub.audit()[told:] if entry["entity"]["id"] == id]
    assert about == [f"{entity}.restored"]
    if entity == "contact":
        assert [one.related_contact_id for one in crm.contacts.relationships.list(id)] == ["contact_123"]
    else:
        assert len(crm.workflows.get(id).triggers) == 1


def test_figures_count_who_came_meanwhile(crm: CrmClient) -> None:
    account = crm.accounts.create({"name": "Initech"}).id
    first = crm.contacts.create({"name": "Peter", "account_id": account}).id
    crm.contacts.delete(first)
    crm.contacts.create({"name": "Milton", "account_id": account})
    assert crm.accounts.get(account).contact_count == 1
    crm.objects.restore("contact", [first])
    assert crm.accounts.get(account).contact_count == 2


def test_what_was_deleted_since_stays_so(stub: StubServer, crm: CrmClient) -> None:
    """A contact lost its account by a delete, and was deleted itself: the account comes back without it."""
    account = crm.accounts.create({"name": "Initech"}).id
    gone, lives = (crm.contacts.create({"name": name, "account_id": account}).id for name in ("Peter", "Milton"))
    crm.accounts.delete(account)
    crm.contacts.delete(gone)
    before, told = buried(stub, "contact", gone), len(trail(stub))
    assert codes(crm.objects.restore("account", [account])) == [None]
    assert buried(stub, "contact", gone) == before
    assert crm.contacts.get(lives).account_id == account
    about = [entry["entity"]["id"] for entry in stub.audit()[told:]]
    assert account in about and gone not in about


def test_a_plan_has_room_for_what_comes_back(stub: StubServer, crm: CrmClient) -> None:
    first, second = (crm.contacts.create({"name": name}).id for name in ("First", "Second"))
    file = crm.files.upload(b"12345", name="f.txt").id
    for id in (first, second):
        crm.contacts.delete(id)
    crm.files.delete(file)

    def blocked(entity: str) -> list[list[tuple[str, Any]]]:
        found = crm.objects.deleted.list(entity, sort="deleted_at")
        assert [one.restorable for one in found] == [not one.blocked_by for one in found]
        return [[(error.code, error.details) for error in one.blocked_by] for one in found]

    total = some(crm.contacts.list(limit=1).total)
    stored_bytes = next(one.used for one in crm.tenants.limits.get("current").limits if one.key == "storage_bytes")
    crm.tenants.limits.update("current", {"contacts": total + 1, "storage_bytes": stored_bytes + 5})
    assert (blocked("contact"), blocked("file")) == ([[], []], [[]])
    assert codes(crm.objects.restore("contact", [first, second])) == [None, "LIMIT_EXCEEDED"]
    full = ("LIMIT_EXCEEDED", {"key": "contacts", "limit": total + 1, "used": total + 1})
    assert blocked("contact") == [[full]]
    stored(stub, "tenant", "tenant_acme", limits={"storage_bytes": stored_bytes + 4})
    ((reason,),) = blocked("file")
    assert reason == ("LIMIT_EXCEEDED", {"key": "storage_bytes", "limit": stored_bytes + 4, "used": stored_bytes})
    assert codes(crm.objects.restore("file", [file])) == ["LIMIT_EXCEEDED"]
    stored(stub, "tenant", "tenant_acme", limits={})
    assert codes(crm.objects.restore("file", [file])) == [None]


def test_a_list_comes_back_without_what_is_gone_and_with_who_was_merged(crm: CrmClient) -> None:
    gone, stays = (crm.files.upload(b"1", name=f"{name}.txt").id for name in ("gone", "stays"))
    body: Any = {"kind": "note", "body": "x", "contact_id": "contact_123"}
    notes: list[str] = []
    for files in ([gone, stays], [stays], []):
        body["attachments"] = files
        notes.append(crm.activities.create(body).id)
    for note in notes:
        crm.activities.delete(note)
    crm.files.delete(gone)
    assert codes(crm.objects.restore("activity", notes)) == [None] * 3
    assert [crm.activities.get(note).attachments for note in notes] == [[stays], [stays], []]


def test_without_a_policy_that_holds_it_is_thirty_days(stub: StubServer, crm: CrmClient) -> None:
    gone = crm.contacts.create({"name": "C"}).id
    crm.contacts.delete(gone)

    def kept() -> int | None:
        (grave,) = (one for one in crm.objects.deleted.list("contact") if one.id == gone)
        return (grave.purge_at - some(grave.deleted_at)).days if grave.purge_at is not None else None

    (policy,) = [one for one in crm.audit.retention_policies.list() if one.entity_type == "deleted_records"]
    for enabled, days in ((True, 7), (False, 30)):
        changed: Any = {"id": policy.id, "entity_type": "deleted_records", "retain_days": 7, "enabled": enabled}
        crm.audit.retention_policies.update([changed])
        assert kept() == days
