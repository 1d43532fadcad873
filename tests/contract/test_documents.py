"""The literal examples of the MVP document, through the SDK and through the stub."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from shapes import Shapes

from crm_sdk import CrmClient, CrmError, ValidationError
from crm_sdk.wire import decode_json
from server_stub import StubServer
from server_stub.request.http import Request

EXAMPLES = json.loads((Path(__file__).parent / "mvp-examples.json").read_text())

CALLS: dict[str, Callable[[CrmClient, Any], Any]] = {
    "POST /api/auth/login": lambda client, body: client.auth.login(body["email"], body["password"]),
    "GET /api/leads": lambda client, body: client.leads.list(),
    "POST /api/leads": lambda client, body: client.leads.create(body),
    "PUT /api/leads/{id}": lambda client, body: client.leads.update("lead_123", body),
    "GET /api/contacts": lambda client, body: client.contacts.list(),
    "POST /api/contacts": lambda client, body: client.contacts.create(body),
    "GET /api/conversations": lambda client, body: client.conversations.list(),
    "GET /api/messages/{leadId}": lambda client, body: client.messages.list("lead_123"),
    "POST /api/messages": lambda client, body: client.messages.create(body),
    "GET /api/agents": lambda client, body: client.agents.list(),
    "POST /api/agents": lambda client, body: client.agents.create(body),
    "POST /api/agents/{id}/execute": lambda client, body: client.agents.execute("agent_123", body),
    "GET /api/analytics/dashboard": lambda client, body: client.analytics.dashboard(),
    "GET /api/analytics/ai-performance": lambda client, body: client.analytics.ai_performance(),
    "GET /api/integrations": lambda client, body: client.integrations.list(),
    "POST /api/integrations/{id}/connect": lambda client, body: client.integrations.connect("integration_123", **body),
    "GET /api/notifications": lambda client, body: client.notifications.list(),
    "GET /api/achievements": lambda client, body: client.achievements.list(),
}
SERVED = [example for example in EXAMPLES if f"{example.get('method')} {example.get('path')}" in CALLS]
NAMES = [f"{example['method']} {example['path']}" for example in SERVED]


def call(example: dict[str, Any], client: CrmClient) -> Any:
    return CALLS[f"{example['method']} {example['path']}"](client, example.get("request"))


def path_of(example: dict[str, Any]) -> str:
    """Return the path of an example, with the documented record of its noun."""
    noun = example["path"].split("/")[2].removesuffix("s")
    return str(example["path"].replace("{id}", f"{noun}_123").replace("{leadId}", "lead_123"))


def mirrored(answer: object) -> tuple[CrmClient, list[httpx.Request]]:
    """Return a client whose server answers with the document's own words."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=answer)

    return CrmClient("https://x.test", dialects="mvp", http_client=httpx.MockTransport(handle), strict=True), seen


@pytest.mark.parametrize(
    "example",
    [e for e in SERVED if "response" in e],
    ids=[n for n, e in zip(NAMES, SERVED, strict=True) if "response" in e],
)
def test_the_sdk_reads_every_documented_answer_without_loss(example: dict[str, Any]) -> None:
    client, _ = mirrored(example["response"])
    result = call(example, client)
    if hasattr(result, "items") and not hasattr(result, "model_dump"):
        (key,) = (key for key, value in example["response"].items() if isinstance(value, list))
        read, written = (
            [item.model_dump(by_alias=True, exclude_unset=True, mode="json") for item in result.items],
            example["response"][key],
        )
        assert result.total == example["response"].get("total")
    else:
        read, written = result.model_dump(by_alias=True, exclude_unset=True, mode="json"), example["response"]
    assert alike(read) == alike(written)


def alike(value: Any) -> Any:
    """Bring what differs in name only to one form: the other names of a member, and one note as a list of notes."""
    renamed = {"position": "title", "lastContactDate": "lastContact", "token": "accessToken", "data": "metadata"}
    if isinstance(value, dict) and value.get("status") == "unread":
        value = {name: member for name, member in value.items() if name != "status"} | {"read": False}
    if isinstance(value, dict):
        return {
            renamed.get(key, key): [item] if key == "notes" and isinstance(item, str) else alike(item)
            for key, item in value.items()
            if item is not None and key != "lastMessageAt"  # the time of the last message, read out of it
        }
    return [alike(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "example",
    [e for e in SERVED if "request" in e],
    ids=[n for n, e in zip(NAMES, SERVED, strict=True) if "request" in e],
)
def test_the_sdk_sends_every_documented_body_as_it_is_written(example: dict[str, Any]) -> None:
    client, seen = mirrored({})
    with suppress(CrmError):  # the answer is empty; what counts is what was sent
        call(example, client.with_options(strict=False))
    assert (seen[0].method, seen[0].url.path) == (example["method"], path_of(example))
    assert json.loads(seen[0].content) == example["request"]


@pytest.mark.parametrize("example", SERVED, ids=NAMES)
def test_the_stub_takes_every_documented_request_and_keeps_what_was_sent(example: dict[str, Any]) -> None:
    stub = StubServer()
    body = json.dumps(example["request"]).encode() if "request" in example else b""
    headers = {"authorization": "Bearer your-api-key", "content-type": "application/json"}
    reply = stub.handle(Request(example["method"], path_of(example), "", headers, body))
    assert reply.status in (200, 201), reply.body
    answer = decode_json(reply.body)
    for name, value in (example.get("request") or {}).items():
        if name in answer:
            kept = value.items() <= answer[name].items() if isinstance(value, dict) else answer[name] == value
            assert kept, name


def test_the_documented_records_are_in_the_demo_data() -> None:
    client = StubServer().client(dialects="mvp", api_key="your-api-key")
    lead, contact = client.leads.get("lead_123"), next(c for c in client.contacts.list() if c.id == "contact_123")
    assert (lead.name, lead.email, lead.company, lead.value) == (
        "John Smith",
        "john@example.com",
        "Acme Corp",
        Decimal(5000),
    )
    assert (contact.name, contact.title, contact.tags) == ("Alice Johnson", "CTO", ["decision-maker", "technical"])


def test_the_documented_error_body_reads_and_is_written() -> None:
    documented = next(e["payload"] for e in EXAMPLES if e["section"] == "Error Handling")
    client = CrmClient(
        "https://x.test",
        dialects="mvp",
        http_client=httpx.MockTransport(lambda r: httpx.Response(422, json=documented)),
    )
    with pytest.raises(ValidationError) as caught:
        client.leads.get("x")
    assert [(f.field, f.message) for f in caught.value.fields] == [("email", "Invalid email format")]
    provoked = StubServer().client().request("POST", "/api/leads", json={"name": "x", "email": "no"})
    assert provoked.status == 422
    assert list(Shapes.of("mvp").wrong(provoked.json(), "Error")) == []
    assert provoked.json()["error"]["details"]["field"] == "email"
