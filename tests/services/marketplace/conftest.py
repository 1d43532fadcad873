"""What the tests of the marketplace stand on: clients of two companies, and apps that have passed the review."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from crm_sdk import CrmClient
from crm_sdk.models import App
from server_stub import StubServer

HOUR = 3_600
SCHEMA: list[Any] = [
    {"key": "api_key", "label": "Key", "type": "secret", "required": True},
    {"key": "days", "label": "Days", "type": "number", "default": 14, "required": True},
    {"key": "language", "label": "Language", "type": "select", "options": ["en", "de"], "required": True},
    {"key": "copy_to", "label": "Copies to", "type": "email"},
]
SETTINGS: dict[str, Any] = {"api_key": "key-0123456789abcd", "language": "de"}
Submit = Callable[..., App]
_numbers = count(1)


def listing(**members: Any) -> Any:
    """Return a complete listing; each has another name."""
    return {
        "name": f"Quick Quotes {next(_numbers)}",
        "tagline": "Quotes in a minute",
        "description": "Makes a quote of a deal.",
        "category": "productivity",
        "support_email": "help@quotes.example",
        "privacy_url": "https://quotes.example/privacy",
        "permissions": ["deals:read"],
        **members,
    }


@pytest.fixture
def acme(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def globex(stub: StubServer) -> CrmClient:
    return stub.client(api_key="globex-admin", dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def sales(stub: StubServer) -> CrmClient:
    return stub.client(api_key="acme-sales", dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def publish(stub: StubServer, globex: CrmClient) -> Submit:
    """Submit an app of the other company, and let its review end."""

    def make(**members: Any) -> App:
        made = globex.marketplace.apps.create(listing(**members))
        stub.clock.advance(HOUR)
        return globex.marketplace.apps.get(made.id)

    return make
