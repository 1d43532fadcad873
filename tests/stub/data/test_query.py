"""Filter, search and sort: what list rules and SearchQuery promise."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_stub.data.document import Document
from server_stub.data.queries.filter_groups import FieldType, compile_filters, search
from server_stub.data.queries.query import (
    filter_by_dates,
    filter_by_tags,
    filter_by_values,
    fold,
    matches,
    sort_documents,
)
from server_stub.problems import Problem

FIRST = "filter_groups.0.filters.0"
NOW = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)  # a Saturday

FIELDS: dict[str, FieldType] = {
    "name": "text",
    "status": "text",
    "value": "number",
    "created_at": "date",
    "birthday": "date",
    "tags": "list",
    "do_not_contact": "bool",
    "address.city": "text",
    "custom_fields.*": "any",
}


def doc(id: str, **members: Any) -> Document:
    return Document({"id": id, "created_at": NOW} | members)


DOCS = [
    doc(
        "a",
        name="Zoë Müller",
        status="new",
        value=Decimal("99.90"),
        tags=["VIP", "Berlin"],
        created_at=NOW - timedelta(days=40),
    ),
    doc(
        "b", name="ana García", status="Qualified", value=1000, tags=[], address={"city": "Bogotá"}, do_not_contact=True
    ),
    doc("c", name="Bob Stone", status="new", value=None, tags=["vip"], created_at=NOW - timedelta(days=2)),
    doc(
        "d", name="Łukasz Nowak", birthday=date(1990, 11, 21), custom_fields={"Seats": 12, "renewal": date(2026, 12, 1)}
    ),
]


def filtered(*filters: dict[str, Any], zone: Any = UTC) -> str:
    keep = compile_filters([{"filters": list(filters)}], FIELDS, now=NOW, zone=zone)
    return "".join(d["id"] for d in DOCS if keep(d))


def test_search_needs_every_word_and_ignores_case_and_accents() -> None:
    found = [d["id"] for d in DOCS if matches(d, "GARCIA ana", ["name", "tags"])]
    assert found == ["b"]
    assert matches(DOCS[0], "zoe berlin", ["name", "tags"])
    assert not matches(DOCS[0], "zoe paris", ["name", "tags"])
    assert matches(DOCS[3], "lukasz", ["name"])
    assert matches(DOCS[1], "bogota", ["address.city"])
    assert all(matches(d, "  ", ["name"]) for d in DOCS)


@given(st.text())
def test_folding_is_stable(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_simple_filters() -> None:
    assert [d["id"] for d in filter_by_values(DOCS, status="new", value=None)] == ["a", "c"]
    assert [d["id"] for d in filter_by_values(DOCS, status=["new", "Qualified"])] == ["a", "b", "c"]
    assert [d["id"] for d in filter_by_tags(DOCS, "vip,berlin")] == ["a"]
    assert [d["id"] for d in filter_by_tags(DOCS, ["Vip"])] == ["a", "c"]
    assert [d["id"] for d in filter_by_dates(DOCS, created_after=NOW)] == ["b", "d"], "the first instant counts"
    assert [d["id"] for d in filter_by_dates(DOCS, created_before=NOW)] == ["a", "c"], "the last one does not"
    assert list(filter_by_dates(DOCS, updated_after=NOW)) == [], "no update, no match"


def test_order_is_newest_first_and_empty_values_come_last() -> None:
    def ids(*args: Any) -> str:
        return "".join(d["id"] for d in sort_documents(DOCS, *args))

    assert ids(None, None, {"name"}) == "dbca"
    assert ids("name", None, {"name"}) == "bcda"
    assert ids("name", "desc", {"name"}) == "adcb"
    assert ids("value", "asc", {"value"}).startswith("ab")
    assert ids("value", "desc", {"value"}).startswith("ba")
    assert ids("createdAt", None, {"created_at"}) == "acbd", "the wire name of a field is understood too"


@pytest.mark.parametrize(("sort", "order", "field"), [("password", None, "sort"), ("name", "up", "order")])
def test_unknown_sort_or_order_is_refused(sort: str, order: str | None, field: str) -> None:
    with pytest.raises(Problem) as caught:
        sort_documents(DOCS, sort, order, {"name"})
    assert (caught.value.status, caught.value.code, caught.value.field, caught.value.rule) == (
        422,
        "VALIDATION_ERROR",
        field,
        "choice",
    )


@pytest.mark.parametrize(
    ("field", "op", "operands", "ids"),
    [
        ("status", "eq", {"value": "NEW"}, "ac"),
        ("status", "neq", {"value": "new"}, "bd"),
        ("status", "in", {"values": ["new", "qualified"]}, "abc"),
        ("status", "not_in", {"values": ["new"]}, "bd"),
        ("name", "contains", {"value": "muller"}, "a"),
        ("name", "not_contains", {"value": "o"}, "b"),
        ("name", "starts_with", {"value": "lu"}, "d"),
        ("value", "eq", {"value": 99.9}, "a"),
        ("value", "gt", {"value": Decimal("99.90")}, "b"),
        ("value", "gte", {"value": Decimal("99.90")}, "ab"),
        ("value", "lt", {"value": 1000}, "a"),
        ("value", "lte", {"value": 1000}, "ab"),
        ("value", "between", {"value": 50, "high_value": 100}, "a"),
        ("value", "is_set", {}, "ab"),
        ("value", "is_not_set", {}, "cd"),
        ("tags", "is_not_set", {}, "bd"),
        ("tags", "contains", {"value": "vip"}, "ac"),
        ("tags", "not_contains", {"value": "vip"}, "bd"),
        ("tags", "in", {"values": ["berlin", "rome"]}, "a"),
        ("do_not_contact", "eq", {"value": True}, "b"),
        ("address.city", "eq", {"value": "bogotá"}, "b"),
        ("custom_fields.Seats", "starts_with", {"value": "1"}, "d"),
        ("custom_fields.Seats", "in", {"values": [11, "12"]}, "d"),
        ("custom_fields.Seats", "eq", {"value": 12.0}, "d"),
        ("custom_fields.Seats", "neq", {"value": 12}, "abc"),
        ("customFields.Seats", "eq", {"value": 12}, "d"),
        ("custom_fields.renewal", "eq", {"value": date(2026, 12, 1)}, "d"),
        ("custom_fields.renewal", "contains", {"value": "2026-12"}, "d"),
        ("custom_fields.renewal", "is_not_set", {}, "abc"),
        ("createdAt", "gte", {"value": "today"}, "bd"),
        ("created_at", "lt", {"value": "today"}, "ac"),
        ("created_at", "gte", {"value": "-30d"}, "bcd"),
        ("created_at", "eq", {"value": "-2d"}, "c"),
        ("created_at", "lte", {"value": "+1w"}, "abcd"),
        ("created_at", "gt", {"value": "-1h"}, "bd"),
        ("created_at", "eq", {"value": "this_month"}, "bcd"),
        ("created_at", "eq", {"value": "last_month"}, "a"),
        ("created_at", "eq", {"value": "this_quarter"}, "abcd"),
        ("created_at", "eq", {"value": "last_quarter"}, ""),
        ("created_at", "between", {"value": "last_month", "high_value": "this_month"}, "abcd"),
        ("created_at", "eq", {"value": "2026-11-21"}, "bd"),
        ("created_at", "eq", {"value": "2026-11-21T10:30:00Z"}, "bd"),
        ("birthday", "eq", {"value": "1990-11-21"}, "d"),
        ("birthday", "lt", {"value": date(1990, 11, 21)}, ""),
    ],
)  # fmt: skip
def test_operators(field: str, op: str, operands: dict[str, Any], ids: str) -> None:
    assert filtered({"field": field, "op": op, **operands}) == ids


@pytest.mark.parametrize("sort", ["custom_fields.Seats", "customFields.Seats"])
def test_a_field_that_nobody_defined_is_sorted_as_text(sort: str) -> None:
    docs = [doc(id, custom_fields={"Seats": value}) for id, value in (("a", 9), ("b", "X"), ("c", None), ("d", 10))]
    for order, ids in (("asc", "dabc"), ("desc", "badc")):
        found = search(docs, {"sort": sort, "order": order}, FIELDS, text=[], now=NOW)
        assert "".join(d["id"] for d in found) == ids


def test_days_are_those_of_the_company() -> None:
    late = doc("x", created_at=datetime(2026, 11, 20, 23, 30, tzinfo=UTC))
    today = [{"filters": [{"field": "created_at", "op": "eq", "value": "today"}]}]
    assert not compile_filters(today, FIELDS, now=NOW)(late)
    assert compile_filters(today, FIELDS, now=NOW, zone=ZoneInfo("Europe/Berlin"))(late)


def test_groups_are_alternatives_and_filters_add_up() -> None:
    query = {
        "q": "o",
        "filter_groups": [
            {
                "filters": [
                    {"field": "status", "op": "eq", "value": "new"},
                    {"field": "tags", "op": "contains", "value": "vip"},
                ]
            },
            {"filters": [{"field": "name", "op": "starts_with", "value": "l"}]},
        ],
        "sort": "name",
        "order": "asc",
    }
    assert [d["id"] for d in search(DOCS, query, FIELDS, text=["name"], now=NOW)] == ["c", "d", "a"]


@pytest.mark.parametrize(
    ("groups", "code", "field"),
    [
        ([[{"field": "salary", "op": "eq", "value": 1}]], "UNKNOWN_FIELD", f"{FIRST}.field"),
        ([[{"field": "address.zip", "op": "eq", "value": 1}]], "UNKNOWN_FIELD", f"{FIRST}.field"),
        ([[{"field": "name", "op": "gt", "value": "a"}]], "INVALID_OPERATOR", f"{FIRST}.op"),
        ([[{"field": "custom_fields.Seats", "op": "gt", "value": 5}]], "INVALID_OPERATOR", f"{FIRST}.op"),
        ([[{"field": "name", "op": "like", "value": "a"}]], "INVALID_OPERATOR", f"{FIRST}.op"),
        ([[{"field": "value", "op": "eq", "value": "much"}]], "VALIDATION_ERROR", f"{FIRST}.value"),
        ([[{"field": "value", "op": "between", "value": 1}]], "VALIDATION_ERROR", f"{FIRST}.high_value"),
        ([[{"field": "created_at", "op": "gt", "value": "soon"}]], "VALIDATION_ERROR", f"{FIRST}.value"),
        ([[{"field": "created_at", "op": "gt", "value": "-9999y"}]], "VALIDATION_ERROR", f"{FIRST}.value"),
        ([[{"field": "status", "op": "in", "values": []}]], "VALIDATION_ERROR", f"{FIRST}.values"),
        ([[]], "VALIDATION_ERROR", "filter_groups.0.filters"),
        ([[{"field": "name", "op": "is_set"}], []], "VALIDATION_ERROR", "filter_groups.1.filters"),
        ([[{"field": "name", "op": "is_set"}]] * 6, "FILTER_TOO_LARGE", "filter_groups"),
        ([[{"field": "name", "op": "is_set"}] * 11], "FILTER_TOO_LARGE", "filter_groups"),
        ([[{"field": "name", "op": "is_set"}] * 9] * 3, "FILTER_TOO_LARGE", "filter_groups"),
    ],
)
def test_what_a_search_refuses(groups: list[list[dict[str, Any]]], code: str, field: str) -> None:
    with pytest.raises(Problem) as caught:
        compile_filters([{"filters": filters} for filters in groups], FIELDS, now=NOW)
    assert (caught.value.status, caught.value.code, caught.value.entries[0].field) == (422, code, field)
