"""The topics of channels: their feeds, and the callers who may join them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..caller import Caller
from ..request.access import features
from .sight import is_kind, record_of

if TYPE_CHECKING:
    from ..core import StubServer
    from .hub import Live

_FEATURE = "presence"


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
        case ["record", kind, id] if is_kind(live.server, caller, kind):
            if not has_presence(live.server, caller) or record_of(live.server, caller, kind, id) is None:
                raise Unauthorized
            return Topic(name, presence=True, cursors=True)
        case ["company", id]:
            if id != caller.tenant_id or not has_presence(live.server, caller):
                raise Unauthorized
            return Topic(name, presence=True)
        case ["room", *_] if live.test_mode:
            return Topic(name, presence=True, cursors=True)
        case _:
            return None


def has_presence(server: StubServer, caller: Caller) -> bool:
    """Tell whether the caller's company shows who is there."""
    return features.is_on(server, caller, _FEATURE)
