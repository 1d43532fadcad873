"""Fixtures of the tests with other tools: a stub, one on a port, and both kinds of client of each."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from crm_sdk import AsyncCrmClient, CrmClient
from server_stub import StubServer

KEY = "acme-admin"


@pytest.fixture(autouse=True)
def no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what the developer has in the environment out of the tests."""
    for name in ("CRM_BASE_URL", "CRM_API_KEY", "CRM_TENANT_ID", "CRM_DIALECTS", "CRM_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def stub() -> StubServer:
    return StubServer()


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client()


@pytest.fixture
def async_client(stub: StubServer) -> AsyncCrmClient:
    return stub.async_client()


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """Serve a stub in a process of its own, which no tool here reaches into."""
    command = [sys.executable, "-m", "server_stub", "--port", "0", "--no-limits"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = re.search(r"http://\S+", process.stdout.readline())
            assert address is not None
            yield address[0]
        finally:
            process.terminate()


@pytest.fixture
def over_network(url: str) -> Iterator[CrmClient]:
    """Return a client that opens connections of its own, as in production."""
    with CrmClient(url, KEY) as made:
        yield made
