"""The values of fields: what each type takes, what it refuses and why, and how it is answered."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient

from .conftest import Add, Define, field, select

CONTACT = "contact_123"
GOOD: list[tuple[Any, Any, Any]] = [
    (field("x", "text"), "hi", "hi"),
    (field("x", "text", max_length=2), "hi", "hi"),
    (field("x", "text", pattern="[A-Z]{2}"), "AB", "AB"),
    (field("x", "text", max_length=255), "y" * 255, "y" * 255),
    (field("x", "text", min_length=2, max_length=2), "hi", "hi"),
    (field("x", "integer", min_value=7, max_value=7), 7, 7),
    (field("x", "url", max_length=2_048), "https://example.com", "https://example.com"),
    (field("x", "date"), "1900-01-01", "1900-01-01"),
    (field("x", "date"), "2999-12-31", "2999-12-31"),
    (field("x", "decimal"), Decimal("999999999999999"), Decimal("999999999999999")),
    (field("x", "long_text"), "y" * 65_535, "y" * 65_535),
    (field("x", "integer", min_value=1, max_value=7), 7, 7),
    (field("x", "integer"), 7.0, 7),
    (field("x", "decimal", precision=1), Decimal("7.5"), Decimal("7.5")),
    (field("x", "decimal"), Decimal("0.12345678"), Decimal("0.12345678")),
    (field("x", "currency"), Decimal("-7.25"), Decimal("-7.25")),
    (field("x", "currency", currency="EUR", precision=4), Decimal("7.1234"), Decimal("7.1234")),
    (field("x", "boolean"), False, False),
    (field("x", "date"), date(2026, 2, 28), "2026-02-28"),
    (field("x", "date"), "2026-02-28", "2026-02-28"),
    (field("x", "datetime"), datetime(2026, 2, 28, 9, tzinfo=UTC), "2026-02-28T09:00:00Z"),
    (field("x", "datetime"), "2026-02-28T09:00:00.123456+01:00", "2026-02-28T08:00:00.123Z"),
    (field("x", "email"), "Ada@Example.COM", "ada@example.com"),
    (field("x", "phone"), "+49 30 901820", "+4930901820"),
    (field("x", "phone"), "ask Ada", "ask Ada"),
    (field("x", "url"), " https://example.com/a ", "https://example.com/a"),
    (select("x"), "red", "red"),
    (select("x", "multi_select"), ["red", "blue", "red"], ["red", "blue"]),
    (field("x", "reference", reference_to="contact"), CONTACT, CONTACT),
]
BAD: list[tuple[Any, Any, str]] = [
    (field("x", "text"), 7, "type"),
    (field("x", "text"), "y" * 256, "length"),
    (field("x", "text", max_length=2), "hey", "length"),
    (field("x", "text", min_length=2), "h", "length"),
    (field("x", "text", pattern="[A-Z]{2}"), "ABC", "format"),
    (field("x", "text", pattern="[A-Z]{2}"), "AB\n", "format"),
    (field("x", "long_text", pattern="(a+)+"), "a" * 65_000 + "b", "format"),  # a backtracking engine never ends
    (field("x", "long_text"), "y" * 65_536, "length"),
    (field("x", "integer"), "7", "type"),
    (field("x", "integer"), True, "type"),
    (field("x", "integer"), 7.5, "type"),
    (field("x", "integer", min_value=1), 0, "min"),
    (field("x", "integer", max_value=7), 8, "max"),
    (field("x", "integer"), 10**16, "max"),
    (field("x", "integer"), 10**15, "max"),
    (field("x", "integer"), -(10**15), "min"),
    (field("x", "date"), "1899-12-31", "min"),
    (field("x", "decimal"), "7.5", "type"),
    (field("x", "decimal", precision=1), Decimal("7.55"), "format"),
    (field("x", "decimal"), Decimal("0.123456789"), "format"),
    (field("x", "currency"), Decimal("7.255"), "format"),
    (field("x", "currency", min_value=0), -1, "min"),
    (field("x", "boolean"), "yes", "type"),
    (field("x", "boolean"), 1, "type"),
    (field("x", "date"), "28.2.2026", "format"),
    (field("x", "date"), "2026-02-30", "format"),
    (field("x", "date"), "1776-07-04", "min"),
    (field("x", "date"), "3000-01-01", "max"),
    (field("x", "date"), 20260228, "type"),
    (field("x", "datetime"), "2026-02-28", "format"),
    (field("x", "datetime"), "2026-02-28T09:00:00", "format"),
    (field("x", "datetime"), 7, "type"),
    (field("x", "datetime"), "2026-02-30T09:00:00Z", "format"),
    (field("x", "datetime"), "soon", "format"),
    (field("x", "email"), "ada", "format"),
    (field("x", "phone"), "1" * 51, "length"),
    (field("x", "url"), "example.com", "format"),
    (select("x"), "pink", "choice"),
    (select("x"), ["red"], "type"),
    (select("x", "multi_select"), "red", "type"),
    (select("x", "multi_select"), ["red", "pink"], "choice"),
    (field("x", "reference", reference_to="contact"), "contact_nobody", "reference"),
    (field("x", "reference", reference_to="contact"), 7, "type"),
    (field("x", "auto_number"), "0007", "read_only"),
]


def test_values_are_stored_as_their_types(platform: CrmClient, define: Define, add: Add) -> None:
    for key, given, answered in GOOD:
        thing = define(key)
        made = add(thing, x=given)
        assert made.fields["x"] == answered
        same = platform.custom_objects.records.update(thing.id, made.id, {"fields": {"x": made.fields["x"]}})
        assert same.version == 1, "what was answered can be sent back, and is no change"
        assert platform.custom_objects.records.get(thing.id, made.id) == made


def test_what_is_no_value_of_its_type_is_refused_by_its_rule(platform: CrmClient, define: Define, add: Add) -> None:
    for key, given, rule in BAD:
        thing = define({**key, "api_name": "go_live"})
        made = add(thing)
        for call in (
            partial(add, thing, go_live=given),
            partial(platform.custom_objects.records.update, thing.id, made.id, {"fields": {"go_live": given}}),
        ):
            error = refused(call)
            assert error.status == 422
            assert [(one.rule, one.field) for one in error.fields] == [(rule, "fields.go_live")]
        assert platform.custom_objects.records.list(thing.id).total == 1


@pytest.mark.parametrize("empty", [None, "", []], ids=str)
def test_an_empty_value_is_none(platform: CrmClient, define: Define, add: Add, empty: Any) -> None:
    thing = define(field("x"))
    made = add(thing, x="there")
    assert "x" not in platform.custom_objects.records.update(thing.id, made.id, {"fields": {"x": empty}}).fields
    assert "x" not in add(thing, x=empty).fields


def test_every_wrong_value_is_named_at_once(define: Define, add: Add) -> None:
    thing = define(field("x", "integer"), field("y", "date", required=True))
    error = refused(lambda: add(thing, x="a", stray=1))
    assert {(one.field, one.rule) for one in error.fields} == {
        ("fields.x", "type"), ("fields.stray", "unknown"), ("fields.y", "required"),
    }  # fmt: skip


def test_an_assigned_number_is_neither_cleared_nor_changed(platform: CrmClient, define: Define, add: Add) -> None:
    cases: list[Any] = [None, "", [], "0002"]
    for given in cases:
        thing = define(field("x", "auto_number"))
        made, number = add(thing, x=None), "0001"
        assert made.fields["x"] == number, "there was nothing to clear"
        change = platform.custom_objects.records.update
        error = refused(partial(change, thing.id, made.id, {"fields": {"x": given}}))
        assert [(one.field, one.rule) for one in error.fields] == [("fields.x", "read_only")], given
        assert change(thing.id, made.id, {"fields": {"x": number}}) == made, given


def test_a_reference_is_to_what_its_writer_sees(platform: CrmClient, sales: CrmClient, define: Define) -> None:
    thing = define(field("shown", "reference", reference_to="report"))
    reports = {
        visibility: platform.reports.create(
            {"name": "R", "entity_type": "lead", "columns": [{"field": "name"}], "visibility": visibility}
        ).id
        for visibility in ("private", "tenant")
    }
    for crm, visibility, taken in (
        (platform, "private", True), (platform, "tenant", True), (sales, "private", False), (sales, "tenant", True),
    ):  # fmt: skip
        create = partial(
            crm.custom_objects.records.create, thing.id, {"fields": {"name": "x", "shown": reports[visibility]}}
        )
        if taken:
            assert create().fields["shown"] == reports[visibility]
        else:
            assert [(one.code, one.field) for one in refused(create).fields] == [
                ("REFERENCE_NOT_FOUND", "fields.shown")
            ]


def test_a_value_that_is_wrong_is_wrong_once(platform: CrmClient, define: Define) -> None:
    """It is not lacking as well; what a change does not name is not looked at, nor is an automatic number."""
    thing = define(field("x", "integer", required=True), field("no", "auto_number", format="N-{0}"))
    create = platform.custom_objects.records.create
    cases: list[tuple[Any, list[tuple[str, str]]]] = [
        ({"x": "many"}, [("fields.x", "type")]), ({}, [("fields.x", "required")]),
        ({"x": "many", "stray": 1}, [("fields.x", "type"), ("fields.stray", "unknown")]),
    ]  # fmt: skip
    for given, errors in cases:
        error = refused(partial(create, thing.id, {"fields": {"name": "a", **given}}))
        assert [(one.field, one.rule) for one in error.fields] == errors, given
    made = create(thing.id, {"fields": {"name": "a", "x": 1}})
    assert platform.custom_objects.records.update(thing.id, made.id, {"fields": {"name": "b"}}).fields == {
        "name": "b", "x": 1, "no": made.fields["no"],
    }  # fmt: skip
