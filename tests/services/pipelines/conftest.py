"""What the tests of pipelines stand on: a client, and a pipeline with the stages of the module."""

from __future__ import annotations

import pytest

from crm_sdk import CrmClient
from crm_sdk.models import Pipeline
from server_stub import StubServer


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client()


@pytest.fixture
def pipeline(client: CrmClient, request: pytest.FixtureRequest) -> Pipeline:
    """The default pipeline, so that deals of the flow document are in it; it has the `STAGES` of the test's module."""
    return client.pipelines.create({"name": "Automatic", "is_default": True, "stages": request.module.STAGES})
