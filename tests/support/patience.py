"""Waiting in tests: for what happens, never for a time, so that a test holds on a busy machine too."""

from __future__ import annotations

import time
from collections.abc import Callable

import anyio

HANG = 120.0
"""Seconds after which what should have happened is taken not to happen any more: only a failing test waits so long."""


def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + HANG
    while not condition():
        assert time.monotonic() < deadline, "it has not become so"
        time.sleep(0.005)


async def until_async(condition: Callable[[], bool]) -> None:
    """Wait until something is so, and let other tasks go on."""
    with anyio.fail_after(HANG):
        while not condition():
            await anyio.sleep(0.005)


def can_take_less_than(seconds: float, measure: Callable[[], float]) -> bool:
    """Tell whether what `measure` times was once done within so many seconds.

    Another program may hold it up: it is tried again. What always takes longer fails.
    """
    return any(measure() < seconds for _ in range(20))
