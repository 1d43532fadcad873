"""Receive deliveries: check each, call its handler once, and return the answer. The only I/O is the store's."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import secrets as randomness
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, Literal, Protocol, TypeAlias, TypeVar, cast, overload

from ..errors import ConfigurationError, WebhookError, WebhookPayloadError, WebhookSignatureError
from ..models.events import (
    AgentCompleted,
    Event,
    IntegrationError,
    LeadCreated,
    LeadUpdated,
    MessageReceived,
    UnknownEvent,
)
from .delivery import TOLERANCE, Delivery, open_delivery, seconds_of, usable
from .headers import Headers
from .signing import Payload, Secret
from .stores import EventStore, MemoryEventStore

E = TypeVar("E")
R = TypeVar("R")
Steps: TypeAlias = Generator[Callable[[], object], Any, "Outcome"]

LIMIT: Final = 1024 * 1024
"""The greatest size of a body in bytes."""
_AGAIN = 10

_log = logging.getLogger("crm_sdk.webhooks")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a delivery, and the answer to send."""

    status: int
    """The HTTP status of the answer; 200 where the sender need not send the delivery again."""
    result: Literal["done", "duplicate", "ignored", "running", "failed", "unavailable", "refused"]
    event: Event | None = None
    error: Exception | None = None
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def body(self) -> bytes:
        """The JSON body of the answer. It does not tell why a delivery is refused, which would help an attacker."""
        return json.dumps({"result": self.result}).encode()


_JSON = ("Content-Type", "application/json")
_LATER = (_JSON, ("Retry-After", str(_AGAIN)))
TOO_LARGE: Final = Outcome(413, "refused", headers=(_JSON,))
WRONG_METHOD: Final = Outcome(405, "refused", headers=(_JSON, ("Allow", "POST")))


class Register(Protocol[E]):
    """A decorator that registers the handler of an event and returns it unchanged."""

    def __call__(self, handler: Callable[[E], R], /) -> Callable[[E], R]:
        """Register a handler."""
        ...


class Webhooks:
    """A receiver: the secrets it accepts, its handlers, and the store by which each delivery is processed once.

    `lease`, in seconds, must be longer than any handler takes: an older claim counts as that of a process that has
    died. `keep` is the time for which a processed delivery is remembered. Receivers with different names can share a
    store: each processes every delivery. `now` returns the present time; a test can pass the stub's ``clock.now``.

    Raises: ConfigurationError for a secret, a tolerance or a time that is not valid.
    """

    def __init__(
        self,
        secrets: Secret | Sequence[Secret],
        *,
        store: EventStore | None = None,
        tolerance: timedelta | float = TOLERANCE,
        lease: timedelta | float = 300,
        keep: timedelta | float = timedelta(days=30),
        require_standard: bool = False,
        name: str = "",
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self.store: EventStore = MemoryEventStore() if store is None else store
        self._secrets = usable(secrets)
        self._tolerance = seconds_of(tolerance, "tolerance")
        self._lease = seconds_of(lease, "lease", finite=True)
        self._keep = seconds_of(keep, "keep", finite=True)
        self._require_standard = require_standard
        self._prefix = f"{name}:" if name else ""
        self._now = now
        self._handlers: dict[str, Callable[[Any], object]] = {}

    @overload
    def on(self, event: Literal["lead.created"], /) -> Register[LeadCreated]: ...
    @overload
    def on(self, event: Literal["lead.updated"], /) -> Register[LeadUpdated]: ...
    @overload
    def on(self, event: Literal["message.received"], /) -> Register[MessageReceived]: ...
    @overload
    def on(self, event: Literal["agent.completed"], /) -> Register[AgentCompleted]: ...
    @overload
    def on(self, event: Literal["integration.error"], /) -> Register[IntegrationError]: ...
    @overload
    def on(self, event: str, /) -> Register[Any]: ...
    def on(self, event: str, /) -> Register[Any]:
        """Register the handler of an event, or of ``*`` for events without a handler. It may be a coroutine function.

        Raises: ConfigurationError for a second handler of the event: if one of two failed, both would run again.
        """

        def register(handler: Callable[[Any], R], /) -> Callable[[Any], R]:
            if self._handlers.setdefault(event, handler) is not handler:
                raise ConfigurationError(f"{event} has a handler already")
            return handler

        return register

    def handle(self, headers: Headers, body: Payload, *, received_at: datetime | None = None) -> Outcome:
        """Check a delivery, process it unless it was processed before, and return the answer.

        An invalid delivery raises nothing: the answer refuses it.
        """
        steps = self._steps(headers, body, received_at)
        try:
            step = next(steps)
            while True:
                try:
                    result = step()
                    if inspect.isawaitable(result):
                        result = _run_coroutine(result)
                except BaseException as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(result)
        except StopIteration as end:
            return cast(Outcome, end.value)

    async def handle_async(self, headers: Headers, body: Payload, *, received_at: datetime | None = None) -> Outcome:
        """Do the same as `handle` without blocking the event loop: a handler that is not async runs in a thread."""
        steps = self._steps(headers, body, received_at)
        try:
            step = next(steps)
            while True:
                try:
                    result = await _run_aside(step)
                except BaseException as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(result)
        except StopIteration as end:
            await _checkpoint()
            return cast(Outcome, end.value)

    def _steps(self, headers: Headers, body: Payload, received_at: datetime | None) -> Steps:
        """Yield the functions to call, receive their results, and return the outcome."""
        if received_at is None and self._now is not None:
            received_at = self._now()
        try:
            delivery = open_delivery(
                headers,
                body,
                self._secrets,
                tolerance=self._tolerance,
                received_at=received_at,
                require_standard=self._require_standard,
            )
            handler = self._handler(delivery.event)
        except WebhookError as error:
            _log.warning("a delivery was refused: %s", error)
            return Outcome(401 if isinstance(error, WebhookSignatureError) else 400, "refused", None, error, (_JSON,))
        if handler is None:
            return Outcome(200, "ignored", delivery.event, headers=(_JSON,))
        return (yield from self._once(delivery, partial(handler, delivery.event)))

    def _handler(self, event: Event) -> Callable[[Any], object] | None:
        handler = self._handlers.get(event.type)
        if handler is not None and isinstance(event, UnknownEvent) and event.mismatches:
            raise WebhookPayloadError(f"the data of a {event.type} cannot be read")
        return handler or self._handlers.get("*")

    def _once(self, delivery: Delivery, act: Callable[[], object]) -> Steps:
        claim = _Claim(self.store, randomness.token_hex(8), self._lease, self._keep)
        event = delivery.event
        first, *others = (self._prefix + key for key in delivery.keys)
        try:
            standing = yield partial(claim.take, first)
            if standing != "claimed":
                status, headers = (200, (_JSON,)) if standing == "done" else (503, _LATER)
                return Outcome(status, "duplicate" if standing == "done" else "running", event, headers=headers)
            for other in others:  # another delivery with the same content may have claimed them: that is another event
                yield partial(claim.take, other)
        except Exception as error:
            _log.exception("the store of webhook deliveries failed")
            yield claim.give_back
            return Outcome(503, "unavailable", event, error, _LATER)
        except BaseException:
            claim.give_back()
            raise
        try:
            yield act
        except Exception as error:
            _log.exception("the handler of %s failed; the sender will try again", event.type)
            yield claim.give_back
            return Outcome(500, "failed", event, error, (_JSON,))
        except BaseException:
            claim.give_back()  # not as a step: a cancelled task cannot wait
            raise
        try:
            yield claim.finish
        except BaseException:
            claim.finish()
            raise
        return Outcome(200, "done", event, headers=(_JSON,))


class _Claim:
    """The keys of a store that one delivery has claimed. Ending a claim raises nothing: errors are logged."""

    def __init__(self, store: EventStore, owner: str, lease: float, keep: float) -> None:
        self._store, self._owner, self._lease, self._keep = store, owner, lease, keep
        self._held: list[str] = []

    def take(self, key: str) -> str:
        standing = self._store.claim(key, self._owner, self._lease)
        if standing == "claimed":
            self._held.append(key)
        return standing

    def finish(self) -> None:
        for key in self._held:
            try:
                self._store.finish(key, self._owner, self._keep)
            except Exception:
                _log.exception("the store could not note that a webhook delivery is done")

    def give_back(self) -> None:
        for key in self._held:
            try:
                self._store.release(key, self._owner)
            except Exception:
                _log.exception("the store could not give a webhook delivery back; its lease will end")


def _run_coroutine(result: Any) -> object:
    """Run a coroutine handler to its end, from sync code."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(_await_result(result))
    if inspect.iscoroutine(result):
        result.close()
    raise ConfigurationError("a coroutine handler inside of an event loop needs `handle_async`")


async def _await_result(result: Any) -> object:
    return await result


async def _run_aside(step: Callable[[], object]) -> object:
    if inspect.iscoroutinefunction(step):
        return cast(object, await cast(Any, step()))
    result = await _in_thread(step)
    return await _await_result(result) if inspect.isawaitable(result) else result


async def _checkpoint() -> None:
    """Let a cancellation that was put off take effect here: later it would end what is awaited next, elsewhere."""
    from anyio.lowlevel import checkpoint

    await checkpoint()


async def _in_thread(step: Callable[[], object]) -> object:
    """Run a step in a thread to its end; a cancellation of the task takes effect afterwards.

    If a claim were released while its handler still runs, the handler could run twice at the same time.
    """
    import anyio
    from anyio.to_thread import run_sync

    try:
        task = asyncio.current_task()
    except RuntimeError:  # trio, whose `run_sync` already waits for the thread
        task = None
    if task is None:
        return await run_sync(step)
    thread, put_off = asyncio.ensure_future(run_sync(step)), 0
    with anyio.CancelScope(shield=True):
        while not thread.done():
            try:
                await asyncio.wait((thread,))
            except asyncio.CancelledError:
                put_off += 1
                task.uncancel()
    for _ in range(put_off):
        task.cancel()
    return thread.result()
