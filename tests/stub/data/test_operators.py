"""Filter groups: which values each operator finds, what it needs, and how large a search may be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from crm_sdk.wire import instant
from server_stub.data.document import Document
from server_stub.data.queries.filter_groups import FieldType, compile_filter, compile_filters, search
from server_stub.problems import Problem

NOW = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)
DAY = datetime(2026, 11, 20, tzinfo=UTC)
SECOND = timedelta(seconds=1)
KINDS: dict[str, FieldType] = {
    "text": "text", "number": "number", "date": "date", "bool": "bool", "list": "list", "secret": "hidden",
    "custom_fields.*": "any", "custom_fields.bonus": "number", "sizes.inCm": "number",
}  # fmt: skip
VALUES: dict[str, list[Any]] = {
    "text": [None, "", "Ana", "ANA B", "b ana", 5],
    "number": [None, 0, Decimal("4.99"), 5, 5.01, "5", True],
    "date": [None, DAY - SECOND, DAY, DAY + timedelta(hours=24) - SECOND, DAY + timedelta(days=1)],
    "bool": [None, True, False, "true"],
    "list": [None, [], ["ana"], ["anab", "c"], ["x", "ANA"], "ana"],
    "custom_fields.any": [None, {}, "Ana", 5, 5.0, True, False, [5, "ana"], date(2026, 11, 20), DAY],
}
FOUND: list[tuple[str, str, Any, list[int]]] = [
    ("text", "eq", "ana", [2]),
    ("text", "neq", "ana", [0, 1, 3, 4, 5]),
    ("text", "in", ["ana", "b ana"], [2, 4]),
    ("text", "not_in", ["ana", "b ana"], [0, 1, 3, 5]),
    ("text", "contains", "ANA", [2, 3, 4]),
    ("text", "not_contains", "ana", [0, 1, 5]),
    ("text", "starts_with", "aNa", [2, 3]),
    ("text", "is_set", None, [2, 3, 4, 5]),
    ("text", "is_not_set", None, [0, 1]),
    ("number", "eq", 5, [3]),
    ("number", "eq", "5.0", [3]),
    ("number", "neq", 5, [0, 1, 2, 4, 5, 6]),
    ("number", "gt", 5, [4]),
    ("number", "gte", 5, [3, 4]),
    ("number", "lt", 5, [1, 2]),
    ("number", "lte", 5, [1, 2, 3]),
    ("number", "between", (0, 5), [1, 2, 3]),
    ("number", "between", (4.99, 5), [2, 3]),
    ("number", "in", [0, 5.01], [1, 4]),
    ("number", "is_set", None, [1, 2, 3, 4, 5, 6]),
    ("date", "eq", "2026-11-20", [2, 3]),
    ("date", "neq", "2026-11-20", [0, 1, 4]),
    ("date", "gt", "2026-11-20", [4]),
    ("date", "gte", "2026-11-20", [2, 3, 4]),
    ("date", "lt", "2026-11-20", [1]),
    ("date", "lte", "2026-11-20", [1, 2, 3]),
    ("date", "lte", "2026-11-21T00:00:00Z", [1, 2, 3, 4]),
    ("date", "eq", "2026-11-21T00:00:00Z", [4]),
    ("date", "between", ("2026-11-20", "2026-11-21"), [2, 3, 4]),
    ("bool", "eq", True, [1]),
    ("bool", "eq", False, [2]),
    ("bool", "neq", True, [0, 2, 3]),
    ("list", "eq", "ana", [2, 4, 5]),
    ("list", "neq", "ana", [0, 1, 3]),
    ("list", "contains", "ana", [2, 4, 5]),
    ("list", "not_contains", "ana", [0, 1, 3]),
    ("list", "in", ["c", "x"], [3, 4]),
    ("list", "is_not_set", None, [0, 1]),
    ("custom_fields.any", "eq", "ana", [2, 7]),
    ("custom_fields.any", "eq", 5, [3, 4, 7]),
    ("custom_fields.any", "in", [5, True], [3, 4, 5, 7]),
    ("custom_fields.any", "eq", "FALSE", [6]),
    ("custom_fields.any", "starts_with", "2026-11-20", [8, 9]),
    ("custom_fields.any", "eq", date(2026, 11, 20), [8]),
    ("custom_fields.any", "eq", DAY, [9]),
    ("custom_fields.any", "eq", instant(DAY), [9]),
    ("custom_fields.any", "neq", True, [0, 1, 2, 3, 4, 6, 7, 8, 9]),
    ("custom_fields.any", "contains", "a", [2, 6, 7]),
    ("custom_fields.any", "not_contains", "a", [0, 1, 3, 4, 5, 8, 9]),
    ("custom_fields.any", "is_set", None, [2, 3, 4, 5, 6, 7, 8, 9]),
]


def given(field: str, op: str, operand: Any) -> dict[str, Any]:
    """Return a filter; the operand of ``between`` is both ends."""
    if op in ("in", "not_in"):
        return {"field": field, "op": op, "values": operand}
    ends = {"value": operand[0], "high_value": operand[1]} if op == "between" else {"value": operand}
    return {"field": field, "op": op, **ends}


def holding(field: str, value: Any) -> Document:
    head, _, rest = field.partition(".")
    return Document({"id": "x", head: {rest: value} if rest else value})


def places(keep: Callable[[Document], bool], field: str) -> list[int]:
    """Return which of the values of a field a filter finds."""
    return [place for place, value in enumerate(VALUES[field]) if keep(holding(field, value))]


def test_what_each_operator_finds() -> None:
    found = [
        (field, op, operand, places(compile_filters([{"filters": [given(field, op, operand)]}], KINDS, now=NOW), field))
        for field, op, operand, _ in FOUND
    ]
    assert found == FOUND
    for field, op, operand, expected in FOUND:
        name, keep = compile_filter(given(field, op, operand), KINDS, now=NOW)
        assert (name, places(keep, field)) == (field, expected), "of a single filter the same"


def problem(*groups: list[dict[str, Any]]) -> Problem:
    with pytest.raises(Problem) as caught:
        compile_filters([{"filters": filters} for filters in groups], KINDS, now=NOW)
    return caught.value


WRONG: list[tuple[str, str, dict[str, Any], str, str, str]] = [
    ("text", "eq", {"value": 5}, "value", "type", "5 is not a text"),
    ("text", "contains", {"value": 5}, "value", "type", "contains needs a text"),
    ("text", "eq", {}, "value", "required", "eq needs a value; to find what is empty use is_not_set"),
    ("text", "in", {"value": "a"}, "values", "required", "in needs a list of values"),
    ("text", "not_in", {"values": []}, "values", "required", "not_in needs a list of values"),
    ("text", "in", {"values": ["a", 5]}, "values.1", "type", "5 is not a text"),
    ("number", "eq", {"value": "much"}, "value", "type", "'much' is not a number"),
    ("number", "eq", {"value": "inf"}, "value", "type", "'inf' is not a number"),
    ("number", "eq", {"value": True}, "value", "type", "True is not a number"),
    ("number", "between", {"value": 1}, "high_value", "required", "between needs value and high_value"),
    ("number", "between", {"value": 1, "high_value": "x"}, "high_value", "type", "'x' is not a number"),
    ("bool", "eq", {"value": "true"}, "value", "type", "'true' is neither true nor false"),
]


def test_what_an_operator_needs() -> None:
    told = [
        (field, op, operands, str(error.field).removeprefix("filter_groups.0.filters.1."), error.rule, error.message)
        for field, op, operands, *_ in WRONG
        for error in problem([given("text", "is_set", None), {"field": field, "op": op, **operands}]).entries
    ]
    assert told == WRONG


def test_fields_and_operators_that_there_are_not() -> None:
    for field in ("salary", "secret", "custom_fields", "address.city"):
        told = problem([given("text", "is_set", None)], [given(field, "is_set", None)])
        assert (told.code, told.field, told.rule, told.details) == (
            "UNKNOWN_FIELD", "filter_groups.1.filters.0.field", "choice", {"field": field},
        )  # fmt: skip
        assert told.message == f"there is no field {field!r} to filter by"
    told = problem([given("bool", "gt", True)])
    assert (told.code, told.field, told.rule) == ("INVALID_OPERATOR", "filter_groups.0.filters.0.op", "choice")
    operators = ["eq", "is_not_set", "is_set", "neq"]
    assert told.details == {"field": "bool", "operator": "gt", "allowed": operators}
    assert problem([given("custom_fields.Own", "gt", 5)]).message.startswith("'custom_fields.Own' holds text:")
    assert problem([given("bool", "in", [True])]).message.startswith("'bool' holds bool:")
    assert places(compile_filters([], KINDS, now=NOW), "text") == [0, 1, 2, 3, 4, 5], "no filter finds all"


def test_a_defined_field_of_its_own_type_beside_undefined_ones() -> None:
    """By its own name and with the wire name of the member it is in; the rest of the path stays as it is."""
    bonus = given("customFields.bonus", "gte", 5)
    name, keep = compile_filter(bonus, KINDS, now=NOW)
    assert name == "custom_fields.bonus" and keep(holding("custom_fields.bonus", 10))
    assert not keep(holding("custom_fields.bonus", "10"))
    name, keep = compile_filter(given("sizes.inCm", "eq", 5), KINDS, now=NOW)
    assert name == "sizes.inCm" and keep(holding("sizes.inCm", 5))
    name, keep = compile_filter(given("customFields.Own Name", "eq", "A"), KINDS, now=NOW)
    assert name == "custom_fields.Own Name" and keep(holding("custom_fields.Own Name", "a"))


@pytest.mark.parametrize(
    ("sizes", "fits"),
    [([5] * 5, True), ([10, 10, 5], True), ([1] * 6, False), ([11], False), ([10, 10, 6], False)],
)
def test_how_large_a_search_may_be(sizes: list[int], fits: bool) -> None:
    groups = [[given("text", "is_set", None)] * size for size in sizes]
    if fits:
        assert places(compile_filters([{"filters": group} for group in groups], KINDS, now=NOW), "text") == [2, 3, 4, 5]
        return
    told = problem(*groups)
    assert (told.code, told.status, told.field, told.rule) == ("FILTER_TOO_LARGE", 422, "filter_groups", "max")
    assert told.details == {"groups": len(sizes), "filters": sum(sizes)}
    assert told.message == "at most 5 groups, 10 filters in a group and 25 in all"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, "cab"),
        ({"order": "asc"}, "bac"),
        ({"sort": "text"}, "bca"),
        ({"sort": "text", "order": "asc"}, "acb"),
        ({"sort": "customFields.Own", "order": "asc"}, "cba"),
        ({"q": "ana", "sort": "text", "order": "asc"}, "ac"),
        ({"q": "ana", "filter_groups": [{"filters": [given("number", "gt", 1)]}]}, "c"),
    ],
)
def test_a_search_is_sorted_the_last_first_unless_it_says_otherwise(query: dict[str, Any], found: str) -> None:
    docs = [
        Document(id=id, text=text, number=number, created_at=at, custom_fields={"Own": own})
        for id, text, number, at, own in (("a", "Ana A", 1, 2, None), ("b", "Bo", 2, 1, 9), ("c", "Ana B", 3, 3, 10))
    ]
    answer = search(docs, query, KINDS, text=["text"], now=NOW)
    assert "".join(doc["id"] for doc in answer) == found


@pytest.mark.parametrize(
    ("sort", "sortable"),
    [("list", None), ("custom_fields.*", None), ("text", ["number"]), ("secret_of.others", None)],
)
def test_what_a_search_is_not_sorted_by(sort: str, sortable: list[str] | None) -> None:
    with pytest.raises(Problem) as caught:
        search([], {"sort": sort}, KINDS, text=[], now=NOW, sortable=sortable)
    assert (caught.value.status, caught.value.field, caught.value.rule) == (422, "sort", "choice")
