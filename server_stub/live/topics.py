"""The topics of channels: their feeds, and the callers who may join them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..caller import Caller
from ..data.document import Document
from ..problems import Problem
from ..request.access import features, permissions
from ..serving import Context

if TYPE_CHECKING:
    from ..core import StubServer
    from .hub import Live

_KINDS: Mapping[str, str] = dict.fromkeys(("call", "email", "event", "note", "task"), "activity")
"""The kinds of records that are stored under another kind than that in the topic."""
_WITHOUT_NOUN = {"conversation": "conversations", "message": "conversations"}
"""The kinds of records that no noun declares, with the words of their permissions."""
_FEATURE = "presence"
_OF_OBJECTS = "record"
"""The kind of the records of custom objects, whose topics have the API names of these."""


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


def record_of(server: StubServer, caller: Caller, kind: str, id: str) -> Document | None:
    """Return the record that a topic is about; None where there is none that the caller may read."""
    custom = object_named(server, caller, kind) if kind not in server.nouns else None
    if custom is not None:
        kind = _OF_OBJECTS
    stored = server.collection(caller.tenant_id, _KINDS.get(kind, kind)).get(id)
    if stored is None or (custom is not None and stored["object_id"] != custom["id"]):
        return None
    if kind in _WITHOUT_NOUN:
        return stored if permissions.permits(caller, _WITHOUT_NOUN[kind], "read") else None
    noun = server.nouns[stored["kind"] if noun_is_activity(kind) else kind]
    if not permissions.permits(caller, noun.word, "read"):
        return None
    call = Context(
        server, caller, server.clock.now(), dialect="platform", operation="live.channels", request_id="", source={}
    )
    try:
        return noun.found(call, id)
    except Problem:
        return None


def is_kind(server: StubServer, caller: Caller, kind: str) -> bool:
    """Tell whether there are records of a kind, which may be the API name of a custom object."""
    return kind in server.nouns or kind in _WITHOUT_NOUN or object_named(server, caller, kind) is not None


def object_named(server: StubServer, caller: Caller, name: str) -> Document | None:
    """Return the custom object with an API name."""
    found = server.collection(caller.tenant_id, "custom_object").find("api_name", name)
    return found[0] if found else None


def noun_is_activity(kind: str) -> bool:
    """Tell whether a kind is that of activities, which have nouns by their own kinds."""
    return _KINDS.get(kind, kind) == "activity"
