"""The courier: posts webhooks over the network from background threads, beside a real port."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import TYPE_CHECKING

import httpx

from crm_sdk.network.retry import retry_after

from ..data.document import Document
from .attempts import TIMEOUT, Attempt, Outcome
from .receivers import post_or_fail

if TYPE_CHECKING:
    from ..core import StubServer

_THREADS = 4


def start(server: StubServer) -> None:
    """Start the courier of a server; with several ports, all share one courier."""
    with server.lock:
        courier = server.webhooks.courier or Courier(server)
        courier.ports += 1
        server.webhooks.courier = courier


def stop(server: StubServer) -> None:
    """Stop the courier when the last port has closed; attempts in progress are finished first."""
    with server.lock:
        courier = server.webhooks.courier
        if courier is None:
            return
        courier.ports -= 1
        if courier.ports:
            return
        server.webhooks.courier = None
    courier.close()


class Courier:
    """Posts due deliveries: those of one endpoint in sequence, different endpoints in parallel."""

    def __init__(self, server: StubServer) -> None:
        self.ports = 0
        self._server = server
        self._outbox = server.webhooks.outbox
        self._woken = threading.Event()
        self._closing = False
        self._busy: set[str] = set()  # the endpoints with an attempt in progress
        self._client = httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="webhooks")
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Look for due deliveries again."""
        self._woken.set()

    def close(self) -> None:
        """Stop."""
        self._closing = True
        self._woken.set()
        self._thread.join()
        self._pool.shutdown()
        self._client.close()

    def _run(self) -> None:
        while not self._closing:
            self._woken.clear()
            attempts = sorted(self._outbox.due(self._takes), key=lambda attempt: attempt.webhook_id)
            for webhook_id, group in groupby(attempts, key=lambda attempt: attempt.webhook_id):
                self._busy.add(webhook_id)
                self._pool.submit(self._carry, webhook_id, list(group))
            at = self._outbox.next_due(self._takes)
            left = (at - self._server.clock.now()).total_seconds() if at is not None else None
            self._woken.wait(None if left is None else max(left, 0.01))

    def _takes(self, endpoint: Document) -> bool:
        return endpoint["id"] not in self._busy

    def _carry(self, webhook_id: str, attempts: list[Attempt]) -> None:
        try:
            for attempt in attempts:
                self._outbox.settle(attempt, post_or_fail(attempt, self._post))
        finally:
            self._outbox.release(attempts)
            self._busy.discard(webhook_id)
            self._woken.set()

    def _post(self, attempt: Attempt) -> Outcome:
        handed = self._server.webhooks.hand_over(attempt)
        if handed is not None:
            return handed
        began = time.perf_counter()
        try:
            answer = self._client.request(attempt.method, attempt.url, content=attempt.body, headers=attempt.headers)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:  # UnicodeError: not a valid host name
            reason = f"no answer within {TIMEOUT:g} s" if isinstance(error, httpx.TimeoutException) else str(error)
            return Outcome(error=reason or type(error).__name__, duration=time.perf_counter() - began)
        wait = retry_after({name.lower(): value for name, value in answer.headers.items()}, self._server.clock.now())
        return Outcome(answer.status_code, None, time.perf_counter() - began, wait, answer.text)
