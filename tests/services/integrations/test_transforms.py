"""What each transform makes of a value on its way in and out."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from server_stub.problems import Problem
from server_stub.services.integrations.transforms import inbound, outbound, result_type

MAPPING: dict[str, Any] = {
    "source_field": "theirs", "target_field": "ours", "transform": "none", "direction": "bidirectional",
    "default": None, "required": False, "lookup": None, "template": None,
}  # fmt: skip


def told(problem: Problem) -> tuple[Any, ...]:
    (entry,) = problem.entries
    return entry.field, entry.rule, entry.message


def test_each_transform_has_its_values() -> None:
    words = {"a": "1", "b": "1", "c": "2"}
    for transform, value, way_in, way_out in (
        ("none", " A ", " A ", " A "), ("none", "", None, None), ("none", [], None, None), ("none", 0, 0, 0),
        ("none", False, False, False), ("trim", " A ", "A", "A"), ("trim", "  ", None, None),
        ("lower", "Ab", "ab", "ab"),
        ("upper", "Ab", "AB", "AB"), ("title", "ab cd", "Ab Cd", "Ab Cd"), ("lower", 5, "5", "5"),
        ("split", "a, b;c|| d ", ["a", "b", "c", "d"], "a, b;c|| d "), ("split", ["a", "b"], ["a", "b"], "a, b"),
        ("join", ["a", 2], "a, 2", ["a", 2]), ("join", "a;b", "a;b", ["a", "b"]), ("split", ";", None, ";"),
        ("number", "1.234,5", Decimal("1234.5"), Decimal("1234.5")), ("number", 5, 5, 5), ("number", 1.5, 1.5, 1.5),
        ("number", Decimal(2), Decimal(2), Decimal(2)),
        *(("boolean", word, True, True) for word in ("true", " YES ", "y", "1", "on", 1, True)),
        *(("boolean", word, False, False) for word in ("false", "No", "n", "0", "off", 0, False)),
        ("date", " 2026-03-31 ", "2026-03-31", "2026-03-31"), ("date", date(2026, 3, 31), "2026-03-31", "2026-03-31"),
        ("date", datetime(2026, 3, 31, 12, tzinfo=UTC), "2026-03-31", "2026-03-31"),
        ("trim", date(2026, 3, 31), "2026-03-31", "2026-03-31"), ("lookup", "", None, None),
        ("trim", datetime(2026, 3, 31, 12, tzinfo=UTC), "2026-03-31T12:00:00+00:00", "2026-03-31T12:00:00+00:00"),
        ("lookup", "c", "2", None), ("lookup", "2", None, "c"), ("lookup", "1", None, "a"),
    ):  # fmt: skip
        mapping = {**MAPPING, "transform": transform, "lookup": words}
        made: list[Any] = []
        for make in (partial(inbound, mapping, {"theirs": value}), partial(outbound, mapping, {}, value)):
            try:
                made.append(make())
            except Problem:
                made.append(None)
        assert made == [way_in, way_out], (transform, value)
        assert [type(one) for one in made] == [type(way_in), type(way_out)], (transform, value)


def test_what_no_transform_makes_anything_of_is_refused_by_the_name_of_its_place() -> None:
    for transform, value, rule, message in (
        ("number", True, "type", "'True' is not a number"), ("number", "five", "type", "'five' is not a number"),
        ("boolean", "maybe", "type", "'maybe' is neither yes nor no"),
        ("date", "31.3.2026", "format", "'31.3.2026' is not a date like YYYY-MM-DD"),
        ("lookup", "c", "choice", "the lookup has no 'c'"),
    ):  # fmt: skip
        mapping = {**MAPPING, "transform": transform, "lookup": {"a": "b"}}
        for field, make in (
            ("ours", partial(inbound, mapping, {"theirs": value})), ("theirs", partial(outbound, mapping, {}, value)),
        ):  # fmt: skip
            with pytest.raises(Problem) as caught:
                make()
            assert told(caught.value) == (field, rule, message)
        if transform == "lookup":
            assert caught.value.details == {"choices": ["b"]}


def test_a_default_and_a_template_stand_in_for_what_is_not_there() -> None:
    for changed, record, found in (
        ({"default": "x"}, {}, "x"), ({"default": "x"}, {"theirs": ""}, "x"), ({"default": "x"}, {"theirs": 0}, 0),
        ({"default": "YES", "transform": "boolean"}, {}, True), ({"default": "x", "transform": "lookup"}, {}, "x"),
        ({"default": "x", "transform": "lookup", "lookup": {"a": "b"}}, {"theirs": "c"}, "x"),
        ({"default": "x", "transform": "lookup", "lookup": {"a": "b"}}, {"theirs": "a"}, "b"),
        ({"transform": "template", "template": " {{a}} of {{ b }} "}, {"a": 1, "b": None}, "1 of"),
        ({"transform": "template", "template": "{{a}} of {{ b }}"}, {"a": "", "b": "B"}, "of B"),
        ({"transform": "template", "template": "{{a}} of {{ b }}"}, {"a": ""}, None),
        ({"transform": "template", "template": "{{a}}", "default": "x"}, {"a": []}, "x"),
    ):  # fmt: skip
        assert inbound({**MAPPING, **changed}, record) == found, changed
    for direction, found in (("outbound", "x"), ("bidirectional", None)):
        assert outbound({**MAPPING, "direction": direction, "default": "x"}, {}, None) == found
    for value, transform in (("", "none"), ("  ", "trim"), (None, "none"), ([], "none"), ("", "lookup")):
        needed = {**MAPPING, "required": True, "transform": transform}
        for field, make in (
            ("ours", partial(inbound, needed, {"theirs": value})), ("theirs", partial(outbound, needed, {}, value)),
        ):  # fmt: skip
            with pytest.raises(Problem) as caught:
                make()
            assert told(caught.value) == (
                field, "required", f"the mapping to {field} requires a value",
            )  # fmt: skip
    assert inbound({**MAPPING, "required": True}, {"theirs": 0}) == 0
    for transform, made in (
        ("none", "number"), ("trim", "text"), ("join", "text"), ("template", "text"), ("date", "date"),
        ("number", "number"), ("boolean", "boolean"), ("split", "list"), ("lookup", "any"),
    ):  # fmt: skip
        assert result_type(transform, "number") == made
