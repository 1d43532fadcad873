"""What the tests of AI insights stand on: clients of three roles, and days that pass."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from crm_sdk import CrmClient
from crm_sdk.models import Deal, Pipeline
from server_stub import StubServer


def plain(*values: Any) -> tuple[Any, ...]:
    """Return values to compare with plain numbers: an amount is a Decimal to type checkers."""
    return values


@pytest.fixture
def crm(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def sales(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True, api_key="acme-sales")


@pytest.fixture
def globex(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True, api_key="globex-admin")


@pytest.fixture
def wait(stub: StubServer) -> Callable[[float], None]:
    """Let days pass."""
    return lambda days: stub.clock.advance(timedelta(days=days).total_seconds())


STAGES: list[Any] = [
    {"name": "Talk", "probability": 40},
    {"name": "Sure", "probability": 80, "forecast_category": "commit"},
    {"name": "Won", "kind": "won"},
    {"name": "Lost", "kind": "lost"},
]


@pytest.fixture
def pipe(crm: CrmClient) -> Pipeline:
    return crm.pipelines.create({"name": "Own", "stages": STAGES})


@pytest.fixture
def make(crm: CrmClient, pipe: Pipeline) -> Callable[..., Deal]:
    def make(**members: Any) -> Deal:
        given: Any = {"title": "Deal", "value": 1_000, "pipeline_id": pipe.id, **members}
        return crm.deals.create(given)

    return make
