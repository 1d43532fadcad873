"""Records and their definition against a plain model: any order of calls leaves both with the same values and links."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from portions import portion
from refusals import refused

from crm_sdk import CrmClient
from server_stub import StubServer

from .conftest import field

SIDES = {"car": "driver", "driver": "cars"}
"""The key of the link from each object to the other."""
NUMBERS, WORDS = st.integers(0, 40), st.sampled_from(["a", "b", "A", None])
KINDS, ON_DELETE = st.sampled_from(sorted(SIDES)), st.sampled_from(["restrict", "set_null", "cascade"])


class CustomObjectMachine(RuleBasedStateMachine):
    """Every step is done to both; what one refuses the other has to refuse, with the same code.

    Cars have a driver each, and drivers their cars; a car may refer to another car as its `spare`. A value of `word`
    may have to be unique, a value of `size` may have a least one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stub = StubServer(demo=True)
        self.client: CrmClient = self.stub.client(dialects="platform", max_retries=0, strict=True)
        self.records: dict[str, dict[str, dict[str, Any]]] = {"car": {}, "driver": {}}
        self.versions: dict[str, int] = {}
        self.unique, self.least, self.on_delete = False, 0, "set_null"
        fields = [field("word"), field("size", "integer")]
        objects = self.client.custom_objects
        for kind in SIDES:
            given: Any = {"api_name": kind, "label": kind, "plural_label": f"{kind}s", "fields": fields}
            objects.create(given)
        link: Any = {"label": "L", "related_object": "driver", "cardinality": "many_to_one", "inverse_api_name": "cars"}
        objects.relationships.create("car", link | {"api_name": "driver"})
        objects.fields.create("car", field("spare", "reference", reference_to="car"))

    def expect(self, code: str | None, call: Callable[[], Any]) -> Any:
        """Return what a call answers; where it is to be refused, None."""
        if code is None:
            return call()
        assert refused(call).code == code
        return None

    def one(self, kind: str, number: int) -> str | None:
        ids = list(self.records[kind])
        return ids[number % len(ids)] if ids else None

    def put(self, kind: str, id: str, key: str, value: Any) -> None:
        """Put a value into the model; the version goes up where it is another one."""
        held = self.records[kind][id]
        if held.get(key) != value:
            held[key] = value
            self.versions[id] += 1

    def taken(self, kind: str, word: str | None, own: str | None) -> bool:
        others = (held.get("word") for id, held in self.records[kind].items() if id != own)
        return (
            kind == "car"
            and self.unique
            and word is not None
            and word.lower() in {(other or "").lower() for other in others}
        )

    def link(self, car: str, driver: str | None) -> None:
        """Give a car another driver, on both sides."""
        before = self.records["car"][car].get("driver")
        if before == driver:
            return
        self.put("car", car, "driver", driver)
        for id, there in ((before, False), (driver, True)):
            if id is not None:
                cars = [one for one in self.records["driver"][id].get("cars") or [] if one != car]
                self.put("driver", id, "cars", ([*cars, car] if there else cars) or None)

    # -- calls -----------------------------------------------------------------------------------------------------

    @rule(kind=KINDS, word=WORDS, size=st.integers(0, 5))
    def add(self, kind: str, word: str | None, size: int) -> None:
        small = kind == "car" and size < self.least
        code = "VALIDATION_ERROR" if small else "DUPLICATE_VALUE" if self.taken(kind, word, None) else None
        values: Any = {"name": "N", "word": word, "size": size}
        made = self.expect(code, lambda: self.client.custom_objects.records.create(kind, {"fields": values}))
        if made is not None:
            self.records[kind][made.id] = values
            self.versions[made.id] = 1

    @rule(kind=KINDS, number=NUMBERS, word=WORDS)
    def change(self, kind: str, number: int, word: str | None) -> None:
        id = self.one(kind, number)
        if id is not None:
            same = self.records[kind][id].get("word") == word
            code = "DUPLICATE_VALUE" if not same and self.taken(kind, word, id) else None
            put: Any = {"fields": {"word": word}}
            self.expect(code, lambda: self.client.custom_objects.records.update(kind, id, put))
            if code is None:
                self.put(kind, id, "word", word)

    @rule(number=NUMBERS, other=st.none() | NUMBERS)
    def drive(self, number: int, other: int | None) -> None:
        car, driver = self.one("car", number), self.one("driver", other) if other is not None else None
        if car is not None:
            self.client.custom_objects.records.update("car", car, {"fields": {"driver": driver}})
            before = self.versions[car]
            self.link(car, driver)
            self.versions[car] = min(self.versions[car], before + 1)

    @rule(number=NUMBERS, others=st.lists(NUMBERS, max_size=3))
    def own(self, number: int, others: list[int]) -> None:
        driver = self.one("driver", number)
        cars = list(dict.fromkeys(car for each in others if (car := self.one("car", each)) is not None))
        if driver is None:
            return
        strange = [car for car in cars if self.records["car"][car].get("driver") not in (None, driver)]
        put: Any = {"fields": {"cars": cars}}
        code = "CARDINALITY_VIOLATION" if strange else None
        self.expect(code, lambda: self.client.custom_objects.records.update("driver", driver, put))
        if code is None:
            for car in self.records["driver"][driver].get("cars") or []:
                if car not in cars:
                    self.put("car", car, "driver", None)
            for car in cars:
                self.put("car", car, "driver", driver)
            self.put("driver", driver, "cars", cars or None)

    @rule(number=NUMBERS, other=NUMBERS)
    def keep_spare(self, number: int, other: int) -> None:
        car, spare = self.one("car", number), self.one("car", other)
        if car is not None:
            self.client.custom_objects.records.update("car", car, {"fields": {"spare": spare}})
            self.put("car", car, "spare", spare)

    @rule(kind=KINDS, number=NUMBERS)
    def delete(self, kind: str, number: int) -> None:
        id = self.one(kind, number)
        if id is None:
            return
        going = list(self.going(kind, id, set()))
        held = any(
            self.on_delete == "restrict" and held.get("spare") == id and one != id
            for one, held in self.records["car"].items()
        )
        code = "RECORD_REFERENCED" if held else None
        self.expect(code, lambda: self.client.custom_objects.records.delete(kind, id))
        if code is None:
            for gone in going:
                self.forget(kind, gone)

    def going(self, kind: str, id: str, seen: set[str]) -> Iterator[str]:
        """Give a record and what is deleted with it."""
        seen.add(id)
        yield id
        for one, held in self.records["car"].items() if self.on_delete == "cascade" else ():
            if held.get("spare") == id and one not in seen:
                yield from self.going(kind, one, seen)

    def forget(self, kind: str, id: str) -> None:
        del self.records[kind][id]
        for car, held in self.records["car"].items():
            if held.get("driver") == id:
                self.put("car", car, "driver", None)
            if held.get("spare") == id:
                self.put("car", car, "spare", None)
        for driver, held in self.records["driver"].items():
            if id in (held.get("cars") or []):
                self.put("driver", driver, "cars", [one for one in held["cars"] if one != id] or None)

    @rule(unique=st.booleans())
    def make_unique(self, unique: bool) -> None:
        words = [held["word"].lower() for held in self.records["car"].values() if held.get("word")]
        code = "FIELD_HAS_CONFLICTS" if unique and not self.unique and len(words) > len(set(words)) else None
        self.expect(code, lambda: self.client.custom_objects.fields.update("car", "word", {"unique": unique}))
        self.unique = self.unique if code else unique

    @rule(least=st.integers(0, 5))
    def bound(self, least: int) -> None:
        small = any(held["size"] < least for held in self.records["car"].values())
        code = "FIELD_HAS_CONFLICTS" if small and least != self.least else None
        self.expect(code, lambda: self.client.custom_objects.fields.update("car", "size", {"min_value": least}))
        self.least = self.least if code else least

    @rule(on_delete=ON_DELETE)
    def decide(self, on_delete: str) -> None:
        self.client.custom_objects.fields.update("car", "spare", {"on_delete": on_delete})
        self.on_delete = on_delete

    # -- what holds ------------------------------------------------------------------------------------------------

    @invariant()
    def they_are_the_same(self) -> None:
        for kind, records in self.records.items():
            found = {one.id: one for one in self.client.custom_objects.records.list(kind)}
            assert {id: one.fields for id, one in found.items()} == {
                id: {key: value for key, value in held.items() if value is not None} for id, held in records.items()
            }
            assert self.client.custom_objects.get(kind).record_count == len(records)
            for id, one in found.items():
                assert one.version == self.versions[id], (kind, id)

    @invariant()
    def links_are_counted_once(self) -> None:
        driven = sum(held.get("driver") is not None for held in self.records["car"].values())
        for kind in SIDES:
            assert [one.link_count for one in self.client.custom_objects.relationships.list(kind)] == [driven]


TestCustomObjects = CustomObjectMachine.TestCase
TestCustomObjects.settings = settings(max_examples=portion(12), stateful_step_count=20)
