"""ChatOps: messages of a conversation over the company's data, the plans of what they would write, the commands."""

from __future__ import annotations

from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .analytics_metrics import MetricValue
from .marks import INPUT, OPEN
from .record import Model, Record
from .values import EMPTY, NOT_BLANK, EntityRef, FieldChange, FieldValue, JsonValue

ChatText: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, min_length=1, json_schema_extra={"maxLength": 4000})]
ChatRole: TypeAlias = Literal["user", "assistant"] | str
ChatChannel: TypeAlias = Annotated[Literal["api", "cli", "web", "slack", "teams"] | str, OPEN, Field(max_length=50)]
ChatIntentName: TypeAlias = (
    Literal[
        "list", "show", "count", "sum", "average", "create", "update", "move", "complete", "assign", "log", "schedule",
        "summarize", "help", "unknown",
    ]
    | str
)  # fmt: skip
ChatPlanStatus: TypeAlias = Literal["pending", "done", "expired", "cancelled"] | str


class ChatFilter(Model):
    """One condition that a text was understood as."""

    field: str
    """The member that is compared."""
    op: str
    """The comparison operator."""
    value: FieldValue = None
    """The value to compare with; the lower bound of `between`."""
    high_value: FieldValue = None
    """The upper bound of `between`."""
    values: list[FieldValue] | None = None
    """The values to compare with, for `in` and `not_in`."""


class ChatFilterGroup(Model):
    """Conditions that must all hold."""

    filters: list[ChatFilter]
    """The conditions."""


class ChatIntent(Model):
    """What a text was understood as."""

    name: ChatIntentName
    """What is to be done."""
    entity: str | None = None
    """The kind of records that it is about."""
    filter_groups: list[ChatFilterGroup] = Field(default_factory=EMPTY)
    arguments: dict[str, FieldValue] = Field(default_factory=dict)
    """Arguments of the list that has the same records: words to search for, the order, how many."""
    confidence: int
    """0..100: 100 for a command, less for a question in words."""


class ChatFigure(Model):
    """A figure of an answer."""

    label: str
    value: MetricValue
    """The figure itself."""


class ChatOperation(Model):
    """One record that a plan creates or changes."""

    action: Literal["create", "update"] | str
    """Whether the record is created or changed."""
    entity: str
    """The kind of the record."""
    id: str | None = None
    """Id of the record that is changed; null for one that is created."""
    version: int | None = None
    """The version of the record that the plan was made of."""
    values: dict[str, JsonValue] = Field(default_factory=dict)
    """The members that are written."""


class ChatPlan(Model):
    """What an answer would write; it is carried out when it is confirmed, within ten minutes."""

    id: str
    status: ChatPlanStatus
    """Whether it waits, was carried out, or was cancelled."""
    operations: list[ChatOperation] = Field(default_factory=EMPTY)
    """The writes in their order, all or none."""
    changes: list[FieldChange] = Field(default_factory=EMPTY)
    """The members that would change."""
    summary: str
    """What it would do, in the language of the answer."""
    expires_at: AwareDatetime
    """When the plan cannot be confirmed any more."""


class ChatMessage(Record):
    """A message of a conversation: what a user said, or the assistant's answer."""

    session_id: str
    """Id of the conversation, to go on with it."""
    role: ChatRole
    """Whose message it is: the user's or the assistant's."""
    text: str
    """What is said."""
    channel: ChatChannel = "api"
    """Where the conversation takes place."""
    in_reply_to: str | None = None
    """Id of the message that this one answers."""
    intent: ChatIntent | None = None
    """What the text was understood as."""
    records: list[EntityRef] = Field(default_factory=EMPTY)
    """The first 20 records that the answer is about."""
    total: int | None = None
    """How many records there are in all."""
    figures: list[ChatFigure] = Field(default_factory=EMPTY)
    """Counts, sums and means that the text names."""
    plan: ChatPlan | None = None
    """What would be written; null for an answer that only reads."""
    suggestions: list[str] = Field(default_factory=EMPTY)
    """At most three texts that could be sent next."""
    language: str
    """The language of the answer."""


class ChatCommand(Model):
    """A command of the conversation."""

    name: str
    """The command's word, with its slash."""
    usage: str
    """How it is written."""
    description: str
    """What it does, in the language of the answer."""
    examples: list[str] = Field(default_factory=EMPTY)
    """Texts that can be sent."""
    writes: bool
    """Whether it writes: then the answer is a plan."""
    permission: str | None = None
    """The permission it needs; null where that depends on the records."""


@with_config(INPUT)
class ChatContext(TypedDict, total=False):
    """The record that `it` means."""

    type: Required[Annotated[str, Field(max_length=100)]]
    id: Required[Annotated[str, Field(max_length=100)]]
    name: str | None
