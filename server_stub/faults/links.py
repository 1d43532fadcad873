"""What a test lets go wrong with live connections: the next events, or any event at random."""

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
"""``drop``: the event is lost. ``duplicate``: it comes twice. ``delay``: it comes late, others pass it. ``reorder``: it
comes after the next one. ``corrupt``: half of it comes. ``abort``: the connection is lost instead. ``close``: it is
closed. ``stall``: nothing comes for a while. ``half_open``: nothing comes ever again, and the client is not told.
``refuse``: the connection is lost, and no other is accepted for a while."""
KINDS: tuple[LiveFaultKind, ...] = get_args(LiveFaultKind)


@dataclass(frozen=True, slots=True)
class LiveFault:
    """One thing to do wrong when an event is about to be sent."""

    kind: LiveFaultKind
    event: str | None = None
    """``lead.created``; None for all."""
    seconds: float = 1.0
    """How long a ``delay``, ``stall`` or ``refuse`` lasts, and a ``reorder`` waits for a next event."""
    code: int = 1012
    """What a ``close`` says."""
    times: int | None = 1
    """How often; None for always."""
    after: int = 0
    """How many fitting events go well first."""
    rate: float = 1.0
    """How likely it happens to a fitting event."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is no kind of fault; use one of {', '.join(KINDS)}")
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
    """The faults that are set up, in order; of several that fit an event the first one happens."""

    __slots__ = ("_random", "_set_up", "closing", "fault_counts", "refusing")

    def __init__(self) -> None:
        self._set_up: list[tuple[LiveFault, int, int]] = []  # the fault, fitting events seen, times it happened
        self._random = random.Random(0)
        self.fault_counts: Counter[LiveFaultKind] = Counter()
        """How often each kind happened."""
        self.refusing: tuple[datetime | None, int | None] | None = None
        """Until when no connection is accepted, or how many are not."""
        self.closing: tuple[int, int] | None = None
        """How many of the next connections are closed at once, and with which code."""

    def add(self, fault: LiveFault) -> LiveFault:
        """Set up a fault."""
        self._set_up.append((fault, 0, 0))
        return fault

    def seed(self, seed: int) -> None:
        """Begin a series of chances anew."""
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
        """Let everything go well again."""
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
