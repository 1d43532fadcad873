"""Notifications of a user."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AliasChoices, AwareDatetime, BeforeValidator, Field

from ..wire import wire
from .marks import OPEN, PERSONAL, PERSONAL_TEXT, Default, DocumentedAs
from .record import Model, Record
from .values import Channel, EntityRef, ErrorDetail, Priority

NotificationType: TypeAlias = Annotated[
    Literal[
        "lead",
        "message",
        "system",
        "deal_update",
        "message_received",
        "meeting_reminder",
        "ai_insight",
        "task_due",
        "at_risk_alert",
        "mention",
        "comment",
        "share",
        "assignment",
        "approval",
    ]
    | str,
    OPEN,
]
DeliveryState: TypeAlias = (
    Literal["queued", "scheduled", "sent", "delivered", "opened", "clicked", "bounced", "failed", "suppressed"] | str
)
HistorySort: TypeAlias = Literal["id", "created_at", "sent_at", "updated_at"] | str
NotificationStatus: TypeAlias = Literal["unread", "read", "all"] | str


def _was_read(value: object) -> object:
    """Turn ``status`` of the mvp document (003) into the flag `read`."""
    return {"read": True, "unread": False}.get(value, value) if isinstance(value, str) else value


@wire(
    mvp="id type title message metadata:data read:status created_at",
    flow="id user_id type title message priority read action_url? metadata? created_at expires_at?",
)
class Notification(Record):
    """A notification of a user."""

    user_id: str | None = None
    type: NotificationType
    title: Annotated[str, PERSONAL_TEXT]
    message: Annotated[str, PERSONAL_TEXT]
    priority: Priority | None = None
    read: Annotated[bool, BeforeValidator(_was_read), DocumentedAs("mvp", Literal["unread", "read"])] = Field(
        default=False, validation_alias=AliasChoices("read", "status")
    )
    action_url: str | None = None
    metadata: Annotated[dict[str, Any], PERSONAL] = Field(
        default_factory=dict, validation_alias=AliasChoices("metadata", "data")
    )
    """Data about the subject; free-form, such as ``leadId`` and ``leadName``."""
    expires_at: AwareDatetime | None = None
    channel: Annotated[Channel | None, Default("in_app")] = None
    """The channel by which it is sent."""
    recipient: Annotated[str | None, PERSONAL] = None
    """The address, the number, or the id of the user it was sent to."""
    contact_id: str | None = None
    delivery_status: DeliveryState | None = None
    """How far it has come; ``suppressed`` where preferences, an opt-out or an unsubscription hold it back."""
    scheduled_at: AwareDatetime | None = None
    """When it is to be sent."""
    sent_at: AwareDatetime | None = None
    """When it was handed to the channel's service."""
    delivered_at: AwareDatetime | None = None
    """When it arrived."""
    read_at: AwareDatetime | None = None
    """When it was read in the inbox."""
    attempts: Annotated[int | None, Default(0)] = None
    """The number of attempts to send it."""
    template_id: str | None = None
    batch_id: str | None = None
    """What the messages of one bulk call have in common."""
    language: str | None = None
    """The language of its text."""
    entity: EntityRef | None = None
    """The record it is about."""
    error: ErrorDetail | None = None
    """The reason why the last attempt failed."""


class UnreadCount(Model):
    """The number of unread notifications."""

    count: int
