"""The OpenAPI documents: valid, whole, with true examples and a text for everything; served, and printed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import Field

from crm_sdk.catalogue import declared_operations
from crm_sdk.dialects import DIALECTS
from crm_sdk.models.patterns import FORMS
from crm_sdk.openapi import document
from crm_sdk.openapi.schemas import Schemas, component_name
from crm_sdk.operation import Operation
from crm_sdk.route import PAGING, Route
from crm_sdk.vocabulary import texts
from crm_sdk.vocabulary.codes import codes_of
from server_stub import StubServer
from server_stub.request.http import Request

written = cache(document)
OPERATIONS = list(declared_operations())
ROUTES = [(operation, route) for operation in OPERATIONS for route in operation.routes.values()]
NAMES = [f"{operation.id} {route.dialect.name}" for operation, route in ROUTES]
PYTHON_WORDS = re.compile(r"\b(None|True|False|dict|datetime|Decimal|kwargs)\b|\w+=|``")


def described(operation: Operation[..., Any], route: Route) -> dict[str, Any]:
    found: dict[str, Any] = written(route.dialect.name)["paths"][route.path][route.method.lower()]
    return found


@pytest.mark.thorough
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_document_is_valid(dialect: str) -> None:
    OpenAPIV31SpecValidator(written(dialect)).validate()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_document_has_every_call_of_its_dialect_and_no_other(dialect: str) -> None:
    calls = [call for path in written(dialect)["paths"].values() for call in path.values()]
    declared = [operation for operation, route in ROUTES if route.dialect.name == dialect]
    assert sorted(call["operationId"] for call in calls) == sorted(operation.id for operation in declared)
    assert {call["operationId"] for call in calls if call.get("x-origin") == "ours"} == {
        operation.id for operation in declared if operation.is_ours(dialect)
    }
    tags = {tag["name"] for tag in written(dialect)["tags"]}
    assert tags == {tag for call in calls for tag in call["tags"]}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_call_is_in_the_group_of_its_service(dialect: str) -> None:
    services: dict[str, set[str]] = {}
    for path in written(dialect)["paths"].values():
        for call in path.values():
            (tag,) = call["tags"]
            services.setdefault(call["operationId"].partition(".")[0], set()).add(tag)
    assert all(len(tags) == 1 for tags in services.values()), services
    assert len(services) == len(set.union(*services.values())) == len(written(dialect)["tags"])


@pytest.mark.parametrize(("operation", "route"), ROUTES, ids=NAMES)
def test_a_call_has_all_its_arguments(operation: Operation[..., Any], route: Route) -> None:
    call = described(operation, route)
    given = {name for name in operation.signature.parameters if route.has(name)}
    if not PAGING.isdisjoint(given):  # of the three ways to say which page, a dialect has two
        given -= {"offset"} if route.dialect.name == "platform" else {"page"}
    parameters = {parameter["name"]: parameter for parameter in call["parameters"] if "name" in parameter}
    headers = {parameter["$ref"].rpartition("/")[2] for parameter in call["parameters"] if "$ref" in parameter}
    members = _members(call, route.dialect.name)
    for name in given:
        if name in route.placeholders:
            assert parameters[name]["in"] == "path"
        elif name == "version" and operation.arguments.locks:
            assert "IfMatch" in headers
        elif name in operation.flags.headers:
            assert parameters[operation.flags.headers[name]]["in"] == "header"
        elif name == operation.arguments.body:
            assert members
        else:
            wire_name = route.wire_name(name)
            assert (wire_name in parameters) is not (wire_name in members), name
    assert ("IdempotencyKey" in headers) is (route.method == "POST")


@pytest.mark.parametrize(("operation", "route"), ROUTES, ids=NAMES)
def test_an_object_in_the_query_is_its_json_text(operation: Operation[..., Any], route: Route) -> None:
    """As a schema alone its members would be parameters of their own, which the server refuses."""
    schemas = written(route.dialect.name)["components"]["schemas"]
    for parameter in described(operation, route)["parameters"]:
        schema = parameter.get("schema", {})
        whole = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        assert "object" not in whole.get("type", ()), parameter["name"]


def _members(call: Mapping[str, Any], dialect: str) -> set[str]:
    """Return the members of a body, whichever way it is sent."""
    found: set[str] = set()
    for media in call.get("requestBody", {}).get("content", {}).values():
        schema = media["schema"]
        if "$ref" in schema:
            schema = written(dialect)["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        found |= set(schema["properties"])
    return found


@pytest.mark.parametrize(("operation", "route"), ROUTES, ids=NAMES)
def test_a_call_has_its_statuses_with_their_codes(operation: Operation[..., Any], route: Route) -> None:
    answers = described(operation, route)["responses"]
    codes = codes_of(operation, route)
    call = described(operation, route)
    named = {parameter["$ref"].rpartition("/")[2] for parameter in call["parameters"] if "$ref" in parameter}
    known = {304} if "IfNoneMatch" in named else set[int]()
    assert {int(status) for status in answers} == {operation.status, *operation.flags.statuses, *codes.values(), *known}
    assert {code: int(status) for status, answer in answers.items() for code in answer.get("x-codes", ())} == codes
    assert (described(operation, route).get("security") == []) is not operation.flags.auth


def test_records_have_tags_and_lists_have_fields_and_views() -> None:
    paths = written("platform")["paths"]
    named = {
        path: {ref["$ref"].rpartition("/")[2] for ref in paths[path]["get"]["parameters"] if "$ref" in ref}
        for path in ("/contacts", "/contacts/{contact_id}", "/users/{user_id}/roles", "/deals/forecast")
    }
    assert list(named.values()) == [{"Fields"}, {"Fields", "IfNoneMatch"}, {"Fields"}, set()]
    viewed = {id: {one.get("name") for one in paths[f"/{id}"]["get"]["parameters"]} for id in ("contacts", "files")}
    assert {id: "view" in names for id, names in viewed.items()} == {"contacts": True, "files": False}
    assert "304" in paths["/contacts/{contact_id}"]["get"]["responses"]


@pytest.mark.parametrize(("operation", "route"), ROUTES, ids=NAMES)
def test_an_example_is_valid(operation: Operation[..., Any], route: Route) -> None:
    components = written(route.dialect.name)["components"]
    for media in _json_of(described(operation, route)):
        schema = {**media["schema"], "components": components}
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(media["example"])


def _json_of(call: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    every = [call.get("requestBody", {}), *(a for status, a in call["responses"].items() if status < "300")]
    for each in every:
        media = each.get("content", {}).get("application/json")
        if media is not None:
            yield media


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_every_argument_has_a_text(operation: Operation[..., Any]) -> None:
    said = {name: texts.of_argument(operation, name) for name in operation.signature.parameters}
    assert [name for name, text in said.items() if not text] == []
    assert operation.flags.texts.keys() <= said.keys()
    for text in said.values():
        _check_words(str(text))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_member_has_a_text(dialect: str) -> None:
    for name, schema in written(dialect)["components"]["schemas"].items():
        if name != "Failure":
            assert schema["description"], name
            for member, inner in schema.get("properties", {}).items():
                assert inner.get("description"), (
                    f"{name}.{member}: write a docstring under it, or a line in the glossary"
                )
                _check_words(inner["description"])


def _check_words(text: str) -> None:
    """Refuse a text that somebody who has no Python would not understand."""
    assert not text[0].islower() or text.startswith("iCalendar"), text
    assert text.endswith((".", "…")), text
    assert PYTHON_WORDS.search(text) is None, text


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_number_that_is_given_has_its_bounds(dialect: str) -> None:
    found = written(dialect)
    bodies = [
        call["requestBody"] for path in found["paths"].values() for call in path.values() if "requestBody" in call
    ]
    inputs = [kind for kind in found["components"]["schemas"].values() if kind.get("additionalProperties") is False]
    numbers = [schema for schema in _schemas([bodies, inputs]) if {"number", "integer"} & set(_types(schema))]
    assert numbers
    for schema in numbers:
        assert schema.keys() & {"minimum", "exclusiveMinimum"}, schema
        assert schema.keys() & {"maximum", "exclusiveMaximum"}, schema


def test_an_amount_has_the_bounds_of_amounts_and_a_change_needs_a_body() -> None:
    lead = written("platform")["components"]["schemas"]["LeadUpdate"]["properties"]["value"]
    assert (lead["exclusiveMinimum"], lead["exclusiveMaximum"]) == (-(10**15), 10**15)
    changes = [
        call for path in written("platform")["paths"].values() for method, call in path.items() if method == "put"
    ]
    assert all(call["requestBody"]["required"] for call in changes if "requestBody" in call)


def _schemas(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = [inner for name, inner in value.items() if name not in ("example", "examples", "default")]
    if isinstance(value, list):
        for inner in value:
            yield from _schemas(inner)


def _types(schema: dict[str, Any]) -> list[str]:
    kinds = schema.get("type", [])
    return [kinds] if isinstance(kinds, str) else kinds if isinstance(kinds, list) else []


def test_what_no_schema_is_known_for_is_said_at_once() -> None:
    with pytest.raises(TypeError, match=r"has no JSON Schema yet: add it to crm_sdk\.openapi\.schemas"):
        Schemas("mvp").of(complex)


def test_a_generic_record_is_a_component_of_its_own() -> None:
    from crm_sdk.models import BulkResult, Lead

    assert component_name(BulkResult[Lead]) == "BulkResult_Lead"
    assert component_name(BulkResult[None]) == "BulkResult_None"


# -- who shows it ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "dialect", "server"),
    [
        ("/openapi.json", "platform", "/v1"),
        ("/v1/openapi.json", "platform", "/v1"),
        ("/platform/openapi.json", "platform", "/platform/v1"),
        ("/flow/openapi.json", "flow", "/flow"),
        ("/mvp/openapi.json", "mvp", "/mvp"),
    ],
)
def test_the_stub_serves_it_to_everybody(stub: StubServer, path: str, dialect: str, server: str) -> None:
    reply = stub.handle(Request("GET", path))
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
    assert json.loads(reply.body) == {**written(dialect), "servers": [{"url": server}]}
    assert stub.handle(Request("POST", path)).status == 405


@pytest.mark.parametrize(("path", "dialect"), [("/v1/leads", "platform"), ("/mvp/api/leads", "mvp")])
def test_its_paths_follow_its_server(stub: StubServer, path: str, dialect: str) -> None:
    mount = "/mvp" if dialect == "mvp" else ""
    found = json.loads(stub.handle(Request("GET", f"{mount}/openapi.json")).body)
    (server,) = found["servers"]
    assert path.removeprefix(server["url"]) in found["paths"]
    assert stub.handle(Request("GET", path, headers={"authorization": "Bearer acme-admin"})).status == 200


def test_who_calls_the_server_does_not_pay_for_it() -> None:
    script = "import sys; from crm_sdk import CrmClient; from server_stub import StubServer; StubServer()"
    shown = "print([name for name in sys.modules if name.startswith(('crm_sdk.openapi', 'crm_sdk.vocabulary.texts'))])"
    done = subprocess.run([sys.executable, "-c", f"{script}; {shown}"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def patterns(value: Any) -> Iterator[str]:
    """Give the patterns of the texts in a part of a document."""
    if isinstance(value, dict):
        if isinstance(value.get("pattern"), str) and "type" in value:
            yield value["pattern"]
        for inner in value.values():
            yield from patterns(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from patterns(inner)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_a_text_must_look_like_is_said_in_words(dialect: str) -> None:
    """Nobody is told a regular expression: the message for a text that does not match says what to write."""
    found = {
        pattern for component in written(dialect)["components"]["schemas"].values() for pattern in patterns(component)
    }
    assert found, "inputs have patterns"
    assert found <= FORMS.keys()


@pytest.mark.parametrize(
    ("kind", "unit"),
    [(str, "Length"), (list[str], "Items"), (dict[str, str], "Properties")],
    ids=["text", "list", "object"],
)
def test_bounds_of_a_length_are_in_the_keywords_of_what_has_it(kind: Any, unit: str) -> None:
    for optional in (kind, kind | None):
        schema = Schemas("platform").of(Annotated[optional, Field(min_length=1, max_length=9)], written=True)
        parts = schema.get("anyOf", [schema])
        assert any((part.get(f"min{unit}"), part.get(f"max{unit}")) == (1, 9) for part in parts), schema
        others = {f"{end}{other}" for end in ("min", "max") for other in ("Length", "Items", "Properties")}
        assert not (others - {f"min{unit}", f"max{unit}"}) & {name for part in parts for name in part}
