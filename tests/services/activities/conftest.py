"""Fixtures of the tests of activities."""

from __future__ import annotations

import pytest
from activity_wire import Wire

from server_stub import StubServer


@pytest.fixture
def wire(stub: StubServer) -> Wire:
    return Wire(stub)
