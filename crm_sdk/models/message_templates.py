"""Message templates: texts with variables, in several languages, for the channels of notifications."""

from __future__ import annotations

from typing import Annotated, Literal, Required, TypeAlias

from pydantic import Field, with_config
from typing_extensions import TypedDict

from ..wire import wire
from .marks import INPUT, OPEN, Default
from .record import Model, Record
from .values import EMPTY, NOT_BLANK, Channel, LanguageTag, Name

MessageCategory: TypeAlias = Annotated[
    Literal[
        "follow-up", "meeting", "proposal", "support", "introduction", "transactional", "marketing", "system",
    ] | str,
    OPEN,
]  # fmt: skip
TemplateSort: TypeAlias = Literal["id", "name", "usage_count", "created_at", "updated_at"] | str
Content: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, max_length=100_000)]
"""A text of at most 100,000 characters; one for SMS has at most 1,600."""
SubjectLine: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, max_length=998)]


class TemplateTranslation(Model):
    """A template's text in another language."""

    language: str
    subject: str | None = None
    content: str
    content_html: str | None = None
    """The text as HTML, for e-mails."""


@wire(flow="id name category content variables")
class MessageTemplate(Record):
    """A text with variables: ``Dear {{ name }}``. Expressions and filters are those of Jinja2, without calls."""

    name: str
    channel: Annotated[Channel | None, Default("email")] = None
    """The channel that the text is for; it cannot be changed."""
    category: MessageCategory
    """What the text is for; ``transactional`` messages are sent whatever the recipient's preferences are."""
    subject: str | None = None
    """The subject of an e-mail, or the title of another message."""
    content: str
    content_html: str | None = None
    """The text as HTML, for e-mails."""
    variables: list[str] = Field(default_factory=EMPTY)
    """The names of the variables in the text, which the server reads; of a filled-in text, those still to be filled."""
    language: Annotated[str | None, Default("en")] = None
    """The language of the text."""
    translations: list[TemplateTranslation] = Field(default_factory=EMPTY)
    """The text in other languages."""
    active: Annotated[bool | None, Default(True)] = None
    """Whether the template can be used."""
    usage_count: Annotated[int | None, Default(0)] = None
    """The number of messages that were made of it."""


@with_config(INPUT)
class TemplateTranslationInput(TypedDict, total=False):
    """A template's text in another language, as input."""

    language: Required[LanguageTag]
    subject: SubjectLine | None
    content: Required[Content]
    content_html: Content | None
    """The text as HTML, for e-mails."""


class _TemplateMembers(TypedDict, total=False):
    subject: SubjectLine | None
    """The subject, which a template for e-mail or push needs."""
    content_html: Content | None
    language: LanguageTag
    translations: Annotated[list[TemplateTranslationInput], Field(max_length=50)] | None
    active: bool


@with_config(INPUT)
class MessageTemplateCreate(_TemplateMembers, total=False):
    """A new template: its name, category and text, and the subject that e-mail and push need."""

    name: Required[Name]
    channel: Channel
    category: Required[Annotated[MessageCategory, Field(pattern=NOT_BLANK, max_length=50)]]
    content: Required[Content]


@with_config(INPUT)
class MessageTemplateUpdate(_TemplateMembers, total=False):
    """Changes to a template; null clears a member. Its channel cannot be changed."""

    name: Name
    category: Annotated[MessageCategory, Field(pattern=NOT_BLANK, max_length=50)]
    content: Content
