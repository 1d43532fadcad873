"""The pulse of a company's data: it says when to look again, by live events, or by and by where a server has none."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from crm_sdk.errors import CrmError, EventGap
from crm_sdk.wire import encode_json

from ..interruption import end_if_interrupted
from ..terminal.values import plain

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from crm_sdk import CrmClient

FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 1.0, 30.0, 1.5
"""Seconds between two looks at a server without events: the first, the longest, and how they grow meanwhile."""
CALL = 30.0
"""Seconds that one look may take: `--timeout` is how long it goes on."""
_SLICE = 0.5
"""Seconds after which a wait sees that it was interrupted, or that nobody reads."""
_BEGIN = 5.0
"""Seconds that a server has to begin with its events; after that it is asked by and by."""

pause: Callable[[float], None] = time.sleep
"""What waits between two looks."""


class Pulse:
    """Says when to look again. With live events at once, otherwise after pauses that grow while nothing changes.

    A server whose events tell not everything is looked at after the longest pause as well.
    """

    def __init__(self, client: CrmClient, *, about: str | None = None, until: float | None = None) -> None:
        """`about`: only events that name this id. `until`: when the time is over, by the monotonic clock."""
        self._client = client
        self._about = about
        self._until = until
        self._stack = ExitStack()
        self._stream: Any = None
        self._pause = FIRST_PAUSE

    def __enter__(self) -> Self:
        try:
            listening = self._client.with_options(timeout=_BEGIN).events.listen(overflow="coalesce")
            self._stream = self._stack.enter_context(listening)
        except CrmError:
            self._stream = None  # the first look says what is wrong, where it is more than that
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def live(self) -> bool:
        """Whether events say when to look."""
        return self._stream is not None

    def found_news(self) -> None:
        """Note that something had changed: the next pause is short again."""
        self._pause = FIRST_PAUSE

    def wait(self, look_up: Callable[[], bool] = lambda: False) -> bool:
        """Wait until it is time to look again; return False where the time is over.

        `look_up` is called every now and then, and ends the wait where it returns True.
        """
        begun = time.monotonic()
        end = begun + (LONGEST_PAUSE if self.live else self._pause)
        while True:
            end_if_interrupted()
            now = time.monotonic()
            if self._until is not None and now >= self._until:
                return False
            if now >= end:
                self._pause = min(self._pause * GROWTH, LONGEST_PAUSE)
                return True
            if self._news(min(_SLICE, end - now, (self._until or end) - now)) or look_up():
                return True

    def rest(self, seconds: float) -> bool:
        """Wait so long, whatever happens; return False where the time is over."""
        left = seconds if self._until is None else min(seconds, self._until - time.monotonic())
        pause(max(left, 0.0))
        end_if_interrupted()
        return left >= seconds

    def _news(self, seconds: float) -> bool:
        """Wait for an event; return whether one came that matters."""
        if self._stream is None:
            pause(seconds)
            return False
        try:
            event = self._stream.wait(max(seconds, 0.0))
            if event is None and self._stream.ended:
                self._stream = None
                return True
            matters = False
            while event is not None:
                matters = matters or self._concerns(event)
                event = self._stream.wait(0.0)
            return matters
        except EventGap:
            return True
        except CrmError:
            self._stream = None
            return True

    def _concerns(self, event: Any) -> bool:
        return self._about is None or self._about.encode() in encode_json(plain(event))
