"""The bounded queue between the connection and the reader, with a policy for overflow."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, Literal, TypeAlias, TypeVar

T = TypeVar("T")

Overflow: TypeAlias = Literal["block", "drop_oldest", "coalesce"]
"""The policy for a full mailbox: ``block`` accepts no more events and fetches them from the server later, so that
nothing is lost; ``drop_oldest`` discards the oldest event; ``coalesce`` keeps only the newest event of each record."""


class Mailbox(Generic[T]):
    """Events that wait to be read, and the end of the stream. Several threads may add and take."""

    def __init__(self, capacity: int, overflow: Overflow, key: Callable[[T], object]) -> None:
        self.capacity: int = capacity
        self._overflow: Overflow = overflow
        self._key = key
        self._lock = threading.Lock()
        self._items: OrderedDict[object, T | Exception] = OrderedDict()
        self._number = 0
        self._waiting = 0
        self.dropped: int = 0
        """The number of events that were discarded or replaced because the mailbox was full."""
        self.end: Exception | None = None
        """The reason for the end of the stream; see `close`."""
        self.closed: bool = False
        self.changed: Callable[[], None] = lambda: None
        """Called when there is something to take."""
        self.forgot: Callable[[T], None] = lambda item: None
        """Called with each event that was discarded to make room."""

    def offer(self, item: T) -> bool:
        """Add an event; return False where the mailbox is full and the policy is ``block``."""
        with self._lock:
            if self._waiting >= self.capacity:
                if self._overflow == "block":
                    return False
                self._make_room(item)
            self._append(item)
            self._waiting += 1
        self.changed()
        return True

    def put(self, error: Exception) -> None:
        """Add an error for the reader at this place in the stream; it needs no room."""
        with self._lock:
            self._append(error)
        self.changed()

    def close(self, end: Exception | None = None) -> None:
        """End the stream after the waiting events, by an exception if one is given."""
        with self._lock:
            if not self.closed:
                self.closed, self.end = True, end
        self.changed()

    def take(self) -> T | Exception | None:
        """Return the oldest waiting event or error; None where there is none."""
        with self._lock:
            if not self._items:
                return None
            _, item = self._items.popitem(last=False)
            if not isinstance(item, Exception):
                self._waiting -= 1
            return item

    @property
    def room(self) -> bool:
        """Whether half of the capacity is free; a feed is not resumed for a single event."""
        return self._waiting <= self.capacity // 2

    @property
    def pending(self) -> bool:
        """Whether an event or an error waits for the reader."""
        return bool(self._items)

    def __len__(self) -> int:
        return self._waiting

    def _append(self, item: T | Exception) -> None:
        self._number += 1
        self._items[self._number] = item

    def _make_room(self, item: T) -> None:
        """Discard one waiting event: that of the same record, or the oldest."""
        key = self._key(item) if self._overflow == "coalesce" else None
        events = ((number, waiting) for number, waiting in self._items.items() if not isinstance(waiting, Exception))
        chosen = oldest = next(events)
        if key is not None and self._key(oldest[1]) != key:
            chosen = next((event for event in events if self._key(event[1]) == key), oldest)
        del self._items[chosen[0]]
        self._waiting -= 1
        self.dropped += 1
        self.forgot(chosen[1])
