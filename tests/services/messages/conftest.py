"""The clients of the tests of conversations and messages: one of each document that has them."""

from __future__ import annotations

import pytest

from crm_sdk import CrmClient
from server_stub import StubServer


@pytest.fixture
def mvp(stub: StubServer) -> CrmClient:
    return stub.client(dialects="mvp", strict=True, max_retries=0)


@pytest.fixture
def flow(stub: StubServer) -> CrmClient:
    return stub.client(dialects="flow", strict=True, max_retries=0)
