"""Messages: what is in them, and help with writing them."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from .record import Model
from .values import EMPTY, Level

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
