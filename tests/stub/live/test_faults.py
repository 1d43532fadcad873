"""What a test may let go wrong with live connections, one kind at a time and all at random."""

from __future__ import annotations

import json
from typing import Any

import pytest
from wire import Wire, opened

from crm_sdk import ConnectionFailedError
from crm_sdk.realtime.sockets import SocketClosedError, SocketRefusedError
from server_stub import StubServer
from server_stub.faults.links import KINDS


def write(stub: StubServer, *names: str) -> None:
    for name in names:
        stub.client().leads.update("lead_123", {"name": name})


def names(wire: Wire) -> list[str]:
    return [message["data"]["name"] for message in wire.all() if message["type"] == "lead.updated"]


@pytest.mark.parametrize(
    ("kind", "seen"),
    [("drop", "ac"), ("duplicate", "abbc"), ("reorder", "acb"), ("delay", "ac")],
)
def test_an_event_that_goes_wrong(stub: StubServer, kind: Any, seen: str) -> None:
    stub.live.add(kind, after=1)
    with opened(stub, "/ws") as wire:
        write(stub, "a", "b", "c")
        assert "".join(names(wire)) == seen
        assert stub.live.fault_counts == {kind: 1} and stub.live.faults.pending == ()
        stub.clock.advance(1)
        assert names(wire) == (["b"] if kind == "delay" else [])


def test_the_last_event_is_not_held_back_for_ever(stub: StubServer) -> None:
    stub.live.add("reorder")
    with opened(stub, "/ws") as wire:
        write(stub, "a")
        assert names(wire) == []
        stub.clock.advance(1)
        assert names(wire) == ["a"]


@pytest.mark.parametrize("target", ["/ws", "/ws/websocket?vsn=2.0.0"])
def test_half_of_an_event(stub: StubServer, target: str) -> None:
    stub.live.add("corrupt")
    with opened(stub, target) as wire:
        if target != "/ws":
            wire.join("user:user_ada:deals")
        stub.client().deals.update(stub.client().deals.list().items[0].id, {"title": "x"})
        with pytest.raises(json.JSONDecodeError):
            wire.next()


def test_only_events_of_a_type(stub: StubServer) -> None:
    stub.live.add("drop", event="lead.created", times=None)
    with opened(stub, "/ws") as wire:
        stub.client().leads.create({"name": "x"})
        assert wire.types() == ["metrics.update"]
        stub.live.faults.clear()
        stub.client().leads.create({"name": "x"})
        assert wire.types() == ["lead.created", "metrics.update"]


@pytest.mark.parametrize(("kind", "code"), [("abort", None), ("close", 1012), ("refuse", None)])
def test_an_event_that_ends_the_connection(stub: StubServer, kind: Any, code: int | None) -> None:
    stub.live.add(kind)
    with opened(stub, "/ws") as wire:
        write(stub, "a")
        with pytest.raises(SocketClosedError) as closed:
            wire.next()
        assert closed.value.code == code and stub.live.connections == []
    if kind == "refuse":
        with pytest.raises(ConnectionFailedError), opened(stub):
            pass
        stub.clock.advance(1)
    with opened(stub, "/ws?since=0") as wire:
        wire.next()
        assert names(wire) == ["a"]  # it is in the log all the same


def test_a_stalled_connection_goes_on_where_it_was(stub: StubServer) -> None:
    stub.live.add("stall", seconds=5)
    with opened(stub, "/ws") as wire:
        write(stub, "a", "b")
        assert names(wire) == []
        stub.clock.advance(5)
        assert names(wire) == ["a", "b"]


def test_a_half_open_connection_says_nothing_ever_again(stub: StubServer) -> None:
    stub.live.add("half_open")
    with opened(stub) as wire:
        write(stub, "a", "b")
        assert wire.types() == ["stream.ready"]
        wire.socket.ping()
        assert not wire.socket.ponged
        stub.clock.advance(100)
        assert wire.next() is None and stub.live.connections == []
    with opened(stub) as wire:
        wire.socket.ping()
        assert wire.socket.ponged


def test_connections_may_be_chosen_by_age(stub: StubServer) -> None:
    with opened(stub) as old, opened(stub) as new:
        assert stub.live.abort(1) == 1
        with pytest.raises(SocketClosedError):
            old.all()
        assert new.types() == ["stream.ready"]


def test_a_connection_is_refused_so_often(stub: StubServer) -> None:
    stub.live.refuse(times=2)
    for _ in range(2):
        with pytest.raises(ConnectionFailedError), opened(stub):
            pass
    stub.live.accept_and_close(code=1001)
    with opened(stub, "/ws") as wire, pytest.raises(SocketClosedError) as closed:
        wire.next()
    assert closed.value.code == 1001
    stub.faults.add("status", status=503, path_prefix="/ws", times=1)
    with pytest.raises(SocketRefusedError, match="503"), opened(stub):
        pass
    stub.faults.add("delay", seconds=10, path_prefix="/ws", times=1)
    with pytest.raises(ConnectionFailedError, match="delayed"), opened(stub):
        pass
    assert stub.live.connections == []
    with opened(stub):
        pass


def survive(seed: int) -> tuple[StubServer, list[str]]:
    """Read 400 events through everything that can go wrong, as a client would that resumes; return what happened."""
    stub = StubServer()
    rates = dict.fromkeys(KINDS, 0.03)
    stub.live.chaos(seed, rates, times=20)
    seen: list[str] = []
    history: list[str] = []
    last, written = 0, 0
    while seen[-1:] != ["400"]:
        try:
            with opened(stub, f"/ws?resume=1&since={last}") as wire:
                for _ in range(1000):
                    if written < 400:
                        written += 1
                        write(stub, str(written))
                    data = wire.socket.receive(0)
                    if data is None:
                        stub.clock.advance(15)  # nothing more comes: either all was read, or something is missing
                        data = wire.socket.receive(0)
                        if data is None:
                            break
                    try:
                        message = json.loads(data)
                    except ValueError:
                        break
                    history.append(str(message.get("seq")))
                    if message["type"].startswith("stream."):
                        if message["data"]["seq"] > last:
                            break
                        continue
                    if message["seq"] > last + 1:
                        break
                    if message["seq"] == last + 1:
                        last += 1
                        if message["type"] == "lead.updated":  # and not a reminder
                            seen.append(message["data"]["name"])
        except (ConnectionFailedError, SocketClosedError):
            stub.clock.advance(0.1)
    assert seen == [str(n) for n in range(1, 401)]
    return stub, history


@pytest.mark.thorough
def test_all_of_it_at_random_can_be_survived_and_is_the_same_for_the_same_seed() -> None:
    stub, history = survive(7)
    assert set(stub.live.fault_counts) >= set(KINDS)
    again, same = survive(7)
    assert same == history and again.live.fault_counts == stub.live.fault_counts
    assert survive(8)[1] != history


def test_faults_are_part_of_a_snapshot(stub: StubServer) -> None:
    stub.live.add("drop")
    before = stub.snapshot()
    stub.live.refuse(60)
    stub.live.faults.clear()
    stub.restore(before)
    assert [fault.kind for fault in stub.live.faults.pending] == ["drop"]
    with opened(stub):
        pass


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "explode"}, {"kind": "drop", "rate": 2}, {"kind": "drop", "times": 0}, {"kind": "delay", "seconds": 0}],
)
def test_a_fault_that_makes_no_sense_is_refused(stub: StubServer, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"kind|rate|times|seconds"):
        stub.live.add(**wrong)
