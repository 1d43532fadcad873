"""``crm webhooks``: endpoints, and what a developer of a receiver has to hand: listen, replay, trigger."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from shell import Crm

from crm_cli.settings import Options, settle
from crm_cli.views.webhooks.forwarding import Bookmark, Forwarder, Posted, follow
from crm_cli.views.webhooks.triggers import CAUSES
from crm_sdk.errors import EventGap
from crm_sdk.models.events import read_event
from crm_sdk.webhooks import parse
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]

SECRET = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"


class Site:
    """What is developed: it answers what it is told to, and keeps what came."""

    def __init__(self) -> None:
        self.answers = [200]
        self.got: list[tuple[Mapping[str, str], bytes]] = []
        self.url = ""

    @property
    def names(self) -> list[str]:
        return [json.loads(body)["data"]["name"] for _, body in self.got]


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            site.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(site.answers.pop(0) if len(site.answers) > 1 else site.answers[0])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        site.url = f"http://127.0.0.1:{server.server_port}/hook"
        yield site
        server.shutdown()
        thread.join()


# -- endpoints ------------------------------------------------------------------------------------------------------


def test_an_endpoint_is_registered_and_its_secret_shown_once(offline: Crm) -> None:
    made = offline("webhooks", "create", "--url", "https://app.test/hook", "--events", "lead.created,deal.won")
    assert made.status == 0, made.err
    assert made.json["secret"].startswith("whsec_") and made.json["events"] == ["lead.created", "deal.won"]
    shown = offline("webhooks", "create", "--url", "https://app.test/2", "--events", "*", "-o", "table")
    assert "whsec_" in shown.out and "***" not in shown.out
    listed = offline("webhooks", "list")
    assert {found["url"] for found in listed.json} == {"https://app.test/2", "https://app.test/hook"}
    assert made.json["secret"] not in listed.out
    assert (
        offline("webhooks", "rotate-secret", made.json["id"], "--expires-in", "60").json["secret"]
        != made.json["secret"]
    )
    assert offline("webhooks", "delete", made.json["id"], "--yes").status == 0
    assert offline("webhooks", "get", made.json["id"]).status == 5


def test_what_waits_is_seen_and_had_again(offline: Crm) -> None:
    made = offline("webhooks", "create", "--url", "https://app.test/hook", "--events", "lead.created").json
    lead = offline("webhooks", "trigger", "lead.created", "--set", "name=Ada", "--set", 'tags=["new"]').json
    (waiting,) = offline("webhooks", "deliveries", "list", made["id"]).json
    assert waiting["status"] == "pending" and waiting["payload"]["data"]["id"] == lead["id"]
    assert lead["name"] == "Ada" and lead["tags"] == ["new"]
    again = offline("webhooks", "replay", waiting["id"]).json
    assert (again["redeliveryOf"], again["eventId"]) == (waiting["id"], waiting["eventId"])


# -- replay ---------------------------------------------------------------------------------------------------------


@pytest.mark.thorough
def test_a_delivery_is_posted_from_here(offline: Crm, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    made = offline("webhooks", "create", "--url", "https://app.test/hook", "--events", "lead.created").json
    offline("webhooks", "trigger", "lead.created", "--set", "name=Ada")
    (delivery,) = offline("webhooks", "deliveries", "list", made["id"]).json
    monkeypatch.setenv("CRM_WEBHOOK_SECRET", SECRET)
    posted = offline("webhooks", "replay", delivery["id"], "--forward-to", site.url)
    assert (posted.status, posted.json["status"], posted.json["event"]) == (0, 200, "lead.created")
    headers, body = site.got[0]
    assert headers["webhook-id"] == delivery["eventId"]
    event = parse(headers, body, SECRET, require_standard=True)
    assert (event.type, site.names) == ("lead.created", ["Ada"])
    site.answers = [500]
    assert offline("webhooks", "replay", delivery["id"], "--forward-to", site.url).status == 75
    monkeypatch.delenv("CRM_WEBHOOK_SECRET")
    fresh = offline("webhooks", "replay", delivery["id"], "--forward-to", site.url)
    assert "signing with whsec_" in fresh.err
    assert offline("webhooks", "replay", delivery["id"], "--forward-to", "localhost:3000").status == 2
    assert offline("webhooks", "replay", "delivery_nope").status == 5


# -- trigger --------------------------------------------------------------------------------------------------------


@pytest.mark.thorough
@pytest.mark.parametrize("event", CAUSES)
def test_what_is_triggered_happens(event: str) -> None:
    stub = StubServer()
    client = stub.client(dialects="mvp,flow,platform")
    CAUSES[event](client, {})
    assert event in [entry["type"] for entry in stub.store.collection("tenant_acme", "event").all()]


def test_what_cannot_be_triggered_says_what_can(offline: Crm) -> None:
    refused = offline("webhooks", "trigger", "lead.exploded")
    assert (
        refused.status == 2 and "lead.exploded cannot be triggered" in refused.err and "message.received" in refused.err
    )
    assert offline("webhooks", "trigger", "lead.created", "--set", "name").status == 2


def test_a_record_is_chosen_by_its_id(offline: Crm) -> None:
    changed = offline("webhooks", "trigger", "lead.updated", "--set", "id=lead_123", "--set", "company=New Inc").json
    assert (changed["id"], changed["company"]) == ("lead_123", "New Inc")
    message = offline("webhooks", "trigger", "message.received", "--set", "lead_id=lead_123").json
    assert (message["leadId"], message["sender"]) == ("lead_123", "lead")


def test_a_server_elsewhere_is_not_written_to_by_accident(crm: Crm) -> None:
    refused = crm("--base-url", "https://crm.example.com", "--api-key", "k", "webhooks", "trigger", "lead.created")
    assert refused.status == 2 and "--force" in refused.err


# -- listen ---------------------------------------------------------------------------------------------------------


class Feed:
    """A company's events from a place on, as a stream gives them."""

    def __init__(self, *happened: Any, since: str | None = None) -> None:
        self._happened = list(happened)
        self._at = int(since.rpartition(":")[2]) if since else 0

    @property
    def cursor(self) -> str:
        return f"e1:{self._at}"

    def __next__(self) -> Any:
        if self._at >= len(self._happened):
            raise StopIteration
        self._at += 1
        found = self._happened[self._at - 1]
        if isinstance(found, Exception):
            raise found
        return found


def happened(name: str) -> Any:
    told = {
        "type": "lead.created",
        "data": {"id": f"lead_{name}", "name": name, "own": {"kept": [1]}},
        "timestamp": "2026-01-15T09:00:00Z",
        "id": f"evt_{name}",
    }
    return read_event(told)


@dataclass
class Slept:
    seconds: list[float]

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def bookmark(folder: Path, site: Site) -> Bookmark:
    return Bookmark(settle(Options(base_url="http://127.0.0.1:8410", api_key="acme-admin")), site.url)


@pytest.fixture
def slept() -> Slept:
    return Slept([])


@pytest.fixture
def forwarder(site: Site, slept: Slept) -> Iterator[Forwarder]:
    forwarder = Forwarder(site.url, SECRET, sleep=slept)
    yield forwarder
    forwarder.close()


def test_events_are_forwarded_signed(site: Site, bookmark: Bookmark, forwarder: Forwarder) -> None:
    ((event, posted),) = follow(Feed(happened("a")), bookmark, forwarder)
    headers, body = site.got[0]
    assert posted is not None and posted.taken and "200" in str(posted)
    assert parse(headers, body, SECRET, require_standard=True).type == "lead.created"
    told = json.loads(body)
    assert told["data"] == {"id": "lead_a", "name": "a", "own": {"kept": [1]}}
    assert (told["event"], told["timestamp"], headers["webhook-id"]) == (
        "lead.created",
        "2026-01-15T09:00:00Z",
        event.id,
    )


def test_the_next_run_goes_on_where_this_one_ended(site: Site, bookmark: Bookmark, forwarder: Forwarder) -> None:
    everything = [happened(name) for name in "abc"]
    run = follow(Feed(*everything), bookmark, forwarder)
    next(run)
    assert bookmark.read() == "e1:1"
    run.close()
    list(follow(Feed(*everything, since=bookmark.read()), bookmark, forwarder))
    assert site.names == ["a", "b", "c"] and bookmark.read() == "e1:3"


def test_what_was_on_its_way_comes_again(site: Site, bookmark: Bookmark, forwarder: Forwarder, slept: Slept) -> None:
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    everything = [happened(name) for name in "ab"]
    site.answers = [200, 500, 200]
    stopped = Forwarder(site.url, SECRET, sleep=interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(follow(Feed(*everything), bookmark, stopped))
    stopped.close()
    list(follow(Feed(*everything, since=bookmark.read()), bookmark, forwarder))
    assert site.names == ["a", "b", "b"]
    assert [headers["webhook-id"] for headers, _ in site.got] == ["evt_a", "evt_b", "evt_b"]


def test_what_is_refused_is_tried_thrice_and_passed_over(
    site: Site, bookmark: Bookmark, forwarder: Forwarder, slept: Slept
) -> None:
    site.answers = [500, 500, 500, 200]
    told = [
        (event.data.name, posted and posted.status)
        for event, posted in follow(Feed(happened("a"), happened("b")), bookmark, forwarder)
    ]
    assert told == [("a", 500), ("b", 200)] and site.names == ["a", "a", "a", "b"] and slept.seconds == [1, 2]


def test_while_nobody_answers_events_wait(
    site: Site, bookmark: Bookmark, forwarder: Forwarder, slept: Slept, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    real, tries = forwarder.post, []

    def post(payload: Any, id: str | None) -> Posted:
        tries.append(id)
        return real(payload, id) if len(tries) > 6 else Posted(None, "refused", 0.0)

    monkeypatch.setattr(forwarder, "post", post)
    list(follow(Feed(happened("a")), bookmark, forwarder))
    assert site.names == ["a"] and slept.seconds == [1, 2, 5, 10, 10, 10]
    assert capsys.readouterr().err.count("does not answer") == 1


def test_a_gap_is_told_and_the_rest_goes_on(site: Site, bookmark: Bookmark, forwarder: Forwarder, capsys: Any) -> None:
    list(follow(Feed(EventGap(1, 4, "expired"), happened("b")), bookmark, forwarder))
    assert site.names == ["b"] and "events 1 to 4 are missing" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "x", "[]", "{}", '{"cursor": null}', '{"cursor": "garbage"}', '{"cursor": 5}'])
def test_a_place_that_cannot_be_read_is_told(bookmark: Bookmark, content: str, capsys: Any) -> None:
    assert bookmark.read() is None and not capsys.readouterr().err
    bookmark.write("e1:41")
    assert bookmark.read() == "e1:41" and not capsys.readouterr().err
    bookmark.path.write_text(content)
    assert bookmark.read() is None
    assert str(bookmark.path) in capsys.readouterr().err


@pytest.mark.parametrize("url", ["http://", "http://[", "http://localhost:99999/", "ftp://x/"])
def test_a_url_that_cannot_be_posted_to_is_refused_at_once(crm: Crm, url: str) -> None:
    refused = crm("webhooks", "listen", "--forward-to", url, "--base-url", "http://127.0.0.1:1", "--api-key", "k")
    assert refused.status == 2 and "--forward-to must be a URL" in refused.err


def test_a_host_that_cannot_be_is_one_that_does_not_answer(slept: Slept) -> None:
    with closing(Forwarder(f"http://{'a' * 64}.test/", SECRET)) as forwarder:
        posted = forwarder.post({"event": "lead.created"}, "evt_1")
    assert posted.status is None and posted.error


def test_each_server_and_url_has_its_own_place(folder: Path) -> None:
    def at(url: str, key: str, forward_to: str | None) -> Bookmark:
        return Bookmark(settle(Options(base_url=url, api_key=key)), forward_to)

    chosen = [at("http://a.test", "k", None), at("http://b.test", "k", None), at("http://a.test", "l", None)]
    chosen.append(at("http://a.test", "k", "http://localhost/hook"))
    assert len({found.path for found in chosen}) == 4
    chosen[0].write("e1:7")
    assert [found.read() for found in chosen] == ["e1:7", None, None, None]
    assert "k" not in chosen[0].path.name and "apiKey" not in chosen[0].path.read_text()
    chosen[0].path.write_text("garbled")
    assert chosen[0].read() is None


@pytest.mark.thorough
@pytest.mark.parametrize("over", ["ws", "sse"])
def test_nothing_is_lost_between_two_runs(crm: Crm, site: Site, over: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = StubServer()
    client = stub.client(dialects="mvp")
    monkeypatch.setenv("CRM_WEBHOOK_SECRET", SECRET)
    with stub.serve() as port:
        monkeypatch.setenv("CRM_BASE_URL", port.url)
        monkeypatch.setenv("CRM_API_KEY", "acme-admin")
        words = ("webhooks", "listen", "--forward-to", site.url, "--events", "lead.created", "--over", over)
        for name in ("a", "b", "c"):
            client.leads.create({"name": name})
        first = crm(*words, "--since", ":0", "--count", "2", "-o", "table")
        assert first.status == 0, first.err
        assert [line.partition(" ")[0] for line in first.out.splitlines()] == ["lead.created"] * 2
        client.leads.create({"name": "d"})
        second = crm(*words, "--count", "2", "-o", "jsonl")
        told = [json.loads(line) for line in second.out.splitlines()]
    assert site.names == ["a", "b", "c", "d"]
    assert [(line["event"], line["status"]) for line in told] == [("lead.created", 200)] * 2
    headers, body = site.got[-1]
    parse(headers, body, SECRET, require_standard=True)
    log = [entry["id"] for entry in stub.store.collection("tenant_acme", "event").all()]
    assert headers["webhook-id"] in log


def test_listening_needs_a_server_that_runs(offline: Crm, crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = offline("webhooks", "listen", "--forward-to", "http://localhost:3000/hook")
    assert refused.status == 2 and "crm stub serve" in refused.err
