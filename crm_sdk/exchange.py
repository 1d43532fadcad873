"""One call from request to reply: send, retry, refresh the token once. The generator `exchange` does no I/O.

It yields steps (`Send`, `Sleep`, …) and receives their results; a network error is thrown into it. The drivers `run`
and `run_async` carry out the steps: only they differ between the sync and the async client.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from .errors import ApiError, DeadlineExceededError, InvalidResponseError, NetworkError
from .network.retry import Retry, RetryBudget, may_repeat_answer, may_repeat_failure, retry_after
from .secrecy import Hidden

if TYPE_CHECKING:
    from .credentials import Credentials

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, ready to be sent; `url` is absolute."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)  # the headers have the credential, and the body may have a password
    content: bytes | None = field(default=None, repr=False)
    files: Mapping[str, Any] | None = field(default=None, repr=False)
    """Parts of a multipart body, in the form that httpx takes; `content` is then None."""
    stream: bool = False
    """Do not read the body of a successful reply; `Reply.body` then has it."""

    @property
    def place(self) -> str:
        """Method and URL for messages, without the query, which may have data that do not belong into a log."""
        return f"{self.method} {self.url.partition('?')[0]}"


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP reply. Header names are lower-case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(default=b"", repr=False)
    body: Any = field(default=None, repr=False)
    """The unread body of a streamed reply: a `BodyStream` or an `AsyncBodyStream` of `http`."""


class Clock(Protocol):
    """The clock by which a client measures time and waits. With the stub's clock, waiting in a test takes no time."""

    def monotonic(self) -> float:
        """Return a time in seconds that never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    async def sleep_async(self, seconds: float) -> None:
        """Wait without blocking the event loop."""
        ...


class SystemClock:
    """The machine's clock."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    async def sleep_async(self, seconds: float) -> None:
        """Wait without blocking the event loop (asyncio or trio)."""
        import anyio

        await anyio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request; fail after `timeout` seconds."""

    request: Request
    timeout: float


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Refresh:
    """Renew the credentials by `steps`, unless another call has replaced the token `stale` in the meantime.

    A call that waits for the renewal by another call gives up after `timeout` seconds.
    """

    credentials: Credentials
    stale: str | None = field(repr=False)
    timeout: float
    steps: Callable[[], Steps[None]]


@dataclass(frozen=True, slots=True)
class Discard:
    """Close the unread body of a streamed reply."""

    body: Any


Step: TypeAlias = Send | Sleep | Refresh | Discard
Steps: TypeAlias = Generator[Step, Any, T]


@dataclass(slots=True)
class Habits:
    """Facts that a client has learned about its server."""

    honours_keys: bool = False
    """It echoed an ``Idempotency-Key``, so a repeated POST does its work once."""
    budget: RetryBudget = field(default_factory=RetryBudget)
    writes: int = 0
    """How many requests that may change records were sent."""
    reported: set[tuple[str, str, str]] = field(default_factory=lambda: set[tuple[str, str, str]]())
    """The kinds of mismatches that were logged."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of one call: deadline, retries and credentials."""

    timeout: float
    retry: Retry
    clock: Clock
    credentials: Credentials
    habits: Habits
    refresh: Callable[[float], Steps[None]] | None = None
    """Return steps that renew the credentials within a number of seconds; None for a call that needs no token."""
    safe: bool = False
    """Whether the call is a POST that only reads, which is repeated like a GET."""
    idempotent_writes: bool = False
    """Whether the user has stated that the server honours ``Idempotency-Key``."""

    def repeats_by_key(self, request: Request) -> bool:
        """Tell whether the server gives its first answer again where a request comes again with its key."""
        return "Idempotency-Key" in request.headers and (self.idempotent_writes or self.habits.honours_keys)


def exchange(request: Request, terms: Terms, deadline: float | None = None) -> Steps[Reply]:
    """Send a request, and repeat it where that is safe, until the clock's `deadline` (``terms.timeout`` from now)."""
    clock, retry, habits = terms.clock, terms.retry, terms.habits
    if deadline is None:
        deadline = clock.monotonic() + terms.timeout
    key = request.headers.get("Idempotency-Key")
    method = "GET" if terms.safe else request.method
    if method not in ("GET", "HEAD"):
        habits.writes += 1
    attempt = 0
    began = refreshed = False
    failure: NetworkError | None = None
    while True:
        remaining = deadline - clock.monotonic()
        if remaining <= 0:
            raise _too_late(request, terms, attempt, sent=attempt > 0) from failure
        if terms.credentials.access is None and terms.credentials.renewable and terms.refresh and not began:
            began = True
            yield _renewal(terms, None, terms.refresh, deadline)
            continue
        bearer = Hidden(terms.credentials.access)
        harmless = terms.repeats_by_key(request)
        try:
            reply: Reply = yield Send(_with_bearer(request, bearer.value), remaining)
        except NetworkError as error:
            failure = error
            error.idempotency_key = key
            if isinstance(error, DeadlineExceededError) and deadline - clock.monotonic() <= 0:
                raise _too_late(request, terms, attempt + error.sent, sent=error.sent or attempt > 0) from error
            if attempt >= retry.limit or not may_repeat_failure(method, error, harmless=harmless):
                raise
            wait = retry.wait(attempt)
            if clock.monotonic() + wait >= deadline or not habits.budget.take(clock.monotonic()):
                raise
        else:
            if key is not None and reply.headers.get("idempotency-key") == key:
                habits.honours_keys = harmless = True
            if reply.status < 400:
                habits.budget.succeed()
                return reply
            stale = bearer.value if reply.status == 401 and not _is_about_a_code(reply) else None
            if stale and not refreshed and terms.refresh and terms.credentials.renewable:
                refreshed = True
                yield _renewal(terms, stale, terms.refresh, deadline)
                if terms.credentials.access in (None, stale):
                    return reply  # the token could not be renewed, or the session has ended: the caller gets the 401
                continue
            asked = retry_after(reply.headers)
            if attempt >= retry.limit or not may_repeat_answer(method, reply.status, asked, harmless=harmless):
                return reply
            left = deadline - clock.monotonic()
            wait = retry.wait(attempt) if asked is None else min(retry.wait_as_asked(asked), max(asked, left * 0.9))
            if wait >= left:
                return reply  # waiting would outlast the deadline: the caller learns now, with `retry_after`
            if reply.status != 429 and not habits.budget.take(clock.monotonic()):
                return reply
        attempt += 1
        yield Sleep(wait)


def settle(request: Request, reply: Reply, terms: Terms, deadline: float, read: Callable[[Reply], T]) -> Steps[T]:
    """Return what `read` makes of a reply; its errors have the request's idempotency key.

    What a POST did stands, though its answer cannot be read: where the server answers a key as it did before, it is
    asked once more.
    """
    repeatable = terms.retry.limit > 0 and terms.repeats_by_key(request)
    while True:
        try:
            return read(reply)
        except (ApiError, InvalidResponseError) as error:
            error.idempotency_key = request.headers.get("Idempotency-Key")
            if reply.body is not None:
                yield Discard(reply.body)
            if not repeatable or isinstance(error, ApiError):
                raise
        repeatable = False
        reply = yield from exchange(request, terms, deadline)


def _is_about_a_code(reply: Reply) -> bool:
    """Tell whether a 401 is about what the caller has typed: it would be wrong with another token, too."""
    return any(code in reply.content for code in (b'"INVALID_MFA_CODE"', b'"INVALID_CREDENTIALS"'))


def _renewal(terms: Terms, stale: str | None, refresh: Callable[[float], Steps[None]], deadline: float) -> Refresh:
    def left() -> float:
        return max(0.001, deadline - terms.clock.monotonic())

    return Refresh(terms.credentials, stale, left(), lambda: refresh(left()))


def _with_bearer(request: Request, bearer: str | None) -> Request:
    if bearer is None or "Authorization" in request.headers:
        return request
    return replace(request, headers={**request.headers, "Authorization": f"Bearer {bearer}"})


def _too_late(request: Request, terms: Terms, attempts: int, *, sent: bool) -> DeadlineExceededError:
    times = {0: "never", 1: "once"}.get(attempts, f"{attempts} times")
    error = DeadlineExceededError(
        f"{request.place} got no answer within {terms.timeout:g} s (sent {times}); "
        "a longer `timeout=` gives it more time",
        sent=sent,
    )
    error.idempotency_key = request.headers.get("Idempotency-Key")
    return error


def running_loop() -> object:
    """Return the running event loop of asyncio or trio, to which connections and locks of async code belong."""
    import asyncio

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        trio: Any = sys.modules.get("trio")
        return trio.lowlevel.current_trio_token() if trio is not None else None


class Link(Protocol):
    """Sends a request over the network and returns the reply."""

    def send(self, request: Request, timeout: float) -> Reply:
        """Send, or raise a `NetworkError`."""
        ...


class AsyncLink(Protocol):
    """Sends a request over the network and returns the reply."""

    async def send(self, request: Request, timeout: float) -> Reply:
        """Send, or raise a `NetworkError`."""
        ...


def run(steps: Steps[T], link: Link, clock: Clock) -> T:
    """Carry out the steps, blocking."""
    try:
        step = next(steps)
        while True:
            try:
                outcome: Reply | None = None
                if isinstance(step, Send):
                    outcome = link.send(step.request, step.timeout)
                elif isinstance(step, Sleep):
                    clock.sleep(step.seconds)
                elif isinstance(step, Discard):
                    step.body.close()
                else:
                    lock = step.credentials.lock
                    if lock.acquire(timeout=step.timeout):
                        try:
                            if step.credentials.access == step.stale:
                                run(step.steps(), link, clock)
                        finally:
                            lock.release()
            except NetworkError as error:
                step = steps.throw(error)
            else:
                step = steps.send(outcome)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return] # a generator's return value is Any to the type checker


async def run_async(steps: Steps[T], link: AsyncLink, clock: Clock) -> T:
    """Carry out the steps on the event loop."""
    try:
        step = next(steps)
        while True:
            try:
                outcome: Reply | None = None
                if isinstance(step, Send):
                    outcome = await link.send(step.request, step.timeout)
                elif isinstance(step, Sleep):
                    await clock.sleep_async(step.seconds)
                elif isinstance(step, Discard):
                    await step.body.aclose()
                else:
                    import anyio

                    with anyio.move_on_after(step.timeout):
                        async with step.credentials.async_lock(running_loop()):
                            if step.credentials.access == step.stale:
                                await run_async(step.steps(), link, clock)
            except NetworkError as error:
                step = steps.throw(error)
            else:
                step = steps.send(outcome)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return] # a generator's return value is Any to the type checker
