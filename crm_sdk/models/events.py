"""Events: the messages of the `/ws` feed, of the SSE feed and of webhooks. `type` is the name of the event.

A webhook's body has the name as ``event``. An event that no document describes is read as an `UnknownEvent`, as is a
known event whose data is not an object. Document: 003, "WebSocket Events".
"""

from __future__ import annotations

from collections.abc import Mapping
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
    """The main members of a lead that was created."""

    id: str
    name: str
    email: str | None = None
    source: LeadSource | None = None


class UpdatedLead(Model):
    """A lead whose status or data changed; a member that the event does not have is null."""

    id: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    company: str | None = None
    status: LeadStatus | None = None
    source: LeadSource | None = None
    value: Amount | None = None


class ReceivedMessage(Model):
    """A message that was received."""

    id: str
    lead_id: str | None = None
    content: str
    sender: MessageSender | None = None


class AgentState(Model):
    """The state of an agent."""

    agent_id: str
    status: AgentStatus
    current_task: str | None = None


class AgentResult(Model):
    """The result of an agent. Its members are our own: no document describes them."""

    agent_id: str | None = None
    status: AgentStatus | None = None
    task: str | None = None
    confidence: float | None = None
    """0..1."""


class IntegrationFault(Model):
    """An error of an external system. Its members are our own: no document describes them."""

    integration_id: str | None = None
    name: str | None = None
    code: str | None = None
    message: str | None = None


class MetricChange(Model):
    """A metric, and its change."""

    metric: str
    value: int | float
    change: str | None = None
    """The change, with its sign: ``+2``."""
    change_type: Literal["increase", "decrease"] | str | None = None


class _Told(Model):
    timestamp: AwareDatetime | None = None
    """When it happened."""
    id: str | None = None
    """Id of the event; the same on `/ws`, SSE, channels and webhooks."""
    seq: int | None = None
    """Its sequence number in the feed; consecutive events have consecutive numbers."""
    epoch: str | None = None
    """The numbering that `seq` belongs to; after a reset of the server it is another one."""


class LeadCreated(_Told):
    """A lead was created."""

    type: Annotated[Literal["lead.created"], _TYPE] = "lead.created"
    data: CreatedLead


class LeadUpdated(_Told):
    """A lead's status or data changed."""

    type: Annotated[Literal["lead.updated"], _TYPE] = "lead.updated"
    data: UpdatedLead


class MessageReceived(_Told):
    """A message was received."""

    type: Annotated[Literal["message.received"], _TYPE] = "message.received"
    data: ReceivedMessage


class AgentStatusUpdate(_Told):
    """The status of an agent changed."""

    type: Annotated[Literal["agent.status"], _TYPE] = "agent.status"
    data: AgentState


class AgentCompleted(_Told):
    """An agent completed its task."""

    type: Annotated[Literal["agent.completed"], _TYPE] = "agent.completed"
    data: AgentResult


class IntegrationError(_Told):
    """An integration with an external system failed."""

    type: Annotated[Literal["integration.error"], _TYPE] = "integration.error"
    data: IntegrationFault


class MetricsUpdate(_Told):
    """A metric changed."""

    type: Annotated[Literal["metrics.update"], _TYPE] = "metrics.update"
    data: MetricChange


class UnknownEvent(_Told):
    """An event that this version does not know, or whose data does not match its document at all."""

    type: Annotated[str, _TYPE]
    data: Any = None
    """The data as received."""


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
    """Read an event from JSON text or a mapping; its `mismatches` list where it deviates from its document.

    Raises: InvalidEventError for anything that is not a JSON object.
    """
    try:
        if isinstance(raw, Mapping):
            event, mismatches = _reader().fit(dict(raw))
        else:
            content = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
            event, mismatches = _reader().read(content, strict=False)
    except Unreadable as error:
        raise InvalidEventError(f"this is not an event: {error}") from None
    if not mismatches:
        return event
    if not isinstance(cast(object, event), Model):
        raise InvalidEventError(f"this is not an event: {mismatches[0].message}")
    if not has_documented_objects(event):
        data = next((mismatch.value for mismatch in mismatches if mismatch.path == "data"), None)
        event = construct(UnknownEvent, {**vars(event), "data": data}, event.model_extra or {}, mismatches)
    if not isinstance(cast(object, event.type), str):
        event = event.model_copy(update={"type": ""})
    return event


def has_documented_objects(told: Model) -> bool:
    """Return whether every member that is documented as an object is one."""
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
