"""The topics of channels: their feeds, and the callers who may join them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..serving import Caller

if TYPE_CHECKING:
    from .hub import Live

_KINDS = {"event": "activity", "task": "activity"}
"""The kinds of records that are stored under another kind than that in the topic."""
_RECORDS = frozenset({"account", "activity", "contact", "conversation", "deal", "event", "lead", "task"})


class Unauthorized(Exception):  # noqa: N818 # a reply to the client
    """The caller may not join this topic."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that the caller may join."""

    name: str
    feed: str | None = None
    """The feed of the topic."""
    presence: bool = False
    cursors: bool = False


def topic_of(live: Live, caller: Caller, name: str) -> Topic | None:
    """Return a topic that the caller may join; None for an unknown one. Raises: Unauthorized."""
    match name.split(":"):
        case ["user", user_id, channel] if channel in live.server.feeds.channels:
            if user_id != caller.user_id:
                raise Unauthorized
            return Topic(name, live.server.feeds.feed_of(channel, user_id))
        case ["record", kind, id] if kind in _RECORDS:
            stored = live.server.store.collection(caller.tenant_id, _KINDS.get(kind, kind))
            if id not in stored:
                raise Unauthorized
            return Topic(name, presence=True, cursors=True)
        case ["company", id]:
            if id != caller.tenant_id:
                raise Unauthorized
            return Topic(name, presence=True)
        case ["room", *_] if live.test_mode:
            return Topic(name, presence=True, cursors=True)
        case _:
            return None
