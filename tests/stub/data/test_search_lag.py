"""The fault `search_lag`: a search sees what was written only after so many seconds of the stub's clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crm_sdk import CrmClient
from crm_sdk.catalogue import declared_operations
from server_stub import StubServer

LAG = 10.0
SEARCHES: dict[str, Callable[[CrmClient], list[str | None]]] = {
    "list": lambda crm: [lead.name for lead in crm.leads.list(search="Zanzibar")],
    "contacts": lambda crm: [contact.name for contact in crm.contacts.list(search="Zanzibar")],
    "filters": lambda crm: [contact.name for contact in crm.contacts.search({"q": "Zanzibar"})],
    "everything": lambda crm: [contact.name for contact in crm.search.query("Zanzibar").contacts],
}


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_sees_writes_after_the_lag(stub: StubServer, name: str) -> None:
    crm, find = stub.client(), SEARCHES[name]
    noun: Any = crm.leads if name == "list" else crm.contacts
    stub.faults.add("search_lag", seconds=LAG)
    first = noun.create({"name": "Zanzibar one"})
    stub.clock.advance(LAG - 1)
    noun.create({"name": "Zanzibar two"})
    assert find(crm) == []
    assert noun.get(first.id).name == "Zanzibar one"  # what is asked for by id is there at once
    stub.clock.advance(1)
    assert find(crm) == ["Zanzibar one"]
    noun.update(first.id, {"name": "Timbuktu"})
    assert find(crm) == ["Zanzibar one"]
    stub.clock.advance(LAG)
    assert find(crm) == ["Zanzibar two"]


def test_what_was_there_before_the_fault_is_found_and_lists_without_words_are_up_to_date(stub: StubServer) -> None:
    crm = stub.client()
    old = crm.leads.create({"name": "Zanzibar old"})
    stub.faults.add("search_lag", seconds=LAG)
    new = crm.leads.create({"name": "Zanzibar new"})
    assert [lead.id for lead in crm.leads.list(search="zanzibar")] == [old.id]
    assert crm.leads.list(limit=1).items[0].id == new.id
    crm.leads.delete(old.id)
    assert [lead.id for lead in crm.leads.list(search="zanzibar")] == [old.id]


def test_the_fault_is_for_the_operations_it_names_and_ends(stub: StubServer) -> None:
    crm = stub.client()
    stub.faults.add("search_lag", seconds=LAG, operation="leads.list", times=1)
    lead, contact = crm.leads.create({"name": "Zanzibar"}), crm.contacts.create({"name": "Zanzibar"})
    assert [found.id for found in crm.contacts.list(search="zanzibar")] == [contact.id]
    assert crm.leads.list(search="zanzibar").items == []
    assert [found.id for found in crm.leads.list(search="zanzibar")] == [lead.id]
    assert stub.faults.pending == ()


def test_going_back_to_a_snapshot_forgets_what_was_noted(stub: StubServer) -> None:
    crm = stub.client()
    stub.faults.add("search_lag", seconds=LAG)
    before = stub.snapshot()
    crm.leads.create({"name": "Zanzibar"})
    stub.clock.advance(LAG)
    assert crm.leads.list(search="zanzibar").total == 1
    stub.restore(before)
    assert crm.leads.list(search="zanzibar").total == 0


def test_a_lag_needs_its_seconds(stub: StubServer) -> None:
    with pytest.raises(ValueError, match="search_lag needs the seconds"):
        stub.faults.add("search_lag")


@pytest.mark.parametrize(
    "operation",
    [each for each in declared_operations() if each.kind == "page" and "search" in each.signature.parameters],
    ids=lambda each: str(each.id),
)
def test_every_list_with_search_can_lag(stub: StubServer, operation: Any) -> None:
    crm = stub.client(dialects=next(name for name, route in operation.routes.items() if route.has("search")))
    stub.faults.add("search_lag", seconds=LAG, operation=operation.id, times=1)
    ids = {"account_id": "accounts", "pipeline_id": "pipelines", "contact_id": "contacts", "deal_id": "deals"}
    ids |= {"object_id": "custom_objects"}
    given = [
        getattr(stub.client(), ids[name]).list().items[0].id if name in ids else "contact"
        for name in operation.positional
    ]
    method = crm
    for part in operation.id.split("."):
        method = getattr(method, part)
    method(*given, search="a")  # type: ignore[operator] # an operation found by its name
    assert stub.faults.pending == ()
