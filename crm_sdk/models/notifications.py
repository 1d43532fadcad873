"""Notifications of a user."""

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
    title: str
    message: str
    priority: Priority | None = None
    read: Annotated[bool, BeforeValidator(_was_read), DocumentedAs("mvp", Literal["unread", "read"])] = Field(
        default=False, validation_alias=AliasChoices("read", "status")
    )
    action_url: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict, validation_alias=AliasChoices("metadata", "data"))
    """Data about the subject; free-form, such as ``leadId`` and ``leadName``."""
    expires_at: AwareDatetime | None = None


class UnreadCount(Model):
    """The number of unread notifications."""

    count: int
