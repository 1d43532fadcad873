"""What a field may be by itself, and what the values of records forbid: each bound from both sides."""

from __future__ import annotations

from functools import partial
from typing import Any

from refusals import refused

from crm_sdk import CrmClient

from .conftest import Add, Define, field, select


def test_bounds_may_be_equal_and_not_crossed(platform: CrmClient, define: Define) -> None:
    thing, fields = define(), platform.custom_objects.fields
    for number, (type, low, high) in enumerate(
        (
            ("integer", "min_value", "max_value"),
            ("decimal", "min_value", "max_value"),
            ("text", "min_length", "max_length"),
        )
    ):
        for least, most, fits in ((2, 2, True), (1, 2, True), (3, 2, False), (0, 0, type != "text"), (1, 0, False)):
            given = field(f"f{number}_{least}_{most}", type, **{low: least, high: most})
            if fits:
                made = fields.create(thing.id, given)
                assert (getattr(made, low), getattr(made, high)) == (least, most)
            elif most:
                error = refused(partial(fields.create, thing.id, given))
                assert [(one.field, one.rule) for one in error.fields] == [(high, "min")], given


def test_what_is_wrong_with_a_field_is_named_all_at_once(platform: CrmClient, define: Define) -> None:
    thing, fields = define(), platform.custom_objects.fields
    cases: list[tuple[Any, list[tuple[str, str]]]] = [
        (field("x", "integer", options=[], currency="EUR", pattern="(", min_value=2, max_value=1),
         [("pattern", "choice"), ("currency", "choice"), ("max_value", "min"), ("pattern", "format")]),
        (field("x", "boolean", min_length=1, format="{0}", reference_to="contact"),
         [("min_length", "choice"), ("reference_to", "choice"), ("format", "choice")]),
        (select("x", default="pink", precision=1), [("precision", "choice")]),
        (field("x", "auto_number", format="no", options=[{"value": "a", "label": "A"}]),
         [("options", "choice"), ("format", "format")]),
    ]  # fmt: skip
    for given, errors in cases:
        error = refused(partial(fields.create, thing.id, given))
        assert [(one.field, one.rule) for one in error.fields] == errors, given
    assert len(platform.custom_objects.get(thing.id).fields) == 1


def test_a_field_has_what_is_not_said(platform: CrmClient, define: Define) -> None:
    """Options lie as they are given, but where they say it; a currency is the company's; a field comes last."""
    thing, fields = define(), platform.custom_objects.fields
    options: Any = [
        {"value": "a", "label": "A"}, {"value": "b", "label": "B", "position": 0, "color": "#fff000", "active": False},
        {"value": "c", "label": "C"},
    ]  # fmt: skip
    made = fields.create(thing.id, field("x", "select", options=options))
    assert [(one.value, one.position, one.color, one.active) for one in made.options] == [
        ("a", 0, None, True), ("b", 0, "#fff000", False), ("c", 2, None, True),
    ]  # fmt: skip
    assert made.position == 1
    money = fields.create(thing.id, field("m", "currency"))
    assert (money.currency, money.position) == ("USD", 2)
    assert fields.create(thing.id, field("e", "currency", currency="EUR")).currency == "EUR"
    count = fields.create(thing.id, field("n", "auto_number", position=9))
    assert (count.format, count.position) == ("{0000}", 9)
    assert fields.create(thing.id, field("z")).position == 10
    turned: Any = [{"value": value, "label": value, "position": at} for value, at in (("a", 5), ("c", 1), ("b", 3))]
    changed = fields.update(thing.id, "x", {"options": turned})
    assert [(one.value, one.position) for one in changed.options] == [("c", 1), ("b", 3), ("a", 5)]


def test_a_new_field_is_refused_for_records_that_it_does_not_fit(platform: CrmClient, define: Define, add: Add) -> None:
    thing, fields = define(), platform.custom_objects.fields
    fields.create(thing.id, field("early", required=True))
    fields.create(thing.id, field("once", unique=True, default="a"))
    first = add(thing, early="x")
    assert first.fields == {"name": "Some", "early": "x", "once": "a"}
    for given, code in (
        (field("need", required=True), "FIELD_NEEDS_DEFAULT"), (field("need", required=True, default="d"), None),
        (field("no", "auto_number", required=True), None), (field("free"), None), (field("sole", unique=True), None),
        (field("lone", unique=True, default="b"), None),
    ):  # fmt: skip
        if code is None:
            fields.create(thing.id, given)
            continue
        error = refused(partial(fields.create, thing.id, given))
        assert (error.status, error.code, error.details) == (409, code, {"recordIds": [first.id], "recordCount": 1})
    second = add(thing, early="y", once="b", lone="c")
    for given, code in (
        (field("two", unique=True, default="b"), "FIELD_HAS_CONFLICTS"), (field("two", unique=True), None),
    ):  # fmt: skip
        if code is None:
            fields.create(thing.id, given)
            continue
        error = refused(partial(fields.create, thing.id, given))
        assert (error.status, error.code, error.details["recordCount"]) == (409, code, 2)
        assert set(error.details["recordIds"]) == {first.id, second.id}


def test_twenty_records_of_those_that_a_rule_breaks_are_named(platform: CrmClient, define: Define, add: Add) -> None:
    thing = define(field("x"))
    for number in range(22):
        add(thing, x="same" if number < 21 else f"own {number}")
    add(thing)
    cases: list[tuple[Any, int]] = [({"unique": True}, 21), ({"pattern": "own.*"}, 21), ({"required": True}, 1)]
    for changes, count in cases:
        error = refused(partial(platform.custom_objects.fields.update, thing.id, "x", changes))
        assert (error.code, error.details["recordCount"], len(error.details["recordIds"])) == (
            "FIELD_HAS_CONFLICTS", count, min(count, 20),
        )  # fmt: skip
        tried = platform.custom_objects.fields.validate(thing.id, changes, field_id="x")
        assert (tried.affected_records, len(tried.conflicts)) == (count, min(count, 20))
    error = refused(lambda: platform.custom_objects.fields.delete(thing.id, "x"))
    assert (error.code, error.details["recordCount"], error.details["values"], len(error.details["recordIds"])) == (
        "FIELD_IN_USE", 22, 22, 20,
    )  # fmt: skip
    assert platform.custom_objects.fields.update(thing.id, "x", {"max_length": 6}).max_length == 6


def test_options_that_records_have_stay(platform: CrmClient, define: Define, add: Add) -> None:
    thing = define(select("x", "multi_select"), select("y"))
    first = add(thing, x=["red", "blue"])
    second = add(thing, x=["red"], y="green")
    fields = platform.custom_objects.fields
    for name, kept, held, gone in (
        ("x", ["green"], [first.id, second.id], ["blue", "red"]), ("x", ["red", "green"], [first.id], ["blue"]),
        ("y", ["red"], [second.id], ["blue", "green"]), ("y", ["green"], [], []), ("x", ["red", "blue"], [], []),
    ):  # fmt: skip
        changes: Any = {"options": [{"value": value, "label": value} for value in kept]}
        if not held:
            assert [one.value for one in fields.update(thing.id, name, changes).options] == kept
            continue
        error = refused(partial(fields.update, thing.id, name, changes))
        assert (error.code, set(error.details["recordIds"]), error.details["options"]) == (
            "OPTION_IN_USE", set(held), gone,
        )  # fmt: skip
        assert error.details["recordCount"] == len(held)


def test_a_reference_is_to_a_record_of_its_own_object(define: Define, add: Add) -> None:
    other, strange = define(), define()
    thing = define(field("x", "reference", reference_to=other.api_name))
    own, foreign = add(other).id, add(strange).id
    assert add(thing, x=own).fields["x"] == own
    for id in (foreign, "record_nobody"):
        error = refused(partial(add, thing, x=id))
        assert (error.code, error.fields[0].field) == ("REFERENCE_NOT_FOUND", "fields.x")
