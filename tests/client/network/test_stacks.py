"""The stacks of connections: their limit, whose turn it is, and what a cancelled wait leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from itertools import count
from queue import Empty
from types import SimpleNamespace
from typing import Any

import pytest

from crm_sdk.network.stack import AsyncStack, Stack


def numbered(limit: int) -> AsyncStack[int]:
    """Return a stack that makes 1, 2, 3 ... in place of connections."""
    numbers = count(1)
    return AsyncStack(limit, lambda: next(numbers))


async def started(coroutine: Coroutine[Any, Any, int]) -> asyncio.Task[int]:
    """Return a task that has come to where it waits."""
    task = asyncio.ensure_future(coroutine)
    for _ in range(5):
        await asyncio.sleep(0)
    return task


def test_no_more_are_made_than_the_limit_and_the_longest_wait_ends_first() -> None:
    async def use() -> None:
        stack = numbered(2)
        assert [await stack.take(), await stack.take()] == [1, 2]
        first = await started(stack.take())
        second = await started(stack.take())
        assert not first.done() and not second.done()
        stack.give(2)
        assert await first == 2 and not second.done()
        stack.give(1)
        assert await second == 1
        assert stack.open == 2 and stack.idle == []

    asyncio.run(use())


def test_the_connection_used_last_is_taken_first() -> None:
    async def use() -> None:
        stack = numbered(2)
        for made in (await stack.take(), await stack.take()):
            stack.give(made)
        assert [await stack.take(), await stack.take()] == [2, 1]

    asyncio.run(use())


@pytest.mark.parametrize("handed", [False, True], ids=["while-waiting", "as-its-turn-comes"])
def test_a_cancelled_wait_takes_no_connection_with_it(handed: bool) -> None:
    async def use() -> None:
        stack = numbered(1)
        taken = await stack.take()
        waits = await started(stack.take())
        if handed:
            stack.give(taken)
        waits.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waits
        if not handed:
            stack.give(taken)
        after = await started(stack.take())
        assert after.done() and after.result() == taken, "the connection is free again, for the next one"

    asyncio.run(use())


def test_a_lost_connection_is_replaced_for_the_one_who_waits() -> None:
    async def use() -> None:
        stack = numbered(1)
        await stack.take()
        waits = await started(stack.take())
        stack.lose()
        assert await waits == 2

    asyncio.run(use())


def test_what_was_idle_for_too_long_makes_room_for_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def use() -> None:
        stack = numbered(2)
        for made in (await stack.take(), await stack.take()):
            stack.give(made)
        assert stack.overdue() is None
        monkeypatch.setattr("crm_sdk.network.stack.IDLE_SECONDS", -1.0)
        assert [stack.overdue(), stack.overdue(), stack.overdue()] == [1, 2, None]
        assert [await stack.take(), await stack.take()] == [3, 4]
        assert not (await started(stack.take())).done()

    asyncio.run(use())


def test_what_threads_share_is_kept_to_its_limit_and_the_last_is_taken_first() -> None:
    numbers = count(1)
    stack = Stack(2, lambda: next(numbers))
    assert [stack.take(0.01), stack.take(0.01)] == [1, 2]
    with pytest.raises(Empty):
        stack.take(0.01)
    assert (stack.give(1), stack.give(2)) == (None, None)
    assert [stack.take(0.01), stack.take(0.01)] == [2, 1]


def test_a_connection_that_cannot_be_made_takes_no_place() -> None:
    numbers = count(0)

    def make() -> int:
        if not (number := next(numbers)):
            raise OSError("no")
        return number

    stack = Stack(1, make)
    with pytest.raises(OSError, match="no"):
        stack.take(0.01)
    assert stack.take(0.01) == 1


@pytest.mark.parametrize(("idle", "is_kept"), [(0.0, True), (15.0, True), (15.5, False)])
def test_a_connection_may_be_idle_for_15_seconds(monkeypatch: pytest.MonkeyPatch, idle: float, is_kept: bool) -> None:
    now = [1_000.0]
    monkeypatch.setattr("crm_sdk.network.stack.time", SimpleNamespace(monotonic=lambda: now[0]))
    numbers = count(1)
    stack = Stack(2, lambda: next(numbers))
    for made in (stack.take(1), stack.take(1)):
        assert stack.give(made) is None
    other = stack.take(1)
    now[0] += idle
    assert (stack.give(other), [each for _, each in stack.idle]) == ((None, [1, 2]) if is_kept else (1, [2]))

    async def use() -> None:
        stack = numbered(2)
        stack.give(await stack.take())
        now[0] += idle
        assert stack.overdue() == (None if is_kept else 1)

    asyncio.run(use())
