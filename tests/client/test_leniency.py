"""What the lenient reader lets through: attributes fit their types, and a record is usable or an error."""

from __future__ import annotations

import json
import logging
import math
import pickle
from collections.abc import Callable
from typing import Annotated, Any, Literal, NotRequired

import pytest
from canned_answers import Canned
from pydantic import TypeAdapter

import crm_sdk.models
from crm_sdk import InvalidResponseError, UnsupportedOperationError
from crm_sdk.models import Lead
from crm_sdk.models.record import Mismatch, Model
from crm_sdk.reading import Reader, Unreadable, choices_of, report

Make = Callable[..., Any]
Call = Callable[[Any], Any]


def kinds(value: Any) -> list[tuple[str, str]]:
    return [(mismatch.path, mismatch.kind) for mismatch in value.mismatches]


def read(body: Any, *, strict: bool = False, kind: Any = Lead) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reader(kind).read(content, strict=strict)[0]


ANY_MODEL = [
    kind
    for kind in (getattr(crm_sdk.models, name) for name in crm_sdk.models.__all__)
    if isinstance(kind, type) and issubclass(kind, Model)
]
SCALARS: list[Any] = ["text", -1.5, True, None, [], {}, [None, "text", 7], {"id": 5}, float("nan"), float("inf")]


@pytest.mark.parametrize("wrong", SCALARS, ids=repr)
def test_whatever_a_member_is_its_attribute_fits_its_type_or_is_none(wrong: Any) -> None:
    """Of every model: no attribute has a type that nobody expects, and what was read can be written out."""
    for kind in ANY_MODEL:
        if kind.__pydantic_generic_metadata__["parameters"]:
            continue
        body = {field.alias or name: wrong for name, field in kind.model_fields.items()}
        try:
            found = read(json.dumps(body).encode(), kind=kind)
        except Unreadable:
            continue
        for name, field in kind.model_fields.items():
            value = getattr(found, name)
            items = value if isinstance(value, list) else [value]
            assert not any(isinstance(item, float) and not math.isfinite(item) for item in items), f"{kind}.{name}"
            if value is not None and not any(isinstance(item, Model | dict) for item in items):
                TypeAdapter[object](field.annotation or object).validate_python(value)
        assert found.model_dump_json() and found.model_dump_json(by_alias=True, exclude_unset=True)
        assert isinstance(found.model_dump(mode="json"), dict) and pickle.dumps(found)


@pytest.mark.parametrize("value", [b"NaN", b"Infinity", b"-Infinity", b'"NaN"'])
def test_an_amount_that_is_no_number_is_none(value: bytes) -> None:
    lead = read(b'{"id": "l", "name": "Ada", "status": "new", "value": ' + value + b"}")
    assert lead.value is None and [mismatch.path for mismatch in lead.mismatches] == ["value"]
    assert json.loads(lead.model_dump_json(exclude_unset=True))["value"] is None


STRANGERS: list[Any] = [
    {},
    {"message": "down for maintenance"},
    {"status": "error"},
    {"leads": [], "total": 0},
    {"id": ""},
]


@pytest.mark.parametrize("stranger", STRANGERS, ids=str)
@pytest.mark.parametrize("dialect", ["mvp", "flow", "platform"])
@pytest.mark.parametrize(
    "attempt",
    [
        lambda client: client.leads.get("x"),
        lambda client: client.leads.create({"name": "Ada"}),
        lambda client: client.leads.update("x", {"name": "Ada"}),
        lambda client: client.auth.login("ada@acme.test", "password"),
        lambda client: client.contacts.imports.create(("a.csv", b"name")),
    ],
    ids=["get", "create", "update", "sign-in", "job"],
)
def test_an_object_that_is_something_else_is_no_answer(
    make: Make, call: Call, server: Canned, attempt: Any, dialect: Any, stranger: Any
) -> None:
    server.says({"data": stranger, "success": True} if dialect == "platform" else stranger)
    with pytest.raises((InvalidResponseError, UnsupportedOperationError)):
        call(attempt(make(dialects=dialect, max_retries=0)))


def test_a_web_page_is_no_download(make: Make, call: Call, server: Canned) -> None:
    server.says(content=b"<html>sign in</html>", content_type="text/html; charset=utf-8")
    for dialects in ("platform", None):
        with pytest.raises(InvalidResponseError, match="page of HTML"):
            call(make(dialects=dialects).contacts.export(format="csv"))


# -- what is said of a deviation ---------------------------------------------------------------------------------------


def noted(count: int) -> list[Mismatch]:
    return [Mismatch(f"member{'x' * number}", "missing", "it is missing") for number in range(count)]


def test_a_thousand_kinds_of_deviations_are_logged_each_once(caplog: pytest.LogCaptureFixture) -> None:
    reported: set[tuple[str, str, str]] = set()
    with caplog.at_level(logging.WARNING, "crm_sdk"):
        for count in (999, 999, 1_000, 1_001):
            report("leads.get", noted(count), reported)
        report("leads.get", [Mismatch("member", "int_parsing", "no number")], set())
        report("leads.get", [Mismatch(f"rows.{number}.a1", "missing", "it is missing") for number in range(9)], set())
    assert (len(reported), len(caplog.records)) == (1_000, 1_002)
    assert "at rows.*.a1: it is missing" in caplog.records[-1].getMessage()


class Shape(Model):
    width: int
    height: int


class Ball(Model):
    radius: int
    colour: str
    weight: int | None = None


@pytest.mark.parametrize(("count", "end"), [(5, ""), (6, "; and 1 more"), (7, "; and 2 more")])
def test_five_deviations_are_named_and_the_others_counted(count: int, end: str) -> None:
    row = {"width": "wide", "height": 1}
    with pytest.raises(Unreadable) as raised:
        read([row] * count, strict=True, kind=list[Shape])
    said = str(raised.value)
    assert said.count("width: Input should be") == 5 and len(raised.value.mismatches) == count
    assert said.endswith(end) and ("more" in said) is bool(end)


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        (Shape, [], "a Shape was expected, not an array"), (Shape, "x", "a Shape was expected, not a str"),
        (Shape, None, "a Shape was expected, not null"), (Shape, 5, "a Shape was expected, not a int"),
        (list[Shape], {}, "an array was expected, not an object"),
        (list[Shape], None, "an array was expected, not null"),
    ],
)  # fmt: skip
def test_what_is_of_another_kind_is_named(kind: Any, body: Any, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        read(body, kind=kind)


@pytest.mark.parametrize(
    ("body", "kind", "kinds_noted"),
    [
        ({"width": 1, "height": "x"}, Shape, [("height", "int_parsing")]),
        ({"radius": 1, "colour": 5}, Ball, [("colour", "string_type")]),
        ({"width": 1, "radius": 1}, Shape, [("height", "missing")]),
        ({"radius": "x", "colour": "red", "width": "y", "height": "z"}, Ball, [("radius", "int_parsing")]),
    ],
)
def test_of_several_kinds_the_one_is_taken_that_fits_best_or_comes_first(
    body: dict[str, Any], kind: type[Model], kinds_noted: list[tuple[str, str]]
) -> None:
    either: Any = Shape | Ball
    found = read(body, kind=either)
    assert type(found) is kind and kinds(found) == kinds_noted


def test_a_value_by_itself_has_a_path_too() -> None:
    _, mismatches = Reader[Any](int).read(b'"x"', strict=False)
    assert [(each.path, each.kind) for each in mismatches] == [("the answer", "int_parsing")]
    found, mismatches = Reader[Any](dict[str, float]).read(b'{"a": NaN, "b": "x", "c": 1.5}', strict=False)
    assert found == {"a": None, "b": None, "c": 1.5}
    assert [(each.path, each.kind) for each in mismatches] == [("a", "finite_number"), ("b", "float_parsing")]
    found, mismatches = Reader[Any](dict[str, int]).read(b'{"a": 1, "b": "x", "c": {}}', strict=False)
    assert found == {"a": 1, "b": None, "c": None}
    assert [each.path for each in mismatches] == ["b", "c"]
    assert Reader[Any](dict[str, int]).fit({"a": 1}) == ({"a": 1}, ())
    value, mismatches = Reader[Any](Shape).fit({"width": 1})
    assert (value.width, value.height, [each.path for each in mismatches]) == (1, None, ["height"])


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (Literal["a", "b"], ("a", "b")), (Literal["a", 5] | None, ("a", "5")), (list[Literal["a"]], ("a",)),
        (Annotated[Literal["a"] | str, "odd"], ("a",)), (NotRequired[Literal["a"]], ("a",)),
        (str, ()), (int | None, ()),
    ],
    ids=str,
)  # fmt: skip
def test_the_values_of_an_enumeration_are_those_of_its_literals(annotation: Any, words: tuple[str, ...]) -> None:
    assert choices_of(annotation) == words
