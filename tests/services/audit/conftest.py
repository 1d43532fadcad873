"""What the tests of the audit trail stand on: clients of an admin, a manager, sales, and another company."""

from __future__ import annotations

import pytest
from stub_data import some, stored

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.request.access.identity import find_api_key


@pytest.fixture
def stub(restored: StubServer) -> StubServer:
    return restored


@pytest.fixture
def platform(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def manager(stub: StubServer, sam: CrmClient) -> CrmClient:
    """A client with the role manager: the one whose key was that of a user with the role sales."""
    key = some(find_api_key(stub.store, "acme-sales"))
    stored(stub, "api_key", key["id"], user_id="user_mia")
    return sam


@pytest.fixture
def sam(stub: StubServer) -> CrmClient:
    """A client with the role sales."""
    return stub.client(api_key="acme-sales", dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def globex(stub: StubServer) -> CrmClient:
    """A client of another company."""
    return stub.client(api_key="globex-admin", dialects="platform", max_retries=0, strict=True)
