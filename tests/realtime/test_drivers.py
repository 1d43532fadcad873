"""The two drivers by themselves: each step of a session is carried out, and it ends when it is told to."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Generator, Iterator
from types import SimpleNamespace as Of
from typing import Any

import anyio
import pytest
from patience import HANG, until_async

from crm_sdk.credentials import Credentials
from crm_sdk.errors import ConnectionFailedError, CrmError
from crm_sdk.exchange import Reply, SystemClock
from crm_sdk.realtime.drivers import AsyncDriver, Driver, _renewal
from crm_sdk.realtime.session import Alive, HangUp, Open, Opening, Pause, Ping, Receive, Renew, Transmit
from crm_sdk.realtime.sockets import SocketClosedError, SocketRefusedError

OPENING = Opening("ws://crm.test/ws", {"A": "b"}, ("phoenix",), "key")
BACKENDS = ("asyncio", "trio")


class Socket:
    """A socket of a script: what it is asked to do is noted, and what it is told to fail at fails."""

    def __init__(self, fails: Exception | None = None) -> None:
        self.done: list[Any] = []
        self.fails = fails
        self.ponged = False
        self.left = self.closed = 0

    def send(self, data: Any) -> None:
        self.done.append(data)
        if self.fails is not None:
            raise self.fails

    def receive(self, timeout: float) -> Any:
        self.done.append(timeout)
        return "news"

    def ping(self) -> None:
        self.done.append("ping")

    def close(self, code: int = 1000) -> None:
        self.closed += 1

    def __enter__(self) -> Socket:
        return self

    def __exit__(self, *exc: object) -> None:
        self.left += 1
        if self.fails is not None:
            raise self.fails


class AsyncSocket(Socket):
    async def send(self, data: Any) -> None:  # type: ignore[override] # the same for tasks
        Socket.send(self, data)

    async def receive(self, timeout: float) -> Any:
        return Socket.receive(self, timeout)

    async def ping(self) -> None:  # type: ignore[override] # as above
        Socket.ping(self)

    async def __aenter__(self) -> AsyncSocket:
        return self

    async def __aexit__(self, *exc: object) -> None:
        Socket.__exit__(self, *exc)


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.slept = list[float]()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def sleep_async(self, seconds: float) -> None:
        self.slept.append(seconds)
        await anyio.sleep(0)


class Scene:
    """A client over whose link a socket is opened, and a session that notes what each of its steps comes to."""

    def __init__(self, socket: Socket, *steps: Any, forever: bool = False, fails: Exception | None = None) -> None:
        self.socket, self.clock = socket, Clock()
        self.opened: list[Any] = []
        self.found: list[Any] = []
        self.ended: list[Any] = []
        self.over = threading.Event()
        link = Of(open_socket=self._open)
        self.client: Any = Of(_shared=Of(link=link), clock=self.clock, terms=lambda: Of(timeout=7.0))
        self.client._run = self._renew
        self.steps, self.forever, self.fails = steps, forever, fails

    def _open(self, *asked: Any) -> Socket:
        self.opened.append(asked)
        return self.socket

    def _renew(self, renewing: Any) -> bool:
        self.found.append(renewing.__name__)
        return True

    def session(self) -> Generator[Any, Any, None]:
        for step in self.steps:
            try:
                self.found.append((yield step))
            except (SocketClosedError, SocketRefusedError, CrmError) as error:
                self.found.append(error)
        while self.forever:
            yield Receive(0.001) if self.socket.fails is None else Pause(0.001)
        if self.fails is not None:
            raise self.fails

    def end(self, error: Exception | None) -> None:
        self.ended.append(error)
        self.over.set()

    def run(self, mode: str, backend: str = "asyncio", **options: Any) -> Scene:
        if mode == "sync":
            Driver(self.client, self.session(), **options).start(self.end)
            assert self.over.wait(HANG)
            return self

        async def renew(renewing: Any) -> bool:
            return self._renew(renewing)

        self.client._run = renew

        async def main() -> None:
            await AsyncDriver(self.client, self.session(), **options).start(self.end)
            await until_async(self.over.is_set)

        anyio.run(main, backend=backend)
        return self


def socket_for(mode: str, fails: Exception | None = None) -> Socket:
    return Socket(fails) if mode == "sync" else AsyncSocket(fails)


def test_each_step_is_carried_out(mode: str) -> None:
    steps = [Open(OPENING), Transmit("a"), Receive(3.0), Ping(), Alive(), Pause(2.5), Renew("key"), HangUp()]
    made = Scene(socket_for(mode), *steps).run(mode)
    assert made.opened == [("ws://crm.test/ws", {"A": "b"}, ("phoenix",), 7.0)]
    assert made.found == [None, None, "news", None, False, None, "_renewal", True, None]
    assert made.socket.done == ["a", 3.0, "ping"] and made.clock.slept == [2.5]
    assert made.socket.left == 1 and len(made.ended) == 1


@pytest.mark.parametrize("step", [Transmit("a"), Receive(1.0), Ping(), Alive()], ids=lambda step: type(step).__name__)
def test_without_a_connection_a_step_that_needs_one_says_so(mode: str, step: Any) -> None:
    made = Scene(socket_for(mode), step, Open(OPENING), HangUp(), step).run(mode)
    first, opened, left, second = made.found
    assert (opened, left) == (None, None)
    assert [str(error) for error in (first, second)] == ["lost: it was closed"] * 2


def test_an_error_of_the_network_is_the_sessions_and_another_ends_it(mode: str) -> None:
    lost = SocketClosedError(1006, "gone")
    made = Scene(socket_for(mode, lost), Open(OPENING), Transmit("a"), HangUp()).run(mode)
    assert made.found == [None, lost, None], "and an error of the closing is nobody's"
    assert made.socket.left == 1
    odd = Scene(socket_for(mode), Open(OPENING), fails=ZeroDivisionError("odd")).run(mode)
    assert [type(error) for error in odd.ended] == [ZeroDivisionError] and odd.socket.left == 1


def test_what_cannot_be_opened_leaves_nothing_open(mode: str) -> None:
    refused = SocketRefusedError(503, {})

    class Refusing(AsyncSocket):
        def __enter__(self) -> Socket:
            raise refused

        async def __aenter__(self) -> AsyncSocket:
            raise refused

    made = Scene(Refusing(), Open(OPENING), Transmit("a"), HangUp()).run(mode)
    assert made.found[0] is refused and isinstance(made.found[1], SocketClosedError) and made.socket.left == 0


def test_it_is_stopped_and_says_no_reason() -> None:
    for socket in (Socket(), Socket(SocketClosedError(1006))):
        made = Scene(socket, Open(OPENING), forever=True)
        driver = Driver(made.client, made.session())
        with pytest.raises(ConnectionFailedError, match="the link is down; it is being connected again"):
            driver.send("x")
        driver.start(made.end)
        assert driver._thread.daemon
        while not made.found:
            threading.Event().wait(0.001)
        if socket.fails is None:
            driver.send("mine")
            assert "mine" in socket.done
        else:
            with pytest.raises(ConnectionFailedError, match="the link is down"):
                driver.send("mine")
        driver.stop()
        assert made.ended == [None] and (socket.closed, socket.left) == (1, 1)
        assert not driver._thread.is_alive(), "whoever stops it waits for its end"
        driver.stop()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_task_is_stopped_and_says_no_reason(backend: str) -> None:
    async def main(made: Scene) -> None:
        driver = AsyncDriver(made.client, made.session())
        await driver.stop()
        driver = AsyncDriver(made.client, made.session())
        with pytest.raises(ConnectionFailedError, match="the link is down; it is being connected again") as down:
            await driver.send("x")
        assert not down.value.sent
        await driver.start(made.end)
        await until_async(lambda: bool(made.found))
        if made.socket.fails is None:
            await driver.send("mine")
            assert "mine" in made.socket.done
        else:
            with pytest.raises(ConnectionFailedError, match="the link is down"):
                await driver.send("mine")
        await driver.stop()
        assert made.ended == [None] and made.socket.left == 1

    class Slow(AsyncSocket):
        async def receive(self, timeout: float) -> Any:
            await anyio.sleep_forever()

    for socket in (Slow(), AsyncSocket(SocketClosedError(1006))):
        anyio.run(main, Scene(socket, Open(OPENING), forever=True), backend=backend)


def test_one_that_is_not_running_and_one_that_stops_itself_are_not_waited_for() -> None:
    made = Scene(Socket(), Pause(1.0))
    Driver(made.client, made.session()).stop()
    driver = Driver(made.client, made.session())
    found: list[Any] = []

    def end(error: Exception | None) -> None:
        try:
            driver.stop()
        except RuntimeError as own:
            found.append(own)
        made.end(error)

    driver.start(end)
    assert made.over.wait(HANG) and found == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_fails_because_it_was_stopped_is_no_reason(backend: str, mode: str) -> None:
    class Waiting(AsyncSocket):
        async def receive(self, timeout: float) -> Any:
            await anyio.sleep_forever()

    class Closed(Socket):
        gone = threading.Event()

        def receive(self, timeout: float) -> Any:
            self.gone.wait(HANG)

        def close(self, code: int = 1000) -> None:
            self.gone.set()

    made = Scene(Closed() if mode == "sync" else Waiting(), Open(OPENING), Receive(1.0), fails=ZeroDivisionError())

    async def main() -> None:
        driver = AsyncDriver(made.client, made.session())
        await driver.start(made.end)
        await until_async(lambda: bool(made.found))
        await driver.stop()

    if mode == "async":
        anyio.run(main, backend=backend)
    else:
        driver = Driver(made.client, made.session())
        driver.start(made.end)
        while not made.found:
            threading.Event().wait(0.001)
        driver.stop()
    assert made.ended == [None]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_socket_may_have_tasks_of_its_own(backend: str) -> None:
    class Scoped(AsyncSocket):
        async def __aenter__(self) -> AsyncSocket:
            self.tasks = anyio.create_task_group()
            await self.tasks.__aenter__()
            return self

        async def __aexit__(self, *exc: object) -> None:
            await self.tasks.__aexit__(None, None, None)

    made = Scene(Scoped(), Open(OPENING), Transmit("a"), HangUp()).run("async", backend)
    assert made.found == [None] * 3 and [type(error) for error in made.ended] == [StopIteration], "its steps ran out"


class Body:
    """An answer of one piece, which is closed."""

    closed = 0

    def __iter__(self) -> Iterator[bytes]:
        yield b"a"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"a"

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1


def test_over_http_it_asks_for_an_endless_answer(mode: str) -> None:
    body, asked = Body(), list[Any]()
    made = Scene(Socket(), Open(OPENING), Receive(HANG), HangUp())

    def send(request: Any, timeout: float) -> Any:
        asked.append((request.url, request.headers, request.stream))
        reply = Reply(200, {"content-type": "text/event-stream"}, b"", body)

        async def later() -> Reply:
            return reply

        return reply if mode == "sync" else later()

    made.client._shared.link = Of(send=send)
    made.run(mode, over_http=True)
    assert made.found == [None, b"a", None] and body.closed
    assert asked == [("ws://crm.test/ws", {"A": "b"}, True)]


def test_a_real_pause_ends_when_it_is_stopped() -> None:
    made = Scene(Socket(), Pause(100 * HANG))
    made.client.clock = SystemClock()
    driver = Driver(made.client, made.session())
    driver.start(made.end)
    driver.stop()
    assert made.over.wait(HANG) and made.ended == [None]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_task_that_is_still_connecting_is_cancelled(backend: str) -> None:
    class Never(AsyncSocket):
        async def __aenter__(self) -> AsyncSocket:
            await anyio.sleep_forever()
            raise AssertionError

    async def main() -> None:
        made = Scene(Never(), Open(OPENING))
        driver = AsyncDriver(made.client, made.session())
        await driver.start(made.end)
        await until_async(lambda: bool(made.opened))
        with anyio.fail_after(1.5):  # of one that is connected, the end is waited for two seconds
            await driver.stop()
        assert made.ended == [None]

    anyio.run(main, backend=backend)


@pytest.mark.parametrize(
    ("access", "refresh", "renews", "renewed"),
    [
        ("old", "r", True, True), ("old", None, False, False), ("newer", "r", False, True), (None, "r", False, False),
    ],
)  # fmt: skip
def test_a_credential_is_renewed_unless_another_call_did(
    access: str | None, refresh: str | None, renews: bool, renewed: bool
) -> None:
    credentials = Credentials(access, refresh)
    asked: list[float] = []

    def refreshes(timeout: float) -> Any:
        asked.append(timeout)
        return iter(())

    client: Any = Of(terms=lambda: Of(credentials=credentials, refresh=refreshes))
    steps = _renewal(client, "old")
    found: Any = None
    try:
        step: Any = next(steps)
        assert (step.stale, step.timeout) == ("old", 30.0) and step.steps() is not None and asked == [30.0]
        credentials.replace("new", "r")
        next(steps)
    except StopIteration as end:
        found = end.value
    assert (bool(asked), found) == (renews, renewed)
    client = Of(terms=lambda: Of(credentials=Credentials("old", "r"), refresh=None))
    with pytest.raises(StopIteration) as ended:
        next(_renewal(client, "old"))
    assert ended.value.value is False
