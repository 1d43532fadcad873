"""The two streams by themselves: how they begin, what they give, and what ends them. What brings events is a script."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace as Of
from typing import Any

import anyio
import pytest
from patience import HANG, until, until_async

from crm_sdk.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    DeadlineExceededError,
    EventGap,
)
from crm_sdk.realtime.mailbox import Mailbox
from crm_sdk.realtime.position import Cursor
from crm_sdk.realtime.stream import AsyncStream, Stream

REFUSED = AuthenticationError("no", status=401, code="NO")


class Source:
    """Where events come from: up or not, at a position, with an error or none."""

    def __init__(self) -> None:
        self.up = True
        self.last_error: Any = None
        self.position: Any = Of(first=None)
        self.ready: Callable[[], None] = lambda: None

    def when_ready(self, ready: Callable[[], None]) -> None:
        self.ready = ready


class Runner:
    """Does as a script says when it is started, and counts how often it is stopped."""

    def __init__(self, script: Callable[[Callable[[Exception | None], None]], None]) -> None:
        self.script, self.starts, self.stops = script, 0, 0

    def start(self, ended: Any) -> None:
        self.starts += 1
        self.ended = ended
        self.script(ended)

    def stop(self) -> None:
        self.stops += 1


class AsyncRunner(Runner):
    async def start(self, ended: Any) -> None:  # type: ignore[override] # the same for tasks
        Runner.start(self, ended)

    async def stop(self) -> None:  # type: ignore[override] # as above
        Runner.stop(self)


class Scene:
    """A stream of either kind with what belongs to it; what it does is awaited where it has to be."""

    def __init__(
        self, mode: str, call: Callable[[Any], Any], begins: bool = True, timeout: float = HANG, script: Any = None
    ) -> None:
        self.call, self.source, self.mailbox = call, Source(), Mailbox[Any](10, "block", lambda item: None)
        kinds: Any = (Stream, Runner) if mode == "sync" else (AsyncStream, AsyncRunner)
        self.runner = kinds[1](script or (lambda ended: self.source.ready() if begins else None))
        client: Any = Of(terms=lambda: Of(timeout=timeout))
        read: Callable[[Any], Any] = lambda item: item.get("n")  # noqa: E731 # what has no n is out of date
        self.stream: Any = kinds[0](client, self.source, self.mailbox, read, "the feed", self.runner)

    def does(self, name: str, *arguments: Any) -> Any:
        return self.call(getattr(self.stream, name)(*arguments))


@pytest.fixture
def scene(mode: str, call: Callable[[Any], Any]) -> Callable[..., Scene]:
    return lambda **options: Scene(mode, call, **options)


def test_it_begins_once_and_gives_what_comes(scene: Callable[..., Scene]) -> None:
    made = scene()
    assert not (made.stream.ended or made.stream.cursor)
    assert made.does("start") is made.does("start") is made.stream and made.runner.starts == 1
    for item in ({"n": 1, "seq": 7, "epoch": "e1"}, {"seq": 8}, {"n": 2}):
        made.mailbox.offer(item)
    assert repr(made.stream).endswith("Stream of the feed: connected, 3 waiting>")
    found = [(made.does("wait", 0), made.stream.cursor) for _ in range(2)]
    assert found == [(1, Cursor(7, "e1")), (2, Cursor(8, None))], "what is out of date is passed over"
    assert made.does("wait", 0.001) is None
    made.source.up = False
    assert not made.stream.connected and repr(made.stream).endswith("of the feed: not connected, 0 waiting>")
    made.does("close")
    assert made.runner.stops == 1 and made.stream.ended and not made.stream.connected
    assert repr(made.stream).endswith("of the feed: closed, 0 waiting>")
    assert made.does("start") is made.stream and made.runner.starts == 1 and made.does("wait", HANG) is None


def test_its_position_is_that_of_its_source_until_an_event_came(scene: Callable[..., Scene]) -> None:
    made = scene()
    made.source.position.first = Cursor(3, "e1")
    assert made.stream.cursor == Cursor(3, "e1") and made.stream.dropped == 0
    made.mailbox.dropped = 5
    assert made.stream.dropped == 5
    made.mailbox.offer({"n": 1, "seq": "odd"})
    assert (made.does("wait", 0), made.stream.cursor) == (1, Cursor(3, "e1"))


def test_a_gap_is_raised_in_its_place_and_it_goes_on(scene: Callable[..., Scene]) -> None:
    made = scene()
    made.mailbox.offer({"n": 1})
    made.mailbox.put(EventGap(1, 2, "lost"))
    made.mailbox.offer({"n": 2})
    assert made.does("wait", 0) == 1
    with pytest.raises(EventGap):
        made.does("wait", 0)
    assert made.does("wait", 0) == 2


@pytest.mark.parametrize("last", [None, ConnectionFailedError("refused")], ids=["late", "refused"])
def test_what_does_not_begin_in_time_says_why_and_is_over(scene: Callable[..., Scene], last: Any) -> None:
    made = scene(begins=False, timeout=0.01)
    made.source.last_error = last
    for _ in range(2):
        with pytest.raises(DeadlineExceededError if last is None else ConnectionFailedError) as raised:
            made.does("start")
    assert last is raised.value or str(raised.value) == "the feed did not begin within 0.01 s"
    assert getattr(raised.value, "sent", True) is (last is not None)
    assert (made.runner.starts, made.runner.stops) == (1, 1) and made.mailbox.closed
    with pytest.raises(type(raised.value)):
        made.does("wait", HANG)


@pytest.mark.parametrize("begins", [False, True])
def test_what_is_refused_as_it_begins_says_so(scene: Callable[..., Scene], begins: bool) -> None:
    def script(ended: Callable[[Exception | None], None]) -> None:
        if begins:
            made.source.ready()
        ended(REFUSED)

    made = scene(script=script)
    for name in ("start", "start"):
        with pytest.raises(AuthenticationError):
            made.does(name)
    assert made.runner.stops == 1


def test_what_cannot_be_started_at_all_is_over(scene: Callable[..., Scene]) -> None:
    def script(ended: object) -> None:
        raise ZeroDivisionError

    made = scene(script=script)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            made.does("start")
    assert (made.runner.starts, made.runner.stops, made.mailbox.closed) == (1, 1, True)


def test_what_ends_with_an_error_gives_what_waits_first(scene: Callable[..., Scene]) -> None:
    made = scene()
    made.does("start")
    made.mailbox.offer({"n": 1})
    made.runner.ended(REFUSED)
    assert not made.stream.ended and made.does("wait", 0) == 1 and made.stream.ended
    for _ in range(2):
        with pytest.raises(AuthenticationError):
            made.does("wait", 0)


def test_going_through_it_ends_with_it(scene: Callable[..., Scene], mode: str) -> None:
    made = scene()
    for number in range(3):
        made.mailbox.offer({"n": number})
    made.does("start")
    made.runner.ended(None)
    assert (list(made.stream) if mode == "sync" else made.call(made.stream)) == [0, 1, 2]
    refused = scene()
    refused.does("start")
    refused.runner.ended(REFUSED)
    with pytest.raises(AuthenticationError):
        refused.call(list(refused.stream) if mode == "sync" else refused.stream)


def test_a_minute_without_an_event_ends_nothing(
    scene: Callable[..., Scene], mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, waits = scene(), list[float]()
    made.does("start")

    def wait(seconds: float) -> Any:
        waits.append(seconds)
        return 5 if len(waits) > 1 else None

    async def wait_async(seconds: float) -> Any:
        return wait(seconds)

    monkeypatch.setattr(made.stream, "wait", wait if mode == "sync" else wait_async)
    assert made.does("__next__" if mode == "sync" else "__anext__") == 5 and waits == [60.0, 60.0]


def test_one_that_was_never_begun_is_closed_without_its_runner(scene: Callable[..., Scene]) -> None:
    made = scene()
    made.does("close")
    assert (made.runner.starts, made.runner.stops, made.mailbox.closed) == (0, 0, True)


def test_a_forked_child_has_to_begin_another(scene: Callable[..., Scene], monkeypatch: pytest.MonkeyPatch) -> None:
    made = scene()
    made.does("start")
    monkeypatch.setattr("crm_sdk.realtime.stream.os", Of(getpid=lambda: os.getpid() + 1))
    assert not made.stream.connected
    with pytest.raises(ConfigurationError, match="the feed was begun before this process was forked"):
        made.does("start")
    made.does("close")
    assert made.runner.stops == 0, "the connection is the parent's"
    before = scene()
    monkeypatch.undo()
    assert before.does("start") is before.stream, "one that is begun here is this process's"


def test_with_begins_and_closes_it(scene: Callable[..., Scene], mode: str) -> None:
    made = scene()

    async def main() -> None:
        async with made.stream as entered:
            assert entered is made.stream and made.runner.starts == 1

    if mode == "async":
        made.call(main())
    else:
        with made.stream as entered:
            assert entered is made.stream and made.runner.starts == 1
    assert made.runner.stops == 1


# -- who waits ---------------------------------------------------------------------------------------------------------


def in_thread(work: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    found: list[object] = []

    def run() -> None:
        try:
            found.append(work())
        except Exception as error:
            found.append(type(error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, found


WAKES: dict[str, tuple[Callable[[Scene], Any], object]] = {
    "an event": (lambda made: made.mailbox.offer({"n": 5}), 5),
    "its end": (lambda made: made.runner.ended(None), None),
    "its error": (lambda made: made.runner.ended(REFUSED), AuthenticationError),
}


@pytest.mark.parametrize("what", WAKES)
def test_who_waits_is_woken(what: str) -> None:
    wake, expected = WAKES[what]
    made = Scene("sync", lambda value: value)
    made.does("start")
    thread, found = in_thread(lambda: made.stream.wait(10 * HANG))
    until(lambda: bool(made.stream._news._waiters))  # who waits is not told otherwise
    wake(made)
    thread.join(HANG)
    assert found == [expected]


@pytest.mark.parametrize("what", WAKES)
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_task_that_waits_is_woken(what: str, backend: str) -> None:
    wake, expected = WAKES[what]

    async def main() -> None:
        made, found = Scene("async", lambda value: value), list[object]()
        await made.stream.start()

        async def wait() -> None:
            try:
                found.append(await made.stream.wait(10 * HANG))
            except AuthenticationError as error:
                found.append(type(error))

        with anyio.fail_after(HANG):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(wait)
                await until_async(lambda: made.stream._news.statistics().tasks_waiting > 0)
                wake(made)
        assert found == [expected]

    anyio.run(main, backend=backend)


def test_who_waits_for_its_beginning_learns_that_it_was_closed() -> None:
    made = Scene("sync", lambda value: value, begins=False, timeout=10 * HANG)
    thread, _ = in_thread(made.stream.start)
    until(lambda: made.runner.starts == 1)
    begun = time.monotonic()
    made.stream.close()
    thread.join(HANG)
    assert not thread.is_alive() and time.monotonic() - begun < HANG

    async def main() -> None:
        other = Scene("async", lambda value: value, begins=False, timeout=10 * HANG)
        with anyio.fail_after(HANG):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(other.stream.start)
                await until_async(lambda: other.runner.starts == 1)
                await other.stream.close()
        assert other.mailbox.closed

    anyio.run(main)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_task_that_is_cancelled_as_it_begins_stops_what_it_began(backend: str) -> None:
    async def main() -> None:
        made = Scene("async", lambda value: value, begins=False, timeout=10 * HANG)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(made.stream.start)
            await until_async(lambda: made.runner.starts == 1)
            tasks.cancel_scope.cancel()
        assert made.runner.stops == 1 and made.mailbox.closed and made.mailbox.end is None

    anyio.run(main, backend=backend)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_it_is_told_whether_something_became_so(backend: str) -> None:
    made = Scene("sync", lambda value: value)
    assert made.stream._until(lambda: True, 0.001) and not made.stream._until(lambda: False, 0.001)

    async def main() -> None:
        other = Scene("async", lambda value: value)
        await other.stream.start()
        assert await other.stream._until(lambda: True, 0.001) and not await other.stream._until(lambda: False, 0.001)

    anyio.run(main, backend=backend)
