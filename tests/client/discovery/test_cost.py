"""Finding out which dialects a server speaks costs one request in a client's life."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import one_dialect
import pytest
from one_dialect import NOWHERE, SERVERS

from crm_sdk.dialects import RICHEST_FIRST

Call = Callable[[Any], Any]
Make = Callable[..., Any]
EXAMPLE = Path(__file__).parents[3] / "examples" / "mvp_document.py"

CALLS: dict[str, list[tuple[str, Callable[[Any], Any]]]] = {
    "mvp": [
        ("GET /api/leads", lambda crm: crm.leads.list(status="new")),
        ("POST /api/leads", lambda crm: crm.leads.create({"name": "Ada", "notes": "first"})),
        ("GET /api/leads/lead_123", lambda crm: crm.leads.get("lead_123")),
        ("PUT /api/leads/lead_123", lambda crm: crm.leads.update("lead_123", {"status": "qualified"})),
        ("GET /api/agents", lambda crm: crm.agents.list()),
    ],
    "flow": [
        ("GET /api/contacts", lambda crm: crm.contacts.list(search="Ada")),
        ("POST /api/contacts", lambda crm: crm.contacts.create({"name": "Ada", "email": "a@b.co"})),
        ("GET /api/contacts/contact_1", lambda crm: crm.contacts.get("contact_1")),
        ("PUT /api/contacts/contact_1", lambda crm: crm.contacts.update("contact_1", {"tags": ["a"]})),
        ("GET /api/deals", lambda crm: crm.deals.list()),
    ],
    "platform": [
        ("GET /v1/leads", lambda crm: crm.leads.list(status="new")),
        ("POST /v1/leads", lambda crm: crm.leads.create({"name": "Ada", "tags": ["a"]})),
        ("GET /v1/leads/lead_1", lambda crm: crm.leads.get("lead_1")),
        ("PUT /v1/leads/lead_1", lambda crm: crm.leads.update("lead_1", {"tags": ["a"]})),
        ("GET /v1/contacts", lambda crm: crm.contacts.list()),
    ],
}
"""Calls that a server of one dialect has, and what it is to be asked."""


@pytest.mark.thorough
@pytest.mark.parametrize("nowhere", NOWHERE)
@pytest.mark.parametrize("dialect", SERVERS)
@pytest.mark.parametrize("first", range(5))
def test_finding_out_costs_one_request_in_a_clients_life(
    asking: Make, call: Call, dialect: str, nowhere: str, first: int
) -> None:
    server = SERVERS[dialect](nowhere)
    client = asking(server)
    calls = [*CALLS[dialect][first:], *CALLS[dialect][:first]] * 2
    for _, attempt in calls:
        call(attempt(client))
    assert [route for route in server.asked if "/v1/" not in route or dialect == "platform"] == [at for at, _ in calls]
    assert len(server.asked) - len(calls) == (0 if dialect == "platform" else 1)
    assert ("platform" in client.dialects) is (dialect == "platform")
    assert dialect in client.dialects


def test_the_example_of_the_mvp_document_runs_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    server = one_dialect.mvp()
    monkeypatch.setattr("crm_sdk.network.http.sync_transports", lambda *_: lambda: httpx.MockTransport(server))
    made = runpy.run_path(str(EXAMPLE))
    assert server.asked == [
        "GET /v1/leads",
        "GET /api/leads",
        "POST /api/leads",
        "POST /api/agents/agent_123/execute",
    ]
    assert (made["leads"].items[0].name, made["new_lead"].name) == ("John Smith", "John Doe")
    assert made["result"].output.confidence == 0.92


def test_a_server_of_all_dialects_is_spoken_to_in_the_richest(asking: Make, call: Call) -> None:
    parts = [make() for make in SERVERS.values()]

    def server(request: httpx.Request) -> httpx.Response:
        return next(part(request) for part in parts if part.dialect == request.headers["x-crm-dialect"])

    client = asking(server)
    for attempt in (client.leads.list, client.contacts.list, client.calendar.events.list, client.agents.list):
        call(attempt())
    assert {part.dialect: part.asked for part in parts} == {
        "platform": ["GET /v1/leads", "GET /v1/contacts"],
        "flow": ["GET /api/calendar/events"],
        "mvp": ["GET /api/agents"],
    }
    assert client.dialects == client.finding.spoken == RICHEST_FIRST
