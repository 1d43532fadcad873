"""Live cursors: the latest known positions of other users' cursors. They are neither stored nor confirmed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from ..wire import is_object, read_instant

T = TypeVar("T")

CURSOR: Final = "cursor"


class CursorPace(Generic[T]):
    """Limits cursor positions to one per interval, always the newest; the last position is never lost.

    `now` is the time of a monotonic clock in seconds.
    """

    def __init__(self, interval: float = 0.05) -> None:
        self._interval = interval
        self._next = float("-inf")
        self._waiting: list[T] = []

    def move(self, position: T, now: float) -> T | None:
        """Add a position; return it if it may be sent at once, else None."""
        self._waiting = [position]
        return self.take(now)

    def wait(self, now: float) -> float | None:
        """Return the number of seconds until the waiting position may be sent; None where none waits."""
        return max(0.0, self._next - now) if self._waiting else None

    def take(self, now: float) -> T | None:
        """Return the waiting position if it may be sent now, else None."""
        if now < self._next or not self._waiting:
            return None
        self._next = now + self._interval
        return self._waiting.pop()

    def finish(self) -> T | None:
        """Return the waiting position, whatever the time, since no later one will follow."""
        return self._waiting.pop() if self._waiting else None


@dataclass(frozen=True, slots=True)
class LiveCursor:
    """The cursor of one connection of a user."""

    user_id: str
    connection: str
    at: datetime | None
    """When the position was sent, by the server's clock."""
    members: Mapping[str, Any]
    """All members of the message, as received."""

    @property
    def whose(self) -> tuple[str, str]:
        """The ids of the user and of the connection."""
        return self.user_id, self.connection


class LiveCursors(Mapping[tuple[str, str], LiveCursor]):
    """The cursors of other users, by user and connection; a cursor without messages for too long expires."""

    def __init__(self, expiry: float = 10.0) -> None:
        self._expiry = expiry
        self._known: dict[tuple[str, str], tuple[LiveCursor, float]] = {}

    def take(self, payload: object, now: float) -> LiveCursor | None:
        """Add a broadcast cursor and return it; None where it is older than the known one, or not a cursor."""
        members = payload if is_object(payload) else {}
        user_id, connection = members.get("userId"), members.get("connection")
        if not isinstance(user_id, str) or not isinstance(connection, str):
            return None
        cursor = LiveCursor(user_id, connection, read_instant(members.get("at")), members)
        known = self._known.get(cursor.whose)
        if known is not None and now < known[1] + self._expiry and _older(cursor, known[0]):
            return None
        self._known.pop(cursor.whose, None)  # added again at the end: the first is the one that expires first
        self._known[cursor.whose] = cursor, now
        return cursor

    def wait(self, now: float) -> float | None:
        """Return the number of seconds until the next cursor expires; None where there is none."""
        for _, seen in self._known.values():
            return max(0.0, seen + self._expiry - now)
        return None

    def expire(self, now: float) -> list[LiveCursor]:
        """Remove and return the expired cursors."""
        silent: list[LiveCursor] = []
        for cursor, seen in self._known.values():
            if now < seen + self._expiry:
                break
            silent.append(cursor)
        for cursor in silent:
            del self._known[cursor.whose]
        return silent

    def forget(self, user_id: str) -> list[LiveCursor]:
        """Remove and return the cursors of a user who has left."""
        theirs = [cursor for cursor in self.values() if cursor.user_id == user_id]
        for cursor in theirs:
            del self._known[cursor.whose]
        return theirs

    def __getitem__(self, whose: tuple[str, str]) -> LiveCursor:
        return self._known[whose][0]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def __repr__(self) -> str:
        return f"<LiveCursors of {', '.join(user for user, _ in self) or 'nobody'}>"


def _older(cursor: LiveCursor, known: LiveCursor) -> bool:
    return cursor.at is not None and known.at is not None and cursor.at < known.at
