"""Webhooks: the endpoints a company has events posted to, and the log of what was posted."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from ..wire import wire
from .auth import Credential
from .marks import INPUT, OPEN
from .record import Model, Record
from .values import EMPTY, Url

WebhookEvent: TypeAlias = Annotated[
    Literal["*", "lead.created", "lead.updated", "message.received", "agent.completed", "integration.error"] | str,
    OPEN,
]
"""The documented events, any other name of the log of events (``deal.won``), or ``*`` for all of them."""
_EventName: TypeAlias = Annotated[
    Literal["*", "lead.created", "lead.updated", "message.received", "agent.completed", "integration.error"]
    | Annotated[str, Field(pattern=r"^(\*|[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*)$")],
    OPEN,
]
DeliveryStatus: TypeAlias = Literal["pending", "delivered", "failed", "cancelled"] | str
"""``pending``: not tried yet, or to be tried again; ``failed``: given up; ``cancelled``: its endpoint was deleted."""


class WebhookSecret(Credential):
    """A signing secret. It is shown, since it is answered only once, to be copied."""

    __slots__ = ()
    shown: ClassVar[bool] = True


@wire(
    mvp="id url events description active secret? secret_prefix previous_secret_expires_at? consecutive_failures"
    " failing_since? disabled_at? disabled_reason? created_at updated_at created_by version"
)
class WebhookEndpoint(Record):
    """Where events are posted to."""

    url: str
    events: list[WebhookEvent] = Field(default_factory=EMPTY)
    description: str | None = None
    active: bool = True
    secret: WebhookSecret | None = None
    """What deliveries are signed with; answered by `create` and `rotate_secret` only."""
    secret_prefix: str | None = None
    """The beginning of the secret, to tell it from another one."""
    previous_secret_expires_at: AwareDatetime | None = None
    """Until when deliveries are signed with the secret before as well."""
    consecutive_failures: int = 0
    """How many attempts in a row have failed."""
    failing_since: AwareDatetime | None = None
    """Since when nothing gets through."""
    disabled_at: AwareDatetime | None = None
    """When the server stopped posting to it."""
    disabled_reason: str | None = None
    """Why the server stopped: ``gone`` (it was answered 410) or ``failing``; null where a user did."""


class WebhookAttempt(Model):
    """One time a delivery was posted."""

    number: int
    """Which attempt it was, from 1."""
    at: AwareDatetime
    """When it was made."""
    status: int | None = None
    """What the endpoint answered; null where it did not."""
    duration: float | None = None
    """How long that took, in seconds."""
    error: str | None = None
    response: str | None = None
    """The beginning of the answer."""


class WebhookDelivery(Record):
    """One event on its way to one endpoint."""

    webhook_id: str
    url: str
    event: str
    """The name of the event."""
    event_id: str
    """The event's id in the log of events, and the ``webhook-id`` that every attempt carries."""
    status: DeliveryStatus
    attempts: list[WebhookAttempt] = Field(default_factory=EMPTY)
    """The attempts to post it."""
    next_attempt_at: AwareDatetime | None = None
    """When it is posted next."""
    payload: dict[str, Any] = Field(default_factory=dict)
    """``event``, ``data`` and ``timestamp``; each attempt adds the ``signature``."""
    redelivery_of: str | None = None
    """Id of the delivery that it repeats."""


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
