"""The store does what a naive one does, in whatever order it is written to, set back and searched."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from copy import deepcopy
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule
from portions import portion

from server_stub.data import order as order_module
from server_stub.data import table as table_module
from server_stub.data.collection import Collection
from server_stub.data.order import Range
from server_stub.data.queries import select as select_module
from server_stub.data.queries.select import select
from server_stub.data.store import Store, StoreSnapshot

PLACES = [("a", "lead"), ("b", "lead")]
NAMES = [None, "", "Ada", "ada", "Bob", "Ása", "Zoë Bob"]
MEMBERS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(NAMES),
        "tags": st.lists(st.sampled_from(["x", "X", "y"]), max_size=2),
        "value": st.sampled_from([None, 1, 2, 3]),
        "created_at": st.integers(1, 3),
        "place": st.sampled_from([None, {"city": "Rome"}, {"city": "Bonn"}]),
        "deleted_at": st.sampled_from([None, None, "now"]),
    },
)
IDS = st.integers(1, 12).map(str)

State = dict[tuple[str, str], dict[str, dict[str, Any]]]
"""What the naive store holds: the documents of each place in order of insertion."""


def plain(text: str) -> str:
    return text.lower().replace("á", "a").replace("ë", "e")


def live(docs: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [doc for doc in docs.values() if doc.get("deleted_at") is None]


def lower(value: Any) -> Any:
    if isinstance(value, list):
        return [lower(item) for item in value]
    return value.lower() if isinstance(value, str) else value


def has(value: Any, wanted: Any) -> bool:
    return wanted in value if isinstance(value, list) else bool(value == wanted)


def is_within(value: Any, wanted: Range) -> bool:
    if value is None or (wanted.low is not None and value < wanted.low):
        return False
    return wanted.high is None or bool(value <= wanted.high if wanted.closed else value < wanted.high)


def sort_naively(docs: list[dict[str, Any]], field: str, descending: bool) -> list[dict[str, Any]]:
    def value(doc: dict[str, Any]) -> Any:
        found = (doc.get("place") or {}).get("city") if field == "place.city" else doc.get(field)
        return plain(found) if isinstance(found, str) else found

    docs = sorted(docs, key=lambda doc: doc["id"], reverse=descending)
    without = [doc for doc in docs if value(doc) in (None, "")]
    return sorted([doc for doc in docs if doc not in without], key=value, reverse=descending) + without


class StoreMachine(RuleBasedStateMachine):
    """Every step is done to both; after each of them both have to hold the same."""

    snapshots = Bundle("snapshots")

    def __init__(self) -> None:
        super().__init__()
        self.store = Store()
        self.state: State = {place: {} for place in PLACES}
        self.count = 0
        self.searches = True
        self.open: list[tuple[AbstractContextManager[None], State, int]] = []
        self.saved: State = {place: {} for place in PLACES}  # what `changes` have told
        # Few documents are to do what many do: fill chunks, be more than it takes to sort them all, and be more than
        # those that changed.
        self.patches = [
            patch.object(order_module, "_LONGEST", 4),
            patch.object(select_module, "_PAGE", 5),
            patch.object(table_module, "_CHANGING", 0),
        ]
        for one in self.patches:
            one.start()

    @initialize(docs=st.lists(MEMBERS, max_size=10), searches=st.booleans())
    def fill(self, docs: list[dict[str, Any]], searches: bool) -> None:
        self.searches = searches  # after each step; else what is found by is made late, of what came from elsewhere
        for number, members in enumerate(docs):
            self.put(PLACES[0], str(number + 1), members)

    def collection(self, place: tuple[str, str]) -> Collection:
        return self.store.collection(*place)

    # -- writes --------------------------------------------------------------------------------------------------

    @rule(place=st.sampled_from(PLACES), id=IDS, members=MEMBERS)
    def put(self, place: tuple[str, str], id: str, members: dict[str, Any]) -> None:
        self.collection(place).put({"id": id, **members})
        self.state[place][id] = {"id": id, **members}

    @rule(place=st.sampled_from(PLACES), id=IDS, members=MEMBERS)
    def change(self, place: tuple[str, str], id: str, members: dict[str, Any]) -> None:
        doc = self.collection(place).get(id, deleted=True)
        if doc is not None:
            self.collection(place).put(doc | members)
            self.state[place][id] = self.state[place][id] | members

    @rule(place=st.sampled_from(PLACES), id=IDS)
    def remove(self, place: tuple[str, str], id: str) -> None:
        if self.collection(place).get(id, deleted=True) is not None:
            self.collection(place).remove(id)
            del self.state[place][id]

    @rule()
    def new_id(self) -> None:
        self.count += 1
        assert self.store.count("lead_") == self.count

    # -- transactions --------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.open) < 3)
    @rule()
    def begin(self) -> None:
        transaction: AbstractContextManager[None] = self.store.transaction()
        transaction.__enter__()
        self.open.append((transaction, deepcopy(self.state), self.count))

    @precondition(lambda self: self.open)
    @rule()
    def commit(self) -> None:
        self.open.pop()[0].__exit__(None, None, None)

    @precondition(lambda self: self.open)
    @rule()
    def roll_back(self) -> None:
        transaction, self.state, self.count = self.open.pop()
        error = KeyError("on purpose")
        assert not transaction.__exit__(KeyError, error, None)

    # -- states --------------------------------------------------------------------------------------------------

    @rule(target=snapshots)
    def snapshot(self) -> tuple[StoreSnapshot, State, int]:
        return self.store.snapshot(), deepcopy(self.state), self.count

    @precondition(lambda self: not self.open)
    @rule(kept=snapshots)
    def restore(self, kept: tuple[StoreSnapshot, State, int]) -> None:
        snap, state, self.count = kept
        self.store.restore(snap)
        self.state = deepcopy(state)

    @precondition(lambda self: not self.open)
    @rule(kept=snapshots)
    def restore_elsewhere(self, kept: tuple[StoreSnapshot, State, int]) -> None:
        """Go on in a new store; the one before goes on as well, and must not be seen in the new one."""
        former = self.store
        self.store, self.saved = Store(), {place: {} for place in PLACES}
        self.restore(kept)
        for place in PLACES:
            former.collection(*place).put({"id": "1", "name": "elsewhere", "created_at": 9})

    @precondition(lambda self: not self.open)
    @rule()
    def save(self) -> None:
        for change in self.store.changes():
            docs = self.saved[change.tenant_id, change.kind]
            if change.document is None:
                docs.pop(change.id, None)
            else:
                docs[change.id] = dict(change.document) | {"sequence": change.sequence}
        for place in PLACES:
            kept = sorted(self.saved[place].values(), key=lambda doc: doc["sequence"])
            assert len({doc["sequence"] for doc in kept}) == len(kept)
            assert [{k: v for k, v in doc.items() if k != "sequence"} for doc in kept] == [*self.state[place].values()]

    # -- reading -------------------------------------------------------------------------------------------------

    def find(self, place: tuple[str, str], field: str, wanted: Any) -> None:
        """Compare what is found by a field."""
        expected = [doc for doc in live(self.state[place]) if has(lower(doc.get(field)), lower(wanted))]
        assert self.collection(place).find(field, wanted) == expected

    @rule(
        place=st.sampled_from(PLACES),
        equal=st.fixed_dictionaries(
            {}, optional={"value": st.sampled_from([None, 1, [1, 2], []]), "tags": st.sampled_from(["x", ["x", "y"]])}
        ),
        least=st.sampled_from([None, 2]),
        ranges=st.dictionaries(
            st.sampled_from(["value", "created_at"]),
            st.builds(Range, st.sampled_from([None, 1, 2]), st.sampled_from([None, 1, 2, 3]), st.booleans()),
        ),
        tags=st.sampled_from([(), (), ("X",), ("x", "y")]),
        text=st.sampled_from([None, "", "  ", "BOB", "zoe bob", "a"]),
        sort=st.sampled_from([None, "id", "createdAt", "updated_at", "name", "value", "place.city"]),
        order=st.sampled_from([None, "asc", "desc"]),
    )
    def select(
        self,
        place: tuple[str, str],
        equal: Mapping[str, Any] = {},
        least: int | None = None,
        ranges: Mapping[str, Range] = {},
        tags: tuple[str, ...] = (),
        text: str | None = None,
        sort: str | None = None,
        order: str | None = None,
    ) -> None:
        """Compare what is selected, and that it stays the same when something is written."""
        docs = [
            doc
            for doc in live(self.state[place])
            if all(
                any(has(doc.get(name), value) for value in (wanted if isinstance(wanted, list) else [wanted]))
                for name, wanted in equal.items()
            )
            and (least is None or doc.get("created_at", 0) >= least)
            and all(is_within(doc.get(name), wanted) for name, wanted in ranges.items())
            and {tag.lower() for tag in tags} <= {tag.lower() for tag in doc.get("tags", [])}
            and all(word in plain(doc.get("name") or "") for word in plain(text or "").split())
        ]
        field = "created_at" if sort in (None, "createdAt") else sort
        expected = sort_naively(docs, field, order == "desc" or (order is None and sort is None))
        found = select(
            self.collection(place),
            equal=equal,
            ranges=ranges,
            tags=tags,
            tests=[] if least is None else [lambda doc: doc.get("created_at", 0) >= least],
            text=text,
            searched=("name",),
            sort=sort,
            order=order,
            sorts=("name", "value", "place.city"),
        )
        if expected:
            self.change(place, expected[0]["id"], {"name": "later", "value": 3})
        assert list(found) == expected
        assert len(found) == len(expected)
        assert list(found[1:3]) == expected[1:3]
        assert list(found[-2:]) == expected[-2:]
        assert [found[place] for place in range(len(expected))] == expected

    @rule()
    def search(self) -> None:
        for place in PLACES:
            collection, docs = self.collection(place), self.state[place]
            for field, wanted in (("name", "ADA"), ("name", None), ("tags", "x"), ("value", 1)):
                self.find(place, field, wanted)
            for field in ("id", "name", "value", "created_at"):
                found = select(collection, sort=field, order="desc", sorts=("name", "value"))
                assert list(found) == sort_naively(live(docs), field, descending=True)

    @invariant()
    def same(self) -> None:
        for place in PLACES:
            collection, docs = self.collection(place), self.state[place]
            assert collection.all() == live(docs)
            assert list(collection.backwards()) == [*reversed(docs.values())]
            assert len(collection) == len(live(docs))
        if self.searches:
            self.search()
        assert self.store.last_count("lead_") == self.count

    def teardown(self) -> None:
        while self.open:
            self.roll_back()
        self.same()
        self.search()
        for one in self.patches:
            one.stop()


class ShortMachine(StoreMachine):
    """Goes a few short ways, always the same ones, with every change."""


StoreMachine.TestCase.settings = settings(max_examples=portion(60), stateful_step_count=40, deadline=None)
TestStore = pytest.mark.thorough(StoreMachine.TestCase)
ShortMachine.TestCase.settings = settings(
    max_examples=12, stateful_step_count=25, deadline=None, derandomize=True, database=None
)
TestStoreShortly = ShortMachine.TestCase
