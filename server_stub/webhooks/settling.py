"""What an attempt means for a delivery and its endpoint: when it is tried again, and who is posted to no more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ..data.document import Document
from ..serving import Context
from .attempts import Attempt, Outcome
from .records import DELIVERY, ENDPOINT, WAITS

GONE = 410
FAILURES, FAILING = 10, timedelta(days=3)
"""An endpoint is disabled when so many attempts in a row have failed over so long a time."""
_LONGEST = timedelta(days=1)
"""How long an endpoint may have us wait with ``Retry-After``."""
_EXCERPT = 500
"""How many characters of an answer are kept."""


def record_attempt(call: Context, delivery: Document, attempt: Attempt, outcome: Outcome) -> None:
    """Store an attempt at a delivery and what follows from its outcome, for the delivery and for the endpoint."""
    entry = {
        "number": attempt.number,
        "at": attempt.at,
        "status": outcome.status,
        "duration": round(outcome.duration, 3),
        "error": outcome.error,
        "response": outcome.response[:_EXCERPT] or None,
    }
    changes: dict[str, Any] = {"attempts": [*delivery["attempts"], entry]}
    if outcome.delivered:
        changes |= {"status": "delivered", "next_attempt_at": None}
    elif delivery["status"] == "pending":
        changes |= _next(attempt, outcome)
    call.update(DELIVERY, delivery, changes)
    endpoint = call.collection(ENDPOINT).get(delivery["webhook_id"])
    if endpoint is not None:
        _weigh(call, endpoint, attempt, outcome)


def _next(attempt: Attempt, outcome: Outcome) -> dict[str, Any]:
    """Return when a delivery that failed is tried again, or that it is given up."""
    if attempt.number > len(WAITS) or outcome.status == GONE:
        return {"status": "failed", "next_attempt_at": None}
    wait = WAITS[attempt.number - 1]
    if outcome.retry_after is not None:
        wait = max(wait, min(timedelta(seconds=min(outcome.retry_after, _LONGEST.total_seconds())), _LONGEST))
    return {"next_attempt_at": attempt.at + wait}


def _weigh(call: Context, endpoint: Document, attempt: Attempt, outcome: Outcome) -> None:
    """Count what failed, and disable an endpoint that is gone or has failed for too long."""
    endpoints = call.collection(ENDPOINT)
    if outcome.delivered:
        if endpoint["consecutive_failures"]:
            endpoints.put(endpoint | {"consecutive_failures": 0, "failing_since": None})
        return
    count, since = endpoint["consecutive_failures"] + 1, endpoint["failing_since"] or attempt.at
    new = endpoints.put(endpoint | {"consecutive_failures": count, "failing_since": since})
    reason = "gone" if outcome.status == GONE else "failing"
    if new["active"] and (reason == "gone" or (count >= FAILURES and attempt.at - since >= FAILING)):
        _disable(call, new, reason)


def _disable(call: Context, endpoint: Document, reason: str) -> None:
    """Stop posting to an endpoint."""
    off = {"active": False, "disabled_at": call.now, "disabled_reason": reason}
    call.server.nouns[ENDPOINT].change(call, endpoint, off, verb="disabled", reason=reason)
