"""When which delivery is due, by endpoint: what is not due yet, or is not asked for, is not looked at."""

from __future__ import annotations

from datetime import datetime
from heapq import heappop, heappush
from itertools import count
from typing import TypeAlias

from ..data.document import Document
from ..data.store import Store
from .records import DELIVERY

Endpoint: TypeAlias = tuple[str, str]
"""A company's id, and that of an endpoint of it."""
Place: TypeAlias = tuple[datetime, int, str]
"""When a delivery is due, its turn among those of the same time, and its id."""


class Queue:
    """The pending deliveries of each endpoint, the next one first.

    It follows the store and is no state of its own: it is made from it, and what was put here and has changed there,
    or was rolled back, is passed over.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._places: dict[Endpoint, list[Place]] | None = None
        self._numbers = count()

    def put(self, tenant_id: str, delivery: Document) -> None:
        """Take in a delivery that is pending, or is due at another time now."""
        if self._places is not None:
            place = delivery["next_attempt_at"], next(self._numbers), delivery["id"]
            heappush(self._places.setdefault((tenant_id, delivery["webhook_id"]), []), place)

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints that something may wait for."""
        return list(self._read())

    def first(self, endpoint: Endpoint) -> tuple[Place, Document] | None:
        """Return what is due next of an endpoint, and its place."""
        places = self._read().get(endpoint, [])
        while places:
            delivery = self._store.collection(endpoint[0], DELIVERY).get(places[0][2])
            if delivery is not None and (delivery["status"], delivery["next_attempt_at"]) == ("pending", places[0][0]):
                return places[0], delivery
            heappop(places)
        self._read().pop(endpoint, None)
        return None

    def pop(self, endpoint: Endpoint) -> None:
        """Remove what `first` returned from the queue: it is being posted."""
        heappop(self._read()[endpoint])

    def forget(self) -> None:
        """Read the store anew: it was set back."""
        self._places = None

    def _read(self) -> dict[Endpoint, list[Place]]:
        if self._places is None:
            self._places = {}
            for deliveries in self._store.across(DELIVERY):
                for delivery in deliveries.find("status", "pending"):
                    self.put(deliveries.tenant_id, delivery)
        return self._places
