"""The records of webhooks: endpoints, and one delivery for each event and endpoint.

A delivery is written in the transaction of the call that caused its event (transactional outbox): if that is rolled
back, nothing is posted; if it is committed, the delivery is posted at least once, even after a restart.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..data.document import Document

if TYPE_CHECKING:
    from ..data.store import Store
    from ..serving import Context

ENDPOINT, DELIVERY = "webhook", "webhook_delivery"
"""The kinds of the records."""
ADDRESS = "webhook_address"
"""The kind of addresses that single deliveries go to without an endpoint, such as those of workflows. They have the
members of an endpoint that a delivery needs (`url`, `secrets`, `active`), and `method` and `headers`."""
KEPT = 10_000
"""The number of deliveries that are kept of a company."""
PRIVATE = ("auth.", "webhook.")
"""The prefixes of events that are not posted: sign-ins, which are private, and events of webhooks themselves."""
WAITS = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""The wait after each failed attempt, as Standard Webhooks suggests; after the last one the delivery is given up."""


def destination(store: Store, tenant_id: str, id: str) -> Document | None:
    """Return the endpoint or the address that a delivery goes to."""
    return store.collection(tenant_id, ENDPOINT).get(id) or store.collection(tenant_id, ADDRESS).get(id)


def matches(endpoint: Mapping[str, Any], event: str) -> bool:
    """Return whether an endpoint has subscribed to an event."""
    if event.startswith(PRIVATE) or not endpoint["active"]:
        return False
    return any(name in ("*", event) for name in endpoint["events"])


def enqueue(call: Context, event: Document) -> None:
    """Write the deliveries of an event of the log, one for each endpoint that has subscribed to it."""
    for endpoint in call.collection(ENDPOINT).all():
        if matches(endpoint, event["type"]):
            write(call, endpoint, event["type"], event["id"], call.server.feeds.ws_data(event))


def write(
    call: Context, endpoint: Document, event: str, event_id: str, data: Any, *, redelivery: Document | None = None
) -> Document:
    """Write one delivery, which is due at once."""
    log = call.collection(DELIVERY)
    payload: Any = (
        redelivery["payload"] if redelivery is not None else {"event": event, "data": data, "timestamp": call.now}
    )
    members: dict[str, Any] = {
        "webhook_id": endpoint["id"],
        "url": endpoint["url"],
        "event": event,
        "event_id": event_id,
        "status": "pending",
        "attempts": [],
        "next_attempt_at": call.now,
        "payload": payload,
        "redelivery_of": redelivery["id"] if redelivery is not None else None,
    }
    made = call.create(DELIVERY, "delivery_", members)
    call.server.webhooks.outbox.queue.put(call.caller.tenant_id, made)
    oldest = log.first() if len(log) > KEPT else None
    if oldest is not None:
        log.remove(oldest["id"])
    return made


def secrets_at(endpoint: Mapping[str, Any], now: datetime) -> list[str]:
    """Return the secrets that sign deliveries at a time, the newest first."""
    return [
        secret["value"] for secret in endpoint["secrets"] if secret["expires_at"] is None or secret["expires_at"] > now
    ]
