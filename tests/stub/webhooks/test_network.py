"""Deliveries over the network, beside a real port: who is slow, not there, or of this very process."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from delivery_receiver import URL, Receiver, only
from patience import HANG, until

from crm_sdk import CrmClient
from crm_sdk.models import WebhookDelivery, WebhookEndpoint
from crm_sdk.webhooks import parse
from server_stub import StubServer


@pytest.fixture
def site() -> Iterator[tuple[str, Receiver]]:
    receiver = Receiver()

    class Site(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = receiver({name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(status)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, format: str, *args: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hook", receiver
        server.shutdown()
        thread.join()


def settled(client: CrmClient, endpoint: WebhookEndpoint, attempts: int) -> WebhookDelivery:
    """Return the delivery when so many attempts are in its log; an attempt is entered just after it was answered."""
    until(lambda: len(only(client, endpoint).attempts) >= attempts)
    return only(client, endpoint)


def test_beside_a_port_it_is_posted_over_the_network(site: tuple[str, Receiver]) -> None:
    url, receiver = site
    stub = StubServer()
    with stub.serve() as port, CrmClient(port.url, "acme-admin", dialects="mvp", strict=True) as client:
        endpoint = client.webhooks.create({"url": url, "events": ["lead.created"]})
        receiver.answers = [500, 200]
        client.leads.create({"name": "Ada"})
        first = settled(client, endpoint, 1)
        assert (first.status, first.attempts[0].status, first.attempts[0].response) == ("pending", 500, "hello")
        stub.clock.advance(5)
        assert settled(client, endpoint, 2).status == "delivered"
        headers, body = receiver.got[-1]
        assert endpoint.secret is not None
        parse(headers, body, endpoint.secret, received_at=stub.clock.now(), require_standard=True)
        assert receiver.names == ["Ada", "Ada"] and len(set(receiver.ids)) == 1
    assert stub.webhooks.courier is None


def test_beside_a_port_a_handler_of_this_process_may_call_the_port() -> None:
    stub = StubServer()
    seen, done = [], threading.Event()
    with stub.serve() as port, CrmClient(port.url, "acme-admin", dialects="mvp") as client:

        def handler(headers: Mapping[str, str], body: bytes) -> int:
            seen.append(client.leads.get(json.loads(body)["data"]["id"]).name)
            done.set()
            return 200

        stub.webhooks.receive(URL, handler)
        endpoint = client.webhooks.create({"url": URL, "events": ["lead.created"]})
        client.leads.create({"name": "Ada"})
        assert done.wait(HANG) and seen == ["Ada"]
        found = settled(client, endpoint, 1)
        assert (found.status, [attempt.status for attempt in found.attempts]) == ("delivered", [200])


def test_beside_a_port_a_slow_endpoint_holds_up_no_other() -> None:
    stub = StubServer()
    quick, done, order = threading.Event(), threading.Event(), list[str]()

    def slow(headers: Mapping[str, str], body: bytes) -> int:
        assert quick.wait(HANG)
        order.append("slow")
        done.set()
        return 200

    def fast(headers: Mapping[str, str], body: bytes) -> int:
        order.append("fast")
        quick.set()
        return 200

    with stub.serve() as port, CrmClient(port.url, "acme-admin", dialects="mvp") as client:
        for url, handler in ((URL, slow), ("https://fast.test/", fast)):
            stub.webhooks.receive(url, handler)
            client.webhooks.create({"url": url, "events": ["lead.created"]})
        client.leads.create({"name": "Ada"})
        assert done.wait(HANG)
    assert order == ["fast", "slow"]


def test_who_is_interrupted_goes_on_later(stub: StubServer, client: CrmClient, endpoint: WebhookEndpoint) -> None:
    answers: list[Any] = [KeyboardInterrupt(), 200]

    def handler(headers: Mapping[str, str], body: bytes) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    stub.webhooks.receive(URL, handler)
    with pytest.raises(KeyboardInterrupt):
        client.leads.create({"name": "Ada"})
    client.leads.get("lead_123")
    assert only(client, endpoint).status == "delivered"


def test_an_endpoint_that_is_not_there_is_tried_again(unused_port: int) -> None:
    stub = StubServer()
    with stub.serve() as port, CrmClient(port.url, "acme-admin", dialects="mvp") as client:
        endpoint = client.webhooks.create({"url": f"http://127.0.0.1:{unused_port}/", "events": ["lead.created"]})
        client.leads.create({"name": "Ada"})
        found = settled(client, endpoint, 1)
        assert found.status == "pending" and found.attempts[0].status is None and found.attempts[0].error


def test_an_address_that_no_host_can_have_fails_like_one_that_is_not_there() -> None:
    stub = StubServer()
    with stub.serve() as port, CrmClient(port.url, "acme-admin", dialects="mvp") as client:
        endpoint = client.webhooks.create({"url": f"http://{'a' * 64}.test/", "events": ["lead.created"]})
        client.leads.create({"name": "Ada"})
        found = settled(client, endpoint, 1)
        assert found.status == "pending" and found.attempts[0].status is None and found.attempts[0].error


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
