"""The rules of AI agents: list, create and execute them; the cost of an answer, and the agents' performance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from crm_sdk.models.agents import Agent
from crm_sdk.resources.agents import Agents
from crm_sdk.wire import encode_json

from ...data.document import Document
from ...data.queries.query import sort_documents
from ...live.feeds import Event, Feeds, shows
from ...problems import Problem
from ...request.access.plans import limit_of
from ...serving import Context, Members, RecordType, serves
from .answers import Task, answer

CALLS = "agent_calls"
"""The kind of the records with the number of agent calls of a day; their ids are the days."""
_PRICES: Mapping[str, tuple[str, str]] = {
    "gpt-4": ("0.005", "0.02"),
    "gpt-3.5-turbo": ("0.0005", "0.0015"),
}
"""The prices of a thousand input and output tokens, by model; other models have the price of the first."""
_SMALLEST = Decimal("0.000001")
_STARTING, _PER_TOKEN = 0.4, 0.01
"""The seconds until an answer begins, and for each of its tokens."""
_SUCCESS = 0.5
"""The least confidence of a successful interaction."""
_AT_WORK = frozenset({"active", "processing"})
"""The statuses of agents that can be executed."""
_CAPABLE: Mapping[str, Sequence[str]] = {
    "sales": ("lead-qualification", "appointment-scheduling"),
    "support": ("faq-answers", "ticket-routing"),
}


AGENTS = RecordType("agent", Agent)


@shows("agent.completed")
def completed_data(feeds: Feeds, event: Event) -> Mapping[str, Any]:
    """Return the agent and the result of its task."""
    return feeds.record_and_facts(event)


@shows("agent.status")
def status_data(feeds: Feeds, event: Event) -> Mapping[str, Any]:
    """Return the present state of the agent."""
    said = event["metadata"]
    return {"agentId": event["entity"]["id"], "status": said["status"], "currentTask": said["current_task"]}


@serves(Agents.list)
def list_(call: Context) -> Sequence[Document]:
    """Return the agents, newest first."""
    return sort_documents(call.collection("agent").all(), None, None, ("created_at",))


@serves(Agents.create)
def create(call: Context, agent: Members) -> Document:
    """Create an agent; by default it has the capabilities of its type."""
    return call.create(
        "agent",
        "agent_",
        {
            "name": agent["name"].strip(),
            "type": agent["type"],
            "status": "active",
            "capabilities": list(agent.get("capabilities") or _CAPABLE.get(agent["type"], ())),
            "performance": {"total_interactions": 0, "success_rate": 0.0, "avg_response_time": 0.0},
            "config": {"model": "gpt-4", **(agent.get("config") or {})},
        },
    )


@serves(Agents.execute)
def execute(call: Context, agent_id: str, request: Members) -> dict[str, Any]:
    """Execute an agent: it answers from the company's data and proposes actions, without carrying them out."""
    agent = call.record("agent", agent_id)
    if agent["status"] not in _AT_WORK:
        text = f"the agent is {agent['status']}: it takes no tasks"
        raise Problem("OBJECT_INACTIVE", text, details={"status": agent["status"]})
    task = Task.read(call, request)
    _count(call)
    at_work = {"status": "processing", "current_task": task.label}
    call.emit("agent.status", "agent", agent, metadata=at_work)
    said = answer(call, agent, task)
    config: Members = agent.get("config") or {}
    limit = config.get("maxTokens", config.get("max_tokens"))
    response = _shorten(said.response, limit) if isinstance(limit, int) and limit > 0 else said.response
    prompt = str(config.get("systemPrompt") or config.get("system_prompt") or "")
    spent = _tokens(prompt) + _tokens(_text(request)) + _tokens(said.read)
    made = _tokens(response) + sum(_tokens(_text(action)) for action in said.actions)
    price_in, price_out = _PRICES.get(str(config.get("model")), _PRICES["gpt-4"])
    cost = (spent * Decimal(price_in) + made * Decimal(price_out)) / 1000
    paid = cost.quantize(_SMALLEST, ROUND_HALF_UP)
    usage = {"input_tokens": spent, "output_tokens": made, "total_cost": paid}
    qualified = any(action["type"] == "update_lead" for action in said.actions)
    used = _usage_after(agent, paid, task.intent == "qualify", qualified)
    done = _record_interaction(call, agent, said.confidence, _STARTING + _PER_TOKEN * made, used)
    result = {"confidence": said.confidence, "task": task.label, "actions": [action["type"] for action in said.actions]}
    call.emit("agent.completed", "agent", done, metadata=result)
    call.emit("agent.status", "agent", done, metadata={"status": done["status"], "current_task": None})
    return {
        "output": {"response": response, "actions": list(said.actions), "confidence": said.confidence},
        "usage": usage,
    }


def _count(call: Context) -> None:
    """Count an agent call of the day. Raises: 429 beyond the limit of the company's plan."""
    counts, day = call.collection(CALLS), call.now.date()
    doc = counts.get(day.isoformat()) or Document(id=day.isoformat(), calls=0)
    allowed = limit_of(call.tenant, "agent_calls_per_day")
    if allowed is not None and doc["calls"] >= allowed:
        midnight = datetime.combine(day + timedelta(days=1), time(), call.now.tzinfo)
        wait = math.ceil((midnight - call.now).total_seconds())
        raise Problem(
            "RATE_LIMIT_EXCEEDED",
            f"the company's {allowed:,} agent calls of the day are used up",
            headers={"Retry-After": str(wait)},
            details={"limit": allowed, "retry_after": wait},
        )
    counts.put(doc | {"calls": doc["calls"] + 1})


def _record_interaction(call: Context, agent: Document, confidence: float, seconds: float, used: Members) -> Document:
    """Add an interaction to the agent's averages; its version stays, since no caller has changed it."""
    before: Members = agent.get("performance") or {}
    count = before.get("total_interactions", 0)
    success = 1.0 if confidence >= _SUCCESS else 0.0
    performance = {
        "total_interactions": count + 1,
        "success_rate": round((before.get("success_rate", 0.0) * count + success) / (count + 1), 6),
        "avg_response_time": round((before.get("avg_response_time", 0.0) * count + seconds) / (count + 1), 6),
    }
    return call.collection("agent").put(agent | {"performance": performance, "usage": used, "updated_at": call.now})


def _usage_after(agent: Document, cost: Decimal, qualifies: bool, qualified: bool) -> dict[str, Any]:
    """Return an agent's usage with an answer added: the cost, and the leads it was asked to qualify."""
    before: Members = agent.get("usage") or {}
    return {
        "cost": before.get("cost", Decimal(0)) + cost,
        "qualifications": before.get("qualifications", 0) + qualifies,
        "qualified": before.get("qualified", 0) + (qualifies and qualified),
    }


def _text(value: object) -> str:
    return encode_json(value).decode()


def _tokens(text: str) -> int:
    """Estimate the tokens of a text: about four characters each."""
    return math.ceil(len(text) / 4)


def _shorten(text: str, tokens: int) -> str:
    """Cut a text at a word, so that it has at most so many tokens."""
    if _tokens(text) <= tokens:
        return text
    cut = text[: tokens * 4 - 1].rpartition(" ")[0] or text[: tokens * 4 - 1]
    return f"{cut}…"
