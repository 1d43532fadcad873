"""Attempts to post a delivery and their outcomes, exchanged between the outbox and the poster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

TIMEOUT = 15.0
"""The seconds that an endpoint has to answer."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to post a delivery."""

    tenant_id: str
    delivery_id: str
    webhook_id: str
    number: int
    epoch: int
    """The epoch of the server, which a restore changes."""
    at: datetime
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    method: str = "POST"
    fault: str | None = None
    """The kind of the fault that a test has set up for it; None for none."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer of an endpoint, or the reason why there is none."""

    status: int | None = None
    error: str | None = None
    duration: float = 0.0
    retry_after: float | None = None
    response: str = ""

    @property
    def delivered(self) -> bool:
        """Whether the endpoint has accepted the delivery."""
        return self.status is not None and 200 <= self.status < 300
