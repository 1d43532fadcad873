"""The company's feed as a stream: the messages of ``/ws``, and the same messages as server-sent events."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crm_sdk.wire import encode_json, instant

from ..caller import Caller
from ..problems import invalid
from .connection import Connection, Data, Reader
from .feeds import WS
from .reading import Entry

if TYPE_CHECKING:
    from .hub import Live

PASSED = "stream.passed"
"""The type of the message in place of an event that the caller may not see."""
_NUMBER = re.compile("[0-9]{1,18}")


class Stream(Connection):
    """A connection with the company's feed. The client's messages have no meaning, but count for the rate limit."""

    def __init__(
        self,
        live: Live,
        caller: Caller,
        expires_at: datetime | None,
        since: int | None,
        epoch: str | None,
        *,
        told: bool,
    ) -> None:
        """Begin after the number `since`, or with the next event; with `told`, positions are sent as well."""
        super().__init__(live, caller, expires_at)
        standing = self.log.standing_of(WS, since, epoch, self.epoch)
        self._reader = Reader(WS, standing.seq, self._event, quiet_since=self.now)
        if told:
            self._reader.position, self._reader.passed = self._position, self._pass_on
        self.readers.append(self._reader)
        if told:
            ready = {"seq": standing.seq, "epoch": self.epoch, "gap": standing.gap}
            self._waiting.append(self._message("stream.ready", ready))

    def handle(self, data: Data) -> None:
        """Ignore a message of the client."""

    def _position(self) -> Data:
        return self._message("stream.position", {"seq": self._reader.seq, "epoch": self.epoch})

    def _pass_on(self, entry: Entry) -> Data:
        place = {"seq": entry.event["feeds"][WS], "epoch": self.epoch}
        return encode_json({"type": PASSED, "data": {}, "timestamp": instant(self.now), **place}).decode()

    def _message(self, type: str, data: Mapping[str, Any]) -> str:
        return encode_json({"type": type, "data": data, "timestamp": instant(self.now)}).decode()

    def _event(self, entry: Entry) -> Data:
        return entry.ws(self.epoch)


class ServerSentEvents(Stream):
    """The feed as ``text/event-stream``."""

    def corrupt(self, data: Data) -> Data:
        """Return half of an event, with the blank line that ends it."""
        return f"{str(data)[: len(data) // 2]}\n\n"

    def _position(self) -> Data:
        return f": still here\n\n{super()._position()!s}"

    def _message(self, type: str, data: Mapping[str, Any]) -> str:
        return self._frame(type, data["seq"], super()._message(type, data))

    def _pass_on(self, entry: Entry) -> Data:
        return self._frame(PASSED, entry.event["feeds"][WS], str(super()._pass_on(entry)))

    def _event(self, entry: Entry) -> Data:
        return self._frame(entry.event["type"], entry.event["feeds"][WS], entry.ws(self.epoch))

    def _frame(self, type: str, seq: int, text: str) -> str:
        return f"id: {self.epoch}:{seq}\nevent: {type}\ndata: {text}\n\n"


def read_position(query: Mapping[str, str], last_event_id: str | None = None) -> tuple[int | None, str | None]:
    """Return the number and the epoch after which a client resumes; `last_event_id` takes precedence."""
    since, epoch = query.get("since"), query.get("epoch")
    if last_event_id:
        epoch, _, since = last_event_id.rpartition(":")
    if since is None:
        return None, None
    if not _NUMBER.fullmatch(since):
        raise invalid("since", "type", f"the number of an event is a whole number, not {since!r}")
    return int(since), epoch or None
