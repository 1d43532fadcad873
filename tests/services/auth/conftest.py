"""People who sign in, as clients of their own."""

from __future__ import annotations

import pytest
from auth_support import Bearer, signed_in

from crm_sdk import CrmClient
from server_stub import StubServer


@pytest.fixture
def bearer(stub: StubServer) -> Bearer:
    """Return a function that makes a client with a token, or with none."""

    def client(token: object = None) -> CrmClient:
        return stub.client(dialects="platform", api_key=None if token is None else str(token), max_retries=0)

    return client


@pytest.fixture
def ada(bearer: Bearer) -> CrmClient:
    """Return a client in which Ada has signed in."""
    return signed_in(bearer())
