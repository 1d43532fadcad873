"""How events reach the endpoints of webhooks: once for each commit, signed, again where it failed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from delivery_receiver import URL, Receiver, only

from crm_sdk import ConflictError, CrmClient, ServerError, ValidationError
from crm_sdk.models import WebhookEndpoint
from crm_sdk.webhooks import parse, verify
from server_stub import StubServer

# -- what is posted -------------------------------------------------------------------------------------------------


def test_a_change_has_been_posted_when_the_call_returns(
    stub: StubServer, mode: str, call: Callable[[Any], Any]
) -> None:
    client: Any = (stub.client if mode == "sync" else stub.async_client)(dialects="mvp", strict=True)
    receiver = Receiver()
    stub.webhooks.receive(URL, receiver)
    endpoint = call(client.webhooks.create({"url": URL, "events": ["lead.created"]}))
    lead = call(client.leads.create({"name": "Ada", "email": "ada@example.com"}))
    call(client.leads.update(lead.id, {"name": "Ada Lovelace"}))
    ((headers, body),) = receiver.got
    told = json.loads(body)
    assert list(told) == ["event", "data", "timestamp", "signature"]
    assert (told["event"], told["data"]["id"], told["data"]["name"]) == ("lead.created", lead.id, "Ada")
    assert told["data"] == json.loads(stub.client(dialects="mvp").request("GET", f"/api/leads/{lead.id}").content) | {
        "name": "Ada",
        "updatedAt": told["data"]["updatedAt"],
    }
    assert verify(body, headers["x-crm-signature"], endpoint.secret)
    event = parse(headers, body, endpoint.secret, received_at=stub.clock.now(), require_standard=True)
    assert event.type == "lead.created"
    (delivery,) = call(client.webhooks.deliveries.list(endpoint.id))
    assert (delivery.status, delivery.event_id, delivery.next_attempt_at) == ("delivered", headers["webhook-id"], None)
    assert [(attempt.number, attempt.status) for attempt in delivery.attempts] == [(1, 200)]
    assert call(client.webhooks.deliveries.get(delivery.id)) == delivery
    assert delivery.payload | {"signature": told["signature"]} == told


def test_every_documented_kind_of_record_is_told_as_its_document_has_it(stub: StubServer, client: CrmClient) -> None:
    receiver = Receiver()
    stub.webhooks.receive(URL, receiver)
    names: Any = ["lead.updated", "message.received", "agent.completed", "integration.error"]
    client.webhooks.create({"url": URL, "events": names})
    client.leads.update("lead_123", {"status": "contacted"})
    client.messages.create({"lead_id": "lead_123", "content": "Are you there?", "sender": "lead"})
    client.messages.create({"lead_id": "lead_123", "content": "We are.", "sender": "agent"})
    client.agents.execute("agent_123", {"input": "Qualify this lead", "context": {"lead_id": "lead_123"}})
    with pytest.raises(ValidationError):  # the call fails and its changes are undone, but this it tells of
        client.integrations.connect("integration_hubspot", credentials={"api_key": "invalid"})
    told = {(found := json.loads(body))["event"]: found["data"] for _, body in receiver.got}
    assert list(told) == names
    assert told["lead.updated"]["id"] == "lead_123"
    message = told["message.received"]
    assert (message["leadId"], message["content"], message["sender"]) == ("lead_123", "Are you there?", "lead")
    done = told["agent.completed"]
    assert (done["id"], done["agentId"]) == ("agent_123", "agent_123")
    assert done["task"] and 0 < done["confidence"] <= 1
    fault = told["integration.error"]
    assert (fault["id"], fault["integrationId"], fault["code"]) == (*["integration_hubspot"] * 2, "CONNECTION_REFUSED")


def test_everything_but_sign_ins_and_webhooks_can_be_subscribed_to(stub: StubServer, client: CrmClient) -> None:
    receiver = Receiver()
    stub.webhooks.receive(URL, receiver)
    client.webhooks.create({"url": URL, "events": ["*"]})
    stub.client(api_key=None, dialects="mvp").auth.login("ada@acme.test", "demo-password")
    flow = stub.client(dialects="flow,platform,mvp")
    lead = flow.leads.create({"name": "Ada", "email": "ada@lovelace.example", "company": "Engines"})
    flow.leads.qualify(lead.id)
    deal = flow.leads.convert(lead.id).deal
    assert deal is not None
    flow.deals.move_stage(deal.id, "closed-won")
    flow.contacts.imports.create(("people.csv", b"name,email\nBob,bob@example.com\n")).wait()
    when = stub.clock.now() + timedelta(hours=2)
    call: Any = {"title": "Call", "type": "call", "start_time": when, "end_time": when + timedelta(hours=1)}
    flow.calendar.events.create(call)
    stub.clock.advance(86_400)
    log = [entry["type"] for entry in stub.store.collection("tenant_acme", "event").all()]
    assert {"auth.login", "webhook.created", "deal.won"} <= set(log)
    assert all(json.loads(body)["data"] for _, body in receiver.got)
    told = [json.loads(body)["event"] for _, body in receiver.got]
    assert told == [name for name in log if not name.startswith(("auth.", "webhook."))]


def test_what_is_rolled_back_was_never_to_be_posted(
    stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = Receiver()
    stub.webhooks.receive(URL, receiver)
    rule = stub.rules

    def failing(original: Any) -> Any:
        def fails(call: Any, **given: Any) -> Any:
            original(call, **given)
            assert len(call.collection("webhook_delivery")) == 1
            from server_stub.problems import Problem

            raise Problem("INTERNAL_ERROR", "after the event was written")

        return fails

    from crm_sdk.resources.leads import Leads

    create = Leads.create.operation
    monkeypatch.setattr(stub, "rules", {**rule, create: failing(rule[create])})
    monkeypatch.setattr(StubServer, "checks_answers", False)  # no declaration names what happens here
    with pytest.raises(ServerError):
        client.leads.create({"name": "Ada"})
    assert receiver.got == [] and stub.webhooks.deliveries == []


def test_the_same_request_again_posts_once(stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint) -> None:
    receiver = Receiver()
    stub.webhooks.receive(URL, receiver)
    for _ in range(2):
        client.request("POST", "/api/leads", json={"name": "Ada"}, headers={"Idempotency-Key": "one"})
    assert receiver.names == ["Ada"]


def test_an_outcome_is_on_the_disk_as_soon_as_it_is_known(tmp_path: Path) -> None:
    """What is posted after an answer is saved before the next request: a killed stub would post it again."""
    (tmp_path / "killed").mkdir()
    receiver = Receiver()
    with StubServer(db=str(tmp_path / "state.db")) as stub:
        stub.webhooks.receive(URL, receiver)
        client = stub.client(dialects="mvp")
        client.webhooks.create({"url": URL, "events": ["lead.created"]})
        client.leads.create({"name": "Ada"})
        assert receiver.names == ["Ada"]
        for file in tmp_path.glob("state.db*"):
            if file.is_file():
                shutil.copy(file, tmp_path / "killed")
    with StubServer(db=str(tmp_path / "killed" / "state.db")) as again:
        (delivery,) = again.webhooks.deliveries
        assert (delivery["status"], len(delivery["attempts"])) == ("delivered", 1)
        again.webhooks.receive(URL, receiver)
        again.clock.advance(3600)
        assert receiver.names == ["Ada"]


def test_what_nobody_receives_waits(stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint) -> None:
    client.leads.create({"name": "Ada"})
    stub.clock.advance(3600)
    (waiting,) = stub.webhooks.deliveries
    assert (waiting["status"], waiting["attempts"]) == ("pending", [])
    receiver = Receiver()
    stub.webhooks.receive(URL, receiver)
    assert receiver.names == ["Ada"] and only(client, endpoint).attempts[0].at == stub.clock.now() - timedelta(
        milliseconds=1
    )


def test_deliveries_are_found_by_status_and_event(stub: StubServer, client: CrmClient) -> None:
    endpoint = client.webhooks.create({"url": URL, "events": ["lead.created", "lead.deleted"]})
    lead = client.leads.create({"name": "Ada"})
    stub.webhooks.receive(URL, Receiver(200, 500))
    client.leads.delete(lead.id)
    find = client.webhooks.deliveries.list
    assert [found.event for found in find(endpoint.id)] == ["lead.deleted", "lead.created"]
    assert [found.event for found in find(endpoint.id, status="delivered")] == ["lead.created"]
    assert [found.status for found in find(endpoint.id, event="lead.deleted")] == ["pending"]
    assert [len(page.items) for page in find(endpoint.id, limit=1).pages()] == [1, 1]


def test_a_handler_may_call_the_server(stub: StubServer, client: CrmClient) -> None:
    order: list[str] = []

    def handler(headers: Mapping[str, str], body: bytes) -> None:
        name = json.loads(body)["data"]["name"]
        order.append(f"{name} begins")
        if name == "first":
            client.leads.create({"name": "second"})
        order.append(f"{name} ends")

    stub.webhooks.receive(URL, handler)
    client.webhooks.create({"url": URL, "events": ["lead.created"]})
    client.leads.create({"name": "first"})
    assert order == ["first begins", "first ends", "second begins", "second ends"]


# -- secrets --------------------------------------------------------------------------------------------------------


def test_while_a_secret_is_replaced_both_are_good(
    stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint
) -> None:
    receiver = Receiver()
    stub.webhooks.receive(URL, receiver)
    new = client.webhooks.rotate_secret(endpoint.id, expires_in=60).secret
    old = endpoint.secret
    assert old is not None and new is not None
    client.leads.create({"name": "between"})
    between, at = receiver.got[-1], stub.clock.now()
    assert len(between[0]["webhook-signature"].split()) == 2
    for known in (old, (new, old)):
        parse(*between, known, received_at=at)
    stub.clock.advance(60)
    client.leads.create({"name": "after"})
    after = receiver.got[-1]
    assert len(after[0]["webhook-signature"].split()) == 1
    parse(*after, new, received_at=stub.clock.now())
    assert verify(after[1], after[0]["x-crm-signature"], new)
    assert not verify(after[1], after[0]["x-crm-signature"], old)


# -- again ----------------------------------------------------------------------------------------------------------


def test_what_failed_is_posted_again_ever_later(stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint) -> None:
    receiver = Receiver(RuntimeError("no database"), 302, (503, {"Retry-After": "900"}), 200)
    stub.webhooks.receive(URL, receiver)
    client.leads.create({"name": "Ada"})
    assert (only(client, endpoint).status, len(receiver.got)) == ("pending", 1)
    stub.clock.advance(4)
    assert len(receiver.got) == 1
    stub.clock.advance(3600)
    delivery = only(client, endpoint)
    first = delivery.attempts[0].at
    waits = [(attempt.at - first).total_seconds() for attempt in delivery.attempts]
    assert waits == [0, 5, 305, 2105]
    assert [attempt.status for attempt in delivery.attempts] == [500, 302, 503, 200]
    assert delivery.attempts[0].error == "RuntimeError: no database"
    assert len(set(receiver.ids)) == 1
    assert delivery.status == "delivered" and client.webhooks.get(endpoint.id).consecutive_failures == 0


@pytest.mark.parametrize(("asked", "waited"), [("900", 900), ("2", 5), ("999999999", 86_400)])
def test_retry_after_is_heard(
    stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint, asked: str, waited: int
) -> None:
    stub.webhooks.receive(URL, Receiver((429, {"retry-after": asked})))
    client.leads.create({"name": "Ada"})
    delivery = only(client, endpoint)
    assert delivery.next_attempt_at is not None
    assert (delivery.next_attempt_at - delivery.attempts[0].at).total_seconds() == waited


@pytest.mark.thorough
def test_an_endpoint_that_only_fails_is_disabled_and_its_administrators_told(
    stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint
) -> None:
    receiver = Receiver(500)
    stub.webhooks.receive(URL, receiver)
    client.leads.create({"name": "Ada"})
    stub.clock.advance(3 * 86_400)
    assert client.webhooks.get(endpoint.id).active and len(receiver.got) == 9
    client.leads.create({"name": "waits"})
    stub.clock.advance(86_400)
    found = client.webhooks.get(endpoint.id)
    assert (found.active, found.disabled_reason) == (False, "failing")
    assert found.disabled_at is not None
    stub.clock.advance(86_400)
    posted = len(receiver.got)
    client.leads.create({"name": "unseen"})
    assert len(receiver.got) == posted
    told = [note for note in client.notifications.list(status="unread") if note.title == "Webhook disabled"]
    failures = "10 attempts in a row have failed"
    assert [note.message for note in told] == [f"Nothing is posted to {URL} any more: {failures}."]
    assert told[0].metadata["webhookId"] == endpoint.id
    receiver.answers = [200]
    again = client.webhooks.update(endpoint.id, {"active": True})
    assert (again.consecutive_failures, again.disabled_reason, again.failing_since) == (0, None, None)
    assert sorted(receiver.names[posted:]) == ["Ada", "waits"]


def test_gone_is_gone(stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint) -> None:
    stub.webhooks.receive(URL, Receiver(410))
    client.leads.create({"name": "Ada"})
    found = client.webhooks.get(endpoint.id)
    assert (found.active, found.disabled_reason, only(client, endpoint).status) == (False, "gone", "failed")
    delivery = only(client, endpoint)
    with pytest.raises((ConflictError, ValidationError)):
        client.webhooks.test(endpoint.id)
    with pytest.raises((ConflictError, ValidationError)):
        client.webhooks.deliveries.redeliver(delivery.id)


def test_a_failing_delivery_holds_up_no_other(stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint) -> None:
    receiver = Receiver(500, 200)
    stub.webhooks.receive(URL, receiver)
    for name in ("first", "second", "third"):
        client.leads.create({"name": name})
    stub.clock.advance(5)
    assert receiver.names == ["first", "second", "third", "first"]


def test_a_delivery_can_be_had_again(stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint) -> None:
    receiver = Receiver()
    stub.webhooks.receive(URL, receiver)
    client.leads.create({"name": "Ada"})
    first = only(client, endpoint)
    made = client.webhooks.deliveries.redeliver(first.id)
    assert (made.redelivery_of, made.event_id, made.status) == (first.id, first.event_id, "pending")
    assert receiver.names == ["Ada", "Ada"] and len(set(receiver.ids)) == 1
    assert receiver.got[0][1] == receiver.got[1][1]
    assert client.webhooks.deliveries.get(made.id).status == "delivered"


def test_an_endpoint_can_be_tested(stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint) -> None:
    receiver = Receiver()
    stub.webhooks.receive(URL, receiver)
    client.webhooks.test(endpoint.id)
    assert [json.loads(body)["event"] for _, body in receiver.got] == ["webhook.test"]
    assert only(client, endpoint).status == "delivered"


def test_what_waits_follows_its_endpoint(stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint) -> None:
    client.leads.create({"name": "Ada"})
    client.webhooks.update(endpoint.id, {"url": "https://new.test/"})
    receiver = Receiver(500, 200)
    stub.webhooks.receive("https://new.test/", receiver)
    assert receiver.names == ["Ada"]
    client.webhooks.delete(endpoint.id)
    stub.clock.advance(3600)
    assert receiver.names == ["Ada"] and stub.webhooks.deliveries[0]["status"] == "cancelled"


def test_it_goes_on_where_a_snapshot_was_taken(stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint) -> None:
    receiver = Receiver(500, 200)
    stub.webhooks.receive(URL, receiver)
    client.leads.create({"name": "Ada"})
    before = stub.snapshot()
    stub.clock.advance(5)
    stub.restore(before)
    stub.clock.advance(5)
    assert receiver.names == ["Ada"] * 3
    assert [attempt.status for attempt in only(client, endpoint).attempts] == [500, 200]


def test_it_goes_on_after_a_restart(tmp_path: Path) -> None:
    db = str(tmp_path / "state.db")
    with StubServer(db=db) as stub:
        client = stub.client(dialects="mvp")
        endpoint = client.webhooks.create({"url": URL, "events": ["lead.created"]})
        stub.webhooks.receive(URL, Receiver(500))
        client.leads.create({"name": "Ada"})
        before = client.webhooks.deliveries.list(endpoint.id).items
    with StubServer(db=db) as stub:
        client = stub.client(dialects="mvp", strict=True)
        assert client.webhooks.deliveries.list(endpoint.id).items == before
        receiver = Receiver()
        stub.webhooks.receive(URL, receiver)
        stub.clock.advance(5)
        ((headers, body),) = receiver.got
        assert endpoint.secret is not None and verify(body, headers["x-crm-signature"], endpoint.secret)
