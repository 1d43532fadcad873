"""Messages, their analysis, templates and suggestions."""

from __future__ import annotations

from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from ..wire import wire
from .marks import INPUT, PERSONAL, PERSONAL_TEXT
from .message_templates import MessageTemplate
from .record import Model, Record
from .values import EMPTY, NOT_BLANK, Level, Sentiment

MessageSender: TypeAlias = Literal["lead", "agent"] | str
SenderType: TypeAlias = Literal["user", "contact"] | str
MessageType: TypeAlias = Literal["email", "sms", "chat"] | str
MessageStatus: TypeAlias = Literal["sent", "delivered", "read", "replied"] | str
BusinessIntent: TypeAlias = Literal["inquiry", "complaint", "support", "purchase", "follow-up"] | str
TemplateCategory: TypeAlias = Literal["follow-up", "meeting", "proposal", "support", "introduction"] | str
"""The categories of templates that the flow document (004) filters by."""
Tone: TypeAlias = Literal["formal", "casual", "friendly", "urgent"] | str


class MessageAnalysis(Model):
    """The AI's analysis of a message: topics, tone, urgency, intent, answer and action items."""

    key_topics: list[str] = Field(default_factory=EMPTY)
    """The topics of the message."""
    emotional_tone: str
    """The emotional tone of the message."""
    urgency_level: Level
    """How urgent it is."""
    business_intent: BusinessIntent
    """The business intent of the message."""
    suggested_response: str
    """A suggested answer."""
    response_time: str
    """How soon to answer."""
    action_items: list[str] = Field(default_factory=EMPTY)
    """Tasks that follow from the message."""


class Attachment(Model):
    """A file attached to a message."""

    id: str
    name: str
    type: str
    size: int
    """The size in bytes."""
    url: str


@wire(
    mvp="id lead_id content sender timestamp status",
    flow=(
        "id conversation_id sender_id sender_name sender_type content timestamp type subject? sentiment confidence "
        "ai_analysis? attachments? status"
    ),
)
class Message(Record):
    """One message of a conversation."""

    lead_id: str | None = None
    conversation_id: str | None = None
    sender: MessageSender | None = None
    sender_id: str | None = None
    sender_name: Annotated[str | None, PERSONAL] = None
    """Name of the sender."""
    sender_type: SenderType | None = None
    """Whether the sender is a user or a contact."""
    content: Annotated[str, PERSONAL_TEXT]
    timestamp: AwareDatetime
    type: MessageType | None = None
    subject: Annotated[str | None, PERSONAL_TEXT] = None
    sentiment: Sentiment | None = None
    confidence: int | None = None
    """The confidence of the sentiment, 0..100."""
    ai_analysis: Annotated[MessageAnalysis | None, PERSONAL] = None
    attachments: list[Attachment] = Field(default_factory=EMPTY)
    """The files attached to it."""
    status: MessageStatus


_Content: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, max_length=100_000)]


@wire(mvp="lead_id content sender")
@with_config(INPUT)
class MessageCreate(TypedDict, total=False):
    """A message from or to a lead."""

    lead_id: Required[str]
    content: Required[_Content]
    sender: MessageSender
    """``lead`` for a message from the lead; ``agent``, the default, for a message to the lead."""


@wire(flow="content type subject")
@with_config(INPUT)
class ConversationMessageCreate(TypedDict, total=False):
    """A message to send in a conversation."""

    content: Required[_Content]
    type: Required[MessageType]
    subject: Annotated[str, Field(max_length=998)] | None


class MessageStats(Model):
    """The number of conversations, and of those that need attention."""

    total: int
    unread: int
    """The number of conversations with unread messages."""
    high_priority: int
    """The number of conversations of high priority."""
    needs_follow_up: int
    """The number of conversations that need a follow-up."""
    average_response_time: float
    """The mean time from an incoming message to the answer, in minutes."""


class SentimentOverview(Model):
    """The sentiment of the incoming messages: three shares in per cent, together 100."""

    positive: int
    """The share of positive messages, in per cent."""
    neutral: int
    """The share of neutral messages, in per cent."""
    negative: int
    """The share of negative messages, in per cent."""


class TonePreview(Model):
    """A draft, rewritten in another tone."""

    tone: Tone
    """The tone."""
    preview: str
    """The draft, rewritten in this tone."""


class ToneAdjustments(Model):
    """The tone of a draft, and the draft rewritten in other tones."""

    current: Tone
    """The tone of the draft."""
    alternatives: list[TonePreview] = Field(default_factory=EMPTY)
    """The draft in other tones."""


class SmartCompose(Model):
    """Suggestions for the next message of a conversation."""

    suggestions: list[str] = Field(default_factory=EMPTY)
    """Suggested texts."""
    tone_adjustments: ToneAdjustments
    """The draft in other tones."""
    template_suggestions: list[MessageTemplate] = Field(default_factory=EMPTY)
    """Suggested templates."""
