"""A client of the mvp document, and an endpoint that hears of new leads."""

from __future__ import annotations

import pytest
from delivery_receiver import URL

from crm_sdk import CrmClient
from crm_sdk.models import WebhookEndpoint
from server_stub import StubServer


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="mvp", strict=True)


@pytest.fixture
def endpoint(client: CrmClient) -> WebhookEndpoint:
    return client.webhooks.create({"url": URL, "events": ["lead.created"]})
