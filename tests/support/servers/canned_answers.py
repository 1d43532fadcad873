"""Canned answers without a network, and a clock that stands: what tests of the client's machine have in hand."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import Any

import httpx

from crm_sdk.dialects import DialectName

TOLD: tuple[DialectName, ...] = ("mvp", "flow", "platform")
"""The dialects of the clients in most tests of the machine: what they send depends on nothing they find out."""
LEAD = {"id": "lead_1", "name": "Ada", "status": "new", "createdAt": "2026-01-15T09:00:00Z"}


class Canned:
    """Answers in the order they were given; the last one is given again and again."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self._answers: deque[Callable[[httpx.Request], httpx.Response]] = deque()

    def says(self, body: Any = None, status: int = 200, *, content: bytes | None = None, **headers: str) -> Canned:
        """Add an answer: JSON, or bytes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = content if content is not None else b"" if body is None else json.dumps(body).encode()
        return self.does(lambda request: httpx.Response(status, content=sent, headers=named))

    def fails(self, error: Exception) -> Canned:
        """Add a failure of the network."""

        def fail(request: httpx.Request) -> httpx.Response:
            raise error

        return self.does(fail)

    def does(self, answer: Callable[[httpx.Request], httpx.Response]) -> Canned:
        """Add an answer that depends on the request."""
        self._answers.append(answer)
        return self

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.popleft() if len(self._answers) > 1 else self._answers[0]
        return answer(request)

    @property
    def paths(self) -> list[str]:
        """The targets that were asked for."""
        return [request.url.raw_path.decode() for request in self.requests]

    def body(self, n: int = -1) -> Any:
        """Return what the n-th request sent, read as JSON."""
        return json.loads(self.requests[n].content)


class Standing:
    """A clock that moves when it is slept on."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)
