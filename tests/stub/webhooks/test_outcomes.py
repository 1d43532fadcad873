"""What becomes of a delivery and its endpoint after each attempt, at the bounds of every rule."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from delivery_receiver import URL, Receiver, only
from stub_data import idle, stored

from crm_sdk import CrmClient
from crm_sdk.models import WebhookEndpoint
from server_stub import StubServer
from server_stub.webhooks.records import secrets_at

WAITS = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]


def test_a_delivery_is_given_up_after_its_tenth_attempt(
    stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint
) -> None:
    idle(stub)
    receiver = Receiver(500)
    stub.webhooks.receive(URL, receiver)
    client.leads.create({"name": "Ada"})
    for number, wait in enumerate(WAITS, start=1):
        waiting = only(client, endpoint)
        last = waiting.attempts[-1].at
        assert (waiting.status, len(waiting.attempts)) == ("pending", number)
        assert waiting.next_attempt_at == last + timedelta(seconds=wait)
        stored(stub, "webhook", endpoint.id, consecutive_failures=0, failing_since=None)  # as others are delivered
        stub.clock.advance(wait)
    given_up = only(client, endpoint)
    assert (given_up.status, given_up.next_attempt_at, len(given_up.attempts)) == ("failed", None, 10)
    assert client.webhooks.get(endpoint.id).active
    stub.clock.advance(2 * 86_400)
    assert len(receiver.got) == 10


@pytest.mark.parametrize(
    ("failures", "span", "active"),
    [
        (9, timedelta(days=3), False),
        (8, timedelta(days=30), True),
        (9, timedelta(days=3, milliseconds=-1), True),
    ],
)
def test_an_endpoint_is_disabled_by_the_tenth_failure_over_three_days(
    stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint, failures: int, span: timedelta, active: bool
) -> None:
    stub.webhooks.receive(URL, Receiver(500))
    client.leads.create({"name": "Ada"})
    again = only(client, endpoint).next_attempt_at
    assert again is not None
    stored(stub, "webhook", endpoint.id, consecutive_failures=failures, failing_since=again - span)
    stub.clock.advance(5)
    found = client.webhooks.get(endpoint.id)
    assert (found.active, found.consecutive_failures) == (active, failures + 1)
    assert (found.failing_since, found.disabled_reason) == (again - span, None if active else "failing")


def test_failures_are_counted_from_the_first_to_the_next_success(
    stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint
) -> None:
    stub.webhooks.receive(URL, Receiver(500, 503, 200))
    client.leads.create({"name": "Ada"})
    first = only(client, endpoint).attempts[0].at
    stub.clock.advance(5)
    failing = client.webhooks.get(endpoint.id)
    assert (failing.consecutive_failures, failing.failing_since) == (2, first)
    client.leads.create({"name": "Bob"})
    well = client.webhooks.get(endpoint.id)
    assert (well.consecutive_failures, well.failing_since) == (0, None)
    assert well.version == endpoint.version, "what is counted is no change of the endpoint"


def test_two_hundred_to_two_hundred_ninety_nine_is_delivered(
    stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint
) -> None:
    cases: list[tuple[Any, int, bool]] = [
        (None, 204, True),
        ((None, {}), 204, True),
        ((None, {"Retry-After": "900"}), 204, True),
        (199, 199, False),
        (200, 200, True),
        ((202, {}), 202, True),
        (299, 299, True),
        (300, 300, False),
    ]
    for answer, status, delivered in cases:
        stub.webhooks.receive(URL, Receiver(answer))
        client.leads.create({"name": "Ada"})
        found = client.webhooks.deliveries.list(endpoint.id).items[0]
        (attempt,) = found.attempts
        assert (attempt.status, attempt.error, attempt.response) == (status, None, None)
        assert (found.status, found.next_attempt_at is None) == ("delivered" if delivered else "pending", delivered)


@pytest.mark.parametrize(("answer", "status"), [(200, 200), (RuntimeError("no database"), 500)])
def test_the_log_says_how_long_an_attempt_took(
    stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint, monkeypatch: pytest.MonkeyPatch, answer: Any,
    status: int,
) -> None:  # fmt: skip
    seen = iter([10.0, 12.25])
    monkeypatch.setattr("server_stub.webhooks.receivers.time", SimpleNamespace(perf_counter=lambda: next(seen)))
    stub.webhooks.receive(URL, Receiver(answer))
    client.leads.create({"name": "Ada"})
    assert [(attempt.status, attempt.duration) for attempt in only(client, endpoint).attempts] == [(status, 2.25)]


@pytest.mark.parametrize(
    ("kind", "error", "duration"),
    [
        ("refuse", "no connection: the test refused it", 0),
        ("drop", "no answer within 15 s: the test dropped it", 15),
        ("lose", None, 0),
    ],
)
def test_the_log_says_what_a_fault_did(
    stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint, kind: Any, error: str | None, duration: float
) -> None:
    stub.webhooks.faults.add(kind)
    stub.webhooks.receive(URL, Receiver())
    client.leads.create({"name": "Ada"})
    found = only(client, endpoint)
    (attempt,) = found.attempts
    assert (attempt.error, attempt.duration, attempt.status) == (error, duration, 204 if error is None else None)
    assert found.status == ("delivered" if error is None else "pending")


@pytest.mark.parametrize(("answer", "status"), [(500, "cancelled"), (410, "cancelled"), (200, "delivered")])
def test_an_endpoint_may_be_deleted_while_it_is_posted_to(
    stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint, answer: int, status: str
) -> None:
    posted: list[bytes] = []

    def handler(headers: Mapping[str, str], body: bytes) -> int:
        posted.append(body)
        client.webhooks.delete(endpoint.id)
        return answer

    stub.webhooks.receive(URL, handler)
    client.leads.create({"name": "Ada"})
    stub.clock.advance(3600)
    (found,) = stub.webhooks.deliveries
    assert (found["status"], found["next_attempt_at"], len(posted)) == (status, None, 1)
    assert [attempt["status"] for attempt in found["attempts"]] == [answer]


@pytest.mark.parametrize("answer", [200, 500])
def test_what_could_not_be_recorded_is_posted_again_after_five_seconds(
    stub: StubServer,
    client: CrmClient,
    endpoint: WebhookEndpoint,
    monkeypatch: pytest.MonkeyPatch,
    failures: list[logging.LogRecord],
    answer: int,
) -> None:
    def fails(*given: Any) -> None:
        raise OSError("no space left")

    receiver = Receiver(answer, 200)
    stub.webhooks.receive(URL, receiver)
    with monkeypatch.context() as patched:
        patched.setattr("server_stub.webhooks.outbox.record_attempt", fails)
        client.leads.create({"name": "Ada"})  # the call itself has succeeded
    assert ["was not recorded: it is posted again" in record.getMessage() for record in failures] == [True]
    failures.clear()
    found = only(client, endpoint)
    assert (found.status, found.attempts) == ("pending", [])
    assert found.next_attempt_at is not None
    stub.clock.advance((found.next_attempt_at - stub.clock.now()).total_seconds() - 0.001)
    assert len(receiver.got) == 1
    stub.clock.advance(0.001)
    assert (len(receiver.got), only(client, endpoint).status) == (2, "delivered")


def test_what_was_cancelled_while_it_could_not_be_recorded_stays_so(
    stub: StubServer,
    client: CrmClient,
    endpoint: WebhookEndpoint,
    monkeypatch: pytest.MonkeyPatch,
    failures: list[logging.LogRecord],
) -> None:
    def fails(*given: Any) -> None:
        raise OSError("no space left")

    def handler(headers: Mapping[str, str], body: bytes) -> int:
        client.webhooks.delete(endpoint.id)
        return 200

    stub.webhooks.receive(URL, handler)
    monkeypatch.setattr("server_stub.webhooks.outbox.record_attempt", fails)
    client.leads.create({"name": "Ada"})
    failures.clear()
    assert [(each["status"], each["next_attempt_at"]) for each in stub.webhooks.deliveries] == [("cancelled", None)]


# -- the log, secrets, handlers -------------------------------------------------------------------------------------


def test_the_newest_deliveries_of_a_company_are_kept(
    stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server_stub.webhooks.records.KEPT", 3)
    receiver = Receiver(500)
    stub.webhooks.receive(URL, receiver)
    for name in ("a", "b", "c", "d", "e"):
        client.leads.create({"name": name})
    kept = [found["payload"]["data"]["name"] for found in stub.webhooks.deliveries]
    assert kept == ["c", "d", "e"]
    stub.clock.advance(5)
    assert receiver.names == ["a", "b", "c", "d", "e", "c", "d", "e"], "what is not kept is not posted again"


def test_ten_thousand_deliveries_are_kept(stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint) -> None:
    client.leads.create({"name": "Ada"})
    log = stub.store.collection("tenant_acme", "webhook_delivery")
    (first,) = log.all()
    for number in range(9_998):
        log.put(first | {"id": f"delivery_copy_{number}", "status": "delivered"})
    client.leads.create({"name": "Bob"})
    assert (len(log), log.get(first["id"]) is not None) == (10_000, True)
    client.leads.create({"name": "Cid"})
    assert (len(log), log.get(first["id"])) == (10_000, None)


def test_what_was_overtaken_and_is_not_kept_any_more_is_not_posted(
    stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server_stub.webhooks.records.KEPT", 1)
    stub.webhooks.faults.add("reorder")
    receiver = Receiver()
    stub.webhooks.receive(URL, receiver)
    for name in ("a", "b", "c"):
        client.leads.create({"name": name})
    assert receiver.names == ["b", "c"]


@pytest.mark.parametrize(("left", "known"), [(1, ["new", "old"]), (0, ["new"]), (-1, ["new"])])
def test_a_secret_is_used_until_the_moment_at_which_it_expires(left: int, known: list[str]) -> None:
    now = datetime.fromisoformat("2026-01-05T09:00:00Z")
    secrets = [{"value": "new", "expires_at": None}, {"value": "old", "expires_at": now + timedelta(milliseconds=left)}]
    assert secrets_at({"secrets": secrets}, now) == known


@pytest.mark.parametrize(("most", "found_out"), [(4, False), (3, True)])
def test_a_call_may_cause_so_many_deliveries(
    stub: StubServer,
    client: CrmClient,
    endpoint: WebhookEndpoint,
    monkeypatch: pytest.MonkeyPatch,
    most: int,
    found_out: bool,
) -> None:
    monkeypatch.setattr("server_stub.webhooks.receivers._ENOUGH", most)
    names = ["b", "c", "d"]

    def handler(headers: Mapping[str, str], body: bytes) -> None:
        if names:
            client.leads.create({"name": names.pop(0)})

    stub.webhooks.receive(URL, handler)
    if found_out:
        with pytest.raises(RuntimeError, match="4 deliveries came of one call"):
            client.leads.create({"name": "a"})
    else:
        client.leads.create({"name": "a"})
    assert [found["status"] for found in stub.webhooks.deliveries] == ["delivered"] * 4
    client.leads.create({"name": "after that"})
    assert stub.webhooks.deliveries[-1]["status"] == "delivered"
