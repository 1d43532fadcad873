"""The delivery of notifications: what is sent, its attempts, and how many messages arrived."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .deal_analytics import Series
from .marks import INPUT
from .message_templates import MessageCategory, SubjectLine
from .notifications import DeliveryState, NotificationType
from .record import Model
from .values import EMPTY, NOT_BLANK, Channel, Email, EntityRefInput, LanguageTag, Priority, Url

Destination: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, max_length=254)]
"""The id of a user, contact or lead, an e-mail address, or a telephone number that begins with ``+``."""
MailAddress: TypeAlias = Email
"""An e-mail address."""
Variables: TypeAlias = Annotated[
    dict[Annotated[str, Field(max_length=100)], Annotated[str, Field(max_length=10_000)]], Field(max_length=200)
]
"""The values of a template's variables, by name."""


class Sending(TypedDict, total=False):
    """The arguments of every message."""

    subject: SubjectLine | None
    type: Annotated[NotificationType, Field(max_length=50)] | None
    priority: Priority | None
    category: Annotated[MessageCategory, Field(max_length=50)] | None
    action_url: Url | None
    entity: EntityRefInput | None
    metadata: dict[str, Any] | None
    scheduled_at: AwareDatetime | None
    language: LanguageTag | None


@with_config(INPUT)
class BulkRecipient(TypedDict, total=False):
    """A recipient of a bulk message, with the values of the variables in its text."""

    to: Required[Destination]
    """A user's, contact's or lead's id, or an address that fits the channel."""
    variables: Variables | None
    """The values of the variables in the text, by name; they go before those of the call."""


class DeliveryAttempt(Model):
    """One attempt to send a message."""

    number: int
    """Position among the attempts, from 1."""
    at: AwareDatetime
    """When it was tried."""
    status: Literal["sent", "failed"] | str
    provider: str | None = None
    """The service that took the message."""
    code: str | None = None
    message: str | None = None


class DeliveryStatus(Model):
    """How far a message has come."""

    notification_id: str
    channel: Channel
    delivery_status: DeliveryState
    """How far it has come."""
    attempts: list[DeliveryAttempt] = Field(default_factory=EMPTY)
    """The attempts, the first one first."""
    opened_at: AwareDatetime | None = None
    """When it was first opened."""
    clicked_at: AwareDatetime | None = None
    """When a link in it was first followed."""
    next_retry_at: AwareDatetime | None = None
    """When it is tried again by itself; null where it is not."""


class ChannelStats(Model):
    """The number of messages by how far they have come, of one channel, one template, or all."""

    key: str
    """The channel, the template's id, or ``total``."""
    name: str
    sent: int
    """The number of messages that were handed to the channel's service."""
    delivered: int
    """The number of messages that arrived."""
    opened: int
    """The number of messages that were opened; a click counts as well."""
    clicked: int
    """The number of messages with a link that was followed."""
    bounced: int
    """The number of messages that came back."""
    failed: int
    """The number of messages whose last attempt failed."""
    suppressed: int
    """The number of messages that preferences, an opt-out or an unsubscription held back."""
    unsubscribed: int
    """The number of messages whose link to unsubscribe was used."""
    delivery_rate: float
    """The share of sent messages that arrived, 0 to 1."""
    open_rate: float
    """The share of delivered messages that were opened, 0 to 1."""
    click_rate: float
    """The share of delivered messages with a followed link, 0 to 1."""
    bounce_rate: float
    """The share of sent messages that came back, 0 to 1."""


class NotificationAnalytics(Model):
    """How the messages of a range arrived; each message counts on the day on which it was made."""

    start_date: date
    end_date: date
    totals: ChannelStats
    """The figures of all messages."""
    channels: list[ChannelStats] = Field(default_factory=EMPTY)
    """The figures by channel; together they are the totals."""
    templates: list[ChannelStats] = Field(default_factory=EMPTY)
    """The figures by template, of messages that were made of one."""
    series: list[Series] = Field(default_factory=EMPTY)
    """The figures by period: sent, delivered, opened, clicked, bounced, failed, suppressed."""
