"""The courier beside a port: what it keeps of an answer, what it does not follow, in which order it posts, its end."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from delivery_receiver import URL, only
from patience import HANG, until

from crm_sdk.models import WebhookDelivery
from server_stub import StubServer


@pytest.fixture
def site() -> Iterator[tuple[str, list[Any]]]:
    """Serve the answers of a list, one after another, the last one again and again: status, headers and body."""
    answers: list[Any] = [(200, {}, b"")]

    class Site(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            status, headers, body = answers.pop(0) if len(answers) > 1 else answers[0]
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hook", answers
        server.shutdown()
        thread.join()


def posted(url: str) -> WebhookDelivery:
    """Return a delivery to a URL after its first attempt over the network."""
    stub = StubServer()
    with stub.serve():
        client = stub.client(dialects="mvp")
        endpoint = client.webhooks.create({"url": url, "events": ["lead.created"]})
        client.leads.create({"name": "Ada"})
        until(lambda: bool(only(client, endpoint).attempts))
        return only(client, endpoint)


@pytest.mark.parametrize("length", [0, 499, 500, 501])
def test_five_hundred_characters_of_an_answer_are_kept(site: tuple[str, list[Any]], length: int) -> None:
    url, answers = site
    answers[:] = [(200, {}, b"x" * length)]
    (attempt,) = posted(url).attempts
    assert (attempt.status, attempt.response) == (200, "x" * min(length, 500) or None)


def test_a_wait_that_an_answer_asks_for_is_heard_over_the_network(site: tuple[str, list[Any]]) -> None:
    url, answers = site
    answers[:] = [(503, {"Retry-After": "900"}, b"")]
    delivery = posted(url)
    assert delivery.next_attempt_at is not None
    assert (delivery.next_attempt_at - delivery.attempts[0].at).total_seconds() == 900


def test_a_redirect_is_a_failure(site: tuple[str, list[Any]]) -> None:
    url, answers = site
    answers[:] = [(307, {"Location": url}, b""), (200, {}, b"")]
    delivery = posted(url)
    assert (delivery.status, [attempt.status for attempt in delivery.attempts]) == ("pending", [307])


def test_no_proxy_of_the_environment_is_asked(site: tuple[str, list[Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    url, _ = site
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert posted(url).status == "delivered"


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an attempt take two seconds and a quarter."""
    seen = iter([10.0, 12.25])
    monkeypatch.setattr("server_stub.webhooks.courier.time", SimpleNamespace(perf_counter=lambda: next(seen)))


@pytest.mark.usefixtures("timed")
def test_the_log_says_how_long_an_answer_took(site: tuple[str, list[Any]]) -> None:
    (attempt,) = posted(site[0]).attempts
    assert (attempt.status, attempt.error, attempt.duration) == (200, None, 2.25)


@pytest.mark.usefixtures("timed")
@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (httpx.ReadTimeout("timed out"), "no answer within 15 s"),
        (httpx.ReadError(""), "ReadError"),
        (httpx.ConnectError("connection refused"), "connection refused"),
        (httpx.InvalidURL("no such address"), "no such address"),
    ],
)
def test_the_log_says_why_there_is_no_answer_and_after_how_long(
    monkeypatch: pytest.MonkeyPatch, raised: Exception, said: str
) -> None:
    def fails(*given: Any, **named: Any) -> Any:
        raise raised

    monkeypatch.setattr(httpx.Client, "request", fails)
    (attempt,) = posted(URL).attempts
    assert (attempt.status, attempt.error, attempt.duration) == (None, said, 2.25)


def test_what_one_endpoint_gets_comes_one_after_another() -> None:
    """The second delivery to the first endpoint waits for the first one, while the other endpoint gets it."""
    stub = StubServer()
    seen: list[str] = []
    begun, overtaken = threading.Event(), threading.Event()
    done = threading.Event()

    def busy(headers: Mapping[str, str], body: bytes) -> int:
        name = json.loads(body)["data"]["name"]
        seen.append(f"{name} begins")
        if name == "first":
            begun.set()
            assert overtaken.wait(HANG)
        seen.append(f"{name} ends")
        if name == "second":
            done.set()
        return 200

    def other(headers: Mapping[str, str], body: bytes) -> int:
        if json.loads(body)["data"]["name"] == "second":
            overtaken.set()
        return 200

    with stub.serve(), stub.client(dialects="mvp") as client:
        ids = []
        for url, handler in ((URL, busy), ("https://other.test/", other)):
            stub.webhooks.receive(url, handler)
            ids.append(client.webhooks.create({"url": url, "events": ["lead.created"]}).id)
        client.leads.create({"name": "first"})
        assert begun.wait(HANG)
        client.leads.create({"name": "second"})
        assert done.wait(HANG)
    assert seen == ["first begins", "first ends", "second begins", "second ends"]


def test_what_is_being_posted_when_the_port_closes_is_finished_first() -> None:
    stub = StubServer()
    begun = threading.Event()

    def handler(headers: Mapping[str, str], body: bytes) -> int:
        begun.set()
        until(lambda: stub.webhooks.courier is None)
        return 200

    stub.webhooks.receive(URL, handler)
    with stub.serve(), stub.client(dialects="mvp") as client:
        client.webhooks.create({"url": URL, "events": ["lead.created"]})
        client.leads.create({"name": "Ada"})
        assert begun.wait(HANG)
    assert [found["status"] for found in stub.webhooks.deliveries] == ["delivered"]


def test_the_courier_stays_until_the_last_port_has_closed(site: tuple[str, list[Any]]) -> None:
    url, _ = site
    stub = StubServer()
    with stub.serve(), stub.client(dialects="mvp") as client:
        endpoint = client.webhooks.create({"url": url, "events": ["lead.created"]})
        with stub.serve() as port:
            port.close()
        port.close()  # once is enough, and again is nothing
        assert stub.webhooks.courier is not None
        client.leads.create({"name": "Ada"})
        until(lambda: only(client, endpoint).status == "delivered")
    assert stub.webhooks.courier is None


def test_a_port_that_nobody_closes_keeps_no_process_alive() -> None:
    stub = StubServer()
    with stub.serve():
        threads = [thread for thread in threading.enumerate() if thread.name == "webhooks"]
        assert threads and all(thread.daemon for thread in threads)
