"""Webhooks: the endpoints that events are posted to, and the deliveries."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from ..wire import wire
from .auth import Credential
from .marks import INPUT, OPEN
from .patterns import EVENT_NAMES_PATTERN
from .record import Model, Record
from .values import EMPTY, Url

WebhookEvent: TypeAlias = Annotated[
    Literal["*", "lead.created", "lead.updated", "message.received", "agent.completed", "integration.error"] | str,
    OPEN,
]
"""The name of an event, documented or of our own (``deal.won``), or ``*`` for all events."""
_EventName: TypeAlias = Annotated[
    Literal["*", "lead.created", "lead.updated", "message.received", "agent.completed", "integration.error"]
    | Annotated[str, Field(pattern=EVENT_NAMES_PATTERN)],
    OPEN,
]
WebhookDeliveryState: TypeAlias = Literal["pending", "delivered", "failed", "cancelled"] | str
"""``pending``: waits for its first or next attempt; ``failed``: given up; ``cancelled``: its endpoint was deleted."""


class WebhookSecret(Credential):
    """A signing secret. The command line prints it, since only one answer has it."""

    __slots__ = ()
    shown: ClassVar[bool] = True


@wire(
    mvp="id url events description active secret? secret_prefix previous_secret_expires_at? consecutive_failures"
    " failing_since? disabled_at? disabled_reason? created_at updated_at created_by version"
)
class WebhookEndpoint(Record):
    """A URL that events are posted to."""

    url: str
    events: list[WebhookEvent] = Field(default_factory=EMPTY)
    description: str | None = None
    active: bool = True
    secret: WebhookSecret | None = None
    """The signing secret; only the answers of `create` and `rotate_secret` have it."""
    secret_prefix: str | None = None
    """The first characters of the secret, to tell it from another one."""
    previous_secret_expires_at: AwareDatetime | None = None
    """Until when deliveries are also signed with the previous secret."""
    consecutive_failures: int = 0
    """The number of failed attempts since the last successful one."""
    failing_since: AwareDatetime | None = None
    """The time of the first of these failed attempts."""
    disabled_at: AwareDatetime | None = None
    """When the endpoint was disabled."""
    disabled_reason: str | None = None
    """Why the server disabled it: ``gone`` (the endpoint answered 410) or ``failing``; null where a user did."""


class WebhookAttempt(Model):
    """One attempt to post a delivery."""

    number: int
    """The number of the attempt, from 1."""
    at: AwareDatetime
    """When it was made."""
    status: int | None = None
    """The HTTP status that the endpoint answered; null where it did not answer."""
    duration: float | None = None
    """The duration of the request in seconds."""
    error: str | None = None
    response: str | None = None
    """The first characters of the answer's body."""


class WebhookDelivery(Record):
    """The delivery of one event to one endpoint."""

    webhook_id: str
    url: str
    event: str
    """The name of the event."""
    event_id: str
    """The id of the event, which every attempt has as its header ``webhook-id``."""
    status: WebhookDeliveryState
    attempts: list[WebhookAttempt] = Field(default_factory=EMPTY)
    """The attempts to post it."""
    next_attempt_at: AwareDatetime | None = None
    """When the next attempt is due."""
    payload: dict[str, Any] = Field(default_factory=dict)
    """The body: ``event``, ``data`` and ``timestamp``; each attempt adds the ``signature``."""
    redelivery_of: str | None = None
    """Id of the delivery that this one repeats."""


@with_config(INPUT)
class WebhookCreate(TypedDict, total=False):
    """A new endpoint."""

    url: Required[Url]
    events: Required[Annotated[list[_EventName], Field(min_length=1, max_length=100)]]
    description: Annotated[str, Field(max_length=500)] | None
    active: bool


@with_config(INPUT)
class WebhookUpdate(TypedDict, total=False):
    """Changes to an endpoint."""

    url: Url
    events: Annotated[list[_EventName], Field(min_length=1, max_length=100)]
    description: Annotated[str, Field(max_length=500)] | None
    active: bool
