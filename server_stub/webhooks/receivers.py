"""Receivers of webhooks in the same process, which a test registers.

After ``stub.webhooks.receive("https://app.test/hook", handler)``, deliveries to that URL call ``handler(headers,
body)``: after the call that caused them, in its thread and without the server's lock, so that the handler can call the
server. Deliveries without a receiver stay pending, and are listed in ``stub.webhooks.deliveries``. Beside a real port,
a courier (see `courier`) posts all deliveries from its own threads: those without a receiver here over the network.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from crm_sdk.network.retry import retry_after

from ..data.document import Document
from ..faults.deliveries import DeliveryFaults
from .attempts import TIMEOUT, Attempt, Outcome
from .outbox import Outbox
from .records import DELIVERY

if TYPE_CHECKING:
    from ..core import StubServer
    from .courier import Courier

Answered = int | tuple[int, Mapping[str, str]] | None
"""The answer of a handler: a status, a status with headers, or None for 204."""
Handler = Callable[[Mapping[str, str], bytes], Answered]
_ENOUGH = 10_000
"""The greatest number of attempts that one call may cause; more mean that a handler causes its own events."""


class Webhooks:
    """``stub.webhooks``: the receivers in this process, and the log of deliveries."""

    def __init__(self, server: StubServer) -> None:
        self._server = server
        self._receivers: dict[str, Handler] = {}
        self._thread = threading.local()
        self.outbox = Outbox(server)
        self.courier: Courier | None = None
        """The courier, which posts deliveries beside a real port."""

    @property
    def faults(self) -> DeliveryFaults:
        """The faults of deliveries: ``stub.webhooks.faults.add("duplicate")``."""
        return self.outbox.faults

    @property
    def deliveries(self) -> list[Document]:
        """All deliveries of all companies, oldest first, with their status and attempts."""
        with self._server.lock:
            return [doc for deliveries in self._server.store.across(DELIVERY) for doc in deliveries]

    def receive(self, url: str, handler: Handler) -> None:
        """Call `handler` for deliveries to `url`, including those that are already waiting.

        It gets the headers, with names in lower case, and the body; it returns a status, or a status with headers. An
        exception counts as a 500, as in a web application, and is named in the log of the delivery.
        """
        self._receivers[url] = handler
        self.deliver()

    def receives(self, endpoint: Document) -> bool:
        """Return whether an endpoint has a receiver in this process."""
        return endpoint["url"] in self._receivers

    def hand_over(self, attempt: Attempt) -> Outcome | None:
        """Call the receiver of an attempt and return its outcome; None where there is none in this process."""
        handler = self._receivers.get(attempt.url)
        if handler is None:
            return None
        began = time.perf_counter()
        try:
            answered = handler({name.lower(): value for name, value in attempt.headers.items()}, attempt.body)
            status, given = _read(answered)
        except Exception as error:  # an exception of a handler is an answer of 500, as in a web application
            return Outcome(500, f"{type(error).__name__}: {error}", time.perf_counter() - began)
        return Outcome(status, None, time.perf_counter() - began, retry_after(given, self._server.clock.now()))

    def deliver(self) -> None:
        """Post all due deliveries to their receivers, including those that handlers cause, which are posted later."""
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
        """Return the faults, for `restore`. Receivers are not restored; deliveries belong to the data."""
        return self.faults.snapshot()

    def restore(self, state: Any) -> None:
        """Go back to a snapshot."""
        self.faults.restore(state)
        self.outbox.forget()


def _read(answered: object) -> tuple[int, dict[str, str]]:
    """Return the status and the headers of a handler's answer. Raises: TypeError for an invalid answer."""
    both = cast("tuple[object, ...]", answered) if isinstance(answered, tuple) else (answered, dict[str, str]())
    status, given = both if both[:1] != (None,) else (204, *both[1:])
    if not isinstance(status, int) or isinstance(status, bool) or not isinstance(given, Mapping):
        raise TypeError(f"a handler returns a status, a status with headers, or None, and not {answered!r:.80}")
    return status, {str(name).lower(): str(value) for name, value in cast("Mapping[object, object]", given).items()}


def post_or_fail(attempt: Attempt, post: Callable[[Attempt], Outcome | None]) -> Outcome:
    """Post an attempt and return its outcome; a fault replaces the outcome."""
    if attempt.fault == "refuse":
        return Outcome(error="no connection: the test refused it")
    if attempt.fault == "lose":
        return Outcome(204)
    outcome = post(attempt) or Outcome(error="nobody receives it any more")
    if attempt.fault == "drop":
        return Outcome(error=f"no answer within {TIMEOUT:g} s: the test dropped it", duration=TIMEOUT)
    return outcome
