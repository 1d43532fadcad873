"""Events: what the `/ws` feed, its SSE twin and webhooks tell of, told apart by `type` (a webhook calls it ``event``).

What no document describes reads as an `UnknownEvent`; so does a known event whose data is no object.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar, cast, get_origin

from pydantic import AliasChoices, AwareDatetime, Discriminator, Field, Tag

from ..errors import InvalidEventError
from ..reading import Reader, Unreadable, construct
from .agents import AgentStatus
from .leads import LeadStatus
from .messages import MessageSender
from .record import Model
from .values import Amount, LeadSource

M = TypeVar("M", bound=Model)
_TYPE: Final = Field(validation_alias=AliasChoices("type", "event"))


class CreatedLead(Model):
    """A lead that is new, in short."""

    id: str
    name: str
    email: str | None = None
    source: LeadSource | None = None


class UpdatedLead(Model):
    """A lead whose status or data changed; null where the event does not say."""

    id: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    company: str | None = None
    status: LeadStatus | None = None
    source: LeadSource | None = None
    value: Amount | None = None


class ReceivedMessage(Model):
    """A message that came in."""

    id: str
    lead_id: str | None = None
    content: str
    sender: MessageSender | None = None


class AgentState(Model):
    """What an agent is doing."""

    agent_id: str
    status: AgentStatus
    current_task: str | None = None


class AgentResult(Model):
    """What an agent finished. No document says what is in it."""

    agent_id: str | None = None
    status: AgentStatus | None = None
    task: str | None = None
    confidence: float | None = None
    """0..1."""


class IntegrationFault(Model):
    """What went wrong with another system. No document says what is in it."""

    integration_id: str | None = None
    name: str | None = None
    code: str | None = None
    message: str | None = None


class MetricChange(Model):
    """A figure, and how it moved."""

    metric: str
    value: int | float
    change: str | None = None
    """With its sign: ``+2``."""
    change_type: Literal["increase", "decrease"] | str | None = None


class _Told(Model):
    timestamp: AwareDatetime | None = None
    """When it happened."""
    id: str | None = None
    """Names the event, on every way it comes by."""
    seq: int | None = None
    """Its number in the feed, without gaps."""
    epoch: str | None = None
    """Which history the number belongs to."""


class LeadCreated(_Told):
    """There is a new lead."""

    type: Annotated[Literal["lead.created"], _TYPE] = "lead.created"
    data: CreatedLead


class LeadUpdated(_Told):
    """A lead's status or data changed."""

    type: Annotated[Literal["lead.updated"], _TYPE] = "lead.updated"
    data: UpdatedLead


class MessageReceived(_Told):
    """A message came in."""

    type: Annotated[Literal["message.received"], _TYPE] = "message.received"
    data: ReceivedMessage


class AgentStatusUpdate(_Told):
    """An agent began or ended something."""

    type: Annotated[Literal["agent.status"], _TYPE] = "agent.status"
    data: AgentState


class AgentCompleted(_Told):
    """An agent finished its task."""

    type: Annotated[Literal["agent.completed"], _TYPE] = "agent.completed"
    data: AgentResult


class IntegrationError(_Told):
    """Something went wrong with another system."""

    type: Annotated[Literal["integration.error"], _TYPE] = "integration.error"
    data: IntegrationFault


class MetricsUpdate(_Told):
    """A figure moved."""

    type: Annotated[Literal["metrics.update"], _TYPE] = "metrics.update"
    data: MetricChange


class UnknownEvent(_Told):
    """An event that this version does not know, or one whose data is nothing like its document."""

    type: Annotated[str, _TYPE]
    data: Any = None
    """As it came."""


_DOCUMENTED: Final = frozenset(
    {
        "lead.created",
        "lead.updated",
        "message.received",
        "agent.status",
        "agent.completed",
        "integration.error",
        "metrics.update",
    }
)


def _type(value: object) -> str:
    if isinstance(value, Mapping):
        members = cast("Mapping[str, object]", value)
        found = members.get("type", members.get("event"))
    else:
        found = getattr(value, "type", None)
    return found if isinstance(found, str) and found in _DOCUMENTED else "unknown"


Event: TypeAlias = Annotated[
    Annotated[LeadCreated, Tag("lead.created")]
    | Annotated[LeadUpdated, Tag("lead.updated")]
    | Annotated[MessageReceived, Tag("message.received")]
    | Annotated[AgentStatusUpdate, Tag("agent.status")]
    | Annotated[AgentCompleted, Tag("agent.completed")]
    | Annotated[IntegrationError, Tag("integration.error")]
    | Annotated[MetricsUpdate, Tag("metrics.update")]
    | Annotated[UnknownEvent, Tag("unknown")],
    Discriminator(_type),
]
"""An event of any type."""


@cache
def _reader() -> Reader[Event]:
    return Reader(Event)


def read_event(raw: bytes | str | Mapping[str, Any]) -> Event:
    """Read an event as it came. Where it deviates from its document, it is usable still: see its `mismatches`.

    Raises: InvalidEventError where it is no JSON object.
    """
    try:
        if isinstance(raw, Mapping):
            event, mismatches = _reader().fit(dict(raw))
        else:
            content = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
            event, mismatches = _reader().read(content, strict=False)
    except Unreadable as error:
        raise InvalidEventError(f"this is no event: {error}") from None
    if not mismatches:
        return event
    if not isinstance(cast(object, event), Model):
        raise InvalidEventError(f"this is no event: {mismatches[0].message}")
    if not has_documented_objects(event):
        event = construct(UnknownEvent, vars(event), event.model_extra or {}, mismatches)
    if not isinstance(cast(object, event.type), str):
        event = event.model_copy(update={"type": ""})
    return drop_mistyped(event, timestamp=datetime, id=str, seq=int, epoch=str)


def has_documented_objects(told: Model) -> bool:
    """Tell whether everything that is documented as an object came as one."""
    return all(isinstance(getattr(told, name), kind) for name, kind in _objects(type(told)))


@cache
def _objects(cls: type[Model]) -> tuple[tuple[str, type[object]], ...]:
    found: list[tuple[str, type[object]]] = []
    for name, field in cls.model_fields.items():
        if get_origin(field.annotation) is dict:
            found.append((name, dict))
        elif isinstance(field.annotation, type) and issubclass(field.annotation, Model):
            found.append((name, field.annotation))
    return tuple(found)


def drop_mistyped(told: M, **kinds: type) -> M:
    """Return an event without the members of a wrong type; its mismatches still hold them."""
    odd = {name: None for name, kind in kinds.items() if not isinstance(getattr(told, name), (kind, type(None)))}
    return told.model_copy(update=odd) if odd else told
