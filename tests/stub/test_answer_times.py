"""How long an answer takes: the time that its work needs, however much else the machine has to do."""

from __future__ import annotations

import time
from functools import partial

import pytest
from patience import can_take_less_than

from crm_sdk.catalogue import declared_operations
from crm_sdk.dialects import DIALECTS
from crm_sdk.route import Route
from server_stub import StubServer
from server_stub.request.http import Request

LIMIT = 0.2
"""The seconds within which an answer is to come."""


def work(stub: StubServer, route: Route) -> float:
    """Return the seconds of work of one answer to a GET with the demo data."""
    path = route.full_path if route.full_path.startswith("/v1") else f"/{route.dialect.name}{route.path}"
    begun = time.thread_time()
    reply = stub.handle(Request("GET", path, "", {"authorization": "Bearer acme-admin"}))
    assert len(reply.body) + sum(map(len, reply.chunks or ())) > 0
    return time.thread_time() - begun


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_read_is_answered_within_200_ms(stub: StubServer, dialect: str) -> None:
    """The quickest answer counts: what is worked out once is not part of those that follow, nor is a busy machine."""
    slow: list[str] = []
    asked = 0
    for operation in declared_operations():
        route = operation.routes.get(dialect)
        if route is None or route.method != "GET" or route.placeholders or operation.kind == "stream":
            continue
        asked += 1
        if not can_take_less_than(LIMIT, partial(work, stub, route)):
            slow.append(operation.id)
    assert not slow
    assert asked > 2
