"""Bodies of replies: which have been read already, and what an error of the network says."""

from __future__ import annotations

import gc
import os
import socket
import ssl
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from crm_sdk import ConfigurationError, ConnectionFailedError, CrmError, DeadlineExceededError, InvalidInputError
from crm_sdk import InvalidResponseError as Unread
from crm_sdk.exchange import Request
from crm_sdk.network.bodies import AsyncBodyStream, BodyStream, headers_of, is_read, raise_as_ours, reason_of
from crm_sdk.network.prepared import Remaining


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"is_stream_consumed": True, "_content": b"{}"}, True),
        ({"is_stream_consumed": True}, False),
        ({"is_stream_consumed": False, "_content": b"{}"}, False),
        ({"_content": b"{}"}, False),
    ],
)
def test_a_body_is_read_where_it_was_used_up_and_kept(members: dict[str, object], expected: bool) -> None:
    assert is_read(SimpleNamespace(**members)) is expected


def test_headers_of_one_name_are_one() -> None:
    assert headers_of(httpx.Response(200, headers=[("A", "1"), ("b", "2"), ("a", "3")])) == {"a": "1, 3", "b": "2"}


class BrokenResourceError(Exception):
    """What trio calls it."""


def chained(outer: Exception, inner: Exception, *, by_cause: bool) -> Exception:
    outer.__cause__, outer.__context__ = (inner, None) if by_cause else (None, inner)
    return outer


WRONG = ssl.SSLError("certificate verify failed")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError("no route"), "no route"),
        (OSError(), "OSError"),
        (chained(BrokenResourceError(), WRONG, by_cause=True), str(WRONG)),
        (chained(OSError(), chained(BrokenResourceError(), WRONG, by_cause=True), by_cause=True), str(WRONG)),
        (chained(OSError(), chained(BrokenResourceError(), WRONG, by_cause=True), by_cause=False), str(WRONG)),
        (chained(OSError("it broke"), chained(BrokenResourceError(), WRONG, by_cause=True), by_cause=True), "it broke"),
        (chained(OSError(), ValueError("somebody else's"), by_cause=False), "OSError"),
        (BrokenResourceError(), "BrokenResourceError"),
    ],
    ids=repr,
)
def test_an_error_says_what_it_is_or_what_trio_hides_in_its_cause(error: Exception, said: str) -> None:
    assert reason_of(error) == said


# -- whose connection it is --------------------------------------------------------------------------------------------

ASKED = Request("GET", "http://crm.test/x?secret=1", {}, stream=True)


class Scene:
    """A body whose answer and whose connection note what becomes of them."""

    def __init__(self, mode: str = "sync", *, status: int = 200, stream: bool = True, **extensions: Any) -> None:
        self.events: list[str] = []
        self.timeouts = Remaining(5.0)
        response: Any = httpx.Response(status, content=b"abc", extensions=extensions)
        response.close = lambda: self.events.append("closed")
        response.aclose = self._aclose
        asked = Request("GET", ASKED.url, {}, stream=stream)
        shared: Any = (response, asked, self.timeouts, 1000.0, lambda: self.events.append("given back"))
        kind: Any = BodyStream if mode == "sync" else AsyncBodyStream
        lost = [lambda: self.events.append("replaced")] if mode == "async" else []
        self.body: Any = kind(*shared, *lost)

    async def _aclose(self) -> None:
        self.events.append("closed")


@pytest.mark.parametrize(("status", "stream", "streamed"), [(200, True, True), (299, True, True), (300, True, False),
                                                            (200, False, False)])  # fmt: skip
def test_only_what_is_streamed_may_take_as_long_as_it_moves(
    mode: str, status: int, stream: bool, streamed: bool
) -> None:
    made = Scene(mode, status=status, stream=stream)
    assert made.body.streamed is streamed and (made.timeouts.until == float("inf")) is streamed


def test_it_gives_its_connection_back_once(mode: str, call: Callable[[Any], Any]) -> None:
    made = Scene(mode)
    for _ in range(2):
        call(made.body.close() if mode == "sync" else made.body.aclose())
    assert made.events == ["closed", "given back"]
    made.body = None
    gc.collect()
    assert made.events == ["closed", "given back"]


@pytest.mark.parametrize("forked", [False, True])
def test_one_that_is_forgotten_gives_it_back_unless_it_is_the_parents(
    mode: str, monkeypatch: pytest.MonkeyPatch, forked: bool
) -> None:
    made = Scene(mode)
    if forked:
        child = SimpleNamespace(getpid=lambda: os.getpid() + 1)
        monkeypatch.setattr("crm_sdk.network.bodies.os", child)
    made.body = None
    gc.collect()
    assert made.events == ([] if forked else ["closed", "given back"] if mode == "sync" else ["replaced"])


@pytest.mark.parametrize(
    ("consumed", "closed", "kept", "found"),
    [
        (False, False, False, b"new"), (True, False, False, None), (False, True, False, None),
        (True, True, False, None), (True, True, True, b"old"), (True, False, True, b"old"),
        (False, False, True, b"new"),
    ],
)  # fmt: skip
def test_a_body_that_somebody_has_used_up_without_keeping_it_is_told(
    mode: str, call: Callable[[Any], Any], consumed: bool, closed: bool, kept: bool, found: bytes | None
) -> None:
    async def aclose() -> None:
        """Nothing is open."""

    async def collected(body: Any) -> bytes:
        return b"".join([piece async for piece in body])

    response: Any = SimpleNamespace(
        is_stream_consumed=consumed, is_closed=closed, status_code=200, headers={"x-request-id": "r1"}, content=b"old",
        stream=httpx.ByteStream(b"new"), close=lambda: None, aclose=aclose,
    )  # fmt: skip
    if kept:
        response._content = b"old"
    lost = [lambda: None] if mode == "async" else []
    kind: Any = BodyStream if mode == "sync" else AsyncBodyStream
    body = kind(response, ASKED, Remaining(5.0), 1000.0, lambda: None, *lost)
    read: Callable[[], Any] = lambda: b"".join(body) if mode == "sync" else call(collected(body))  # noqa: E731 # twice
    if found is None:
        with pytest.raises(Unread, match=r"a hook or transport of http_client has used up the body") as raised:
            read()
        assert (raised.value.status, raised.value.request_id) == (200, "r1")
    else:
        assert read() == found
    with pytest.raises(CrmError, match="read or closed before"):
        read()


@pytest.mark.parametrize("kind", ["socket", "gone", "no socket", "no stream"])
def test_who_waits_for_it_is_interrupted(kind: str) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        if kind == "gone":
            ours.close()
        stream = SimpleNamespace(get_extra_info={"socket": ours if kind != "no socket" else None}.get)
        extensions: dict[str, Any] = {"network_stream": stream} if kind != "no stream" else {}
        made = Scene(**extensions)
        made.body.interrupt()
        assert made.events == (["closed", "given back"] if kind.startswith("no ") else [])
        if kind == "socket":
            assert theirs.recv(1) == b"" and ours.recv(1) == b""


# -- errors of httpx ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "kind", "sent", "message"),
    [
        (httpx.ConnectError("no"), ConnectionFailedError, False, "GET http://crm.test/x failed: no"),
        (httpx.ProxyError("no"), ConnectionFailedError, False, "failed: no"),
        (httpx.UnsupportedProtocol("no"), ConnectionFailedError, False, "failed: no"),
        (httpx.ConnectTimeout("no"), DeadlineExceededError, False, r"timed out \(ConnectTimeout\)"),
        (httpx.PoolTimeout("no"), DeadlineExceededError, False, r"timed out \(PoolTimeout\)"),
        (httpx.WriteTimeout("no"), DeadlineExceededError, True, r"timed out \(WriteTimeout\)"),
        (httpx.ReadError("no"), ConnectionFailedError, True, "failed: no"),
        (httpx.RemoteProtocolError("no"), ConnectionFailedError, True, "failed: no"),
        (httpx.TooManyRedirects("no"), ConnectionFailedError, True, "failed: no"),
        (httpx.DecodingError("no"), Unread, None, "the answer cannot be decoded: no"),
        (httpx.LocalProtocolError("key"), InvalidInputError, None, "its URL or a header is not valid in HTTP$"),
        (httpx.InvalidURL("key"), InvalidInputError, None, "its URL or a header is not valid in HTTP$"),
        (UnicodeError("key"), InvalidInputError, None, "its URL or a header is not valid in HTTP$"),
        (httpx.StreamConsumed(), CrmError, None, r"a hook or the auth= of http_client failed \(StreamConsumed\)"),
        (RuntimeError("it is closed"), ConfigurationError, None, "cannot be sent: it is closed"),
        (RuntimeError("odd"), RuntimeError, None, "^odd$"),
        (OSError("it is closed"), OSError, None, "^it is closed$"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_each_error_is_ours_and_shows_no_query(
    error: Exception, kind: type[Exception], sent: bool | None, message: str
) -> None:
    with pytest.raises(kind, match=message) as raised:
        raise_as_ours(error, ASKED)
    assert type(raised.value) is kind and getattr(raised.value, "sent", None) is sent
    assert "secret" not in str(raised.value) and "key" not in str(raised.value)
    if kind is InvalidInputError:
        assert raised.value.__cause__ is None, "it would show the header"
    elif isinstance(raised.value, CrmError):
        assert raised.value.__cause__ is error
    with pytest.raises(kind):
        raise_as_ours(raised.value, ASKED)


@pytest.mark.parametrize(("own", "sent"), [(True, False), (False, True)])
def test_what_a_hook_fails_of_says_nothing_of_the_request(own: bool, sent: bool) -> None:
    timeouts = Remaining(5.0)
    request = httpx.Request("GET", "http://log.test", extensions={"timeout": timeouts if own else Remaining(5.0)})
    with pytest.raises(ConnectionFailedError) as raised:
        raise_as_ours(httpx.ConnectError("no", request=request), ASKED, timeouts)
    assert raised.value.sent is sent
    with pytest.raises(ConnectionFailedError) as raised:
        raise_as_ours(httpx.ConnectError("no"), ASKED, timeouts)
    assert raised.value.sent
