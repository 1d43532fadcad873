"""Server-sent events, and threads and tasks that wait for what happens, in the process."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Literal

import anyio
import httpx
import pytest
from patience import HANG
from wire import ADMIN, Wire, opened

from crm_sdk import ConnectionFailedError, CrmClient, DeadlineExceededError
from crm_sdk.exchange import Request as Sent
from crm_sdk.models import LeadCreated
from crm_sdk.realtime import sockets
from crm_sdk.realtime.sockets import SocketClosedError
from server_stub import StubServer
from server_stub.doors.link import AsyncStubLink, StubLink


def stream(stub: StubServer, **headers: str) -> Iterator[str]:
    request = Sent("GET", "http://stub.test/api/events/stream", {**ADMIN, **headers}, stream=True)
    reply = StubLink(stub).send(request, 0.2)
    assert reply.status == 200 and reply.headers["content-type"] == "text/event-stream"
    return (chunk.decode() for chunk in reply.body)


def test_events_are_sent_as_a_stream(stub: StubServer) -> None:
    events = stream(stub)
    assert next(events).startswith("id: e1:0\nevent: stream.ready\ndata: {")
    stub.client().leads.create({"name": "x"})
    id, event, data, *rest = next(events).split("\n")
    assert (id, event, rest) == ("id: e1:1", "event: lead.created", ["", ""])
    assert json.loads(data.removeprefix("data: "))["data"]["name"] == "x"
    next(events)
    stub.clock.advance(15)
    assert next(events).startswith(": still here\n\nid: e1:2\nevent: stream.position\n")
    resumed = stream(stub, **{"Last-Event-ID": "e1:1"})
    assert next(resumed).startswith("id: e1:1\nevent: stream.ready")
    assert next(resumed).startswith("id: e1:2\nevent: metrics.update")
    with pytest.raises(DeadlineExceededError):
        next(resumed)
    stub.live.abort()
    with pytest.raises(ConnectionFailedError):
        next(events)


def test_a_stream_is_refused_as_a_call_would_be(stub: StubServer) -> None:
    client = httpx.Client(transport=stub.transport(), base_url="http://stub.test")
    assert client.get("/api/events/stream").status_code == 401
    with client.stream("GET", "/api/events/stream", params={"token": "acme-admin"}) as reply:
        assert next(reply.iter_text()).startswith("id: e1:0")
    assert stub.live.connections == []
    assert client.get("/api/events/stream", params={"token": "acme-admin", "since": "x"}).status_code == 422


# -- waiting ---------------------------------------------------------------------------------------------------------


def test_a_thread_that_waits_is_woken(stub: StubServer) -> None:
    with opened(stub, "/ws") as wire:
        writer = threading.Timer(0.05, lambda: stub.client().leads.create({"name": "x"}))
        writer.start()
        assert wire.next(timeout=HANG)["type"] == "lead.created"
        writer.join()
        wire.all()
        closer = threading.Timer(0.05, wire.socket.close)
        closer.start()
        with pytest.raises(SocketClosedError):
            wire.next(timeout=HANG)
        closer.join()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_task_that_waits_is_woken_and_lets_others_run(stub: StubServer, backend: str) -> None:
    async def main() -> None:
        link = AsyncStubLink(stub)
        request = Sent("GET", "http://stub.test/api/events/stream", ADMIN, stream=True)
        async with (
            link.open_socket("ws://stub.test/ws?resume=1", ADMIN, [], 5) as socket,
            anyio.create_task_group() as tasks,
        ):
            reply = await link.send(request, 5)
            first, second = list[str](), list[str]()

            async def listen() -> None:
                while len(first) < 4:
                    first.append(json.loads(await socket.receive(5) or "")["type"])

            async def read() -> None:
                async for chunk in reply.body:
                    second.append(chunk.decode().partition("event: ")[2].partition("\n")[0])
                    if len(second) == 4:
                        break

            tasks.start_soon(listen)
            tasks.start_soon(read)
            await anyio.sleep(0.01)
            await stub.async_client().leads.create({"name": "in the loop"})
            await anyio.to_thread.run_sync(lambda: stub.client().leads.update("lead_123", {"name": "in a thread"}))
            with anyio.fail_after(HANG):
                while len(first) < 4 or len(second) < 4:
                    await anyio.sleep(0.001)
            assert first == second == ["stream.ready", "lead.created", "metrics.update", "lead.updated"]

    anyio.run(main, backend=backend)


def test_intercepted_clients_open_sockets_to_the_stub(stub: StubServer) -> None:
    with stub.intercept(), sockets.open_socket("wss://crm.example.com/ws?resume=1", ADMIN, [], 5) as socket:
        assert Wire(socket).next()["type"] == "stream.ready"
    with stub.transport().open_socket("wss://crm.example.com/ws?resume=1", ADMIN, [], 5) as socket:
        assert Wire(socket).next()["type"] == "stream.ready"


def intercepted(stub: StubServer) -> CrmClient:
    with stub.intercept():
        return CrmClient("https://crm.example.com", "acme-admin")


@pytest.mark.parametrize("over", ["ws", "sse"])
@pytest.mark.parametrize(
    "made",
    [StubServer.client, lambda stub: stub.client(http_client=stub.transport()), intercepted],
    ids=["link", "transport", "intercepted"],
)
def test_the_client_listens_however_it_is_joined_to_the_stub(
    stub: StubServer, made: Callable[[StubServer], CrmClient], over: Literal["ws", "sse"]
) -> None:
    with made(stub).events.listen(over=over) as stream:
        lead = stub.client().leads.create({"name": "heard"})
        event = stream.wait(HANG)
        assert isinstance(event, LeadCreated) and event.data.id == lead.id and event.mismatches == ()
