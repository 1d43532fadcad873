"""Whatever comes as JSON:API, every call answers a document that says what is wrong with it."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from jsonapi_rules import MEDIA, check

from crm_sdk.catalogue import declared_operations
from server_stub import StubServer
from server_stub.jsonapi.documents import Writer
from server_stub.jsonapi.forms import forms
from server_stub.request.http import Request

CALLS = [
    operation for operation in declared_operations()
    if "platform" in operation.routes and operation.kind not in ("stream", "download")
]  # fmt: skip
BODIES: dict[str, Any] = {
    "an array": [],
    "no resource": {"data": 1, "meta": []},
    "a type that is none": {"data": {"type": [], "id": {}}},
    "odd names": {"data": {"type": "T", "attributes": {"": 1, "a.b": 2}, "relationships": {"": {"data": []}}}},
    "an identifier without an id": {"data": {"type": "T", "relationships": {"owner": {"data": {"type": "user"}}}}},
}  # fmt: skip
QUERIES = (
    "fields[contact]=name&include=owner&page[size]=x&sort=-a&filter[x][y]=1&filter[]=&page[]=1",
    "include=owner,x&fields[user]=&page[number]=0",
    "sort=&include=,&fields[]=a",
)


def answered(stub: StubServer, operation: Any, query: str, body: Any) -> int:
    """Make a call for a record that is not there, and return the status of its document."""
    route = operation.routes["platform"]
    path = route.full_path
    for name in route.placeholders:
        path = path.replace(f"{{{name}}}", "nobody")
    headers = {"authorization": "Bearer acme-admin", "accept": MEDIA, "content-type": MEDIA}
    content = json.dumps(body).encode() if body is not None else b""
    reply = stub.handle(Request(route.method, path, query, headers, content))
    assert reply.headers["Content-Type"] == MEDIA, (operation.id, reply.body)
    check(json.loads(reply.body), reply.status)
    return reply.status


@pytest.mark.parametrize("name", BODIES)
def test_an_odd_body_is_refused_by_every_call_or_not_read(stub: StubServer, name: str) -> None:
    for operation in CALLS:
        if operation.routes["platform"].method != "GET":
            types = [form.name for form in forms().answer_of(operation).forms] or ["nothing"]
            body = json.loads(json.dumps(BODIES[name]).replace('"T"', json.dumps(types[0])))
            assert answered(stub, operation, "", body) < 500, operation.id


@pytest.mark.parametrize("query", QUERIES)
def test_an_odd_query_is_refused_by_every_call(stub: StubServer, query: str) -> None:
    for operation in CALLS:
        if operation.routes["platform"].method == "GET":
            assert 400 <= answered(stub, operation, query, None) < 500, operation.id


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_document_that_cannot_be_written_is_an_error_of_the_stub(
    stub: StubServer, monkeypatch: pytest.MonkeyPatch, failures: list[logging.LogRecord], method: str
) -> None:
    def fail(*arguments: Any, **named: Any) -> Any:
        raise ZeroDivisionError("of a rule")

    monkeypatch.setattr(Writer, "document", fail)
    headers = {"authorization": "Bearer acme-admin", "accept": MEDIA, "content-type": "application/json"}
    body = b'{"name": "Ada"}' if method == "POST" else b""
    reply = stub.handle(Request(method, "/v1/contacts", "", headers, body))
    document = json.loads(reply.body)
    check(document, 500)
    assert (reply.status, reply.headers["Content-Type"]) == (500, MEDIA) and "Location" not in reply.headers
    (error,) = document["errors"]
    assert error["code"] == "INTERNAL_ERROR" and error["id"] == f"{reply.headers['X-Request-ID']}-1"
    logged = failures.pop()
    operation = "contacts.list" if method == "GET" else "contacts.create"
    assert operation in logged.getMessage() and reply.headers["X-Request-ID"] in logged.getMessage()
    assert isinstance(logged.exc_info, tuple) and logged.exc_info[0] is ZeroDivisionError
    monkeypatch.undo()
    assert stub.handle(Request("GET", "/v1/contacts", "", headers)).status == 200
