"""The promise of real time, against a server and a network that do everything wrong: nothing lost, nothing twice."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from blocking import opened
from patience import HANG, until
from rough_server import KINDS, Rough, at_random, running

from crm_sdk import AsyncCrmClient, CrmClient
from crm_sdk.errors import EventGap
from crm_sdk.models import UnknownEvent
from server_stub import StubServer
from server_stub.faults.links import LiveFaultKind

pytestmark = pytest.mark.thorough


def number(event: object) -> int:
    assert isinstance(event, UnknownEvent), event
    found: int = event.data["n"]
    return found


def emit(rough: Rough, events: int, over: float) -> None:
    """Let events happen evenly over so many seconds."""

    def run() -> None:
        start = time.monotonic()
        for n in range(events):
            due = start + over * n / events
            time.sleep(max(0.0, due - time.monotonic()))
            rough.emit()

    threading.Thread(target=run, daemon=True).start()


def collect(
    mode: str, url: str, rough: Rough, events: int, over: float, *, extra: int = 0, **options: Any
) -> list[int | str]:
    """Listen until the last event has come; gaps are in the list as words."""
    got: list[int | str] = []
    last = events + extra
    if mode == "sync":
        with CrmClient(url, "key") as client, client.events.listen(**options) as stream:
            emit(rough, events, over)
            while got[-1:] != [last]:
                try:
                    event = stream.wait(HANG)
                    assert event is not None, f"nothing came after {got[-1:]}"
                    got.append(number(event))
                except EventGap as gap:
                    got.append(f"{gap.from_seq}..{gap.to_seq} {gap.reason}")
        return got

    async def main() -> None:
        async with AsyncCrmClient(url, "key") as client, client.events.listen(**options) as stream:
            emit(rough, events, over)
            while got[-1:] != [last]:
                try:
                    event = await stream.wait(HANG)
                    assert event is not None, f"nothing came after {got[-1:]}"
                    got.append(number(event))
                except EventGap as gap:
                    got.append(f"{gap.from_seq}..{gap.to_seq} {gap.reason}")

    import anyio

    anyio.run(main, backend=mode)
    return got


MODES = ["sync", "asyncio", "trio"]


@pytest.mark.parametrize("mode", MODES)
def test_2000_events_10_aborts_and_half_a_second_of_refusals(mode: str) -> None:
    """The reference clients lose about 940 and 1,700 of these."""
    faults = {200 * n: "abort" for n in range(1, 11)} | {1000: "refuse"}
    rough = Rough(lambda count: faults.get(count))
    with running(rough) as url:
        got = collect(mode, url, rough, 2000, over=0.8)
    assert got == list(range(1, 2001))
    aborts = rough.suffered.count("abort")
    assert aborts >= 9 and "refuse" in rough.suffered and len(rough.connects) > aborts


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_1000_random_faults_of_every_kind(mode: str) -> None:
    rough = Rough(at_random(MODES.index(mode), 0.1), refusal=0.05)
    with running(rough) as url:
        got = collect(mode, url, rough, 10_000, over=10.0)
    assert got == list(range(1, 10_001))
    assert len(rough.suffered) >= 1000 and set(rough.suffered) == set(KINDS)


@pytest.mark.parametrize("mode", MODES)
def test_random_faults_of_every_kind(mode: str) -> None:
    rough = Rough(at_random(4, 0.12), refusal=0.05)
    with running(rough) as url:
        got = collect(mode, url, rough, 250, over=0.2)
    assert got == list(range(1, 251))
    assert len(rough.suffered) >= 30 and set(rough.suffered) == set(KINDS)


@pytest.mark.parametrize("mode", MODES)
def test_a_true_gap_is_raised(mode: str) -> None:
    rough = Rough(lambda count: "abort" if count == 50 else None, kept=20)
    with running(rough) as url:

        def meanwhile() -> None:
            while "abort" not in rough.suffered:
                time.sleep(0.001)
            rough.emit(100)

        threading.Thread(target=meanwhile, daemon=True).start()
        got = collect(mode, url, rough, 60, over=0.2, extra=100)
    (word,) = (word for word in got if isinstance(word, str))
    seen = got[: got.index(word)]  # an abort may take along what was sent just before it
    assert len(seen) < 50 and word.startswith(f"{int(seen[-1]) + 1}..") and word.endswith("expired")


@pytest.mark.parametrize("mode", MODES)
def test_without_numbers_a_broken_link_is_a_gap_that_is_raised(mode: str) -> None:
    rough = Rough(lambda count: "abort" if count == 50 else None, numbered=False)
    with running(rough) as url:
        got = collect(mode, url, rough, 1000, over=0.5)
    assert "None..None unnumbered" in got
    numbers = [n for n in got if isinstance(n, int)]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("mode", MODES)
def test_a_slow_reader_loses_nothing_and_kills_no_link(mode: str) -> None:
    rough = Rough(lambda count: None)
    with running(rough) as url:
        if mode == "sync":
            with CrmClient(url, "key") as client, client.events.listen(capacity=20, heartbeat=0.5) as stream:
                rough.emit(200)
                time.sleep(1.2)
                assert len(rough.connects) == 1
                assert [number(stream.wait(HANG)) for _ in range(200)] == list(range(1, 201))
        else:

            async def main() -> None:
                async with (
                    AsyncCrmClient(url, "key") as client,
                    client.events.listen(capacity=20, heartbeat=0.5) as stream,
                ):
                    rough.emit(200)
                    await anyio.sleep(1.2)
                    assert len(rough.connects) == 1
                    got = [number(await stream.wait(HANG)) for _ in range(200)]
                    assert got == list(range(1, 201))

            import anyio

            anyio.run(main, backend=mode)


@pytest.mark.parametrize("overflow", ["drop_oldest", "coalesce"])
def test_what_a_policy_forgets_it_counts(overflow: Any) -> None:
    rough = Rough(lambda count: None)
    with (
        running(rough) as url,
        CrmClient(url, "key") as client,
        client.events.listen(capacity=10, overflow=overflow) as stream,
    ):
        rough.emit(100)
        until(lambda: stream.dropped >= 90)
        assert stream.dropped == 90
        assert [number(stream.wait(HANG)) for _ in range(10)] == list(range(91, 101))
        assert len(rough.connects) == 1


def test_a_cursor_of_another_time_brings_what_was_missed() -> None:
    rough = Rough(lambda count: None)
    with running(rough) as url, CrmClient(url, "key") as client:
        with client.events.listen() as stream:
            rough.emit(5)
            for _ in range(3):
                stream.wait(HANG)
            place = str(stream.cursor)
        rough.emit(5)
        with client.events.listen(since=place) as stream:
            assert [number(stream.wait(HANG)) for _ in range(7)] == list(range(4, 11))


STUB_KINDS: tuple[LiveFaultKind, ...] = ("drop", "duplicate", "delay", "reorder", "corrupt", "abort", "close", "refuse")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("way", ["ws", "sse", "channel"])
@pytest.mark.parametrize("leads", [60, pytest.param(2000, marks=pytest.mark.slow)])
def test_the_stub_does_everything_wrong_on_every_way(mode: str, way: str, leads: int) -> None:
    stub = StubServer()
    stub.live.chaos(MODES.index(mode), dict.fromkeys(STUB_KINDS, 0.02), seconds=0.05)
    client: Any = stub.client() if mode == "sync" else stub.async_client()
    user = stub.client()
    contact = next(iter(user.contacts.list())).id

    def make(client: Any) -> Any:
        return client.channels.join("user:user_ada:deals") if way == "channel" else client.events.listen(over=way)

    with opened(client, make, mode) as stream:
        for n in range(leads):
            user.deals.create({"title": f"deal {n}", "value": n, "contact_id": contact})
        got: list[int] = []
        told: list[str] = []
        while not told or told[-1] != f"deal {leads - 1}":
            event = stream.wait(5)
            if event is None:  # the last one may have been dropped: the server tells its position every 15 s
                stub.clock.advance(16)
                continue
            got.append(event.seq)
            if event.type in ("deal.created", "deal:created"):
                told.append(event.deal.title if way == "channel" else event.data["title"])
    assert told == [f"deal {n}" for n in range(leads)]
    assert got == list(range(got[0], got[0] + len(got)))
    assert sum(stub.live.faults.fault_counts.values()) >= max(1, leads // 100)
