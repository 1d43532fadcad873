"""What is broken off at any of its steps is claimed by nobody, or done: at the next delivery it goes on."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from patience import HANG
from webhook_corpus import BODY, NOW, SECRET, headers_of
from webhook_receiving import counting, receive

from crm_sdk.webhooks import LeadCreated, MemoryEventStore, Webhooks


class Breaking(MemoryEventStore):
    """A store of which one call breaks off, before it does anything."""

    def __init__(self, method: str, number: int, error: BaseException) -> None:
        super().__init__()
        self.left = number
        self.broken = method, error

    def claim(self, key: str, owner: str, lease: float) -> Any:
        self._break("claim")
        return super().claim(key, owner, lease)

    def finish(self, key: str, owner: str, keep: float) -> None:
        self._break("finish")
        super().finish(key, owner, keep)

    def _break(self, method: str) -> None:
        if self.broken[0] == method:
            self.left -= 1
            if self.left == 0:
                raise self.broken[1]


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_a_claim_that_is_broken_off_is_given_back(number: int, error: type[BaseException]) -> None:
    hooks = Webhooks(SECRET, store=Breaking("claim", number, error()))
    ran = counting(hooks)
    with pytest.raises(error):
        receive(hooks)
    assert ran == [] and receive(hooks).result == "done"


@pytest.mark.parametrize("number", [1, 2])
def test_a_store_that_fails_at_a_claim_keeps_none(number: int) -> None:
    hooks = Webhooks(SECRET, store=Breaking("claim", number, OSError("no room")))
    ran = counting(hooks)
    assert (receive(hooks).result, ran) == ("unavailable", [])
    assert (receive(hooks).result, ran) == ("done", ["lead_123"])


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_what_is_done_is_noted_though_the_note_is_broken_off(number: int, error: type[BaseException]) -> None:
    hooks = Webhooks(SECRET, store=Breaking("finish", number, error()))
    ran = counting(hooks)
    with pytest.raises(error):
        receive(hooks)
    assert receive(hooks).result == "duplicate" and ran == ["lead_123"]


def test_a_limit_of_time_is_told_as_such_when_the_handler_has_ended() -> None:
    """The cancellation is put off and comes once: a second one would end the task that the limit was to spare."""
    hooks, acting, goes_on = Webhooks(SECRET), threading.Event(), threading.Event()

    @hooks.on("lead.created")
    def created(event: LeadCreated) -> None:
        acting.set()
        assert goes_on.wait(HANG)

    async def main() -> str:
        loop = asyncio.get_running_loop()

        async def expire() -> None:
            while not acting.is_set():
                await asyncio.sleep(0.001)
            limit.reschedule(loop.time() - 1)
            await asyncio.sleep(0)
            loop.call_soon(loop.call_soon, goes_on.set)  # after the limit has cancelled

        expiring = asyncio.ensure_future(expire())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(None) as limit:
                await hooks.handle_async(headers_of(), BODY, received_at=NOW)
        await expiring
        return (await hooks.handle_async(headers_of(), BODY, received_at=NOW)).result

    assert asyncio.run(main()) == "duplicate"
