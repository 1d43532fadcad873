"""AI agents, the requests to them and their answers."""

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
    """The performance of an agent so far."""

    total_interactions: int
    """The number of calls."""
    success_rate: float
    """The share of successful calls, 0..1."""
    avg_response_time: float
    """The mean response time in seconds."""


@wire(mvp="id name type status capabilities performance config created_at")
class Agent(Record):
    """An AI agent."""

    name: str
    type: AgentType
    status: AgentStatus
    capabilities: list[str] = Field(default_factory=EMPTY)
    """The capabilities of the agent."""
    performance: AgentPerformance | None = None
    """The performance of the agent so far."""
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
    """The input to execute an agent on."""

    input: Required[str | dict[str, Any]]
    """A sentence, or an object of any shape."""
    context: dict[str, Any]
    """Further context for the agent; free-form."""


class AgentAction(Model):
    """An action that an agent took or suggests."""

    type: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    """The parameters of the action."""


class AgentOutput(Model):
    """The output of an agent."""

    response: str
    """The text of the answer."""
    actions: list[AgentAction] = Field(default_factory=EMPTY)
    """The actions."""
    confidence: float | None = None
    """0..1."""


class AgentUsage(Model):
    """The tokens and the cost of an answer."""

    input_tokens: int
    """The number of tokens of the input."""
    output_tokens: int
    """The number of tokens of the output."""
    total_cost: Amount
    """The cost of the call."""


@wire(mvp="output usage")
class AgentExecution(Model):
    """The result of executing an agent once."""

    output: AgentOutput
    """The answer and the actions."""
    usage: AgentUsage | None = None
    """The tokens that were used, and their cost."""
