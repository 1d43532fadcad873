"""One attempt to post a delivery, and what came of it: values between the outbox, which decides, and who posts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

TIMEOUT = 15.0
"""How many seconds an endpoint may take to answer."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Something to post now."""

    tenant_id: str
    delivery_id: str
    webhook_id: str
    number: int
    epoch: int
    """Which history of the server it belongs to."""
    at: datetime
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    fault: str | None = None
    """What a test has asked to go wrong with it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an endpoint answered, or why it did not."""

    status: int | None = None
    error: str | None = None
    duration: float = 0.0
    retry_after: float | None = None
    response: str = ""

    @property
    def delivered(self) -> bool:
        """Whether the endpoint has taken the delivery."""
        return self.status is not None and 200 <= self.status < 300
