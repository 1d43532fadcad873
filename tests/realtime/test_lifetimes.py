"""How a stream or channel begins and ends: by exceptions, by cancellation, from other threads, and more than once."""

from __future__ import annotations

import os
import socket
import threading
import time
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from patience import HANG, can_take_less_than, until, until_async

from crm_sdk import AsyncCrmClient, CrmClient
from crm_sdk.errors import AuthenticationError, ConfigurationError, CrmError, InvalidInputError, NetworkError
from crm_sdk.models import LeadCreated
from server_stub import StubServer

pytestmark = pytest.mark.thorough

BACKENDS = ("asyncio", "trio")
WAYS: dict[str, Callable[[Any], Any]] = {
    "ws": lambda client: client.events.listen(),
    "sse": lambda client: client.events.listen(over="sse"),
    "channel": lambda client: client.channels.join("user:user_ada:deals"),
}


@pytest.fixture(params=WAYS)
def make(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    return WAYS[request.param]


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@contextmanager
def silent() -> Generator[str]:
    """A port that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def live_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("crm-sdk")}


def test_what_is_raised_inside_comes_out_as_it_is(make: Any, backend: str) -> None:
    stub = StubServer()
    with pytest.raises(ZeroDivisionError), stub.client() as client, make(client):
        raise ZeroDivisionError

    async def main() -> None:
        async with stub.async_client() as client, make(client):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        anyio.run(main, backend=backend)
    until(lambda: not stub.live.connections)


def test_one_that_could_not_begin_says_so_each_time(make: Any, backend: str) -> None:
    stub = StubServer()
    with stub.client(api_key="nonsense") as client:
        stream = make(client)
        for _ in range(2):
            with pytest.raises((AuthenticationError, CrmError)):
                stream.start()
            with pytest.raises(CrmError):
                stream.wait(1)
        with pytest.raises(CrmError), stream:
            raise AssertionError("it began")

    async def main() -> None:
        async with stub.async_client(api_key="nonsense") as client:
            stream = make(client)
            for _ in range(2):
                with pytest.raises(CrmError):
                    await stream.start()
                with pytest.raises(CrmError):
                    await stream.wait(1)

    anyio.run(main, backend=backend)


def test_one_that_was_closed_stays_closed(make: Any, backend: str) -> None:
    stub = StubServer()
    with stub.client() as client:
        for begin in (False, True):
            stream = make(client)
            if begin:
                stream.start()
            stream.close()
            stream.close()
            assert stream.start() is stream and list(stream) == [] and stream.wait(HANG) is None
            assert not stream.connected

    async def main() -> None:
        async with stub.async_client() as client:
            for begin in (False, True):
                stream = make(client)
                if begin:
                    await stream.start()
                await stream.close()
                await stream.close()
                assert await stream.start() is stream and [event async for event in stream] == []
                assert await stream.wait(HANG) is None

    anyio.run(main, backend=backend)
    until(lambda: not stub.live.connections)


def test_a_channel_that_is_joined_twice_says_so_each_time() -> None:
    with StubServer().client() as client, client.channels.join("user:user_ada:deals"):
        again = client.channels.join("user:user_ada:deals")
        for _ in range(2):
            with pytest.raises(InvalidInputError, match="already"):
                again.start()
        again.close()


def test_a_server_that_says_nothing_is_given_the_clients_timeout(make: Any, backend: str) -> None:
    with silent() as url:

        def sync_takes() -> float:
            start = time.monotonic()
            with CrmClient(url, "key", timeout=0.3) as client, pytest.raises(NetworkError):
                make(client).start()
            return time.monotonic() - start

        async def main() -> None:
            async with AsyncCrmClient(url, "key", timeout=0.3) as client:
                with pytest.raises(NetworkError):
                    await make(client).start()

        def async_takes() -> float:
            start = time.monotonic()
            anyio.run(main, backend=backend)
            return time.monotonic() - start

        assert can_take_less_than(1.5, sync_takes) and can_take_less_than(1.5, async_takes)


def test_a_host_that_cannot_be_is_an_error_of_ours(make: Any, backend: str) -> None:
    url = f"http://{'a' * 80}.example"
    with CrmClient(url, "key", timeout=0.2) as client, pytest.raises(CrmError):
        make(client).start()

    async def main() -> None:
        async with AsyncCrmClient(url, "key", timeout=0.2) as client:
            with pytest.raises(CrmError):
                await make(client).start()

    anyio.run(main, backend=backend)


def test_one_that_is_connecting_is_closed_at_once(make: Any, backend: str) -> None:
    with silent() as url:

        def sync_takes() -> float:
            with CrmClient(url, "key", timeout=2.0) as client:
                stream = make(client)
                starting = threading.Thread(target=stream.start)
                starting.start()
                time.sleep(0.1)
                start = time.monotonic()
                stream.close()
                starting.join(HANG)
                return time.monotonic() - start

        async def main() -> float:
            async with AsyncCrmClient(url, "key", timeout=30) as client:
                stream = make(client)
                with anyio.move_on_after(0.1):
                    await stream.start()
                start = time.monotonic()
                await stream.close()
                return time.monotonic() - start

        def loop_takes() -> float:
            start = time.monotonic()
            anyio.run(main, backend=backend)
            return time.monotonic() - start

        assert can_take_less_than(1.0, sync_takes)
        assert can_take_less_than(0.5, lambda: anyio.run(main, backend=backend))
        assert can_take_less_than(1.0, loop_takes)  # nothing of it goes on in the background either


def test_one_that_waits_to_be_connected_again_is_closed_at_once(make: Any, backend: str) -> None:
    stub = StubServer()

    def lose() -> None:
        stub.live.refuse(1000)
        stub.live.abort()

    with stub.serve() as port:

        def sync_takes() -> float:
            stub.live.refuse(0)
            with CrmClient(port.url, "acme-admin") as client, make(client) as stream:
                lose()
                until(lambda: not stream.connected)
                start = time.monotonic()
                stream.close()
                return time.monotonic() - start

        async def main() -> float:
            stub.live.refuse(0)
            async with AsyncCrmClient(port.url, "acme-admin") as client, make(client) as stream:
                lose()
                await until_async(lambda: not stream.connected)
                start = time.monotonic()
                await stream.close()
                return time.monotonic() - start

        assert can_take_less_than(0.5, sync_takes)
        assert can_take_less_than(0.5, lambda: anyio.run(main, backend=backend))


def test_what_is_cancelled_while_it_begins_leaves_nothing_behind(make: Any, backend: str) -> None:
    stub = StubServer()

    async def main() -> None:
        async with stub.async_client() as client:
            for steps in range(12):
                with anyio.CancelScope() as scope:
                    async with anyio.create_task_group() as tasks:

                        async def cancel(steps: int = steps, scope: anyio.CancelScope = scope) -> None:
                            for _ in range(steps):
                                await anyio.lowlevel.checkpoint()
                            scope.cancel()

                        tasks.start_soon(cancel)
                        async with make(client):
                            await anyio.sleep_forever()
                await until_async(lambda: not stub.live.connections)

    anyio.run(main, backend=backend)


def test_what_is_cancelled_while_it_is_read_is_closed(make: Any, backend: str) -> None:
    stub = StubServer()

    async def main() -> None:
        async with stub.async_client() as client:
            stream = make(client)
            with anyio.move_on_after(0.05):
                async with stream:
                    async for _ in stream:
                        pass
            assert not stream.connected and not stub.live.connections

    anyio.run(main, backend=backend)


def test_a_hundred_leave_nothing_behind(make: Any, backend: str) -> None:
    stub = StubServer()
    before = live_threads()
    with stub.client() as client:
        for _ in range(50):
            with make(client):
                pass
    until(lambda: live_threads() <= before and not stub.live.connections)

    async def main() -> None:
        async with stub.async_client() as client:
            for _ in range(50):
                async with make(client):
                    pass
        await until_async(lambda: not stub.live.connections)
        if backend == "asyncio":
            import asyncio

            assert len(asyncio.all_tasks()) == 1

    anyio.run(main, backend=backend)


def test_another_thread_ends_the_wait_of_one_by_closing(make: Any) -> None:
    with StubServer().client() as client, make(client) as stream:
        threading.Timer(0.1, stream.close).start()
        start = time.monotonic()
        assert list(stream) == [] and time.monotonic() - start < 50  # who waits looks up after a minute


def test_several_threads_read_one_stream_and_wait_as_long_as_they_said() -> None:
    stub = StubServer()
    with stub.client() as user, user.events.listen(types=["lead.created"]) as stream:
        got: list[Any] = []
        nothing: list[float] = []

        def read() -> None:
            start = time.monotonic()
            while (event := stream.wait(1.0)) is not None:
                assert isinstance(event, LeadCreated)
                got.append(event.data.name)
                start = time.monotonic()
            nothing.append(time.monotonic() - start)

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for n in range(40):
            user.leads.create({"name": f"lead {n}"})
        for thread in threads:
            thread.join(HANG)
    assert sorted(got) == sorted(f"lead {n}" for n in range(40)) and min(nothing) >= 0.99


def test_one_may_wait_for_ever() -> None:
    with StubServer().client() as client, client.events.listen(types=["lead.created"]) as stream:
        threading.Timer(0.05, lambda: client.leads.create({"name": "late"})).start()
        assert stream.wait(float("inf")) is not None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_is_told_that_a_stream_is_its_parents(make: Any) -> None:
    stub = StubServer()
    with stub.serve() as port, CrmClient(port.url, "acme-admin") as client, make(client) as stream:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # forking with threads, which is what is tested
            child = os.fork()
        if child == 0:
            status = 1
            try:
                with pytest.raises(ConfigurationError, match="forked"):
                    stream.wait(HANG)
                stream.close()
                with make(client.with_options()) as own:
                    status = int(stream.connected or not own.connected)
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        assert stream.connected and stream.wait(0.1) is None and stub.live.opened == 2  # its own, and the child's
