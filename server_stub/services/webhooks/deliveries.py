"""The rules of deliveries: show them, post one again, and what an attempt means for a delivery and its endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from crm_sdk.resources.webhooks import Deliveries

from ...data.document import Document
from ...problems import Problem
from ...serving import Context, serves
from ...webhooks.attempts import Attempt, Outcome
from ...webhooks.records import DELIVERY, ENDPOINT, WAITS, write
from ..notifications import notify
from .records import WEBHOOKS, require_active

GONE = 410
FAILURES, FAILING = 10, timedelta(days=3)
"""An endpoint is disabled when so many attempts in a row have failed over so long a time."""
_LONGEST = timedelta(days=1)
"""How long an endpoint may have us wait with ``Retry-After``."""
_EXCERPT = 500
"""How many characters of an answer are kept."""


@serves(Deliveries.list)
def list_(call: Context, webhook_id: str, status: str | None, event: str | None) -> Sequence[Document]:
    """Return the deliveries to an endpoint, newest first."""
    WEBHOOKS.found(call, webhook_id)
    docs = call.collection(DELIVERY).find("webhook_id", webhook_id)
    return [doc for doc in reversed(docs) if status in (None, doc["status"]) and event in (None, doc["event"])]


@serves(Deliveries.get)
def get(call: Context, delivery_id: str) -> Document:
    """Return one delivery."""
    return call.record(DELIVERY, delivery_id)


@serves(Deliveries.redeliver)
def redeliver(call: Context, delivery_id: str) -> Document:
    """Write another delivery of the same event."""
    doc = call.record(DELIVERY, delivery_id)
    endpoint = call.collection(ENDPOINT).get(doc["webhook_id"])
    if endpoint is None:
        raise Problem("NOT_FOUND", "the endpoint of this delivery was deleted", details={"id": doc["webhook_id"]})
    require_active(endpoint)
    return write(call, endpoint, doc["event"], doc["event_id"], None, redelivery=doc)


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
    """Stop posting to an endpoint, and tell the administrators."""
    off = {"active": False, "disabled_at": call.now, "disabled_reason": reason}
    new = WEBHOOKS.change(call, endpoint, off, verb="disabled", reason=reason)
    why = "it answered 410 Gone" if reason == "gone" else f"{new['consecutive_failures']} attempts in a row have failed"
    for user in call.collection("user").find("role", "admin"):
        if user.get("status") != "inactive":
            notify(
                call,
                user["id"],
                "system",
                "Webhook disabled",
                f"Nothing is posted to {new['url']} any more: {why}.",
                priority="high",
                data={"webhookId": new["id"], "reason": reason},
            )
