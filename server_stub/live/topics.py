"""The topics of the channels: whose they are, what they show, and who may join them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..serving import Caller

if TYPE_CHECKING:
    from .hub import Live

_KINDS = {"event": "activity", "task": "activity"}
"""What is stored under another kind than the topic's."""
_RECORDS = frozenset({"account", "activity", "contact", "conversation", "deal", "event", "lead", "task"})


class Unauthorized(Exception):  # noqa: N818 # it is an answer
    """The caller may not join this topic."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that may be joined."""

    name: str
    feed: str | None = None
    """The feed it shows."""
    presence: bool = False
    cursors: bool = False


def topic_of(live: Live, caller: Caller, name: str) -> Topic | None:
    """Return a topic the caller may join; None for one there is not. Raises Unauthorized."""
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
