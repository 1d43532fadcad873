"""The network, over real sockets: connections, threads, forks, loops, deadlines."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from canned_answers import LEAD, TOLD
from loopback import Connection, Loopback, closing, drip, silent
from patience import HANG

from crm_sdk import (
    AsyncCrmClient,
    ConnectionFailedError,
    CrmClient,
    CrmError,
    DeadlineExceededError,
    InvalidInputError,
    InvalidResponseError,
    ServerError,
)
from crm_sdk.network.http import AsyncDirectLink

Call = Callable[[Any], Any]

# A connection that is left to a loop or a process that has ended cannot be closed any more.
left_open = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture
def client(net: Loopback, mode: str, call: Call) -> Iterator[Any]:
    made: Any = (CrmClient if mode == "sync" else AsyncCrmClient)(net.url, "key", dialects=TOLD, timeout=HANG)
    yield made
    call(made.close())


def in_threads(count: int, work: Callable[[int], None]) -> None:
    failures: list[BaseException] = []

    def run(n: int) -> None:
        try:
            work(n)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_calls_one_after_another_share_a_connection(client: Any, call: Call, net: Loopback) -> None:
    assert [call(client.leads.get(f"l{n}")).id for n in range(5)] == [f"l{n}" for n in range(5)]
    assert net.opened == 1
    call(client.close())
    assert net.settled(0)
    assert call(client.leads.get("again")).id == "again", "a closed client opens a new connection"


def test_200_short_threads_open_no_more_connections_than_allowed(net: Loopback) -> None:
    with CrmClient(net.url, "key", dialects=TOLD, max_connections=7, max_retries=0) as client:

        def work(n: int) -> None:
            assert client.leads.get(f"lead{n}").id == f"lead{n}", "each gets its own answer"

        in_threads(200, work)
        assert net.most_open <= 7
        assert net.opened <= 7


def test_200_tasks_open_no_more_connections_than_allowed(net: Loopback) -> None:
    async def scene() -> None:
        async with AsyncCrmClient(net.url, "key", dialects=TOLD, max_connections=7, max_retries=0) as client:
            leads = await asyncio.gather(*(client.leads.get(f"lead{n}") for n in range(200)))
            assert [lead.id for lead in leads] == [f"lead{n}" for n in range(200)]
            assert net.opened <= 7

    asyncio.run(scene())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
# The server's threads are another process's business: the child runs the client only, and leaves by os._exit.
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@left_open
def test_a_forked_child_has_connections_of_its_own(client: Any, call: Call, net: Loopback, mode: str) -> None:
    call(client.leads.get("before"))
    held = client.contacts.export() if mode == "sync" else None  # a connection in use while the process forks
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            del held
            gc.collect()
            found: list[str] = []
            if mode == "sync":
                in_threads(8, lambda n: found.append(client.leads.get(f"child{n}").id))
            else:
                found = [asyncio.run(client.leads.get(f"child{n}")).id for n in range(8)]
            os.write(writer, json.dumps(sorted(found)).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    mine = [call(client.leads.get(f"parent{n}")).id for n in range(50)]
    assert mine == [f"parent{n}" for n in range(50)]
    with os.fdopen(reader, "rb") as pipe:
        assert json.loads(pipe.read()) == [f"child{n}" for n in range(8)]
    assert os.waitpid(pid, 0)[1] == 0
    names = {call(client.leads.get(f"parent{n}")).name for n in range(3)}
    assert len(names) == 1, "the parent's connection is as good as before"
    if held is not None:
        assert json.loads(held.read())["status"] == "new"


@left_open
def test_an_async_client_works_in_one_loop_after_another(net: Loopback) -> None:
    client = AsyncCrmClient(net.url, "key", dialects=TOLD)
    for n in range(3):
        assert asyncio.run(client.leads.get(f"l{n}")).id == f"l{n}"
    assert net.opened == 3
    del client
    gc.collect()  # while the warnings about it are still ignored


def test_a_connection_the_server_closed_is_not_used_again(client: Any, call: Call, net: Loopback) -> None:
    net.rules["/api/leads"] = closing
    strict = client.with_options(max_retries=0)
    for n in range(4):
        assert call(strict.leads.create({"name": f"n{n}"})).status == "new"
        assert net.settled(0)
    assert net.opened == 4


@pytest.mark.parametrize("own", [False, True], ids=["default", "http_client"])
@pytest.mark.parametrize("rule", [drip(3000, 0.02), silent], ids=["drip", "silence"])
def test_the_deadline_bounds_the_whole_answer(net: Loopback, mode: str, call: Call, rule: Any, own: bool) -> None:
    net.rules["/slow"] = rule
    http_client: Any = (httpx.Client() if mode == "sync" else httpx.AsyncClient()) if own else None
    client: Any = (CrmClient if mode == "sync" else AsyncCrmClient)(net.url, "key", http_client=http_client)
    began = time.monotonic()
    with pytest.raises(DeadlineExceededError) as raised:
        call(client.with_options(timeout=0.3, dialects=TOLD).leads.get("slow"))
    assert time.monotonic() - began < 25  # the answers take 30 s and more
    assert raised.value.sent
    assert isinstance(raised.value, TimeoutError)
    call(client.close())
    if http_client is not None:
        call(http_client.close() if mode == "sync" else http_client.aclose())


def test_nobody_waits_for_a_connection_beyond_the_deadline(net: Loopback) -> None:
    begun, goes_on = threading.Event(), threading.Event()

    def slow_answer(connection: Connection) -> None:
        begun.set()
        goes_on.wait(HANG)
        drip(1, 0.0)(connection)

    net.rules["/slow"] = slow_answer

    async def scene() -> None:
        async with AsyncCrmClient(net.url, "key", dialects=TOLD, max_connections=1, timeout=HANG) as client:
            slow = asyncio.create_task(client.leads.get("slow"))
            await asyncio.to_thread(begun.wait, HANG)
            with pytest.raises(DeadlineExceededError) as raised:
                await client.with_options(timeout=0.1).leads.create({"name": "x"})
            assert not raised.value.sent
            goes_on.set()
            with pytest.raises(InvalidResponseError):
                await slow
            assert (await client.leads.get("after")).id == "after"

    asyncio.run(scene())
    with CrmClient(net.url, "key", dialects=TOLD, max_connections=1) as client, client.contacts.export():
        with pytest.raises(DeadlineExceededError, match="sent never") as raised:
            client.with_options(timeout=0.1).leads.get("x")
        assert not raised.value.sent
        assert "all 1 connections were busy" in str(raised.value.__cause__)


def test_a_refused_connection_was_not_sent(mode: str, call: Call) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    client: Any = (CrmClient if mode == "sync" else AsyncCrmClient)(url, "key", max_retries=0)
    with pytest.raises(ConnectionFailedError) as raised:
        call(client.leads.create({"name": "x"}))
    assert not raised.value.sent
    assert isinstance(raised.value, ConnectionError)
    assert "key" not in str(raised.value)


def test_an_answer_that_breaks_off_may_have_been_acted_on(client: Any, call: Call, net: Loopback) -> None:
    def half(connection: Connection) -> None:
        connection.send_response(200)
        connection.send_header("Content-Length", "100")
        connection.end_headers()
        connection.wfile.write(b"{")
        connection.close_connection = True

    net.rules["/api"] = half
    with pytest.raises(ConnectionFailedError) as raised:
        call(client.leads.create({"name": "x"}))
    assert raised.value.sent
    assert len(net.seen) == 1, "a POST is not repeated after it"


def test_gzip_is_decoded_and_garbage_is_no_answer(client: Any, call: Call, net: Loopback) -> None:
    def zipped(connection: Connection) -> None:
        connection.answer(gzip.compress(json.dumps(LEAD).encode()), Content_Encoding="gzip")

    net.rules["/zip"] = zipped
    net.rules["/bad"] = lambda connection: connection.lead(Content_Encoding="gzip")
    assert call(client.leads.get("zip")).name == "Ada"
    with pytest.raises(InvalidResponseError, match="cannot be decoded"):
        call(client.leads.get("bad"))
    assert call(client.leads.get("after")).id == "after"


def test_a_cancelled_call_gives_its_connection_back(net: Loopback) -> None:
    net.rules["/slow"] = drip(200, 0.05)

    async def scene() -> None:
        async with AsyncCrmClient(
            net.url, "key", dialects=TOLD, max_connections=2, max_retries=0, timeout=HANG
        ) as client:
            for _ in range(6):
                tasks = [asyncio.create_task(client.leads.get("slow")) for _ in range(4)]  # two of them wait in line
                await asyncio.sleep(0.03)
                for task in tasks:
                    task.cancel()
                done = await asyncio.gather(*tasks, return_exceptions=True)
                assert all(isinstance(one, asyncio.CancelledError) for one in done)
            leads = await asyncio.gather(*(client.leads.get(f"l{n}") for n in range(5)))
            assert [lead.id for lead in leads] == [f"l{n}" for n in range(5)]

    asyncio.run(scene())


def test_a_call_that_is_cancelled_at_any_step_leaves_a_connection_that_can_be_used(net: Loopback) -> None:
    net.rules["/slow"] = drip(200, 0.05)
    options: dict[str, Any] = {"max_connections": 1, "max_retries": 0, "timeout": HANG}

    async def scene(steps: int) -> None:
        async with AsyncCrmClient(net.url, "key", dialects=TOLD, **options) as client:
            task = asyncio.create_task(client.leads.get("slow"))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert (await client.leads.get("l1")).id == "l1"

    for steps in range(40):
        asyncio.run(scene(steps))


@left_open
def test_a_download_that_is_left_gives_its_connection_back(net: Loopback, mode: str, call: Call) -> None:
    net.rules["/export"] = drip(100, 0.01)
    options: dict[str, Any] = {"max_connections": 1, "timeout": HANG}

    async def scene() -> None:
        async with AsyncCrmClient(net.url, "key", dialects=TOLD, **options) as client:
            async with await client.contacts.export() as download:
                pass
            with pytest.raises(CrmError, match="read or closed before"):
                await download.read()
            await client.contacts.export()  # forgotten: not even closed
            gc.collect()
            assert (await client.leads.get("l1")).id == "l1"

    if mode == "async":
        asyncio.run(scene())
        gc.collect()  # while the warnings about it are still ignored
        return
    with CrmClient(net.url, "key", dialects=TOLD, **options) as client:
        with client.contacts.export() as download:
            for _ in download.iter_bytes():
                break
        with pytest.raises(CrmError, match="read or closed before"):
            download.read()
        client.contacts.export()  # forgotten: not even closed
        assert client.leads.get("l1").id == "l1"


@pytest.mark.thorough
def test_a_download_may_take_longer_than_the_timeout_as_long_as_it_moves(
    client: Any, call: Call, net: Loopback
) -> None:
    net.rules["/export"] = drip(30, 0.1)
    download = call(client.with_options(timeout=2.0).contacts.export())
    assert call(download.read()) == b" " * 30


def test_an_error_instead_of_a_file_is_an_error(client: Any, call: Call, net: Loopback) -> None:
    net.rules["/export"] = lambda connection: connection.answer(b"broken", 500)
    with pytest.raises(ServerError, match="broken"):
        call(client.contacts.export())


def test_idle_connections_are_closed_in_time(
    client: Any, call: Call, net: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_sdk.network.stack.IDLE_SECONDS", -1.0)
    for n in range(3):
        assert call(client.leads.get(f"l{n}")).id == f"l{n}"
        assert net.settled(0)


def test_a_header_that_is_no_header_is_not_sent_and_not_shown(net: Loopback, mode: str, call: Call) -> None:
    client: Any = (CrmClient if mode == "sync" else AsyncCrmClient)(net.url, "key")
    with pytest.raises(InvalidInputError) as raised:
        call(client.request("GET", "/api/leads", headers={"X-Odd": "se\r\ncret"}))
    assert raised.value.__cause__ is None
    assert "se" not in str(raised.value).replace("sent", "")
    assert net.seen == []
    call(client.close())


def test_https_is_verified_however_it_is_written() -> None:
    from crm_sdk.network import transports

    for url in ("https://crm.test", "HTTPS://crm.test", "HttpS://crm.test"):
        client = CrmClient(url)
        assert client.base_url == "https://crm.test"
        assert transports.ssl_context(url) is not False
    assert transports.ssl_context("http://crm.test") is False


def test_trio(net: Loopback) -> None:
    trio = pytest.importorskip("trio")
    client = AsyncCrmClient(net.url, "key", dialects=TOLD)

    async def scene() -> None:
        assert (await client.leads.get("l1")).id == "l1"
        with pytest.raises(DeadlineExceededError):
            await client.with_options(timeout=0.2).leads.get("slow")
        await client.close()

    net.rules["/slow"] = drip(200, 0.05)
    for _ in range(2):
        trio.run(scene)


@left_open
def test_the_connections_of_a_loop_that_has_ended_are_forgotten() -> None:
    link = AsyncDirectLink(httpx.AsyncHTTPTransport, 2)

    async def opened() -> object:
        return link._stack()

    assert asyncio.run(opened()) is not asyncio.run(opened())
    asyncio.run(opened())
    assert len(link._stacks) == 1
