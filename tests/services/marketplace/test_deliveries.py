"""The events of an app: which are posted to it, how they are signed, and what its status says of the deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from crm_sdk import CrmClient, webhooks
from crm_sdk.models import App, Installation
from server_stub import StubServer

from .conftest import HOUR, Submit

URL = "https://quotes.example/hook"
ASKED: dict[str, Any] = {
    "permissions": ["contacts:read"],
    "optional_permissions": ["deals:read"],
    "events": ["contact.created", "deal.created"],
    "webhook_url": URL,
}


class Receiver:
    """What an app answers to what is posted to it."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[tuple[Mapping[str, str], bytes]] = []

    def __call__(self, headers: Mapping[str, str], body: bytes) -> int:
        if self.status == 200:
            self.got.append((headers, body))
        return self.status


@pytest.fixture
def receiver(stub: StubServer) -> Receiver:
    made = Receiver()
    stub.webhooks.receive(URL, made)
    return made


@pytest.fixture
def app(publish: Submit) -> App:
    return publish(**ASKED)


@pytest.fixture
def installed(acme: CrmClient, app: App) -> Installation:
    return acme.marketplace.apps.install(app.id, granted_permissions=["contacts:read"])


def create(client: CrmClient, number: int = 1) -> None:
    for _ in range(number):
        client.contacts.create({"name": "Eve"})


def test_what_is_subscribed_to_and_may_be_read_is_posted(
    acme: CrmClient, globex: CrmClient, app: App, installed: Installation, receiver: Receiver
) -> None:
    create(acme)
    acme.deals.create({"title": "D", "value": 1, "contact_id": "contact_123"})
    create(globex)
    assert len(receiver.got) == 1, "no deals:read was granted, and the other company has not installed it"
    headers, body = receiver.got[0]
    assert app.client_secret and webhooks.verify(body, headers, app.client_secret) is not None
    acme.marketplace.installations.configure(installed.id, {}, granted_permissions=["contacts:read", "deals:read"])
    acme.deals.create({"title": "D", "value": 1, "contact_id": "contact_123"})
    assert len(receiver.got) == 2
    acme.marketplace.apps.uninstall(app.id)
    create(acme)
    assert len(receiver.got) == 2


def test_an_app_is_no_webhook_of_the_company(stub: StubServer, acme: CrmClient, installed: Installation) -> None:
    client = stub.client(dialects="mvp")
    assert list(client.webhooks.list()) == []


def test_the_status_counts_the_last_day_and_judges_the_last_twenty(
    stub: StubServer, acme: CrmClient, installed: Installation, receiver: Receiver
) -> None:
    def state() -> tuple[object, ...]:
        seen = acme.marketplace.installations.status(installed.id)
        return seen.health, seen.events_delivered_24h, seen.events_failed_24h

    assert state() == ("healthy", 0, 0)
    create(acme, 18)
    assert state() == ("healthy", 18, 0)
    receiver.status = 500
    create(acme, 2)
    assert state() == ("healthy", 18, 2), "two of twenty are a tenth"
    create(acme)
    assert state() == ("degraded", 18, 3)
    create(acme, 7)
    assert state() == ("degraded", 18, 10), "ten of twenty are half"
    create(acme)
    assert state() == ("failing", 18, 11)
    seen = acme.marketplace.installations.status(installed.id)
    assert seen.last_error is not None and "500" in seen.last_error.message
    assert seen.last_event_at is not None and seen.last_event_at < seen.checked_at
    (listed,) = [found for found in acme.marketplace.installations.list() if found.id == installed.id]
    assert listed.last_error == seen.last_error
    receiver.status = 200
    stub.clock.advance(HOUR)
    assert state() == ("healthy", 29, 0), "each was tried again"
    stub.clock.advance(24 * HOUR)
    assert state() == ("healthy", 0, 0)


def test_an_address_that_was_given_up_is_tried_again_when_the_app_is_configured(
    acme: CrmClient, installed: Installation, receiver: Receiver
) -> None:
    receiver.status = 410  # it is gone
    create(acme)
    assert acme.marketplace.installations.status(installed.id).status == "error"
    assert [found.id for found in acme.marketplace.installations.list(status="error")] == [installed.id]
    receiver.status = 200
    assert acme.marketplace.installations.configure(installed.id, {}).status == "active"
    before = len(receiver.got)
    create(acme)
    assert len(receiver.got) > before


def test_what_waits_when_an_app_is_uninstalled_is_never_posted(
    stub: StubServer, acme: CrmClient, app: App, installed: Installation, receiver: Receiver
) -> None:
    receiver.status = 500
    create(acme)
    acme.marketplace.apps.uninstall(app.id)
    receiver.status = 200
    stub.clock.advance(48 * HOUR)
    assert receiver.got == [] and [doc["status"] for doc in stub.webhooks.deliveries] == ["cancelled"]


def test_a_new_address_gets_what_comes_next(
    stub: StubServer, acme: CrmClient, globex: CrmClient, app: App, installed: Installation, receiver: Receiver
) -> None:
    other = Receiver()
    stub.webhooks.receive("https://quotes.example/other", other)
    globex.marketplace.apps.update(app.id, {"webhook_url": "https://quotes.example/other"})
    create(acme)
    assert (len(receiver.got), len(other.got)) == (0, 1)
    globex.marketplace.apps.update(app.id, {"webhook_url": None})
    create(acme)
    assert (len(receiver.got), len(other.got)) == (0, 1)


def test_the_calls_of_an_app_are_counted_for_a_day(stub: StubServer, acme: CrmClient, installed: Installation) -> None:
    ours = stub.client(api_key=str(installed.access_token), dialects="platform")
    for _ in range(3):
        ours.contacts.list(limit=1)
        stub.clock.advance(HOUR)

    def count() -> int:
        return acme.marketplace.installations.status(installed.id).api_calls_24h

    assert count() == 3
    stub.clock.advance(timedelta(hours=21, minutes=30).total_seconds())
    assert count() == 2
    ours.contacts.list(limit=1)
    assert count() == 3
