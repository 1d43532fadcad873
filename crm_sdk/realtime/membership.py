"""The state of one channel on its connection."""

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


PASSED = "stream:passed"
"""The event in place of one about a record that the user may not read: it counts, and tells nothing."""


class Answer:
    """The reply to a push; `done` is set when the reply has come, or will never come."""

    __slots__ = ("done", "error", "response", "status")

    def __init__(self) -> None:
        self.done: bool = False
        self.status: str | None = None
        self.response: Mapping[str, Any] | bytes = {}
        self.error: CrmError | None = None


class Membership:
    """One channel: the parameters of its join, its position, presence and waiting events."""

    def __init__(self, topic: str, params: Mapping[str, Any], mailbox: Mailbox[Raw], since: Cursor | None) -> None:
        self.topic: str = topic
        self.params: dict[str, Any] = deepcopy(dict(params))
        self.mailbox: Mailbox[Raw] = mailbox
        mailbox.forgot = self._forgot
        self.position: Position[Raw] = Position(self._deliver, mailbox.put, since)
        self.presence: Presence = Presence()
        self.cursors: LiveCursors = LiveCursors()
        self.pace: CursorPace[Mapping[str, Any]] = CursorPace()
        self.moved: set[tuple[str, str]] = set()
        """The cursors that have moved since the reader last saw them."""
        self.held: deque[Raw] = deque()
        self.join_ref: str | None = None
        self.up: bool = False
        """Whether the channel is joined."""
        self.welcomed: bool = False
        """Whether the channel has ever been joined."""
        self.asked: float | None = None
        """When the join under way was sent."""
        self.again: float | None = None
        """When the channel is to be joined again."""
        self.crashes: int = 0
        self.last_error: CrmError | None = None
        self.ready: Callable[[], None] = lambda: None

    def note_cursor(self, whose: tuple[str, str]) -> None:
        """Notify the reader that a cursor moved, once for all moves since the reader last saw it."""
        if whose in self.moved:
            return
        self.moved.add(whose)
        if not self.mailbox.offer({"cursor": whose}):
            self.moved.discard(whose)

    def _deliver(self, item: Raw) -> bool:
        return item["event"] == PASSED or self.mailbox.offer(item)

    def _forgot(self, item: Raw) -> None:
        self.moved.discard(item.get("cursor", ("", "")))

    def when_ready(self, ready: Callable[[], None]) -> None:
        """Call `ready` whenever the channel was joined."""
        self.ready = ready

    def down(self) -> None:
        """Note that the channel is not joined at the moment."""
        self.up, self.asked = False, None
        self.position.broke()
        self.mailbox.changed()
