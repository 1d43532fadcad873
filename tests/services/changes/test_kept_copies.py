"""`client.sync` of both clients: what is told of a copy, and that it has what the server shows, whenever it goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest

from crm_sdk import CrmClient
from crm_sdk.sync import MemoryStore, SyncChange
from server_stub import StubServer

Follow = Callable[..., list[SyncChange]]


@pytest.fixture
def crm(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0)


@pytest.fixture
def follow(stub: StubServer, mode: str) -> Follow:
    """Return what brings a copy up to date, up to `most` changes, by the client of the mode."""

    def sync(store: Any, most: int = 10**6, **given: Any) -> list[SyncChange]:
        client = stub.client(dialects="platform", max_retries=0)
        return [change for _, change in zip(range(most), client.sync.changes(store, **given), strict=False)]

    def in_loop(store: Any, most: int = 10**6, **given: Any) -> list[SyncChange]:
        async def scene() -> list[SyncChange]:
            told: list[SyncChange] = []
            async with stub.async_client(dialects="platform", max_retries=0) as client:
                async for change in client.sync.changes(store, **given):
                    told.append(change)
                    if len(told) == most:
                        break
            return told

        return anyio.run(scene)

    return sync if mode == "sync" else in_loop


def kept(store: MemoryStore, entity: str) -> Iterator[tuple[str, int]]:
    return ((id, row.version) for (kind, id), row in sorted(store.rows.items()) if kind == entity)


def test_a_copy_is_scanned_once_and_then_told_what_becomes_of_its_records(crm: CrmClient, follow: Follow) -> None:
    store = MemoryStore()
    first = follow(store, entities=["contact", "lead"], limit=50)
    assert {(change.kind, change.is_gone) for change in first} == {("scanned", False)}
    ids = {change.id for change in first if change.entity == "contact"}
    assert ids == {contact.id for contact in crm.contacts.list()} and len(first) > len(ids) > 50
    assert follow(store, entities=["contact", "lead"]) == []
    made, other, third = (crm.contacts.create({"name": name}).id for name in ("Ann", "Bo", "Cy"))
    news = follow(store)
    assert [(change.kind, change.id) for change in news] == [("created", id) for id in (made, other, third)]
    changed = sorted(ids)[0]
    crm.contacts.update(changed, {"title": "Chief"})
    group: Any = {"survivor_id": made, "contact_ids": [made, other], "score": 100, "reasons": []}
    crm.contacts.deduplicate(mode="merge", groups=[group])
    crm.contacts.delete(third)
    crm.deals.create({"title": "None of these"})
    told = {change.id: change for change in follow(store) if change.entity == "contact"}
    assert (told[changed].kind, told[changed].changed_fields, told[changed].is_gone) == ("updated", ("title",), False)
    assert (told[changed].record or {})["title"] == "Chief"
    assert (told[other].kind, told[other].merged_into, told[other].is_gone) == ("merged", made, True)
    assert (told[third].kind, told[third].record, told[third].is_gone) == ("deleted", None, True)
    assert dict(kept(store, "contact")) == {contact.id: contact.version for contact in crm.contacts.list()}
    assert {entity for entity, _ in store.rows} == {"contact", "lead"}


def test_an_entity_that_is_named_later_is_scanned_then(crm: CrmClient, follow: Follow) -> None:
    store = MemoryStore()
    follow(store, entities=["lead"])
    more = follow(store, entities=["lead", "account"])
    assert {(change.kind, change.entity) for change in more} == {("scanned", "account")}
    assert {id for id, _ in kept(store, "account")} == {account.id for account in crm.accounts.list()}


def test_it_goes_on_where_it_was_left(crm: CrmClient, follow: Follow) -> None:
    """What a page brought is saved before any of it is told."""
    store = MemoryStore()
    begun = follow(store, most=3, entities=["contact"], limit=10)
    rest = follow(store, entities=["contact"], limit=10)
    ids = [change.id for change in rest]
    assert len(begun) == 3 and len(set(ids)) == len(ids)
    assert not {change.id for change in begun} & set(ids)
    assert {id for id, _ in kept(store, "contact")} == {contact.id for contact in crm.contacts.list()}


def test_a_live_copy_looks_again_every_so_many_seconds(stub: StubServer, crm: CrmClient, follow: Follow) -> None:
    store = MemoryStore()
    follow(store, entities=["lead"])
    begun = stub.clock.now()
    made = crm.leads.create({"name": "Later"}).id
    (first,) = follow(store, most=1, live=60.0)
    assert (first.id, first.kind) == (made, "created") and (stub.clock.now() - begun).total_seconds() < 60
