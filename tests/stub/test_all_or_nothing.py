"""A call that fails at any of its writes has written nothing: every call of the platform that writes, write by write.

The writes of a call are counted, and then each fails in turn; data, trail, events, webhooks, files and messages have to
be what they were before. What stands apart on purpose (how often somebody called, when a key was used) is not data.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

import pytest
from failing_writes import InjectedError, chosen, different, failing, state
from sampling import sampled
from valid_requests import Maker

from crm_sdk.catalogue import declared_operations
from crm_sdk.operation import Operation
from server_stub import StubServer
from server_stub.core import Snapshot
from server_stub.request.http import Reply, Request

WRITES = [
    operation
    for operation in declared_operations()
    if "platform" in operation.routes and operation.routes["platform"].method != "GET" and not operation.flags.safe
]


@cache
def furnished() -> tuple[StubServer, Snapshot]:
    stub = StubServer()
    client = stub.client()
    client.webhooks.create({"url": "https://example.com/hook", "events": ["*"]})
    return stub, stub.snapshot()


def prepared(operation: Operation[..., Any]) -> tuple[StubServer, Request, Snapshot]:
    """Return the stub before a call, and the call."""
    stub, start = furnished()
    stub.restore(start)
    request = Maker(stub).of(operation, operation.routes["platform"]).request()
    stub.catch_up()
    return stub, request, stub.snapshot()


def sent(stub: StubServer, request: Request, nth: int | None) -> tuple[Reply, list[str]]:
    with failing(nth) as written:
        return stub.handle(request), written


@pytest.mark.parametrize("operation", sampled(((one,) for one in WRITES), every=3), ids=lambda operation: operation.id)
def test_a_call_whose_write_fails_has_written_nothing(
    operation: Operation[..., Any], failures: list[logging.LogRecord]
) -> None:
    stub, request, start = prepared(operation)
    reply, written = sent(stub, request, None)
    assert reply.status < 300, (reply.status, reply.body)
    for nth in chosen(len(written)):
        stub.restore(start)
        before = state(stub)
        reply, _ = sent(stub, request, nth)
        where = f"write {nth + 1} of {len(written)}, of {written[nth]}"
        assert reply.status == 500, (where, reply.status, reply.body)
        assert different(before, state(stub)) == {}, where
        reply, again = sent(stub, request, None)
        assert (reply.status < 300, len(again)) == (True, len(written)), (where, reply.body)
    failures[:] = [record for record in failures if record.exc_info is None or record.exc_info[0] is not InjectedError]
