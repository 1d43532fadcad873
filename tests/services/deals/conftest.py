"""What the tests of deals on the platform stand on: a client, and a pipeline of their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from stub_data import plain as plain

from crm_sdk import CrmClient
from crm_sdk.models import Deal, Pipeline
from server_stub import StubServer

STAGES: list[Any] = [
    {"name": "Start", "probability": 10},
    {"name": "Middle", "probability": 50},
    {"name": "Late", "probability": 80},
    {"name": "Won", "kind": "won"},
    {"name": "Lost", "kind": "lost"},
]
Make = Callable[..., Deal]


@pytest.fixture
def platform(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def pipe(platform: CrmClient) -> Pipeline:
    return platform.pipelines.create({"name": "Own", "stages": STAGES})


@pytest.fixture
def make(platform: CrmClient, pipe: Pipeline) -> Make:
    """Create a deal in the pipeline, worth 1,000 unless said otherwise."""

    def make(**members: Any) -> Deal:
        given: Any = {"title": "Deal", "value": 1_000, "pipeline_id": pipe.id, **members}
        return platform.deals.create(given)

    return make


@pytest.fixture
def wait(stub: StubServer) -> Callable[[float], None]:
    """Let days pass."""
    return lambda days: stub.clock.advance(timedelta(days=days).total_seconds())
