"""The queue of pending deliveries of each endpoint, ordered by when they are due."""

from __future__ import annotations

from datetime import datetime
from heapq import heappop, heappush
from itertools import count
from typing import TypeAlias

from ..data.document import Document
from ..data.store import Store
from .records import DELIVERY

Endpoint: TypeAlias = tuple[str, str]
"""The ids of a company and of an endpoint."""
Place: TypeAlias = tuple[datetime, int, str]
"""When a delivery is due, its rank among those of the same time, and its id."""


class Queue:
    """The pending deliveries of each endpoint, the next one first.

    The queue is derived from the store: entries whose delivery has changed there or was rolled back are skipped.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._places: dict[Endpoint, list[Place]] | None = None
        self._numbers = count()

    def put(self, tenant_id: str, delivery: Document) -> None:
        """Add a pending delivery, or one with a new due time."""
        if self._places is not None:
            place = delivery["next_attempt_at"], next(self._numbers), delivery["id"]
            heappush(self._places.setdefault((tenant_id, delivery["webhook_id"]), []), place)

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints that may have pending deliveries."""
        return list(self._read())

    def first(self, endpoint: Endpoint) -> tuple[Place, Document] | None:
        """Return the next delivery of an endpoint with its place; None where there is none."""
        places = self._read().get(endpoint, [])
        while places:
            delivery = self._store.collection(endpoint[0], DELIVERY).get(places[0][2])
            if delivery is not None and (delivery["status"], delivery["next_attempt_at"]) == ("pending", places[0][0]):
                return places[0], delivery
            heappop(places)
        self._read().pop(endpoint, None)
        return None

    def pop(self, endpoint: Endpoint) -> None:
        """Remove the delivery that `first` returned, since it is being posted."""
        heappop(self._read()[endpoint])

    def forget(self) -> None:
        """Rebuild the queue from the store, after a restore."""
        self._places = None

    def _read(self) -> dict[Endpoint, list[Place]]:
        if self._places is None:
            self._places = {}
            for deliveries in self._store.across(DELIVERY):
                for delivery in deliveries.find("status", "pending"):
                    self.put(deliveries.tenant_id, delivery)
        return self._places
