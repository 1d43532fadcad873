"""What the lenient reader lets through: attributes fit their types, and a record is usable or an error."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from canned_answers import Canned
from pydantic import TypeAdapter

import crm_sdk.models
from crm_sdk import InvalidResponseError, UnsupportedOperationError
from crm_sdk.models import Lead
from crm_sdk.models.record import Model
from crm_sdk.reading import Reader, Unreadable

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
