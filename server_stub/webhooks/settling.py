"""The consequences of an attempt: the retry of the delivery, and the disabling of the endpoint."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ..data.document import Document
from ..serving import Context
from .attempts import Attempt, Outcome
from .records import DELIVERY, ENDPOINT, WAITS

GONE = 410
FAILURES, FAILING = 10, timedelta(days=3)
"""The number of failed attempts in a row, and their time span, after which an endpoint is disabled."""
_LONGEST = timedelta(days=1)
"""The longest wait that an endpoint can request with ``Retry-After``."""
_EXCERPT = 500
"""The number of characters that are kept of an answer."""


def record_attempt(call: Context, delivery: Document, attempt: Attempt, outcome: Outcome) -> None:
    """Store an attempt with its outcome, and update the delivery and the endpoint."""
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
    """Return the changes of a failed delivery: the time of its next attempt, or the status ``failed``."""
    if attempt.number > len(WAITS) or outcome.status == GONE:
        return {"status": "failed", "next_attempt_at": None}
    wait = WAITS[attempt.number - 1]
    if outcome.retry_after is not None:
        wait = max(wait, min(timedelta(seconds=min(outcome.retry_after, _LONGEST.total_seconds())), _LONGEST))
    return {"next_attempt_at": attempt.at + wait}


def _weigh(call: Context, endpoint: Document, attempt: Attempt, outcome: Outcome) -> None:
    """Count failures of an endpoint, and disable it if it is gone or has failed for too long."""
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
    """Disable an endpoint."""
    off = {"active": False, "disabled_at": call.now, "disabled_reason": reason}
    call.server.nouns[ENDPOINT].change(call, endpoint, off, verb="disabled", reason=reason)
