"""What the tests of this folder share."""

from __future__ import annotations

import httpx
import pytest

from server_stub import StubServer


@pytest.fixture
def raw(stub: StubServer) -> httpx.Client:
    """Return a client of the platform dialect that only sends and receives."""
    headers = {"Authorization": "Bearer acme-admin"}
    return httpx.Client(transport=stub.transport(), base_url="http://stub.test/platform/v1", headers=headers)
