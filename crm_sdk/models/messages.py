"""Messages: what is in them, and help with writing them."""

from __future__ import annotations

from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from ..wire import wire
from .marks import INPUT
from .record import Model, Record
from .values import EMPTY, NOT_BLANK, Level, Sentiment

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
    """What it is about."""
    emotional_tone: str
    """The tone it is written in."""
    urgency_level: Level
    """How urgent it is."""
    business_intent: BusinessIntent
    """What it is meant to bring about."""
    suggested_response: str
    """An answer to send."""
    response_time: str
    """How soon to answer."""
    action_items: list[str] = Field(default_factory=EMPTY)
    """What there is to do."""


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
    """Name of who wrote it."""
    sender_type: SenderType | None = None
    """Whether a person of ours, of theirs or an agent wrote it."""
    content: str
    timestamp: AwareDatetime
    type: MessageType | None = None
    subject: str | None = None
    sentiment: Sentiment | None = None
    confidence: int | None = None
    """How sure the sentiment is, 0..100."""
    ai_analysis: MessageAnalysis | None = None
    attachments: list[Attachment] = Field(default_factory=EMPTY)
    """The files that came with it."""
    status: MessageStatus


_Content: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, max_length=100_000)]


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
    """Conversations with unread messages."""
    high_priority: int
    """Conversations of high priority."""
    needs_follow_up: int
    """Conversations that wait for a follow-up."""
    average_response_time: float
    """Minutes from what somebody wrote to our answer."""


class SentimentOverview(Model):
    """The moods of the messages that came in, in per cent; together 100."""

    positive: int
    """Messages in a good mood, in per cent."""
    neutral: int
    """Messages without a mood, in per cent."""
    negative: int
    """Messages in a bad mood, in per cent."""


class MessageTemplate(Model):
    """A text with variables."""

    id: str
    name: str
    category: TemplateCategory
    content: str
    variables: list[str] = Field(default_factory=EMPTY)
    """The gaps that are to be filled in."""


class TonePreview(Model):
    """A draft in another tone."""

    tone: Tone
    """The tone."""
    preview: str
    """The draft in this tone."""


class ToneAdjustments(Model):
    """The tone of a draft, and the draft in others."""

    current: Tone
    """The tone of the draft."""
    alternatives: list[TonePreview] = Field(default_factory=EMPTY)
    """The draft in other tones."""


class SmartCompose(Model):
    """Help with a message: what to write, in which tone, from which template."""

    suggestions: list[str] = Field(default_factory=EMPTY)
    """Ways to go on."""
    tone_adjustments: ToneAdjustments
    """The draft in other tones."""
    template_suggestions: list[MessageTemplate] = Field(default_factory=EMPTY)
    """Templates that fit."""
