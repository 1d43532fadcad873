"""What a test asks to go wrong with deliveries, as `faults` has it for requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

DeliveryFaultKind: TypeAlias = Literal["duplicate", "delay", "reorder", "refuse", "drop", "lose", "corrupt"]
"""``duplicate``: post it twice. ``delay``: post it late. ``reorder``: post it after the next one to the same endpoint.
``refuse``: no connection. ``drop``: lose the answer, so that it comes again. ``lose``: lose it, though the log says
that it was delivered. ``corrupt``: change a byte after signing."""


@dataclass(frozen=True, slots=True)
class DeliveryFault:
    """One thing to go wrong, and with which deliveries."""

    kind: DeliveryFaultKind
    seconds: float = 0.0
    """How late a ``delay`` posts."""
    event: str | None = None
    """``lead.created``; None for all."""
    url: str | None = None
    """The endpoint's; None for all."""
    times: int | None = 1
    """How often; None for always."""
    after: int = 0
    """How many fitting attempts go well first."""

    def __post_init__(self) -> None:
        if self.kind not in get_args(DeliveryFaultKind):
            raise ValueError(f"{self.kind!r} is no kind of fault; use one of {', '.join(get_args(DeliveryFaultKind))}")
        if (self.kind == "delay") is not (self.seconds > 0):
            raise ValueError("a delay, and nothing else, needs the seconds it takes: add('delay', seconds=3)")
        if self.after < 0 or (self.times is not None and self.times < 1):
            raise ValueError(f"times is at least 1 and after at least 0, not {self.times} and {self.after}")


class DeliveryFaults:
    """The faults that are set up, in order; of several that fit a delivery the first one happens."""

    __slots__ = ("_set_up",)

    def __init__(self) -> None:
        self._set_up: list[tuple[DeliveryFault, int, int]] = []  # the fault, fitting attempts seen, times it happened

    def add(
        self,
        kind: DeliveryFaultKind,
        *,
        seconds: float = 0.0,
        event: str | None = None,
        url: str | None = None,
        times: int | None = 1,
        after: int = 0,
    ) -> DeliveryFault:
        """Set up a fault, for the deliveries that fit event and url; it happens once unless told otherwise."""
        fault = DeliveryFault(kind, seconds, event, url, times, after)
        self._set_up.append((fault, 0, 0))
        return fault

    def take(self, event: str, url: str) -> DeliveryFault | None:
        """Return the fault that happens to a delivery, and count it."""
        taken: DeliveryFault | None = None
        left: list[tuple[DeliveryFault, int, int]] = []
        for fault, seen, happened in self._set_up:
            if fault.event in (None, event) and fault.url in (None, url):
                seen += 1
                if taken is None and seen > fault.after:
                    taken = fault
                    happened += 1
            if fault.times is None or happened < fault.times:
                left.append((fault, seen, happened))
        self._set_up = left
        return taken

    def clear(self) -> None:
        """Let everything go well again."""
        self._set_up = []

    def snapshot(self) -> Sequence[Any]:
        """Return the present state, for `restore`."""
        return tuple(self._set_up)

    def restore(self, set_up: Sequence[Any]) -> None:
        """Go back to a snapshot."""
        self._set_up = list(set_up)
