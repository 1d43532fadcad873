"""What tests of receivers have in common: a delivery, and a receiver that counts."""

from __future__ import annotations

from typing import Any

from webhook_corpus import BODY, NOW, headers_of

from crm_sdk.webhooks import (
    LeadCreated,
    Outcome,
    Webhooks,
)


class Ticking:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def receive(hooks: Webhooks, headers: Any = None, body: bytes = BODY) -> Outcome:
    return hooks.handle(headers_of(body) if headers is None else headers, body, received_at=NOW)


def counting(hooks: Webhooks, failing: int = 0) -> list[str]:
    """Count the events that are handled; the first ones fail."""
    ran: list[str] = []

    @hooks.on("lead.created")
    def created(event: LeadCreated) -> None:
        ran.append(event.data.id)
        if len(ran) <= failing:
            raise RuntimeError("not today")

    return ran
