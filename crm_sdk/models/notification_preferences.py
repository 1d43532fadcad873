"""The preferences of a user for notifications, and what addresses are subscribed to."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .marks import INPUT
from .patterns import TimeOfDay
from .record import Model
from .values import EMPTY, NOT_BLANK, Channel, LanguageTag, TimeZone

Digest: TypeAlias = Literal["none", "daily", "weekly"] | str
"""A time of day, ``22:00``."""
SubscriptionSort: TypeAlias = Literal["id", "created_at", "updated_at"] | str
SubscriptionSource: TypeAlias = Literal["default", "preferences", "unsubscribe_link", "api", "bounce"] | str


class ChannelPreferences(Model):
    """The channels by which a user gets notifications."""

    in_app: bool = True
    """Whether the inbox is used."""
    email: bool = True
    """Whether e-mails are sent."""
    sms: bool = True
    """Whether text messages are sent."""
    push: bool = True
    """Whether push messages are sent."""


class TypePreference(Model):
    """The channels for notifications of one type."""

    type: str
    channels: list[Channel]
    """The only channels that this type uses."""


class QuietHours(Model):
    """The hours in which nothing but what is urgent is sent."""

    start: str
    """When they begin, ``22:00``."""
    end: str
    """When they end, ``07:00``; before `start` it is on the next day."""
    timezone: str
    """Time zone, as an IANA name."""


class NotificationPreferences(Model):
    """The preferences of a user for notifications."""

    user_id: str
    enabled: bool = True
    """Whether the user gets any notifications; the same as `notifications` of the user's preferences."""
    channels: ChannelPreferences = Field(default_factory=ChannelPreferences)
    """The channels that are used."""
    types: list[TypePreference] = Field(default_factory=EMPTY)
    """The types of notifications that use some channels only."""
    quiet_hours: QuietHours | None = None
    """The hours in which messages wait, unless their priority is high."""
    digest: Digest = "none"
    """How often the user wants an e-mail with what is unread: at eight by the user's clock, weekly on Mondays."""
    language: str | None = None
    """The language of messages to the user."""


@with_config(INPUT)
class ChannelPreferencesInput(TypedDict, total=False):
    """The channels by which a user gets notifications, as input; what is not given stays."""

    in_app: bool
    """Whether the inbox is used."""
    email: bool
    """Whether e-mails are sent."""
    sms: bool
    """Whether text messages are sent."""
    push: bool
    """Whether push messages are sent."""


@with_config(INPUT)
class TypePreferenceInput(TypedDict):
    """The channels for notifications of one type, as input."""

    type: Annotated[str, Field(pattern=NOT_BLANK, max_length=50)]
    channels: Annotated[list[Channel], Field(max_length=5)]
    """The only channels that this type uses; those of ``system`` include ``in_app``."""


@with_config(INPUT)
class QuietHoursInput(TypedDict, total=False):
    """The hours in which nothing but what is urgent is sent, as input; what is not given stays."""

    start: TimeOfDay
    """When they begin, ``22:00``."""
    end: TimeOfDay
    """When they end, ``07:00``; before `start` it is on the next day."""
    timezone: TimeZone | None
    """Time zone, as an IANA name; without it that of the user, wherever that is."""


@with_config(INPUT)
class NotificationPreferencesUpdate(TypedDict, total=False):
    """Changes to the preferences of a user; null clears a member."""

    enabled: bool
    channels: ChannelPreferencesInput
    types: Annotated[list[TypePreferenceInput], Field(max_length=100)] | None
    quiet_hours: QuietHoursInput | None
    digest: Digest
    language: LanguageTag | None


class Subscription(Model):
    """What an address gets, or does not get any more."""

    id: str
    address: str
    """The e-mail address, or the telephone number."""
    channel: Channel
    topic: str
    """The category or type of the messages; ``all`` for every one but transactional ones."""
    subscribed: bool
    """Whether messages are sent."""
    source: SubscriptionSource
    """What decided this."""
    reason: str | None = None
    updated_at: AwareDatetime | None = None
