"""Tools that call again; the client's own retries are switched off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from crm_sdk import ServerError
from server_stub import StubServer


def both_retry(again: Callable[[Any], Any], stub: StubServer) -> bool:
    """Return whether calls of both clients, wrapped, pass over two failures."""
    client, other = stub.client(max_retries=0), stub.async_client(max_retries=0)
    stub.faults.add("status", status=500, operation="leads.get", times=2)
    assert again(client.leads.get)("lead_123").id == "lead_123"
    stub.faults.add("status", status=500, operation="leads.get", times=2)
    return bool(asyncio.run(again(other.leads.get)("lead_123")).id == "lead_123")


def test_tenacity(stub: StubServer) -> None:
    tenacity = pytest.importorskip("tenacity")
    again = tenacity.retry(
        retry=tenacity.retry_if_exception_type(ServerError),
        stop=tenacity.stop_after_attempt(3),
        wait=tenacity.wait_none(),
    )
    assert both_retry(again, stub)


def test_backoff(stub: StubServer) -> None:
    backoff = pytest.importorskip("backoff")
    assert both_retry(backoff.on_exception(backoff.constant, ServerError, max_tries=3, interval=0), stub)


def test_stamina(stub: StubServer) -> None:
    stamina = pytest.importorskip("stamina")
    with stamina.set_testing(True, attempts=3):  # no waits
        assert both_retry(stamina.retry(on=ServerError), stub)
