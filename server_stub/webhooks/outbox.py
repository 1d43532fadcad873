"""The outbox: the deliveries to post now, and the consequences of their outcomes. No I/O.

The poster (the process itself, or a thread beside a real port) gets the `due` attempts, posts them without holding the
server's lock, and reports each outcome with `settle`. First attempts are posted in the order of the events; a retry
does not hold up other deliveries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from crm_sdk.webhooks import embed, sign
from crm_sdk.wire import encode_json

from ..data.document import Document
from ..faults.deliveries import DeliveryFaults
from ..problems import LOG
from ..timetable import system_call
from .attempts import Attempt, Outcome
from .queue import Endpoint, Place, Queue
from .records import DELIVERY, WAITS, destination, secrets_at
from .settling import record_attempt

if TYPE_CHECKING:
    from ..core import StubServer

Wanted = Callable[[Document], bool]
"""Returns whether the poster can post to an endpoint."""


class Outbox:
    """The deliveries to post. Each method takes the server's lock."""

    def __init__(self, server: StubServer) -> None:
        self._server = server
        self.faults = DeliveryFaults()
        self.queue = Queue(server.store)
        self._under_way: set[str] = set()
        self._held: dict[str, str] = {}  # endpoint -> its delivery that waits for the next one to overtake it

    def due(self, wanted: Wanted) -> list[Attempt]:
        """Return the attempts to post now, in order; they are in progress until they are settled."""
        with self._server.lock:
            now = self._server.clock.now()
            waiting: list[tuple[Place, Document, Document, str]] = []
            for key, endpoint in self._open(wanted):
                while (found := self.queue.first(key)) is not None and found[0][0] <= now:
                    self.queue.pop(key)
                    waiting.append((*found, endpoint, key[0]))
            waiting.sort(key=lambda found: found[0])
            attempts: list[Attempt] = []
            for _, delivery, endpoint, tenant_id in waiting:
                if delivery["id"] not in self._under_way:
                    self._under_way.add(delivery["id"])
                    attempts += self._attempts(delivery, endpoint, tenant_id, now)
            return attempts

    def next_due(self, wanted: Wanted) -> datetime | None:
        """Return when the next attempt is due; None where there is none."""
        with self._server.lock:
            firsts = [self.queue.first(key) for key, _ in self._open(wanted)]
            return min((found[0][0] for found in firsts if found is not None), default=None)

    def settle(self, attempt: Attempt, outcome: Outcome) -> None:
        """Record the outcome of an attempt."""
        server = self._server
        with server.lock:
            delivery = self._delivery(attempt)
            if delivery is None or len(delivery["attempts"]) >= attempt.number:
                return  # the state was restored in the meantime, or this is a duplicate, which does not count
            call = system_call(server, attempt.tenant_id, attempt.at, "webhooks")
            try:
                with server.store.transaction():
                    record_attempt(call, delivery, attempt, outcome)
            except Exception:  # nobody whose call caused it is to blame
                LOG.exception("the outcome of the delivery %s was not recorded: it is posted again", delivery["id"])
                later = {"next_attempt_at": server.clock.now() + WAITS[0]}
                if delivery["status"] == "pending":
                    server.store.collection(attempt.tenant_id, DELIVERY).put(delivery | later)
            self._give_back(attempt)
            server._settle()  # pyright: ignore[reportPrivateUsage] # the server's own machinery

    def release(self, attempts: Iterable[Attempt]) -> None:
        """Return attempts that were not settled, since the poster was interrupted."""
        with self._server.lock:
            for attempt in attempts:
                self._give_back(attempt)

    def forget(self) -> None:
        """Drop the attempts in progress, after a restore."""
        self.queue.forget()
        self._under_way.clear()
        self._held.clear()

    def _delivery(self, attempt: Attempt) -> Document | None:
        """Return the delivery of an attempt; None after a restore, when its id may belong to another delivery."""
        if attempt.epoch != self._server.epoch:
            return None
        return self._server.store.collection(attempt.tenant_id, DELIVERY).get(attempt.delivery_id)

    def _give_back(self, attempt: Attempt) -> None:
        delivery = self._delivery(attempt)
        if delivery is not None and delivery["id"] in self._under_way:
            self._under_way.discard(delivery["id"])
            if delivery["status"] == "pending":
                self.queue.put(attempt.tenant_id, delivery)

    def _open(self, wanted: Wanted) -> Iterator[tuple[Endpoint, Document]]:
        """Yield the active endpoints with pending deliveries to which the poster can post."""
        for key in self.queue.endpoints():
            endpoint = destination(self._server.store, *key)
            if endpoint is not None and endpoint["active"] and wanted(endpoint):
                yield key, endpoint

    def _attempts(self, delivery: Document, endpoint: Document, tenant_id: str, now: datetime) -> list[Attempt]:
        """Return the attempts at a delivery: one, or by a fault none, two, or one followed by another delivery's."""
        held = self._held.get(endpoint["id"])
        fault = self.faults.take(delivery["event"], delivery["url"])
        kind = fault.kind if fault is not None else None
        if fault is not None and kind == "delay":
            later = {"next_attempt_at": now + timedelta(seconds=fault.seconds)}
            self._under_way.discard(delivery["id"])
            self.queue.put(tenant_id, self._server.store.collection(tenant_id, DELIVERY).put(delivery | later))
            return []
        if kind == "reorder" and held is None:
            self._held[endpoint["id"]] = delivery["id"]
            return []
        attempts = [self._attempt(delivery, endpoint, tenant_id, now, kind)]
        if kind == "duplicate":
            attempts *= 2
        if held is not None:
            del self._held[endpoint["id"]]
            late = self._server.store.collection(tenant_id, DELIVERY).get(held)
            if late is not None and late["status"] == "pending":
                attempts.append(self._attempt(late, endpoint, tenant_id, now, None))
        return attempts

    def _at(self, delivery: Document, now: datetime) -> datetime:
        """Return the time of an attempt. With a standing clock that jumps, it is the time at which it was due."""
        return delivery["next_attempt_at"] if delivery["attempts"] and not self._server.clock.running else now

    def _attempt(
        self, delivery: Document, endpoint: Document, tenant_id: str, now: datetime, fault: str | None
    ) -> Attempt:
        headers, body = signed_request(delivery, secrets_at(endpoint, now), now)
        headers |= endpoint.get("headers") or {}
        if fault == "corrupt":
            body = body.replace(b'"event":"', b'"event":"?', 1)
        return Attempt(
            tenant_id=tenant_id,
            delivery_id=delivery["id"],
            webhook_id=endpoint["id"],
            number=len(delivery["attempts"]) + 1,
            epoch=self._server.epoch,
            at=self._at(delivery, now),
            url=delivery["url"],
            method=endpoint.get("method") or "POST",
            headers=headers,
            body=body,
            fault=fault,
        )


def signed_request(delivery: Document, secrets: list[str], now: datetime) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of an attempt. The Standard Webhooks header has a signature for each secret.

    There can be only one documented signature (003): it is made with the oldest secret, which every receiver still has.
    Without a secret the request is not signed.
    """
    plain = {"Content-Type": "application/json", "User-Agent": "crm-stub"}
    if not secrets:
        return plain, encode_json(delivery["payload"])
    body = embed(encode_json(delivery["payload"]), secrets[-1])
    by_secret = [sign(body, secret, id=delivery["event_id"], timestamp=now) for secret in secrets]
    headers = by_secret[-1] | {"webhook-signature": " ".join(found["webhook-signature"] for found in by_secret)}
    return {**plain, **headers}, body
