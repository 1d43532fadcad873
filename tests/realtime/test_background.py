"""The task behind an async stream: it says when it has ended, and ends when it is stopped."""

from __future__ import annotations

import anyio
import pytest
from patience import HANG

from crm_sdk.realtime.background import Background


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_who_waits_for_its_end_waits_no_longer(backend: str) -> None:
    async def scene() -> None:
        gate, done = anyio.Event(), list[str]()

        async def work() -> None:
            await gate.wait()
            done.append("worked")

        background = Background(work)
        gate.set()
        with anyio.fail_after(HANG):
            await background.wait_ended(patience=100 * HANG)
        assert done == ["worked"]

    anyio.run(scene, backend=backend)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_it_is_cancelled_when_it_is_stopped(backend: str) -> None:
    async def scene() -> None:
        ends = list[str]()

        async def work() -> None:
            try:
                await anyio.sleep_forever()
            finally:
                ends.append("cancelled")

        background = Background(work)
        await anyio.lowlevel.checkpoint()
        with anyio.fail_after(HANG):
            await background.stop()
        assert ends == ["cancelled"]

    anyio.run(scene, backend=backend)
