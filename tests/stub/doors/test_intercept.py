"""`stub.intercept()`: whose calls reach the stub, within the block and after it, and by which clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from canned_answers import LEAD, Canned, Standing
from loopback import Loopback

from crm_sdk import AsyncCrmClient, ConnectionFailedError, CrmClient
from server_stub import StubServer

Make = Callable[..., Any]
Call = Callable[[Any], Any]


@pytest.fixture
def kind(mode: str) -> Any:
    return CrmClient if mode == "sync" else AsyncCrmClient


def test_a_client_made_before_is_connected_within_the_block(
    kind: Any, call: Call, net: Loopback, stub: StubServer
) -> None:
    client = kind(net.url, "acme-admin", dialects="mvp")
    view = client.with_options(timeout=5)
    assert call(client.leads.get("l1")).name == "connection 1"
    with stub.intercept():
        made = call(client.leads.create({"name": "Ada"}))
        assert call(view.leads.get(made.id)).name == "Ada"
    assert call(client.leads.get(made.id)).name == "connection 1", "it is back, over the connection it had"
    assert [entry.operation for entry in stub.journal.find()] == ["leads.create", "leads.get"]
    call(client.close())


def test_it_waits_by_the_stubs_clock_within_the_block(kind: Any, call: Call, stub: StubServer) -> None:
    client = kind("http://127.0.0.1:9", "acme-admin", timeout=5000, max_retries=1)
    stub.faults.add("status", status=503, times=1, retry_after=1000)
    begun, start = time.monotonic(), stub.clock.now()
    with stub.intercept():
        call(client.auth.me())
    assert (stub.clock.now() - start).total_seconds() >= 1000 and time.monotonic() - begun < 60
    assert time.monotonic() - 100 < client.clock.monotonic() <= time.monotonic()


def test_a_client_made_within_stays_connected(kind: Any, call: Call, stub: StubServer) -> None:
    with stub.intercept():
        client = kind("https://crm.example.com", "acme-admin")
    assert call(client.leads.create({"name": "Ada"})).name == "Ada" and client.clock is stub.clock


def test_a_client_with_a_way_of_its_own_is_left_alone(
    make: Make, call: Call, server: Canned, clock: Standing, stub: StubServer
) -> None:
    server.says(LEAD)
    client = make()
    other = StubServer()
    inner = other.client() if make().mode.__name__ == "Sync" else other.async_client()
    with stub.intercept():
        assert call(client.leads.get("l1")).name == "Ada" and client.clock is clock
        call(inner.auth.me())
    assert stub.journal.find() == [] and len(other.journal.find()) == 1


def test_blocks_within_blocks_end_one_after_another(kind: Any, call: Call, stub: StubServer) -> None:
    client = kind("http://127.0.0.1:9", "acme-admin", max_retries=0)
    other = StubServer()
    with stub.intercept():
        with other.intercept():
            call(client.auth.me())
        call(client.auth.me())
    with pytest.raises(ConnectionFailedError):
        call(client.auth.me())
    assert len(stub.journal.find()) == len(other.journal.find()) == 1
