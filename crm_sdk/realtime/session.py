"""One live link, kept: connect, listen, notice its death, connect again. A generator that does no I/O.

It yields what it wants done and is handed the outcome; what the network does wrong is thrown into it. `drivers` carry
it out, sync and async. What is spoken on the link is a `Line`'s business: the events of ``/ws`` and SSE
(``feed.py``) or Phoenix channels (``phoenix.py``).
"""

from __future__ import annotations

import random
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from ..errors import ConnectionFailedError, CrmError, NetworkError, RateLimitError, ServerError
from ..exchange import Clock
from ..retry import retry_after
from .sockets import Data, SocketClosedError, SocketRefusedError

STABLE_SECONDS = 5.0
STABLE_EVENTS = 5
"""A link that lasted so long, or brought so many events, has proved stable: the next wait is a short one again."""
MOVED_CAP = 1.0
"""The longest wait after a link that brought at least something, in seconds."""
EXPIRED = 4401
"""The close code of a server whose patience with a credential has ended: renew it, connect again."""
LONGEST_ASKED = 3600.0
"""The longest wait that a server may ask for, in seconds."""
PASSING = (NetworkError, ServerError, RateLimitError)
"""What may keep a credential from being renewed now and not the next time."""
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_LISTEN = 1.0
"""The longest time to listen before looking at the clock again, in seconds."""
_FULL = 0.05
"""How long to wait for a reader who is behind, in seconds, before looking again."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Where to connect; made anew for each attempt, because credentials and positions change."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    subprotocols: Sequence[str] = field(default=(), repr=False)
    bearer: str | None = field(default=None, repr=False)
    """The credential in it, to be renewed if it is refused."""


@dataclass(frozen=True, slots=True)
class Open:
    """Connect."""

    opening: Opening


@dataclass(frozen=True, slots=True)
class Transmit:
    """Send a message."""

    data: Data


@dataclass(frozen=True, slots=True)
class Receive:
    """Bring the next message, or None after so many seconds."""

    timeout: float


@dataclass(frozen=True, slots=True)
class Ping:
    """Ask the other side for a sign of life."""


@dataclass(frozen=True, slots=True)
class Alive:
    """Tell whether the last ping was answered."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close the link."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Renew:
    """Renew the credential that was refused; the outcome tells whether there is a new one."""

    stale: str


Step: TypeAlias = Open | Transmit | Receive | Ping | Alive | HangUp | Pause | Renew


class Line(Protocol):
    """What is spoken on a link."""

    heartbeat: float
    """Seconds between two pings; 0 where the line has signs of life of its own, see `due`."""

    asked: float
    """Seconds the other side wants to have between two connections; 0 where it does not say."""

    @property
    def progress(self) -> int:
        """How many events it has passed on."""
        ...

    def opening(self) -> Opening:
        """Return where to connect."""
        ...

    def opened(self, now: float) -> Iterable[Data]:
        """Return what to say first."""
        ...

    def received(self, data: Data, now: float) -> Iterable[Data]:
        """Take a message; return what to say to it."""
        ...

    def idle(self) -> None:
        """Note that nothing came for as long as it had patience."""
        ...

    def due(self, now: float) -> Iterable[Data]:
        """Return what is to be said by now. Raises SocketClosedError where the other side shows no sign of life."""
        ...

    def wants_anew(self, now: float) -> bool:
        """Tell whether only a new connection brings what is missing."""
        ...

    def patience(self, now: float) -> float:
        """Return the seconds until `due` has something to say, as far as known."""
        ...

    @property
    def full(self) -> bool:
        """Whether it can take nothing at the moment."""
        ...

    def lost(self) -> None:
        """Note that the link is gone."""
        ...

    def failed(self, error: CrmError) -> None:
        """Note why there is no link; it will be tried again."""
        ...

    def refusal(self, refused: SocketRefusedError) -> CrmError:
        """Return the error that a refusal means."""
        ...


class Backoff:
    """How long to wait before connecting again: twice as long each time, and never in step with other clients."""

    def __init__(self, first: float = 0.1, cap: float = 30.0, rng: random.Random | None = None) -> None:
        self._first, self._cap = first, cap
        self._attempt = 0
        self._rng = rng or random.Random()

    def wait(self, *, moved: bool = False) -> float:
        """Return the seconds to wait now: between half of the step and all of it. Short after a link that did move."""
        step = min(MOVED_CAP if moved else self._cap, self._first * 2.0 ** min(self._attempt, 16))
        self._attempt += 1
        return step * self._rng.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Begin with the short waits again."""
        self._attempt = 0


Keeping: TypeAlias = Generator[Step, Any, None]


def keep(line: Line, clock: Clock, backoff: Backoff) -> Keeping:
    """Keep a link up until the driver ends it. Raises what no further attempt can mend."""
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
            error = line.refusal(refused)
            if refused.status not in _TRANSIENT:
                raise error from None
            line.failed(error)
            yield _pause(backoff.wait(), retry_after(refused.headers) or line.asked)
            continue
        except NetworkError as error:
            line.failed(error)
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
                with suppress(*PASSING):  # then the next connection is refused, and it is tried again
                    yield Renew(opening.bearer)
        line.lost()
        yield HangUp()
        moved = line.progress - before
        if moved >= STABLE_EVENTS or clock.monotonic() - since >= STABLE_SECONDS:
            backoff.reset()
        if not (anew and moved):  # a feed that moves is resumed at once
            yield _pause(backoff.wait(moved=moved > 0), line.asked)


def _pause(own: float, asked: float) -> Pause:
    return Pause(max(own, min(asked, LONGEST_ASKED)))


def _converse(line: Line, clock: Clock) -> Keeping:
    """Talk until the line wants a new connection. Raises SocketClosedError where the link is lost, or seems dead."""
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
        if line.full:  # its own signs of life cannot be heard either
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
