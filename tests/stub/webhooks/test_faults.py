"""What goes wrong with deliveries, as a test asks for it, and that a receiver acts once on each all the same."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest
from delivery_receiver import URL, Receiver

from crm_sdk import CrmClient
from crm_sdk.models import WebhookEndpoint
from crm_sdk.webhooks import LeadCreated, Webhooks, verify
from server_stub import StubServer


def names_after(stub: StubServer, client: CrmClient, receiver: Receiver, *names: str) -> list[str]:
    stub.webhooks.receive(URL, receiver)
    for name in names:
        client.leads.create({"name": name})
    return receiver.names


def test_a_delivery_can_come_twice(stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint) -> None:
    stub.webhooks.faults.add("duplicate")
    receiver = Receiver()
    assert names_after(stub, client, receiver, "a", "b") == ["a", "a", "b"]
    assert receiver.ids[0] == receiver.ids[1] != receiver.ids[2]
    assert [len(found.attempts) for found in client.webhooks.deliveries.list(endpoint.id)] == [1, 1]


def test_a_delivery_can_be_late(stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint) -> None:
    stub.webhooks.faults.add("delay", seconds=60, event="lead.created", after=1)
    receiver = Receiver()
    assert names_after(stub, client, receiver, "a", "b", "c") == ["a", "c"]
    stub.clock.advance(60)
    assert receiver.names == ["a", "c", "b"]


def test_deliveries_can_come_in_another_order(stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint) -> None:
    stub.webhooks.faults.add("reorder")
    assert names_after(stub, client, Receiver(), "a", "b", "c") == ["b", "a", "c"]


def test_what_overtakes_another_is_not_overtaken_itself(
    stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint
) -> None:
    stub.webhooks.faults.add("reorder", times=2)
    assert names_after(stub, client, Receiver(), "a", "b", "c", "d") == ["b", "a", "c", "d"]


def test_each_endpoint_has_an_order_of_its_own(stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint) -> None:
    other = Receiver()
    stub.webhooks.receive("https://other.test/", other)
    client.webhooks.create({"url": "https://other.test/", "events": ["lead.created"]})
    stub.webhooks.faults.add("reorder", url=URL)
    assert names_after(stub, client, Receiver(), "a", "b") == ["b", "a"]
    assert other.names == ["a", "b"]


def test_what_waits_to_be_overtaken_is_forgotten_when_the_state_is_set_back(
    stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint
) -> None:
    before = stub.snapshot()
    stub.webhooks.faults.add("reorder")
    receiver = Receiver()
    assert names_after(stub, client, receiver, "a") == []
    stub.restore(before)
    assert names_after(stub, client, receiver, "b", "c") == ["b", "c"]


@pytest.mark.parametrize(("kind", "seen"), [("refuse", ["b", "a"]), ("drop", ["a", "b", "a"]), ("lose", ["b"])])
def test_a_delivery_or_its_answer_can_be_lost(
    stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint, kind: Any, seen: list[str]
) -> None:
    stub.webhooks.faults.add(kind, url=URL)
    receiver = Receiver()
    names_after(stub, client, receiver, "a", "b")
    stub.clock.advance(5)
    assert receiver.names == seen
    assert {found.status for found in client.webhooks.deliveries.list(endpoint.id)} == {"delivered"}


def test_a_delivery_can_be_changed_on_its_way(stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint) -> None:
    stub.webhooks.faults.add("corrupt")
    secret = endpoint.secret
    assert secret is not None

    def checked(headers: Mapping[str, str], body: bytes) -> int:
        good.append(verify(body, headers["x-crm-signature"], secret))
        return 200 if good[-1] else 400

    good: list[bool] = []
    stub.webhooks.receive(URL, checked)
    client.leads.create({"name": "Ada"})
    stub.clock.advance(5)
    assert good == [False, True]


def test_a_fault_that_makes_no_sense_is_refused(stub: StubServer) -> None:
    faults = stub.webhooks.faults
    with pytest.raises(ValueError, match="use one of"):
        faults.add("explode")  # type: ignore[arg-type] # what is tested
    with pytest.raises(ValueError, match="needs the seconds"):
        faults.add("delay")
    with pytest.raises(ValueError, match="at least 1"):
        faults.add("drop", times=0)
    faults.add("drop", times=None)
    before = stub.snapshot()
    faults.clear()
    assert not faults.snapshot()
    stub.restore(before)
    assert faults.snapshot()


def test_a_handler_that_causes_what_it_handles_is_found_out(
    stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server_stub.webhooks.receivers._ENOUGH", 20)

    def handler(headers: Mapping[str, str], body: bytes) -> None:
        client.leads.create({"name": "another"})

    stub.webhooks.receive(URL, handler)
    with pytest.raises(RuntimeError, match="does a handler cause what it handles"):
        client.leads.create({"name": "first"})


@pytest.mark.thorough
def test_a_receiver_acts_once_on_each_whatever_happens_on_the_way(stub: StubServer, client: CrmClient) -> None:
    endpoint = client.webhooks.create({"url": URL, "events": ["lead.created"]})
    assert endpoint.secret is not None
    receiver, handled = Webhooks(endpoint.secret, require_standard=True), list[str]()

    @receiver.on("lead.created")
    def created(event: LeadCreated) -> None:
        if chance.random() < 0.3:
            raise RuntimeError("no database")
        handled.append(event.data.name)

    def receive(headers: Mapping[str, str], body: bytes) -> tuple[int, Mapping[str, str]]:
        outcome = receiver.handle(headers, body, received_at=stub.clock.now())
        return outcome.status, dict(outcome.headers)

    chance = random.Random(7)
    stub.webhooks.receive(URL, receive)
    kinds: Any = ["duplicate", "delay", "reorder", "refuse", "drop", "corrupt"]
    for n in range(100):
        kind = chance.choice(kinds)
        stub.webhooks.faults.add(kind, seconds=20 if kind == "delay" else 0)
        client.leads.create({"name": str(n)})
        stub.clock.advance(chance.random() * 10)
    stub.webhooks.faults.clear()
    client.leads.create({"name": "100"})
    stub.clock.advance(7 * 86_400)
    assert sorted(handled, key=int) == [str(n) for n in range(101)]
    assert handled != sorted(handled, key=int)
    assert {found["status"] for found in stub.webhooks.deliveries} == {"delivered"}
