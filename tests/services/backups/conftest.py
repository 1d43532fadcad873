"""What the tests of backups stand on: a new company, whose records are few."""

from __future__ import annotations

import pytest
from backing_up import Founded, found

from server_stub import StubServer


@pytest.fixture
def acme(stub: StubServer) -> Founded:
    return found(stub, "Hooli")
