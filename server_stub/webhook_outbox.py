"""The outbox: which deliveries are to be posted now, and what follows from what came of it. No I/O.

Whoever posts (the process itself, or a thread beside a real port) asks for what is `due`, posts it without holding the
server's lock, and says with `settle` what came of it. First attempts go in the order of the events; one that is tried
again holds up nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from crm_sdk.webhooks import embed, sign
from crm_sdk.wire import encode_json

from .document import Document
from .webhook_attempts import Attempt, Outcome
from .webhook_faults import DeliveryFaults
from .webhook_records import DELIVERY, ENDPOINT, secrets_at

if TYPE_CHECKING:
    from .core import StubServer

Wanted = Callable[[Document], bool]
"""Tells of a delivery whether whoever asks can post it."""


class Outbox:
    """What is to be posted. Each method takes the server's lock for itself."""

    def __init__(self, server: StubServer) -> None:
        self._server = server
        self.faults = DeliveryFaults()
        self._under_way: set[str] = set()
        self._held: dict[str, str] = {}  # endpoint -> its delivery that waits for the next one to overtake it

    def due(self, wanted: Wanted) -> list[Attempt]:
        """Return what is to be posted now, in order; it is under way until it is settled."""
        with self._server.lock:
            now = self._server.clock.now()
            waiting = [found for found in self._pending(wanted) if found[0]["next_attempt_at"] <= now]
            waiting.sort(key=lambda found: found[0]["next_attempt_at"])
            attempts: list[Attempt] = []
            for delivery, endpoint, tenant_id in waiting:
                attempts += self._attempts(delivery, endpoint, tenant_id, now)
            self._under_way |= {attempt.delivery_id for attempt in attempts}
            return attempts

    def next_due(self, wanted: Wanted) -> datetime | None:
        """Return when something is to be posted next."""
        with self._server.lock:
            return min((delivery["next_attempt_at"] for delivery, _, _ in self._pending(wanted)), default=None)

    def settle(self, attempt: Attempt, outcome: Outcome) -> None:
        """Enter what came of an attempt."""
        from .services.webhook_deliveries import attempted  # here: the rules import what leads to this module
        from .timetable import system_call

        server = self._server
        with server.lock:
            self._under_way.discard(attempt.delivery_id)
            delivery = server.store.collection(attempt.tenant_id, DELIVERY).get(attempt.delivery_id)
            if delivery is None or len(delivery["attempts"]) >= attempt.number:
                return  # the state was set back meanwhile; or this is a duplicate, which counts for nothing
            call = system_call(server, attempt.tenant_id, attempt.at, "webhooks")
            with server.store.transaction():
                attempted(call, delivery, attempt, outcome)
            server._settle()  # pyright: ignore[reportPrivateUsage] # the server's own machinery

    def release(self, attempts: Iterable[Attempt]) -> None:
        """Give back what was not settled: who posts was interrupted."""
        with self._server.lock:
            self._under_way.difference_update(attempt.delivery_id for attempt in attempts)

    def forget(self) -> None:
        """Forget what is under way: the state was set back."""
        self._under_way.clear()
        self._held.clear()

    def _pending(self, wanted: Wanted) -> Iterator[tuple[Document, Document, str]]:
        for deliveries in self._server.store.across(DELIVERY):
            endpoints = self._server.store.collection(deliveries.tenant_id, ENDPOINT)
            for delivery in deliveries.find("status", "pending"):
                endpoint = endpoints.get(delivery["webhook_id"])
                if endpoint is None or not endpoint["active"] or delivery["id"] in self._under_way:
                    continue
                if self._held.get(endpoint["id"]) != delivery["id"] and wanted(delivery):
                    yield delivery, endpoint, deliveries.tenant_id

    def _attempts(self, delivery: Document, endpoint: Document, tenant_id: str, now: datetime) -> list[Attempt]:
        """Return the attempt at a delivery, as the faults have it: none, one or two, or with another one behind."""
        held = self._held.get(endpoint["id"])
        fault = self.faults.take(delivery["event"], delivery["url"])
        kind = fault.kind if fault is not None else None
        if fault is not None and kind == "delay":
            later = {"next_attempt_at": now + timedelta(seconds=fault.seconds)}
            self._server.store.collection(tenant_id, DELIVERY).put(delivery | later)
            return []
        if kind == "reorder" and held is None:
            self._held[endpoint["id"]] = delivery["id"]
            return []
        attempts = [_attempt(delivery, endpoint, tenant_id, self._at(delivery, now), now, kind)]
        if kind == "duplicate":
            attempts *= 2
        if held is not None:
            del self._held[endpoint["id"]]
            late = self._server.store.collection(tenant_id, DELIVERY).get(held)
            if late is not None and late["status"] == "pending":
                attempts.append(_attempt(late, endpoint, tenant_id, self._at(late, now), now, None))
        return attempts

    def _at(self, delivery: Document, now: datetime) -> datetime:
        """Return when an attempt is made. A standing clock jumps: what came due on the way was tried on the way."""
        return delivery["next_attempt_at"] if delivery["attempts"] and not self._server.clock.running else now


def _attempt(
    delivery: Document, endpoint: Document, tenant_id: str, at: datetime, now: datetime, fault: str | None
) -> Attempt:
    headers, body = signed(delivery, secrets_at(endpoint, now), now)
    if fault == "corrupt":
        body = body.replace(b'"event":"', b'"event":"?', 1)
    number = len(delivery["attempts"]) + 1
    return Attempt(
        tenant_id, delivery["id"], endpoint["id"], number, at, delivery["url"], headers, body, fault
    )  # fmt: skip


def signed(delivery: Document, secrets: list[str], now: datetime) -> tuple[dict[str, str], bytes]:
    """Return headers and body of an attempt. The Standard Webhooks header has a signature for each secret.

    The documented one can be only one: it is made with the oldest secret, which every receiver still knows.
    """
    body = embed(encode_json(delivery["payload"]), secrets[-1])
    by_secret = [sign(body, secret, id=delivery["event_id"], timestamp=now) for secret in secrets]
    headers = by_secret[-1] | {"webhook-signature": " ".join(found["webhook-signature"] for found in by_secret)}
    return {"Content-Type": "application/json", "User-Agent": "crm-stub", **headers}, body
