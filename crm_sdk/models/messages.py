"""Messages: what is in them, and help with writing them."""

from __future__ import annotations

from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from ..wire import wire
from .record import Model, Record
from .values import EMPTY, INPUT, Level, Sentiment

MessageSender: TypeAlias = Literal["lead", "agent"] | str
SenderType: TypeAlias = Literal["user", "contact"] | str
MessageType: TypeAlias = Literal["email", "sms", "chat"] | str
MessageStatus: TypeAlias = Literal["sent", "delivered", "read", "replied"] | str
BusinessIntent: TypeAlias = Literal["inquiry", "complaint", "support", "purchase", "follow-up"] | str
Tone: TypeAlias = Literal["formal", "casual", "friendly", "urgent"] | str
TemplateCategory: TypeAlias = Literal["follow-up", "meeting", "proposal", "support", "introduction"] | str


class MessageAnalysis(Model):
    """What a message is about, how urgent it is, and what to do."""

    key_topics: list[str] = Field(default_factory=EMPTY)
    emotional_tone: str
    urgency_level: Level
    business_intent: BusinessIntent
    suggested_response: str
    response_time: str
    action_items: list[str] = Field(default_factory=EMPTY)


class Attachment(Model):
    """A file that came with a message."""

    id: str
    name: str
    type: str
    size: int
    """Bytes."""
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
    sender_name: str | None = None
    sender_type: SenderType | None = None
    content: str
    timestamp: AwareDatetime
    type: MessageType | None = None
    subject: str | None = None
    sentiment: Sentiment | None = None
    confidence: int | None = None
    """How sure the sentiment is, 0..100."""
    ai_analysis: MessageAnalysis | None = None
    attachments: list[Attachment] = Field(default_factory=EMPTY)
    status: MessageStatus


_Content: TypeAlias = Annotated[str, Field(min_length=1, max_length=100_000)]


@wire(mvp="lead_id content sender")
@with_config(INPUT)
class MessageCreate(TypedDict, total=False):
    """A message with a lead, from either side."""

    lead_id: Required[str]
    content: Required[_Content]
    sender: MessageSender
    """``lead`` for one that came in; ``agent``, which it is by default, for one of our own."""


@wire(flow="content type subject")
@with_config(INPUT)
class ConversationMessageCreate(TypedDict, total=False):
    """A message to write in a conversation."""

    content: Required[_Content]
    type: Required[MessageType]
    subject: Annotated[str, Field(max_length=998)] | None


class MessageStats(Model):
    """How many conversations there are, and how many of them want something."""

    total: int
    unread: int
    high_priority: int
    needs_follow_up: int
    average_response_time: float
    """Minutes from what somebody wrote to our answer."""


class SentimentOverview(Model):
    """The moods of the messages that came in, in per cent; together 100."""

    positive: int
    neutral: int
    negative: int


class MessageTemplate(Model):
    """A text with variables."""

    id: str
    name: str
    category: TemplateCategory
    content: str
    variables: list[str] = Field(default_factory=EMPTY)


class TonePreview(Model):
    """A draft in another tone."""

    tone: Tone
    preview: str


class ToneAdjustments(Model):
    """The tone of a draft, and the draft in others."""

    current: Tone
    alternatives: list[TonePreview] = Field(default_factory=EMPTY)


class SmartCompose(Model):
    """Help with a message: what to write, in which tone, from which template."""

    suggestions: list[str] = Field(default_factory=EMPTY)
    tone_adjustments: ToneAdjustments
    template_suggestions: list[MessageTemplate] = Field(default_factory=EMPTY)
