"""Tables: an index that nobody asks is behind the writes, and has all of them when it is asked, in every fork."""

from __future__ import annotations

import random

import pytest

from server_stub.data.document import Document
from server_stub.data.indexes import Index
from server_stub.data.table import Table

MANY = 300
"""More writes than an index may be behind by."""


def write(table: Table, chance: random.Random) -> None:
    id = f"x{chance.randrange(40)}"
    if id in table.docs and chance.random() < 0.2:
        table.drop(id)
    else:
        deleted = 1 if chance.random() < 0.1 else None
        name, tags = chance.choice(["Ann Bo", "Bo Cy", "Dee"]), [chance.choice("pqrs") for _ in range(2)]
        table.set(Document(id=id, size=chance.randrange(4), tags=tags, name=name, deleted_at=deleted))


def check(table: Table) -> None:
    for field, values in (("size", range(4)), ("tags", "pqrs")):
        index = Index(field, exact=True)
        for doc in table.live():
            index.enter(doc)
        found = table.index(field, exact=True)
        assert [set(found.ids(value)) for value in values] == [set(index.ids(value)) for value in values]
    assert set(table.words(("name",)).ids("bo")) == {doc["id"] for doc in table.live() if "Bo" in doc["name"]}


@pytest.mark.parametrize("asked", [0.001, 0.02, 0.3], ids=["seldom", "now and then", "often"])
@pytest.mark.parametrize("seed", range(4))
def test_indexes_have_every_write_of_their_own_table_and_of_no_other(seed: int, asked: float) -> None:
    chance = random.Random(f"{seed} {asked}")
    tables = [Table()]
    for _ in range(4 * MANY):
        table = chance.choice(tables)
        if chance.random() < 0.01:
            table.is_shared = True
            tables = [*tables, table.fork()][-4:]
        elif not table.is_shared:
            write(table, chance)
        if chance.random() < asked:
            check(table)
    for table in tables:
        check(table)


def test_an_index_that_is_asked_again_is_the_same_one_and_one_that_nobody_asked_for_long_is_made_anew() -> None:
    table = Table()
    size, tags = table.index("size", exact=True), table.index("tags", exact=True)
    for number in range(2 * MANY):
        table.set(Document(id="x", size=number, tags=["p"]))
        if number % 7 == 0:
            assert table.index("size", exact=True).ids(number) == {"x"}
    assert table.index("size", exact=True) is size
    assert table.index("tags", exact=True) is not tags
    assert table.index("tags", exact=True).ids("p") == {"x"}


def test_a_shared_table_stays_as_it_is() -> None:
    table = Table()
    table.set(Document(id="x", size=1))
    before = table.index("size", exact=True)
    table.set(Document(id="y", size=1))
    table.is_shared = True
    fork = table.fork()
    fork.set(Document(id="z", size=1))
    assert fork.index("size", exact=True).ids(1) == {"x", "y", "z"}
    assert table.index("size", exact=True).ids(1) == {"x", "y"}
    assert before.ids(1) == {"x"}, "who had it before the table was shared may still read it"
