"""Faults of webhook deliveries, which a test sets up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from .plan import FaultList

DeliveryFaultKind: TypeAlias = Literal["duplicate", "delay", "reorder", "refuse", "drop", "lose", "corrupt"]
"""``duplicate``: post the delivery twice. ``delay``: post it late. ``reorder``: post it after the next one to the same
endpoint. ``refuse``: refuse the connection. ``drop``: lose the answer, so that the delivery is posted again. ``lose``:
do not post it, though the log has it as delivered. ``corrupt``: change a byte after signing."""


@dataclass(frozen=True, slots=True)
class DeliveryFault:
    """A fault, and the deliveries in which it happens."""

    kind: DeliveryFaultKind
    seconds: float = 0.0
    """The delay of a ``delay`` in seconds."""
    event: str | None = None
    """The event, such as ``lead.created``; None for all."""
    url: str | None = None
    """The URL of the endpoint; None for all."""
    times: int | None = 1
    """The number of times the fault happens; None for always."""
    after: int = 0
    """The number of matching attempts without a fault before the first one with it."""

    def __post_init__(self) -> None:
        if self.kind not in get_args(DeliveryFaultKind):
            raise ValueError(
                f"{self.kind!r} is not a kind of fault; use one of {', '.join(get_args(DeliveryFaultKind))}"
            )
        if (self.kind == "delay") is not (self.seconds > 0):
            raise ValueError("a delay, and nothing else, needs the seconds it takes: add('delay', seconds=3)")
        if self.after < 0 or (self.times is not None and self.times < 1):
            raise ValueError(f"times is at least 1 and after at least 0, not {self.times} and {self.after}")


class DeliveryFaults(FaultList[DeliveryFault]):
    """The faults that are set up, in order; of several that match a delivery, the first one happens."""

    __slots__ = ()

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
        """Set up a fault for the deliveries that match event and url; by default it happens once."""
        return self._plan(DeliveryFault(kind, seconds, event, url, times, after))

    def take(self, event: str, url: str) -> DeliveryFault | None:
        """Return the fault that happens to a delivery, and count it."""
        return self._next(lambda fault: fault.event in (None, event) and fault.url in (None, url))
