"""A call that fails at any of its writes has written nothing: every call of the platform that writes, write by write.

The writes of a call are counted, and then each fails in turn; data, trail, events, webhooks, files and messages have to
be what they were before. What stands apart on purpose (how often somebody called, when a key was used) is not data.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from hypothesis import settings
from sampling import sampled
from valid_requests import Maker

from crm_sdk.catalogue import declared_operations
from crm_sdk.operation import Operation
from server_stub import StubServer
from server_stub.core import Snapshot
from server_stub.data.collection import Collection
from server_stub.request import usage
from server_stub.request.http import Reply, Request

WRITES = [
    operation
    for operation in declared_operations()
    if "platform" in operation.routes and operation.routes["platform"].method != "GET" and not operation.flags.safe
]
MEASURES = frozenset({"clock", "limits", "meter", "key_uses", "meters", "journal", "faults", "live"})
"""Parts of the state that tell of requests, whatever came of them; so do the records of the kind `usage`."""


@cache
def furnished() -> tuple[StubServer, Snapshot]:
    stub = StubServer()
    client = stub.client()
    client.webhooks.create({"url": "https://example.com/hook", "events": ["*"]})
    return stub, stub.snapshot()


class InjectedError(OSError):
    """The failure of a write."""


@contextmanager
def failing(nth: int | None) -> Iterator[list[str]]:
    """Count the writes of the block, by kind, and let the nth fail; None lets none."""
    written: list[str] = []
    notes = Collection._note

    def note(self: Collection, id: str) -> None:
        if self.kind != usage.KIND:
            written.append(self.kind)
        if self.kind != usage.KIND and len(written) - 1 == nth:
            raise InjectedError(f"write {nth}, of {self.kind} {id}")
        notes(self, id)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Collection, "_note", note)
        yield written


def state(stub: StubServer) -> dict[str, Any]:
    """Return everything that is kept, by name."""
    taken = stub.snapshot()
    parts: dict[str, Any] = {name: part for name, part in taken.parts.items() if name not in MEASURES}
    store = parts.pop("store")
    del parts["requests"]
    found: dict[str, Any] = {
        f"{company}/{kind}": dict(table.docs)
        for (company, kind), table in store.collections.items()
        if kind != usage.KIND
    }
    return {name: docs for name, docs in found.items() if docs} | {"counters": dict(store.counters)} | parts


def different(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return what differs, each with what was and what is."""
    wrong: dict[str, Any] = {}
    for name in before.keys() | after.keys():
        was, has = before.get(name, {}), after.get(name, {})
        if was == has:
            continue
        if isinstance(was, dict) and isinstance(has, dict):
            wrong[name] = {
                key: (was.get(key), has.get(key)) for key in was.keys() | has.keys() if was.get(key) != has.get(key)
            }
        else:
            wrong[name] = (was, has)
    return wrong


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


def chosen(writes: int) -> list[int]:
    """Return the writes that fail: all in a long run, else the first, the last and some between."""
    most = writes if settings.default is not None and settings.default.max_examples >= 10_000 else 6
    return sorted({number * (writes - 1) // max(1, most - 1) for number in range(min(most, writes))}) if writes else []


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
