"""The rules of webhooks: who may register an endpoint, what it may be told, and what is seen of its secret."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from stub_data import stored

from crm_sdk import ConflictError, CrmClient, InvalidInputError, NotFoundError, PermissionDeniedError, ValidationError
from crm_sdk.models import WebhookEndpoint
from server_stub import StubServer

URL = "https://app.test/hook"


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="mvp", strict=True)


@pytest.fixture
def endpoint(client: CrmClient) -> WebhookEndpoint:
    return client.webhooks.create({"url": URL, "events": ["lead.created"]})


@pytest.fixture
def either(stub: StubServer, mode: str) -> Any:
    return (stub.client if mode == "sync" else stub.async_client)(dialects="mvp", strict=True)


def test_an_endpoint_is_what_it_was_made(either: Any, call: Callable[[Any], Any]) -> None:
    made = call(either.webhooks.create({"url": URL, "events": ["lead.created", "deal.won"], "description": "ours"}))
    assert (made.url, made.events, made.description, made.active) == (URL, ["lead.created", "deal.won"], "ours", True)
    other = call(either.webhooks.create({"url": URL, "events": ["*"], "active": False}))
    assert [found.id for found in call(either.webhooks.list())] == [other.id, made.id]
    assert [found.id for found in call(either.webhooks.list(active=True))] == [made.id]
    changed = call(either.webhooks.update(made.id, {"events": ["*"], "description": None}, version=made.version))
    assert (changed.events, changed.description, changed.version) == (["*"], None, made.version + 1)
    assert call(either.webhooks.get(made.id)) == changed
    with pytest.raises((ConflictError, ValidationError)):
        call(either.webhooks.update(made.id, {"active": False}, version=made.version))
    call(either.webhooks.delete(made.id))
    with pytest.raises(NotFoundError):
        call(either.webhooks.get(made.id))
    assert [found.id for found in call(either.webhooks.list())] == [other.id]


def test_the_secret_is_seen_once(client: CrmClient, endpoint: WebhookEndpoint, stub: StubServer) -> None:
    secret = endpoint.secret
    assert secret is not None and secret.startswith("whsec_") and endpoint.secret_prefix == secret[:10]
    assert secret not in repr(endpoint)
    seen = [
        client.webhooks.get(endpoint.id),
        *client.webhooks.list(),
        client.webhooks.update(endpoint.id, {"active": True}),
    ]
    assert [found.secret for found in seen] == [None] * 3
    rotated = client.webhooks.rotate_secret(endpoint.id)
    assert rotated.secret not in (None, secret)
    client.webhooks.delete(endpoint.id)
    told = repr(stub.audit()) + repr(stub.store.collection("tenant_acme", "event").all())
    assert [entry["action"].partition(".")[0] for entry in stub.audit()] == ["webhook"] * 3
    assert secret not in told and str(rotated.secret) not in told


def test_the_secret_before_lives_on_for_a_while(client: CrmClient, endpoint: WebhookEndpoint, stub: StubServer) -> None:
    day = client.webhooks.rotate_secret(endpoint.id)
    assert day.previous_secret_expires_at is not None
    assert (day.previous_secret_expires_at - stub.clock.now()).total_seconds() == 86_400
    soon = client.webhooks.rotate_secret(endpoint.id, expires_in=60)
    assert soon.previous_secret_expires_at is not None
    assert (soon.previous_secret_expires_at - stub.clock.now()).total_seconds() == 60
    assert client.webhooks.rotate_secret(endpoint.id, expires_in=0).previous_secret_expires_at is None
    with pytest.raises(InvalidInputError):
        client.webhooks.rotate_secret(endpoint.id, expires_in=-1)


@pytest.mark.parametrize("key", ["acme-sales"])
def test_only_administrators_have_to_do_with_webhooks(stub: StubServer, endpoint: WebhookEndpoint, key: str) -> None:
    stub.client(dialects="mvp").leads.create({"name": "Ada"})
    delivery = stub.webhooks.deliveries[0]["id"]
    other = stub.client(api_key=key, dialects="mvp").webhooks
    for refused in (
        lambda: other.list(),
        lambda: other.create({"url": URL, "events": ["*"]}),
        lambda: other.get(endpoint.id),
        lambda: other.update(endpoint.id, {"active": False}),
        lambda: other.delete(endpoint.id),
        lambda: other.rotate_secret(endpoint.id),
        lambda: other.test(endpoint.id),
        lambda: other.deliveries.list(endpoint.id),
        lambda: other.deliveries.get(delivery),
        lambda: other.deliveries.redeliver(delivery),
    ):
        with pytest.raises(PermissionDeniedError):
            refused()
    assert len(stub.webhooks.deliveries) == 1


def test_other_companies_have_their_own(stub: StubServer, endpoint: WebhookEndpoint, client: CrmClient) -> None:
    globex = stub.client(api_key="globex-admin", dialects="mvp")
    globex.leads.create({"name": "theirs"})
    assert list(globex.webhooks.list()) == [] and stub.webhooks.deliveries == []
    client.leads.create({"name": "ours"})
    delivery = stub.webhooks.deliveries[0]["id"]
    for hidden in (
        lambda: globex.webhooks.get(endpoint.id),
        lambda: globex.webhooks.deliveries.list(endpoint.id),
        lambda: globex.webhooks.deliveries.get(delivery),
        lambda: globex.webhooks.deliveries.redeliver(delivery),
    ):
        with pytest.raises(NotFoundError):
            hidden()


def test_what_cannot_be_posted_is_refused(client: CrmClient, stub: StubServer) -> None:
    cases: list[tuple[Any, str]] = [
        ({"url": "ftp://app.test/hook", "events": ["*"]}, "url"),
        ({"url": "https://[app.test/hook", "events": ["*"]}, "url"),
        ({"url": URL, "events": ["lead"]}, "events.0"),
        ({"url": URL, "events": ["*", "Lead Created"]}, "events.1"),
        ({"url": URL, "events": ["auth.login"]}, "events.0"),
        ({"url": URL, "events": ["webhook.updated"]}, "events.0"),
    ]
    for given, field in cases:
        with pytest.raises((InvalidInputError, ValidationError)) as caught:
            client.webhooks.create(given)
        fields = getattr(caught.value, "fields", ())  # of the client, or of the server
        assert [found.field for found in fields] == [field], given
        assert list(client.webhooks.list()) == [] and stub.audit() == [], given


def test_an_endpoint_needs_an_address_and_events(client: CrmClient) -> None:
    for given in ({"url": URL}, {"events": ["*"]}, {"url": URL, "events": []}, {"url": "nowhere", "events": ["*"]}):
        with pytest.raises(InvalidInputError):
            client.webhooks.create(given)  # type: ignore[arg-type] # what is tested


def test_an_address_has_a_host_and_a_port_that_there_is(client: CrmClient) -> None:
    def asked(url: str) -> tuple[int, Any, Any]:
        reply = client.request("POST", "/api/webhooks", json={"url": url, "events": ["*"]})
        details = (reply.json().get("error") or {}).get("details") or {}
        return reply.status, details.get("field"), details.get("rule")

    for url in ("https://app.test:8443/h", "HTTP://app.test", "https://app.test:0/h"):
        assert asked(url) == (201, None, None), url
    for url in ("https://app.test:99999/h", "https://app.test:x/h", "https://:80/h", "https:///h", "https://[::1/h"):
        assert asked(url) == (422, "url", "format"), url


def test_deliveries_are_chosen_and_sent_again(client: CrmClient, endpoint: WebhookEndpoint, stub: StubServer) -> None:
    second = client.webhooks.create({"url": URL, "events": ["*"]})
    answers = {200: 0}
    stub.webhooks.receive(URL, lambda headers, body: 200 if answers[200] else 500)
    client.leads.create({"name": "Ada"})
    answers[200] = 1
    test = client.webhooks.test(second.id)
    listed = client.webhooks.deliveries.list
    events = [one.event for one in listed(second.id)]
    assert events[0] == "webhook.test" and "lead.created" in events
    assert [one.id for one in listed(second.id, event="webhook.test")] == [test.id]
    assert {one.event for one in listed(second.id, status="pending")} == set(events) - {"webhook.test"}
    assert [one.id for one in listed(second.id, status="delivered", event="webhook.test")] == [test.id]
    assert [one.event for one in listed(endpoint.id)] == ["lead.created"]
    with pytest.raises(NotFoundError):
        listed("webhook_none")
    again = client.webhooks.deliveries.redeliver(test.id)
    assert (again.id != test.id, again.event, again.event_id) == (True, "webhook.test", test.event_id)
    (waiting,) = listed(endpoint.id)
    client.webhooks.update(endpoint.id, {"url": "https://app.test/new", "active": False})
    assert [one.url for one in listed(endpoint.id)] == ["https://app.test/new"]
    refusals: list[Callable[[], object]] = [
        lambda: client.webhooks.deliveries.redeliver(waiting.id), lambda: client.webhooks.test(endpoint.id),
    ]  # fmt: skip
    for refused in refusals:
        with pytest.raises(ValidationError) as caught:
            refused()
        assert caught.value.code == "OBJECT_INACTIVE"
    client.webhooks.delete(endpoint.id)
    assert stub.store.collection("tenant_acme", "webhook_delivery").get(waiting.id)["status"] == "cancelled"  # type: ignore[index] # it is there
    with pytest.raises(NotFoundError):
        client.webhooks.deliveries.redeliver(waiting.id)


def test_only_an_endpoint_that_becomes_active_again_is_well(
    client: CrmClient, endpoint: WebhookEndpoint, stub: StubServer
) -> None:
    ill: dict[str, Any] = {
        "consecutive_failures": 7, "failing_since": stub.clock.now(), "disabled_at": stub.clock.now(),
        "disabled_reason": "failing",
    }  # fmt: skip
    well = {"consecutive_failures": 0, "failing_since": None, "disabled_at": None, "disabled_reason": None}
    cases: list[tuple[bool, Any, dict[str, Any]]] = [
        (False, {"active": True}, well), (False, {"active": True, "description": "x"}, well),
        (False, {"description": "y"}, ill), (False, {"active": False, "description": "z"}, ill),
        (True, {"active": True, "description": "u"}, ill), (True, {"description": "v"}, ill),
        (True, {"active": False}, ill),
    ]  # fmt: skip
    for active, changes, wanted in cases:
        stored(stub, "webhook", endpoint.id, active=active, **ill)
        found = client.webhooks.update(endpoint.id, changes)
        assert {name: getattr(found, name) for name in ill} == wanted, (active, changes)
        assert found.active is changes.get("active", active)


def test_every_active_administrator_hears_why_nothing_is_posted(client: CrmClient, stub: StubServer) -> None:
    users = stub.store.collection("tenant_acme", "user")
    admins = sorted(user["id"] for user in users if any(role["key"] == "admin" for role in user["roles"]))
    stored(stub, "user", "user_sam", roles=[{"id": "role_admin", "key": "admin", "name": "Admin"}], status="inactive")
    made = client.webhooks.create({"url": URL, "events": ["lead.created"]})
    stub.webhooks.receive(URL, lambda headers, body: 410)
    client.leads.create({"name": "Ada"})
    assert client.webhooks.get(made.id).disabled_reason == "gone"
    notes = [doc for doc in stub.store.collection("tenant_acme", "notification") if doc["title"] == "Webhook disabled"]
    assert sorted(doc["user_id"] for doc in notes) == admins
    for doc in notes:
        assert doc["message"] == f"Nothing is posted to {URL} any more: it answered 410 Gone."
        assert (doc["priority"], doc["metadata"]) == ("high", {"webhookId": made.id, "reason": "gone"})
