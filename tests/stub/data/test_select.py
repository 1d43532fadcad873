"""What list rules select stays as it was, is found without a look at every document, and is sorted by what is asked."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from sampling import sampled

from server_stub.data.collection import Collection
from server_stub.data.document import Document
from server_stub.data.order import Range
from server_stub.data.queries.select import select
from server_stub.data.store import Store
from server_stub.problems import Problem

COUNT = 2000


@pytest.fixture
def leads() -> Collection:
    leads = Store().collection("t", "lead")
    for number in range(COUNT):
        name = f"Ana Nº {number}" if number % 7 else None
        given = {"score": number % 97 or None, "tags": ["Hot"] if number % 5 else ["cold"]}
        created = {"id": f"lead_{number:04}", "created_at": number // 3}
        leads.put({**created, **given, "name": name, "status": "ab"[number % 2]})
    return leads


def ids(docs: Any) -> list[int]:
    return [int(doc["id"][5:]) for doc in docs]


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"equal": {"status": "a"}},
        {"equal": {"name": None}},
        {"text": "ana"},
        {"ranges": {"score": Range(10, 80)}},
        {"ranges": {"created_at": Range(high=600)}},
        {"tags": ["HOT"]},
    ],
)
def test_what_was_selected_stays_as_it_was(leads: Collection, how: dict[str, Any]) -> None:
    before = list(select(leads, searched=("name",), **how))
    found = select(leads, searched=("name",), **how)
    for doc in before[::3]:
        leads.put(doc | {"name": "Bob", "status": "b", "created_at": -1})
    leads.remove(before[1]["id"])
    assert (len(found), list(found)) == (len(before), before)
    assert list(found[:5]) == before[:5]
    assert list(select(leads, searched=("name",), **how)) != before


class _Counted(Document):
    """Counts how often a member is looked at."""

    looked = 0

    def get(self, *args: Any) -> Any:
        _Counted.looked += 1
        return super().get(*args)

    def __getitem__(self, key: str) -> Any:
        _Counted.looked += 1
        return super().__getitem__(key)


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"sort": "name"},
        {"equal": {"status": "a"}},
        {"equal": {"status": "a", "name": None}},
        {"equal": {"status": ["a", "b"]}, "sort": "updatedAt", "order": "desc"},
        {"text": "never there"},
        {"ranges": {"created_at": Range(100, 500)}},
        {"ranges": {"created_at": Range(900)}},
        {"tags": ["hot", "cold"]},
    ],
)
def test_a_page_looks_at_no_document_that_is_not_on_it(leads: Collection, how: dict[str, Any]) -> None:
    select(leads, searched=("name",), sorts=("name",), **how)[0:1]  # makes the indexes
    leads.table.docs.update({id: _Counted(doc) for id, doc in leads.table.docs.items()})
    for chunk in leads.table.order("created_at").chunks(descending=False):
        chunk.entries = tuple((key, id, leads.table.docs[id]) for key, id, _ in chunk.entries)
    _Counted.looked = 0
    found = select(leads, searched=("name",), sorts=("name",), **how)
    assert len(found) <= len(leads.table.docs)
    assert _Counted.looked == 0


RANGES: list[dict[str, Range]] = [
    {"created_at": Range(100, 500)},
    {"created_at": Range(100, 500, closed=False)},
    {"created_at": Range(500, 100)},
    {"created_at": Range(high=-1)},
    {"created_at": Range(10_000)},
    {"score": Range(96)},
    {"score": Range(high=50)},
    {"score": Range(5, 90), "created_at": Range(high=600)},
    {"score": Range(5, 6) & Range(6, 9), "created_at": Range(1)},
]
EQUAL: list[dict[str, Any]] = [{}, {"status": "a"}, {"status": ["a", "b"]}, {"name": None}]


@pytest.mark.parametrize(
    ("ranges", "equal", "sort", "order", "tested"),
    sampled(product(RANGES, EQUAL, ["created_at", "score", "name"], ["asc", "desc"], [False, True]), every=5),
)
def test_a_range_finds_what_a_look_at_every_document_finds(
    leads: Collection, ranges: dict[str, Range], equal: dict[str, Any], sort: str, order: str, tested: bool
) -> None:
    def fits(doc: Document) -> bool:
        return all(
            doc[name] is not None
            and (wanted.low is None or doc[name] >= wanted.low)
            and (wanted.high is None or doc[name] < wanted.high or (wanted.closed and doc[name] == wanted.high))
            for name, wanted in ranges.items()
        )

    how: dict[str, Any] = {"equal": equal, "sort": sort, "order": order, "sorts": ("name", "score")}
    how["tests"] = [lambda doc: doc["tags"] == ["Hot"]] if tested else []
    found = select(leads, ranges=ranges, **how)
    expected = [doc for doc in select(leads, **how) if fits(doc)]
    assert (len(found), list(found), list(found[3:9])) == (len(expected), expected, expected[3:9])


@pytest.mark.parametrize("equal", [{}, {"status": "a"}])
def test_what_is_selected_is_a_sequence(leads: Collection, equal: dict[str, Any]) -> None:
    found = select(leads, equal=equal)
    whole = list(found)
    places = (0, 1, len(whole) - 1, -1, -2, -len(whole))
    assert [found[place] for place in places] == [whole[place] for place in places]
    for place in (len(whole), -len(whole) - 1):
        with pytest.raises(IndexError):
            found[place]
    assert (found[2:9:3], found[-3:], found[5:2]) == (whole[2:9:3], whole[-3:], [])
    assert found == whole and found != whole[1:]


def test_a_computed_key_sorts_what_is_not_stored(leads: Collection) -> None:
    def by_last_digit(name: str) -> Any:
        assert name == "digit"
        return lambda doc: doc["id"][-1] if doc["name"] else None

    found = select(leads, sort="digit", sorts=("digit",), key=by_last_digit)
    assert ids(found[:3]) == [10, 20, 30], "equals by id"
    assert ids(found[-2:]) == [1988, 1995], "without a name, last"
    down = select(leads, sort="digit", order="desc", sorts=("digit",), key=by_last_digit)
    assert ids(down[:2]) == [1999, 1989]
    assert ids(down[-2:]) == [7, 0], "without a name, last"
    assert ids(select(leads, key=by_last_digit)[:1]) == [1999], "created_at is stored"


@pytest.mark.parametrize("values", [[1, "a"], [None, "a", 2]])
def test_an_order_ends_with_a_value_that_compares_with_no_other(values: list[Any]) -> None:
    docs = Store().collection("t", "lead")
    docs.put({"id": "1", "value": 1})
    select(docs, sort="value", sorts=("value",))
    for number, value in enumerate(values):
        docs.put({"id": str(number), "value": value})
    assert len(docs) == max(len(values), 2), "nobody asks for the order, and the write succeeds"
    docs.put({"id": "0", "value": 1})
    for doc in docs:
        docs.put(doc | {"value": int(doc["id"])})
    assert len(select(docs, sort="value", sorts=("value",))) == len(docs)


@pytest.mark.parametrize(("sort", "order", "field"), [("password", None, "sort"), ("name", "up", "order")])
def test_an_unknown_sort_or_order_is_refused(leads: Collection, sort: str, order: str | None, field: str) -> None:
    with pytest.raises(Problem) as caught:
        select(leads, sort=sort, order=order, sorts=("name",))
    assert (caught.value.status, caught.value.code, caught.value.field) == (422, "VALIDATION_ERROR", field)
