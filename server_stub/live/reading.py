"""Read the log of events by feed and number, for any number of connections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crm_sdk.wire import encode_json

from ..data.document import Document
from ..data.store import Store
from ..request.access.hiding import active
from .feeds import WS, Feeds, series
from .log import KEPT, KIND


@dataclass(slots=True)
class Entry:
    """An event of the log with its position, and its payloads, which are made once for all connections."""

    place: int
    event: Document
    feeds: Feeds
    _texts: dict[str, str] = field(default_factory=dict[str, str])

    def ws(self, epoch: str) -> str:
        """Return the message of ``/ws``."""
        text = self._texts.get("ws") if active() is None else None
        if text is None:
            event = self.event
            text = _json(
                {
                    "type": event["type"],
                    "data": self.feeds.ws_data(event),
                    "timestamp": event["occurred_at"],
                    "id": event["id"],
                    "seq": event["feeds"][WS],
                    "epoch": epoch,
                }
            )
            self._keep("ws", text)
        return text

    def _keep(self, feed: str, text: str) -> None:
        """Keep a payload for other connections, unless members were left out for this one."""
        if active() is None:
            self._texts[feed] = text

    def channel(self, feed: str, epoch: str) -> tuple[str, str]:
        """Return the name of the event on a channel, and the payload as JSON."""
        event = self.event
        text = self._texts.get(feed) if active() is None else None
        if text is None:
            ours = {"eventId": event["id"], "seq": event["feeds"][feed], "epoch": epoch}
            text = _json({**self.feeds.channel_payload(event), **ours})
            self._keep(feed, text)
        return self.feeds.channel_name(event), text


@dataclass(frozen=True, slots=True)
class Standing:
    """The position at which a reader begins, and the gap before it."""

    seq: int
    gap: Mapping[str, Any] | None = None


class FeedLog:
    """The feeds of one company, read from the log of events."""

    def __init__(self, store: Store, feeds: Feeds, tenant_id: str) -> None:
        self._store = store
        self._shown = feeds
        self._tenant_id = tenant_id
        self._log = store.collection(tenant_id, KIND)
        self._newest: Document | None = None
        self._places = self._trimmed = 0
        self._feeds: dict[str, list[Entry]] = {}

    def catch_up(self) -> bool:
        """Read the new entries of the log; return whether there were any."""
        fresh: list[Document] = []
        for event in self._log.backwards():
            if event is self._newest:
                break
            fresh.append(event)
        if not fresh:
            return False
        self._newest = fresh[0]
        for event in reversed(fresh):
            self._places += 1
            entry = Entry(self._places, event, self._shown)
            for feed in event["feeds"]:
                self._feeds.setdefault(feed, []).append(entry)
        if self._places - self._trimmed >= KEPT:  # after so many entries at once, older ones were deleted unread
            self._trimmed = self._places
            for feed in self._feeds:
                self._entries_in_log(feed)
        return True

    def newest(self, feed: str) -> int:
        """Return the number of a feed's newest event, 0 before the first."""
        return self._store.last_count(series(self._tenant_id, feed))

    def after(self, feed: str, seq: int) -> Entry | None:
        """Return the event of a feed that follows a number; None where there is none yet.

        Raises: LookupError where it is no longer kept.
        """
        entries = self._feeds.get(feed)
        if not entries or seq >= entries[-1].event["feeds"][feed]:
            return None
        at: int = seq + 1 - entries[0].event["feeds"][feed]
        if at < 0:
            raise LookupError(f"event {seq + 1} of {feed} is not kept any more")
        return entries[at]

    def standing_of(self, feed: str, since: int | None, epoch: str | None, present: str) -> Standing:
        """Return where a reader continues that has seen all events up to `since`; None begins with the next event."""
        newest = self.newest(feed)
        if since is None:
            return Standing(newest)
        if (epoch or present) != present or since > newest:
            return Standing(newest, {"from": None, "to": None, "reason": "epoch"})
        kept = self._entries_in_log(feed)
        before = kept[0].event["feeds"][feed] - 1 if kept else newest
        if since < before:
            return Standing(before, {"from": since + 1, "to": before, "reason": "expired"})
        return Standing(since)

    def _entries_in_log(self, feed: str) -> list[Entry]:
        """Return the events of a feed that are still in the log, and drop the others."""
        entries = self._feeds.setdefault(feed, [])
        gone = next((n for n, entry in enumerate(entries) if entry.event["id"] in self._log), len(entries))
        del entries[:gone]
        return entries


def _json(value: object) -> str:
    return encode_json(value).decode()
