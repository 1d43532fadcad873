"""Channels under attack: what cannot be written, pushes that are never answered, many threads, full mailboxes."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from blocking import MODES, client_of, opened
from patience import HANG, until
from websockets.sync.server import ServerConnection, serve

from crm_sdk import AsyncCrmClient, CrmClient
from crm_sdk.errors import ConnectionFailedError, DeadlineExceededError, InvalidInputError
from crm_sdk.realtime.cursors import LiveCursor
from crm_sdk.realtime.mailbox import Mailbox
from crm_sdk.realtime.membership import Membership
from crm_sdk.realtime.phoenix import Phoenix
from server_stub import StubServer

pytestmark = pytest.mark.thorough

RECORD = "record:lead:lead_123"


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def stub() -> StubServer:
    found = StubServer()
    found.live.test_mode = True
    return found


def joining(topic: str, **options: Any) -> Callable[[Any], Any]:
    return lambda client: client.channels.join(topic, **options)


@pytest.mark.parametrize("odd", [object(), float("nan"), "\ud800"], ids=["object", "nan", "surrogate"])
def test_what_cannot_be_written_is_said_to_whoever_says_it_and_harms_no_channel(
    stub: StubServer, mode: str, odd: object
) -> None:
    with opened(client_of(stub, mode, None), joining("room:a"), mode) as channel:
        for _ in range(3):  # the second waits for its time, to be sent by the link itself
            with pytest.raises(InvalidInputError):
                channel.move_cursor(x=odd)
        with pytest.raises(InvalidInputError):
            channel.push("test:echo", {"x": odd})
        assert channel.push("test:echo", {"n": 1}) == {"n": 1}


def test_what_cannot_be_joined_with_is_said_at_once(stub: StubServer, mode: str) -> None:
    client = client_of(stub, mode, None)
    for topic, params in (("room:a", {"meta": object()}), ("room:a", {"n": float("inf")}), ("room:\ud800", {})):
        with pytest.raises(InvalidInputError):
            client.channels.join(topic, params=params)


def test_pushes_without_an_answer_are_forgotten(stub: StubServer, mode: str) -> None:
    client = client_of(stub, mode, None)
    with opened(client, joining("room:a"), mode) as channel:
        for _ in range(20):
            channel.send("test:noreply", {})
        with pytest.raises(DeadlineExceededError):
            channel.push("test:noreply", {}, timeout=0.05)
        hubs: dict[int, Any] = client.channels._hubs
        assert [hub.line._answers for hub in hubs.values()] == [{}]


def test_a_push_to_a_channel_that_crashes_does_not_wait(stub: StubServer, mode: str) -> None:
    with opened(client_of(stub, mode, None), joining("room:a"), mode) as channel:
        found: list[BaseException] = []

        def push() -> None:
            try:
                channel.push("test:noreply", {}, timeout=HANG)
            except ConnectionFailedError as error:
                found.append(error)

        waiting = threading.Thread(target=push)
        waiting.start()
        time.sleep(0.1)
        channel.send("test:crash", {})
        waiting.join(HANG)
        assert len(found) == 1 and "crashed" in str(found[0])


@pytest.mark.parametrize("overflow", ["block", "drop_oldest", "coalesce"])
def test_a_cursor_that_found_no_room_is_told_of_when_it_moves_again(stub: StubServer, mode: str, overflow: Any) -> None:
    stub.live.test_mode = False
    client, make = client_of(stub, mode, None, api_key="acme-sales"), joining(RECORD, capacity=1, overflow=overflow)
    with stub.client() as other, other.channels.join(RECORD) as theirs, opened(client, make, mode) as mine:
        until(lambda: len(mine.presence) == 2)

        def places() -> list[Any]:
            return [cursor.members["x"] for cursor in mine.cursors.values()]

        for round in range(3):
            stub.clock.advance(0.1)
            theirs.move_cursor(x=round)
            until(lambda: places()[-1:] == [round])  # noqa: B023 # it is over before the next round
            theirs.push("presence:update", {"meta": {"round": round}})
            time.sleep(0.1)
        for x in range(99, 500):  # what came before fills the room until it is read
            stub.clock.advance(0.1)
            theirs.move_cursor(x=x)
            found = mine.wait(0.3)
            if isinstance(found, LiveCursor) and found.members["x"] >= 99:
                break
        else:
            pytest.fail("it was told of no move")


def test_threads_that_join_and_leave_together_share_one_link(stub: StubServer) -> None:
    with stub.client() as client:
        failures: list[BaseException] = []

        def work(number: int) -> None:
            try:
                for _ in range(15):
                    with client.channels.join(f"room:{number}") as channel:
                        assert channel.push("test:echo", {"n": number}) == {"n": number}
                        assert len(stub.live.connections) <= 2  # one that ends, one that begins
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(HANG)
        assert not failures
    until(lambda: not stub.live.connections)


class Meddled(dict[str, Membership]):
    """Members of a line; while somebody goes through them, another thread joins a channel, if it may."""

    def __init__(self, line: Phoenix) -> None:
        super().__init__()
        self.joining = threading.Thread(target=lambda: line.add(member("room:late")))

    def values(self) -> Any:
        going = iter(super().values())
        yield next(going)
        self.joining.start()
        self.joining.join(0.2)  # it waits for its turn
        yield from going


def member(topic: str) -> Membership:
    return Membership(topic, {}, Mailbox(2, "block", lambda item: item), None)


@pytest.mark.parametrize(
    "look",
    [
        lambda line: line.progress,
        lambda line: line.full,
        lambda line: line.idle(),
        lambda line: line.failed(ConnectionFailedError("lost")),
    ],
    ids=["progress", "full", "idle", "failed"],
)
def test_a_channel_that_joins_meanwhile_does_not_end_the_others(look: Callable[[Phoenix], Any]) -> None:
    line = Phoenix(CrmClient("http://crm.test", "key"))
    line._members = members = Meddled(line)
    dict.update(members, {topic: member(topic) for topic in ("room:a", "room:b")})
    look(line)
    members.joining.join(HANG)
    assert members.keys() == {"room:a", "room:b", "room:late"}


def test_a_link_that_ends_late_takes_nothing_of_the_next_along() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = CrmClient(f"http://127.0.0.1:{listener.getsockname()[1]}", "key", timeout=3.0)
        with client:
            first = client.channels.join("room:a")
            threading.Thread(target=first.start).start()
            time.sleep(0.1)
            first.close()
            time.sleep(1.5)
            second = client.channels.join("room:b")
            threading.Thread(target=second.start).start()
            time.sleep(1.8)  # the first attempt has ended, the second goes on for another second
            assert "closed" not in repr(second)
            second.close()


def test_a_number_of_another_type_brings_nothing_twice(mode: str) -> None:
    def handle(connection: ServerConnection) -> None:
        for data in connection:
            join_ref, ref, topic, event, _ = json.loads(data)
            if event == "phx_join":
                reply = {"status": "ok", "response": {"seq": 0, "epoch": "e1", "gap": None}}
                connection.send(json.dumps([join_ref, ref, topic, "phx_reply", reply]))
                for seq in ("1", True, 1, 2):
                    connection.send(json.dumps([join_ref, None, topic, "t", {"seq": seq, "epoch": "e1"}]))

    server = serve(handle, "127.0.0.1", 0, ping_interval=None)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        kind = CrmClient if mode == "sync" else AsyncCrmClient
        client = kind(f"http://127.0.0.1:{server.socket.getsockname()[1]}", "key", timeout=HANG)
        with opened(client, joining("room:a"), mode) as channel:
            assert [channel.wait(HANG).seq, channel.wait(HANG).seq, channel.wait(0.7)] == [1, 2, None]
    finally:
        server.shutdown()
        thread.join(HANG)
