"""Who may bring a deleted record back, and what comes back with it where others have gone on meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from newcomers import signed_in
from stub_data import some, trail

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
