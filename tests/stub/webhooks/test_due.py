"""Which deliveries are posted when: all that are due, none of another history, whatever happens on the way."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from crm_sdk import CrmClient, ValidationError
from crm_sdk.models import WebhookEndpoint
from server_stub import StubServer
from server_stub.webhooks.queue import Queue

URL = "https://app.test/hook"


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="mvp", strict=True)


@pytest.fixture
def endpoint(client: CrmClient) -> WebhookEndpoint:
    return client.webhooks.create({"url": URL, "events": ["lead.created"]})


def test_what_was_on_its_way_when_the_state_was_set_back_is_of_another_history(stub: StubServer) -> None:
    client = stub.client(dialects="mvp")
    names: list[str] = []

    def handler(headers: Mapping[str, str], body: bytes) -> int:
        names.append(json.loads(body)["data"]["name"])
        if names == ["first"]:
            stub.reset()
            client.webhooks.create({"url": URL, "events": ["lead.created"]})
            client.leads.create({"name": "second"})  # its delivery has the id that the first one had
        return 200

    stub.webhooks.receive(URL, handler)
    client.webhooks.create({"url": URL, "events": ["lead.created"]})
    client.leads.create({"name": "first"})
    assert names == ["first", "second"]
    assert [(found["status"], len(found["attempts"])) for found in stub.webhooks.deliveries] == [("delivered", 1)]


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(6))
def test_nothing_that_is_due_is_left(stub: StubServer, client: CrmClient, seed: int) -> None:
    chance = random.Random(seed)
    answers: list[Any] = [200, 503, (503, {"Retry-After": "90"}), None]
    stub.webhooks.receive(URL, lambda headers, body: chance.choice(answers))
    made = [client.webhooks.create({"url": URL, "events": ["lead.created"]}).id for _ in range(2)]
    kept = stub.snapshot()

    def redeliver() -> None:
        deliveries = client.webhooks.deliveries.list(chance.choice(made)).items
        if deliveries:
            client.webhooks.deliveries.redeliver(chance.choice(deliveries).id)

    acts: list[Callable[[], Any]] = [
        lambda: client.leads.create({"name": "Ada"}),
        lambda: stub.clock.advance(chance.choice([1, 5, 300, 3600])),
        lambda: client.webhooks.update(chance.choice(made), {"active": chance.random() < 0.7}),
        lambda: client.webhooks.update(chance.choice(made), {"url": chance.choice([URL, "https://else.test/"])}),
        lambda: stub.webhooks.faults.add("delay", seconds=7),
        lambda: stub.webhooks.faults.add("duplicate"),
        lambda: stub.restore(kept),
        redeliver,
    ]
    for _ in range(150):
        try:
            chance.choice(acts)()
        except ValidationError:  # redelivery to an endpoint that is switched off
            continue
        now = stub.clock.now()
        urls = {id: found.url for id in made if (found := client.webhooks.get(id)).active}
        waiting = [found for found in stub.webhooks.deliveries if found["status"] == "pending"]
        due = [found for found in waiting if found["next_attempt_at"] <= now and urls.get(found["webhook_id"]) == URL]
        assert not due


def test_what_waits_costs_a_call_nothing(
    stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.webhooks.receive(URL, lambda headers, body: 503)
    for n in range(50):
        client.leads.create({"name": str(n)})
    looked = 0

    def counting(queue: Queue, endpoint: Any) -> Any:
        nonlocal looked
        looked += 1
        return first(queue, endpoint)

    first = Queue.first
    monkeypatch.setattr(Queue, "first", counting)
    client.leads.get("lead_123")
    assert looked == 1


@pytest.mark.parametrize("answer", ["ok", True, [], (200,), (200, None), 0.5])
def test_a_handler_that_answers_nothing_sensible_has_failed(
    stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint, answer: Any
) -> None:
    stub.webhooks.receive(URL, lambda headers, body: answer)
    client.leads.create({"name": "Ada"})
    (found,) = client.webhooks.deliveries.list(endpoint.id)
    (attempt,) = found.attempts
    assert attempt.status == 500 and attempt.error is not None and "Error: " in attempt.error
