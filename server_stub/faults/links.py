"""Faults of live connections, which a test sets up: for the next events, or at random."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias, get_args

LiveFaultKind: TypeAlias = Literal[
    "drop", "duplicate", "delay", "reorder", "corrupt", "abort", "close", "stall", "half_open", "refuse"
]
"""``drop``: the event is lost. ``duplicate``: it is sent twice. ``delay``: it is sent late, after later events.
``reorder``: it is sent after the next one. ``corrupt``: half of it is sent. ``abort``: the connection is lost.
``close``: it is closed. ``stall``: nothing is sent for some time. ``half_open``: nothing is sent any more, and the
client is not notified. ``refuse``: the connection is lost, and new ones are refused for some time."""
KINDS: tuple[LiveFaultKind, ...] = get_args(LiveFaultKind)


@dataclass(frozen=True, slots=True)
class LiveFault:
    """A fault that happens when an event is about to be sent."""

    kind: LiveFaultKind
    event: str | None = None
    """The event, such as ``lead.created``; None for all."""
    seconds: float = 1.0
    """The duration of a ``delay``, ``stall`` or ``refuse``, and the longest wait of a ``reorder`` for an event."""
    code: int = 1012
    """The close code of a ``close``."""
    times: int | None = 1
    """The number of times the fault happens; None for always."""
    after: int = 0
    """The number of matching events without a fault before the first one with it."""
    rate: float = 1.0
    """The probability of the fault at a matching event."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is not a kind of fault; use one of {', '.join(KINDS)}")
        if not 0 <= self.rate <= 1:
            raise ValueError(f"a rate is between 0 and 1, not {self.rate}")
        if self.seconds <= 0 or self.after < 0 or (self.times is not None and self.times < 1):
            raise ValueError("seconds are more than 0, times at least 1 and after at least 0")


State: TypeAlias = tuple[
    Sequence[tuple[LiveFault, int, int]],
    Mapping[LiveFaultKind, int],
    tuple[datetime | None, int | None] | None,
    tuple[int, int] | None,
    Any,
]


class LiveFaults:
    """The faults that are set up, in order; of several that match an event, the first one happens."""

    __slots__ = ("_random", "_set_up", "closing", "fault_counts", "refusing")

    def __init__(self) -> None:
        self._set_up: list[tuple[LiveFault, int, int]] = []  # the fault, fitting events seen, times it happened
        self._random = random.Random(0)
        self.fault_counts: Counter[LiveFaultKind] = Counter()
        """The number of times that each kind of fault happened."""
        self.refusing: tuple[datetime | None, int | None] | None = None
        """Until when connections are refused, or how many."""
        self.closing: tuple[int, int] | None = None
        """The number of next connections that are closed at once, and the close code."""

    def add(self, fault: LiveFault) -> LiveFault:
        """Set up a fault."""
        self._set_up.append((fault, 0, 0))
        return fault

    def seed(self, seed: int) -> None:
        """Seed the random generator of faults with a `rate`."""
        self._random = random.Random(seed)

    def take(self, event: str) -> LiveFault | None:
        """Return the fault that happens to an event, and count it."""
        if not self._set_up:
            return None
        taken: LiveFault | None = None
        left: list[tuple[LiveFault, int, int]] = []
        for fault, seen, happened in self._set_up:
            if taken is None and fault.event in (None, event):
                seen += 1
                if seen > fault.after and (fault.rate == 1 or self._random.random() < fault.rate):
                    taken = fault
                    happened += 1
            if fault.times is None or happened < fault.times:
                left.append((fault, seen, happened))
        self._set_up = left
        if taken is not None:
            self.fault_counts[taken.kind] += 1
        return taken

    @property
    def pending(self) -> tuple[LiveFault, ...]:
        """The faults that can still happen."""
        return tuple(fault for fault, _, _ in self._set_up)

    def clear(self) -> None:
        """Remove all faults."""
        self._set_up = []
        self.refusing = self.closing = None

    def snapshot(self) -> State:
        """Return the present state, for `restore`."""
        return tuple(self._set_up), dict(self.fault_counts), self.refusing, self.closing, self._random.getstate()

    def restore(self, state: State) -> None:
        """Go back to a snapshot."""
        set_up, happened, self.refusing, self.closing, chances = state
        self._set_up = list(set_up)
        self.fault_counts = Counter(happened)
        self._random.setstate(chances)
