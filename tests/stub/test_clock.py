"""The stub's clock: stands, ticks, is moved, or runs."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from crm_sdk import ValidationError
from server_stub import StubServer
from server_stub.clock import Clock

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def test_a_standing_clock_moves_only_when_told() -> None:
    clock = Clock(START)
    assert clock.now() == clock.now() == START
    clock.tick()
    assert clock.now() == START + timedelta(milliseconds=1)
    clock.advance(59.999)
    assert clock.now() == START + timedelta(minutes=1)
    assert clock.monotonic() == 60


def test_sleeping_takes_no_time() -> None:
    clock = Clock(START)
    began = time.monotonic()
    clock.sleep(3600)
    asyncio.run(clock.sleep_async(3600))
    assert time.monotonic() - began < 60
    assert clock.now() == START + timedelta(hours=2)


def test_async_sleep_lets_others_run() -> None:
    async def scene() -> list[str]:
        clock, seen = Clock(START), list[str]()

        async def other() -> None:
            seen.append("other")

        task = asyncio.create_task(other())
        await clock.sleep_async(1)
        seen.append("sleeper")
        await task
        return seen

    assert asyncio.run(scene()) == ["other", "sleeper"]


def test_a_running_clock_adds_real_time() -> None:
    clock = Clock(START, running=True)
    first = clock.now()
    time.sleep(0.01)
    assert clock.now() - first >= timedelta(milliseconds=9)
    clock.advance(3600)
    assert timedelta(hours=1) <= clock.now() - first < timedelta(hours=1, minutes=5)
    assert clock.offset == timedelta(hours=1), "real time is not part of what is kept"


@pytest.mark.parametrize("running", [False, True])
def test_a_snapshot_brings_the_time_back(running: bool) -> None:
    clock = Clock(START, running=running)
    clock.advance(10)
    snap = clock.snapshot()
    clock.advance(3600)
    clock.restore(snap)
    assert timedelta(seconds=10) <= clock.now() - START < timedelta(minutes=5)


def test_no_time_is_lost_between_threads() -> None:
    clock = Clock(START)

    def tick_often() -> None:
        for _ in range(500):
            clock.tick()

    threads = [threading.Thread(target=tick_often) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.now() == START + timedelta(seconds=4)


def test_misuse_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Clock(datetime(2026, 11, 21))
    with pytest.raises(ValueError, match="cannot go back"):
        Clock(START).advance(-1)


def test_a_running_clock_is_not_behind_that_of_the_machine() -> None:
    before = datetime.now(UTC)
    stub = StubServer(running=True, demo=False)
    assert stub.clock.now() >= before
    before = datetime.now(UTC)
    assert stub.clock.now() >= before


def test_a_running_clock_goes_on_while_the_machine_sleeps_and_never_back(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(START, running=True)
    wall = time.time()
    monkeypatch.setattr(time, "time", lambda: wall + 3600)  # `time.monotonic` stands still in the meantime
    woken = clock.now()
    assert woken >= START + timedelta(hours=1)
    monkeypatch.setattr(time, "time", lambda: wall)
    assert clock.now() >= woken


def test_what_is_dated_some_minutes_ahead_is_now(stub: StubServer) -> None:
    crm, now = stub.client(), stub.clock.now()
    deal = crm.deals.list(status="open").items[0]
    activity = crm.deals.activities.create(
        deal.id, {"type": "meeting", "description": "We met", "date": now + timedelta(minutes=4)}
    )
    assert getattr(crm.activities.get(activity.id), "status", None) == "completed"
    lost = crm.deals.move_stage(
        deal.id, "closed-lost", lost_reason="price", closed_at=stub.clock.now() + timedelta(minutes=4)
    )
    assert lost.closed_at is not None and lost.closed_at <= stub.clock.now()
    with pytest.raises(ValidationError, match="ahead of time"):
        crm.deals.move_stage(deal.id, "closed-won", closed_at=stub.clock.now() + timedelta(minutes=6))
