"""AI agents: what they are, what they are asked and what they answer."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Required, TypeAlias

from pydantic import Field, with_config
from typing_extensions import TypedDict

from ..wire import wire
from .marks import INPUT, OPEN
from .record import Model, Record
from .values import EMPTY, Amount, Name

AgentType: TypeAlias = Annotated[Literal["sales", "support"] | str, OPEN]
AgentStatus: TypeAlias = Literal["active", "inactive", "processing"] | str


class AgentPerformance(Model):
    """How an agent has done so far."""

    total_interactions: int
    """How often it was called."""
    success_rate: float
    """0..1."""
    avg_response_time: float
    """Seconds."""


@wire(mvp="id name type status capabilities performance config created_at")
class Agent(Record):
    """An AI agent."""

    name: str
    type: AgentType
    status: AgentStatus
    capabilities: list[str] = Field(default_factory=EMPTY)
    """What it can do."""
    performance: AgentPerformance | None = None
    """How it has done so far."""
    config: dict[str, Any] = Field(default_factory=dict)
    """Free-form: ``model``, ``temperature``, ``maxTokens``, ``systemPrompt`` …"""


@wire(mvp="name type capabilities config")
@with_config(INPUT)
class AgentCreate(TypedDict, total=False):
    """A new agent."""

    name: Required[Name]
    type: Required[AgentType]
    capabilities: list[str]
    """What it can do."""
    config: dict[str, Any]


@wire(mvp="input context")
@with_config(INPUT)
class AgentRequest(TypedDict, total=False):
    """What an agent is asked to do."""

    input: Required[str | dict[str, Any]]
    """A sentence, or an object of any shape."""
    context: dict[str, Any]
    """Anything the agent should know besides."""


class AgentAction(Model):
    """Something an agent suggests to do."""

    type: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    """What the action is done with."""


class AgentOutput(Model):
    """What an agent answered."""

    response: str
    """The answer."""
    actions: list[AgentAction] = Field(default_factory=EMPTY)
    """What it did."""
    confidence: float | None = None
    """0..1."""


class AgentUsage(Model):
    """What an answer cost."""

    input_tokens: int
    """Tokens of the question."""
    output_tokens: int
    """Tokens of the answer."""
    total_cost: Amount
    """What the call cost."""


@wire(mvp="output usage")
class AgentExecution(Model):
    """One answer of an agent."""

    output: AgentOutput
    """What it answered and did."""
    usage: AgentUsage | None = None
    """The tokens it took, and what they cost."""
