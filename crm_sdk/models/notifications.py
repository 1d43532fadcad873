"""Notifications: what a user is told, and whether it was read."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AliasChoices, AwareDatetime, BeforeValidator, Field

from ..wire import wire
from .marks import OPEN, DocumentedAs
from .record import Model, Record
from .values import Priority

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
NotificationStatus: TypeAlias = Literal["unread", "read", "all"] | str


def _was_read(value: object) -> object:
    """Read the mvp document's ``status`` as whether it was read."""
    return {"read": True, "unread": False}.get(value, value) if isinstance(value, str) else value


@wire(
    mvp="id type title message metadata:data read:status created_at",
    flow="id user_id type title message priority read action_url? metadata? created_at expires_at?",
)
class Notification(Record):
    """Something a user is told."""

    user_id: str | None = None
    type: NotificationType
    title: str
    message: str
    priority: Priority | None = None
    read: Annotated[bool, BeforeValidator(_was_read), DocumentedAs("mvp", Literal["unread", "read"])] = Field(
        default=False, validation_alias=AliasChoices("read", "status")
    )
    action_url: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict, validation_alias=AliasChoices("metadata", "data"))
    """Free-form: what it is about, such as ``leadId`` and ``leadName``."""
    expires_at: AwareDatetime | None = None


class UnreadCount(Model):
    """How much is unread."""

    count: int
