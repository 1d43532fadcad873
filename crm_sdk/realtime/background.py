"""A background task for async streams, on asyncio and on trio."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import anyio


class Background:
    """A task that runs until it ends or is stopped. Its function must not raise."""

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._work = work
        self._scope = anyio.CancelScope()
        self._ended = anyio.Event()
        trio: Any = sys.modules.get("trio")
        if trio is not None and _in_trio(trio):
            trio.lowlevel.spawn_system_task(self._run)
        else:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        try:
            with self._scope:
                await self._work()
        finally:
            self._ended.set()

    async def wait_ended(self, patience: float = 2.0) -> None:
        """Wait until the task has ended; cancel it after `patience` seconds."""
        try:
            with anyio.move_on_after(patience):
                await self._ended.wait()
        finally:
            self._scope.cancel()

    async def stop(self) -> None:
        """Cancel the task, and wait until it has ended."""
        self._scope.cancel()
        await self.wait_ended()


def _in_trio(trio: Any) -> bool:
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        return False
    return True
