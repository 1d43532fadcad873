"""The client that the tests of communication call with."""

from __future__ import annotations

import pytest

from crm_sdk import CrmClient
from server_stub import StubServer


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)
