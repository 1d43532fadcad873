"""Conversations: the messages exchanged with one lead or contact."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AliasChoices, AwareDatetime, BeforeValidator, Field

from ..wire import is_object, wire
from .marks import PERSONAL, PERSONAL_TEXT
from .messages import Message, MessageSender
from .record import Model, Record
from .values import EMPTY, Priority, Sentiment, Trend

ConversationFilter: TypeAlias = Literal["all", "unread", "high-priority", "follow-up"] | str
ConversationStatus: TypeAlias = Literal["active", "archived"] | str


class MessagePreview(Model):
    """A preview of the last message of a conversation."""

    content: str
    timestamp: AwareDatetime
    sender: MessageSender


def _time_of(value: Any) -> Any:
    """Return the time of a message where the message itself was sent (003); a time is returned unchanged (004)."""
    return value.get("timestamp") if is_object(value) else value


def _message_only(value: Any) -> Any:
    """Return the message; None where only its time was sent (004)."""
    return None if isinstance(value, str) else value


@wire(
    mvp="id lead_id lead_name last_message unread_count status",
    flow=(
        "id contact_id contact_name contact_company last_message_at:lastMessage unread_count messages "
        "overall_sentiment sentiment_trend ai_summary tags priority archived"
    ),
)
class Conversation(Record):
    """The messages exchanged with one lead or contact.

    ``lastMessage`` is the message itself in the mvp document (003), its time in the flow document (004).
    `last_message_at` has the time in both dialects, `last_message` the message where the answer has it.
    """

    lead_id: str | None = None
    lead_name: Annotated[str | None, PERSONAL] = None
    """Name of the lead."""
    contact_id: str | None = None
    contact_name: Annotated[str | None, PERSONAL] = None
    """Name of the contact."""
    contact_company: str | None = None
    last_message: Annotated[MessagePreview | None, BeforeValidator(_message_only), PERSONAL] = None
    """The newest message."""
    last_message_at: Annotated[AwareDatetime | None, BeforeValidator(_time_of)] = Field(
        default=None, validation_alias=AliasChoices("lastMessageAt", "last_message_at", "lastMessage")
    )
    """When the newest message was written."""
    unread_count: int = 0
    status: ConversationStatus | None = None
    messages: Annotated[list[Message], PERSONAL] = Field(default_factory=EMPTY)
    """The messages, oldest first; empty in lists."""
    overall_sentiment: Sentiment | None = None
    """The sentiment of the whole conversation."""
    sentiment_trend: Trend | None = None
    """Whether the sentiment is improving or declining."""
    ai_summary: Annotated[str | None, PERSONAL_TEXT] = None
    """The AI's summary of the conversation."""
    tags: list[str] = Field(default_factory=EMPTY)
    priority: Priority | None = None
    archived: bool | None = None
