"""Clients of the platform document: one of an admin, one of somebody in sales, who writes what is their own."""

from __future__ import annotations

import pytest

from crm_sdk import CrmClient
from server_stub import StubServer


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform")


@pytest.fixture
def sales(stub: StubServer) -> CrmClient:
    """Sign in as ``user_sam``."""
    return stub.client(dialects="platform", api_key="acme-sales")
