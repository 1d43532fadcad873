"""What the tests of notifications stand on: clients of three roles, and a template."""

from __future__ import annotations

import pytest

from crm_sdk import CrmClient
from crm_sdk.models import MessageTemplate
from server_stub import StubServer


@pytest.fixture
def acme(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def sales(stub: StubServer) -> CrmClient:
    return stub.client(api_key="acme-sales", dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def template(acme: CrmClient) -> MessageTemplate:
    return acme.notifications.templates.create(
        {
            "name": "Offer",
            "category": "marketing",
            "subject": "Hello {{ name }}",
            "content": "Dear {{ name }}, {{ offer | upper }} awaits.",
            "content_html": '<p>{{ name }}</p><a href="https://shop.example/x?a=1&amp;b=2">look</a>',
            "translations": [
                {"language": "de", "subject": "Guten Tag {{ name }}", "content": "{{ name }}: {{ offer }}"},
                {"language": "ar", "content": "مرحبا {{ name }} {{ offer }}"},
            ],
        }
    )
