"""AI agents: list, create and execute them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..declare import operation, paginated
from ..paging import Page
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from ..models.agents import Agent, AgentCreate, AgentExecution, AgentRequest


class Agents(Resource[Mode]):
    """AI agents that qualify leads, answer questions and plan appointments."""

    @paginated(mvp="GET /api/agents")
    def list(self) -> Page[Agent]:
        """List the agents."""

    @operation(mvp="POST /api/agents")
    def create(self, agent: AgentCreate) -> Agent:
        """Create an agent.

        Its `config` is free-form: ``model``, ``temperature``, ``maxTokens``, ``systemPrompt``.
        """

    @operation(
        mvp="POST /api/agents/{agent_id}/execute", errors=("OBJECT_INACTIVE", "REFERENCE_NOT_FOUND", "AI_SERVICE_ERROR")
    )
    def execute(self, agent_id: str, request: AgentRequest) -> AgentExecution:
        """Execute an agent on an input and return its answer.

        The request's `input` is a sentence or an object of any shape; its `context` is free-form, such as
        ``{"lead_id": "lead_456"}``.

        Raises: NotFoundError; AiServiceError when the model failed; RateLimitError when the plan's agent calls of the
        day are used up. Document: 003.
        """
