"""The rules of AI agents, as a caller meets them."""

from __future__ import annotations

from typing import Any

import pytest
from refusals import refused

from crm_sdk import AiServiceError, CrmClient
from crm_sdk.models.agents import Agent
from server_stub import StubServer
from server_stub.data.document import Document


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="mvp", max_retries=0)


def listed(client: CrmClient, id: str = "agent_123") -> Agent:
    return next(agent for agent in client.agents.list() if agent.id == id)


@pytest.mark.parametrize("context", [{"lead_id": "lead_456"}, {"leadId": "lead_456"}, {"deal": {"leadId": "lead_456"}}])
def test_a_lead_is_found_however_it_is_named(client: CrmClient, context: dict[str, object]) -> None:
    result = client.agents.execute("agent_123", {"input": "Qualify this lead", "context": context})
    assert result.output.response.startswith("Jane Doe has ")
    assert [action.type for action in result.output.actions] == ["update_lead", "schedule_call"]
    assert result.output.actions[0].parameters == {"leadId": "lead_456", "changes": {"status": "qualified"}}


def test_the_answer_follows_the_data(client: CrmClient) -> None:
    poor = client.leads.create({"name": "Poor Lead", "email": "poor@x.example"})
    request = {"input": f"Qualify {poor.id}"}
    first = client.agents.execute("agent_123", request)  # type: ignore[arg-type] # a plain dict
    client.leads.update(poor.id, {"value": 20_000, "phone": "+12125550111", "company": "X", "status": "contacted"})
    second = client.agents.execute("agent_123", request)  # type: ignore[arg-type] # as above
    assert "update_lead" not in [action.type for action in first.output.actions]
    assert "update_lead" in [action.type for action in second.output.actions]
    assert client.leads.get(poor.id).status == "contacted"  # proposed, not done


def test_an_object_is_understood_and_prices_are_answered(client: CrmClient) -> None:
    message = {"leadId": "lead_123", "message": "I need help with pricing", "context": {"leadValue": 7_500}}
    result = client.agents.execute("agent_123", {"input": message})
    assert "7,500" in result.output.response
    assert {action.parameters["leadId"] for action in result.output.actions} == {"lead_123"}


def test_an_interaction_counts_and_costs(client: CrmClient, stub: StubServer) -> None:
    before = listed(client).performance
    short = client.agents.execute("agent_123", {"input": "Schedule a demo"}).usage
    long = client.agents.execute("agent_123", {"input": "Schedule a demo. " * 50}).usage
    after = listed(client).performance
    assert before is not None
    assert after is not None
    assert after.total_interactions == before.total_interactions + 2
    assert after.success_rate > before.success_rate
    assert short is not None
    assert long is not None
    assert long.input_tokens > short.input_tokens
    assert long.total_cost > short.total_cost > 0
    trail = [entry["action"] for entry in stub.audit() if entry["entity"]["id"] == "agent_123"]
    assert trail == ["agent.status", "agent.completed", "agent.status"] * 2


def test_an_agent_is_bounded_by_its_config_and_capabilities(client: CrmClient) -> None:
    able = client.agents.create({"name": "A", "type": "sales", "config": {"maxTokens": 5}})
    unable = client.agents.create({"name": "B", "type": "sales", "capabilities": ["faq-answers"]})
    request = {"input": "Qualify lead_456"}
    short, full = (client.agents.execute(agent.id, request).output for agent in (able, unable))  # type: ignore[arg-type] # a plain dict
    assert len(short.response) <= 20 < len(full.response)
    assert (short.confidence or 0) > (full.confidence or 0)
    words = full.response
    for limit, text in (
        (0, words), (-1, words), (-5, words), ("5", words), (None, words), (1, f"{words[:3]}…"), (10_000, words),
    ):  # fmt: skip
        for name in ("maxTokens", "max_tokens"):
            made: Any = {"name": "C", "type": "sales", "capabilities": ["faq-answers"], "config": {name: limit}}
            agent = client.agents.create(made).id
            assert client.agents.execute(agent, {"input": "Qualify lead_456"}).output.response == text, (name, limit)


def test_what_is_not_there_or_switched_off_is_refused(client: CrmClient, stub: StubServer) -> None:
    assert refused(lambda: client.agents.execute("agent_nope", {"input": "x"})).status == 404
    error = refused(lambda: client.agents.execute("agent_123", {"input": "x", "context": {"leadId": "lead_nope"}}))
    assert error.code == "REFERENCE_NOT_FOUND"


@pytest.mark.parametrize("status", ["inactive", "paused"])
def test_an_agent_that_is_not_at_work_is_not_asked(client: CrmClient, stub: StubServer, status: str) -> None:
    agents = stub.store.collection("tenant_acme", "agent")
    agent = agents.get("agent_123")
    assert agent is not None
    agents.put(agent | {"status": status})
    assert refused(lambda: client.agents.execute("agent_123", {"input": "x"})).code == "OBJECT_INACTIVE"
    assert len(stub.store.collection("tenant_acme", "agent_calls")) == 0
    agents.put(agent)
    assert client.agents.execute("agent_123", {"input": "x"}).output.response


@pytest.mark.parametrize(("plan", "allowed"), [("free", 100), ("pro", 1_000), ("enterprise", 10_000)])
def test_a_days_calls_are_limited_by_the_plan(client: CrmClient, stub: StubServer, plan: str, allowed: int) -> None:
    tenants = stub.store.collection("tenant_acme", "tenant")
    tenants.put((tenants.get("tenant_acme") or Document()) | {"plan": plan})
    day = stub.clock.now().date().isoformat()
    stub.store.collection("tenant_acme", "agent_calls").put(Document(id=day, calls=allowed - 1))
    before = client.analytics.ai_performance().overall.total_cost
    client.agents.execute("agent_123", {"input": "x"})
    spent = client.analytics.ai_performance().overall.total_cost
    assert spent > before
    error = refused(lambda: client.agents.execute("agent_123", {"input": "x"}))
    assert (error.code, error.status) == ("RATE_LIMIT_EXCEEDED", 429)
    assert error.details["limit"] == allowed
    assert getattr(error, "retry_after", None) == 15 * 3_600
    assert client.analytics.ai_performance().overall.total_cost == spent
    stub.clock.advance(15 * 3_600)
    assert client.agents.execute("agent_123", {"input": "x"}).output.response


def test_an_ai_that_fails_says_so_and_costs_nothing(client: CrmClient, stub: StubServer) -> None:
    before = client.analytics.ai_performance(), listed(client).performance
    stub.faults.add("status", status=500, code="AI_SERVICE_ERROR", operation="agents.execute", times=1)
    with pytest.raises(AiServiceError) as caught:
        client.agents.execute("agent_123", {"input": "Schedule a demo"})
    assert (caught.value.status, caught.value.code) == (500, "AI_SERVICE_ERROR")
    assert (client.analytics.ai_performance(), listed(client).performance) == before
    assert len(stub.store.collection("tenant_acme", "agent_calls")) == 0
    assert client.agents.execute("agent_123", {"input": "Schedule a demo"}).output.response


# -- what is asked for -------------------------------------------------------------------------------------------------

WHEN = [  # the demo's present is Thursday, 15 January 2026, 10:00 in Berlin
    ("Can we meet on Tuesday afternoon?", "2026-01-20T13:00:00Z", "Tuesday, 20 January at 14:00 (Europe/Berlin)"),
    ("Please schedule a demo for tomorrow at 3pm", "2026-01-16T14:00:00Z", "Friday, 16 January at 15:00"),
    ("Could we have a meeting next week?", "2026-01-19T13:00:00Z", "Monday, 19 January at 14:00"),
    ("Can we meet at 16:30 on 3 February?", "2026-02-03T15:30:00Z", "Tuesday, 3 February at 16:30"),
    ("Meeting on 2026-06-01 at 9:00, please", "2026-06-01T07:00:00Z", "Monday, 1 June at 09:00"),
    ("Können wir uns am Dienstag Vormittag treffen?", "2026-01-20T09:00:00Z", "Dienstag, 20. Januar um 10:00 Uhr"),
    ("Passt Ihnen ein Termin morgen um 15 Uhr?", "2026-01-16T14:00:00Z", "Freitag, 16. Januar um 15:00 Uhr"),
    ("¿Podemos tener una reunión el martes por la tarde?", "2026-01-20T13:00:00Z", "martes 20 de enero a las 14:00"),
]


@pytest.mark.parametrize(("text", "at", "said"), WHEN, ids=[text for text, _, _ in WHEN])
def test_a_meeting_is_planned_when_it_is_asked_for(client: CrmClient, text: str, at: str, said: str) -> None:
    """On the lead's clock, and in the language that is spoken."""
    lead = client.leads.create({"name": "Eva Berg", "email": "eva@berg.example"})
    platform = client.with_options(dialects="platform")
    platform.leads.update(lead.id, {"timezone": "Europe/Berlin"})
    result = client.agents.execute("agent_123", {"input": {"message": text, "leadId": lead.id}})
    (action,) = result.output.actions
    assert (action.type, action.parameters) == (
        "schedule_meeting", {"leadId": lead.id, "suggestedTime": at, "timezone": "Europe/Berlin"},
    )  # fmt: skip
    assert said in result.output.response


@pytest.mark.parametrize(
    ("text", "type", "sure"),
    [
        ("Can we meet on Tuesday afternoon?", "schedule_meeting", 0.92),
        ("Could we meet?", "schedule_call", 0.85),
        ("Please call me tomorrow at 3pm", "schedule_call", 0.92),
        ("Please call me", "schedule_call", 0.85),
    ],
)
def test_a_meeting_without_a_time_is_a_call_first(client: CrmClient, text: str, type: str, sure: float) -> None:
    output = client.agents.execute("agent_123", {"input": {"message": text, "leadId": "lead_456"}}).output
    assert [action.type for action in output.actions] == [type]
    assert output.confidence == sure


def test_a_price_is_surer_where_the_worth_is_known(client: CrmClient) -> None:
    worthless = client.leads.create({"name": "Eva Berg", "email": "eva@berg.example"}).id
    ask: Any = {"message": "What does it cost?", "leadId": worthless}
    unknown = client.agents.execute("agent_123", {"input": ask}).output
    known = client.agents.execute("agent_123", {"input": {**ask, "context": {"leadValue": 7_500}}}).output
    assert (unknown.confidence, known.confidence) == (0.75, 0.85)
    assert "in mind" not in unknown.response and "7,500" in known.response
    nobody = client.agents.execute("agent_123", {"input": "What are your prices?"}).output
    assert "pricing information" in nobody.response and nobody.actions == [], "there is nobody to send it to"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Thank you so much for the call yesterday!", "You're welcome, Jane"),
        ("Vielen Dank, das war sehr nett!", "Sehr gern, Jane"),
        ("Muchas gracias por todo", "De nada, Jane"),
    ],
)
def test_thanks_are_answered_and_nothing_else_is_done(client: CrmClient, text: str, said: str) -> None:
    result = client.agents.execute("agent_123", {"input": {"message": text, "leadId": "lead_456"}})
    assert said in result.output.response
    assert result.output.actions == []


@pytest.mark.parametrize(
    ("text", "queue", "said"),
    [
        ("I want to cancel our subscription.", "retention", "A person will take care"),
        ("Please cancel our meeting on Tuesday", "scheduling", "a colleague will confirm"),
        ("Hiermit kündige ich den Vertrag.", "retention", "Ein Mensch kümmert sich"),
        ("Quiero cancelar la reunión, por favor", "scheduling", "un compañero la confirmará"),
    ],
)
def test_a_cancellation_goes_to_a_person(client: CrmClient, text: str, queue: str, said: str) -> None:
    result = client.agents.execute("agent_123", {"input": {"message": text, "leadId": "lead_456"}})
    assert said in result.output.response
    types = [action.type for action in result.output.actions]
    assert (types, result.output.actions[0].parameters["queue"]) == (["route_ticket", "notify_owner"], queue)


def test_who_thanks_and_asks_is_answered(client: CrmClient) -> None:
    result = client.agents.execute("agent_123", {"input": "Thanks! Could you send the prices for lead_456?"})
    assert "pricing information" in result.output.response
