"""What becomes of records of the CRM that link a deleted one by a reference field of their own: `on_delete`."""

from __future__ import annotations

from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient, NotFoundError
from server_stub import StubServer
from server_stub.services.custom_objects.definitions import CORE

NEW: dict[str, Any] = {
    "contact": ("contacts", {"name": "Ada"}),
    "lead": ("leads", {"name": "Ada"}),
    "account": ("accounts", {"name": "Looms"}),
    "deal": ("deals", {"title": "Looms", "value": 1}),
    "activity": ("activities.tasks", {"title": "Call"}),
    "territory": ("configuration.territories", {"name": "North"}),
}
TARGETS = ("contact", "lead", "account", "deal", "user", "bay")
ON_DELETE = ("restrict", "set_null", "cascade")


@pytest.fixture
def crm(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0)


def part(crm: CrmClient, kind: str) -> Any:
    """Return the part of the client for a kind of records."""
    found: Any = crm
    for name in NEW[kind][0].split("."):
        found = getattr(found, name)
    return found


def target(crm: CrmClient, kind: str) -> tuple[str, Any]:
    """Make a record that can be linked; return its id and what deletes it."""
    if kind == "bay":
        crm.custom_objects.create({"api_name": "bay", "label": "Bay", "plural_label": "Bays"})
        made: Any = crm.custom_objects.records.create("bay", {"fields": {"name": "North"}})
        return made.id, lambda: crm.custom_objects.records.delete("bay", made.id)
    if kind == "user":
        user = crm.users.create({"email": "kim@acme.test", "name": "Kim", "password": "Correct-Horse-7!"})
        return user.id, lambda: crm.users.delete(user.id)
    record = part(crm, kind).create(NEW[kind][1])
    return record.id, lambda: part(crm, kind).delete(record.id)


def linking(crm: CrmClient, entity: str, to: str, id: str, on_delete: str) -> Any:
    """Define a reference field of a kind of records, and make a record that links another by it."""
    field: Any = {"api_name": "link", "label": "Link", "type": "reference", "reference_to": to, "on_delete": on_delete}
    crm.customization.fields.create(entity, field)
    body = {**NEW[entity][1], "custom_fields": {"link": id}}
    if entity == "territory":
        body["name"] = "South"
    return part(crm, entity).create(body)


def now(crm: CrmClient, entity: str, id: str) -> Any:
    if entity == "activity":
        return crm.activities.get(id)
    return part(crm, entity).get(id)


@pytest.mark.parametrize("on_delete", ON_DELETE)
@pytest.mark.parametrize(("entity", "to"), [*((entity, "deal") for entity in CORE), *(("lead", to) for to in TARGETS)])
def test_what_is_deleted_is_held_let_go_or_taken_along(
    stub: StubServer, crm: CrmClient, entity: str, to: str, on_delete: str
) -> None:
    id, delete = target(crm, to)
    made = linking(crm, entity, to, id, on_delete)
    count = len(stub.audit())
    if on_delete == "restrict":
        error = refused(delete)
        assert (error.status, error.code, error.details["recordIds"]) == (409, "RECORD_REFERENCED", [made.id])
        assert now(crm, entity, made.id).custom_fields == {"link": id} and len(stub.audit()) == count
    elif on_delete == "set_null":
        delete()
        after = now(crm, entity, made.id)
        assert after.custom_fields == {} and after.version == made.version + 1
    else:
        delete()
        with pytest.raises(NotFoundError):
            now(crm, entity, made.id)
    if on_delete != "restrict":
        told = {
            entry["action"].rpartition(".")[2] for entry in stub.audit()[count:] if entry["entity"]["id"] == made.id
        }
        assert told == {"updated" if on_delete == "set_null" else "deleted"}


def test_a_record_that_cannot_be_deleted_holds_what_it_links(crm: CrmClient) -> None:
    id, delete = target(crm, "contact")
    made = linking(crm, "account", "contact", id, "cascade")
    crm.accounts.create({"name": "Below", "parent_id": made.id})
    assert refused(delete).code == "RECORD_REFERENCED"
    assert crm.contacts.get(id).id == id and crm.accounts.get(made.id).custom_fields == {"link": id}


def test_the_survivor_of_a_merge_is_linked(crm: CrmClient) -> None:
    one, two = (crm.accounts.create({"name": name}) for name in ("One", "Two"))
    made = linking(crm, "lead", "account", two.id, "restrict")
    crm.accounts.merge(one.id, [two.id])
    assert crm.leads.get(made.id).custom_fields == {"link": one.id}
