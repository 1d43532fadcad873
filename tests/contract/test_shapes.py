"""The shapes of the documents: they fit the documents' own examples, and what does not fit is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from shapes import CONTRACT, Shapes

ANSWERS = json.loads((CONTRACT / "answers.json").read_text())["mvp"]
DOCUMENT = json.loads((CONTRACT / "mvp-examples.json").read_text())
EXAMPLES = {
    f"{example['method']} {example['path']}": example["response"]
    for example in DOCUMENT
    if "path" in example and "response" in example
}
LEAD = EXAMPLES["GET /api/leads"]["leads"][0]
WORDS = Shapes(
    {
        "Thing": {"id note?": "string", "share": "0-1", "mood": "-100-100", "stars": "1 | 2 | 3", "ok": "true"},
        "Box": {"things": "Thing[]", "counts": "Record<string, number>", "day": "Day", "free": "object", "rest": "any"},
    },
    {"Thing": {"share": "null: nobody measured it"}},
)
THING = {"id": "t", "share": 0.5, "mood": -7, "stars": 2, "ok": True}
BOX = {"things": [THING], "counts": {"any_name": 1}, "day": "2026-01-15", "free": {"any_name": 1}, "rest": [1]}


@pytest.mark.parametrize("endpoint", EXAMPLES)
def test_the_documents_own_answers_fit_and_no_member_of_them_is_left_out(endpoint: str) -> None:
    shapes = Shapes.of("mvp")
    assert list(shapes.wrong(EXAMPLES[endpoint], ANSWERS[endpoint]["answer"])) == []
    known = {name for members in shapes.models.values() for name in members}
    assert names(EXAMPLES[endpoint], {"config", "data", "parameters", "sourceBreakdown"}) <= known


def test_the_documents_own_error_fits() -> None:
    (error,) = (example["payload"] for example in DOCUMENT if example["section"] == "Error Handling")
    for dialect in ("mvp", "flow"):
        assert list(Shapes.of(dialect).wrong(error, "Error")) == []
        assert list(Shapes.of(dialect).wrong(error["error"]["details"], "Mistake")) == []


def names(value: Any, free: set[str]) -> set[str]:
    """Return the names of all members within a value, but for what is within the free ones."""
    if isinstance(value, list):
        return set[str]().union(*(names(item, free) for item in value))
    if not isinstance(value, dict):
        return set()
    inner = (names(item, free) for name, item in value.items() if name not in free)
    return set(value).union(*inner)


@pytest.mark.parametrize("name", LEAD)
def test_a_member_that_is_missing_or_of_another_type_is_told(name: str) -> None:
    shapes = Shapes.of("mvp")
    rest = {other: value for other, value in LEAD.items() if other != name}
    assert list(shapes.wrong(rest, "Lead")) == [f".{name} is missing"]
    stranges: list[Any] = [[LEAD[name]], {}, True]
    for strange in stranges:
        (told,) = shapes.wrong(LEAD | {name: strange}, "Lead")
        assert told.startswith(f".{name}: {strange!r} is no ")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"status": "lukewarm"}, ".status: 'lukewarm' is no 'new' | 'contacted' | 'qualified' | 'converted' | "),
        ({"name": None}, ".name: None is no string"),
        ({"value": "5000"}, ".value: '5000' is no number"),
        ({"createdAt": "2024-01-15"}, ".createdAt: '2024-01-15' is no Date"),
        ({"createdAt": "2024-01-15T10:30:00"}, ".createdAt: '2024-01-15T10:30:00' is no Date"),
        ({"created_by": "user_1"}, ".created_by is not in camelCase"),
        ({"owner": {"first_name": "Ada"}}, ".owner.first_name is not in camelCase"),
        ({"owner": [{"firstName": "Ada"}, {"last_name": "L"}]}, ".owner.1.last_name is not in camelCase"),
    ],
)
def test_what_does_not_fit_is_told_once(changed: dict[str, Any], told: str) -> None:
    (found,) = Shapes.of("mvp").wrong(LEAD | changed, "Lead")
    assert found.startswith(told)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"share": 1.5}, ".things.0.share: 1.5 is no 0-1"),
        ({"share": -0.1}, ".things.0.share: -0.1 is no 0-1"),
        ({"mood": -101}, ".things.0.mood: -101 is no -100-100"),
        ({"stars": 4}, ".things.0.stars: 4 is no 1 | 2 | 3"),
        ({"stars": True}, ".things.0.stars: True is no 1 | 2 | 3"),
        ({"stars": "1"}, ".things.0.stars: '1' is no 1 | 2 | 3"),
        ({"ok": False}, ".things.0.ok: False is no true"),
        ({"note": None}, ".things.0.note: None is no string"),
    ],
)
def test_within_a_list_too(changed: dict[str, Any], told: str) -> None:
    assert list(WORDS.wrong(BOX | {"things": [THING | changed]}, "Box")) == [told]


@pytest.mark.parametrize(
    "changed",
    [{"things": {}}, {"things": [[]]}, {"counts": {"a": "1"}}, {"counts": []}, {"day": "15.1.2026"}, {"free": []},
     {"rest": None}],
)  # fmt: skip
def test_every_kind_of_type_refuses_something(changed: dict[str, Any]) -> None:
    assert len(list(WORDS.wrong(BOX | changed, "Box"))) == 1


def test_what_fits_fits() -> None:
    assert (
        list(WORDS.wrong(BOX | {"things": [THING, THING | {"share": None, "note": "n"}], "moreThings": 1}, "Box")) == []
    )
    assert WORDS.seen >= {("Thing", "note"), ("Box", "free")} and ("Thing", "other") not in WORDS.seen


def test_a_type_or_a_member_that_is_misspelt_is_an_error() -> None:
    with pytest.raises(AssertionError, match="no document has the type Leed"):
        list(WORDS.wrong({}, "Leed"))
    with pytest.raises(AssertionError, match="Thing has no"):
        Shapes({"Thing": {"id": "string"}}, {"Thing": {"shoeSize": "null: why"}})
