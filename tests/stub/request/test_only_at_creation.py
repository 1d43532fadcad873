"""What can be given only when a record is created is refused by its rule in every change, and is not called unknown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from crm_sdk.catalogue import declared_operations
from crm_sdk.wire import camel
from server_stub import StubServer
from server_stub.problems import FieldError, Problem
from server_stub.request.http import Request
from server_stub.request.reading.intake import arguments_of

OPERATIONS = {one.id: one for one in declared_operations()}
CASES = [
    (id, name)
    for id, one in OPERATIONS.items()
    if id.endswith(".update") and one.arguments.body and "platform" in one.routes
    if (made := OPERATIONS.get(f"{id.removesuffix('update')}create")) is not None and made.arguments.body
    for name in sorted(set(made.arguments.members) - set(one.arguments.members))
]


@contextmanager
def suppressed() -> Iterator[list[FieldError]]:
    """Keep what a call is refused for."""
    found: list[FieldError] = []
    try:
        yield found
    except Problem as problem:
        found.extend(problem.errors)


def body(name: str) -> dict[str, Any]:
    return {camel(name): "x"}


@pytest.mark.parametrize(("id", "name"), CASES)
def test_no_change_calls_it_unknown(id: str, name: str) -> None:
    operation = OPERATIONS[id]
    with suppressed() as refused:
        _, ignored = arguments_of(operation, operation.routes["platform"], {}, body(name), {})
        assert name in ignored, "the rule of the record compares it with what is stored"
    rules = {error.rule for error in refused if error.field == name}
    assert rules <= {"read_only"}
    assert not refused or rules


@pytest.mark.parametrize(("path", "name"), [("/v1/users/user_sam", "password")])
def test_it_is_refused_as_read_only(stub: StubServer, path: str, name: str) -> None:
    headers = {"authorization": "Bearer acme-admin", "content-type": "application/json"}
    reply = stub.handle(Request("PUT", path, "", headers, b'{"password": "another long one 1!"}'))
    assert reply.status == 422
    assert b'"rule":"read_only"' in reply.body and name.encode() in reply.body
