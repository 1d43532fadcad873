"""The rules of webhooks: who may register an endpoint, what it may be told, and what is seen of its secret."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

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


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"url": "ftp://app.test/hook", "events": ["*"]}, "url"),
        ({"url": "https://[app.test/hook", "events": ["*"]}, "url"),
        ({"url": URL, "events": ["lead"]}, "events.0"),
        ({"url": URL, "events": ["*", "Lead Created"]}, "events.1"),
        ({"url": URL, "events": ["auth.login"]}, "events.0"),
        ({"url": URL, "events": ["webhook.updated"]}, "events.0"),
    ],
)
def test_what_cannot_be_posted_is_refused(client: CrmClient, given: Any, field: str, stub: StubServer) -> None:
    with pytest.raises((InvalidInputError, ValidationError)) as caught:
        client.webhooks.create(given)
    fields = getattr(caught.value, "fields", ())  # of the client, or of the server
    assert [found.field for found in fields] == [field]
    assert list(client.webhooks.list()) == [] and stub.audit() == []


def test_an_endpoint_needs_an_address_and_events(client: CrmClient) -> None:
    for given in ({"url": URL}, {"events": ["*"]}, {"url": URL, "events": []}, {"url": "nowhere", "events": ["*"]}):
        with pytest.raises(InvalidInputError):
            client.webhooks.create(given)  # type: ignore[arg-type] # what is tested
