"""Copies that lose nothing: seeded runs of writers, faults, merges, deletions, restores and lost access beside them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from typing import Any

import pytest
from scoped_readers import somebody_scoped

from crm_sdk import ApiError, CrmClient, CrmError
from crm_sdk.sync import MemoryStore, SqliteStore
from server_stub import StubServer

ENTITIES = ("contact", "lead", "account", "deal", "activity", "onboarding")
BY_THE_CLOCK = {"daysInStage", "isRotten", "isOverdue", "rottenSince", "state", "timeInStage"}
"""What depends on the time alone is no change in the feed."""
SAMPLE, MANY = range(4), range(4, 1_000)


@pytest.mark.thorough
@pytest.mark.parametrize("seed", [*SAMPLE, *(pytest.param(seed, marks=pytest.mark.slow) for seed in MANY)])
def test_a_copy_is_equal_whatever_happens_beside_it(seed: int) -> None:
    chance = random.Random(seed)
    stub = StubServer()
    writer = stub.client(dialects="platform", max_retries=4)
    reader = somebody_scoped(stub) if chance.random() < 0.5 else stub.client(dialects="platform", max_retries=4)
    with nullcontext(MemoryStore()) if chance.random() < 0.7 else SqliteStore(":memory:") as store:
        follow_while_others_write(chance, stub, writer, reader, store)
        for _ in reader.sync.changes(store, entities=ENTITIES, limit=7):
            pass
        for entity in ENTITIES:
            assert shown(store.records(entity)) == shown(present(reader, entity)), (seed, entity)


def follow_while_others_write(
    chance: random.Random, stub: StubServer, writer: CrmClient, reader: CrmClient, store: MemoryStore | SqliteStore
) -> None:
    kept: list[Any] = []
    for _ in range(chance.randint(4, 9)):
        for _ in range(chance.randint(1, 6)):
            write_something(chance, stub, writer)
        if chance.random() < 0.25:
            stub.faults.add("status", status=503, method="GET", times=chance.randint(1, 8))
        if chance.random() < 0.1:
            kept.append(stub.snapshot())
        elif kept and chance.random() < 0.1:
            stub.restore(kept.pop())
        read_a_while(chance, stub, writer, reader, store)
    stub.faults.clear()


def read_a_while(
    chance: random.Random, stub: StubServer, writer: CrmClient, reader: CrmClient, store: MemoryStore | SqliteStore
) -> None:
    """Follow the changes while others write, and stop somewhere, as a process that is killed does."""
    stop = chance.choice([1, 5, 60, 10_000])
    try:
        for number, _ in enumerate(reader.sync.changes(store, entities=ENTITIES, limit=chance.choice([3, 40, 200]))):
            if chance.random() < 0.02:
                write_something(chance, stub, writer)
            if number >= stop:
                return
    except CrmError:
        return  # a fault that no repetition overcame: the copy goes on where it was saved


def present(client: CrmClient, entity: str) -> dict[str, Mapping[str, Any]]:
    return {
        record.id: record.model_dump(mode="json", by_alias=True) for record in client.objects.scan(entity, limit=200)
    }


def shown(records: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        id: {name: value for name, value in record.items() if name not in BY_THE_CLOCK}
        for id, record in records.items()
    }


# -- writes ------------------------------------------------------------------------------------------------------------


def write_something(chance: random.Random, stub: StubServer, crm: CrmClient) -> None:
    with suppress(ApiError):  # not every write is possible at every moment
        chance.choice(WRITES)(chance, stub, crm)


def some(chance: random.Random, stub: StubServer, kind: str) -> str:
    return str(chance.choice(stub.store.collection("tenant_acme", kind).all()[-25:])["id"])


def create(chance: random.Random, stub: StubServer, crm: CrmClient) -> None:
    rows = [{"external_id": f"x-{chance.randint(0, 20)}", "name": f"N {n}"} for n in range(chance.randint(1, 4))]
    crm.objects.upsert(chance.choice(["contact", "lead", "account"]), rows)


def change(chance: random.Random, stub: StubServer, crm: CrmClient) -> None:
    kind = chance.choice(["contact", "lead"])
    crm.objects.upsert(kind, [{"id": some(chance, stub, kind), "title": str(chance.random())}], match_on="id")


def hand_over(chance: random.Random, stub: StubServer, crm: CrmClient) -> None:
    kind, owner = chance.choice(["contact", "lead", "deal", "account"]), some(chance, stub, "user")
    crm.objects.upsert(kind, [{"id": some(chance, stub, kind), "owner_id": owner}], match_on="id")


def delete(chance: random.Random, stub: StubServer, crm: CrmClient) -> None:
    kind = chance.choice(["contact", "lead", "deal", "activity"])
    crm.objects.transaction([{"action": "delete", "entity": kind, "id": some(chance, stub, kind)}])


def restore(chance: random.Random, stub: StubServer, crm: CrmClient) -> None:
    kind = chance.choice(["contact", "lead", "deal", "activity"])
    gone = crm.objects.deleted.list(kind, limit=5).items
    crm.objects.restore(kind, [one.id for one in gone[: chance.randint(1, 3)]])


def merge(chance: random.Random, stub: StubServer, crm: CrmClient) -> None:
    one, two = some(chance, stub, "contact"), some(chance, stub, "contact")
    group: Any = {"survivor_id": one, "contact_ids": [one, two], "score": 100, "reasons": []}
    crm.contacts.deduplicate(mode="merge", groups=[group])


def convert(chance: random.Random, stub: StubServer, crm: CrmClient) -> None:
    crm.leads.convert(some(chance, stub, "lead"))


def move(chance: random.Random, stub: StubServer, crm: CrmClient) -> None:
    crm.deals.update(some(chance, stub, "deal"), {"value": chance.randint(1, 10_000)})


def note(chance: random.Random, stub: StubServer, crm: CrmClient) -> None:
    crm.objects.upsert(
        "activity",
        [{"kind": "note", "external_id": f"n-{chance.randint(0, 9)}", "body": str(chance.random()),
          "contact_id": some(chance, stub, "contact")}],
    )  # fmt: skip


def together(chance: random.Random, stub: StubServer, crm: CrmClient) -> None:
    wrong: Any = {"action": "update", "entity": "contact", "id": "nobody", "values": {"title": "x"}}
    crm.objects.transaction([
        {"action": "create", "entity": "account", "ref": "it", "values": {"name": f"Co {chance.random()}"}},
        {"action": "create", "entity": "contact", "values": {"name": "Both", "account_id": "@it"}},
        *([wrong] if chance.random() < 0.3 else []),
    ])  # fmt: skip


def own_object(chance: random.Random, stub: StubServer, crm: CrmClient) -> None:
    record = some(chance, stub, "record")
    crm.custom_objects.records.update("onboarding", record, {"tags": [str(chance.randint(0, 9))]})


WRITES: list[Callable[[random.Random, StubServer, CrmClient], None]] = [
    create, change, change, hand_over, hand_over, delete, restore, merge, convert, move, note, together, own_object,
]  # fmt: skip
