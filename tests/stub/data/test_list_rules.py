"""Lists: how texts are folded, values are found and sorted, what arguments ask for, and which values are taken."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from crm_sdk.models.record import Record
from server_stub.data.collection import Collection
from server_stub.data.document import Document
from server_stub.data.keys import taken_values, with_value
from server_stub.data.past import Past
from server_stub.data.queries.filters import by_time, filter_fields, filter_plans, sought_by
from server_stub.data.queries.query import (
    filter_by_span,
    filter_by_tags,
    filter_by_values,
    fold,
    in_order,
    key_of,
    matches,
    member,
    sort_documents,
    sort_field,
    sort_key,
    words_of,
)  # fmt: skip
from server_stub.data.store import Store
from server_stub.problems import Problem

NOW = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_a_text_is_folded() -> None:
    texts = {"ABC": "abc", "Łukasz Müßig": "lukasz mussig", "Ærø ÞÐ": "aero thd", "İstanbul ı": "istanbul i", "ﬁ": "fi"}
    assert {text: fold(text) for text in texts} == texts
    words = {"b A b": ("b", "a"), " \n": (), None: (), "": (), "Á a": ("a",)}
    assert {text: words_of(text) for text in words} == words
    assert [sort_key(value) for value in ("Ä", "", None, 0)] == ["a", None, None, 0]


PLACES: dict[str, Any] = {
    "a": 1, "b.c": 2, "b.d": None, "b.c.d": None, "a.b": None, "l.c": [1, None], "l": [{"c": 1}, {"d": 2}, 3],
    "l.c.d": [], "x": None,
}  # fmt: skip


def test_the_value_at_a_path() -> None:
    doc = {"a": 1, "b": {"c": 2}, "l": [{"c": 1}, {"d": 2}, 3]}
    assert {path: member(doc, path) for path in PLACES} == PLACES


def test_where_a_search_looks() -> None:
    doc = Document({"id": "x", "name": "Zoë B", "tags": ["Red", 5, "hot"], "size": 7, "address": {"city": "Köln"}})
    found = {"zoe": True, "red zoe": True, "koln": True, "7": False, "5": False, "zoe blue": False, "": True}
    for _ in range(2):  # the folded text is kept
        fields = ["name", "tags", "size", "address.city"]
        assert {text: matches(doc, text, fields) for text in found} == found
    assert not matches(doc, "koln", ["name"]), "each set of members has a text of its own"
    assert not matches(doc, "bred", ["name", "tags"]), "no word is in two members"
    shown = [
        matches(doc, text, ["name", "address.city"], lambda one, field: "Bonn") for text in ("zoe", "bonn", "koln")
    ]
    assert shown == [True, True, False], "what is computed is asked for by its path"


def test_simple_filters_at_their_ends() -> None:
    docs = [Document(id=str(n), at=at, tags=tags) for n, (at, tags) in enumerate(
        [(NOW - SECOND, ["Red", "hot"]), (NOW, ["red"]), (NOW + SECOND, None), (None, [])]
    )]  # fmt: skip

    def ids(found: Sequence[Document]) -> str:
        return "".join(doc["id"] for doc in found)

    assert ids(filter_by_span(docs, "at", NOW, None)) == "12"
    assert ids(filter_by_span(docs, "at", None, NOW)) == "0"
    assert ids(filter_by_span(docs, "at", NOW, NOW + SECOND)) == "1"
    assert ids(filter_by_span(docs, "at", None, None)) == "0123"
    tags = {" RED , hot ": "0", "red": "01", "": "0123", ",": "0123", "cold": ""}
    assert {given: ids(filter_by_tags(docs, given)) for given in tags} == tags
    assert ids(filter_by_tags(docs, None)) == "0123"
    assert ids(filter_by_values(docs, id=("0", "3"), at=None)) == "03"
    assert ids(filter_by_values(docs, id="3")) == "3"
    for doc in docs[:3]:
        after, before = (by_time("at", after=after)(None, NOW)(doc) for after in (True, False))
        assert (after, before) == (doc["at"] >= NOW, doc["at"] < NOW)
    assert not by_time("at", after=False)(None, NOW)(docs[3])


def test_what_a_list_is_sorted_by() -> None:
    assert sort_field(None, None, ()) == ("created_at", True)
    assert sort_field(None, "desc", (), "name") == ("name", True)
    assert sort_field(None, "asc", ()) == ("created_at", False)
    assert sort_field("updatedAt", None, ()) == ("updated_at", False)
    assert sort_field("fullName", "desc", ["fullName"]) == ("fullName", True)
    for sort, order, field in (("name", None, "sort"), (None, "DESC", "order"), ("id", "", "order")):
        with pytest.raises(Problem) as caught:
            sort_field(sort, order, ())
        assert (caught.value.field, caught.value.rule, caught.value.status) == (field, "choice", 422)
        allowed = ["asc", "desc"] if field == "order" else ["created_at", "id", "updated_at"]
        assert caught.value.entries[0].details == {"allowed": allowed}
    with pytest.raises(Problem):
        sort_documents([], "id", None, (), always=("name",))
    docs = [Document(id=id, name=name) for id, name in (("b", "Á"), ("c", ""), ("a", "a"), ("d", "B"), ("e", None))]
    assert "".join(doc["id"] for doc in in_order(docs, key_of("name"), descending=False)) == "abdce"
    assert "".join(doc["id"] for doc in in_order(docs, key_of("name"), descending=True)) == "dbaec"


# -- arguments ---------------------------------------------------------------------------------------------------------

MEMBERS = ("size", "created_at", "close_date", "due", "status", "max", "min_age")


def test_what_arguments_ask_for_by_their_names() -> None:
    arguments = (
        "status", "tags", "min_size", "max_size", "created_after", "created_before", "close_after", "due_before",
        "min_age", "own", "search", "sort", "limit",
    )  # fmt: skip
    own = {"own": lambda call, value: lambda doc: (call, value, doc) == ("call", 1, "doc")}
    plans = filter_plans(arguments, MEMBERS, cast("Any", own), where="x.list")
    assert set(plans) == set(arguments) - {"search", "sort", "limit"}
    given = {
        "status": "new", "tags": [" a", "b "], "min_size": 2, "max_size": 4, "created_after": NOW, "due_before": NOW,
        "min_age": 0, "own": 1, "close_after": None, "page": 1,
    }  # fmt: skip
    sought = sought_by(plans, "call", given)
    assert (sought.equal, sought.tags) == ({"status": "new", "min_age": 0}, {"a", "b"})
    assert [value in sought.ranges["size"] for value in (None, 1, 2, 4, 5)] == [False, False, True, True, False]
    times = [NOW - SECOND, NOW, NOW + SECOND]
    assert [at in sought.ranges["created_at"] for at in times] == [False, True, True]
    assert [at in sought.ranges["due"] for at in times] == [True, False, False]
    assert set(sought.ranges) == {"size", "created_at", "due"}
    assert [test(cast("Any", "doc")) for test in sought.tests] == [True]
    later = sought_by(plans, "call", {"created_before": NOW + SECOND, "created_after": NOW}).ranges["created_at"]
    assert [at in later for at in times] == [False, True, False]


@pytest.mark.parametrize("name", ["colour", "least_size", "min_colour", "created_since", "status_at_after"])
def test_an_argument_that_asks_for_nothing_is_an_error_of_the_declaration(name: str) -> None:
    with pytest.raises(TypeError, match=f"x.list: the argument '{name}' names no member"):
        filter_plans([name], MEMBERS, {}, where="x.list")


class _Sample(Record):
    text: str
    words: list[str]
    rate: float | None
    done: bool
    count: int
    meta: dict[str, Any]


def test_the_types_of_members_that_are_filtered() -> None:
    types: dict[str, Any] = dict(filter_fields(_Sample))
    known = {"text": "text", "words": "list", "rate": "number", "done": "bool", "count": "number", "id": "text"}
    assert {name: types[name] for name in (*known, "created_at", "version", "custom_fields.*")} == {
        **known, "created_at": "date", "version": "number", "custom_fields.*": "any",
    }  # fmt: skip


# -- keys --------------------------------------------------------------------------------------------------------------

SHARED = {"email": ("email", "more_emails")}


@pytest.fixture
def records() -> Collection:
    records = Store().collection("t", "contact")
    for id, email, more, external, whole in (
        ("c1", "a@x.test", ["b@x.test", "c@x.test"], "E1", "w1"), ("c2", "d@x.test", ["c@x.test"], "E2", "w2"),
        ("c3", None, [], None, "w1"),
    ):  # fmt: skip
        records.put({"id": id, "email": email, "more_emails": more, "external_id": external, "whole_id": whole})
    return records


TAKEN: list[tuple[dict[str, Any], str | None, list[tuple[str, str]]]] = [
    # members that are given, the record that is changed, and the members whose values another one has
    ({"email": "A@x.test"}, None, [("email", "c1")]),
    ({"email": "b@x.test"}, None, [("email", "c1")]),
    ({"more_emails": ["d@x.test", "x@x.test", "A@x.test"]}, None, [("more_emails", "c2"), ("more_emails", "c1")]),
    ({"more_emails": ["b@x.test", "c@x.test"]}, None, []),
    ({"email": "a@x.test", "more_emails": ["b@x.test"]}, "c1", []),
    ({"email": "d@x.test"}, "c1", [("email", "c2")]),
    ({"email": "b@x.test"}, "c1", []),
    ({"email": None, "more_emails": None}, None, []),
    ({"email": "", "external_id": "E2"}, "c3", [("external_id", "c2")]),
    ({"external_id": "e2"}, None, []),
    ({"email": "a@x.test", "external_id": "E2"}, None, [("email", "c1"), ("external_id", "c2")]),
    ({"email": "new@x.test", "name": "N"}, None, []),
]
CODES = {"email": "ACCOUNT_EXISTS", "external_id": "DUPLICATE_VALUE"}


def test_values_that_another_record_has(records: Collection) -> None:
    def taken(given: dict[str, Any], id: str | None, scope: str | None = None) -> list[tuple[str, str]]:
        found = taken_values(records, given, records.get(id) if id is not None else None, CODES, SHARED, scope)
        told = list(found)
        for one in told:
            code = CODES["external_id" if one.field == "external_id" else "email"]
            assert (one.code, one.status, one.rule) == (code, 409, "unique")
            word = "external id" if one.field == "external_id" else "email"
            assert one.message.startswith(f"{one.details['existing_id']} has the {word} '")
        return [(str(one.field), one.details["existing_id"]) for one in told]

    assert [(given, id, taken(given, id)) for given, id, _ in TAKEN] == TAKEN
    within = [taken({"external_id": "E1", "whole_id": whole}, None, "whole_id") for whole in ("w1", "w2")]
    assert within == [[("external_id", "c1")], []]
    assert taken({"external_id": "E2"}, "c3", "whole_id") == [], "it stays in its whole"
    assert taken({"external_id": "E2", "whole_id": "w2"}, "c3", "whole_id") == [("external_id", "c2")], "it is moved"


def test_records_with_a_value_are_found_once_each(records: Collection) -> None:
    records.put({"id": "c4", "email": "c@x.test", "more_emails": ["c@x.test"]})
    assert [doc["id"] for doc in with_value(records, SHARED["email"], "C@x.test")] == ["c4", "c1", "c2"]


# -- the past ----------------------------------------------------------------------------------------------------------


def test_a_store_as_it_was() -> None:
    store, past = Store(), Past()

    def noted(seconds: float, lag: float | None = 10) -> None:
        past.note(store, NOW + seconds * SECOND, lag)

    def seen(seconds: float) -> list[str]:
        return [doc["id"] for doc in past.at(NOW + seconds * SECOND, 10).collection("t", "lead").all()]

    noted(0)
    assert seen(0) == seen(30) == []
    for number, seconds in ((1, 5), (2, 10), (3, 12)):
        store.collection("t", "lead").put({"id": f"l{number}"})
        noted(seconds)
        noted(seconds)
    assert [len(seen(seconds)) for seconds in (10, 14, 15, 19, 20, 21, 22, 40)] == [0, 0, 1, 1, 2, 2, 3, 3]
    noted(22)
    assert [len(seen(seconds)) for seconds in (14, 22)] == [3, 3], "what nobody asks for any more is gone"
    noted(22, None)
    store.collection("t", "lead").put({"id": "l4"})
    noted(23)
    assert len(seen(23)) == 4, "it begins anew"
