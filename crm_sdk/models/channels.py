"""Pushes: what the flow document's channels tell of, told apart by `type`, which is the event's name on its channel.

What no document describes reads as an `UnknownPush`; so does a known one whose payload is nothing like its document.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, Literal, TypeAlias, get_args

from ..reading import Reader, construct
from .activities import CalendarEvent
from .deals import Deal, DealActivity, DealStage
from .events import drop_mistyped, has_documented_objects
from .messages import Message
from .notifications import Notification
from .record import Mismatch, Model


class ChannelPush(Model):
    """What every push has: where it came, and its number there."""

    topic: str
    """The channel: ``user:user_1:deals``."""
    event_id: str | None = None
    """Names the event, on every way it comes by."""
    seq: int | None = None
    """Its number in the channel, without gaps."""
    epoch: str | None = None
    """Which history the number belongs to."""


class DealCreatedPush(ChannelPush):
    """There is a new deal."""

    type: Literal["deal:created"] = "deal:created"
    deal: Deal


class DealUpdatedPush(ChannelPush):
    """A deal changed."""

    type: Literal["deal:updated"] = "deal:updated"
    id: str
    changes: dict[str, Any]
    """The new values, by camelCase name."""


class DealStageChangedPush(ChannelPush):
    """A deal moved to another stage."""

    type: Literal["deal:stage_changed"] = "deal:stage_changed"
    id: str
    old_stage: DealStage
    new_stage: DealStage
    probability: int | None = None
    """0..100."""


class DealActivityAddedPush(ChannelPush):
    """Something happened on a deal."""

    type: Literal["deal:activity_added"] = "deal:activity_added"
    deal_id: str
    activity: DealActivity


class MessageReceivedPush(ChannelPush):
    """A message came in."""

    type: Literal["message:received"] = "message:received"
    conversation_id: str
    message: Message


class ConversationUpdatedPush(ChannelPush):
    """A conversation changed."""

    type: Literal["conversation:updated"] = "conversation:updated"
    id: str
    changes: dict[str, Any]
    """The new values, by camelCase name."""


class ConversationUnreadCountPush(ChannelPush):
    """A conversation has another number of unread messages."""

    type: Literal["conversation:unread_count"] = "conversation:unread_count"
    conversation_id: str
    count: int


class EventCreatedPush(ChannelPush):
    """There is a new event in the calendar."""

    type: Literal["event:created"] = "event:created"
    event: CalendarEvent


class EventUpdatedPush(ChannelPush):
    """An event in the calendar changed."""

    type: Literal["event:updated"] = "event:updated"
    id: str
    changes: dict[str, Any]
    """The new values, by camelCase name."""


class EventReminderPush(ChannelPush):
    """An event in the calendar begins soon."""

    type: Literal["event:reminder"] = "event:reminder"
    id: str
    minutes_until: int


class ContactUpdatedPush(ChannelPush):
    """A contact changed."""

    type: Literal["contact:updated"] = "contact:updated"
    id: str
    changes: dict[str, Any]
    """The new values, by camelCase name."""


class ContactHealthChangedPush(ChannelPush):
    """The relationship with a contact got better or worse."""

    type: Literal["contact:health_changed"] = "contact:health_changed"
    id: str
    old_score: int | None = None
    """0..100; null where there was none."""
    new_score: int | None = None
    """0..100."""


class NotificationNewPush(ChannelPush):
    """There is a new notification."""

    type: Literal["notification:new"] = "notification:new"
    notification: Notification


class NotificationReadPush(ChannelPush):
    """A notification was read."""

    type: Literal["notification:read"] = "notification:read"
    id: str


class NotificationDeletedPush(ChannelPush):
    """A notification is gone."""

    type: Literal["notification:deleted"] = "notification:deleted"
    id: str


class UnknownPush(ChannelPush):
    """A push that this version does not know, or one whose payload is nothing like its document."""

    type: str
    payload: dict[str, Any] | bytes
    """As it came."""


KnownPush: TypeAlias = (
    DealCreatedPush
    | DealUpdatedPush
    | DealStageChangedPush
    | DealActivityAddedPush
    | MessageReceivedPush
    | ConversationUpdatedPush
    | ConversationUnreadCountPush
    | EventCreatedPush
    | EventUpdatedPush
    | EventReminderPush
    | ContactUpdatedPush
    | ContactHealthChangedPush
    | NotificationNewPush
    | NotificationReadPush
    | NotificationDeletedPush
)
"""A push that a document describes."""
Push: TypeAlias = KnownPush | UnknownPush
"""What came on a channel."""

_KINDS: Final[Mapping[str, type[KnownPush]]] = {kind.model_fields["type"].default: kind for kind in get_args(KnownPush)}


@cache
def _reader(kind: type[Push]) -> Reader[Push]:
    return Reader(kind)


def read_push(topic: str, event: str, payload: Mapping[str, Any] | bytes) -> Push:
    """Read what came on a channel. Where it deviates from its document, it is usable still: see its `mismatches`."""
    if isinstance(payload, bytes):
        return UnknownPush(topic=topic, type=event, payload=payload)
    kind = _KINDS.get(event)
    noted: tuple[Mismatch, ...] = ()
    if kind is not None:
        push, noted = _reader(kind).fit({**payload, "topic": topic, "type": event})
        if not noted:
            return push
        if has_documented_objects(push):
            return _drop_mistyped_number(push)
    envelope = {name: payload[name] for name in ("eventId", "seq", "epoch") if name in payload}
    push, odd = _reader(UnknownPush).fit({**envelope, "topic": topic, "type": event, "payload": dict(payload)})
    return _drop_mistyped_number(construct(UnknownPush, vars(push), {}, noted or odd)) if noted or odd else push


def _drop_mistyped_number(push: Push) -> Push:
    return drop_mistyped(push, event_id=str, seq=int, epoch=str)
