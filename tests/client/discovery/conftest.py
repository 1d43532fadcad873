"""The fixture of the tests of discovery.

asking  makes a client of a server (a function from request to response) that finds out what it speaks
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest


@pytest.fixture
def asking(make: Callable[..., Any]) -> Callable[..., Any]:
    def client(server: Callable[[httpx.Request], httpx.Response], **options: Any) -> Any:
        return make(dialects=None, http_client=httpx.MockTransport(server), **options)

    return client
