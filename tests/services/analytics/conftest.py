"""What the tests of analytics stand on: clients, a pipeline of one's own, and deals in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from crm_sdk import CrmClient
from crm_sdk.models import Deal, Pipeline
from server_stub import StubServer

STAGES: list[Any] = [
    {"name": "Start", "probability": 40},
    {"name": "Won", "kind": "won"},
    {"name": "Lost", "kind": "lost"},
]
Make = Callable[..., Deal]
Wait = Callable[[float], None]


@pytest.fixture(scope="package")
def shared() -> StubServer:
    return StubServer()


@pytest.fixture
def stub(shared: StubServer) -> Iterator[StubServer]:
    """The same server for all, set back after each test."""
    start = shared.snapshot()
    yield shared
    shared.restore(start)


@pytest.fixture
def platform(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def sam(stub: StubServer) -> CrmClient:
    """A client with the role sales."""
    return stub.client(api_key="acme-sales", dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def globex(stub: StubServer) -> CrmClient:
    """A client of another company."""
    return stub.client(api_key="globex-admin", dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def pipe(platform: CrmClient) -> Pipeline:
    return platform.pipelines.create({"name": "Own", "stages": STAGES})


@pytest.fixture
def deal(platform: CrmClient, pipe: Pipeline) -> Make:
    """Create a deal in the pipeline, worth 1,000 unless said otherwise."""

    def make(**members: Any) -> Deal:
        given: Any = {"title": "Deal", "value": 1_000, "pipeline_id": pipe.id, **members}
        return platform.deals.create(given)

    return make


@pytest.fixture
def wait(stub: StubServer) -> Wait:
    """Let days pass."""
    return lambda days: stub.clock.advance(timedelta(days=days).total_seconds())
