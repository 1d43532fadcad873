"""A session keeps one connection open: it connects, listens, detects a dead connection and connects again. No I/O.

It is a generator: it yields steps and receives their results; network errors are thrown into it. The sync and the async
driver carry out the steps. The protocol on the connection is that of a `Line`: the events of ``/ws`` and SSE
(``feed.py``), or Phoenix channels (``phoenix.py``).
"""

from __future__ import annotations

import random
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from ..errors import ConnectionFailedError, CrmError, NetworkError, RateLimitError, ServerError
from ..exchange import Clock
from ..network.retry import retry_after
from ..secrecy import redacted_content, without_frames
from .sockets import Data, SocketClosedError, SocketRefusedError

STABLE_SECONDS = 5.0
STABLE_EVENTS = 5
"""A connection that lasted so many seconds, or had so many events, counts as stable: the backoff begins anew."""
MOVED_CAP = 1.0
"""The longest wait in seconds after a connection that had at least one event."""
EXPIRED = 4401
"""The close code for an expired credential: renew it and connect again."""
LONGEST_ASKED = 3600.0
"""The longest wait that a server may ask for, in seconds."""
PASSING = (NetworkError, ServerError, RateLimitError)
"""Errors of a renewal of the credential after which another attempt may succeed."""
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_LISTEN = 1.0
"""The longest time to listen before looking at the clock again, in seconds."""
_FULL = 0.05
"""Seconds to wait for a slow reader before looking at the mailbox again."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The request that opens a connection, made for each attempt, since credentials and positions change."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    subprotocols: Sequence[str] = field(default=(), repr=False)
    bearer: str | None = field(default=None, repr=False)
    """The credential in the request, which is renewed if it is refused."""


@dataclass(frozen=True, slots=True)
class Open:
    """Open a connection."""

    opening: Opening


@dataclass(frozen=True, slots=True)
class Transmit:
    """Send a message."""

    data: Data


@dataclass(frozen=True, slots=True)
class Receive:
    """Return the next message, or None after `timeout` seconds."""

    timeout: float


@dataclass(frozen=True, slots=True)
class Ping:
    """Send a ping."""


@dataclass(frozen=True, slots=True)
class Alive:
    """Return whether the last ping was answered."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close the connection."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Renew:
    """Renew the refused credential, and return whether there is a new one."""

    stale: str = field(repr=False)


Step: TypeAlias = Open | Transmit | Receive | Ping | Alive | HangUp | Pause | Renew


class Line(Protocol):
    """The protocol on a connection."""

    heartbeat: float
    """Seconds between two pings; 0 where the line has its own heartbeat, see `due`."""

    asked: float
    """Seconds that the server asks to wait before the next connection; 0 where it does not tell."""

    @property
    def progress(self) -> int:
        """The number of events that were passed on."""
        ...

    def opening(self) -> Opening:
        """Return the request that opens the connection."""
        ...

    def opened(self, now: float) -> Iterable[Data]:
        """Return the first messages to send on a new connection."""
        ...

    def received(self, data: Data, now: float) -> Iterable[Data]:
        """Process a message; return the messages to send in answer."""
        ...

    def idle(self) -> None:
        """Note that no message came within `patience`."""
        ...

    def due(self, now: float) -> Iterable[Data]:
        """Return the messages that are due. Raises: SocketClosedError where the server has been silent for too long."""
        ...

    def wants_anew(self, now: float) -> bool:
        """Return whether a new connection is needed to fetch missing events."""
        ...

    def patience(self, now: float) -> float:
        """Return the seconds until `due` has a message to send, as far as known."""
        ...

    @property
    def full(self) -> bool:
        """Whether no message can be accepted at the moment."""
        ...

    def lost(self) -> None:
        """Note that the connection was lost."""
        ...

    def failed(self, error: CrmError) -> None:
        """Note why there is no connection; another attempt follows."""
        ...

    def refusal(self, refused: SocketRefusedError) -> CrmError:
        """Return the error for a refused connection."""
        ...


class Backoff:
    """The waits between attempts to connect: exponential, with jitter."""

    def __init__(self, first: float = 0.1, cap: float = 30.0, rng: random.Random | None = None) -> None:
        self._first, self._cap = first, cap
        self._attempt = 0
        self._rng = rng or random.Random()

    def wait(self, *, moved: bool = False) -> float:
        """Return the next wait: from half of the step to the whole step; shorter after a connection that had events."""
        step = min(MOVED_CAP if moved else self._cap, self._first * 2.0 ** min(self._attempt, 16))
        self._attempt += 1
        return step * self._rng.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Begin again with the shortest wait."""
        self._attempt = 0


Keeping: TypeAlias = Generator[Step, Any, None]


def keep(line: Line, clock: Clock, backoff: Backoff) -> Keeping:
    """Keep a connection open until the driver ends it. Raises the first error that another attempt cannot solve."""
    renewed = False
    while True:
        opening = line.opening()
        try:
            yield Open(opening)
        except SocketRefusedError as refused:
            if refused.status in (401, 403) and not renewed and opening.bearer is not None:
                try:
                    renewed = yield Renew(opening.bearer)
                except PASSING as failure:
                    line.failed(failure)
                    yield Pause(backoff.wait())
                    continue
                if renewed:
                    continue
            refused.body = redacted_content(refused.body, [opening.bearer])
            error = line.refusal(refused)
            if refused.status not in _TRANSIENT:
                raise error from None
            line.failed(error)
            yield _pause(backoff.wait(), retry_after(refused.headers) or line.asked)
            continue
        except NetworkError as error:
            line.failed(without_frames(error))  # frames that have the headers
            yield _pause(backoff.wait(), line.asked)
            continue
        renewed = False
        since, before = clock.monotonic(), line.progress
        anew = False
        try:
            yield from _converse(line, clock)
            anew = True
        except SocketClosedError as closed:
            line.failed(ConnectionFailedError(f"{opening.url.partition('?')[0]}: the link was {closed}"))
            if closed.code == EXPIRED and opening.bearer is not None:
                yield HangUp()
                with suppress(*PASSING):  # the next connection will be refused, which renews again
                    yield Renew(opening.bearer)
        line.lost()
        yield HangUp()
        moved = line.progress - before
        if moved >= STABLE_EVENTS or clock.monotonic() - since >= STABLE_SECONDS:
            backoff.reset()
        if not (anew and moved):  # a feed that had events is resumed at once
            yield _pause(backoff.wait(moved=moved > 0), line.asked)


def _pause(own: float, asked: float) -> Pause:
    return Pause(max(own, min(asked, LONGEST_ASKED)))


def _converse(line: Line, clock: Clock) -> Keeping:
    """Exchange messages until the line wants a new connection.

    Raises: SocketClosedError where the connection is lost, or seems dead.
    """
    now = clock.monotonic()
    for data in line.opened(now):
        yield Transmit(data)
    pinged: float | None = None
    heard = now
    while True:
        now = clock.monotonic()
        for data in line.due(now):
            yield Transmit(data)
        if line.wants_anew(now):
            return
        if line.heartbeat and now - max(heard, pinged or 0.0) >= line.heartbeat:
            if pinged is not None and pinged > heard and not (yield Alive()):
                raise SocketClosedError(None, f"no sign of life for {now - heard:.0f} s")
            yield Ping()
            pinged = now
        if line.full:  # answers to pings cannot be received either
            yield Pause(_FULL)
            heard = clock.monotonic()
            continue
        data = yield Receive(max(0.0, min(line.patience(now), _LISTEN)))
        if data is not None:
            heard = clock.monotonic()
            for answer in line.received(data, heard):
                yield Transmit(answer)
        else:
            line.idle()
