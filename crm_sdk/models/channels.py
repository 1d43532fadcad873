"""Pushes: the messages of the flow document's channels. `type` is the name of the event on its channel.

A push that no document describes is read as an `UnknownPush`, as is one whose payload does not match its document at
all. Document: 004, "Real-time Updates".
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, Literal, TypeAlias, get_args

from ..reading import Reader, construct
from .activities import CalendarEvent
from .deals import Deal, DealActivity, DealStage
from .events import has_documented_objects
from .messages import Message
from .notifications import Notification
from .record import Mismatch, Model


class ChannelPush(Model):
    """The members of every push: its channel, and its number on the channel."""

    topic: str
    """The channel: ``user:user_1:deals``."""
    event_id: str | None = None
    """Id of the event; the same on `/ws`, SSE, channels and webhooks."""
    seq: int | None = None
    """Its sequence number on the channel; consecutive pushes have consecutive numbers."""
    epoch: str | None = None
    """The numbering that `seq` belongs to; after a reset of the server it is another one."""


class DealCreatedPush(ChannelPush):
    """A deal was created."""

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
    """An activity was added to a deal."""

    type: Literal["deal:activity_added"] = "deal:activity_added"
    deal_id: str
    activity: DealActivity


class MessageReceivedPush(ChannelPush):
    """A message was received."""

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
    """The number of unread messages of a conversation changed."""

    type: Literal["conversation:unread_count"] = "conversation:unread_count"
    conversation_id: str
    count: int


class EventCreatedPush(ChannelPush):
    """A calendar event was created."""

    type: Literal["event:created"] = "event:created"
    event: CalendarEvent


class EventUpdatedPush(ChannelPush):
    """A calendar event changed."""

    type: Literal["event:updated"] = "event:updated"
    id: str
    changes: dict[str, Any]
    """The new values, by camelCase name."""


class EventReminderPush(ChannelPush):
    """A calendar event begins soon."""

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
    """The health score of a contact changed."""

    type: Literal["contact:health_changed"] = "contact:health_changed"
    id: str
    old_score: int | None = None
    """0..100; null where there was no score before."""
    new_score: int | None = None
    """0..100."""


class NotificationNewPush(ChannelPush):
    """A notification was created."""

    type: Literal["notification:new"] = "notification:new"
    notification: Notification


class NotificationReadPush(ChannelPush):
    """A notification was read."""

    type: Literal["notification:read"] = "notification:read"
    id: str


class NotificationDeletedPush(ChannelPush):
    """A notification was deleted."""

    type: Literal["notification:deleted"] = "notification:deleted"
    id: str


class UnknownPush(ChannelPush):
    """A push that this version does not know, or whose payload does not match its document at all."""

    type: str
    payload: dict[str, Any] | bytes
    """The payload as received."""


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
"""Any push of a channel."""

_KINDS: Final[Mapping[str, type[KnownPush]]] = {kind.model_fields["type"].default: kind for kind in get_args(KnownPush)}


@cache
def _reader(kind: type[Push]) -> Reader[Push]:
    return Reader(kind)


def read_push(topic: str, event: str, payload: Mapping[str, Any] | bytes) -> Push:
    """Read a push; its `mismatches` list where it deviates from its document."""
    if isinstance(payload, bytes):
        return UnknownPush(topic=topic, type=event, payload=payload)
    kind = _KINDS.get(event)
    noted: tuple[Mismatch, ...] = ()
    if kind is not None:
        push, noted = _reader(kind).fit({**payload, "topic": topic, "type": event})
        if not noted:
            return push
        if has_documented_objects(push):
            return push
    envelope = {name: payload[name] for name in ("eventId", "seq", "epoch") if name in payload}
    push, odd = _reader(UnknownPush).fit({**envelope, "topic": topic, "type": event, "payload": dict(payload)})
    return construct(UnknownPush, vars(push), {}, noted or odd) if noted or odd else push
