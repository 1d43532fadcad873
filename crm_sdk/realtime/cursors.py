"""Live cursors: where others point at, as far as the newest word of it came. Nothing is kept, nothing is certain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from ..wire import is_object, read_instant

T = TypeVar("T")

CURSOR: Final = "cursor"


class CursorPace(Generic[T]):
    """Lets at most one position pass per interval: the newest; the last one always passes in the end.

    `now` is a clock's time in seconds that never goes back.
    """

    def __init__(self, interval: float = 0.05) -> None:
        self._interval = interval
        self._next = float("-inf")
        self._waiting: list[T] = []

    def move(self, position: T, now: float) -> T | None:
        """Take a position; return it where it may be sent at once."""
        self._waiting = [position]
        return self.take(now)

    def wait(self, now: float) -> float | None:
        """Return for how many seconds the position that waits has to; None where none does."""
        return max(0.0, self._next - now) if self._waiting else None

    def take(self, now: float) -> T | None:
        """Return the position that waits, where its time has come."""
        if now < self._next or not self._waiting:
            return None
        self._next = now + self._interval
        return self._waiting.pop()

    def finish(self) -> T | None:
        """Return the position that waits, whatever the time: there will be no other."""
        return self._waiting.pop() if self._waiting else None


@dataclass(frozen=True, slots=True)
class LiveCursor:
    """Where one connection of a user points at."""

    user_id: str
    connection: str
    at: datetime | None
    """When it was sent, by the server's clock."""
    members: Mapping[str, Any]
    """All that was sent, as it came."""

    @property
    def whose(self) -> tuple[str, str]:
        """The user and the connection."""
        return self.user_id, self.connection


class LiveCursors(Mapping[tuple[str, str], LiveCursor]):
    """The cursors of the others, by user and connection: the newest of each, until it is silent for too long."""

    def __init__(self, expiry: float = 10.0) -> None:
        self._expiry = expiry
        self._known: dict[tuple[str, str], tuple[LiveCursor, float]] = {}

    def take(self, payload: object, now: float) -> LiveCursor | None:
        """Take what was broadcast; return the cursor, or None where it is older than what is known, or no cursor."""
        members = payload if is_object(payload) else {}
        user_id, connection = members.get("userId"), members.get("connection")
        if not isinstance(user_id, str) or not isinstance(connection, str):
            return None
        cursor = LiveCursor(user_id, connection, read_instant(members.get("at")), members)
        known = self._known.get(cursor.whose)
        if known is not None and now < known[1] + self._expiry and _older(cursor, known[0]):
            return None
        self._known.pop(cursor.whose, None)  # so that the longest silent one stays first
        self._known[cursor.whose] = cursor, now
        return cursor

    def wait(self, now: float) -> float | None:
        """Return in how many seconds the next cursor expires; None where there is none."""
        for _, seen in self._known.values():
            return max(0.0, seen + self._expiry - now)
        return None

    def expire(self, now: float) -> list[LiveCursor]:
        """Forget the cursors that were silent for too long; return them."""
        silent: list[LiveCursor] = []
        for cursor, seen in self._known.values():
            if now < seen + self._expiry:
                break
            silent.append(cursor)
        for cursor in silent:
            del self._known[cursor.whose]
        return silent

    def forget(self, user_id: str) -> list[LiveCursor]:
        """Forget the cursors of a user who left; return them."""
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
