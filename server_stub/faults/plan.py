"""The list of faults that are set up: it decides which one happens, and counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar


class Counted(Protocol):
    """The counts of a fault."""

    @property
    def times(self) -> int | None:
        """The number of times it happens; None for always."""
        ...

    @property
    def after(self) -> int:
        """The number of matching occasions without a fault before the first one with it."""
        ...


F = TypeVar("F", bound=Counted)


class FaultList(Generic[F]):
    """The faults that are set up, in order; of several that match an occasion, the first one happens."""

    __slots__ = ("_set_up",)

    def __init__(self) -> None:
        self._set_up: list[tuple[F, int, int]] = []  # the fault, fitting occasions seen, times it happened

    def _plan(self, fault: F) -> F:
        self._set_up.append((fault, 0, 0))
        return fault

    def _next(self, fits: Callable[[F], bool]) -> F | None:
        """Return the fault that happens on an occasion, and count it."""
        if not self._set_up:
            return None
        taken: F | None = None
        left: list[tuple[F, int, int]] = []
        for fault, seen, happened in self._set_up:
            if fits(fault):
                seen += 1
                if taken is None and seen > fault.after:
                    taken = fault
                    happened += 1
            if fault.times is None or happened < fault.times:
                left.append((fault, seen, happened))
        self._set_up = left
        return taken

    @property
    def pending(self) -> tuple[F, ...]:
        """The faults that can still happen."""
        return tuple(fault for fault, _, _ in self._set_up)

    def clear(self) -> None:
        """Remove all faults."""
        self._set_up = []

    def snapshot(self) -> Sequence[tuple[F, int, int]]:
        """Return the present state, for `restore`."""
        return tuple(self._set_up)

    def restore(self, set_up: Sequence[tuple[F, int, int]]) -> None:
        """Go back to a snapshot."""
        self._set_up = list(set_up)
