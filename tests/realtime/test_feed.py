"""The company's feed on one connection, driven by hand: what it asks for, takes for an event, and misses."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from crm_sdk import CrmClient
from crm_sdk.errors import AuthenticationError, ConnectionFailedError, EventGap
from crm_sdk.realtime.feed import SILENCE, UNTOLD, Feed, Over, record_of
from crm_sdk.realtime.mailbox import Mailbox
from crm_sdk.realtime.position import GRACE, Cursor
from crm_sdk.realtime.sockets import SocketClosedError, SocketRefusedError


class Scene:
    """A feed, and what it has begun and passed on."""

    def __init__(
        self, over: Over = "ws", *, types: list[str] | None = None, since: Cursor | None = None, capacity: int = 10,
        api_key: str | None = "key",
    ) -> None:  # fmt: skip
        self.mailbox: Mailbox[Any] = Mailbox(capacity, "block", record_of)
        client = CrmClient("https://crm.test/base", api_key, tenant_id="acme")
        self.feed = Feed(client, self.mailbox, over=over, types=types, since=since, heartbeat=20.0)
        self.begun = 0
        self.feed.when_ready(self._begin)

    def _begin(self) -> None:
        self.begun += 1

    def says(self, message: Any, now: float = 0.0) -> None:
        data = message if isinstance(message, str) else json.dumps(message)
        self.feed.received(data if self.feed.heartbeat else f"data: {data}\n\n", now)

    def _next(self) -> Any:
        return self.mailbox.take()

    def taken(self) -> list[Any]:
        found: list[Any] = []
        while (item := self._next()) is not None:
            if isinstance(item, EventGap):
                found.append((item.from_seq, item.to_seq, item.reason))
            else:
                found.append(item["type"])
        return found


def ready(seq: object = 0, epoch: object = "e1", **more: object) -> dict[str, Any]:
    return {"type": "stream.ready", "data": {"seq": seq, "epoch": epoch, **more}}


def event(seq: object = None, kind: object = "lead.created", **more: Any) -> dict[str, Any]:
    numbered = {} if seq is None else {"seq": seq, "epoch": "e1"}
    return {"type": kind, "data": {"id": "l1"}, **numbered, **more}


@pytest.mark.parametrize(
    ("over", "address"), [("ws", "wss://crm.test/base/ws"), ("sse", "https://crm.test/base/api/events/stream")]
)
def test_it_asks_for_what_follows_its_position(over: Over, address: str) -> None:
    def asked(scene: Scene) -> tuple[str, dict[str, str], Any]:
        opening = scene.feed.opening()
        parts = urlsplit(opening.url)
        return opening.url.partition("?")[0], dict(parse_qsl(parts.query)), opening

    url, query, opening = asked(Scene(over))
    assert (url, query, opening.bearer) == (address, {"resume": "1"}, "key")
    assert (opening.headers["Authorization"], opening.headers["X-Tenant-ID"]) == ("Bearer key", "acme")
    assert opening.headers["User-Agent"].startswith("crm-sdk/") and "Last-Event-ID" not in opening.headers
    assert opening.headers.get("Accept") == ("text/event-stream" if over == "sse" else None)
    _, query, opening = asked(Scene(over, since=Cursor(7, "e1")))
    assert query == {"resume": "1", "since": "7", "epoch": "e1"}
    assert opening.headers.get("Last-Event-ID") == ("e1:7" if over == "sse" else None)
    _, query, opening = asked(Scene(over, since=Cursor(0), api_key=None))
    assert query == {"resume": "1", "since": "0"}
    assert opening.bearer is None and "Authorization" not in opening.headers
    assert Scene(over).feed.heartbeat == (20.0 if over == "ws" else 0.0)


@pytest.mark.parametrize("over", ["ws", "sse"])
def test_it_begins_where_the_server_says_or_with_an_event_or_half_a_second_later(over: Over) -> None:
    for message in (ready(5), event(6), event()):
        scene = Scene(over)
        assert list(scene.feed.opened(100.0)) == [] and not scene.feed.up
        scene.says(message, 100.1)
        assert (scene.feed.up, scene.begun) == (True, 1)
        scene.says(event(6), 100.2)
        scene.says(ready(6), 100.2)
        assert scene.begun == 1, "it is told once"
    scene = Scene(over)
    scene.feed.opened(100.0)
    assert (list(scene.feed.due(100.0 + UNTOLD - 0.01)), scene.feed.up) == ([], False)
    assert (list(scene.feed.due(100.0 + UNTOLD)), scene.feed.up, scene.begun) == ([], True, 1)
    scene.feed.due(102.0)
    assert scene.begun == 1


@pytest.mark.parametrize(
    "message",
    ["no JSON", "[" * 100_000, "[]", "5", {"type": 5}, {}, ready(None), ready(True), ready("7"),
     {"type": "stream.position", "data": {}}, {"type": "stream.ready", "data": None}],
    ids=lambda message: str(message)[:60],
)  # fmt: skip
def test_what_is_no_event_begins_nothing_and_is_not_passed_on(message: Any) -> None:
    scene = Scene()
    scene.feed.opened(0.0)
    scene.says(message)
    found = [each for each in scene.taken() if isinstance(each, str)]
    if isinstance(message, dict) and message.get("data", 1) is None:
        assert (found, scene.feed.up) == (["stream.ready"], True), "an event that is only called like it"
    else:
        assert (found, scene.feed.up, scene.begun) == ([], False, 0)


@pytest.mark.parametrize("message", ["no JSON", {"type": 5}, event("six"), event() | {"seq": None}], ids=str)
def test_what_cannot_be_read_may_have_been_an_event(message: Any) -> None:
    scene = Scene()
    scene.feed.opened(0.0)
    scene.says(ready(5))
    scene.says(message, 1.0)
    assert scene.taken() == [] and not scene.feed.wants_anew(1.0 + GRACE - 0.01)
    assert scene.feed.wants_anew(1.0 + GRACE)
    numberless = Scene()
    numberless.feed.opened(0.0)
    numberless.says(message)
    unread = isinstance(message, str) or message["type"] == 5
    assert numberless.taken() == ([(None, None, "unnumbered")] if unread else ["lead.created"])


def test_events_are_passed_on_in_order_and_only_those_that_were_asked_for() -> None:
    scene = Scene(types=["lead.created"])
    scene.feed.opened(0.0)
    for message in (ready(5), event(6), event(7, "lead.updated"), event(8, "stream.passed"), event(10), event(9)):
        scene.says(message)
    assert scene.taken() == ["lead.created"] * 3 and scene.feed.progress == 5
    assert scene.feed.position.cursor == Cursor(10, "e1")
    every = Scene()
    every.feed.opened(0.0)
    for message in (ready(5), event(6, "stream.passed"), event(7, "anything")):
        every.says(message)
    assert every.taken() == ["anything"]


def test_the_position_that_the_server_tells_shows_what_is_missing() -> None:
    scene = Scene()
    scene.feed.opened(0.0)
    scene.says(ready(5))
    scene.says({"type": "stream.position", "data": {"seq": 5, "epoch": "e1"}})
    assert not scene.feed.wants_anew(0.0)
    scene.says({"type": "stream.position", "data": {"seq": 6, "epoch": "e1"}})
    assert scene.feed.wants_anew(0.0)
    lost = Scene(since=Cursor(2, "e1"))
    lost.feed.opened(0.0)
    lost.says(ready(9, gap={"reason": "expired"}))
    assert lost.taken() == [(3, 9, "expired")]
    odd = Scene(since=Cursor(9, "e1"))
    odd.feed.opened(0.0)
    odd.says(ready(9, gap="much"))
    assert odd.taken() == []


def test_how_long_it_listens_before_it_looks_again() -> None:
    scene = Scene(capacity=1)
    scene.feed.opened(0.0)
    assert scene.feed.patience(0.0) == 0.05, "it has not begun"
    scene.says(ready(0))
    assert scene.feed.patience(0.0) == 1.0
    scene.says(event(2))
    assert scene.feed.patience(0.0) == GRACE, "the first is missing"
    scene.feed.idle()
    assert scene.feed.wants_anew(0.0), "and does not come any more"
    scene.says(event(1))
    assert (scene.feed.patience(0.0), scene.feed.full) == (0.05, False), "there is no room for the second"
    assert not scene.feed.wants_anew(99.0)
    assert scene.taken() == ["lead.created"] and scene.feed.wants_anew(99.0)


def test_what_has_no_number_waits_for_room() -> None:
    scene = Scene(capacity=1)
    scene.feed.opened(0.0)
    for name in ("a", "b", "b", "c"):
        scene.says(event(id=name))
    assert scene.feed.full and scene.feed.progress == 1
    scene.feed.due(0.0)
    assert scene.feed.full and len(scene.mailbox) == 1
    for _ in range(2):
        assert scene.taken() == ["lead.created"]
        scene.feed.due(0.0)
    assert (scene.taken(), scene.feed.full, scene.feed.progress) == (["lead.created"], False, 3)


@pytest.mark.parametrize("over", ["ws", "sse"])
def test_a_connection_that_is_lost_is_begun_anew(over: Over) -> None:
    scene = Scene(over)
    scene.feed.opened(0.0)
    scene.says(event())
    scene.feed.lost()
    error = ConnectionFailedError("refused")
    scene.feed.failed(error)
    assert not scene.feed.up and scene.feed.last_error is error
    scene.feed.opened(10.0)
    assert not scene.feed.up and scene.feed.last_error is None and scene.taken() == ["lead.created"]
    scene.feed.due(10.5)
    assert scene.feed.up and scene.begun == 2 and scene.taken() == [(None, None, "unnumbered")]


def test_silence_over_sse_is_a_lost_connection() -> None:
    scene = Scene("sse")
    assert scene.feed.asked == 0.0
    scene.feed.opened(0.0)
    scene.feed.received(b"retry: 2500\n\n", 1.0)
    scene.feed.received(b": still there\n\n", 2.0)
    assert scene.feed.asked == 2.5 and list(scene.feed.due(2.0 + SILENCE - 0.01)) == []
    with pytest.raises(SocketClosedError, match="no sign of life for 45 s"):
        scene.feed.due(2.0 + SILENCE)
    scene.feed.opened(100.0)
    assert list(scene.feed.due(100.0)) == [] and scene.feed.asked == 2.5
    with pytest.raises(SocketClosedError, match="lost: "):
        scene.feed.received(b"data: " + b"x" * (64 << 20), 100.0)
    web = Scene("ws")
    web.feed.opened(0.0)
    assert list(web.feed.due(10 * SILENCE)) == [], "its pings say whether it is there"


def test_a_part_of_an_event_is_forgotten_with_its_connection() -> None:
    scene = Scene("sse")
    scene.feed.opened(0.0)
    scene.feed.received(b'data: {"type": "lead.created", ', 0.0)
    scene.feed.opened(1.0)
    scene.says(event())
    assert scene.taken() == ["lead.created"]


def test_why_it_was_refused_is_the_servers_error() -> None:
    body = b'{"error": {"code": "TOKEN_EXPIRED", "message": "sign in again"}}'
    refused = Scene().feed.refusal(SocketRefusedError(401, {"x-request-id": "r1"}, body))
    assert isinstance(refused, AuthenticationError) and refused.request_id == "r1"
    assert (refused.status, refused.code) == (401, "TOKEN_EXPIRED")


@pytest.mark.parametrize(
    ("message", "record"),
    [
        ({"type": "lead.created", "data": {"id": "l1"}}, ("lead.created", "l1")),
        ({"type": "deal.won", "data": {"n": 1, "deal": {"id": "d1"}, "lead": {"id": "l1"}}}, ("deal.won", "d1")),
        ({"type": "x", "data": {"id": 5, "deal": {"id": "d1"}}}, ("x", "d1")),
        ({"event": "deal:created", "payload": {"deal": {"id": "d1"}}}, ("deal:created", "d1")),
        ({"type": "metric", "data": {"metric": "leads", "value": 5}}, ("metric", "leads")),
        ({"type": "agent", "data": {"agentId": "a1", "metric": "x"}}, ("agent", "a1")),
        ({"type": "typing", "data": {"conversationId": "c1", "dealId": 5}}, ("typing", "c1")),
        ({"type": "x", "data": {"n": 1}}, None), ({"type": "x", "data": []}, None), ({"type": "x"}, None),
    ],
)  # fmt: skip
def test_which_record_an_event_is_of(message: dict[str, Any], record: object) -> None:
    assert record_of(message) == record
