"""The drivers of an exchange: each step is carried out, and another's renewal is waited for no longer than it may."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from driven import answer

from crm_sdk.credentials import Credentials
from crm_sdk.errors import ConnectionFailedError, NetworkError
from crm_sdk.exchange import Discard, Refresh, Reply, Request, Send, Sleep, Steps, run, run_async, running_loop

OK = answer(200)
RESET = ConnectionFailedError("reset", sent=True)


class Carried:
    """A link, a clock and a body, each of either kind, which note what they are asked to do."""

    def __init__(self, mode: str, *outcomes: Reply | NetworkError) -> None:
        self.mode, self.outcomes, self.done = mode, list(outcomes), list[Any]()

    def send(self, request: Request, timeout: float) -> Any:
        self.done.append((request.url, timeout))
        found = self.outcomes.pop(0)

        async def later() -> Reply:
            if isinstance(found, NetworkError):
                raise found
            return found

        if self.mode == "sync" and isinstance(found, NetworkError):
            raise found
        return found if self.mode == "sync" else later()

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        self.done.append(seconds)

    async def sleep_async(self, seconds: float) -> None:
        self.done.append(seconds)

    def close(self) -> None:
        self.done.append("closed")

    async def aclose(self) -> None:
        self.done.append("closed")

    def carry_out(self, call: Callable[[Any], Any], steps: Steps[Any]) -> Any:
        driver: Any = run if self.mode == "sync" else run_async
        return call(driver(steps, self, self))


def test_each_step_is_carried_out(mode: str, call: Callable[[Any], Any]) -> None:
    other = Carried(mode, OK, RESET, OK)
    credentials, found = Credentials("old", "refresh"), list[Any]()

    def renewal() -> Steps[None]:
        yield Sleep(3.0)
        credentials.replace("newer", None)

    def steps() -> Steps[str]:
        request = Request("GET", "http://h/x", {})
        found.append((yield Send(request, 5.0)))
        try:
            yield Send(request, 4.0)
        except NetworkError as error:
            found.append(error)
        for step in (Sleep(2.0), Discard(other), Refresh(credentials, "old", 9.0, renewal)):
            found.append((yield step))
        found.append((yield Refresh(credentials, "old", 9.0, renewal)))
        return "done"

    assert other.carry_out(call, steps()) == "done"
    assert found == [OK, RESET, None, None, None, None]
    assert other.done == [("http://h/x", 5.0), ("http://h/x", 4.0), 2.0, "closed", 3.0], "it was renewed meanwhile"
    assert credentials.access == "newer" and credentials.lock.acquire(timeout=0)


def test_who_cannot_renew_in_time_goes_on(mode: str, call: Callable[[Any], Any]) -> None:
    credentials = Credentials("old", "refresh")
    renewed: list[int] = []

    def renewal() -> Steps[None]:
        renewed.append(1)
        yield Sleep(0.0)

    def steps() -> Steps[str]:
        yield Refresh(credentials, "old", 0.01, renewal)
        return "done"

    async def while_held() -> str:
        async with credentials.async_lock(running_loop()):
            link: Any = Carried(mode)
            return await asyncio.create_task(run_async(steps(), link, link))

    with credentials.lock:
        assert (call(while_held()) if mode == "async" else Carried(mode).carry_out(call, steps())) == "done"
    assert renewed == [] and Carried(mode).carry_out(call, steps()) == "done" and renewed == [1]
