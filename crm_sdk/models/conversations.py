"""Conversations: what was written with one lead or contact."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AliasChoices, AwareDatetime, BeforeValidator, Field

from ..wire import is_object, wire
from .messages import Message, MessageSender
from .record import Model, Record
from .values import EMPTY, Priority, Sentiment, Trend

ConversationFilter: TypeAlias = Literal["all", "unread", "high-priority", "follow-up"] | str
ConversationStatus: TypeAlias = Literal["active", "archived"] | str


class MessagePreview(Model):
    """The last message of a conversation, in short."""

    content: str
    timestamp: AwareDatetime
    sender: MessageSender


def _time_of(value: Any) -> Any:
    """Take the time out of a message where the message itself was given."""
    return value.get("timestamp") if is_object(value) else value


def _message_only(value: Any) -> Any:
    """Take nothing for a message where only its time was given."""
    return None if isinstance(value, str) else value


@wire(
    mvp="id lead_id lead_name last_message unread_count status",
    flow=(
        "id contact_id contact_name contact_company last_message_at:lastMessage unread_count messages "
        "overall_sentiment sentiment_trend ai_summary tags priority archived"
    ),
)
class Conversation(Record):
    """What was written with one lead or contact.

    Its `last_message` is the message itself in one document and the time of it in the other: `last_message_at` holds
    the time in both, `last_message` the message where the answer had it.
    """

    lead_id: str | None = None
    lead_name: str | None = None
    """Name of the lead."""
    contact_id: str | None = None
    contact_name: str | None = None
    """Name of the contact."""
    contact_company: str | None = None
    last_message: Annotated[MessagePreview | None, BeforeValidator(_message_only)] = None
    """The newest message."""
    last_message_at: Annotated[AwareDatetime | None, BeforeValidator(_time_of)] = Field(
        default=None, validation_alias=AliasChoices("lastMessageAt", "last_message_at", "lastMessage")
    )
    """When the newest message was written."""
    unread_count: int = 0
    status: ConversationStatus | None = None
    messages: list[Message] = Field(default_factory=EMPTY)
    """Filled when one conversation is fetched; empty in lists. The oldest first."""
    overall_sentiment: Sentiment | None = None
    """The mood of the whole conversation."""
    sentiment_trend: Trend | None = None
    """Whether the mood gets better or worse."""
    ai_summary: str | None = None
    """What the AI says it is about."""
    tags: list[str] = Field(default_factory=EMPTY)
    priority: Priority | None = None
    archived: bool | None = None
