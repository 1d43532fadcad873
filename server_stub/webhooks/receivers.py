"""Webhooks in process: receivers that a test registers, and what is posted to them.

``stub.webhooks.receive("https://app.test/hook", handler)`` has ``handler(headers, body)`` called for what is posted to
that address: after the call that caused it, in its thread and without the server's lock, so that the handler may call
the server in turn. What nobody receives stays pending, and is seen in ``stub.webhooks.deliveries``. Beside a real port
a courier (see `courier`) posts everything from threads of its own, to the network what nobody receives here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from crm_sdk.retry import retry_after

from ..data.document import Document
from ..faults.deliveries import DeliveryFaults
from .attempts import TIMEOUT, Attempt, Outcome
from .outbox import Outbox
from .records import DELIVERY

if TYPE_CHECKING:
    from ..core import StubServer
    from .courier import Courier

Answered = int | tuple[int, Mapping[str, str]] | None
"""A status, one with headers, or None for 204."""
Handler = Callable[[Mapping[str, str], bytes], Answered]
_ENOUGH = 10_000
"""How many attempts one call may cause; more can only mean that a handler causes what it handles."""


class Webhooks:
    """The receivers of a stub, and the log of what is posted."""

    def __init__(self, server: StubServer) -> None:
        self._server = server
        self._receivers: dict[str, Handler] = {}
        self._thread = threading.local()
        self.outbox = Outbox(server)
        self.courier: Courier | None = None
        """Who posts beside a real port."""

    @property
    def faults(self) -> DeliveryFaults:
        """What is to go wrong: ``stub.webhooks.faults.add("duplicate")``."""
        return self.outbox.faults

    @property
    def deliveries(self) -> list[Document]:
        """Every delivery of every company, oldest first: what is pending, and what became of the others."""
        with self._server.lock:
            return [doc for deliveries in self._server.store.across(DELIVERY) for doc in deliveries]

    def receive(self, url: str, handler: Handler) -> None:
        """Have `handler` called for what is posted to `url`, and at once for what waits for it.

        It gets the headers, by names in lower case, and the body; it returns a status (and headers). An exception of
        it is a 500, as it would be of a web application; the log of the delivery names it.
        """
        self._receivers[url] = handler
        self.deliver()

    def receives(self, endpoint: Document) -> bool:
        """Tell whether somebody in this process receives what is posted to an endpoint."""
        return endpoint["url"] in self._receivers

    def hand_over(self, attempt: Attempt) -> Outcome | None:
        """Call the receiver of an attempt; None where there is none in this process."""
        handler = self._receivers.get(attempt.url)
        if handler is None:
            return None
        began = time.perf_counter()
        try:
            answered = handler({name.lower(): value for name, value in attempt.headers.items()}, attempt.body)
            status, given = _read(answered)
        except Exception as error:  # whatever a handler raises is its answer, as it is of a web application
            return Outcome(500, f"{type(error).__name__}: {error}", time.perf_counter() - began)
        return Outcome(status, None, time.perf_counter() - began, retry_after(given, self._server.clock.now()))

    def deliver(self) -> None:
        """Post what is due to the receivers, until nothing is left. What a handler causes is posted when it is done."""
        if self.courier is not None:
            self.courier.wake()
            return
        if not self._receivers or getattr(self._thread, "busy", False):
            return
        self._thread.busy = True
        try:
            count = 0
            while attempts := self.outbox.due(self.receives):
                try:
                    for attempt in attempts:
                        self.outbox.settle(attempt, post_or_fail(attempt, self.hand_over))
                finally:
                    self.outbox.release(attempts)
                count += len(attempts)
                if count > _ENOUGH:
                    raise RuntimeError(f"{count} deliveries came of one call: does a handler cause what it handles?")
        finally:
            self._thread.busy = False

    def snapshot(self) -> Any:
        """Return the present state, for `restore`: the faults. Receivers stay, deliveries are data."""
        return self.faults.snapshot()

    def restore(self, state: Any) -> None:
        """Go back to a snapshot."""
        self.faults.restore(state)
        self.outbox.forget()


def _read(answered: object) -> tuple[int, dict[str, str]]:
    """Return the status and the headers of a handler's answer. Raises TypeError for what is none."""
    both = cast("tuple[object, ...]", answered) if isinstance(answered, tuple) else (answered, dict[str, str]())
    status, given = both if both[:1] != (None,) else (204, *both[1:])
    if not isinstance(status, int) or isinstance(status, bool) or not isinstance(given, Mapping):
        raise TypeError(f"a handler returns a status, a status with headers, or None, and not {answered!r:.80}")
    return status, {str(name).lower(): str(value) for name, value in cast("Mapping[object, object]", given).items()}


def post_or_fail(attempt: Attempt, post: Callable[[Attempt], Outcome | None]) -> Outcome:
    """Post an attempt and return its outcome; a fault decides the outcome instead."""
    if attempt.fault == "refuse":
        return Outcome(error="no connection: the test refused it")
    if attempt.fault == "lose":
        return Outcome(204)
    outcome = post(attempt) or Outcome(error="nobody receives it any more")
    if attempt.fault == "drop":
        return Outcome(error=f"no answer within {TIMEOUT:g} s: the test dropped it", duration=TIMEOUT)
    return outcome
