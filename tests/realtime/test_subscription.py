"""The stream of one call, driven by hand: where it goes on, what it takes for a sign of life, and when it ends."""

from __future__ import annotations

from typing import Any

import pytest

from crm_sdk import CrmClient
from crm_sdk.errors import ConnectionFailedError, InvalidInputError, NotFoundError
from crm_sdk.realtime.feed import SILENCE
from crm_sdk.realtime.mailbox import Mailbox
from crm_sdk.realtime.position import Cursor
from crm_sdk.realtime.session import EXPIRED
from crm_sdk.realtime.sockets import SocketClosedError, SocketRefusedError
from crm_sdk.realtime.subscription import Subscription, _cursor, _place
from crm_sdk.resource import operation_of
from crm_sdk.resources.dashboards import Dashboards
from crm_sdk.secrecy import Given


def followed(capacity: int = 10, since: Cursor | None = None, api_key: str | None = "key") -> tuple[Subscription, Any]:
    operation = operation_of(Dashboards.subscribe)
    assert operation is not None
    client = CrmClient("https://crm.test", api_key)
    plan = operation.plan_quietly(Given({"dashboard_id": "d1"}), ("platform",))
    mailbox: Mailbox[Any] = Mailbox(capacity, "block", lambda item: item)
    return Subscription(client, operation, plan, mailbox, since), mailbox


def event(kind: str, data: str = '{"n": 1}', id: str = "") -> bytes:
    return f"event: {kind}\n{f'id: {id}' if id else 'x: y'}\ndata: {data}\n\n".encode()


def test_it_asks_for_what_follows_the_last_event() -> None:
    line, _ = followed()
    begun: list[int] = []
    line.when_ready(lambda: begun.append(1))
    first = line.opening()
    assert first.url == "https://crm.test/v1/dashboards/d1/subscribe" and first.bearer == "key"
    assert first.headers["Accept"] == "text/event-stream" and first.headers["Authorization"] == "Bearer key"
    assert "Last-Event-ID" not in first.headers and not line.up
    assert list(line.opened(1.0)) == [] and line.up and begun == [1]
    line.received(event("data", id="e1:7"), 1.0)
    line.received(event("data"), 1.0)
    line.lost()
    assert line.opening().headers["Last-Event-ID"] == "e1:7" and not line.up
    assert followed(since=Cursor(3, "e1"))[0].opening().headers["Last-Event-ID"] == "e1:3"
    bare = followed(api_key=None)[0].opening()
    assert bare.bearer is None and "Authorization" not in bare.headers


def test_events_wait_for_a_slow_reader_and_those_that_are_no_news_are_left_out() -> None:
    line, mailbox = followed(capacity=1)
    line.opened(0.0)
    assert (line.full, line.patience(0.0)) == (False, 1.0)
    for part in (
        event("heartbeat", id="e1:1"),
        event("data", "[1]"),
        event("data", id="e1:2"),
        event("data", '{"n": 2}'),
    ):
        line.received(part, 0.0)
    assert (line.full, line.patience(0.0), line.progress) == (True, 0.05, 3)
    assert mailbox.take() == {"body": {"n": 1}, "type": "data", "seq": 2, "epoch": "e1"}
    assert list(line.due(0.0)) == [] and (line.full, line.patience(0.0)) == (False, 1.0)
    assert mailbox.take()["body"] == {"n": 2} and mailbox.take() is None and not mailbox.closed
    assert line.wants_anew(0.0) is False


def test_it_ends_with_what_it_followed_and_is_continued_where_it_cannot_be_read() -> None:
    line, mailbox = followed()
    line.opened(0.0)
    line.received(event("dashboard.deleted"), 0.0)
    assert mailbox.closed and mailbox.take()["type"] == "dashboard.deleted"
    line, mailbox = followed()
    line.opened(0.0)
    with pytest.raises(SocketClosedError, match="the stream is continued") as odd:
        line.received(event("data", "{"), 0.0)
    with pytest.raises(SocketClosedError) as expired:
        line.received(event("error"), 0.0)
    assert (odd.value.code, expired.value.code, mailbox.closed) == (None, EXPIRED, False)


def test_the_server_says_how_long_to_wait_and_silence_is_a_lost_connection() -> None:
    line, _ = followed()
    line.opened(0.0)
    assert line.asked == 0.0
    line.received(b"retry: 2500\n\n", 1.0)
    line.received(b": still there\n", 2.0)
    assert line.asked == 2.5
    assert list(line.due(2.0 + SILENCE - 0.01)) == []
    with pytest.raises(SocketClosedError, match=f"no sign of life for {SILENCE:.0f} s"):
        line.due(2.0 + SILENCE)
    line.opened(100.0)
    assert list(line.due(100.0)) == [] and line.asked == 2.5


def test_why_there_is_no_connection_is_kept_until_there_is_one() -> None:
    line, _ = followed()
    error = ConnectionFailedError("refused")
    line.failed(error)
    assert line.last_error is error
    line.opened(0.0)
    assert line.last_error is None
    body = b'{"error": {"code": "NOT_FOUND", "message": "no"}}'
    assert isinstance(line.refusal(SocketRefusedError(404, {}, body)), NotFoundError)


def test_a_place_is_an_epoch_and_a_number() -> None:
    assert _cursor(None) is None and _cursor("e1:7") == Cursor(7, "e1") and _cursor("7") == Cursor(7, None)
    with pytest.raises(InvalidInputError, match="last_event_id must be the id of an event"):
        _cursor("x")
    assert (_place("e1:7"), _place(":7"), _place("x"), _place("")) == (
        {"seq": 7, "epoch": "e1"}, {"seq": 7, "epoch": None}, {}, {}
    )  # fmt: skip
