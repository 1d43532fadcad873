"""A channel as its link knows it: what it was joined with, where it stands, what waits for an answer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from ..errors import CrmError
from .cursors import CursorPace, LiveCursors
from .mailbox import Mailbox
from .position import Cursor, Position
from .presence import Presence

Raw = Mapping[str, Any]


class Answer:
    """What a push was answered; `done` once it was, or never will be."""

    __slots__ = ("done", "error", "response", "status")

    def __init__(self) -> None:
        self.done: bool = False
        self.status: str | None = None
        self.response: Mapping[str, Any] | bytes = {}
        self.error: CrmError | None = None


class Membership:
    """One channel: what it was joined with, where it stands, what has come."""

    def __init__(self, topic: str, params: Mapping[str, Any], mailbox: Mailbox[Raw], since: Cursor | None) -> None:
        self.topic: str = topic
        self.params: dict[str, Any] = deepcopy(dict(params))
        self.mailbox: Mailbox[Raw] = mailbox
        mailbox.forgot = self._forgot
        self.position: Position[Raw] = Position(mailbox.offer, mailbox.put, since)
        self.presence: Presence = Presence()
        self.cursors: LiveCursors = LiveCursors()
        self.pace: CursorPace[Mapping[str, Any]] = CursorPace()
        self.moved: set[tuple[str, str]] = set()
        """Whose cursors moved since that was last read."""
        self.held: deque[Raw] = deque()
        self.join_ref: str | None = None
        self.up: bool = False
        """Whether it is joined."""
        self.welcomed: bool = False
        """Whether it ever was."""
        self.asked: float | None = None
        """When the join under way was sent."""
        self.again: float | None = None
        """When it is to be joined again."""
        self.crashes: int = 0
        self.last_error: CrmError | None = None
        self.ready: Callable[[], None] = lambda: None

    def note_cursor(self, whose: tuple[str, str]) -> None:
        """Have the reader told that a cursor moved, once for all its moves since that was last read."""
        if whose in self.moved:
            return
        self.moved.add(whose)
        if not self.mailbox.offer({"cursor": whose}):
            self.moved.discard(whose)

    def _forgot(self, item: Raw) -> None:
        self.moved.discard(item.get("cursor", ("", "")))

    def when_ready(self, ready: Callable[[], None]) -> None:
        """Have `ready` called each time it was joined."""
        self.ready = ready

    def down(self) -> None:
        """Note that nothing comes at the moment."""
        self.up, self.asked = False, None
        self.position.broke()
        self.mailbox.changed()
