"""What the tests of communication call with: a client, and a telephone system."""

from __future__ import annotations

from typing import Any

import pytest

from crm_sdk import CrmClient
from server_stub import StubServer


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


def telephone(client: CrmClient, **members: Any) -> str:
    """Connect a telephone system; return its id."""
    given: Any = {
        "name": "Telephone", "type": "telephony", "provider": "twilio", "auth_type": "basic",
        "credentials": {"username": "AC123", "password": "a long secret"}, **members,
    }  # fmt: skip
    return client.integrations.create(given).id
