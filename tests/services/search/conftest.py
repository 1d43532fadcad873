"""What the tests of the search stand on: clients of an admin, of sales, and of another company."""

from __future__ import annotations

import pytest

from crm_sdk import CrmClient
from server_stub import StubServer


@pytest.fixture
def stub(restored: StubServer) -> StubServer:
    return restored


@pytest.fixture
def platform(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def sales(stub: StubServer) -> CrmClient:
    return stub.client(api_key="acme-sales", dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def globex(stub: StubServer) -> CrmClient:
    return stub.client(api_key="globex-admin", dialects="platform", max_retries=0, strict=True)
