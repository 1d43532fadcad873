"""The rules of integrations: what each system asks for, and that nobody sees what was given."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from crm_sdk import CrmClient, InvalidInputError, NotFoundError, ValidationError
from server_stub import StubServer


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="mvp", strict=True)


def test_connecting_changes_what_is_listed(client: CrmClient, stub: StubServer) -> None:
    before = {found.id: found for found in client.integrations.list()}
    assert before["integration_hubspot"].status == "disconnected"
    assert [found.name for found in before.values()] == sorted(found.name for found in before.values())
    stub.clock.advance(60)
    config = {"syncFrequency": "real-time", "dataTypes": ["leads"]}
    made = client.integrations.connect("integration_hubspot", credentials={"api_key": "k" * 20}, config=config)
    assert (made.status, made.config, made.last_sync) == ("connected", config, stub.clock.now())
    assert {found.id: found for found in client.integrations.list()}["integration_hubspot"] == made
    again = client.integrations.connect(
        "integration_hubspot", credentials={"api_key": "k" * 20}, config={"syncFrequency": "daily"}
    )
    assert again.config == config | {"syncFrequency": "daily"}
    assert [entry["action"] for entry in stub.audit() if entry["entity"]["id"] == made.id] == [
        "integration.connected"
    ] * 2


def test_nobody_sees_a_credential(client: CrmClient, stub: StubServer) -> None:
    config = {"apiToken": "token-0123456789", "dataTypes": ["leads"]}
    client.integrations.connect("integration_stripe", credentials={"api_key": "sk_live_0123456789"}, config=config)
    listed = client.request("GET", "/api/integrations").content.decode()
    stored = stub.store.collection("tenant_acme", "integration").get("integration_stripe")
    for secret in ("sk_live_012345", "token-012345"):
        assert secret not in listed + repr(stored) + repr(stub.audit())
    assert stored is not None and stored["credentials"] == {"api_key": "••••6789"}
    assert "credentials" not in listed


def test_each_system_asks_for_its_own(client: CrmClient) -> None:
    cases: list[tuple[str, Any, set[str]]] = [
        ("integration_123", {"api_key": "x" * 20}, {"credentials.webhook_url"}),
        ("integration_google", {"client_id": "x"}, {"credentials.access_token"}),
        ("integration_twilio", {"username": "x"}, {"credentials.password"}),
        ("integration_twilio", {}, {"credentials.username", "credentials.password"}),
        ("integration_stripe", {"api_key": ""}, {"credentials.api_key"}),
    ]
    for id, credentials, fields in cases:
        before = {found.id: found for found in client.integrations.list()}[id]
        with pytest.raises(ValidationError) as caught:
            client.integrations.connect(id, credentials=credentials)
        assert {(field.field, field.rule) for field in caught.value.fields} == {(field, "required") for field in fields}
        assert {found.id: found for found in client.integrations.list()}[id] == before


def test_what_is_refused_is_told(client: CrmClient) -> None:
    with pytest.raises(ValidationError) as caught:
        client.integrations.connect("integration_stripe", credentials={"api_key": "sk_invalid_key"})
    assert (caught.value.code, caught.value.fields[0].field) == ("CONNECTION_REFUSED", "credentials.api_key")
    with pytest.raises(InvalidInputError):
        client.integrations.connect("integration_123", credentials={"webhook_url": "no url"})
    with pytest.raises(InvalidInputError):
        client.integrations.connect("integration_123", credentials={"pin": "1"})  # type: ignore[typeddict-unknown-key] # what is tested
    with pytest.raises(NotFoundError):
        client.integrations.connect("integration_nope", credentials={"api_key": "x"})
    other = client.request("POST", "/api/integrations/integration_globex_stripe/connect", json={"credentials": {}})
    assert other.status == 404


def test_what_is_connected_is_synchronised_again_and_again(client: CrmClient, stub: StubServer) -> None:
    made = client.integrations.connect(
        "integration_hubspot", credentials={"api_key": "k" * 20}, config={"syncFrequency": "daily"}
    )
    assert made.last_sync is not None
    before = {found.id: found for found in client.integrations.list()}
    stub.clock.advance(5 * 3600)
    after = {found.id: found for found in client.integrations.list()}
    assert after["integration_google"].last_sync == stub.clock.start + timedelta(hours=5)
    for untouched in ("integration_hubspot", "integration_outlook"):
        assert after[untouched] == before[untouched]
    stub.clock.advance(86_400)
    assert {found.id: found for found in client.integrations.list()}["integration_hubspot"].last_sync == (
        made.last_sync + timedelta(days=1)
    ), "at the time that the platform's next_sync_at has told"


def test_an_access_token_ends_where_nothing_renews_it(client: CrmClient, stub: StubServer) -> None:
    tokens: Any = {"access_token": "t" * 20}
    client.integrations.connect("integration_hubspot", credentials=tokens)
    client.integrations.connect("integration_outlook", credentials=tokens | {"refresh_token": "r" * 20})
    stub.clock.advance(2 * 3600)
    after = {found.id: found.status for found in client.integrations.list()}
    assert (after["integration_hubspot"], after["integration_outlook"]) == ("error", "connected")
    (told,) = [entry for entry in stub.audit() if entry["action"] == "integration.error"]
    assert told["entity"]["id"] == "integration_hubspot" and told["metadata"]["code"] == "TOKEN_EXPIRED"
    stub.clock.advance(86_400)
    assert [entry["action"] for entry in stub.audit()].count("integration.error") == 1
    assert client.integrations.connect("integration_hubspot", credentials={"api_key": "k" * 20}).status == "connected"
