"""Fixtures of the tests of integrations: a client, and a system that is connected and can be watched."""

from __future__ import annotations

import pytest
from sync_cases import Crm

from crm_sdk import CrmClient
from server_stub import StubServer


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client()


@pytest.fixture
def crm(stub: StubServer) -> Crm:
    """A connected `demo_crm` without mappings; there are no contacts on either side."""
    for kind in ("contact", "lead", "deal", "account", "activity"):
        records = stub.store.collection("tenant_acme", kind)
        for doc in records.all():
            records.remove(doc["id"])
    return Crm(stub)
