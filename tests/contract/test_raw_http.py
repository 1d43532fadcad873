"""Every route there is, called over a port by nothing but HTTP: its answer is a success, and of the declared shape.

The figure is counted from the answers: a route counts that answered with its declared status and what its document
describes.
"""

from __future__ import annotations

import http.client
import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from patience import HANG
from valid_requests import Maker, Valid

from crm_sdk.catalogue import declared_operations
from crm_sdk.openapi import document
from crm_sdk.operation import Operation
from crm_sdk.route import Route
from server_stub import StubServer

pytestmark = pytest.mark.thorough

HERE = Path(__file__).parent
ROUTES = [(operation, route) for operation in declared_operations() for route in operation.routes.values()]


def inventory(file: str) -> set[tuple[str, str, str]]:
    """Return the endpoints of an inventory, as (dialect, method, path)."""
    entries = json.loads((HERE / file).read_text())
    return {key(entry["api"], entry["method"], entry["path"]) for entry in entries}


def key(dialect: str, method: str, path: str) -> tuple[str, str, str]:
    return dialect, method, re.sub(r"{\w+}", "{}", path)


@cache
def described(dialect: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return the document of a dialect, and its operations by id."""
    whole = document(dialect)
    found = {
        one["operationId"]: one for path in whole["paths"].values() for one in path.values() if "operationId" in one
    }
    return whole, found


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[StubServer, int]]:
    server = StubServer()
    with server.serve() as port:
        yield server, port.number


def asked(port: int, valid: Valid) -> tuple[int, str, bytes]:
    """Send a request; return status, content type and body of the answer. Of a stream the head is enough."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HANG)
    try:
        connection.request(valid.method, valid.target, valid.body or None, valid.headers)
        reply = connection.getresponse()
        kind = reply.headers.get_content_type() if "Content-Type" in reply.headers else ""
        return reply.status, kind, b"" if kind == "text/event-stream" else reply.read()
    finally:
        connection.close()


def wrong(operation: Operation[..., Any], route: Route, answer: tuple[int, str, bytes]) -> str | None:
    """Return what about an answer is not as declared."""
    status, kind, body = answer
    if status != operation.status and status not in operation.flags.statuses:
        return f"{status} {body[:300]!r}"
    whole, operations = described(route.dialect.name)
    content = operations[operation.id]["responses"][str(status)].get("content", {})
    if not content:
        return None if not body else f"a body, where none is declared: {body[:100]!r}"
    if kind not in content:
        return None if "*/*" in content else f"{kind} is none of {', '.join(content)}"
    if kind != "application/json":
        return None
    schema = {"components": whole["components"], **content[kind].get("schema", {})}
    errors = [
        f"{error.instance_path}: {error.message}"
        for error in jsonschema_rs.validator_for(schema).iter_errors(json.loads(body))
    ]
    return "; ".join(errors[:3]) or None


def test_every_route_answers_over_a_port_as_declared(
    place: tuple[StubServer, int], capsys: pytest.CaptureFixture[str]
) -> None:
    server, port = place
    start, maker = server.snapshot(), Maker(server)
    answered: set[tuple[str, str, str]] = set()
    failed: dict[str, str] = {}
    for operation, route in ROUTES:
        server.restore(start)
        fault = wrong(operation, route, asked(port, maker.of(operation, route)))
        if fault is None:
            answered.add(key(route.dialect.name, route.method, route.full_path))
        else:
            failed[f"{route.dialect.name} {operation.id}"] = fault
    assert failed == {}
    figures = [
        f"{len(answered & inventory(file))} of {len(inventory(file))}"
        for file in ("endpoints.json", "own-endpoints.json")
    ]
    with capsys.disabled():
        sys.stdout.write(f"answered over HTTP: {', '.join(figures)}\n")
    assert answered >= inventory("endpoints.json") | inventory("own-endpoints.json")
